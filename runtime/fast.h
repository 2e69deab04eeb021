/* The fast form's inner loops: fields of a struct become cells, cells become bits.
 *
 * In C because the code of each kind of instruction goes on with the next one of its kind, which lies behind it,
 * and jumps straight to another kind's code after the last: few jumps, the same on every call.  fast.pxi says
 * what the steps mean, plan.pxi what they come from.
 * Nothing here runs Python code or raises.  The cells are value.pxi's, with the same layout.
 */
#include <float.h>
#include <math.h>

/* The number of the lowest bit of a word that is not 0. */
#if defined(_MSC_VER)
#include <intrin.h>
static inline int pact_lowest(uint64_t x) {
    unsigned long i;
    _BitScanForward64(&i, x);
    return (int)i;
}
#else
static inline int pact_lowest(uint64_t x) { return __builtin_ctzll(x); }
#endif

typedef struct {
    union { int64_t i; double d; PyObject *o; } v;
    uint32_t tag;
    int32_t aux;
} PactCell;

enum {  /* tags, as pactlang/opcodes.py has them */
    PACT_ERROR = 0, PACT_NULL = 1, PACT_BOOL = 2, PACT_INT = 3, PACT_DOUBLE = 5, PACT_STRING = 6,
    PACT_TIMESTAMP = 8, PACT_DURATION = 9, PACT_LIST = 10
};

/* Functions for what is rare, for which no frequent path makes room, and others that are to be called. */
#if defined(__GNUC__)
#define PACT_APART __attribute__((noinline, cold)) static
#define PACT_CALLED __attribute__((noinline)) static
#define PACT_RARE(condition) __builtin_expect(!!(condition), 0)
#else
#define PACT_APART static
#define PACT_CALLED static
#define PACT_RARE(condition) (condition)
#endif

#if defined(__GNUC__)
#define PACT_TABLE(...) static const void *const table[] = {__VA_ARGS__};
#define PACT_AT(name) &&at_##name
#define PACT_CASE(name) at_##name:
#define PACT_GO(kind) goto *table[kind];
#define PACT_NEXT(kind, name) { if ((kind) == name) goto at_##name; PACT_GO(kind) }
#define PACT_SWITCH(kind) PACT_GO(kind)
#define PACT_END
#else
#define PACT_TABLE(...)
#define PACT_AT(name)
#define PACT_CASE(name) case name:
#define PACT_GO(kind) goto again;
#define PACT_NEXT(kind, name) goto again;
#define PACT_SWITCH(kind) again: switch (kind) {
#define PACT_END }
#endif

/* Fields of a struct ------------------------------------------------------------------------------- */

enum {
    LOAD_END, LOAD_DOUBLE, LOAD_INT, LOAD_TEXT, LOAD_TEXT_CHECKED, LOAD_BOOL, LOAD_LIST, LOAD_RECORDS,
    LOAD_STOP
};
enum { PACT_MANY = 24 };    /* fields of a list's records that are looked at in place */

typedef struct PactLoad {
    int32_t kind;
    int32_t is_null;                /* null is null */
    int64_t offset;                 /* in bytes from the struct's start */
    int64_t cell;                   /* in bytes from the first cell */
    const struct PactLoad *loads;   /* of a list's records: their fields, at most PACT_MANY */
    PyObject *type;                 /* and their class */
} PactLoad;

static int pact_load(const PactLoad *loads, PyObject *record, PactCell *cells);

/* Whether all elements of a list are records of one class whose fields are plain. */
static int pact_all_plain(const PactLoad *p, PyObject *items) {
    PactCell cells[PACT_MANY];
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items); i++) {
        PyObject *o = PyList_GET_ITEM(items, i);
        if ((PyObject *)Py_TYPE(o) != p->type || !pact_load(p->loads, o, cells)) return 0;
    }
    return 1;
}

PACT_APART int pact_other_is_text(PyObject *o) {
    if (PyUnicode_KIND(o) == PyUnicode_1BYTE_KIND) return 1;
    return PyUnicode_GET_LENGTH(o) <= 65536
        && pact_no_surrogate(PyUnicode_DATA(o), PyUnicode_KIND(o), PyUnicode_GET_LENGTH(o));
}

/* Fill one cell per load; 0 where a field is not plain. */
static int pact_load(const PactLoad *loads, PyObject *record, PactCell *cells) {
    PACT_TABLE(PACT_AT(LOAD_END), PACT_AT(LOAD_DOUBLE), PACT_AT(LOAD_INT), PACT_AT(LOAD_TEXT),
               PACT_AT(LOAD_TEXT_CHECKED), PACT_AT(LOAD_BOOL), PACT_AT(LOAD_LIST), PACT_AT(LOAD_RECORDS),
               PACT_AT(LOAD_STOP))
    const PactLoad *p = loads;
    PactCell *x;
    PyObject *o;
    long long number;
#define FIELD (o = *(PyObject **)((char *)record + p->offset))
#define FILL(part, value, its) x = (PactCell *)((char *)cells + p->cell); x->v.part = (value); x->tag = (its); x->aux = 0; p++;
#define FILLED(name, part, value, its) { FILL(part, value, its) PACT_NEXT(p->kind, name) }
    PACT_SWITCH(p->kind)
    PACT_CASE(LOAD_DOUBLE)
        FIELD;
        if (o != NULL && PyFloat_CheckExact(o) && fabs(PyFloat_AS_DOUBLE(o)) <= DBL_MAX)
            FILLED(LOAD_DOUBLE, d, PyFloat_AS_DOUBLE(o), PACT_DOUBLE)
        goto null;
    PACT_CASE(LOAD_INT)
        FIELD;
        if (o != NULL && PyLong_CheckExact(o) && pact_int(o, &number) == 0)
            FILLED(LOAD_INT, i, number, PACT_INT)
        goto null;
    PACT_CASE(LOAD_TEXT_CHECKED)
        FIELD;
        if (o == NULL || (PACT_RARE(!PyUnicode_CheckExact(o)) && !PyUnicode_Check(o))) goto null;
        if (PyUnicode_IS_ASCII(o) || pact_other_is_text(o))
            FILLED(LOAD_TEXT_CHECKED, o, o, PACT_STRING)
        goto null;
    PACT_CASE(LOAD_TEXT)
        FIELD;
        if (o != NULL && o != Py_None)
            FILLED(LOAD_TEXT, o, o, PACT_STRING)
        goto null;
    PACT_CASE(LOAD_BOOL)
        FIELD;
        if (o == Py_True || o == Py_False)
            FILLED(LOAD_BOOL, i, o == Py_True, PACT_BOOL)
        goto null;
    PACT_CASE(LOAD_RECORDS)
        FIELD;
        if (o != NULL && PyList_Check(o) && pact_all_plain(p, o))
            FILLED(LOAD_RECORDS, o, o, PACT_LIST)
        goto null;
    PACT_CASE(LOAD_LIST)        /* whoever reads its elements looks at them */
        FIELD;
        if (o != NULL && PyList_Check(o))
            FILLED(LOAD_LIST, o, o, PACT_LIST)
        goto null;
    PACT_CASE(LOAD_STOP)
        return 0;
    PACT_CASE(LOAD_END)
        return 1;
    PACT_END
null:
    if (o == Py_None && p->is_null) {
        FILL(i, 0, PACT_NULL)
        PACT_GO(p->kind)
    }
    return 0;
#undef FIELD
#undef FILL
#undef FILLED
}

/* Vocabularies -------------------------------------------------------------------------------------- */

enum { PACT_STRANGE = -1, PACT_NOT_YET = -2 };

typedef struct {
    uint64_t head, tail;    /* the first and the last 8 bytes; of a shorter text all of it, twice */
    uint64_t size;          /* bytes times 8, plus the width of a character; 0: an empty place */
    PyObject *text;         /* borrowed */
    int64_t number;
    int64_t unused[3];
} PactWord;

typedef struct {
    int32_t cell;           /* where the value is */
    uint32_t tag;           /* STRING, INT or BOOL */
    int32_t count;          /* numbers go from 0 to this */
    uint32_t mask;          /* places of the table, less one */
    PactWord *table;
    uint64_t seed;
    int64_t probes;         /* places that a value may be in */
} PactVocabulary;

static inline uint64_t pact_load8(const char *data) {
    uint64_t word;
    memcpy(&word, data, 8);
    return word;
}

/* A compact text stands right behind its header of more than 8 bytes, so that the 8 bytes that end with it may
   always be read.  No branch asks for its length: that is not foreseen.  Of a short text the other bytes are
   shifted out, in two halves, for a shift by 64 is none. */
static inline void pact_fill_word(PactWord *word, PyObject *o, const char *data, int64_t size, int64_t kind) {
    int64_t less = (size - 8) & (size - 8) >> 63, half = -4 * less;
    const char *last = data + size - 8, *first = data + less;
    word->size = (uint64_t)(size * 8 + kind);
    word->text = o;
#if PY_BIG_ENDIAN
    word->head = pact_load8(first) << half << half >> half >> half;
    word->tail = pact_load8(last) << half << half >> half >> half;
#else
    word->head = pact_load8(first) >> half >> half;
    word->tail = pact_load8(last) >> half >> half;
#endif
}

/* 0 for a text of another form: an instance of a subclass. */
PACT_APART int pact_word(PyObject *o, PactWord *word) {
    int64_t kind = PyUnicode_KIND(o);
    if (!PyUnicode_IS_COMPACT(o)) return 0;
    pact_fill_word(word, o, (const char *)PyUnicode_DATA(o), PyUnicode_GET_LENGTH(o) * kind, kind);
    return 1;
}

static inline uint64_t pact_mix(const PactWord *word, uint64_t seed) {
    uint64_t x = (word->head ^ (word->tail << 21 | word->tail >> 43)) + word->size;
    return x * seed >> 32;
}

/* Whether the middles of two texts of more than 16 bytes are the same. */
PACT_APART int pact_same_middle(PyObject *a, PyObject *b, uint64_t size) {
    return memcmp((const char *)PyUnicode_DATA(a) + 8, (const char *)PyUnicode_DATA(b) + 8, size - 16) == 0;
}

/* A place's number if the word is in it, else 0, without a branch that depends on it. */
static inline int64_t pact_number_at(const PactWord *place, const PactWord *word) {
    uint64_t other = (place->head ^ word->head) | (place->tail ^ word->tail) | (place->size ^ word->size);
    int64_t number = place->number & -(int64_t)(other == 0);
    if (PACT_RARE(word->size >= 17 * 8))
        return number && pact_same_middle(place->text, word->text, word->size >> 3) ? number : 0;
    return number;
}

/* The number of a word of a vocabulary that has some words not in their first place. */
PACT_APART int32_t pact_find_on(const PactVocabulary *words, const PactWord *word) {
    uint64_t at = pact_mix(word, words->seed);
    int64_t number = 0;
    for (int64_t i = 0; i < words->probes; i++)
        number |= pact_number_at(&words->table[(at + i) & words->mask], word);
    return (int32_t)number;
}

static inline int32_t pact_find(const PactVocabulary *words, const PactWord *word) {
    if (PACT_RARE(words->probes > 1)) {
        PactWord other = *word;
        return pact_find_on(words, &other);
    }
    return (int32_t)pact_number_at(&words->table[pact_mix(word, words->seed) & words->mask], word);
}

PACT_APART int32_t pact_find_other(const PactVocabulary *words, PyObject *o) {
    PactWord word;
    return pact_word(o, &word) ? pact_find(words, &word) : PACT_STRANGE;
}

/* The number of a text; not inline, for its callers would have no registers left. */
PACT_CALLED int32_t pact_find_text(const PactVocabulary *words, PyObject *o) {
    PactWord word;
    if (PACT_RARE(!PyUnicode_IS_COMPACT_ASCII(o))) return pact_find_other(words, o);
    pact_fill_word(&word, o, (const char *)((PyASCIIObject *)o + 1), PyUnicode_GET_LENGTH(o), 1);
    return pact_find(words, &word);
}

/* The number of a cell's value: 0 for one that is not named, and for null, which differs from all of them. */
static inline int32_t pact_numbered(const PactVocabulary *words, const PactCell *x) {
    PactWord word;
    if (x->tag != words->tag) return x->tag == PACT_NULL && words->tag != PACT_BOOL ? 0 : PACT_STRANGE;
    if (x->tag == PACT_STRING) return pact_find_text(words, x->v.o);
    word.head = word.tail = (uint64_t)x->v.i;
    word.size = 1;
    word.text = NULL;
    return pact_find(words, &word);
}

/* Steps --------------------------------------------------------------------------------------------- */

enum {
    STEP_END,
    STEP_LE_DOUBLE, STEP_LT_DOUBLE, STEP_GE_DOUBLE, STEP_GT_DOUBLE, STEP_EQ_DOUBLE,
    STEP_LE_INT, STEP_LT_INT, STEP_GE_INT, STEP_GT_INT, STEP_EQ_INT,
    STEP_PAIR_DOUBLE, STEP_PAIR_INT, STEP_PAIR_TIME,
    STEP_TRUE, STEP_PRESENT, STEP_WORD,
    STEP_SIZE, STEP_ADD_INT, STEP_SUBTRACT_INT, STEP_ADD_DOUBLE, STEP_SUBTRACT_DOUBLE, STEP_MULTIPLY_DOUBLE
};

typedef struct {
    int32_t vocabulary;
    int32_t unused;
    uint32_t *rows;         /* number -> which of strikes */
    uint64_t *strikes;
    uint64_t strange;       /* those of a value of another type */
} PactChoice;

typedef struct {
    int64_t kind;
    int64_t a, b, c;        /* cells, in bytes */
    union { int64_t i; double d; PactChoice *choice; } k;
    uint64_t strikes[2];    /* if it is false, if it is true */
} PactStep;

/* The lanes that the cells contradict; odd becomes 1 if some test had no answer.  known: the numbers of this
   call's texts, per vocabulary; NULL where nothing is remembered. */
static uint64_t pact_weigh(
    const PactStep *s, void *cells, const PactVocabulary *vocabularies, int32_t *known, int *odd
) {
    PACT_TABLE(
        PACT_AT(STEP_END), PACT_AT(STEP_LE_DOUBLE), PACT_AT(STEP_LT_DOUBLE), PACT_AT(STEP_GE_DOUBLE),
        PACT_AT(STEP_GT_DOUBLE), PACT_AT(STEP_EQ_DOUBLE), PACT_AT(STEP_LE_INT), PACT_AT(STEP_LT_INT),
        PACT_AT(STEP_GE_INT), PACT_AT(STEP_GT_INT), PACT_AT(STEP_EQ_INT), PACT_AT(STEP_PAIR_DOUBLE),
        PACT_AT(STEP_PAIR_INT), PACT_AT(STEP_PAIR_TIME), PACT_AT(STEP_TRUE), PACT_AT(STEP_PRESENT),
        PACT_AT(STEP_WORD), PACT_AT(STEP_SIZE), PACT_AT(STEP_ADD_INT), PACT_AT(STEP_SUBTRACT_INT),
        PACT_AT(STEP_ADD_DOUBLE), PACT_AT(STEP_SUBTRACT_DOUBLE), PACT_AT(STEP_MULTIPLY_DOUBLE))
    uint64_t dead = 0;
    const PactCell *a, *b;
    PactCell *c;
    long long number;
#define CELL(place) ((PactCell *)((char *)cells + s->place))
#define GO(name) { s++; PACT_NEXT(s->kind, name) }
#define SAY(name, type, outcome) a = CELL(a); if (a->tag == type) { dead |= s->strikes[outcome]; GO(name) } goto strange;
#define EQUAL(name, type, outcome) \
    a = CELL(a); \
    if (a->tag == type) { dead |= s->strikes[outcome]; GO(name) } \
    if (a->tag == PACT_NULL) { dead |= s->strikes[0]; GO(name) } \
    goto strange;
/* Of the bits less, equal, greater, neither of what is accepted, the one of x and y; neither is never set. */
#define ORDER(x, y) (s->k.i >> (((x) >= (y)) + ((x) > (y))) & 1)
#define ORDER_DOUBLE(x, y) (s->k.i >> (((x) >= (y)) + ((x) > (y)) + 3 * !!isunordered(x, y)) & 1)
#define PAIR(name, type, part, order) \
    a = CELL(a); b = CELL(b); \
    if (a->tag == type && b->tag == type) { dead |= s->strikes[order(a->v.part, b->v.part)]; GO(name) } \
    goto strange;
#define MAKE(name, part, value, type) c->v.part = (value); c->tag = type; c->aux = 0; GO(name)
#define COMPUTE a = CELL(a); b = CELL(b); c = CELL(c);
#define OF(type) (a->tag == type && b->tag == type)
    PACT_SWITCH(s->kind)
    PACT_CASE(STEP_LE_DOUBLE) SAY(STEP_LE_DOUBLE, PACT_DOUBLE, a->v.d <= s->k.d)
    PACT_CASE(STEP_LT_DOUBLE) SAY(STEP_LT_DOUBLE, PACT_DOUBLE, a->v.d < s->k.d)
    PACT_CASE(STEP_GE_DOUBLE) SAY(STEP_GE_DOUBLE, PACT_DOUBLE, a->v.d >= s->k.d)
    PACT_CASE(STEP_GT_DOUBLE) SAY(STEP_GT_DOUBLE, PACT_DOUBLE, a->v.d > s->k.d)
    PACT_CASE(STEP_EQ_DOUBLE) EQUAL(STEP_EQ_DOUBLE, PACT_DOUBLE, a->v.d == s->k.d)
    PACT_CASE(STEP_LE_INT) SAY(STEP_LE_INT, PACT_INT, a->v.i <= s->k.i)
    PACT_CASE(STEP_LT_INT) SAY(STEP_LT_INT, PACT_INT, a->v.i < s->k.i)
    PACT_CASE(STEP_GE_INT) SAY(STEP_GE_INT, PACT_INT, a->v.i >= s->k.i)
    PACT_CASE(STEP_GT_INT) SAY(STEP_GT_INT, PACT_INT, a->v.i > s->k.i)
    PACT_CASE(STEP_EQ_INT) EQUAL(STEP_EQ_INT, PACT_INT, a->v.i == s->k.i)
    PACT_CASE(STEP_PAIR_DOUBLE) PAIR(STEP_PAIR_DOUBLE, PACT_DOUBLE, d, ORDER_DOUBLE)
    PACT_CASE(STEP_PAIR_INT) PAIR(STEP_PAIR_INT, PACT_INT, i, ORDER)
    PACT_CASE(STEP_PAIR_TIME)
        a = CELL(a);
        b = CELL(b);
        if (a->tag != b->tag || (a->tag != PACT_TIMESTAMP && a->tag != PACT_DURATION)) goto strange;
        dead |= s->strikes[a->v.i == b->v.i ? ORDER(a->aux, b->aux) : ORDER(a->v.i, b->v.i)];
        GO(STEP_PAIR_TIME)
    PACT_CASE(STEP_TRUE) SAY(STEP_TRUE, PACT_BOOL, a->v.i != 0)
    PACT_CASE(STEP_PRESENT)     /* error value 2: below a record that is null */
        a = CELL(a);
        dead |= s->strikes[!(a->tag == PACT_NULL || (a->tag == PACT_ERROR && a->aux == 2))];
        GO(STEP_PRESENT)
    PACT_CASE(STEP_WORD) {
        const PactChoice *choice = s->k.choice;
        int32_t found = known == NULL ? PACT_NOT_YET : known[choice->vocabulary];
        if (found == PACT_NOT_YET) {
            a = CELL(a);
            if (a->tag == PACT_STRING) found = pact_find_text(&vocabularies[choice->vocabulary], a->v.o);
            else found = a->tag == PACT_NULL ? 0 : PACT_STRANGE;
            if (known != NULL) known[choice->vocabulary] = found;
        }
        if (found >= 0) {
            dead |= choice->strikes[choice->rows[found]];
        } else {
            dead |= choice->strange;
            *odd = 1;
        }
        GO(STEP_WORD)
    }
    PACT_CASE(STEP_SIZE)
        a = CELL(a);
        c = CELL(c);
        if (a->tag == PACT_LIST) { MAKE(STEP_SIZE, i, PyList_GET_SIZE(a->v.o), PACT_INT) }
        if (a->tag == PACT_STRING) { MAKE(STEP_SIZE, i, PyUnicode_GET_LENGTH(a->v.o), PACT_INT) }
        goto no_value;
    PACT_CASE(STEP_ADD_INT)
        COMPUTE
        if (OF(PACT_INT) && !__builtin_add_overflow(a->v.i, b->v.i, &number)) { MAKE(STEP_ADD_INT, i, number, PACT_INT) }
        goto no_value;
    PACT_CASE(STEP_SUBTRACT_INT)
        COMPUTE
        if (OF(PACT_INT) && !__builtin_sub_overflow(a->v.i, b->v.i, &number)) { MAKE(STEP_SUBTRACT_INT, i, number, PACT_INT) }
        goto no_value;
    PACT_CASE(STEP_ADD_DOUBLE)
        COMPUTE
        if (OF(PACT_DOUBLE)) { MAKE(STEP_ADD_DOUBLE, d, a->v.d + b->v.d, PACT_DOUBLE) }
        goto no_value;
    PACT_CASE(STEP_SUBTRACT_DOUBLE)
        COMPUTE
        if (OF(PACT_DOUBLE)) { MAKE(STEP_SUBTRACT_DOUBLE, d, a->v.d - b->v.d, PACT_DOUBLE) }
        goto no_value;
    PACT_CASE(STEP_MULTIPLY_DOUBLE)
        COMPUTE
        if (OF(PACT_DOUBLE)) { MAKE(STEP_MULTIPLY_DOUBLE, d, a->v.d * b->v.d, PACT_DOUBLE) }
        goto no_value;
    PACT_CASE(STEP_END)
        return dead;
    PACT_END
no_value:                       /* what reads it has no answer; it is no absent field either */
    c->tag = PACT_ERROR;
    c->aux = 0;
    s++;
    PACT_GO(s->kind)
strange:
    *odd = 1;
    dead |= s->strikes[0] | s->strikes[1];
    s++;
    PACT_GO(s->kind)
}
#undef CELL
#undef GO
#undef SAY
#undef EQUAL
#undef ORDER
#undef ORDER_DOUBLE
#undef PAIR
#undef MAKE
#undef COMPUTE
#undef OF
