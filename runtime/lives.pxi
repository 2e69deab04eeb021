# Lives of sessions: how they begin, what is kept of those that were dropped for memory, how they end.
#
# Owns:  see sessions.pxi.
# Needs: monitor.pxi, forms.pxi.        Gives: list_session(), make_room(), end_session(), expire_session(), free_session().

cdef Session* new_session(MonitorMachine m, state_key h, int64_t micros) noexcept:
    """A session that has seen nothing; of a key that was forgotten, one whose every past is unknown."""
    cdef Session* s
    make_room(m)
    s = add_session(m, h)
    if s != NULL and m.filter != NULL and state_filter_has(m.filter, m.filter_bits, h):
        lose_session(m, s, MANY_CALLS, STATE_EVER, micros if m.has_time else STATE_OPEN, 0)
        s.calls = calls_forgotten(m, h)
        s.seq = -2                              # which numbers have come is not known
    return s


cdef int64_t calls_forgotten(MonitorMachine m, state_key h) noexcept:
    """How many calls an evicted session may have had: less than twice as many as it had, but the limit."""
    cdef int level
    if m.limit > 1:
        for level in range(state_level(m.limit), 0, -1):
            if state_filter_has(m.filter, m.filter_bits, state_at_level(h, level)):
                return min(<int64_t>1 << level, m.limit)
    return 1


cdef bint forget_key(MonitorMachine m, state_key h, int64_t calls) noexcept:
    """Put an evicted session's key into the filter, and, where there is a limit, about how many calls it had."""
    if m.filter == NULL:
        m.filter = <uint8_t*>calloc(1, m.filter_bits >> 3)
        if m.filter == NULL:
            return False
    m.filter_set += state_filter_add(m.filter, m.filter_bits, h)
    if m.limit >= 0:
        m.filter_set += state_filter_add(m.filter, m.filter_bits, state_at_level(h, state_level(min(calls, m.limit))))
    return True


cdef Session* add_session(MonitorMachine m, state_key h) noexcept:
    """A session in its first state, in the table and in `all`; NULL if there is no memory."""
    cdef Session* s = <Session*>calloc(1, sizeof(Session) + m.block_size)
    if s == NULL or not list_session(m, s) or not state_insert(&m.table, h.a, h.b, s):
        free(s)
        return NULL
    s.place = m.counts[COUNT_SESSIONS]
    m.all[s.place] = s
    m.counts[COUNT_SESSIONS] += 1
    s.key[0], s.key[1] = h.a, h.b
    s.touched = True
    s.time = STATE_NEVER
    s.seq = -1
    memcpy(s.block, m.blank, m.block_size)
    m.room += session_room(m)
    return s


cdef inline int64_t session_room(MonitorMachine m) noexcept:
    """Bytes of a session without its keys and its last calls, with its places in the tables."""
    return sizeof(Session) + m.block_size + 16 + 2 * sizeof(state_entry) + sizeof(Session*)


cdef bint list_session(MonitorMachine m, Session* s) noexcept:
    """Have room for one more session in `all`."""
    cdef int64_t room = 64 if m.all_room == 0 else 2 * m.all_room
    cdef Session** grown
    if m.counts[COUNT_SESSIONS] < m.all_room:
        return True
    grown = <Session**>realloc(m.all, room * sizeof(Session*))
    if grown == NULL:
        return False
    m.all = grown
    m.all_room = room
    return True


cdef void make_room(MonitorMachine m) noexcept:
    """Evict sessions that nobody has touched since the clock's hand came by, until the rest fits."""
    cdef Session* s
    while m.room > m.most and m.counts[COUNT_SESSIONS] > 1:
        m.hand = m.hand % m.counts[COUNT_SESSIONS]
        s = m.all[m.hand]
        if s.touched:
            s.touched = False
            m.hand += 1
            continue
        if not forget_key(m, hash_in(s), s.calls):
            return
        m.counts[COUNT_EVICTED] += 1
        end_session(m, s, 2)


cdef inline state_key hash_in(const Session* s) noexcept:
    cdef state_key h
    h.a, h.b = s.key[0], s.key[1]
    return h


cdef void end_session(MonitorMachine m, Session* s, int ends) noexcept:
    """Say what becomes of open obligations (1: as the pact says, 2: nothing is known), and forget the session."""
    cdef Session* last = m.all[m.counts[COUNT_SESSIONS] - 1]
    end_obligations(m, s, ends)
    state_remove(&m.table, state_find(&m.table, s.key[0], s.key[1]))
    m.all[s.place] = last
    last.place = s.place
    m.counts[COUNT_SESSIONS] -= 1
    free_session(m, s)


cdef void end_obligations(MonitorMachine m, Session* s, int ends) noexcept:
    cdef int i
    if not m.expects:
        return
    for i in range(m.operator_count, m.unit_count):
        if m.units[i].kind == UNIT_KIND_EXPECT:
            each_expected(m, &m.units[i], s.block, -1, 0, False, ends)


cdef void expire_session(MonitorMachine m, Session* s, int64_t number, int64_t now, bint timed) noexcept:
    cdef int i
    if not m.expects:
        return
    for i in range(m.operator_count, m.unit_count):
        if m.units[i].kind == UNIT_KIND_EXPECT:
            each_expected(m, &m.units[i], s.block, number, now, timed, 0)


cdef void note_deadlines(MonitorMachine m, Session* s) noexcept:
    """When the first open obligation of a session runs out."""
    cdef int i
    cdef size_t j
    cdef Slices* slices
    cdef const Unit* u
    for i in range(m.operator_count, m.unit_count):
        u = &m.units[i]
        if u.kind != UNIT_KIND_EXPECT or u.span < 0:
            continue
        if not u.same_count:
            note_deadline(m, u, <state_expect*>(s.block + u.offset))
            continue
        slices = (<Slices**>(s.block + u.offset))[0]
        if slices == NULL:
            continue
        note_deadline(m, u, <state_expect*>slices.unseen)
        for j in range(slices.table.room):
            if slices.table.entries[j].value != NULL:
                note_deadline(m, u, <state_expect*>slices.table.entries[j].value)


cdef void note_deadline(MonitorMachine m, const Unit* u, const state_expect* r) noexcept:
    cdef int reading
    for reading in range(2):
        if r.copies[reading].number >= 0:
            m.open_at(u, r.copies[reading].time)


cdef void empty_session(MonitorMachine m, Session* s) noexcept:
    """The key goes on with a new session: nothing of the old one is remembered but its last numbers and ids."""
    cdef int i
    for i in range(m.unit_count):
        m.room -= drop_unit(&m.units[i], s.block + m.units[i].offset)
    memcpy(s.block, m.blank, m.block_size)
    s.calls = 0
    s.time = STATE_NEVER
    s.undated = False
    s.restarts = True


cdef void free_session(MonitorMachine m, Session* s) noexcept:
    cdef int i
    if m.recent_session == s:
        m.recent_session = NULL
    for i in range(m.unit_count):
        m.room -= drop_unit(&m.units[i], s.block + m.units[i].offset)
    m.room -= session_room(m)
    m.room -= s.content_room * sizeof(uint32_t) + s.ident_room * sizeof(uint64_t)
    free(s.contents)
    free(s.idents)
    free(s)
