/* Intents to join and to leave, with their Lamport times (gossip.md 15.1, 16). */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/gossipd/core/state.h"

void gossip_witness(uint64_t *clock, uint64_t seen)
{
    if (seen >= *clock && seen != UINT64_MAX)
        *clock = seen + 1;
}

/* ---- about members not known yet ---- */

static void forget(struct gossip *g, struct gossip_seen_intent *intent)
{
    (void)cu_map_del(&g->seen_intents, intent->name);
    free((void *)intent->name.data);
    free(intent);
}

void gossip_intents_deinit(struct gossip *g)
{
    size_t at = 0;
    struct cu_bytes name;
    void *value = NULL;
    while (cu_map_next(&g->seen_intents, &at, &name, &value))
        forget(g, value);
    cu_map_deinit(&g->seen_intents);
}

void gossip_reap_intents(struct gossip *g)
{
    size_t at = 0;
    struct cu_bytes name;
    void *value = NULL;
    while (cu_map_next(&g->seen_intents, &at, &name, &value)) {
        struct gossip_seen_intent *intent = value;
        if (cu_mono_ms_between(intent->at, g->now) > g->timing.recent_intent_ms)
            forget(g, intent);
    }
}

const struct gossip_seen_intent *gossip_seen_intent(const struct gossip *g, struct cu_bytes name)
{
    return cu_map_get(&g->seen_intents, name);
}

/* The newest one of each name; true: it was news. */
static bool keep(struct gossip *g, const struct gossip_intent *intent, enum gossip_serf_type type)
{
    struct gossip_seen_intent *seen = cu_map_get(&g->seen_intents, intent->node);
    if (seen && intent->ltime <= seen->ltime)
        return false;
    if (!seen) {
        if (g->seen_intents.count == GOSSIP_INTENTS_MAX || !intent->node.len ||
            intent->node.len > GOSSIP_NAME_MAX_BYTES) {
            g->dropped++;
            return false;
        }
        seen = cu_alloc(sizeof *seen);
        seen->name =
            (struct cu_bytes){cu_memdup(intent->node.data, intent->node.len), intent->node.len};
        (void)cu_map_put(&g->seen_intents, seen->name, seen);
    }
    seen->type = (uint8_t)type;
    seen->ltime = intent->ltime;
    seen->at = g->now;
    return true;
}

static struct gossip_member *find(const struct gossip *g, struct cu_bytes name)
{
    struct gossip_member *member = gossip_members_get(&g->members, name);
    return member && gossip_is_member(member) ? member : NULL;
}

/* ---- join ---- */

bool gossip_hear_join_intent(struct gossip *g, const struct gossip_intent *intent)
{
    gossip_witness(&g->member_time, intent->ltime);
    struct gossip_member *member = find(g, intent->node);
    if (!member)
        return keep(g, intent, GOSSIP_SERF_JOIN);
    if (intent->ltime <= member->status_ltime)
        return false;
    member->status_ltime = intent->ltime;
    if (member->status == GOSSIP_STATUS_LEAVING)
        gossip_member_stays(g, member);
    return true;
}

/* Carries the clock as it is; witnessing it afterwards moves the clock on. */
void gossip_broadcast_join(struct gossip *g)
{
    struct gossip_serf join = {.type = GOSSIP_SERF_JOIN,
                               .intent = {.ltime = g->member_time, .node = g->name}};
    (void)gossip_hear_join_intent(g, &join.intent);
    gossip_broadcast_serf(g, &join, 0);
}

/* ---- leave ---- */

static void prune(struct gossip *g, struct gossip_member *member)
{
    if (member->status != GOSSIP_STATUS_LEAVING) {
        gossip_member_erase(g, member);
        return;
    }
    member->prune_at = cu_mono_add_ms(g->now, (uint64_t)g->timing.broadcast_timeout_ms +
                                                  g->timing.leave_propagate_ms);
    gossip_suspicion_due(g, member->prune_at);
}

/* Those who were told to go and had their time to say so themselves. */
void gossip_run_prunes(struct gossip *g)
{
    size_t at = 0;
    struct cu_bytes name;
    void *value = NULL;
    while (cu_map_next(&g->members.by_name, &at, &name, &value)) {
        struct gossip_member *member = value;
        if (!member->prune_at.ns)
            continue;
        if (cu_mono_before(g->now, member->prune_at))
            gossip_suspicion_due(g, member->prune_at);
        else
            gossip_member_erase(g, member);
    }
}

/* The status time moves in every case, or two leave intents about one member would be passed on for
 * ever. */
bool gossip_hear_leave_intent(struct gossip *g, const struct gossip_intent *intent)
{
    gossip_witness(&g->member_time, intent->ltime);
    struct gossip_member *member = find(g, intent->node);
    if (!member)
        return keep(g, intent, GOSSIP_SERF_LEAVE);
    if (intent->ltime <= member->status_ltime)
        return false;
    if (member == g->self && !gossip_is_leaving(g)) {
        gossip_tell(g, GOSSIP_NOTE_REFUTED_INTENT, (struct cu_bytes){0}, NULL, NULL);
        gossip_broadcast_join(g);
        return false;
    }
    member->status_ltime = intent->ltime;
    if (member->status == GOSSIP_STATUS_ALIVE)
        gossip_member_leaving(g, member);
    else if (member->status == GOSSIP_STATUS_FAILED)
        gossip_member_left(g, member);
    if (intent->prune && member != g->self)
        prune(g, member);
    return true;
}

/* An old leave intent may have reached us after the member's return: no later one of its own would
 * ever mend that. Who has been leaving for longer than leaving takes, and lives, is asked: a leave
 * intent with a new time, to it alone, that it will refute before everybody. */
void gossip_ask_leaving(struct gossip *g)
{
    uint64_t takes_ms = 2 * (uint64_t)g->timing.broadcast_timeout_ms + g->timing.leave_propagate_ms;
    for (uint32_t i = 0; i < g->members.list_count; i++) {
        const struct gossip_member *member = g->members.list[i];
        if (member == g->self || member->status != GOSSIP_STATUS_LEAVING ||
            member->state != GOSSIP_STATE_ALIVE ||
            cu_mono_ms_between(member->since, g->now) < takes_ms)
            continue;
        struct gossip_serf leave = {.type = GOSSIP_SERF_LEAVE,
                                    .intent = {.ltime = g->member_time++, .node = member->name}};
        cu_buf_clear(&g->scratch);
        gossip_serf_encode(&g->scratch, &leave);
        gossip_send(g, member->addr,
                    &(struct gossip_message){.type = GOSSIP_USER,
                                             .user = {.body = cu_buf_bytes(&g->scratch)}});
    }
}

/* ---- everybody's at once: the user state of a push/pull ---- */

void gossip_serf_state(struct gossip *g, struct cu_buf *out)
{
    uint32_t count = gossip_member_count(g);
    struct gossip_serf state = {.type = GOSSIP_SERF_PUSH_PULL,
                                .state = {.ltime = g->member_time,
                                          .event_ltime = g->event_time,
                                          .query_ltime = g->query_time}};
    struct gossip_status_ltime *status = cu_alloc(count * sizeof *status);
    struct cu_bytes *left = cu_alloc(count * sizeof *left);
    size_t at = 0;
    struct cu_bytes name;
    void *value = NULL;
    while (cu_map_next(&g->members.by_name, &at, &name, &value)) {
        const struct gossip_member *member = value;
        if (!gossip_is_member(member))
            continue;
        status[state.state.status_count++] =
            (struct gossip_status_ltime){member->name, member->status_ltime};
        if (member->status == GOSSIP_STATUS_LEFT)
            left[state.state.left_count++] = member->name;
    }
    state.state.status = status;
    state.state.left = left;
    gossip_serf_encode(out, &state);
    free(status);
    free(left);
}

static void witness_all(struct gossip *g, const struct gossip_serf_state *state)
{
    if (state->ltime)
        gossip_witness(&g->member_time, state->ltime - 1);
    if (state->event_ltime)
        gossip_witness(&g->event_time, state->event_ltime - 1);
    if (state->query_ltime)
        gossip_witness(&g->query_time, state->query_ltime - 1);
}

/* Nobody's leave time is told, only that it was after the status time. Of one that has left for us,
 * too, nothing is concluded: else its time would rise with each exchange of two who agree. */
static void merge_left(struct gossip *g, const struct gossip_serf_state *state,
                       const struct cu_map *times)
{
    for (uint32_t i = 0; i < state->left_count; i++) {
        const struct gossip_status_ltime *status = cu_map_get(times, state->left[i]);
        uint64_t ltime = status ? status->ltime : 0;
        struct gossip_member *member = find(g, state->left[i]);
        if (member && member->status == GOSSIP_STATUS_LEFT) {
            if (ltime > member->status_ltime)
                member->status_ltime = ltime;
            gossip_witness(&g->member_time, ltime);
            continue;
        }
        struct gossip_intent leave = {.ltime = ltime == UINT64_MAX ? ltime : ltime + 1,
                                      .node = state->left[i]};
        (void)gossip_hear_leave_intent(g, &leave);
    }
}

static void merge_state(struct gossip *g, struct gossip_serf_state *state)
{
    struct cu_map times = {0};
    for (uint32_t i = 0; i < state->status_count; i++)
        (void)cu_map_put(&times, state->status[i].node, &state->status[i]);
    merge_left(g, state, &times);
    for (uint32_t i = 0; i < state->left_count; i++)
        (void)cu_map_del(&times, state->left[i]);
    for (uint32_t i = 0; i < state->status_count; i++) {
        struct gossip_intent join = {.ltime = state->status[i].ltime,
                                     .node = state->status[i].node};
        if (cu_map_get(&times, join.node))
            (void)gossip_hear_join_intent(g, &join);
    }
    cu_map_deinit(&times);
}

void gossip_merge_serf(struct gossip *g, struct cu_bytes body, bool is_join, bool ignore_old)
{
    struct gossip_serf serf;
    if (gossip_serf_decode(body, g->arena, &serf) || serf.type != GOSSIP_SERF_PUSH_PULL) {
        g->dropped++;
        return;
    }
    witness_all(g, &serf.state);
    merge_state(g, &serf.state);
    if (is_join && ignore_old && serf.state.event_ltime > g->event_min)
        g->event_min = serf.state.event_ltime;
    gossip_merge_events(g, serf.state.events);
}

/* ---- one message ---- */

void gossip_hear_serf(struct gossip *g, struct cu_bytes body)
{
    struct gossip_serf serf;
    if (!body.len || gossip_serf_decode(body, g->arena, &serf)) {
        g->dropped++;
        return;
    }
    switch (serf.type) {
    case GOSSIP_SERF_LEAVE:
        if (gossip_hear_leave_intent(g, &serf.intent))
            gossip_rebroadcast(g, &g->intents, body);
        break;
    case GOSSIP_SERF_JOIN:
        if (gossip_hear_join_intent(g, &serf.intent))
            gossip_rebroadcast(g, &g->intents, body);
        break;
    case GOSSIP_SERF_USER_EVENT:
        if (gossip_hear_event(g, serf.body))
            gossip_rebroadcast(g, &g->events, body);
        break;
    case GOSSIP_SERF_QUERY:
        if (gossip_hear_query(g, serf.body))
            gossip_rebroadcast(g, &g->queries, body);
        break;
    case GOSSIP_SERF_PUSH_PULL:
    case GOSSIP_SERF_QUERY_RESPONSE:
    case GOSSIP_SERF_CONFLICT_RESPONSE:
    case GOSSIP_SERF_KEY_REQUEST:
    case GOSSIP_SERF_KEY_RESPONSE:
    case GOSSIP_SERF_RELAY:
    case GOSSIP_SERF_TYPE_COUNT:
        g->dropped++;
        break;
    }
}
