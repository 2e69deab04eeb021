# Watches over a rate: what they remember of each group, and what they say of a call.
#
# Owns:  a Drift owns its groups.
# Needs: drift.h, state.h, hashing.pxi, windows.pxi.        Gives: Drift.
# The machine knows P and N as whole numbers, and makes the factors of the eight alternatives from them once.

cdef extern from "drift.h":
    cdef enum:
        DRIFT_GRID, DRIFT_FACTOR_BITS, DRIFT_LEVEL_BITS, DRIFT_X_BITS
        DRIFT_MOST_PARTS, DRIFT_FIELDS, DRIFT_SEEN
        DRIFT_QUIET, DRIFT_ALARM, DRIFT_DOUBT
    const uint64_t DRIFT_ONE, DRIFT_MOST
    ctypedef struct drift_rate:
        uint64_t miss[8]
        uint64_t hit[8]
        uint64_t less[8]
    ctypedef struct drift_plan:
        int parts
        bint never
        uint64_t limit
        drift_rate* rates
    ctypedef struct drift_start:
        int64_t calls, hits, line, time
    ctypedef struct drift_part:
        int64_t hits, running
        uint64_t low[8]
        uint64_t high[8]
        uint64_t run[8]
        drift_start starts[8]
    ctypedef struct drift_version:
        uint32_t fields[8]
        int64_t line, time, calls, hits, last, own_calls, own_hits
    ctypedef struct drift_group:
        uint64_t a, b
        int64_t calls, errors, all_calls, all_hits, versions
        drift_version* seen
        drift_part parts[1]
    size_t drift_size(const drift_plan* p) noexcept nogil
    int drift_take(const drift_plan* p, drift_group* g, int bin, uint64_t x, int64_t line, int64_t time) noexcept nogil
    int drift_error(const drift_plan* p, drift_group* g, int64_t line, int64_t time) noexcept nogil
    void drift_restart(const drift_plan* p, drift_group* g, bint alarm) noexcept nogil
    int drift_dominant(const drift_plan* p, const drift_group* g) noexcept nogil
    void drift_note(drift_group* g, const uint32_t* fields, uint64_t x, int64_t away, int64_t line, int64_t time) noexcept nogil
    void drift_join(const drift_plan* p, drift_group* into, const drift_group* from_) noexcept nogil

# Of each alternative: how many times as high its odds are as those of P, in hundredths.
cdef tuple DRIFT_ODDS = (150, 200, 280, 400, 600, 900, 1400, 2500)

cdef enum:
    OF_DRIFT_KEYS = 9               # what hashed bytes are of, beside those of windows.pxi and hashing.pxi
    MOST_DRIFT_GROUPS = 1_000       # more are one group
    MOST_DRIFT_CALLS = 100_000_000  # N
    DRIFT_AWAY = 1_000              # calls without a version, after which its calls are counted anew
    MOST_DRIFT_LIMIT = 400_000_000  # N of each part, in all
    MOST_KNOWN_CALLS = 274_877_906_944      # 2^38
    DRIFT_DOUBTFUL = 8              # beside the reasons of units.pxi: what could not be read would be an alarm

cdef enum:
    DRIFT_USED                      # calls with an X
    DRIFT_MISSING                   # X is null
    DRIFT_ERRORS                    # X is an error value, or no number from 0 to 1
    DRIFT_UNCERTAIN                 # `when` or a key is an error value
    DRIFT_OTHER                     # calls of groups past the most that there are
    DRIFT_ALARMS
    DRIFT_DOUBTS                    # alarms if what could not be read were hits
    DRIFT_COUNTS

cdef tuple DRIFT_NAMES = ("used", "missing", "errors", "uncertain", "other", "alarms", "doubts")


cdef class Drift:
    """The detectors of one watch, of each group its own.

    table: the fields of `program.WatchInfo` but its digest, as plain tuples and ints.  registers: how many cells
    a call has.  clauses: how many clauses.  secret: 16 bytes that hashes depend on.
    """

    cdef drift_plan plan
    cdef int clause, when, value, of, outcome, kind
    cdef int keys[8]
    cdef int key_count
    cdef state_table groups
    cdef drift_group* rest          # without keys the only group; else that of all past the limit
    cdef uint64_t secret[2]
    cdef int64_t counts[DRIFT_COUNTS]
    cdef double* edges              # of bins of numbers: the greatest of each but the last
    cdef dict texts                 # known text -> its part
    cdef readonly tuple table
    cdef readonly object alarm      # the last one: see `note_alarm`
    cdef int64_t last               # the record of the last one; 0
    cdef Py_ssize_t registers

    def __cinit__(self, tuple table, Py_ssize_t registers, Py_ssize_t clauses, bytes secret):
        if len(secret) != 16:
            raise ValueError("a secret is 16 bytes")
        memcpy(self.secret, PyBytes_AS_STRING(secret), 16)
        self.table, self.registers = table, registers
        clause, when, keys, value, of, outcome, rates, calls, kind, edges, texts = table
        if not 0 <= clause < clauses or not -1 <= when < registers or len(keys) > MOST_KEYS:
            raise ValueError("a number of a watch is out of range")
        if not -1 <= value < registers or not -1 <= of < clauses or (value < 0) == (of < 0) or of == clause:
            raise ValueError("a watch looks at one thing")
        if any([not 0 <= key < registers for key in keys]) or not 0 <= outcome <= 1:
            raise ValueError("no such register")
        self.clause, self.when, self.value, self.of, self.outcome = clause, when, value, of, outcome
        self.key_count = len(keys)
        for i, key in enumerate(keys):
            self.keys[i] = key
        make_plan(&self.plan, rates, calls)
        make_bins(self, kind, edges, texts)

    def __dealloc__(self):
        drop_drift(self)
        free(self.plan.rates)
        free(self.edges)

    # For Python ---------------------------------------------------------------------------------------

    def feed(self, values, int64_t line=0, int64_t time=STATE_NEVER, uint64_t group=0, int bin=0):
        """Of each value of one group, a number from 0 to 1 or None for one that cannot be read: 0, or 1 at an alarm,
        2 where the unreadable ones would be one.  bin: the part that it is the X of."""
        cdef drift_group* g
        cdef int said
        found = bytearray()
        g = drift_group_of(self, group, 1)
        if g == NULL:
            raise MemoryError()
        if not 0 <= bin < self.plan.parts:
            raise ValueError("no such part")
        for value in values:
            x = 0 if value is None else int(value * <int64_t>DRIFT_ONE)
            if not 0 <= x <= <int64_t>DRIFT_ONE:
                raise ValueError("a number from 0 to 1")
            if value is None:
                said = drift_error(&self.plan, g, line, time)
            else:
                said = drift_take(&self.plan, g, bin, x, line, time)
            if said == DRIFT_ALARM:
                note_alarm(self, g)
            if said != DRIFT_QUIET:
                drift_restart(&self.plan, g, said == DRIFT_ALARM)
            line += 1
            found.append(said)
        return bytes(found)

    def repeat(self, bytes hits, int64_t times):
        """The same values of the one group, so often: to measure what one costs.  A byte each: 0 or 1."""
        cdef drift_group* g
        cdef const uint8_t* each = <const uint8_t*>PyBytes_AS_STRING(hits)
        cdef Py_ssize_t i, size = len(hits)
        cdef int64_t turn
        cdef int said
        g = drift_group_of(self, 0, 0)
        if g == NULL:
            raise MemoryError()
        with nogil:
            for turn in range(times):
                for i in range(size):
                    said = drift_take(&self.plan, g, 0, DRIFT_ONE if each[i] else 0, turn, 0)
                    if said == DRIFT_ALARM:
                        drift_restart(&self.plan, g, True)

    @property
    def factors(self):
        """(L(0), L(1)) of each alternative, in units of 2^-40, of all parts."""
        cdef const drift_rate* r
        found = []
        for i in range(self.plan.parts):
            r = &self.plan.rates[<int>i]
            found += [(r.miss[<int>k], r.hit[<int>k]) for k in range(DRIFT_GRID)]
        return found

    def levels(self, uint64_t group=0):
        """The levels of a group, in calls, part by part, and those where what could not be read were hits; None if
        there is no such group."""
        cdef const drift_group* g = drift_known(self, group, 1)
        cdef double one = 1 << DRIFT_LEVEL_BITS
        cdef int i, k
        if g == NULL:
            return None
        low = [g.parts[i].low[k] / one for i in range(self.plan.parts) for k in range(DRIFT_GRID)]
        if not g.errors:
            return low, low
        return low, [g.parts[i].high[k] / one for i in range(self.plan.parts) for k in range(DRIFT_GRID)]

    def hits(self, uint64_t group=0):
        """Of each part how often it was hit since the last alarm; None if there is no such group."""
        cdef const drift_group* g = drift_known(self, group, 1)
        cdef int i
        return None if g == NULL else [g.parts[i].hits / <double>DRIFT_ONE for i in range(self.plan.parts)]

    @property
    def tallies(self):
        """What was counted, and how many groups there are now."""
        return {**{name: self.counts[i] for i, name in enumerate(DRIFT_NAMES)}, "groups": self.groups.count}

    @staticmethod
    def group_size(int parts=1):
        """Bytes of one group of so many parts, with its place in the table and the versions that it has seen."""
        return sizeof(drift_group) + (parts - 1) * sizeof(drift_part) + 2 * sizeof(state_entry) + DRIFT_SEEN * sizeof(drift_version)

    def merge(self, Drift other):
        """Add the detectors of another worker into these, exactly; self.  In any order, the same detectors give the
        same levels.  ValueError, and nothing is changed, for those of another watch or under another secret."""
        cdef size_t i
        cdef int n
        cdef drift_group* g
        cdef drift_group* into
        if other is self or other.table != self.table or memcmp(self.secret, other.secret, 16) != 0:
            raise ValueError("these detectors are of another pact, or under another secret")
        others = self.counts[DRIFT_OTHER]
        for i in range(other.groups.room + 1):
            g = other.rest if i == other.groups.room else <drift_group*>other.groups.entries[i].value
            if g == NULL:
                continue
            into = drift_group_of(self, g.a, g.b)
            if into == NULL:
                raise MemoryError()
            drift_join(&self.plan, into, g)
        self.counts[DRIFT_OTHER] = others
        for n in range(DRIFT_COUNTS):
            self.counts[n] += other.counts[n]
        self.last = max(self.last, other.last)
        return self

    def to_bytes(self):
        """The detectors as bytes."""
        cdef size_t i
        cdef int n
        cdef drift_group* g
        cdef bytearray out = bytearray(b"PDRIFT2\0")
        cdef dict places = {}
        for n in range(DRIFT_COUNTS):
            keep_number(out, self.counts[n])
        keep_number(out, self.last)
        for i in range(self.groups.room):
            g = <drift_group*>self.groups.entries[i].value
            if g != NULL:
                places[g.a, g.b] = i
        keep_number(out, len(places) + (self.rest != NULL))
        if self.rest != NULL:
            save_drift(out, self, self.rest)
        for key in sorted(places):
            save_drift(out, self, <drift_group*>self.groups.entries[<size_t>places[key]].value)
        return bytes(out)

    def load(self, bytes data):
        """Take over what `to_bytes` gave.  ValueError for anything else, and then these detectors are new."""
        cdef Taken taken = Taken(data)
        cdef int64_t i, count
        cdef int n
        drop_drift(self)
        try:
            if not data.startswith(b"PDRIFT2\0"):
                raise ValueError("these are no detectors")
            taken.at = 8
            for n in range(DRIFT_COUNTS):
                self.counts[n] = taken.number(0, INT64_MAX >> 1)
            self.last = taken.number(0, INT64_MAX >> 1)
            count = taken.number(0, MOST_DRIFT_GROUPS + 1)
            for i in range(count):
                load_drift(taken, self, i == 0)
            if taken.at != len(data):
                raise ValueError("the detectors have something behind their end")
        except BaseException:
            drop_drift(self)
            raise


cdef int make_plan(drift_plan* p, object rates, object calls) except -1:
    """Factors, each rounded down: then 1 - P times L(0) and P times L(1) add up to 1 at most."""
    cdef drift_rate* r
    if not 1 <= len(rates) <= DRIFT_MOST_PARTS or not 1 <= calls <= MOST_DRIFT_CALLS:
        raise ValueError("a number of a watch is out of range")
    if calls * len(rates) > MOST_DRIFT_LIMIT:
        raise ValueError("a number of a watch is out of range")
    p.rates = <drift_rate*>calloc(len(rates), sizeof(drift_rate))
    if p.rates == NULL:
        raise MemoryError()
    p.parts = len(rates)
    p.limit = <uint64_t>(calls * len(rates)) << DRIFT_LEVEL_BITS
    for i, (top, bottom) in enumerate(rates):
        if not 0 <= top < bottom <= 10**12 or (top == 0 and len(rates) > 1):
            raise ValueError("a number of a watch is out of range")
        p.never = top == 0
        r = &p.rates[<int>i]
        for k, odds in enumerate(DRIFT_ODDS):
            whole = 100 * bottom + (odds - 100) * top
            r.miss[<int>k] = min((100 * bottom << DRIFT_FACTOR_BITS) // whole, (<int64_t>1 << DRIFT_FACTOR_BITS) - 1)
            r.hit[<int>k] = (odds * bottom << DRIFT_FACTOR_BITS) // whole
            r.less[<int>k] = r.miss[<int>k] << (64 - DRIFT_FACTOR_BITS)
    return 0


cdef int make_bins(Drift d, object kind, object edges, object texts) except -1:
    """What the parts are the bins of."""
    parts = {WATCH_KIND_RATE: 1, WATCH_KIND_NUMBERS: len(edges) + 2, WATCH_KIND_TEXTS: len(texts) + 2}.get(kind, 0)
    if kind == WATCH_KIND_RATE and (edges or texts):
        raise ValueError("a rate has no bins")
    if parts != d.plan.parts or (kind != WATCH_KIND_RATE and (d.of >= 0 or d.key_count)):
        raise ValueError("a watch has other parts than its bins")
    if any([type(text) is not str for text in texts]) or len(set(texts)) != len(texts):
        raise ValueError("a text of a watch comes twice")
    if any([type(edge) is not float for edge in edges]) or not all([a < b for a, b in zip(edges, edges[1:])]):
        raise ValueError("the bins of a watch are not in order")
    d.kind = kind
    d.texts = {text: i for i, text in enumerate(texts)}
    d.edges = <double*>calloc(len(edges) + 1, sizeof(double))
    if d.edges == NULL:
        raise MemoryError()
    for i, edge in enumerate(edges):
        d.edges[<int>i] = edge
    return 0


# One call -------------------------------------------------------------------------------------------

cdef int watch_call(Drift d, Frame frame, const uint32_t* fields, int64_t line, int64_t time) noexcept:
    """What the watch says of this call: an outcome, plus 16 times the reason of an unknown one, plus 256 at an alarm,
    of which `d.alarm` tells.  fields: hashes of the agent's version.  line: the number of the record; time:
    microseconds, or STATE_NEVER."""
    cdef const Cell* cells = frame.cells
    cdef drift_group* g
    cdef state_key h
    cdef uint64_t x = DRIFT_ONE
    cdef int bin
    if d.when >= 0:
        if cells[d.when].tag != TAG_BOOL:
            d.counts[DRIFT_UNCERTAIN] += 1
            return OUTCOME_UNKNOWN
        if not cells[d.when].v.i:
            return OUTCOME_SKIPPED
    bin = watched_value(d, frame, &x) if d.kind == WATCH_KIND_RATE else watched_bin(d, &cells[d.value])
    if bin == DRIFT_NULL:
        d.counts[DRIFT_MISSING] += 1
        return OUTCOME_SKIPPED
    h.a = h.b = 0
    if d.key_count and not hash_watched(&h, d, cells, frame):
        d.counts[DRIFT_UNCERTAIN] += 1
        return OUTCOME_UNKNOWN
    g = drift_group_of(d, h.a, h.b)
    if g == NULL:
        return OUTCOME_UNKNOWN
    if bin == DRIFT_UNREADABLE:
        d.counts[DRIFT_ERRORS] += 1
        return told_drift(d, g, drift_error(&d.plan, g, line, time), line, True)
    d.counts[DRIFT_USED] += 1
    bin = drift_take(&d.plan, g, bin, x, line, time)
    if g.seen == NULL:
        g.seen = <drift_version*>calloc(DRIFT_SEEN, sizeof(drift_version))
    if g.seen != NULL:
        drift_note(g, fields, x, DRIFT_AWAY, line, time)
    return told_drift(d, g, bin, line, False)


cdef int told_drift(Drift d, drift_group* g, int said, int64_t line, bint error) noexcept:
    """What a detector says, as an outcome; it begins afresh where it has told of something."""
    if said == DRIFT_QUIET:
        return OUTCOME_UNKNOWN if error else OUTCOME_SATISFIED
    d.counts[DRIFT_ALARMS if said == DRIFT_ALARM else DRIFT_DOUBTS] += 1
    if said == DRIFT_ALARM:
        note_alarm(d, g)
        d.last = line
    drift_restart(&d.plan, g, said == DRIFT_ALARM)
    return OUTCOME_VIOLATED + 256 if said == DRIFT_ALARM else OUTCOME_UNKNOWN + 16 * DRIFT_DOUBTFUL


cdef enum:
    DRIFT_NULL = -1             # instead of a part: X is null
    DRIFT_UNREADABLE = -2

cdef int watched_value(Drift d, Frame frame, uint64_t* x) noexcept:
    """X of this call, and 0; or why there is none."""
    cdef const Cell* cell
    cdef double value
    cdef uint64_t bit
    if d.of >= 0:
        bit = <uint64_t>1 << (d.of & 63)
        if frame.unknown[d.of >> 6] & bit:
            return DRIFT_UNREADABLE
        if frame.skipped[d.of >> 6] & bit:
            return DRIFT_NULL
        x[0] = DRIFT_ONE if ((frame.violated[d.of >> 6] & bit) != 0) == (d.outcome == 1) else 0
        return 0
    cell = &frame.cells[d.value]
    if cell.tag == TAG_NULL:
        return DRIFT_NULL
    if cell.tag == TAG_BOOL or cell.tag == TAG_INT or cell.tag == TAG_UINT:
        x[0] = DRIFT_ONE if cell.v.i else 0
        return 0 if <uint64_t>cell.v.i <= 1 else DRIFT_UNREADABLE
    value = cell.v.d if cell.tag == TAG_DOUBLE else -1.0
    if not 0.0 <= value <= 1.0:
        return DRIFT_UNREADABLE
    x[0] = <uint64_t>(value * <double>DRIFT_ONE)
    return 0


cdef int watched_bin(Drift d, const Cell* x) noexcept:
    """The part that a value belongs to: the bins, that of null, of texts one for all others."""
    cdef double value
    cdef int low = 0, high = d.plan.parts - 2, middle
    cdef PyObject* found
    if x.tag == TAG_NULL:
        return d.plan.parts - 1 - (d.kind == WATCH_KIND_TEXTS)
    if d.kind == WATCH_KIND_TEXTS:
        if x.tag != TAG_STRING:
            return DRIFT_UNREADABLE
        found = PyDict_GetItemWithError(d.texts, <object>x.v.o)
        return d.plan.parts - 1 if found == NULL else <int><object>found
    if x.tag == TAG_BOOL or x.tag == TAG_INT:
        value = x.v.i
    elif x.tag == TAG_UINT:
        value = <uint64_t>x.v.i
    elif x.tag == TAG_DOUBLE:
        value = x.v.d
    elif x.tag == TAG_DURATION:
        value = x.v.i + x.aux / 1e9
    else:
        return DRIFT_UNREADABLE
    if isnan(value):
        return DRIFT_UNREADABLE
    while low < high:
        middle = (low + high) >> 1
        if value <= d.edges[middle]:
            high = middle
        else:
            low = middle + 1
    return low


cdef bint hash_watched(state_key* out, Drift d, const Cell* cells, Frame frame) noexcept:
    """The hash of a call's keys, null among them; false if one is an error value."""
    cdef state_key pair[2]
    cdef const Cell* x
    cdef int i
    memset(pair, 0, sizeof(pair))
    for i in range(d.key_count):
        x = &cells[d.keys[i]]
        if x.tag == TAG_NULL:
            pair[1].a = pair[1].b = 1
        elif x.tag == TAG_ERROR or not value_hash(&pair[1], d.secret, x, frame, 0):
            return False
        pair[0] = state_sip(d.secret, OF_DRIFT_KEYS, pair, sizeof(pair))
    out[0] = pair[0]
    return True


cdef void note_alarm(Drift d, const drift_group* g) noexcept:
    """What is known at an alarm: the level in all; the part that has risen; (record, time, calls, hits) of the change
    and since then, None if it is not known; calls and hits since the last alarm; versions; hits of each part."""
    cdef int best = drift_dominant(&d.plan, g)
    cdef const drift_part* p = &g.parts[best >> 3]
    cdef const drift_start* s = &p.starts[best & 7]
    cdef const drift_version* v
    cdef object level = 0
    cdef object time, fields, own, rest
    cdef object began = None
    cdef list versions = []
    cdef int i, k
    for i in range(d.plan.parts):
        for k in range(DRIFT_GRID):
            level += g.parts[i].low[k]
    if p.run[best & 7]:
        began = s.line, None if s.time == STATE_NEVER else s.time, g.calls - s.calls, p.hits - s.hits
    for i in range(<int>g.versions if g.seen != NULL else 0):
        v = &g.seen[i]
        fields = tuple([v.fields[k] for k in range(DRIFT_FIELDS)])
        time = None if v.time == STATE_NEVER else v.time
        own = (<object>v.own_calls, <object>v.own_hits)
        rest = (<object>(g.all_calls - v.calls - v.own_calls), <object>(g.all_hits - v.hits - v.own_hits))
        versions.append((fields, v.line, time, g.all_calls - v.calls, g.all_calls - 1 - v.last, own, rest))
    hits = tuple([g.parts[i].hits for i in range(d.plan.parts)])
    d.alarm = (level, best >> 3, began, g.calls, p.hits, tuple(versions), hits)


# Groups ---------------------------------------------------------------------------------------------

cdef drift_group* drift_known(Drift d, uint64_t a, uint64_t b) noexcept:
    cdef state_entry* entry
    if not d.key_count:
        return d.rest
    entry = state_find(&d.groups, a, b)
    return d.rest if entry == NULL else <drift_group*>entry.value


cdef drift_group* drift_group_of(Drift d, uint64_t a, uint64_t b) noexcept:
    """The group of these keys, made if need be; NULL if there is no memory."""
    cdef state_entry* entry
    cdef drift_group* g
    if d.key_count and (a or b):
        entry = state_find(&d.groups, a, b)
        if entry != NULL:
            return <drift_group*>entry.value
        if d.groups.count < MOST_DRIFT_GROUPS:
            g = <drift_group*>calloc(1, drift_size(&d.plan))
            if g == NULL or not state_insert(&d.groups, a, b, g):
                free(g)
                return NULL
            g.a, g.b = a, b
            return g
        d.counts[DRIFT_OTHER] += 1
    if d.rest == NULL:
        d.rest = <drift_group*>calloc(1, drift_size(&d.plan))
    return d.rest


cdef void drop_group(drift_group* g) noexcept:
    if g != NULL:
        free(g.seen)
    free(g)


cdef void drop_drift(Drift d) noexcept:
    cdef size_t i
    for i in range(d.groups.room):
        drop_group(<drift_group*>d.groups.entries[i].value)
    free(d.groups.entries)
    drop_group(d.rest)
    memset(&d.groups, 0, sizeof(d.groups))
    memset(d.counts, 0, sizeof(d.counts))
    d.rest = NULL
    d.last = 0
