/* read.c - text to message by a shape; declared in shape.h. */
#include "common/json/shape.h"

#include <string.h>

#include "common/base/num.h"
#include "common/json/base64.h"
#include "common/json/scan.h"

/* What one field is read with. `first` keeps the failure that is reported: reading goes on, as the
 * reference's does, so that the first one in the text is not hidden by a later one. */
struct reading {
    struct cu_arena *arena;
    struct cu_diag *diag;
    enum cu_err first;
};

static bool failed_before(struct reading *r, enum cu_err err)
{
    bool before = r->first != CU_OK;
    if (!before)
        r->first = err;
    return before;
}

static void wrong_kind(struct reading *r, const struct cu_json_shape *shape,
                       const struct cu_json_field *field, struct cu_bytes value, const char *type)
{
    if (failed_before(r, CU_E_INVALID))
        return;
    enum cu_json_kind kind = cu_json_kind(value);
    bool number = kind == CU_JSON_KIND_NUMBER;
    const char *dot = strchr(shape->go_name, '.');
    (void)cu_fail(r->diag, CU_E_INVALID,
                  "json: cannot unmarshal %s%s%.*s into Go struct field %s.%s of type %s",
                  cu_json_kind_name(kind), number ? " " : "",
                  number ? (int)(value.len < 40 ? value.len : 40) : 0, (const char *)value.data,
                  dot ? dot + 1 : shape->go_name, field->name, type);
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
                                              struct cu_bytes name)
{
    for (size_t i = 0; i < shape->count; i++)
        if (cu_json_name_is(name, shape->fields[i].name) ||
            (shape->fields[i].alias && cu_json_name_is(name, shape->fields[i].alias)))
            return &shape->fields[i];
    return NULL;
}

static void read_unsigned(struct reading *r, const struct cu_json_shape *shape,
                          const struct cu_json_field *field, struct cu_bytes value, void *at)
{
    bool wide = field->codec == CU_JSON_U64;
    uint64_t number = 0;
    enum cu_err err = cu_json_kind(value) == CU_JSON_KIND_NUMBER
                          ? cu_parse_u64((const char *)value.data, value.len, &number)
                          : CU_E_INVALID;
    if (err || (!wide && number > UINT32_MAX)) {
        wrong_kind(r, shape, field, value, wide ? "uint64" : "uint32");
        return;
    }
    uint32_t narrow = (uint32_t)number;
    memcpy(at, wide ? (void *)&number : (void *)&narrow, wide ? sizeof number : sizeof narrow);
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

static void read_string(struct reading *r, const struct cu_json_shape *shape,
                        const struct cu_json_field *field, struct cu_bytes value, void *at)
{
    struct cu_bytes text;
    if (cu_json_kind(value) != CU_JSON_KIND_STRING) {
        wrong_kind(r, shape, field, value, field->codec == CU_JSON_BASE64 ? "[]uint8" : "string");
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
        (void)cu_fail(r->diag, CU_E_INVALID, "json: invalid NUL in field %s", field->name);
    }
}

static void read_object(struct reading *r, const struct cu_json_shape *shape, struct cu_bytes value,
                        ProtobufCMessage *message);

static void read_message(struct reading *r, const struct cu_json_shape *shape,
                         const struct cu_json_field *field, struct cu_bytes value, void *at)
{
    if (cu_json_kind(value) != CU_JSON_KIND_OBJECT) {
        wrong_kind(r, shape, field, value, field->shape->go_name);
        return;
    }
    ProtobufCMessage *message = cu_arena_alloc(r->arena, field->shape->descriptor->sizeof_message);
    if (!message) {
        too_large(r);
        return;
    }
    protobuf_c_message_init(field->shape->descriptor, message);
    read_object(r, field->shape, value, message);
    memcpy(at, &message, sizeof(void *));
}

static void read_one(struct reading *r, const struct cu_json_shape *shape,
                     const struct cu_json_field *field, struct cu_bytes value, void *at)
{
    protobuf_c_boolean flag = value.data[0] == 't';
    if (cu_json_kind(value) == CU_JSON_KIND_NULL)
        return; /* leaves the default (http-api.md 1.3) */
    switch (field->codec) {
    case CU_JSON_BOOL:
        if (cu_json_kind(value) == CU_JSON_KIND_BOOL)
            memcpy(at, &flag, sizeof flag);
        else
            wrong_kind(r, shape, field, value, "bool");
        return;
    case CU_JSON_U32:
    case CU_JSON_U64:
        read_unsigned(r, shape, field, value, at);
        return;
    case CU_JSON_TEXT:
    case CU_JSON_KEY:
    case CU_JSON_BASE64:
    case CU_JSON_ENUM:
        read_string(r, shape, field, value, at);
        return;
    case CU_JSON_OBJECT:
        read_message(r, shape, field, value, at);
        return;
    case CU_JSON_CODEC_COUNT:
        break;
    }
}

static void read_list(struct reading *r, const struct cu_json_shape *shape,
                      const struct cu_json_field *field, struct cu_bytes value, uint8_t *base)
{
    size_t size = cu_json_element_size(field->codec), count = 0;
    struct cu_bytes element;

    if (cu_json_kind(value) == CU_JSON_KIND_NULL)
        return;
    if (cu_json_kind(value) != CU_JSON_KIND_ARRAY) {
        wrong_kind(r, shape, field, value, "[]");
        return;
    }
    for (struct cu_json_walk walk = cu_json_walk(value); cu_json_next_element(&walk, &element);)
        count++;
    uint8_t *list = cu_arena_alloc(r->arena, count * size);
    if (!list) {
        too_large(r);
        return;
    }
    memcpy(base + field->offset, &list, sizeof(void *));
    memcpy(base + field->count_offset, &count, sizeof count);
    for (struct cu_json_walk walk = cu_json_walk(value); cu_json_next_element(&walk, &element);
         list += size)
        read_one(r, shape, field, element, list);
}

static void read_field(struct reading *r, const struct cu_json_shape *shape,
                       const struct cu_json_field *field, struct cu_bytes value, uint8_t *base)
{
    if (field->count_offset)
        read_list(r, shape, field, value, base);
    else
        read_one(r, shape, field, value, base + field->offset);
}

static void read_object(struct reading *r, const struct cu_json_shape *shape, struct cu_bytes value,
                        ProtobufCMessage *message)
{
    struct cu_json_walk walk = cu_json_walk(value);
    struct cu_bytes quoted, member, name;

    while (cu_json_next_member(&walk, &quoted, &member)) {
        if (cu_json_unquote(quoted, r->arena, &name)) {
            too_large(r);
            return;
        }
        const struct cu_json_field *field = find_field(shape, name);
        if (field)
            read_field(r, shape, field, member, (uint8_t *)message);
        else if (!shape->ignores_unknown && !is_listed(shape->ignored, name) &&
                 !failed_before(r, CU_E_INVALID))
            (void)cu_fail(r->diag, CU_E_INVALID, "json: unknown field \"%.*s\"",
                          (int)(name.len < 200 ? name.len : 200), (const char *)name.data);
    }
}

enum cu_err cu_json_read(struct cu_bytes value, const struct cu_json_shape *shape,
                         struct cu_arena *arena, ProtobufCMessage *message, struct cu_diag *diag)
{
    struct reading r = {arena, diag, CU_OK};
    enum cu_json_kind kind = cu_json_kind(value);
    if (kind == CU_JSON_KIND_NULL)
        return CU_OK;
    if (kind != CU_JSON_KIND_OBJECT)
        return cu_fail(diag, CU_E_INVALID, "json: cannot unmarshal %s into Go value of type %s",
                       cu_json_kind_name(kind), shape->go_name);
    read_object(&r, shape, value, message);
    return r.first;
}
