# Feeding: many calls to a monitor in one go, for each a row of outcome codes instead of a verdict.
#
# Needs: monitor.pxi, lines.pxi.        Gives: Feeding.
# Each call may change what is said of the next, so they go through the machine one by one, as `feed_record`
# sends them; what falls away is the object that would hold what it says.

cdef extern from *:
    """
    #if defined(__GNUC__)
    #define PACT_FETCH(p) __builtin_prefetch(p)
    #else
    #define PACT_FETCH(p) ((void)(p))
    #endif
    /* Have the records of a list that come soon in the cache, and of those that come next what they hold: a
     * batch mostly lies in memory that nobody has looked at for long.  `size`: bytes of such a struct. */
    static inline void pact_fetch(PyObject *list, Py_ssize_t at, PyObject *type, Py_ssize_t size) {
        PyObject *far = at + 8 < PyList_GET_SIZE(list) ? PyList_GET_ITEM(list, at + 8) : NULL;
        PyObject *near = at + 4 < PyList_GET_SIZE(list) ? PyList_GET_ITEM(list, at + 4) : NULL;
        if (far) { PACT_FETCH(far); PACT_FETCH((char *)far + 64); }
        if (near && (PyObject *)Py_TYPE(near) == type)
            for (Py_ssize_t i = sizeof(PyObject); i + (Py_ssize_t)sizeof(void *) <= size && i < 128; i += sizeof(void *))
                PACT_FETCH(*(void **)((char *)near + i));
    }
    static inline Py_ssize_t pact_size_of(PyObject *type) { return ((PyTypeObject *)type)->tp_basicsize; }
    """
    void pact_fetch(PyObject* records, Py_ssize_t at, PyObject* type, Py_ssize_t size) noexcept
    Py_ssize_t pact_size_of(PyObject* type) noexcept


cdef class Feeding:
    """Where the rows of a batch go; a row per record that is fed.

    outcomes: codes; of what is no record, or is outside, UNKNOWN throughout, of a duplicate SKIPPED.
    waiting: 1 where unknown is not the last word.  times: of the calls, microseconds since 1970; TALLY_NEVER.
    states: 1 judged, 0 outside, 2 a duplicate, -1 no record.  late: 1 where the call's time is at or after `since`, seconds
    since 1970 or None.  ids: None, or a list that takes every row's id.  faults: (row, error) of those that
    are no records.
    """

    cdef MonitorMachine machine
    cdef uint8_t[:, ::1] outcomes
    cdef uint8_t[:, ::1] waiting
    cdef int64_t[::1] times
    cdef int8_t[::1] states
    cdef uint8_t[::1] late
    cdef int64_t since
    cdef readonly list ids
    cdef readonly list faults
    cdef readonly Py_ssize_t row        # the next one

    def __init__(self, MonitorMachine machine, uint8_t[:, ::1] outcomes, uint8_t[:, ::1] waiting, int64_t[::1] times, int8_t[::1] states, uint8_t[::1] late, since, list ids):
        cdef Py_ssize_t rows = outcomes.shape[0]
        if not outcomes.shape[1] == waiting.shape[1] == machine.clauses or waiting.shape[0] != rows:
            raise ValueError("the arrays do not fit the clauses")
        if not times.shape[0] == states.shape[0] == late.shape[0] == rows:
            raise ValueError("the arrays are not of one length")
        self.machine, self.outcomes, self.waiting, self.times = machine, outcomes, waiting, times
        self.states, self.late = states, late
        self.since = INT64_MAX if since is None else since
        self.ids, self.faults, self.row = ids, [], 0

    def records(self, list records, Py_ssize_t count):
        """Feed the next `count` of these, as many as there are rows before them; whether there are more."""
        cdef Frame frame
        cdef PyObject* root
        cdef Py_ssize_t last = min(len(records), self.states.shape[0])
        cdef Py_ssize_t end = min(self.row + count, last)
        self.machine.take()
        self.machine.quiet = True
        try:
            frame = self.machine.take_frame()
            frame.wants_id = self.ids is not None
            while self.row < end and self.row < len(records):      # its owner may shorten it meanwhile
                if self.machine.recent is not None:
                    root = <PyObject*>self.machine.recent.root
                    pact_fetch(<PyObject*>records, self.row, root, pact_size_of(root))
                self.record(frame, records[self.row])
            self.machine.give_back(frame)
        finally:
            self.machine.quiet = False
            self.machine.let_go()
        return self.row < min(last, len(records))

    def lines(self, bytes data, Py_ssize_t at, int64_t number, int64_t[::1] numbers, Py_ssize_t count):
        """Feed the lines of NDJSON from byte `at` on, up to `count` that are not blank; where it goes on.

        number: of lines before `at`.  numbers: takes the number of each row's line, from 1.  Returns the byte
        and the number.
        """
        cdef const uint8_t* p = <const uint8_t*>PyBytes_AS_STRING(data) + at
        cdef const uint8_t* end = <const uint8_t*>PyBytes_AS_STRING(data) + PyBytes_GET_SIZE(data)
        cdef const uint8_t* stop
        cdef Frame frame
        cdef Py_ssize_t last = min(self.row + count, self.states.shape[0], numbers.shape[0])
        self.machine.take()
        self.machine.quiet = True
        try:
            frame = self.machine.take_frame()
            frame.wants_id = self.ids is not None
            while p < end and self.row < last:
                stop = <const uint8_t*>memchr(p, c'\n', end - p)
                stop = end if stop == NULL else stop
                number += 1
                if not is_blank(p, stop):
                    numbers[self.row] = number
                    self.line(frame, p, stop - p)
                p = stop + 1
            self.machine.give_back(frame)
        finally:
            self.machine.quiet = False
            self.machine.let_go()
        return min(p, end) - <const uint8_t*>PyBytes_AS_STRING(data), number

    cdef int record(self, Frame frame, object record) except -1:
        """Feed one record of any form, and write its row."""
        cdef MonitorMachine m = self.machine
        cdef const uint8_t* text
        cdef Py_ssize_t size
        m.number += 1
        if m.bound(record) is None and isinstance(record, (bytes, str, bytearray, memoryview)):
            if type(record) is bytearray or type(record) is memoryview:
                record = bytes(record)
            if not json_text(record, &text, &size):
                return self.source(frame, record)
            return self.json(frame, text, size, record)
        return self.decoded(frame, record)

    cdef int line(self, Frame frame, const uint8_t* text, Py_ssize_t size) except -1:
        self.machine.number += 1
        return self.json(frame, text, size, None)

    cdef int json(self, Frame frame, const uint8_t* text, Py_ssize_t size, object data) except -1:
        """Feed one JSON object: read by the machine, or decoded where its reader gives up."""
        cdef JsonReader reader = self.machine.reading()
        cdef bint done
        if reader is not None and (self.ids is None or reader.knows_id):
            done = self.machine.judge_json(frame, reader, text, size)
            if done:
                self.write(frame, None, True)
            self.machine.wipe(frame)
            frame.drop_source()
            if done:
                return 0
            frame.ident = None
        return self.source(frame, PyBytes_FromStringAndSize(<const char*>text, size) if data is None else data)

    cdef int source(self, Frame frame, object data) except -1:
        """Feed what is to be decoded first."""
        try:
            struct = self.machine.decode(data)
        except RecordError as error:
            return self.fault(error)
        return self.decoded(frame, struct)

    cdef int decoded(self, Frame frame, object record) except -1:
        """Feed a struct or a dict."""
        cdef Binding binding = self.machine.bound(record)
        if binding is None:
            try:
                record = self.machine.convert(record)
            except RecordError as error:
                return self.fault(error)
            binding = self.machine.bound(record)
        if self.machine.judge(frame, binding, <PyObject*>record) < 0:
            self.write(frame, record, False)
            self.machine.wipe(frame)
            return 0
        self.machine.wipe(frame)
        try:
            record = self.machine.retake(record, binding.trusted)
        except RecordError as error:
            return self.fault(error)
        return self.decoded(frame, record)

    cdef int write(self, Frame frame, object record, bint read) except -1:
        """The row of a call that was judged.  read: by the JSON reader; else `record` is its struct."""
        cdef MonitorMachine m = self.machine
        cdef uint8_t* out = &self.outcomes[self.row, 0] if m.clauses else NULL
        if m.standing == DUPLICATE:
            memset(out, OUTCOME_SKIPPED, m.clauses)
        else:
            m.put_outcomes(frame, out)
        self.states[self.row] = 2 if m.standing == DUPLICATE else not frame.outside
        self.times[self.row] = m.instant_time if m.has_time else TALLY_NEVER
        if m.waiting != NULL and some_bit(m.waiting, m.words):
            self.wait()
        self.late[self.row] = self.since != INT64_MAX and self.is_late(frame, record, read)
        if self.ids is not None:
            self.ids.append(frame.ident if read else (<object>m).ident_of(record))
            frame.ident = None
        self.row += 1
        return 0

    cdef void wait(self) noexcept:
        """Mark the clauses of this call whose unknown is not the last word."""
        cdef int i
        for i in range(self.machine.clauses):
            self.waiting[self.row, i] = self.machine.waiting[i >> 6] >> (i & 63) & 1

    cdef bint is_late(self, Frame frame, object record, bint read) except -1:
        cdef const Cell* time
        if read:
            return self.machine.json.knows_time and frame.moment.tag == TAG_TIMESTAMP and frame.moment.v.i >= self.since
        if self.machine.time_register < 0:
            return (<object>self.machine).is_late((<object>self.machine).projected(record))
        time = &frame.cells[self.machine.time_register]
        return time.tag == TAG_TIMESTAMP and time.v.i >= self.since

    cdef int fault(self, object error) except -1:
        """The row of what is no record."""
        memset(&self.outcomes[self.row, 0], OUTCOME_UNKNOWN, self.machine.clauses)
        self.states[self.row] = -1
        self.times[self.row] = TALLY_NEVER
        self.late[self.row] = False
        if self.ids is not None:
            self.ids.append(None)
        self.faults.append((self.row, error))
        self.row += 1
        return 0
