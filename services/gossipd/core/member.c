#include "services/gossipd/core/member.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/gossipd/core/suspicion.h"

static void member_free(struct gossip_member *member)
{
    gossip_suspicion_free(member->suspicion);
    free((void *)member->name.data);
    free((void *)member->meta.data);
    free(member);
}

void gossip_members_deinit(struct gossip_members *members)
{
    size_t at = 0;
    void *value = NULL;
    struct cu_bytes key;
    while (cu_map_next(&members->by_name, &at, &key, &value))
        member_free(value);
    cu_map_deinit(&members->by_name);
    free(members->list);
    *members = (struct gossip_members){0};
}

struct gossip_member *gossip_members_get(const struct gossip_members *members, struct cu_bytes name)
{
    return cu_map_get(&members->by_name, name);
}

static struct cu_bytes copy(struct cu_bytes bytes)
{
    char *data = cu_alloc(bytes.len + 1);
    if (bytes.len)
        memcpy(data, bytes.data, bytes.len);
    return (struct cu_bytes){(const uint8_t *)data, bytes.len};
}

struct gossip_member *gossip_members_add(struct gossip_members *members, struct cu_bytes name)
{
    struct gossip_member *member = cu_alloc(sizeof *member);
    member->name = copy(name);
    member->meta = copy((struct cu_bytes){0});
    member->at = GOSSIP_NOT_LISTED;
    member->state = GOSSIP_STATE_DEAD;
    void *old = cu_map_put(&members->by_name, member->name, member);
    CU_ASSERT(!old);
    members->count[GOSSIP_STATUS_NONE]++;
    return member;
}

static void unlink_feed(struct gossip_members *members, struct gossip_member *member)
{
    if (!member->index)
        return;
    if (member->feed_prev)
        member->feed_prev->feed_next = member->feed_next;
    else
        members->feed_first = member->feed_next;
    if (member->feed_next)
        member->feed_next->feed_prev = member->feed_prev;
    else
        members->feed_last = member->feed_prev;
    member->feed_prev = member->feed_next = NULL;
}

void gossip_members_forget(struct gossip_members *members, struct gossip_member *member)
{
    gossip_members_unlist(members, member);
    unlink_feed(members, member);
    members->count[member->status]--;
    (void)cu_map_del(&members->by_name, member->name);
    member_free(member);
}

void gossip_member_set_meta(struct gossip_member *member, struct cu_bytes meta)
{
    struct cu_bytes old = member->meta;
    member->meta = copy(meta);
    free((void *)old.data);
}

void gossip_members_set_status(struct gossip_members *members, struct gossip_member *member,
                               enum gossip_status status)
{
    members->count[member->status]--;
    members->count[status]++;
    member->status = status;
}

/* ---- the probe list ---- */

static void place(struct gossip_members *members, uint32_t at, struct gossip_member *member)
{
    members->list[at] = member;
    member->at = at;
}

static void swap(struct gossip_members *members, uint32_t a, uint32_t b)
{
    struct gossip_member *first = members->list[a];
    place(members, a, members->list[b]);
    place(members, b, first);
}

void gossip_members_list(struct gossip_members *members, struct gossip_member *member,
                         struct cu_random *random)
{
    if (member->at != GOSSIP_NOT_LISTED)
        return;
    if (members->list_count == members->list_cap) {
        members->list_cap = members->list_cap ? members->list_cap * 2 : 16;
        members->list = cu_realloc(members->list, members->list_cap * sizeof *members->list);
    }
    uint32_t last = members->list_count++;
    place(members, last, member);
    swap(members, (uint32_t)cu_random_below(random, members->list_count), last);
}

void gossip_members_unlist(struct gossip_members *members, struct gossip_member *member)
{
    if (member->at == GOSSIP_NOT_LISTED)
        return;
    place(members, member->at, members->list[--members->list_count]);
    member->at = GOSSIP_NOT_LISTED;
}

void gossip_members_shuffle(struct gossip_members *members, struct cu_random *random)
{
    for (uint32_t left = members->list_count; left > 1; left--)
        swap(members, (uint32_t)cu_random_below(random, left), left - 1);
}

/* ---- the feed ---- */

void gossip_members_record(struct gossip_members *members, struct gossip_member *member,
                           enum gossip_change change)
{
    unlink_feed(members, member);
    member->change = change;
    member->index = ++members->index;
    member->feed_prev = members->feed_last;
    if (members->feed_last)
        members->feed_last->feed_next = member;
    else
        members->feed_first = member;
    members->feed_last = member;
}

/* ---- choosing at random ---- */

static bool contains(struct gossip_member *const *items, uint32_t count,
                     const struct gossip_member *member)
{
    for (uint32_t i = 0; i < count; i++)
        if (items[i] == member)
            return true;
    return false;
}

/* A partial Fisher-Yates walk over a copy: every member is looked at. */
static uint32_t search_all(const struct gossip_members *members, struct cu_random *random,
                           uint32_t k, gossip_member_pick *wanted, const void *context,
                           struct gossip_member **ret_members)
{
    uint32_t found = 0, left = members->list_count;
    struct gossip_member **rest = cu_memdup(members->list, left * sizeof *rest);
    while (found < k && left) {
        uint32_t at = (uint32_t)cu_random_below(random, left);
        struct gossip_member *member = rest[at];
        rest[at] = rest[--left];
        if (wanted(member, context))
            ret_members[found++] = member;
    }
    free(rest);
    return found;
}

uint32_t gossip_members_random(const struct gossip_members *members, struct cu_random *random,
                               uint32_t k, gossip_member_pick *wanted, const void *context,
                               struct gossip_member **ret_members)
{
    uint32_t n = members->list_count, found = 0;
    if (n / 3 < k)
        return n ? search_all(members, random, k, wanted, context, ret_members) : 0;
    for (uint32_t draws = 0; found < k && draws < 3 * n; draws++) {
        struct gossip_member *member = members->list[cu_random_below(random, n)];
        if (!contains(ret_members, found, member) && wanted(member, context))
            ret_members[found++] = member;
    }
    return found;
}
