/* The network: packets that may be lost, streams that may fail (but lose nothing while they hold).
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/gossip_sim/world.h"

enum { NS_PER_MS = 1000000, RETRANSMIT_MS = 200 };

static bool is_running(const struct sim_node *node)
{
    return node->life == SIM_UP || node->life == SIM_PAUSED;
}

static unsigned loss_between(const struct sim *sim, uint32_t from, uint32_t to)
{
    if (sim->nodes[from].group != sim->nodes[to].group)
        return 1000;
    return sim->plan.loss + sim->nodes[from].loss_out + sim->nodes[to].loss_in;
}

/* 0.2 to 2 ms; in jittery weather now and then up to 200 ms. */
static uint64_t delay_ns(struct sim *sim)
{
    uint64_t ns = 200000 + cu_random_below(&sim->random, 1800000);
    if (sim->plan.jitter && sim_chance(sim, 50))
        ns += cu_random_below(&sim->random, (uint64_t)200 * NS_PER_MS);
    return ns;
}

static struct sim_item *new_item(struct sim *sim, enum sim_kind kind, uint32_t to, uint64_t delay)
{
    struct sim_item *item = cu_alloc(sizeof *item);
    item->kind = kind;
    item->node = to;
    item->lives = sim->nodes[to].lives;
    item->at_ns = sim->now_ns + delay;
    return item;
}

/* ---- packets ---- */

void sim_send(struct sim *sim, uint32_t from, const struct gossip_outgoing *packet)
{
    struct cu_buf inside = {0}, datagram = {0};
    gossip_packet_join(&inside, packet->parts, packet->part_count);
    gossip_packet_wrap(
        &datagram, cu_buf_bytes(&inside),
        (struct gossip_wrap){.crc = packet->with_crc, .compress = sim->plan.compress});
    if (inside.len > GOSSIP_PACKET_BUDGET) /* checklist 48 */
        sim_fail(sim, "packets stay within 1400 bytes", "%zu bytes", inside.len);
    cu_buf_deinit(&inside);
    sim->nodes[from].bytes += datagram.len + 28; /* and the headers of IP and UDP */
    sim->nodes[from].packets++;
    uint32_t to = sim_node_at(sim, packet->to);
    if (to == UINT32_MAX || !is_running(&sim->nodes[to]) ||
        sim_chance(sim, loss_between(sim, from, to))) {
        cu_buf_deinit(&datagram);
        return;
    }
    struct sim_item *item = new_item(sim, SIM_PACKET, to, delay_ns(sim));
    item->from = from;
    item->bytes = datagram;
    sim_push(sim, item);
}

static void deliver_packet(struct sim *sim, const struct sim_item *item)
{
    struct gossip_packet packet;
    if (gossip_packet_decode(cu_buf_bytes(&item->bytes), sim->arena, &packet) || packet.truncated ||
        packet.malformed) {
        sim_fail(sim, "what was sent can be read", "a packet from n%u", item->from);
        return;
    }
    sim_step(sim, item->node,
             (struct gossip_event){.kind = GOSSIP_EV_PACKET,
                                   .from = sim_addr(sim, item->from),
                                   .packet = {packet.messages, packet.count}});
}

/* ---- streams ---- */

/* A lost segment of a stream is sent again, later; a cut one never arrives. */
static uint64_t stream_delay_ns(struct sim *sim, uint32_t from, uint32_t to)
{
    uint64_t delay = delay_ns(sim);
    for (unsigned again = 0; again < 6 && sim_chance(sim, loss_between(sim, from, to)); again++)
        delay += (uint64_t)RETRANSMIT_MS * NS_PER_MS << again;
    return delay;
}

static bool is_cut(const struct sim *sim, uint32_t a, uint32_t b)
{
    return loss_between(sim, a, b) >= 1000 || loss_between(sim, b, a) >= 1000;
}

static void push_failure(struct sim *sim, const struct sim_stream *stream, uint64_t delay,
                         const char *why)
{
    struct sim_item *item = new_item(sim, SIM_REPLY, stream->from, delay);
    item->stream = stream->id;
    item->failure = why;
    sim_push(sim, item);
}

void sim_dial(struct sim *sim, uint32_t from, const struct gossip_action *dial)
{
    struct sim_stream *stream = cu_alloc(sizeof *stream);
    *stream = (struct sim_stream){.id = ++sim->last_stream,
                                  .exchange = dial->dial.exchange,
                                  .from = from,
                                  .from_lives = sim->nodes[from].lives,
                                  .to = sim_node_at(sim, dial->dial.to)};
    (void)cu_map_put_u64(&sim->streams, stream->id, stream);
    sim->nodes[from].bytes += dial->dial.bytes->len + 200;
    push_failure(sim, stream, (uint64_t)dial->dial.timeout_ms * NS_PER_MS, "timeout");
    if (stream->to == UINT32_MAX || is_cut(sim, from, stream->to))
        return;
    if (!is_running(&sim->nodes[stream->to])) {
        if (sim_chance(sim, 700)) /* the host lives, the process does not */
            push_failure(sim, stream, delay_ns(sim), "connection refused");
        return;
    }
    struct sim_item *item =
        new_item(sim, SIM_REQUEST, stream->to, stream_delay_ns(sim, from, stream->to));
    item->from = from;
    item->stream = stream->id;
    cu_buf_append(&item->bytes, dial->dial.bytes->data, dial->dial.bytes->len);
    sim_push(sim, item);
}

void sim_answer(struct sim *sim, uint32_t from, uint64_t id, struct cu_buf *bytes)
{
    const struct sim_stream *stream = cu_map_get_u64(&sim->streams, id);
    if (!stream || is_cut(sim, from, stream->from))
        return;
    struct sim_item *item =
        new_item(sim, SIM_REPLY, stream->from, stream_delay_ns(sim, from, stream->from));
    item->stream = id;
    item->from = from;
    if (bytes)
        cu_buf_append(&item->bytes, bytes->data, bytes->len);
    else
        item->failure = "closed without an answer";
    sim->nodes[from].bytes += item->bytes.len + 200;
    sim_push(sim, item);
}

static void deliver_request(struct sim *sim, const struct sim_item *item)
{
    struct gossip_message message;
    if (gossip_decode(cu_buf_bytes(&item->bytes), sim->arena, &message)) {
        sim_fail(sim, "what was sent can be read", "a stream from n%u", item->from);
        return;
    }
    sim_step(sim, item->node,
             (struct gossip_event){.kind = GOSSIP_EV_STREAM_REQUEST,
                                   .from = sim_addr(sim, item->from),
                                   .tag = item->stream,
                                   .stream = &message});
}

static void deliver_reply(struct sim *sim, const struct sim_item *item)
{
    struct sim_stream *stream = cu_map_del_u64(&sim->streams, item->stream);
    if (!stream)
        return; /* it ended before */
    struct gossip_event event = {
        .kind = GOSSIP_EV_STREAM_FAILED, .tag = stream->exchange, .failure = item->failure};
    free(stream);
    struct gossip_message message;
    if (!item->failure && gossip_decode(cu_buf_bytes(&item->bytes), sim->arena, &message)) {
        sim_fail(sim, "what was sent can be read", "a reply from n%u", item->from);
        return;
    }
    if (!item->failure) {
        event.kind = GOSSIP_EV_STREAM_REPLY;
        event.stream = &message;
    }
    sim_step(sim, item->node, event);
}

/* ---- arrival ---- */

static void keep(struct sim *sim, struct sim_item *item)
{
    struct sim_node *node = &sim->nodes[item->node];
    if (item->kind == SIM_TIMER || node->inbox_count == SIM_INBOX_MAX) {
        sim_item_free(item);
        return;
    }
    node->inbox = cu_realloc(node->inbox, (node->inbox_count + 1) * sizeof *node->inbox);
    node->inbox[node->inbox_count++] = item;
}

void sim_deliver(struct sim *sim, struct sim_item *item)
{
    struct sim_node *node = &sim->nodes[item->node];
    if (node->life == SIM_PAUSED && node->lives == item->lives) {
        keep(sim, item);
        return;
    }
    if (node->life == SIM_UP && node->lives == item->lives) {
        switch (item->kind) {
        case SIM_TIMER:
            if (item->at_ns == node->timer_ns)
                sim_step(sim, item->node, (struct gossip_event){.kind = GOSSIP_EV_TICK});
            break;
        case SIM_PACKET:
            deliver_packet(sim, item);
            break;
        case SIM_REQUEST:
            deliver_request(sim, item);
            break;
        case SIM_REPLY:
            deliver_reply(sim, item);
            break;
        }
        cu_arena_reset(sim->arena);
    }
    sim_item_free(item);
}
