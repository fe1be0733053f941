/* After a restart: back to those whom the snapshot calls alive, without being told to join
 * (gossip.md 20). Whoever does not show itself even then has failed while we were away, and the
 * feed must say so in a record of its own (contracts 5.5). */
#include <stdlib.h>

#include "common/base/assert.h"
#include "services/gossipd/core/state.h"

enum {
    REJOIN_EVERY_MS = 10000, /* a round of attempts, until one succeeds; then, of verdicts */
};

static void ask(struct gossip *g, struct gossip_unseen *unseen)
{
    unseen->is_asked = true;
    unseen->is_unreachable = false;
    struct gossip_exchange exchange = {
        .kind = GOSSIP_EXCHANGE_REJOIN, .to = unseen->addr, .name = unseen->name};
    if (!gossip_push_pull(g, &exchange, true))
        unseen->is_asked = false;
}

/* One of those not asked in this round, at random. */
static bool ask_next(struct gossip *g)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < g->unseen_count; i++)
        left += !g->unseen[i].is_asked;
    if (!left)
        return false;
    uint64_t n = cu_random_below(&g->random, left);
    for (uint32_t i = 0; i < g->unseen_count; i++)
        if (!g->unseen[i].is_asked && !n--) {
            ask(g, &g->unseen[i]);
            return true;
        }
    return false;
}

static void drop(struct gossip *g, uint32_t at)
{
    free((void *)g->unseen[at].name.data);
    g->unseen[at] = g->unseen[--g->unseen_count];
}

void gossip_unseen_seen(struct gossip *g, struct cu_bytes name)
{
    for (uint32_t i = 0; i < g->unseen_count; i++)
        if (cu_bytes_equal(g->unseen[i].name, name)) {
            drop(g, i);
            return;
        }
}

void gossip_unseen_add(struct gossip *g, struct cu_bytes name, struct gossip_addr addr)
{
    gossip_unseen_seen(g, name);
    g->unseen = cu_realloc(g->unseen, (g->unseen_count + 1) * sizeof *g->unseen);
    g->unseen[g->unseen_count++] =
        (struct gossip_unseen){.name = {cu_memdup(name.data, name.len), name.len}, .addr = addr};
}

void gossip_unseen_deinit(struct gossip *g)
{
    while (g->unseen_count)
        drop(g, g->unseen_count - 1);
    free(g->unseen);
}

/* It neither answers nor does anybody alive know it: that is a failure, told as one. */
static void declare_failed(struct gossip *g, const struct gossip_unseen *unseen)
{
    struct gossip_member *member = gossip_members_get(&g->members, unseen->name);
    if (member && (member->at != GOSSIP_NOT_LISTED || gossip_is_member(member)))
        return;
    if (!member)
        member = gossip_members_add(&g->members, unseen->name);
    member->addr = unseen->addr;
    gossip_member_failed(g, member);
}

static void judge(struct gossip *g)
{
    for (uint32_t i = g->unseen_count; i; i--) {
        struct gossip_unseen unseen = g->unseen[i - 1];
        if (!unseen.is_unreachable)
            continue;
        declare_failed(g, &unseen);
        drop(g, i - 1);
    }
}

void gossip_rejoin_tick(struct gossip *g)
{
    if (g->is_complete)
        judge(g);
    if (!g->unseen_count) {
        g->rejoin_due = CU_MONO_NEVER;
        return;
    }
    for (uint32_t i = 0; i < g->unseen_count; i++)
        g->unseen[i].is_asked = false;
    (void)ask_next(g);
    g->rejoin_due = cu_mono_add_ms(g->now, REJOIN_EVERY_MS);
}

/* One success is enough to be back; all others are asked only once somebody has told us the pool,
 * to learn whether they live. */
void gossip_rejoin_progress(struct gossip *g, const struct gossip_exchange *exchange,
                            const char *failure)
{
    for (uint32_t i = 0; i < g->unseen_count; i++)
        if (failure && cu_bytes_equal(g->unseen[i].name, exchange->name))
            g->unseen[i].is_unreachable = true;
    (void)ask_next(g);
}
