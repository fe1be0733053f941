/* conf.h - gossipd's rows of the configuration, read once and passed down const. */
#ifndef GOSSIP_CONF_H
#define GOSSIP_CONF_H

#include "common/conf/conf.h"
#include "services/gossipd/core/gossip.h"

enum { GOSSIP_CONF_JOINS_MAX = 64, GOSSIP_CONF_VALUES = 8 };

/* Who this node is: what the configuration alone does not say. */
struct gossip_identity {
    const char *name, *node_id;
    const char *advertise_ip, *bind_ip;
};

struct gossip_conf {
    struct gossip_addr bind, advertise;
    struct gossip_timing timing;
    bool compress, rejoin_after_leave;
    struct gossip_tags tags; /* point into the configuration, the identity, and `values` */
    char values[GOSSIP_CONF_VALUES][32];
    uint32_t value_count;
    const char *datacenter;
    size_t start_count, retry_count;
    const char *start_join[GOSSIP_CONF_JOINS_MAX], *retry_join[GOSSIP_CONF_JOINS_MAX];
    uint64_t retry_interval_ms;
    int64_t retry_max; /* 0: for ever */
};

/* Strings are borrowed from `conf` and `identity`; *ret_conf points into itself: it is not copied.
 * Errors: CU_E_INVALID (an address, a name, a join entry), CU_E_TOO_LARGE (the tags), with what to
 * write instead in diag. */
CU_MUST_USE enum cu_err gossip_conf_read(const struct cu_conf *conf,
                                         const struct gossip_identity *identity,
                                         struct gossip_conf *ret_conf, struct cu_diag *diag);

#endif
