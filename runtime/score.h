/* What a score is made of, in plain C: exact sums of weighted observations, an epoch at a time.
 *
 * A call at time t has q = floor((t - landmark) * 256 / half_life); its epoch is floor(q / 256), its weight
 * score_weights[q mod 256] * 2^epoch.  The power is never multiplied out: each epoch has sums of its own, so
 * nothing is rounded and nothing grows with age.  All is integers and addition, so any order of the same
 * calls, however they are spread over workers, gives the same sums.
 */
#ifndef SCORE_H
#define SCORE_H

#include <stdint.h>
#include <stdlib.h>

enum { SCORE_EPOCHS = 40, SCORE_STEPS = 256, SCORE_WHOLE = 1000 };
enum { SCORE_VIOLATED, SCORE_UNKNOWN, SCORE_SKIPPED, SCORE_WAITING, SCORE_KINDS };  /* else satisfied */

typedef unsigned __int128 score_wide;

static inline int score_lowest(uint64_t bits) { return __builtin_ctzll(bits); }
static inline uint64_t score_high(score_wide x) { return (uint64_t)(x >> 64); }
static inline uint64_t score_low(score_wide x) { return (uint64_t)x; }
static inline score_wide score_make(uint64_t high, uint64_t low) { return (score_wide)high << 64 | low; }

/* round(2^20 * 2^(i/256)): written out, so that no platform's library decides. */
static const uint32_t score_weights[SCORE_STEPS] = {
    1048576, 1051419, 1054270, 1057128, 1059994, 1062868, 1065750, 1068639, 1071537, 1074442,
    1077355, 1080276, 1083205, 1086142, 1089087, 1092040, 1095000, 1097969, 1100946, 1103931,
    1106924, 1109925, 1112935, 1115952, 1118978, 1122012, 1125054, 1128104, 1131163, 1134230,
    1137305, 1140388, 1143480, 1146581, 1149689, 1152806, 1155932, 1159066, 1162209, 1165360,
    1168519, 1171687, 1174864, 1178050, 1181244, 1184446, 1187658, 1190878, 1194106, 1197344,
    1200590, 1203845, 1207109, 1210382, 1213664, 1216954, 1220254, 1223562, 1226880, 1230206,
    1233542, 1236886, 1240240, 1243602, 1246974, 1250355, 1253745, 1257144, 1260553, 1263970,
    1267397, 1270834, 1274279, 1277734, 1281198, 1284672, 1288155, 1291648, 1295150, 1298661,
    1302182, 1305713, 1309253, 1312803, 1316362, 1319931, 1323510, 1327098, 1330696, 1334304,
    1337922, 1341549, 1345187, 1348834, 1352491, 1356158, 1359835, 1363522, 1367219, 1370926,
    1374642, 1378369, 1382107, 1385854, 1389611, 1393379, 1397157, 1400945, 1404743, 1408552,
    1412371, 1416200, 1420040, 1423890, 1427751, 1431622, 1435503, 1439395, 1443298, 1447211,
    1451135, 1455069, 1459014, 1462970, 1466937, 1470914, 1474902, 1478901, 1482910, 1486931,
    1490962, 1495005, 1499058, 1503123, 1507198, 1511284, 1515382, 1519491, 1523610, 1527741,
    1531883, 1536037, 1540201, 1544377, 1548564, 1552763, 1556973, 1561194, 1565427, 1569672,
    1573927, 1578195, 1582474, 1586764, 1591066, 1595380, 1599706, 1604043, 1608392, 1612753,
    1617125, 1621510, 1625906, 1630314, 1634735, 1639167, 1643611, 1648067, 1652536, 1657016,
    1661509, 1666014, 1670531, 1675060, 1679601, 1684155, 1688722, 1693300, 1697891, 1702495,
    1707110, 1711739, 1716380, 1721034, 1725700, 1730379, 1735070, 1739774, 1744491, 1749221,
    1753964, 1758719, 1763488, 1768269, 1773063, 1777870, 1782691, 1787524, 1792371, 1797230,
    1802103, 1806989, 1811888, 1816801, 1821727, 1826666, 1831618, 1836584, 1841564, 1846557,
    1851563, 1856583, 1861617, 1866665, 1871726, 1876800, 1881889, 1886991, 1892107, 1897237,
    1902381, 1907539, 1912711, 1917897, 1923097, 1928311, 1933539, 1938781, 1944038, 1949309,
    1954594, 1959893, 1965207, 1970535, 1975878, 1981235, 1986607, 1991993, 1997394, 2002809,
    2008240, 2013685, 2019144, 2024619, 2030108, 2035612, 2041131, 2046665, 2052214, 2057778,
    2063358, 2068952, 2074562, 2080186, 2085826, 2091481,
};

/* Of one dimension in one epoch.  w < 2^21 and g <= 1000, so 2^62 calls keep every sum below 2^124. */
typedef struct {
    uint64_t calls, points;                 /* calls with an observation; with a point observation */
    score_wide w, w2;                       /* of all: sums of w, w^2 */
    score_wide pw, pw2, pg, pw2g, pw2gg;    /* of points: of w, w^2, w g, w^2 g, w^2 g^2 */
    score_wide lg, lw2g, lw2gg;             /* of lower observations: of w g, w^2 g, w^2 g^2 */
} score_sums;

/* Of one clause in one epoch: the sum of w * what it cost; calls that broke it, and calls that say nothing of
 * it yet (skipped, unknown, waiting).  A call that is amended in another worker is counted there, below 0. */
typedef struct { score_wide cost; int64_t broken, untold; } score_clause;

/* Of one epoch: the dimensions' sums, and behind them the clauses'. */
typedef struct {
    int64_t epoch;
    uint64_t calls;                         /* judged */
    uint64_t dropped;                       /* calls that were seen and never judged */
    score_wide dropped_w;
    score_sums dimensions[];
} score_row;

/* What is fixed by the pact. */
typedef struct {
    int dimensions, clauses, words;
    const int32_t *severity;                /* per clause, 0 to 1000 */
    const uint64_t *members;                /* per dimension `words` words: its clauses */
} score_plan;

typedef struct { uint64_t points, good; } score_total;               /* of a dimension, of whatever age */
typedef struct { int64_t kinds[SCORE_KINDS], last; } score_count;   /* of a clause; when it was last broken */

static inline size_t score_row_size(const score_plan *p) {
    size_t sums = sizeof(score_row) + (size_t)p->dimensions * sizeof(score_sums);
    return sums + (size_t)p->clauses * sizeof(score_clause);
}

static inline score_clause *score_clauses(score_row *row, const score_plan *p) {
    return (score_clause *)(row->dimensions + p->dimensions);
}

/* Steps of time: SCORE_STEPS of them are a half-life. */
static const int64_t score_landmark = 1577836800000000;     /* 2020-01-01T00:00:00Z, in microseconds */

static inline int64_t score_quotient(int64_t micros, int64_t half_life) {
    __int128 a = ((__int128)micros - score_landmark) * SCORE_STEPS;
    return (int64_t)(a / half_life - (a % half_life < 0));
}

/* The first microsecond of a step. */
static inline int64_t score_step_begins(int64_t step, int64_t half_life) {
    __int128 a = (__int128)step * half_life;
    return (int64_t)(a / SCORE_STEPS + (a % SCORE_STEPS > 0)) + score_landmark;
}

static inline void score_drop(score_row *row, uint64_t w) {
    if (!row) return;
    row->dropped++;
    row->dropped_w += w;
}

static inline void score_observe(score_sums *s, uint64_t w, int point, uint32_t best, uint32_t least) {
    score_wide w2 = (score_wide)w * w;
    s->calls++;
    s->w += w;
    s->w2 += w2;
    s->lg += w * least;
    s->lw2g += w2 * least;
    s->lw2gg += w2 * (least * least);
    if (!point) return;
    s->points++;
    s->pw += w;
    s->pw2 += w2;
    s->pg += w * best;
    s->pw2g += w2 * best;
    s->pw2gg += w2 * (best * best);
}

/* What broken clauses of one dimension cost: their severities, or their shares of 1000 if that is less.
 * What whole shares leave over goes to the first ones, a point each. */
static void score_charge(score_clause *clauses, const score_plan *p, const uint64_t *members, const uint64_t *violated,
                         uint64_t w, uint64_t sum) {
    uint64_t over = 0;
    for (int pass = sum > SCORE_WHOLE ? 0 : 1; pass < 2; pass++)
        for (int word = 0; word < p->words; word++)
            for (uint64_t bits = members[word] & violated[word]; bits; bits &= bits - 1) {
                int clause = word * 64 + __builtin_ctzll(bits);
                uint64_t cost = (uint64_t)p->severity[clause];
                if (sum > SCORE_WHOLE) cost = cost * SCORE_WHOLE / sum;
                if (!pass) { over += cost; continue; }
                if (sum > SCORE_WHOLE && over < SCORE_WHOLE && p->severity[clause]) { cost++; over++; }
                clauses[clause].cost += w * cost;
            }
}

static inline uint64_t score_severities(const score_plan *p, uint64_t bits, int word) {
    uint64_t sum = 0;
    for (; bits; bits &= bits - 1) sum += (uint64_t)p->severity[word * 64 + __builtin_ctzll(bits)];
    return sum;
}

/* One call into one row; NULL if the call is too old for one.  silent: clauses that are skipped, or of which
 * nothing is known yet. */
static void score_call(score_row *row, score_total *totals, const score_plan *p, const uint64_t *violated,
                       const uint64_t *unknown, const uint64_t *silent, uint64_t w) {
    for (int d = 0; d < p->dimensions; d++) {
        const uint64_t *members = p->members + (size_t)d * p->words;
        uint64_t known = 0, doubts = 0, v = 0, u = 0;
        for (int i = 0; i < p->words; i++) {
            uint64_t doubt = members[i] & unknown[i];
            known |= members[i] & ~(unknown[i] | silent[i]);
            doubts |= doubt;
            v += score_severities(p, members[i] & violated[i], i);
            if (doubt) u += score_severities(p, doubt, i);
        }
        if (!known && !doubts) continue;
        uint32_t best = v < SCORE_WHOLE ? SCORE_WHOLE - (uint32_t)v : 0;
        uint32_t least = v + u < SCORE_WHOLE ? SCORE_WHOLE - (uint32_t)(v + u) : 0;
        totals[d].points += known != 0;
        totals[d].good += known ? best : 0;
        if (!row) continue;
        score_observe(&row->dimensions[d], w, known != 0, best, least);
        if (v) score_charge(score_clauses(row, p), p, members, violated, w, v);
    }
}

static void score_add_sums(score_sums *to, const score_sums *from) {
    to->calls += from->calls; to->points += from->points;
    to->w += from->w; to->w2 += from->w2;
    to->pw += from->pw; to->pw2 += from->pw2;
    to->pg += from->pg; to->pw2g += from->pw2g; to->pw2gg += from->pw2gg;
    to->lg += from->lg; to->lw2g += from->lw2g; to->lw2gg += from->lw2gg;
}

static void score_add_row(score_row *to, score_row *from, const score_plan *p) {
    score_clause *into = score_clauses(to, p), *out = score_clauses(from, p);
    to->calls += from->calls;
    to->dropped += from->dropped;
    to->dropped_w += from->dropped_w;
    for (int d = 0; d < p->dimensions; d++) score_add_sums(&to->dimensions[d], &from->dimensions[d]);
    for (int c = 0; c < p->clauses; c++) {
        into[c].cost += out[c].cost;
        into[c].broken += out[c].broken;
        into[c].untold += out[c].untold;
    }
}

#endif
