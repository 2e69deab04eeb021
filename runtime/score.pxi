# The sums of a score: what verdicts add to it, and how two of them become one.
#
# Needs: verdict.pxi, monitor.pxi, numbers.pxi, score.h.        Gives: Tally.
# The newest SCORE_EPOCHS epochs have sums; what is older has lost its weight (below 2^-40 of a call now).  Names,
# bounds and the value are made of these numbers in `pactlang/score/`.

cdef extern from "score.h":
    ctypedef long long score_wide               # of 128 bits: made and read by score_make, _high, _low alone
    ctypedef struct score_sums:
        uint64_t calls, points
        score_wide w, w2, pw, pw2, pg, pw2g, pw2gg, lg, lw2g, lw2gg
    ctypedef struct score_clause:
        score_wide cost
        int64_t broken, untold
    ctypedef struct score_row:
        int64_t epoch
        uint64_t calls, dropped
        score_wide dropped_w
        score_sums* dimensions
    ctypedef struct score_plan:
        int dimensions, clauses, words
        const int32_t* severity
        const uint64_t* members
    ctypedef struct score_total:
        uint64_t points, good
    ctypedef struct score_count:
        int64_t* kinds
        int64_t last
    enum:
        SCORE_EPOCHS
        SCORE_STEPS
        SCORE_WHOLE
        SCORE_VIOLATED
        SCORE_UNKNOWN
        SCORE_SKIPPED
        SCORE_WAITING
        SCORE_KINDS
    const uint32_t* score_weights
    int score_lowest(uint64_t bits)
    uint64_t score_high(score_wide x)
    uint64_t score_low(score_wide x)
    score_wide score_make(uint64_t high, uint64_t low)
    size_t score_row_size(const score_plan* p)
    score_clause* score_clauses(score_row* row, const score_plan* p)
    int64_t score_quotient(int64_t micros, int64_t half_life)
    int64_t score_step_begins(int64_t step, int64_t half_life)
    void score_call(score_row* row, score_total* totals, const score_plan* p, const uint64_t* violated, const uint64_t* unknown, const uint64_t* silent, uint64_t w)
    void score_drop(score_row* row, uint64_t w)
    void score_add_row(score_row* to, score_row* source, const score_plan* p)

cdef enum:
    SCORE_TIMELESS_W = 1 << 20                  # what a call without time weighs: as one call now

SCORE_TABLE = tuple(score_weights[i] for i in range(SCORE_STEPS))


cdef class Tally:
    """Exact sums over the verdicts of one pact.

    half_life: microseconds.  severities: per clause 0 to 1000.  dimensions: per clause the number of its
    dimension, -1 if it is scored in none.
    """

    cdef score_plan plan
    cdef int32_t* severity
    cdef uint64_t* members
    cdef int64_t half_life
    cdef score_row* rows[40]
    cdef score_row* timeless
    cdef score_count* counts
    cdef score_total* totals_of                 # per dimension
    cdef uint64_t* spare                        # masks: four of a call without a verdict, two of any call
    cdef readonly bint any                      # some call had a time: `top` means something
    cdef readonly int64_t top                   # the newest epoch
    cdef int64_t step_begins, step_ends, step   # the step of the call before: [begins, ends) in microseconds
    cdef readonly int64_t newest, oldest        # times of calls, microseconds; TALLY_NEVER
    cdef public int64_t calls, outside, duplicates, untimed, unchecked, amended, dropped
    cdef readonly dict numbers                  # worker -> Numbers
    cdef public object owner                    # whose verdicts are known to be of this pact
    cdef public str worker                      # whose numbers those without a name are
    cdef public int64_t latest                  # a time after which no call can have been

    def __cinit__(self, int64_t half_life, list severities, list dimensions, int many):
        cdef int i
        if half_life < 1:
            raise ValueError("a half-life is more than nothing")
        self.plan.dimensions, self.plan.clauses = many, len(severities)
        self.plan.words = max(1, (self.plan.clauses + 63) // 64)
        self.half_life = half_life
        self.severity = <int32_t*>allocate(max(1, self.plan.clauses) * sizeof(int32_t))
        self.members = <uint64_t*>allocate(max(1, many) * self.plan.words * sizeof(uint64_t))
        self.counts = <score_count*>allocate(max(1, self.plan.clauses) * sizeof(score_count))
        self.totals_of = <score_total*>allocate(max(1, many) * sizeof(score_total))
        self.spare = <uint64_t*>allocate(6 * self.plan.words * sizeof(uint64_t))
        for i in range(self.plan.clauses):
            if not 0 <= severities[i] <= SCORE_WHOLE or not -1 <= dimensions[i] < many:
                raise ValueError("no such severity or dimension")
            self.severity[i] = severities[i]
            self.counts[i].last = TALLY_NEVER
            if dimensions[i] >= 0:
                self.members[<int>dimensions[i] * self.plan.words + (i >> 6)] |= <uint64_t>1 << (i & 63)
        self.plan.severity, self.plan.members = self.severity, self.members
        self.newest = self.oldest = TALLY_NEVER
        self.numbers, self.worker, self.latest = {}, "", INT64_MAX

    def __dealloc__(self):
        cdef int i
        for i in range(SCORE_EPOCHS):
            free(self.rows[i])
        free(self.timeless)
        PyMem_Free(self.severity)
        PyMem_Free(self.members)
        PyMem_Free(self.counts)
        PyMem_Free(self.totals_of)
        PyMem_Free(self.spare)

    # What comes in ------------------------------------------------------------------------------------

    def add_known(self, found, capture, time):
        """Add a verdict of the owner with a time of its own; false, and nothing is done, if it is anything else."""
        cdef MonitorVerdict verdict
        if time is not None or not isinstance(found, MonitorVerdict) or type(capture) is tuple:
            return False
        verdict = <MonitorVerdict>found
        if verdict.owner is not self.owner or verdict.micros == STATE_NEVER or verdict.micros > self.latest:
            return False
        self.capture(self.worker, capture, verdict.micros)
        self.enter(verdict, verdict.micros)
        return True

    def add(self, Verdict verdict, time, worker, number):
        """A verdict.  time: microseconds, None for none.  number: of its capture, or None.

        ValueError, and nothing is changed, if the number has been counted.
        """
        cdef int64_t micros = TALLY_NEVER if time is None else time
        if verdict.words != self.plan.words:
            raise ValueError("the verdict is of another pact")
        self.capture(worker, number, micros)
        self.enter(verdict, micros)

    cdef int enter(self, Verdict verdict, int64_t micros) except -1:
        """Count a verdict whose capture has been noted."""
        cdef const uint64_t* masks = masks_of_verdict(verdict)
        if isinstance(verdict, MonitorVerdict):
            if (<MonitorVerdict>verdict).duplicate:
                self.duplicates += 1
                return 0
            if not verdict.outside:
                return self.judged(masks, _waiting(<MonitorVerdict>verdict), micros)
        elif not verdict.outside:
            return self.judged(masks, NULL, micros)
        self.outside += 1
        return 0

    def add_codes(self, const uint8_t[::1] codes, const uint8_t[::1] waiting, time, worker, number):
        """A row of outcome codes, and of marks where unknown is not the last word (or None)."""
        cdef uint64_t* masks = self.spare
        cdef int64_t micros = TALLY_NEVER if time is None else time
        cdef int i, code, words = self.plan.words
        if codes.shape[0] != self.plan.clauses or (waiting is not None and waiting.shape[0] != codes.shape[0]):
            raise ValueError("the row is of another pact")
        self.capture(worker, number, micros)
        memset(masks, 0, 4 * words * sizeof(uint64_t))
        for i in range(self.plan.clauses):
            code = codes[i]
            if code == OUTCOME_VIOLATED:
                masks[i >> 6] |= <uint64_t>1 << (i & 63)
            elif code == OUTCOME_UNKNOWN:
                masks[words + (i >> 6)] |= <uint64_t>1 << (i & 63)
            elif code == OUTCOME_SKIPPED:
                masks[2 * words + (i >> 6)] |= <uint64_t>1 << (i & 63)
            if waiting is not None and waiting[i]:
                masks[3 * words + (i >> 6)] |= <uint64_t>1 << (i & 63)
        self.judged(masks, &masks[3 * words], micros)

    def add_rows(self, const uint8_t[:, ::1] codes, const uint8_t[:, ::1] waiting, const int64_t[::1] times, const int8_t[::1] kinds, worker, first):
        """Rows of outcome codes, numbered on from `first` (or not, if it is None).

        waiting: None, or marks as of `add_codes`.  times: microseconds, TALLY_NEVER for none.  kinds: 1 judged,
        0 outside, 2 a duplicate, -1 dropped.  ValueError, and nothing is changed, if one has been counted.
        """
        cdef Py_ssize_t row, rows = codes.shape[0]
        cdef const uint8_t[::1] none = None
        cdef Numbers numbers = self.numbers.get(worker)
        if not rows == times.shape[0] == kinds.shape[0] or (waiting is not None and waiting.shape[0] != rows):
            raise ValueError("the arrays are not of one length")
        if codes.shape[1] != self.plan.clauses or (waiting is not None and waiting.shape[1] != codes.shape[1]):
            raise ValueError("the rows are of another pact")
        if first is not None and not 0 <= first < INT64_MAX - rows:
            raise ValueError("a capture number is from 0 on")
        if first is not None and rows and numbers is not None and numbers.has_some(first, first + rows - 1):
            raise ValueError(f"a call of worker {worker!r} from {first} to {first + rows - 1} is counted already")
        for row in range(rows):
            number = None if first is None else first + row
            time = None if times[row] == TALLY_NEVER or times[row] > self.latest else times[row]
            if kinds[row] == 1:
                self.add_codes(codes[row], none if waiting is None else waiting[row], time, worker, number)
            else:
                self.note("outside" if not kinds[row] else "duplicates" if kinds[row] == 2 else "dropped", time, worker, number)

    def note(self, str kind, time, worker, number):
        """A call without outcomes: `outside`, `duplicates` or `dropped`."""
        cdef int64_t micros = TALLY_NEVER if time is None else time
        self.capture(worker, number, micros)
        if kind == "outside":
            self.outside += 1
        elif kind == "duplicates":
            self.duplicates += 1
        else:
            self.dropped += 1
            score_drop(self.row_of(micros), self.weight_of(micros))

    def pass_over(self, worker, int64_t first, int64_t last):
        """Note numbers that are of no calls, or of calls that somebody knows to be counted elsewhere."""
        cdef Numbers numbers = self.numbers.get(worker)
        if not 0 <= first <= last < INT64_MAX:
            raise ValueError("capture numbers are from 0 on")
        if numbers is None:
            numbers = Numbers()
        if numbers.has_some(first, last):
            raise ValueError(f"a call of worker {worker!r} from {first} to {last} is counted already")
        numbers.put(first, last, NUMBERS_TIMELESS)
        self.numbers[worker] = numbers

    def amend(self, int clause, int outcome, time):
        """What has become of a clause that waited, at the time of its call."""
        cdef uint64_t* masks = self.spare
        cdef int words = self.plan.words
        cdef int64_t micros = TALLY_NEVER if time is None else time
        cdef score_row* row
        if not 0 <= clause < self.plan.clauses:
            raise ValueError("no such clause")
        self.amended += 1
        self.seen(micros)
        row = self.row_of(micros)
        self.told_later(row, clause, outcome)
        memset(masks, 0xFF, 4 * words * sizeof(uint64_t))
        memset(masks, 0, 2 * words * sizeof(uint64_t))
        if outcome == OUTCOME_SKIPPED:
            return
        masks[2 * words + (clause >> 6)] ^= <uint64_t>1 << (clause & 63)      # all others are silent
        if outcome == OUTCOME_VIOLATED:
            masks[clause >> 6] |= <uint64_t>1 << (clause & 63)
            self.broken(clause, micros)
        elif outcome == OUTCOME_UNKNOWN:
            masks[words + (clause >> 6)] |= <uint64_t>1 << (clause & 63)
        score_call(row, self.totals_of, &self.plan, masks, &masks[words], &masks[2 * words], self.weight_of(micros))

    cdef void told_later(self, score_row* row, int clause, int outcome) noexcept:
        """Count what a clause that waited has come out as."""
        self.counts[clause].kinds[SCORE_WAITING] -= 1
        if outcome != OUTCOME_SATISFIED:
            self.counts[clause].kinds[_score_kind(outcome)] += 1
        if row != NULL and outcome <= OUTCOME_VIOLATED:
            score_clauses(row, &self.plan)[clause].untold -= 1
            score_clauses(row, &self.plan)[clause].broken += outcome == OUTCOME_VIOLATED

    cdef int capture(self, worker, number, int64_t micros) except -1:
        """Note that a call was counted; ValueError if it has been."""
        cdef Numbers numbers
        cdef int64_t value
        if number is None:
            self.seen(micros)
            self.unchecked += 1
            return 0
        value = _capture(number)
        numbers = self.numbers.get(worker)
        if numbers is None:
            numbers = Numbers()
        if numbers.has_some(value, value):
            raise ValueError(f"call {value} of worker {worker!r} is counted already")
        self.seen(micros)
        numbers.put(value, value, NUMBERS_TIMELESS if micros == TALLY_NEVER else self.step)
        self.numbers[worker] = numbers
        return 0

    cdef void seen(self, int64_t micros) noexcept:
        """Find the step of a time, and keep the newest and the oldest."""
        if micros == TALLY_NEVER:
            return
        if not self.step_begins <= micros < self.step_ends:
            self.step = score_quotient(micros, self.half_life)
            self.step_begins = score_step_begins(self.step, self.half_life)
            self.step_ends = score_step_begins(self.step + 1, self.half_life)
            self.rise(self.step >> 8)
        if micros > self.newest:
            self.newest = micros
        if micros < self.oldest or self.oldest == TALLY_NEVER:
            self.oldest = micros

    cdef void broken(self, int clause, int64_t micros) noexcept:
        if micros > self.counts[clause].last:
            self.counts[clause].last = micros

    cdef int judged(self, const uint64_t* masks, const uint64_t* waiting, int64_t micros) except -1:
        """Count the outcomes of a call whose time has been seen."""
        cdef int i, words = self.plan.words
        cdef uint64_t wait
        cdef uint64_t* doubts = &self.spare[4 * words]
        cdef uint64_t* quiet = &self.spare[5 * words]
        cdef score_row* row = self.row_of(micros)
        for i in range(words):
            wait = waiting[i] & masks[words + i] if waiting != NULL else 0
            doubts[i] = masks[words + i] & ~wait
            quiet[i] = masks[2 * words + i] | wait
        self.calls += 1
        self.untimed += micros == TALLY_NEVER
        self.count(row, masks, doubts, quiet, micros)
        if row != NULL:
            row.calls += 1
        score_call(row, self.totals_of, &self.plan, masks, doubts, quiet, self.weight_of(micros))
        return 0

    cdef void count(self, score_row* row, const uint64_t* masks, const uint64_t* doubts, const uint64_t* quiet, int64_t micros) noexcept:
        """Outcomes per clause; what is not counted otherwise is satisfied."""
        cdef int i, clause, words = self.plan.words
        cdef score_clause unused
        cdef score_clause* clauses = NULL if row == NULL else score_clauses(row, &self.plan)
        cdef score_clause* each = &unused      # of a call that is too old
        cdef uint64_t bits
        memset(&unused, 0, sizeof(unused))
        for i in range(words):
            bits = masks[i] | doubts[i] | quiet[i]
            while bits:
                clause = 64 * i + score_lowest(bits)
                bits &= bits - 1
                if clauses != NULL:
                    each = &clauses[clause]
                if masks[i] >> (clause & 63) & 1:
                    each.broken += 1
                    self.counts[clause].kinds[SCORE_VIOLATED] += 1
                    self.broken(clause, micros)
                    continue
                each.untold += 1
                if doubts[i] >> (clause & 63) & 1:
                    self.counts[clause].kinds[SCORE_UNKNOWN] += 1
                elif masks[2 * words + i] >> (clause & 63) & 1:
                    self.counts[clause].kinds[SCORE_SKIPPED] += 1
                else:
                    self.counts[clause].kinds[SCORE_WAITING] += 1

    cdef uint64_t weight_of(self, int64_t micros) noexcept:
        if micros == TALLY_NEVER:
            return SCORE_TIMELESS_W
        return score_weights[self.step & 255]

    # Epochs -------------------------------------------------------------------------------------------

    cdef score_row* fresh_row(self) except NULL:
        cdef score_row* row = <score_row*>calloc(1, score_row_size(&self.plan))
        if row == NULL:
            raise MemoryError
        return row

    cdef void rise(self, int64_t epoch) noexcept:
        """The newest epoch is this one: what is older than the window loses its sums."""
        cdef int i
        if self.any and epoch <= self.top:
            return
        self.top, self.any = epoch, True
        for i in range(SCORE_EPOCHS):
            if self.rows[i] != NULL and self.rows[i].epoch <= epoch - SCORE_EPOCHS:
                free(self.rows[i])
                self.rows[i] = NULL

    cdef score_row* row_at(self, int64_t epoch) except? NULL:
        """The sums of an epoch; NULL if it is too old to weigh anything."""
        cdef score_row** place
        self.rise(epoch)
        if epoch <= self.top - SCORE_EPOCHS:
            return NULL
        place = &self.rows[((epoch % SCORE_EPOCHS) + SCORE_EPOCHS) % SCORE_EPOCHS]
        if place[0] == NULL:
            place[0] = self.fresh_row()
            place[0].epoch = epoch
        return place[0]

    cdef score_row* row_of(self, int64_t micros) except? NULL:
        if micros != TALLY_NEVER:
            return self.row_at(self.step >> 8)
        if self.timeless == NULL:
            self.timeless = self.fresh_row()
        return self.timeless

    # Two become one -----------------------------------------------------------------------------------

    def merge(self, Tally other):
        """Add another's sums; ValueError, and nothing is changed, if both have counted one call."""
        cdef int i
        cdef Numbers mine
        for worker, numbers in other.numbers.items():
            mine = self.numbers.get(worker)
            if mine is not None and mine.meets(<Numbers>numbers):
                raise ValueError(f"both have counted the same calls of worker {worker!r}")
        for worker, numbers in other.numbers.items():
            if worker not in self.numbers:
                self.numbers[worker] = Numbers()
            (<Numbers>self.numbers[worker]).join(<Numbers>numbers)
        if other.any:
            self.rise(other.top)
        for i in range(SCORE_EPOCHS):
            if other.rows[i] != NULL:
                self.add_row(other.rows[i])
        if other.timeless != NULL:
            score_add_row(self.row_of(TALLY_NEVER), other.timeless, &self.plan)
        self.add_counts(other)

    cdef int add_row(self, score_row* source) except -1:
        cdef score_row* row = self.row_at(source.epoch)
        if row != NULL:
            score_add_row(row, source, &self.plan)
        return 0

    cdef void add_counts(self, Tally other) noexcept:
        cdef int i, kind
        for i in range(self.plan.clauses):
            for kind in range(SCORE_KINDS):
                self.counts[i].kinds[kind] += other.counts[i].kinds[kind]
            self.broken(i, other.counts[i].last)
        for i in range(self.plan.dimensions):
            self.totals_of[i].points += other.totals_of[i].points
            self.totals_of[i].good += other.totals_of[i].good
        if other.newest != TALLY_NEVER:
            self.newest = max(self.newest, other.newest)
            self.oldest = other.oldest if self.oldest == TALLY_NEVER else min(self.oldest, other.oldest)
        self.calls += other.calls
        self.outside += other.outside
        self.duplicates += other.duplicates
        self.untimed += other.untimed
        self.unchecked += other.unchecked
        self.amended += other.amended
        self.dropped += other.dropped

    # As Python's numbers ------------------------------------------------------------------------------

    def epochs(self):
        """Epoch -> row, oldest first.

        A row is (calls, dropped, the weight of those, sums per dimension, per clause (cost, broken, untold)).
        """
        cdef int i
        found = {self.rows[i].epoch: self.told(self.rows[i]) for i in range(SCORE_EPOCHS) if self.rows[i] != NULL}
        return dict(sorted(found.items()))

    def without_time(self):
        """The row of the calls without time; None if there were none."""
        return None if self.timeless == NULL else self.told(self.timeless)

    cdef tuple told(self, score_row* row):
        cdef int i
        cdef score_clause* c = score_clauses(row, &self.plan)
        sums = [_told_sums(&row.dimensions[i]) for i in range(self.plan.dimensions)]
        costs = [(_int(c[i].cost), c[i].broken, c[i].untold) for i in range(self.plan.clauses)]
        return row.calls, row.dropped, _int(row.dropped_w), sums, costs

    def clause_counts(self):
        """Per clause: violated, unknown, skipped, waiting, and when it was last broken (microseconds, or None).

        Every other call is satisfied.  What waits can be less than nothing where another worker counted the call.
        """
        cdef int i, kind
        found = []
        for i in range(self.plan.clauses):
            last = self.counts[i].last
            kinds = [self.counts[i].kinds[kind] for kind in range(SCORE_KINDS)]
            found.append((*kinds, None if last == TALLY_NEVER else last))
        return found

    def totals(self):
        """Per dimension: calls with a point observation, of whatever age, and the sum of these."""
        return [(self.totals_of[i].points, self.totals_of[i].good) for i in range(self.plan.dimensions)]

    # From Python's numbers: an empty tally takes what another has told --------------------------------

    def take_row(self, epoch, told):
        """A row of `epochs`, oldest first, or with None the one `without_time`."""
        cdef score_row* row = self.row_of(TALLY_NEVER) if epoch is None else self.row_at(epoch)
        cdef score_clause* c
        cdef int i
        if row == NULL:
            raise ValueError("an epoch is too old to have sums")
        row.calls, row.dropped, row.dropped_w = told[0], told[1], _wide(told[2])
        c = score_clauses(row, &self.plan)
        for i in range(self.plan.dimensions):
            _take_sums(&row.dimensions[i], told[3][i])
        for i in range(self.plan.clauses):
            c[i].cost = _wide(told[4][i][0])
            c[i].broken, c[i].untold = told[4][i][1], told[4][i][2]

    def take_counts(self, list counts, list totals, newest, oldest):
        """What `clause_counts` and `totals` gave, and the times of the newest and the oldest call."""
        cdef int i, kind
        for i in range(self.plan.clauses):
            for kind in range(SCORE_KINDS):
                self.counts[i].kinds[kind] = counts[i][kind]
            self.counts[i].last = TALLY_NEVER if counts[i][SCORE_KINDS] is None else counts[i][SCORE_KINDS]
        for i in range(self.plan.dimensions):
            self.totals_of[i].points, self.totals_of[i].good = totals[i]
        for each in (newest, oldest):
            if each is not None:
                self.seen(each)

    def take_numbers(self, worker, list intervals):
        """The capture numbers of a worker."""
        cdef Numbers numbers = Numbers()
        numbers.take(intervals)
        self.numbers[worker] = numbers


cdef int64_t _capture(number) except -1:
    """A capture number, which is a whole one."""
    whole = PyNumber_Index(number)
    if not 0 <= whole < INT64_MAX:
        raise ValueError("a capture number is from 0 on, and below 2^63 - 1")
    return whole

cdef int _score_kind(int outcome) noexcept:
    if outcome == OUTCOME_VIOLATED:
        return SCORE_VIOLATED
    return SCORE_SKIPPED if outcome == OUTCOME_SKIPPED else SCORE_UNKNOWN

cdef const uint64_t* _waiting(MonitorVerdict verdict) noexcept:
    """The mask of the clauses whose unknown is not the last word."""
    if verdict.many is None:
        return &verdict.few
    return <const uint64_t*>PyBytes_AS_STRING(verdict.many)

cdef tuple _told_sums(const score_sums* s):
    return (
        s.calls, s.points, _int(s.w), _int(s.w2), _int(s.pw), _int(s.pw2), _int(s.pg), _int(s.pw2g), _int(s.pw2gg),
        _int(s.lg), _int(s.lw2g), _int(s.lw2gg),
    )

cdef int _take_sums(score_sums* s, tuple told) except -1:
    s.calls, s.points = told[0], told[1]
    s.w, s.w2, s.pw, s.pw2 = _wide(told[2]), _wide(told[3]), _wide(told[4]), _wide(told[5])
    s.pg, s.pw2g, s.pw2gg = _wide(told[6]), _wide(told[7]), _wide(told[8])
    s.lg, s.lw2g, s.lw2gg = _wide(told[9]), _wide(told[10]), _wide(told[11])
    return 0

cdef score_wide _wide(object x) except? 0:
    return score_make(x >> 64, x & 0xFFFFFFFFFFFFFFFF)

cdef object _int(score_wide x):
    cdef uint64_t high = score_high(x)
    return score_low(x) if not high else ((<object>high) << 64) | score_low(x)
