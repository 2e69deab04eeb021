# The monitor: a machine that remembers.  It finds the session of each call, lets operators and forms judge
# by what came before, and keeps what they need for the calls to come.
#
# Owns:  MonitorMachine owns the sessions and their registers.
# Needs: lines.pxi, units.pxi, hashing.pxi, monitor_verdict.pxi.        Gives: MonitorMachine.
# One call at a time: `busy` says that state is being looked at or changed.

cdef extern from "pythread.h":
    unsigned long PyThread_get_thread_ident() noexcept

cdef extern from "unistd.h":
    int usleep(unsigned int microseconds) noexcept nogil

cdef enum:
    PAUSE = 20                  # microseconds, of a thread that waits for another's call
    SHORT_KEY = 128             # characters of a session's key that is compared with the last one's
    RECENT = 64                 # calls of a session among which a duplicate is known
    FILTER_SHARE = 64           # of the memory for sessions, the part that the filter of forgotten keys has
    MANY_CALLS = 1_073_741_824  # calls that are lost, where nobody knows how many
    MOST_CALLS = 4_611_686_018_427_387_904  # to which calls are counted, 2**62
    MOST_VERSIONS = 1_000       # texts of versions that are known by name
    LONGEST_VERSION = 100       # characters of one that are kept
    OF_VERSION = 16             # what hashed bytes are of, beside those of drift.pxi: and number of the field
    MAX_AMENDMENTS = 1_000_000  # kept for whoever asks; older ones are dropped, and counted

cdef int64_t LEAST_FILTER = 8_388_608           # its bits: 1 MiB
cdef int64_t MOST_FILTER = 8_589_934_592        # 1 GiB

cdef enum:
    COUNT_RECORDS
    COUNT_CALLS
    COUNT_OUTSIDE
    COUNT_DUPLICATES
    COUNT_CONFLICTS
    COUNT_LATE
    COUNT_LOST
    COUNT_BACKWARD
    COUNT_EVICTED
    COUNT_OVER_LIMIT
    COUNT_OVER_KEYS
    COUNT_NO_SESSION
    COUNT_SESSIONS
    COUNT_DROPPED_AMENDMENTS
    COUNTS

cdef tuple COUNT_NAMES = (
    "records", "calls", "outside", "duplicates", "conflicts", "late", "lost", "clock_regressions", "evicted",
    "over_limit", "over_keys", "no_session", "sessions", "dropped_amendments",
)

cdef enum:
    STANDS                      # the call is the session's next
    NO_SESSION                  # its key is null or an error value
    LATE
    FROZEN                      # past the session's limit of calls
    DUPLICATE

cdef struct Session:
    uint64_t key[2]
    int64_t time                # of the last call that had one; STATE_NEVER
    int64_t calls
    int64_t seq                 # the highest so far; -1
    uint64_t recent             # bit i: seq - i was seen
    uint32_t* contents          # by seq % room: what the call of this seq said; room as `idents`
    uint64_t* idents            # hashes of the last ids
    int32_t content_room
    int32_t ident_room
    int32_t ident_count         # of ids so far, modulo what keeps it small
    int32_t place               # in MonitorMachine.all
    bint touched                # since the clock's hand came by
    bint undated                # the last calls had no time: their events lie at STATE_OPEN
    bint restarts               # an idle time lies before the next call
    uint8_t block[1]


cdef class MonitorMachine(JsonMachine):
    """A machine with memory.  `remember` takes over what the program says of it."""

    cdef Ins* state_code
    cdef int state_count
    cdef Unit* units
    cdef int unit_count
    cdef int operator_count             # the first units are operators
    cdef int time_register
    cdef int seq_register
    cdef int id_register
    cdef int64_t idle                   # microseconds; -1
    cdef int64_t limit                  # calls; -1
    cdef uint64_t* session_clauses      # mask: what needs a session
    cdef uint64_t* waiting              # mask, of this call
    cdef Py_ssize_t block_size
    cdef uint8_t* blank
    cdef uint64_t secret[2]
    cdef object tokens                  # value -> (64-bit hashes, whether these are all)
    cdef list kept_units
    cdef list kept_clauses              # of each of `windows` the number of its clause
    cdef int* operator_registers
    # What the tables of truths.pxi are made of
    cdef int truth_count
    cdef int* truths                    # registers of the forms' conditions
    cdef state_marks* marks             # of each, a word at a time
    cdef uint64_t* forms                # mask: clauses that are forms
    cdef state_marks* has               # those with an event, with a `when`; whose registers take every call
    cdef int* form_of                   # clause -> its unit
    cdef state_word* weighed            # of this call
    cdef int expects                    # forms that are `expect`
    cdef int key_set_count
    cdef state_key* key_hashes          # of this call, where key_states says so: 1, or 2 where there is none
    cdef uint8_t* key_states
    # Sessions
    cdef state_table table
    cdef object recent_key              # of the last call that had a session, a short text
    cdef Session* recent_session
    cdef Session** all
    cdef int64_t all_room
    cdef int64_t hand
    cdef int64_t room                   # bytes that sessions take, about
    cdef int64_t most                   # bytes that they may take
    cdef uint8_t* filter                # keys of evicted sessions; NULL as long as there are none
    cdef int64_t filter_bits            # that it has, or will have; a power of two
    cdef int64_t filter_set             # of them, those that are set
    cdef int64_t next_deadline
    cdef int64_t counts[32]
    cdef object amended                 # collections.deque of (id, clause, outcome, time)
    cdef list fresh                     # those of this call, to be put in order
    # This call
    cdef Session* session
    cdef int standing
    cdef bint identity_only
    cdef state_instant moment
    cdef bint has_time
    cdef int64_t instant_time           # of the call itself, in microseconds; meaningful if it has one
    cdef bint needs_sessions            # some clause does
    cdef int refused
    cdef object notes
    cdef object reasons
    cdef object strange
    cdef object fired
    cdef object alarms
    cdef tuple hidden                   # slots whose values are not known; None
    cdef public bint tells              # what the operators say is kept of every call
    cdef readonly list windows          # of each `keep` its own
    cdef readonly list drifts           # of each `watch` its own
    cdef uint32_t version[8]            # of the last call: a hash of each field, and of the pact
    cdef int version_registers[8]
    cdef int version_count
    cdef list version_texts             # of the last call; None
    cdef readonly dict version_names    # (number of the field, hash) -> the text
    cdef int64_t number                 # stands for a call's id where it has none: of records so far
    cdef bint quiet                     # nobody asks for more than outcomes
    cdef bint busy                      # some thread looks at the state, or changes it
    cdef unsigned long holder           # that thread

    def __cinit__(self, *args, **kwargs):
        self.remembers = True
        self.next_deadline = INT64_MAX
        self.most = INT64_MAX
        self.filter_bits = LEAST_FILTER

    def __dealloc__(self):
        self.drop_sessions()
        free(self.all)
        free(self.filter)
        PyMem_Free(self.state_code)
        PyMem_Free(self.units)
        PyMem_Free(self.session_clauses)
        PyMem_Free(self.waiting)
        PyMem_Free(self.blank)
        PyMem_Free(self.operator_registers)
        PyMem_Free(self.truths)
        PyMem_Free(self.marks)
        PyMem_Free(self.forms)
        PyMem_Free(self.has)
        PyMem_Free(self.form_of)
        PyMem_Free(self.weighed)
        PyMem_Free(self.key_hashes)
        PyMem_Free(self.key_states)

    def remember(self, bytes code, tuple registers, list units, list clauses, int64_t idle, int64_t limit, bytes secret, object tokens, object amended, int64_t most, list keeps, list watches, list versions, str pact):
        """Take over the state code and its tables; ValueError says what is wrong with them.

        registers: of time, seq and id, -1 where there is none.  units: a tuple per operator and form.
        clauses: those that need a session.  most: bytes that sessions may take.  keeps: tables of windows.
        watches: tables of detectors, one that looks at another behind it.  versions: registers of what tells versions
        of an agent apart; pact: the same of this pact.
        """
        cdef Limits limits
        if self.state_code != NULL or self.code == NULL:
            raise ValueError("a monitor remembers once")
        if len(code) % sizeof(Ins) or len(secret) != 16:
            raise ValueError("the state code is cut short")
        self.time_register, self.seq_register, self.id_register = registers
        for register in registers:
            if not -1 <= register < self.registers:
                raise ValueError("no such register")
        self.idle, self.limit, self.tokens, self.most, self.amended = idle, limit, tokens, most, amended
        while self.filter_bits < MOST_FILTER and self.filter_bits < most // FILTER_SHARE * 8:
            self.filter_bits *= 2
        memcpy(self.secret, PyBytes_AS_STRING(secret), 16)
        self.state_count = len(code) // sizeof(Ins)
        self.state_code = <Ins*>allocate(len(code))
        memcpy(self.state_code, PyBytes_AS_STRING(code), len(code))
        self.kept_units = units
        self.windows = [Windows([keep], self.registers, self.clauses, secret) for keep in keeps]
        self.kept_clauses = [keep[0] for keep in keeps]
        self.drifts = [Drift(watch, self.registers, self.clauses, secret) for watch in watches]
        take_versions(self, versions, pact)
        take_units(self, units)
        take_truths(self)
        self.session_clauses = <uint64_t*>allocate(self.words * sizeof(uint64_t))
        self.waiting = <uint64_t*>allocate(self.words * sizeof(uint64_t))
        self.needs_sessions = len(clauses) > 0
        for clause in clauses:
            if not 0 <= clause < self.clauses:
                raise ValueError("no such clause")
            self.session_clauses[<int>clause >> 6] |= <uint64_t>1 << (<int>clause & 63)
        limits.registers = self.registers
        limits.first_temp = self.slot_count + self.constant_count
        limits.clauses = self.clauses
        limits.sets = self.set_count
        limits.atoms = self.atom_count
        limits.matchers = len(self.matchers)
        limits.operators = self.operator_count
        problem = verify(self.state_code, self.state_count, &limits, <Binding>next(iter(self.bindings.values())), self.shapes)
        if problem is not None:
            raise ValueError(problem)

    def keep_less(self, size_t keys, int64_t times, int64_t tokens):
        """Bounds on what is kept that tests can reach: keys of a form in a session, times of `count` (a power of
        two from 4 on), tokens of `only from`."""
        cdef int i
        if not 1 <= keys <= MAX_SLICES or not 4 <= times <= MAX_COUNTED or times & (times - 1) or not 1 <= tokens <= MAX_TOKENS:
            raise ValueError("these are no smaller bounds")
        for i in range(self.unit_count):
            self.units[i].most_keys = keys
            self.units[i].most_kept = times if self.units[i].kind == UNIT_KIND_COUNTED else tokens

    # One call -----------------------------------------------------------------------------------------

    cdef int take(self) except -1:
        """Wait for the state; a call within a call is refused, since it would wait for itself.

        The GIL is held, so a flag is enough, and a lock would ask the clock each time.
        """
        cdef unsigned long me = PyThread_get_thread_ident()
        while self.busy:
            if self.holder == me:
                raise RuntimeError("the monitor is asked while it judges a call")
            with nogil:
                usleep(PAUSE)
        self.busy = True
        self.holder = me
        return 0

    cdef void let_go(self) noexcept:
        self.busy = False

    def feed_record(self, record, tuple hidden=None):
        """The verdict on the next call: a struct, a dict, or the bytes or text of a JSON object.

        hidden: slots that are error values, whatever the record holds there; it is then no JSON.
        """
        self.take()
        try:
            self.number += 1
            self.hidden = hidden or None
            if isinstance(record, (bytes, str, bytearray, memoryview)):
                return JsonMachine.check_json(self, record)
            return self.check(record)
        finally:
            self.hidden = None
            self.let_go()

    cdef int judge(self, Frame frame, Binding binding, PyObject* record) except -2:
        """As of any machine; what is hidden becomes an error value before anything looks at it."""
        cdef int refused
        cdef bint collects = False
        if self.hidden is None:
            return JsonMachine.judge(self, frame, binding, record)
        self.begin(frame, binding)
        refused = load_record(frame, binding, self.slot_count, record, &collects)
        if refused < 0:
            for slot in self.hidden:
                if 0 <= <int>slot < self.slot_count:
                    fail(&frame.cells[<int>slot], ERR_UNKNOWN_NAME)
            self.settle(frame)
        if collects:
            PyGC_Enable()
        if frame.stopped is not None:
            self.raise_from(frame)
        return refused

    cdef void recall(self, Frame frame) noexcept:
        if frame.stopped is not None:
            return
        if self.state_code != NULL:
            recall(self, frame)
            return
        self.counts[COUNT_RECORDS] += 1
        self.counts[COUNT_OUTSIDE if frame.outside else COUNT_CALLS] += 1

    cdef Verdict verdict(self, Frame frame, object record, object source):
        """As of any machine, with what the monitor knows beside."""
        cdef MonitorVerdict verdict = MonitorVerdict.__new__(MonitorVerdict)
        cdef Py_ssize_t size = self.words * sizeof(uint64_t)
        verdict.owner = self
        verdict.held = record
        verdict.source = source
        verdict.outside = frame.outside
        verdict.words = self.words
        verdict.duplicate = self.standing == DUPLICATE
        verdict.late = self.standing == LATE
        verdict.micros = self.instant_time if self.has_time else STATE_NEVER
        verdict.notes = self.notes
        verdict.reasons = self.reasons
        verdict.fired = self.fired
        verdict.alarms = self.alarms
        verdict.strange = self.strange
        verdict.hidden = self.hidden
        if self.words == 1:
            memcpy(verdict.small, frame.violated, 3 * size)
            verdict.few = self.waiting[0] if self.waiting != NULL else 0
        else:
            verdict.large = self.masks(frame)
            verdict.many = (<char*>self.waiting)[:size] if self.waiting != NULL else bytes(size)
        if self.operator_count and (self.tells or some_bit(frame.violated, 2 * self.words)):
            verdict.said = self.operators_said(frame)
        self.give_back(frame)
        return verdict

    cdef bytes operators_said(self, Frame frame):
        """What the operators said on this call, as cells; texts among them are the pact's own."""
        cdef bytes said = PyBytes_FromStringAndSize(NULL, self.operator_count * sizeof(Cell))
        cdef Cell* cells = <Cell*>PyBytes_AS_STRING(said)
        cdef const Cell* x
        cdef int i
        for i in range(self.operator_count):
            x = &frame.cells[self.operator_registers[i]]
            fail(&cells[i], ERR_UNCERTAIN)
            if self.operator_registers[i] >= 0 and (x.tag < TAG_STRING or self.is_kept(i, x)):
                cells[i] = x[0]
        return said

    cdef bint is_kept(self, int number, const Cell* x) noexcept:
        """Whether a cell is a time, or a text of the pact's own, which lives as long as the machine."""
        cdef const Unit* u = &self.units[number]
        cdef int i
        if x.tag == TAG_TIMESTAMP or x.tag == TAG_DURATION:
            return True
        for i in range(u.enum_count):
            if x.tag == TAG_STRING and x.v.o == u.enums[i]:
                return True
        return False

    cdef void tell_strange(self, int clause, list tokens) noexcept:
        if self.strange is None:
            self.strange = {}
        self.strange[clause] = tokens

    cdef bint enter(self, Frame frame, const Cell* key) noexcept:
        return enter_session(self, frame, key)

    cdef void operate(self, Frame frame, const Ins* pc, const Cell* a, const Cell* b, Cell* c) noexcept:
        cdef Unit* u = &self.units[pc.k]
        self.operator_registers[pc.k] = pc.c
        if self.session == NULL:
            fail(c, ERR_UNCERTAIN)
        else:
            operate_unit(u, self.session.block + u.offset, a, b, c, &self.moment)

    # Amendments ---------------------------------------------------------------------------------------

    cdef void amend(self, object ident, int clause, int outcome, int64_t asked, int64_t time) noexcept:
        if self.fresh is None:
            self.fresh = []
        self.fresh.append((clause, asked, ident, outcome, None if time == STATE_NEVER else time))

    cdef void flush(self) noexcept:
        """Hand on what this step has resolved: clause by clause, the earlier call first."""
        if self.fresh is None:
            return
        self.fresh.sort(key=_order)
        for clause, asked, ident, outcome, time in self.fresh:
            if len(self.amended) >= MAX_AMENDMENTS:
                self.amended.popleft()
                self.counts[COUNT_DROPPED_AMENDMENTS] += 1
            self.amended.append((ident, clause, outcome, time))
        self.fresh = None

    cdef inline void open_at(self, const Unit* u, int64_t time) noexcept:
        """Remember the earliest time at which some obligation may run out."""
        if u.span >= 0 and time != STATE_OPEN and time + u.span < self.next_deadline:
            self.next_deadline = time + u.span

    def advance_to(self, int64_t micros):
        """It is this late now: obligations that have run out are resolved, idle sessions end."""
        cdef int64_t i, deadline
        self.take()
        try:
            if micros <= self.next_deadline and self.idle < 0:
                return
            i = 0
            while i < self.counts[COUNT_SESSIONS]:
                session = self.all[i]
                expire_session(self, session, -1, micros, True)
                if self.idle >= 0 and session.time != STATE_NEVER and micros - session.time > self.idle:
                    end_session(self, session, 1)       # the last one takes its place
                else:
                    i += 1
            self.flush()
            self.next_deadline = INT64_MAX
            for i in range(self.counts[COUNT_SESSIONS]):
                note_deadlines(self, self.all[i])
        finally:
            self.let_go()

    cdef state_key hash_of(self, object key) except *:
        """The hash under which the session of a key is kept."""
        cdef Frame frame
        cdef Cell cell
        cdef state_key h
        frame = self.take_frame()
        frame.steps, frame.shared = self.max_steps, True
        unbox(&cell, <PyObject*>key, None, frame)
        if not value_hash(&h, self.secret, &cell, frame, 0):
            raise ValueError("a session's key is neither null nor an error value")
        self.give_back(frame)
        return h

    def doubt_key(self, key):
        """Take a session of this key, if it is new, for one that was forgotten."""
        self.take()
        try:
            if not forget_key(self, self.hash_of(key), 0):
                raise MemoryError
        finally:
            self.let_go()

    def end_key(self, key):
        """End the session of this key; false if there is none."""
        cdef state_key h
        cdef state_entry* entry
        self.take()
        try:
            h = self.hash_of(key)
            entry = state_find(&self.table, h.a, h.b)
            if entry == NULL:
                return False
            end_session(self, <Session*>entry.value, 1)
            self.flush()
            return True
        finally:
            self.let_go()

    @property
    def line(self):
        """What stands for the last call's id if it has none: the number of records so far."""
        return self.number

    def forget_all(self):
        """Evict every session: what comes with its key has a past of which nothing is known."""
        self.take()
        try:
            while self.counts[COUNT_SESSIONS]:
                session = self.all[self.counts[COUNT_SESSIONS] - 1]
                if not forget_key(self, hash_in(session), session.calls):
                    raise MemoryError
                self.counts[COUNT_EVICTED] += 1
                end_session(self, session, 2)
            self.flush()
        finally:
            self.let_go()

    def doubt_all(self):
        """Take every key that is new for one that was forgotten."""
        self.take()
        try:
            if self.filter == NULL:
                self.filter = <uint8_t*>calloc(1, self.filter_bits >> 3)
            if self.filter == NULL:
                raise MemoryError
            memset(self.filter, 255, self.filter_bits >> 3)
            self.filter_set = self.filter_bits
        finally:
            self.let_go()

    @property
    def tallies(self):
        """What was counted, by name."""
        found = {name: self.counts[i] for i, name in enumerate(COUNT_NAMES)}
        return {**found, "filter_permille": 1000 * self.filter_set // self.filter_bits}

    @property
    def sizes(self):
        """Bytes of a session without keys, and of all sessions, about."""
        return session_room(self), self.room

    def save(self):
        """All sessions as bytes."""
        self.take()
        try:
            return save_sessions(self)
        finally:
            self.let_go()

    def load(self, bytes data, list places, bint adding):
        """Take over saved sessions: places says of each saved unit which one it is here, -1 for none.  ValueError
        for damaged bytes, and then the monitor is empty.  adding: to the sessions that are here."""
        self.take()
        try:
            if any([not -1 <= place < self.unit_count for place in places]):
                raise ValueError("no such unit")
            load_sessions(self, data, places, adding)
        except:
            self.drop_sessions()
            raise
        finally:
            self.let_go()

    @property
    def keys(self):
        """The hashes of the sessions' keys."""
        cdef int64_t i
        return {PyBytes_FromStringAndSize(<char*>self.all[i].key, 16) for i in range(self.counts[COUNT_SESSIONS])}

    cdef void drop_sessions(self) noexcept:
        cdef int64_t i
        for i in range(self.counts[COUNT_SESSIONS]):
            free_session(self, self.all[i])
        self.counts[COUNT_SESSIONS] = 0
        free(self.table.entries)
        memset(&self.table, 0, sizeof(self.table))


def _order(found):
    return found[:2]


cdef int take_versions(MonitorMachine m, list registers, str pact) except -1:
    """Where a call says of which version its agent is; the pact's own version is the last field."""
    cdef state_key h
    cdef bytes text = pact.encode()
    if len(registers) >= DRIFT_FIELDS or any([not 0 <= register < m.registers for register in registers]):
        raise ValueError("no such register")
    m.version_count = len(registers)
    m.version_texts = [None] * len(registers)
    for i, register in enumerate(registers):
        m.version_registers[i] = register
    h = state_sip(m.secret, OF_VERSION + DRIFT_FIELDS, PyBytes_AS_STRING(text), len(text))
    m.version[DRIFT_FIELDS - 1] = <uint32_t>h.a | 1
    m.version_names = {(DRIFT_FIELDS - 1, m.version[DRIFT_FIELDS - 1]): pact}
    return 0


cdef inline bint some_bit(const uint64_t* masks, int words) noexcept:
    cdef int i
    for i in range(words):
        if masks[i]:
            return True
    return False
