/* One node: its process, its file, and what its core tells it to do. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/gossip_sim/world.h"

enum { JOIN_TAG = 1, LEAVE_TAG, TAGS_TAG, PORT = 8301, JOIN_AGAIN_MS = 5000, JOIN_TARGETS = 5 };

struct gossip_addr sim_addr(const struct sim *sim, uint32_t node)
{
    uint8_t net = (uint8_t)(1 + sim->nodes[node].moves);
    return (struct gossip_addr){
        .ip = {.len = 4, .bytes = {10, net, (uint8_t)(node >> 8), (uint8_t)node}}, .port = PORT};
}

uint32_t sim_node_at(const struct sim *sim, struct gossip_addr addr)
{
    uint32_t node = (uint32_t)addr.ip.bytes[2] << 8 | addr.ip.bytes[3];
    bool is_here = node < sim->plan.nodes && gossip_addr_equal(addr, sim_addr(sim, node));
    return is_here ? node : UINT32_MAX;
}

/* ---- acting ---- */

static void schedule(struct sim *sim, uint32_t n)
{
    struct sim_node *node = &sim->nodes[n];
    uint64_t at = gossip_next_deadline(node->gossip).ns;
    if (at == UINT64_MAX)
        return;
    if (at < sim->now_ns)
        at = sim->now_ns;
    if (node->timer_ns > sim->now_ns && node->timer_ns <= at)
        return; /* an entry wakes it before, and then looks again */
    node->timer_ns = at;
    struct sim_item *item = cu_alloc(sizeof *item);
    item->kind = SIM_TIMER;
    item->node = n;
    item->lives = node->lives;
    item->at_ns = at;
    sim_push(sim, item);
}

static void done(struct sim *sim, uint32_t n, const struct gossip_action *action)
{
    struct sim_node *node = &sim->nodes[n];
    if (action->done.tag == JOIN_TAG)
        node->join_due_ms = action->done.count ? 0 : sim_ms(sim) + JOIN_AGAIN_MS;
    else if (action->done.tag == LEAVE_TAG)
        node->life = SIM_LEFT; /* its process ends after this step */
}

static void act(struct sim *sim, uint32_t n, struct gossip_action *action)
{
    struct sim_node *node = &sim->nodes[n];
    switch (action->kind) {
    case GOSSIP_ACT_PACKET:
        sim_send(sim, n, action->packet);
        break;
    case GOSSIP_ACT_DIAL:
        sim_dial(sim, n, action);
        break;
    case GOSSIP_ACT_ANSWER:
        sim_answer(sim, n, action->answer.call, action->answer.bytes);
        break;
    case GOSSIP_ACT_MEMBER:
        sim_tell(sim, "n%u: %s %s", n, action->member.view.name,
                 gossip_change_name(action->member.change));
        sim_note_member(sim, n, action);
        break;
    case GOSSIP_ACT_SNAPSHOT:
        cu_buf_text(&node->snapshot, action->snapshot.line);
        cu_buf_u8(&node->snapshot, '\n');
        break;
    case GOSSIP_ACT_DONE:
        done(sim, n, action);
        break;
    case GOSSIP_ACT_NOTE:
        sim_tell(sim, "n%u: note %s %s %s", n, gossip_note_name(action->note.note),
                 action->note.name ? action->note.name : "",
                 action->note.text ? action->note.text : "");
        break;
    case GOSSIP_ACTION_COUNT:
        break;
    }
}

static void compact(struct sim_node *node)
{
    if (node->snapshot.len <= gossip_snapshot_limit(node->gossip))
        return;
    cu_buf_clear(&node->snapshot);
    gossip_snapshot_write(node->gossip, &node->snapshot);
}

static void end(struct sim_node *node)
{
    gossip_free(node->gossip);
    node->gossip = NULL;
    for (uint32_t i = 0; i < node->inbox_count; i++)
        sim_item_free(node->inbox[i]);
    node->inbox_count = 0;
}

void sim_step(struct sim *sim, uint32_t n, struct gossip_event event)
{
    struct sim_node *node = &sim->nodes[n];
    event.now = (struct cu_mono){sim->now_ns};
    event.wall_ms = 1700000000000u + sim_ms(sim);
    gossip_step(node->gossip, &event, &sim->actions);
    sim->steps++;
    for (uint32_t i = 0; i < sim->actions.count; i++)
        act(sim, n, &sim->actions.items[i]);
    gossip_actions_clear(&sim->actions);
    compact(node);
    /* All of it after each step would cost more than the step, in a large pool. */
    const char *claim = sim->steps % sim->plan.nodes < 4 ? gossip_check(node->gossip) : NULL;
    if (claim)
        sim_fail(sim, claim, "n%u", n);
    if (node->life == SIM_LEFT)
        end(node);
    else
        schedule(sim, n);
}

/* ---- its life ---- */

static void read_tags(unsigned tag, char text[SIM_NAME_BYTES], struct gossip_tags *tags)
{
    (void)snprintf(text, SIM_NAME_BYTES, "%u", tag);
    tags->count = 2;
    tags->tag[0] = (struct gossip_tag){cu_bytes_of("n"), cu_bytes_of(text)};
    tags->tag[1] = (struct gossip_tag){cu_bytes_of("role"), cu_bytes_of("node")};
}

static void felt(struct sim *sim, uint32_t n)
{
    sim->nodes[n].since_ms = sim->settled_ms = sim_ms(sim);
}

void sim_start(struct sim *sim, uint32_t n)
{
    struct sim_node *node = &sim->nodes[n];
    char name[SIM_NAME_BYTES], value[SIM_NAME_BYTES];
    static struct gossip_tags tags;
    (void)snprintf(name, sizeof name, "n%u", n);
    read_tags(node->tag, value, &tags);
    struct gossip_options options = {.name = name,
                                     .address = sim_addr(sim, n),
                                     .tags = &tags,
                                     .versions = GOSSIP_VERSIONS_CONSUL,
                                     .timing = *sim->timing,
                                     .seed = cu_random_u64(&sim->random),
                                     .now = {sim->now_ns},
                                     .wall_ms = 1700000000000u + sim_ms(sim),
                                     .snapshot = cu_buf_bytes(&node->snapshot)};
    bool has_file = node->snapshot.len > 0;
    enum cu_err err = gossip_new(&options, &node->gossip, NULL);
    CU_ASSERT(!err);
    node->life = SIM_UP;
    node->is_leaving = false;
    node->lives++;
    node->timer_ns = 0;
    /* With a file it finds back on its own; the join that a supervisor would try comes later. */
    node->join_due_ms = sim_ms(sim) + (has_file ? 6 * JOIN_AGAIN_MS : 1);
    memset(&sim->seen[(size_t)n * sim->plan.nodes], 0, sim->plan.nodes);
    memset(&sim->failed_ms[(size_t)n * sim->plan.nodes], 0,
           sim->plan.nodes * sizeof *sim->failed_ms);
    felt(sim, n);
    sim_tell(sim, "n%u: start", n);
    schedule(sim, n);
}

void sim_kill(struct sim *sim, uint32_t n)
{
    sim_tell(sim, "n%u: kill", n);
    struct sim_node *node = &sim->nodes[n];
    end(node);
    node->life = SIM_DOWN;
    if (node->snapshot.len && sim_chance(sim, 300)) /* the last line is torn */
        node->snapshot.len -= cu_random_below(&sim->random, 10) % node->snapshot.len;
    felt(sim, n);
}

void sim_pause(struct sim *sim, uint32_t n)
{
    sim_tell(sim, "n%u: pause", n);
    sim->nodes[n].life = SIM_PAUSED;
    felt(sim, n);
}

void sim_resume(struct sim *sim, uint32_t n)
{
    sim_tell(sim, "n%u: resume", n);
    struct sim_node *node = &sim->nodes[n];
    node->life = SIM_UP;
    node->timer_ns = 0;
    felt(sim, n);
    uint32_t count = node->inbox_count;
    struct sim_item **items = node->inbox;
    node->inbox = NULL;
    node->inbox_count = 0;
    for (uint32_t i = 0; i < count; i++)
        sim_deliver(sim, items[i]);
    free(items);
    if (node->life == SIM_UP)
        sim_step(sim, n, (struct gossip_event){.kind = GOSSIP_EV_TICK});
}

void sim_leave(struct sim *sim, uint32_t n)
{
    sim_tell(sim, "n%u: leave", n);
    sim->nodes[n].is_leaving = true;
    felt(sim, n);
    sim_step(sim, n, (struct gossip_event){.kind = GOSSIP_EV_LEAVE, .tag = LEAVE_TAG});
}

void sim_set_tag(struct sim *sim, uint32_t n)
{
    struct sim_node *node = &sim->nodes[n];
    char value[SIM_NAME_BYTES];
    static struct gossip_tags tags;
    node->tag++;
    node->tag_since_ms = sim_ms(sim);
    read_tags(node->tag, value, &tags);
    sim_tell(sim, "n%u: tag %u", n, node->tag);
    sim_step(sim, n,
             (struct gossip_event){.kind = GOSSIP_EV_SET_TAGS, .tag = TAGS_TAG, .set_tags = &tags});
}

/* As a node does with retry_join: some well-known addresses, again until one answers. */
void sim_join(struct sim *sim, uint32_t n)
{
    struct gossip_join_target targets[JOIN_TARGETS];
    uint32_t count = 0;
    for (uint32_t i = 0; i < JOIN_TARGETS && i < sim->plan.nodes; i++)
        if (i != n)
            targets[count++].address = sim_addr(sim, i);
    sim->nodes[n].join_due_ms = sim_ms(sim) + 4 * JOIN_AGAIN_MS;
    sim_step(sim, n,
             (struct gossip_event){.kind = GOSSIP_EV_JOIN,
                                   .tag = JOIN_TAG,
                                   .join = {.targets = targets, .count = count}});
}
