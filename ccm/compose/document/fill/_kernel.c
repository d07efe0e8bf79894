/* The innermost loops of filling, in C: what is done for every text of every table of every document.

   Each of them has a twin in Python (kernel_in_python.py) that gives the same to the last bit, and that is used where this was
   not compiled. Only the stable interface of Python is used, so that one file serves all versions from 3.11 on.
   Compile with -ffp-contract=off: places must not hang on the processor. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <structmember.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ── bytes that grow ─────────────────────────────────────────────────────── */

#define AT_HAND 4096

typedef struct {
    char *at;
    size_t used, room;
    char hand[AT_HAND];
} Buffer;

static void buffer_begin(Buffer *b) {
    b->at = b->hand;
    b->used = 0;
    b->room = AT_HAND;
}

static void buffer_end(Buffer *b) {
    if (b->at != b->hand) PyMem_Free(b->at);
}

static int buffer_grow(Buffer *b, size_t more) {
    size_t room = b->room * 2;
    while (room < b->used + more) room *= 2;
    char *at = b->at == b->hand ? PyMem_Malloc(room) : PyMem_Realloc(b->at, room);
    if (at == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (b->at == b->hand) memcpy(at, b->hand, b->used);
    b->at = at;
    b->room = room;
    return 0;
}

static inline int buffer_put(Buffer *b, const char *from, size_t count) {
    if (b->used + count > b->room && buffer_grow(b, count) < 0) return -1;
    memcpy(b->at + b->used, from, count);
    b->used += count;
    return 0;
}

static inline char *write_natural(char *p, uint64_t value) {
    char digits[24];
    int count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (count) *p++ = digits[--count];
    return p;
}

/* As "%.3f": in whole numbers, but for what lies so near the middle of two results that rounding before could tell. */
static int put_decimal(Buffer *b, double value) {
    double size = fabs(value);
    if (size < 1e6) {
        double thousands = size * 1000.0, below = floor(thousands), rest = thousands - below;
        if (fabs(rest - 0.5) > 1e-6) {
            uint64_t whole = (uint64_t)below + (rest > 0.5);
            char text[32], *p = text;
            if (signbit(value)) *p++ = '-';
            p = write_natural(p, whole / 1000);
            unsigned part = (unsigned)(whole % 1000);
            *p++ = '.';
            *p++ = (char)('0' + part / 100);
            *p++ = (char)('0' + part / 10 % 10);
            *p++ = (char)('0' + part % 10);
            return buffer_put(b, text, (size_t)(p - text));
        }
    }
    char *text = PyOS_double_to_string(value, 'f', 3, 0, NULL);
    if (text == NULL) return -1;
    int failed = buffer_put(b, text, strlen(text));
    PyMem_Free(text);
    return failed;
}

/* ── runs ────────────────────────────────────────────────────────────────── */

typedef struct {
    PyObject_HEAD
    PyObject *text, *glyphs, *shown, *rise, *parts, *rare, *clusters;
    double width, size;
    int face;
    char turned;
} Run;

static PyTypeObject *run_type, *joiner_type;
static PyObject *no_items, *no_bytes, *no_glyphs;

static Run *run_made(PyObject *text, PyObject *glyphs, double width, int face, double size, PyObject *shown, PyObject *rise,
                     PyObject *parts, PyObject *rare, PyObject *clusters, int turned) {
    Run *run = PyObject_New(Run, run_type);
    if (run == NULL) return NULL;
    run->text = Py_NewRef(text);
    run->glyphs = Py_NewRef(glyphs);
    run->shown = Py_NewRef(shown);
    run->rise = Py_NewRef(rise);
    run->parts = Py_NewRef(parts);
    run->rare = Py_NewRef(rare);
    run->clusters = Py_NewRef(clusters);
    run->width = width;
    run->size = size;
    run->face = face;
    run->turned = (char)turned;
    return run;
}

static PyObject *run_new(PyTypeObject *type, PyObject *args, PyObject *named) {
    static char *names[] = {"text", "glyphs", "width", "face", "size", "shown", "rise", "parts", "rare", "clusters", "turned", NULL};
    PyObject *text, *glyphs, *shown = no_bytes, *rise = Py_None, *parts = no_items, *rare = no_glyphs, *clusters = no_items;
    double width, size;
    int face, turned = 0;
    (void)type;
    if (!PyArg_ParseTupleAndKeywords(args, named, "UOdid|SOOOOp", names, &text, &glyphs, &width, &face, &size, &shown, &rise,
                                     &parts, &rare, &clusters, &turned))
        return NULL;
    return (PyObject *)run_made(text, glyphs, width, face, size, shown, rise, parts, rare, clusters, turned);
}

static void run_dealloc(PyObject *self) {
    Run *run = (Run *)self;
    PyTypeObject *type = Py_TYPE(self);
    Py_DECREF(run->text);
    Py_DECREF(run->glyphs);
    Py_DECREF(run->shown);
    Py_DECREF(run->rise);
    Py_DECREF(run->parts);
    Py_DECREF(run->rare);
    Py_DECREF(run->clusters);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyMemberDef run_members[] = {
    {"text", T_OBJECT_EX, offsetof(Run, text), READONLY, "What it says."},
    {"glyphs", T_OBJECT_EX, offsetof(Run, glyphs), READONLY, "Its glyphs, where it was shaped whole."},
    {"width", T_DOUBLE, offsetof(Run, width), READONLY, "In px."},
    {"face", T_INT, offsetof(Run, face), READONLY, "Place of the font in the brand's order."},
    {"size", T_DOUBLE, offsetof(Run, size), READONLY, "In px."},
    {"shown", T_OBJECT_EX, offsetof(Run, shown), 0, "The operator that shows it."},
    {"rise", T_OBJECT_EX, offsetof(Run, rise), READONLY, "Baseline under the top of the line height, or None."},
    {"parts", T_OBJECT_EX, offsetof(Run, parts), READONLY, "Its glyphs, where Pango placed them."},
    {"rare", T_OBJECT_EX, offsetof(Run, rare), 0, "Its glyphs that not every subset has."},
    {"clusters", T_OBJECT_EX, offsetof(Run, clusters), READONLY, "How many parts stand for which text."},
    {"turned", T_BOOL, offsetof(Run, turned), READONLY, "Whether it is read from right to left."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot run_slots[] = {
    {Py_tp_doc, "Shaped text; see run.py."},
    {Py_tp_new, run_new},
    {Py_tp_dealloc, run_dealloc},
    {Py_tp_members, run_members},
    {0, NULL},
};

static PyType_Spec run_spec = {"ccm.compose.document.fill._kernel.Run", sizeof(Run), 0, Py_TPFLAGS_DEFAULT, run_slots};

/* ── joining ─────────────────────────────────────────────────────────────── */

enum { KNOWN = 1, LATIN = 2, LETTER = 4, APART = 8 };

#define SIGNS 0x2300 /* no sign from here on is plain Latin text */
#define PAGE 256
#define MOST_PARTS 4000 /* of one script, remembered: the words of a catalogue */
#define FIRST_SLOTS 256 /* powers of two all; twice as many as soon as half of them are taken */

typedef struct {
    int64_t units;
    char *shown; /* NULL where nothing is known */
    size_t length;
    PyObject *rare; /* NULL for none */
} Part;

typedef struct {
    uint64_t hash;
    Py_UCS4 *signs;
    size_t count;
    Part part;
} Slot;

typedef struct {
    Part *pages[SIGNS / PAGE];
    Slot *slots;
    size_t count, used;
} Script;

typedef struct {
    PyObject_HEAD
    PyObject *kind_of, *whole;
    double size;
    int face;
    uint8_t *kinds;
    Script scripts[2]; /* of texts without letters, and with some */
} Joiner;

static void part_clear(Part *part) {
    PyMem_Free(part->shown);
    part->shown = NULL;
    Py_CLEAR(part->rare);
}

static void script_forget_parts(Script *script) {
    if (script->slots == NULL) return;
    for (size_t at = 0; at < script->count; at++) {
        Slot *slot = &script->slots[at];
        if (slot->signs != NULL) {
            part_clear(&slot->part);
            PyMem_Free(slot->signs);
            slot->signs = NULL;
        }
    }
    script->used = 0;
}

static void script_forget(Script *script) {
    script_forget_parts(script);
    PyMem_Free(script->slots);
    script->slots = NULL;
    for (size_t page = 0; page < SIGNS / PAGE; page++) {
        if (script->pages[page] != NULL) {
            for (size_t at = 0; at < PAGE; at++) part_clear(&script->pages[page][at]);
            PyMem_Free(script->pages[page]);
            script->pages[page] = NULL;
        }
    }
}

/* Ask for a part; 1 if it can be set, 0 if not, -1 for an error. */
static int part_asked(Joiner *self, const Py_UCS4 *signs, size_t count, int lettered, Part *part) {
    Buffer utf8;
    buffer_begin(&utf8);
    for (size_t at = 0; at < count; at++) {
        Py_UCS4 one = signs[at];
        char coded[3];
        size_t length;
        if (one < 0x80) {
            coded[0] = (char)one;
            length = 1;
        } else if (one < 0x800) {
            coded[0] = (char)(0xC0 | one >> 6);
            coded[1] = (char)(0x80 | (one & 0x3F));
            length = 2;
        } else {
            coded[0] = (char)(0xE0 | one >> 12);
            coded[1] = (char)(0x80 | (one >> 6 & 0x3F));
            coded[2] = (char)(0x80 | (one & 0x3F));
            length = 3;
        }
        if (buffer_put(&utf8, coded, length) < 0) {
            buffer_end(&utf8);
            return -1;
        }
    }
    PyObject *text = PyUnicode_FromStringAndSize(utf8.at, (Py_ssize_t)utf8.used);
    buffer_end(&utf8);
    if (text == NULL) return -1;
    PyObject *made = PyObject_CallFunctionObjArgs(self->whole, text, lettered ? Py_True : Py_False, NULL);
    Py_DECREF(text);
    if (made == NULL) return -1;
    if (made == Py_None) {
        Py_DECREF(made);
        return 0;
    }
    long long units;
    char *shown;
    Py_ssize_t length;
    PyObject *rare;
    if (!PyArg_ParseTuple(made, "Ly#O", &units, &shown, &length, &rare)) {
        Py_DECREF(made);
        return -1;
    }
    part->shown = PyMem_Malloc((size_t)length + 1);
    if (part->shown == NULL) {
        Py_DECREF(made);
        PyErr_NoMemory();
        return -1;
    }
    memcpy(part->shown, shown, (size_t)length);
    part->length = (size_t)length;
    part->units = units;
    part->rare = PySet_Size(rare) > 0 ? Py_NewRef(rare) : NULL;
    Py_DECREF(made);
    return 1;
}

/* Find how a sign is set by itself; the result stays until the next one is asked for. */
static int sign_part(Joiner *self, Py_UCS4 sign, int lettered, const Part **found) {
    Part **pages = self->scripts[lettered].pages, *page = pages[sign / PAGE];
    if (page == NULL) {
        page = PyMem_Calloc(PAGE, sizeof(Part));
        if (page == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        pages[sign / PAGE] = page;
    }
    Part *part = &page[sign % PAGE];
    if (part->shown == NULL) {
        Part made;
        int said = part_asked(self, &sign, 1, lettered, &made);
        if (said <= 0) return said;
        if (part->shown != NULL) part_clear(part);
        *part = made;
    }
    *found = part;
    return 1;
}

/* Return the first free slot for a hash. */
static Slot *slot_free(Slot *slots, size_t count, uint64_t hash) {
    size_t place = hash % count;
    while (slots[place].signs != NULL) place = (place + 1) % count;
    return &slots[place];
}

/* Make room for one more part; -1 for want of memory. */
static int script_grow(Script *script) {
    if (script->slots != NULL && script->used * 2 < script->count) return 0;
    size_t count = script->slots == NULL ? FIRST_SLOTS : script->count * 2;
    Slot *slots = PyMem_Calloc(count, sizeof(Slot));
    if (slots == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t at = 0; script->slots != NULL && at < script->count; at++)
        if (script->slots[at].signs != NULL) *slot_free(slots, count, script->slots[at].hash) = script->slots[at];
    PyMem_Free(script->slots);
    script->slots = slots;
    script->count = count;
    return 0;
}

/* Find how signs that look at each other are set; likewise. */
static int whole_part(Joiner *self, const Py_UCS4 *signs, size_t count, int lettered, const Part **found) {
    Script *script = &self->scripts[lettered];
    uint64_t hash = 1469598103934665603u;
    for (size_t at = 0; at < count; at++) hash = (hash ^ signs[at]) * 1099511628211u;
    hash ^= hash >> 29;
    if (script->slots != NULL) {
        size_t place = hash % script->count;
        for (Slot *slot; (slot = &script->slots[place])->signs != NULL; place = (place + 1) % script->count) {
            if (slot->hash == hash && slot->count == count && !memcmp(slot->signs, signs, count * sizeof *signs)) {
                *found = &slot->part;
                return 1;
            }
        }
    }
    Part made;
    int said = part_asked(self, signs, count, lettered, &made);
    if (said <= 0) return said;
    if (script->used >= MOST_PARTS) script_forget_parts(script);
    Py_UCS4 *own = PyMem_Malloc(count * sizeof *signs);
    if (own == NULL || script_grow(script) < 0) {
        PyMem_Free(own);
        part_clear(&made);
        PyErr_NoMemory();
        return -1;
    }
    memcpy(own, signs, count * sizeof *signs);
    Slot *slot = slot_free(script->slots, script->count, hash);
    *slot = (Slot){hash, own, count, made};
    script->used++;
    *found = &slot->part;
    return 1;
}

/* What a sign is, asked once for each; -1 for an error. */
static int kind_of_sign(Joiner *self, Py_UCS4 sign) {
    int kind = self->kinds[sign];
    if (kind) return kind;
    PyObject *said = PyObject_CallFunction(self->kind_of, "I", (unsigned)sign);
    if (said == NULL) return -1;
    kind = (int)PyLong_AsLong(said) | KNOWN;
    Py_DECREF(said);
    if (PyErr_Occurred()) return -1;
    self->kinds[sign] = (uint8_t)kind;
    return kind;
}

/* Add a part to a text; returns whether all went well. */
static int part_added(const Part *part, Buffer *out, int64_t *units, PyObject **rare) {
    *units += part->units;
    if (part->rare != NULL) {
        PyObject *both;
        if (*rare == NULL)
            both = Py_NewRef(part->rare);
        else
            both = PyNumber_Or(*rare, part->rare);
        if (both == NULL) return 0;
        Py_XDECREF(*rare);
        *rare = both;
    }
    return buffer_put(out, part->shown, part->length) == 0;
}

/* Set signs part by part: 1 if done, 0 if the text must be shaped as a whole, -1 for an error. */
static int joined(Joiner *self, const Py_UCS4 *signs, size_t count, Buffer *out, int64_t *units, PyObject **rare) {
    int lettered = 0;
    for (size_t at = 0; at < count; at++) {
        if (signs[at] >= SIGNS) return 0;
        int kind = kind_of_sign(self, signs[at]);
        if (kind < 0) return -1;
        if (!(kind & LATIN)) return 0;
        lettered |= (kind & LETTER) != 0;
    }
    const uint8_t *kinds = self->kinds;
    for (size_t at = 0, end; at < count; at = end) {
        const Part *part = NULL;
        int said;
        end = at + 1;
        if (!(kinds[signs[at]] & APART))
            while (end < count && !(kinds[signs[end]] & APART)) end++;
        if (end == at + 1)
            said = sign_part(self, signs[at], lettered, &part);
        else if (end - at == count)
            return 0; /* nothing to cut at */
        else
            said = whole_part(self, signs + at, end - at, lettered, &part);
        if (said <= 0) return said;
        if (!part_added(part, out, units, rare)) return -1;
    }
    return 1;
}

/* The operator that shows glyphs, given what stands between its brackets, which begins behind two bytes of room. */
static PyObject *operator_of(Buffer *out) {
    if (buffer_put(out, ">]TJ", 4) < 0) return NULL;
    char *text = out->at;
    size_t from = 0, to = 0, used = out->used;
    if (memchr(text + 2, '<', used - 2) == NULL) return PyBytes_FromStringAndSize(text, (Py_ssize_t)used);
    while (from < used) {
        if (text[from] == '<' && from + 1 < used && text[from + 1] == '>') {
            text[to++] = ' ';
            from += 2;
        } else
            text[to++] = text[from++];
    }
    return PyBytes_FromStringAndSize(text, (Py_ssize_t)to);
}

static PyObject *joined_run(Joiner *self, PyObject *text, const Py_UCS4 *signs, size_t count) {
    Buffer out;
    int64_t units = 0;
    PyObject *rare = NULL, *run = NULL;
    buffer_begin(&out);
    buffer_put(&out, "[<", 2);
    int said = joined(self, signs, count, &out, &units, &rare);
    if (said > 0) {
        PyObject *shown = operator_of(&out);
        if (shown != NULL) {
            run = (PyObject *)run_made(text, no_items, (double)units / 1024, self->face, self->size, shown, Py_None, no_items,
                                       rare == NULL ? no_glyphs : rare, no_items, 0);
            Py_DECREF(shown);
        }
    } else if (said == 0)
        run = Py_NewRef(Py_None);
    Py_XDECREF(rare);
    buffer_end(&out);
    return run;
}

#define SHORT 512

/* The signs of a text, at hand or in memory of their own. */
static Py_UCS4 *signs_of(PyObject *text, Py_UCS4 *hand, size_t *count) {
    Py_ssize_t length = PyUnicode_GetLength(text);
    if (length < 0) return NULL;
    *count = (size_t)length;
    return length < SHORT ? PyUnicode_AsUCS4(text, hand, SHORT, 0) : PyUnicode_AsUCS4Copy(text);
}

static PyObject *joiner_run(PyObject *self, PyObject *text) {
    Py_UCS4 hand[SHORT];
    size_t count;
    Py_UCS4 *signs = signs_of(text, hand, &count);
    if (signs == NULL) return NULL;
    PyObject *run = joined_run((Joiner *)self, text, signs, count);
    if (signs != hand) PyMem_Free(signs);
    return run;
}

/* Whether a source is a text as it stands: no reference, and no blanks but single ones between words. */
static int is_as_it_stands(const Py_UCS4 *signs, size_t count) {
    if (!count || signs[0] == ' ' || signs[count - 1] == ' ') return 0;
    for (size_t at = 0; at < count; at++) {
        Py_UCS4 one = signs[at];
        if (one == '&' || one == '\n' || one == '\t' || one == '\r' || one == '\f') return 0;
        if (one == ' ' && signs[at + 1] == ' ') return 0;
    }
    return 1;
}

static PyObject *content_made(Joiner *self, PyObject *source, PyObject *other) {
    Py_UCS4 hand[SHORT];
    size_t count;
    PyObject *made = NULL;
    Py_UCS4 *signs = signs_of(source, hand, &count);
    if (signs == NULL) return NULL;
    if (is_as_it_stands(signs, count)) made = joined_run(self, source, signs, count);
    else made = Py_NewRef(Py_None);
    if (signs != hand) PyMem_Free(signs);
    if (made == Py_None) {
        Py_DECREF(made);
        made = PyObject_CallFunctionObjArgs(other, source, NULL);
    }
    return made;
}

static PyObject *joiner_contents(PyObject *self, PyObject *args) {
    PyObject *column, *known, *young, *other;
    Py_ssize_t most_known, most_young;
    if (!PyArg_ParseTuple(args, "O!O!O!Onn", &PyTuple_Type, &column, &PyDict_Type, &known, &PyDict_Type, &young, &other,
                          &most_known, &most_young))
        return NULL;
    Py_ssize_t count = PyTuple_Size(column);
    PyObject *contents = PyList_New(count);
    int learning = 0;
    if (contents == NULL) return NULL;
    for (Py_ssize_t at = 0; at < count; at++) {
        PyObject *source = PyTuple_GetItem(column, at);
        PyObject *content = PyDict_GetItemWithError(known, source);
        if (content != NULL && content != Py_None)
            Py_INCREF(content);
        else {
            if (PyErr_Occurred()) goto failed;
            if (!learning) {
                learning = 1;
                if (PyDict_Size(known) + count > most_known) PyDict_Clear(known);
                if (PyDict_Size(young) > most_young) PyDict_Clear(young);
            }
            content = PyDict_GetItemWithError(young, source);
            if (content != NULL && content != Py_None) {
                Py_INCREF(content);
                if (PyDict_SetItem(known, source, content) < 0) {
                    Py_DECREF(content);
                    goto failed;
                }
            } else {
                if (PyErr_Occurred()) goto failed;
                content = content_made((Joiner *)self, source, other);
                if (content == NULL) goto failed;
                if (PyDict_SetItem(young, source, content) < 0) {
                    Py_DECREF(content);
                    goto failed;
                }
            }
        }
        PyList_SetItem(contents, at, content);
    }
    return contents;
failed:
    Py_DECREF(contents);
    return NULL;
}

static PyObject *joiner_forget(PyObject *self, PyObject *nothing) {
    (void)nothing;
    script_forget(&((Joiner *)self)->scripts[0]);
    script_forget(&((Joiner *)self)->scripts[1]);
    Py_RETURN_NONE;
}

static PyObject *joiner_new(PyTypeObject *type, PyObject *args, PyObject *named) {
    static char *names[] = {"kind_of", "whole", "face", "size", NULL};
    PyObject *kind_of, *whole;
    int face;
    double size;
    if (!PyArg_ParseTupleAndKeywords(args, named, "OOid", names, &kind_of, &whole, &face, &size)) return NULL;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Joiner *self = (Joiner *)allocate(type, 0);
    if (self == NULL) return NULL;
    self->kind_of = Py_NewRef(kind_of);
    self->whole = Py_NewRef(whole);
    self->face = face;
    self->size = size;
    self->kinds = PyMem_Calloc(SIGNS, 1);
    if (self->kinds == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static int joiner_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Joiner *)self)->kind_of);
    Py_VISIT(((Joiner *)self)->whole);
    return 0;
}

static int joiner_clear(PyObject *self) {
    Py_CLEAR(((Joiner *)self)->kind_of);
    Py_CLEAR(((Joiner *)self)->whole);
    return 0;
}

static void joiner_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    joiner_clear(self);
    script_forget(&((Joiner *)self)->scripts[0]);
    script_forget(&((Joiner *)self)->scripts[1]);
    PyMem_Free(((Joiner *)self)->kinds);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyMethodDef joiner_methods[] = {
    {"run", joiner_run, METH_O, "Set a text; None where it must be shaped as a whole."},
    {"contents", joiner_contents, METH_VARARGS, "Set the texts of a column of cells."},
    {"forget", joiner_forget, METH_NOARGS, "Forget what was set."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot joiner_slots[] = {
    {Py_tp_doc, "Sets the texts of one style part by part; see joining.py."},
    {Py_tp_new, joiner_new},
    {Py_tp_dealloc, joiner_dealloc},
    {Py_tp_traverse, joiner_traverse},
    {Py_tp_clear, joiner_clear},
    {Py_tp_methods, joiner_methods},
    {0, NULL},
};

static PyType_Spec joiner_spec = {
    "ccm.compose.document.fill._kernel.Joiner", sizeof(Joiner), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, joiner_slots};

/* ── columns and rows ────────────────────────────────────────────────────── */

static PyObject *widest(PyObject *module, PyObject *column) {
    (void)module;
    if (!PyTuple_Check(column)) return PyErr_Format(PyExc_TypeError, "a tuple is needed");
    double most = 0;
    Py_ssize_t count = PyTuple_Size(column);
    for (Py_ssize_t at = 0; at < count; at++) {
        PyObject *one = PyTuple_GetItem(column, at);
        if (Py_TYPE(one) != run_type) Py_RETURN_NONE;
        if (!at || ((Run *)one)->width > most) most = ((Run *)one)->width;
    }
    return PyFloat_FromDouble(most);
}

/* Add a number to a list. */
static int appended(PyObject *list, double value) {
    PyObject *number = PyFloat_FromDouble(value);
    if (number == NULL) return -1;
    int failed = PyList_Append(list, number);
    Py_DECREF(number);
    return failed;
}

/* Whether a text is a run in the font of its cell alone. */
static int is_plain(PyObject *one) {
    return Py_TYPE(one) == run_type && PyTuple_Size(((Run *)one)->parts) == 0;
}

static int line_placed(Run *run, double y, const double *place, PyObject *across, PyObject *down, PyObject *runs) {
    double x = place[2] != 0 ? place[0] + (place[1] - run->width) * place[2] : place[0];
    return appended(across, x) < 0 || appended(down, y) < 0 || PyList_Append(runs, (PyObject *)run) < 0 ? -1 : 0;
}

static PyObject *place_row(PyObject *module, PyObject *args) {
    PyObject *contents, *lines, *baselines, *places, *heights, *across, *down, *runs;
    double top;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!OO!dO!O!O!O!O!", &PyTuple_Type, &contents, &lines, &PyTuple_Type, &baselines, &top,
                          &PyList_Type, &places, &PyTuple_Type, &heights, &PyList_Type, &across, &PyList_Type, &down,
                          &PyList_Type, &runs))
        return NULL;
    Py_ssize_t count = PyTuple_Size(contents);
    if (PyTuple_Size(baselines) != count || PyList_Size(places) != count || PyTuple_Size(heights) != count)
        return PyErr_Format(PyExc_ValueError, "a row has one baseline, place and height for each content");
    if (lines != Py_None && (!PyList_Check(lines) || PyList_Size(lines) != count))
        return PyErr_Format(PyExc_ValueError, "a row has lines for each content");
    for (Py_ssize_t at = 0; at < count; at++) {
        if (lines == Py_None) {
            PyObject *one = PyTuple_GetItem(contents, at);
            if (one != Py_None && !is_plain(one)) Py_RETURN_FALSE;
        } else {
            PyObject *inside = PyList_GetItem(lines, at);
            Py_ssize_t length = PySequence_Size(inside);
            if (length < 0) return NULL;
            if (length && !PyTuple_Check(inside)) Py_RETURN_FALSE; /* lines of several styles come as a list */
            for (Py_ssize_t line = 0; line < length; line++)
                if (!is_plain(PyTuple_GetItem(inside, line))) Py_RETURN_FALSE;
        }
    }
    for (Py_ssize_t at = 0; at < count; at++) {
        double place[3], height, y;
        PyObject *said = PyList_GetItem(places, at);
        if (!PyTuple_Check(said) || PyTuple_Size(said) != 3)
            return PyErr_Format(PyExc_TypeError, "a place is left edge, width and alignment");
        for (int part = 0; part < 3; part++) place[part] = PyFloat_AsDouble(PyTuple_GetItem(said, part));
        y = top + PyFloat_AsDouble(PyTuple_GetItem(baselines, at));
        height = PyFloat_AsDouble(PyTuple_GetItem(heights, at));
        if (PyErr_Occurred()) return NULL;
        if (lines == Py_None) {
            PyObject *one = PyTuple_GetItem(contents, at);
            if (one != Py_None && line_placed((Run *)one, y, place, across, down, runs) < 0) return NULL;
        } else {
            PyObject *inside = PyList_GetItem(lines, at);
            Py_ssize_t length = PyTuple_Check(inside) ? PyTuple_Size(inside) : 0;
            for (Py_ssize_t line = 0; line < length; line++, y += height)
                if (line_placed((Run *)PyTuple_GetItem(inside, line), y, place, across, down, runs) < 0) return NULL;
        }
    }
    Py_RETURN_TRUE;
}

/* Write what stands in a form for one text after the other; returns how many it had, or -1. */
static Py_ssize_t form_shown(const char *form, size_t length, Py_ssize_t text, long mark, PyObject *across, PyObject *down,
                             PyObject *runs, Buffer *out) {
    const char *end = form + length;
    Py_ssize_t before = text, count = PyList_Size(runs);
    int place = 0;
    while (form < end) {
        const char *gap = memchr(form, '%', (size_t)(end - form));
        if (gap == NULL) gap = end;
        if (buffer_put(out, form, (size_t)(gap - form)) < 0) return -1;
        if (gap == end) break;
        if (text >= count || gap + 1 == end) goto strange;
        if (gap[1] == 'd') {
            char number[24], *p = write_natural(number, (uint64_t)(mark + text));
            if (buffer_put(out, number, (size_t)(p - number)) < 0) return -1;
            form = gap + 2;
        } else if (gap[1] == '.') {
            double value = PyFloat_AsDouble(PyList_GetItem(place ? down : across, text));
            if (PyErr_Occurred() || put_decimal(out, value) < 0) return -1;
            place = 1;
            form = gap + 4;
        } else if (gap[1] == 'b') {
            PyObject *run = PyList_GetItem(runs, text);
            char *shown;
            Py_ssize_t size;
            if (Py_TYPE(run) != run_type) goto strange;
            if (PyBytes_AsStringAndSize(((Run *)run)->shown, &shown, &size) < 0) return -1;
            if (buffer_put(out, shown, (size_t)size) < 0) return -1;
            place = 0;
            text++;
            form = gap + 2;
        } else
            goto strange;
    }
    return text - before;
strange:
    PyErr_SetString(PyExc_ValueError, "forms and texts of rows are not of the same number");
    return -1;
}

static PyObject *show_rows(PyObject *module, PyObject *args) {
    PyObject *forms, *across, *down, *runs, *show;
    long mark;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!lO!O!O!O", &PyList_Type, &forms, &mark, &PyList_Type, &across, &PyList_Type, &down,
                          &PyList_Type, &runs, &show))
        return NULL;
    Py_ssize_t count = PyList_Size(runs), text = 0;
    PyObject *rare = PyList_New(0), *written = NULL, *both = NULL;
    if (rare == NULL) return NULL;
    if (PyList_Size(across) != count || PyList_Size(down) != count) {
        Py_DECREF(rare);
        return PyErr_Format(PyExc_ValueError, "each text has one place");
    }
    Buffer out;
    buffer_begin(&out);
    for (Py_ssize_t at = 0; at < count; at++) {
        PyObject *one = PyList_GetItem(runs, at);
        if (Py_TYPE(one) != run_type) {
            PyErr_SetString(PyExc_TypeError, "runs are needed");
            goto done;
        }
        Run *run = (Run *)one;
        if (PyBytes_Size(run->shown) == 0) {
            PyObject *said = PyObject_CallFunctionObjArgs(show, one, NULL);
            if (said == NULL) goto done;
            Py_DECREF(said);
        }
        if (run->rare != no_glyphs && PySet_Size(run->rare) > 0 && PyList_Append(rare, one) < 0) goto done;
    }
    for (Py_ssize_t at = 0; at < PyList_Size(forms); at++) {
        char *form;
        Py_ssize_t length;
        if (PyBytes_AsStringAndSize(PyList_GetItem(forms, at), &form, &length) < 0) goto done;
        Py_ssize_t more = form_shown(form, (size_t)length, text, mark, across, down, runs, &out);
        if (more < 0) goto done;
        text += more;
    }
    if (text != count) {
        PyErr_SetString(PyExc_ValueError, "forms and texts of rows are not of the same number");
        goto done;
    }
    written = PyBytes_FromStringAndSize(out.at, out.used ? (Py_ssize_t)out.used - 1 : 0);
    if (written != NULL) both = PyTuple_Pack(2, written, rare);
done:
    Py_XDECREF(written);
    Py_DECREF(rare);
    buffer_end(&out);
    return both;
}

static PyObject *show_areas(PyObject *module, PyObject *places) {
    (void)module;
    if (!PyList_Check(places)) return PyErr_Format(PyExc_TypeError, "a list is needed");
    Buffer out;
    PyObject *written = NULL;
    buffer_begin(&out);
    Py_ssize_t count = PyList_Size(places);
    for (Py_ssize_t at = 0; at < count; at++) {
        double value = PyFloat_AsDouble(PyList_GetItem(places, at));
        if (PyErr_Occurred() || put_decimal(&out, value) < 0) goto done;
        if (at % 4 == 3 ? buffer_put(&out, " re f\n", 6) : buffer_put(&out, " ", 1)) goto done;
    }
    written = PyBytes_FromStringAndSize(out.at, out.used ? (Py_ssize_t)out.used - 1 : 0);
done:
    buffer_end(&out);
    return written;
}

/* ── rows as a whole ─────────────────────────────────────────────────────── */

enum { ABOVE, BASELINES, CONTENTS, COUNTS, DATA, ELEMENT, FORM, HEIGHTS, KIND, LINES, LITERALS, STRIPES, NAMES };
static const char *const spelled[NAMES] = {"above", "baselines", "contents", "counts", "data",     "element",
                                           "form",  "heights",   "kind",     "lines",  "literals", "stripes"};
static PyObject *names[NAMES];

/* Place one row, unless Python must look at it: 1 if it was placed, 0 if not, -1 for an error. */
static int known_row_placed(PyObject *row, PyObject *top, PyObject *said, int may_be_named, PyObject *places, PyObject *kinds,
                            PyObject *across, PyObject *down, PyObject *runs) {
    PyObject *kind = NULL, *data = NULL, *form = NULL, *counts = NULL, *stripes = NULL, *key = NULL, *args = NULL, *placed = NULL;
    PyObject *contents = NULL, *lines = NULL, *baselines = NULL, *heights = NULL, *place, *stripe;
    int done = -1;
    if (!(kind = PyObject_GetAttr(row, names[KIND])) || !(data = PyObject_GetAttr(kind, names[DATA])) ||
        !(form = PyObject_GetAttr(row, names[FORM])) || !(counts = PyObject_GetAttr(row, names[COUNTS])) ||
        !(stripes = PyObject_GetAttr(kind, names[STRIPES])) || !(key = PyTuple_Pack(2, counts, said)))
        goto done;
    done = 0;
    if (data != Py_True && !may_be_named) goto done;
    place = PyDict_GetItemWithError(places, form);
    stripe = place == NULL ? NULL : PyDict_GetItemWithError(stripes, key);
    if (stripe == NULL) {
        if (PyErr_Occurred()) done = -1;
        goto done;
    }
    done = -1;
    if (!(contents = PyObject_GetAttr(row, names[CONTENTS])) || !(lines = PyObject_GetAttr(row, names[LINES])) ||
        !(baselines = PyObject_GetAttr(row, names[BASELINES])) || !(heights = PyObject_GetAttr(kind, names[HEIGHTS])) ||
        !(args = PyTuple_Pack(9, contents, lines, baselines, top, place, heights, across, down, runs)) ||
        !(placed = place_row(NULL, args)))
        goto done;
    if (placed == Py_True)
        done = PyList_Append(kinds, stripe) < 0 ? -1 : 1;
    else
        done = 0;
done:
    Py_XDECREF(kind);
    Py_XDECREF(data);
    Py_XDECREF(form);
    Py_XDECREF(counts);
    Py_XDECREF(stripes);
    Py_XDECREF(key);
    Py_XDECREF(contents);
    Py_XDECREF(lines);
    Py_XDECREF(baselines);
    Py_XDECREF(heights);
    Py_XDECREF(args);
    Py_XDECREF(placed);
    return done;
}

/* What gives the parent of a row's element. */
static PyObject *above_of(PyObject *row) {
    PyObject *element = PyObject_GetAttr(row, names[ELEMENT]), *above;
    if (element == NULL) return NULL;
    above = PyObject_GetAttr(element, names[ABOVE]);
    Py_DECREF(element);
    return above;
}

static PyObject *place_rows(PyObject *module, PyObject *args) {
    PyObject *rows, *tops, *says, *places, *kinds, *across, *down, *runs;
    Py_ssize_t at, named;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!O!nnO!O!O!O!O!", &PyList_Type, &rows, &PyList_Type, &tops, &PyList_Type, &says, &at, &named,
                          &PyDict_Type, &places, &PyList_Type, &kinds, &PyList_Type, &across, &PyList_Type, &down,
                          &PyList_Type, &runs))
        return NULL;
    Py_ssize_t count = PyList_Size(rows);
    if (at < 1 || PyList_Size(tops) < count || PyList_Size(says) < count)
        return PyErr_Format(PyExc_ValueError, "each row has a place, and one stands before them");
    if (at >= count) return PyLong_FromSsize_t(at);
    PyObject *group = above_of(PyList_GetItem(rows, at - 1));
    if (group == NULL) return NULL;
    for (; at < count; at++) {
        PyObject *row = PyList_GetItem(rows, at), *above = above_of(row);
        Py_XDECREF(above); /* it is compared only; the row keeps it */
        if (above == NULL) goto failed;
        if (above != group) break;
        int placed = known_row_placed(row, PyList_GetItem(tops, at), PyList_GetItem(says, at), at < named, places, kinds, across,
                                      down, runs);
        if (placed < 0) goto failed;
        if (!placed) break;
    }
    Py_DECREF(group);
    return PyLong_FromSsize_t(at);
failed:
    Py_DECREF(group);
    return NULL;
}

/* ── words of a column ───────────────────────────────────────────────────── */

/* The width of the widest word of a text; -1 where one is unknown, -2 for an error. */
static double widest_word(PyObject *text, PyObject *words) {
    Py_ssize_t length;
    const char *at = PyUnicode_AsUTF8AndSize(text, &length);
    if (at == NULL) {
        PyErr_Clear();
        return -1;
    }
    const char *end = at + length;
    double most = 0;
    for (;;) {
        const char *blank = memchr(at, ' ', (size_t)(end - at));
        PyObject *word = PyUnicode_FromStringAndSize(at, (blank == NULL ? end : blank) - at);
        if (word == NULL) return -2;
        PyObject *width = PyDict_GetItemWithError(words, word);
        Py_DECREF(word);
        if (width == NULL) return PyErr_Occurred() ? -2 : -1;
        double own = PyFloat_AsDouble(width);
        if (own == -1.0 && PyErr_Occurred()) return -2;
        if (own > most) most = own;
        if (blank == NULL) return most;
        at = blank + 1;
    }
}

static PyObject *narrowest(PyObject *module, PyObject *args) {
    PyObject *column, *words;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!", &PyTuple_Type, &column, &PyDict_Type, &words)) return NULL;
    PyObject *left = PyList_New(0);
    if (left == NULL) return NULL;
    double greatest = 0;
    Py_ssize_t count = PyTuple_Size(column);
    for (Py_ssize_t at = 0; at < count; at++) {
        PyObject *one = PyTuple_GetItem(column, at);
        double own = -1;
        if (Py_TYPE(one) == run_type) {
            if (((Run *)one)->width <= greatest) continue; /* no part of a text is wider than the text */
            own = widest_word(((Run *)one)->text, words);
        }
        if (own == -2 || (own == -1 && PyList_Append(left, one) < 0)) {
            Py_DECREF(left);
            return NULL;
        }
        if (own > greatest) greatest = own;
    }
    return Py_BuildValue("dN", greatest, left);
}

/* ── rows in the source of a page ────────────────────────────────────────── */

static inline const char *behind_blanks(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\f')) at++;
    return at;
}

static inline const char *behind(const char *at, const char *end, PyObject *literal) {
    char *text;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(literal, &text, &length) < 0) return NULL;
    return end - at >= length && !memcmp(at, text, (size_t)length) ? at + length : NULL;
}

/* Read one row of a shape: what stands in front of each text and behind the last one. Returns where it ends; NULL if there is none. */
static const char *row_read(const char *at, const char *end, PyObject *literals, PyObject **texts) {
    Py_ssize_t count = PyTuple_Size(literals), cells = (count - 2) / 2;
    *texts = NULL;
    at = behind(at, end, PyTuple_GetItem(literals, 0));
    if (at == NULL) return NULL;
    PyObject *found = PyTuple_New(cells);
    if (found == NULL) return NULL;
    for (Py_ssize_t cell = 0; cell < cells; cell++) {
        at = behind(behind_blanks(at, end), end, PyTuple_GetItem(literals, 1 + 2 * cell));
        const char *close = at == NULL ? NULL : memchr(at, '<', (size_t)(end - at));
        const char *next = close == NULL ? NULL : behind(close, end, PyTuple_GetItem(literals, 2 + 2 * cell));
        PyObject *text = next == NULL ? NULL : PyUnicode_FromStringAndSize(at, close - at);
        if (text == NULL) {
            Py_DECREF(found);
            return NULL;
        }
        PyTuple_SetItem(found, cell, text);
        at = next;
    }
    at = behind(behind_blanks(at, end), end, PyTuple_GetItem(literals, count - 1));
    if (at == NULL) {
        Py_DECREF(found);
        return NULL;
    }
    *texts = found;
    return behind_blanks(at, end);
}

static PyObject *read_rows(PyObject *module, PyObject *args) {
    PyObject *source, *shapes, *rows;
    Py_ssize_t from, length;
    (void)module;
    if (!PyArg_ParseTuple(args, "UnO!O!", &source, &from, &PyList_Type, &shapes, &PyList_Type, &rows)) return NULL;
    const char *begin = PyUnicode_AsUTF8AndSize(source, &length);
    if (begin == NULL) { /* half a sign: what reads it in Python tells */
        PyErr_Clear();
        return PyLong_FromSsize_t(from);
    }
    int ascii = PyUnicode_GetLength(source) == length;
    const char *at = begin, *end = begin + length;
    if (ascii)
        at += from;
    else
        for (Py_ssize_t sign = 0; at < end; at++)
            if ((*at & 0xC0) != 0x80 && sign++ == from) break;
    const char *start = at;
    for (;;) {
        const char *next = NULL;
        for (Py_ssize_t place = 0; place < PyList_Size(shapes); place++) {
            PyObject *shape = PyList_GetItem(shapes, place), *texts = NULL;
            PyObject *literals = PyObject_GetAttr(shape, names[LITERALS]);
            if (literals == NULL) return NULL;
            if (PyTuple_Check(literals) && PyTuple_Size(literals) >= 2) next = row_read(at, end, literals, &texts);
            Py_DECREF(literals);
            if (PyErr_Occurred()) return NULL;
            if (next == NULL) continue;
            PyObject *row = PyTuple_Pack(2, shape, texts);
            Py_DECREF(texts);
            if (row == NULL) return NULL;
            int failed = PyList_Append(rows, row);
            Py_DECREF(row);
            if (failed < 0) return NULL;
            if (place) { /* the last one first */
                Py_INCREF(shape);
                if (PyList_SetSlice(shapes, place, place + 1, NULL) < 0 || PyList_Insert(shapes, 0, shape) < 0) {
                    Py_DECREF(shape);
                    return NULL;
                }
                Py_DECREF(shape);
            }
            break;
        }
        if (next == NULL) break;
        at = next;
    }
    Py_ssize_t signs = at - start;
    if (!ascii) {
        signs = 0;
        for (const char *one = start; one < at; one++) signs += (*one & 0xC0) != 0x80;
    }
    return PyLong_FromSsize_t(from + signs);
}

static PyMethodDef functions[] = {
    {"widest", widest, METH_O, "Return the greatest width of a column of runs; None if it holds anything else."},
    {"place_row", place_row, METH_VARARGS, "Say where the texts of a row stand; returns whether all of them are plain."},
    {"place_rows", place_rows, METH_VARARGS, "Say where the texts of rows stand, as long as their like was met."},
    {"narrowest", narrowest, METH_VARARGS, "Return the widest word of a column, and the runs with unknown words."},
    {"read_rows", read_rows, METH_VARARGS, "Read the rows of plain cells that have one of some shapes."},
    {"show_rows", show_rows, METH_VARARGS, "Return the operators that show rows of texts, and those of them with rare glyphs."},
    {"show_areas", show_areas, METH_O, "Return the operators that fill rectangles."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module_spec = {
    PyModuleDef_HEAD_INIT, "_kernel", "The innermost loops of filling; see kernel_in_python.py for what they do.", -1, functions,
    NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__kernel(void) {
    PyObject *module = PyModule_Create(&module_spec);
    if (module == NULL) return NULL;
    for (int at = 0; at < NAMES; at++)
        if ((names[at] = PyUnicode_InternFromString(spelled[at])) == NULL) return NULL;
    no_items = PyTuple_New(0);
    no_bytes = PyBytes_FromStringAndSize("", 0);
    no_glyphs = PyFrozenSet_New(NULL);
    run_type = (PyTypeObject *)PyType_FromSpec(&run_spec);
    joiner_type = (PyTypeObject *)PyType_FromSpec(&joiner_spec);
    if (no_items == NULL || no_bytes == NULL || no_glyphs == NULL || run_type == NULL || joiner_type == NULL ||
        PyModule_AddObjectRef(module, "Run", (PyObject *)run_type) < 0 ||
        PyModule_AddObjectRef(module, "Joiner", (PyObject *)joiner_type) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
