/* read.c - text to message by a shape; declared in shape.h. */
#include "common/json/shape.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/num.h"
#include "common/json/base64.h"
#include "common/json/canonical.h"
#include "common/json/codec.h"
#include "common/json/scan.h"

enum { NUMBER_BYTES = 64 }; /* a longer number with a fraction is no duration */

/* What is read with. `first` keeps the failure that is reported: reading goes on, as the
 * reference's does, so that the first one in the text is not hidden by a later one. */
struct reading {
    struct cu_arena *arena;
    struct cu_diag *diag;
    enum cu_err first;
    /* What sentences name: the member of an object that is being read. Entries and wrappers have no
     * name of their own. */
    const struct cu_json_shape *shape;
    const struct cu_json_field *field;
};

static bool failed_before(struct reading *r, enum cu_err err)
{
    bool before = r->first != CU_OK;
    if (!before)
        r->first = err;
    return before;
}

/* clang-format off */
static const char *const go_types[] = {
    [CU_JSON_BOOL]     = "bool",
    [CU_JSON_I32]      = "int",
    [CU_JSON_U32]      = "uint32",
    [CU_JSON_I64]      = "int64",
    [CU_JSON_U64]      = "uint64",
    [CU_JSON_DURATION] = "time.Duration",
    [CU_JSON_NS]       = "time.Duration",
    [CU_JSON_TIME]     = "time.Time",
    [CU_JSON_TIME_MS]  = "time.Time",
    [CU_JSON_TEXT]     = "string",
    [CU_JSON_KEY]      = "string",
    [CU_JSON_BASE64]   = "[]uint8",
    [CU_JSON_OPAQUE]   = "map[string]interface {}",
    [CU_JSON_ENUM]     = "string",
    [CU_JSON_NUMBERED] = "int",
    [CU_JSON_OBJECT]   = NULL, /* its shape's */
};
/* clang-format on */
_Static_assert(CU_COUNT(go_types) == CU_JSON_CODEC_COUNT, "a type for each codec");

/* `list`: the field as a whole, not one of its elements. */
static void wrong_kind(struct reading *r, const struct cu_json_field *field, struct cu_bytes value,
                       bool list)
{
    if (failed_before(r, CU_E_INVALID))
        return;
    enum cu_json_kind kind = cu_json_kind(value);
    bool number = kind == CU_JSON_KIND_NUMBER;
    const char *dot = strchr(r->shape->go_name, '.');
    (void)cu_fail(r->diag, CU_E_INVALID,
                  "json: cannot unmarshal %s%s%.*s into Go struct field %s.%s of type %s%s",
                  cu_json_kind_name(kind), number ? " " : "",
                  number ? (int)(value.len < 40 ? value.len : 40) : 0, (const char *)value.data,
                  dot ? dot + 1 : r->shape->go_name, r->field->name,
                  list && !json_has_form(field, CU_JSON_FORM_ENTRY) ? "[]" : "",
                  field->codec == CU_JSON_OBJECT ? field->shape->go_name : go_types[field->codec]);
}

static void too_large(struct reading *r)
{
    if (!failed_before(r, CU_E_TOO_LARGE))
        (void)cu_fail(r->diag, CU_E_TOO_LARGE, "request body is too large to decode");
}

bool cu_json_name_is(struct cu_bytes name, const char *wanted)
{
    return strlen(wanted) == name.len &&
           strncasecmp(wanted, (const char *)name.data, name.len) == 0;
}

static bool is_listed(const char *const *names, struct cu_bytes name)
{
    for (; names && *names; names++)
        if (cu_json_name_is(name, *names))
            return true;
    return false;
}

static const struct cu_json_field *find_field(const struct cu_json_shape *shape,
                                              struct cu_bytes name, bool *ret_is_alias)
{
    *ret_is_alias = false;
    for (size_t i = 0; i < shape->count; i++)
        if (cu_json_name_is(name, shape->fields[i].name))
            return &shape->fields[i];
    *ret_is_alias = true;
    for (size_t i = 0; i < shape->count; i++)
        if (is_listed(shape->fields[i].aliases, name))
            return &shape->fields[i];
    return NULL;
}

static void read_unsigned(struct reading *r, const struct cu_json_field *field,
                          struct cu_bytes value, void *at)
{
    bool wide = field->codec == CU_JSON_U64;
    uint64_t number = 0;
    enum cu_err err = cu_json_kind(value) == CU_JSON_KIND_NUMBER
                          ? cu_parse_u64((const char *)value.data, value.len, &number)
                          : CU_E_INVALID;
    if (err || (!wide && number > UINT32_MAX)) {
        wrong_kind(r, field, value, false);
        return;
    }
    uint32_t narrow = (uint32_t)number;
    memcpy(at, wide ? (void *)&number : (void *)&narrow, wide ? sizeof number : sizeof narrow);
}

static void read_signed(struct reading *r, const struct cu_json_field *field, struct cu_bytes value,
                        void *at)
{
    bool wide = field->codec == CU_JSON_I64;
    int64_t number = 0;
    enum cu_err err = cu_json_kind(value) == CU_JSON_KIND_NUMBER
                          ? cu_parse_i64((const char *)value.data, value.len, &number)
                          : CU_E_INVALID;
    if (err || (!wide && (number > INT32_MAX || number < INT32_MIN))) {
        wrong_kind(r, field, value, false);
        return;
    }
    int32_t narrow = (int32_t)number;
    memcpy(at, wide ? (void *)&number : (void *)&narrow, wide ? sizeof number : sizeof narrow);
}

/* A number of ns with a fraction or an exponent; false when it is beyond 64 bits. */
static bool whole_ns(struct cu_bytes value, int64_t *ret_ns)
{
    char text[NUMBER_BYTES] = "";
    if (cu_parse_i64((const char *)value.data, value.len, ret_ns) == CU_OK)
        return true;
    if (value.len >= sizeof text)
        return false;
    memcpy(text, value.data, value.len);
    double number = strtod(text, NULL);
    if (!(number > -0x1p63 && number < 0x1p63))
        return false;
    *ret_ns = (int64_t)number;
    return true;
}

static void read_duration(struct reading *r, const struct cu_json_field *field,
                          struct cu_bytes value, void *at)
{
    struct cu_bytes text;
    struct cu_diag diag = {0};
    int64_t ns = 0;
    bool is_text = cu_json_kind(value) == CU_JSON_KIND_STRING;

    if (!is_text && (cu_json_kind(value) != CU_JSON_KIND_NUMBER || !whole_ns(value, &ns))) {
        wrong_kind(r, field, value, false);
        return;
    }
    if (is_text && cu_json_unquote(value, r->arena, &text)) {
        too_large(r);
        return;
    }
    if (is_text && cu_parse_duration_ns((const char *)text.data, &ns, &diag)) {
        if (!failed_before(r, CU_E_INVALID))
            (void)cu_fail(r->diag, CU_E_INVALID, "%s", diag.text);
        return;
    }
    memcpy(at, &ns, sizeof ns);
}

static void read_opaque(struct reading *r, const struct cu_json_field *field, struct cu_bytes value,
                        void *at)
{
    struct cu_bytes text;
    if (cu_json_kind(value) != CU_JSON_KIND_OBJECT) {
        wrong_kind(r, field, value, false);
        return;
    }
    if (cu_json_canonical(value, r->arena, &text)) {
        too_large(r);
        return;
    }
    ProtobufCBinaryData data = {text.len, (uint8_t *)text.data};
    memcpy(at, &data, sizeof data);
}

static void read_base64(struct reading *r, struct cu_bytes text, void *at)
{
    ProtobufCBinaryData data = {0};
    size_t bad = 0;
    data.data = cu_arena_alloc(r->arena, text.len / 4 * 3 + 3);
    if (!data.data) {
        too_large(r);
        return;
    }
    if (cu_base64_decode(text, data.data, &data.len, &bad)) {
        if (!failed_before(r, CU_E_INVALID))
            (void)cu_fail(r->diag, CU_E_INVALID, "illegal base64 data at input byte %zu", bad);
        return;
    }
    memcpy(at, &data, sizeof data);
}

static int number_of(const struct cu_json_names *names, struct cu_bytes text)
{
    for (size_t i = 0; i < names->count; i++)
        if (names->names[i] && cu_bytes_equal(cu_bytes_of(names->names[i]), text))
            return (int)i;
    return names->unknown;
}

static void read_string(struct reading *r, const struct cu_json_field *field, struct cu_bytes value,
                        void *at)
{
    struct cu_bytes text;
    if (cu_json_kind(value) != CU_JSON_KIND_STRING) {
        wrong_kind(r, field, value, false);
        return;
    }
    if (cu_json_unquote(value, r->arena, &text)) {
        too_large(r);
        return;
    }
    if (field->codec == CU_JSON_BASE64) {
        read_base64(r, text, at);
    } else if (field->codec == CU_JSON_KEY) {
        ProtobufCBinaryData data = {text.len, (uint8_t *)text.data};
        memcpy(at, &data, sizeof data);
    } else if (field->codec == CU_JSON_ENUM) {
        int number = number_of(field->names, text);
        memcpy(at, &number, sizeof number);
    } else if (!memchr(text.data, 0, text.len)) {
        memcpy(at, &text.data, sizeof text.data);
    } else if (!failed_before(r, CU_E_INVALID)) { /* names hold no NUL (contracts 8.3) */
        (void)cu_fail(r->diag, CU_E_INVALID, "json: invalid NUL in field %s", r->field->name);
    }
}

static void read_object(struct reading *r, const struct cu_json_shape *shape, struct cu_bytes value,
                        ProtobufCMessage *message);
static void read_field(struct reading *r, const struct cu_json_field *field, struct cu_bytes value,
                       uint8_t *base);

/* The message that stands at `at`, made if there is none; NULL: the arena is full. */
static ProtobufCMessage *message_at(struct reading *r, const struct cu_json_shape *shape, void *at)
{
    ProtobufCMessage *message = (ProtobufCMessage *)json_pointer_at(at);
    if (message)
        return message;
    message = cu_arena_alloc(r->arena, shape->descriptor->sizeof_message);
    if (!message) {
        too_large(r);
        return NULL;
    }
    protobuf_c_message_init(shape->descriptor, message);
    memcpy(at, &message, sizeof(void *));
    return message;
}

static void read_message(struct reading *r, const struct cu_json_field *field,
                         struct cu_bytes value, void *at)
{
    bool wrapper = field->shape->form == CU_JSON_FORM_WRAPPER;
    if (!wrapper && cu_json_kind(value) != CU_JSON_KIND_OBJECT) {
        wrong_kind(r, field, value, false);
        return;
    }
    ProtobufCMessage *message = message_at(r, field->shape, at);
    if (message && wrapper)
        read_field(r, field->shape->fields, value, (uint8_t *)message);
    else if (message)
        read_object(r, field->shape, value, message);
}

static void read_one(struct reading *r, const struct cu_json_field *field, struct cu_bytes value,
                     void *at)
{
    protobuf_c_boolean flag = value.data[0] == 't';
    if (cu_json_kind(value) == CU_JSON_KIND_NULL)
        return; /* leaves the default (http-api.md 1.3) */
    switch (field->codec) {
    case CU_JSON_BOOL:
        if (cu_json_kind(value) == CU_JSON_KIND_BOOL)
            memcpy(at, &flag, sizeof flag);
        else
            wrong_kind(r, field, value, false);
        return;
    case CU_JSON_U32:
    case CU_JSON_U64:
        read_unsigned(r, field, value, at);
        return;
    case CU_JSON_I32:
    case CU_JSON_I64:
    case CU_JSON_NUMBERED:
        read_signed(r, field, value, at);
        return;
    case CU_JSON_DURATION:
    case CU_JSON_NS:
        read_duration(r, field, value, at);
        return;
    case CU_JSON_TIME:
    case CU_JSON_TIME_MS:
        wrong_kind(r, field, value, false);
        return;
    case CU_JSON_TEXT:
    case CU_JSON_KEY:
    case CU_JSON_BASE64:
    case CU_JSON_ENUM:
        read_string(r, field, value, at);
        return;
    case CU_JSON_OPAQUE:
        read_opaque(r, field, value, at);
        return;
    case CU_JSON_OBJECT:
        read_message(r, field, value, at);
        return;
    case CU_JSON_CODEC_COUNT:
        break;
    }
}

/* ---- lists and maps ---- */

/* What a null in a list or a map stands for: no pointer in a message is NULL. */
static bool init_element(struct reading *r, const struct cu_json_field *field, void *at)
{
    const char *text = "";
    if (field->codec == CU_JSON_OBJECT)
        return message_at(r, field->shape, at) != NULL;
    if (field->codec == CU_JSON_TEXT)
        memcpy(at, &text, sizeof(void *));
    return true;
}

static void read_elements(struct reading *r, const struct cu_json_field *field,
                          struct cu_bytes value, uint8_t *list)
{
    struct cu_bytes element;
    for (struct cu_json_walk walk = cu_json_walk(value); cu_json_next_element(&walk, &element);
         list += cu_json_element_size(field->codec)) {
        if (!init_element(r, field, list))
            return;
        read_one(r, field, element, list);
    }
}

static size_t count_in(struct cu_bytes value, bool map)
{
    struct cu_bytes name, element;
    size_t count = 0;
    for (struct cu_json_walk walk = cu_json_walk(value);
         map ? cu_json_next_member(&walk, &name, &element) : cu_json_next_element(&walk, &element);)
        count++;
    return count;
}

struct entry {
    const char *key;
    uint8_t *message;
    size_t place;
};

static int by_key(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    return order ? order : x->place < y->place ? -1 : 1;
}

/* One entry of a map, whose member is at `quoted`; false: it failed. */
static bool read_entry(struct reading *r, const struct cu_json_shape *shape, struct cu_bytes quoted,
                       struct cu_bytes value, struct entry *ret_entry)
{
    const struct cu_json_field *value_row = &shape->fields[1];
    void *message = NULL;
    if (!message_at(r, shape, &message))
        return false;
    ret_entry->message = message;
    read_string(r, &shape->fields[0], quoted, ret_entry->message + shape->fields[0].offset);
    ret_entry->key = json_pointer_at(ret_entry->message + shape->fields[0].offset);
    if (!value_row->count_offset &&
        !init_element(r, value_row, ret_entry->message + value_row->offset))
        return false;
    read_field(r, value_row, value, ret_entry->message);
    return true;
}

/* Sorted by key, of equal keys the last one. */
static size_t sort_entries(struct entry *entries, size_t count, void **list)
{
    size_t kept = 0;
    if (count)
        qsort(entries, count, sizeof *entries, by_key);
    for (size_t i = 0; i < count; i++)
        if (i + 1 == count || strcmp(entries[i].key, entries[i + 1].key) != 0)
            list[kept++] = entries[i].message;
    return kept;
}

static size_t read_entries(struct reading *r, const struct cu_json_shape *shape,
                           struct cu_bytes value, size_t count, void **list)
{
    struct cu_bytes quoted, member;
    struct entry *entries = cu_arena_alloc(r->arena, count * sizeof *entries);
    size_t done = 0;
    if (!entries) {
        too_large(r);
        return 0;
    }
    for (struct cu_json_walk walk = cu_json_walk(value);
         cu_json_next_member(&walk, &quoted, &member); done++) {
        entries[done].place = done;
        if (!read_entry(r, shape, quoted, member, &entries[done]))
            break;
    }
    return sort_entries(entries, done, list);
}

static void read_list(struct reading *r, const struct cu_json_field *field, struct cu_bytes value,
                      uint8_t *base)
{
    bool map = json_has_form(field, CU_JSON_FORM_ENTRY);
    enum cu_json_kind kind = cu_json_kind(value);

    if (kind == CU_JSON_KIND_NULL)
        return;
    if (kind != (map ? CU_JSON_KIND_OBJECT : CU_JSON_KIND_ARRAY)) {
        wrong_kind(r, field, value, true);
        return;
    }
    size_t count = count_in(value, map);
    void *list = cu_arena_alloc(r->arena, count * cu_json_element_size(field->codec));
    if (!list) {
        too_large(r);
        return;
    }
    memcpy(base + field->offset, &list, sizeof(void *));
    if (map)
        count = read_entries(r, field->shape, value, count, list);
    else
        read_elements(r, field, value, list);
    /* What was not read for want of memory stays out: reading has failed. */
    if (r->first == CU_E_TOO_LARGE)
        count = 0;
    memcpy(base + field->count_offset, &count, sizeof count);
}

static void read_field(struct reading *r, const struct cu_json_field *field, struct cu_bytes value,
                       uint8_t *base)
{
    if (field->count_offset)
        read_list(r, field, value, base);
    else
        read_one(r, field, value, base + field->offset);
}

static bool is_blank(const struct cu_json_field *field, struct cu_bytes value)
{
    return cu_json_kind(value) == CU_JSON_KIND_NULL ||
           (field->codec == CU_JSON_TEXT && value.len == 2 && value.data[0] == '"');
}

/* A member by its name or by an alias: of the two an empty one gives way (http-api.md 1.3). */
static void read_member(struct reading *r, const struct cu_json_shape *shape,
                        const struct cu_json_field *field, bool is_alias, struct cu_bytes value,
                        uint8_t *base)
{
    const struct cu_json_shape *outer_shape = r->shape;
    const struct cu_json_field *outer_field = r->field;

    if (field->aliases && !json_is_empty(field, base) && (is_alias || is_blank(field, value)))
        return;
    r->shape = shape;
    r->field = field;
    read_field(r, field, value, base);
    r->shape = outer_shape;
    r->field = outer_field;
}

static void read_object(struct reading *r, const struct cu_json_shape *shape, struct cu_bytes value,
                        ProtobufCMessage *message)
{
    struct cu_json_walk walk = cu_json_walk(value);
    struct cu_bytes quoted, member, name;
    bool is_alias;

    while (cu_json_next_member(&walk, &quoted, &member)) {
        if (cu_json_unquote(quoted, r->arena, &name)) {
            too_large(r);
            return;
        }
        const struct cu_json_field *field = find_field(shape, name, &is_alias);
        if (field)
            read_member(r, shape, field, is_alias, member, (uint8_t *)message);
        else if (!shape->ignores_unknown && !is_listed(shape->ignored, name) &&
                 !failed_before(r, CU_E_INVALID))
            (void)cu_fail(r->diag, CU_E_INVALID, "json: unknown field \"%.*s\"",
                          (int)(name.len < 200 ? name.len : 200), (const char *)name.data);
    }
}

enum cu_err cu_json_read(struct cu_bytes value, const struct cu_json_shape *shape,
                         struct cu_arena *arena, ProtobufCMessage *message, struct cu_diag *diag)
{
    struct reading r = {arena, diag, CU_OK, shape, NULL};
    enum cu_json_kind kind = cu_json_kind(value);
    if (kind == CU_JSON_KIND_NULL)
        return CU_OK;
    if (kind != CU_JSON_KIND_OBJECT)
        return cu_fail(diag, CU_E_INVALID, "json: cannot unmarshal %s into Go value of type %s",
                       cu_json_kind_name(kind), shape->go_name);
    read_object(&r, shape, value, message);
    return r.first;
}

enum cu_err cu_json_read_text(struct cu_bytes text, const struct cu_json_shape *shape,
                              struct cu_arena *arena, ProtobufCMessage *message,
                              struct cu_diag *diag)
{
    struct cu_bytes value;
    enum cu_err err = cu_json_check(text, &value, diag);
    return err ? err : cu_json_read(value, shape, arena, message, diag);
}
