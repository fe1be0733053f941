#include "common/json/reflect/reflect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/base/assert.h"

static json_t *bytes_to_json(const uint8_t *data, size_t len)
{
    size_t room = sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_ORIGINAL);
    char *text = cu_alloc(room);
    (void)sodium_bin2base64(text, room, data, len, sodium_base64_VARIANT_ORIGINAL);
    json_t *json = json_string(text);
    free(text);
    return json;
}

static json_t *text_to_json(const char *text)
{
    json_t *json = json_string(text ? text : "");
    return json ? json : bytes_to_json((const uint8_t *)text, strlen(text));
}

static json_t *unsigned_to_json(uint64_t number)
{
    char text[24];
    if (number <= INT64_MAX)
        return json_integer((json_int_t)number);
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return json_string(text);
}

static json_t *enum_to_json(const ProtobufCEnumDescriptor *descriptor, int number)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(descriptor, number);
    return value ? json_string(value->name) : json_integer(number); /* of a newer peer */
}

#define AS(type) (*(const type *)at)

/* The one value at `at`; NULL for a message that is not there. */
static json_t *value_to_json(const ProtobufCFieldDescriptor *field, const void *at)
{
    switch (field->type) { /* every type of protobuf-c, which makes no new ones in a release */
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return json_integer(AS(int32_t));
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return json_integer(AS(int64_t));
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return json_integer(AS(uint32_t));
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return unsigned_to_json(AS(uint64_t));
    case PROTOBUF_C_TYPE_FLOAT:
        return json_real((double)AS(float));
    case PROTOBUF_C_TYPE_DOUBLE:
        return json_real(AS(double));
    case PROTOBUF_C_TYPE_BOOL:
        return json_boolean(AS(protobuf_c_boolean));
    case PROTOBUF_C_TYPE_ENUM:
        return enum_to_json(field->descriptor, AS(int));
    case PROTOBUF_C_TYPE_STRING:
        return text_to_json(AS(char *));
    case PROTOBUF_C_TYPE_BYTES:
        return bytes_to_json(AS(ProtobufCBinaryData).data, AS(ProtobufCBinaryData).len);
    case PROTOBUF_C_TYPE_MESSAGE:
        return AS(ProtobufCMessage *) ? cu_reflect_to_json(AS(ProtobufCMessage *)) : NULL;
    }
    return NULL;
}

size_t cu_reflect_element_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_ENUM:
        return 4;
    }
    return 0;
}

static json_t *list_to_json(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
    const char *base = (const char *)message;
    size_t count = *(const size_t *)(base + field->quantifier_offset);
    size_t size = cu_reflect_element_size(field->type);
    const char *items = *(const char *const *)(base + field->offset);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(list, value_to_json(field, items + i * size));
    return list;
}

static json_t *field_to_json(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
    const char *base = (const char *)message;
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return list_to_json(field, message);
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF &&
        *(const uint32_t *)(base + field->quantifier_offset) != field->id)
        return NULL;
    return value_to_json(field, base + field->offset);
}

json_t *cu_reflect_to_json(const ProtobufCMessage *message)
{
    json_t *json = json_object();
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        json_t *value = field_to_json(field, message);
        if (value)
            (void)json_object_set_new(json, field->name, value);
    }
    return json;
}
