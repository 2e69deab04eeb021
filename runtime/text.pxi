# Text: the atoms of one group, sought in one text.
#
# Owns:  nothing of the text; what seeks is made when it is first needed.
# Needs: value.pxi.        Gives: Scanner.

cdef class Scanner:
    """Seeks the text atoms of one group: what one slot's text is searched for.

    numbers: the atoms, by their numbers in the program.  make() -> find, called once, when the first text
    comes; find(text) -> the numbers of those that occur.
    """

    cdef readonly tuple numbers
    cdef object make
    cdef object find
    cdef set known

    def __init__(self, numbers, make):
        self.numbers = tuple(numbers)
        self.known = set(self.numbers)
        self.make = make

    cdef int scan(self, object text, const char* data, Py_ssize_t size, uint8_t* atoms) except -1:
        """Set atoms[number] = 1 for every atom of the group that occurs: 1, or 0 where the text is beyond
        its budget, so that nothing is known.

        Either text is a str and data is NULL, or data and size are the text's UTF-8 and text is None.
        """
        if data != NULL:
            text = PyUnicode_DecodeUTF8(data, size, NULL)
        if self.find is None:
            self.find = self.make()
        found = self.find(text)
        if found is None:
            return 0
        for number in found:
            if number in self.known:
                atoms[<Py_ssize_t>number] = 1
        return 1

    def occurring(self, str text not None):
        """The numbers of the atoms that occur in a text, in order; None beyond its budget."""
        cdef Py_ssize_t top = max(self.numbers, default=-1) + 1
        cdef bytearray atoms = bytearray(top)
        if not self.scan(text, NULL, 0, <uint8_t*>PyByteArray_AS_STRING(atoms)):
            return None
        return tuple(number for number in self.numbers if atoms[number])
