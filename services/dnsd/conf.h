/* conf.h - what dnsd takes from the configuration (dns.md 13). */
#ifndef DNS_CONF_H
#define DNS_CONF_H

#include <sys/socket.h>

#include "common/conf/conf.h"
#include "common/view/rights_conf.h"
#include "services/dnsd/core/settings.h"
#include "services/dnsd/core/zone.h"

enum {
    DNS_LISTENERS_MAX = 16,
    DNS_RECURSORS_MAX = 16,
    DNS_DOMAIN_BYTES = 128, /* of a domain in wire form: an answer of 512 bytes has room for it */
};

struct dns_recursor {
    struct sockaddr_storage address;
    socklen_t len;
};

/* Freshness of the view (README.md says what it means here). */
struct dns_freshness {
    bool allow_stale;
    uint64_t max_age_ms;
};

/* What a reload takes up. */
struct dns_live_conf {
    struct dns_settings settings;
    struct dns_freshness freshness;
    struct dns_recursor recursors[DNS_RECURSORS_MAX];
    size_t recursor_count;
    uint32_t recursor_timeout_ms;
};

struct dns_conf {
    struct dns_live_conf live;
    struct dns_zone zone;
    unsigned port; /* 0: no DNS */
    char **addresses;
    size_t address_count;
    char **catalogs; /* URLs */
    size_t catalog_count;
    uint64_t hold_ms;
    struct cu_rights_conf rights;
};

/* `local_catalog` is the URL of this host's catalogd, copied. Errors: CU_E_INVALID, `diag` names
 * the key. */
CU_MUST_USE enum cu_err dns_conf_read(const struct cu_conf *conf, const char *local_catalog,
                                      struct dns_conf *ret_conf, struct cu_diag *diag);
void dns_conf_deinit(struct dns_conf *conf);

CU_MUST_USE enum cu_err dns_live_conf_read(const struct cu_conf *conf, struct dns_live_conf *ret,
                                           struct cu_diag *diag);
void dns_live_conf_deinit(struct dns_live_conf *live);

#endif
