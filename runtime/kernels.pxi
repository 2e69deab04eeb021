# Kernels: one operation on a block of rows, without a branch, so that the compiler makes vector code.
#
# Needs: fast.h (pact_lowest).
# Gives: a bit per row as the answer of a comparison, a look-up or an addition; bits to outcome codes.
# A block is `n` rows, n <= 64 * words; of the last word only the rows below n are read, and the bits
# above are 0.  Where the C library can choose at load time (GNU, x86-64), there is a version for AVX2.

cdef extern from *:
    """
    #include <string.h>
    #if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__gnu_linux__)
    #include <features.h>
    #endif
    #if defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
    #define PACT_CLONES __attribute__((target_clones("avx2", "default")))
    #else
    #define PACT_CLONES
    #endif

    /* So few rows of 64 that one by one is faster than all of them. */
    static inline int pact_is_few(uint64_t word) {
        for (int i = 0; i < 12 && word; i++) word &= word - 1;
        return !word;
    }

    /* 64 rows to a word.  Four lanes at a time: GNU C's vectors, which every target has in some form. */
    #if defined(__GNUC__)
    typedef int64_t pact_i4 __attribute__((vector_size(32)));
    typedef double pact_d4 __attribute__((vector_size(32)));
    #define PACT_WORD(TYPE, VECTOR, EXPR) \\
        pact_i4 found = {0, 0, 0, 0}, bit = {1, 2, 4, 8}; \\
        for (int j = 0; j < 64; j += 4) { \\
            VECTOR x, y; (void)y; \\
            memcpy(&x, a + i + j, 32); \\
            EXPR; \\
            bit <<= 4; \\
        } \\
        out[i >> 6] = (uint64_t)(found[0] | found[1] | found[2] | found[3]);
    #define PACT_BOTH(OP) memcpy(&y, b + i + j, 32); found |= (pact_i4)(x OP y) & bit
    #define PACT_ONE(OP) found |= (pact_i4)(x OP k) & bit
    #else
    #define PACT_WORD(TYPE, VECTOR, EXPR) \\
        uint64_t found = 0, bit = 1; \\
        for (int j = 0; j < 64; j++) { TYPE x = a[i + j], y; (void)y; EXPR; bit <<= 1; } \\
        out[i >> 6] = found;
    #define PACT_BOTH(OP) y = b[i + j]; found |= (x OP y) ? bit : 0
    #define PACT_ONE(OP) found |= (x OP k) ? bit : 0
    #endif

    #define PACT_REST(EXPR) \\
        if (i < n) { uint64_t last = 0; for (int64_t j = i; j < n; j++) last |= (uint64_t)(EXPR) << (j - i); \\
                     out[i >> 6] = last; }
    #define PACT_COMPARES(NAME, TYPE, VECTOR, OP) \\
    PACT_CLONES static void pact_##NAME##_k(const TYPE *restrict a, TYPE constant, int64_t n, uint64_t *restrict out) { \\
        int64_t i = 0; VECTOR k = constant - (VECTOR){0}; \\
        for (; i + 64 <= n; i += 64) { PACT_WORD(TYPE, VECTOR, PACT_ONE(OP)) } \\
        PACT_REST(a[j] OP constant) \\
    } \\
    PACT_CLONES static void pact_##NAME(const TYPE *restrict a, const TYPE *restrict b, int64_t n, uint64_t *restrict out) { \\
        int64_t i = 0; \\
        for (; i + 64 <= n; i += 64) { PACT_WORD(TYPE, VECTOR, PACT_BOTH(OP)) } \\
        PACT_REST(a[j] OP b[j]) \\
    }
    #if !defined(__GNUC__)
    typedef int64_t pact_i4; typedef double pact_d4;
    #endif
    PACT_COMPARES(eq_int, int64_t, pact_i4, ==)
    PACT_COMPARES(lt_int, int64_t, pact_i4, <)
    PACT_COMPARES(le_int, int64_t, pact_i4, <=)
    PACT_COMPARES(gt_int, int64_t, pact_i4, >)
    PACT_COMPARES(ge_int, int64_t, pact_i4, >=)
    PACT_COMPARES(eq_double, double, pact_d4, ==)
    PACT_COMPARES(lt_double, double, pact_d4, <)
    PACT_COMPARES(le_double, double, pact_d4, <=)
    PACT_COMPARES(gt_double, double, pact_d4, >)
    PACT_COMPARES(ge_double, double, pact_d4, >=)

    /* Neither a NaN nor an infinity: x - x is 0. */
    PACT_CLONES static void pact_finite(const double *restrict a, int64_t n, uint64_t *restrict out) {
        int64_t i = 0;
        for (; i + 64 <= n; i += 64) { PACT_WORD(double, pact_d4, x -= x; found |= (pact_i4)(x == 0) & bit) }
        PACT_REST(a[j] - a[j] == 0)
    }

    /* c = a + b (or a - b where `minus` is -1); the bits say where it leaves 64 bits. */
    PACT_CLONES static void pact_add_int(const int64_t *restrict a, const int64_t *restrict b, int minus, int64_t n,
                                         int64_t *restrict c, uint64_t *restrict out) {
        for (int64_t i = 0; i < n; i += 64) {
            uint64_t over = 0;
            int64_t end = n - i < 64 ? n - i : 64;
            uint64_t any = 0;
            for (int64_t j = 0; j < end; j++) {
                uint64_t x = (uint64_t)a[i + j], y = (uint64_t)b[i + j], z = minus ? x - y : x + y;
                any |= minus ? (x ^ y) & (x ^ z) : (x ^ z) & (y ^ z);
                c[i + j] = (int64_t)z;
            }
            if (any >> 63)
                for (int64_t j = 0; j < end; j++) {
                    uint64_t x = (uint64_t)a[i + j], y = (uint64_t)b[i + j], z = (uint64_t)c[i + j];
                    over |= ((minus ? (x ^ y) & (x ^ z) : (x ^ z) & (y ^ z)) >> 63) << j;
                }
            out[i >> 6] = over;
        }
    }
    /* what: 0 a + b, 1 a - b, 2 a * b, 3 a / b. */
    PACT_CLONES static void pact_arithmetic(const double *restrict a, const double *restrict b, int what, int64_t n,
                                            double *restrict c) {
        if (what == 0) for (int64_t i = 0; i < n; i++) c[i] = a[i] + b[i];
        else if (what == 1) for (int64_t i = 0; i < n; i++) c[i] = a[i] - b[i];
        else if (what == 2) for (int64_t i = 0; i < n; i++) c[i] = a[i] * b[i];
        else for (int64_t i = 0; i < n; i++) c[i] = a[i] / b[i];
    }

    /* The answer for a dictionary's value, for every index; one that is out of range (under a null) is 0. */
    static inline uint64_t pact_pack(const uint8_t *b) {
        uint64_t r = 0, q;
        for (int i = 0; i < 8; i++) {
            memcpy(&q, b + 8 * i, 8);
    #if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
            for (int j = 0; j < 8; j++) r |= (uint64_t)b[8 * i + j] << (8 * i + j);
    #else
            r |= ((q * 0x0102040810204080ull) >> 56) << (8 * i);
    #endif
        }
        return r;
    }
    #define PACT_LOOK(NAME, TYPE) \\
    PACT_CLONES static void pact_few_##NAME(const TYPE *restrict a, uint32_t answers, int64_t n, uint64_t *restrict out) { \\
        for (int64_t i = 0; i < n; i += 64) { \\
            uint8_t b[64]; int64_t end = n - i < 64 ? n - i : 64; \\
            if (end < 64) memset(b, 0, 64); \\
            for (int64_t j = 0; j < end; j++) b[j] = (uint8_t)((answers >> ((uint32_t)a[i + j] & 31u)) & 1u); \\
            out[i >> 6] = pact_pack(b); \\
        } \\
    } \\
    PACT_CLONES static void pact_look_##NAME(const TYPE *restrict a, const uint8_t *restrict answers, uint64_t size, \\
                                             int64_t n, uint64_t *restrict out) { \\
        for (int64_t i = 0; i < n; i += 64) { \\
            uint8_t b[64]; int64_t end = n - i < 64 ? n - i : 64; \\
            if (end < 64) memset(b, 0, 64); \\
            for (int64_t j = 0; j < end; j++) { uint64_t at = (uint64_t)a[i + j]; b[j] = answers[at < size ? at : size]; } \\
            out[i >> 6] = pact_pack(b); \\
        } \\
    }
    PACT_LOOK(8, uint8_t)
    PACT_LOOK(16, uint16_t)
    PACT_LOOK(64, uint64_t)
    #define pact_few_32 pact_few_32_plain
    PACT_LOOK(32, uint32_t)
    #undef pact_few_32
    #if defined(__GNUC__)
    /* Indices of 32 bits, by far the most frequent: a shift per lane. */
    typedef uint32_t pact_u8 __attribute__((vector_size(32)));
    PACT_CLONES static void pact_few_32(const uint32_t *restrict a, uint32_t answers, int64_t n, uint64_t *restrict out) {
        int64_t i = 0;
        for (; i + 64 <= n; i += 64) {
            uint64_t word = 0;
            for (int half = 0; half < 64; half += 32) {
                pact_u8 found = {0}, at = {0, 1, 2, 3, 4, 5, 6, 7}, all = answers - (pact_u8){0};
                for (int j = 0; j < 32; j += 8) {
                    pact_u8 x;
                    memcpy(&x, a + i + half + j, 32);
                    found |= (all >> (x & 31) & 1) << at;
                    at += 8;
                }
                uint32_t both = (found[0] | found[1] | found[2] | found[3]) | (found[4] | found[5] | found[6] | found[7]);
                word |= (uint64_t)both << half;
            }
            out[i >> 6] = word;
        }
        if (i < n) pact_few_32_plain(a + i, answers, n - i, out + (i >> 6));
    }
    #else
    #define pact_few_32 pact_few_32_plain
    #endif

    /* Sizes of lists and texts, from their offsets. */
    PACT_CLONES static void pact_sizes_32(const int32_t *restrict a, int64_t n, int64_t *restrict out) {
        for (int64_t i = 0; i < n; i++) out[i] = (int64_t)a[i + 1] - a[i];
    }
    PACT_CLONES static void pact_sizes_64(const int64_t *restrict a, int64_t n, int64_t *restrict out) {
        for (int64_t i = 0; i < n; i++) out[i] = a[i + 1] - a[i];
    }
    PACT_CLONES static void pact_starts_32(const int32_t *restrict a, int64_t n, int64_t *restrict out) {
        for (int64_t i = 0; i < n; i++) out[i] = a[i];
    }
    /* Of the rows of a mask: positions moved on, and what stands at them.  A word without rows costs nothing. */
    PACT_CLONES static void pact_plus(const int64_t *a, int64_t k, const uint64_t *rows, int64_t words, int64_t *out) {
        for (int64_t w = 0; w < words; w++)
            if (pact_is_few(rows[w])) for (uint64_t word = rows[w]; word; word &= word - 1) {
                int64_t i = 64 * w + pact_lowest(word);
                out[i] = a[i] + k;
            }
            else for (int64_t i = 64 * w; i < 64 * w + 64; i++) out[i] = a[i] + k;
    }
    /* Rows whose list has more than `turn` elements, and those that have not: which ways anybody takes, 1, 2. */
    PACT_CLONES static int pact_more(const int64_t *sizes, int64_t turn, const uint64_t *rows, int64_t words, uint64_t *t, uint64_t *f) {
        uint64_t yes = 0, no = 0;
        for (int64_t w = 0; w < words; w++) {
            uint64_t found = 0;
            if (pact_is_few(rows[w])) for (uint64_t word = rows[w]; word; word &= word - 1) {
                int j = pact_lowest(word);
                found |= (uint64_t)(sizes[64 * w + j] > turn) << j;
            }
            else pact_gt_int_k(sizes + 64 * w, turn, 64, &found);
            t[w] = rows[w] & found; f[w] = rows[w] & ~found;
            yes |= t[w]; no |= f[w];
        }
        return (yes != 0) | (no != 0) << 1;
    }
    #define PACT_GATHER(NAME, TYPE) \
    static void pact_gather_##NAME(const TYPE *data, const int64_t *at, const uint64_t *rows, int64_t words, int64_t *out) { \
        for (int64_t w = 0; w < words; w++) \
            for (uint64_t word = rows[w]; word; word &= word - 1) { \
                int64_t i = 64 * w + pact_lowest(word); \
                out[i] = (int64_t)data[at[i]]; \
            } \
    }
    PACT_GATHER(8, uint8_t)
    PACT_GATHER(16, uint16_t)
    PACT_GATHER(32, uint32_t)
    PACT_GATHER(64, int64_t)
    static void pact_gather_bits(const uint8_t *bitmap, int64_t shift, const int64_t *at, const uint64_t *rows,
                                 int64_t words, uint64_t *out) {
        for (int64_t w = 0; w < words; w++) {
            uint64_t found = 0;
            for (uint64_t word = rows[w]; word; word &= word - 1) {
                int j = pact_lowest(word);
                int64_t place = at[64 * w + j] + shift;
                found |= (uint64_t)(bitmap[place >> 3] >> (place & 7) & 1) << j;
            }
            out[w] = (out[w] & ~rows[w]) | found;
        }
    }
    /* As pact_few, for indices in lanes. */
    PACT_CLONES static void pact_few_rows(const int64_t *a, uint32_t answers, const uint64_t *rows, int64_t words,
                                          uint64_t *out) {
        for (int64_t w = 0; w < words; w++) {
            uint8_t b[64];
            out[w] = 0;
            if (pact_is_few(rows[w])) {
                for (uint64_t word = rows[w]; word; word &= word - 1) {
                    int j = pact_lowest(word);
                    out[w] |= (uint64_t)(answers >> ((uint32_t)a[64 * w + j] & 31u) & 1u) << j;
                }
                continue;
            }
            for (int64_t j = 0; j < 64; j++) b[j] = (uint8_t)((answers >> ((uint32_t)a[64 * w + j] & 31u)) & 1u);
            out[w] = pact_pack(b);
        }
    }
    /* Whether all bytes are ASCII. */
    PACT_CLONES static int pact_ascii(const uint8_t *a, int64_t n) {
        uint8_t high = 0;
        for (int64_t i = 0; i < n; i++) high |= a[i];
        return high < 128;
    }
    /* Whether offsets never fall. */
    PACT_CLONES static int pact_rising_32(const int32_t *a, int64_t n) {
        int32_t falls = 0;
        for (int64_t i = 0; i < n; i++) falls |= a[i + 1] < a[i];
        return !falls;
    }
    PACT_CLONES static int pact_rising_64(const int64_t *a, int64_t n) {
        int64_t falls = 0;
        for (int64_t i = 0; i < n; i++) falls |= a[i + 1] < a[i];
        return !falls;
    }

    /* The bits of a bitmap from bit `offset` on, `n` of them, to words. */
    static void pact_bits(const uint8_t *bitmap, int64_t offset, int64_t n, uint64_t *out) {
        const uint8_t *from = bitmap + (offset >> 3);
        int shift = (int)(offset & 7);
        int64_t bytes = (n + shift + 7) >> 3;
        for (int64_t w = 0; w * 64 < n; w++) {
            uint64_t word = 0, more = 0;
            int64_t left = bytes - 8 * w;
    #if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
            for (int64_t j = 0; j < 8 && j < left; j++) word |= (uint64_t)from[8 * w + j] << (8 * j);
    #else
            memcpy(&word, from + 8 * w, left < 8 ? left : 8);
    #endif
            if (shift) { if (left > 8) more = from[8 * w + 8]; word = word >> shift | more << (64 - shift); }
            if (n - 64 * w < 64) word &= ((uint64_t)1 << (n - 64 * w)) - 1;
            out[w] = word;
        }
    }

    /* To where each row goes: true, false, error, or nowhere, since nothing is known.  Of the rows that are
       null the bits are the answer if `null_answers`.  Returns which of the four anybody takes: 1, 2, 4, 8. */
    PACT_CLONES static int pact_settle(const uint64_t *restrict rows, const uint64_t *restrict bits, const uint64_t *restrict valid,
                                       const uint64_t *restrict null, const uint64_t *restrict error, int null_answers,
                                       uint64_t *restrict t, uint64_t *restrict f, uint64_t *restrict e, uint64_t *restrict lost,
                                       int64_t words) {
        uint64_t yes = 0, no = 0, bad = 0, none = 0, also = null_answers ? ~(uint64_t)0 : 0;
        for (int64_t w = 0; w < words; w++) {
            uint64_t r = rows[w], good = valid[w] | (null[w] & also);
            uint64_t x = r & good & bits[w], y = r & good & ~bits[w];
            uint64_t z = r & ~good & (null[w] | error[w]), u = r & ~(good | null[w] | error[w]);
            t[w] = x; f[w] = y; e[w] = z; lost[w] = u;
            yes |= x; no |= y; bad |= z; none |= u;
        }
        return (yes != 0) | (no != 0) << 1 | (bad != 0) << 2 | (none != 0) << 3;
    }
    PACT_CLONES static int pact_outside(const uint64_t *restrict rows, const uint64_t *restrict mask, int64_t words) {
        uint64_t any = 0;
        for (int64_t w = 0; w < words; w++) any |= rows[w] & ~mask[w];
        return any != 0;
    }
    PACT_CLONES static int pact_split(const uint64_t *restrict rows, const uint64_t *restrict bits, uint64_t *restrict t,
                                      uint64_t *restrict f, int64_t words) {
        uint64_t yes = 0, no = 0;
        for (int64_t w = 0; w < words; w++) {
            uint64_t x = rows[w] & bits[w], y = rows[w] & ~bits[w];
            t[w] = x; f[w] = y; yes |= x; no |= y;
        }
        return (yes != 0) | (no != 0) << 1;
    }
    PACT_CLONES static void pact_begin(uint64_t *restrict valid, uint64_t *restrict null, uint64_t *restrict error,
                                       uint64_t *restrict gone, const uint64_t *restrict rows, int other, int64_t words) {
        uint64_t keep = other ? 0 : ~(uint64_t)0;
        for (int64_t w = 0; w < words; w++) {
            uint64_t rest = ~rows[w];
            valid[w] &= rest & keep; null[w] &= rest; error[w] &= rest; gone[w] &= rest;
        }
    }
    PACT_CLONES static void pact_assign(uint64_t *restrict to, const uint64_t *restrict rows, int value, int64_t words) {
        uint64_t set = value ? ~(uint64_t)0 : 0;
        for (int64_t w = 0; w < words; w++) to[w] = (to[w] & ~rows[w]) | (rows[w] & set);
    }
    PACT_CLONES static void pact_and(uint64_t *restrict to, const uint64_t *restrict mask, int64_t words) {
        for (int64_t w = 0; w < words; w++) to[w] &= mask[w];
    }
    /* What is known of a pair: valid where both are, null where equality has an answer without a look at them. */
    PACT_CLONES static void pact_pair(const uint64_t *restrict av, const uint64_t *restrict an, const uint64_t *restrict ae,
                                      const uint64_t *restrict bv, const uint64_t *restrict bn, const uint64_t *restrict be,
                                      uint64_t *restrict valid, uint64_t *restrict null, uint64_t *restrict error,
                                      uint64_t *restrict both_null, int64_t words) {
        for (int64_t w = 0; w < words; w++) {
            uint64_t known = (av[w] | an[w] | ae[w]) & (bv[w] | bn[w] | be[w]);
            uint64_t wrong = (ae[w] | be[w]) & known;
            valid[w] = av[w] & bv[w];
            null[w] = (an[w] | bn[w]) & known & ~wrong;
            error[w] = wrong;
            both_null[w] = an[w] & bn[w];
        }
    }
    PACT_CLONES static void pact_or(uint64_t *restrict to, const uint64_t *restrict from, int64_t words) {
        for (int64_t w = 0; w < words; w++) to[w] |= from[w];
    }
    static int pact_any(const uint64_t *a, int64_t words) {
        uint64_t any = 0;
        for (int64_t w = 0; w < words; w++) any |= a[w];
        return any != 0;
    }
    /* Three masks to codes: violated 1, unknown 3, skipped 2, none 0; of two the earlier in this order. */
    static uint64_t pact_spread[256];
    static void pact_fill_spread(void) {
        for (int i = 0; i < 256; i++) {
            uint8_t b[8];
            for (int j = 0; j < 8; j++) b[j] = (uint8_t)((i >> j) & 1);
            memcpy(&pact_spread[i], b, 8);
        }
    }
    static void pact_codes(const uint64_t *violated, const uint64_t *unknown, const uint64_t *skipped, int64_t n, uint8_t *out) {
        for (int64_t i = 0; i < n; i += 64) {
            uint64_t v = violated[i >> 6], u = unknown[i >> 6] & ~v, s = skipped[i >> 6] & ~(v | u);
            uint64_t codes[8];
            int64_t size = n - i < 64 ? n - i : 64;
            if (!(v | u | s)) { memset(out + i, 0, size); continue; }
            if (!(u | s)) for (int j = 0; j < 8; j++) codes[j] = pact_spread[v >> 8 * j & 255];
            else if (!u) for (int j = 0; j < 8; j++)
                codes[j] = pact_spread[v >> 8 * j & 255] | pact_spread[s >> 8 * j & 255] << 1;
            else for (int j = 0; j < 8; j++)
                codes[j] = pact_spread[v >> 8 * j & 255] | pact_spread[s >> 8 * j & 255] << 1 | pact_spread[u >> 8 * j & 255] * 3;
            memcpy(out + i, codes, size);
        }
    }
    """
    ctypedef void (*CompareInts)(const int64_t*, const int64_t*, int64_t, uint64_t*) noexcept nogil
    void eq_int "pact_eq_int" (const int64_t* a, const int64_t* b, int64_t n, uint64_t* out) noexcept nogil
    void lt_int "pact_lt_int" (const int64_t* a, const int64_t* b, int64_t n, uint64_t* out) noexcept nogil
    void le_int "pact_le_int" (const int64_t* a, const int64_t* b, int64_t n, uint64_t* out) noexcept nogil
    void eq_int_k "pact_eq_int_k" (const int64_t* a, int64_t k, int64_t n, uint64_t* out) noexcept nogil
    void lt_int_k "pact_lt_int_k" (const int64_t* a, int64_t k, int64_t n, uint64_t* out) noexcept nogil
    void le_int_k "pact_le_int_k" (const int64_t* a, int64_t k, int64_t n, uint64_t* out) noexcept nogil
    void gt_int_k "pact_gt_int_k" (const int64_t* a, int64_t k, int64_t n, uint64_t* out) noexcept nogil
    void ge_int_k "pact_ge_int_k" (const int64_t* a, int64_t k, int64_t n, uint64_t* out) noexcept nogil
    void eq_double "pact_eq_double" (const double* a, const double* b, int64_t n, uint64_t* out) noexcept nogil
    void lt_double "pact_lt_double" (const double* a, const double* b, int64_t n, uint64_t* out) noexcept nogil
    void le_double "pact_le_double" (const double* a, const double* b, int64_t n, uint64_t* out) noexcept nogil
    void eq_double_k "pact_eq_double_k" (const double* a, double k, int64_t n, uint64_t* out) noexcept nogil
    void lt_double_k "pact_lt_double_k" (const double* a, double k, int64_t n, uint64_t* out) noexcept nogil
    void le_double_k "pact_le_double_k" (const double* a, double k, int64_t n, uint64_t* out) noexcept nogil
    void gt_double_k "pact_gt_double_k" (const double* a, double k, int64_t n, uint64_t* out) noexcept nogil
    void ge_double_k "pact_ge_double_k" (const double* a, double k, int64_t n, uint64_t* out) noexcept nogil
    void finite "pact_finite" (const double* a, int64_t n, uint64_t* out) noexcept nogil
    void add_int "pact_add_int" (
        const int64_t* a, const int64_t* b, int minus, int64_t n, int64_t* c, uint64_t* out) noexcept nogil
    void arithmetic_double "pact_arithmetic" (
        const double* a, const double* b, int what, int64_t n, double* c) noexcept nogil
    void few_8 "pact_few_8" (const uint8_t* a, uint32_t answers, int64_t n, uint64_t* out) noexcept nogil
    void few_16 "pact_few_16" (const uint16_t* a, uint32_t answers, int64_t n, uint64_t* out) noexcept nogil
    void few_32 "pact_few_32" (const uint32_t* a, uint32_t answers, int64_t n, uint64_t* out) noexcept nogil
    void look_8 "pact_look_8" (
        const uint8_t* a, const uint8_t* answers, uint64_t size, int64_t n, uint64_t* out) noexcept nogil
    void look_16 "pact_look_16" (
        const uint16_t* a, const uint8_t* answers, uint64_t size, int64_t n, uint64_t* out) noexcept nogil
    void look_32 "pact_look_32" (
        const uint32_t* a, const uint8_t* answers, uint64_t size, int64_t n, uint64_t* out) noexcept nogil
    void look_64 "pact_look_64" (
        const uint64_t* a, const uint8_t* answers, uint64_t size, int64_t n, uint64_t* out) noexcept nogil
    void sizes_32 "pact_sizes_32" (const int32_t* a, int64_t n, int64_t* out) noexcept nogil
    void sizes_64 "pact_sizes_64" (const int64_t* a, int64_t n, int64_t* out) noexcept nogil
    void starts_32 "pact_starts_32" (const int32_t* a, int64_t n, int64_t* out) noexcept nogil
    void plus "pact_plus" (
        const int64_t* a, int64_t k, const uint64_t* rows, int64_t words, int64_t* out) noexcept nogil
    int more "pact_more" (
        const int64_t* sizes, int64_t turn, const uint64_t* rows, int64_t words, uint64_t* t, uint64_t* f) noexcept nogil
    void gather_8 "pact_gather_8" (
        const uint8_t* data, const int64_t* at, const uint64_t* rows, int64_t words, int64_t* out) noexcept nogil
    void gather_16 "pact_gather_16" (
        const uint16_t* data, const int64_t* at, const uint64_t* rows, int64_t words, int64_t* out) noexcept nogil
    void gather_32 "pact_gather_32" (
        const uint32_t* data, const int64_t* at, const uint64_t* rows, int64_t words, int64_t* out) noexcept nogil
    void gather_64 "pact_gather_64" (
        const int64_t* data, const int64_t* at, const uint64_t* rows, int64_t words, int64_t* out) noexcept nogil
    void gather_bits "pact_gather_bits" (
        const uint8_t* bitmap, int64_t shift, const int64_t* at, const uint64_t* rows, int64_t words, uint64_t* out
    ) noexcept nogil
    void few_rows "pact_few_rows" (
        const int64_t* a, uint32_t answers, const uint64_t* rows, int64_t words, uint64_t* out) noexcept nogil
    bint ascii "pact_ascii" (const uint8_t* a, int64_t n) noexcept nogil
    bint rising_32 "pact_rising_32" (const int32_t* a, int64_t n) noexcept nogil
    bint rising_64 "pact_rising_64" (const int64_t* a, int64_t n) noexcept nogil
    void read_bits "pact_bits" (const uint8_t* bitmap, int64_t offset, int64_t n, uint64_t* out) noexcept nogil
    int settle "pact_settle" (
        const uint64_t* rows, const uint64_t* bits, const uint64_t* valid, const uint64_t* null, const uint64_t* error,
        bint null_answers, uint64_t* t, uint64_t* f, uint64_t* e, uint64_t* lost, int64_t words) noexcept nogil
    bint any_outside "pact_outside" (const uint64_t* rows, const uint64_t* mask, int64_t words) noexcept nogil
    int split "pact_split" (
        const uint64_t* rows, const uint64_t* bits, uint64_t* t, uint64_t* f, int64_t words) noexcept nogil
    void begin_masks "pact_begin" (
        uint64_t* valid, uint64_t* null, uint64_t* error, uint64_t* gone, const uint64_t* rows, bint other,
        int64_t words) noexcept nogil
    void assign "pact_assign" (uint64_t* to, const uint64_t* rows, bint value, int64_t words) noexcept nogil
    void and_into "pact_and" (uint64_t* to, const uint64_t* mask, int64_t words) noexcept nogil
    void pair_masks "pact_pair" (
        const uint64_t* av, const uint64_t* an, const uint64_t* ae, const uint64_t* bv, const uint64_t* bn,
        const uint64_t* be, uint64_t* valid, uint64_t* null, uint64_t* error, uint64_t* both_null, int64_t words
    ) noexcept nogil
    void or_into "pact_or" (uint64_t* to, const uint64_t* source, int64_t words) noexcept nogil
    bint any_bit "pact_any" (const uint64_t* a, int64_t words) noexcept nogil
    void fill_spread "pact_fill_spread" () noexcept nogil
    void write_codes "pact_codes" (
        const uint64_t* violated, const uint64_t* unknown, const uint64_t* skipped, int64_t n, uint8_t* out
    ) noexcept nogil

fill_spread()
