# Columns: the buffers of one record batch, as the machine of blocks reads them.
#
# Owns:  Columns keeps the Arrow buffers alive, and the table of columns that point into them.
# Needs: opcodes.pxi, kernels.pxi.        Gives: Column, Columns, text_at().
# Trust: `pactlang/columns/plan.py` adds only arrays that Arrow has validated in full, so an offset or an
# index of a row that is not null leads to where something is; `span` looks at the sizes once more.

cdef enum ColumnForm:
    FORM_NONE               # it is known which rows are null, not what the others hold
    FORM_BITS
    FORM_INTS               # 64 bits
    FORM_DOUBLES
    FORM_TEXT32             # offsets of 32 bits, and bytes
    FORM_TEXT64
    FORM_INDEX8             # indices into a dictionary, `inside`
    FORM_INDEX16
    FORM_INDEX32
    FORM_INDEX64
    FORM_LIST32             # offsets into the elements, `inside`
    FORM_LIST64
    FORM_RECORD             # its fields are `count` columns from `inside` on in Columns.members

cdef enum:
    NOT_OF_ROWS = -2        # the `parent` of a column of elements, or of a dictionary's values

cdef struct Column:
    int32_t tag             # of the values that are not null
    int32_t form
    const char* data        # of FORM_BITS from the bitmap's start, of all others from the first row
    const char* text        # bytes of FORM_TEXT
    const uint8_t* valid    # NULL: nothing is null
    int64_t shift           # where the first row stands in the two bitmaps
    int64_t length
    int32_t inside
    int32_t count
    int32_t layout          # of a record
    int32_t parent          # among the columns that have a value per row: the record it is a field of, or -1
    bint gone               # null here makes an error value of what is below
    bint checks             # a double must be finite

cdef int[13] WIDTHS = [0, 0, 8, 8, 4, 8, 1, 2, 4, 8, 4, 8, 0]      # bytes of one value, index or offset


cdef class Columns:
    """The columns of one batch.  `add` gives a column's number; `rows` says how many rows there are."""

    cdef Column* columns
    cdef int count
    cdef int room
    cdef list kept
    cdef list members
    cdef int32_t* fields
    cdef int field_count
    cdef readonly int64_t rows

    def __cinit__(self, int64_t rows):
        self.rows = rows
        self.kept = []
        self.members = []

    def __dealloc__(self):
        PyMem_Free(self.columns)
        PyMem_Free(self.fields)

    def add(
        self, int tag, int form, int64_t length, int64_t offset, valid, data, text,
        int inside, list fields, int layout, int parent, bint gone, bint checks,
    ):
        """Add a column: buffers or None, as Arrow has them; the number of its elements or dictionary; or the
        numbers of its fields."""
        cdef Column* column
        if not FORM_NONE <= form <= FORM_RECORD or length < 0 or offset < 0:
            raise ValueError("no such column")
        if max([inside, parent, *fields], default=-1) >= self.count:
            raise ValueError("a column stands on a later one")
        if self.count == self.room:
            self.grow()
        column = &self.columns[self.count]
        memset(column, 0, sizeof(Column))
        column.tag = tag
        column.form = form
        column.length = length
        column.shift = offset
        column.layout = layout
        column.parent = parent
        column.gone = gone
        column.checks = checks
        column.inside = inside
        column.valid = <const uint8_t*>self.span(valid, (offset + length + 7) >> 3)
        if form == FORM_BITS:
            column.data = self.span(data, (offset + length + 7) >> 3)
        elif WIDTHS[form]:
            column.data = self.span(
                data, (offset + length + (1 if form in (FORM_TEXT32, FORM_TEXT64, FORM_LIST32, FORM_LIST64) else 0))
                * WIDTHS[form] if length else 0,
            )
            if column.data != NULL:
                column.data += offset * WIDTHS[form]
        column.text = self.span(text, 0)
        if column.text == NULL:
            column.text = b""
        if form == FORM_RECORD:
            column.inside = len(self.members)
            column.count = len(fields)
            self.members += fields
        self.count += 1
        return self.count - 1

    cdef grow(self):
        cdef Column* grown = <Column*>PyMem_Realloc(self.columns, (self.room * 2 + 16) * sizeof(Column))
        if grown == NULL:
            raise MemoryError()
        self.columns = grown
        self.room = self.room * 2 + 16

    cdef const char* span(self, buffer, int64_t size) except? NULL:
        """The bytes of a `pyarrow.Buffer` of at least that size; NULL for None."""
        if buffer is None:
            return NULL
        if buffer.size < size:
            raise ValueError("a buffer is too short")
        self.kept.append(buffer)
        return <const char*><size_t>buffer.address

    def seal(self):
        """No column comes after this."""
        cdef int i
        self.field_count = len(self.members)
        self.fields = <int32_t*>allocate(self.field_count * sizeof(int32_t))
        for i in range(self.field_count):
            self.fields[i] = self.members[i]


cdef inline const char* text_at(const Column* columns, const Column* column, int64_t at, int64_t* size) noexcept nogil:
    """The text at a position of a column of texts, or of what an index leads to; NULL if there is none."""
    cdef const Column* texts = column
    if FORM_INDEX8 <= column.form <= FORM_INDEX64:
        texts = &columns[column.inside]
    if at < 0 or at >= texts.length:
        return NULL
    if texts.form == FORM_TEXT32:
        size[0] = (<const int32_t*>texts.data)[at + 1] - (<const int32_t*>texts.data)[at]
        return texts.text + (<const int32_t*>texts.data)[at]
    size[0] = (<const int64_t*>texts.data)[at + 1] - (<const int64_t*>texts.data)[at]
    return texts.text + (<const int64_t*>texts.data)[at]

cdef inline bint is_valid(const Column* column, int64_t at) noexcept nogil:
    at += column.shift
    return column.valid == NULL or (column.valid[at >> 3] >> (at & 7)) & 1

cdef inline int64_t index_at(const char* data, int width, int64_t at) noexcept nogil:
    if width == 4:
        return (<const uint32_t*>data)[at]
    if width == 1:
        return (<const uint8_t*>data)[at]
    if width == 2:
        return (<const uint16_t*>data)[at]
    return (<const int64_t*>data)[at]

cdef inline int64_t offset_at(const Column* column, int64_t at) noexcept nogil:
    if WIDTHS[column.form] == 4:
        return (<const int32_t*>column.data)[at]
    return (<const int64_t*>column.data)[at]


def offsets_rise(buffer, int width, int64_t offset, int64_t length):
    """Whether `length` + 1 offsets of 4 or 8 bytes, from the offset-th on, begin at 0 or above and never fall."""
    cdef const char* data = <const char*><size_t>buffer.address
    if offset < 0 or length < 0 or buffer.size < (offset + length + 1) * width:
        return False
    data += offset * width
    if width == 4:
        return (<const int32_t*>data)[0] >= 0 and rising_32(<const int32_t*>data, length)
    return (<const int64_t*>data)[0] >= 0 and rising_64(<const int64_t*>data, length)


def is_ascii(buffer, int64_t start, int64_t stop):
    """Whether the bytes [start, stop) are ASCII: then every text in them is UTF-8, wherever it is cut."""
    if not 0 <= start <= stop <= buffer.size:
        return False
    return ascii(<const uint8_t*><size_t>buffer.address + start, stop - start)
