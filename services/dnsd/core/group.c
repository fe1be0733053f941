#include "services/dnsd/core/group.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

enum { PART_BYTES = 255, FIRST_MEMBERS = 4 };

static void free_group(struct dns_group *group)
{
    free((void *)(uintptr_t)group->key.data);
    free(group->members);
    free(group);
}

void dns_groups_deinit(struct dns_groups *groups)
{
    size_t at = 0;
    struct cu_bytes key;
    void *group;
    while (cu_map_next(&groups->map, &at, &key, &group))
        free_group(group);
    cu_map_deinit(&groups->map);
}

static size_t put_lower(uint8_t *to, struct cu_bytes from)
{
    for (size_t i = 0; i < from.len; i++)
        to[i] = from.data[i] >= 'A' && from.data[i] <= 'Z' ? (uint8_t)(from.data[i] + 'a' - 'A')
                                                           : from.data[i];
    return from.len;
}

size_t dns_group_key(uint8_t key[DNS_GROUP_KEY_BYTES], enum dns_group_kind kind,
                     struct cu_bytes service, struct cu_bytes tag)
{
    if (service.len > PART_BYTES || tag.len > PART_BYTES)
        return 0;
    size_t len = 0;
    key[len++] = (uint8_t)kind;
    len += put_lower(key + len, service);
    key[len++] = 0;
    return len + put_lower(key + len, tag);
}

const struct dns_group *dns_groups_find(const struct dns_groups *groups, struct cu_bytes key)
{
    return cu_map_get(&groups->map, key);
}

uint32_t dns_group_healthy(const struct dns_group *group, bool only_passing)
{
    return group->ends[only_passing ? DNS_PASSING : DNS_CRITICAL - 1];
}

/* ---- seats ---- */

static void place(struct dns_group *group, uint32_t at, struct dns_member member)
{
    group->members[at] = member;
    member.instance->seats[member.seat].at = at;
}

/* The first of each worse class makes room by going behind its last. */
static void insert(struct dns_group *group, struct dns_member member, enum dns_health health)
{
    uint32_t hole = group->ends[DNS_CRITICAL]++;
    if (hole == group->capacity) {
        group->capacity = group->capacity ? group->capacity * 2 : FIRST_MEMBERS;
        group->members = cu_realloc(group->members, group->capacity * sizeof *group->members);
    }
    for (int class = DNS_CRITICAL; class > (int)health; class --) {
        uint32_t first = group->ends[class - 1]++;
        if (first != hole)
            place(group, hole, group->members[first]);
        hole = first;
    }
    place(group, hole, member);
}

static void take_out(struct dns_group *group, uint32_t at, enum dns_health health)
{
    uint32_t hole = at;
    for (int class = (int)health; class < DNS_HEALTH_COUNT; class ++) {
        uint32_t last = --group->ends[class];
        if (last != hole)
            place(group, hole, group->members[last]);
        hole = last;
    }
}

void dns_groups_join(struct dns_groups *groups, struct cu_bytes key, struct dns_instance *instance)
{
    struct dns_group *group = cu_map_get(&groups->map, key);
    for (size_t i = 0; group && i < instance->seat_count; i++)
        if (instance->seats[i].group == group)
            return;
    if (!group) {
        group = cu_alloc(sizeof *group);
        group->key = (struct cu_bytes){cu_memdup(key.data, key.len), key.len};
        (void)cu_map_put(&groups->map, key, group);
    }
    uint32_t seat = (uint32_t)instance->seat_count++;
    instance->seats[seat].group = group;
    insert(group, (struct dns_member){instance, seat}, instance->health);
}

void dns_groups_leave(struct dns_groups *groups, struct dns_instance *instance)
{
    for (size_t i = 0; i < instance->seat_count; i++) {
        struct dns_group *group = instance->seats[i].group;
        take_out(group, instance->seats[i].at, instance->health);
        if (group->ends[DNS_CRITICAL] > 0)
            continue;
        (void)cu_map_del(&groups->map, group->key);
        free_group(group);
    }
    instance->seat_count = 0;
}

void dns_groups_set_health(struct dns_instance *instance, enum dns_health health)
{
    enum dns_health before = instance->health;
    instance->health = health;
    for (size_t i = 0; health != before && i < instance->seat_count; i++) {
        struct dns_group *group = instance->seats[i].group;
        take_out(group, instance->seats[i].at, before);
        insert(group, (struct dns_member){instance, (uint32_t)i}, health);
    }
}
