/* Watches over a rate, in plain C: a Shiryaev-Roberts e-detector over a mixture of eight alternatives.
 *
 * The promise is that each X, a number in [0, 1], is P on average at most, given all that came before it.
 * Of an alternative whose odds are m times those of P, a call has the factor
 *     L(X) = (1 + (m - 1) X) / (1 + (m - 1) P),
 * which is 1 on average at most, and its level becomes (level + 1/8) L(X).  The eight levels together grow
 * by 1 a call on average at most, so at the moment when they first reach N, N calls have come on average.
 * What an alarm takes away is at least N, so n calls bring n / N alarms on average at most, for every n.
 *
 * All is integers: a level in 2^-28, a factor in 2^-40, X in 2^-24, each rounded down, which only lowers a
 * level.  So the promise holds exactly, and levels of several workers add up, in any order, to a level.
 */
#ifndef DRIFT_H
#define DRIFT_H

#include <stdint.h>
#include <string.h>

enum { DRIFT_GRID = 8, DRIFT_FACTOR_BITS = 40, DRIFT_X_BITS = 24, DRIFT_LEVEL_BITS = 28 };

#define DRIFT_ONE ((uint64_t)1 << DRIFT_X_BITS)                     /* X of a hit */
#define DRIFT_SHARE ((uint64_t)1 << (DRIFT_LEVEL_BITS - 3))         /* 1/8: what each call adds to each level */
#define DRIFT_MOST ((uint64_t)1 << 55)                              /* of a level; N is 10^8 at most */

typedef struct {
    uint64_t miss[DRIFT_GRID], hit[DRIFT_GRID];     /* L(0) and L(1) */
    uint64_t limit;                                 /* N, as a level */
    int never;                                      /* P is 0: the first hit is the alarm */
} drift_plan;

/* Of one alternative: where the product of factors that is greatest now begins.  `run` is that product, as a
 * level; 0: no product is over 1, and the next call may begin one. */
typedef struct { int64_t calls, hits, line, time; } drift_start;

typedef struct {
    uint64_t a, b;                      /* hash of the keys */
    int64_t calls, hits;                /* since the last alarm; hits in 2^-24 */
    int64_t errors;                     /* of them unreadable */
    uint64_t low[DRIFT_GRID];           /* levels: what cannot be read is no hit */
    uint64_t high[DRIFT_GRID];          /* it is one; meaningful where there are errors */
    uint64_t run[DRIFT_GRID];
    drift_start starts[DRIFT_GRID];     /* what had come before the product */
} drift_group;

static inline uint64_t drift_times(uint64_t level, uint64_t factor) {
    return (uint64_t)((unsigned __int128)level * factor >> DRIFT_FACTOR_BITS);
}

static inline uint64_t drift_factor(const drift_plan *p, int k, uint64_t x) {
    if (x == 0) return p->miss[k];
    if (x == DRIFT_ONE) return p->hit[k];
    return p->miss[k] + (uint64_t)((unsigned __int128)(p->hit[k] - p->miss[k]) * x >> DRIFT_X_BITS);
}

/* All levels by one X; their sum. */
static inline uint64_t drift_raise(const drift_plan *p, uint64_t *levels, uint64_t x) {
    uint64_t sum = 0;
    for (int k = 0; k < DRIFT_GRID; k++) {
        levels[k] = drift_times(levels[k] + DRIFT_SHARE, drift_factor(p, k, x));
        sum += levels[k];
    }
    return sum;
}

static inline void drift_follow(const drift_plan *p, drift_group *g, uint64_t x, int64_t line, int64_t time) {
    for (int k = 0; k < DRIFT_GRID; k++) {
        uint64_t factor = drift_factor(p, k, x), run = g->run[k];
        if (run) {
            run = drift_times(run, factor);
            g->run[k] = run > DRIFT_SHARE ? run : 0;
        } else if (x) {
            run = drift_times(DRIFT_SHARE, factor);
            if (run > DRIFT_SHARE) {
                g->run[k] = run;
                g->starts[k] = (drift_start){g->calls, g->hits, line, time};
            }
        }
    }
}

enum { DRIFT_QUIET, DRIFT_ALARM, DRIFT_DOUBT };

/* One call: X, or an unreadable one.  DRIFT_DOUBT: it would be an alarm if what was unreadable were hits. */
static inline int drift_take(const drift_plan *p, drift_group *g, uint64_t x, int error, int64_t line, int64_t time) {
    int alarm, doubt = 0;
    if (error && !g->errors) memcpy(g->high, g->low, sizeof(g->high));
    if (p->never) {
        alarm = x > 0;
        doubt = error;
    } else {
        drift_follow(p, g, x, line, time);
        alarm = drift_raise(p, g->low, x) >= p->limit;
        if (g->errors || error) doubt = drift_raise(p, g->high, error ? DRIFT_ONE : x) >= p->limit;
    }
    g->calls++;
    g->hits += (int64_t)x;
    g->errors += error;
    return alarm ? DRIFT_ALARM : doubt ? DRIFT_DOUBT : DRIFT_QUIET;
}

/* Afresh: after an alarm all of it, after a doubt what the unreadable ones have raised. */
static inline void drift_restart(drift_group *g, int alarm) {
    uint64_t a = g->a, b = g->b;
    if (!alarm) {
        g->errors = 0;
        return;
    }
    memset(g, 0, sizeof(*g));
    g->a = a;
    g->b = b;
}

/* The alternative that explains best what came. */
static inline int drift_dominant(const drift_group *g) {
    int best = 0;
    for (int k = 1; k < DRIFT_GRID; k++)
        if (g->low[k] > g->low[best]) best = k;
    return best;
}

static inline uint64_t drift_sum(uint64_t x, uint64_t y) {
    uint64_t sum = x + y;
    return sum > DRIFT_MOST ? DRIFT_MOST : sum;
}

/* Another worker's group into this one: levels add up; of two products the greater one counts, with the calls
 * that came since on its own worker. */
static inline void drift_join(drift_group *into, const drift_group *from) {
    for (int k = 0; k < DRIFT_GRID; k++) {
        uint64_t mine = into->errors ? into->high[k] : into->low[k];
        uint64_t theirs = from->errors ? from->high[k] : from->low[k];
        const drift_start *s = &from->starts[k];
        into->high[k] = drift_sum(mine, theirs);
        into->low[k] = drift_sum(into->low[k], from->low[k]);
        if (from->run[k] > into->run[k]) {
            into->run[k] = from->run[k];
            into->starts[k] = (drift_start){into->calls + s->calls, into->hits + s->hits, s->line, s->time};
        } else {
            into->starts[k].calls += from->calls;
            into->starts[k].hits += from->hits;
        }
    }
    into->calls += from->calls;
    into->hits += from->hits;
    into->errors += from->errors;
}

#endif
