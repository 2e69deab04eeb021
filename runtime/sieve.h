/* The sieve: where in a text do any of these short strings of byte sets stand?
 *
 * In:  factors, each a string of sets of bytes (a literal is a string of sets of one byte), every one owned by
 *      some numbers; a text's bytes.  Out: the owners a factor of which stands in the text, and where the first
 *      and the last one begins.
 *
 * One pass.  A factor is looked for by eight bytes of it, its window, in one of 16 buckets: a table per place
 * in the window says by a byte's low half, and another by its high half, which buckets admit it.  The tables
 * fit a vector register, so a shuffle looks 16 or 32 bytes up at once.  Where a bucket is left, its factors
 * are compared: eight bytes in one step, then the places that this step leaves open.  Where there are too many
 * factors for that, those that are texts, with or without their case, are found by a hash of four bytes.
 * The steps of one pass are counted and bounded.  Knows nothing of Python.
 */
#ifndef PACT_SIEVE_H
#define PACT_SIEVE_H

#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
#define PACT_X86 1
#include <immintrin.h>
#endif

#define SIEVE_WINDOW 8
#define SIEVE_HASHED 4
#define SIEVE_EARLY 4            /* places after which most registers are empty */
#define SIEVE_BUCKETS 16
#define SIEVE_HASHES 65536

typedef struct {
    uint64_t value, mask;       /* eight bytes from `quick` on: (text ^ value) & mask must be 0 */
    uint16_t length, at, quick; /* bytes; where the window begins; where the eight bytes begin */
    uint16_t open;              /* places that are compared by a set */
    uint32_t places;            /* the first of them in Sieve.places */
    uint32_t owners, owner_count;
} SieveFactor;

typedef struct { uint16_t at, set; } SievePlace;

typedef struct {
    uint8_t low[2][SIEVE_WINDOW][16], high[2][SIEVE_WINDOW][16];  /* of buckets 0 to 7, 8 to 15 */
    uint16_t exact[SIEVE_WINDOW][256];                            /* the same without the halves */
    int halves;                                                   /* 1: no bucket above 7 is used */
    uint32_t first[SIEVE_BUCKETS + 1];                            /* a bucket's first factor */
    uint32_t hashes;                                              /* factors that are sought by a hash */
    uint8_t known[SIEVE_HASHES / 8];                              /* a bit for each hash */
    uint32_t hashed[SIEVE_HASHES / 16 + 1];                       /* the first factor of 16 hashes */
    SieveFactor *factors;                                         /* bucket by bucket, then hash by hash */
    SievePlace *places;
    uint8_t (*sets)[256];
    uint32_t *owners;
    uint8_t *final;                                               /* per owner: one place is enough */
    uint32_t owner_count, finals;
} Sieve;

typedef struct {
    uint8_t *seen;              /* per owner */
    uint32_t *fired;            /* owners in the order in which they were seen */
    int64_t *first, *last;      /* per owner: where factors begin */
    uint32_t count, finals;
    int64_t work, limit;
} SieveHits;

enum { SIEVE_DONE = 0, SIEVE_FULL = 1, SIEVE_TIRED = 2 };

static inline uint64_t sieve_eight(const uint8_t *at, int64_t left)
{
    uint64_t v = 0;
    if (left >= 8) memcpy(&v, at, 8);
    else memcpy(&v, at, (size_t)left);
    return v;
}

static inline int sieve_lowest(uint32_t bits)
{
#ifdef __GNUC__
    return __builtin_ctz(bits);
#else
    int b = 0;
    while (!(bits >> b & 1)) b++;
    return b;
#endif
}

static int sieve_note(const Sieve *s, const SieveFactor *f, int64_t start, SieveHits *h)
{
    for (uint32_t i = 0; i < f->owner_count; i++) {
        uint32_t owner = s->owners[f->owners + i];
        h->last[owner] = start;
        if (h->seen[owner]) continue;
        h->seen[owner] = 1;
        h->first[owner] = start;
        h->fired[h->count++] = owner;
        h->finals += s->final[owner];
    }
    h->work += f->owner_count;
    return h->finals == s->owner_count;
}

/* Compare factors n to end - 1 with the text where their windows begin at p. */
static int sieve_compare(const Sieve *s, const uint8_t *d, int64_t size, int64_t p, uint32_t n, uint32_t end, SieveHits *h)
{
    h->work += 1 + end - n;
    for (; n < end; n++) {
        const SieveFactor *f = &s->factors[n];
        int64_t start = p - f->at;
        if (start < 0 || start + f->length > size) continue;
        uint64_t eight = sieve_eight(d + start + f->quick, size - start - f->quick);
        if ((eight ^ f->value) & f->mask) continue;
        const SievePlace *place = s->places + f->places;
        uint32_t k = 0;
        while (k < f->open && s->sets[place[k].set][d[start + place[k].at]]) k++;
        h->work += k;
        if (k == f->open && sieve_note(s, f, start, h)) return SIEVE_FULL;
    }
    return h->work > h->limit ? SIEVE_TIRED : SIEVE_DONE;
}

/* The same with the factors of these buckets; the tables let more through than they should. */
static int sieve_open(const Sieve *s, const uint8_t *d, int64_t size, int64_t p, uint32_t buckets, SieveHits *h)
{
    h->work++;
    for (int w = 0; w < SIEVE_WINDOW && p + w < size; w++) buckets &= s->exact[w][d[p + w]];
    for (; buckets; buckets &= buckets - 1) {
        int b = sieve_lowest(buckets);
        int end = sieve_compare(s, d, size, p, s->first[b], s->first[b + 1], h);
        if (end) return end;
    }
    return h->work > h->limit ? SIEVE_TIRED : SIEVE_DONE;
}

/* Where four bytes in a row stand in the table of hashes; letters count without their case. */
static inline uint32_t sieve_hash(const uint8_t *at)
{
    uint32_t v;
    memcpy(&v, at, 4);
    return (v | 0x20202020u) * 0x9E3779B1u >> 16;
}

/* The pass for factors that are sought by the hash of their windows: one look-up for each byte. */
static int sieve_hashed(const Sieve *s, const uint8_t *d, int64_t size, SieveHits *h)
{
    for (int64_t p = 0; p + SIEVE_HASHED <= size; p++) {
        uint32_t hash = sieve_hash(d + p);
        if (!(s->known[hash >> 3] >> (hash & 7) & 1)) continue;
        const uint32_t *range = &s->hashed[hash >> 4];
        int end = sieve_compare(s, d, size, p, range[0], range[1], h);
        if (end) return end;
    }
    return SIEVE_DONE;
}

static int sieve_plain(const Sieve *s, const uint8_t *d, int64_t size, int64_t from, SieveHits *h)
{
    for (int64_t p = from; p < size; p++) {
        uint32_t found = s->exact[0][d[p]];
        for (int w = 1; w < SIEVE_WINDOW && found; w++) found &= s->exact[w][p + w < size ? d[p + w] : 0];
        if (found) {
            int end = sieve_open(s, d, size, p, found, h);
            if (end) return end;
        }
    }
    return SIEVE_DONE;
}

#ifdef PACT_X86

/* The two vector kernels are one text: V is the register, BYTES its size. */
#define SIEVE_KERNEL(NAME, TARGET, V, BYTES, LOADU, SPREAD, SHUFFLE, AND, OR, ZERO, SAME, BITS, HALF, SET1, STORE)     \
    __attribute__((target(TARGET))) static int NAME(const Sieve *s, const uint8_t *d, int64_t size, SieveHits *h)     \
    {                                                                                                                 \
        V low[2][SIEVE_WINDOW], high[2][SIEVE_WINDOW], nibble = SET1(15);                                             \
        uint8_t tail[2 * BYTES + 16], bits[2][BYTES];                                                                 \
        int64_t i = 0, copied = -1;                                                                                   \
        const uint64_t full = (UINT64_C(1) << BYTES) - 1;                                                             \
        for (int g = 0; g < 2; g++)                                                                                   \
            for (int w = 0; w < SIEVE_WINDOW; w++) {                                                                  \
                low[g][w] = SPREAD(s->low[g][w]);                                                                     \
                high[g][w] = SPREAD(s->high[g][w]);                                                                   \
            }                                                                                                         \
        memset(bits, 0, sizeof bits);                                                                                 \
        for (; i < size; i += BYTES) {                                                                                \
            if (copied < 0 && i + BYTES + SIEVE_WINDOW > size) {                                                      \
                memset(tail, 0, sizeof tail);                                                                         \
                memcpy(tail, d + i, (size_t)(size - i));                                                              \
                copied = i;                                                                                           \
            }                                                                                                         \
            const uint8_t *at = copied < 0 ? d + i : tail + (i - copied);                                             \
            V r0, r1 = ZERO(), lo, hi, x = LOADU(at);                                                                 \
            lo = AND(x, nibble), hi = AND(HALF(x), nibble);                                                           \
            r0 = AND(SHUFFLE(low[0][0], lo), SHUFFLE(high[0][0], hi));                                                \
            if (!s->halves) r1 = AND(SHUFFLE(low[1][0], lo), SHUFFLE(high[1][0], hi));                                \
            for (int w = 1; w < SIEVE_WINDOW; w++) {                                                                  \
                if (w == SIEVE_EARLY && (uint32_t)BITS(SAME(OR(r0, r1), ZERO())) == (uint32_t)full) break;            \
                x = LOADU(at + w);                                                                                    \
                lo = AND(x, nibble), hi = AND(HALF(x), nibble);                                                       \
                r0 = AND(r0, AND(SHUFFLE(low[0][w], lo), SHUFFLE(high[0][w], hi)));                                   \
                if (!s->halves) r1 = AND(r1, AND(SHUFFLE(low[1][w], lo), SHUFFLE(high[1][w], hi)));                   \
            }                                                                                                         \
            uint32_t none = (uint32_t)BITS(SAME(OR(r0, r1), ZERO()));                                                 \
            uint32_t some = ~none & (uint32_t)full;                                                                   \
            if (!some) continue;                                                                                      \
            STORE(bits[0], r0);                                                                                       \
            STORE(bits[1], r1);                                                                                       \
            for (; some; some &= some - 1) {                                                                          \
                int k = __builtin_ctz(some);                                                                          \
                int end = sieve_open(s, d, size, i + k, bits[0][k] | (uint32_t)bits[1][k] << 8, h);                   \
                if (end) return end;                                                                                  \
            }                                                                                                         \
        }                                                                                                             \
        return SIEVE_DONE;                                                                                            \
    }

#define SIEVE_LOAD16(p) _mm_loadu_si128((const __m128i *)(p))
#define SIEVE_STORE16(p, x) _mm_storeu_si128((__m128i *)(p), x)
#define SIEVE_HALF16(x) _mm_srli_epi16(x, 4)
SIEVE_KERNEL(sieve_ssse3, "ssse3", __m128i, 16, SIEVE_LOAD16, SIEVE_LOAD16, _mm_shuffle_epi8, _mm_and_si128,
             _mm_or_si128, _mm_setzero_si128, _mm_cmpeq_epi8, _mm_movemask_epi8, SIEVE_HALF16, _mm_set1_epi8,
             SIEVE_STORE16)

#define SIEVE_LOAD32(p) _mm256_loadu_si256((const __m256i *)(p))
#define SIEVE_SPREAD32(p) _mm256_broadcastsi128_si256(SIEVE_LOAD16(p))
#define SIEVE_STORE32(p, x) _mm256_storeu_si256((__m256i *)(p), x)
#define SIEVE_HALF32(x) _mm256_srli_epi16(x, 4)
SIEVE_KERNEL(sieve_avx2, "avx2", __m256i, 32, SIEVE_LOAD32, SIEVE_SPREAD32, _mm256_shuffle_epi8, _mm256_and_si256,
             _mm256_or_si256, _mm256_setzero_si256, _mm256_cmpeq_epi8, _mm256_movemask_epi8, SIEVE_HALF32,
             _mm256_set1_epi8, SIEVE_STORE32)

static int sieve_best(void) { return __builtin_cpu_supports("avx2") ? 2 : __builtin_cpu_supports("ssse3") ? 1 : 0; }

#else

static int sieve_best(void) { return 0; }

#endif

/* One pass with kernel 0 (plain C), 1 (SSSE3) or 2 (AVX2), which the processor must have. */
static int sieve_pass(const Sieve *s, int kernel, const uint8_t *d, int64_t size, SieveHits *h)
{
    int end = SIEVE_DONE;
    if (s->hashes) end = sieve_hashed(s, d, size, h);
    if (end || !s->first[SIEVE_BUCKETS]) return end;
#ifdef PACT_X86
    if (kernel == 2) return sieve_avx2(s, d, size, h);
    if (kernel == 1) return sieve_ssse3(s, d, size, h);
#endif
    (void)kernel;
    return sieve_plain(s, d, size, 0, h);
}

#endif
