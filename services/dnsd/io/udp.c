#include "services/dnsd/io/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "services/dnsd/core/wire.h"
#include "services/dnsd/io/address.h"

enum {
    IN_BYTES = DNS_QUERY_MAX_BYTES + 1, /* one more tells that it was longer */
    OUT_BYTES = 4 * (DNS_MESSAGE_BYTES + 1),
};

struct dns_udp {
    struct cu_fd_watch watch;
    int fd;
    bool is_wildcard;
    struct dns_udp_options options;

    struct mmsghdr in[DNS_UDP_BATCH], out[DNS_UDP_BATCH];
    struct iovec in_at[DNS_UDP_BATCH], out_at[DNS_UDP_BATCH];
    struct dns_udp_peer peers[DNS_UDP_BATCH];
    unsigned out_count;
    size_t out_len;
    uint8_t in_bytes[DNS_UDP_BATCH][IN_BYTES], out_bytes[OUT_BYTES];
};

/* ---- sending ---- */

static void flush(struct dns_udp *udp)
{
    unsigned done = 0;
    while (done < udp->out_count) {
        int sent = sendmmsg(udp->fd, udp->out + done, udp->out_count - done, MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent > 0) {
            done += (unsigned)sent;
            continue;
        }
        cu_count(udp->options.lost,
                 1); /* of the first one: nobody waits for room, a client asks again */
        done++;
    }
    udp->out_count = 0;
    udp->out_len = 0;
}

static void point(struct msghdr *to, struct iovec *at, const struct dns_udp_peer *peer)
{
    *to =
        (struct msghdr){.msg_name = (void *)(uintptr_t)&peer->address,
                        .msg_namelen = peer->len,
                        .msg_iov = at,
                        .msg_iovlen = 1,
                        .msg_control = peer->control_len ? (void *)(uintptr_t)peer->control : NULL,
                        .msg_controllen = peer->control_len};
}

void dns_udp_send(struct dns_udp *udp, const struct dns_udp_peer *peer, struct cu_bytes bytes)
{
    struct msghdr message;
    struct iovec at = {(void *)(uintptr_t)bytes.data, bytes.len};
    point(&message, &at, peer);
    if (sendmsg(udp->fd, &message, MSG_DONTWAIT) < 0)
        cu_count(udp->options.lost, 1);
}

/* ---- taking ---- */

static void take_one(struct dns_udp *udp, unsigned i)
{
    struct dns_udp_peer *peer = &udp->peers[i];
    struct mmsghdr *in = &udp->in[i];
    peer->len = in->msg_hdr.msg_namelen;
    peer->control_len = udp->is_wildcard ? in->msg_hdr.msg_controllen : 0;
    if (OUT_BYTES - udp->out_len < DNS_MESSAGE_BYTES)
        flush(udp);
    uint8_t *out = udp->out_bytes + udp->out_len;
    size_t len = udp->options.take(udp->options.arg, udp, peer,
                                   (struct cu_bytes){udp->in_bytes[i], in->msg_len}, out);
    if (len == 0 || len == DNS_LATER)
        return;
    CU_ASSERT(len <= DNS_MESSAGE_BYTES);
    unsigned n = udp->out_count++;
    udp->out_at[n] = (struct iovec){out, len};
    point(&udp->out[n].msg_hdr, &udp->out_at[n], peer);
    udp->out_len += len;
}

static void make_ready(struct dns_udp *udp)
{
    for (unsigned i = 0; i < DNS_UDP_BATCH; i++) {
        struct dns_udp_peer *peer = &udp->peers[i];
        udp->in_at[i] = (struct iovec){udp->in_bytes[i], IN_BYTES};
        peer->len = sizeof peer->address;
        peer->control_len = udp->is_wildcard ? sizeof peer->control : 0;
        point(&udp->in[i].msg_hdr, &udp->in_at[i], peer);
    }
}

/* Returns how many there were. */
static unsigned take_batch(struct dns_udp *udp, unsigned dirty)
{
    for (unsigned i = 0; i < dirty; i++) { /* what the kernel has written over */
        udp->in[i].msg_hdr.msg_namelen = sizeof udp->peers[i].address;
        udp->in[i].msg_hdr.msg_controllen = udp->is_wildcard ? sizeof udp->peers[i].control : 0;
    }
    int count = recvmmsg(udp->fd, udp->in, DNS_UDP_BATCH, MSG_DONTWAIT, NULL);
    if (count <= 0)
        return 0; /* none, or an ICMP error of an earlier answer: the watch is level-triggered */
    for (unsigned i = 0; i < (unsigned)count; i++)
        take_one(udp, i);
    flush(udp);
    return (unsigned)count;
}

static void ready(void *arg, unsigned what)
{
    struct dns_udp *udp = arg;
    unsigned count = DNS_UDP_BATCH;
    (void)what;
    for (int i = 0; i < DNS_UDP_BATCHES && count == DNS_UDP_BATCH; i++)
        count = take_batch(udp, count);
}

/* ---- opening ---- */

static void set_options(int fd, bool is_wildcard)
{
    int on = 1, bytes = DNS_UDP_QUEUE_BYTES;
    /* Each is a wish: without it a burst loses more, or a wildcard answers from another address. */
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    if (!is_wildcard)
        return;
    (void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
}

enum cu_err dns_udp_open(const struct dns_udp_options *options, const char *ip, unsigned port,
                         struct dns_udp **ret_udp, struct cu_diag *diag)
{
    int fd;
    bool is_wildcard = false;
    enum cu_err err = dns_bind(ip, port, SOCK_DGRAM, &fd, &is_wildcard, diag);
    if (err)
        return err;
    set_options(fd, is_wildcard);
    struct dns_udp *udp = cu_alloc(sizeof *udp);
    udp->fd = fd;
    udp->is_wildcard = is_wildcard;
    udp->options = *options;
    make_ready(udp);
    cu_fd_watch_init(&udp->watch, options->loop, fd, ready, udp);
    cu_fd_watch_set(&udp->watch, CU_FD_READ);
    *ret_udp = udp;
    return CU_OK;
}

void dns_udp_stop(struct dns_udp *udp)
{
    cu_fd_watch_set(&udp->watch, 0);
}

void dns_udp_close(struct dns_udp *udp)
{
    if (!udp)
        return;
    cu_fd_watch_close(&udp->watch);
    (void)close(udp->fd);
    free(udp);
}
