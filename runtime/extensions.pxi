# Extensions: CEL's libraries of strings, numbers, encodings and networks, which run in Python.
#
# Needs: value.pxi.        Gives: extension().
# Which overload runs is read off the one overload table, by the tags of the arguments, and kept.

cdef dict KIND_OF_TAG = {
    TAG_NULL: "null", TAG_BOOL: "bool", TAG_INT: "int", TAG_UINT: "uint", TAG_DOUBLE: "double",
    TAG_STRING: "string", TAG_BYTES: "bytes", TAG_TIMESTAMP: "timestamp", TAG_DURATION: "duration",
    TAG_LIST: "list", TAG_MAP: "map", TAG_TYPE: "type", TAG_RECORD: "map", TAG_OPTIONAL: "optional",
}
cdef dict OVERLOAD = {}                 # (builtin, kinds) -> the function that computes it, or None
cdef enum:
    MAX_OVERLOADS = 10_000              # a call may have any number of arguments of any types


cdef object kind_of_cell(const Cell* x):
    if x.tag == TAG_OPAQUE:
        return "ip" if <PyObject*>x.v.o.ob_type == IP_TYPE else "cidr"
    return KIND_OF_TAG[x.tag]


cdef object overload_of(int fn, const Cell* args, int n):
    """The function that computes this call, None if no overload takes its arguments."""
    cdef int i
    kinds = tuple([kind_of_cell(&args[i]) for i in range(n)])
    key = (fn, kinds)
    found = OVERLOAD.get(key, key)
    if found is key:
        rows = [fitting(name, kinds) for name, number in BUILTINS.items() if number == fn]
        found = next((COMPUTE[row.id] for row in rows if row is not None), None)
        if len(OVERLOAD) < MAX_OVERLOADS:
            OVERLOAD[key] = found
    return found


cdef int64_t length_of(const Cell* x) noexcept:
    """About how many steps it takes to read a value from one end to the other."""
    if x.tag == TAG_STRING:
        return PyUnicode_GET_LENGTH(x.v.o) >> 4
    if x.tag == TAG_BYTES:
        return PyBytes_GET_SIZE(<object>x.v.o) >> 4
    if x.tag == TAG_LIST:
        return PyList_GET_SIZE(<object>x.v.o)
    if x.tag == TAG_MAP:
        return PyDict_Size(<object>x.v.o)
    return 0


cdef void extension(int fn, Cell* out, const Cell* args, int n, Frame frame) noexcept:
    cdef int i
    cdef int64_t steps = 10
    cdef object function, made
    for i in range(n):
        if args[i].tag == TAG_ERROR:
            fail(out, args[i].aux)
            return
        steps += length_of(&args[i])
    if not frame.spend(steps):
        fail(out, ERR_LIMIT)
        return
    frame.pin()
    try:
        function = overload_of(fn, args, n)
        if function is None:
            refuse(out, args, n)
            return
        made = function(*[box(&args[i]) for i in range(n)])
        if not frame.spend(weight(made) >> 6):
            fail(out, ERR_LIMIT)
            return
        frame.give_value(out, made)
    except (Limit, MemoryError):
        frame.limited = True
        fail(out, ERR_LIMIT)
    except OverflowError:
        fail(out, ERR_RANGE)
    except ValueError:
        fail(out, ERR_BAD_CONVERSION)
    except BaseException as error:
        failed(out, ERR_NO_SUCH_OVERLOAD, error, frame)
