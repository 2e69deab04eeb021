# Figures of windows: what an aggregate takes of a call, and what a window says by its totals.
#
# Owns:  nothing.
# Needs: windows.pxi, builtins.pxi, equal.pxi.        Gives: make_item(), judge_group().
# A comparison with a constant is one of integers; any other is computed as the machine computes values.

# Arguments ------------------------------------------------------------------------------------------

cdef inline void make_item(win_item* item, Keeping* k, const Figure* f, const Cell* cells, const uint64_t* secret, Frame frame) noexcept:
    """What an aggregate takes of a call: nothing, a value as an integer, or an error."""
    cdef const Cell* x
    item.what = WIN_ABSENT
    if f.where >= 0:
        x = &cells[f.where]
        if x.tag != TAG_BOOL:
            item.what = WIN_ERROR
            k.counts[KEPT_ERRORS] += 1
            return
        if not x.v.i:
            if f.kind == FIGURE_KIND_COUNTED:         # which is looked at, and not counted
                item.what = WIN_VALUE
                item.value = win_make(0, 0)
            return
    if f.value < 0:
        item.what = WIN_VALUE
        item.value = win_make(0, 1)
        return
    x = &cells[f.value]
    if x.tag == TAG_NULL:
        k.counts[KEPT_MISSING] += 1
        if f.kind == FIGURE_KIND_COUNTED:
            item.what = WIN_VALUE
            item.value = win_make(0, 0)
        return
    item.what = WIN_VALUE if x.tag != TAG_ERROR and item_value(item, f, x, secret, frame) else WIN_ERROR
    k.counts[KEPT_ERRORS] += item.what == WIN_ERROR


cdef inline bint item_value(win_item* item, const Figure* f, const Cell* x, const uint64_t* secret, Frame frame) noexcept:
    """The value as an integer; false if it is none that the aggregate takes."""
    cdef int64_t key
    cdef double number
    cdef state_key h
    if f.kind == FIGURE_KIND_COUNTED:
        item.value = win_make(0, 1)
        return True
    if f.kind == FIGURE_KIND_RATE or f.kind == FIGURE_KIND_BURN:
        item.value = win_make(0, (x.v.i != 0) ^ (f.kind == FIGURE_KIND_BURN))
        return x.tag == TAG_BOOL
    if f.kind == FIGURE_KIND_DISTINCT:
        if not value_hash(&h, secret, x, frame, 0):
            return False
        item.value = win_make(0, h.a if h.a else 1)
        return True
    if f.form == VALUE_FORM_DOUBLE:
        if x.tag == TAG_DOUBLE:
            number = x.v.d
        elif x.tag == TAG_INT:
            number = <double>x.v.i
        elif x.tag == TAG_UINT:
            number = <double><uint64_t>x.v.i
        else:
            return False
        if isnan(number):
            return False
        if f.kind == FIGURE_KIND_SUM or f.kind == FIGURE_KIND_AVERAGE:
            return win_billionths(number, &item.value)
        key = win_double_key(number)
        if f.kind == FIGURE_KIND_SKETCH:
            key = win_bucket(number + 0.0)
            if not isfinite(number):
                return False
    else:
        if not whole_key(&key, f, x):
            return False
        if f.kind == FIGURE_KIND_SUM or f.kind == FIGURE_KIND_AVERAGE:
            item.value = win_make(-1 if key < 0 and f.form != VALUE_FORM_UINT else 0, <uint64_t>(key ^ INT64_MIN if f.form == VALUE_FORM_UINT else key))
            return True
        if f.kind == FIGURE_KIND_SKETCH:
            key = win_bucket(<double><uint64_t>(key ^ INT64_MIN) if f.form == VALUE_FORM_UINT else <double>key)
    if f.kind == FIGURE_KIND_BELOW:
        item.value = win_make(0, win_is_below(key, f.below))
    else:
        if f.kind == FIGURE_KIND_MOST:
            key = ~key
        item.value = win_make(-1 if key < 0 else 0, <uint64_t>key)
    return True


cdef inline bint whole_key(int64_t* key, const Figure* f, const Cell* x) noexcept:
    """An int64 that is in order with the value."""
    if f.form == VALUE_FORM_INT:
        key[0] = x.v.i
        return x.tag == TAG_INT
    if f.form == VALUE_FORM_UINT:
        key[0] = x.v.i ^ INT64_MIN
        return x.tag == TAG_UINT
    key[0] = x.v.i * 1_000_000 + (x.aux + 500) // 1_000
    return x.tag == (TAG_DURATION if f.form == VALUE_FORM_DURATION else TAG_TIMESTAMP)


# Judging --------------------------------------------------------------------------------------------

cdef int judge_group(Keeping* k, win_group* g, const Cell* cells, Frame frame, object search) noexcept:
    """Violated if the comparison fails in every window; see `Windows.enter`."""
    cdef int w, answer
    cdef int why = KEEP_INSUFFICIENT
    cdef bint open = False
    for w in range(k.shape.windows):
        answer = judge_window(k, g, w, cells, frame, search)
        if answer == ANSWER_YES:
            g.violated = 0
            return OUTCOME_SATISFIED
        if answer == ANSWER_UNKNOWN:
            why = KEEP_ERROR
        open |= answer != ANSWER_NO
    if open:
        return OUTCOME_UNKNOWN + 16 * why
    if g.violated:
        return OUTCOME_VIOLATED
    g.violated = 1
    return OUTCOME_VIOLATED + 256


cdef int judge_window(const Keeping* k, const win_group* g, int w, const Cell* cells, Frame frame, object search) noexcept:
    cdef const win_window* x = &g.windows[w]
    cdef int i, answer
    cdef int found = ANSWER_YES
    cdef int64_t doubts = 0
    for i in range(k.shape.aggregates):
        if x.totals[i].n < k.figures[i].minimum:
            return ANSWER_INSUFFICIENT
    if k.doubted or g.doubts != NULL:
        doubts = doubts_in(k, g, w)
        if doubts < 0:
            return ANSWER_UNKNOWN
    if not k.term_count:
        return judge_sides(k, x, cells, frame, search) if not doubts else ANSWER_UNKNOWN
    for i in range(k.term_count):
        answer = judge_term(k, &k.terms[i], &x.totals[k.terms[i].figure], x, doubts)
        if answer == ANSWER_NO:
            found = ANSWER_NO
            break
        if answer == ANSWER_UNKNOWN:
            found = ANSWER_UNKNOWN
    if found == ANSWER_UNKNOWN:
        return found
    return (ANSWER_NO if found == ANSWER_YES else ANSWER_YES) if k.negated else found


cdef int64_t doubts_in(const Keeping* k, const win_group* g, int w) noexcept:
    """How many calls may be in a window beside those that are; -1 if it may be another window."""
    cdef const win_window* x = &g.windows[w]
    cdef int64_t mine, others
    if k.shape.kinds[w].calls:
        return -1 if x.clear >= 0 else 0
    mine = win_doubts_in(&g.doubts[w], x.newest) if g.doubts != NULL else 0
    others = win_doubts_in(&k.doubts[w], x.newest)
    return -1 if mine < 0 or others < 0 else mine + others


cdef inline int judge_term(const Keeping* k, const Term* t, const win_sum* s, const win_window* x, int64_t doubts) noexcept:
    """A figure against a constant, in integers; error values, and calls that may be there, are read both ways."""
    cdef const Figure* f = &k.figures[t.figure]
    cdef int low, high
    cdef uint64_t n = 1
    cdef int64_t errors = s.errors + doubts
    if f.kind <= FIGURE_KIND_BELOW:
        if t.scaled:
            n = s.n + errors
        low = high = win_compare(win_make(0, s.hits), t.b, t.a, n)
        if errors:
            high = win_compare(win_make(0, s.hits + errors), t.b, t.a, n)
    else:
        if errors:
            return ANSWER_UNKNOWN
        if t.scaled:
            n = s.n
        low = high = win_compare(figure_number(f, s, x), t.b, t.a, n)
    if t.comparison >= COMPARISON_EQUAL and low != high:
        return ANSWER_UNKNOWN
    low = compares(low, t.comparison)
    return low if low == compares(high, t.comparison) else ANSWER_UNKNOWN


cdef inline bint compares(int order, int comparison) noexcept:
    if comparison == COMPARISON_LESS:
        return order < 0
    if comparison == COMPARISON_LESS_EQUAL:
        return order <= 0
    if comparison == COMPARISON_GREATER:
        return order > 0
    if comparison == COMPARISON_GREATER_EQUAL:
        return order >= 0
    return (order == 0) == (comparison == COMPARISON_EQUAL)


cdef inline win_int figure_number(const Figure* f, const win_sum* s, const win_window* x) noexcept:
    """The whole number that a term compares: of doubles among extremes the key."""
    cdef int64_t key
    if f.kind == FIGURE_KIND_SUM or f.kind == FIGURE_KIND_AVERAGE:
        return s.sum
    if f.kind == FIGURE_KIND_DISTINCT:
        return win_make(0, distinct_of(s, x))
    key = ~s.least if f.kind == FIGURE_KIND_MOST else s.least
    if f.form == VALUE_FORM_UINT:
        return win_make(0, <uint64_t>(key ^ INT64_MIN))
    return win_make(-1 if key < 0 else 0, <uint64_t>key)


cdef inline int64_t distinct_of(const win_sum* s, const win_window* x) noexcept:
    if x.rings != NULL:
        return s.times.live if s.times != NULL else 0
    return win_set_size(s.set) if s.set != NULL else 0


cdef int judge_sides(const Keeping* k, const win_window* x, const Cell* cells, Frame frame, object search) noexcept:
    """Any arithmetic: its sides are computed as the machine computes values."""
    cdef Cell left, right
    cdef int i, found
    for i in range(k.shape.aggregates):
        if x.totals[i].errors:
            return ANSWER_UNKNOWN
    compute_side(&left, k, k.left, k.left_count, x, cells, frame, search)
    compute_side(&right, k, k.right, k.right_count, x, cells, frame, search)
    if left.tag == TAG_ERROR or right.tag == TAG_ERROR:
        return ANSWER_UNKNOWN
    found = order(&left, &right)
    if found == NO_ORDER:
        return ANSWER_UNKNOWN
    if found == UNORDERED:
        return k.comparison == COMPARISON_NOT_EQUAL
    return compares(found, k.comparison)


cdef void compute_side(Cell* out, const Keeping* k, const Step* steps, int count, const win_window* x, const Cell* cells, Frame frame, object search) noexcept:
    cdef Cell stack[MOST_STEPS]
    cdef int top = 0
    cdef int i
    for i in range(count):
        if steps[i].what == KEEP_STEP_CALL:
            top -= steps[i].arguments
            call(steps[i].number, &stack[top], &stack[top], steps[i].arguments, frame, search)
        elif steps[i].what == KEEP_STEP_FIGURE:
            figure_value(&stack[top], &k.figures[steps[i].number], &x.totals[steps[i].number], x)
        else:
            stack[top] = cells[steps[i].number]
        top += 1
    out[0] = stack[0]


cdef void figure_value(Cell* out, const Figure* f, const win_sum* s, const win_window* x) noexcept:
    """An aggregate's value as CEL has it."""
    cdef int64_t key
    if f.kind == FIGURE_KIND_COUNTED:
        set_int(out, s.hits)
    elif f.kind == FIGURE_KIND_RATE:
        set_double(out, <double>s.hits / <double>s.n)
    elif f.kind == FIGURE_KIND_BURN:
        set_double(out, <double>s.hits / <double>s.n * <double>f.bottom / <double>(f.bottom - f.top))
    elif f.kind == FIGURE_KIND_SUM or f.kind == FIGURE_KIND_AVERAGE:
        sum_value(out, f, s)
    elif f.kind == FIGURE_KIND_DISTINCT:
        set_int(out, distinct_of(s, x))
    elif f.kind == FIGURE_KIND_SKETCH:
        sketch_value(out, f, win_middle(win_sketch_at(s.sketch, win_rank(s.n, f.top, f.bottom))))
    elif f.kind == FIGURE_KIND_LEAST or f.kind == FIGURE_KIND_MOST:
        key = ~s.least if f.kind == FIGURE_KIND_MOST else s.least
        if f.form == VALUE_FORM_DOUBLE:
            set_double(out, win_key_double(key))
        elif f.form == VALUE_FORM_UINT:
            set_uint(out, <uint64_t>(key ^ INT64_MIN))
        else:
            whole_value(out, f.form, key)
    else:
        fail(out, ERR_NO_SUCH_OVERLOAD)


cdef void sum_value(Cell* out, const Figure* f, const win_sum* s) noexcept:
    cdef double number
    if f.form == VALUE_FORM_DURATION:
        if f.kind == FIGURE_KIND_AVERAGE:
            whole_value(out, f.form, <int64_t>win_low(win_divided(s.sum, s.n)))
        elif win_fits(s.sum):
            whole_value(out, f.form, <int64_t>win_low(s.sum))
        else:
            fail(out, ERR_OVERFLOW)
    elif f.form == VALUE_FORM_DOUBLE or f.kind == FIGURE_KIND_AVERAGE:
        number = win_double(s.sum)
        if f.form == VALUE_FORM_DOUBLE:
            number /= 1e9
        set_double(out, number / <double>s.n if f.kind == FIGURE_KIND_AVERAGE else number)
    elif f.form == VALUE_FORM_INT and win_fits(s.sum):
        set_int(out, <int64_t>win_low(s.sum))
    elif f.form == VALUE_FORM_UINT and win_fits_uint(s.sum):
        set_uint(out, win_low(s.sum))
    else:
        fail(out, ERR_OVERFLOW)


cdef void sketch_value(Cell* out, const Figure* f, double middle) noexcept:
    """The middle of a bucket; of whole numbers the one below it, which is in the bucket, too."""
    if f.form == VALUE_FORM_DOUBLE:
        set_double(out, middle)
        return
    middle = floor(middle) if middle >= 0 else -floor(-middle)
    if f.form == VALUE_FORM_UINT:
        set_uint(out, UINT64_MAX if middle >= 18446744073709551616.0 else <uint64_t>middle)
    elif middle >= 9223372036854775808.0 or middle < -9223372036854775808.0:
        whole_value(out, f.form, INT64_MAX if middle > 0 else INT64_MIN)
    else:
        whole_value(out, f.form, <int64_t>middle)


cdef void whole_value(Cell* out, int form, int64_t value) noexcept:
    """An int, or microseconds as a duration or a time."""
    cdef int64_t seconds
    if form == VALUE_FORM_INT:
        set_int(out, value)
        return
    seconds = value // 1_000_000 - (value % 1_000_000 < 0)
    out.v.i = seconds
    out.aux = <int32_t>((value - seconds * 1_000_000) * 1_000)
    out.tag = TAG_DURATION if form == VALUE_FORM_DURATION else TAG_TIMESTAMP
    if form == VALUE_FORM_DURATION and not -MAX_DURATION <= seconds <= MAX_DURATION:
        fail(out, ERR_RANGE)
