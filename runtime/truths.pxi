# Truths: which forms a call concerns at all, for all of them at once, as bits of their clauses.
#
# Owns:  MonitorMachine owns the tables.
# Needs: units.pxi, monitor.pxi.        Gives: take_truths(), weigh_truths().
# Most calls are the event of few forms.  Each condition's register is looked at once; its masks say of which
# clauses it is the event, the `when`, or something that their registers take.  Few say anything but no.

cdef struct state_marks:        # of one condition, a word of clauses
    uint64_t event              # whose event it is
    uint64_t when               # whose `when`
    uint64_t takes              # whose registers take something of it

cdef struct state_word:         # of a call, those of which a condition does not say no
    state_marks some
    state_marks maybe           # and of these those of which it is not known


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
    m.has = <state_marks*>allocate(m.words * sizeof(state_marks))
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
    m.has[word].event |= bit & -<uint64_t>(u.event >= 0)
    m.has[word].when |= bit & -<uint64_t>(u.when >= 0)
    if u.event >= 0:
        m.marks[<int>numbers[u.event] * m.words + word].event |= bit
    if u.when >= 0:
        m.marks[<int>numbers[u.when] * m.words + word].when |= bit
    for register in taken_registers(u):
        if register < 0:
            m.has[word].takes |= bit
        else:
            m.marks[<int>numbers[register] * m.words + word].takes |= bit


cdef void weigh_truths(MonitorMachine m, const Cell* cells) noexcept:
    """Look at every condition of the call once."""
    cdef int first, i, answer
    cdef uint64_t some, maybe
    memset(m.weighed, 0, m.words * sizeof(state_word))
    for first in range(0, m.truth_count, 64):
        some = maybe = 0
        for i in range(min(64, m.truth_count - first)):
            answer = pact_answer(<PactCell*>&cells[m.truths[first + i]])
            some |= <uint64_t>(answer != STATE_NO) << i
            maybe |= <uint64_t>(answer == STATE_MAYBE) << i
        while some:
            i = pact_lowest(some)
            weigh_marks(m, &m.marks[(first + i) * m.words], -(maybe >> i & 1))
            some &= some - 1


cdef inline void weigh_marks(MonitorMachine m, const state_marks* marks, uint64_t maybe) noexcept:
    """Take up the masks of a condition that does not say no.  maybe: all bits if it says neither."""
    cdef int word
    cdef state_word* w
    for word in range(m.words):
        w = &m.weighed[word]
        w.some.event |= marks[word].event
        w.some.when |= marks[word].when
        w.some.takes |= marks[word].takes
        w.maybe.event |= marks[word].event & maybe
        w.maybe.when |= marks[word].when & maybe
