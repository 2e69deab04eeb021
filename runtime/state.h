/* The registers of session promises, in plain C: no Python object, no allocation but that of tables.
 *
 * Every register exists twice.  `low` reads each maybe as is worst for what is promised, `high` as is best
 * (of an operator: as false, as true).  Where the two say the same, that is so however the maybes turn out.
 *
 * Times are microseconds since 1970.  A moment without a time of its own lies anywhere from the session's
 * last time on.
 */
#ifndef STATE_H
#define STATE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { STATE_NO = 0, STATE_YES = 1, STATE_MAYBE = 2 };

#define STATE_NEVER INT64_MIN            /* has not happened */
#define STATE_EVER (INT64_MIN / 2)       /* a lost call, since for ever */
#define STATE_OPEN INT64_MAX             /* at a time that is not known, from some call on */

typedef struct {
    int64_t now;        /* of this call; without a time of its own that of the session's last one */
    int64_t last;       /* of the session's last call; STATE_EVER if none had a time */
    int64_t number;     /* of this call in its session, from 0 */
    int timeless;
} state_instant;

static inline int state_answer(int low, int high) { return low ? STATE_YES : high ? STATE_MAYBE : STATE_NO; }

/* Whether t lies at most `span` back (no bound below 0): for certain, or possibly. */
static inline int state_within(int64_t t, int64_t span, const state_instant *m, int possibly) {
    if (t == STATE_NEVER) return 0;
    if (span < 0) return 1;
    if (t == STATE_OPEN) return possibly;
    if (m->timeless) return possibly && m->last - t <= span;
    return m->now - t <= span;
}

/* Whether t lies at least `span` back. */
static inline int state_before(int64_t t, int64_t span, const state_instant *m, int possibly) {
    if (t == STATE_NEVER) return 0;
    if (m->timeless) return possibly || m->last - t >= span;
    return m->now - t >= span;
}

/* An event that lies at an unknown time may be there, for whoever counts in time. */
static inline int state_timed(int event, int64_t span, const state_instant *m) {
    return event == STATE_YES && span >= 0 && m->timeless ? STATE_MAYBE : event;
}

static inline int64_t state_latest(int64_t span, const state_instant *m) {
    return m->timeless && span >= 0 ? STATE_OPEN : m->now;
}

/* Operators ------------------------------------------------------------------------------------ */

typedef struct { int64_t low, high; } state_past;        /* of `_before` the earliest time, else the latest */

static inline void state_note(state_past *r, int64_t span, int before, int event, const state_instant *m) {
    if (!before && !m->timeless) {              /* by far the most frequent: without a jump */
        r->low = event == STATE_YES ? m->now : r->low;
        r->high = event != STATE_NO ? m->now : r->high;
        return;
    }
    event = state_timed(event, span, m);
    if (before) {
        int64_t t = m->timeless ? m->last : m->now;
        if (event == STATE_YES && r->low == STATE_NEVER) r->low = t;
        if (event != STATE_NO && (r->high == STATE_NEVER || t < r->high)) r->high = t;
    } else {
        if (event == STATE_YES) r->low = m->now;
        if (event != STATE_NO) r->high = state_latest(span, m);
    }
}

/* state_within of a call that has a time, without a jump: no time lies behind it but those of OPEN. */
static inline int state_recent(int64_t t, int64_t span, int64_t now) {
    uint64_t width = span < 0 ? UINT64_MAX : (uint64_t)span;
    return (t != STATE_NEVER) & ((uint64_t)now - (uint64_t)t <= width);
}

static inline int state_past_answer(const state_past *r, int64_t span, int before, const state_instant *m) {
    if (!before && !m->timeless) {
        int low = state_recent(r->low, span, m->now);
        int high = state_recent(r->high, span, m->now) | (r->high == STATE_OPEN);
        return low * STATE_YES + (high & (1 - low)) * STATE_MAYBE;
    }
    if (before) return state_answer(state_before(r->low, span, m, 0), state_before(r->high, span, m, 1));
    return state_answer(state_within(r->low, span, m, 0), state_within(r->high, span, m, 1));
}

static inline int state_once(state_past *r, int64_t span, int before, int event, const state_instant *m) {
    state_note(r, span, before, event, m);
    return state_past_answer(r, span, before, m);
}

static inline int state_since(state_past *r, int64_t span, int before, int p, int q, const state_instant *m) {
    r->low = p != STATE_YES ? STATE_NEVER : r->low;
    r->high = p == STATE_NO ? STATE_NEVER : r->high;
    state_note(r, span, before, q, m);
    return state_past_answer(r, span, before, m);
}

/* Calls that were lost, at any time from t0 to t1: each may be one on which everything held, or nothing. */
static inline void state_past_lose(state_past *r, int since, int before, int64_t t0, int64_t t1) {
    if (since) r->low = STATE_NEVER;
    if (!before) r->high = t1;
    else if (r->high == STATE_NEVER || t0 < r->high) r->high = t0;
}

/* Rings: the last n times of an event ------------------------------------------------------------ */

typedef struct { int64_t count; int64_t times[1]; } state_ring;  /* n times, where a form counts in time */

static inline size_t state_ring_size(int64_t n, int64_t span) {
    return sizeof(int64_t) * (size_t)(1 + (span >= 0 ? n : 0));
}

/* Where the next time goes: a division takes longer than all the rest, and most rings have one place. */
static inline int64_t state_at(const state_ring *r, int64_t n) { return n == 1 ? 0 : r->count % n; }

static inline void state_push(state_ring *r, int64_t n, int64_t span, int64_t t) {
    if (span >= 0 && n > 0) r->times[state_at(r, n)] = t;
    if (r->count < INT64_MAX / 2) r->count++;
    if (span >= 0 && n > 0 && r->count >= 4 * n) r->count -= 2 * n;    /* count % n and count >= n stay */
}

/* Whether at least n came, the n-th latest not longer ago than span. */
static inline int state_full(const state_ring *r, int64_t n, int64_t span, const state_instant *m, int possibly) {
    if (r->count < n) return 0;
    return span < 0 || n == 0 || state_within(r->times[state_at(r, n)], span, m, possibly);
}

/* One event into both readings: `eager` takes a maybe, `strict` does not. */
static inline void state_push_both(state_ring *strict, state_ring *eager, int64_t n, int64_t span, int event,
                                  const state_instant *m) {
    event = state_timed(event, span, m);
    if (event == STATE_YES) state_push(strict, n, span, m->now);
    if (event != STATE_NO) state_push(eager, n, span, state_latest(span, m));
}

static inline void state_ring_lose(state_ring *eager, int64_t n, int64_t span, int64_t calls, int64_t t1) {
    for (int64_t i = 0; i < calls && i < n; i++) state_push(eager, n, span, t1);
}

/* Named forms ----------------------------------------------------------------------------------- */

typedef struct { int64_t time, number; } state_witness;         /* the latest call that a form looks back to */

/* `only after`: the witness, then the rings of low and high. */
static inline state_ring *state_low(void *registers) {
    return (state_ring *)((char *)registers + sizeof(state_witness));
}
static inline state_ring *state_high(void *registers, int64_t n, int64_t span) {
    return (state_ring *)((char *)registers + sizeof(state_witness) + state_ring_size(n, span));
}
static inline size_t state_rings_size(int64_t n, int64_t span) {
    return sizeof(state_witness) + 2 * state_ring_size(n, span);
}

static inline void state_witnessed(void *registers, int event, const state_instant *m) {
    state_witness *w = (state_witness *)registers;
    if (event == STATE_NO) return;
    w->time = m->timeless ? STATE_NEVER : m->now;
    w->number = m->number;
}

static inline int state_only_after(void *r, int64_t n, int64_t span, const state_instant *m) {
    return state_answer(state_full(state_low(r), n, span, m, 0), state_full(state_high(r, n, span), n, span, m, 1));
}

static inline void state_only_after_take(void *r, int64_t n, int64_t span, int fresh, int event, int after,
                                        const state_instant *m) {
    state_push_both(state_low(r), state_high(r, n, span), n, span, after, m);
    state_witnessed(r, after, m);
    if (fresh && event != STATE_NO) state_low(r)->count = 0;
    if (fresh && event == STATE_YES) state_high(r, n, span)->count = 0;
}

/* `at most`: low counts every maybe, high none. */
static inline int state_at_most(void *r, int64_t n, int64_t span, const state_instant *m) {
    return state_answer(!state_full(state_low(r), n, span, m, 1), !state_full(state_high(r, n, span), n, span, m, 0));
}

static inline void state_at_most_take(void *r, int64_t n, int64_t span, int event, const state_instant *m) {
    state_push_both(state_high(r, n, span), state_low(r), n, span, event, m);
    state_witnessed(r, event, m);
}

/* `never after`: whether the event is forbidden now. */
typedef struct { state_witness witness; int32_t low, high; } state_forbidden;

static inline int state_never_after(const state_forbidden *r) { return state_answer(!r->low, !r->high); }

static inline void state_never_after_take(state_forbidden *r, int after, int until, const state_instant *m) {
    if (until == STATE_YES) r->low = 0;
    if (until != STATE_NO) r->high = 0;
    if (after != STATE_NO) r->low = 1;
    if (after == STATE_YES) r->high = 1;
    state_witnessed(r, after, m);
}

static inline void state_never_after_lose(state_forbidden *r, int until) {
    r->low = 1;
    if (until) r->high = 0;
}

/* `expect`: one reading takes each maybe as no (copy 0), one as yes (copy 1). */
typedef struct { int64_t number, time; } state_duty;            /* number: of the call that opened it; -1: none */
typedef struct {
    state_duty copies[2];
    int64_t asked;          /* number of the call whose verdict is pending; -1: none */
    int64_t time;           /* that call's own time; STATE_NEVER if it has none */
    void *id;               /* that call's id, owned; NULL if none */
    int32_t said[2];        /* what each reading has resolved: 0 nothing, 1 kept, 2 broken, 3 dropped */
} state_expect;

/* Tables: a 128-bit hash -> a pointer or a number ------------------------------------------------- */

typedef struct { uint64_t a, b; void *value; } state_entry;     /* value NULL: free */
typedef struct { state_entry *entries; size_t count, room; } state_table;         /* room: 0 or a power of two */

static inline state_entry *state_find(const state_table *t, uint64_t a, uint64_t b) {
    if (!t->room) return NULL;
    for (size_t i = a & (t->room - 1);; i = (i + 1) & (t->room - 1)) {
        state_entry *e = &t->entries[i];
        if (!e->value) return NULL;
        if (e->a == a && e->b == b) return e;
    }
}

static inline void state_place(state_table *t, uint64_t a, uint64_t b, void *value) {
    size_t i = a & (t->room - 1);
    while (t->entries[i].value) i = (i + 1) & (t->room - 1);
    t->entries[i].a = a;
    t->entries[i].b = b;
    t->entries[i].value = value;
}

/* 0 if there is no memory.  The key must not be there yet. */
static inline int state_insert(state_table *t, uint64_t a, uint64_t b, void *value) {
    if (t->count + t->count / 2 >= t->room) {
        size_t room = t->room ? 2 * t->room : 4;
        state_table grown = {(state_entry *)calloc(room, sizeof(state_entry)), t->count, room};
        if (!grown.entries) return 0;
        for (size_t i = 0; i < t->room; i++)
            if (t->entries[i].value) state_place(&grown, t->entries[i].a, t->entries[i].b, t->entries[i].value);
        free(t->entries);
        *t = grown;
    }
    state_place(t, a, b, value);
    t->count++;
    return 1;
}

/* Entries behind the hole move up, so that no search ends too early. */
static inline void state_remove(state_table *t, state_entry *e) {
    size_t mask = t->room - 1, hole = (size_t)(e - t->entries), i = hole;
    for (;;) {
        i = (i + 1) & mask;
        if (!t->entries[i].value) break;
        if (((i - (t->entries[i].a & mask)) & mask) >= ((i - hole) & mask)) {
            t->entries[hole] = t->entries[i];
            hole = i;
        }
    }
    t->entries[hole].value = NULL;
    t->count--;
}

/* SipHash-1-3 with 128 bits of output (Aumasson and Bernstein) ------------------------------------ */

#define STATE_ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))
#define STATE_SIP_ROUND                                                                      \
    do {                                                                                    \
        v0 += v1; v1 = STATE_ROTL(v1, 13); v1 ^= v0; v0 = STATE_ROTL(v0, 32);                 \
        v2 += v3; v3 = STATE_ROTL(v3, 16); v3 ^= v2;                                         \
        v0 += v3; v3 = STATE_ROTL(v3, 21); v3 ^= v0;                                         \
        v2 += v1; v1 = STATE_ROTL(v1, 17); v1 ^= v2; v2 = STATE_ROTL(v2, 32);                 \
    } while (0)

typedef struct { uint64_t a, b; } state_key;

/* kind: what sort of value the bytes are of; it is hashed with them. */
static inline state_key state_sip(const uint64_t key[2], uint64_t kind, const void *data, size_t size) {
    const uint8_t *p = (const uint8_t *)data, *end = p + (size & ~(size_t)7);
    uint64_t v0 = 0x736f6d6570736575ULL ^ key[0], v1 = 0x646f72616e646f6dULL ^ key[1] ^ 0xee;
    uint64_t v2 = 0x6c7967656e657261ULL ^ key[0], v3 = 0x7465646279746573ULL ^ key[1];
    uint64_t w, last = (uint64_t)size << 56;
    v3 ^= kind; STATE_SIP_ROUND; v0 ^= kind;
    for (; p < end; p += 8) {
        memcpy(&w, p, 8);
        v3 ^= w; STATE_SIP_ROUND; v0 ^= w;
    }
    w = 0;
    memcpy(&w, p, size & 7);
    last |= w;
    v3 ^= last; STATE_SIP_ROUND; v0 ^= last;
    v2 ^= 0xee; STATE_SIP_ROUND; STATE_SIP_ROUND; STATE_SIP_ROUND;
    state_key h = {v0 ^ v1 ^ v2 ^ v3, 0};
    v1 ^= 0xdd; STATE_SIP_ROUND; STATE_SIP_ROUND; STATE_SIP_ROUND;
    h.b = v0 ^ v1 ^ v2 ^ v3;
    return h;
}

/* The filter of forgotten keys: four bits of each; a power of two of them ------------------------- */

static inline int state_filter_has(const uint8_t *filter, uint64_t bits, state_key h) {
    for (int i = 0; i < 4; i++) {
        uint64_t at = (h.a + (uint64_t)i * (h.b | 1)) & (bits - 1);
        if (!(filter[at >> 3] >> (at & 7) & 1)) return 0;
    }
    return 1;
}

/* How many of them were not set before. */
static inline int state_filter_add(uint8_t *filter, uint64_t bits, state_key h) {
    int fresh = 0;
    for (int i = 0; i < 4; i++) {
        uint64_t at = (h.a + (uint64_t)i * (h.b | 1)) & (bits - 1);
        fresh += !(filter[at >> 3] >> (at & 7) & 1);
        filter[at >> 3] |= (uint8_t)(1 << (at & 7));
    }
    return fresh;
}

static inline int state_ones(uint8_t bits) { return __builtin_popcount(bits); }

/* The least k with 2^k >= calls. */
static inline int state_level(int64_t calls) { return calls <= 1 ? 0 : 64 - __builtin_clzll((uint64_t)calls - 1); }

/* What stands in the filter for a key whose session had at most 2^level calls. */
static inline state_key state_at_level(state_key h, int level) {
    state_key found = {h.a ^ (uint64_t)(level + 1) * 0x9E3779B97F4A7C15ULL, h.b ^ (uint64_t)(level + 1) * 0xC2B2AE3D27D4EB4FULL};
    return found;
}

#endif
