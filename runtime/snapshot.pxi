# Snapshots: what sessions remember, as bytes and back.
#
# Owns:  nothing.
# Needs: sessions.pxi.        Gives: save_sessions(), load_sessions().
# Of each unit of each session the bytes have their length before them, so that a later version of the pact
# can pass over those of a unit that it does not have.  Nothing that is read is trusted: every count is
# bounded by the bytes that are left, and every number that becomes an index is looked at.
# Integers are those of the machine, little-endian ones.

cdef enum:
    SAVED_AT_ONCE = 65_536      # bytes, before other threads have their turn

cdef class SnapshotSource:
    """Bytes that are read from the beginning; ValueError where they end too early."""

    cdef bytes data
    cdef const uint8_t* at
    cdef const uint8_t* end

    def __cinit__(self, bytes data):
        self.data = data
        self.at = <const uint8_t*>PyBytes_AS_STRING(data)
        self.end = self.at + PyBytes_GET_SIZE(data)

    cdef const uint8_t* take(self, Py_ssize_t size) except NULL:
        cdef const uint8_t* found = self.at
        if size < 0 or self.end - self.at < size:
            raise ValueError("the snapshot is cut short")
        self.at += size
        return found

    cdef int64_t number(self) except? -1:
        cdef int64_t value
        memcpy(&value, self.take(8), 8)
        return value

    cdef int64_t count(self, Py_ssize_t each) except -1:
        """How many things of at least `each` bytes follow."""
        cdef int64_t value = self.number()
        if value < 0 or value > (self.end - self.at) // each:
            raise ValueError("the snapshot is damaged: a count is out of range")
        return value


cdef int put_bytes(bytearray out, const void* data, Py_ssize_t size) except -1:
    out += PyBytes_FromStringAndSize(<const char*>data, size)
    return 0

cdef int put_number(bytearray out, int64_t value) except -1:
    return put_bytes(out, &value, 8)


# Out ------------------------------------------------------------------------------------------------

cdef bytes save_sessions(MonitorMachine m):
    """Every session, in the order in which the clock's hand will come by."""
    cdef bytearray out = bytearray()
    cdef int64_t i
    cdef Py_ssize_t breath = SAVED_AT_ONCE
    put_bytes(out, m.counts, sizeof(m.counts))
    put_number(out, m.hand)
    put_number(out, m.number)
    put_number(out, m.filter_bits if m.filter != NULL else 0)
    if m.filter != NULL:
        put_bytes(out, m.filter, m.filter_bits >> 3)
    put_number(out, m.counts[COUNT_SESSIONS])
    for i in range(m.counts[COUNT_SESSIONS]):
        save_session(m, m.all[i], out)
        if len(out) >= breath:
            breath = len(out) + SAVED_AT_ONCE
            with nogil:                         # the state is `busy`, so nobody changes it meanwhile
                usleep(PAUSE)
    return bytes(out)


cdef int save_session(MonitorMachine m, const Session* s, bytearray out) except -1:
    cdef int i
    cdef Py_ssize_t start
    cdef int64_t size
    put_bytes(out, s.key, 16)
    for number in (s.time, s.calls, s.seq, <int64_t>s.recent, s.restarts | s.undated << 1, s.touched, s.content_room, s.ident_room, s.ident_count):
        put_number(out, number)
    put_bytes(out, s.contents, s.content_room * sizeof(uint32_t))
    put_bytes(out, s.idents, s.ident_room * sizeof(uint64_t))
    for i in range(m.unit_count):
        start = len(out)
        put_number(out, 0)
        save_unit(&m.units[i], <uint8_t*>s.block + m.units[i].offset, out)
        size = len(out) - start - 8
        memcpy(PyByteArray_AS_STRING(out) + start, &size, 8)
    return 0


cdef int save_unit(const Unit* u, uint8_t* r, bytearray out) except -1:
    """The registers of a unit, or those of its slices."""
    cdef Slices* slices
    cdef size_t i
    if not u.same_count:
        return save_registers(u, r, out)
    slices = (<Slices**>r)[0]
    put_number(out, slices != NULL)
    if slices == NULL:
        return 0
    put_number(out, slices.full)
    save_registers(u, slices.unseen, out)
    put_number(out, slices.table.count)
    for i in range(slices.table.room):
        if slices.table.entries[i].value != NULL:
            put_bytes(out, &slices.table.entries[i], 16)
            save_registers(u, <uint8_t*>slices.table.entries[i].value, out)
    return 0


cdef int save_registers(const Unit* u, uint8_t* r, bytearray out) except -1:
    if u.kind == UNIT_KIND_COUNTED and u.span >= 0:
        return save_times((<Times**>r)[0], out)
    if u.kind == UNIT_KIND_ONLY_FROM:
        return save_tokens(<state_table*>r, (<int64_t*>(r + sizeof(state_table)))[0], out)
    if u.kind != UNIT_KIND_EXPECT:
        return put_bytes(out, r, u.size)
    put_bytes(out, (<state_expect*>r).copies, sizeof(state_duty) * 2)
    put_number(out, (<state_expect*>r).asked)
    put_number(out, (<state_expect*>r).time)
    put_bytes(out, (<state_expect*>r).said, 8)
    return save_id(<PyObject*>(<state_expect*>r).id, out)


cdef int save_id(PyObject* ident, bytearray out) except -1:
    """-1 for none, -2 for a number, else the length of a text."""
    cdef bytes text
    if ident == NULL:
        return put_number(out, -1)
    if isinstance(<object>ident, int):
        put_number(out, -2)
        return put_number(out, <object>ident)
    text = (<str>ident).encode("utf-8", "surrogatepass")
    put_number(out, len(text))
    out += text
    return 0


cdef int save_times(const Times* t, bytearray out) except -1:
    put_number(out, 0 if t == NULL else t.room)
    if t != NULL:
        put_bytes(out, t.lengths, 16)
        put_bytes(out, t.heads, 16)
        put_bytes(out, t.over, 16)
        put_bytes(out, t.times, 2 * t.room * sizeof(int64_t))
    return 0


cdef int save_tokens(const state_table* table, int64_t over, bytearray out) except -1:
    cdef size_t i
    put_number(out, over)
    put_number(out, table.count)
    for i in range(table.room):
        if table.entries[i].value != NULL:
            put_bytes(out, &table.entries[i].a, 8)
            put_number(out, <int64_t><size_t>table.entries[i].value)
    return 0


# In -------------------------------------------------------------------------------------------------

cdef int load_sessions(MonitorMachine m, bytes data, list places, bint adding) except -1:
    """Take over saved sessions; ValueError, and nothing is changed that counts, where the bytes are damaged.

    places: for each saved unit its number here, -1 where there is none.  adding: to what is here already.
    """
    cdef SnapshotSource source = SnapshotSource(data)
    cdef int64_t i, count
    cdef const int64_t* tallies = <const int64_t*>source.take(sizeof(m.counts))
    for i in range(COUNTS):
        if tallies[i] < 0:
            raise ValueError("the snapshot is damaged: a count is out of range")
        if i != COUNT_SESSIONS:
            m.counts[i] = tallies[i] + (m.counts[i] if adding else 0)
    count = source.number()
    m.hand = 0 if adding or count < 0 else count
    count = source.number()
    m.number = count + (m.number if adding else 0)
    load_filter(m, source)
    count = source.count(16)
    for i in range(count):
        load_session(m, source, places)
    if source.at != source.end:
        raise ValueError("the snapshot has something behind its end")
    for i in range(m.counts[COUNT_SESSIONS]):
        note_deadlines(m, m.all[i])
    return 0


cdef int load_filter(MonitorMachine m, SnapshotSource source) except -1:
    """The larger of two filters stays; the smaller one is laid over it again and again, as its bits are the
    low ones of a place."""
    cdef const uint8_t* saved
    cdef int64_t i, bits = source.number()
    if not bits:
        return 0
    if not LEAST_FILTER <= bits <= MOST_FILTER or bits & (bits - 1):
        raise ValueError("the snapshot is damaged: a filter of no size")
    saved = source.take(bits >> 3)
    widen_filter(m, max(bits, m.filter_bits))
    for i in range(m.filter_bits >> 3):
        m.filter[i] |= saved[i & (bits >> 3) - 1]
    m.filter_set = 0
    for i in range(m.filter_bits >> 3):
        m.filter_set += state_ones(m.filter[i])
    return 0


cdef int widen_filter(MonitorMachine m, int64_t bits) except -1:
    """A filter of so many bits, which holds what is in the one there is."""
    cdef uint8_t* wide
    cdef int64_t i
    if m.filter != NULL and bits == m.filter_bits:
        return 0
    wide = <uint8_t*>calloc(1, bits >> 3)
    if wide == NULL:
        raise MemoryError()
    for i in range(bits >> 3 if m.filter != NULL else 0):
        wide[i] = m.filter[i & (m.filter_bits >> 3) - 1]
    free(m.filter)
    m.filter = wide
    m.filter_bits = bits
    return 0


cdef int load_session(MonitorMachine m, SnapshotSource source, list places) except -1:
    cdef state_key h
    cdef Session* s
    cdef int64_t numbers[9]
    cdef int i
    memcpy(&h, source.take(16), 16)
    for i in range(9):
        numbers[i] = source.number()
    if state_find(&m.table, h.a, h.b) != NULL:
        raise ValueError("a session comes twice")
    if numbers[1] < 0 or numbers[2] < -2 or not 0 <= numbers[6] <= RECENT or not 0 <= numbers[7] <= RECENT:
        raise ValueError("the snapshot is damaged: a number of a session is out of range")
    if not 0 <= numbers[8] <= 4 * RECENT or (numbers[6] & (numbers[6] - 1)) or (numbers[7] & (numbers[7] - 1)):
        raise ValueError("the snapshot is damaged: a number of a session is out of range")
    s = add_session(m, h)
    if s == NULL:
        raise MemoryError()
    s.time, s.calls, s.seq = numbers[0], numbers[1], numbers[2]
    s.recent = <uint64_t>numbers[3]
    s.restarts, s.undated, s.touched = numbers[4] & 1, numbers[4] >> 1 & 1, numbers[5] != 0
    load_recent(m, s, source, numbers[6], numbers[7], numbers[8])
    load_units(m, s, source, places)
    return 0


cdef int load_recent(MonitorMachine m, Session* s, SnapshotSource source, int64_t contents, int64_t idents, int64_t known) except -1:
    cdef const uint8_t* first = source.take(contents * sizeof(uint32_t))
    cdef const uint8_t* second = source.take(idents * sizeof(uint64_t))
    if contents:
        s.contents = <uint32_t*>malloc(contents * sizeof(uint32_t))
    if idents:
        s.idents = <uint64_t*>malloc(idents * sizeof(uint64_t))
    if (contents and s.contents == NULL) or (idents and s.idents == NULL):
        raise MemoryError()
    memcpy(s.contents, first, contents * sizeof(uint32_t))
    memcpy(s.idents, second, idents * sizeof(uint64_t))
    s.content_room, s.ident_room, s.ident_count = contents, idents, known
    m.room += contents * sizeof(uint32_t) + idents * sizeof(uint64_t)
    return 0


cdef int load_units(MonitorMachine m, Session* s, SnapshotSource source, list places) except -1:
    """The registers of each unit; one that was not saved has an unknown past."""
    cdef int64_t size
    cdef const uint8_t* end
    cdef int i
    known = set()
    for place in places:
        size = source.count(1)
        end = source.at + size
        if place < 0:
            source.take(size)
            continue
        i = place
        load_unit(m, &m.units[i], s.block + m.units[i].offset, source)
        m.room += kept_tokens(&m.units[i], s.block + m.units[i].offset) * 2 * sizeof(state_entry)
        known.add(place)
        if source.at != end:
            raise ValueError("the snapshot is damaged: the registers are of another size")
    for i in range(m.unit_count):
        if i not in known:
            s.undated |= s.time == STATE_NEVER
            lose_unit(&m.units[i], s.block + m.units[i].offset, MANY_CALLS, STATE_EVER, s.time if s.time != STATE_NEVER else STATE_OPEN, 0)
    return 0


cdef int64_t kept_tokens(const Unit* u, uint8_t* r) noexcept:
    """How many tokens a unit of `only from` holds."""
    cdef Slices* slices = (<Slices**>r)[0]
    cdef int64_t found
    cdef size_t i
    if u.kind != UNIT_KIND_ONLY_FROM:
        return 0
    if not u.same_count:
        return (<state_table*>r).count
    if slices == NULL:
        return 0
    found = (<state_table*>slices.unseen).count
    for i in range(slices.table.room):
        if slices.table.entries[i].value != NULL:
            found += (<state_table*>slices.table.entries[i].value).count
    return found


cdef int load_unit(MonitorMachine m, const Unit* u, uint8_t* r, SnapshotSource source) except -1:
    cdef Slices* slices
    cdef uint8_t* made
    cdef state_key h
    cdef int64_t i, count
    if not u.same_count:
        return load_registers(u, r, source)
    if not source.number():
        return 0
    slices = slices_of(u, r)
    if slices == NULL:
        raise MemoryError()
    slices.full = source.number() != 0
    load_registers(u, slices.unseen, source)
    count = source.count(16)
    if count > MAX_SLICES:
        raise ValueError("the snapshot is damaged: too many keys")
    for i in range(count):
        memcpy(&h, source.take(16), 16)
        made = <uint8_t*>malloc(u.size)
        if made == NULL or state_find(&slices.table, h.a, h.b) != NULL or not state_insert(&slices.table, h.a, h.b, made):
            free(made)
            raise ValueError("the snapshot is damaged: a key comes twice")
        blank_unit(u, made)
        load_registers(u, made, source)
    m.room += slice_room(u, slices.table.count)
    return 0


cdef int load_registers(const Unit* u, uint8_t* r, SnapshotSource source) except -1:
    cdef state_expect* expected = <state_expect*>r
    if u.kind == UNIT_KIND_COUNTED and u.span >= 0:
        return load_times(<Times**>r, source)
    if u.kind == UNIT_KIND_ONLY_FROM:
        return load_tokens(<state_table*>r, <int64_t*>(r + sizeof(state_table)), source)
    if u.kind != UNIT_KIND_EXPECT:
        memcpy(r, source.take(u.size), u.size)
        return check_registers(u, r)
    memcpy(expected.copies, source.take(sizeof(state_duty) * 2), sizeof(state_duty) * 2)
    expected.asked = source.number()
    expected.time = source.number()
    memcpy(expected.said, source.take(8), 8)
    load_id(expected, source)
    if expected.asked < 0:
        expected.asked = -1
    if (expected.id == NULL) != (expected.asked < 0):
        raise ValueError("the snapshot is damaged: a call that waits without its id")
    return 0


cdef int check_registers(const Unit* u, uint8_t* r) except -1:
    """What the registers count, and what they point to, is in range."""
    cdef Kept* kept
    if u.kind == UNIT_KIND_ONLY_AFTER or u.kind == UNIT_KIND_AT_MOST:
        if state_low(r).count < 0 or state_high(r, u.count, u.span).count < 0:
            raise ValueError("the snapshot is damaged: a count is out of range")
    elif u.kind == UNIT_KIND_PREVIOUS:
        kept = <Kept*>r
        known = (TAG_ERROR, TAG_NULL, TAG_BOOL, TAG_INT, TAG_UINT, TAG_DOUBLE, TAG_TIMESTAMP, TAG_DURATION)
        if kept.tag not in known and not (kept.tag == TAG_STRING and 0 <= kept.payload < u.enum_count):
            raise ValueError("the snapshot is damaged: a value of no kind")
        if kept.tag in (TAG_TIMESTAMP, TAG_DURATION) and not (0 <= kept.aux < NANOS and -MAX_DURATION <= kept.payload <= MAX_DURATION):
            raise ValueError("the snapshot is damaged: a time is out of range")
    return 0


cdef int load_id(state_expect* r, SnapshotSource source) except -1:
    cdef int64_t size = source.number()
    cdef object ident
    if size == -1:
        return 0
    if size == -2:
        ident = source.number()
    elif 0 <= size <= 4 * LONGEST_ID:
        ident = source.take(size)[:size].decode("utf-8", "surrogatepass")
    else:
        raise ValueError("the snapshot is damaged: an id is out of range")
    Py_INCREF(ident)
    r.id = <void*>ident
    return 0


cdef int load_times(Times** place, SnapshotSource source) except -1:
    cdef int64_t room = source.number()
    cdef Times* t
    cdef const uint8_t* found
    cdef int reading
    if not 0 <= room <= MAX_COUNTED or room & (room - 1):
        raise ValueError("the snapshot is damaged: a count is out of range")
    if not room:
        return 0
    found = source.take(48 + 2 * room * sizeof(int64_t))
    t = <Times*>calloc(1, sizeof(Times) + 2 * room * sizeof(int64_t))
    if t == NULL:
        raise MemoryError()
    t.room = room
    memcpy(t.lengths, found, 16)
    memcpy(t.heads, found + 16, 16)
    memcpy(t.over, found + 32, 16)
    memcpy(t.times, found + 48, 2 * room * sizeof(int64_t))
    place[0] = t
    for reading in range(2):
        if not 0 <= t.lengths[reading] <= room or not 0 <= t.heads[reading] < room:
            raise ValueError("the snapshot is damaged: a count is out of range")
    return 0


cdef int load_tokens(state_table* table, int64_t* over, SnapshotSource source) except -1:
    cdef int64_t i, count, flag
    cdef uint64_t token
    over[0] = source.number() & 1
    count = source.count(16)
    if count > MAX_TOKENS:
        raise ValueError("the snapshot is damaged: too many tokens")
    for i in range(count):
        memcpy(&token, source.take(8), 8)
        flag = source.number()
        if not 1 <= flag <= 3 or state_find(table, token, 0) != NULL or not state_insert(table, token, 0, <void*><size_t>flag):
            raise ValueError("the snapshot is damaged: a token comes twice")
    return 0
