# Truths: which forms a call concerns at all, for all of them at once, as bits of their clauses.
#
# Owns:  MonitorMachine owns the tables.
# Needs: units.pxi, monitor.pxi.        Gives: take_truths(), weigh_truths().
# Most calls are the event of few forms.  Each condition's register is looked at once; its masks say of which
# clauses it is the event, the `when`, or something that their registers take.  No outcome makes a jump.

cdef extern from *:
    """
    /* What the registers of conditions say, as masks of clauses. */
    typedef struct { uint64_t no_event, maybe_event, no_when, maybe_when, takes; } state_word;
    /* Masks of one condition, in one word: clauses whose event it is, whose `when`, whose registers take it. */
    typedef struct { uint64_t event, when, takes; } state_marks;

    static inline void state_weigh(state_word *word, const state_marks *marks, uint32_t is_bool, int64_t value) {
        uint64_t yes = 0 - (uint64_t)(is_bool & (value != 0)), no = 0 - (uint64_t)(is_bool & (value == 0));
        uint64_t maybe = ~(yes | no);
        word->no_event |= marks->event & no;
        word->maybe_event |= marks->event & maybe;
        word->no_when |= marks->when & no;
        word->maybe_when |= marks->when & maybe;
        word->takes |= marks->takes & ~no;
    }
    """
    ctypedef struct state_word:
        uint64_t no_event
        uint64_t maybe_event
        uint64_t no_when
        uint64_t maybe_when
        uint64_t takes
    ctypedef struct state_marks:
        uint64_t event
        uint64_t when
        uint64_t takes
    void state_weigh(state_word* word, const state_marks* marks, uint32_t is_bool, int64_t value) noexcept nogil


cdef void take_truths(MonitorMachine m) except *:
    """Make the tables from those of the units."""
    cdef int i, j
    cdef Unit* u
    numbers = {}
    for i in range(m.operator_count, m.unit_count):
        for register in taken_registers(&m.units[i]) + [m.units[i].event, m.units[i].when]:
            if register >= 0:
                numbers.setdefault(register, len(numbers))
    m.truth_count = len(numbers)
    m.truths = <int*>allocate(len(numbers) * sizeof(int))
    m.marks = <state_marks*>allocate(len(numbers) * m.words * sizeof(state_marks))
    m.forms = <uint64_t*>allocate(m.words * sizeof(uint64_t))
    m.always = <uint64_t*>allocate(m.words * sizeof(uint64_t))
    m.form_of = <int*>allocate(64 * m.words * sizeof(int))
    m.weighed = <state_word*>allocate(m.words * sizeof(state_word))
    for register, number in numbers.items():
        m.truths[<int>number] = register
    for i in range(m.operator_count, m.unit_count):
        u = &m.units[i]
        if m.forms[u.clause >> 6] >> (u.clause & 63) & 1:
            raise ValueError("a clause with two forms")
        mark_form(m, i, numbers)
        m.expects += u.kind == UNIT_KIND_EXPECT
    take_key_sets(m)


cdef void take_key_sets(MonitorMachine m) except *:
    """Forms with the same keys share their hash on a call."""
    cdef int i, j
    sets = {}
    for i in range(m.operator_count, m.unit_count):
        same = tuple([m.units[i].same[j] for j in range(m.units[i].same_count)])
        m.units[i].key_set = sets.setdefault(same, len(sets))
    m.key_set_count = len(sets)
    m.key_hashes = <state_key*>allocate(len(sets) * sizeof(state_key))
    m.key_states = <uint8_t*>allocate(len(sets))


cdef list taken_registers(const Unit* u):
    """The registers of the conditions on which a form's registers take something."""
    cdef int i
    if u.kind == UNIT_KIND_ONLY_AFTER:
        return [u.other, u.event] if u.before else [u.other]
    if u.kind == UNIT_KIND_NEVER_AFTER:
        return [u.other, u.until] if u.before else [u.other]
    if u.kind == UNIT_KIND_AT_MOST:
        return [u.event]
    if u.kind == UNIT_KIND_EXPECT:
        return [u.event, u.other]
    return [u.same[u.same_count + 2 * i] for i in range(u.source_count)]


cdef void mark_form(MonitorMachine m, int number, dict numbers) except *:
    """A form's bits in the masks of its conditions."""
    cdef const Unit* u = &m.units[number]
    cdef int word = u.clause >> 6
    cdef uint64_t bit = <uint64_t>1 << (u.clause & 63)
    m.forms[word] |= bit
    m.form_of[u.clause] = number
    if u.event >= 0:
        m.marks[<int>numbers[u.event] * m.words + word].event |= bit
    if u.when >= 0:
        m.marks[<int>numbers[u.when] * m.words + word].when |= bit
    for register in taken_registers(u):
        if register < 0:
            m.always[word] |= bit
        else:
            m.marks[<int>numbers[register] * m.words + word].takes |= bit


cdef void weigh_truths(MonitorMachine m, const Cell* cells) noexcept:
    """Look at every condition of the call once."""
    cdef const Cell* x
    cdef state_word one
    cdef int i, word
    if m.words == 1:                        # kept in registers
        memset(&one, 0, sizeof(one))
        for i in range(m.truth_count):
            x = &cells[m.truths[i]]
            state_weigh(&one, &m.marks[i], x.tag == TAG_BOOL, x.v.i)
        one.takes |= m.always[0]
        m.weighed[0] = one
        return
    memset(m.weighed, 0, m.words * sizeof(state_word))
    for i in range(m.truth_count):
        x = &cells[m.truths[i]]
        for word in range(m.words):
            state_weigh(&m.weighed[word], &m.marks[i * m.words + word], x.tag == TAG_BOOL, x.v.i)
    for word in range(m.words):
        m.weighed[word].takes |= m.always[word]
