/* What must hold inside one core, whatever came in: for tests and the simulator. */
#include "services/gossipd/core/state.h"

static const char *check_list(const struct gossip *g)
{
    for (uint32_t i = 0; i < g->members.list_count; i++) {
        const struct gossip_member *member = g->members.list[i];
        if (member->at != i)
            return "a listed member knows its place";
        if ((member->state == GOSSIP_STATE_SUSPECT) != (member->suspicion != NULL))
            return "a suspicion runs exactly while a member is suspect";
        if (gossip_members_get(&g->members, member->name) != member)
            return "a listed member is known by its name";
    }
    return NULL;
}

static const char *check_known(const struct gossip *g)
{
    uint32_t count[GOSSIP_STATUS_COUNT] = {0};
    size_t at = 0;
    struct cu_bytes name;
    void *value = NULL;
    while (cu_map_next(&g->members.by_name, &at, &name, &value)) {
        const struct gossip_member *member = value;
        count[member->status]++;
        if (member->at == GOSSIP_NOT_LISTED && member->suspicion)
            return "only listed members are suspected";
        if (member->status != GOSSIP_STATUS_NONE && !member->index && g->has_begun)
            return "who has a status is in the feed";
    }
    for (size_t i = 0; i < GOSSIP_STATUS_COUNT; i++)
        if (count[i] != g->members.count[i])
            return "members are counted by status";
    return NULL;
}

static const char *check_feed(const struct gossip *g)
{
    uint64_t last = 0;
    for (const struct gossip_member *m = g->members.feed_first; m; m = m->feed_next) {
        if (m->index <= last)
            return "the feed's indexes rise";
        last = m->index;
    }
    return last > g->members.index ? "no record is newer than the newest" : NULL;
}

static const char *check_limits(const struct gossip *g)
{
    if (g->members.by_name.count > g->members_max)
        return "members within their limit";
    if (g->broadcasts.count > GOSSIP_QUEUE_MAX || g->intents.count > GOSSIP_QUEUE_MAX ||
        g->events.count > GOSSIP_QUEUE_MAX || g->queries.count > GOSSIP_QUEUE_MAX)
        return "queues within their limit";
    if (g->seen_intents.count > GOSSIP_INTENTS_MAX || g->exchange_count > GOSSIP_EXCHANGES_MAX)
        return "intents and exchanges within their limits";
    return NULL;
}

static const char *check_self(const struct gossip *g)
{
    if (!gossip_is_leaving(g) && g->self->state != GOSSIP_STATE_ALIVE)
        return "we are alive in our own eyes until we leave";
    return g->health < g->timing.awareness_max ? NULL : "the health score is within its range";
}

const char *gossip_check(const struct gossip *gossip)
{
    const char *(*const checks[])(const struct gossip *) = {check_list, check_known, check_feed,
                                                            check_limits, check_self};
    for (size_t i = 0; i < CU_COUNT(checks); i++) {
        const char *claim = checks[i](gossip);
        if (claim)
            return claim;
    }
    return NULL;
}
