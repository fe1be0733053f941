/* schema.h - all of proto/ as one packed google.protobuf.FileDescriptorSet, for reflection. */
#ifndef PROTO_SCHEMA_H
#define PROTO_SCHEMA_H

#include <stddef.h>

extern const unsigned char cu_schema[];
extern const size_t cu_schema_len;

#endif
