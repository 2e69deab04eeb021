# Windows over many calls: what `keep` remembers of each group, and what it says of a call.
#
# Owns:  Windows owns its tables and groups.  It knows nothing of sessions.
# Needs: value.pxi, equal.pxi, builtins.pxi, hashing.pxi, windows.h.        Gives: Windows, Keeping.
# A call is first looked at (when, keys, time), then enters the windows of its group, which then judge it.
# Registers are cells that the caller has filled; all numbers of the tables are verified when they are taken.

cdef extern from "windows.h":
    ctypedef long long win_int          # of 128 bits: made and read by win_make, win_high, win_low alone
    ctypedef struct win_entry:
        uint64_t key
        int64_t count
    ctypedef struct win_bag:
        win_entry* entries
        uint32_t room, used, live
    ctypedef struct win_set:
        win_bag exact
        uint8_t* registers
    ctypedef struct win_sketch:
        int64_t* counts
        int32_t first, blocks
    ctypedef struct win_sum:
        int64_t n, errors, hits, least
        win_int sum
        win_bag* buckets
        win_sketch* sketch
        win_set* set
        win_bag* times
    ctypedef struct win_item:
        win_int value
        int what
    ctypedef struct win_ring:
        uint8_t* what
        int64_t* values
    ctypedef struct win_doubts:
        int64_t newest, some
        int64_t panes[61]
    ctypedef struct win_window:
        int64_t newest, start, calls, clear
        win_sum* panes
        win_ring* rings
        win_sum* totals
        uint32_t room
    ctypedef struct win_kind:
        int64_t width, calls
    ctypedef struct win_shape:
        int windows, aggregates
        win_kind kinds[4]
        uint8_t keeps[16]
    ctypedef struct win_group:
        uint64_t a, b
        int violated
        win_doubts* doubts
        int64_t known
        win_window windows[4]
    enum:
        WIN_PANES, WIN_EXACT, WIN_REGISTERS, WIN_BLOCK
        WIN_ABSENT, WIN_VALUE, WIN_ERROR
        WIN_COUNTER, WIN_SUM, WIN_EXTREME, WIN_SKETCH, WIN_DISTINCT
    win_int win_make(int64_t high, uint64_t low) noexcept nogil
    int64_t win_high(win_int x) noexcept nogil
    uint64_t win_low(win_int x) noexcept nogil
    win_group* win_group_make(const win_shape* shape, uint64_t a, uint64_t b) noexcept nogil
    void win_group_free(const win_shape* shape, win_group* g) noexcept nogil
    bint win_group_join(const win_shape* shape, win_group* into, const win_group* from_) noexcept nogil
    bint win_takes(const win_shape* shape, int w, const win_window* x, int64_t time) noexcept nogil
    bint win_enter(const win_shape* shape, win_group* g, int64_t time, const win_item* items) noexcept nogil
    bint win_enter_call(const win_shape* shape, int w, win_window* x, const win_item* items) noexcept nogil
    void win_advance(const win_shape* shape, int w, win_window* x, int64_t pane) noexcept nogil
    bint win_pane_join(win_sum* into, win_sum* total, const win_sum* from_, int keeps) noexcept nogil
    void win_clear(win_sum* s, int keeps, int total) noexcept nogil
    int win_place(int64_t pane) noexcept nogil
    int64_t win_floor(int64_t a, int64_t b) noexcept nogil
    void win_doubt(win_doubts* d, int64_t pane, int64_t count) noexcept nogil
    void win_doubts_join(win_doubts* into, const win_doubts* from_) noexcept nogil
    int64_t win_doubts_in(const win_doubts* d, int64_t newest) noexcept nogil
    bint win_set_add(win_set* s, uint64_t hash) noexcept nogil
    bint win_estimate(win_set* s) noexcept nogil
    int64_t win_set_size(const win_set* s) noexcept nogil
    int32_t win_bucket(double value) noexcept nogil
    double win_middle(int32_t bucket) noexcept nogil
    bint win_sketch_add(win_sketch* s, int32_t bucket, int64_t count) noexcept nogil
    int32_t win_sketch_at(const win_sketch* s, int64_t rank) noexcept nogil
    bint win_bag_add(win_bag* b, uint64_t key, int64_t count) noexcept nogil
    uint64_t win_bucket_key(int64_t bucket) noexcept nogil
    int win_compare(win_int x, uint64_t b, win_int a, uint64_t n) noexcept nogil
    bint win_billionths(double value, win_int* out) noexcept nogil
    int64_t win_double_key(double value) noexcept nogil
    double win_key_double(int64_t key) noexcept nogil
    int64_t win_rank(int64_t n, int64_t top, int64_t bottom) noexcept nogil
    bint win_is_below(int64_t key, win_int threshold) noexcept nogil
    bint win_fits(win_int x) noexcept nogil
    bint win_fits_uint(win_int x) noexcept nogil
    double win_double(win_int x) noexcept nogil
    win_int win_divided(win_int x, int64_t n) noexcept nogil
    bint win_is_sum_of(win_int x, int64_t n) noexcept nogil
    void win_entries_sort(win_entry* e, size_t n) noexcept nogil

cdef enum:
    OF_KEYS = 7                 # what hashed bytes are of, beside those of hashing.pxi
    MOST_WINDOWS = 4
    MOST_FIGURES = 16
    MOST_KEYS = 8
    MOST_TERMS = 2
    MOST_STEPS = 64             # of one side of a comparison
    MOST_ARGUMENTS = 4
    MOST_RING = 100_000         # calls of a window
    MOST_IN_GROUPS = 1_000_000  # groups of one `keep`
    MOST_VALUES = 1_099_511_627_776     # of one pane in saved windows

cdef enum:
    # Beside the reasons of units.pxi: why a `keep` is unknown.
    KEEP_ERROR = 0
    KEEP_INSUFFICIENT = 2
    KEEP_LATE = 6
    KEEP_NO_TIME = 7

cdef enum:
    KEPT_ENTERED                # calls that entered a window
    KEPT_MISSING                # null arguments that were left out
    KEPT_ERRORS                 # arguments that are error values
    KEPT_LATE                   # calls older than every window
    KEPT_TIMELESS               # calls without a time, where a window counts in time
    KEPT_UNCERTAIN              # calls whose `when` or key is an error value
    KEPT_OTHER                  # calls judged in the group of all groups past the limit
    KEPT_COUNTS

cdef tuple KEPT_NAMES = ("entered", "missing", "errors", "late", "timeless", "uncertain", "other")

cdef enum:
    ANSWER_NO, ANSWER_YES, ANSWER_UNKNOWN, ANSWER_INSUFFICIENT

cdef struct Figure:
    int kind, form, value, where
    int64_t minimum
    win_int below
    int64_t top, bottom

cdef struct Term:
    int figure, comparison
    win_int a
    uint64_t b
    bint scaled

cdef struct Step:
    int what, number, arguments

cdef struct Keeping:
    int clause, when, key_count, term_count, comparison
    int keys[MOST_KEYS]
    bint timed                  # some window counts in time
    bint mergeable              # all of them do
    bint negated
    int64_t limit
    win_shape shape
    Figure figures[MOST_FIGURES]
    Term terms[MOST_TERMS]
    Step left[MOST_STEPS]
    Step right[MOST_STEPS]
    int left_count, right_count
    state_table groups
    win_group* rest             # without keys the only group; else that of all past the limit
    bint doubted                # some call may have been in the windows of any group
    int64_t doubt_count         # of such calls
    win_doubts doubts[MOST_WINDOWS]
    win_group* last             # of those in the table the one with the greatest hash; NULL: not known
    int64_t counts[KEPT_COUNTS]


cdef class Windows:
    """The windows of a program's population promises.

    keeps: a list with, for each, the fields of `program.KeepInfo` but its digest, as plain tuples and ints.
    registers: how many cells a call has.  clauses: how many clauses.  secret: 16 bytes that hashes depend on.

    Groups past a `limit` are one group.  Which ones stand alone is settled by their hashes, the least first,
    so that it does not depend on the order of calls or on how state was merged; where a window counts calls,
    those that came first.  Windows of calls cannot be merged: which calls are the last ones depends on
    an order that several workers do not have.
    """

    cdef Keeping* keeps
    cdef int count
    cdef uint64_t secret[2]
    cdef Py_ssize_t registers
    cdef readonly list tables

    def __cinit__(self, list keeps, Py_ssize_t registers, Py_ssize_t clauses, bytes secret):
        if len(secret) != 16:
            raise ValueError("a secret is 16 bytes")
        memcpy(self.secret, PyBytes_AS_STRING(secret), 16)
        self.registers, self.tables = registers, keeps
        self.keeps = <Keeping*>calloc(len(keeps) + 1, sizeof(Keeping))
        if self.keeps == NULL:
            raise MemoryError()
        for i, given in enumerate(keeps):
            take_keep(&self.keeps[i], given, registers, clauses)
            self.count = i + 1

    def __dealloc__(self):
        cdef int i
        for i in range(self.count):
            drop_groups(&self.keeps[i])
        free(self.keeps)

    cdef int enter(self, int number, const Cell* cells, bint timed, int64_t time, Frame frame, object search) noexcept:
        """What keep `number` says of this call: an outcome, plus 16 times the reason of an unknown one, plus 256
        if the group's consequences fire.  `time`: microseconds, meaningful if timed."""
        cdef Keeping* k = &self.keeps[number]
        cdef win_item items[MOST_FIGURES]
        cdef win_group* g
        cdef state_key h
        cdef int i
        cdef bint admitted = True
        if k.when >= 0:
            admitted = cells[k.when].tag == TAG_BOOL
            if admitted and not cells[k.when].v.i:
                return OUTCOME_SKIPPED
        if k.timed and not timed:
            k.counts[KEPT_TIMELESS] += 1
            return OUTCOME_UNKNOWN + 16 * KEEP_NO_TIME
        h.a = h.b = 0
        if k.key_count and not hash_group(&h, k, cells, self.secret, frame):
            self.doubt(number, timed, time)
            return OUTCOME_UNKNOWN
        if not admitted and not k.mergeable and k.key_count and state_find(&k.groups, h.a, h.b) == NULL:
            self.doubt(number, timed, time)         # it founds no group, which would stand alone
            return OUTCOME_UNKNOWN
        g = group_of(k, &h)
        if g == NULL:
            return OUTCOME_UNKNOWN
        if not admitted:
            k.counts[KEPT_UNCERTAIN] += 1
            doubt_group(k, g, time)
            return OUTCOME_UNKNOWN
        if k.timed and not some_take(k, g, time):
            k.counts[KEPT_LATE] += 1
            return OUTCOME_UNKNOWN + 16 * KEEP_LATE
        for i in range(k.shape.aggregates):
            make_item(&items[i], k, &k.figures[i], cells, self.secret, frame)
        k.counts[KEPT_ENTERED] += 1
        if g.known != k.doubt_count:
            learn_doubts(k, g)
        if not win_enter(&k.shape, g, time, items):
            return OUTCOME_UNKNOWN
        return judge_group(k, g, cells, frame, search)

    cdef void doubt(self, int number, bint timed, int64_t time) noexcept:
        """A call that may be in the windows of any group, or of none."""
        cdef Keeping* k = &self.keeps[number]
        cdef int w
        k.counts[KEPT_UNCERTAIN] += 1
        if k.timed and not timed:
            return
        k.doubted = True
        k.doubt_count += 1
        for w in range(k.shape.windows):
            if k.shape.kinds[w].width:
                win_doubt(&k.doubts[w], win_floor(time, k.shape.kinds[w].width), 1)

    # For Python ---------------------------------------------------------------------------------------

    def doubt_call(self, int number, time):
        """A call comes of which nobody knows whether it is in a window.  time: microseconds or None."""
        self.doubt(self._number(number), time is not None, 0 if time is None else time)

    def feed(self, int number, time, list values):
        """(outcome, reason, whether consequences fire) of one call; values: of the registers, `Exception` itself
        for an error value.  time: microseconds or None."""
        cdef Frame frame = self._frame(values)
        cdef int64_t micros = 0 if time is None else time
        cdef int said = self.enter(self._number(number), frame.cells, time is not None, micros, frame, None)
        return said & 15, said >> 4 & 15, said >> 8

    def repeat(self, int number, int64_t time, int64_t step, list values, int64_t count):
        """The same call many times, each a `step` later: to measure what one costs."""
        cdef Frame frame = self._frame(values)
        cdef int64_t i
        self._number(number)
        for i in range(count):
            self.enter(number, frame.cells, True, time + i * step, frame, None)

    def feed_column(self, int number, int64_t time, int64_t step, list values, int column, bytes numbers):
        """The same call with other numbers in one register, doubles in a row; how many are violated."""
        cdef Frame frame = self._frame(values)
        cdef const double* found = <const double*>PyBytes_AS_STRING(numbers)
        cdef Py_ssize_t i
        cdef int64_t violated = 0
        self._number(number)
        if not 0 <= column < len(values):
            raise IndexError("no such register")
        for i in range(PyBytes_GET_SIZE(numbers) // sizeof(double)):
            set_double(&frame.cells[column], found[i])
            violated += self.enter(number, frame.cells, True, time + i * step, frame, None) & 15 == OUTCOME_VIOLATED
        return violated

    cdef int _number(self, int number) except -1:
        if not 0 <= number < self.count:
            raise IndexError("no such keep")
        return number

    cdef Frame _frame(self, list values):
        cdef Frame frame
        cdef int i
        if len(values) != self.registers:
            raise ValueError("a value for each register")
        frame = Frame(len(values), len(values), 1, 1, 1)
        frame.steps = MAX_STEPS
        for i, value in enumerate(values):
            if value is Exception:
                fail(&frame.cells[i], ERR_UNCERTAIN)
            else:
                unbox(&frame.cells[i], <PyObject*>value, None, frame)
        return frame

    def group_size(self, int number):
        """Bytes of one group of a keep whose rings are full, without what sketches and sets of values take."""
        cdef const Keeping* k = &self.keeps[self._number(number)]
        cdef int w, a
        cdef int64_t size = sizeof(win_group) + 2 * sizeof(state_entry)
        cdef int64_t calls
        for w in range(k.shape.windows):
            calls = k.shape.kinds[w].calls
            size += k.shape.aggregates * sizeof(win_sum) * (1 if calls else WIN_PANES + 1)
            for a in range(k.shape.aggregates if calls else 0):
                size += sizeof(win_ring) + calls * (1, 17, 25, 9, 9)[k.shape.keeps[a]]
        return size

    def counts(self, int number):
        """What was counted, and how many groups there are now."""
        cdef Keeping* k = &self.keeps[self._number(number)]
        return {**{name: k.counts[i] for i, name in enumerate(KEPT_NAMES)}, "groups": k.groups.count}

    def group(self, int number, list values):
        """The hash of a call's group; None if its keys are an error value."""
        cdef Frame frame = self._frame(values)
        cdef Keeping* k = &self.keeps[self._number(number)]
        cdef state_key h
        return (h.a, h.b) if hash_group(&h, k, frame.cells, self.secret, frame) else None

    def merge(self, Windows other):
        """Add the windows of another worker into these, exactly; self.

        In any order and grouping, the same records give the same windows.  ValueError, and nothing is changed,
        if the other has other tables or another secret, or calls in a window of calls.
        """
        cdef int i
        if other is self or other.tables != self.tables or memcmp(self.secret, other.secret, 16) != 0:
            raise ValueError("these windows are of another pact, or under another secret")
        for i in range(self.count):
            if not self.keeps[i].mergeable and other.keeps[i].counts[KEPT_ENTERED]:
                raise ValueError("windows that count calls cannot be merged")
        for i in range(self.count):
            join_keeps(&self.keeps[i], &other.keeps[i])
        return self

    def to_bytes(self, bint history=True):
        """The windows as bytes.  Without history (what was counted, which consequences have fired), they are
        the same for the same records in the windows, whatever their order and however they were merged."""
        cdef bytearray out = bytearray(b"PWIN2\1" if history else b"PWIN2\0")
        cdef int i
        for i in range(self.count):
            save_keep(out, &self.keeps[i], history)
        return bytes(out)

    def load(self, bytes data):
        """Take over what `to_bytes` gave.  ValueError for anything else, and then these windows are empty."""
        cdef Taken taken = Taken(data)
        cdef int i
        for i in range(self.count):
            drop_groups(&self.keeps[i])
        try:
            if not data.startswith((b"PWIN2\0", b"PWIN2\1")):
                raise ValueError("these are no windows")
            taken.at = 6
            for i in range(self.count):
                load_keep(taken, &self.keeps[i], data[5] == 1)
            if taken.at != len(data):
                raise ValueError("the windows have something behind their end")
        except BaseException:
            for i in range(self.count):
                drop_groups(&self.keeps[i])
            raise


# Groups ---------------------------------------------------------------------------------------------

cdef bint hash_group(state_key* out, const Keeping* k, const Cell* cells, const uint64_t* secret, Frame frame) noexcept:
    """The hash of a call's keys, null among them; false if one is an error value."""
    cdef state_key pair[2]
    cdef const Cell* x
    cdef int i
    x = &cells[k.keys[0]]
    if k.key_count == 1 and x.tag != TAG_NULL:
        return x.tag != TAG_ERROR and value_hash(out, secret, x, frame, 0)
    memset(pair, 0, sizeof(pair))
    for i in range(k.key_count):
        x = &cells[k.keys[i]]
        if x.tag == TAG_NULL:
            pair[1].a = pair[1].b = 1
        elif x.tag == TAG_ERROR or not value_hash(&pair[1], secret, x, frame, 0):
            return False
        pair[0] = state_sip(secret, OF_KEYS, pair, sizeof(pair)) if i else pair[1]
    out[0] = pair[0]
    return True


cdef void doubt_group(Keeping* k, win_group* g, int64_t time) noexcept:
    """A call that may be in this group's windows."""
    cdef int w
    if g.doubts == NULL:
        g.doubts = <win_doubts*>calloc(k.shape.windows, sizeof(win_doubts))
    for w in range(k.shape.windows):
        if k.shape.kinds[w].calls:
            g.windows[w].clear = 0
        elif g.doubts != NULL:
            win_doubt(&g.doubts[w], win_floor(time, k.shape.kinds[w].width), 1)


cdef void learn_doubts(Keeping* k, win_group* g) noexcept:
    """Windows of calls take in what may have come since the group's last call."""
    cdef int w
    g.known = k.doubt_count
    for w in range(k.shape.windows):
        if k.shape.kinds[w].calls:
            g.windows[w].clear = 0


cdef inline bint is_after(const win_group* g, const state_key* h) noexcept:
    return g.a > h.a or (g.a == h.a and g.b > h.b)


cdef win_group* group_of(Keeping* k, const state_key* h) noexcept:
    """The group of these keys, made if need be; NULL if there is no memory."""
    cdef state_entry* entry
    cdef win_group* g
    if k.key_count:
        entry = state_find(&k.groups, h.a, h.b)
        if entry != NULL:
            return <win_group*>entry.value
        if <int64_t>k.groups.count < k.limit or (k.mergeable and is_after(last_group(k), h)):
            g = win_group_make(&k.shape, h.a, h.b)
            return g if g == NULL or put_group(k, g) else NULL
        k.counts[KEPT_OTHER] += 1
    if k.rest == NULL:
        k.rest = win_group_make(&k.shape, 0, 0)
    return k.rest


cdef win_group* last_group(Keeping* k) noexcept:
    cdef state_key h
    cdef size_t i
    cdef win_group* g
    if k.last == NULL:
        for i in range(k.groups.room):
            g = <win_group*>k.groups.entries[i].value
            if g != NULL:
                h.a, h.b = g.a, g.b
                if k.last == NULL or not is_after(k.last, &h):
                    k.last = g
    return k.last


cdef bint put_group(Keeping* k, win_group* g) noexcept:
    """A new group into the table; past the limit the last one joins the rest."""
    cdef win_group* last
    if not state_insert(&k.groups, g.a, g.b, g):
        win_group_free(&k.shape, g)
        return False
    k.last = NULL
    if <int64_t>k.groups.count <= k.limit:
        return True
    last = last_group(k)
    if k.rest == NULL:
        k.rest = win_group_make(&k.shape, 0, 0)
    if k.rest == NULL or not win_group_join(&k.shape, k.rest, last):
        return False
    state_remove(&k.groups, state_find(&k.groups, last.a, last.b))
    win_group_free(&k.shape, last)
    k.last = NULL
    return True


cdef void drop_groups(Keeping* k) noexcept:
    cdef size_t i
    for i in range(k.groups.room):
        if k.groups.entries[i].value != NULL:
            win_group_free(&k.shape, <win_group*>k.groups.entries[i].value)
    free(k.groups.entries)
    memset(&k.groups, 0, sizeof(k.groups))
    memset(k.counts, 0, sizeof(k.counts))
    memset(k.doubts, 0, sizeof(k.doubts))
    k.doubted = False
    k.doubt_count = 0
    if k.rest != NULL:
        win_group_free(&k.shape, k.rest)
    k.rest = k.last = NULL


cdef int join_keeps(Keeping* k, const Keeping* other) except -1:
    cdef size_t i
    cdef win_group* g
    cdef win_group* into
    cdef state_key h
    cdef int64_t others = k.counts[KEPT_OTHER]
    for i in range(other.groups.room + 1):
        g = other.rest if i == other.groups.room else <win_group*>other.groups.entries[i].value
        if g == NULL:
            continue
        h.a, h.b = g.a, g.b
        if g == other.rest:
            if k.rest == NULL:
                k.rest = win_group_make(&k.shape, 0, 0)
            into = k.rest
        else:
            into = group_of(k, &h)
        if into == NULL or not win_group_join(&k.shape, into, g):
            raise MemoryError()
    k.counts[KEPT_OTHER] = others
    k.doubted |= other.doubted
    k.doubt_count += other.doubt_count
    for i in range(k.shape.windows):
        win_doubts_join(&k.doubts[i], &other.doubts[i])
    for i in range(KEPT_COUNTS):
        k.counts[i] += other.counts[i]
    return 0


cdef inline bint some_take(const Keeping* k, const win_group* g, int64_t time) noexcept:
    cdef int w
    for w in range(k.shape.windows):
        if win_takes(&k.shape, w, &g.windows[w], time):
            return True
    return False
