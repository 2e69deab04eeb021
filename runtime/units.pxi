# Units: what a session remembers for one operator or one named form, and how it judges by that.
#
# Owns:  a unit owns the lists of registers of its keys; what its registers own is freed by `drop_unit`.
# Needs: state.h, hashing.pxi.        Gives: Unit, operate_unit(), lose_unit().
# A unit's registers lie in the session's block; of a form with `same` there lies a pointer to its slices, a
# set of registers per key, and one set for the keys that have not been seen yet.

cdef extern from "state.h":
    cdef enum:
        STATE_NO, STATE_YES, STATE_MAYBE
    const int64_t STATE_NEVER, STATE_EVER, STATE_OPEN
    ctypedef struct state_instant:
        int64_t now
        int64_t last
        int64_t number
        bint timeless
    ctypedef struct state_past:
        int64_t low
        int64_t high
    ctypedef struct state_ring:
        int64_t count
        int64_t times[1]
    ctypedef struct state_witness:
        int64_t time
        int64_t number
    ctypedef struct state_forbidden:
        state_witness witness
        int32_t low
        int32_t high
    ctypedef struct state_duty:
        int64_t number
        int64_t time
    ctypedef struct state_expect:
        state_duty copies[2]
        int64_t asked
        int64_t time
        void* id
        int32_t said[2]
    ctypedef struct state_entry:
        uint64_t a
        uint64_t b
        void* value
    ctypedef struct state_table:
        state_entry* entries
        size_t count
        size_t room
    int state_once(state_past* r, int64_t span, bint before, int event, const state_instant* m) noexcept nogil
    int state_since(state_past* r, int64_t span, bint before, int p, int q, const state_instant* m) noexcept nogil
    void state_past_lose(state_past* r, bint since, bint before, int64_t t0, int64_t t1) noexcept nogil
    size_t state_rings_size(int64_t n, int64_t span) noexcept nogil
    state_ring* state_low(void* registers) noexcept nogil
    state_ring* state_high(void* registers, int64_t n, int64_t span) noexcept nogil
    void state_ring_lose(state_ring* eager, int64_t n, int64_t span, int64_t calls, int64_t t1) noexcept nogil
    int state_only_after(void* r, int64_t n, int64_t span, const state_instant* m) noexcept nogil
    void state_only_after_take(void* r, int64_t n, int64_t span, bint fresh, int event, int after, const state_instant* m) noexcept nogil
    int state_at_most(void* r, int64_t n, int64_t span, const state_instant* m) noexcept nogil
    void state_at_most_take(void* r, int64_t n, int64_t span, int event, const state_instant* m) noexcept nogil
    int state_never_after(const state_forbidden* r) noexcept nogil
    void state_never_after_take(state_forbidden* r, int after, int until, const state_instant* m) noexcept nogil
    void state_never_after_lose(state_forbidden* r, bint until) noexcept nogil
    bint state_within(int64_t t, int64_t span, const state_instant* m, bint possibly) noexcept nogil
    state_entry* state_find(const state_table* t, uint64_t a, uint64_t b) noexcept nogil
    bint state_insert(state_table* t, uint64_t a, uint64_t b, void* value) noexcept nogil
    void state_remove(state_table* t, state_entry* e) noexcept nogil
    bint state_filter_has(const uint8_t* filter, uint64_t bits, state_key h) noexcept nogil
    int state_filter_add(uint8_t* filter, uint64_t bits, state_key h) noexcept nogil
    int state_ones(uint8_t bits) noexcept nogil
    int state_level(int64_t calls) noexcept nogil
    state_key state_at_level(state_key h, int level) noexcept nogil

cdef extern from "stdlib.h":
    void* calloc(size_t count, size_t size) noexcept nogil
    void* malloc(size_t size) noexcept nogil
    void* realloc(void* block, size_t size) noexcept nogil
    void free(void* block) noexcept nogil

cdef enum:
    MAX_SLICES = 1_000          # keys of one form in one session
    MAX_COUNTED = 1_024         # times that `count` keeps; a power of two
    MAX_TOKENS = 10_000         # tokens that `only from` keeps
    LONGEST_ID = 4_096          # characters of a call's id, as long as its verdict waits
    # Why a clause is unknown.
    WHY_ERROR = 0
    WHY_PENDING = 1
    WHY_INSUFFICIENT = 2
    WHY_NO_SESSION = 3
    WHY_KEYS = 4
    WHY_PAST = 5
    # What an obligation has come to; as the session's end, in opcodes.Ending, SAID_NOTHING leaves it open.
    SAID_NOTHING = 0
    SAID_KEPT = 1
    SAID_BROKEN = 2
    SAID_DROPPED = 3

cdef struct Unit:               # an operator or a form, as opcodes.UnitKind says
    int kind
    int clause                  # -1: of an operator
    int event                   # registers; -1 for what is always true
    int other
    int until
    int when
    int value                   # -1: none
    int64_t count
    int64_t calls
    int64_t span                # microseconds; -1: none
    bint before                 # of an operator `_before`; of `only after` fresh; of `never after` until
    int ending                  # of `expect`: a Said for obligations that the session's end finds open
    int key_set                 # which of the monitor's sets of keys `same` is
    int same_count
    int* same                   # registers of the keys, then two for each source
    int source_count
    int enum_count              # of `previous`: the texts that it may meet
    PyObject** enums            # borrowed from MonitorMachine.kept
    Py_ssize_t offset           # in the session's block
    Py_ssize_t size             # of one set of registers
    size_t most_keys            # of one session
    int64_t most_kept           # times of `count`, tokens of `only from`

cdef struct Slices:
    state_table table
    uint8_t* unseen             # registers of the keys that have not come yet
    bint full                   # a key was refused

cdef struct Times:              # of `count`: the times of both readings, low then high
    int64_t room
    int64_t lengths[2]
    int64_t heads[2]
    int64_t over[2]             # the latest time that did not fit; STATE_NEVER
    int64_t times[1]

cdef struct Kept:               # of `previous`: a value, as in a Cell
    uint32_t tag
    int32_t aux
    int64_t payload


cdef inline int answer_of(const Cell* cells, int register) noexcept:
    """What a condition said: STATE_YES, STATE_NO, or STATE_MAYBE for an error value."""
    if register < 0:
        return STATE_YES
    if cells[register].tag == TAG_BOOL:
        return STATE_YES if cells[register].v.i else STATE_NO
    return STATE_MAYBE


cdef inline bint can_box(const Cell* x) noexcept:
    """Whether a cell holds a value that Python can be given."""
    return x.tag != TAG_ERROR and (x.tag <= TAG_TYPE or x.tag == TAG_OPTIONAL or x.tag == TAG_OPAQUE)


cdef Py_ssize_t unit_size(const Unit* u) noexcept:
    """Bytes of one set of registers."""
    if u.kind == UNIT_KIND_ONCE or u.kind == UNIT_KIND_SINCE:
        return sizeof(state_past)
    if u.kind == UNIT_KIND_PREVIOUS:
        return sizeof(Kept)
    if u.kind == UNIT_KIND_COUNTED:
        return 2 * sizeof(int64_t) if u.span < 0 else sizeof(void*)
    if u.kind == UNIT_KIND_ONLY_AFTER or u.kind == UNIT_KIND_AT_MOST:
        return state_rings_size(u.count, u.span)
    if u.kind == UNIT_KIND_NEVER_AFTER:
        return sizeof(state_forbidden)
    if u.kind == UNIT_KIND_EXPECT:
        return sizeof(state_expect)
    return sizeof(state_table) + 8       # only from: tokens, and whether some were not kept


cdef void blank_unit(const Unit* u, uint8_t* r) noexcept:
    """Registers that have seen nothing."""
    memset(r, 0, u.size)
    if u.kind == UNIT_KIND_ONCE or u.kind == UNIT_KIND_SINCE:
        (<state_past*>r).low = (<state_past*>r).high = STATE_NEVER
    elif u.kind == UNIT_KIND_PREVIOUS:
        (<Kept*>r).tag = TAG_BOOL if u.before else TAG_NULL
    elif u.kind == UNIT_KIND_ONLY_AFTER or u.kind == UNIT_KIND_AT_MOST or u.kind == UNIT_KIND_NEVER_AFTER:
        (<state_witness*>r).time = STATE_NEVER
        (<state_witness*>r).number = -1
    elif u.kind == UNIT_KIND_EXPECT:
        (<state_expect*>r).copies[0].number = (<state_expect*>r).copies[1].number = -1
        (<state_expect*>r).asked = -1


cdef int64_t drop_registers(const Unit* u, uint8_t* r) noexcept:
    """Free what one set of registers owns; how many bytes of it were counted."""
    cdef int64_t tokens = 0
    if u.kind == UNIT_KIND_COUNTED and u.span >= 0:
        free((<void**>r)[0])
    elif u.kind == UNIT_KIND_EXPECT and (<state_expect*>r).id != NULL:
        Py_DECREF(<object>(<state_expect*>r).id)
        (<state_expect*>r).id = NULL
    elif u.kind == UNIT_KIND_ONLY_FROM:
        tokens = (<state_table*>r).count
        free((<state_table*>r).entries)
    return tokens * 2 * sizeof(state_entry)


cdef int64_t drop_unit(const Unit* u, uint8_t* r) noexcept:
    """Free what a unit owns in a session's block; how many bytes of it were counted."""
    cdef Slices* slices
    cdef int64_t freed = 0
    cdef size_t i
    if not u.same_count:
        return drop_registers(u, r)
    slices = (<Slices**>r)[0]
    if slices == NULL:
        return 0
    for i in range(slices.table.room):
        if slices.table.entries[i].value != NULL:
            freed += drop_registers(u, <uint8_t*>slices.table.entries[i].value)
            free(slices.table.entries[i].value)
    freed += slice_room(u, slices.table.count)
    free(slices.table.entries)
    freed += drop_registers(u, slices.unseen)
    free(slices.unseen)
    free(slices)
    return freed


cdef inline int64_t slice_room(const Unit* u, size_t count) noexcept:
    """Bytes that so many slices of a form take, about: a block each, table and unseen keys for all of them."""
    return count * (u.size + 16 + 2 * sizeof(state_entry)) + (sizeof(Slices) + u.size + 48) * (count > 0)


cdef Slices* slices_of(const Unit* u, uint8_t* r) noexcept:
    """The slices of a form with keys, made when first asked for; NULL if there is no memory."""
    cdef Slices* slices = (<Slices**>r)[0]
    if slices == NULL:
        slices = <Slices*>calloc(1, sizeof(Slices))
        if slices == NULL:
            return NULL
        slices.unseen = <uint8_t*>malloc(u.size)
        if slices.unseen == NULL:
            free(slices)
            return NULL
        blank_unit(u, slices.unseen)
        (<Slices**>r)[0] = slices
    return slices


# Operators ------------------------------------------------------------------------------------------

cdef int count_times(uint8_t* r, const Unit* u, int event, const state_instant* m, int64_t* low, int64_t* high) noexcept:
    """`count(e, D)`: how many times lie within D, in both readings; -1 where too many would have to be kept."""
    cdef Times* t
    cdef int reading
    cdef int64_t at = STATE_OPEN if m.timeless else m.now
    if event == STATE_YES and m.timeless:
        event = STATE_MAYBE
    if event != STATE_NO and not push_time(<Times**>r, u.most_kept, event == STATE_YES, at):
        return -1
    t = (<Times**>r)[0]
    low[0] = high[0] = 0
    if t == NULL:
        return 0
    for reading in range(2):
        if state_within(t.over[reading], u.span, m, True):
            return -1
    low[0] = 0 if m.timeless else times_within(t, 0, u, m)
    high[0] = times_within(t, 1, u, m)
    return 0


cdef int64_t times_within(Times* t, int reading, const Unit* u, const state_instant* m) noexcept:
    """The times that lie within D; older ones are let go, unless this call has no time."""
    cdef int64_t* times = t.times + reading * t.room
    cdef int64_t i, found = 0
    if not m.timeless:
        while t.lengths[reading] and not state_within(times[t.heads[reading]], u.span, m, True):
            t.heads[reading] = (t.heads[reading] + 1) % t.room
            t.lengths[reading] -= 1
        if not t.lengths[reading] or times[t.heads[reading]] != STATE_OPEN:
            return t.lengths[reading]           # they are in order, but for those at unknown times
    for i in range(t.lengths[reading]):
        found += state_within(times[(t.heads[reading] + i) % t.room], u.span, m, True)
    return found


cdef bint push_time(Times** place, int64_t most, bint certain, int64_t at) noexcept:
    """Note a time in the high reading, and, if `certain`, in the low one."""
    cdef Times* t = place[0]
    cdef int reading
    if t == NULL or ((t.lengths[1] == t.room or t.lengths[0] == t.room) and t.room < most):
        t = grown_times(t)
        if t == NULL:
            return False
        place[0] = t
    for reading in range(0 if certain else 1, 2):
        if t.lengths[reading] == t.room:        # the oldest is let go, and what counts it is not known
            t.over[reading] = max(t.over[reading], t.times[reading * t.room + t.heads[reading]])
            t.heads[reading] = (t.heads[reading] + 1) % t.room
            t.lengths[reading] -= 1
        t.times[reading * t.room + (t.heads[reading] + t.lengths[reading]) % t.room] = at
        t.lengths[reading] += 1
    return True


cdef Times* grown_times(Times* old) noexcept:
    cdef int64_t room = 4 if old == NULL else 2 * old.room
    cdef Times* t = <Times*>calloc(1, sizeof(Times) + 2 * room * sizeof(int64_t))
    cdef int64_t i
    cdef int reading
    if t == NULL:
        return NULL
    t.room = room
    t.over[0] = t.over[1] = STATE_NEVER
    if old != NULL:
        for reading in range(2):
            t.over[reading] = old.over[reading]
            t.lengths[reading] = old.lengths[reading]
            for i in range(old.lengths[reading]):
                t.times[reading * room + i] = old.times[reading * old.room + (old.heads[reading] + i) % old.room]
        free(old)
    return t


cdef void operate_previous(const Unit* u, uint8_t* r, const Cell* x, Cell* result) noexcept:
    """The result is what was kept; what is kept is x."""
    cdef Kept* kept = <Kept*>r
    cdef int i
    result.tag = kept.tag
    result.aux = kept.aux
    result.v.i = kept.payload
    if kept.tag == TAG_STRING:
        result.v.o = u.enums[kept.payload]
    kept.tag = x.tag
    kept.aux = x.aux
    kept.payload = x.v.i
    if x.tag == TAG_STRING:
        kept.tag = TAG_ERROR
        for i in range(u.enum_count):
            if pact_same_text(u.enums[i], x.v.o):
                kept.tag = TAG_STRING
                kept.payload = i
                break
    elif x.tag >= TAG_STRING and x.tag != TAG_TIMESTAMP and x.tag != TAG_DURATION:
        kept.tag = TAG_ERROR
    if kept.tag == TAG_ERROR:
        kept.aux = ERR_UNCERTAIN


cdef void operate_unit(const Unit* u, uint8_t* r, const Cell* a, const Cell* b, Cell* result, const state_instant* m) noexcept:
    """One operator takes this call and says what holds on it."""
    cdef int first = pact_answer(<PactCell*>a)
    cdef int answer
    if u.kind == UNIT_KIND_PREVIOUS:
        operate_previous(u, r, a, result)
        return
    if u.kind == UNIT_KIND_COUNTED:
        operate_count(u, r, first, result, m)
        return
    if u.kind == UNIT_KIND_ONCE:
        answer = state_once(<state_past*>r, u.span, u.before, first, m)
    else:
        answer = state_since(<state_past*>r, u.span, u.before, first, pact_answer(<PactCell*>b), m)
    pact_say(<PactCell*>result, answer)


cdef void operate_count(const Unit* u, uint8_t* r, int event, Cell* result, const state_instant* m) noexcept:
    """`count`: a number where both readings say the same."""
    cdef int64_t low, high
    if u.span < 0:
        (<int64_t*>r)[0] += event == STATE_YES
        (<int64_t*>r)[1] += event != STATE_NO
        low = (<int64_t*>r)[0]
        high = (<int64_t*>r)[1]
    elif count_times(r, u, event, m, &low, &high) < 0:
        fail(result, ERR_LIMIT)
        return
    if low == high:
        set_int(result, low)
    else:
        fail(result, ERR_UNCERTAIN)


# What was lost --------------------------------------------------------------------------------------

cdef void lose_registers(const Unit* u, uint8_t* r, int64_t calls, int64_t t0, int64_t t1, int64_t first) noexcept:
    """So many calls were not seen, between the times t0 and t1; `first` was the number of the first of them."""
    cdef int64_t i
    if u.kind == UNIT_KIND_ONCE or u.kind == UNIT_KIND_SINCE:
        state_past_lose(<state_past*>r, u.kind == UNIT_KIND_SINCE, u.before, t0, t1 if u.span >= 0 else 0)
    elif u.kind == UNIT_KIND_PREVIOUS:
        (<Kept*>r).tag = TAG_ERROR
        (<Kept*>r).aux = ERR_UNCERTAIN
    elif u.kind == UNIT_KIND_COUNTED:
        if u.span < 0:
            (<int64_t*>r)[1] += calls
        else:
            for i in range(min(calls, 2 * u.most_kept)):
                push_time(<Times**>r, u.most_kept, False, t1)
    elif u.kind == UNIT_KIND_ONLY_AFTER:
        if u.before:
            state_low(r).count = 0
        state_ring_lose(state_high(r, u.count, u.span), u.count, u.span, calls, t1)
    elif u.kind == UNIT_KIND_AT_MOST:
        state_ring_lose(state_low(r), u.count, u.span, calls, t1)
    elif u.kind == UNIT_KIND_NEVER_AFTER:
        state_never_after_lose(<state_forbidden*>r, u.before)
    elif u.kind == UNIT_KIND_ONLY_FROM:
        (<int64_t*>(r + sizeof(state_table)))[0] |= 1
    else:
        lose_expected(u, <state_expect*>r, calls, t1, first)


cdef void lose_expected(const Unit* u, state_expect* r, int64_t calls, int64_t t1, int64_t first) noexcept:
    """In one reading each lost call was the trigger and the answer, in the other neither: it only counts."""
    cdef state_duty* yes = &r.copies[1]
    if yes.number >= 0:
        say_expected(r, 1, SAID_KEPT)           # the first lost call answers; its own trigger is skipped
        calls -= 1
        first += 1
    if calls <= 0:
        return
    if calls & 1:                               # they open and close in turn: the last one has opened
        yes.number = first + calls - 1
        yes.time = t1


cdef void say_expected(state_expect* r, int reading, int said) noexcept:
    """Close the obligation of one reading."""
    if r.asked >= 0 and r.copies[reading].number == r.asked:
        r.said[reading] = said
    r.copies[reading].number = -1


cdef void lose_unit(const Unit* u, uint8_t* r, int64_t calls, int64_t t0, int64_t t1, int64_t first) noexcept:
    """The same for a unit with its slices, those of unseen keys, too."""
    cdef Slices* slices
    cdef size_t i
    if not u.same_count:
        lose_registers(u, r, calls, t0, t1, first)
        return
    slices = slices_of(u, r)
    if slices == NULL:
        return
    lose_registers(u, slices.unseen, calls, t0, t1, first)
    for i in range(slices.table.room):
        if slices.table.entries[i].value != NULL:
            lose_registers(u, <uint8_t*>slices.table.entries[i].value, calls, t0, t1, first)


# What had no time -----------------------------------------------------------------------------------

cdef void date_unit(MonitorMachine m, const Unit* u, uint8_t* r, int64_t now) noexcept:
    """A call has a time again: those before it that had none, or were lost, came no later."""
    cdef Slices* slices
    cdef size_t i
    if u.span < 0:
        return
    if not u.same_count:
        date_registers(m, u, r, now)
        return
    slices = (<Slices**>r)[0]
    if slices == NULL:
        return
    date_registers(m, u, slices.unseen, now)
    for i in range(slices.table.room):
        if slices.table.entries[i].value != NULL:
            date_registers(m, u, <uint8_t*>slices.table.entries[i].value, now)


cdef void date_registers(MonitorMachine m, const Unit* u, uint8_t* r, int64_t now) noexcept:
    cdef Times* t
    cdef int reading
    if u.kind == UNIT_KIND_ONCE or u.kind == UNIT_KIND_SINCE:
        date_times(&(<state_past*>r).high, 1, now)
    elif u.kind == UNIT_KIND_COUNTED:
        t = (<Times**>r)[0]
        if t != NULL:
            date_times(t.times, 2 * t.room, now)
            date_times(t.over, 2, now)
    elif u.kind == UNIT_KIND_ONLY_AFTER:
        date_times(state_high(r, u.count, u.span).times, u.count, now)
    elif u.kind == UNIT_KIND_AT_MOST:
        date_times(state_low(r).times, u.count, now)
    elif u.kind == UNIT_KIND_EXPECT:
        for reading in range(2):
            if (<state_expect*>r).copies[reading].time == STATE_OPEN:
                (<state_expect*>r).copies[reading].time = now
                if (<state_expect*>r).copies[reading].number >= 0:
                    m.open_at(u, now)


cdef void date_times(int64_t* times, int64_t count, int64_t now) noexcept:
    cdef int64_t i
    for i in range(count):
        if times[i] == STATE_OPEN:
            times[i] = now
