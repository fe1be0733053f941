/* view.h - the catalog as DNS asks for it: nodes, instances of services in groups by health, and
 * who has an address. Updated a row at a time, in any order of rows. */
#ifndef DNS_VIEW_H
#define DNS_VIEW_H

#include "services/dnsd/core/address.h"
#include "services/dnsd/core/zone.h"

/* By how bad it is. OTHER: a status that no check of ours has. */
enum dns_health { DNS_PASSING, DNS_WARNING, DNS_OTHER, DNS_CRITICAL, DNS_HEALTH_COUNT };

struct dns_node {
    struct cu_bytes key; /* its name, lower-cased */
    bool has_row;        /* false: only others speak of it */
    struct dns_endpoint at;
    struct dns_name name;   /* NODE.node.DC.DOMAIN; len 0: no such domain name */
    bool is_plain;          /* its name is letters, digits and hyphens */
    struct cu_bytes *texts; /* node metadata as TXT values */
    size_t text_count;

    struct dns_instance *first;
    uint32_t checks[DNS_HEALTH_COUNT]; /* of the node itself */
};

struct dns_instance {
    struct dns_node *node;
    struct cu_bytes key; /* node NUL id */
    bool has_row;
    struct dns_endpoint at;
    struct cu_bytes addr_name; /* HEX.addr.DC.DOMAIN of its own address, if that is an IP */
    char *service;             /* as registered */
    uint16_t port;
    uint16_t weights[DNS_HEALTH_COUNT];

    enum dns_health health; /* the worst of its checks and its node's */
    uint32_t checks[DNS_HEALTH_COUNT];
    struct dns_instance *prev, *next; /* on its node */
    struct dns_seat *seats;           /* its places in groups */
    size_t seat_count;
};

/* Instances of one service, or of one tag of it, or of what connects to it; the healthier first. */
struct dns_member {
    struct dns_instance *instance;
    uint32_t seat;
};
struct dns_group {
    struct cu_bytes key;
    struct dns_member *members;
    uint32_t ends[DNS_HEALTH_COUNT]; /* behind the last that is so healthy or healthier */
    uint32_t capacity;
};

struct dns_view;

struct dns_view *dns_view_new(const struct dns_zone *zone); /* borrowed */
void dns_view_free(struct dns_view *view);                  /* takes NULL */

/* ---- asking: what is returned lives until the next change ---- */

/* Names are lower-cased. NULL: unknown. */
const struct dns_node *dns_view_node(const struct dns_view *view, struct cu_bytes name);

enum dns_group_kind { DNS_BY_SERVICE = 's', DNS_BY_CONNECT = 'c' };
/* `tag` empty: all. */
const struct dns_group *dns_view_group(const struct dns_view *view, enum dns_group_kind kind,
                                       struct cu_bytes service, struct cu_bytes tag);
/* How many of the first members are served. */
uint32_t dns_group_healthy(const struct dns_group *group, bool only_passing);

/* The node with this address, or else an instance with it as its own; both may be NULL. With
 * several the first by key. */
void dns_view_reverse(const struct dns_view *view, struct cu_bytes ip,
                      const struct dns_node **ret_node, const struct dns_instance **ret_instance);

struct dns_view_counts {
    size_t nodes, instances, checks;
};
struct dns_view_counts dns_view_counts(const struct dns_view *view);

/* ---- changing: see row.h for rows as the catalog sends them ---- */

struct dns_node_facts {
    const char *name, *address, *lan_ipv4, *lan_ipv6; /* NULL: none */
    struct cu_bytes *texts;                           /* copied */
    size_t text_count;
};
void dns_view_put_node(struct dns_view *view, struct cu_bytes key,
                       const struct dns_node_facts *facts);

struct dns_instance_facts {
    const char *service, *address, *lan_ipv4, *lan_ipv6;
    int32_t port, weight_passing, weight_warning;
    const char *connects_to; /* the service that it is a proxy for, or itself; NULL: none */
    const char *const *tags;
    size_t tag_count;
};
/* `key`: node NUL id. */
void dns_view_put_instance(struct dns_view *view, struct cu_bytes key,
                           const struct dns_instance_facts *facts);

/* `key`: node NUL check id; `service_id` as registered, empty: a check of the node. */
void dns_view_put_check(struct dns_view *view, struct cu_bytes key, struct cu_bytes service_id,
                        enum dns_health health);

/* What is not there is no error. */
void dns_view_del_node(struct dns_view *view, struct cu_bytes key);
void dns_view_del_instance(struct dns_view *view, struct cu_bytes key);
void dns_view_del_check(struct dns_view *view, struct cu_bytes key);

#endif
