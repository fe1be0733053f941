/* Members gone for long are erased; failed ones are tried again now and then (gossip.md 16). */
#include <string.h>

#include "common/base/num.h"
#include "services/gossipd/core/state.h"

/* The tag rc_tm overrides the time of its member, for both lists (gossip.md 23.2). */
static uint64_t timeout_of(const struct gossip_member *member, uint64_t ms)
{
    struct gossip_tags tags;
    if (gossip_tags_decode(member->meta, &tags))
        return ms;
    struct cu_bytes value = gossip_tags_get(&tags, "rc_tm");
    char text[CU_DURATION_BYTES] = "";
    int64_t ns = 0;
    if (!value.len || value.len >= sizeof text)
        return ms;
    memcpy(text, value.data, value.len);
    if (cu_parse_duration_ns(text, &ns, NULL) || ns < 0)
        return ms;
    return (uint64_t)ns / 1000000;
}

uint64_t gossip_reap_after_ms(const struct gossip *g, const struct gossip_member *member)
{
    switch (member->status) {
    case GOSSIP_STATUS_FAILED:
        return timeout_of(member, g->timing.reconnect_timeout_ms);
    case GOSSIP_STATUS_LEFT:
        return timeout_of(member, g->timing.tombstone_timeout_ms);
    case GOSSIP_STATUS_REAPED: /* what the feed remembers of it is forgotten */
        return g->timing.reconnect_timeout_ms > g->timing.tombstone_timeout_ms
                   ? g->timing.reconnect_timeout_ms
                   : g->timing.tombstone_timeout_ms;
    case GOSSIP_STATUS_NONE:
    case GOSSIP_STATUS_ALIVE:
    case GOSSIP_STATUS_LEAVING:
    case GOSSIP_STATUS_COUNT:
        return UINT64_MAX;
    }
    return UINT64_MAX;
}

static void reap(struct gossip *g, struct gossip_member *member)
{
    if (member->status != GOSSIP_STATUS_REAPED) {
        gossip_member_erase(g, member);
        return;
    }
    if (member->at == GOSSIP_NOT_LISTED)
        gossip_members_forget(&g->members, member);
}

void gossip_reap(struct gossip *g)
{
    size_t at = 0;
    struct cu_bytes name;
    void *value = NULL;
    while (cu_map_next(&g->members.by_name, &at, &name, &value)) {
        struct gossip_member *member = value;
        if (member != g->self &&
            cu_mono_ms_between(member->since, g->now) > gossip_reap_after_ms(g, member))
            reap(g, member);
    }
    gossip_reap_intents(g);
    gossip_ask_leaving(g);
}

/* ---- trying failed members again ---- */

static struct gossip_member *nth_failed(struct gossip *g, uint64_t n)
{
    size_t at = 0;
    struct cu_bytes name;
    void *value = NULL;
    while (cu_map_next(&g->members.by_name, &at, &name, &value)) {
        struct gossip_member *member = value;
        if (member->status == GOSSIP_STATUS_FAILED && !n--)
            return member;
    }
    return NULL;
}

/* With probability failed / others, so that in the whole pool about `failed` attempts are made. */
void gossip_reconnect(struct gossip *g)
{
    uint32_t failed = g->members.count[GOSSIP_STATUS_FAILED];
    uint32_t others =
        g->members.count[GOSSIP_STATUS_ALIVE] + g->members.count[GOSSIP_STATUS_LEAVING];
    if (!failed || cu_random_below(&g->random, others ? others : 1) >= failed)
        return;
    struct gossip_member *member = nth_failed(g, cu_random_below(&g->random, failed));
    gossip_tell(g, GOSSIP_NOTE_RECONNECT, member->name, &member->addr, NULL);
    (void)gossip_push_pull(g,
                           &(struct gossip_exchange){.kind = GOSSIP_EXCHANGE_RECONNECT,
                                                     .to = member->addr,
                                                     .name = member->name},
                           true);
}
