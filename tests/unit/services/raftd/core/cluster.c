#include "tests/unit/services/raftd/core/cluster.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

enum cluster_kind { DELIVER, SYNC, TICK, CATALOGD };

struct cluster_event {
    uint64_t at_ns, number, life;
    enum cluster_kind kind;
    unsigned node;
    struct raft_message *message;
    uint64_t persist;
};

struct cluster_held {
    struct raft_message *message;
    uint64_t after;
};

struct cluster_call {
    uint64_t tag, floor; /* READ: what was committed anywhere when it was asked */
    bool is_read;
};

struct raft_id cluster_id(unsigned node)
{
    return (struct raft_id){{0, [15] = (uint8_t)(node + 1)}};
}

static unsigned number_of(struct raft_id id)
{
    return id.bytes[15] - 1u;
}

static bool chance(struct cluster *c, unsigned permille)
{
    return cu_random_below(&c->random, 1000) < permille;
}

/* ---- the queue: few events at a time, so a list will do ---- */

static void later(struct cluster *c, uint64_t delay_us, struct cluster_event event)
{
    static uint64_t number; /* ties in the order they were made */
    if (c->event_count == c->event_cap) {
        c->event_cap = c->event_cap ? c->event_cap * 2 : 256;
        c->events = cu_realloc(c->events, c->event_cap * sizeof *c->events);
    }
    event.at_ns = c->now.ns + delay_us * 1000;
    event.number = ++number;
    event.life = c->nodes[event.node].life;
    c->events[c->event_count++] = event;
}

static struct cluster_event take_next(struct cluster *c)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < c->event_count; i++) {
        const struct cluster_event *a = &c->events[i], *b = &c->events[best];
        if (a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->number < b->number))
            best = i;
    }
    struct cluster_event event = c->events[best];
    c->events[best] = c->events[--c->event_count];
    return event;
}

static void free_message(struct raft_message *message)
{
    if (message)
        raft_message_deinit(message);
    free(message);
}

/* ---- the network ---- */

static struct raft_message *copy_of(const struct raft_message *message)
{
    struct raft_message *copy = cu_memdup(message, sizeof *message);
    copy->entries = cu_memdup(message->entries, message->entry_count * sizeof *message->entries);
    for (uint32_t i = 0; i < copy->entry_count; i++)
        raft_body_ref(copy->entries[i].body);
    return copy;
}

static void send(struct cluster *c, struct raft_message *message)
{
    unsigned from = number_of(message->from), to = number_of(message->to);
    if (c->is_cut[from][to] || chance(c, c->drop_permille)) {
        free_message(message);
        return;
    }
    if (chance(c, c->double_permille))
        later(c, cu_random_below(&c->random, 4 * c->delay_max_us + 1),
              (struct cluster_event){.kind = DELIVER, .node = to, .message = copy_of(message)});
    later(c, 1 + cu_random_below(&c->random, c->delay_max_us + 1),
          (struct cluster_event){.kind = DELIVER, .node = to, .message = message});
}

/* ---- steps ---- */

static uint64_t highest_commit(const struct cluster *c)
{
    uint64_t highest = c->committed_count;
    for (unsigned i = 0; i < c->count; i++) {
        if (c->nodes[i].raft && cluster_status(c, i).commit > highest)
            highest = cluster_status(c, i).commit;
    }
    return highest;
}

static void answered(struct cluster *c, uint64_t tag, const struct raft_action *action)
{
    for (uint32_t i = 0; i < c->call_count; i++) {
        if (c->calls[i].tag != tag)
            continue;
        if (c->calls[i].is_read && !action->read.err) {
            c->reads++;
            if (action->read.index < c->calls[i].floor)
                cluster_fail(c, "a read is told %" PRIu64 ", below the %" PRIu64 " committed (I14)",
                             action->read.index, c->calls[i].floor);
        } else if (!c->calls[i].is_read && !action->proposed.refusal_count &&
                   !action->proposed.lost_count) {
            c->acknowledged++;
        }
        c->calls[i] = c->calls[--c->call_count];
        return;
    }
    cluster_fail(c, "an answer to no question, or a second one");
}

static void hold(struct cluster *c, struct cluster_node *n, struct raft_message *message,
                 uint64_t after)
{
    if (after <= n->synced) {
        send(c, message);
        return;
    }
    if (n->held_count == n->held_cap) {
        n->held_cap = n->held_cap ? n->held_cap * 2 : 16;
        n->held = cu_realloc(n->held, n->held_cap * sizeof *n->held);
    }
    n->held[n->held_count++] = (struct cluster_held){.message = message, .after = after};
}

static void release(struct cluster *c, struct cluster_node *n)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n->held_count; i++) {
        if (n->held[i].after <= n->synced)
            send(c, n->held[i].message);
        else
            n->held[kept++] = n->held[i];
    }
    n->held_count = kept;
}

static void perform(struct cluster *c, unsigned node, struct raft_action *action)
{
    struct cluster_node *n = &c->nodes[node];
    switch (action->kind) {
    case RAFT_ACT_SEND:
        hold(c, n, action->send, action->after);
        action->send = NULL;
        break;
    case RAFT_ACT_PERSIST:
        raft_disk_write(&n->disk, action->persist);
        later(c, 1 + cu_random_below(&c->random, c->sync_max_us + 1),
              (struct cluster_event){.kind = SYNC, .node = node, .persist = action->persist->id});
        action->persist = NULL;
        break;
    case RAFT_ACT_PROPOSED:
        answered(c, action->proposed.tag, action);
        break;
    case RAFT_ACT_READ:
        answered(c, action->read.tag, action);
        break;
    case RAFT_ACT_ATTACHED:
        n->is_attached = !action->attached.err;
        break;
    case RAFT_ACT_RECOVERED:
    case RAFT_ACT_FORGOTTEN:
    case RAFT_ACT_CHANGED:
    case RAFT_ACT_NOTE:
    case RAFT_ACTION_COUNT:
        break;
    }
}

static void step(struct cluster *c, unsigned node, struct raft_event event)
{
    struct cluster_node *n = &c->nodes[node];
    struct raft_actions out = {0};
    event.now = c->now;
    event.wall_ms = 1600000000000 + c->now.ns / 1000000;
    raft_step(n->raft, &event, &out);
    c->steps++;
    for (uint32_t i = 0; i < out.count; i++)
        perform(c, node, &out.items[i]);
    raft_actions_deinit(&out);
    const char *broken = raft_check(n->raft);
    if (broken)
        cluster_fail(c, "node %u: %s", node, broken);
    cluster_check_leader(c, node);
}

/* ---- the catalogd beside it ---- */

static void note_entry(struct raft_header *state, struct raft_id cluster,
                       const struct raft_entry *entry)
{
    struct raft_configuration_body body;
    state->position =
        (struct raft_position){.cluster = cluster, .index = entry->index, .term = entry->term};
    state->wall_ms = entry->wall_ms;
    state->lease_ms = entry->lease_ms;
    if (entry->kind != RAFT_CONFIGURATION ||
        raft_configuration_decode(raft_entry_body(entry), &body))
        return;
    state->configuration = body.configuration;
    state->configuration.index = entry->index;
}

static void attach(struct cluster *c, unsigned node)
{
    struct cluster_node *n = &c->nodes[node];
    n->state = n->durable;
    step(c, node, (struct raft_event){.kind = RAFT_EV_ATTACH, .attach = &n->durable});
}

static void take_entries(struct cluster *c, unsigned node, struct raft_follow_answer answer)
{
    struct cluster_node *n = &c->nodes[node];
    struct raft_entry batch[32];
    uint32_t count = 0;
    if (raft_read(n->raft, answer.first, answer.last, 1 << 20, 32, batch, &count))
        return;
    for (uint32_t i = 0; i < count; i++) {
        if (batch[i].index != n->state.position.index + 1)
            cluster_fail(c, "node %u skips an entry at %" PRIu64 " (I24)", node, batch[i].index);
        cluster_check_committed(c, node, &batch[i]);
        note_entry(&n->state, cluster_status(c, node).cluster, &batch[i]);
        raft_body_unref(batch[i].body);
    }
}

/* The state of any other that covers the floor; durable before it is attached. */
static void pull(struct cluster *c, unsigned node, uint64_t floor)
{
    unsigned from = (unsigned)cu_random_below(&c->random, c->count);
    const struct raft_header *other = &c->nodes[from].state;
    if (c->holds_pulls || from == node || c->is_cut[from][node] || other->position.index < floor)
        return;
    c->nodes[node].durable = *other;
    attach(c, node);
}

static void run_catalogd(struct cluster *c, unsigned node)
{
    struct cluster_node *n = &c->nodes[node];
    struct raft_follow_answer answer;
    later(c, 1000 + cu_random_below(&c->random, 20000),
          (struct cluster_event){.kind = CATALOGD, .node = node});
    if (!n->is_attached) {
        attach(c, node);
        return;
    }
    step(c, node, (struct raft_event){.kind = RAFT_EV_DUTY_POLL, .duty = {true, true}});
    raft_follow(n->raft, n->state.position, &answer);
    if (answer.outcome == RAFT_FOLLOW_ENTRIES)
        take_entries(c, node, answer);
    else if (answer.outcome == RAFT_FOLLOW_COMPACTED)
        pull(c, node, answer.floor);
    else if (answer.outcome == RAFT_FOLLOW_DIVERGED)
        cluster_fail(c, "node %u tells its catalogd Diverged", node);
    if (chance(c, 200)) {
        n->durable = n->state;
        step(c, node, (struct raft_event){.kind = RAFT_EV_DURABLE, .durable = n->durable.position});
    }
}

/* ---- events ---- */

static void on_sync(struct cluster *c, unsigned node, uint64_t persist)
{
    struct cluster_node *n = &c->nodes[node];
    if (persist <= n->synced)
        return;
    raft_disk_sync(&n->disk, persist);
    n->synced = persist;
    release(c, n);
    step(c, node, (struct raft_event){.kind = RAFT_EV_PERSISTED, .persist_id = persist});
}

static void happen(struct cluster *c, struct cluster_event event)
{
    struct cluster_node *n = &c->nodes[event.node];
    bool is_of_life = n->raft && (event.kind == DELIVER || event.life == n->life);
    if (!is_of_life) {
        free_message(event.message);
        return;
    }
    switch (event.kind) {
    case DELIVER:
        step(c, event.node, (struct raft_event){.kind = RAFT_EV_MESSAGE, .message = event.message});
        break;
    case SYNC:
        on_sync(c, event.node, event.persist);
        break;
    case TICK:
        step(c, event.node, (struct raft_event){.kind = RAFT_EV_TICK});
        later(c, 5000, (struct cluster_event){.kind = TICK, .node = event.node});
        break;
    case CATALOGD:
        run_catalogd(c, event.node);
        break;
    }
}

void cluster_run(struct cluster *c, uint64_t ms)
{
    uint64_t end = c->now.ns + ms * 1000000;
    while (c->event_count && !*c->failure) {
        struct cluster_event event = take_next(c);
        if (event.at_ns > end) {
            c->events[c->event_count++] = event; /* there is room: it was just taken */
            break;
        }
        c->now.ns = event.at_ns;
        happen(c, event);
    }
    c->now.ns = end;
}

/* ---- what a test does to it ---- */

void cluster_start(struct cluster *c, unsigned node)
{
    struct cluster_node *n = &c->nodes[node];
    struct raft_options options = {.self = cluster_id(node),
                                   .timing = raft_timing_default,
                                   .store = raft_disk_store(&n->disk),
                                   .seed = cu_random_u64(&c->random),
                                   .now = c->now,
                                   .bootstrap_count = c->count};
    for (unsigned i = 0; i < c->count; i++)
        options.bootstrap[i] = cluster_id(i);
    struct raft_boot boot = raft_disk_boot(&n->disk);
    boot.trailing = c->trailing;
    n->life++;
    n->synced = 0;
    n->is_attached = false;
    n->raft = raft_new(&options, &boot);
    later(c, 1, (struct cluster_event){.kind = TICK, .node = node});
    later(c, 1, (struct cluster_event){.kind = CATALOGD, .node = node});
}

void cluster_crash(struct cluster *c, unsigned node, bool loses_state)
{
    struct cluster_node *n = &c->nodes[node];
    if (!n->raft)
        return;
    raft_free(n->raft);
    n->raft = NULL;
    for (uint32_t i = 0; i < n->held_count; i++)
        free_message(n->held[i].message);
    n->held_count = 0;
    raft_disk_crash(&n->disk, (uint32_t)cu_random_below(&c->random, n->disk.waiting_count + 1));
    if (loses_state)
        n->durable = (struct raft_header){0};
}

void cluster_cut(struct cluster *c, unsigned node, bool is_cut)
{
    for (unsigned i = 0; i < c->count; i++)
        c->is_cut[i][node] = c->is_cut[node][i] = is_cut;
}

void cluster_heal(struct cluster *c)
{
    memset(c->is_cut, 0, sizeof c->is_cut);
    c->drop_permille = c->double_permille = 0;
    c->delay_max_us = 2000;
    c->sync_max_us = 3000;
    for (unsigned i = 0; i < c->count; i++) {
        if (!c->nodes[i].raft)
            cluster_start(c, i);
    }
}

static uint64_t call(struct cluster *c, bool is_read)
{
    if (c->call_count == c->call_cap) {
        c->call_cap = c->call_cap ? c->call_cap * 2 : 64;
        c->calls = cu_realloc(c->calls, c->call_cap * sizeof *c->calls);
    }
    c->calls[c->call_count++] =
        (struct cluster_call){.tag = ++c->next_tag, .is_read = is_read, .floor = highest_commit(c)};
    return c->next_tag;
}

void cluster_propose(struct cluster *c, unsigned node)
{
    enum { MOST = 3 };
    struct raft_proposal items[MOST];
    uint32_t count = 1 + (uint32_t)cu_random_below(&c->random, MOST);
    char text[32];
    if (!c->nodes[node].raft)
        return;
    uint64_t tag = call(c, false);
    for (uint32_t i = 0; i < count && i < MOST; i++) {
        snprintf(text, sizeof text, "%" PRIu64 ".%u", tag, i);
        items[i] = (struct raft_proposal){.proposer = {{1}},
                                          .seq = tag * 4 + i,
                                          .kind = RAFT_COMMAND,
                                          .body = raft_body_new(cu_bytes_of(text))};
    }
    step(c, node,
         (struct raft_event){.kind = RAFT_EV_PROPOSE, .tag = tag, .propose = {items, count}});
}

void cluster_read(struct cluster *c, unsigned node, enum raft_read_mode mode)
{
    if (!c->nodes[node].raft)
        return;
    uint64_t tag = call(c, true);
    step(c, node, (struct raft_event){.kind = RAFT_EV_READ_INDEX, .tag = tag, .read_mode = mode});
}

unsigned cluster_leader(const struct cluster *c)
{
    unsigned best = c->count;
    for (unsigned i = 0; i < c->count; i++) {
        if (!c->nodes[i].raft || cluster_status(c, i).role != RAFT_LEADER)
            continue;
        if (best == c->count || cluster_status(c, i).term > cluster_status(c, best).term)
            best = i;
    }
    return best;
}

struct raft_status cluster_status(const struct cluster *c, unsigned node)
{
    struct raft_status status;
    raft_status(c->nodes[node].raft, c->now, &status);
    return status;
}

void cluster_open(struct cluster *c, unsigned count, uint64_t seed)
{
    CU_ASSERT(count <= CLUSTER_MAX);
    *c = (struct cluster){.seed = seed,
                          .random = {seed},
                          .now = {1000000000},
                          .count = count,
                          .delay_max_us = 2000,
                          .sync_max_us = 3000,
                          .trailing = 10240};
    for (unsigned i = 0; i < count; i++) {
        c->nodes[i].disk.incarnation = cu_random_u64(&c->random) | 1;
        cluster_start(c, i);
    }
}

void cluster_close(struct cluster *c)
{
    for (unsigned i = 0; i < c->count; i++) {
        cluster_crash(c, i, false);
        raft_disk_deinit(&c->nodes[i].disk);
        free(c->nodes[i].held);
    }
    for (uint32_t i = 0; i < c->event_count; i++)
        free_message(c->events[i].message);
    for (uint64_t i = 0; i < c->committed_count; i++)
        raft_body_unref(c->committed[i].body);
    free(c->committed);
    free(c->events);
    free(c->calls);
}
