/* Bags, sets and sketches of values, in plain C: all integers, so that they add up to the same in any order.
 */
#ifndef SKETCHES_H
#define SKETCHES_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef __int128 win_int;
typedef unsigned __int128 win_uint;

enum { WIN_EXACT = 256, WIN_REGISTERS = 4096 };

/* Bags: how often each 64-bit key came ------------------------------------------------------------- */

typedef struct { uint64_t key; int64_t count; } win_entry;
typedef struct { win_entry *entries; uint32_t room, used, live; } win_bag;   /* used: live or emptied again */

static inline size_t win_slot(const win_bag *b, uint64_t key) {
    size_t i = (size_t)((key * 0x9E3779B97F4A7C15ULL) >> 20) & (b->room - 1);
    while (b->entries[i].key && b->entries[i].key != key) i = (i + 1) & (b->room - 1);
    return i;
}

static int win_bag_grow(win_bag *b) {
    win_bag grown = {NULL, 8, 0, 0};
    while (grown.room < 3 * (b->live + 1)) grown.room *= 2;
    grown.entries = (win_entry *)calloc(grown.room, sizeof(win_entry));
    if (!grown.entries) return 0;
    for (uint32_t i = 0; i < b->room; i++)
        if (b->entries[i].count) {
            grown.entries[win_slot(&grown, b->entries[i].key)] = b->entries[i];
            grown.used = ++grown.live;
        }
    free(b->entries);
    *b = grown;
    return 1;
}

/* Keys are not 0; a count never falls below 0.  0 if there is no memory. */
static inline int win_bag_add(win_bag *b, uint64_t key, int64_t count) {
    if (b->used + b->used / 2 >= b->room && !win_bag_grow(b)) return 0;
    win_entry *e = &b->entries[win_slot(b, key)];
    if (!e->key) { e->key = key; b->used++; }
    b->live += !e->count;
    e->count += count;
    b->live -= !e->count;
    return 1;
}

/* Distinct values: exact to WIN_EXACT, then HyperLogLog (Flajolet and others, 2007) with 4,096 registers */

typedef struct { win_bag exact; uint8_t *registers; } win_set;

static inline void win_register(uint8_t *registers, uint64_t hash) {
    uint64_t rest = hash << 12 | 1ULL << 11;
    uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1), *r = &registers[hash >> 52];
    if (rank > *r) *r = rank;
}

static int win_estimate(win_set *s) {
    s->registers = (uint8_t *)calloc(WIN_REGISTERS, 1);
    if (!s->registers) return 0;
    for (uint32_t i = 0; i < s->exact.room; i++)
        if (s->exact.entries[i].count) win_register(s->registers, s->exact.entries[i].key);
    free(s->exact.entries);
    memset(&s->exact, 0, sizeof(win_bag));
    return 1;
}

static inline int win_set_add(win_set *s, uint64_t hash) {
    if (s->registers) { win_register(s->registers, hash); return 1; }
    if (s->exact.room && s->exact.entries[win_slot(&s->exact, hash)].count) return 1;
    if (!win_bag_add(&s->exact, hash, 1)) return 0;
    return s->exact.live <= WIN_EXACT || win_estimate(s);
}

static int win_set_join(win_set *into, const win_set *from) {
    if (from->registers) {
        if (!into->registers && !win_estimate(into)) return 0;
        for (int i = 0; i < WIN_REGISTERS; i++)
            if (from->registers[i] > into->registers[i]) into->registers[i] = from->registers[i];
        return 1;
    }
    for (uint32_t i = 0; i < from->exact.room; i++)
        if (from->exact.entries[i].count && !win_set_add(into, from->exact.entries[i].key)) return 0;
    return 1;
}

/* How many, in integers alone: no machine's logarithm has a say.  Where registers are empty, the calls that
 * one expects to have left so many of them empty: the sum of 4096 / i. */
static int64_t win_set_size(const win_set *s) {
    if (!s->registers) return s->exact.live;
    int64_t ranks[66] = {0}, empty;
    win_uint sum = 0;
    for (int i = 0; i < WIN_REGISTERS; i++) ranks[s->registers[i]]++;
    for (int rank = 0; rank < 54; rank++) sum += (win_uint)ranks[rank] << (53 - rank);
    empty = ranks[0];
    /* 0.7213 / (1 + 1.079 / 4096) * 4096^2, times 2^16. */
    int64_t raw = (int64_t)(((win_uint)792868873464ULL << 37) / sum);
    if (empty && raw <= 5 * WIN_REGISTERS / 2) {
        uint64_t total = 0;
        for (int64_t i = empty + 1; i <= WIN_REGISTERS; i++) total += ((uint64_t)WIN_REGISTERS << 32) / (uint64_t)i;
        raw = (int64_t)((total + (1ULL << 31)) >> 32);
    }
    return raw > WIN_EXACT ? raw : WIN_EXACT + 1;
}

/* Sketches: values in buckets a 64th of an octave wide -------------------------------------------------
 *
 * A value's bucket is the head of its double's bits: sign, exponent and six bits.  The middle of a bucket is
 * within 1/128 of all values in it, but for numbers below 2^-1022. */

enum { WIN_SHIFT = 46, WIN_BLOCK = 64 };

typedef struct { int64_t *counts, *sums; int32_t first, blocks; } win_sketch;  /* first: a block of 64 buckets */

static inline int32_t win_bucket(double value) {
    int64_t bits;
    memcpy(&bits, &value, 8);
    return bits >= 0 ? (int32_t)(bits >> WIN_SHIFT) : -1 - (int32_t)((bits & INT64_MAX) >> WIN_SHIFT);
}

static double win_middle(int32_t bucket) {
    uint64_t low = (uint64_t)(bucket < 0 ? -1 - bucket : bucket) << WIN_SHIFT;
    uint64_t bits = low ? low | 1ULL << (WIN_SHIFT - 1) : 0;
    double value;
    memcpy(&value, &bits, 8);
    return bucket < 0 ? -value : value;
}

static int win_sketch_reach(win_sketch *s, int32_t block) {
    int32_t first = s->blocks && s->first < block ? s->first : block;
    int32_t end = s->blocks && s->first + s->blocks > block + 1 ? s->first + s->blocks : block + 1;
    int64_t *counts = (int64_t *)calloc((size_t)(end - first) * (WIN_BLOCK + 1), sizeof(int64_t));
    if (!counts) return 0;
    int64_t *sums = counts + (size_t)(end - first) * WIN_BLOCK;
    if (s->blocks) {
        memcpy(counts + (size_t)(s->first - first) * WIN_BLOCK, s->counts, (size_t)s->blocks * WIN_BLOCK * 8);
        memcpy(sums + (s->first - first), s->sums, (size_t)s->blocks * 8);
    }
    free(s->counts);
    s->counts = counts;
    s->sums = sums;
    s->first = first;
    s->blocks = end - first;
    return 1;
}

static inline int win_sketch_add(win_sketch *s, int32_t bucket, int64_t count) {
    int32_t block = bucket >> 6;
    if ((!s->blocks || block < s->first || block >= s->first + s->blocks) && !win_sketch_reach(s, block)) return 0;
    s->counts[(block - s->first) * WIN_BLOCK + (bucket & 63)] += count;
    s->sums[block - s->first] += count;
    return 1;
}

/* The bucket of the value of this rank, from 1 on; there are that many. */
static int32_t win_sketch_at(const win_sketch *s, int64_t rank) {
    int32_t block = 0, bucket = 0;
    while (rank > s->sums[block]) rank -= s->sums[block++];
    while (rank > s->counts[block * WIN_BLOCK + bucket]) rank -= s->counts[block * WIN_BLOCK + bucket++];
    return (s->first + block) * WIN_BLOCK + bucket;
}

static int win_entry_order(const void *a, const void *b) {
    uint64_t x = ((const win_entry *)a)->key, y = ((const win_entry *)b)->key;
    return (x > y) - (x < y);
}
static void win_entries_sort(win_entry *e, size_t n) { qsort(e, n, sizeof(win_entry), win_entry_order); }

#endif
