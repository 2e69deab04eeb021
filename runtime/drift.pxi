# Watches over a rate: what they remember of each group, and what they say of a call.
#
# Owns:  a Drift owns its groups.
# Needs: drift.h, state.h, hashing.pxi, windows.pxi.        Gives: Drift.
# The machine knows P and N as whole numbers, and makes the factors of the eight alternatives from them once.

cdef extern from "drift.h":
    cdef enum:
        DRIFT_GRID, DRIFT_FACTOR_BITS, DRIFT_LEVEL_BITS, DRIFT_X_BITS
        DRIFT_QUIET, DRIFT_ALARM, DRIFT_DOUBT
    const uint64_t DRIFT_ONE, DRIFT_MOST
    ctypedef struct drift_plan:
        uint64_t miss[8]
        uint64_t hit[8]
        uint64_t limit
        bint never
    ctypedef struct drift_start:
        int64_t calls, hits, line, time
    ctypedef struct drift_group:
        uint64_t a, b
        int64_t calls, hits, errors
        uint64_t low[8]
        uint64_t high[8]
        uint64_t run[8]
        drift_start starts[8]
    int drift_take(const drift_plan* p, drift_group* g, uint64_t x, bint error, int64_t line, int64_t time) noexcept nogil
    void drift_restart(drift_group* g, bint alarm) noexcept nogil
    int drift_dominant(const drift_group* g) noexcept nogil
    void drift_join(drift_group* into, const drift_group* from_) noexcept nogil

# Of each alternative: how many times as high its odds are as those of P, in hundredths.
cdef tuple DRIFT_ODDS = (130, 198, 303, 461, 704, 1074, 1638, 2500)

cdef enum:
    OF_DRIFT_KEYS = 9               # what hashed bytes are of, beside those of windows.pxi and hashing.pxi
    MOST_DRIFT_GROUPS = 1_000       # more are one group
    MOST_DRIFT_CALLS = 100_000_000  # N
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
    cdef int clause, when, value, of, outcome
    cdef int keys[8]
    cdef int key_count
    cdef state_table groups
    cdef drift_group* rest          # without keys the only group; else that of all past the limit
    cdef uint64_t secret[2]
    cdef int64_t counts[DRIFT_COUNTS]
    cdef readonly tuple table
    cdef readonly object alarm      # the last one: see `note_alarm`
    cdef Py_ssize_t registers

    def __cinit__(self, tuple table, Py_ssize_t registers, Py_ssize_t clauses, bytes secret):
        if len(secret) != 16:
            raise ValueError("a secret is 16 bytes")
        memcpy(self.secret, PyBytes_AS_STRING(secret), 16)
        self.table, self.registers = table, registers
        clause, when, keys, value, of, outcome, rate, calls = table
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
        make_plan(&self.plan, rate, calls)

    def __dealloc__(self):
        drop_drift(self)

    # For Python ---------------------------------------------------------------------------------------

    def feed(self, values, int64_t line=0, int64_t time=STATE_NEVER, uint64_t group=0):
        """Of each value of one group, a number from 0 to 1 or None for one that cannot be read: 0, or 1 at an alarm,
        2 where the unreadable ones would be one."""
        cdef state_key h
        cdef drift_group* g
        cdef int said
        found = bytearray()
        h.a, h.b = group, 1
        g = drift_group_of(self, &h)
        if g == NULL:
            raise MemoryError()
        for value in values:
            x = 0 if value is None else int(value * <int64_t>DRIFT_ONE)
            if not 0 <= x <= <int64_t>DRIFT_ONE:
                raise ValueError("a number from 0 to 1")
            said = drift_take(&self.plan, g, x, value is None, line + g.calls, time)
            if said != DRIFT_QUIET:
                drift_restart(g, said == DRIFT_ALARM)
            found.append(said)
        return bytes(found)

    def repeat(self, bytes hits, int64_t times):
        """The same values of the one group, so often: to measure what one costs.  A byte each: 0 or 1."""
        cdef state_key h
        cdef drift_group* g
        cdef const uint8_t* each = <const uint8_t*>PyBytes_AS_STRING(hits)
        cdef Py_ssize_t i, size = len(hits)
        cdef int64_t turn
        cdef int said
        h.a = h.b = 0
        g = drift_group_of(self, &h)
        if g == NULL:
            raise MemoryError()
        with nogil:
            for turn in range(times):
                for i in range(size):
                    said = drift_take(&self.plan, g, DRIFT_ONE if each[i] else 0, False, turn, 0)
                    if said == DRIFT_ALARM:
                        drift_restart(g, True)

    @property
    def factors(self):
        """(L(0), L(1)) of each alternative, in units of 2^-40."""
        return [(self.plan.miss[k], self.plan.hit[k]) for k in range(DRIFT_GRID)]

    def levels(self, uint64_t group=0):
        """The levels of a group, in calls, and those where what could not be read were hits; None if there is none."""
        cdef state_key h
        cdef const drift_group* g
        cdef double one = 1 << DRIFT_LEVEL_BITS
        h.a, h.b = group, 1
        g = <const drift_group*>drift_known(self, &h)
        if g == NULL:
            return None
        low = [g.low[k] / one for k in range(DRIFT_GRID)]
        return low, [g.high[k] / one for k in range(DRIFT_GRID)] if g.errors else low

    @property
    def tallies(self):
        """What was counted, and how many groups there are now."""
        return {**{name: self.counts[i] for i, name in enumerate(DRIFT_NAMES)}, "groups": self.groups.count}

    @staticmethod
    def group_size():
        """Bytes of one group, with its place in the table."""
        return sizeof(drift_group) + 2 * sizeof(state_entry)

    def merge(self, Drift other):
        """Add the detectors of another worker into these, exactly; self.  In any order, the same detectors give the
        same levels.  ValueError, and nothing is changed, for those of another watch or under another secret."""
        cdef size_t i
        cdef int n
        cdef drift_group* g
        cdef drift_group* into
        cdef state_key h
        if other is self or other.table != self.table or memcmp(self.secret, other.secret, 16) != 0:
            raise ValueError("these detectors are of another pact, or under another secret")
        others = self.counts[DRIFT_OTHER]
        for i in range(other.groups.room + 1):
            g = other.rest if i == other.groups.room else <drift_group*>other.groups.entries[i].value
            if g == NULL:
                continue
            h.a, h.b = g.a, g.b
            into = drift_group_of(self, &h)
            if into == NULL:
                raise MemoryError()
            drift_join(into, g)
        self.counts[DRIFT_OTHER] = others
        for n in range(DRIFT_COUNTS):
            self.counts[n] += other.counts[n]
        return self

    def to_bytes(self):
        """The detectors as bytes."""
        cdef size_t i
        cdef int n
        cdef drift_group* g
        cdef bytearray out = bytearray(b"PDRIFT1\0")
        cdef dict places = {}
        for n in range(DRIFT_COUNTS):
            keep_number(out, self.counts[n])
        for i in range(self.groups.room):
            g = <drift_group*>self.groups.entries[i].value
            if g != NULL:
                places[g.a, g.b] = i
        keep_number(out, len(places) + (self.rest != NULL))
        if self.rest != NULL:
            save_drift(out, self.rest)
        for key in sorted(places):
            save_drift(out, <drift_group*>self.groups.entries[<size_t>places[key]].value)
        return bytes(out)

    def load(self, bytes data):
        """Take over what `to_bytes` gave.  ValueError for anything else, and then these detectors are new."""
        cdef Taken taken = Taken(data)
        cdef int64_t i, count
        cdef int n
        drop_drift(self)
        try:
            if not data.startswith(b"PDRIFT1\0"):
                raise ValueError("these are no detectors")
            taken.at = 8
            for n in range(DRIFT_COUNTS):
                self.counts[n] = taken.number(0, INT64_MAX >> 1)
            count = taken.number(0, MOST_DRIFT_GROUPS + 1)
            for i in range(count):
                load_drift(taken, self, i == 0)
            if taken.at != len(data):
                raise ValueError("the detectors have something behind their end")
        except BaseException:
            drop_drift(self)
            raise


cdef int make_plan(drift_plan* p, object rate, object calls) except -1:
    """Factors, each rounded down: then 1 - P times L(0) and P times L(1) add up to 1 at most."""
    top, bottom = rate
    if not 0 <= top < bottom <= 10**12 or not 1 <= calls <= MOST_DRIFT_CALLS:
        raise ValueError("a number of a watch is out of range")
    p.never = top == 0
    p.limit = <uint64_t>calls << DRIFT_LEVEL_BITS
    for k, odds in enumerate(DRIFT_ODDS):
        whole = 100 * bottom + (odds - 100) * top
        p.miss[<int>k] = (100 * bottom << DRIFT_FACTOR_BITS) // whole
        p.hit[<int>k] = (odds * bottom << DRIFT_FACTOR_BITS) // whole
    return 0


# One call -------------------------------------------------------------------------------------------

cdef int watch_call(Drift d, Frame frame, int64_t line, int64_t time) noexcept:
    """What the watch says of this call: an outcome, plus 16 times the reason of an unknown one, plus 256 at an alarm,
    of which `d.alarm` tells.  line: the number of the record; time: microseconds, or STATE_NEVER."""
    cdef const Cell* cells = frame.cells
    cdef drift_group* g
    cdef state_key h
    cdef uint64_t x = 0
    cdef int error, said
    if d.when >= 0:
        if cells[d.when].tag != TAG_BOOL:
            d.counts[DRIFT_UNCERTAIN] += 1
            return OUTCOME_UNKNOWN
        if not cells[d.when].v.i:
            return OUTCOME_SKIPPED
    error = watched_value(d, frame, &x)
    if error < 0:
        d.counts[DRIFT_MISSING] += 1
        return OUTCOME_SKIPPED
    h.a = h.b = 0
    if d.key_count and not hash_watched(&h, d, cells, frame):
        d.counts[DRIFT_UNCERTAIN] += 1
        return OUTCOME_UNKNOWN
    g = drift_group_of(d, &h)
    if g == NULL:
        return OUTCOME_UNKNOWN
    d.counts[DRIFT_ERRORS if error else DRIFT_USED] += 1
    said = drift_take(&d.plan, g, x, error, line, time)
    if said == DRIFT_ALARM:
        d.counts[DRIFT_ALARMS] += 1
        note_alarm(d, g)
    elif said == DRIFT_DOUBT:
        d.counts[DRIFT_DOUBTS] += 1
    if said != DRIFT_QUIET:
        drift_restart(g, said == DRIFT_ALARM)
    if said == DRIFT_ALARM:
        return OUTCOME_VIOLATED + 256
    if error or said == DRIFT_DOUBT:
        return OUTCOME_UNKNOWN + (0 if said == DRIFT_QUIET else 16 * DRIFT_DOUBTFUL)
    return OUTCOME_SATISFIED


cdef int watched_value(Drift d, Frame frame, uint64_t* x) noexcept:
    """X of this call: 0 if there is one, 1 if it cannot be read, -1 if it is null."""
    cdef const Cell* cell
    cdef double value
    cdef uint64_t bit
    if d.of >= 0:
        bit = <uint64_t>1 << (d.of & 63)
        if frame.unknown[d.of >> 6] & bit:
            return 1
        if frame.skipped[d.of >> 6] & bit:
            return -1
        x[0] = DRIFT_ONE if ((frame.violated[d.of >> 6] & bit) != 0) == (d.outcome == 1) else 0
        return 0
    cell = &frame.cells[d.value]
    if cell.tag == TAG_NULL:
        return -1
    if cell.tag == TAG_BOOL or cell.tag == TAG_INT or cell.tag == TAG_UINT:
        if <uint64_t>cell.v.i > 1:
            return 1
        x[0] = DRIFT_ONE if cell.v.i else 0
        return 0
    value = cell.v.d if cell.tag == TAG_DOUBLE else -1.0
    if not 0.0 <= value <= 1.0:
        return 1
    x[0] = <uint64_t>(value * <double>DRIFT_ONE)
    return 0


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
    """What is known at an alarm: the level in calls, the record and time at which the change began, if it is
    known, calls and hits since then, and in all since the last alarm."""
    cdef int best = drift_dominant(g)
    cdef const drift_start* s = &g.starts[best]
    cdef uint64_t level = 0
    cdef int k
    cdef bint known = g.run[best] != 0
    for k in range(DRIFT_GRID):
        level += g.low[k]
    began = (s.line, None if s.time == STATE_NEVER else s.time, g.calls - s.calls, g.hits - s.hits) if known else None
    d.alarm = (level, best, began, g.calls, g.hits)


# Groups ---------------------------------------------------------------------------------------------

cdef drift_group* drift_known(Drift d, const state_key* h) noexcept:
    cdef state_entry* entry
    if not d.key_count:
        return d.rest
    entry = state_find(&d.groups, h.a, h.b)
    return d.rest if entry == NULL else <drift_group*>entry.value


cdef drift_group* drift_group_of(Drift d, const state_key* h) noexcept:
    """The group of these keys, made if need be; NULL if there is no memory."""
    cdef state_entry* entry
    cdef drift_group* g
    if d.key_count and (h.a or h.b):
        entry = state_find(&d.groups, h.a, h.b)
        if entry != NULL:
            return <drift_group*>entry.value
        if d.groups.count < MOST_DRIFT_GROUPS:
            g = <drift_group*>calloc(1, sizeof(drift_group))
            if g == NULL or not state_insert(&d.groups, h.a, h.b, g):
                free(g)
                return NULL
            g.a, g.b = h.a, h.b
            return g
        d.counts[DRIFT_OTHER] += 1
    if d.rest == NULL:
        d.rest = <drift_group*>calloc(1, sizeof(drift_group))
    return d.rest


cdef void drop_drift(Drift d) noexcept:
    cdef size_t i
    for i in range(d.groups.room):
        free(d.groups.entries[i].value)
    free(d.groups.entries)
    free(d.rest)
    memset(&d.groups, 0, sizeof(d.groups))
    memset(d.counts, 0, sizeof(d.counts))
    d.rest = NULL


cdef int save_drift(bytearray out, const drift_group* g) except -1:
    cdef int k
    for number in (g.a, g.b, g.calls, g.hits, g.errors):
        keep_number(out, <int64_t><uint64_t>number)
    for k in range(DRIFT_GRID):
        for number in (g.low[k], g.high[k] if g.errors else 0, g.run[k]):
            keep_number(out, number)
        if g.run[k]:
            for number in (g.starts[k].calls, g.starts[k].hits, g.starts[k].line, g.starts[k].time):
                keep_number(out, number)
    return 0


cdef int load_drift(Taken taken, Drift d, bint first) except -1:
    cdef state_key h
    cdef drift_group* g
    cdef int k
    h.a = <uint64_t>taken.number(INT64_MIN, INT64_MAX)
    h.b = <uint64_t>taken.number(INT64_MIN, INT64_MAX)
    if (h.a or h.b) and (not d.key_count or d.groups.count == MOST_DRIFT_GROUPS):
        raise ValueError("the detectors are damaged: too many groups")
    g = drift_group_of(d, &h)
    if g == NULL:
        raise MemoryError()
    if g.calls or (not (h.a or h.b) and not first):
        raise ValueError("the detectors are damaged: a group comes twice")
    g.calls = taken.number(0, <int64_t>1 << 38)
    g.hits = taken.number(0, g.calls << DRIFT_X_BITS)
    g.errors = taken.number(0, g.calls)
    for k in range(DRIFT_GRID):
        g.low[k] = taken.number(0, <int64_t>DRIFT_MOST)
        g.high[k] = taken.number(0, <int64_t>DRIFT_MOST)
        g.run[k] = taken.number(0, <int64_t>DRIFT_MOST)
        if g.run[k]:
            g.starts[k].calls = taken.number(0, g.calls)
            g.starts[k].hits = taken.number(0, g.hits)
            g.starts[k].line = taken.number(0, INT64_MAX >> 1)
            g.starts[k].time = taken.number(INT64_MIN, INT64_MAX)
    return 0
