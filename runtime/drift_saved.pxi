# Detectors as bytes and back.
#
# Needs: drift.pxi, snapshot.pxi.        Gives: what its methods `to_bytes` and `load` call.

cdef int save_drift(bytearray out, Drift d, const drift_group* g) except -1:
    cdef int i, k
    cdef const drift_part* p
    cdef Py_ssize_t versions = g.versions if g.seen != NULL else 0
    for number in (g.a, g.b, g.calls, g.errors, g.all_calls, g.all_hits, versions):
        keep_number(out, <int64_t><uint64_t>number)
    if versions:
        out += PyBytes_FromStringAndSize(<const char*>g.seen, versions * sizeof(drift_version))
    for i in range(d.plan.parts):
        p = &g.parts[i]
        keep_number(out, p.hits)
        for k in range(DRIFT_GRID):
            keep_number(out, p.low[k])
            keep_number(out, p.high[k] if g.errors else 0)
            keep_number(out, p.run[k])
            if p.run[k]:
                out += PyBytes_FromStringAndSize(<const char*>&p.starts[k], sizeof(drift_start))
    return 0


cdef int load_drift(Taken taken, Drift d, bint first) except -1:
    cdef drift_group* g
    cdef int i
    cdef uint64_t a = <uint64_t>taken.number(INT64_MIN, INT64_MAX)
    cdef uint64_t b = <uint64_t>taken.number(INT64_MIN, INT64_MAX)
    cdef size_t known
    if (a or b) and (not d.key_count or d.groups.count == MOST_DRIFT_GROUPS):
        raise ValueError("the detectors are damaged: too many groups")
    known = d.groups.count + (d.rest != NULL)
    g = drift_group_of(d, a, b)
    if g == NULL:
        raise MemoryError()
    if d.groups.count + (d.rest != NULL) == known or (not (a or b) and not first):
        raise ValueError("the detectors are damaged: a group comes twice")
    g.calls = taken.number(0, MOST_KNOWN_CALLS)
    g.errors = taken.number(0, g.calls)
    g.all_calls = taken.number(0, MOST_KNOWN_CALLS)
    g.all_hits = taken.number(0, g.all_calls << DRIFT_X_BITS)
    load_versions(taken, g)
    for i in range(d.plan.parts):
        load_part(taken, g, &g.parts[i])
    return 0


cdef int load_versions(Taken taken, drift_group* g) except -1:
    cdef int i
    cdef drift_version* v
    cdef int64_t count = taken.number(0, DRIFT_SEEN)
    if not count:
        return 0
    g.seen = <drift_version*>calloc(DRIFT_SEEN, sizeof(drift_version))
    if g.seen == NULL:
        raise MemoryError()
    memcpy(g.seen, taken.take(count * sizeof(drift_version)), count * sizeof(drift_version))
    g.versions = count
    for i in range(count):
        v = &g.seen[i]
        calls = 0 <= v.calls <= v.last < g.all_calls and 0 < v.own_calls <= g.all_calls - v.calls
        hits = 0 <= v.hits <= g.all_hits and 0 <= v.own_hits <= g.all_hits - v.hits
        if not calls or not hits:
            raise ValueError("the detectors are damaged: a version has more calls than there are")
    return 0


cdef int load_part(Taken taken, drift_group* g, drift_part* p) except -1:
    cdef int k
    cdef drift_start* s
    p.hits = taken.number(0, g.calls << DRIFT_X_BITS)
    for k in range(DRIFT_GRID):
        p.low[k] = taken.number(0, <int64_t>DRIFT_MOST)
        p.high[k] = taken.number(0, <int64_t>DRIFT_MOST)
        p.run[k] = taken.number(0, <int64_t>DRIFT_MOST)
        p.running |= p.run[k] != 0
        if p.run[k]:
            s = &p.starts[k]
            s.calls, s.hits = taken.number(0, g.calls), taken.number(0, p.hits)
            s.line, s.time = taken.number(0, INT64_MAX >> 1), taken.number(INT64_MIN, INT64_MAX)
    return 0
