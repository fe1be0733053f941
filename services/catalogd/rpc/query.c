#include "services/catalogd/rpc/query.h"

#include "common/base/assert.h"

/* The place of field 1, which is a message of that type. */
static void *first_field(const ProtobufCMessage *message, const ProtobufCMessageDescriptor *type)
{
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[0];
    CU_ASSERT(field->id == 1 && field->descriptor == type);
    return (uint8_t *)(uintptr_t)message + field->offset;
}

const Curia__V1__ReadOptions *catalog_query_options(const ProtobufCMessage *in)
{
    return *(Curia__V1__ReadOptions **)first_field(in, &curia__v1__read_options__descriptor);
}

void catalog_query_set_options(ProtobufCMessage *in, Curia__V1__ReadOptions *options)
{
    *(Curia__V1__ReadOptions **)first_field(in, &curia__v1__read_options__descriptor) = options;
}

void catalog_query_set_meta(ProtobufCMessage *reply, Curia__V1__ReadMeta *meta)
{
    *(Curia__V1__ReadMeta **)first_field(reply, &curia__v1__read_meta__descriptor) = meta;
}
