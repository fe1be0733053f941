/* hosts.h - the records of a host that a node or an instance has as its address (dns.md 12.2). */
#ifndef DNS_HOSTS_H
#define DNS_HOSTS_H

#include "services/dnsd/core/answer.h"

enum {
    DNS_CNAME_DEPTH = 3,        /* levels of names of the catalog's own */
    DNS_CHASED_WITHOUT_EDNS = 5 /* records of a host in the answer about a service */
};

/* "8 or 32 hex digits" as an IP (dns.md 4). */
enum dns_hex { DNS_HEX_GOOD, DNS_HEX_BAD, DNS_HEX_OF_ANOTHER_LENGTH };
enum dns_hex dns_hex_parse(struct cu_bytes text, struct dns_address *ret_ip);

/* The records, CNAMEs first, in the scratch's chain: of a name under the domain from the view, of
 * another one from what recursors told (ask->chase knows what is still to be asked for). */
void dns_host_records(const struct dns_ask *ask, struct cu_bytes name,
                      const struct dns_record **ret_records, size_t *ret_count);

#endif
