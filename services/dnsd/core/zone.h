/* zone.h - the names under which this datacenter is served; fixed for the life of the daemon
 * (dns.md 2). */
#ifndef DNS_ZONE_H
#define DNS_ZONE_H

#include "common/base/err.h"
#include "services/dnsd/core/name.h"

enum { DNS_DC_BYTES = 64 };

struct dns_zone {
    struct dns_name domain;     /* lower-cased */
    struct dns_name alt_domain; /* likewise; len 0: none */
    char dc[DNS_DC_BYTES];
    struct dns_name mname, rname;                    /* of the SOA: ns., hostmaster. */
    struct dns_name node_end, addr_end, service_end; /* node.DC.DOMAIN and so on */
};

/* `alt_domain` may be empty. CU_E_INVALID: not a domain name; `diag` says which key. */
CU_MUST_USE enum cu_err dns_zone_init(struct dns_zone *zone, const char *domain,
                                      const char *alt_domain, const char *dc, struct cu_diag *diag);

/* How many bytes of `lower` are in front of the longer of the two domains that ends it, or of the
 * other one; -1: it is outside both. */
int dns_zone_strip(const struct dns_zone *zone, const struct dns_name *lower);

#endif
