/* write.c - message to text by a shape; declared in shape.h. */
#include <stdlib.h>

#include "common/base/assert.h"
#include "common/base/num.h"
#include "common/json/codec.h"
#include "common/json/text.h"

enum { MS_PER_S = 1000 };

static void write_enum(struct cu_buf *out, const struct cu_json_names *names, uint32_t number)
{
    cu_json_cstr(out, number < names->count ? names->names[number] : NULL);
}

static void write_duration(struct cu_buf *out, int64_t ns)
{
    char text[CU_DURATION_BYTES];
    cu_json_cstr(out, cu_format_duration(ns, text));
}

static void write_opaque(struct cu_buf *out, struct cu_bytes text)
{
    if (text.len)
        cu_buf_append(out, text.data, text.len);
    else
        cu_buf_append(out, "{}", 2);
}

static void write_value(struct cu_buf *out, const struct cu_json_field *field, const void *at)
{
    switch (field->codec) {
    case CU_JSON_BOOL:
        cu_buf_text(out, json_u32_at(at) ? "true" : "false");
        return;
    case CU_JSON_I32:
    case CU_JSON_NUMBERED:
        cu_json_i64(out, (int32_t)json_u32_at(at));
        return;
    case CU_JSON_U32:
        cu_json_u64(out, json_u32_at(at));
        return;
    case CU_JSON_I64:
    case CU_JSON_NS:
        cu_json_i64(out, (int64_t)json_u64_at(at));
        return;
    case CU_JSON_U64:
        cu_json_u64(out, json_u64_at(at));
        return;
    case CU_JSON_DURATION:
        write_duration(out, (int64_t)json_u64_at(at));
        return;
    case CU_JSON_TIME:
        cu_json_time(out, (int64_t)json_u64_at(at), 0);
        return;
    case CU_JSON_TIME_MS:
        cu_json_time(out, (int64_t)(json_u64_at(at) / MS_PER_S),
                     (unsigned)(json_u64_at(at) % MS_PER_S));
        return;
    case CU_JSON_TEXT:
        cu_json_cstr(out, json_pointer_at(at));
        return;
    case CU_JSON_KEY:
        cu_json_text(out, json_bytes_at(at));
        return;
    case CU_JSON_BASE64:
        cu_json_base64(out, json_bytes_at(at));
        return;
    case CU_JSON_OPAQUE:
        write_opaque(out, json_bytes_at(at));
        return;
    case CU_JSON_ENUM:
        write_enum(out, field->names, json_u32_at(at));
        return;
    case CU_JSON_OBJECT:
        cu_json_write(out, field->shape, json_pointer_at(at));
        return;
    case CU_JSON_CODEC_COUNT:
        break;
    }
}

static void write_elements(struct cu_buf *out, const struct cu_json_field *field,
                           const uint8_t *element, size_t count)
{
    size_t size = cu_json_element_size(field->codec);

    cu_buf_u8(out, '[');
    for (size_t i = 0; i < count; i++, element += size) {
        if (i)
            cu_buf_u8(out, ',');
        write_value(out, field, element);
    }
    cu_buf_u8(out, ']');
}

/* ---- maps ---- */

static const char *key_of(const struct cu_json_shape *entry, const uint8_t *message)
{
    return json_pointer_at(message + entry->fields[0].offset);
}

struct keyed {
    const char *key;
    const uint8_t *entry;
};

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct keyed *)a)->key, ((const struct keyed *)b)->key);
}

static bool is_sorted(const struct cu_json_shape *shape, const uint8_t *const *entries,
                      size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (strcmp(key_of(shape, entries[i - 1]), key_of(shape, entries[i])) > 0)
            return false;
    return true;
}

static void write_entry(struct cu_buf *out, const struct cu_json_shape *shape, bool first,
                        const uint8_t *entry)
{
    const struct cu_json_field *value = &shape->fields[1];
    if (!first)
        cu_buf_u8(out, ',');
    cu_json_cstr(out, key_of(shape, entry));
    cu_buf_u8(out, ':');
    if (value->count_offset)
        write_elements(out, value, json_pointer_at(entry + value->offset),
                       json_count_at(value, entry));
    else
        write_value(out, value, entry + value->offset);
}

static void write_sorted(struct cu_buf *out, const struct cu_json_shape *shape,
                         const uint8_t *const *entries, size_t count)
{
    struct keyed *sorted = cu_alloc(count * sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct keyed){key_of(shape, entries[i]), entries[i]};
    qsort(sorted, count, sizeof *sorted, by_key);
    for (size_t i = 0; i < count; i++)
        write_entry(out, shape, i == 0, sorted[i].entry);
    free(sorted);
}

static void write_entries(struct cu_buf *out, const struct cu_json_shape *shape,
                          const uint8_t *const *entries, size_t count)
{
    cu_buf_u8(out, '{');
    if (!is_sorted(shape, entries, count))
        write_sorted(out, shape, entries, count);
    else
        for (size_t i = 0; i < count; i++)
            write_entry(out, shape, i == 0, entries[i]);
    cu_buf_u8(out, '}');
}

static void write_list(struct cu_buf *out, const struct cu_json_field *field, const uint8_t *base)
{
    size_t count = json_count_at(field, base);
    const void *list = json_pointer_at(base + field->offset);
    if (json_has_form(field, CU_JSON_FORM_ENTRY))
        write_entries(out, field->shape, list, count);
    else
        write_elements(out, field, list, count);
}

/* ---- messages ---- */

/* A member of a message that is absent. */
static void write_nothing(struct cu_buf *out, const struct cu_json_field *field)
{
    static const ProtobufCBinaryData zero; /* the widest of all members */
    if (field->count_offset)
        cu_buf_append(out, json_has_form(field, CU_JSON_FORM_ENTRY) ? "{}" : "[]", 2);
    else
        write_value(out, field, &zero);
}

/* Of a wrapper that is there also when what it wraps is empty. */
static bool is_omitted(const struct cu_json_field *field, const uint8_t *base)
{
    if (field->empty != CU_JSON_OMIT)
        return false;
    if (!base || json_is_empty(field, base))
        return true;
    return !field->count_offset && json_has_form(field, CU_JSON_FORM_WRAPPER) &&
           json_is_empty(field->shape->fields, json_pointer_at(base + field->offset));
}

static void write_member(struct cu_buf *out, const struct cu_json_field *field, const uint8_t *base)
{
    if (field->empty == CU_JSON_NULL && (!base || json_is_empty(field, base)))
        cu_buf_append(out, "null", 4);
    else if (!base)
        write_nothing(out, field);
    else if (field->count_offset)
        write_list(out, field, base);
    else
        write_value(out, field, base + field->offset);
}

void cu_json_write(struct cu_buf *out, const struct cu_json_shape *shape,
                   const ProtobufCMessage *message)
{
    const uint8_t *base = (const uint8_t *)message;
    char before = '{';

    if (shape->form == CU_JSON_FORM_WRAPPER) {
        write_member(out, shape->fields, base);
        return;
    }
    for (const struct cu_json_field *field = shape->fields; field < shape->fields + shape->count;
         field++) {
        if (is_omitted(field, base))
            continue;
        cu_buf_u8(out, (uint8_t)before);
        before = ',';
        cu_buf_text(out, field->printed);
        write_member(out, field, base);
    }
    if (before == '{')
        cu_buf_u8(out, '{');
    cu_buf_u8(out, '}');
}

void cu_json_write_list(struct cu_buf *out, const struct cu_json_shape *shape, const void *messages,
                        size_t count)
{
    const struct cu_json_field element = {.codec = CU_JSON_OBJECT, .shape = shape};
    write_elements(out, &element, messages, count);
}
