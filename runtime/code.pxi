# Code: a program's instructions, proved safe to run.
#
# In: the bytes of an artifact.  Out: Ins[], about which verify() has proved:
#   1. every opcode is known and every register, jump target and number k is in range;
#   2. what is written is a temporary, never a slot or a constant;
#   3. a jump that does not go forward goes to a NEXT, and every NEXT stands right behind the ITER of
#      its iterator: all that repeats passes a NEXT, and a run has a bounded number of those;
#   4. the last instruction is a HALT, and nothing else can run off the end.
# Types are not proved: the machine looks at tags.  The number of turns of all loops, and the bytes
# made, are bounded while it runs (MAX_STEPS, MAX_ALLOCATION).

cdef union Immediate:
    int64_t i
    double d

cdef struct Ins:         # 32 bytes, no padding: the artifact's own form on a little-endian machine
    uint16_t op
    uint16_t a
    uint16_t b
    uint16_t c
    int32_t t
    int32_t f
    int32_t e
    uint32_t k
    Immediate imm

cdef struct Limits:
    int registers           # slots, constants and temporaries together
    int first_temp
    int clauses
    int sets
    int atoms
    int matchers
    int operators           # of a monitor's state code; else 0


cdef str verify(const Ins* code, int count, const Limits* limits, Binding binding, dict shapes):
    """None if the code is safe, else what is wrong with it."""
    cdef int i
    cdef const Ins* ins
    if count == 0 or code[count - 1].op != OP_HALT:
        return "the code does not end"
    for i in range(count):
        ins = &code[i]
        shape = shapes.get(ins.op)
        if shape is None:
            return f"instruction {i}: unknown operation {ins.op}"
        problem = (
            verify_registers(ins, limits, shape)
            or verify_jumps(code, count, i, shape)
            or verify_number(ins, limits, binding, shape)
            or verify_iterator(code, i)
        )
        if problem is not None:
            return f"instruction {i}: {problem}"
    return None

cdef str verify_registers(const Ins* ins, const Limits* limits, object shape):
    registers = {"a": ins.a, "b": ins.b, "c": ins.c}
    for letter in shape.reads + shape.writes:
        if registers[letter] >= limits.registers:
            return "register out of range"
    for letter in shape.writes:
        if registers[letter] < limits.first_temp:
            return "writes what is not its own"
    if shape.run and <int>ins.a + <int>ins.b > limits.registers:
        return "register out of range"
    return None

cdef str verify_jumps(const Ins* code, int count, int i, object shape):
    targets = {"t": code[i].t, "f": code[i].f, "e": code[i].e}
    for letter in shape.jumps:
        target = targets[letter]
        if not 0 <= target < count:
            return "jump out of range"
        if target <= i and code[<int>target].op != OP_NEXT:
            return "jumps back to no loop"
    return None

cdef str verify_number(const Ins* ins, const Limits* limits, Binding binding, object shape):
    cdef int layout, field
    cdef int limit
    if shape.k == "member":
        layout = ins.k >> 16
        field = ins.k & 0xFFFF
        if layout >= binding.count or field >= binding.layouts[layout].count:
            return "no such field"
        return None
    if shape.k == "":
        return None
    if shape.k == "layout":
        return None if ins.k <= <uint32_t>binding.count else "no such record"
    limit = {
        "clause": limits.clauses, "set": limits.sets, "atom": limits.atoms,
        "matcher": limits.matchers, "builtin": FN_COUNT,
        "operator": limits.operators,
    }[shape.k]
    return None if ins.k < <uint32_t>limit else f"no such {shape.k}"

cdef str verify_iterator(const Ins* code, int i):
    if code[i].op == OP_NEXT and (i == 0 or code[i - 1].op != OP_ITER or code[i - 1].c != code[i].a):
        return "a loop without its iterator"
    if code[i].op == OP_ITER and (code[i + 1].op != OP_NEXT or code[i + 1].a != code[i].c):
        return "an iterator without its loop"
    return None
