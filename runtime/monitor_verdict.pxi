# What a monitor says of a call.
#
# Needs: verdict.pxi, units.pxi.        Gives: MonitorVerdict.

@cython.no_gc
cdef class MonitorVerdict(Verdict):
    """A verdict with what the monitor knows beside: whether the call was a duplicate or late, its time, and
    why a clause is unknown."""

    cdef uint64_t few                   # clauses that are unknown and may yet be resolved, or lack evidence
    cdef bytes many                     # the same of more than 64 clauses
    cdef readonly bint duplicate
    cdef readonly bint late
    cdef int64_t micros                 # the call's time; STATE_NEVER
    cdef readonly object notes          # clause number -> (calls ago, microseconds ago), of broken forms
    cdef readonly object reasons        # clause number -> why it is unknown, where that is no error value;
                                        # under -1, why the call stands in no session
    cdef readonly object strange        # clause number -> hashes of the tokens that came from nowhere; None
    cdef readonly object fired          # numbers of the `keep`s whose consequences fire; None
    cdef readonly object alarms         # clause number -> what is known of its alarm, of watches; None
    cdef bytes said                     # what the operators said, as cells; None where no clause needs them

    @property
    def operators(self):
        """What the operators said on this call, ... for an error value; None where no clause needs it."""
        cdef const Cell* cells
        cdef Py_ssize_t i
        if self.said is None:
            return None
        cells = <const Cell*>PyBytes_AS_STRING(self.said)
        return [
            ... if cells[i].tag == TAG_ERROR else box(&cells[i])
            for i in range(PyBytes_GET_SIZE(self.said) // sizeof(Cell))
        ]
    cdef readonly tuple hidden          # slots whose values are not known; None

    @property
    def time(self):
        """The call's time in microseconds since 1970; None if it has none."""
        return None if self.micros == STATE_NEVER else self.micros

    @property
    def ok(self):
        """True if no clause is violated, and none unknown but for what is pending or lacks evidence."""
        cdef const uint64_t* masks = masks_of_verdict(self)
        cdef const uint64_t* waiting = &self.few
        cdef int i
        if self.many is not None:
            waiting = <const uint64_t*>PyBytes_AS_STRING(self.many)
        for i in range(self.words):
            if masks[i] or masks[self.words + i] & ~waiting[i]:
                return False
        return True
