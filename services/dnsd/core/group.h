/* group.h - groups of instances, kept by health, and each instance's seats in them. */
#ifndef DNS_GROUP_H
#define DNS_GROUP_H

#include "common/base/map.h"
#include "services/dnsd/core/view.h"

struct dns_seat {
    struct dns_group *group;
    uint32_t at; /* its place among the members */
};

/* Groups by key. Zero-initialise. */
struct dns_groups {
    struct cu_map map;
};
void dns_groups_deinit(struct dns_groups *groups);

enum { DNS_GROUP_KEY_BYTES = 2 * 255 + 2 };
/* KIND SERVICE NUL TAG, lower-cased. 0: a part is longer than any domain name, so nobody can ask
 * for it. */
size_t dns_group_key(uint8_t key[DNS_GROUP_KEY_BYTES], enum dns_group_kind kind,
                     struct cu_bytes service, struct cu_bytes tag);

const struct dns_group *dns_groups_find(const struct dns_groups *groups, struct cu_bytes key);

/* Gives the instance a seat in the group, which is made if need be; a second one in the same group
 * is not given. The instance's seats have room for it. */
void dns_groups_join(struct dns_groups *groups, struct cu_bytes key, struct dns_instance *instance);
/* Out of all groups; those that are empty then are gone. */
void dns_groups_leave(struct dns_groups *groups, struct dns_instance *instance);
/* Moves it in all its groups. */
void dns_groups_set_health(struct dns_instance *instance, enum dns_health health);

#endif
