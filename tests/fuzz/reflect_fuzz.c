/* reflect_fuzz.c - what `curia call` is given: JSON that becomes a message prints, and what prints
 * becomes the same message. The first byte picks the message. */
#include <stdlib.h>
#include <string.h>

#include "common/json/reflect/reflect.h"
#include "proto/curia/internal/v1/raft.pb-c.h"
#include "proto/curia/v1/catalog.pb-c.h"
#include "proto/curia/v1/config.pb-c.h"
#include "proto/curia/v1/kv.pb-c.h"
#include "tests/fuzz/fuzz.h"

enum { ARENA_BYTES = 4 * 1024 * 1024 };

static const ProtobufCMessageDescriptor *const kinds[] = {
    &curia__v1__register_request__descriptor,
    &curia__v1__config_set_request__descriptor,
    &curia__v1__kv_txn_request__descriptor,
    &curia__internal__v1__raft_message__descriptor,
};

static ProtobufCMessage *read(const ProtobufCMessageDescriptor *kind, json_t *json,
                              struct cu_arena *arena)
{
    ProtobufCMessage *message = NULL;
    struct cu_diag diag = {{0}};
    if (!cu_reflect_from_json(kind, json, arena, &message, &diag))
        return message;
    if (!diag.text[0])
        abort(); /* refused without a sentence */
    return NULL;
}

static void check_again(const ProtobufCMessage *message, struct cu_arena *arena)
{
    json_t *once = cu_reflect_to_json(message);
    ProtobufCMessage *again = read(message->descriptor, once, arena);
    if (!again)
        abort();
    json_t *twice = cu_reflect_to_json(again);
    if (!json_equal(once, twice))
        abort();
    json_decref(once);
    json_decref(twice);
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    if (len == 0)
        return false;
    json_t *json = json_loadb((const char *)data + 1, len - 1, 0, NULL);
    if (!json)
        return false;
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    ProtobufCMessage *message = read(kinds[data[0] % CU_COUNT(kinds)], json, arena);
    if (message)
        check_again(message, arena);
    cu_arena_free(arena);
    json_decref(json);
    return message != NULL;
}
