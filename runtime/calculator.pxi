# The calculator: a machine whose program is one expression.
#
# Owns:  its variables' names.
# Needs: face.pxi.        Gives: Calculator.

cdef struct Variable:
    PyObject* name          # what it is called; borrowed from Machine.kept
    PyObject* names         # a tuple: that, and what is tried after it
    int wanted              # the tag that its declared type asks for, 0: any


cdef class Calculator(Machine):
    """A machine whose program is one expression: it gives a value instead of a verdict."""

    cdef Variable* variables            # per slot
    cdef Binding values

    def name_slots(self, list names, list tags, Binding values):
        """Say how the expression's variables are called.

        names: per slot a tuple of names, in the order of trying; tags: per slot the tag that its declared
        type asks for, or 0.
        """
        cdef int i
        if len(names) != self.slot_count or len(tags) != self.slot_count or self.variables != NULL:
            raise ValueError("a name for every variable")
        self.variables = <Variable*>allocate(len(tags) * sizeof(Variable))
        for i in range(self.slot_count):
            if type(names[i]) is not tuple or not names[i]:
                raise ValueError(f"variable {i} has no name")
            self.kept.append(names[i])
            self.variables[i].names = <PyObject*>names[i]
            self.variables[i].name = <PyObject*>names[i][0]
            self.variables[i].wanted = tags[i]
        self.values = values

    def __dealloc__(self):
        PyMem_Free(self.variables)

    def evaluate(self, bindings=None):
        """The value for these bindings: name of a variable -> its value.

        Raises ExpressionError, with `.code` and `.span`, where the value is an error value; TypeError
        for a value of Python that CEL does not have.
        """
        cdef dict given = <dict>bindings if type(bindings) is dict else dict(bindings or {})
        cdef Cell x
        cdef object value = self.calculate(given, &x)
        if x.tag == TAG_ERROR:
            raise self.fault(x.aux, given)
        if x.tag < TAG_LIST or (x.tag == TAG_LIST and x.aux == OWNED_LIST and is_flat(<list>value)):
            return value
        return self.hand_out(value)

    def compute(self, dict bindings):
        """(0, value) as the machine has it, or (1, error code)."""
        cdef Cell x
        cdef object value = self.calculate(bindings, &x)
        return (1, x.aux) if x.tag == TAG_ERROR else (0, value)

    cdef object calculate(self, dict given, Cell* x):
        """The value, None for an error value; x says what it is, and borrows nothing that is not in it."""
        cdef Frame frame
        cdef bint collects
        cdef int i
        if self.values is None:
            raise ValueError("no expression")
        frame = self.take_frame()
        frame.binding = self.values
        frame.shared = True                     # bindings are the caller's, who may change them meanwhile
        frame.loaded = frame.pinned = True      # what the slots borrow, load_variable owns
        frame.steps = self.max_steps
        frame.allocated = frame.keys = 0
        frame.limited = False
        if self.group_count:
            memset(frame.atoms, 0, self.atom_count + self.group_count)
        collects = PyGC_Disable()               # a finalizer, too, could change what is read
        try:
            for i in range(self.slot_count):
                load_variable(&frame.cells[i], &self.variables[i], given, frame)
            fail(&frame.result, ERR_LIMIT)
            run(self, frame)
            if frame.stopped is not None:
                self.raise_from(frame)
            if frame.steps < 0 or (frame.result.tag == TAG_ERROR and frame.limited):
                fail(&frame.result, ERR_LIMIT)
            x[0] = frame.result
            return box(x)
        finally:
            if collects:
                PyGC_Enable()
            self.give_back(frame)

    def fault(self, code, bindings):
        """The exception for an error value.  The subclass knows how."""
        return ValueError(code)

    def hand_out(self, value):
        """A value as Python has it, none of it the machine's own.  The subclass knows how."""
        return value


cdef int load_variable(Cell* x, const Variable* variable, dict given, Frame frame) except -1:
    """Read a variable's value into its slot, and own it: a later look-up may run Python code, the
    `__eq__` of a key, that takes it out of the dict."""
    cdef PyObject* o = PyDict_GetItemWithError(given, <object>variable.name)
    cdef object made = None
    if o == NULL:
        o = other_name(variable, given)
    if o == NULL:
        fail(x, ERR_UNKNOWN_NAME)
    elif PyUnicode_CheckExact(o):
        hold(frame, o)
        set_object(x, TAG_STRING, o)
    elif PyFloat_CheckExact(<object>o):
        set_double(x, PyFloat_AS_DOUBLE(<object>o))
    elif PyLong_CheckExact(<object>o) or o == Py_None or o == Py_True or o == Py_False:
        read(x, o, frame)
        fit(x, variable.wanted)
    else:
        hold(frame, o)
        read(x, o, frame)
        if x.tag == TAG_MAP and first_key_is_bool(<dict>o):
            made = keyed(<dict>o)
        elif x.tag == TAG_ERROR and x.aux == ERR_BAD_NUMBER and not PyLong_Check(<object>o):
            made = from_host(<object>o)         # a tuple, a mapping: a list or dict of its own
        if made is not None:
            if frame.own(made, weight(made)) < 0:
                fail(x, ERR_LIMIT)
            else:
                read(x, <PyObject*>made, frame)
        fit(x, variable.wanted)
    return 0

cdef bint first_key_is_bool(dict source):
    """Whether the keys of a variable's dict are Python's bools, which its ints would be equal to."""
    for key in source:
        return key is True or key is False
    return False

cdef dict keyed(dict source):
    """The same map with its keys as maps keep them."""
    return {BoolKey(key) if isinstance(key, bool) else key: value for key, value in source.items()}

cdef inline int hold(Frame frame, PyObject* o) except -1:
    if frame.keep(<object>o) < 0:
        raise MemoryError()
    return 0

cdef PyObject* other_name(const Variable* variable, dict given) except? NULL:
    """What the first of a variable's further names stands for that is there."""
    cdef PyObject* o
    for name in (<tuple>variable.names)[1:]:
        o = PyDict_GetItemWithError(given, name)
        if o != NULL:
            return o
    return NULL

cdef inline void fit(Cell* x, int wanted) noexcept:
    """A number as its declared type has it."""
    if wanted == TAG_DOUBLE and (x.tag == TAG_INT or x.tag == TAG_UINT):
        to_double(x, x)
    elif wanted == TAG_UINT and x.tag == TAG_INT and x.v.i >= 0:
        x.tag = TAG_UINT

cdef bint is_flat(list items) noexcept:
    """Whether a list holds no other: such a one, that a run made, is handed out as it is."""
    cdef Py_ssize_t i
    cdef PyObject* o
    for i in range(PyList_GET_SIZE(items)):
        o = <PyObject*>PyList_GET_ITEM(items, i)
        if PyList_Check(<object>o) or PyDict_Check(<object>o) or <PyObject*>o.ob_type == OPTIONAL_TYPE:
            return False
    return True
