/* Conditions as cells, computed without a jump: a bool, or an error value where nobody knows.
 *
 * Random calls make jumps that are foreseen wrongly, which costs more than to compute both sides.
 * The cells are fast.h's.  Here no is 0, yes 1, and maybe, for whatever is no bool, 2.
 */
enum { PACT_NO = 0, PACT_YES = 1, PACT_MAYBE = 2 };
enum { PACT_UNCERTAIN = 14 };                   /* an error value, as pactlang/opcodes.py has it */

static const PactCell pact_said[3] = {{{0}, PACT_BOOL, 0}, {{1}, PACT_BOOL, 0}, {{0}, PACT_ERROR, PACT_UNCERTAIN}};

/* `&&` as CEL has it: what decides does, whatever the other side is.  First of a and b, then of !a and b, of a
 * and !b, of !a and !b; behind them the same of `||`.  By 3 * a + b. */
static const uint8_t pact_logic[8][9] = {
    {0, 0, 0, 0, 1, 2, 0, 2, 2}, {0, 1, 2, 0, 0, 0, 0, 2, 2}, {0, 0, 0, 1, 0, 2, 2, 0, 2}, {1, 0, 2, 0, 0, 0, 2, 0, 2},
    {0, 1, 2, 1, 1, 1, 2, 1, 2}, {1, 1, 1, 0, 1, 2, 2, 1, 2}, {1, 0, 2, 1, 1, 1, 1, 2, 2}, {1, 1, 1, 1, 0, 2, 1, 2, 2},
};

static inline int pact_answer(const PactCell *x) { return x->tag == PACT_BOOL ? x->v.i != 0 : PACT_MAYBE; }
static inline void pact_say(PactCell *c, int answer) { *c = pact_said[answer]; }
static inline int pact_not(int answer) { return answer ^ (answer != PACT_MAYBE); }

/* kind: 4 for `||`, and 1 for !a, 2 for !b. */
static inline void pact_combine(PactCell *c, const PactCell *a, const PactCell *b, int kind) {
    pact_say(c, pact_logic[kind & 7][3 * pact_answer(a) + pact_answer(b)]);
}

/* What a clause comes to, as its bit in three masks: skipped unless `when` holds, then as it promises. */
static inline void pact_judge(const PactCell *promise, const PactCell *when, int never, uint64_t bit,
                              uint64_t *violated, uint64_t *unknown, uint64_t *skipped) {
    uint64_t kept = (uint64_t)pact_answer(promise), in = (uint64_t)pact_answer(when);
    *violated |= bit & (0 - (uint64_t)((in == PACT_YES) & (kept == (uint64_t)(never != 0))));
    *skipped |= bit & (0 - (uint64_t)(in == PACT_NO));
    *unknown |= bit & (0 - (uint64_t)((in == PACT_MAYBE) | ((in == PACT_YES) & (kept == PACT_MAYBE))));
}
