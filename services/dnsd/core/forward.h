/* forward.h - what a recursor's reply is worth (dns.md 12.1). */
#ifndef DNS_FORWARD_H
#define DNS_FORWARD_H

#include "services/dnsd/core/query.h"

enum dns_reply_kind {
    DNS_REPLY_GOOD,    /* NOERROR or NXDOMAIN, truncated or not */
    DNS_REPLY_FAILED,  /* it is to this question, with another rcode: ask the next one */
    DNS_REPLY_FOREIGN, /* not an answer to what was sent: go on waiting */
};

/* `sent` is a query as it was sent (with the id that was made for it), `reply` what came. An answer
 * repeats id, opcode and question; a malformed question or a missing one is foreign. */
enum dns_reply_kind dns_reply_check(struct cu_bytes sent, struct cu_bytes reply);

#endif
