/* gossip_packet_fuzz.c - a datagram is opened or refused within its arena; what was read of it
 * encodes to something that reads the same. */
#include <stdlib.h>

#include "services/gossipd/core/codec.h"
#include "services/gossipd/core/packet.h"
#include "tests/fuzz/fuzz.h"

enum { ARENA_BYTES = 1024 * 1024 };

static void must(bool claim)
{
    if (!claim)
        abort();
}

static bool refused_or_read(enum cu_err err)
{
    return err == CU_OK || err == CU_E_INVALID || err == CU_E_TOO_LARGE;
}

/* Encoding is canonical: what is encoded, read and encoded again does not change. */
static void again(const struct gossip_message *message, struct cu_arena *arena)
{
    struct cu_buf once = {0}, twice = {0};
    struct gossip_message read;
    gossip_encode(&once, message);
    must(gossip_decode(cu_buf_bytes(&once), arena, &read) == CU_OK);
    gossip_encode(&twice, &read);
    must(cu_bytes_equal(cu_buf_bytes(&once), cu_buf_bytes(&twice)));
    cu_buf_deinit(&once);
    cu_buf_deinit(&twice);
}

static void look_inside(const struct gossip_message *message, struct cu_arena *arena)
{
    struct gossip_serf serf;
    static struct gossip_tags tags;
    if (message->type == GOSSIP_USER)
        must(refused_or_read(gossip_serf_decode(message->user.body, arena, &serf)));
    if (message->type == GOSSIP_ALIVE)
        must(refused_or_read(gossip_tags_decode(message->alive.meta, &tags)));
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    struct gossip_packet packet = {0};
    enum cu_err err = gossip_packet_decode((struct cu_bytes){data, len}, arena, &packet);
    must(refused_or_read(err));
    must(packet.count <= GOSSIP_PACKET_MAX_MESSAGES);
    cu_arena_set_limit(arena, 2 * ARENA_BYTES);
    for (uint32_t i = 0; i < packet.count; i++) {
        again(&packet.messages[i], arena);
        look_inside(&packet.messages[i], arena);
    }
    cu_arena_free(arena);
    return err == CU_OK && packet.count > 0;
}
