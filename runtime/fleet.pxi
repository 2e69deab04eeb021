# A fleet: of many machines, those that a call may concern, and what they say of it.
#
# Owns:  a Selector owns its tables and never changes; a Fleet's face holds the one that is current.
# Needs: lines.pxi.        Gives: Sight, Selector, FleetVerdict, FleetFace.
# A table answers what a guard would: a value that is not in it puts the table's machines outside.
# Whatever is not plainly a text, an int or null is left to the owner, who goes the slow way.

cdef enum:
    MOST_LENSES = 8         # fields that a fleet looks at; the same in pactlang/evaluator/index.py
    MOST_CLASSES = 1000     # classes of structs that are remembered
    FEW_READINGS = 3        # as many machines read JSON themselves in the time of one decoding

cdef struct Look:
    Py_ssize_t offset       # of the field in a struct of the class; -1: the class lacks it, null
    int lens

cdef struct Lens:
    PyObject* table         # dict: value -> ((number, machine), ...), borrowed from Selector.kept
    PyObject* default       # what null and absent stand for; NULL: nothing
    PyObject* choices       # frozenset of an enum's values; NULL: any
    Py_ssize_t longest      # characters of the longest text in the table
    bint is_text            # else an int
    bint nullable


cdef class Sight:
    """Where the fields that a fleet looks at lie in a struct class.

    looks: (lens, attribute or None).  decoded: its structs were made by decoding, a text is a text.
    """

    cdef Look looks[MOST_LENSES]
    cdef int count
    cdef bint decoded
    cdef object form

    def __cinit__(self, object form, list looks, bint decoded):
        self.form = form
        self.decoded = decoded
        if len(looks) > MOST_LENSES:
            raise ValueError("too many fields")
        for lens, attribute in looks:
            if not 0 <= lens < MOST_LENSES:
                raise ValueError("no such lens")
            self.looks[self.count].lens = lens
            self.looks[self.count].offset = -1
            if attribute is not None:
                descriptor = getattr(form, attribute)
                self.looks[self.count].offset = pact_offset(<PyObject*>descriptor)
                if self.looks[self.count].offset < 0:
                    raise TypeError(f"{form.__name__}.{attribute} is no plain struct field")
            self.count += 1


cdef class Selector:
    """Machines, and which of them a call may concern.

    always: ((number, machine), ...) of those that look at every call, by number.
    lenses: (table, default, nullable, choices, is_text) of each field that decides about others.
    eyes: (machine, ((lens, slot), ...)): machines that judge nothing, whose slots are those fields.
    decoders: for each eye a function JSON bytes -> struct of a class that has a sight, for
    what the eye does not read.
    total: how many machines there are.
    """

    cdef Lens lenses[MOST_LENSES]
    cdef int count
    cdef tuple always
    cdef dict sights                    # struct class -> Sight, None for one that goes the slow way
    cdef dict own                       # the same of the decoders' classes alone
    cdef list eyes
    cdef list decoders
    cdef list kept
    cdef readonly Py_ssize_t total

    def __init__(self, tuple always, list lenses, list eyes, list decoders, dict sights, Py_ssize_t total):
        if len(lenses) > MOST_LENSES:
            raise ValueError("too many fields")
        for eye, looks in eyes:
            for lens, slot in looks:
                if not (0 <= lens < len(lenses) and 0 <= slot < (<JsonMachine?>eye).slot_count):
                    raise ValueError("no such slot")
        self.kept = lenses
        self.always = always
        self.sights = self.own = sights
        self.eyes = eyes
        self.decoders = decoders
        self.total = total
        self.count = 0
        for table, default, nullable, choices, is_text in lenses:
            if type(table) is not dict or not (choices is None or type(choices) is frozenset):
                raise TypeError("no table")
            self.lenses[self.count].table = <PyObject*>table
            self.lenses[self.count].default = <PyObject*>default if default is not None else NULL
            self.lenses[self.count].choices = <PyObject*>choices if choices is not None else NULL
            self.lenses[self.count].nullable = nullable
            self.lenses[self.count].is_text = is_text
            self.lenses[self.count].longest = max([len(key) for key in table if type(key) is str], default=0)
            self.count += 1

    cdef tuple concerned(self, Sight sight, PyObject* record, tuple hits):
        """`hits` and those whose guards let this record pass, by number; None: go the slow way."""
        cdef int i
        cdef PyObject* o
        for i in range(sight.count):
            o = NULL
            if sight.looks[i].offset >= 0:
                o = (<PyObject**>(<char*>record + sight.looks[i].offset))[0]
            hits = self.through(sight.looks[i].lens, o if o != NULL else Py_None, sight.decoded, hits)
            if hits is None:
                break
        return hits

    cdef tuple through(self, int number, PyObject* o, bint decoded, tuple hits):
        """`hits` and those in whose table the object stands; None: go the slow way."""
        cdef Lens* lens = &self.lenses[number]
        cdef PyObject* found
        cdef object value
        if o == Py_None:
            if lens.table == NULL or (lens.default == NULL and not lens.nullable):
                return None
            o = lens.default if lens.default != NULL else Py_None
        elif lens.is_text:
            if not PyUnicode_CheckExact(o) or not (decoded or pact_is_text(o)):
                return None
            if lens.choices != NULL and <object>o not in <frozenset>lens.choices:
                return None
            if PyUnicode_GET_LENGTH(o) > lens.longest:      # its hash would go through the whole of it
                return hits
        elif lens.table == NULL or not PyLong_CheckExact(<object>o):
            return None
        value = <object>o
        found = PyDict_GetItemWithError(<object>lens.table, value)
        if found == NULL:
            return hits
        return <tuple>found if not hits else tuple(sorted(hits + <tuple>found))

    def see(self, object form, sight):
        """Look at structs of a class through a Sight from now on; None: always go the slow way."""
        known = self.sights if len(self.sights) < MOST_CLASSES else self.own
        self.sights = {**known, form: sight}

    def knows(self, object form):
        """Whether `see` was told of a class, or it is a decoder's."""
        return form in self.sights

    def sight_count(self):
        """How many classes are remembered."""
        return len(self.sights)

    cpdef FleetVerdict check(self, record):
        """What they say of a record: a struct or a dict."""
        cdef PyObject* found
        cdef tuple hits = self.always
        if self.count or not hits:
            found = PyDict_GetItemWithError(self.sights, type(record))
            if found == NULL or <object>found is None:
                return self.check_unseen(record)
            hits = self.concerned(<Sight>found, <PyObject*>record, hits)
        if hits is None:
            return self.check_slowly(record, False)
        return self.judge(record, hits)

    cpdef FleetVerdict check_json(self, data):
        """What they say of one JSON object."""
        cdef tuple hits
        if type(data) is bytearray or type(data) is memoryview:
            data = bytes(data)                  # nobody may change it between two looks
        hits = self.concerned_json(data)
        if hits is None or not (hits or self.eyes):
            return self.check_slowly(data, True)
        return self.judge_json(data, hits)

    cdef tuple concerned_json(self, data):
        """Those that JSON may concern, by number; None: go the slow way."""
        cdef tuple hits = self.always
        cdef const uint8_t* text
        cdef Py_ssize_t size
        if not json_text(data, &text, &size):
            return None
        for eye, looks in self.eyes:
            hits = self.seen(<JsonMachine>eye, <tuple>looks, text, size, hits)
            if hits is None:
                return self.decoded_json(data)
        return hits

    cdef tuple seen(self, JsonMachine eye, tuple looks, const uint8_t* text, Py_ssize_t size, tuple hits):
        """`hits` and those whose guards let the fields pass that one eye reads; None where it gives up."""
        cdef JsonReader reader = eye.reading()
        cdef Frame frame
        cdef int i
        if reader is None:
            return None
        frame = eye.take_frame()
        frame.wants_id = False
        eye.begin(frame, reader.binding)
        if reader.read(text, text + size, frame):
            for lens, slot in looks:
                i = slot
                value = box(&frame.cells[i]) if frame.cells[i].tag != TAG_ERROR else ...
                hits = self.through(lens, <PyObject*>value, True, hits)
                if hits is None:
                    break
        else:
            hits = None
        frame.drop_source()
        eye.give_back(frame)
        if frame.stopped is not None:
            eye.raise_from(frame)
        return hits

    cdef tuple decoded_json(self, data):
        """The same by the decoders; None: go the slow way."""
        try:
            return self.choose([decode(data) for decode in self.decoders])
        except Exception:
            return None

    def check_looked(self, record, list looks):
        """What they say of a record whose fields are in `looks`: a struct of each decoder's class."""
        cdef tuple hits = self.choose(looks)
        if hits is None:
            return self.check_slowly(record, False)
        return self.judge(record, hits)

    def numbers_of(self, bytes data):
        """The numbers of the machines that one JSON object may concern; None: go the slow way."""
        cdef tuple hits = self.concerned_json(data)
        return None if hits is None else [number for number, _ in hits]

    def numbers_among(self, list looks):
        """The same of a record whose fields are in `looks`: a struct of each decoder's class."""
        cdef tuple hits = self.choose(looks)
        return None if hits is None else [number for number, _ in hits]

    cdef tuple choose(self, list looks):
        cdef tuple hits = self.always
        for struct in looks:
            hits = self.concerned(<Sight?>self.sights[type(struct)], <PyObject*>struct, hits)
            if hits is None:
                break
        return hits

    cdef FleetVerdict judge(self, record, tuple hits):
        cdef FleetVerdict said = self.begin(record)
        cdef dict made = {} if len(hits) > 1 and type(record) is dict else None
        try:
            for number, machine in hits:
                if made is not None:
                    said.take(number, (<Machine?>machine).check(decoded(made, machine.reader.from_dict, record)))
                else:
                    said.take(number, (<Machine?>machine).check(record))
        except Exception:
            return self.check_slowly(record, False)
        return said

    cdef FleetVerdict judge_json(self, data, tuple hits):
        cdef FleetVerdict said = self.begin(data)
        cdef dict made = {} if len(hits) > FEW_READINGS else None
        try:
            for number, machine in hits:
                if made is not None:
                    said.take(number, (<Machine?>machine).check(decoded(made, machine.reader.from_json, data)))
                else:
                    said.take(number, (<JsonMachine?>machine).check_json(data))
        except Exception:
            return self.check_slowly(data, True)
        return said

    cdef FleetVerdict begin(self, record):
        cdef FleetVerdict said = FleetVerdict.__new__(FleetVerdict)
        said.owner = self
        said.record = record
        said.failed = ()
        return said

    def check_unseen(self, record):
        """The same for a record of a class that has no sight.  The subclass knows how."""
        raise TypeError("no record")

    def check_slowly(self, record, is_json):
        """The same machine by machine, with what cannot be decoded.  The subclass knows how."""
        raise TypeError("no record")


cdef object decoded(dict made, decode, record):
    """The struct that a decoder makes of a record, once for all machines that have the decoder."""
    struct = made.get(decode)
    if struct is None:
        struct = made[decode] = decode(record)
    return struct


@cython.no_gc
@cython.freelist(64)
cdef class FleetVerdict:
    """What the pacts of a fleet say of one call.

    `.ok`: all pacts that are about the call hold, and none of them failed to decode it.  `.outside`: how
    many are not about it.  The other attributes come from the fleet; see `pactlang.evaluator.fleet`.
    """

    cdef readonly Selector owner
    cdef readonly object record
    cdef readonly tuple failed          # (numbers, RecordError) of those that cannot decode it
    cdef object number                  # of the first machine that is about the call
    cdef Verdict first                  # its verdict; mostly there is one
    cdef list more                      # (number, verdict) of the others, ascending

    def __init__(self, Selector owner, record, list judged, tuple failed):
        """judged: (number, verdict) by number."""
        self.owner = owner
        self.record = record
        self.failed = failed
        self.first = None
        self.more = None
        for number, verdict in judged:
            self.take(number, verdict)

    cdef inline int take(self, number, Verdict verdict) except -1:
        if verdict.outside:
            return 0
        if self.first is None:
            self.number, self.first = number, verdict
        elif self.more is None:
            self.more = [(number, verdict)]
        else:
            self.more.append((number, verdict))
        return 0

    @property
    def judged(self):
        """(number, verdict) of every machine that is about the call, by number."""
        return [] if self.first is None else [(self.number, self.first), *(self.more or ())]

    @property
    def ok(self):
        """True if no clause of any pact is violated or unknown, and every pact could decode the call."""
        if self.failed or not (self.first is None or self.first.ok):
            return False
        return self.more is None or all([verdict.ok for _, verdict in self.more])

    @property
    def outside(self):
        """How many pacts are not about this call."""
        cdef Py_ssize_t others = self.owner.total - (self.first is not None)
        if self.more is not None:
            others -= len(self.more)
        return others - sum([len(numbers) for numbers, _ in self.failed]) if self.failed else others

    @property
    def verdicts(self):
        """Program -> Verdict, of the pacts that are about the call, in the order of the fleet."""
        return self.owner.verdicts(self)

    @property
    def undecodable(self):
        """Program -> RecordError, of the pacts that cannot decode the call, in the order of the fleet.

        Where several fields are defective, it may name another than the pact alone would: a guard's field is
        looked at once for all pacts that wait for it.
        """
        return self.owner.undecodable(self)

    @property
    def violations(self):
        """A `Violation` for every violated clause of every pact; its digest says whose."""
        return self.owner.violations(self)

    @property
    def unknown(self):
        """(Program, name) of every clause whose outcome is unknown."""
        return self.owner.unknown(self)

    def __repr__(self):
        return self.owner.describe(self)


cdef class FleetFace:
    """What Python sees of a fleet: each call goes to the selector that is current when it comes."""

    cdef public Selector current

    def check(self, record):
        """What the pacts that are about a call say of it: a dict or a msgspec Struct."""
        return self.current.check(record)

    def check_json(self, data):
        """The same for one JSON object."""
        return self.current.check_json(data)
