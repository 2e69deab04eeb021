# Text: the atoms of one group, sought in one text.
#
# Owns:  Sieve owns its tables; nothing of the text.  What seeks is made when it is first needed.
# Needs: value.pxi, sieve.h.        Gives: Sieve, Scanner.

cdef extern from "sieve.h" nogil:
    ctypedef struct SieveFactor:
        uint64_t value, mask
        uint16_t length, at, quick, open
        uint32_t places, owners, owner_count
    ctypedef struct SievePlace:
        uint16_t at, set
    ctypedef struct CSieve "Sieve":
        uint8_t low[2][8][16]
        uint8_t high[2][8][16]
        uint16_t exact[8][256]
        int halves
        uint32_t first[17]
        uint32_t hashes
        uint8_t known[8192]
        uint32_t hashed[4097]
        SieveFactor* factors
        SievePlace* places
        uint8_t (*sets)[256]
        uint32_t* owners
        uint8_t* final
        uint32_t owner_count, finals
    ctypedef struct SieveHits:
        uint8_t* seen
        uint32_t* fired
        int64_t* first
        int64_t* last
        uint32_t count, finals
        int64_t work, limit
    enum: SIEVE_DONE, SIEVE_FULL, SIEVE_TIRED
    int sieve_best()
    uint32_t sieve_hash(const uint8_t* at)
    int sieve_pass(const CSieve* s, int kernel, const uint8_t* d, int64_t size, SieveHits* h)

cdef extern from "Python.h":
    bint PyUnicode_IS_ASCII(PyObject* o) noexcept
    int PyUnicode_Tailmatch(object text, object part, Py_ssize_t start, Py_ssize_t end, int direction) except -1
    Py_ssize_t PY_SSIZE_T_MAX

cdef enum:
    SIEVE_WINDOW = 8
    SIEVE_HASHED = 4
    SIEVE_BUCKETS = 16
    SIEVE_HASHES = 65536
    MAX_FACTOR = 4096                   # bytes of one factor
    LONG_TEXT = 1 << 15                 # bytes: a longer text is gone through without the GIL
    WORK_PER_BYTE = 2                   # comparisons of factors; beyond that a text is not for the sieve
    FREE_WORK = 4096


cdef class Sieve:
    """Finds which of many short strings of byte sets stand in a text, in one pass (`sieve.h`).

    factors: (sets, at, bucket, owners): one set of bytes a place, as bytes of 32 with a bit for each byte;
    where the window of eight begins; in which of 16 buckets it is sought, or 16: by the hash of four bytes, each
    place of which must be a byte, or a letter in both cases; who owns it.  final: for each owner
    whether it is enough that a factor stands in the text; without that it is told where.
    """

    cdef CSieve s
    cdef void* block
    cdef readonly int kernel

    def __init__(self, factors, bytes final not None, int kernel=-1):
        cdef dict sets = {}
        cdef list rows = [(bucket, tuple(places), at, tuple(owners)) for places, at, bucket, owners in factors]
        if self.block != NULL:
            raise ValueError("a sieve is made once")
        for bucket, places, at, owners in rows:
            if not (0 < len(places) <= MAX_FACTOR and 0 <= at < len(places) and 0 <= bucket <= SIEVE_BUCKETS):
                raise ValueError("a factor is out of range")
            if not all([0 <= owner < len(final) for owner in owners]):
                raise ValueError("a factor has an unknown owner")
            for place in places:
                if type(place) is not bytes or len(place) != 32:
                    raise ValueError("a set of bytes is 32 bytes")
                sets.setdefault(place, len(sets))
        if len(sets) > 65_535:
            raise ValueError("too many sets of bytes")
        self.kernel = sieve_best() if kernel < 0 else min(kernel, sieve_best())
        rows = sorted([(bucket + hash_of(places, at) if bucket == SIEVE_BUCKETS else bucket, places, at, owners)
                       for bucket, places, at, owners in rows])
        self.take(rows, sets, final)

    cdef take(self, list rows, dict sets, bytes final):
        cdef Py_ssize_t places = sum([len(row[1]) for row in rows])
        cdef Py_ssize_t owners = sum([len(row[3]) for row in rows])
        cdef Py_ssize_t i
        cdef uint32_t place_count = 0
        cdef uint32_t owner_count = 0
        cdef char* block = <char*>allocate(
            len(rows) * sizeof(SieveFactor) + places * sizeof(SievePlace) + owners * 4 + len(sets) * 256 + len(final)
        )
        self.block = block
        self.s.factors = <SieveFactor*>block
        self.s.owners = <uint32_t*>(self.s.factors + len(rows))
        self.s.places = <SievePlace*>(self.s.owners + owners)
        self.s.sets = <uint8_t(*)[256]>(self.s.places + places)
        self.s.final = <uint8_t*>(self.s.sets + len(sets))
        for place, i in sets.items():
            spread(self.s.sets[i], place)
        for i in range(len(final)):
            self.s.final[i] = final[i] != 0
        self.s.owner_count = len(final)
        self.s.halves = all([row[0] < 8 or row[0] >= SIEVE_BUCKETS for row in rows])
        for i in range(len(rows)):
            bucket, forms, at, owned = rows[i]
            self.take_factor(&self.s.factors[i], forms, at, sets, &place_count)
            self.s.factors[i].owners = owner_count
            self.s.factors[i].owner_count = len(owned)
            for owner in owned:
                self.s.owners[owner_count] = owner
                owner_count += 1
            if bucket < SIEVE_BUCKETS:
                self.admit(bucket, forms[at : at + SIEVE_WINDOW])
            else:
                self.admit_hash(bucket - SIEVE_BUCKETS)
        for i in range(SIEVE_BUCKETS):
            self.s.first[i + 1] += self.s.first[i]
        self.s.hashed[0] = self.s.first[SIEVE_BUCKETS]
        for i in range(SIEVE_HASHES // 16):
            self.s.hashed[i + 1] += self.s.hashed[i]

    cdef take_factor(self, SieveFactor* f, tuple forms, int at, dict sets, uint32_t* place_count):
        """Eight bytes around the window are compared at once, the rest place by place."""
        cdef int k, differ, first
        cdef int quick = max(0, min(at - 1, len(forms) - 8))
        f.length = len(forms)
        f.at = at
        f.quick = quick
        f.places = place_count[0]
        for k in range(len(forms)):
            members = members_of(forms[k])
            first, differ = (members[0] if members else 0), 0
            for byte in members:
                differ |= first ^ <int>byte
            if quick <= k < quick + 8:
                f.value |= <uint64_t>(first & ~differ) << 8 * (k - quick)
                f.mask |= <uint64_t>(255 & ~differ) << 8 * (k - quick)
                if len(members) == 1 << bin(differ).count("1"):
                    continue
            self.s.places[place_count[0]].at = k
            self.s.places[place_count[0]].set = sets[forms[k]]
            place_count[0] += 1
            f.open += 1

    cdef admit(self, int bucket, tuple window):
        """Let a bucket through where the bytes of this window stand."""
        cdef int w, byte
        self.s.first[bucket + 1] += 1
        cdef int half = bucket >> 3
        cdef int bit = 1 << (bucket & 7)
        for w in range(SIEVE_WINDOW):
            for byte in members_of(window[w]) if w < len(window) else range(256):
                self.s.low[half][w][byte & 15] |= bit
                self.s.high[half][w][byte >> 4] |= bit
                self.s.exact[w][byte] |= 1 << bucket

    cdef admit_hash(self, int found):
        self.s.known[found >> 3] |= 1 << (found & 7)
        self.s.hashed[(found >> 4) + 1] += 1
        self.s.hashes += 1

    def __dealloc__(self):
        PyMem_Free(self.block)

    def find(self, data):
        """For a text's bytes a list of (owner, first, last): where the first and the last factor of an owner
        begins (of a final owner: some factors); None if the text needs too many comparisons."""
        cdef const uint8_t[::1] view = data
        cdef SieveHits hits
        cdef bytearray room = bytearray(hits_size(self))
        lay_out(self, &hits, PyByteArray_AS_STRING(room))
        if self.pass_over(&view[0] if view.shape[0] else NULL, view.shape[0], &hits) == SIEVE_TIRED:
            return None
        return [
            (hits.fired[i], hits.first[hits.fired[i]], hits.last[hits.fired[i]]) for i in range(hits.count)
        ]

    cdef int pass_over(self, const uint8_t* data, int64_t size, SieveHits* hits) noexcept:
        """One pass; a long text without the GIL, so somebody must hold it."""
        cdef int end
        hits.limit = size * WORK_PER_BYTE + FREE_WORK
        if size <= LONG_TEXT:
            return sieve_pass(&self.s, self.kernel, data, size, hits)
        with nogil:
            end = sieve_pass(&self.s, self.kernel, data, size, hits)
        return end


cdef inline Py_ssize_t hits_size(Sieve sieve) noexcept:
    return <Py_ssize_t>sieve.s.owner_count * 21

cdef inline void lay_out(Sieve sieve, SieveHits* hits, char* room) noexcept:
    """Place the arrays of `hits` in `room`, of `hits_size` bytes, aligned to 8."""
    cdef Py_ssize_t owners = sieve.s.owner_count
    hits.first = <int64_t*>room
    hits.last = hits.first + owners
    hits.fired = <uint32_t*>(hits.last + owners)
    hits.seen = <uint8_t*>(hits.fired + owners)
    hits.count = hits.finals = 0
    hits.work = 0
    memset(hits.seen, 0, owners)

cdef int hash_of(tuple places, int at) except -1:
    """The hash of a window."""
    cdef uint8_t window[SIEVE_HASHED]
    cdef int w
    cdef set folded
    if at + SIEVE_HASHED > len(places):
        raise ValueError("a window is too short for a hash")
    for w in range(SIEVE_HASHED):
        folded = {byte | 0x20 for byte in members_of(places[at + w])}
        if len(folded) != 1:
            raise ValueError("a window has no hash")
        window[w] = folded.pop()
    return sieve_hash(window)

cdef spread(uint8_t* row, bytes form):
    cdef int byte
    for byte in members_of(form):
        row[byte] = 1

cdef list members_of(bytes form):
    """The bytes of a set."""
    return [byte for byte in range(256) if form[byte >> 3] >> (byte & 7) & 1]


cdef class Scanner:
    """Seeks the text atoms of one group: what one slot's text is searched for.

    numbers: the atoms, by their numbers in the program.  folded: whether they are sought in the folded text.
    make: for atoms that a text begins or ends with a list, (whether it ends with them, texts) for each atom; for
    all others make() gives the plan (`pactlang.matchers.choose`), asked for when the first text comes.
    """

    cdef readonly tuple numbers
    cdef readonly bint folded
    cdef readonly bint ends             # only the text's ends are looked at
    cdef object make
    cdef list edges                     # (whether it is the end, in UTF-8, as a str, atom)
    cdef set known
    cdef Py_ssize_t room                # the greatest of the numbers, and 1
    cdef Sieve sieve
    cdef bint planned
    cdef tuple owned                    # the atom of each owner in the sieve
    cdef object confirm
    cdef object rest
    cdef object whole
    cdef Py_ssize_t longest             # bytes of a text that is searched

    def __init__(self, numbers, bint folded, make):
        self.numbers = tuple(numbers)
        self.known = set(self.numbers)
        self.room = max(self.numbers, default=-1) + 1
        self.folded = folded
        self.make = make
        self.ends = isinstance(make, list)
        if self.ends:
            self.edges = [
                (bool(last), text.encode(), text, number)
                for number, (last, texts) in zip(self.numbers, make, strict=True) for text in texts
            ]

    cdef int look_at_ends(self, const char* data, Py_ssize_t size, uint8_t* atoms) except -1:
        cdef Py_ssize_t length
        cdef const char* at
        cdef bytes part
        for last, part, _, number in self.edges:
            length = PyBytes_GET_SIZE(part)
            if length <= size:
                at = data + (size - length) if last else data
                if length == 0 or memcmp(at, PyBytes_AS_STRING(part), length) == 0:
                    atoms[<Py_ssize_t>number] = 1
        return 1

    cdef int look_at_str(self, object text, uint8_t* atoms) except -1:
        for last, _, part, number in self.edges:
            if PyUnicode_Tailmatch(text, part, 0, PY_SSIZE_T_MAX, 1 if last else -1):
                atoms[<Py_ssize_t>number] = 1
        return 1

    cdef int scan(self, object text, const char* data, Py_ssize_t size, uint8_t* atoms) except -1:
        """Set atoms[number] = 1 for every atom of the group that occurs: 1, or 0 where the text is beyond
        its budget, so that nothing is known.

        Either text is a str and data is NULL, or data and size are the text's UTF-8 and text is None.
        """
        cdef object held = None
        if self.ends:
            return self.look_at_ends(data, size, atoms) if data != NULL else self.look_at_str(text, atoms)
        if not self.planned:
            self.take_plan()
        if self.folded:
            held = folded_utf8(text if data == NULL else PyUnicode_DecodeUTF8(data, size, NULL))
        elif data == NULL:
            if PyUnicode_IS_ASCII(<PyObject*>text):
                data = <const char*>PyUnicode_DATA(<PyObject*>text)
                size = PyUnicode_GET_LENGTH(<PyObject*>text)
            else:
                held = utf8(text)
        return self.search(held, data, size, atoms)

    cdef int search(self, object held, const char* data, Py_ssize_t size, uint8_t* atoms) except -1:
        """The same in UTF-8: in the buffer `held`, or, if that is None, in `data`."""
        cdef const uint8_t[::1] view
        cdef int64_t room[512]
        cdef char* place = <char*>room
        cdef bytearray larger
        if held is not None:
            if PyBytes_CheckExact(held):
                data = PyBytes_AS_STRING(held)
                size = PyBytes_GET_SIZE(held)
            else:
                view = held
                size = view.shape[0]
                data = <const char*>&view[0] if size else NULL
        if size > self.longest:
            return 0
        if self.sieve is not None and hits_size(self.sieve) > <Py_ssize_t>sizeof(room):
            larger = bytearray(hits_size(self.sieve))
            place = PyByteArray_AS_STRING(larger)
        return self.sift(held, data, size, place, atoms)

    cdef int sift(self, object held, const char* data, Py_ssize_t size, char* place, uint8_t* atoms) except -1:
        """The sieve first, then whoever must be asked in Python."""
        cdef SieveHits hits
        cdef list seen = None
        cdef uint32_t i, owner
        cdef bint tired = False
        if self.sieve is not None:
            lay_out(self.sieve, &hits, place)
            tired = self.sieve.pass_over(<const uint8_t*>data, size, &hits) == SIEVE_TIRED
            for i in range(hits.count):
                owner = hits.fired[i]
                if self.sieve.s.final[owner]:
                    atoms[<Py_ssize_t>self.owned[owner]] = 1
                elif not tired:
                    seen = seen if seen is not None else []
                    seen.append((owner, hits.first[owner], hits.last[owner]))
        if seen is None and not tired and self.rest is None:
            return 1
        if held is not None:
            return self.ask(held, seen, tired, atoms)
        held = PyMemoryView_FromMemory(<char*>data if data != NULL else <char*>place, size, PyBUF_READ)
        try:
            return self.ask(held, seen, tired, atoms)
        finally:
            held.release()

    cdef int ask(self, object data, list seen, bint tired, uint8_t* atoms) except -1:
        """Ask in Python for what the sieve cannot tell."""
        if tired and not self.take(self.whole(data), atoms):
            return 0
        if seen is not None and not self.take(self.confirm(data, seen), atoms):
            return 0
        return 1 if self.rest is None else self.take(self.rest(data), atoms)

    cdef int take(self, object found, uint8_t* atoms) except -1:
        if found is None:
            return 0
        for number in found:
            if number in self.known:
                atoms[<Py_ssize_t>number] = 1
        return 1

    cdef take_plan(self):
        plan = self.make()
        cdef tuple owned = tuple(plan.numbers)
        cdef Sieve sieve = plan.sieve
        if not self.known.issuperset(owned) or (sieve is not None and sieve.s.owner_count != len(owned)):
            raise ValueError("a plan for other atoms")
        self.confirm, self.rest, self.whole = plan.confirm, plan.rest, plan.whole
        self.owned = owned
        self.longest = plan.longest
        self.sieve = sieve
        self.planned = True

    def occurring(self, text not None):
        """The numbers of the atoms that occur in a text, a str or its UTF-8 as bytes; None beyond its
        budget."""
        cdef bytearray atoms = bytearray(self.room)
        cdef uint8_t* found = <uint8_t*>PyByteArray_AS_STRING(atoms)
        cdef int known
        if isinstance(text, bytes):
            known = self.scan(None, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), found)
        else:
            known = self.scan(plain_text(<PyObject*>text), NULL, 0, found)
        return places_of_ones(atoms) if known else None


cdef tuple places_of_ones(bytearray atoms):
    cdef list found = []
    cdef Py_ssize_t at = atoms.find(1)
    while at >= 0:
        found.append(at)
        at = atoms.find(1, at + 1)
    return tuple(found)
