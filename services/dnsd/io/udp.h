/* udp.h - DNS over UDP: datagrams taken and answered in batches. */
#ifndef DNS_UDP_H
#define DNS_UDP_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/loop/loop.h"
#include "common/metric/metric.h"

enum {
    DNS_UDP_BATCH = 64,
    DNS_UDP_BATCHES = 8,               /* in one turn of the loop: others want it, too */
    DNS_UDP_QUEUE_BYTES = 1024 * 1024, /* asked of the kernel for what is not taken yet */
};

struct dns_udp;

/* Where a datagram came from, and which of our addresses it came to (on a wildcard). */
struct dns_udp_peer {
    struct sockaddr_storage address;
    socklen_t len;
    size_t control_len;
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

#define DNS_LATER SIZE_MAX

/* Answers at once by writing into `out` (DNS_MESSAGE_BYTES) and returning a length; or never (0);
 * or later (DNS_LATER) by dns_udp_send(). `bytes` has one byte more than DNS_QUERY_MAX_BYTES when
 * it was longer. */
typedef size_t dns_udp_take(void *arg, struct dns_udp *udp, const struct dns_udp_peer *peer,
                            struct cu_bytes bytes, uint8_t *out);

struct dns_udp_options {
    struct cu_loop *loop;
    struct cu_counter *lost; /* answers that the kernel had no room for, or would not send */
    dns_udp_take *take;
    void *arg;
};

/* Errors: those of dns_bind(). */
CU_MUST_USE enum cu_err dns_udp_open(const struct dns_udp_options *options, const char *ip,
                                     unsigned port, struct dns_udp **ret_udp, struct cu_diag *diag);
void dns_udp_stop(struct dns_udp *udp);  /* takes no more; can still send */
void dns_udp_close(struct dns_udp *udp); /* takes NULL */

void dns_udp_send(struct dns_udp *udp, const struct dns_udp_peer *peer, struct cu_bytes bytes);

#endif
