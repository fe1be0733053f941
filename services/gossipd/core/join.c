/* Commands: join, force-leave, new tags (gossip.md 13, 16). */
#include <stdlib.h>

#include "common/base/assert.h"
#include "services/gossipd/core/address.h"
#include "services/gossipd/core/state.h"

static struct gossip_wait *begin_wait(struct gossip *g, enum gossip_wait_kind kind, uint64_t tag)
{
    g->waits = cu_realloc(g->waits, (g->wait_count + 1) * sizeof *g->waits);
    struct gossip_wait *wait = &g->waits[g->wait_count++];
    *wait = (struct gossip_wait){.kind = kind, .tag = tag, .until = CU_MONO_NEVER};
    return wait;
}

static void end_wait(struct gossip *g, struct gossip_wait *wait, enum cu_err err)
{
    cu_buf_u8(&wait->text, 0);
    gossip_done(g, wait->tag, err, wait->joined, (const char *)wait->text.data);
    cu_buf_deinit(&wait->text);
    *wait = g->waits[--g->wait_count];
}

/* ---- join ---- */

/* An error only if nobody was reached. */
static void join_ends(struct gossip *g, struct gossip_wait *wait)
{
    if (wait->joined)
        gossip_broadcast_join(g);
    end_wait(g, wait, wait->joined ? CU_OK : CU_E_DISCONNECTED);
}

static void add_reason(struct gossip_wait *wait, const char *reason)
{
    if (wait->text.len)
        cu_buf_u8(&wait->text, '\n');
    cu_buf_text(&wait->text, reason);
}

static void add_failure(struct gossip_wait *wait, struct gossip_addr to, const char *reason)
{
    char addr[GOSSIP_ADDR_TEXT_BYTES];
    if (wait->text.len)
        cu_buf_u8(&wait->text, '\n');
    cu_buf_printf(&wait->text, "Failed to join %s: %s", gossip_addr_format(to, addr), reason);
}

void gossip_join(struct gossip *g, const struct gossip_event *event)
{
    CU_ASSERT(event->join.count <= GOSSIP_JOIN_MAX);
    if (g->leave.phase != GOSSIP_STAYS) {
        gossip_done(g, event->tag, CU_E_CONFLICT, 0, "Serf can't Join after Leave or Shutdown");
        return;
    }
    struct gossip_wait *wait = begin_wait(g, GOSSIP_WAIT_JOIN, event->tag);
    for (uint32_t i = 0; i < event->join.count; i++) {
        struct gossip_exchange exchange = {.kind = GOSSIP_EXCHANGE_JOIN,
                                           .tag = event->tag,
                                           .to = event->join.targets[i].address,
                                           .ignore_old = event->join.ignore_old};
        if (gossip_push_pull(g, &exchange, true))
            wait->left++;
        else
            add_failure(wait, exchange.to, "too many exchanges are under way");
    }
    if (!wait->left)
        join_ends(g, wait);
}

void gossip_join_progress(struct gossip *g, const struct gossip_exchange *exchange,
                          const char *failure)
{
    for (uint32_t i = 0; i < g->wait_count; i++) {
        struct gossip_wait *wait = &g->waits[i];
        if (wait->kind != GOSSIP_WAIT_JOIN || wait->tag != exchange->tag)
            continue;
        if (failure)
            add_failure(wait, exchange->to, failure);
        else
            wait->joined++;
        if (!--wait->left)
            join_ends(g, wait);
        return;
    }
}

/* ---- commands that wait for a broadcast ---- */

/* Without anybody to tell, there is nothing to wait for. Returns the ticket to give the
 * broadcast. */
static uint64_t wait_for_broadcast(struct gossip *g, enum gossip_wait_kind kind, uint64_t tag)
{
    if (!gossip_others_alive(g)) {
        gossip_done(g, tag, CU_OK, 0, NULL);
        return 0;
    }
    struct gossip_wait *wait = begin_wait(g, kind, tag);
    wait->ticket = ++g->last_ticket;
    wait->until = cu_mono_add_ms(g->now, g->timing.broadcast_timeout_ms);
    return wait->ticket;
}

void gossip_force_leave(struct gossip *g, const struct gossip_event *event)
{
    struct gossip_serf leave = {.type = GOSSIP_SERF_LEAVE,
                                .intent = {.ltime = g->member_time,
                                           .node = cu_bytes_of(event->force_leave.name),
                                           .prune = event->force_leave.prune}};
    g->member_time++;
    (void)gossip_hear_leave_intent(g, &leave.intent);
    uint64_t ticket = wait_for_broadcast(g, GOSSIP_WAIT_FORCE_LEAVE, event->tag);
    if (ticket)
        gossip_broadcast_serf(g, &leave, ticket);
}

void gossip_set_tags(struct gossip *g, const struct gossip_event *event)
{
    cu_buf_clear(&g->scratch);
    if (gossip_tags_encode(&g->scratch, event->set_tags)) {
        gossip_done(g, event->tag, CU_E_TOO_LARGE, 0,
                    "Encoded length of tags exceeds limit of 512 bytes");
        return;
    }
    bool changed = !cu_bytes_equal(g->self->meta, cu_buf_bytes(&g->scratch));
    gossip_member_set_meta(g->self, cu_buf_bytes(&g->scratch));
    g->self->incarnation++;
    if (changed)
        gossip_member_updated(g, g->self);
    gossip_announce_self(g, wait_for_broadcast(g, GOSSIP_WAIT_TAGS, event->tag));
}

/* ---- what the commands wait for ---- */

static void broadcast_through(struct gossip *g, uint64_t ticket)
{
    for (uint32_t i = 0; i < g->wait_count; i++)
        if (g->waits[i].ticket == ticket) {
            end_wait(g, &g->waits[i], CU_OK);
            return;
        }
    gossip_leave_through(g, ticket);
}

static void time_is_up(struct gossip *g, struct gossip_wait *wait)
{
    add_reason(wait, wait->kind == GOSSIP_WAIT_FORCE_LEAVE
                         ? "timed out broadcasting node removal"
                         : "timeout waiting for update broadcast");
    end_wait(g, wait, CU_E_DEADLINE);
}

void gossip_run_waits(struct gossip *g)
{
    for (uint64_t ticket; (ticket = gossip_queue_take_done(&g->broadcasts)) != 0;)
        broadcast_through(g, ticket);
    for (uint64_t ticket; (ticket = gossip_queue_take_done(&g->intents)) != 0;)
        broadcast_through(g, ticket);
    for (uint32_t i = g->wait_count; i; i--)
        if (!cu_mono_before(g->now, g->waits[i - 1].until))
            time_is_up(g, &g->waits[i - 1]);
    gossip_leave_run(g);
}

struct cu_mono gossip_waits_due(const struct gossip *g)
{
    struct cu_mono at = g->leave.until;
    for (uint32_t i = 0; i < g->wait_count; i++)
        at = cu_mono_min(at, g->waits[i].until);
    return at;
}
