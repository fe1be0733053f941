#include "services/agentd/core/copy.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

static uint8_t *pack(const ProtobufCMessage *message, size_t *ret_len)
{
    uint8_t *packed = cu_alloc(protobuf_c_message_get_packed_size(message) + 1);
    *ret_len = protobuf_c_message_pack(message, packed);
    return packed;
}

static void *copy_with(const ProtobufCMessage *message, ProtobufCAllocator *allocator)
{
    size_t len;
    uint8_t *packed = pack(message, &len);
    void *copy = protobuf_c_message_unpack(message->descriptor, allocator, len, packed);
    free(packed);
    return copy;
}

void *agent_copy(const void *message)
{
    if (!message)
        return NULL;
    void *copy = copy_with(message, NULL);
    CU_ASSERT(copy); /* else out of memory: it was packed from a good message */
    return copy;
}

void agent_copy_free(void *message)
{
    if (message)
        protobuf_c_message_free_unpacked(message, NULL);
}

void *agent_arena_copy(const void *message, struct cu_arena *arena)
{
    return message ? copy_with(message, cu_arena_allocator(arena)) : NULL;
}

bool agent_same(const void *a, const void *b)
{
    size_t a_len, b_len;
    if (!a || !b)
        return a == b;
    uint8_t *packed_a = pack(a, &a_len), *packed_b = pack(b, &b_len);
    bool same = a_len == b_len && memcmp(packed_a, packed_b, a_len) == 0;
    free(packed_a);
    free(packed_b);
    return same;
}
