/* query.h - a question as it came from a client, parsed strictly (dns.md 1, 11). */
#ifndef DNS_QUERY_H
#define DNS_QUERY_H

#include "services/dnsd/core/name.h"
#include "services/dnsd/core/wire.h"

/* EDNS client subnet (RFC 7871 section 6). */
struct dns_subnet {
    uint16_t family; /* 1: IPv4, 2: IPv6 */
    uint8_t bits, len;
    uint8_t address[16]; /* its first `len` bytes; none is set behind `bits` */
};

struct dns_query {
    uint16_t id, flags; /* as sent */
    unsigned opcode;
    struct dns_name name;  /* as asked */
    struct dns_name lower; /* for looking up */
    uint16_t type, class;
    bool has_edns, has_subnet;
    uint16_t udp_bytes; /* with EDNS: what the client says it can take */
    struct dns_subnet subnet;
};

enum dns_verdict {
    DNS_GOOD,
    DNS_IGNORE,    /* shorter than a header, or an answer: silence */
    DNS_MALFORMED, /* FORMERR; only id, opcode and flags are set */
    DNS_UNKNOWN_OP /* NOTIMP; likewise */
};

enum dns_verdict dns_query_parse(struct cu_bytes message, struct dns_query *ret_query);

#endif
