# Lines: JSON bytes to verdicts, one record or many.
#
# Needs: json.pxi, face.pxi.        Gives: JsonMachine.
# Where JsonReader gives up, the record goes the slow way: the subclass decodes it and asks `check`.

cdef extern from "string.h":
    const void* memchr(const void* text, int c, size_t size) noexcept nogil

cdef class JsonMachine(Machine):
    """A machine that also reads records from JSON.

    The subclass says how: `plan()` gives the arguments of a JsonReader, or None where its records cannot
    be read so; `decode(source)` makes a struct of JSON, or raises RecordError.
    """

    cdef JsonReader json
    cdef bint planned

    def plan(self):
        """The plans and texts for a JsonReader; None where there is none.  The subclass knows them."""
        return None

    def decode(self, source):
        """A struct of a bound class from JSON.  The subclass knows how."""
        raise TypeError("no record")

    cdef JsonReader reading(self):
        """The reader, made when the first record comes; None where there is none."""
        if not self.planned:
            found = self.plan()
            if found is not None:
                self.json = JsonReader(found[0], found[2], found[1], self.slot_count)
            self.planned = True
        return self.json

    cdef bint judge_json(self, Frame frame, JsonReader reader, const uint8_t* data, Py_ssize_t size) except -1:
        """Read and run; false where the reader gave up."""
        cdef bint done
        self.begin(frame, reader.binding)
        done = reader.read(data, data + size, frame)
        if done:
            self.settle(frame)
        if frame.stopped is not None:
            self.raise_from(frame)
        return done

    def check_json(self, data):
        """The verdict on one JSON object, as bytes or str.  RecordError if it cannot be decoded."""
        cdef JsonReader reader = self.reading()
        cdef Frame frame
        cdef const uint8_t* text
        cdef Py_ssize_t size
        if type(data) is bytearray or type(data) is memoryview:
            data = bytes(data)                  # nobody may change it while it is read, or later
        if reader is None or not json_text(data, &text, &size):
            return self.check(self.decode(data))
        frame = self.take_frame()
        frame.wants_id = False
        if self.judge_json(frame, reader, text, size):
            frame.drop_source()
            return self.verdict(frame, None, data)
        frame.drop_source()
        self.give_back(frame)
        return self.check(self.decode(data))

    def judge_lines(
        self, bytes data, uint8_t[:, ::1] outcomes, int8_t[::1] states, int64_t[::1] lines, uint8_t[::1] late,
        object renews, list ids,
    ):
        """Judge NDJSON; (number of rows, rows that must go the slow way as (row, line)).

        A row per line that is not blank.  lines: its number from 1; states: 1 judged, 0 outside, -1 not
        judged, whose row is UNKNOWN throughout; late: 1 where the call's time is at or after `renews`,
        seconds since 1970 or None.  ids: None, or a list that takes every row's id.
        """
        cdef JsonReader reader = self.reading()
        cdef const uint8_t* p = <const uint8_t*>PyBytes_AS_STRING(data)
        cdef const uint8_t* end = p + PyBytes_GET_SIZE(data)
        cdef const uint8_t* stop
        cdef int64_t number = 0, row = 0
        cdef int64_t since = INT64_MAX if renews is None else renews
        cdef Frame frame = self.take_frame()
        cdef list slow = []
        cdef int64_t room = min(outcomes.shape[0], states.shape[0], lines.shape[0], late.shape[0])
        if outcomes.shape[1] != self.clauses:
            raise ValueError("the arrays do not fit the clauses")
        frame.wants_id = ids is not None
        if reader is not None and ids is not None and not reader.knows_id:
            reader = None
        while p < end:
            stop = <const uint8_t*>memchr(p, c'\n', end - p)
            if stop == NULL:
                stop = end
            number += 1
            if not is_blank(p, stop):
                if row == room:
                    raise ValueError("the arrays do not fit the lines")
                lines[row] = number
                late[row] = False
                if reader is None or not self.judge_json(frame, reader, p, stop - p):
                    states[row] = -1
                    memset(&outcomes[row, 0], OUTCOME_UNKNOWN, self.clauses)
                    slow.append((row, PyBytes_FromStringAndSize(<const char*>p, stop - p)))
                else:
                    states[row] = not frame.outside
                    self.put_outcomes(frame, &outcomes[row, 0])
                    late[row] = reader.knows_time and frame.moment.tag == TAG_TIMESTAMP and frame.moment.v.i >= since
                if ids is not None:
                    ids.append(frame.ident)
                    frame.ident = None
                self.wipe(frame)
                frame.drop_source()
                row += 1
            p = stop + 1
        self.give_back(frame)
        return row, slow

    cdef void put_outcomes(self, Frame frame, uint8_t* out) noexcept:
        """A row of outcome codes."""
        if frame.outside:
            memset(out, OUTCOME_UNKNOWN, self.clauses)
        else:
            pact_row_codes(frame.violated, self.words, self.clauses, out)

    def peek(self, data):
        """What the reader alone makes of JSON: the slots' values, a text that is only searched as its
        bytes, a record of which only the fields are read as ...; None where it gives up.  For tests."""
        cdef JsonReader reader = self.reading()
        cdef Frame frame
        cdef const uint8_t* text
        cdef Py_ssize_t size
        cdef int i
        if reader is None or not json_text(data, &text, &size):
            return None
        frame = self.take_frame()
        frame.wants_id = False
        self.begin(frame, reader.binding)
        found = [peek_at(&frame.cells[i]) for i in range(self.slot_count)] if reader.read(text, text + size, frame) else None
        self.give_back(frame)
        return found


cdef extern from "json.h":
    Py_ssize_t pact_count(const uint8_t* p, Py_ssize_t size, uint8_t c) noexcept nogil

def count_lines(bytes data not None):
    """How many lines there are at most: one more than line feeds."""
    return pact_count(<const uint8_t*>PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), c'\n') + 1

cdef bint json_text(object data, const uint8_t** text, Py_ssize_t* size) noexcept:
    """The bytes of immutable JSON; false for anything else."""
    if PyBytes_CheckExact(data):
        text[0] = <const uint8_t*>PyBytes_AS_STRING(data)
        size[0] = PyBytes_GET_SIZE(data)
        return True
    if not PyUnicode_CheckExact(<PyObject*>data):
        return False
    try:
        text[0] = <const uint8_t*>PyUnicode_AsUTF8AndSize(data, size)
        return True
    except Exception:                           # lone surrogates
        return False

cdef bint is_blank(const uint8_t* p, const uint8_t* end) noexcept:
    """Whether a line holds nothing but what bytes.isspace takes."""
    while p < end and (p[0] == c' ' or 9 <= p[0] <= 13):
        p += 1
    return p == end

cdef object peek_at(Cell* x):
    if x.tag == TAG_SPAN:
        return PyBytes_FromStringAndSize(<const char*>x.v.o, x.aux & ~SPAN_ESCAPED)
    if x.tag == TAG_RECORD and x.v.o == NULL:
        return ...
    return box(x)
