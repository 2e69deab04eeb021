# Named forms: how each judges a call by the registers, and what the registers take of the call.
#
# Owns:  nothing.
# Needs: units.pxi, monitor.pxi.        Gives: judge_form(), take_form(), expire_form(), end_form().
# All forms judge before any takes: they look at earlier calls only.

cdef int judge_form(MonitorMachine m, const Unit* u, uint8_t* block, Frame frame, int* why) noexcept:
    """The outcome of a form's clause on this call, and why it is unknown."""
    cdef int admitted = answer_of(frame.cells, u.when)
    cdef int event = answer_of(frame.cells, u.event)
    cdef int answer
    cdef uint8_t* r
    why[0] = WHY_ERROR
    if admitted == STATE_NO or (admitted == STATE_YES and event == STATE_NO):
        return OUTCOME_SKIPPED
    if admitted == STATE_MAYBE or event == STATE_MAYBE:
        return OUTCOME_UNKNOWN
    r = registers_of(m, u, block, frame, False)
    if r == NULL:
        why[0] = m.refused
        return OUTCOME_UNKNOWN
    if u.kind == UNIT_KIND_EXPECT:
        if u.span >= 0 and m.moment.timeless:   # its time may never run out
            return OUTCOME_UNKNOWN
        return judge_expected(<state_expect*>r, why)
    if u.kind == UNIT_KIND_ONLY_AFTER:
        answer = state_only_after(r, u.count, u.span, &m.moment)
    elif u.kind == UNIT_KIND_AT_MOST:
        answer = state_at_most(r, u.count, u.span, &m.moment)
    elif u.kind == UNIT_KIND_NEVER_AFTER:
        answer = state_never_after(<state_forbidden*>r)
    else:
        answer = judge_tokens(m, u, r, frame)
    why[0] = WHY_PAST
    if answer == STATE_MAYBE:
        return OUTCOME_UNKNOWN
    if answer == STATE_YES:
        return OUTCOME_SATISFIED
    witness(m, u, r)
    return OUTCOME_VIOLATED


cdef int judge_expected(const state_expect* r, int* why) noexcept:
    """Of a trigger: pending, unless an obligation is open; unknown where only one reading has one."""
    cdef bint no = r.copies[0].number >= 0
    cdef bint yes = r.copies[1].number >= 0
    why[0] = WHY_PENDING if not no and not yes else WHY_PAST
    return OUTCOME_SKIPPED if no and yes else OUTCOME_UNKNOWN


cdef void witness(MonitorMachine m, const Unit* u, uint8_t* r) noexcept:
    """Note which earlier call a broken promise looks back to: calls and microseconds ago, None if there is none."""
    cdef state_witness* w = <state_witness*>r
    cdef object calls = None
    cdef object micros = None
    if m.quiet:
        return
    if u.kind != UNIT_KIND_ONLY_FROM and w.number >= 0:
        calls = m.moment.number - w.number
        if w.time != STATE_NEVER and not m.moment.timeless:
            micros = m.moment.now - w.time
    if m.notes is None:
        m.notes = {}
    m.notes[u.clause] = (calls, micros)


# Keys ----------------------------------------------------------------------------------------------

cdef uint8_t* registers_of(MonitorMachine m, const Unit* u, uint8_t* block, Frame frame, bint make) noexcept:
    """The registers of this call's slice; those of unseen keys where it is new and not to be made; NULL,
    with the reason in `m.refused`, where the key is an error value or one more than are kept."""
    cdef uint8_t* r = block + u.offset
    cdef Slices* slices
    cdef state_entry* entry
    cdef state_key h
    if not u.same_count:
        return r
    m.refused = WHY_ERROR
    if not hash_keys(&h, m, u, frame):
        return NULL
    slices = slices_of(u, r)
    if slices == NULL:
        return NULL
    entry = state_find(&slices.table, h.a, h.b)
    if entry != NULL:
        return <uint8_t*>entry.value
    if slices.table.count >= u.most_keys:
        m.counts[COUNT_OVER_KEYS] += not slices.full
        slices.full = True
        m.refused = WHY_KEYS
        return NULL
    return slices.unseen if not make else new_slice(m, u, slices, h)


cdef uint8_t* new_slice(MonitorMachine m, const Unit* u, Slices* slices, state_key h) noexcept:
    cdef uint8_t* r = <uint8_t*>malloc(u.size)
    if r == NULL or not state_insert(&slices.table, h.a, h.b, r):
        free(r)
        return NULL
    memcpy(r, slices.unseen, u.size)            # owns nothing: unseen keys have no obligation of their own
    if u.kind == UNIT_KIND_EXPECT:
        (<state_expect*>r).id = NULL
        (<state_expect*>r).asked = -1
    elif u.kind == UNIT_KIND_ONLY_FROM:
        copy_tokens(<state_table*>r, <state_table*>slices.unseen)
        m.room += (<state_table*>r).count * 2 * sizeof(state_entry)
    m.room += slice_room(u, slices.table.count) - slice_room(u, slices.table.count - 1)
    return r


cdef void copy_tokens(state_table* to, const state_table* source) noexcept:
    """A slice's own table with what a maybe key has put into every slice."""
    cdef size_t i
    memset(to, 0, sizeof(state_table))
    for i in range(source.room):
        if source.entries[i].value != NULL:
            state_insert(to, source.entries[i].a, source.entries[i].b, source.entries[i].value)


cdef bint hash_keys(state_key* out, MonitorMachine m, const Unit* u, Frame frame) noexcept:
    """The hash of a form's keys, once for all forms with these keys; false if one of them is null or an error
    value."""
    cdef state_key pair[2]
    cdef int i
    if m.key_states[u.key_set]:
        out[0] = m.key_hashes[u.key_set]
        return m.key_states[u.key_set] == 1
    m.key_states[u.key_set] = 2
    for i in range(u.same_count):
        if not value_hash(&pair[1], m.secret, &frame.cells[u.same[i]], frame, 0):
            return False
        pair[0] = pair[1] if i == 0 else state_sip(m.secret, OTHER, pair, sizeof(pair))
    out[0] = m.key_hashes[u.key_set] = pair[0]
    m.key_states[u.key_set] = 1
    return True


# What registers take --------------------------------------------------------------------------------

cdef void take_form(MonitorMachine m, const Unit* u, uint8_t* block, Frame frame) noexcept:
    """The registers of one form take this call."""
    cdef int event = answer_of(frame.cells, u.event)
    cdef int other = answer_of(frame.cells, u.other)
    cdef int until = answer_of(frame.cells, u.until) if u.kind == UNIT_KIND_NEVER_AFTER and u.before else STATE_NO
    cdef uint8_t* r
    if u.kind == UNIT_KIND_ONLY_FROM:
        event = other = any_source(u, frame)
    elif u.kind == UNIT_KIND_ONLY_AFTER and not u.before or u.kind == UNIT_KIND_NEVER_AFTER:
        event = STATE_NO if u.kind == UNIT_KIND_ONLY_AFTER else until
    elif u.kind == UNIT_KIND_AT_MOST:
        other = STATE_NO
    if event == STATE_NO and other == STATE_NO:
        return
    r = registers_of(m, u, block, frame, True)
    if r != NULL:
        take_registers(m, u, r, frame, event, other, False)
    elif m.refused == WHY_ERROR and u.same_count:
        take_everywhere(m, u, block, frame, min(event, 1) * STATE_MAYBE, min(other, 1) * STATE_MAYBE)


cdef void take_everywhere(MonitorMachine m, const Unit* u, uint8_t* block, Frame frame, int event, int other) noexcept:
    """A call whose key is not known may be in any slice, and in those that have not come yet."""
    cdef Slices* slices = slices_of(u, block + u.offset)
    cdef size_t i
    if slices == NULL:
        return
    take_registers(m, u, slices.unseen, frame, event, other, True)
    for i in range(slices.table.room):
        if slices.table.entries[i].value != NULL:
            take_registers(m, u, <uint8_t*>slices.table.entries[i].value, frame, event, other, True)


cdef void take_registers(MonitorMachine m, const Unit* u, uint8_t* r, Frame frame, int event, int other, bint doubtful) noexcept:
    """One set of registers takes the call.  event, other: of `never after` what forbids is `other`, what
    allows again `event`."""
    if u.kind == UNIT_KIND_ONLY_AFTER:
        state_only_after_take(r, u.count, u.span, u.before, event, other, &m.moment)
    elif u.kind == UNIT_KIND_AT_MOST:
        state_at_most_take(r, u.count, u.span, event, &m.moment)
    elif u.kind == UNIT_KIND_NEVER_AFTER:
        state_never_after_take(<state_forbidden*>r, other, event, &m.moment)
    elif u.kind == UNIT_KIND_ONLY_FROM:
        take_tokens(m, u, r, frame, doubtful)
    else:
        take_expected(m, u, <state_expect*>r, frame, event, other)


# `expect` -------------------------------------------------------------------------------------------

cdef void take_expected(MonitorMachine m, const Unit* u, state_expect* r, Frame frame, int event, int other) noexcept:
    """The answer closes what was open before; then the trigger opens where nothing was."""
    cdef bint before[2]
    cdef int reading
    if u.span >= 0 and m.moment.timeless:
        event = min(event, 1) * STATE_MAYBE
        other = min(other, 1) * STATE_MAYBE
    for reading in range(2):
        before[reading] = r.copies[reading].number >= 0
        if before[reading] and (other == STATE_YES or (reading and other == STATE_MAYBE)):
            say_expected(r, reading, SAID_KEPT)
        elif before[reading] and u.calls >= 0 and m.moment.number - r.copies[reading].number >= u.calls:
            say_expected(r, reading, SAID_BROKEN)
    settle_expected(m, u, r)
    for reading in range(2):
        if not before[reading] and (event == STATE_YES or (reading and event == STATE_MAYBE)):
            r.copies[reading].number = m.moment.number
            r.copies[reading].time = STATE_OPEN if m.moment.timeless else m.moment.now
            m.open_at(u, r.copies[reading].time)
    if event == STATE_YES and not before[0] and not before[1] and answer_of(frame.cells, u.when) == STATE_YES:
        r.asked = m.moment.number
        r.time = m.instant_time if m.has_time else STATE_NEVER
        r.said[0] = r.said[1] = SAID_NOTHING
        ask_expected(m, r, frame)


cdef void ask_expected(MonitorMachine m, state_expect* r, Frame frame) noexcept:
    """Keep the id of the call whose verdict is pending."""
    cdef object ident = None
    if m.id_register >= 0 and can_box(&frame.cells[m.id_register]):
        ident = box(&frame.cells[m.id_register])
        ident = ident[:LONGEST_ID] if type(ident) is str else ident if type(ident) is int else None
    if ident is None:
        ident = m.number
    Py_INCREF(ident)
    r.id = <void*>ident


cdef void settle_expected(MonitorMachine m, const Unit* u, state_expect* r) noexcept:
    """Resolve the pending verdict when both readings have said what came of it."""
    cdef int outcome
    if r.asked < 0 or r.said[0] == SAID_NOTHING or r.said[1] == SAID_NOTHING:
        return
    outcome = OUTCOME_UNKNOWN
    if r.said[0] == r.said[1]:
        outcome = OUTCOME_SATISFIED if r.said[0] == SAID_KEPT else OUTCOME_VIOLATED if r.said[0] == SAID_BROKEN else OUTCOME_SKIPPED
    amend_expected(m, u, r, outcome)


cdef void amend_expected(MonitorMachine m, const Unit* u, state_expect* r, int outcome) noexcept:
    m.amend(<object>r.id, u.clause, outcome, r.asked, r.time)
    Py_DECREF(<object>r.id)
    r.id = NULL
    r.asked = -1


cdef void expire_registers(MonitorMachine m, const Unit* u, state_expect* r, int64_t number, int64_t now, bint timed) noexcept:
    """Close what has run out before a call with this number and time.  number: -1 if there is no call."""
    cdef state_duty* copy
    cdef int reading
    for reading in range(2):
        copy = &r.copies[reading]
        if copy.number < 0:
            continue
        if (number >= 0 and u.calls >= 0 and number - copy.number > u.calls) or (
            timed and u.span >= 0 and copy.time != STATE_OPEN and now - copy.time > u.span
        ):
            say_expected(r, reading, SAID_BROKEN)
    settle_expected(m, u, r)


cdef void end_registers(MonitorMachine m, const Unit* u, state_expect* r, bint forgotten) noexcept:
    """The session is over: say what the pact makes of what is open.  forgotten: it was dropped for memory."""
    cdef int said = SAID_NOTHING if forgotten else u.ending
    cdef int reading
    if r.asked < 0:
        return
    for reading in range(2):
        if r.said[reading] == SAID_NOTHING:
            r.said[reading] = said
    settle_expected(m, u, r)
    if r.asked >= 0:
        amend_expected(m, u, r, OUTCOME_UNKNOWN)


cdef void each_expected(MonitorMachine m, const Unit* u, uint8_t* block, int64_t number, int64_t now, bint timed, int ends) noexcept:
    """Expire (ends 0), end (1) or forget (2) every obligation of one form in a session."""
    cdef Slices* slices
    cdef size_t i
    if not u.same_count:
        expected_once(m, u, block + u.offset, number, now, timed, ends)
        return
    slices = (<Slices**>(block + u.offset))[0]
    if slices == NULL:
        return
    expected_once(m, u, slices.unseen, number, now, timed, ends)
    for i in range(slices.table.room):
        if slices.table.entries[i].value != NULL:
            expected_once(m, u, <uint8_t*>slices.table.entries[i].value, number, now, timed, ends)


cdef inline void expected_once(MonitorMachine m, const Unit* u, uint8_t* r, int64_t number, int64_t now, bint timed, int ends) noexcept:
    if ends:
        end_registers(m, u, <state_expect*>r, ends == 2)
    else:
        expire_registers(m, u, <state_expect*>r, number, now, timed)


# `only from` ----------------------------------------------------------------------------------------

cdef int any_source(const Unit* u, Frame frame) noexcept:
    """Whether the call is any of a form's sources."""
    cdef int i, found = STATE_NO
    cdef int answer
    for i in range(u.source_count):
        answer = answer_of(frame.cells, u.same[u.same_count + 2 * i])
        found = STATE_YES if answer == STATE_YES else max(found, answer) if found != STATE_YES else found
    return found


cdef void take_tokens(MonitorMachine m, const Unit* u, uint8_t* r, Frame frame, bint doubtful) noexcept:
    """Keep the tokens of every source that this call is."""
    cdef int i, answer
    cdef const Cell* text
    for i in range(u.source_count):
        answer = answer_of(frame.cells, u.same[u.same_count + 2 * i])
        text = &frame.cells[u.same[u.same_count + 2 * i + 1]]
        if answer == STATE_NO or text.tag == TAG_NULL:
            continue
        if text.tag == TAG_ERROR or not keep_tokens(m, u, <state_table*>r, text, answer == STATE_YES and not doubtful, frame):
            (<int64_t*>(r + sizeof(state_table)))[0] |= 1


cdef bint keep_tokens(MonitorMachine m, const Unit* u, state_table* table, const Cell* text, bint certain, Frame frame) noexcept:
    """Put a text's tokens into the table; false if not all of them are there."""
    cdef state_entry* entry
    cdef uint64_t token
    if not can_box(text):
        return False
    frame.pin()
    try:
        tokens, complete = m.tokens(box(text))
        for each in tokens:
            token = each
            entry = state_find(table, token, 0)
            if entry != NULL:
                entry.value = <void*>(<size_t>entry.value | (2 if certain else 1))
            elif <int64_t>table.count >= u.most_kept or not state_insert(table, token, 0, <void*><size_t>(2 if certain else 1)):
                return False
            else:
                m.room += 2 * sizeof(state_entry)
        return complete
    except BaseException as error:
        frame.stop(error)
        return False


cdef int judge_tokens(MonitorMachine m, const Unit* u, const uint8_t* r, Frame frame) noexcept:
    """Whether every token of the value came from a source."""
    cdef const Cell* value = &frame.cells[u.value]
    cdef const state_table* table = <const state_table*>r
    cdef bint over = (<const int64_t*>(r + sizeof(state_table)))[0] & 1
    cdef state_entry* entry
    cdef int answer = STATE_YES
    cdef list strange = []
    if not can_box(value):
        return STATE_MAYBE
    frame.pin()
    try:
        tokens, complete = m.tokens(box(value))
        for each in tokens:
            entry = state_find(table, <uint64_t>each, 0)
            if entry == NULL and not over:
                answer = STATE_NO
                strange.append(each)
            elif answer != STATE_NO and (entry == NULL or not <size_t>entry.value & 2):
                answer = STATE_MAYBE
        if answer == STATE_NO:
            m.tell_strange(u.clause, strange)
            return answer
        return answer if complete else STATE_MAYBE
    except BaseException as error:
        frame.stop(error)
        return STATE_MAYBE
