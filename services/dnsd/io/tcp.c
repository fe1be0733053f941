#include "services/dnsd/io/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "services/dnsd/conf.h"
#include "services/dnsd/core/wire.h"
#include "services/dnsd/io/address.h"

enum {
    LENGTH_BYTES = 2,
    BACKLOG = 256,
    ACCEPTS_A_TURN = 64,
    GATHER_BYTES = 64 * 1024, /* of answers, before they are sent and no more are made */
};

struct connection {
    struct dns_tcp *tcp;
    struct connection *newer, *older; /* by when something last happened */
    uint32_t slot;
    int fd;
    struct cu_fd_watch watch;
    struct cu_timer timer;
    size_t in_len, out_done;
    struct cu_buf out;
    unsigned open;  /* queries whose answer is not there yet */
    bool has_ended; /* the peer sends no more */
    uint8_t in[LENGTH_BYTES + DNS_QUERY_MAX_BYTES];
};

struct listener {
    struct dns_tcp *tcp;
    int fd;
    struct cu_fd_watch watch;
};

struct slot {
    struct connection *connection;
    uint32_t generation, next_free;
};

struct dns_tcp {
    struct cu_loop *loop;
    dns_tcp_take *take;
    void *arg;
    struct listener listeners[DNS_LISTENERS_MAX];
    size_t listener_count, backlog_bytes;
    struct connection *newest, *oldest;
    struct slot slots[DNS_TCP_CONNECTIONS];
    uint32_t first_free; /* 1 + slot */
    const struct dns_counts *counts;
    size_t connection_count;
    uint8_t answer[DNS_MESSAGE_BYTES];
};

/* ---- one connection ---- */

static void unlink_connection(struct connection *c)
{
    struct dns_tcp *tcp = c->tcp;
    *(c->newer ? &c->newer->older : &tcp->newest) = c->older;
    *(c->older ? &c->older->newer : &tcp->oldest) = c->newer;
}

static void link_newest(struct connection *c)
{
    struct dns_tcp *tcp = c->tcp;
    c->newer = NULL;
    c->older = tcp->newest;
    *(tcp->newest ? &tcp->newest->newer : &tcp->oldest) = c;
    tcp->newest = c;
}

static void touch(struct connection *c)
{
    unlink_connection(c);
    link_newest(c);
}

static size_t unsent(const struct connection *c)
{
    return c->out.len - c->out_done;
}

static void hang_up(struct connection *c)
{
    struct dns_tcp *tcp = c->tcp;
    struct slot *slot = &tcp->slots[c->slot];
    unlink_connection(c);
    tcp->backlog_bytes -= unsent(c);
    tcp->connection_count--;
    slot->connection = NULL;
    slot->generation++;
    slot->next_free = tcp->first_free;
    tcp->first_free = c->slot + 1;
    cu_fd_watch_close(&c->watch);
    cu_timer_close(&c->timer);
    (void)close(c->fd);
    cu_buf_deinit(&c->out);
    free(c);
}

static bool has_begun(const struct connection *c)
{
    return c->in_len > 0;
}

/* What it waits for next; false: for nothing, it is over. */
static bool await(struct connection *c)
{
    bool may_read = !c->has_ended && c->open < DNS_TCP_OPEN_QUERIES && unsent(c) == 0;
    if (c->has_ended && c->open == 0 && unsent(c) == 0)
        return false;
    cu_fd_watch_set(&c->watch, (may_read ? CU_FD_READ : 0u) | (unsent(c) ? CU_FD_WRITE : 0u));
    if (c->open > 0 && unsent(c) == 0)
        cu_timer_cancel(&c->timer); /* it is for us to go on */
    else
        cu_timer_set_ms(&c->timer,
                        has_begun(c) && unsent(c) == 0 ? DNS_TCP_READ_MS : DNS_TCP_IDLE_MS);
    return true;
}

/* False: the connection is lost. */
static bool send_out(struct connection *c)
{
    while (unsent(c) > 0) {
        ssize_t sent = send(c->fd, c->out.data + c->out_done, unsent(c), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        c->out_done += (size_t)sent;
        c->tcp->backlog_bytes -= (size_t)sent;
    }
    c->out_done = 0;
    if (c->out.cap > GATHER_BYTES)
        cu_buf_deinit(&c->out);
    cu_buf_clear(&c->out);
    return true;
}

/* False: too much lies unsent already, of all connections together. */
static bool append(struct connection *c, struct cu_bytes answer)
{
    struct dns_tcp *tcp = c->tcp;
    CU_ASSERT(answer.len <= DNS_MESSAGE_BYTES);
    if (tcp->backlog_bytes + LENGTH_BYTES + answer.len > DNS_TCP_BACKLOG_BYTES) {
        cu_count(tcp->counts->tcp_overflowed, 1);
        return false;
    }
    cu_buf_u8(&c->out, (uint8_t)(answer.len >> 8));
    cu_buf_u8(&c->out, (uint8_t)answer.len);
    cu_buf_append(&c->out, answer.data, answer.len);
    tcp->backlog_bytes += LENGTH_BYTES + answer.len;
    return true;
}

/* The first query in the buffer, whole; false: it is not. */
static bool next_query(const struct connection *c, size_t at, struct cu_bytes *ret_query)
{
    if (c->in_len - at < LENGTH_BYTES)
        return false;
    size_t len = (size_t)c->in[at] << 8 | c->in[at + 1];
    *ret_query = (struct cu_bytes){c->in + at + LENGTH_BYTES, len};
    return c->in_len - at - LENGTH_BYTES >= len;
}

/* Answers what is in the buffer. False: the connection is to be closed. */
static bool answer_all(struct connection *c)
{
    struct dns_tcp *tcp = c->tcp;
    struct cu_bytes query = {0};
    size_t at = 0;
    while (c->open < DNS_TCP_OPEN_QUERIES && unsent(c) < GATHER_BYTES &&
           next_query(c, at, &query)) {
        struct dns_tcp_peer peer = {c->slot, tcp->slots[c->slot].generation};
        at += LENGTH_BYTES + query.len;
        size_t len = tcp->take(tcp->arg, peer, query, tcp->answer);
        if (len == DNS_LATER)
            c->open++;
        else if (len > 0 && !append(c, (struct cu_bytes){tcp->answer, len}))
            return false;
    }
    c->in_len -= at;
    memmove(c->in, c->in + at, c->in_len);
    if (query.len > DNS_QUERY_MAX_BYTES) {
        cu_count(tcp->counts->tcp_too_long, 1);
        return false;
    }
    return true;
}

/* Answers, sends, and answers more while all that was sent is taken. */
static void go_on(struct connection *c)
{
    size_t before;
    bool good = true;
    do {
        before = c->in_len;
        good = answer_all(c) && send_out(c);
    } while (good && unsent(c) == 0 && c->in_len < before);
    if (!good || !await(c))
        hang_up(c);
}

/* False: an error. */
static bool receive(struct connection *c)
{
    size_t room = sizeof c->in - c->in_len;
    CU_ASSERT(room > 0); /* else a whole query is there, and it is not read on */
    ssize_t got = recv(c->fd, c->in + c->in_len, room, 0);
    if (got == 0)
        c->has_ended = true;
    if (got < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    c->in_len += (size_t)got;
    return true;
}

static void ready(void *arg, unsigned what)
{
    struct connection *c = arg;
    touch(c);
    if ((what & CU_FD_READ) && !receive(c))
        hang_up(c);
    else if ((what & CU_FD_WRITE) && !send_out(c))
        hang_up(c);
    else
        go_on(c);
}

static void timed_out(void *arg)
{
    struct connection *c = arg;
    cu_count(c->tcp->counts->tcp_timed_out, 1);
    hang_up(c);
}

void dns_tcp_send(struct dns_tcp *tcp, struct dns_tcp_peer peer, struct cu_bytes bytes)
{
    struct slot *slot = &tcp->slots[peer.slot];
    struct connection *c = slot->connection;
    if (slot->generation != peer.generation || !c)
        return;
    CU_ASSERT(c->open > 0);
    c->open--;
    touch(c);
    if (!append(c, bytes))
        hang_up(c);
    else
        go_on(c);
}

/* ---- accepting ---- */

static bool make_room(struct dns_tcp *tcp)
{
    struct connection *c = tcp->oldest;
    while (c && c->open > 0)
        c = c->newer;
    if (!c)
        return false;
    cu_count(tcp->counts->tcp_evicted, 1);
    hang_up(c);
    return true;
}

static void add_connection(struct dns_tcp *tcp, int fd)
{
    int on = 1;
    if (tcp->first_free == 0 && !make_room(tcp)) {
        cu_count(tcp->counts->tcp_turned_away, 1);
        (void)close(fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* only faster */
    struct connection *c = cu_alloc(sizeof *c);
    c->tcp = tcp;
    c->fd = fd;
    c->slot = tcp->first_free - 1;
    tcp->first_free = tcp->slots[c->slot].next_free;
    tcp->slots[c->slot].connection = c;
    tcp->connection_count++;
    cu_count(tcp->counts->tcp_accepted, 1);
    link_newest(c);
    cu_timer_init(&c->timer, tcp->loop, timed_out, c);
    cu_fd_watch_init(&c->watch, tcp->loop, fd, ready, c);
    (void)await(c);
}

static void accept_ready(void *arg, unsigned what)
{
    struct listener *l = arg;
    (void)what;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return; /* none left, or one that has gone again; the watch is level-triggered */
        add_connection(l->tcp, fd);
    }
}

/* ---- the whole ---- */

struct dns_tcp *dns_tcp_new(struct cu_loop *loop, const struct dns_counts *counts,
                            dns_tcp_take *take, void *arg)
{
    struct dns_tcp *tcp = cu_alloc(sizeof *tcp);
    tcp->loop = loop;
    tcp->counts = counts;
    tcp->take = take;
    tcp->arg = arg;
    for (uint32_t i = DNS_TCP_CONNECTIONS; i > 0; i--) {
        tcp->slots[i - 1].next_free = tcp->first_free;
        tcp->first_free = i;
    }
    return tcp;
}

enum cu_err dns_tcp_listen(struct dns_tcp *tcp, const char *ip, unsigned port, struct cu_diag *diag)
{
    int fd;
    bool is_wildcard;
    CU_ASSERT(tcp->listener_count < DNS_LISTENERS_MAX);
    enum cu_err err = dns_bind(ip, port, SOCK_STREAM, &fd, &is_wildcard, diag);
    if (err)
        return err;
    if (listen(fd, BACKLOG)) {
        err = cu_fail(diag, CU_E_IO, "cannot listen for DNS on %s port %u: %s", ip, port,
                      strerror(errno));
        (void)close(fd);
        return err;
    }
    struct listener *l = &tcp->listeners[tcp->listener_count++];
    *l = (struct listener){.tcp = tcp, .fd = fd};
    cu_fd_watch_init(&l->watch, tcp->loop, fd, accept_ready, l);
    cu_fd_watch_set(&l->watch, CU_FD_READ);
    return CU_OK;
}

void dns_tcp_stop_listening(struct dns_tcp *tcp)
{
    while (tcp->listener_count > 0) {
        struct listener *l = &tcp->listeners[--tcp->listener_count];
        cu_fd_watch_close(&l->watch);
        (void)close(l->fd);
    }
}

void dns_tcp_free(struct dns_tcp *tcp)
{
    if (!tcp)
        return;
    dns_tcp_stop_listening(tcp);
    while (tcp->oldest)
        hang_up(tcp->oldest);
    free(tcp);
}

size_t dns_tcp_connections(const struct dns_tcp *tcp)
{
    return tcp->connection_count;
}
