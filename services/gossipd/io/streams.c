#include "services/gossipd/io/streams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/map.h"
#include "services/gossipd/core/stream.h"
#include "services/gossipd/core/address.h"
#include "services/gossipd/io/sockaddr.h"
#include "services/gossipd/io/conn.h"

enum { ACCEPT_RETRY_MS = 50, ACCEPT_BATCH = 16, LISTEN_BACKLOG = 256 };

/* What a connection is for. Its number names it to the core: a call of theirs, an exchange of ours.
 */
struct errand {
    struct gossip_streams *streams;
    struct errand *next; /* of `stillborn` */
    struct gossip_conn *conn;
    uint64_t number;
    bool is_ours;
    const char *why; /* of a stillborn one */
};

struct gossip_streams {
    struct gossip_streams_options options;
    struct gossip_conn_pool pool;
    int fd;
    struct cu_fd_watch watch;
    struct cu_timer accept_again;
    struct cu_map calls, exchanges; /* number -> struct errand */
    uint64_t last_call;
    struct errand *stillborn; /* dials that failed at once: told at the end of the turn */
    struct cu_turn_hook tell_hook;
    struct cu_counter *accepted, *dialled, *sent, *turned_away, *bad;
    struct cu_log_limit limit;
};

static struct cu_map *map_of(struct gossip_streams *streams, const struct errand *errand)
{
    return errand->is_ours ? &streams->exchanges : &streams->calls;
}

static void take_up(struct gossip_streams *streams, struct gossip_conn *conn, uint64_t number,
                    bool is_ours)
{
    struct errand *errand = cu_alloc(sizeof *errand);
    *errand =
        (struct errand){.streams = streams, .conn = conn, .number = number, .is_ours = is_ours};
    gossip_conn_set_owner(conn, errand);
    void *old = cu_map_put_u64(map_of(streams, errand), number, errand);
    CU_ASSERT(!old); /* numbers are new */
}

/* ---- what connections tell ---- */

static void on_received(void *context, struct gossip_conn *conn,
                        const struct gossip_message *message)
{
    struct gossip_streams *streams = context;
    const struct errand *errand = gossip_conn_owner(conn);
    if (errand->is_ours)
        streams->options.replied(streams->options.context, errand->number, message);
    else
        streams->options.asked(streams->options.context, errand->number, gossip_conn_peer(conn),
                               message);
}

static void on_failed(void *context, struct gossip_conn *conn, const char *why)
{
    struct gossip_streams *streams = context;
    const struct errand *errand = gossip_conn_owner(conn);
    char from[GOSSIP_ADDR_TEXT_BYTES];
    if (errand->is_ours) {
        streams->options.failed(streams->options.context, errand->number, why);
        return;
    }
    cu_count(streams->bad, 1);
    cu_log_limited(streams->options.log, &streams->limit, CU_LOG_WARN, "stream.failed",
                   "from=%s why=\"%s\"", gossip_addr_format(gossip_conn_peer(conn), from), why);
}

static void on_ended(void *context, struct gossip_conn *conn)
{
    struct errand *errand = gossip_conn_owner(conn);
    cu_map_del_u64(map_of(context, errand), errand->number);
    free(errand);
}

/* ---- accepting ---- */

static void take_in(struct gossip_streams *streams, int fd, struct gossip_addr peer)
{
    if (streams->calls.count >= GOSSIP_STREAMS_MAX_SERVED) {
        cu_count(streams->turned_away, 1);
        (void)close(fd);
        return;
    }
    cu_count(streams->accepted, 1);
    take_up(streams, gossip_conn_accept(&streams->pool, fd, peer, streams->options.timeout_ms),
            ++streams->last_call, false);
}

/* Out of descriptors or the like: the listener stays readable, so look away for a while. */
static void pause_accepting(struct gossip_streams *streams)
{
    cu_log_limited(streams->options.log, &streams->limit, CU_LOG_WARN, "stream.accept",
                   "error=\"%s\"", strerror(errno));
    cu_fd_watch_set(&streams->watch, 0);
    cu_timer_set_ms(&streams->accept_again, ACCEPT_RETRY_MS);
}

static void on_accept_again(void *arg)
{
    cu_fd_watch_set(&((struct gossip_streams *)arg)->watch, CU_FD_READ);
}

static void on_acceptable(void *arg, unsigned what)
{
    struct gossip_streams *streams = arg;
    (void)what;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        union gossip_sockaddr from;
        socklen_t len = sizeof from;
        int fd = accept4(streams->fd, &from.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take_in(streams, fd, gossip_addr_of(&from));
        } else {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                pause_accepting(streams);
            return;
        }
    }
}

/* ---- asking and answering ---- */

static void tell_stillborn(void *arg)
{
    struct gossip_streams *streams = arg;
    while (streams->stillborn) {
        struct errand *errand = streams->stillborn;
        streams->stillborn = errand->next;
        streams->options.failed(streams->options.context, errand->number, errand->why);
        free(errand);
    }
}

static void fail_later(struct gossip_streams *streams, uint64_t exchange, const char *why)
{
    struct errand *errand = cu_alloc(sizeof *errand);
    *errand = (struct errand){.number = exchange, .why = why, .next = streams->stillborn};
    streams->stillborn = errand;
    cu_loop_at_turn_end(streams->options.loop, &streams->tell_hook);
}

static struct cu_buf wrapped(struct gossip_streams *streams, struct cu_bytes plain)
{
    struct cu_buf out = {0};
    if (plain.len)
        gossip_stream_wrap(&out, plain, streams->options.compress);
    cu_count(streams->sent, out.len);
    return out;
}

void gossip_streams_dial(struct gossip_streams *streams, uint64_t exchange, struct gossip_addr to,
                         uint32_t timeout_ms, struct cu_bytes plain)
{
    const char *why = "too many exchanges are under way";
    struct gossip_conn *conn = NULL;
    if (streams->exchanges.count < GOSSIP_STREAMS_MAX_SERVED) {
        struct cu_buf bytes = wrapped(streams, plain);
        conn =
            gossip_conn_dial(&streams->pool, streams->options.bind, to, timeout_ms, &bytes, &why);
    }
    if (!conn) {
        fail_later(streams, exchange, why);
        return;
    }
    cu_count(streams->dialled, 1);
    take_up(streams, conn, exchange, true);
}

void gossip_streams_answer(struct gossip_streams *streams, uint64_t call, struct cu_bytes plain)
{
    const struct errand *errand = cu_map_get_u64(&streams->calls, call);
    if (!errand)
        return;
    struct cu_buf bytes = wrapped(streams, plain);
    gossip_conn_answer(errand->conn, &bytes, streams->options.timeout_ms);
}

/* ---- life ---- */

static enum cu_err listen_on(struct gossip_streams *streams, struct cu_diag *diag)
{
    union gossip_sockaddr address;
    char text[GOSSIP_ADDR_TEXT_BYTES];
    struct gossip_addr bind_to = streams->options.bind;
    int family = bind_to.ip.len == 4 ? AF_INET : AF_INET6, on = 1, off = 0;
    socklen_t len = gossip_sockaddr_of(bind_to, family, &address);
    streams->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (streams->fd >= 0) {
        (void)setsockopt(streams->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (family == AF_INET6)
            (void)setsockopt(streams->fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
        if (len && !bind(streams->fd, &address.any, len) && !listen(streams->fd, LISTEN_BACKLOG))
            return CU_OK;
    }
    return cu_fail(diag, errno == EADDRINUSE ? CU_E_CONFLICT : CU_E_IO,
                   "cannot listen for gossip on tcp %s: %s", gossip_addr_format(bind_to, text),
                   gossip_bind_failure(errno));
}

static void add_metrics(struct gossip_streams *streams)
{
    struct cu_metrics *metrics = streams->options.metrics;
    streams->accepted = cu_metrics_counter(metrics, "memberlist.tcp.accept");
    streams->dialled = cu_metrics_counter(metrics, "memberlist.tcp.connect");
    streams->sent = cu_metrics_counter(metrics, "memberlist.tcp.sent");
    streams->turned_away = cu_metrics_counter(metrics, "memberlist.tcp.turned_away");
    streams->bad = cu_metrics_counter(metrics, "memberlist.tcp.bad");
}

enum cu_err gossip_streams_open(const struct gossip_streams_options *options,
                                struct gossip_streams **ret_streams, struct cu_diag *diag)
{
    struct gossip_streams *streams = cu_alloc(sizeof *streams);
    streams->options = *options;
    streams->pool = (struct gossip_conn_pool){.loop = options->loop,
                                              .limit_bytes = STREAMS_HELD_BYTES,
                                              .context = streams,
                                              .received = on_received,
                                              .failed = on_failed,
                                              .ended = on_ended};
    enum cu_err err = listen_on(streams, diag);
    if (err) {
        if (streams->fd >= 0)
            (void)close(streams->fd);
        free(streams);
        return err;
    }
    add_metrics(streams);
    streams->tell_hook = (struct cu_turn_hook){.fn = tell_stillborn, .arg = streams};
    cu_timer_init(&streams->accept_again, options->loop, on_accept_again, streams);
    cu_fd_watch_init(&streams->watch, options->loop, streams->fd, on_acceptable, streams);
    cu_fd_watch_set(&streams->watch, CU_FD_READ);
    *ret_streams = streams;
    return CU_OK;
}

static void drop_all(struct cu_map *errands)
{
    size_t at = 0;
    void *value;
    struct cu_bytes key;
    while (cu_map_next(errands, &at, &key, &value)) {
        struct errand *errand = value;
        gossip_conn_close(errand->conn);
        free(errand);
    }
    cu_map_deinit(errands);
}

void gossip_streams_close(struct gossip_streams *streams)
{
    if (!streams)
        return;
    drop_all(&streams->calls);
    drop_all(&streams->exchanges);
    while (streams->stillborn) {
        struct errand *errand = streams->stillborn;
        streams->stillborn = errand->next;
        free(errand);
    }
    cu_turn_hook_cancel(streams->options.loop, &streams->tell_hook);
    cu_timer_close(&streams->accept_again);
    cu_fd_watch_close(&streams->watch);
    (void)close(streams->fd);
    free(streams);
}
