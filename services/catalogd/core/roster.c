#include "services/catalogd/core/roster.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/catalogd/core/key.h"

struct catalog_roster_entry {
    catalog_member *member;
    struct catalog_roster_entry *next; /* of those that wait */
    bool is_waiting, is_listed;
};

struct missed {
    uint64_t since_ms, last_ms; /* lease time */
};

/* ---- names ---- */

/* Lower-case, in memory of its own. */
static struct cu_bytes fold(const char *name)
{
    size_t len = strlen(name);
    uint8_t *folded = cu_alloc(len + 1);
    catalog_name_fold(folded, name, len);
    return (struct cu_bytes){folded, len};
}

static void *get(const struct cu_map *map, const char *name)
{
    struct cu_bytes key = fold(name);
    void *found = cu_map_get(map, key);
    free((void *)(uintptr_t)key.data);
    return found;
}

static void put(struct cu_map *map, const char *name, void *value)
{
    struct cu_bytes key = fold(name);
    (void)cu_map_put(map, key, value);
    free((void *)(uintptr_t)key.data);
}

static void *take_out(struct cu_map *map, const char *name)
{
    struct cu_bytes key = fold(name);
    void *found = cu_map_del(map, key);
    free((void *)(uintptr_t)key.data);
    return found;
}

/* ---- members ---- */

static catalog_member *copy_of(const catalog_member *member)
{
    size_t len = curia__internal__v1__member__get_packed_size(member);
    uint8_t *packed = cu_alloc(len + 1);
    (void)curia__internal__v1__member__pack(member, packed);
    catalog_member *copy = curia__internal__v1__member__unpack(NULL, len, packed);
    CU_ASSERT(copy);
    free(packed);
    return copy;
}

static void free_entry(struct catalog_roster_entry *entry)
{
    curia__internal__v1__member__free_unpacked(entry->member, NULL);
    free(entry);
}

static void queue(struct catalog_roster *roster, struct catalog_roster_entry *entry)
{
    if (entry->is_waiting)
        return;
    entry->is_waiting = true;
    entry->next = NULL;
    if (roster->last)
        roster->last->next = entry;
    else
        roster->first = entry;
    roster->last = entry;
    roster->waiting++;
}

static struct catalog_roster_entry *unqueue(struct catalog_roster *roster)
{
    struct catalog_roster_entry *entry = roster->first;
    if (!entry)
        return NULL;
    roster->first = entry->next;
    if (!roster->first)
        roster->last = NULL;
    roster->waiting--;
    entry->is_waiting = false;
    return entry;
}

static void unqueue_one(struct catalog_roster *roster, struct catalog_roster_entry *gone)
{
    size_t count = roster->waiting;
    for (size_t i = 0; gone->is_waiting && i < count; i++) {
        struct catalog_roster_entry *entry = unqueue(roster);
        if (entry != gone)
            queue(roster, entry);
    }
}

static void take(struct catalog_roster *roster, const catalog_member *member)
{
    struct catalog_roster_entry *entry = get(&roster->members, member->name);
    if (!entry && roster->members.count >= CATALOG_ROSTER_MAX)
        return;
    if (!entry) {
        entry = cu_alloc(sizeof *entry);
        put(&roster->members, member->name, entry);
    } else {
        curia__internal__v1__member__free_unpacked(entry->member, NULL);
    }
    entry->member = copy_of(member);
    entry->is_listed = true;
    queue(roster, entry);
}

static void forget(struct catalog_roster *roster, struct catalog_roster_entry *entry)
{
    unqueue_one(roster, entry);
    (void)take_out(&roster->members, entry->member->name);
    free_entry(entry);
}

/* ---- the feed ---- */

static void set_unlisted(struct catalog_roster *roster)
{
    struct cu_bytes name;
    void *entry;
    for (size_t at = 0; cu_map_next(&roster->members, &at, &name, &entry);)
        ((struct catalog_roster_entry *)entry)->is_listed = false;
}

static void forget_unlisted(struct catalog_roster *roster)
{
    struct cu_bytes name;
    void *found;
    for (size_t at = 0; cu_map_next(&roster->members, &at, &name, &found);) {
        struct catalog_roster_entry *entry = found;
        if (!entry->is_listed)
            forget(roster, entry);
    }
}

void catalog_roster_take_list(struct catalog_roster *roster,
                              const Curia__Internal__V1__MembersListReply *reply)
{
    set_unlisted(roster);
    for (size_t i = 0; i < reply->n_members; i++)
        take(roster, reply->members[i]);
    forget_unlisted(roster);
    cu_buf_clear(&roster->feed_id);
    cu_buf_append(&roster->feed_id, reply->feed_id.data, reply->feed_id.len);
    roster->after = reply->index;
    roster->has_list = true;
    roster->is_complete = reply->complete;
}

void catalog_roster_take_records(struct catalog_roster *roster,
                                 const Curia__Internal__V1__MembersFollowReply *reply)
{
    if (reply->outcome == CURIA__INTERNAL__V1__MEMBERS_OUTCOME__MEMBERS_COMPACTED) {
        roster->has_list = false;
        return;
    }
    for (size_t i = 0; i < reply->n_records; i++)
        if (reply->records[i]->member)
            take(roster, reply->records[i]->member);
    roster->after = reply->upto;
    roster->is_complete = reply->complete;
}

/* ---- looks ---- */

void catalog_roster_wait_all(struct catalog_roster *roster)
{
    struct cu_bytes name;
    void *entry;
    for (size_t at = 0; cu_map_next(&roster->members, &at, &name, &entry);)
        queue(roster, entry);
}

void catalog_roster_wait(struct catalog_roster *roster, const char *name)
{
    struct catalog_roster_entry *entry = get(&roster->members, name);
    if (entry)
        queue(roster, entry);
}

const catalog_member *catalog_roster_next(struct catalog_roster *roster)
{
    struct catalog_roster_entry *entry = unqueue(roster);
    return entry ? entry->member : NULL;
}

void catalog_roster_settled(struct catalog_roster *roster, const char *name)
{
    struct catalog_roster_entry *entry = get(&roster->members, name);
    if (entry && !entry->is_waiting &&
        entry->member->status == CURIA__INTERNAL__V1__MEMBER_STATUS__MEMBER_REAPED)
        forget(roster, entry);
}

bool catalog_roster_knows(const struct catalog_roster *roster, const char *name)
{
    return get(&roster->members, name) != NULL;
}

/* ---- rivals ---- */

static bool claims_to_begin(const struct catalog_member_self *self, const catalog_member *member)
{
    return member->status == CURIA__INTERNAL__V1__MEMBER_STATUS__MEMBER_ALIVE &&
           catalog_member_is_server(self, member) &&
           strcmp(catalog_member_tag(member, "bootstrap"), "1") == 0;
}

static bool goes_before(const struct catalog_member_self *self, const char *a, const char *b)
{
    bool a_is_self = catalog_name_equal(a, self->name),
         b_is_self = catalog_name_equal(b, self->name);
    return a_is_self != b_is_self ? a_is_self : catalog_name_compare(a, b) < 0;
}

const char *catalog_roster_rival(const struct catalog_roster *roster,
                                 const struct catalog_member_self *self,
                                 const catalog_member *member)
{
    const char *first = member->name;
    struct cu_bytes name;
    void *found;
    if (!claims_to_begin(self, member))
        return NULL;
    for (size_t at = 0; cu_map_next(&roster->members, &at, &name, &found);) {
        const catalog_member *other = ((struct catalog_roster_entry *)found)->member;
        if (claims_to_begin(self, other) && goes_before(self, other->name, first))
            first = other->name;
    }
    return first == member->name ? NULL : first;
}

/* ---- those that gossip does not show ---- */

uint64_t catalog_roster_missed(struct catalog_roster *roster, const char *name, uint64_t lease_ms)
{
    struct missed *missed = get(&roster->unseen, name);
    if (!missed) {
        missed = cu_alloc(sizeof *missed);
        missed->since_ms = lease_ms;
        put(&roster->unseen, name, missed);
    }
    missed->last_ms = lease_ms;
    return missed->since_ms;
}

void catalog_roster_end_round(struct catalog_roster *roster, uint64_t lease_ms)
{
    struct cu_bytes name;
    void *found;
    for (size_t at = 0; cu_map_next(&roster->unseen, &at, &name, &found);) {
        struct missed *missed = found;
        if (missed->last_ms == lease_ms)
            continue;
        (void)cu_map_del(&roster->unseen, name);
        free(missed);
    }
}

void catalog_roster_deinit(struct catalog_roster *roster)
{
    struct cu_bytes name;
    void *found;
    for (size_t at = 0; cu_map_next(&roster->members, &at, &name, &found);)
        free_entry(found);
    for (size_t at = 0; cu_map_next(&roster->unseen, &at, &name, &found);)
        free(found);
    cu_map_deinit(&roster->members);
    cu_map_deinit(&roster->unseen);
    cu_buf_deinit(&roster->feed_id);
    *roster = (struct catalog_roster){0};
}
