# Sessions: which one a call belongs to, in what order, and what was lost on the way.
#
# Owns:  a session owns its block of registers, what is known of its last calls, and what its units own.
# Needs: monitor.pxi, forms.pxi.        Gives: recall(), enter_session(), end_session().

cdef extern from *:
    """
    /* A quick mix of bytes, to tell two calls with one number apart; nothing hangs on it but a count. */
    static inline uint64_t state_blend(uint64_t h, const void *data, size_t size) {
        const uint8_t *p = (const uint8_t *)data;
        uint64_t w;
        h ^= size;
        for (; size >= 8; p += 8, size -= 8) {
            memcpy(&w, p, 8);
            h = (h ^ w) * 0x9E3779B97F4A7C15ULL;
            h ^= h >> 29;
        }
        w = 0;
        memcpy(&w, p, size);
        h = (h ^ w) * 0x9E3779B97F4A7C15ULL;
        return h ^ h >> 32;
    }
    """
    uint64_t state_blend(uint64_t h, const void* data, size_t size) noexcept nogil


cdef void take_units(MonitorMachine m, list units) except *:
    """The table of units, each with its place in a session's block."""
    cdef Unit* u
    cdef Py_ssize_t at = 0
    cdef int i, j
    m.unit_count = len(units)
    m.units = <Unit*>allocate(len(units) * sizeof(Unit))
    m.operator_registers = <int*>allocate(len(units) * sizeof(int))
    for i, given in enumerate(units):
        u = &m.units[i]
        (u.kind, u.clause, u.event, u.other, u.until, u.when, u.value, u.count, u.calls, u.span, u.before,
         u.ending) = given[:12]
        same, sources, enums = given[12:15]
        m.operator_registers[i] = -1
        check_unit(m, u, [*same, *[register for pair in sources for register in pair]], bool(sources))
        m.operator_count += u.kind <= UNIT_KIND_COUNTED
        if u.kind <= UNIT_KIND_COUNTED and m.operator_count != i + 1:
            raise ValueError("operators come first")
        take_lists(m, u, list(same), list(sources), list(enums))
        u.offset = at
        u.size = unit_size(u)
        u.most_keys = MAX_SLICES
        u.most_kept = MAX_COUNTED if u.kind == UNIT_KIND_COUNTED else MAX_TOKENS
        at += sizeof(void*) if u.same_count else (u.size + 7) & ~7
    m.block_size = at
    m.blank = <uint8_t*>allocate(at)
    for i in range(m.unit_count):
        if not m.units[i].same_count:
            blank_unit(&m.units[i], m.blank + m.units[i].offset)


cdef void check_unit(MonitorMachine m, const Unit* u, list more, bint sources) except *:
    """ValueError where a number of an artifact stands for nothing."""
    if not 0 <= u.kind < UNIT_KIND_COUNT or not -1 <= u.clause < m.clauses:
        raise ValueError("a unit of no kind")
    if (more and u.kind <= UNIT_KIND_COUNTED) or (sources and u.kind != UNIT_KIND_ONLY_FROM):
        raise ValueError("an operator has no keys, and only `only from` has sources")
    if u.kind > UNIT_KIND_COUNTED and u.clause < 0:
        raise ValueError("a form without a clause")
    for register in (u.event, u.other, u.until, u.when, u.value, *more):
        if not -1 <= register < m.registers:
            raise ValueError("no such register")
    if any([register < 0 for register in more]) or (u.kind == UNIT_KIND_ONLY_FROM and u.value < 0):
        raise ValueError("a register is missing")
    if not 0 <= u.count <= 1_000 or not -1 <= u.calls <= MANY_CALLS or not -1 <= u.span < STATE_OPEN // 4 or not 0 <= u.ending <= SAID_DROPPED:
        raise ValueError("a number of a unit is out of range")


cdef void take_lists(MonitorMachine m, Unit* u, list same, list sources, list enums) except *:
    """Registers of keys and sources, and the texts that `previous` may meet; they live as long as the monitor."""
    cdef int i
    registers = bytearray((len(same) + 2 * len(sources) + 1) * sizeof(int))
    texts = bytearray((len(enums) + 1) * sizeof(void*))
    m.kept_units = [*m.kept_units, registers, texts, enums]
    u.same = <int*>PyByteArray_AS_STRING(registers)
    u.enums = <PyObject**>PyByteArray_AS_STRING(texts)
    u.same_count, u.source_count, u.enum_count = len(same), len(sources), len(enums)
    for i in range(u.same_count):
        u.same[i] = same[i]
    for i in range(u.source_count):
        u.same[u.same_count + 2 * i], u.same[u.same_count + 2 * i + 1] = sources[i]
    for i in range(u.enum_count):
        if type(enums[i]) is not str:
            raise ValueError("an enum's value is no text")
        u.enums[i] = <PyObject*>enums[i]


# One call -------------------------------------------------------------------------------------------

cdef void recall(MonitorMachine m, Frame frame) noexcept:
    """Judge by what came before, and take the call; the masks say already what it says by itself."""
    cdef bint doubtful = frame.doubtful
    cdef int i
    m.counts[COUNT_RECORDS] += 1
    m.session = NULL
    m.standing = NO_SESSION
    m.notes = m.reasons = m.strange = m.fired = m.alarms = None
    m.has_time = False
    memset(m.waiting, 0, m.words * sizeof(uint64_t))
    m.identity_only = frame.outside or doubtful
    frame.steps = m.max_steps
    run_from(m, frame, m.state_code, 0)
    if m.standing == DUPLICATE:
        frame.outside = False
        memset(frame.violated, 0, 3 * m.words * sizeof(uint64_t))
        m.counts[COUNT_DUPLICATES] += 1
    elif frame.outside:
        m.counts[COUNT_OUTSIDE] += 1
    elif doubtful or frame.steps < 0:
        m.counts[COUNT_CALLS] += 1
        m.doubt(frame)
        for i in range(len(m.windows)):
            (<Windows>m.windows[i]).doubt(0, m.has_time, m.instant_time)
        if m.session != NULL:
            lose_session(m, m.session, 1, m.moment.last, STATE_OPEN if m.moment.timeless else m.moment.now, m.moment.number)
            expire_session(m, m.session, m.moment.number + 1, 0, False)
    else:
        m.counts[COUNT_CALLS] += 1
        if m.session != NULL:
            judge_session(m, frame)
        else:
            without_session(m, frame)
        if m.windows:
            judge_windows(m, frame)
        if m.drifts:
            judge_watches(m, frame)
    m.flush()


cdef void judge_session(MonitorMachine m, Frame frame) noexcept:
    """All forms judge, then all take the call: the many that it does not concern, all at once."""
    cdef state_word* w
    cdef uint64_t skips, unknown, due
    cdef int word
    if m.unit_count == m.operator_count:
        return
    if m.key_set_count > 1:
        memset(m.key_states, 0, m.key_set_count)
    else:
        m.key_states[0] = 0
    weigh_truths(m, frame.cells)
    for word in range(m.words):
        w = &m.weighed[word]
        skips = m.has[word].when & ~w.some.when | m.has[word].event & ~w.some.event & ~w.maybe.when
        unknown = (w.maybe.when | w.maybe.event) & ~skips
        frame.skipped[word] |= skips
        frame.unknown[word] |= unknown
        due = m.forms[word] & ~(skips | unknown)
        while due:
            judge_due(m, frame, m.form_of[64 * word + pact_lowest(due)])
            due &= due - 1
    for word in range(m.words):
        due = m.weighed[word].some.takes | m.has[word].takes
        while due:
            take_form(m, &m.units[m.form_of[64 * word + pact_lowest(due)]], m.session.block, frame)
            due &= due - 1
    if m.expects:
        count_expected(m)


cdef void judge_due(MonitorMachine m, Frame frame, int number) noexcept:
    """A form whose event this call is."""
    cdef const Unit* u = &m.units[number]
    cdef int why
    cdef int outcome = judge_form(m, u, m.session.block, frame, &why)
    cdef uint64_t bit = <uint64_t>1 << (u.clause & 63)
    if outcome == OUTCOME_VIOLATED:
        frame.violated[u.clause >> 6] |= bit
    elif outcome == OUTCOME_SKIPPED:
        frame.skipped[u.clause >> 6] |= bit
    elif outcome == OUTCOME_UNKNOWN:
        frame.unknown[u.clause >> 6] |= bit
        give_reason(m, u.clause, why)
        if why == WHY_PENDING:
            m.waiting[u.clause >> 6] |= bit


cdef void count_expected(MonitorMachine m) noexcept:
    """The last call within which something was expected may be this one."""
    cdef const Unit* u
    cdef int i
    for i in range(m.operator_count, m.unit_count):
        u = &m.units[i]
        if u.kind == UNIT_KIND_EXPECT and u.calls >= 0:
            each_expected(m, u, m.session.block, m.moment.number + 1, 0, False, 0)


cdef void give_reason(MonitorMachine m, int clause, int why) noexcept:
    if why == WHY_ERROR or m.quiet:
        return
    if m.reasons is None:
        m.reasons = {}
    m.reasons[clause] = why


cdef void without_session(MonitorMachine m, Frame frame) noexcept:
    """What needs a session is unknown, whatever else holds."""
    cdef int word
    for word in range(m.words):
        frame.violated[word] &= ~m.session_clauses[word]
        frame.skipped[word] &= ~m.session_clauses[word]
        frame.unknown[word] |= m.session_clauses[word]
    give_reason(m, -1, m.standing)


cdef void put_outcome(MonitorMachine m, Frame frame, int clause, int code) noexcept:
    """What a promise about many calls says of this one: an outcome, 16 times a reason, 256 if consequences fire."""
    cdef uint64_t bit = <uint64_t>1 << (clause & 63)
    if code & 15 == OUTCOME_VIOLATED:
        frame.violated[clause >> 6] |= bit
    elif code & 15 == OUTCOME_SKIPPED:
        frame.skipped[clause >> 6] |= bit
    elif code & 15 == OUTCOME_UNKNOWN:
        frame.unknown[clause >> 6] |= bit
        give_reason(m, clause, code >> 4 & 15)
        if code >> 4 & 15 == WHY_INSUFFICIENT:
            m.waiting[clause >> 6] |= bit
    if code & 256 and not m.quiet:
        m.fired = (clause,) if m.fired is None else (*m.fired, clause)


cdef void judge_watches(MonitorMachine m, Frame frame) noexcept:
    """The call goes to the detector of each `watch`, behind all that a watch may look at."""
    cdef int64_t time = m.instant_time if m.has_time else STATE_NEVER
    cdef Drift d
    cdef int code
    note_version(m, frame)
    for d in m.drifts:
        if frame.unknown[d.clause >> 6] & (<uint64_t>1 << (d.clause & 63)):     # it needs the session that there is not
            continue
        code = watch_call(d, frame, m.version, m.counts[COUNT_RECORDS], time)
        put_outcome(m, frame, d.clause, code)
        if code & 256:
            if m.alarms is None:
                m.alarms = {}
            m.alarms[d.clause] = (*d.alarm, mixed_since(m))


cdef tuple mixed_since(MonitorMachine m):
    """The clauses that watch a distribution, with the record of their last alarm."""
    cdef Drift d
    return tuple([(d.clause, d.last) for d in m.drifts if (<Drift>d).kind != WATCH_KIND_RATE and (<Drift>d).last])


cdef void note_version(MonitorMachine m, Frame frame) noexcept:
    """Which version of the agent the call is of: a hash for each field, 0 where it has none."""
    cdef const Cell* x
    cdef PyObject* text
    cdef state_key h
    cdef int i
    for i in range(m.version_count):
        x = &frame.cells[m.version_registers[i]]
        text = x.v.o if x.tag == TAG_STRING else NULL
        if text == NULL or (m.version_texts[i] is not None and pact_same_text(text, <PyObject*>m.version_texts[i])):
            if text == NULL:
                m.version_texts[i] = None
                m.version[i] = 0
            continue
        h = state_sip(m.secret, OF_VERSION + i, PyUnicode_DATA(text), PyUnicode_GET_LENGTH(text) * PyUnicode_KIND(text))
        m.version[i] = <uint32_t>h.a | 1
        m.version_texts[i] = <object>text
        if len(m.version_names) < MOST_VERSIONS:
            m.version_names.setdefault((i, m.version[i]), (<object>text)[:LONGEST_VERSION])


cdef void judge_windows(MonitorMachine m, Frame frame) noexcept:
    """The call enters the windows of each `keep`, and is judged by them."""
    cdef int i, code, clause
    for i in range(len(m.windows)):
        clause = m.kept_clauses[i]
        if frame.unknown[clause >> 6] & (<uint64_t>1 << (clause & 63)):         # it needs the session that there is not
            (<Windows>m.windows[i]).doubt(0, m.has_time, m.instant_time)
            continue
        code = (<Windows>m.windows[i]).enter(0, frame.cells, m.has_time, m.instant_time, frame, m.search)
        put_outcome(m, frame, clause, code)


cdef bint enter_session(MonitorMachine m, Frame frame, const Cell* key) noexcept:
    """Find the call's session and its place there; false where nothing more is to be judged by it."""
    cdef const Cell* time = &frame.cells[m.time_register] if m.time_register >= 0 else NULL
    cdef int64_t micros = 0
    cdef int64_t lost
    cdef Session* s
    m.session = NULL
    if time != NULL and time.tag == TAG_TIMESTAMP:
        m.has_time = True
        micros = m.instant_time = time.v.i * 1_000_000 + time.aux // 1_000
    m.moment.timeless = not m.has_time
    m.moment.now = m.moment.last = micros if m.has_time else STATE_EVER
    s = session_of(m, frame, key, micros)
    if s == NULL:
        m.counts[COUNT_NO_SESSION] += m.needs_sessions
        return not m.identity_only
    lost = place_call(m, s, frame)
    if lost < 0:
        return m.standing != DUPLICATE and not m.identity_only
    m.standing = STANDS
    if m.limit >= 0 and summed(s.calls, lost) >= m.limit:
        freeze_session(m, s, lost, micros)
        return not m.identity_only
    set_moment(m, s, micros)
    if s.undated and m.has_time and not frame.outside:
        date_session(m, s)
    if lost:
        m.counts[COUNT_LOST] = summed(m.counts[COUNT_LOST], lost)
        lose_session(m, s, lost, m.moment.last, STATE_OPEN if m.moment.timeless else m.moment.now, s.calls)
        s.calls = summed(s.calls, lost)
    s.undated |= m.moment.timeless and (lost > 0 or not frame.outside)
    m.moment.number = s.calls
    if frame.outside:
        if lost:
            expire_session(m, s, s.calls, 0, False)
        return False
    expire_session(m, s, s.calls, m.moment.now, m.has_time)
    m.flush()
    s.calls += 1
    if m.has_time:
        s.time = m.moment.now
    m.session = s
    return not m.identity_only


cdef void date_session(MonitorMachine m, Session* s) noexcept:
    """The first call with a time after some that have none."""
    cdef int i
    for i in range(m.unit_count):
        date_unit(m, &m.units[i], s.block + m.units[i].offset, m.moment.now)
    s.undated = False


cdef void freeze_session(MonitorMachine m, Session* s, int64_t lost, int64_t micros) noexcept:
    """Past the limit nothing is taken, so what is open will never be known; idle times go on."""
    m.standing = FROZEN
    m.counts[COUNT_OVER_LIMIT] += 1
    m.counts[COUNT_LOST] = summed(m.counts[COUNT_LOST], lost)
    s.calls = summed(s.calls, lost)
    if m.has_time and (s.time == STATE_NEVER or micros > s.time):
        s.time = micros
    end_obligations(m, s, 2)


cdef void set_moment(MonitorMachine m, Session* s, int64_t micros) noexcept:
    """When the call is, for the session: time never runs back."""
    m.moment.last = s.time if s.time != STATE_NEVER else STATE_EVER
    m.moment.now = m.moment.last if not m.has_time else micros
    if m.has_time and micros < m.moment.last:
        m.counts[COUNT_BACKWARD] += 1
        m.moment.now = m.moment.last


cdef Session* session_of(MonitorMachine m, Frame frame, const Cell* key, int64_t micros) noexcept:
    """The session of a key, a new one after an idle time; NULL if the key is none."""
    cdef state_key h
    cdef Session* s
    if m.recent_session != NULL and key.tag == TAG_STRING and pact_same_text(<PyObject*>m.recent_key, key.v.o):
        s = m.recent_session
    else:
        if key.tag == TAG_NULL or key.tag == TAG_ERROR or not value_hash(&h, m.secret, key, frame, 0):
            return NULL
        s = known_session(m, h, micros)
        if s == NULL:
            return NULL
        note_recent(m, s, key)
    s.touched = True
    if m.idle >= 0 and m.has_time and s.time != STATE_NEVER and micros - s.time > m.idle:
        expire_session(m, s, -1, micros, True)
        end_obligations(m, s, 1)
        m.flush()
        empty_session(m, s)
    return s


cdef Session* known_session(MonitorMachine m, state_key h, int64_t micros) noexcept:
    """The session that has this key, made if need be; NULL if there is no memory."""
    cdef state_entry* entry = state_find(&m.table, h.a, h.b)
    return new_session(m, h, micros) if entry == NULL else <Session*>entry.value


cdef inline void note_recent(MonitorMachine m, Session* s, const Cell* key) noexcept:
    """The next call may well be of the same session: a short text is compared sooner than hashed."""
    m.recent_session = NULL
    if key.tag == TAG_STRING and PyUnicode_GET_LENGTH(key.v.o) <= SHORT_KEY:
        m.recent_key = <object>key.v.o
        m.recent_session = s


# Order and loss -------------------------------------------------------------------------------------

cdef int64_t place_call(MonitorMachine m, Session* s, Frame frame) noexcept:
    """How many calls were lost before this one; -1 if it is no new call, and `standing` says what it is."""
    cdef const Cell* seq = &frame.cells[m.seq_register] if m.seq_register >= 0 else NULL
    if seq != NULL and seq.tag == TAG_INT and seq.v.i >= 0:
        return place_number(m, s, seq.v.i, frame)
    if m.id_register >= 0 and frame.cells[m.id_register].tag != TAG_NULL and frame.cells[m.id_register].tag != TAG_ERROR:
        return place_ident(m, s, &frame.cells[m.id_register], frame)
    return 0


cdef inline int64_t summed(int64_t a, int64_t b) noexcept:
    """Two numbers of calls together; at most 2**62, since who gives a call its number may give it any."""
    return a + b if a <= MOST_CALLS and b <= MOST_CALLS - a else MOST_CALLS


cdef int64_t place_number(MonitorMachine m, Session* s, int64_t seq, Frame frame) noexcept:
    cdef int64_t lost = seq - s.seq - 1
    cdef uint64_t bit
    if s.restarts and seq <= s.seq:             # after an idle time: the numbers begin anew, or go on
        s.recent = 0
        s.seq = -1
        lost = seq
    s.restarts = False
    if s.seq == -2:
        lost = 0
    elif seq <= s.seq:
        bit = <uint64_t>1 << (s.seq - seq) if s.seq - seq < RECENT else 0
        if s.recent & bit:
            m.standing = DUPLICATE
            m.counts[COUNT_CONFLICTS] += content_at(s, seq) not in (0, content_of(m, frame))
        else:
            m.standing = LATE
            m.counts[COUNT_LATE] += 1
            s.recent |= bit
            if bit and s.seq - seq < s.content_room:
                s.contents[seq % s.content_room] = content_of(m, frame)
        return -1
    s.recent = 1 if lost >= RECENT - 1 or s.seq < 0 else s.recent << (lost + 1) | 1
    s.seq = seq
    keep_content(m, s, seq, lost, frame)
    return lost


cdef uint32_t content_of(MonitorMachine m, Frame frame) noexcept:
    """What a call says, in 32 bits: the fields that the pact reads."""
    cdef uint64_t h = 1
    cdef const Cell* x
    cdef state_key inner
    cdef int i
    for i in range(m.slot_count):
        x = &frame.cells[i]
        h = h * 31 + (TAG_STRING if x.tag == TAG_SPAN else x.tag)
        if x.tag == TAG_STRING:
            h = state_blend(h, PyUnicode_DATA(x.v.o), PyUnicode_GET_LENGTH(x.v.o) * PyUnicode_KIND(x.v.o))
        elif x.tag == TAG_SPAN:
            h = state_blend(h, <const void*>x.v.o, x.aux & ~SPAN_ESCAPED)
        elif x.tag == TAG_LIST or x.tag == TAG_MAP or x.tag == TAG_BYTES:
            if value_hash(&inner, m.secret, x, frame, 0):
                h ^= inner.a
        elif x.tag != TAG_RECORD and x.tag < TAG_TYPE and x.tag != TAG_NULL and x.tag != TAG_ERROR:
            h = state_blend(h + <uint64_t>x.aux * (x.tag == TAG_TIMESTAMP or x.tag == TAG_DURATION), &x.v.i, 8)
    return <uint32_t>(h ^ h >> 32) or 1


cdef uint32_t content_at(const Session* s, int64_t seq) noexcept:
    """What the call of a number said; 0 if it has not been kept."""
    return s.contents[seq % s.content_room] if s.seq - seq < s.content_room else 0


cdef void keep_content(MonitorMachine m, Session* s, int64_t seq, int64_t lost, Frame frame) noexcept:
    """Keep what the call of this number said; the room grows with the session, up to the last 64 numbers."""
    cdef int32_t room = max(s.content_room, 4)
    cdef int64_t last = seq - lost - 1
    cdef uint32_t* grown
    cdef int64_t i
    while room < RECENT and room <= summed(s.calls, lost):
        room *= 2
    if room > s.content_room:
        grown = <uint32_t*>calloc(room, sizeof(uint32_t))
        if grown == NULL:
            return
        for i in range(max(0, last - s.content_room + 1), last + 1):
            grown[i % room] = s.contents[i % s.content_room]
        free(s.contents)
        m.room += (room - s.content_room) * sizeof(uint32_t)
        s.contents = grown
        s.content_room = room
    s.contents[seq % room] = content_of(m, frame)


cdef int64_t place_ident(MonitorMachine m, Session* s, const Cell* ident, Frame frame) noexcept:
    """0, or -1 for an id that is among the last 64."""
    cdef state_key h
    cdef int32_t i, known = min(s.ident_count, s.ident_room)
    if not value_hash(&h, m.secret, ident, frame, 0):
        return 0
    for i in range(known):
        if s.idents[i] == h.a:
            m.standing = DUPLICATE
            return -1
    if s.ident_room < RECENT and s.ident_count >= s.ident_room and not more_idents(m, s):
        return 0
    s.idents[s.ident_count % s.ident_room] = h.a
    s.ident_count += 1
    if s.ident_count == 4 * RECENT:
        s.ident_count = 2 * RECENT
    return 0


cdef bint more_idents(MonitorMachine m, Session* s) noexcept:
    cdef int32_t room = 4 if s.ident_room == 0 else 2 * s.ident_room
    cdef uint64_t* grown = <uint64_t*>realloc(s.idents, room * sizeof(uint64_t))
    if grown == NULL:
        return False
    m.room += (room - s.ident_room) * sizeof(uint64_t)
    s.idents = grown
    s.ident_room = room
    return True


cdef void lose_session(MonitorMachine m, Session* s, int64_t calls, int64_t t0, int64_t t1, int64_t first) noexcept:
    """Calls that nobody saw: whatever they may have been counts as a maybe."""
    cdef int i
    if calls > MANY_CALLS:                      # sums stay in range; as odd or even as before, for what opens and closes
        first = summed(first, calls - MANY_CALLS - (calls & 1))
        calls = MANY_CALLS | (calls & 1)
    for i in range(m.unit_count):
        lose_unit(&m.units[i], s.block + m.units[i].offset, calls, t0, t1, first)
        if m.units[i].kind == UNIT_KIND_EXPECT:
            m.open_at(&m.units[i], t1)
            settle_lost(m, &m.units[i], s.block)


cdef void settle_lost(MonitorMachine m, const Unit* u, uint8_t* block) noexcept:
    """A lost call may have been what one reading waited for: see whether both have said so now."""
    each_expected(m, u, block, -1, 0, False, 0)
