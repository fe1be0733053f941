#include "common/json/codec.h"

/* clang-format off */
static const size_t sizes[] = {
    [CU_JSON_BOOL]     = sizeof(protobuf_c_boolean),
    [CU_JSON_I32]      = sizeof(int32_t),
    [CU_JSON_U32]      = sizeof(uint32_t),
    [CU_JSON_I64]      = sizeof(int64_t),
    [CU_JSON_U64]      = sizeof(uint64_t),
    [CU_JSON_DURATION] = sizeof(int64_t),
    [CU_JSON_NS]       = sizeof(int64_t),
    [CU_JSON_TIME]     = sizeof(int64_t),
    [CU_JSON_TIME_MS]  = sizeof(uint64_t),
    [CU_JSON_TEXT]     = sizeof(char *),
    [CU_JSON_KEY]      = sizeof(ProtobufCBinaryData),
    [CU_JSON_BASE64]   = sizeof(ProtobufCBinaryData),
    [CU_JSON_OPAQUE]   = sizeof(ProtobufCBinaryData),
    [CU_JSON_ENUM]     = sizeof(int),
    [CU_JSON_NUMBERED] = sizeof(int),
    [CU_JSON_OBJECT]   = sizeof(void *),
};
/* clang-format on */
_Static_assert(CU_COUNT(sizes) == CU_JSON_CODEC_COUNT, "a size for each codec");

size_t cu_json_element_size(enum cu_json_codec codec)
{
    return sizes[codec];
}

bool json_value_is_empty(const struct cu_json_field *field, const void *at)
{
    const char *text;
    switch (field->codec) {
    case CU_JSON_BOOL:
    case CU_JSON_I32:
    case CU_JSON_U32:
    case CU_JSON_ENUM:
    case CU_JSON_NUMBERED:
        return json_u32_at(at) == 0;
    case CU_JSON_I64:
    case CU_JSON_U64:
    case CU_JSON_DURATION:
    case CU_JSON_NS:
    case CU_JSON_TIME:
    case CU_JSON_TIME_MS:
        return json_u64_at(at) == 0;
    case CU_JSON_TEXT:
        text = json_pointer_at(at);
        return !text || !*text;
    case CU_JSON_KEY:
    case CU_JSON_BASE64:
    case CU_JSON_OPAQUE:
        return json_bytes_at(at).len == 0;
    case CU_JSON_OBJECT:
    case CU_JSON_CODEC_COUNT:
        break;
    }
    return json_pointer_at(at) == NULL;
}

bool json_is_empty(const struct cu_json_field *field, const uint8_t *base)
{
    return field->count_offset ? json_count_at(field, base) == 0
                               : json_value_is_empty(field, base + field->offset);
}
