/* scratch.h - memory that one answer after the other is made in: the order of instances, those that
 * are told, and what has been seen among them. */
#ifndef DNS_SCRATCH_H
#define DNS_SCRATCH_H

#include "common/base/random.h"
#include "services/dnsd/core/chase.h"
#include "services/dnsd/core/view.h"

enum {
    DNS_ITEMS_MAX = 4097,   /* one more than is ever told: then there are more */
    DNS_SEEN_SLOTS = 16384, /* more than twice the items */
};

/* One instance that is told. */
struct dns_item {
    const struct dns_instance *instance;
    const struct dns_address *address; /* its own, or its node's */
    struct cu_bytes target;            /* of SRV */
    const struct dns_record *chain;    /* of a host: its records */
    uint32_t chain_count;
    bool is_new_target, is_new_node; /* no earlier item has it */
    size_t target_at;                /* in the message */
};

enum dns_seen_kind { DNS_SEEN_ITEM, DNS_SEEN_TARGET, DNS_SEEN_NODE, DNS_SEEN_KINDS };

struct dns_scratch {
    struct dns_item items[DNS_ITEMS_MAX];
    size_t count;
    uint32_t *order; /* of a group's members, drawn so far */
    size_t order_cap, order_len, drawn;
    uint16_t seen[DNS_SEEN_KINDS][DNS_SEEN_SLOTS]; /* 1 + index of an item */
    size_t seen_mask;
    struct dns_record chain[DNS_CHASE_NAMES * DNS_CHASE_RECORDS];
    size_t chain_count;
    struct dns_address ips[DNS_CHASE_NAMES]; /* of addr names that hosts are called by */
    size_t ip_count;
};

struct dns_scratch *dns_scratch_new(void);
void dns_scratch_free(struct dns_scratch *scratch); /* takes NULL */

/* Forgets all. At most `items` will be seen from here on; below DNS_ITEMS_MAX. */
void dns_scratch_begin(struct dns_scratch *scratch, size_t items);

/* Begins to draw from 0 .. count-1, each once, all orders alike (Fisher and Yates). */
void dns_scratch_shuffle(struct dns_scratch *scratch, uint32_t count);
/* The next one; false: all have been drawn. */
bool dns_scratch_draw(struct dns_scratch *scratch, struct cu_random *random, uint32_t *ret_index);

/* Whether an item that is `same` as this one was seen before; else items[index] is noted. `hash` is
 * equal for those that are the same. */
typedef bool dns_same(const struct dns_item *a, const struct dns_item *b);
bool dns_scratch_seen(struct dns_scratch *scratch, enum dns_seen_kind kind, uint64_t hash,
                      dns_same *same, const struct dns_item *item, size_t index);

#endif
