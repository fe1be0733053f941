/* settings.h - what configuration says about answers; replaced whole by a reload (dns.md 13). */
#ifndef DNS_SETTINGS_H
#define DNS_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"

/* A row of service_ttl: a whole name, or a prefix that was written with a '*' behind it. */
struct dns_ttl {
    struct cu_bytes name; /* lower-cased, without the '*'; owned */
    bool is_prefix;
    uint32_t ttl_s;
};

struct dns_settings {
    uint32_t node_ttl_s;
    struct dns_ttl *ttls; /* in the order in which they are looked at; owned */
    size_t ttl_count;
    uint32_t udp_answer_limit, a_record_limit; /* 0: none */
    uint32_t soa_refresh_s, soa_retry_s, soa_expire_s, soa_min_ttl_s;
    bool only_passing, truncates, compresses, adds_node_meta;
    bool has_recursors;
};

/* Adds a row of service_ttl ("web", "we*", "*"). */
void dns_settings_add_ttl(struct dns_settings *settings, const char *pattern, uint32_t ttl_s);
void dns_settings_deinit(struct dns_settings *settings);

/* The exact name first, then the longest prefix, else 0. `service` is lower-cased. */
uint32_t dns_settings_ttl(const struct dns_settings *settings, struct cu_bytes service);

#endif
