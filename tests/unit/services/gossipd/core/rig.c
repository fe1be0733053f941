#include "tests/unit/services/gossipd/core/rig.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

enum { ARENA_BYTES = 16 * 1024 * 1024 };

struct gossip_addr rig_addr(char node)
{
    return (struct gossip_addr){.ip = {.len = 4, .bytes = {10, 0, 0, (uint8_t)(node - 'a' + 1)}},
                                .port = 8301};
}

struct cu_bytes rig_tag_meta(const char *key, const char *value)
{
    static struct cu_buf buf;
    static struct gossip_tags tags;
    tags.count = 1;
    tags.tag[0] = (struct gossip_tag){cu_bytes_of(key), cu_bytes_of(value)};
    cu_buf_clear(&buf);
    ck_assert_int_eq(gossip_tags_encode(&buf, &tags), CU_OK);
    return cu_buf_bytes(&buf);
}

/* ---- driving ---- */

static void run(struct rig *rig, struct gossip_event event)
{
    uint32_t before = rig->actions.count;
    event.now = rig->now;
    event.wall_ms = rig->wall_ms;
    gossip_step(rig->gossip, &event, &rig->actions);
    const char *claim = gossip_check(rig->gossip);
    ck_assert_msg(!claim, "%s", claim);
    for (uint32_t i = before; i < rig->actions.count; i++) {
        if (rig->actions.items[i].kind != GOSSIP_ACT_SNAPSHOT)
            continue;
        cu_buf_text(&rig->snapshot, rig->actions.items[i].snapshot.line);
        cu_buf_u8(&rig->snapshot, '\n');
    }
}

void rig_step(struct rig *rig, struct gossip_event event)
{
    gossip_actions_clear(&rig->actions);
    run(rig, event);
}

void rig_wait(struct rig *rig, uint64_t ms)
{
    gossip_actions_clear(&rig->actions);
    struct cu_mono until = cu_mono_add_ms(rig->now, ms);
    uint64_t wall = rig->wall_ms, begun = rig->now.ns;
    for (;;) {
        struct cu_mono next = gossip_next_deadline(rig->gossip);
        if (cu_mono_before(until, next))
            break;
        if (cu_mono_before(rig->now, next))
            rig->now = next;
        rig->wall_ms = wall + (rig->now.ns - begun) / 1000000;
        run(rig, (struct gossip_event){.kind = GOSSIP_EV_TICK});
        ck_assert_msg(cu_mono_before(rig->now, gossip_next_deadline(rig->gossip)),
                      "a tick moves the deadline");
    }
    rig->now = until;
    rig->wall_ms = wall + ms;
}

void rig_open(struct rig *rig, const struct rig_seed *seed)
{
    static const struct gossip_tags none;
    memset(rig, 0, sizeof *rig);
    rig->now = (struct cu_mono){1000000000u};
    rig->wall_ms = 1700000000000u;
    rig->arena = cu_arena_new(ARENA_BYTES);
    struct gossip_options options = {
        .name = "a",
        .address = rig_addr('a'),
        .tags = &none,
        .versions = GOSSIP_VERSIONS_SERF,
        .timing = gossip_timing_profiles[seed->profile],
        .seed = seed->seed ? seed->seed : 1,
        .now = rig->now,
        .wall_ms = rig->wall_ms,
        .members_max = seed->members_max,
        .rejoin_after_leave = seed->rejoin_after_leave,
        .pool = seed->pool,
        .datacenter = "dc1",
        .segment = "",
        .node_id = "id-a",
        .snapshot = cu_bytes_of(seed->snapshot ? seed->snapshot : ""),
    };
    ck_assert_int_eq(gossip_new(&options, &rig->gossip, NULL), CU_OK);
    if (seed->is_unborn)
        return;
    rig_step(rig, (struct gossip_event){.kind = GOSSIP_EV_TICK});
    for (const char *peer = seed->peers; peer && *peer; peer++)
        rig_alive(rig, (char[]){*peer, 0}, 1);
}

void rig_close(struct rig *rig)
{
    gossip_free(rig->gossip);
    gossip_actions_deinit(&rig->actions);
    cu_arena_free(rig->arena);
    cu_buf_deinit(&rig->snapshot);
}

/* ---- hearing ---- */

void rig_hear(struct rig *rig, const struct gossip_message *message, char from)
{
    rig_step(rig, (struct gossip_event){.kind = GOSSIP_EV_PACKET,
                                        .from = rig_addr(from),
                                        .packet = {.messages = message, .count = 1}});
}

static struct gossip_alive alive(const char *node, uint32_t incarnation, struct cu_bytes meta)
{
    return (struct gossip_alive){.node = cu_bytes_of(node),
                                 .addr = rig_addr(*node),
                                 .incarnation = incarnation,
                                 .meta = meta,
                                 .versions = GOSSIP_VERSIONS_SERF};
}

void rig_alive_meta(struct rig *rig, const char *node, uint32_t incarnation, struct cu_bytes meta)
{
    rig_hear(
        rig,
        &(struct gossip_message){.type = GOSSIP_ALIVE, .alive = alive(node, incarnation, meta)},
        'z');
}

void rig_alive(struct rig *rig, const char *node, uint32_t incarnation)
{
    rig_alive_meta(rig, node, incarnation, (struct cu_bytes){0});
}

static struct gossip_accusation accuse(const char *node, uint32_t incarnation, const char *from)
{
    return (struct gossip_accusation){cu_bytes_of(node), incarnation, cu_bytes_of(from)};
}

void rig_suspect(struct rig *rig, const char *node, uint32_t incarnation, const char *from)
{
    rig_hear(rig,
             &(struct gossip_message){.type = GOSSIP_SUSPECT,
                                      .suspect = accuse(node, incarnation, from)},
             'z');
}

void rig_dead(struct rig *rig, const char *node, uint32_t incarnation, const char *from)
{
    rig_hear(rig,
             &(struct gossip_message){.type = GOSSIP_DEAD, .dead = accuse(node, incarnation, from)},
             'z');
}

void rig_intent(struct rig *rig, enum gossip_serf_type type, const char *node, uint64_t ltime,
                bool prune)
{
    struct cu_buf body = {0};
    gossip_serf_encode(
        &body, &(struct gossip_serf){.type = type, .intent = {ltime, cu_bytes_of(node), prune}});
    rig_hear(rig,
             &(struct gossip_message){.type = GOSSIP_USER, .user = {.body = cu_buf_bytes(&body)}},
             'z');
    cu_buf_deinit(&body);
}

void rig_ack(struct rig *rig, uint32_t seq)
{
    rig_hear(rig, &(struct gossip_message){.type = GOSSIP_ACK, .ack = {.seq = seq}}, 'z');
}

static struct gossip_message state_message(const struct gossip_node_state *nodes, uint32_t count,
                                           struct cu_bytes user, bool is_join)
{
    return (struct gossip_message){.type = GOSSIP_PUSH_PULL,
                                   .push_pull = {.is_join = is_join,
                                                 .node_count = count,
                                                 .nodes = (struct gossip_node_state *)nodes,
                                                 .user_state = user}};
}

void rig_push_pull(struct rig *rig, const struct gossip_node_state *nodes, uint32_t count,
                   const struct gossip_serf_state *serf, bool is_join)
{
    struct cu_buf user = {0};
    gossip_serf_encode(
        &user, &(struct gossip_serf){.type = GOSSIP_SERF_PUSH_PULL,
                                     .state = serf ? *serf : (struct gossip_serf_state){0}});
    struct gossip_message message = state_message(nodes, count, cu_buf_bytes(&user), is_join);
    rig_step(rig, (struct gossip_event){.kind = GOSSIP_EV_STREAM_REQUEST,
                                        .from = rig_addr('z'),
                                        .tag = 77,
                                        .stream = &message});
    cu_buf_deinit(&user);
}

void rig_reply(struct rig *rig, uint64_t exchange, const struct gossip_node_state *nodes,
               uint32_t count)
{
    struct gossip_message message = state_message(nodes, count, (struct cu_bytes){0}, true);
    if (nodes)
        rig_step(rig, (struct gossip_event){
                          .kind = GOSSIP_EV_STREAM_REPLY, .tag = exchange, .stream = &message});
    else
        rig_step(rig, (struct gossip_event){.kind = GOSSIP_EV_STREAM_FAILED,
                                            .tag = exchange,
                                            .failure = "connection refused"});
}

/* ---- looking ---- */

static bool part_is(struct rig *rig, struct cu_bytes part, enum gossip_type type,
                    struct gossip_message *ret_message)
{
    if (part.data[0] != type)
        return false;
    ck_assert_int_eq(gossip_decode(part, rig->arena, ret_message), CU_OK);
    return true;
}

bool rig_sent(struct rig *rig, enum gossip_type type, unsigned n, struct rig_sent *ret_sent)
{
    for (uint32_t i = 0; i < rig->actions.count; i++) {
        if (rig->actions.items[i].kind != GOSSIP_ACT_PACKET)
            continue;
        const struct gossip_outgoing *packet = rig->actions.items[i].packet;
        for (uint32_t p = 0; p < packet->part_count; p++) {
            struct gossip_message message;
            if (!part_is(rig, packet->parts[p], type, &message) || n--)
                continue;
            *ret_sent = (struct rig_sent){.message = message,
                                          .to = packet->to,
                                          .with_crc = packet->with_crc,
                                          .part = p,
                                          .parts = packet->part_count};
            return true;
        }
    }
    return false;
}

unsigned rig_count(struct rig *rig, enum gossip_type type)
{
    struct rig_sent sent;
    unsigned n = 0;
    while (rig_sent(rig, type, n, &sent))
        n++;
    return n;
}

bool rig_sent_serf(struct rig *rig, enum gossip_serf_type type, unsigned n,
                   struct gossip_serf *ret_serf)
{
    struct rig_sent sent;
    for (unsigned i = 0; rig_sent(rig, GOSSIP_USER, i, &sent); i++) {
        ck_assert_int_eq(gossip_serf_decode(sent.message.user.body, rig->arena, ret_serf), CU_OK);
        if (ret_serf->type == type && !n--)
            return true;
    }
    return false;
}

const struct gossip_action *rig_action(const struct rig *rig, enum gossip_action_kind kind)
{
    for (uint32_t i = rig->actions.count; i; i--)
        if (rig->actions.items[i - 1].kind == kind)
            return &rig->actions.items[i - 1];
    return NULL;
}

bool rig_noted(const struct rig *rig, enum gossip_note note)
{
    for (uint32_t i = 0; i < rig->actions.count; i++)
        if (rig->actions.items[i].kind == GOSSIP_ACT_NOTE &&
            rig->actions.items[i].note.note == note)
            return true;
    return false;
}

unsigned rig_changed(const struct rig *rig, const char *node, enum gossip_change change)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < rig->actions.count; i++)
        n += rig->actions.items[i].kind == GOSSIP_ACT_MEMBER &&
             rig->actions.items[i].member.change == change &&
             strcmp(rig->actions.items[i].member.view.name, node) == 0;
    return n;
}

enum gossip_status rig_status(const struct rig *rig, const char *node)
{
    struct gossip_member_view view;
    return gossip_member_find(rig->gossip, node, &view) ? view.status : GOSSIP_STATUS_NONE;
}

uint32_t rig_incarnation(const struct rig *rig, const char *node)
{
    struct gossip_member_view view;
    return gossip_member_find(rig->gossip, node, &view) ? view.incarnation : 0;
}

bool rig_is_suspect(const struct rig *rig, const char *node)
{
    struct gossip_member_view view;
    return gossip_member_find(rig->gossip, node, &view) && view.is_suspect;
}

struct gossip_stats rig_stats(const struct rig *rig)
{
    struct gossip_stats stats;
    gossip_stats(rig->gossip, &stats);
    return stats;
}
