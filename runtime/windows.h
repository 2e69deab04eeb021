/* Windows over many calls, in plain C: counts, sums, extremes, quantiles and distinct values of groups.
 *
 * A window of time is cut into panes and is the newest one with the PANES - 1 before it; a window of calls
 * is the last N.  Beside its panes (its ring) each keeps its total: what comes in is added to both, what
 * goes out is taken from the total.  All is integers, so panes add up to the same in any order.
 *
 * Times are microseconds since 1970.  Keys of values keep their order as int64; an extreme is always the
 * least key, of MOST that of ~key.
 *
 * A call of which nobody knows whether it belongs to a window is a doubt: it is counted beside the sums, by
 * its pane.  A window of calls knows how many calls came since the last one.
 */
#ifndef WINDOWS_H
#define WINDOWS_H

#include "sketches.h"

enum { WIN_PANES = 61 };
enum { WIN_ABSENT, WIN_VALUE, WIN_ERROR };           /* what an item is to its window */
enum { WIN_COUNTER, WIN_SUM, WIN_EXTREME, WIN_SKETCH, WIN_DISTINCT };   /* what a total keeps beside n and errors */

/* 128 bits from and to two words, for who has no such type. */
static inline win_int win_make(int64_t high, uint64_t low) { return (win_int)((win_uint)high << 64 | low); }
static inline int64_t win_high(win_int x) { return (int64_t)(x >> 64); }
static inline uint64_t win_low(win_int x) { return (uint64_t)x; }

/* Sums of one pane, or of a window ------------------------------------------------------------------ */

typedef struct {
    int64_t n, errors;      /* values used, error values */
    union {
        int64_t hits;       /* of them true, or below the threshold */
        win_int sum;
        int64_t least;      /* meaningful where n > 0 */
        win_bag *buckets;   /* of a pane, by bucket; made when it is needed */
        win_sketch *sketch; /* of a total */
        win_set *set;
        win_bag *times;     /* of a window of calls: how often each value came */
    };
} win_sum;

typedef struct { win_int value; int what; } win_item;   /* value: hit, number, key, bucket or hash */

/* A sketch's bag has keys from 1 on. */
static inline uint64_t win_bucket_key(int64_t bucket) { return (uint64_t)(bucket + (1 << 20)); }
static inline int32_t win_key_bucket(uint64_t key) { return (int32_t)key - (1 << 20); }

static void *win_made(void **place, size_t size) {
    if (!*place) *place = calloc(1, size);
    return *place;
}

static void win_clear(win_sum *s, int keeps, int total) {
    if (keeps == WIN_SKETCH && !total && s->buckets) {
        free(s->buckets->entries);
        free(s->buckets);
    } else if (keeps == WIN_SKETCH && total && s->sketch) {
        free(s->sketch->counts);
        free(s->sketch);
    } else if (keeps == WIN_DISTINCT && s->set) {
        free(s->set->exact.entries);
        free(s->set->registers);
        free(s->set);
    }
    memset(s, 0, sizeof(*s));
}

/* Windows ------------------------------------------------------------------------------------------- */

typedef struct { int64_t at, key; } win_front;          /* of extremes over calls: a value that may be one yet */

typedef struct {
    uint8_t *what;          /* by place in the ring: WIN_..., and 4 if the value is a hit */
    int64_t *values;        /* of counters NULL; of sums two words each */
    win_front *front;       /* extremes: values that rise, a ring of `room`, from `head` on `waiting` */
    uint32_t head, waiting;
} win_ring;

typedef struct {
    int64_t newest, start;  /* the newest pane and its first microsecond */
    int64_t calls;          /* that have come: a window of calls, and 0 for one of time without any */
    win_sum *panes;         /* 61 by `aggregates`, by index modulo 61 */
    win_ring *rings;        /* of each aggregate */
    win_sum *totals;
    uint32_t room;          /* of the rings, now; at most the window's calls */
    int stale;              /* some extreme or set is to be gathered anew */
    int64_t clear;          /* of a window of calls: those that came since the last doubt; -1: there was none */
} win_window;

typedef struct { int64_t newest, some, panes[WIN_PANES]; } win_doubts;  /* by index modulo 61; some: any came */

typedef struct { int64_t width, calls; } win_kind;      /* microseconds of a pane, or calls; the other is 0 */

typedef struct {
    int windows, aggregates;
    win_kind kinds[4];
    uint8_t keeps[16];
} win_shape;

typedef struct {
    uint64_t a, b;          /* hash of the keys; 0, 0: of no keys, and of the groups past the limit */
    int violated;
    win_doubts *doubts;     /* of each window, of calls that may be of this group; NULL: none */
    int64_t known;          /* of the doubts of all groups those that windows of calls know of */
    win_window windows[4];
} win_group;

static inline int64_t win_floor(int64_t a, int64_t b) { return a / b - (a % b < 0); }
static inline int win_place(int64_t pane) { int64_t m = pane % WIN_PANES; return (int)(m < 0 ? m + WIN_PANES : m); }

/* Doubts -------------------------------------------------------------------------------------------- */

/* So many in one pane; what is older than the 61 newest ones is in no window that is judged without them. */
static void win_doubt(win_doubts *d, int64_t pane, int64_t count) {
    if (!d->some || pane > d->newest) {
        int64_t gone = d->some && pane - d->newest < WIN_PANES ? pane - d->newest : WIN_PANES;
        for (int64_t i = 0; i < gone; i++) d->panes[win_place(pane - i)] = 0;
        d->newest = pane;
        d->some = 1;
    }
    if (pane > d->newest - WIN_PANES) d->panes[win_place(pane)] += count;
}

static void win_doubts_join(win_doubts *into, const win_doubts *from) {
    for (int64_t i = WIN_PANES - 1; from->some && i >= 0; i--) {
        int64_t pane = from->newest - i, count = from->panes[win_place(pane)];
        if (count || !i) win_doubt(into, pane, count);
    }
}

/* How many may be in the window whose newest pane is this one; -1 if its newest may be another one. */
static int64_t win_doubts_in(const win_doubts *d, int64_t newest) {
    int64_t found = 0;
    if (!d->some) return 0;
    if (d->newest > newest) return -1;
    for (int64_t i = 0; i < WIN_PANES && d->newest - i > newest - WIN_PANES; i++) found += d->panes[win_place(d->newest - i)];
    return found;
}

static void win_group_free(const win_shape *shape, win_group *g) {
    for (int w = 0; w < shape->windows; w++) {
        win_window *x = &g->windows[w];
        for (int i = 0; x->panes && i < WIN_PANES * shape->aggregates; i++)
            win_clear(&x->panes[i], shape->keeps[i % shape->aggregates], 0);
        for (int i = 0; i < shape->aggregates; i++) {
            int over_calls = shape->kinds[w].calls > 0;
            if (over_calls && x->totals && shape->keeps[i] == WIN_DISTINCT) {
                if (x->totals[i].times) free(x->totals[i].times->entries);
                free(x->totals[i].times);
            } else if (x->totals) win_clear(&x->totals[i], shape->keeps[i], 1);
            if (x->rings) { free(x->rings[i].what); free(x->rings[i].values); free(x->rings[i].front); }
        }
        free(x->panes); free(x->rings); free(x->totals);
    }
    free(g->doubts);
    free(g);
}

static win_group *win_group_make(const win_shape *shape, uint64_t a, uint64_t b) {
    win_group *g = (win_group *)calloc(1, sizeof(win_group));
    int good = g != NULL;
    size_t n = (size_t)shape->aggregates;
    for (int w = 0; good && w < shape->windows; w++) {
        win_window *x = &g->windows[w];
        if (shape->kinds[w].calls) x->rings = (win_ring *)calloc(n, sizeof(win_ring));
        else x->panes = (win_sum *)calloc(WIN_PANES * n, sizeof(win_sum));
        x->totals = (win_sum *)calloc(n, sizeof(win_sum));
        x->clear = -1;
        good = x->totals && (x->rings || x->panes);
    }
    if (!good && g) { win_group_free(shape, g); g = NULL; }
    if (g) { g->a = a; g->b = b; }
    return g;
}

/* Panes of time ------------------------------------------------------------------------------------- */

static inline void win_least(win_sum *s, int64_t key) {
    if (!s->n || key < s->least) s->least = key;
}

/* One item into a pane and the total. */
static inline int win_add(win_sum *pane, win_sum *total, int keeps, const win_item *item) {
    if (item->what == WIN_ABSENT) return 1;
    if (item->what == WIN_ERROR) { pane->errors++; total->errors++; return 1; }
    int good = 1;
    switch (keeps) {
    case WIN_COUNTER: pane->hits += (int64_t)item->value; total->hits += (int64_t)item->value; break;
    case WIN_SUM: pane->sum += item->value; total->sum += item->value; break;
    case WIN_EXTREME: win_least(pane, (int64_t)item->value); win_least(total, (int64_t)item->value); break;
    case WIN_SKETCH:
        good = win_made((void **)&pane->buckets, sizeof(win_bag)) && win_made((void **)&total->sketch, sizeof(win_sketch))
            && win_bag_add(pane->buckets, win_bucket_key((int64_t)item->value), 1)
            && win_sketch_add(total->sketch, (int32_t)item->value, 1);
        break;
    case WIN_DISTINCT:
        good = win_made((void **)&pane->set, sizeof(win_set)) && win_made((void **)&total->set, sizeof(win_set))
            && win_set_add(pane->set, (uint64_t)item->value) && win_set_add(total->set, (uint64_t)item->value);
    }
    pane->n++; total->n++;
    return good;
}

/* Take a pane that leaves the window from the total, and empty it. */
static void win_leave(win_window *x, win_sum *pane, win_sum *total, int keeps) {
    if (!pane->n && !pane->errors) return;
    total->n -= pane->n;
    total->errors -= pane->errors;
    if (keeps == WIN_COUNTER) total->hits -= pane->hits;
    else if (keeps == WIN_SUM) total->sum -= pane->sum;
    else if (keeps == WIN_EXTREME && pane->n) x->stale |= pane->least == total->least;
    else if (keeps == WIN_DISTINCT) x->stale |= pane->n > 0;
    else if (keeps == WIN_SKETCH && pane->buckets)
        for (uint32_t i = 0; i < pane->buckets->room; i++) {
            win_entry *e = &pane->buckets->entries[i];
            if (e->count) win_sketch_add(total->sketch, win_key_bucket(e->key), -e->count);
        }
    win_clear(pane, keeps, 0);
}

/* Make `pane` the newest one. */
static void win_advance(const win_shape *shape, int w, win_window *x, int64_t pane) {
    int64_t gone = pane - x->newest;
    if (!x->calls) gone = 0;
    if (gone > WIN_PANES) gone = WIN_PANES;
    for (int64_t i = 1; i <= gone; i++) {
        win_sum *old = x->panes + win_place(x->newest + i) * shape->aggregates;
        for (int a = 0; a < shape->aggregates; a++) win_leave(x, &old[a], &x->totals[a], shape->keeps[a]);
    }
    x->newest = pane;
    x->start = pane * shape->kinds[w].width;
    x->calls = 1;
}

static int win_gather(const win_shape *shape, win_window *x) {
    int good = 1;
    x->stale = 0;
    for (int a = 0; a < shape->aggregates; a++) {
        win_sum *total = &x->totals[a];
        int64_t n = total->n, errors = total->errors;
        if (shape->keeps[a] != WIN_EXTREME && shape->keeps[a] != WIN_DISTINCT) continue;
        win_clear(total, shape->keeps[a], 1);
        for (int i = 0; i < WIN_PANES; i++) {
            win_sum *pane = &x->panes[i * shape->aggregates + a];
            if (!pane->n) continue;
            if (shape->keeps[a] == WIN_EXTREME) { win_least(total, pane->least); total->n = 1; }
            else good = good && win_made((void **)&total->set, sizeof(win_set)) && win_set_join(total->set, pane->set);
        }
        total->n = n;
        total->errors = errors;
    }
    return good;
}

/* Whether the window would still take a call of this time. */
static inline int win_takes(const win_shape *shape, int w, const win_window *x, int64_t time) {
    if (shape->kinds[w].calls || !x->calls || time >= x->start) return 1;
    return win_floor(time, shape->kinds[w].width) > x->newest - WIN_PANES;
}

static inline int win_enter_time(const win_shape *shape, int w, win_window *x, int64_t time, const win_item *items) {
    int64_t width = shape->kinds[w].width, pane = x->newest;
    int good = 1;
    if (!x->calls || time < x->start || time - x->start >= width) {
        pane = win_floor(time, width);
        if (!x->calls || pane > x->newest) win_advance(shape, w, x, pane);
    }
    win_sum *at = x->panes + win_place(pane) * shape->aggregates;
    if (x->stale) good = win_gather(shape, x);
    for (int a = 0; a < shape->aggregates; a++) good &= win_add(&at[a], &x->totals[a], shape->keeps[a], &items[a]);
    return good;
}

/* Rings of calls ------------------------------------------------------------------------------------ */

/* Room for one more call, until there is room for all of the window. */
static int win_ring_grow(const win_shape *shape, win_window *x, int64_t calls) {
    uint32_t room = x->room ? 2 * x->room : 16;
    if (room > calls) room = (uint32_t)calls;
    for (int a = 0; a < shape->aggregates; a++) {
        win_ring *r = &x->rings[a];
        int keeps = shape->keeps[a];
        size_t words = keeps == WIN_COUNTER ? 0 : keeps == WIN_SUM ? 2 : 1;
        uint8_t *what = (uint8_t *)realloc(r->what, room);
        if (!what) return 0;
        r->what = what;
        if (words) {
            int64_t *values = (int64_t *)realloc(r->values, room * words * 8);
            if (!values) return 0;
            r->values = values;
        }
        if (keeps == WIN_EXTREME) {
            win_front *front = (win_front *)malloc(room * sizeof(win_front));
            if (!front) return 0;
            for (uint32_t i = 0; i < r->waiting; i++) front[i] = r->front[(r->head + i) % x->room];
            free(r->front);
            r->front = front;
            r->head = 0;
        }
    }
    x->room = room;
    return 1;
}

/* The values that may be the least of some window to come: they rise. */
static inline void win_wait(win_ring *r, uint32_t room, int64_t at, int64_t key) {
    while (r->waiting && r->front[(r->head + r->waiting - 1) % room].key >= key) r->waiting--;
    win_front *f = &r->front[(r->head + r->waiting++) % room];
    f->at = at;
    f->key = key;
}

static void win_forget(win_sum *total, win_ring *r, uint32_t room, uint32_t place, int64_t at, int keeps) {
    int what = r->what[place];
    if ((what & 3) == WIN_ERROR) total->errors--;
    if ((what & 3) != WIN_VALUE) return;
    total->n--;
    if (keeps == WIN_COUNTER) total->hits -= what >> 2;
    else if (keeps == WIN_SUM) {
        win_int value;
        memcpy(&value, r->values + 2 * (size_t)place, 16);
        total->sum -= value;
    } else if (keeps == WIN_SKETCH) win_sketch_add(total->sketch, (int32_t)r->values[place], -1);
    else if (keeps == WIN_DISTINCT) win_bag_add(total->times, (uint64_t)r->values[place], -1);
    else if (r->waiting && r->front[r->head].at == at) {
        r->head = (r->head + 1) % room;
        r->waiting--;
    }
}

static int win_remember(win_sum *total, win_ring *r, uint32_t room, uint32_t place, int64_t at, int keeps,
                        const win_item *item) {
    r->what[place] = (uint8_t)(item->what | (keeps == WIN_COUNTER && item->what == WIN_VALUE && item->value ? 4 : 0));
    total->errors += item->what == WIN_ERROR;
    if (item->what != WIN_VALUE) return 1;
    total->n++;
    if (keeps == WIN_COUNTER) total->hits += (int64_t)item->value;
    else if (keeps == WIN_SUM) {
        total->sum += item->value;
        memcpy(r->values + 2 * (size_t)place, &item->value, 16);
    } else {
        r->values[place] = (int64_t)item->value;
        if (keeps == WIN_EXTREME) win_wait(r, room, at, (int64_t)item->value);
        else if (keeps == WIN_SKETCH)
            return win_made((void **)&total->sketch, sizeof(win_sketch)) && win_sketch_add(total->sketch, (int32_t)item->value, 1);
        else return win_made((void **)&total->times, sizeof(win_bag)) && win_bag_add(total->times, (uint64_t)item->value, 1);
    }
    return 1;
}

static int win_enter_call(const win_shape *shape, int w, win_window *x, const win_item *items) {
    int64_t calls = shape->kinds[w].calls;
    int good = 1;
    if (x->calls == x->room && x->room < calls && !win_ring_grow(shape, x, calls)) return 0;
    uint32_t place = (uint32_t)(x->calls % x->room);
    for (int a = 0; a < shape->aggregates; a++) {
        win_ring *r = &x->rings[a];
        if (x->calls >= calls) win_forget(&x->totals[a], r, x->room, place, x->calls - calls, shape->keeps[a]);
        good &= win_remember(&x->totals[a], r, x->room, place, x->calls, shape->keeps[a], &items[a]);
        if (r->waiting) x->totals[a].least = r->front[r->head].key;
    }
    x->calls++;
    if (x->clear >= 0 && ++x->clear >= calls) x->clear = -1;
    return good;
}

static inline int win_enter(const win_shape *shape, win_group *g, int64_t time, const win_item *items) {
    int good = 1;
    for (int w = 0; w < shape->windows; w++)
        if (shape->kinds[w].calls) good &= win_enter_call(shape, w, &g->windows[w], items);
        else if (win_takes(shape, w, &g->windows[w], time)) good &= win_enter_time(shape, w, &g->windows[w], time, items);
    return good;
}

/* Merging: panes of the same index add up -------------------------------------------------------------- */

static int win_pane_join(win_sum *into, win_sum *total, const win_sum *from, int keeps) {
    int good = 1;
    if (keeps == WIN_COUNTER) { into->hits += from->hits; total->hits += from->hits; }
    else if (keeps == WIN_SUM) { into->sum += from->sum; total->sum += from->sum; }
    else if (keeps == WIN_EXTREME && from->n) { win_least(into, from->least); win_least(total, from->least); }
    else if (keeps == WIN_SKETCH && from->buckets) {
        good = win_made((void **)&into->buckets, sizeof(win_bag)) && win_made((void **)&total->sketch, sizeof(win_sketch));
        for (uint32_t i = 0; good && i < from->buckets->room; i++) {
            win_entry *e = &from->buckets->entries[i];
            if (e->count) good = win_bag_add(into->buckets, e->key, e->count)
                && win_sketch_add(total->sketch, win_key_bucket(e->key), e->count);
        }
    } else if (keeps == WIN_DISTINCT && from->set)
        good = win_made((void **)&into->set, sizeof(win_set)) && win_made((void **)&total->set, sizeof(win_set))
            && win_set_join(into->set, from->set) && win_set_join(total->set, from->set);
    into->n += from->n; into->errors += from->errors;
    total->n += from->n; total->errors += from->errors;
    return good;
}

/* Windows of time only. */
static int win_group_join(const win_shape *shape, win_group *into, const win_group *from) {
    int good = 1;
    into->violated |= from->violated;
    if (from->doubts && !win_made((void **)&into->doubts, sizeof(win_doubts) * (size_t)shape->windows)) return 0;
    for (int w = 0; from->doubts && w < shape->windows; w++) win_doubts_join(&into->doubts[w], &from->doubts[w]);
    for (int w = 0; w < shape->windows; w++) {
        win_window *x = &into->windows[w];
        const win_window *y = &from->windows[w];
        if (!y->calls) continue;
        if (!x->calls || y->newest > x->newest) win_advance(shape, w, x, y->newest);
        if (x->stale) good &= win_gather(shape, x);
        for (int64_t pane = y->newest - WIN_PANES + 1; pane <= y->newest; pane++) {
            if (pane <= x->newest - WIN_PANES) continue;
            size_t at = (size_t)(win_place(pane) * shape->aggregates);
            for (int a = 0; a < shape->aggregates; a++)
                good &= win_pane_join(&x->panes[at + a], &x->totals[a], &y->panes[at + a], shape->keeps[a]);
        }
    }
    return good;
}

/* Comparisons: x * b against a * n, exactly -------------------------------------------------------------- */

typedef struct { uint64_t words[4]; } win_wide;

static inline win_wide win_times(win_uint x, uint64_t y) {
    win_uint low = (win_uint)(uint64_t)x * y, high = (win_uint)(uint64_t)(x >> 64) * y + (uint64_t)(low >> 64);
    win_wide r = {{(uint64_t)low, (uint64_t)high, (uint64_t)(high >> 64), 0}};
    return r;
}

/* -1, 0 or 1 as x * b is below, at or above a * n; b and n are not negative, |x| and |a| below 2^127. */
static int win_compare(win_int x, uint64_t b, win_int a, uint64_t n) {
    if (x >= INT64_MIN && x <= INT64_MAX && a >= INT64_MIN && a <= INT64_MAX && (b | n) <= INT64_MAX) {
        win_int left = (win_int)(int64_t)x * (int64_t)b, right = (win_int)(int64_t)a * (int64_t)n;
        return (left > right) - (left < right);
    }
    int sx = b == 0 ? 0 : (x > 0) - (x < 0), sa = n == 0 ? 0 : (a > 0) - (a < 0);
    if (sx != sa) return sx < sa ? -1 : 1;
    win_wide left = win_times((win_uint)(x < 0 ? -x : x), b), right = win_times((win_uint)(a < 0 ? -a : a), n);
    for (int i = 2; i >= 0; i--)
        if (left.words[i] != right.words[i]) return (left.words[i] < right.words[i] ? -1 : 1) * (sx < 0 ? -1 : 1);
    return 0;
}

/* A double in billionths, half to even; 0 if it is beyond 1e18 or no number. */
static int win_billionths(double value, win_int *out) {
    if (!(value >= -1e18 && value <= 1e18)) return 0;
    uint64_t bits;
    memcpy(&bits, &value, 8);
    int exponent = (int)(bits >> 52 & 2047);
    win_uint whole = (bits & ((1ULL << 52) - 1)) | (exponent ? 1ULL << 52 : 0), rest, half;
    int shift = (exponent ? exponent : 1) - 1075;
    whole *= 1000000000u;                               /* below 2^83 */
    if (shift >= 0) whole <<= shift;                    /* a shift below 8: the value is at most 1e18 */
    else if (shift < -100) whole = 0;
    else {
        half = (win_uint)1 << (-shift - 1);
        rest = whole & (2 * half - 1);
        whole >>= -shift;
        whole += rest > half || (rest == half && (whole & 1));
    }
    *out = bits >> 63 ? -(win_int)whole : (win_int)whole;
    return 1;
}

/* The key of a double: -0.0 is 0.0.  Of no NaN. */
static inline int64_t win_double_key(double value) {
    int64_t bits;
    value += 0.0;
    memcpy(&bits, &value, 8);
    return bits >= 0 ? bits : INT64_MIN - bits;
}

static inline double win_key_double(int64_t key) {
    int64_t bits = key >= 0 ? key : INT64_MIN - key;
    double value;
    memcpy(&value, &bits, 8);
    return value;
}

/* What else needs 128 bits. */
static inline int64_t win_rank(int64_t n, int64_t top, int64_t bottom) {
    return (int64_t)(((win_int)n * top + bottom - 1) / bottom);
}
static inline int win_is_below(int64_t key, win_int threshold) { return key < threshold; }
static inline int win_fits(win_int x) { return x >= INT64_MIN && x <= INT64_MAX; }
static inline int win_fits_uint(win_int x) { return x >= 0 && x <= UINT64_MAX; }
static inline double win_double(win_int x) { return (double)x; }
static inline win_int win_divided(win_int x, int64_t n) { return x / n - (x % n < 0); }
static inline int win_is_sum_of(win_int x, int64_t n) {
    win_int most = (win_int)1 << 80;
    return x / most <= 1024 * (win_int)n && x / most >= -1024 * (win_int)n;
}

#endif
