/* JSON text, read strictly: where a string ends, what a number says, what may be passed over.
 *
 * In: bytes [p, end).  Out: positions and plain C values; nothing here knows Python's objects.
 * What is refused here may still be JSON (deep nesting, very long numbers): another reader decides.
 * No byte at or behind `end` is read.  A `limit` before `end` lets long work be done in pieces.
 */
#ifndef PACT_JSON_H
#define PACT_JSON_H

#include <float.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if !defined(PACT_NO_SIMD) && (defined(__x86_64__) || defined(_M_X64))
#define PACT_SSE2 1
#include <emmintrin.h>
#if defined(__GNUC__)
#define PACT_AVX2 1
#include <immintrin.h>
#endif
#elif !defined(PACT_NO_SIMD) && defined(__aarch64__) && defined(__GNUC__)
#define PACT_NEON 1
#include <arm_neon.h>
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
static inline int pact_first_bit(uint64_t bits) { unsigned long at; _BitScanForward64(&at, bits); return (int)at; }
#else
#define pact_first_bit(bits) __builtin_ctzll(bits)
#endif

/* What a string holds. */
enum {
    PACT_ESCAPED = 1,
    PACT_HIGH = 2,              /* bytes beyond ASCII */
    PACT_LONE = 4               /* a surrogate without its pair */
};
/* How a step ends. */
enum { PACT_BAD = 0, PACT_DONE = 1, PACT_MORE = 2 };

enum { PACT_DEPTH = 64 };       /* of what is passed over: a bit for each level */


/* Strings -------------------------------------------------------------------------------------- */

#ifdef PACT_AVX2
static int pact_has_avx2 = 0;
#endif

static void pact_look_at_processor(void) {
#ifdef PACT_AVX2
    __builtin_cpu_init();
    pact_has_avx2 = __builtin_cpu_supports("avx2") != 0;
#endif
}

/* The first quote, backslash or control character; `end` if there is none.  high: not 0 where a byte
 * before it is beyond ASCII. */
static inline const uint8_t *pact_special(const uint8_t *p, const uint8_t *end, uint32_t *high) {
#if defined(PACT_SSE2)
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)p);
        __m128i ends = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))),
            _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1F)), v));
        uint32_t found = (uint32_t)_mm_movemask_epi8(ends), beyond = (uint32_t)_mm_movemask_epi8(v);
        if (found) {
            *high |= beyond & ((found & -found) - 1);
            return p + pact_first_bit(found);
        }
        *high |= beyond;
        p += 16;
    }
#elif defined(PACT_NEON)
    while (end - p >= 16) {
        uint8x16_t v = vld1q_u8(p);
        uint8x16_t ends = vorrq_u8(
            vorrq_u8(vceqq_u8(v, vdupq_n_u8('"')), vceqq_u8(v, vdupq_n_u8('\\'))), vcltq_u8(v, vdupq_n_u8(0x20)));
        /* Four bits for each byte. */
        uint64_t found = vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(ends), 4)), 0);
        uint8x16_t beyond = vcgeq_u8(v, vdupq_n_u8(0x80));
        uint64_t highs = vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(beyond), 4)), 0);
        if (found) {
            *high |= (highs & ((found & -found) - 1)) != 0;
            return p + (pact_first_bit(found) >> 2);
        }
        *high |= highs != 0;
        p += 16;
    }
#else
    while (end - p >= 8) {
        const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
        uint64_t v, quote, slash;
        memcpy(&v, p, 8);
        quote = v ^ ones * '"';
        slash = v ^ ones * '\\';
        /* A high byte may hide in what these say: then the bytes are looked at one by one. */
        if ((((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((v - ones * 0x20) & ~v)) & highs) break;
        *high |= (v & highs) != 0;
        p += 8;
    }
#endif
    for (; p < end; p++) {
        if (*p == '"' || *p == '\\' || *p < 0x20) return p;
        *high |= *p & 0x80u;
    }
    return p;
}

static inline int pact_hex(const uint8_t *p) {
    int value = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t c = p[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* Behind the escape at p; NULL if it is none. */
static const uint8_t *pact_escape(const uint8_t *p, const uint8_t *end, uint32_t *seen) {
    int code;
    if (end - p < 2) return NULL;
    switch (p[1]) {
    case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
        return p + 2;
    case 'u':
        if (end - p < 6 || (code = pact_hex(p + 2)) < 0) return NULL;
        if ((code & 0xF800) != 0xD800) return p + 6;
        if (code < 0xDC00 && end - p >= 12 && p[6] == '\\' && p[7] == 'u' && (pact_hex(p + 8) & ~0x3FF) == 0xDC00)
            return p + 12;
        *seen |= PACT_LONE;
        return p + 6;
    default:
        return NULL;
    }
}

#ifdef PACT_AVX2
/* A bit for each of 64 bytes that are c. */
#define PACT_ARE(c) \
    ((uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, _mm256_set1_epi8(c))) \
     | (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, _mm256_set1_epi8(c))) << 32)

/* The same as pact_string for as many blocks of 64 bytes as are there.  Escapes cost no branch: which
 * bytes are escaped follows from runs of backslashes by a subtraction, and what may stand behind a
 * backslash is looked up by its lower half.  *at is where one byte at a time must go on. */
__attribute__((target("avx2")))
static int pact_string_avx2(const uint8_t **at, const uint8_t *limit, uint32_t *seen) {
    const uint64_t odd = 0xAAAAAAAAAAAAAAAAu;
    const __m256i named = _mm256_setr_epi8(
        0, 0, '"', 0, 't', 0, 'f', 0, 0, 0, 0, 0, '\\', 0, 'n', '/', 0, 0, '"', 0, 't', 0, 'f', 0, 0, 0, 0, 0, '\\', 0, 'n', '/');
    const __m256i control = _mm256_set1_epi8(0x1F);
    const uint8_t *p = *at;
    uint64_t carry = 0, high = 0, any = 0;
    int result = PACT_MORE;
    while (limit - p >= 64) {
        __m256i a = _mm256_loadu_si256((const __m256i *)p), b = _mm256_loadu_si256((const __m256i *)(p + 32));
        uint64_t quotes = PACT_ARE('"'), slashes = PACT_ARE('\\');
        uint64_t ends = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(a, control), a))
            | (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(b, control), b)) << 32;
        uint64_t beyond = (uint32_t)_mm256_movemask_epi8(a) | (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32;
        uint64_t starts = slashes & ~carry;
        uint64_t codes = (((starts << 1) | odd) - starts) ^ odd;
        uint64_t escaped = codes ^ (slashes | carry), before;
        ends |= quotes & ~escaped;
        before = ends ? (ends & -ends) - 1 : ~(uint64_t)0;
        if (escaped & before) {
            uint64_t good = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_shuffle_epi8(named, a), a))
                | (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_shuffle_epi8(named, b), b)) << 32;
            good |= PACT_ARE('b') | PACT_ARE('r');
            if (escaped & before & ~good) break;        /* a \u, or what is no escape */
            any = 1;
        }
        high |= beyond & before;
        if (ends) {
            p += pact_first_bit(ends);
            carry = 0;
            result = *p == '"' ? PACT_DONE : PACT_BAD;
            break;
        }
        carry = (codes & slashes) >> 63;
        p += 64;
    }
    *at = p - carry;
    *seen |= (high ? PACT_HIGH : 0) | (any ? PACT_ESCAPED : 0);
    return result;
}
#endif

/* Move from within a string to its closing quote.  PACT_MORE: `limit` is reached before. */
static int pact_string(const uint8_t **at, const uint8_t *end, const uint8_t *limit, uint32_t *seen) {
    const uint8_t *p = *at;
    uint32_t high = 0;
    for (;;) {
#ifdef PACT_AVX2
        if (pact_has_avx2 && limit - p >= 64) {         /* a short text ends near: wide steps do not pay */
            p = pact_special(p, p + 32, &high);
            if (*p != '"' && *p >= 0x20) {
                int result = pact_string_avx2(&p, limit, seen);
                if (result != PACT_MORE) {
                    *at = p;
                    if (high) *seen |= PACT_HIGH;
                    return result;
                }
                p = pact_special(p, limit, &high);
            }
        } else
#endif
        p = pact_special(p, limit, &high);
        if (p >= limit) {
            *at = p;
            if (high) *seen |= PACT_HIGH;
            return limit < end ? PACT_MORE : PACT_BAD;
        }
        if (*p == '"') {
            *at = p;
            if (high) *seen |= PACT_HIGH;
            return PACT_DONE;
        }
        if (*p != '\\') return PACT_BAD;
        do {                                            /* other scripts may be written as nothing but escapes */
            if ((p = pact_escape(p, end, seen)) == NULL) return PACT_BAD;
        } while (p < limit && *p == '\\');
        *seen |= PACT_ESCAPED;
    }
}

/* Whether bytes are UTF-8: nothing overlong, no surrogates, nothing beyond U+10FFFF. */
static int pact_utf8(const uint8_t *p, const uint8_t *end) {
    while (p < end) {
        uint64_t v;
        uint8_t c = *p;
        if (c < 0x80) {
            p++;
            while (end - p >= 8) {
                memcpy(&v, p, 8);
                if (v & 0x8080808080808080u) break;
                p += 8;
            }
        } else if (c < 0xE0) {
            if (c < 0xC2 || end - p < 2 || (p[1] & 0xC0) != 0x80) return 0;
            p += 2;
        } else if (c < 0xF0) {
            if (end - p < 3 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80) return 0;
            if ((c == 0xE0 && p[1] < 0xA0) || (c == 0xED && p[1] >= 0xA0)) return 0;
            p += 3;
        } else {
            if (c > 0xF4 || end - p < 4 || (p[1] & 0xC0) != 0x80) return 0;
            if ((p[2] & 0xC0) != 0x80 || (p[3] & 0xC0) != 0x80) return 0;
            if ((c == 0xF0 && p[1] < 0x90) || (c == 0xF4 && p[1] >= 0x90)) return 0;
            p += 4;
        }
    }
    return 1;
}

/* How often a byte occurs; sums of 8 bits let the compiler count many at once. */
static ptrdiff_t pact_count(const uint8_t *p, ptrdiff_t size, uint8_t c) {
    ptrdiff_t count = 0;
    while (size > 0) {
        ptrdiff_t block = size < 255 ? size : 255;
        uint8_t some = 0;
        for (ptrdiff_t i = 0; i < block; i++) some += p[i] == c;
        count += some;
        p += block;
        size -= block;
    }
    return count;
}

/* Characters of valid UTF-8. */
static ptrdiff_t pact_characters(const uint8_t *p, ptrdiff_t size) {
    ptrdiff_t count = 0;
    for (ptrdiff_t i = 0; i < size; i++) count += (int8_t)p[i] >= -64;
    return count;
}

static uint8_t *pact_put(uint8_t *out, uint32_t code) {
    if (code < 0x80) {
        *out++ = (uint8_t)code;
    } else if (code < 0x800) {
        *out++ = (uint8_t)(0xC0 | code >> 6);
        *out++ = (uint8_t)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *out++ = (uint8_t)(0xE0 | code >> 12);
        *out++ = (uint8_t)(0x80 | (code >> 6 & 0x3F));
        *out++ = (uint8_t)(0x80 | (code & 0x3F));
    } else {
        *out++ = (uint8_t)(0xF0 | code >> 18);
        *out++ = (uint8_t)(0x80 | (code >> 12 & 0x3F));
        *out++ = (uint8_t)(0x80 | (code >> 6 & 0x3F));
        *out++ = (uint8_t)(0x80 | (code & 0x3F));
    }
    return out;
}

/* Bytes up to and without the next backslash are copied; those that are written are never more than read. */
static const uint8_t *pact_copy(const uint8_t *p, const uint8_t *end, uint8_t **out) {
#ifdef PACT_SSE2
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)p);
        uint32_t found = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
        _mm_storeu_si128((__m128i *)*out, v);
        if (found) {
            *out += pact_first_bit(found);
            return p + pact_first_bit(found);
        }
        p += 16;
        *out += 16;
    }
#endif
    while (p < end && *p != '\\') *(*out)++ = *p++;
    return p;
}

/* The text of a string whose escapes are good: UTF-8 in `out`, which has room for `size` bytes. */
static ptrdiff_t pact_unescape(const uint8_t *p, ptrdiff_t size, uint8_t *out) {
    static const char meant[] = "\"\\/bfnrt", said[] = "\"\\/\b\f\n\r\t";
    const uint8_t *end = p + size;
    uint8_t *start = out;
    while ((p = pact_copy(p, end, &out)) < end) {
        if (p[1] != 'u') {
            *out++ = (uint8_t)said[strchr(meant, p[1]) - meant];
            p += 2;
        } else {
            uint32_t code = (uint32_t)pact_hex(p + 2);
            p += 6;
            if ((code & 0xF800) == 0xD800) {
                code = 0x10000 + ((code & 0x3FF) << 10) + ((uint32_t)pact_hex(p + 2) & 0x3FF);
                p += 6;
            }
            out = pact_put(out, code);
        }
    }
    return out - start;
}


/* Numbers -------------------------------------------------------------------------------------- */

typedef struct {
    uint64_t digits;            /* the number is digits * 10^exponent */
    int32_t exponent;
    uint8_t negative;
    uint8_t whole;              /* without a fraction and an exponent */
    uint8_t exact;              /* `digits` and `exponent` are all of it */
} pact_number;

/* Behind the number at p; NULL if it is none. */
static const uint8_t *pact_read_number(const uint8_t *p, const uint8_t *end, pact_number *x) {
    uint64_t digits = 0;
    int32_t exponent = 0, written = 0;
    const uint8_t *start;
    ptrdiff_t count;
    int negative;
    x->whole = 1;
    x->negative = p < end && *p == '-';
    p += x->negative;
    for (start = p; p < end && *p >= '0' && *p <= '9'; p++) digits = digits * 10 + (*p - '0');
    count = p - start;
    if (count == 0 || (count > 1 && *start == '0')) return NULL;
    if (p < end && *p == '.') {
        x->whole = 0;
        for (start = ++p; p < end && *p >= '0' && *p <= '9'; p++) digits = digits * 10 + (*p - '0');
        if (p == start) return NULL;
        count += p - start;
        exponent = count < 100 ? -(int32_t)(p - start) : 0;
    }
    if (p < end && (*p | 32) == 'e') {
        x->whole = 0;
        p++;
        negative = p < end && *p == '-';
        p += p < end && (*p == '-' || *p == '+');
        for (start = p; p < end && *p >= '0' && *p <= '9'; p++)
            if (written < 100000) written = written * 10 + (*p - '0');
        if (p == start) return NULL;
        exponent += negative ? -written : written;
    }
    x->exact = count <= 19;     /* so many digits fit in 64 bits */
    x->digits = digits;
    x->exponent = exponent;
    return p;
}

/* A whole number as an int of 64 bits; 0 if it is none. */
static inline int pact_int64(const pact_number *x, int64_t *out) {
    if (!x->whole || !x->exact || x->digits > (uint64_t)INT64_MAX) return 0;
    *out = x->negative ? -(int64_t)x->digits : (int64_t)x->digits;
    return 1;
}

/* The double nearest to a number, where one exact operation gives it (Clinger's fast path); else 0. */
static inline int pact_double(const pact_number *x, double *out) {
    static const double power[] = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    double value;
    if (FLT_EVAL_METHOD != 0 || !x->exact || x->digits > (uint64_t)1 << 53) return 0;
    if (x->exponent < -22 || x->exponent > 22 || (x->digits == 0 && x->negative)) return 0;
    value = (double)x->digits;
    value = x->exponent < 0 ? value / power[-x->exponent] : value * power[x->exponent];
    *out = x->negative ? -value : value;
    return 1;
}


/* Times ---------------------------------------------------------------------------------------- */

static inline int pact_two(const uint8_t *p) {
    return p[0] >= '0' && p[0] <= '9' && p[1] >= '0' && p[1] <= '9' ? (p[0] - '0') * 10 + p[1] - '0' : -1;
}

/* The minutes of an offset from UTC: Z or +hh:mm, to the end; 100000 if it is none. */
static int pact_offset_minutes(const uint8_t *p, ptrdiff_t size) {
    int hours, minutes;
    if (size == 1 && (*p | 32) == 'z') return 0;
    if (size != 6 || (*p != '+' && *p != '-') || p[3] != ':') return 100000;
    hours = pact_two(p + 1);
    minutes = pact_two(p + 4);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return 100000;
    return (*p == '-' ? -1 : 1) * (hours * 60 + minutes);
}

/* RFC 3339 with an offset, to seconds since 1970 and nanoseconds; 0 if it is none. */
static int pact_moment(const uint8_t *p, ptrdiff_t size, int64_t *seconds, int64_t *nanos) {
    static const int days_before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    int century, year, month, day, hour, minute, second, leap, offset;
    int64_t fraction = 0, days;
    ptrdiff_t at = 19;
    if (size < 20 || p[4] != '-' || p[7] != '-' || p[13] != ':' || p[16] != ':') return 0;
    if (p[10] != 'T' && p[10] != 't' && p[10] != ' ') return 0;
    century = pact_two(p), year = pact_two(p + 2), month = pact_two(p + 5), day = pact_two(p + 8);
    hour = pact_two(p + 11), minute = pact_two(p + 14), second = pact_two(p + 17);
    if (century < 0 || year < 0 || month < 1 || month > 12 || day < 1) return 0;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return 0;
    year += century * 100;
    leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 1 || day > days_before[month] - days_before[month - 1] + (leap && month == 2)) return 0;
    if (p[at] == '.') {
        int scale = 9;
        for (at++; at < size && p[at] >= '0' && p[at] <= '9'; at++, scale--) {
            if (scale == 0) return 0;
            fraction = fraction * 10 + (p[at] - '0');
        }
        if (scale == 9) return 0;
        while (scale-- > 0) fraction *= 10;
    }
    if ((offset = pact_offset_minutes(p + at, size - at)) == 100000) return 0;
    year -= 1;
    days = (int64_t)year * 365 + year / 4 - year / 100 + year / 400 - 719162;
    days += days_before[month - 1] + (leap && month > 2) + day - 1;
    *seconds = days * 86400 + hour * 3600 + minute * 60 + second - (int64_t)offset * 60;
    *nanos = fraction;
    return 1;
}


/* Passing over a value ------------------------------------------------------------------------- */

enum { PACT_VALUE, PACT_FIRST_VALUE, PACT_KEY, PACT_FIRST_KEY, PACT_IN_TEXT, PACT_IN_KEY, PACT_AFTER };

/* How far the passing over has come.  `objects` has a bit for each level: 1 where it is an object. */
typedef struct {
    const uint8_t *at;
    uint64_t objects;
    int depth;
    int state;
} pact_passing;

static inline const uint8_t *pact_blanks(const uint8_t *p, const uint8_t *end) {
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) p++;
    return p;
}

/* Behind a literal or a number; NULL if it is neither. */
static const uint8_t *pact_scalar(const uint8_t *p, const uint8_t *end) {
    pact_number number;
    switch (*p) {
    case 't':
        return end - p >= 4 && memcmp(p, "true", 4) == 0 ? p + 4 : NULL;
    case 'f':
        return end - p >= 5 && memcmp(p, "false", 5) == 0 ? p + 5 : NULL;
    case 'n':
        return end - p >= 4 && memcmp(p, "null", 4) == 0 ? p + 4 : NULL;
    default:
        return pact_read_number(p, end, &number);
    }
}

static inline int pact_open(pact_passing *s, int is_object) {
    if (s->depth == PACT_DEPTH) return 0;
    s->objects = s->objects << 1 | (uint64_t)is_object;
    s->depth++;
    s->state = is_object ? PACT_FIRST_KEY : PACT_FIRST_VALUE;
    return 1;
}

static inline void pact_close(pact_passing *s) {
    s->objects >>= 1;
    s->depth--;
    s->state = PACT_AFTER;
}

/* One value, or the end of an empty list. */
static const uint8_t *pact_pass_value(pact_passing *s, const uint8_t *p, const uint8_t *end) {
    switch (*p) {
    case '"':
        s->state = PACT_IN_TEXT;
        return p + 1;
    case '{':
    case '[':
        return pact_open(s, *p == '{') ? p + 1 : NULL;
    case ']':
        if (s->state != PACT_FIRST_VALUE) return NULL;
        pact_close(s);
        return p + 1;
    default:
        s->state = PACT_AFTER;
        return pact_scalar(p, end);
    }
}

/* What stands behind a value within a list or an object. */
static const uint8_t *pact_pass_after(pact_passing *s, const uint8_t *p) {
    int is_object = s->objects & 1;
    if (*p == ',') {
        s->state = is_object ? PACT_KEY : PACT_VALUE;
        return p + 1;
    }
    if (*p != (is_object ? '}' : ']')) return NULL;
    pact_close(s);
    return p + 1;
}

static const uint8_t *pact_pass_key(pact_passing *s, const uint8_t *p) {
    if (*p == '"') {
        s->state = PACT_IN_KEY;
        return p + 1;
    }
    if (*p != '}' || s->state != PACT_FIRST_KEY) return NULL;
    pact_close(s);
    return p + 1;
}

/* Go on passing over a value, which has begun with {at, 0, 0, PACT_VALUE}.  PACT_MORE at `limit`. */
static int pact_pass(pact_passing *s, const uint8_t *end, const uint8_t *limit) {
    const uint8_t *p = s->at;
    uint32_t seen = 0;
    int result;
    while (s->state != PACT_AFTER || s->depth) {
        if (s->state == PACT_IN_TEXT || s->state == PACT_IN_KEY) {
            result = pact_string(&p, end, limit, &seen);
            s->at = p;
            if (result != PACT_DONE) return result;
            p++;
            if (s->state == PACT_IN_KEY) {
                p = pact_blanks(p, end);
                if (p >= end || *p++ != ':') return PACT_BAD;
                s->state = PACT_VALUE;
            } else {
                s->state = PACT_AFTER;
            }
            continue;
        }
        p = pact_blanks(p, end);
        if (p >= end) return PACT_BAD;
        if (p >= limit) {
            s->at = p;
            return PACT_MORE;
        }
        p = s->state == PACT_AFTER ? pact_pass_after(s, p)
            : s->state == PACT_KEY || s->state == PACT_FIRST_KEY ? pact_pass_key(s, p)
            : pact_pass_value(s, p, end);
        if (p == NULL) return PACT_BAD;
    }
    s->at = p;
    return PACT_DONE;
}


/* Keys and short texts ------------------------------------------------------------------------- */

static inline uint32_t pact_hash(const uint8_t *p, ptrdiff_t size, uint64_t seed) {
    uint64_t a = 0, b = 0;
    if (size >= 8) {
        memcpy(&a, p, 8);
        memcpy(&b, p + size - 8, 8);
    } else if (size >= 4) {
        uint32_t c, d;
        memcpy(&c, p, 4);
        memcpy(&d, p + size - 4, 4);
        a = c, b = d;
    } else if (size > 0) {
        a = p[0], b = (uint64_t)p[size / 2] << 8 | p[size - 1];
    }
    a = (a ^ (b * 0x9E3779B97F4A7C15u) ^ ((uint64_t)size << 56)) * (0xD6E8FEB86659FD93u + 2 * seed);
    return (uint32_t)(a >> 32);
}

#endif
