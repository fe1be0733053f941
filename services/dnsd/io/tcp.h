/* tcp.h - DNS over TCP (RFC 7766): several queries a connection, answered in any order. */
#ifndef DNS_TCP_H
#define DNS_TCP_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/loop/loop.h"
#include "services/dnsd/io/counts.h"
#include "services/dnsd/io/udp.h"

enum {
    DNS_TCP_CONNECTIONS = 1024,       /* then the one that was idle longest goes */
    DNS_TCP_OPEN_QUERIES = 16,        /* of one connection, before no more are read */
    DNS_TCP_IDLE_MS = 8000,           /* between two queries, or while it takes no answer */
    DNS_TCP_READ_MS = 2000,           /* for the rest of a query that has begun */
    DNS_TCP_BACKLOG_BYTES = 16 << 20, /* answers that are not taken yet, of all connections */
};

struct dns_tcp;

/* A connection, which may be gone by the time an answer is there. */
struct dns_tcp_peer {
    uint32_t slot, generation;
};

/* As dns_udp_take; DNS_LATER is followed by dns_tcp_send(), not from inside. */
typedef size_t dns_tcp_take(void *arg, struct dns_tcp_peer peer, struct cu_bytes bytes,
                            uint8_t *out);

/* All borrowed. */
struct dns_tcp *dns_tcp_new(struct cu_loop *loop, const struct dns_counts *counts,
                            dns_tcp_take *take, void *arg);
/* May be called again for further addresses. Errors: those of dns_bind(). */
CU_MUST_USE enum cu_err dns_tcp_listen(struct dns_tcp *tcp, const char *ip, unsigned port,
                                       struct cu_diag *diag);
void dns_tcp_stop_listening(struct dns_tcp *tcp); /* connections stay */
void dns_tcp_free(struct dns_tcp *tcp);           /* takes NULL */

/* The answer to a query for which `take` returned DNS_LATER. */
void dns_tcp_send(struct dns_tcp *tcp, struct dns_tcp_peer peer, struct cu_bytes bytes);

size_t dns_tcp_connections(const struct dns_tcp *tcp);

#endif
