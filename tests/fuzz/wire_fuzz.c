/* wire_fuzz.c - messages between raftds and headers of states: what is read is written to something
 * that reads the same. Checksums of entries are put right, so that mutations get past them. */
#include <stdlib.h>
#include <string.h>

#include "services/raftd/core/entry.h"
#include "services/raftd/io/wire.h"
#include "tests/fuzz/fuzz.h"

enum { ARENA_BYTES = 4 * 1024 * 1024 };

static void seal(raft_pb_entry *entry)
{
    struct raft_entry read = {.index = entry->index,
                              .term = entry->term,
                              .kind = (enum raft_kind)entry->kind,
                              .wall_ms = entry->wall_ms,
                              .lease_ms = entry->lease_ms,
                              .seq = entry->seq,
                              .if_term = entry->if_term,
                              .level = entry->level};
    if (raft_wire_read_id(entry->proposer, &read.proposer))
        return;
    if (entry->body.len)
        read.body = raft_body_new((struct cu_bytes){entry->body.data, entry->body.len});
    entry->checksum = raft_entry_checksum(&read);
    raft_body_unref(read.body);
}

static struct cu_bytes pack(const ProtobufCMessage *message, struct cu_arena *arena)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = cu_arena_alloc(arena, len + 1);
    if (!bytes)
        abort();
    return (struct cu_bytes){bytes, protobuf_c_message_pack(message, bytes)};
}

/* What is read of it, packed; data NULL: it is no message of that type, or none that is taken. */
typedef struct cu_bytes read_and_write(struct cu_bytes bytes, struct cu_arena *arena);

static struct cu_bytes message_again(struct cu_bytes bytes, struct cu_arena *arena)
{
    struct raft_message *message = NULL;
    raft_pb_message *in =
        curia__internal__v1__raft_message__unpack(cu_arena_allocator(arena), bytes.len, bytes.data);
    for (size_t i = 0; in && i < in->n_entries; i++)
        seal(in->entries[i]);
    if (!in || raft_wire_read_message(in, &message, NULL))
        return (struct cu_bytes){NULL, 0};
    struct cu_bytes packed = pack(&raft_wire_message(arena, message)->base, arena);
    raft_message_deinit(message);
    free(message);
    return packed;
}

static struct cu_bytes header_again(struct cu_bytes bytes, struct cu_arena *arena)
{
    struct raft_header header;
    raft_pb_header *in =
        curia__internal__v1__state_header__unpack(cu_arena_allocator(arena), bytes.len, bytes.data);
    if (!in || raft_wire_read_header(in, &header, NULL))
        return (struct cu_bytes){NULL, 0};
    return pack(&raft_wire_header(arena, &header)->base, arena);
}

static bool check(read_and_write *again, struct cu_bytes bytes)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    struct cu_bytes once = again(bytes, arena);
    bool parsed = once.data != NULL;
    if (parsed && !cu_bytes_equal(once, again(once, arena)))
        abort();
    cu_arena_free(arena);
    return parsed;
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    struct cu_bytes bytes = {data, len};
    bool parsed = check(message_again, bytes);
    return check(header_again, bytes) || parsed;
}
