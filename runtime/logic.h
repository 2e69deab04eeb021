/* Conditions as cells, computed without a jump: a bool, or an error value where nobody knows.
 *
 * Random calls make jumps that are foreseen wrongly, which costs more than to compute both sides.
 * The cells are fast.h's.
 */
static inline uint64_t pact_yes(const PactCell *x) { return (x->tag == PACT_BOOL) & (x->v.i != 0); }
static inline uint64_t pact_no(const PactCell *x) { return (x->tag == PACT_BOOL) & (x->v.i == 0); }

static inline void pact_truth(PactCell *c, uint64_t yes, uint64_t no, int32_t error) {
    uint64_t known = yes | no;
    c->v.i = (int64_t)yes;
    c->tag = (uint32_t)known * PACT_BOOL;
    c->aux = (int32_t)(1 - known) * error;
}

/* `&&` and `||` as CEL has them: what decides does, whatever the other side is. */
static inline void pact_both(PactCell *c, const PactCell *a, const PactCell *b, int32_t error) {
    uint64_t yes = pact_yes(a) & pact_yes(b), no = pact_no(a) | pact_no(b);
    pact_truth(c, yes, no, error);
}
static inline void pact_either(PactCell *c, const PactCell *a, const PactCell *b, int32_t error) {
    uint64_t yes = pact_yes(a) | pact_yes(b), no = pact_no(a) & pact_no(b);
    pact_truth(c, yes, no, error);
}

/* What a clause comes to, as its bit in three masks: skipped unless `when` holds, then as it promises. */
static inline void pact_judge(const PactCell *promise, const PactCell *when, int never, uint64_t bit,
                              uint64_t *violated, uint64_t *unknown, uint64_t *skipped) {
    uint64_t yes = pact_yes(promise), no = pact_no(promise), in = pact_yes(when), out = pact_no(when);
    *violated |= bit & (0 - (in & (never ? yes : no)));
    *skipped |= bit & (0 - out);
    *unknown |= bit & (0 - (1 - (in | out) + (in & (1 - (yes | no)))));
}
