/* write.c - message to text by a shape; declared in shape.h. */
#include "common/json/shape.h"

#include <string.h>

#include "common/json/text.h"

size_t cu_json_element_size(enum cu_json_codec codec)
{
    switch (codec) {
    case CU_JSON_BOOL:
        return sizeof(protobuf_c_boolean);
    case CU_JSON_U32:
        return sizeof(uint32_t);
    case CU_JSON_U64:
        return sizeof(uint64_t);
    case CU_JSON_KEY:
    case CU_JSON_BASE64:
        return sizeof(ProtobufCBinaryData);
    case CU_JSON_ENUM:
        return sizeof(int);
    case CU_JSON_TEXT:
    case CU_JSON_OBJECT:
    case CU_JSON_CODEC_COUNT:
        break;
    }
    return sizeof(void *);
}

static struct cu_bytes bytes_at(const void *at)
{
    ProtobufCBinaryData data;
    memcpy(&data, at, sizeof data);
    return (struct cu_bytes){data.data, data.len};
}

static const void *pointer_at(const void *at)
{
    const void *pointer;
    memcpy(&pointer, at, sizeof pointer);
    return pointer;
}

static uint32_t u32_at(const void *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static uint64_t u64_at(const void *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static bool is_empty(const struct cu_json_field *field, const void *at)
{
    const char *text;
    switch (field->codec) {
    case CU_JSON_BOOL:
    case CU_JSON_U32:
    case CU_JSON_ENUM:
        return u32_at(at) == 0;
    case CU_JSON_U64:
        return u64_at(at) == 0;
    case CU_JSON_TEXT:
        text = pointer_at(at);
        return !text || !*text;
    case CU_JSON_KEY:
    case CU_JSON_BASE64:
        return bytes_at(at).len == 0;
    case CU_JSON_OBJECT:
    case CU_JSON_CODEC_COUNT:
        break;
    }
    return pointer_at(at) == NULL;
}

static void write_enum(struct cu_buf *out, const struct cu_json_names *names, uint32_t number)
{
    cu_json_cstr(out, number < names->count ? names->names[number] : NULL);
}

static void write_value(struct cu_buf *out, const struct cu_json_field *field, const void *at)
{
    switch (field->codec) {
    case CU_JSON_BOOL:
        cu_buf_text(out, u32_at(at) ? "true" : "false");
        return;
    case CU_JSON_U32:
        cu_json_u64(out, u32_at(at));
        return;
    case CU_JSON_U64:
        cu_json_u64(out, u64_at(at));
        return;
    case CU_JSON_TEXT:
        cu_json_cstr(out, pointer_at(at));
        return;
    case CU_JSON_KEY:
        cu_json_text(out, bytes_at(at));
        return;
    case CU_JSON_BASE64:
        cu_json_base64(out, bytes_at(at));
        return;
    case CU_JSON_ENUM:
        write_enum(out, field->names, u32_at(at));
        return;
    case CU_JSON_OBJECT:
        if (pointer_at(at))
            cu_json_write(out, field->shape, pointer_at(at));
        else
            cu_buf_append(out, "{}", 2);
        return;
    case CU_JSON_CODEC_COUNT:
        break;
    }
}

static void write_list(struct cu_buf *out, const struct cu_json_field *field, const void *at,
                       size_t count)
{
    const uint8_t *element = pointer_at(at);
    size_t size = cu_json_element_size(field->codec);

    cu_buf_u8(out, '[');
    for (size_t i = 0; i < count; i++, element += size) {
        if (i)
            cu_buf_u8(out, ',');
        write_value(out, field, element);
    }
    cu_buf_u8(out, ']');
}

void cu_json_write(struct cu_buf *out, const struct cu_json_shape *shape,
                   const ProtobufCMessage *message)
{
    const uint8_t *base = (const uint8_t *)message;
    char before = '{';

    for (const struct cu_json_field *field = shape->fields; field < shape->fields + shape->count;
         field++) {
        const void *at = base + field->offset;
        size_t count = field->count_offset ? (size_t)u64_at(base + field->count_offset) : 0;
        bool empty = field->count_offset ? count == 0 : is_empty(field, at);
        if (empty && field->empty == CU_JSON_OMIT)
            continue;
        cu_buf_u8(out, (uint8_t)before);
        before = ',';
        cu_buf_text(out, field->printed);
        if (empty && field->empty == CU_JSON_NULL)
            cu_buf_append(out, "null", 4);
        else if (field->count_offset)
            write_list(out, field, at, count);
        else
            write_value(out, field, at);
    }
    if (before == '{')
        cu_buf_u8(out, '{');
    cu_buf_u8(out, '}');
}
