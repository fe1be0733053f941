/* reverse.h - from an IP to the nodes and instances that have it. */
#ifndef DNS_REVERSE_H
#define DNS_REVERSE_H

#include "common/base/map.h"
#include "services/dnsd/core/view.h"

enum dns_reverse_kind { DNS_REVERSE_NODE, DNS_REVERSE_INSTANCE, DNS_REVERSE_KINDS };

/* Zero-initialise. */
struct dns_reverse {
    struct cu_map holders[DNS_REVERSE_KINDS]; /* by IP */
};
void dns_reverse_deinit(struct dns_reverse *reverse); /* everybody has left */

/* Nothing is done for what is no IP. */
void dns_reverse_add(struct dns_reverse *reverse, const struct dns_address *address,
                     enum dns_reverse_kind kind, const void *holder);
void dns_reverse_del(struct dns_reverse *reverse, const struct dns_address *address,
                     enum dns_reverse_kind kind, const void *holder);

/* The first by key; an instance of a node without a row does not count. NULL: none. */
void dns_reverse_find(const struct dns_reverse *reverse, struct cu_bytes ip,
                      const struct dns_node **ret_node, const struct dns_instance **ret_instance);

#endif
