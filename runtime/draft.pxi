# Drafts: paths become banks of lanes, banks become C arrays.
#
# In: per clause its paths, from plan.pxi.  Out: Fast.
# Needs: fast.pxi, plan.pxi.        Gives: Drafts.
# Everything a bank reads is put in range here: cells below the frame's size, lanes below 64 of a word.

cdef dict AGAINST = {
    OP_LE_DOUBLE_K: STEP_LE_DOUBLE, OP_LT_DOUBLE_K: STEP_LT_DOUBLE, OP_GE_DOUBLE_K: STEP_GE_DOUBLE,
    OP_GT_DOUBLE_K: STEP_GT_DOUBLE, OP_EQ_DOUBLE_K: STEP_EQ_DOUBLE, OP_LE_INT_K: STEP_LE_INT,
    OP_LT_INT_K: STEP_LT_INT, OP_GE_INT_K: STEP_GE_INT, OP_GT_INT_K: STEP_GT_INT, OP_EQ_INT_K: STEP_EQ_INT,
}
cdef dict COMPUTED = {
    OP_CALL1: STEP_SIZE, OP_ADD_INT: STEP_ADD_INT, OP_SUBTRACT_INT: STEP_SUBTRACT_INT, OP_ADD_DOUBLE: STEP_ADD_DOUBLE,
    OP_SUBTRACT_DOUBLE: STEP_SUBTRACT_DOUBLE, OP_MULTIPLY_DOUBLE: STEP_MULTIPLY_DOUBLE,
}
cdef dict PAIR_KINDS = {TAG_DOUBLE: STEP_PAIR_DOUBLE, TAG_INT: STEP_PAIR_INT, TAG_TIMESTAMP: STEP_PAIR_TIME}


cdef int kind_of(tuple test) except -1:
    """The kind of a step."""
    if test[0] == "against":
        return AGAINST[test[3]]
    return PAIR_KINDS[test[1]] if test[0] == "pair" else test[1]


cdef list by_kind(list tests):
    """Tests of a kind one behind the other: so the machine jumps less."""
    kinds = {}
    for test in tests:
        kinds.setdefault(kind_of(test), []).append(test)
    return [test for found in kinds.values() for test in found]


cdef class Draft:
    """A bank under construction."""

    cdef list clauses               # their numbers
    cdef list paths                 # (outcome, clause within the bank, tests)
    cdef object hard
    cdef int further                # paths that are not the first of their clause to `violated`

    def __cinit__(self):
        self.clauses = []
        self.paths = []
        self.hard = 0

    cdef bint add(self, int clause, list paths, bint whole) except -1:
        """Take in a clause with its paths; false if there is no room."""
        local = len(self.clauses)
        further = len(paths) - any(outcome == OUTCOME_VIOLATED for outcome, _ in paths)
        if local + 1 + self.further + further > LANES:
            return False
        self.clauses.append(clause)
        self.hard |= 0 if whole else ONE << local
        self.further += further
        self.paths += [(outcome, local, tests) for outcome, tests in paths]
        return True

    cdef list lanes(self, Bank* b):
        """The tests of each lane; tells the bank where its lanes lie."""
        count = len(self.clauses)
        first, further = {}, {OUTCOME_VIOLATED: [], OUTCOME_SKIPPED: [], OUTCOME_SATISFIED: []}
        for path in self.paths:
            if path[0] == OUTCOME_VIOLATED and path[1] not in first:
                first[path[1]] = path
            else:
                further[path[0]].append(path)
        more = further[OUTCOME_VIOLATED] + further[OUTCOME_SKIPPED] + further[OUTCOME_SATISFIED]
        lanes = [first.get(local) for local in range(count)] + more
        outcomes = [path[0] for path in more]
        b.first_skipped = count + outcomes.count(OUTCOME_VIOLATED)
        b.first_satisfied = b.first_skipped + outcomes.count(OUTCOME_SKIPPED)
        b.more = (ONE << b.first_skipped) - (ONE << count)
        b.end = len(lanes)
        for lane, path in enumerate(lanes):
            if path is not None:
                b.local[<int>lane] = path[1]
        return [None if path is None else path[2].items() for path in lanes]


cdef object ONE = 1     # an int of Python, that C does not shift


cdef dict strikes_of(list lanes):
    """Test -> the lanes struck out if it is false, and if it is true."""
    strikes = {}
    for lane, tests in enumerate(lanes):
        for test, answer in tests or ():
            if test not in strikes:
                strikes[test] = [0, 0]
            strikes[test][0 if answer else 1] |= ONE << lane
    return strikes


cdef object in_use(list lanes):
    return sum(ONE << lane for lane, tests in enumerate(lanes) if tests is not None)


cdef class Cells:
    """The numbers of the cells that a bank reads: slots, or an element's fields, and what is computed."""

    cdef dict computed              # (op, value, value) -> cell
    cdef int base                   # where what is computed begins

    def __cinit__(self, int base):
        self.computed = {}
        self.base = base

    cdef int of(self, value) except -1:
        if isinstance(value, int):
            return value
        if value[0] == "field":
            return value[1]
        if value not in self.computed:
            self.of(value[1])
            self.of(value[2])
            self.computed[value] = self.base + len(self.computed)
        return self.computed[value]

    cdef int at(self, value) except -1:
        """Where it begins, in bytes."""
        return self.of(value) * sizeof(Cell)


cdef class Drafts:
    """Makes the fast form of one machine."""

    cdef Machine m
    cdef Binding binding
    cdef Fast fast
    cdef list ranges
    cdef list vocabularies          # (cell, tag, {value: number})
    cdef dict by_slot               # (slot, tag) -> which vocabulary
    cdef int computed

    def __cinit__(self, Machine m, Binding binding, list ranges):
        self.m = m
        self.binding = binding
        self.fast = Fast()
        self.ranges = ranges
        self.vocabularies = []
        self.by_slot = {}

    cdef Fast make(self, applies, list always, dict groups):
        cdef Fast fast = self.fast
        cdef int i
        banks = self.packed(always)
        grouped = {guard: self.packed(found) for guard, found in groups.items()}
        first = [] if applies is None else self.packed([applies])
        for draft in [*first, *banks, *(draft for drafts in grouped.values() for draft in drafts)]:
            self.collect(draft)
        for slot, tag, values in grouped:
            for value in values:
                self.enter(slot, tag, value)
        fast.top_vocabularies = len(self.vocabularies)
        if first:
            fast.applies = self.banks(first)
        fast.block_count = len(banks)
        fast.remembers = len(first) + len(banks) + len(grouped) > 1
        fast.banks = self.banks(banks)
        self.index(grouped)
        self.take_vocabularies()
        self.take_code()
        fast.derived_cells = self.computed
        fast.counts = {
            "banks": len(banks),
            "guarded": sum(len(found) for found in groups.values()),
            "whole": sum(whole for found in [always, *groups.values()] for _, _, whole in found),
            "paths": sum(len(paths) for found in [always, *groups.values()] for _, paths, _ in found),
        }
        return fast

    cdef list packed(self, list found):
        """Blocks with these clauses, in order."""
        cdef Draft draft
        draft = Draft()
        drafts = [draft]
        for clause, paths, whole in found:
            if not draft.add(clause, paths, whole):
                draft = Draft()
                drafts.append(draft)
                draft.add(clause, paths, whole)
        return drafts if found else []

    # Vocabularies -------------------------------------------------------------------------------

    cdef collect(self, Draft draft):
        for test in {test for _, _, tests in draft.paths for test in tests}:
            if test[0] == "text" and isinstance(test[1], int):
                for text in sorted(test[2]):
                    self.enter(test[1], TAG_STRING, text)

    cdef enter(self, slot, tag, value):
        """Number a value of a slot."""
        if (slot, tag) not in self.by_slot:
            self.by_slot[slot, tag] = len(self.vocabularies)
            self.vocabularies.append((slot, tag, {}))
        numbers = self.vocabularies[self.by_slot[slot, tag]][2]
        numbers.setdefault(value, len(numbers) + 1)

    cdef take_vocabularies(self):
        cdef PactVocabulary* words
        cdef Fast fast = self.fast
        cdef uint32_t places
        fast.vocabulary_count = len(self.vocabularies)
        fast.vocabularies = <PactVocabulary*>fast.room(len(self.vocabularies) * sizeof(PactVocabulary))
        for i, (cell, tag, numbers) in enumerate(self.vocabularies):
            words = &fast.vocabularies[<int>i]
            words.cell = cell
            words.tag = tag
            words.count = len(numbers)
            places = 8
            while places < 3 * len(numbers) + 2:
                places *= 2
            words.mask = places - 1
            words.table = <PactWord*>fast.room(places * sizeof(PactWord))
            self.m.kept.append(list(numbers))
            take_words(words, numbers)

    # Blocks -------------------------------------------------------------------------------------

    cdef Bank* banks(self, list drafts) except NULL:
        cdef Bank* made = <Bank*>self.fast.room(len(drafts) * sizeof(Bank))
        cdef Cells cells
        for i, draft in enumerate(drafts):
            cells = Cells(self.m.registers)
            self.bank(&made[<int>i], draft, cells)
            self.computed = max(self.computed, len(cells.computed))
        return made

    cdef bank(self, Bank* b, Draft draft, Cells cells):
        lanes = draft.lanes(b)
        self.steps(b, strikes_of(lanes), cells, True)
        b.lanes = in_use(lanes)
        b.count = len(draft.clauses)
        b.whole = (ONE << len(draft.clauses)) - 1
        b.hard = draft.hard
        b.clauses = <int32_t*>self.fast.room(len(draft.clauses) * sizeof(int32_t))
        for i, clause in enumerate(draft.clauses):
            b.clauses[<int>i] = max(clause, 0)
        first = draft.clauses[0]
        b.first = max(first, 0) if draft.clauses == list(range(first, first + len(draft.clauses))) else -1

    cdef steps(self, Bank* b, dict strikes, Cells cells, bint top):
        """Fill in a bank's tests, behind what they compute."""
        cdef PactStep* steps
        tests, words, loops = [], {}, {}
        for test in strikes:
            if test[0] == "text":
                words.setdefault(test[1], []).append(test)
            elif test[0] == "loop":
                loops.setdefault(test[1:3], []).append(test)
            else:
                tests.append(test)
        for test in strikes:
            for value in values_of(test) if test[0] != "loop" else ():
                cells.of(value)
        passes = [
            part for (_, layout), found in loops.items()
            for part in pieces(found, MAX_ELEMENT - self.binding.layouts[<int>layout].count)
        ]
        b.loop_count, b.loops = len(passes), self.loops(passes, strikes)
        count = len(cells.computed) + len(tests) + len(words)
        steps = b.steps = <PactStep*>self.fast.room((count + 1) * sizeof(PactStep))
        for (op, left, right), cell in cells.computed.items():
            steps.kind = COMPUTED[op]
            steps.a, steps.b, steps.c = cells.at(left), cells.at(right), cell * sizeof(Cell)
            steps += 1
        for test in by_kind(tests):
            self.step(steps, test, cells)
            steps.strikes[0], steps.strikes[1] = strikes[test]
            steps += 1
        for value, found in words.items():
            steps.kind = STEP_WORD
            steps.a = cells.at(value)
            steps.choice = self.word(value, found, strikes, cells, top)
            steps += 1
        steps.kind = STEP_END

    cdef step(self, PactStep* s, tuple test, Cells cells):
        """A test of numbers, bools or presence."""
        if test[0] == "against":
            _, _, value, op, constant = test
            s.kind, s.a, s.constant = AGAINST[op], cells.at(value), constant
        elif test[0] == "pair":
            _, tag, left, right, accepts = test
            s.kind, s.a, s.b, s.constant = PAIR_KINDS[tag], cells.at(left), cells.at(right), accepts
        else:
            s.kind, s.a = test[1], cells.at(test[2])

    cdef PactChoice* word(self, value, list tests, dict strikes, Cells cells, bint top) except NULL:
        """One look-up of a text, whose number says how all comparisons with it come out."""
        cdef PactChoice* w = <PactChoice*>self.fast.room(sizeof(PactChoice))
        if top and isinstance(value, int):
            w.vocabulary = self.by_slot[value, TAG_STRING]
        else:
            w.vocabulary = len(self.vocabularies)
            texts = sorted({text for test in tests for text in test[2]})
            self.vocabularies.append((cells.of(value), TAG_STRING, {text: i for i, text in enumerate(texts, 1)}))
        self.rows(w, self.vocabularies[w.vocabulary][2], tests, strikes)
        return w

    cdef rows(self, PactChoice* w, dict numbers, list tests, dict strikes):
        """Which lanes each number strikes out; numbers that strike out the same share a row."""
        rows, places = {}, [0] * (len(numbers) + 1)
        for text, number in [(None, 0), *numbers.items()]:
            lanes = 0
            for test in tests:
                lanes |= strikes[test][1 if text in test[2] else 0]
            places[number] = rows.setdefault(lanes, len(rows))
        w.rows = <uint32_t*>self.fast.room(len(places) * sizeof(uint32_t))
        w.strikes = <uint64_t*>self.fast.room(len(rows) * sizeof(uint64_t))
        for number, place in enumerate(places):
            w.rows[<int>number] = place
        for lanes, place in rows.items():
            w.strikes[<int>place] = lanes
        for test in tests:
            w.strange |= <uint64_t>(strikes[test][0] | strikes[test][1])

    cdef Quantifier* loops(self, list parts, dict strikes) except NULL:
        cdef Quantifier* made = <Quantifier*>self.fast.room(len(parts) * sizeof(Quantifier))
        for i, tests in enumerate(parts):
            self.loop(&made[<int>i], tests, strikes)
        return made

    cdef loop(self, Quantifier* loop, list tests, dict strikes):
        """One pass over a list for these quantifiers."""
        cdef Fast fast = self.fast
        cdef int q
        loop.cell, loop.layout, loop.count = tests[0][1], tests[0][2], len(tests)
        loop.bank = <Bank*>fast.room(sizeof(Bank))
        loop.stops = <uint64_t*>fast.room(len(tests) * sizeof(uint64_t))
        loop.goes_on = <uint64_t*>fast.room(len(tests) * sizeof(uint64_t))
        loop.strikes = <uint64_t*>fast.room(2 * len(tests) * sizeof(uint64_t))
        lanes = []
        for q in range(len(tests)):
            for path in tests[q][3]:
                loop.stops[q] |= <uint64_t>1 << len(lanes)
                lanes.append(path)
            for path in tests[q][4]:
                loop.goes_on[q] |= <uint64_t>1 << len(lanes)
                lanes.append(path)
            loop.strikes[2 * q], loop.strikes[2 * q + 1] = strikes[tests[q]]
            loop.quiet |= loop.strikes[2 * q]
        inner = strikes_of(lanes)
        self.steps(loop.bank, inner, Cells(self.binding.layouts[loop.layout].count), False)
        loop.bank.lanes = in_use(lanes)

    # The index ----------------------------------------------------------------------------------

    cdef index(self, dict grouped):
        """Per guarded field: from a value's number to the clauses that wait for it."""
        cdef Fast fast = self.fast
        cdef int i
        fast.guarded = <Guarded*>fast.room(len(grouped) * sizeof(Guarded))
        sorts = {}
        for i, ((slot, tag, values), drafts) in enumerate(grouped.items()):
            self.group(&fast.guarded[i], drafts)
            sorts.setdefault((slot, tag), []).append((i, values, drafts))
        fast.guard_count = len(sorts)
        fast.guards = <Guard*>fast.room(len(sorts) * sizeof(Guard))
        for i, (sort, members) in enumerate(sorts.items()):
            self.guard(&fast.guards[i], self.by_slot[sort], members)

    cdef group(self, Guarded* group, list drafts):
        clauses = [clause for draft in drafts for clause in (<Draft>draft).clauses]
        masks = masks_of(clauses)
        group.block_count = len(drafts)
        group.banks = self.banks(drafts)
        group.word_count = len(masks)
        group.words = <int32_t*>self.fast.room(len(masks) * sizeof(int32_t))
        group.bits = <uint64_t*>self.fast.room(len(masks) * sizeof(uint64_t))
        for i, (word, bits) in enumerate(masks.items()):
            group.words[<int>i] = word
            group.bits[<int>i] = bits

    cdef guard(self, Guard* guard, int vocabulary, list members):
        cdef Fast fast = self.fast
        numbers = self.vocabularies[vocabulary][2]
        clauses = sorted(c for _, _, drafts in members for draft in drafts for c in (<Draft>draft).clauses)
        masks = masks_of(clauses)
        guard.vocabulary = vocabulary
        guard.first_word = min(masks)
        guard.word_count = max(masks) - min(masks) + 1
        guard.bits = <uint64_t*>fast.room(guard.word_count * sizeof(uint64_t))
        for word, bits in masks.items():
            guard.bits[<int>(word - guard.first_word)] = bits
        guard.clause_count = len(clauses)
        guard.clauses = <int32_t*>fast.room(len(clauses) * sizeof(int32_t))
        for i, clause in enumerate(clauses):
            guard.clauses[<int>i] = clause
        lists = [[] for _ in range(len(numbers) + 1)]
        for which, values, _ in members:
            for value in values:
                lists[numbers[value]].append(which)
        guard.starts = <int32_t*>fast.room((len(lists) + 1) * sizeof(int32_t))
        flat = []
        for i, chosen in enumerate(lists):
            flat += chosen
            guard.starts[<int>i + 1] = len(flat)
        guard.lists = <int32_t*>fast.room(len(flat) * sizeof(int32_t))
        for i, which in enumerate(flat):
            guard.lists[<int>i] = which

    # The generic code, clause by clause ---------------------------------------------------------

    cdef take_code(self):
        """A copy of the code in which what goes on to the next clause goes to the end."""
        cdef Fast fast = self.fast
        cdef Machine m = self.m
        cdef int i, start, end
        cdef int halt = m.code_count - 1
        fast.alone = <Ins*>fast.room(m.code_count * sizeof(Ins))
        memcpy(fast.alone, m.code, m.code_count * sizeof(Ins))
        fast.starts = <int32_t*>fast.room(len(self.ranges) * sizeof(int32_t))
        for number, (start, end) in enumerate(self.ranges):
            if number:
                fast.starts[<int>number - 1] = start
            for i in range(start, end):
                if fast.alone[i].t == end:
                    fast.alone[i].t = halt
                if fast.alone[i].f == end:
                    fast.alone[i].f = halt
                if fast.alone[i].e == end:
                    fast.alone[i].e = halt


cdef list pieces(list tests, int room):
    """Quantifiers over one list, in parts that one pass can do: so many lanes, and `room` for what is computed."""
    part, lanes, held = [], 0, set()
    parts = [part]
    for test in tests:
        paths = len(test[3]) + len(test[4])
        values = computed_of(test)
        if lanes + paths > 64 or len(held | values) > room:
            part, lanes, held = [], 0, set()
            parts.append(part)
        part.append(test)
        lanes += paths
        held |= values
    return parts


cdef set computed_of(tuple test):
    """What a quantifier computes of an element."""
    values = set()
    for path in (*test[3], *test[4]):
        for each, _ in path:
            values |= {value for value in values_of(each) if value[0] != "field"}
    return values


cdef set values_of(test):
    """The values that a test reads, and those that they are computed from."""
    todo = [test[1]] if test[0] == "text" else [test[2], test[3]] if test[0] == "pair" else [test[2]]
    found = set()
    while todo:
        value = todo.pop()
        found.add(value)
        if isinstance(value, tuple) and value[0] != "field":
            todo += value[1:]
    return found


cdef dict masks_of(list clauses):
    """Word of a mask -> the bits of these clauses in it."""
    masks = {}
    for clause in clauses:
        masks[clause >> 6] = masks.get(clause >> 6, 0) | ONE << (clause & 63)
    return masks
