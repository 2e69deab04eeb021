# Verdicts: three bit masks, a bit per clause; what is in none of them is satisfied.
#
# A verdict owns its masks and keeps its record alive, or the JSON that it was read from; names and evidence are its owner's business
# and are made when somebody asks.

cdef extern from *:
    """
    /* The bits of a byte as eight bytes, each 0 or 1; the lowest bit comes first. */
    static inline uint64_t pact_eight(uint64_t bits) {
        uint64_t x = (bits & 255) * 0x0101010101010101ULL & 0x8040201008040201ULL;
        return (x + 0x7F7F7F7F7F7F7F7FULL) >> 7 & 0x0101010101010101ULL;
    }
    /* Three masks of `words` words as a code per clause, as mask_outcome says: violated wins, then unknown. */
    static inline void pact_row_codes(const uint64_t *masks, int words, int clauses, uint8_t *out) {
        for (int at = 0; at < clauses; at += 8) {
            int word = at >> 6, shift = at & 63;
            uint64_t violated = masks[word] >> shift, unknown = masks[words + word] >> shift & ~violated;
            uint64_t skipped = masks[2 * words + word] >> shift & ~violated;
            uint64_t codes = pact_eight(violated | unknown) | pact_eight(skipped | unknown) << 1;
            memcpy(out + at, &codes, clauses - at < 8 ? (size_t)(clauses - at) : 8);
        }
    }
    """
    void pact_row_codes(const uint64_t* masks, int words, int clauses, uint8_t* out) noexcept nogil


cdef enum:
    TALLY_NEVER = -0x7FFFFFFFFFFFFFFF           # in arrays of times: a call without one


@cython.no_gc
@cython.freelist(64)
cdef class Verdict:
    """What a pact says of one call.

    `.ok`: nothing violated and nothing unknown.  `.outside`: the pact is not about this call.
    The other attributes come from the evaluator that made it; see `pactlang.verdict`.
    """

    # Beyond 80 bytes a new one is zeroed by `rep stos`, which takes as long as all the rest of it.
    cdef uint64_t small[3]              # the masks violated, unknown, skipped of up to 64 clauses
    cdef bytes large                    # those of more, each of `words` words
    cdef int words
    cdef readonly bint outside
    cdef readonly object owner
    cdef object held                    # the record; None as long as only its source is there
    cdef object source                  # the record's JSON, as immutable bytes or str

    @property
    def record(self):
        """The record that was judged: of JSON, what it is decoded to when somebody asks."""
        cdef object source = self.source        # another thread may ask, too
        if source is not None:
            self.held = self.owner.decode(source)
            self.source = None
        return self.held

    @property
    def ok(self):
        """True if no clause is violated and none is unknown."""
        cdef const uint64_t* masks = masks_of_verdict(self)
        cdef int i
        for i in range(2 * self.words):
            if masks[i]:
                return False
        return True

    def outcome(self, int clause):
        """The outcome code of the clause with this number."""
        if not 0 <= clause < 64 * self.words:
            raise IndexError(clause)
        return mask_outcome(masks_of_verdict(self), self.words, clause)

    @property
    def outcomes(self):
        """Clause name -> Outcome, in the order of the source.  Empty if the call is outside."""
        return self.owner.outcomes(self)

    @property
    def unknown(self):
        """Names of the clauses whose outcome is unknown, in the order of the source."""
        return self.owner.unknown(self)

    @property
    def expired(self):
        """True if the call's time is at or after the day on which the pact renews; changes no outcome."""
        return self.owner.expired(self)

    @property
    def violations(self):
        """A `Violation` for every violated clause, in the order of the source."""
        return self.owner.violations(self)

    def __repr__(self):
        return self.owner.describe(self)


cdef inline const uint64_t* masks_of_verdict(Verdict verdict) noexcept:
    if verdict.words == 1:
        return verdict.small
    return <const uint64_t*>PyBytes_AS_STRING(verdict.large)

cdef inline int mask_outcome(const uint64_t* masks, int words, int clause) noexcept:
    cdef int word = clause >> 6
    cdef uint64_t bit = <uint64_t>1 << (clause & 63)
    if masks[word] & bit:
        return OUTCOME_VIOLATED
    if masks[words + word] & bit:
        return OUTCOME_UNKNOWN
    if masks[2 * words + word] & bit:
        return OUTCOME_SKIPPED
    return OUTCOME_SATISFIED
