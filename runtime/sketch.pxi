# A sketch of numbers: how many lie in each bucket, a 64th of an octave wide.
#
# Owns:  Sketch owns its counts.
# Needs: sketches.h.        Gives: Sketch.
# A bucket is the head of a double's bits, so that finding it takes no logarithm; the middle of one is within
# 1/128 of all numbers in it.  Counts add up, in any order, to the same.

cdef class Sketch:
    """Quantiles of many numbers, each within 1 % of the true one; NaNs and infinities are left out, and counted."""

    cdef win_sketch counts
    cdef readonly int64_t count
    cdef readonly int64_t refused

    def __dealloc__(self):
        free(self.counts.counts)

    def add(self, bytes numbers):
        """Doubles in a row, as `array("d", ...).tobytes()` gives them."""
        cdef const double* found = <const double*>PyBytes_AS_STRING(numbers)
        cdef Py_ssize_t i, size = PyBytes_GET_SIZE(numbers)
        if size % sizeof(double):
            raise ValueError("a double has 8 bytes")
        for i in range(size // sizeof(double)):
            if not isfinite(found[i]):
                self.refused += 1
            elif win_sketch_add(&self.counts, win_bucket(found[i] + 0.0), 1):
                self.count += 1
            else:
                raise MemoryError()

    def merge(self, Sketch other not None):
        """Add the numbers of another sketch; self."""
        cdef int64_t i
        if other is self:
            raise ValueError("a sketch is not merged with itself")
        for i in range(<int64_t>other.counts.blocks * WIN_BLOCK):
            if other.counts.counts[i] and not win_sketch_add(&self.counts, <int32_t>(other.counts.first * WIN_BLOCK + i), other.counts.counts[i]):
                raise MemoryError()
        self.count += other.count
        self.refused += other.refused
        return self

    def quantile(self, int64_t top, int64_t bottom):
        """The nearest-rank quantile top/bottom; None if there are no numbers."""
        if not 0 < top <= bottom <= 1_000_000_000:
            raise ValueError("a fraction above 0, at most 1")
        if not self.count:
            return None
        return win_middle(win_sketch_at(&self.counts, win_rank(self.count, top, bottom)))
