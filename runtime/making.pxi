# Making: lists and maps out of what registers hold.
#
# Owns:  nothing; what is made belongs to the frame.
# Needs: code.pxi, builtins.pxi.        Gives: extend(), position(), make_list(), make_map().
# A list or map that this run has made has aux OWNED_LIST; none else is written to.

cdef int extend(const Ins* pc, Cell* target, const Cell* b, const Cell* c, Frame frame) noexcept:
    """APPEND_OPTIONAL, PUT, PUT_OPTIONAL, MERGE; -1 on error."""
    cdef Cell inside
    cdef const Cell* value = b if pc.op == OP_APPEND_OPTIONAL else c
    cdef int held
    if pc.op == OP_APPEND_OPTIONAL or pc.op == OP_PUT_OPTIONAL:
        held = holds(value)
        if held <= 0:
            return held if b.tag != TAG_ERROR else -1
        optional_value(&inside, value, frame)
        value = &inside
    if pc.op == OP_APPEND_OPTIONAL:
        return append(target, value, frame)
    if target.tag != TAG_MAP or target.aux != OWNED_LIST:
        return -1
    if pc.op == OP_MERGE:
        return merge(target, b, frame)
    return put(target, b, value, frame)


cdef int put(Cell* target, const Cell* key, const Cell* value, Frame frame) noexcept:
    """target[key] = value; -1 if the key is there already, or is none."""
    cdef object name
    if value.tag == TAG_ERROR or frame.charge(100) < 0 or (key.tag == TAG_STRING and not frame.asks(key.v.o)):
        return -1
    try:
        name = map_key(key)
        frame.pin()
        if name is None or key.tag == TAG_DOUBLE or name in <dict>target.v.o:
            return -1
        (<dict>target.v.o)[name] = box(value)
    except BaseException as error:
        frame.stop(error)
        return -1
    return 0


cdef int merge(Cell* target, const Cell* other, Frame frame) noexcept:
    """Put all entries of a map; -1 if one is there already."""
    cdef dict entries
    cdef object key
    if other.tag != TAG_MAP or not frame.spend(PyDict_Size(<object>other.v.o)):
        return -1
    try:
        entries = <dict>other.v.o
        frame.pin()
        for key in entries:
            if not frame.asks(<PyObject*>key):
                return -1
        if frame.charge(100 * PyDict_Size(entries)) < 0 or not entries.keys().isdisjoint(<dict>target.v.o):
            return -1
        (<dict>target.v.o).update(entries)
    except BaseException as error:
        frame.stop(error)
        return -1
    return 0


cdef void position(Cell* c, const Cell* iterator, const Cell* source, Frame frame) noexcept:
    """Where a loop stands that a NEXT has moved: an index into a list, or the key of a map."""
    cdef int32_t at = iterator.aux - 1
    if iterator.tag != TAG_ITERATOR or at < 0 or at >= PyList_GET_SIZE(<object>iterator.v.o):
        fail(c, ERR_LIMIT)
    elif source.tag == TAG_MAP:
        read(c, <PyObject*>PyList_GET_ITEM(<object>iterator.v.o, at), frame)
    else:
        set_int(c, at)


cdef void make_list(Cell* c, const Cell* items, int count, Frame frame) noexcept:
    cdef int i
    cdef list made
    cdef object item
    if not frame.spend((count + 3) >> 2) or frame.charge(0) < 0:
        fail(c, ERR_LIMIT)
        return
    for i in range(count):
        if items[i].tag == TAG_ERROR:
            fail(c, items[i].aux)
            return
    frame.pin()                         # a new list may set off the collector
    try:
        made = PyList_New(count)
        for i in range(count):
            item = items[i].v.i != 0 if items[i].tag == TAG_BOOL else box(&items[i])
            Py_INCREF(item)
            PyList_SET_ITEM(made, i, item)
        frame.give(c, TAG_LIST, made, 40 * count + 64)
        if c.tag == TAG_LIST:
            c.aux = OWNED_LIST
    except Exception:
        fail(c, ERR_LIMIT)

cdef void make_map(Cell* c, const Cell* items, int count, Frame frame) noexcept:
    cdef int i
    cdef dict made
    cdef object name
    if not frame.spend(count >> 1) or frame.charge(0) < 0:
        fail(c, ERR_LIMIT)
        return
    frame.pin()
    try:
        made = {}
        for i in range(count):
            if items[i].tag == TAG_ERROR:
                fail(c, items[i].aux)
                return
        for i in range(count // 2):
            if items[2 * i].tag == TAG_STRING and not frame.asks(items[2 * i].v.o):
                fail(c, ERR_LIMIT)
                return
            name = map_key(&items[2 * i])
            if name is None or items[2 * i].tag == TAG_DOUBLE:
                fail(c, ERR_NO_SUCH_OVERLOAD)
                return
            if name in made:
                fail(c, ERR_DUPLICATE_KEY)
                return
            made[name] = box(&items[2 * i + 1])
        frame.give(c, TAG_MAP, made, 64 * count + 64)
        if c.tag == TAG_MAP:
            c.aux = OWNED_LIST
    except BaseException as error:
        failed(c, ERR_LIMIT, error, frame)
