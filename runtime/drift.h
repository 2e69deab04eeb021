/* Watches, in plain C: a Shiryaev-Roberts e-detector over a mixture of eight alternatives.
 *
 * The promise is that each X, a number in [0, 1], is P on average at most, given all that came before it.
 * Of an alternative whose odds are m times those of P, a call has the factor
 *     L(X) = (1 + (m - 1) X) / (1 + (m - 1) P),
 * which is 1 on average at most, and its level becomes (level + share) L(X).  Shares are 1 in all, so the
 * eight levels together grow by 1 a call on average at most, so at the moment when they first reach N, N calls have come on average.
 * What an alarm takes away is at least N, so n calls bring n / N alarms on average at most, for every n.  It is
 * given on a hit alone: levels rise a little without one, and that is no sign of anything.
 *
 * A watch over a distribution has a part for each of its bins, with the P of the bin; of B parts the levels
 * together grow by B a call at most, and have to reach B N.
 *
 * All is integers: a level in 2^-28, a factor in 2^-40, X in 2^-24, each rounded down, which only lowers a
 * level.  So the promise holds exactly, and levels of several workers add up, in any order, to a level.
 */
#ifndef DRIFT_H
#define DRIFT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { DRIFT_GRID = 8, DRIFT_FACTOR_BITS = 40, DRIFT_X_BITS = 24, DRIFT_LEVEL_BITS = 28 };
enum { DRIFT_MOST_PARTS = 24, DRIFT_FIELDS = 8, DRIFT_SEEN = 16 };

#define DRIFT_ONE ((uint64_t)1 << DRIFT_X_BITS)                     /* X of a hit */
/* What each call adds to each level: small rises, which take longest, have the larger shares. */
static const uint64_t drift_shares[DRIFT_GRID] = {
    14 << 22, 10 << 22, 8 << 22, 8 << 22, 8 << 22, 7 << 22, 6 << 22, 3 << 22,
};
#define DRIFT_MOST ((uint64_t)1 << 59)                              /* of a level; B N is less, so it gives an alarm */

typedef struct {
    uint64_t miss[DRIFT_GRID], hit[DRIFT_GRID];     /* L(0) and L(1) */
    uint64_t less[DRIFT_GRID];                      /* L(0) in 2^-64 */
} drift_rate;

typedef struct {
    int parts;
    int never;                      /* P is 0: the first hit is the alarm */
    uint64_t limit;                 /* N for each part, as a level */
    drift_rate *rates;              /* of each part */
} drift_plan;

/* What had come before the product of factors that is greatest now. */
typedef struct { int64_t calls, hits, line, time; } drift_start;

typedef struct {
    int64_t hits;                   /* since the last alarm, in 2^-24 */
    int64_t running;                /* whether some `run` is not 0 */
    uint64_t low[DRIFT_GRID];       /* levels: what cannot be read is no hit */
    uint64_t high[DRIFT_GRID];      /* it is one; meaningful where there are errors */
    uint64_t run[DRIFT_GRID];       /* the greatest product of factors, as a level; 0: none is over 1 */
    drift_start starts[DRIFT_GRID];
} drift_part;

/* A version of the agent: model, prompt, ..., as hashes, and the calls of it since it came. */
typedef struct {
    uint32_t fields[DRIFT_FIELDS];
    int64_t line, time;             /* of its first call */
    int64_t calls, hits;            /* of all versions until then, in all */
    int64_t last;                   /* number of its last call */
    int64_t own_calls, own_hits;
} drift_version;

typedef struct {
    uint64_t a, b;                  /* hash of the keys */
    int64_t calls;                  /* since the last alarm */
    int64_t errors;                 /* of them unreadable */
    int64_t all_calls, all_hits;    /* readable ones, alarms or not */
    int64_t versions;
    drift_version *seen;            /* NULL, or room for DRIFT_SEEN */
    drift_part parts[1];
} drift_group;

static inline size_t drift_size(const drift_plan *p) {
    return sizeof(drift_group) + (size_t)(p->parts - 1) * sizeof(drift_part);
}

static inline uint64_t drift_sum(uint64_t x, uint64_t y, uint64_t most) {
    uint64_t sum = x + y;
    return sum > most ? most : sum;
}

static inline uint64_t drift_times(uint64_t level, uint64_t factor) {
    return (uint64_t)((unsigned __int128)level * factor >> DRIFT_FACTOR_BITS);
}

/* The same by a factor below 1 in 2^-64: one multiplication. */
static inline uint64_t drift_less(uint64_t level, uint64_t factor) {
    return (uint64_t)((unsigned __int128)level * factor >> 64);
}

static inline uint64_t drift_factor(const drift_rate *r, int k, uint64_t x) {
    uint64_t miss = r->miss[k];
    if (x == DRIFT_ONE) return r->hit[k];
    return miss + (uint64_t)((unsigned __int128)(r->hit[k] - miss) * x >> DRIFT_X_BITS);
}

/* All levels by one X; their sum. */
static inline uint64_t drift_raise(const drift_rate *r, uint64_t *levels, uint64_t x) {
    uint64_t sum = 0;
    if (!x) {
        for (int k = 0; k < DRIFT_GRID; k++) {
            levels[k] = drift_less(levels[k] + drift_shares[k], r->less[k]);
            sum += levels[k];
        }
        return sum;
    }
    for (int k = 0; k < DRIFT_GRID; k++) {
        uint64_t level = drift_times(levels[k] + drift_shares[k], drift_factor(r, k, x));
        levels[k] = level > DRIFT_MOST ? DRIFT_MOST : level;
        sum += levels[k];
    }
    return sum;
}

/* Where each product of factors that is the greatest now begins. */
static inline void drift_follow(const drift_rate *r, drift_part *d, uint64_t x, drift_start now) {
    if (!x && !d->running) return;
    now.hits = d->hits;
    d->running = 0;
    for (int k = 0; k < DRIFT_GRID; k++) {
        uint64_t run = d->run[k];
        if (!run && x) d->starts[k] = now;
        run = x ? drift_times(run ? run : drift_shares[k], drift_factor(r, k, x)) : drift_less(run, r->less[k]);
        d->run[k] = run > DRIFT_MOST ? DRIFT_MOST : run > drift_shares[k] ? run : 0;
        d->running |= d->run[k] != 0;
    }
}

enum { DRIFT_QUIET, DRIFT_ALARM, DRIFT_DOUBT };

/* A call that cannot be read.  DRIFT_DOUBT: it would be an alarm if it were a hit, in each part. */
static inline int drift_error(const drift_plan *p, drift_group *g, int64_t line, int64_t time) {
    drift_start now = {g->calls, 0, line, time};
    uint64_t high = 0;
    for (int i = 0; i < p->parts; i++) {
        drift_part *d = &g->parts[i];
        if (!g->errors) memcpy(d->high, d->low, sizeof(d->high));
        if (p->never) continue;
        drift_follow(&p->rates[i], d, 0, now);
        drift_raise(&p->rates[i], d->low, 0);
        high = drift_sum(high, drift_raise(&p->rates[i], d->high, DRIFT_ONE), 8 * DRIFT_MOST);
    }
    g->calls++;
    g->errors++;
    return p->never || high >= p->limit ? DRIFT_DOUBT : DRIFT_QUIET;
}

/* One call: X of the part `bin`, of all others 0.  DRIFT_DOUBT: it would be an alarm if what could not be read
 * before were hits. */
static inline int drift_take(const drift_plan *p, drift_group *g, int bin, uint64_t x, int64_t line, int64_t time) {
    drift_start now = {g->calls, 0, line, time};
    uint64_t low = 0, high = 0;
    for (int i = 0; i < p->parts && !p->never; i++) {
        uint64_t hit = i == bin ? x : 0;
        drift_follow(&p->rates[i], &g->parts[i], hit, now);
        low = drift_sum(low, drift_raise(&p->rates[i], g->parts[i].low, hit), 8 * DRIFT_MOST);
        if (g->errors) high = drift_sum(high, drift_raise(&p->rates[i], g->parts[i].high, hit), 8 * DRIFT_MOST);
    }
    g->calls++;
    g->all_calls++;
    g->all_hits += (int64_t)x;
    g->parts[bin].hits += (int64_t)x;
    if (p->never || !x) return x ? DRIFT_ALARM : DRIFT_QUIET;
    return low >= p->limit ? DRIFT_ALARM : high >= p->limit ? DRIFT_DOUBT : DRIFT_QUIET;
}

/* Afresh: after an alarm the levels and what is known of the change; after a doubt what could not be read. */
static inline void drift_restart(const drift_plan *p, drift_group *g, int alarm) {
    g->errors = 0;
    if (!alarm) return;
    g->calls = 0;
    memset(g->parts, 0, (size_t)p->parts * sizeof(drift_part));
}

/* The part and the alternative that explain best what came: 8 times the part, plus the alternative. */
static inline int drift_dominant(const drift_plan *p, const drift_group *g) {
    int best = 0;
    for (int i = 0; i < p->parts * DRIFT_GRID; i++)
        if (g->parts[i >> 3].low[i & 7] > g->parts[best >> 3].low[best & 7]) best = i;
    return best;
}

/* The call is of this version: of a new one, or one that has long been away, its calls are counted from now on.
 * Of too many versions the one that has been away longest is forgotten. */
static inline void drift_note(drift_group *g, const uint32_t *fields, uint64_t x, int64_t away, int64_t line, int64_t time) {
    drift_version *v = g->seen, *oldest = g->seen;
    int64_t number = g->all_calls - 1;
    int i;
    for (i = 0; i < g->versions; i++, v++) {
        if (!memcmp(v->fields, fields, sizeof(v->fields))) break;
        if (v->last < oldest->last) oldest = v;
    }
    if (i == g->versions && i == DRIFT_SEEN) v = oldest;
    else if (i == g->versions) g->versions++;
    if (i == DRIFT_SEEN || v->own_calls == 0 || number - v->last > away) {
        memcpy(v->fields, fields, sizeof(v->fields));
        v->line = line;
        v->time = time;
        v->calls = number;
        v->hits = g->all_hits - (int64_t)x;
        v->own_calls = v->own_hits = 0;
    }
    v->last = number;
    v->own_calls++;
    v->own_hits += (int64_t)x;
}

/* Another worker's part into this one: levels add up; of two products the greater one counts, with the calls
 * that came since on its own worker. */
static inline void drift_join_part(drift_part *into, const drift_part *from, const drift_group *g, const drift_group *f) {
    for (int k = 0; k < DRIFT_GRID; k++) {
        uint64_t mine = g->errors ? into->high[k] : into->low[k];
        uint64_t theirs = f->errors ? from->high[k] : from->low[k];
        const drift_start *s = &from->starts[k];
        into->high[k] = drift_sum(mine, theirs, DRIFT_MOST);
        into->low[k] = drift_sum(into->low[k], from->low[k], DRIFT_MOST);
        if (from->run[k] > into->run[k]) {
            into->run[k] = from->run[k];
            into->starts[k] = (drift_start){g->calls + s->calls, into->hits + s->hits, s->line, s->time};
        } else {
            into->starts[k].calls += f->calls;
            into->starts[k].hits += from->hits;
        }
    }
    into->hits += from->hits;
    into->running |= from->running;
}

/* Another worker's group into this one.  Its versions are not taken over: which calls came before which, nobody
 * knows. */
static inline void drift_join(const drift_plan *p, drift_group *into, const drift_group *from) {
    for (int i = 0; i < p->parts; i++) drift_join_part(&into->parts[i], &from->parts[i], into, from);
    into->calls += from->calls;
    into->errors += from->errors;
}

#endif
