/* reflect.h - any message as JSON and back by plain reflection: names as in the proto, bytes as
 * base64. */
#ifndef CU_JSON_REFLECT_REFLECT_H
#define CU_JSON_REFLECT_REFLECT_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#include "common/base/arena.h"
#include "common/base/err.h"

/* All fields in the order of the proto, unset messages and members of a oneof left out. Enums by
 * name. A number above 2^63 - 1 is a string, since jansson's stop there. Bytes that are no UTF-8 in
 * a string field print as base64. Yours (json_decref). */
json_t *cu_reflect_to_json(const ProtobufCMessage *message);

/* The reverse: the message lives in the arena. Unknown names, wrong types and numbers out of range
 * are CU_E_INVALID with a sentence that names the field; CU_E_TOO_LARGE: the arena's limit. Numbers
 * may be given as strings, enums by name or number. */
CU_MUST_USE enum cu_err cu_reflect_from_json(const ProtobufCMessageDescriptor *descriptor,
                                             json_t *json, struct cu_arena *arena,
                                             ProtobufCMessage **ret_message, struct cu_diag *diag);

/* Bytes of one element of a repeated field: protobuf-c steps through it by the size of its type. */
size_t cu_reflect_element_size(ProtobufCType type);

#endif
