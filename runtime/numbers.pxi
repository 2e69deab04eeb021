# Capture numbers: which calls of each worker have been counted, as intervals.
#
# Needs: nothing.        Gives: Numbers.
# Intervals that touch are one, so equal sets have one form however they came about.  Each end keeps the step of
# time of its call: it says how much a call that is missing beside it could weigh.

cdef enum:
    NUMBERS_TIMELESS = -0x7FFFFFFFFFFFFFFF      # the step of a call without time

cdef struct Interval:
    int64_t first, last             # capture numbers, both counted
    int64_t begins, ends            # steps of time of these two calls


cdef class Numbers:
    """The capture numbers of one worker."""

    cdef Interval* items
    cdef Py_ssize_t count
    cdef Py_ssize_t room

    def __dealloc__(self):
        free(self.items)

    cdef Py_ssize_t behind(self, int64_t number) noexcept:
        """The place of the first interval that begins behind a number."""
        cdef Py_ssize_t low = 0, high = self.count, middle
        if high and self.items[high - 1].first <= number:
            return high
        while low < high:
            middle = (low + high) >> 1
            if self.items[middle].first <= number:
                low = middle + 1
            else:
                high = middle
        return low

    cdef int grow(self, Py_ssize_t wanted) except -1:
        cdef Py_ssize_t room = self.room * 2 if self.room * 2 > wanted else wanted
        cdef Interval* items
        if wanted <= self.room:
            return 0
        items = <Interval*>realloc(self.items, (room + 4) * sizeof(Interval))
        if items == NULL:
            raise MemoryError
        self.items, self.room = items, room + 4
        return 0

    cdef bint has_some(self, int64_t first, int64_t last) noexcept:
        """Whether some number from the first to the last is there."""
        cdef Py_ssize_t at = self.behind(last)
        return at > 0 and first <= self.items[at - 1].last

    cdef int put(self, int64_t first, int64_t last, int64_t step) except -1:
        """Add the numbers from the first to the last, none of which is there yet."""
        cdef Py_ssize_t at = self.behind(first)
        cdef Interval* items
        cdef bint joins_left, joins_right
        self.grow(self.count + 1)
        items = self.items
        joins_left = at > 0 and items[at - 1].last == first - 1
        joins_right = at < self.count and items[at].first == last + 1
        if joins_left and joins_right:
            items[at - 1].last, items[at - 1].ends = items[at].last, items[at].ends
            memmove(&items[at], &items[at + 1], (self.count - at - 1) * sizeof(Interval))
            self.count -= 1
        elif joins_left:
            items[at - 1].last, items[at - 1].ends = last, step
        elif joins_right:
            items[at].first, items[at].begins = first, step
        else:
            memmove(&items[at + 1], &items[at], (self.count - at) * sizeof(Interval))
            items[at].first, items[at].last = first, last
            items[at].begins = items[at].ends = step
            self.count += 1
        return 0

    cdef bint meets(self, Numbers other) noexcept:
        """Whether some number is in both."""
        cdef Py_ssize_t i = 0, j = 0
        while i < self.count and j < other.count:
            if self.items[i].last < other.items[j].first:
                i += 1
            elif other.items[j].last < self.items[i].first:
                j += 1
            else:
                return True
        return False

    cdef int append(self, const Interval* item) except -1:
        """Add an interval behind all others."""
        cdef Interval* last
        if self.count and self.items[self.count - 1].last == item.first - 1:
            last = &self.items[self.count - 1]
            last.last, last.ends = item.last, item.ends
            return 0
        self.grow(self.count + 1)
        self.items[self.count] = item[0]
        self.count += 1
        return 0

    cdef int join(self, Numbers other) except -1:
        """Add the numbers of another, none of which is here."""
        cdef Numbers made
        cdef Py_ssize_t i = 0, j = 0
        if not self.count or (other.count and self.items[self.count - 1].last < other.items[0].first):
            for j in range(other.count):
                self.append(&other.items[j])
            return 0
        made = Numbers()
        made.grow(self.count + other.count)
        while i < self.count or j < other.count:
            if j == other.count or (i < self.count and self.items[i].first < other.items[j].first):
                made.append(&self.items[i])
                i += 1
            else:
                made.append(&other.items[j])
                j += 1
        self.items, made.items = made.items, self.items
        self.count, self.room = made.count, made.room
        return 0

    def intervals(self):
        """(first, last, step of the first, step of the last), in order; None for a step without time."""
        return [
            (item.first, item.last, _step_of(item.begins), _step_of(item.ends))
            for item in self.items[:self.count]
        ]

    def take(self, list intervals):
        """Take what `intervals` gave; ValueError if it is not in order."""
        cdef Interval item
        cdef int64_t before = -2
        for first, last, begins, ends in intervals:
            item.first, item.last = first, last
            item.begins = NUMBERS_TIMELESS if begins is None else begins
            item.ends = NUMBERS_TIMELESS if ends is None else ends
            if item.first <= before + 1 or item.last < item.first or item.last == INT64_MAX:
                raise ValueError("the capture numbers are not in order")
            before = item.last
            self.append(&item)


cdef object _step_of(int64_t step):
    return None if step == NUMBERS_TIMELESS else step
