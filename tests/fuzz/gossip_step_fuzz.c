/* gossip_step_fuzz.c - whatever a peer sends, and in whatever order, the core keeps what must hold
 * of it (gossip_check), its deadlines move on, and its own packets can be read.
 *
 * Input: records of op (1 byte, modulo 4), length (2 bytes, little-endian) and as many bytes:
 * 0 a datagram, 1 the first message of a stream, 2 the reply to the stream opened last, 3 the
 * length is a wait in ms. */
#include <stdlib.h>

#include "services/gossipd/core/codec.h"
#include "services/gossipd/core/gossip.h"
#include "services/gossipd/core/packet.h"
#include "tests/fuzz/fuzz.h"

enum { ARENA_BYTES = 1024 * 1024, MEMBERS_MAX = 64 };

struct world {
    struct gossip *gossip;
    struct gossip_actions actions;
    struct cu_arena *arena;
    struct cu_mono now;
    uint64_t exchange;
    bool took; /* something of the input was a message */
};

static void must(bool claim)
{
    if (!claim)
        abort();
}

static void check_packet(struct world *w, const struct gossip_outgoing *packet)
{
    struct gossip_message message;
    size_t bytes = 0;
    for (uint32_t i = 0; i < packet->part_count; i++) {
        bytes += packet->parts[i].len;
        must(gossip_decode(packet->parts[i], w->arena, &message) == CU_OK);
    }
    must(packet->part_count > 0 && packet->part_count <= GOSSIP_COMPOUND_MAX_PARTS);
    must(bytes <= GOSSIP_PACKET_BUDGET);
}

static void step(struct world *w, struct gossip_event event)
{
    event.now = w->now;
    event.wall_ms = 1700000000000u + w->now.ns / 1000000;
    event.from = (struct gossip_addr){.ip = {.len = 4, .bytes = {127, 0, 0, 9}}, .port = 8301};
    gossip_step(w->gossip, &event, &w->actions);
    must(!gossip_check(w->gossip));
    must(cu_mono_before(w->now, gossip_next_deadline(w->gossip)));
    for (uint32_t i = 0; i < w->actions.count; i++) {
        const struct gossip_action *action = &w->actions.items[i];
        if (action->kind == GOSSIP_ACT_PACKET)
            check_packet(w, action->packet);
        if (action->kind == GOSSIP_ACT_DIAL)
            w->exchange = action->dial.exchange;
    }
    gossip_actions_clear(&w->actions);
}

static void wait_ms(struct world *w, uint64_t ms)
{
    struct cu_mono until = cu_mono_add_ms(w->now, ms);
    while (!cu_mono_before(until, gossip_next_deadline(w->gossip))) {
        w->now = gossip_next_deadline(w->gossip);
        step(w, (struct gossip_event){.kind = GOSSIP_EV_TICK});
        cu_arena_reset(w->arena);
    }
    w->now = until;
}

static void datagram(struct world *w, struct cu_bytes bytes)
{
    struct gossip_packet packet = {0};
    if (gossip_packet_decode(bytes, w->arena, &packet) || !packet.count)
        return;
    w->took = true;
    step(w, (struct gossip_event){.kind = GOSSIP_EV_PACKET,
                                  .packet = {packet.messages, packet.count}});
}

static void stream(struct world *w, struct cu_bytes bytes, enum gossip_event_kind kind)
{
    struct gossip_message message;
    if (gossip_decode(bytes, w->arena, &message))
        return;
    w->took = true;
    step(w, (struct gossip_event){.kind = kind, .tag = w->exchange, .stream = &message});
}

static void run_record(struct world *w, uint8_t op, size_t len, struct cu_bytes bytes)
{
    switch (op % 4) {
    case 0:
        datagram(w, bytes);
        break;
    case 1:
        stream(w, bytes, GOSSIP_EV_STREAM_REQUEST);
        break;
    case 2:
        stream(w, bytes, GOSSIP_EV_STREAM_REPLY);
        break;
    case 3:
        wait_ms(w, len);
        break;
    }
    cu_arena_reset(w->arena);
}

static struct gossip *new_core(void)
{
    static const struct gossip_tags none;
    struct gossip *gossip = NULL;
    struct gossip_options options = {
        .name = "n1",
        .address = {.ip = {.len = 4, .bytes = {127, 0, 0, 1}}, .port = 8301},
        .tags = &none,
        .versions = GOSSIP_VERSIONS_SERF,
        .timing = gossip_timing_profiles[GOSSIP_PROFILE_LAN],
        .now = {1000000000u},
        .wall_ms = 1700000000000u,
        .members_max = MEMBERS_MAX};
    must(gossip_new(&options, &gossip, NULL) == CU_OK);
    return gossip;
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    struct world w = {
        .gossip = new_core(), .arena = cu_arena_new(ARENA_BYTES), .now = {1000000000u}};
    step(&w, (struct gossip_event){.kind = GOSSIP_EV_TICK});
    struct cu_reader in = cu_reader_of((struct cu_bytes){data, len});
    while (cu_reader_left(&in) && !in.failed) {
        uint8_t op = cu_read_u8(&in);
        size_t want = cu_read_u16le(&in), left = cu_reader_left(&in);
        bool is_wait = op % 4 == 3;
        run_record(&w, op, want, cu_read_bytes(&in, is_wait ? 0 : want < left ? want : left));
    }
    gossip_free(w.gossip);
    gossip_actions_deinit(&w.actions);
    cu_arena_free(w.arena);
    return w.took;
}
