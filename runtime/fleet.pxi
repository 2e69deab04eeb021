# A fleet: of many machines, those that a call may concern, and what they say of it.
#
# Owns:  a Selector owns its tables and never changes; a Fleet's face holds the one that is current.
# Needs: face.pxi.        Gives: Sight, Selector, FleetVerdict, FleetFace.
# A table answers what a guard would: a value that is not in it puts the table's machines outside.
# Whatever is not plainly a text, an int or null is left to the owner, who goes the slow way.

cdef enum:
    MOST_LENSES = 8         # fields that a fleet looks at; the same in pactlang/evaluator/index.py
    MOST_CLASSES = 1000     # classes of structs that are remembered

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
    decoders: functions JSON bytes -> struct, each of a class that has a sight; they give all lenses.
    total: how many machines there are.
    """

    cdef Lens lenses[MOST_LENSES]
    cdef int count
    cdef tuple always
    cdef dict sights                    # struct class -> Sight, None for one that goes the slow way
    cdef dict own                       # the same of the decoders' classes alone
    cdef list decoders
    cdef list kept
    cdef readonly Py_ssize_t total

    def __init__(self, tuple always, list lenses, list decoders, dict sights, Py_ssize_t total):
        if len(lenses) > MOST_LENSES:
            raise ValueError("too many fields")
        self.kept = lenses
        self.always = always
        self.sights = self.own = sights
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
        cdef Py_ssize_t length
        cdef Lens* lens
        cdef PyObject* o
        cdef PyObject* found
        cdef object value
        for i in range(sight.count):
            lens = &self.lenses[sight.looks[i].lens]
            o = NULL
            if sight.looks[i].offset >= 0:
                o = (<PyObject**>(<char*>record + sight.looks[i].offset))[0]
            if o == NULL or o == Py_None:
                if lens.default == NULL and not lens.nullable:
                    return None
                o = lens.default if lens.default != NULL else Py_None
            elif lens.is_text:
                if not PyUnicode_CheckExact(o) or not (sight.decoded or pact_is_text(o)):
                    return None
                if lens.choices != NULL and <object>o not in <frozenset>lens.choices:
                    return None
                length = PyUnicode_GET_LENGTH(o)
                if length > lens.longest:       # its hash would go through the whole of it
                    continue
            elif not PyLong_CheckExact(<object>o):
                return None
            value = <object>o
            found = PyDict_GetItemWithError(<object>lens.table, value)
            if found != NULL:
                hits = <tuple>found if not hits else tuple(sorted(hits + <tuple>found))
        return hits

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
        cdef tuple hits = None
        try:
            hits = self.choose([decode(data) for decode in self.decoders])
        except Exception:
            pass
        if hits is None or not (hits or self.decoders):
            return self.check_slowly(data, True)
        return self.judge_json(data, hits)

    def check_looked(self, record, list looks):
        """What they say of a record whose fields are in `looks`: a struct of each decoder's class."""
        cdef tuple hits = self.choose(looks)
        if hits is None:
            return self.check_slowly(record, False)
        return self.judge(record, hits)

    def numbers_of(self, list looks):
        """The numbers of the machines that a call may concern, from a struct of each decoder's class;
        None: go the slow way."""
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
        cdef dict made = {}
        cdef bint is_shared = type(record) is dict and len(hits) > 1
        try:
            for number, machine in hits:
                if is_shared:
                    said.take(number, (<Machine?>machine).check(decoded(made, machine.reader.from_dict, record)))
                else:
                    said.take(number, (<Machine?>machine).check(record))
        except Exception:
            return self.check_slowly(record, False)
        return said

    cdef FleetVerdict judge_json(self, data, tuple hits):
        cdef FleetVerdict said = self.begin(data)
        cdef dict made = {}
        try:
            for number, machine in hits:
                if len(hits) == 1:
                    said.take(number, machine.check_json(data))
                else:
                    said.take(number, (<Machine?>machine).check(decoded(made, machine.reader.from_json, data)))
        except Exception:
            return self.check_slowly(data, True)
        return said

    cdef FleetVerdict begin(self, record):
        cdef FleetVerdict said = FleetVerdict.__new__(FleetVerdict)
        said.owner = self
        said.record = record
        said.numbers = []
        said.judged = []
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
cdef class FleetVerdict:
    """What the pacts of a fleet say of one call.

    `.ok`: all pacts that are about the call hold, and none of them failed to decode it.  `.outside`: how
    many are not about it.  The other attributes come from the fleet; see `pactlang.evaluator.fleet`.
    """

    cdef readonly Selector owner
    cdef readonly object record
    cdef readonly list numbers          # of the machines that are about the call, ascending
    cdef readonly list judged           # their verdicts
    cdef readonly tuple failed          # (numbers, RecordError) of those that cannot decode it

    def __init__(self, Selector owner, record, list judged, tuple failed):
        """judged: (number, verdict) by number."""
        self.owner = owner
        self.record = record
        self.numbers = []
        self.judged = []
        self.failed = failed
        for number, verdict in judged:
            self.take(number, verdict)

    cdef int take(self, number, Verdict verdict) except -1:
        if not verdict.outside:
            self.numbers.append(number)
            self.judged.append(verdict)
        return 0

    @property
    def ok(self):
        """True if no clause of any pact is violated or unknown, and every pact could decode the call."""
        cdef Verdict verdict
        for verdict in self.judged:
            if not verdict.ok:
                return False
        return not self.failed

    @property
    def outside(self):
        """How many pacts are not about this call."""
        return self.owner.total - len(self.judged) - sum([len(numbers) for numbers, _ in self.failed])

    @property
    def verdicts(self):
        """Program -> Verdict, of the pacts that are about the call, in the order of the fleet."""
        return self.owner.verdicts(self)

    @property
    def undecodable(self):
        """Program -> RecordError, of the pacts that cannot decode the call, in the order of the fleet."""
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
