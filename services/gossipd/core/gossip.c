/* The machine as a whole: its birth, its clock, and which rule an event goes to. */
#include "services/gossipd/core/gossip.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/gossipd/core/state.h"

enum {
    CLOCK_EVERY_MS = 500,                      /* clocks are written this often (gossip.md 20) */
    ARENA_BYTES = 2 * GOSSIP_STREAM_MAX_BYTES, /* lists of one decoded push/pull state */
};

/* ---- birth ---- */

static char *text_or_empty(const char *text)
{
    return cu_strdup(text ? text : "");
}

static struct cu_mono staggered(struct gossip *g, uint64_t interval_ms)
{
    return cu_mono_add_ms(g->now, cu_random_below(&g->random, interval_ms));
}

/* Everything first runs at a random point of its interval, so that members started together do not
 * act together. */
static void set_timers(struct gossip *g)
{
    const struct gossip_timing *t = &g->timing;
    g->probe_due = staggered(g, t->probe_interval_ms);
    g->gossip_due = staggered(g, t->gossip_interval_ms);
    g->push_pull_due =
        cu_mono_add_ms(staggered(g, t->push_pull_interval_ms), t->push_pull_interval_ms);
    g->reap_due = cu_mono_add_ms(g->now, t->reap_interval_ms);
    g->reconnect_due = cu_mono_add_ms(g->now, t->reconnect_interval_ms);
    g->clock_due = cu_mono_add_ms(g->now, CLOCK_EVERY_MS);
    g->suspicion_due = g->leave.until = CU_MONO_NEVER;
    g->rejoin_due = g->unseen_count ? g->now : CU_MONO_NEVER;
}

static void begin_self(struct gossip *g, const struct gossip_options *o, struct cu_bytes meta)
{
    g->self = gossip_members_add(&g->members, g->name);
    g->self->addr = o->address;
    g->self->versions = o->versions;
    g->self->incarnation = 1;
    g->self->state = GOSSIP_STATE_ALIVE;
    g->self->state_since = g->now;
    gossip_member_set_meta(g->self, meta);
    gossip_members_list(&g->members, g->self, &g->random);
}

static enum cu_err check(const struct gossip_options *o, struct cu_buf *meta, struct cu_diag *diag)
{
    size_t len = strlen(o->name);
    if (!len || len > GOSSIP_NAME_MAX_BYTES)
        return cu_fail(diag, CU_E_INVALID, "a node's name has 1 to %d bytes",
                       GOSSIP_NAME_MAX_BYTES);
    if (!o->address.ip.len || !o->address.port)
        return cu_fail(diag, CU_E_INVALID, "a node needs an address and a port to be reached at");
    if (gossip_tags_encode(meta, o->tags))
        return cu_fail(diag, CU_E_TOO_LARGE, "Encoded length of tags exceeds limit of %d bytes",
                       GOSSIP_META_MAX_BYTES);
    return CU_OK;
}

enum cu_err gossip_new(const struct gossip_options *o, struct gossip **ret_gossip,
                       struct cu_diag *diag)
{
    struct cu_buf meta = {0};
    enum cu_err err = check(o, &meta, diag);
    if (err) {
        cu_buf_deinit(&meta);
        return err;
    }
    struct gossip *g = cu_alloc(sizeof *g);
    g->name = (struct cu_bytes){(const uint8_t *)cu_strdup(o->name), strlen(o->name)};
    g->timing = o->timing;
    g->pool = o->pool;
    g->datacenter = text_or_empty(o->datacenter);
    g->segment = text_or_empty(o->segment);
    g->node_id = text_or_empty(o->node_id);
    g->packet_budget = GOSSIP_PACKET_BUDGET - o->packet_overhead;
    g->members_max = o->members_max ? o->members_max : GOSSIP_MEMBERS_MAX;
    g->rejoin_after_leave = o->rejoin_after_leave;
    g->random.state = o->seed;
    g->now = o->now;
    g->wall_ms = o->wall_ms;
    g->arena = cu_arena_new(ARENA_BYTES);
    g->replay = gossip_replay_new();
    g->member_time = g->event_time = g->query_time = 1;
    begin_self(g, o, cu_buf_bytes(&meta));
    cu_buf_deinit(&meta);
    gossip_restore(g, o->snapshot);
    set_timers(g);
    *ret_gossip = g;
    return CU_OK;
}

void gossip_free(struct gossip *g)
{
    if (!g)
        return;
    gossip_members_deinit(&g->members);
    gossip_queue_deinit(&g->broadcasts);
    gossip_queue_deinit(&g->intents);
    gossip_queue_deinit(&g->queries);
    gossip_queue_deinit(&g->events);
    gossip_intents_deinit(g);
    gossip_unseen_deinit(g);
    gossip_replay_free(g->replay);
    for (uint32_t i = 0; i < g->exchange_count; i++)
        free((void *)g->exchanges[i].name.data);
    free(g->exchanges);
    for (uint32_t i = 0; i < g->wait_count; i++)
        cu_buf_deinit(&g->waits[i].text);
    free(g->waits);
    cu_buf_deinit(&g->parts.bytes);
    cu_buf_deinit(&g->scratch);
    cu_arena_free(g->arena);
    free((void *)g->name.data);
    free(g->datacenter);
    free(g->segment);
    free(g->node_id);
    free(g);
}

/* ---- time ---- */

static bool is_due(const struct gossip *g, struct cu_mono at)
{
    return !cu_mono_before(g->now, at);
}

/* The next point of the grid that is still to come: ticks that were missed are skipped. */
static struct cu_mono next_tick(const struct gossip *g, struct cu_mono due, uint64_t interval_ms)
{
    uint64_t missed = cu_mono_ms_between(due, g->now) / interval_ms;
    return cu_mono_add_ms(due, (missed + 1) * interval_ms);
}

static bool has_gossip(const struct gossip *g)
{
    return g->broadcasts.count || g->intents.count || g->queries.count || g->events.count;
}

/* Nobody is woken for a tick with nothing to tell; what is told later keeps to the same grid. */
static void pass_idle_ticks(struct gossip *g)
{
    if (!has_gossip(g) && is_due(g, g->gossip_due))
        g->gossip_due = next_tick(g, g->gossip_due, g->timing.gossip_interval_ms);
}

/* Exchanges grow with the pool, so they get rarer in a large one (gossip.md 12): interval, and once
 * more for each doubling beyond 32 members. */
uint64_t gossip_push_pull_ms(uint32_t interval_ms, uint32_t members)
{
    uint64_t times = 1;
    for (uint64_t n = 32; n < members; n *= 2)
        times++;
    return interval_ms * times;
}

/* One probe at a time: while one runs, its tick waits. */
static void run_probes(struct gossip *g)
{
    gossip_probe_run(g);
    if (g->probe.phase != GOSSIP_PROBE_NONE || !is_due(g, g->probe_due))
        return;
    g->probe_due = next_tick(g, g->probe_due, g->timing.probe_interval_ms);
    gossip_probe_tick(g);
}

/* clang-format off */
static void run_timers(struct gossip *g)
{
    const struct gossip_timing *t = &g->timing;
    gossip_run_relays(g);
    gossip_run_suspicions(g);
    run_probes(g);
    if (is_due(g, g->gossip_due)) {
        g->gossip_due = next_tick(g, g->gossip_due, t->gossip_interval_ms);
        gossip_spread(g);
    }
    if (is_due(g, g->push_pull_due)) {
        g->push_pull_due = cu_mono_add_ms(
            g->now, gossip_push_pull_ms(t->push_pull_interval_ms, g->members.list_count));
        gossip_push_pull_tick(g);
    }
    if (is_due(g, g->reap_due)) {
        g->reap_due = next_tick(g, g->reap_due, t->reap_interval_ms);
        gossip_reap(g);
    }
    if (is_due(g, g->reconnect_due)) {
        g->reconnect_due = next_tick(g, g->reconnect_due, t->reconnect_interval_ms);
        gossip_reconnect(g);
    }
    if (is_due(g, g->clock_due)) {
        g->clock_due = next_tick(g, g->clock_due, CLOCK_EVERY_MS);
        gossip_write_clocks(g);
    }
    if (is_due(g, g->rejoin_due))
        gossip_rejoin_tick(g);
}
/* clang-format on */

struct cu_mono gossip_next_deadline(const struct gossip *g)
{
    if (!g->has_begun)
        return g->now;
    struct cu_mono at = gossip_waits_due(g);
    at = cu_mono_min(at, gossip_relay_due(g));
    if (g->leave.phase == GOSSIP_HAS_LEFT)
        return at;
    at = cu_mono_min(at, g->probe.phase == GOSSIP_PROBE_NONE ? g->probe_due : gossip_probe_due(g));
    at = cu_mono_min(at, g->suspicion_due);
    if (has_gossip(g))
        at = cu_mono_min(at, g->gossip_due);
    if (gossip_has_clocks_to_write(g))
        at = cu_mono_min(at, g->clock_due);
    at = cu_mono_min(at, g->push_pull_due);
    at = cu_mono_min(at, g->reap_due);
    at = cu_mono_min(at, g->reconnect_due);
    return cu_mono_min(at, g->rejoin_due);
}

/* We were held up and heard nothing meanwhile: nobody is to blame for our silence. Suspicions run
 * on as much longer, the running probe is dropped (compare contracts 5.3). */
static void notice_pause(struct gossip *g)
{
    uint64_t late_ms = cu_mono_ms_between(gossip_next_deadline(g), g->now);
    if (late_ms < GOSSIP_PAUSE_MS)
        return;
    gossip_tell(g, GOSSIP_NOTE_PAUSED, (struct cu_bytes){0}, NULL, NULL);
    gossip_probe_drop(g);
    gossip_health(g, 1);
    for (uint32_t i = 0; i < g->members.list_count; i++)
        if (g->members.list[i]->suspicion)
            gossip_suspicion_extend(g->members.list[i]->suspicion, late_ms);
}

/* What gossip_new could not say, having nobody to say it to. */
static void begin_life(struct gossip *g)
{
    g->has_begun = true;
    gossip_member_joined(g, g->self);
    gossip_announce_self(g, 0);
    if (g->bad_lines)
        gossip_tell(g, GOSSIP_NOTE_BAD_SNAPSHOT_LINE, (struct cu_bytes){0}, NULL,
                    cu_arena_printf(g->arena, "%u lines", g->bad_lines));
}

/* ---- events ---- */

static void hear(struct gossip *g, const struct gossip_message *message, struct gossip_addr from)
{
    switch (message->type) {
    case GOSSIP_PING:
        gossip_hear_ping(g, &message->ping, from);
        break;
    case GOSSIP_INDIRECT_PING:
        gossip_hear_indirect(g, &message->indirect_ping, from);
        break;
    case GOSSIP_ACK:
        gossip_hear_ack(g, message->ack.seq);
        break;
    case GOSSIP_NACK:
        gossip_hear_nack(g, message->nack.seq);
        break;
    case GOSSIP_SUSPECT:
        gossip_hear_suspect(g, &message->suspect);
        break;
    case GOSSIP_ALIVE:
        gossip_hear_alive(g, &message->alive);
        break;
    case GOSSIP_DEAD:
        gossip_hear_dead(g, &message->dead, 0);
        break;
    case GOSSIP_USER:
        gossip_hear_serf(g, message->user.body);
        break;
    case GOSSIP_PUSH_PULL: /* streams' business; framing never comes here */
    case GOSSIP_ERR:
    case GOSSIP_COMPOUND:
    case GOSSIP_COMPRESS:
    case GOSSIP_ENCRYPT:
    case GOSSIP_HAS_CRC:
    case GOSSIP_TYPE_COUNT:
        g->dropped++;
        break;
    }
}

static void hear_packet(struct gossip *g, const struct gossip_event *event)
{
    g->heard_from = event->from;
    for (uint32_t i = 0; i < event->packet.count; i++) {
        hear(g, &event->packet.messages[i], event->from);
        cu_arena_reset(g->arena);
    }
    g->heard_from = (struct gossip_addr){0};
}

static void apply(struct gossip *g, const struct gossip_event *event)
{
    switch (event->kind) {
    case GOSSIP_EV_TICK:
        break;
    case GOSSIP_EV_PACKET:
        hear_packet(g, event);
        break;
    case GOSSIP_EV_STREAM_REQUEST:
        gossip_hear_stream(g, event);
        break;
    case GOSSIP_EV_STREAM_REPLY:
        gossip_hear_reply(g, event);
        break;
    case GOSSIP_EV_STREAM_FAILED:
        gossip_stream_failed(g, event);
        break;
    case GOSSIP_EV_SEND_FAILED:
        gossip_probe_send_failed(g, event->from);
        break;
    case GOSSIP_EV_JOIN:
        gossip_join(g, event);
        break;
    case GOSSIP_EV_LEAVE:
        gossip_leave(g, event->tag);
        break;
    case GOSSIP_EV_FORCE_LEAVE:
        gossip_force_leave(g, event);
        break;
    case GOSSIP_EV_SET_TAGS:
        gossip_set_tags(g, event);
        break;
    case GOSSIP_EVENT_COUNT:
        break;
    }
}

void gossip_step(struct gossip *g, const struct gossip_event *event, struct gossip_actions *out)
{
    g->out = out;
    g->now = event->now;
    g->wall_ms = event->wall_ms;
    if (g->has_begun)
        notice_pause(g);
    else
        begin_life(g);
    pass_idle_ticks(g);
    apply(g, event);
    if (g->leave.phase != GOSSIP_HAS_LEFT)
        run_timers(g);
    else
        gossip_run_relays(g);
    gossip_run_waits(g);
    cu_arena_reset(g->arena);
    g->out = NULL;
}

/* ---- questions ---- */

void gossip_stats(const struct gossip *g, struct gossip_stats *ret_stats)
{
    *ret_stats = (struct gossip_stats){
        .members = gossip_member_count(g),
        .failed = g->members.count[GOSSIP_STATUS_FAILED],
        .left = g->members.count[GOSSIP_STATUS_LEFT],
        .health_score = g->health,
        .member_time = g->member_time,
        .event_time = g->event_time,
        .query_time = g->query_time,
        .intent_queue = g->intents.count,
        .event_queue = g->events.count,
        .query_queue = g->queries.count,
        .broadcast_queue = g->broadcasts.count,
        .probes = g->probes,
        .probes_failed = g->probes_failed,
        .refuted = g->refuted,
        .dropped = g->dropped,
        .is_leaving = gossip_is_leaving(g),
        .has_left = g->leave.phase == GOSSIP_HAS_LEFT,
    };
}
