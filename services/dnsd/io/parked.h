/* parked.h - one query that waits for somebody, and how its answer gets back. */
#ifndef DNS_PARKED_H
#define DNS_PARKED_H

#include "services/dnsd/core/answer.h"
#include "services/dnsd/io/tcp.h"
#include "services/dnsd/io/udp.h"
#include "services/dnsd/io/upstream.h"

enum { DNS_CHASED_BYTES = 32 * 1024 /* of records that recursors told for one query */ };

/* Whom a query came from, and so the way back. */
struct dns_from {
    enum dns_transport transport;
    struct dns_udp *udp; /* over UDP */
    const struct dns_udp_peer *udp_peer;
    struct dns_tcp_peer tcp_peer;
};

struct dns_parked_call {
    struct dns_parked *parked;
    struct dns_upstream_call *call; /* NULL: none, or over */
};

struct dns_parked {
    struct dns_server *server;
    struct dns_parked *prev, *next;
    struct dns_from from;
    struct dns_udp_peer udp_peer;
    struct cu_bytes bytes; /* as it came; owned */
    struct dns_query query;
    struct cu_random random;
    struct cu_mono since;
    uint64_t round; /* of confirming that it waits for; 0: none */
    bool has_view;  /* the view is good enough for it */

    struct dns_chase chase;
    struct cu_arena *arena;                        /* of what is chased; NULL: nothing yet */
    struct dns_parked_call calls[DNS_CHASE_NAMES]; /* a name each; the first, of a forwarded one */
    unsigned open;
};

#endif
