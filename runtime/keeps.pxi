# The tables of windows as they come from a program, and their contents as bytes.
#
# Owns:  nothing.
# Needs: windows.pxi.        Gives: take_keep(), save_keep(), load_keep().
# Nothing that is read is trusted.  A group is written with its panes, the oldest first, or with the calls of
# its ring; totals are gathered when they are read.  Integers are little-endian.

cdef frozenset KEEP_FUNCTIONS = frozenset((
    FN_ADD, FN_SUBTRACT, FN_MULTIPLY, FN_DIVIDE, FN_MODULO, FN_NEGATE, FN_TO_DOUBLE, FN_TO_INT, FN_TO_UINT,
))


cdef void take_keep(Keeping* k, object given, Py_ssize_t registers, Py_ssize_t clauses) except *:
    """The table of one keep; ValueError where a number of an artifact stands for nothing."""
    clause, when, keys, limit, windows, figures, terms, negated, left, right, comparison = given
    if not 0 <= clause < clauses or not -1 <= when < registers or not 1 <= limit <= MOST_IN_GROUPS:
        raise ValueError("a number of a keep is out of range")
    if len(keys) > MOST_KEYS or any([not 0 <= key < registers for key in keys]):
        raise ValueError("no such register")
    if not 1 <= len(windows) <= MOST_WINDOWS or not 1 <= len(figures) <= MOST_FIGURES or len(terms) > MOST_TERMS:
        raise ValueError("a keep has too many parts, or too few")
    k.clause, k.when, k.limit, k.negated = clause, when, limit, negated
    k.key_count, k.term_count = len(keys), len(terms)
    for i, key in enumerate(keys):
        k.keys[i] = key
    take_windows(k, windows)
    k.shape.aggregates = len(figures)
    for i, figure in enumerate(figures):
        take_figure(k, i, figure, registers)
    for i, term in enumerate(terms):
        take_term(k, i, term)
    if not 0 <= comparison < COMPARISON_COUNT:
        raise ValueError("no such comparison")
    k.comparison = comparison
    k.left_count, k.right_count = len(left), len(right)
    if not terms:
        take_steps(k, k.left, left, registers)
        take_steps(k, k.right, right, registers)


cdef void take_windows(Keeping* k, object windows) except *:
    k.shape.windows = len(windows)
    k.mergeable = True
    for i, (width, calls) in enumerate(windows):
        if (width == 0) == (calls == 0) or not 0 <= width <= 2**53 or width % 1000 or not 0 <= calls <= MOST_RING:
            raise ValueError("a window is out of range")
        k.shape.kinds[i].width, k.shape.kinds[i].calls = width, calls
        k.timed |= width > 0
        k.mergeable &= width > 0


cdef tuple KEPT_AS = (
    WIN_COUNTER, WIN_COUNTER, WIN_COUNTER, WIN_COUNTER, WIN_SUM, WIN_SUM, WIN_EXTREME, WIN_EXTREME, WIN_SKETCH,
    WIN_DISTINCT,
)

cdef void take_figure(Keeping* k, int i, object given, Py_ssize_t registers) except *:
    cdef Figure* f = &k.figures[i]
    kind, form, value, where, minimum, below, (top, bottom) = given
    if not 0 <= kind < FIGURE_KIND_COUNT or not 0 <= form < VALUE_FORM_COUNT:
        raise ValueError("a figure of no kind")
    if not -1 <= value < registers or not -1 <= where < registers or (value < 0 and kind != FIGURE_KIND_COUNTED):
        raise ValueError("no such register")
    if FIGURE_KIND_BELOW <= kind <= FIGURE_KIND_SKETCH and form == VALUE_FORM_NONE:
        raise ValueError("values of no form")
    if form == VALUE_FORM_TIMESTAMP and not FIGURE_KIND_LEAST <= kind <= FIGURE_KIND_MOST:
        raise ValueError("times have no sum")
    if not 1 <= minimum <= 10**9 or not 0 <= top <= bottom <= 10**9 or bottom == 0:
        raise ValueError("a number of a figure is out of range")
    if kind == FIGURE_KIND_BURN and top == bottom or kind == FIGURE_KIND_SKETCH and top == 0:
        raise ValueError("a fraction is out of range")
    f.kind, f.form, f.value, f.where, f.minimum, f.top, f.bottom = kind, form, value, where, minimum, top, bottom
    f.below = win_make(below[0], below[1])
    k.shape.keeps[i] = KEPT_AS[kind]


cdef void take_term(Keeping* k, int i, object given) except *:
    figure, comparison, a, b, scaled = given
    if not 0 <= figure < k.shape.aggregates or not 0 <= comparison < COMPARISON_COUNT or not 1 <= b < 2**63:
        raise ValueError("a number of a term is out of range")
    if k.figures[<int>figure].kind == FIGURE_KIND_SKETCH or not -2**62 <= a[0] < 2**62:
        raise ValueError("a term compares what has no whole number")
    k.terms[i].figure, k.terms[i].comparison, k.terms[i].b, k.terms[i].scaled = figure, comparison, b, scaled
    k.terms[i].a = win_make(a[0], a[1])


cdef void take_steps(Keeping* k, Step* steps, object given, Py_ssize_t registers) except *:
    """One side of a comparison; it leaves one value, and never takes one that is not there."""
    cdef int height = 0
    if len(given) > MOST_STEPS:
        raise ValueError("a side of a comparison is too long")
    for i, (what, number, arguments) in enumerate(given):
        limit = {KEEP_STEP_PUT: registers, KEEP_STEP_FIGURE: k.shape.aggregates, KEEP_STEP_CALL: FN_COUNT}.get(what, 0)
        if not 0 <= number < limit:
            raise ValueError("a step of no kind")
        if what == KEEP_STEP_FIGURE and k.figures[<int>number].kind == FIGURE_KIND_BELOW:
            raise ValueError("a figure without a value")
        if what == KEEP_STEP_CALL and (number not in KEEP_FUNCTIONS or not 1 <= arguments <= 2 or arguments > height):
            raise ValueError("a step that is no arithmetic")
        height += 1 - (arguments if what == KEEP_STEP_CALL else 0)
        steps[i].what, steps[i].number, steps[i].arguments = what, number, arguments
    if height != 1:
        raise ValueError("a side of a comparison is no value")


# Out ------------------------------------------------------------------------------------------------

cdef int keep_number(bytearray out, int64_t value) except -1:
    out += PyBytes_FromStringAndSize(<const char*>&value, 8)
    return 0


cdef int save_keep(bytearray out, const Keeping* k, bint history) except -1:
    cdef size_t i
    cdef int n
    cdef win_group* g
    cdef dict places = {}
    if history:
        for n in range(KEPT_COUNTS):
            keep_number(out, k.counts[n])
    for i in range(k.groups.room):
        g = <win_group*>k.groups.entries[i].value
        if g != NULL:
            places[g.a, g.b] = i
    keep_number(out, k.doubted)
    for n in range(k.shape.windows):
        save_doubts(out, &k.doubts[n])
    keep_number(out, len(places) + (k.rest != NULL))
    if k.rest != NULL:
        save_group(out, k, k.rest, history)
    for key in sorted(places):
        save_group(out, k, <win_group*>k.groups.entries[<size_t>places[key]].value, history)
    return 0


cdef int save_doubts(bytearray out, const win_doubts* d) except -1:
    """The newest pane, and how many are in each, the oldest first."""
    cdef int64_t age
    keep_number(out, d.some)
    if d.some:
        keep_number(out, d.newest)
        for age in range(WIN_PANES - 1, -1, -1):
            keep_number(out, d.panes[win_place(d.newest - age)])
    return 0


cdef int save_group(bytearray out, const Keeping* k, win_group* g, bint history) except -1:
    cdef int w
    if g.known != k.doubt_count:
        learn_doubts(<Keeping*>k, g)
    keep_number(out, <int64_t>g.a)
    keep_number(out, <int64_t>g.b)
    if history:
        keep_number(out, g.violated)
    keep_number(out, g.doubts != NULL)
    for w in range(k.shape.windows if g.doubts != NULL else 0):
        save_doubts(out, &g.doubts[w])
    for w in range(k.shape.windows):
        if k.shape.kinds[w].calls:
            keep_number(out, g.windows[w].clear)
            save_ring(out, k, w, &g.windows[w])
        else:
            save_panes(out, k, &g.windows[w])
    return 0


cdef int save_panes(bytearray out, const Keeping* k, const win_window* x) except -1:
    """The newest pane, and each that holds something: its age, and its sums."""
    cdef int age, a
    cdef int n = k.shape.aggregates
    cdef const win_sum* at
    keep_number(out, x.calls)
    if not x.calls:
        return 0
    keep_number(out, x.newest)
    for age in range(WIN_PANES - 1, -1, -1):
        at = x.panes + win_place(x.newest - age) * n
        if any([at[a].n or at[a].errors for a in range(n)]):
            keep_number(out, age)
            for a in range(n):
                save_sum(out, &at[a], k.shape.keeps[a])
    keep_number(out, -1)
    return 0


cdef int save_sum(bytearray out, const win_sum* s, int keeps) except -1:
    keep_number(out, s.n)
    keep_number(out, s.errors)
    if not s.n:
        return 0
    if keeps == WIN_COUNTER:
        keep_number(out, s.hits)
    elif keeps == WIN_SUM:
        keep_number(out, win_high(s.sum))
        keep_number(out, <int64_t>win_low(s.sum))
    elif keeps == WIN_EXTREME:
        keep_number(out, s.least)
    elif keeps == WIN_SKETCH:
        save_bag(out, s.buckets, True)
    elif s.set.registers != NULL:
        keep_number(out, -1)
        out += PyBytes_FromStringAndSize(<const char*>s.set.registers, WIN_REGISTERS)
    else:
        save_bag(out, &s.set.exact, False)
    return 0


cdef int save_bag(bytearray out, const win_bag* b, bint counted) except -1:
    """Its keys in order."""
    cdef uint32_t i
    cdef win_entry* found = <win_entry*>calloc(b.live + 1, sizeof(win_entry))
    cdef uint32_t n = 0
    if found == NULL:
        raise MemoryError()
    try:
        for i in range(b.room):
            if b.entries[i].count:
                found[n] = b.entries[i]
                n += 1
        win_entries_sort(found, n)
        keep_number(out, n)
        for i in range(n):
            keep_number(out, <int64_t>found[i].key)
            if counted:
                keep_number(out, found[i].count)
    finally:
        free(found)
    return 0


cdef int save_ring(bytearray out, const Keeping* k, int w, const win_window* x) except -1:
    """The calls that are in the window, the oldest first."""
    cdef int64_t calls = min(x.calls, k.shape.kinds[w].calls)
    cdef int64_t i
    cdef int a, words
    cdef uint32_t place
    keep_number(out, calls)
    for i in range(x.calls - calls, x.calls):
        place = <uint32_t>(i % x.room)
        for a in range(k.shape.aggregates):
            out.append(x.rings[a].what[place])
            words = 0 if k.shape.keeps[a] == WIN_COUNTER else 2 if k.shape.keeps[a] == WIN_SUM else 1
            if x.rings[a].what[place] == WIN_VALUE and words:
                out += PyBytes_FromStringAndSize(<const char*>(x.rings[a].values + words * place), 8 * words)
    return 0


# In -------------------------------------------------------------------------------------------------

cdef class Taken:
    """Bytes that are read from the beginning; ValueError where they end too early."""

    cdef bytes data
    cdef Py_ssize_t at

    def __cinit__(self, bytes data):
        self.data = data

    cdef const uint8_t* take(self, Py_ssize_t size) except NULL:
        if PyBytes_GET_SIZE(self.data) - self.at < size:
            raise ValueError("the windows are cut short")
        self.at += size
        return <const uint8_t*>PyBytes_AS_STRING(self.data) + self.at - size

    cdef int64_t number(self, int64_t least, int64_t most) except? -1:
        cdef int64_t value
        memcpy(&value, self.take(8), 8)
        if not least <= value <= most:
            raise ValueError("the windows are damaged: a number is out of range")
        return value


cdef int load_keep(Taken taken, Keeping* k, bint history) except -1:
    cdef int64_t i, count, clear
    cdef int n
    cdef win_group* g
    cdef state_key before, key
    if history:
        for n in range(KEPT_COUNTS):
            k.counts[n] = taken.number(0, INT64_MAX >> 1)
    k.doubted = taken.number(0, 1)
    k.doubt_count = k.doubted
    for n in range(k.shape.windows):
        load_doubts(taken, k, n, &k.doubts[n])
    count = taken.number(0, k.limit + 1)
    before.a = before.b = 0
    for i in range(count):
        key.a = <uint64_t>taken.number(INT64_MIN, INT64_MAX)
        key.b = <uint64_t>taken.number(INT64_MIN, INT64_MAX)
        g = win_group_make(&k.shape, key.a, key.b)
        if g == NULL:
            raise MemoryError()
        if key.a == 0 and key.b == 0 and i == 0:
            k.rest = g
        elif not k.key_count or <int64_t>k.groups.count == k.limit or not is_after(g, &before):
            win_group_free(&k.shape, g)
            raise ValueError("the windows are damaged: their groups are not in order")
        elif not put_group(k, g):
            raise MemoryError()
        before = key
        if history:
            g.violated = taken.number(0, 1)
        g.known = k.doubt_count
        load_group_doubts(taken, k, g)
        for n in range(k.shape.windows):
            if k.shape.kinds[n].calls:
                clear = taken.number(-1, k.shape.kinds[n].calls)
                load_ring(taken, k, n, &g.windows[n])
                g.windows[n].clear = clear
            else:
                load_panes(taken, k, n, &g.windows[n])
    return 0


cdef int load_group_doubts(Taken taken, Keeping* k, win_group* g) except -1:
    cdef int n
    if not taken.number(0, 1):
        return 0
    g.doubts = <win_doubts*>calloc(k.shape.windows, sizeof(win_doubts))
    if g.doubts == NULL:
        raise MemoryError()
    for n in range(k.shape.windows):
        load_doubts(taken, k, n, &g.doubts[n])
    return 0


cdef int load_doubts(Taken taken, Keeping* k, int w, win_doubts* d) except -1:
    cdef int64_t newest, age
    if not taken.number(0, 1):
        return 0
    newest = load_newest(taken, k, w)
    for age in range(WIN_PANES - 1, -1, -1):
        win_doubt(d, newest - age, taken.number(0, MOST_VALUES))
    return 0


cdef int64_t load_newest(Taken taken, Keeping* k, int w) except? -1:
    """A pane that no call is too far from."""
    cdef int64_t newest = taken.number(-(<int64_t>1 << 59), <int64_t>1 << 59)
    if not k.shape.kinds[w].width or abs(newest) > (<int64_t>1 << 59) // k.shape.kinds[w].width:
        raise ValueError("the windows are damaged: a time is out of range")
    return newest


cdef int load_panes(Taken taken, Keeping* k, int w, win_window* x) except -1:
    cdef int64_t newest
    cdef int64_t age = WIN_PANES
    cdef int64_t older
    cdef int a
    cdef win_sum found
    cdef bint good
    if not taken.number(0, 1):
        return 0
    newest = load_newest(taken, k, w)
    win_advance(&k.shape, w, x, newest)
    while True:
        older = taken.number(-1, age - 1)
        if older < 0:
            return 0
        age = older
        for a in range(k.shape.aggregates):
            memset(&found, 0, sizeof(found))
            try:
                load_sum(taken, &found, k.shape.keeps[a])
                good = win_pane_join(&x.panes[win_place(newest - age) * k.shape.aggregates + a], &x.totals[a], &found, k.shape.keeps[a])
            finally:
                win_clear(&found, k.shape.keeps[a], 0)
            if not good:
                raise MemoryError()


cdef int load_sum(Taken taken, win_sum* s, int keeps) except -1:
    cdef int64_t high
    s.n = taken.number(0, MOST_VALUES)
    s.errors = taken.number(0, MOST_VALUES)
    if not s.n:
        return 0
    if keeps == WIN_COUNTER:
        s.hits = taken.number(0, s.n)
    elif keeps == WIN_SUM:
        high = taken.number(INT64_MIN >> 1, INT64_MAX >> 1)
        s.sum = win_make(high, <uint64_t>taken.number(INT64_MIN, INT64_MAX))
        if not win_is_sum_of(s.sum, s.n):
            raise ValueError("the windows are damaged: a sum is too large")
    elif keeps == WIN_EXTREME:
        s.least = taken.number(INT64_MIN, INT64_MAX)
    elif keeps == WIN_SKETCH:
        load_buckets(taken, s)
    else:
        load_set(taken, s)
    return 0


cdef int load_buckets(Taken taken, win_sum* s) except -1:
    cdef int64_t count = taken.number(1, 1 << 18)
    cdef int64_t i, key, times
    cdef int64_t before = 0
    cdef int64_t left = s.n
    s.buckets = <win_bag*>calloc(1, sizeof(win_bag))
    if s.buckets == NULL:
        raise MemoryError()
    for i in range(count):
        key = taken.number(max(before + 1, <int64_t>win_bucket_key(-(1 << 17))), win_bucket_key((1 << 17) - 1))
        times = taken.number(1, left)
        left -= times
        before = key
        if not win_bag_add(s.buckets, <uint64_t>key, times):
            raise MemoryError()
    if left:
        raise ValueError("the windows are damaged: values are missing")
    return 0


cdef int load_set(Taken taken, win_sum* s) except -1:
    cdef int64_t count = taken.number(-1, min(s.n, WIN_EXACT))
    cdef int64_t i
    cdef uint64_t key
    cdef uint64_t before = 0
    s.set = <win_set*>calloc(1, sizeof(win_set))
    if s.set == NULL:
        raise MemoryError()
    if count < 0:
        if not win_estimate(s.set):
            raise MemoryError()
        memcpy(s.set.registers, taken.take(WIN_REGISTERS), WIN_REGISTERS)
        if any([s.set.registers[i] > 53 for i in range(WIN_REGISTERS)]):
            raise ValueError("the windows are damaged: a register is out of range")
        return 0
    if count == 0:
        raise ValueError("the windows are damaged: values are missing")
    for i in range(count):
        key = <uint64_t>taken.number(INT64_MIN, INT64_MAX)
        if key <= before:
            raise ValueError("the windows are damaged: their values are not in order")
        before = key
        if not win_set_add(s.set, key):
            raise MemoryError()
    return 0


cdef int load_ring(Taken taken, Keeping* k, int w, win_window* x) except -1:
    cdef int64_t i
    cdef int a
    cdef win_item items[MOST_FIGURES]
    for i in range(taken.number(0, k.shape.kinds[w].calls)):
        for a in range(k.shape.aggregates):
            load_item(taken, &items[a], k.shape.keeps[a])
        if not win_enter_call(&k.shape, w, x, items):
            raise MemoryError()
    return 0


cdef int load_item(Taken taken, win_item* item, int keeps) except -1:
    cdef int what = taken.take(1)[0]
    cdef int64_t value
    item.what = what & 3
    if item.what > WIN_ERROR or what & ~7 or (what & 4 and (keeps != WIN_COUNTER or item.what != WIN_VALUE)):
        raise ValueError("the windows are damaged: an item of no kind")
    item.value = win_make(0, what >> 2)
    if item.what != WIN_VALUE or keeps == WIN_COUNTER:
        return 0
    if keeps == WIN_SUM:
        memcpy(&item.value, taken.take(16), 16)
        if not win_is_sum_of(item.value, 1):
            raise ValueError("the windows are damaged: a number is too large")
        return 0
    value = taken.number(-(1 << 17), (1 << 17) - 1) if keeps == WIN_SKETCH else taken.number(INT64_MIN, INT64_MAX)
    if keeps == WIN_DISTINCT and value == 0:
        raise ValueError("the windows are damaged: a value without a hash")
    item.value = win_make(-1 if value < 0 else 0, <uint64_t>value)
    return 0
