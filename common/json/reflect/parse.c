#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/base/num.h"
#include "common/json/reflect/reflect.h"

enum { DEPTH = 16 }; /* no message of ours nests deeper */

struct parse {
    struct cu_arena *arena;
    struct cu_diag *diag;
    unsigned depth;
};

static enum cu_err refuse(const struct parse *parse, const ProtobufCFieldDescriptor *field,
                          const char *wanted)
{
    return cu_fail(parse->diag, CU_E_INVALID, "field \"%s\" must be %s", field->name, wanted);
}

static enum cu_err no_room(const struct parse *parse)
{
    return cu_fail(parse->diag, CU_E_TOO_LARGE, "the request is too large");
}

static enum cu_err read_signed(const struct parse *parse, const ProtobufCFieldDescriptor *field,
                               json_t *json, int64_t min, int64_t max, int64_t *ret)
{
    int64_t number = json_integer_value(json);
    const char *text = json_string_value(json);
    if (!json_is_integer(json) && (!text || cu_parse_i64(text, strlen(text), &number)))
        return refuse(parse, field, "a whole number");
    if (number < min || number > max)
        return refuse(parse, field, "within the range of its type");
    *ret = number;
    return CU_OK;
}

static enum cu_err read_unsigned(const struct parse *parse, const ProtobufCFieldDescriptor *field,
                                 json_t *json, uint64_t max, uint64_t *ret)
{
    uint64_t number = (uint64_t)json_integer_value(json);
    const char *text = json_string_value(json);
    if (json_is_integer(json) && json_integer_value(json) < 0)
        return refuse(parse, field, "within the range of its type");
    if (!json_is_integer(json) && (!text || cu_parse_u64(text, strlen(text), &number)))
        return refuse(parse, field, "a whole number");
    if (number > max)
        return refuse(parse, field, "within the range of its type");
    *ret = number;
    return CU_OK;
}

static enum cu_err read_enum(const struct parse *parse, const ProtobufCFieldDescriptor *field,
                             json_t *json, int *at)
{
    int64_t number = 0;
    if (json_is_string(json)) {
        const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value_by_name(
            field->descriptor, json_string_value(json));
        if (!value)
            return refuse(parse, field, "one of its names");
        *at = value->value;
        return CU_OK;
    }
    enum cu_err err = read_signed(parse, field, json, INT32_MIN, INT32_MAX, &number);
    if (!err)
        *at = (int)number;
    return err;
}

static enum cu_err read_bytes(const struct parse *parse, const ProtobufCFieldDescriptor *field,
                              json_t *json, ProtobufCBinaryData *at)
{
    const char *text = json_string_value(json), *end = NULL;
    size_t len = json_string_length(json), room = len / 4 * 3 + 3, got = 0;
    if (!text)
        return refuse(parse, field, "base64 in a string");
    uint8_t *data = cu_arena_alloc(parse->arena, room);
    if (!data)
        return no_room(parse);
    if (sodium_base642bin(data, room, text, len, NULL, &got, &end,
                          sodium_base64_VARIANT_ORIGINAL) ||
        (size_t)(end - text) != len)
        return refuse(parse, field, "base64 in a string");
    *at = (ProtobufCBinaryData){.data = data, .len = got};
    return CU_OK;
}

static enum cu_err read_text(const struct parse *parse, const ProtobufCFieldDescriptor *field,
                             json_t *json, char **at)
{
    if (!json_is_string(json) || strlen(json_string_value(json)) != json_string_length(json))
        return refuse(parse, field, "a string");
    *at = cu_arena_strdup(parse->arena, json_string_value(json));
    return *at ? CU_OK : no_room(parse);
}

static enum cu_err read_message(struct parse *parse, const ProtobufCMessageDescriptor *descriptor,
                                json_t *json, ProtobufCMessage **ret_message);

static enum cu_err read_value(struct parse *parse, const ProtobufCFieldDescriptor *field,
                              json_t *json, void *at)
{
    enum cu_err err = CU_E_INTERNAL;
    int64_t number = 0;
    uint64_t whole = 0;
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        err = read_signed(parse, field, json, INT32_MIN, INT32_MAX, &number);
        *(int32_t *)at = (int32_t)number;
        return err;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        err = read_signed(parse, field, json, INT64_MIN, INT64_MAX, &number);
        *(int64_t *)at = number;
        return err;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        err = read_unsigned(parse, field, json, UINT32_MAX, &whole);
        *(uint32_t *)at = (uint32_t)whole;
        return err;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        err = read_unsigned(parse, field, json, UINT64_MAX, &whole);
        *(uint64_t *)at = whole;
        return err;
    case PROTOBUF_C_TYPE_FLOAT:
        *(float *)at = (float)json_number_value(json);
        return json_is_number(json) ? CU_OK : refuse(parse, field, "a number");
    case PROTOBUF_C_TYPE_DOUBLE:
        *(double *)at = json_number_value(json);
        return json_is_number(json) ? CU_OK : refuse(parse, field, "a number");
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)at = json_is_true(json);
        return json_is_boolean(json) ? CU_OK : refuse(parse, field, "true or false");
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(parse, field, json, at);
    case PROTOBUF_C_TYPE_STRING:
        return read_text(parse, field, json, at);
    case PROTOBUF_C_TYPE_BYTES:
        return read_bytes(parse, field, json, at);
    case PROTOBUF_C_TYPE_MESSAGE:
        return read_message(parse, field->descriptor, json, at);
    }
    return err;
}

static enum cu_err read_list(struct parse *parse, const ProtobufCFieldDescriptor *field,
                             json_t *json, ProtobufCMessage *message)
{
    size_t count = json_array_size(json), step = cu_reflect_element_size(field->type), i;
    if (!json_is_array(json))
        return refuse(parse, field, "a list");
    char *items = cu_arena_alloc(parse->arena, count ? count * step : 1);
    json_t *item;
    if (!items)
        return no_room(parse);
    json_array_foreach(json, i, item)
    {
        enum cu_err err = read_value(parse, field, item, items + i * step);
        if (err)
            return err;
    }
    *(size_t *)((char *)message + field->quantifier_offset) = count;
    *(char **)((char *)message + field->offset) = items;
    return CU_OK;
}

static enum cu_err read_field(struct parse *parse, const ProtobufCFieldDescriptor *field,
                              json_t *json, ProtobufCMessage *message)
{
    char *base = (char *)message;
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return read_list(parse, field, json, message);
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        uint32_t *which = (uint32_t *)(base + field->quantifier_offset);
        if (*which)
            return refuse(parse, field, "the only one of its group");
        *which = field->id;
    }
    return read_value(parse, field, json, base + field->offset);
}

static enum cu_err read_fields(struct parse *parse, json_t *json, ProtobufCMessage *message)
{
    const char *name;
    json_t *value;
    json_object_foreach(json, name, value)
    {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
        if (!field)
            return cu_fail(parse->diag, CU_E_INVALID, "%s has no field \"%.100s\"",
                           message->descriptor->short_name, name);
        enum cu_err err = json_is_null(value) ? CU_OK : read_field(parse, field, value, message);
        if (err)
            return err;
    }
    return CU_OK;
}

static enum cu_err read_message(struct parse *parse, const ProtobufCMessageDescriptor *descriptor,
                                json_t *json, ProtobufCMessage **ret_message)
{
    if (!json_is_object(json))
        return cu_fail(parse->diag, CU_E_INVALID, "%s must be an object", descriptor->short_name);
    if (parse->depth == DEPTH)
        return cu_fail(parse->diag, CU_E_INVALID, "nested deeper than %d", DEPTH);
    ProtobufCMessage *message = cu_arena_alloc(parse->arena, descriptor->sizeof_message);
    if (!message)
        return no_room(parse);
    protobuf_c_message_init(descriptor, message);
    parse->depth++;
    enum cu_err err = read_fields(parse, json, message);
    parse->depth--;
    if (!err)
        *ret_message = message;
    return err;
}

enum cu_err cu_reflect_from_json(const ProtobufCMessageDescriptor *descriptor, json_t *json,
                                 struct cu_arena *arena, ProtobufCMessage **ret_message,
                                 struct cu_diag *diag)
{
    struct parse parse = {.arena = arena, .diag = diag};
    return read_message(&parse, descriptor, json, ret_message);
}
