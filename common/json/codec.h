/* codec.h - what the codecs of shape.h say about a value in memory; of this folder only. */
#ifndef CU_JSON_CODEC_H
#define CU_JSON_CODEC_H

#include <string.h>

#include "common/json/shape.h"

/* Members are read through memcpy: their type is known only to the row. */
static inline struct cu_bytes json_bytes_at(const void *at)
{
    ProtobufCBinaryData data;
    memcpy(&data, at, sizeof data);
    return (struct cu_bytes){data.data, data.len};
}

static inline const void *json_pointer_at(const void *at)
{
    const void *pointer;
    memcpy(&pointer, at, sizeof pointer);
    return pointer;
}

static inline uint32_t json_u32_at(const void *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint64_t json_u64_at(const void *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline size_t json_count_at(const struct cu_json_field *field, const uint8_t *base)
{
    return (size_t)json_u64_at(base + field->count_offset);
}
_Static_assert(sizeof(size_t) == sizeof(uint64_t), "counts are read as 64 bits");

static inline bool json_has_form(const struct cu_json_field *field, enum cu_json_form form)
{
    return field->codec == CU_JSON_OBJECT && field->shape->form == form;
}

/* Zero, "", no element, an absent message; a wrapper: absent. */
bool json_is_empty(const struct cu_json_field *field, const uint8_t *base);
/* The same of one value; not of a list. */
bool json_value_is_empty(const struct cu_json_field *field, const void *at);

#endif
