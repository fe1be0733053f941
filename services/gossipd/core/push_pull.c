/* Exchanging everything that is known with one peer over a stream (gossip.md 12). */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/gossipd/core/state.h"

/* ---- our side ---- */

struct cu_buf *gossip_local_state(struct gossip *g, bool is_join)
{
    uint32_t count = g->members.list_count;
    struct gossip_node_state *nodes = cu_alloc(count * sizeof *nodes);
    for (uint32_t i = 0; i < count; i++)
        nodes[i] = (struct gossip_node_state){.alive = gossip_alive_of(g->members.list[i]),
                                              .state = g->members.list[i]->state};
    cu_buf_clear(&g->scratch);
    gossip_serf_state(g, &g->scratch);
    struct gossip_message message = {.type = GOSSIP_PUSH_PULL,
                                     .push_pull = {.is_join = is_join,
                                                   .node_count = count,
                                                   .nodes = nodes,
                                                   .user_state = cu_buf_bytes(&g->scratch)}};
    struct cu_buf *out = cu_alloc(sizeof *out);
    gossip_encode(out, &message);
    free(nodes);
    return out;
}

uint64_t gossip_push_pull(struct gossip *g, const struct gossip_exchange *exchange, bool is_join)
{
    if (g->exchange_count == GOSSIP_EXCHANGES_MAX)
        return 0; /* before the state is put into words */
    return gossip_dial(g, exchange, gossip_local_state(g, is_join), g->timing.tcp_timeout_ms);
}

static bool is_alive_peer(const struct gossip_member *member, const void *context)
{
    const struct gossip *g = context;
    return member != g->self && member->state == GOSSIP_STATE_ALIVE;
}

void gossip_push_pull_tick(struct gossip *g)
{
    struct gossip_member *peer = NULL;
    if (!gossip_members_random(&g->members, &g->random, 1, is_alive_peer, g, &peer))
        return;
    (void)gossip_push_pull(
        g, &(struct gossip_exchange){.kind = GOSSIP_EXCHANGE_PUSH_PULL, .to = peer->addr}, false);
}

/* ---- the other's side ---- */

/* A remote "dead" is no more than a suspicion here, and ours (gossip.md 8.5). */
static void merge_node(struct gossip *g, const struct gossip_node_state *node)
{
    struct gossip_accusation accusation = {
        .node = node->alive.node, .incarnation = node->alive.incarnation, .from = g->name};
    switch (node->state) {
    case GOSSIP_STATE_ALIVE:
        gossip_hear_alive(g, &node->alive);
        break;
    case GOSSIP_STATE_LEFT:
        accusation.from = node->alive.node;
        gossip_hear_dead(g, &accusation, 0);
        break;
    case GOSSIP_STATE_DEAD:
    case GOSSIP_STATE_SUSPECT:
        gossip_hear_suspect(g, &accusation);
        break;
    }
}

const char *gossip_merge(struct gossip *g, const struct gossip_push_pull *remote, bool ignore_old)
{
    struct cu_diag diag = {0};
    if (!gossip_versions_merge(g, remote, &diag) ||
        (remote->is_join && !gossip_pool_merges(g, remote, &diag)))
        return cu_arena_strdup(g->arena, diag.text);
    for (uint32_t i = 0; i < remote->node_count; i++)
        merge_node(g, &remote->nodes[i]);
    gossip_merge_serf(g, remote->user_state, remote->is_join, ignore_old);
    g->is_complete = true;
    return NULL;
}

/* ---- streams that others open ---- */

static void answer(struct gossip *g, uint64_t call, struct cu_buf *bytes)
{
    struct gossip_action *action = gossip_act(g, GOSSIP_ACT_ANSWER);
    action->answer.call = call;
    action->answer.bytes = bytes;
}

static void answer_ping(struct gossip *g, uint64_t call, const struct gossip_ping *ping)
{
    struct cu_buf *bytes = NULL;
    if (!ping->node.len || cu_bytes_equal(ping->node, g->name)) {
        struct gossip_message ack = {.type = GOSSIP_ACK, .ack = {.seq = ping->seq}};
        bytes = cu_alloc(sizeof *bytes);
        gossip_encode(bytes, &ack);
    }
    answer(g, call, bytes);
}

/* Our state goes out as it was before theirs came in. */
static void answer_push_pull(struct gossip *g, const struct gossip_event *event)
{
    const struct gossip_push_pull *remote = &event->stream->push_pull;
    answer(g, event->tag, gossip_local_state(g, remote->is_join));
    const char *refusal = gossip_merge(g, remote, false);
    if (refusal)
        gossip_tell(g, GOSSIP_NOTE_MERGE_REFUSED, (struct cu_bytes){0}, &event->from, refusal);
}

void gossip_hear_stream(struct gossip *g, const struct gossip_event *event)
{
    if (event->stream->type == GOSSIP_PUSH_PULL) {
        answer_push_pull(g, event);
        return;
    }
    if (event->stream->type == GOSSIP_PING) {
        answer_ping(g, event->tag, &event->stream->ping);
        return;
    }
    if (event->stream->type == GOSSIP_USER)
        gossip_hear_serf(g, event->stream->user.body);
    answer(g, event->tag, NULL);
}

/* ---- streams that we opened ---- */

static void exchange_done(struct gossip *g, const struct gossip_exchange *exchange,
                          const char *failure)
{
    if (failure && exchange->kind != GOSSIP_EXCHANGE_PING)
        gossip_tell(g, GOSSIP_NOTE_EXCHANGE_FAILED, exchange->name, &exchange->to, failure);
    switch (exchange->kind) {
    case GOSSIP_EXCHANGE_JOIN:
        gossip_join_progress(g, exchange, failure);
        break;
    case GOSSIP_EXCHANGE_REJOIN:
        gossip_rejoin_progress(g, exchange, failure);
        break;
    case GOSSIP_EXCHANGE_PING:
        gossip_probe_tcp(g, exchange->id, !failure);
        break;
    case GOSSIP_EXCHANGE_PUSH_PULL:
    case GOSSIP_EXCHANGE_RECONNECT:
        break;
    }
    free((void *)exchange->name.data);
}

/* What the reply says against us; NULL: it is what we asked for, and taken. */
static const char *take_reply(struct gossip *g, const struct gossip_exchange *exchange,
                              const struct gossip_message *reply)
{
    if (reply->type == GOSSIP_ERR)
        return cu_arena_printf(g->arena, "remote error: %.*s", (int)reply->err.text.len,
                               (const char *)reply->err.text.data);
    bool is_ping = exchange->kind == GOSSIP_EXCHANGE_PING;
    if (reply->type != (is_ping ? GOSSIP_ACK : GOSSIP_PUSH_PULL))
        return "the reply is not what was asked for";
    if (is_ping)
        return reply->ack.seq == g->probe.seq ? NULL : "the ack is for another ping";
    return gossip_merge(g, &reply->push_pull, exchange->ignore_old);
}

void gossip_hear_reply(struct gossip *g, const struct gossip_event *event)
{
    struct gossip_exchange exchange;
    if (gossip_exchange_take(g, event->tag, &exchange))
        exchange_done(g, &exchange, take_reply(g, &exchange, event->stream));
}

void gossip_stream_failed(struct gossip *g, const struct gossip_event *event)
{
    struct gossip_exchange exchange;
    if (gossip_exchange_take(g, event->tag, &exchange))
        exchange_done(g, &exchange, event->failure ? event->failure : "the exchange failed");
}
