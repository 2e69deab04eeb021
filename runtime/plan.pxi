# The plan: verified code becomes the fast form of fast.pxi, when a program is first used.
#
# Owns:  nothing; what it makes is Fast's.
# Needs: code.pxi, fast.pxi.        Gives: plan().
# It walks every way through a clause's code that meets only tests it knows, on the values they foresee, and
# notes which tests came out how: a path.  Ways past anything else are not walked, so that a clause of which
# none of the paths is taken is left to its code.  The artifact holds none of this.
#
# A test is a tuple, equal for equal tests: so what clauses share is computed once per bank.
#   ("against", None, value, op, constant)     ("pair", tag, value, value, accepts)
#   ("fact", kind, value)                          ("text", value, frozenset of texts)
#   ("loop", slot, layout, paths that leave the loop, paths that go on)
# A value is the number of a slot or constant, ("field", number) of a list's record, or (op, value, value).

cdef enum:
    MAX_WAYS = 32           # ways through one clause that are walked
    MAX_TESTS = 32          # tests on one of them
    INDEX_FROM = 24         # clauses of a pact that is worth an index
    FEW_GUARDED = 8         # clauses that wait for some value of a field, to look that up first
    GOES_ON = 8             # beside the outcomes: an element that does not end its loop
    STOPS = 9

cdef enum Accepts:
    LESS = 1
    SAME = 2
    GREATER = 4

cdef frozenset CONSTANT = frozenset((
    OP_EQ_INT_K, OP_LT_INT_K, OP_LE_INT_K, OP_GT_INT_K, OP_GE_INT_K,
    OP_EQ_DOUBLE_K, OP_LT_DOUBLE_K, OP_LE_DOUBLE_K, OP_GT_DOUBLE_K, OP_GE_DOUBLE_K,
))
cdef dict PAIRS = {
    OP_EQ_INT: (TAG_INT, SAME), OP_LT_INT: (TAG_INT, LESS), OP_LE_INT: (TAG_INT, LESS | SAME),
    OP_EQ_DOUBLE: (TAG_DOUBLE, SAME), OP_LT_DOUBLE: (TAG_DOUBLE, LESS), OP_LE_DOUBLE: (TAG_DOUBLE, LESS | SAME),
    OP_EQ_TIME: (TAG_TIMESTAMP, SAME), OP_LT_TIME: (TAG_TIMESTAMP, LESS), OP_LE_TIME: (TAG_TIMESTAMP, LESS | SAME),
}
cdef frozenset ARITHMETIC = frozenset((OP_ADD_INT, OP_SUBTRACT_INT, OP_ADD_DOUBLE, OP_SUBTRACT_DOUBLE, OP_MULTIPLY_DOUBLE))


cdef class Scope:
    """Where a walk takes place: the code of a clause, or the body of a loop."""

    cdef int start
    cdef int end
    cdef int loop               # the NEXT whose body it is; -1: none
    cdef int out                # where that is left for; -1: not known yet
    cdef int layout             # of its elements
    cdef int ways
    cdef bint whole             # every way through is among the paths
    cdef list paths             # (outcome, {test: answer})
    cdef set written            # temporaries that are written on some way

    def __cinit__(self, int start, int end, int loop=-1, int layout=-1):
        self.start = start
        self.end = end
        self.loop = loop
        self.out = -1
        self.layout = layout
        self.whole = True
        self.paths = []
        self.written = set()


cdef class Walker:
    """Walks the code of one machine."""

    cdef Machine m
    cdef Binding binding

    def __cinit__(self, Machine m, Binding binding):
        self.m = m
        self.binding = binding

    cdef int walk(self, Scope scope, int pc, dict known, dict temps) except -1:
        """Add the paths that begin here.  known: what has been tested; temps: what the temporaries hold."""
        cdef const Ins* ins
        cdef int outcome
        while True:
            outcome = self.leaf(scope, pc)
            if outcome >= 0:
                scope.ways += 1
                if outcome == OUTCOME_UNKNOWN or scope.ways > MAX_WAYS or len(known) > MAX_TESTS:
                    scope.whole = False
                else:
                    scope.paths.append((outcome, known))
                return 0
            ins = &self.m.code[pc]
            if ins.op == OP_JUMP:
                pc = ins.t
                continue
            if self.remember(scope, ins, temps):
                pc += 1
                continue
            on_true, on_false = ins.t, ins.f
            if ins.op == OP_ITER:
                test, on_true, on_false = self.loop(scope, pc, temps)
            else:
                test = self.test(scope, ins, temps)
            if test is None or scope.ways > MAX_WAYS or len(known) > MAX_TESTS:
                scope.whole = False
                return 0
            answer = test if test is True or test is False else known.get(test)
            if answer is None:
                self.walk(scope, on_true, {**known, test: True}, dict(temps))
                known = {**known, test: False}
                answer = False
            pc = on_true if answer else on_false

    cdef int leaf(self, Scope scope, int pc) except -2:
        """What is said where a way ends; -1 if it goes on."""
        cdef int op
        if scope.loop >= 0:
            if pc == scope.loop:
                return GOES_ON
            if scope.start <= pc < scope.end:
                return -1
            if scope.out not in (-1, pc):
                return OUTCOME_UNKNOWN
            scope.out = pc
            return STOPS
        if pc == scope.end:
            return OUTCOME_SATISFIED
        op = self.m.code[pc].op
        if op == OP_VIOLATED or op == OP_OUTSIDE:
            return OUTCOME_VIOLATED
        if op == OP_SKIPPED:
            return OUTCOME_SKIPPED
        return OUTCOME_UNKNOWN if op == OP_UNKNOWN or op == OP_ALL_UNKNOWN else -1

    cdef bint remember(self, Scope scope, const Ins* ins, dict temps) except -1:
        """Note what a temporary now holds; false if the instruction is of another sort."""
        cdef int op = ins.op
        if op == OP_SET_BOOL:
            temps[ins.c] = ins.imm.i != 0
        elif op == OP_MOVE:
            temps[ins.c] = self.operand(scope, ins.a, temps)
        elif op in ARITHMETIC:
            a, b = self.operand(scope, ins.a, temps), self.operand(scope, ins.b, temps)
            temps[ins.c] = (op, a, b) if is_value(a) and is_value(b) else None
        elif op == OP_CALL1 and ins.k == FN_SIZE:
            a = self.operand(scope, ins.a, temps)
            temps[ins.c] = (op, a, a) if is_value(a) else None
        elif op == OP_MEMBER:
            temps[ins.c] = self.field(scope, ins, temps)
        else:
            return False
        scope.written.add(ins.c)
        return True

    cdef object operand(self, Scope scope, int register, dict temps):
        """The value in a register, a bool if that is known, None if the fast form does not know it."""
        if register >= self.m.slot_count + self.m.constant_count:
            return temps.get(register)
        return register if scope.loop < 0 else None     # within a loop, cells are the element's

    cdef object field(self, Scope scope, const Ins* ins, dict temps):
        """The field of a loop's element that an instruction reads."""
        cdef int kind
        if scope.loop < 0 or temps.get(ins.a) != "element" or <int>(ins.k >> 16) != scope.layout:
            return None
        kind = self.binding.layouts[scope.layout].fields[ins.k & 0xFFFF].kind
        plain = kind == KIND_BOOL or kind == KIND_INT or kind == KIND_DOUBLE or kind == KIND_STRING
        return ("field", ins.k & 0xFFFF) if plain else None

    cdef object test(self, Scope scope, const Ins* ins, dict temps):
        """The test that an instruction makes, its answer if that is known, None for an unknown one."""
        cdef int op = ins.op
        a = self.operand(scope, ins.a, temps)
        if op == OP_HAS_MEMBER:
            a = self.field(scope, ins, temps)
            return None if a is None else ("fact", STEP_PRESENT, a)
        if op == OP_EQ_STRING:
            return self.same_text(a, ins.b) or self.same_text(self.operand(scope, ins.b, temps), ins.a)
        if op == OP_TEST and isinstance(a, bool):
            return a
        if not is_value(a):
            return None
        if op in CONSTANT:
            return ("against", None, a, op, ins.imm.i)
        if op == OP_IN_SET:
            return ("text", a, self.texts(ins.k))
        if op == OP_TEST:
            return ("fact", STEP_TRUE, a)
        if op == OP_PRESENT:
            return ("fact", STEP_PRESENT, a)
        b = self.operand(scope, ins.b, temps)
        if op in PAIRS and is_value(b):
            tag, accepts = PAIRS[op]
            return ("pair", tag, a, b, accepts)
        return None

    cdef object texts(self, int number):
        return <object>self.m.sets[number].whole

    cdef object same_text(self, object value, int constant):
        """The comparison of a value with a constant text; None if it is none."""
        cdef int number = constant - self.m.slot_count
        if not is_value(value) or not 0 <= number < self.m.constant_count:
            return None
        if self.m.constants[number].tag != TAG_STRING:
            return None
        return ("text", value, frozenset((plain_text(self.m.constants[number].v.o),)))

    cdef tuple loop(self, Scope scope, int pc, dict temps):
        """A loop over a slot's records as one test, and where it goes on: left early, and at its end."""
        cdef const Ins* ins = &self.m.code[pc]
        cdef const Ins* after = &self.m.code[pc + 1]
        cdef Scope body
        cdef int i, target
        cdef tuple test
        cdef int last = -1
        if scope.loop >= 0 or ins.a >= self.m.slot_count or after.k == 0:
            return None, 0, 0
        for i in range(pc + 2, scope.end):
            for target in (self.m.code[i].t, self.m.code[i].f, self.m.code[i].e):
                if target == pc + 1:
                    last = i
        body = Scope(pc + 2, last + 1, pc + 1, after.k - 1)
        if after.t != pc + 2 or pc + 2 <= after.f <= last:
            return None, 0, 0
        flags = {register: held for register, held in temps.items() if isinstance(held, bool)}
        self.walk(body, after.t, {}, {**flags, after.b: "element"})
        for register in body.written:
            temps.pop(register, None)
        sides = {STOPS: [], GOES_ON: []}
        for outcome, tests in body.paths:
            sides[outcome].append(tuple(tests.items()))
        if body.out < 0 or not sides[GOES_ON]:
            return None, 0, 0
        test = ("loop", ins.a, body.layout, tuple(sides[STOPS]), tuple(sides[GOES_ON]))
        if len(computed_of(test)) + self.binding.layouts[body.layout].count > MAX_ELEMENT:
            return None, 0, 0
        return test, body.out, after.f

    # Guards -------------------------------------------------------------------------------------

    cdef object guard(self, int start, int end):
        """(slot, tag, values, test, answer) without which a clause is skipped, or None."""
        cdef Scope scope = Scope(start, end)
        cdef const Ins* ins
        cdef int i
        tried = set()
        for i in range(start, end):
            ins = &self.m.code[i]
            if ins.op not in (OP_EQ_STRING, OP_IN_SET, OP_EQ_INT_K, OP_TEST):
                continue
            test = self.test(scope, ins, {})
            if test is None or test is True or test is False or test in tried:
                continue
            tried.add(test)
            value = test[1] if test[0] == "text" else test[2]
            if not isinstance(value, int) or value >= self.m.slot_count:
                continue
            for answer in [True, False] if ins.op == OP_TEST else [True]:
                if self.skips(scope, test, not answer):
                    if test[0] == "text":
                        return value, TAG_STRING, test[2], test, True
                    if test[0] == "against":
                        return value, TAG_INT, frozenset((test[4],)), test, True
                    return value, TAG_BOOL, frozenset((answer,)), test, answer
        return None

    cdef bint skips(self, Scope scope, tuple test, bint answer) except -1:
        """Whether a clause is skipped on every way on which this test comes out so, whatever the others do,
        also where they are error values."""
        cdef const Ins* ins
        cdef int pc
        todo = [scope.start]
        seen = set()
        while todo:
            pc = todo.pop()
            if pc in seen:
                continue
            seen.add(pc)
            if pc == scope.end:
                return False
            ins = &self.m.code[pc]
            if ins.op == OP_SKIPPED:
                continue
            if ins.op == OP_VIOLATED or ins.op == OP_UNKNOWN:
                return False
            if ins.op in (OP_EQ_STRING, OP_IN_SET, OP_EQ_INT_K, OP_TEST) and self.test(scope, ins, {}) == test:
                todo.append(ins.t if answer else ins.f)
                continue
            jumps = self.m.shapes[ins.op].jumps
            todo += [{"t": ins.t, "f": ins.f, "e": ins.e}[letter] for letter in jumps]
            if "t" not in jumps:
                todo.append(pc + 1)
        return True


cdef inline bint is_value(object held) noexcept:
    """Whether a temporary's content is a value: no known bool, nothing unknown, no element."""
    return held is not None and not isinstance(held, (bool, str))


# Clauses -------------------------------------------------------------------------------------------

cdef list clause_ranges(Machine m):
    """The code of each clause as [start, end), the first that of `applies when`; None if it is not laid out
    as the emitter does: then there is no fast form."""
    cdef int i
    cdef int start = 0
    cdef int clause = 0
    ranges = []
    for i in range(m.code_count - 1):
        if m.code[i].op == OP_ALL_UNKNOWN and clause == 0 and not ranges and start == 0:
            ranges.append((0, i + 1))
            start = i + 1
        elif m.code[i].op == OP_UNKNOWN:
            if <int>m.code[i].k != clause:
                return None
            if not ranges:
                ranges.append((0, 0))
            ranges.append((start, i + 1))
            start = i + 1
            clause += 1
    if clause != m.clauses or start != m.code_count - 1 or not ranges:
        return None
    for number, (first, end) in enumerate(ranges):
        if not is_alone(m, first, end, number - 1):
            return None
    return ranges


cdef bint is_alone(Machine m, int start, int end, int clause) except -1:
    """Whether a range of code jumps only within itself and to its end, reads no temporary that it has not
    written, and speaks of its own clause only."""
    cdef const Ins* ins
    cdef int i, register
    cdef int first_temp = m.slot_count + m.constant_count
    written = set()
    for i in range(start, end):
        ins = &m.code[i]
        shape = m.shapes[ins.op]
        targets = {"t": ins.t, "f": ins.f, "e": ins.e}
        registers = {"a": ins.a, "b": ins.b, "c": ins.c}
        if any(not start <= targets[letter] <= end for letter in shape.jumps):
            return False
        for letter in shape.reads:
            if registers[letter] >= first_temp and registers[letter] not in written:
                return False
        if ins.op == OP_NEXT and ins.a not in written:
            return False
        if shape.run:
            for register in range(ins.a, ins.a + ins.b):
                if register >= first_temp and register not in written:
                    return False
        written.update(registers[letter] for letter in shape.writes)
        if ins.op == OP_VIOLATED or ins.op == OP_UNKNOWN or ins.op == OP_SKIPPED:
            if <int>ins.k != clause or ins.t != end:
                return False
        elif ins.op == OP_HALT or ins.op == OP_RESULT:
            return False
        elif (ins.op == OP_OUTSIDE or ins.op == OP_ALL_UNKNOWN) and clause >= 0:
            return False
    return True


cdef Fast plan(Machine m, Binding binding):
    """The fast form of a machine's code; None if it has none."""
    cdef Walker walker = Walker(m, binding)
    cdef Scope scope
    ranges = clause_ranges(m)
    if ranges is None:
        return None
    guards = find_guards(m, walker, ranges)
    applies, always, groups = None, [], {}
    for number, (start, end) in enumerate(ranges):
        if start == end:
            continue
        scope = Scope(start, end)
        guard = guards.get(number - 1)
        known = {} if guard is None else {guard[3]: guard[4]}
        walker.walk(scope, start, known, {})
        found = (number - 1, [(outcome, without(tests, guard)) for outcome, tests in scope.paths], scope.whole)
        if number == 0:
            applies = found
        elif guard is None:
            always.append(found)
        else:
            groups.setdefault(guard[:3], []).append(found)
    return Drafts(m, binding, ranges).make(applies, always, groups)


cdef dict without(dict tests, object guard):
    """A path's tests but for that of its clause's guard, which holds where it is weighed."""
    return tests if guard is None else {test: answer for test, answer in tests.items() if test != guard[3]}


cdef dict find_guards(Machine m, Walker walker, list ranges):
    """Clause -> its guard, for the fields that are worth a look-up of their own."""
    found = {}
    if m.clauses < INDEX_FROM:
        return found
    for number, (start, end) in enumerate(ranges[1:]):
        guard = walker.guard(start, end)
        if guard is not None:
            found[number] = guard
    sorts = {}
    for slot, tag, values, _, _ in found.values():
        sorts.setdefault((slot, tag), []).append(values)
    few = {sort for sort, all in sorts.items() if len(all) < FEW_GUARDED or len(set(all)) < 2}
    return {number: guard for number, guard in found.items() if guard[:2] not in few}
