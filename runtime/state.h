/* The registers of session promises, in plain C: no Python object, no allocation but that of tables.
 *
 * Every register exists twice.  `low` reads each maybe as is worst for what is promised, `high` as is best
 * (of an operator: as false, as true).  Where the two say the same, that is so however the maybes turn out.
 *
 * Times are microseconds since 1970.  A moment without a time of its own lies anywhere from the session's
 * last time on.
 */
#ifndef PACT_STATE_H
#define PACT_STATE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PACT_NO = 0, PACT_YES = 1, PACT_MAYBE = 2 };

#define PACT_NEVER INT64_MIN            /* has not happened */
#define PACT_EVER (INT64_MIN / 2)       /* a lost call, since for ever */
#define PACT_OPEN INT64_MAX             /* at a time that is not known, from some call on */

typedef struct {
    int64_t now;        /* of this call; without a time of its own that of the session's last one */
    int64_t last;       /* of the session's last call; PACT_EVER if none had a time */
    int64_t number;     /* of this call in its session, from 0 */
    int timeless;
} pact_instant;

static inline int pact_answer(int low, int high) { return low ? PACT_YES : high ? PACT_MAYBE : PACT_NO; }

/* Whether t lies at most `span` back (no bound below 0): for certain, or possibly. */
static inline int pact_within(int64_t t, int64_t span, const pact_instant *m, int possibly) {
    if (t == PACT_NEVER) return 0;
    if (span < 0) return 1;
    if (t == PACT_OPEN) return possibly;
    if (m->timeless) return possibly && m->last - t <= span;
    return m->now - t <= span;
}

/* Whether t lies at least `span` back. */
static inline int pact_before(int64_t t, int64_t span, const pact_instant *m, int possibly) {
    if (t == PACT_NEVER) return 0;
    if (m->timeless) return possibly || m->last - t >= span;
    return m->now - t >= span;
}

/* An event that lies at an unknown time may be there, for whoever counts in time. */
static inline int pact_timed(int event, int64_t span, const pact_instant *m) {
    return event == PACT_YES && span >= 0 && m->timeless ? PACT_MAYBE : event;
}

static inline int64_t pact_latest(int64_t span, const pact_instant *m) {
    return m->timeless && span >= 0 ? PACT_OPEN : m->now;
}

/* Operators ------------------------------------------------------------------------------------ */

typedef struct { int64_t low, high; } pact_past;        /* of `_before` the earliest time, else the latest */

static inline void pact_note(pact_past *r, int64_t span, int before, int event, const pact_instant *m) {
    event = pact_timed(event, span, m);
    if (before) {
        int64_t t = m->timeless ? m->last : m->now;
        if (event == PACT_YES && r->low == PACT_NEVER) r->low = t;
        if (event != PACT_NO && (r->high == PACT_NEVER || t < r->high)) r->high = t;
    } else {
        if (event == PACT_YES) r->low = m->now;
        if (event != PACT_NO) r->high = pact_latest(span, m);
    }
}

static inline int pact_past_answer(const pact_past *r, int64_t span, int before, const pact_instant *m) {
    if (before) return pact_answer(pact_before(r->low, span, m, 0), pact_before(r->high, span, m, 1));
    return pact_answer(pact_within(r->low, span, m, 0), pact_within(r->high, span, m, 1));
}

static inline int pact_once(pact_past *r, int64_t span, int before, int event, const pact_instant *m) {
    pact_note(r, span, before, event, m);
    return pact_past_answer(r, span, before, m);
}

static inline int pact_since(pact_past *r, int64_t span, int before, int p, int q, const pact_instant *m) {
    if (p != PACT_YES) r->low = PACT_NEVER;
    if (p == PACT_NO) r->high = PACT_NEVER;
    pact_note(r, span, before, q, m);
    return pact_past_answer(r, span, before, m);
}

/* Calls that were lost, at any time from t0 to t1: each may be one on which everything held, or nothing. */
static inline void pact_past_lose(pact_past *r, int since, int before, int64_t t0, int64_t t1) {
    if (since) r->low = PACT_NEVER;
    if (!before) r->high = t1;
    else if (r->high == PACT_NEVER || t0 < r->high) r->high = t0;
}

/* Rings: the last n times of an event ------------------------------------------------------------ */

typedef struct { int64_t count; int64_t times[1]; } pact_ring;  /* n times, where a form counts in time */

static inline size_t pact_ring_size(int64_t n, int64_t span) {
    return sizeof(int64_t) * (size_t)(1 + (span >= 0 ? n : 0));
}

static inline void pact_push(pact_ring *r, int64_t n, int64_t span, int64_t t) {
    if (span >= 0 && n > 0) r->times[r->count % n] = t;
    if (r->count < INT64_MAX / 2) r->count++;
    if (span >= 0 && n > 0 && r->count >= 4 * n) r->count -= 2 * n;    /* count % n and count >= n stay */
}

/* Whether at least n came, the n-th latest not longer ago than span. */
static inline int pact_full(const pact_ring *r, int64_t n, int64_t span, const pact_instant *m, int possibly) {
    if (r->count < n) return 0;
    return span < 0 || n == 0 || pact_within(r->times[r->count % n], span, m, possibly);
}

/* One event into both readings: `eager` takes a maybe, `strict` does not. */
static inline void pact_push_both(pact_ring *strict, pact_ring *eager, int64_t n, int64_t span, int event,
                                  const pact_instant *m) {
    event = pact_timed(event, span, m);
    if (event == PACT_YES) pact_push(strict, n, span, m->now);
    if (event != PACT_NO) pact_push(eager, n, span, pact_latest(span, m));
}

static inline void pact_ring_lose(pact_ring *eager, int64_t n, int64_t span, int64_t calls, int64_t t1) {
    for (int64_t i = 0; i < calls && i < n; i++) pact_push(eager, n, span, t1);
}

/* Named forms ----------------------------------------------------------------------------------- */

typedef struct { int64_t time, number; } pact_witness;         /* the latest call that a form looks back to */

/* `only after`: the witness, then the rings of low and high. */
static inline pact_ring *pact_low(void *registers) {
    return (pact_ring *)((char *)registers + sizeof(pact_witness));
}
static inline pact_ring *pact_high(void *registers, int64_t n, int64_t span) {
    return (pact_ring *)((char *)registers + sizeof(pact_witness) + pact_ring_size(n, span));
}
static inline size_t pact_rings_size(int64_t n, int64_t span) {
    return sizeof(pact_witness) + 2 * pact_ring_size(n, span);
}

static inline void pact_witnessed(void *registers, int event, const pact_instant *m) {
    pact_witness *w = (pact_witness *)registers;
    if (event == PACT_NO) return;
    w->time = m->timeless ? PACT_NEVER : m->now;
    w->number = m->number;
}

static inline int pact_only_after(void *r, int64_t n, int64_t span, const pact_instant *m) {
    return pact_answer(pact_full(pact_low(r), n, span, m, 0), pact_full(pact_high(r, n, span), n, span, m, 1));
}

static inline void pact_only_after_take(void *r, int64_t n, int64_t span, int fresh, int event, int after,
                                        const pact_instant *m) {
    pact_push_both(pact_low(r), pact_high(r, n, span), n, span, after, m);
    pact_witnessed(r, after, m);
    if (fresh && event != PACT_NO) pact_low(r)->count = 0;
    if (fresh && event == PACT_YES) pact_high(r, n, span)->count = 0;
}

/* `at most`: low counts every maybe, high none. */
static inline int pact_at_most(void *r, int64_t n, int64_t span, const pact_instant *m) {
    return pact_answer(!pact_full(pact_low(r), n, span, m, 1), !pact_full(pact_high(r, n, span), n, span, m, 0));
}

static inline void pact_at_most_take(void *r, int64_t n, int64_t span, int event, const pact_instant *m) {
    pact_push_both(pact_high(r, n, span), pact_low(r), n, span, event, m);
    pact_witnessed(r, event, m);
}

/* `never after`: whether the event is forbidden now. */
typedef struct { pact_witness witness; int32_t low, high; } pact_forbidden;

static inline int pact_never_after(const pact_forbidden *r) { return pact_answer(!r->low, !r->high); }

static inline void pact_never_after_take(pact_forbidden *r, int after, int until, const pact_instant *m) {
    if (until == PACT_YES) r->low = 0;
    if (until != PACT_NO) r->high = 0;
    if (after != PACT_NO) r->low = 1;
    if (after == PACT_YES) r->high = 1;
    pact_witnessed(r, after, m);
}

static inline void pact_never_after_lose(pact_forbidden *r, int until) {
    r->low = 1;
    if (until) r->high = 0;
}

/* `expect`: one reading takes each maybe as no (copy 0), one as yes (copy 1). */
typedef struct { int64_t number, time; } pact_duty;            /* number: of the call that opened it; -1: none */
typedef struct {
    pact_duty copies[2];
    int64_t asked;          /* number of the call whose verdict is pending; -1: none */
    void *id;               /* that call's id, owned; NULL if none */
    int32_t said[2];        /* what each reading has resolved: 0 nothing, 1 kept, 2 broken, 3 dropped */
} pact_expect;

/* Tables: a 128-bit hash -> a pointer or a number ------------------------------------------------- */

typedef struct { uint64_t a, b; void *value; } pact_entry;     /* value NULL: free */
typedef struct { pact_entry *entries; size_t count, room; } pact_table;         /* room: 0 or a power of two */

static inline pact_entry *pact_find(const pact_table *t, uint64_t a, uint64_t b) {
    if (!t->room) return NULL;
    for (size_t i = a & (t->room - 1);; i = (i + 1) & (t->room - 1)) {
        pact_entry *e = &t->entries[i];
        if (!e->value) return NULL;
        if (e->a == a && e->b == b) return e;
    }
}

static inline void pact_place(pact_table *t, uint64_t a, uint64_t b, void *value) {
    size_t i = a & (t->room - 1);
    while (t->entries[i].value) i = (i + 1) & (t->room - 1);
    t->entries[i].a = a;
    t->entries[i].b = b;
    t->entries[i].value = value;
}

/* 0 if there is no memory.  The key must not be there yet. */
static inline int pact_insert(pact_table *t, uint64_t a, uint64_t b, void *value) {
    if (t->count + t->count / 2 >= t->room) {
        size_t room = t->room ? 2 * t->room : 8;
        pact_table grown = {(pact_entry *)calloc(room, sizeof(pact_entry)), t->count, room};
        if (!grown.entries) return 0;
        for (size_t i = 0; i < t->room; i++)
            if (t->entries[i].value) pact_place(&grown, t->entries[i].a, t->entries[i].b, t->entries[i].value);
        free(t->entries);
        *t = grown;
    }
    pact_place(t, a, b, value);
    t->count++;
    return 1;
}

/* Entries behind the hole move up, so that no search ends too early. */
static inline void pact_remove(pact_table *t, pact_entry *e) {
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

#define PACT_ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))
#define PACT_SIP_ROUND                                                                      \
    do {                                                                                    \
        v0 += v1; v1 = PACT_ROTL(v1, 13); v1 ^= v0; v0 = PACT_ROTL(v0, 32);                 \
        v2 += v3; v3 = PACT_ROTL(v3, 16); v3 ^= v2;                                         \
        v0 += v3; v3 = PACT_ROTL(v3, 21); v3 ^= v0;                                         \
        v2 += v1; v1 = PACT_ROTL(v1, 17); v1 ^= v2; v2 = PACT_ROTL(v2, 32);                 \
    } while (0)

typedef struct { uint64_t a, b; } pact_key;

/* kind: what sort of value the bytes are of; it is hashed with them. */
static inline pact_key pact_sip(const uint64_t key[2], uint64_t kind, const void *data, size_t size) {
    const uint8_t *p = (const uint8_t *)data, *end = p + (size & ~(size_t)7);
    uint64_t v0 = 0x736f6d6570736575ULL ^ key[0], v1 = 0x646f72616e646f6dULL ^ key[1] ^ 0xee;
    uint64_t v2 = 0x6c7967656e657261ULL ^ key[0], v3 = 0x7465646279746573ULL ^ key[1];
    uint64_t w, last = (uint64_t)size << 56;
    v3 ^= kind; PACT_SIP_ROUND; v0 ^= kind;
    for (; p < end; p += 8) {
        memcpy(&w, p, 8);
        v3 ^= w; PACT_SIP_ROUND; v0 ^= w;
    }
    w = 0;
    memcpy(&w, p, size & 7);
    last |= w;
    v3 ^= last; PACT_SIP_ROUND; v0 ^= last;
    v2 ^= 0xee; PACT_SIP_ROUND; PACT_SIP_ROUND; PACT_SIP_ROUND;
    pact_key h = {v0 ^ v1 ^ v2 ^ v3, 0};
    v1 ^= 0xdd; PACT_SIP_ROUND; PACT_SIP_ROUND; PACT_SIP_ROUND;
    h.b = v0 ^ v1 ^ v2 ^ v3;
    return h;
}

/* The filter of forgotten keys: four bits of each; a power of two of them ------------------------- */

static inline int pact_filter_has(const uint8_t *filter, uint64_t bits, pact_key h) {
    for (int i = 0; i < 4; i++) {
        uint64_t at = (h.a + (uint64_t)i * (h.b | 1)) & (bits - 1);
        if (!(filter[at >> 3] >> (at & 7) & 1)) return 0;
    }
    return 1;
}

static inline void pact_filter_add(uint8_t *filter, uint64_t bits, pact_key h) {
    for (int i = 0; i < 4; i++) {
        uint64_t at = (h.a + (uint64_t)i * (h.b | 1)) & (bits - 1);
        filter[at >> 3] |= (uint8_t)(1 << (at & 7));
    }
}

#endif
