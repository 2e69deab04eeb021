# The face: the class that Python sees.
#
# Owns:  Machine owns the code, constants, sets and matchers; a run takes a Frame for itself.
# Needs: everything before it.        Gives: Machine.
# Everything a machine is given is proved here or in code.pxi before the first run.

cdef class Machine:
    """A loaded program.  A subclass knows names: it is the `owner` of verdicts.

    `prepare` verifies and takes over a program's parts; ValueError says what is wrong with them.
    `check(record)` judges a struct whose class is bound; for any other record it asks
    `self.convert(record)` for one.  Safe in threads: each run has its own frame.
    """

    cdef Ins* code
    cdef int code_count
    cdef int words
    cdef int clauses
    cdef int registers
    cdef int slot_count
    cdef int atom_count
    cdef int group_count
    cdef RowSlot* slots
    cdef Cell* constants
    cdef int constant_count
    cdef ConstSet* sets
    cdef int set_count
    cdef int* atom_group
    cdef int* group_slot
    cdef int64_t* group_longest         # characters of its slot that are scanned
    cdef int64_t max_steps
    cdef list scanners
    cdef list matchers
    cdef object search
    cdef list kept
    cdef Frame spare                    # what the next run takes; runs in other threads make their own
    cdef dict bindings
    cdef Binding recent                 # the binding of the last record
    cdef bytes last_masks               # of the last verdict on more than 64 clauses
    cdef object shapes
    cdef Fast fast                      # None: not made yet, or there is none
    cdef bint is_fast                   # it has been tried to make it
    cdef bint remembers                 # it is a monitor
    cdef public bint generic            # for tests: do without the fast form; set before the first record

    def prepare(
        self, bytes code, list constants, list sets, list slots, int temps, int clauses,
        Binding binding, list atoms, list groups, list matchers, object search, dict shapes,
    ):
        """Take over a program's parts.

        code: instructions; constants: CEL values; sets: lists of texts; slots: (base, layout, field);
        atoms: the group of each text atom; groups: (slot, Scanner); matchers: functions text -> bool; search(pattern, text).
        """
        cdef Limits limits
        cdef int i, j
        if self.code != NULL:
            raise ValueError("a machine is prepared once")
        if len(code) % sizeof(Ins):
            raise ValueError("the code is cut short")
        self.kept = [code, constants, sets]
        self.code_count = len(code) // sizeof(Ins)
        self.clauses = clauses
        self.words = max(1, (clauses + 63) // 64)
        self.slot_count = len(slots)
        self.constant_count = len(constants)
        self.registers = self.slot_count + self.constant_count + temps
        self.atom_count = len(atoms)
        self.group_count = len(groups)
        if self.registers > 65_535:
            raise ValueError("too many registers")
        self.code = <Ins*>allocate(len(code))
        memcpy(self.code, PyBytes_AS_STRING(code), len(code))
        self.take_slots(slots, binding)
        self.take_constants(constants, binding)
        self.take_sets(sets)
        self.take_atoms(atoms, groups)
        self.scanners = [scanner for _, scanner in groups]
        self.matchers = matchers
        self.search = search
        binding.take_row(self.slots, self.slot_count)
        self.bindings = {binding.root: binding}
        limits.registers = self.registers
        limits.first_temp = self.slot_count + self.constant_count
        limits.clauses = clauses
        limits.sets = len(sets)
        limits.atoms = len(atoms)
        limits.matchers = len(matchers)
        limits.operators = 0
        problem = verify(self.code, self.code_count, &limits, binding, shapes)
        if problem is not None:
            raise ValueError(problem)
        self.max_steps = MAX_STEPS // self.longest_loop()
        self.shapes = shapes

    @property
    def fast_counts(self):
        """What the fast form holds, None if there is none: blocks, paths, clauses whose every way is a path
        (whole), and clauses that are looked up by the value of a field (guarded)."""
        self.make_fast()
        return None if self.fast is None else self.fast.counts

    cdef make_fast(self):
        if not self.is_fast:
            if not self.generic and not isinstance(self, Calculator) and self.code != NULL:
                self.fast = plan(self, <Binding>next(iter(self.bindings.values())))
            self.is_fast = True

    def confine(self, int64_t steps, list longest):
        """Let a call count no more than `steps`, and let of a slot's text so many characters be scanned;
        `longest` has a number for each slot.  What is prepared already bounds a call, too."""
        cdef int i
        if steps < 0 or len(longest) != self.slot_count:
            raise ValueError("the bound is out of range")
        self.max_steps = min(self.max_steps, steps)
        for i in range(self.group_count):
            if not (<Scanner>self.scanners[i]).ends:
                self.group_longest[i] = longest[self.group_slot[i]]

    @property
    def last_steps(self):
        """What the last run counted of its steps; of runs in several threads, one of them."""
        return 0 if self.spare is None else self.max_steps - self.spare.steps

    cdef int longest_loop(self):
        """Instructions of the longest loop: steps are turns of loops, and time is turns times this."""
        cdef int i, back
        cdef int longest = 10
        for i in range(self.code_count):
            for back in (self.code[i].t, self.code[i].f, self.code[i].e):
                if 0 <= back <= i and self.code[back].op == OP_NEXT and i - back > longest:
                    longest = i - back
        return longest // 10

    cdef take_slots(self, list slots, Binding binding):
        cdef int i
        self.slots = <RowSlot*>allocate(len(slots) * sizeof(RowSlot))
        for i, (base, layout, field) in enumerate(slots):
            if not (-1 <= base < i and 0 <= layout < binding.count):
                raise ValueError(f"slot {i}: no such record")
            if not -1 <= field < binding.layouts[<int>layout].count:
                raise ValueError(f"slot {i}: no such field")
            holder = binding.root_layout if base < 0 else self.record_layout(base, binding)
            if holder != layout:
                raise ValueError(f"slot {i}: not a field of its record")
            self.slots[i].base = base
            self.slots[i].layout = layout
            self.slots[i].field = field

    cdef int record_layout(self, int slot, Binding binding):
        """The record that slot holds; -1 if it holds none."""
        cdef RowSlot* row = &self.slots[slot]
        if row.field < 0:
            return row.layout
        if binding.layouts[row.layout].fields[row.field].kind != KIND_RECORD:
            return -1
        return binding.layouts[row.layout].fields[row.field].layout

    cdef take_constants(self, list constants, Binding binding):
        cdef int i
        self.constants = <Cell*>allocate(len(constants) * sizeof(Cell))
        for i in range(len(constants)):
            unbox(&self.constants[i], <PyObject*>constants[i], None, None)
            if isinstance(constants[i], float):
                set_double(&self.constants[i], constants[i])
            if self.constants[i].tag == TAG_ERROR:
                raise ValueError(f"constant {i} is no value")

    cdef take_sets(self, list sets):
        cdef int i, j
        self.sets = <ConstSet*>allocate(len(sets) * sizeof(ConstSet))
        self.set_count = len(sets)
        for i in range(len(sets)):
            whole = frozenset(sets[i])
            self.kept.append(whole)
            self.sets[i].whole = <PyObject*>whole
            self.sets[i].count = len(sets[i])
            self.sets[i].items = <PyObject**>allocate(len(sets[i]) * sizeof(PyObject*))
            self.sets[i].lengths = <Py_ssize_t*>allocate(len(sets[i]) * sizeof(Py_ssize_t))
            for j in range(len(sets[i])):
                if type(sets[i][j]) is not str:
                    raise ValueError(f"set {i} holds what is no text")
                self.sets[i].items[j] = <PyObject*>sets[i][j]
                self.sets[i].lengths[j] = len(sets[i][j])
                self.sets[i].longest = max(self.sets[i].longest, self.sets[i].lengths[j])

    cdef take_atoms(self, list atoms, list groups):
        cdef int i
        self.atom_group = <int*>allocate(len(atoms) * sizeof(int))
        self.group_slot = <int*>allocate(len(groups) * sizeof(int))
        self.group_longest = <int64_t*>allocate(len(groups) * sizeof(int64_t))
        for i in range(len(atoms)):
            if not 0 <= atoms[i] < len(groups):
                raise ValueError(f"atom {i}: no such group")
            self.atom_group[i] = atoms[i]
        for i in range(len(groups)):
            if not 0 <= groups[i][0] < self.slot_count:
                raise ValueError(f"group {i}: no such slot")
            if not all([0 <= atom < len(atoms) for atom in (<Scanner?>groups[i][1]).numbers]):
                raise ValueError(f"group {i}: no such atom")
            self.group_slot[i] = groups[i][0]
            self.group_longest[i] = INT64_MAX

    def __dealloc__(self):
        cdef int i
        if self.sets != NULL:
            for i in range(self.set_count):
                PyMem_Free(self.sets[i].items)
                PyMem_Free(self.sets[i].lengths)
        PyMem_Free(self.sets)
        PyMem_Free(self.code)
        PyMem_Free(self.slots)
        PyMem_Free(self.constants)
        PyMem_Free(self.atom_group)
        PyMem_Free(self.group_slot)
        PyMem_Free(self.group_longest)

    def bind(self, Binding binding):
        """Read structs of another class directly from now on."""
        if binding.count != (<Binding>next(iter(self.bindings.values()))).count:
            raise ValueError("a binding of another schema")
        binding.take_row(self.slots, self.slot_count)
        self.bindings = {**self.bindings, binding.root: binding}

    cdef Frame take_frame(self):
        cdef Frame frame
        cdef Py_ssize_t fixed = self.slot_count + self.constant_count
        if self.spare is not None:
            frame = self.spare
            self.spare = None
            return frame
        self.make_fast()
        frame = Frame(self.registers, fixed, self.words, self.atom_count, self.group_count)
        if self.fast is not None:
            frame.extend(self.fast.derived_cells, self.fast.top_vocabularies, self.clauses)
        memcpy(frame.cells + self.slot_count, self.constants, self.constant_count * sizeof(Cell))
        return frame

    cdef inline void begin(self, Frame frame, Binding binding) noexcept:
        """Make a frame ready for one record of the binding's."""
        if frame.binding is not binding:
            frame.binding = binding
        frame.shared = not binding.trusted
        frame.outside = frame.doubtful = False
        frame.steps = self.max_steps
        frame.allocated = frame.keys = 0
        frame.limited = False
        if self.words == 1:
            frame.violated[0] = frame.violated[1] = frame.violated[2] = 0
        else:
            memset(frame.violated, 0, 3 * self.words * sizeof(uint64_t))
        if self.group_count:
            memset(frame.atoms, 0, self.atom_count + self.group_count)
        frame.loaded = frame.pinned = False

    cdef int judge(self, Frame frame, Binding binding, PyObject* record) except -2:
        """Load and run; the slot that was refused, or -1."""
        cdef int refused
        cdef bint collects = False
        self.begin(frame, binding)
        refused = load_record(frame, binding, self.slot_count, record, &collects)
        if refused < 0:
            self.settle(frame)
        if collects:
            PyGC_Enable()
        if frame.stopped is not None:
            self.raise_from(frame)
        return refused

    cdef inline void settle(self, Frame frame) noexcept:
        """Set the masks for loaded cells: the fast form, then the code of the clauses that it left."""
        cdef int left = -1 if self.fast is None else decide(self.fast, frame)
        cdef bint collects
        frame.loaded = True
        if left:
            collects = frame.shared and PyGC_Disable()
            self.finish(frame, left)
            if collects:
                PyGC_Enable()
        if frame.steps < 0:                     # a loop was cut short: what it said does not count
            self.doubt(frame)
        if self.remembers:
            self.recall(frame)

    cdef void recall(self, Frame frame) noexcept:
        """What a monitor adds: how the call stands to those before it."""

    cdef bint enter(self, Frame frame, const Cell* key) noexcept:
        """Find the session of this call; a monitor knows sessions."""
        return False

    cdef void operate(self, Frame frame, const Ins* pc, const Cell* a, const Cell* b, Cell* c) noexcept:
        """Compute an operator over a session; a monitor knows how."""
        fail(c, ERR_UNCERTAIN)

    cdef void finish(self, Frame frame, int left) noexcept:
        """Run the code of `left` clauses, or all of it."""
        cdef int i
        if left < 0:
            run(self, frame)
            return
        for i in range(left):
            run_from(self, frame, self.fast.alone, self.fast.starts[frame.todo[i]])
            if frame.steps < 0:
                return

    cdef int raise_from(self, Frame frame) except -1:
        """Raise what ended a run."""
        cdef object error = frame.stopped
        frame.stopped = None
        self.wipe(frame)
        raise error

    cdef void doubt(self, Frame frame) noexcept:
        cdef int clause
        frame.doubtful = True
        memset(frame.violated, 0, 3 * self.words * sizeof(uint64_t))
        for clause in range(self.clauses):
            frame.unknown[clause >> 6] |= <uint64_t>1 << (clause & 63)

    cdef void give_back(self, Frame frame) noexcept:
        self.wipe(frame)
        self.spare = frame

    cdef void wipe(self, Frame frame) noexcept:
        """Forget what a run made: no register may point to it when the next one starts."""
        if frame.owned_count or frame.holds_some:
            frame.drop_owned()
        if not frame.used:
            return
        frame.used = False
        memset(frame.cells + frame.fixed, TAG_ERROR, (frame.size - frame.fixed) * sizeof(Cell))

    cdef inline Binding bound(self, record):
        """How structs of this one's class are read; None for what is no such struct."""
        cdef PyObject* found
        if self.recent is None or <PyObject*>self.recent.root != <PyObject*>(<PyObject*>record).ob_type:
            found = PyDict_GetItemWithError(self.bindings, type(record))
            if found == NULL:
                return None
            self.recent = <Binding>found
        return self.recent

    cpdef Verdict check(self, record):
        """The verdict on one record: a struct, or a dict.  RecordError if it cannot be decoded."""
        cdef Binding binding = self.bound(record)
        cdef Frame frame
        cdef int refused
        if binding is None:
            record = self.convert(record)
            binding = self.bound(record)
            if binding is None:
                raise TypeError(f"no record: {type(record).__name__}")
        frame = self.take_frame()
        refused = self.judge(frame, binding, <PyObject*>record)
        if refused >= 0:
            self.give_back(frame)
            return self.refuse(record, binding.trusted)
        return self.verdict(frame, record, None)

    cdef Verdict verdict(self, Frame frame, object record, object source):
        """What a run has found, and the record or its JSON; the frame is given back."""
        cdef Verdict verdict = Verdict.__new__(Verdict)
        verdict.owner = self
        verdict.held = record
        verdict.source = source
        verdict.outside = frame.outside
        verdict.words = self.words
        if self.words == 1:
            verdict.small[0] = frame.violated[0]
            verdict.small[1] = frame.violated[1]
            verdict.small[2] = frame.violated[2]
        else:
            verdict.large = self.masks(frame)
        self.give_back(frame)
        return verdict

    cdef bytes masks(self, Frame frame):
        """The masks as bytes; those of the last verdict, if they are the same, as on calls that keep their pact."""
        cdef Py_ssize_t size = 3 * self.words * sizeof(uint64_t)
        if self.last_masks is None or memcmp(PyBytes_AS_STRING(self.last_masks), frame.violated, size):
            self.last_masks = (<char*>frame.violated)[:size]
        return self.last_masks

    def refuse(self, record, bint trusted):
        """A loaded record was refused: convert a user's own, or say why.  The subclass knows how."""
        raise ValueError("refused")

    def convert(self, record):
        """A struct of a bound class for this record.  The subclass knows how."""
        raise TypeError("no record")

    def retake(self, record, bint trusted):
        """A struct of decoded form for one that was refused; RecordError.  The subclass knows how."""
        raise ValueError("refused")

    def judge_all(self, list records, uint8_t[:, ::1] outcomes, int8_t[::1] states):
        """Judge structs of a bound class; None stands for a line that could not be decoded.

        outcomes: a row of outcome codes per record.  states: 1 judged, 0 outside, -1 refused or None.
        A row that is not judged is UNKNOWN throughout.
        """
        cdef Frame frame = self.take_frame()
        cdef Py_ssize_t i
        cdef object record
        if outcomes.shape[0] < len(records) or states.shape[0] < len(records) or outcomes.shape[1] != self.clauses:
            raise ValueError("the arrays do not fit the records")
        for i in range(len(records)):
            record = records[i]
            states[i] = -1
            if record is not None and self.judge(frame, <Binding>self.bindings[type(record)], <PyObject*>record) < 0:
                states[i] = not frame.outside
            if states[i] == 1:
                pact_row_codes(frame.violated, self.words, self.clauses, &outcomes[i, 0])
            else:
                memset(&outcomes[i, 0], OUTCOME_UNKNOWN, self.clauses)
            self.wipe(frame)
        self.give_back(frame)

    # Text ---------------------------------------------------------------------------------------

    cdef int find_atom(self, Frame frame, uint32_t atom) noexcept:
        """1 if the atom occurs, 0 if not, -1 if its slot holds no text, or one that is too long.  A group is
        scanned once."""
        cdef int group = self.atom_group[atom]
        cdef Cell* x = &frame.cells[self.group_slot[group]]
        if frame.groups[group] == 0:
            frame.groups[group] = 2
            frame.pin()
            if x.tag == TAG_SPAN:
                scan_span(x, <Scanner>self.scanners[group], self.group_longest[group], group, frame)
            elif x.tag == TAG_STRING and PyUnicode_GET_LENGTH(x.v.o) <= self.group_longest[group]:
                try:
                    if (<Scanner>self.scanners[group]).scan(plain_text(x.v.o), NULL, 0, frame.atoms):
                        frame.groups[group] = 1
                except BaseException as error:
                    frame.stop(error)
        return frame.atoms[atom] if frame.groups[group] == 1 else -1

    cdef int match(self, Frame frame, uint32_t matcher, const Cell* x) noexcept:
        if x.tag != TAG_STRING or not frame.spend((PyUnicode_GET_LENGTH(x.v.o) >> 3) + 10):
            return -1
        frame.pin()
        try:
            return bool(self.matchers[matcher](plain_text(x.v.o)))
        except BaseException as error:
            frame.stop(error)
            return -1


cdef void* allocate(Py_ssize_t size) except NULL:
    cdef void* block = PyMem_Malloc(size + 8)
    if block == NULL:
        raise MemoryError()
    memset(block, 0, size + 8)
    return block
