#include "services/dnsd/io/upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "services/dnsd/core/forward.h"

enum { LENGTH_BYTES = 2, REPLIES_A_TURN = 16 };

struct dns_upstream {
    struct cu_loop *loop;
    const struct dns_counts *counts;
    size_t open;
    uint8_t datagram[DNS_MESSAGE_BYTES];
};

struct dns_upstream_call {
    struct dns_upstream *upstream;
    struct dns_upstream_question question;
    struct dns_recursor recursors[DNS_RECURSORS_MAX];
    size_t next; /* recursor to ask */
    dns_upstream_done *done;
    void *arg;
    uint8_t id[2]; /* the client's */
    int fd;        /* -1: none is asked */
    struct cu_fd_watch watch;
    struct cu_timer timer;
    size_t sent;           /* over TCP: of `message` */
    struct cu_buf message; /* length, and the query with an id of this attempt */
    struct cu_buf reply;   /* over TCP */
};

static void try_next(struct dns_upstream_call *call);

static struct cu_bytes query_of(const struct dns_upstream_call *call)
{
    return (struct cu_bytes){call->message.data + LENGTH_BYTES, call->message.len - LENGTH_BYTES};
}

/* ---- the end ---- */

static void close_socket(struct dns_upstream_call *call)
{
    if (call->fd < 0)
        return;
    cu_fd_watch_close(&call->watch);
    (void)close(call->fd);
    call->fd = -1;
}

static void free_call(struct dns_upstream_call *call)
{
    close_socket(call);
    cu_timer_close(&call->timer);
    cu_buf_deinit(&call->message);
    cu_buf_deinit(&call->reply);
    call->upstream->open--;
    free(call);
}

static void finish(struct dns_upstream_call *call, uint8_t *reply, size_t len)
{
    if (len > 0)
        memcpy(reply, call->id, sizeof call->id);
    call->done(call->arg, (struct cu_bytes){reply, len});
    free_call(call);
}

/* Whether the call is over, or goes on with another recursor. */
static bool take_reply(struct dns_upstream_call *call, uint8_t *reply, size_t len)
{
    enum dns_reply_kind kind = dns_reply_check(query_of(call), (struct cu_bytes){reply, len});
    if (kind == DNS_REPLY_FOREIGN) {
        cu_count(call->upstream->counts->upstream_foreign, 1);
        return false;
    }
    if (kind == DNS_REPLY_GOOD || call->question.takes_any_rcode) {
        finish(call, reply, len);
    } else {
        cu_count(call->upstream->counts->upstream_failed, 1);
        try_next(call);
    }
    return true;
}

/* ---- UDP ---- */

static void datagram_ready(void *arg, unsigned what)
{
    struct dns_upstream_call *call = arg;
    struct dns_upstream *upstream = call->upstream;
    (void)what;
    for (int i = 0; i < REPLIES_A_TURN; i++) {
        ssize_t got = recv(call->fd, upstream->datagram, sizeof upstream->datagram, 0);
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            return;
        if (got < 0) { /* nobody listens there */
            cu_count(upstream->counts->upstream_failed, 1);
            try_next(call);
            return;
        }
        if (take_reply(call, upstream->datagram, (size_t)got))
            return;
    }
}

static bool start_udp(struct dns_upstream_call *call)
{
    struct cu_bytes query = query_of(call);
    if (send(call->fd, query.data, query.len, MSG_NOSIGNAL) != (ssize_t)query.len)
        return false;
    cu_fd_watch_init(&call->watch, call->upstream->loop, call->fd, datagram_ready, call);
    cu_fd_watch_set(&call->watch, CU_FD_READ);
    return true;
}

/* ---- TCP ---- */

static bool send_more(struct dns_upstream_call *call)
{
    ssize_t sent = send(call->fd, call->message.data + call->sent, call->message.len - call->sent,
                        MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    call->sent += (size_t)sent;
    return true;
}

/* How many bytes of the reply are still to come. */
static size_t missing(const struct dns_upstream_call *call)
{
    const struct cu_buf *reply = &call->reply;
    if (reply->len < LENGTH_BYTES)
        return LENGTH_BYTES - reply->len;
    return LENGTH_BYTES + ((size_t)reply->data[0] << 8 | reply->data[1]) - reply->len;
}

static bool receive_more(struct dns_upstream_call *call)
{
    size_t room = missing(call);
    uint8_t *at = cu_buf_extend(&call->reply, room);
    ssize_t got = recv(call->fd, at, room, 0);
    call->reply.len -= room - (got > 0 ? (size_t)got : 0);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
}

static bool is_whole(const struct dns_upstream_call *call)
{
    return call->reply.len >= LENGTH_BYTES && missing(call) == 0;
}

static void stream_ready(void *arg, unsigned what)
{
    struct dns_upstream_call *call = arg;
    bool good = true;
    if (what & CU_FD_WRITE)
        good = send_more(call);
    if (good && (what & CU_FD_READ))
        good = receive_more(call);
    if (good && is_whole(call)) {
        if (take_reply(call, call->reply.data + LENGTH_BYTES, call->reply.len - LENGTH_BYTES))
            return;
        good = false; /* foreign: it has answered something else */
    }
    if (!good) {
        cu_count(call->upstream->counts->upstream_failed, 1);
        try_next(call);
        return;
    }
    bool is_sent = call->sent == call->message.len;
    cu_fd_watch_set(&call->watch, CU_FD_READ | (is_sent ? 0u : CU_FD_WRITE));
}

static void start_tcp(struct dns_upstream_call *call)
{
    call->sent = 0;
    cu_buf_clear(&call->reply);
    cu_fd_watch_init(&call->watch, call->upstream->loop, call->fd, stream_ready, call);
    cu_fd_watch_set(&call->watch, CU_FD_READ | CU_FD_WRITE);
}

/* ---- one recursor after the other ---- */

static void set_id(struct dns_upstream_call *call)
{
    cu_random_bytes(call->message.data + LENGTH_BYTES, sizeof call->id);
}

/* The kernel picks the source port, at random. */
static bool start(struct dns_upstream_call *call, const struct dns_recursor *recursor)
{
    bool is_udp = call->question.transport == DNS_OVER_UDP;
    int type = is_udp ? SOCK_DGRAM : SOCK_STREAM;
    int fd = socket(recursor->address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    set_id(call);
    call->fd = fd;
    bool good = !connect(fd, (const struct sockaddr *)&recursor->address, recursor->len) ||
                (!is_udp && errno == EINPROGRESS);
    if (good && is_udp)
        good = start_udp(call);
    else if (good)
        start_tcp(call);
    if (!good) {
        (void)close(fd);
        call->fd = -1;
    }
    return good;
}

static void try_next(struct dns_upstream_call *call)
{
    close_socket(call);
    while (call->next < call->question.recursor_count) {
        if (start(call, &call->recursors[call->next++])) {
            cu_timer_set_ms(&call->timer, call->question.timeout_ms);
            return;
        }
        cu_count(call->upstream->counts->upstream_failed, 1);
    }
    finish(call, NULL, 0);
}

static void timed_out(void *arg)
{
    struct dns_upstream_call *call = arg;
    if (call->fd >= 0)
        cu_count(call->upstream->counts->upstream_timed_out, 1);
    try_next(call);
}

struct dns_upstream_call *dns_upstream_ask(struct dns_upstream *upstream,
                                           const struct dns_upstream_question *question,
                                           dns_upstream_done *done, void *arg)
{
    if (upstream->open >= DNS_UPSTREAM_MAX) {
        cu_count(upstream->counts->upstream_refused, 1);
        return NULL;
    }
    CU_ASSERT(question->query.len >= DNS_HEADER_BYTES && question->query.len <= DNS_MESSAGE_BYTES);
    CU_ASSERT(question->recursor_count <= DNS_RECURSORS_MAX);
    upstream->open++;
    cu_count(upstream->counts->upstream_asked, 1);
    struct dns_upstream_call *call = cu_alloc(sizeof *call);
    call->upstream = upstream;
    call->question = *question;
    call->done = done;
    call->arg = arg;
    call->fd = -1;
    memcpy(call->recursors, question->recursors,
           question->recursor_count * sizeof *question->recursors);
    memcpy(call->id, question->query.data, sizeof call->id);
    cu_buf_u8(&call->message, (uint8_t)(question->query.len >> 8));
    cu_buf_u8(&call->message, (uint8_t)question->query.len);
    cu_buf_append(&call->message, question->query.data, question->query.len);
    cu_timer_init(&call->timer, upstream->loop, timed_out, call);
    if (question->recursor_count > 0 && start(call, &call->recursors[call->next++]))
        cu_timer_set_ms(&call->timer, question->timeout_ms);
    else
        cu_timer_set_ms(&call->timer, 0); /* goes on, or ends, outside this function */
    return call;
}

void dns_upstream_cancel(struct dns_upstream_call *call)
{
    if (call)
        free_call(call);
}

/* ---- the whole ---- */

struct dns_upstream *dns_upstream_new(struct cu_loop *loop, const struct dns_counts *counts)
{
    struct dns_upstream *upstream = cu_alloc(sizeof *upstream);
    upstream->loop = loop;
    upstream->counts = counts;
    return upstream;
}

void dns_upstream_free(struct dns_upstream *upstream)
{
    if (!upstream)
        return;
    CU_ASSERT(upstream->open == 0);
    free(upstream);
}

size_t dns_upstream_open(const struct dns_upstream *upstream)
{
    return upstream->open;
}
