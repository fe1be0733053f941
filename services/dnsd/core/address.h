/* address.h - an address as it was registered: an IP, or the name of a host elsewhere. */
#ifndef DNS_ADDRESS_H
#define DNS_ADDRESS_H

#include "services/dnsd/core/name.h"
#include "services/dnsd/core/wire.h"

enum dns_address_kind { DNS_NO_ADDRESS, DNS_IPV4, DNS_IPV6, DNS_HOST_NAME };

struct dns_address {
    enum dns_address_kind kind;
    uint8_t ip[16];
    struct cu_bytes name; /* of a host, wire form; owned */
};

/* IPv4 within IPv6 (::ffff:1.2.3.4) is IPv4. What is neither an IP nor a domain name is no address.
 */
void dns_address_init(struct dns_address *address, const char *text);
void dns_address_deinit(struct dns_address *address);

bool dns_address_is_ip(const struct dns_address *address);
struct cu_bytes dns_address_ip(const struct dns_address *address); /* 4 or 16 bytes */
bool dns_address_equal(const struct dns_address *a, const struct dns_address *b);

/* Whether an answer of this question type has such an IP (dns.md 5.1). */
bool dns_address_suits(const struct dns_address *address, unsigned type);

/* The address of a node or of an instance, and what its tagged addresses say for a family. */
struct dns_endpoint {
    struct dns_address plain, ipv4, ipv6;
};

void dns_endpoint_deinit(struct dns_endpoint *endpoint);
/* The one for a question of this type: the family's where it is there (dns.md 5.1). */
const struct dns_address *dns_endpoint_pick(const struct dns_endpoint *endpoint, unsigned type);

/* "4.3.2.1.in-addr.arpa" and "x.x....ip6.arpa" (32 nibbles), lower-cased, as an IP: only the exact
 * form that is made of an IP. False: another name. */
bool dns_reverse_parse(const struct dns_name *lower, struct dns_address *ret_ip);

#endif
