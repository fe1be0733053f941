#include "services/gossipd/io/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "services/gossipd/core/address.h"
#include "services/gossipd/io/sockaddr.h"

enum {
    UDP_BATCH = 16,                       /* datagrams taken in one turn: others get their turn */
    UDP_RECEIVE_BUFFER = 2 * 1024 * 1024, /* asked of the kernel, halved until it agrees */
    UDP_RECEIVE_BUFFER_LEAST = 64 * 1024
};

struct gossip_udp {
    struct gossip_udp_options options;
    int fd, family;
    struct cu_fd_watch watch;
    struct cu_counter *received, *sent, *send_failed, *dropped;
    struct mmsghdr headers[UDP_BATCH];
    struct iovec pieces[UDP_BATCH];
    union gossip_sockaddr from[UDP_BATCH];
    uint8_t data[UDP_BATCH][GOSSIP_PACKET_MAX_BYTES]; /* touched only as far as datagrams reach */
};

static void prepare_batch(struct gossip_udp *udp)
{
    for (int i = 0; i < UDP_BATCH; i++) {
        udp->pieces[i] = (struct iovec){udp->data[i], sizeof udp->data[i]};
        udp->headers[i].msg_hdr = (struct msghdr){.msg_name = &udp->from[i],
                                                  .msg_namelen = sizeof udp->from[i],
                                                  .msg_iov = &udp->pieces[i],
                                                  .msg_iovlen = 1};
    }
}

static void on_readable(void *arg, unsigned what)
{
    struct gossip_udp *udp = arg;
    (void)what;
    prepare_batch(udp);
    int count = recvmmsg(udp->fd, udp->headers, UDP_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) { /* < 0: nothing there, or an answer of ICMP to what we sent */
        struct cu_bytes datagram = {udp->data[i], udp->headers[i].msg_len};
        cu_count(udp->received, datagram.len);
        udp->options.received(udp->options.context, gossip_addr_of(&udp->from[i]), datagram);
    }
}

static void widen(int fd)
{
    for (int size = UDP_RECEIVE_BUFFER; size >= UDP_RECEIVE_BUFFER_LEAST; size /= 2)
        if (!setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size))
            return;
}

static enum cu_err bind_socket(struct gossip_udp *udp, struct cu_diag *diag)
{
    union gossip_sockaddr address;
    char text[GOSSIP_ADDR_TEXT_BYTES];
    struct gossip_addr bind_to = udp->options.bind;
    socklen_t len = gossip_sockaddr_of(bind_to, udp->family, &address);
    int off = 0;
    if (udp->family == AF_INET6) /* both families where it is bound to all of them */
        (void)setsockopt(udp->fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    widen(udp->fd);
    if (len && !bind(udp->fd, &address.any, len))
        return CU_OK;
    return cu_fail(diag, errno == EADDRINUSE ? CU_E_CONFLICT : CU_E_IO,
                   "cannot listen for gossip on udp %s: %s", gossip_addr_format(bind_to, text),
                   gossip_bind_failure(errno));
}

enum cu_err gossip_udp_open(const struct gossip_udp_options *options, struct gossip_udp **ret_udp,
                            struct cu_diag *diag)
{
    struct gossip_udp *udp = cu_alloc(sizeof *udp);
    udp->options = *options;
    udp->family = options->bind.ip.len == 4 ? AF_INET : AF_INET6;
    udp->fd = socket(udp->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    enum cu_err err = udp->fd < 0 ? cu_fail(diag, CU_E_IO, "udp socket: %s", strerror(errno))
                                  : bind_socket(udp, diag);
    if (err) {
        if (udp->fd >= 0)
            (void)close(udp->fd);
        free(udp);
        return err;
    }
    udp->received = cu_metrics_counter(options->metrics, "memberlist.udp.received");
    udp->sent = cu_metrics_counter(options->metrics, "memberlist.udp.sent");
    udp->send_failed = cu_metrics_counter(options->metrics, "memberlist.udp.send_failed");
    udp->dropped = cu_metrics_counter(options->metrics, "memberlist.udp.send_dropped");
    cu_fd_watch_init(&udp->watch, options->loop, udp->fd, on_readable, udp);
    cu_fd_watch_set(&udp->watch, CU_FD_READ);
    *ret_udp = udp;
    return CU_OK;
}

void gossip_udp_close(struct gossip_udp *udp)
{
    if (!udp)
        return;
    cu_fd_watch_close(&udp->watch);
    (void)close(udp->fd);
    free(udp);
}

enum cu_err gossip_udp_send(struct gossip_udp *udp, struct gossip_addr to, struct cu_bytes datagram)
{
    union gossip_sockaddr address;
    socklen_t len = gossip_sockaddr_of(to, udp->family, &address);
    errno = EAFNOSUPPORT;
    if (len && sendto(udp->fd, datagram.data, datagram.len, MSG_DONTWAIT | MSG_NOSIGNAL,
                      &address.any, len) >= 0) {
        cu_count(udp->sent, datagram.len);
        return CU_OK;
    }
    /* ECONNREFUSED is about an earlier datagram, to whomever: this one is simply lost. */
    if (errno == EAGAIN || errno == ENOBUFS || errno == ECONNREFUSED) {
        cu_count(udp->dropped, 1);
        return CU_E_OVERLOADED;
    }
    cu_count(udp->send_failed, 1);
    return CU_E_IO;
}
