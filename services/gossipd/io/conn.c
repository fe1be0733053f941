#include "services/gossipd/io/conn.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/assert.h"
#include "services/gossipd/core/codec.h"
#include "services/gossipd/core/stream.h"
#include "services/gossipd/io/sockaddr.h"

enum {
    CONN_READ_BYTES = 64 * 1024,
    CONN_FIRST_BYTES = 4 * 1024, /* most requests are small */
    /* A whole expanded stream, and the lists decoded from it. */
    CONN_ARENA_BYTES = GOSSIP_STREAM_MAX_INFLATED + 24 * 1024 * 1024
};

enum stage { CONNECTING, WRITING, READING, WAITING };

struct gossip_conn {
    struct gossip_conn_pool *pool;
    int fd;
    enum stage stage;
    bool is_dialled;
    struct gossip_addr peer;
    void *owner;
    struct cu_fd_watch watch;
    struct cu_timer limit;
    struct cu_buf in, out;
    size_t out_at;
    struct gossip_stream measured;
};

static void let_go_of_input(struct gossip_conn *conn)
{
    conn->pool->held_bytes -= conn->in.len;
    cu_buf_deinit(&conn->in);
}

void gossip_conn_close(struct gossip_conn *conn)
{
    let_go_of_input(conn);
    cu_buf_deinit(&conn->out);
    cu_fd_watch_close(&conn->watch);
    cu_timer_close(&conn->limit);
    (void)close(conn->fd);
    free(conn);
}

static void end(struct gossip_conn *conn)
{
    conn->pool->ended(conn->pool->context, conn);
    gossip_conn_close(conn);
}

static void fail(struct gossip_conn *conn, const char *why)
{
    conn->pool->failed(conn->pool->context, conn, why);
    end(conn);
}

static void enter(struct gossip_conn *conn, enum stage stage)
{
    static const unsigned wants[] = {
        [CONNECTING] = CU_FD_WRITE, [WRITING] = CU_FD_WRITE, [READING] = CU_FD_READ, [WAITING] = 0};
    conn->stage = stage;
    cu_fd_watch_set(&conn->watch, wants[stage]);
}

/* ---- reading ---- */

/* The message is decoded into memory of its own, which is gone when this returns. */
static void hand_out(struct gossip_conn *conn)
{
    struct gossip_message message;
    struct gossip_conn_pool *pool = conn->pool;
    struct cu_arena *arena = cu_arena_new(CONN_ARENA_BYTES);
    enum cu_err err = gossip_stream_decode(cu_buf_bytes(&conn->in), arena, &message);
    bool is_dialled = conn->is_dialled;
    if (err) {
        fail(conn, err == CU_E_TOO_LARGE ? "the stream is too large" : "the stream is malformed");
    } else {
        enter(conn, WAITING);
        pool->received(pool->context, conn, &message); /* an accepted one may be gone after it */
        if (is_dialled)
            end(conn);
    }
    cu_arena_free(arena);
}

/* A peer with encryption is told why nothing comes of it (gossip.md 4). */
static void refuse_encrypted(struct gossip_conn *conn)
{
    struct gossip_message err = {
        .type = GOSSIP_ERR,
        .err.text = cu_bytes_of("Remote state is encrypted and encryption is not configured")};
    struct cu_buf bytes = {0};
    conn->pool->failed(conn->pool->context, conn, "the stream is encrypted");
    gossip_encode(&bytes, &err);
    conn->out = bytes;
    let_go_of_input(conn);
    enter(conn, WRITING);
}

static void judge(struct gossip_conn *conn)
{
    bool whole = false;
    if (!conn->is_dialled && conn->in.data[0] == GOSSIP_ENCRYPT) {
        refuse_encrypted(conn);
        return;
    }
    enum cu_err err = gossip_stream_measure(&conn->measured, cu_buf_bytes(&conn->in), &whole);
    if (err)
        fail(conn, err == CU_E_TOO_LARGE ? "the stream is too large" : "the stream is malformed");
    else if (whole)
        hand_out(conn);
}

/* What is counted is what was read: memory that was reserved and not touched costs nothing. */
static void took(struct gossip_conn *conn, size_t bytes)
{
    conn->in.len += bytes;
    conn->pool->held_bytes += bytes;
    if (conn->pool->held_bytes > conn->pool->limit_bytes)
        fail(conn, "too many bytes of unfinished streams are held");
    else
        judge(conn);
}

static void read_more(struct gossip_conn *conn)
{
    if (conn->in.cap - conn->in.len < CONN_FIRST_BYTES)
        cu_buf_reserve(&conn->in, conn->in.len ? CONN_READ_BYTES : CONN_FIRST_BYTES);
    ssize_t got = recv(conn->fd, conn->in.data + conn->in.len, conn->in.cap - conn->in.len, 0);
    if (got > 0)
        took(conn, (size_t)got);
    else if (got == 0)
        fail(conn, "the peer closed the connection");
    else if (errno != EAGAIN && errno != EINTR)
        fail(conn, strerror(errno));
}

/* ---- writing ---- */

static void written(struct gossip_conn *conn)
{
    cu_buf_deinit(&conn->out);
    if (conn->is_dialled)
        enter(conn, READING);
    else
        end(conn);
}

static void write_more(struct gossip_conn *conn)
{
    ssize_t sent =
        send(conn->fd, conn->out.data + conn->out_at, conn->out.len - conn->out_at, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN && errno != EINTR)
            fail(conn, strerror(errno));
        return;
    }
    conn->out_at += (size_t)sent;
    if (conn->out_at == conn->out.len)
        written(conn);
}

static void connected(struct gossip_conn *conn)
{
    int failure = 0;
    socklen_t len = sizeof failure;
    if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &failure, &len))
        failure = errno;
    if (failure) {
        fail(conn, strerror(failure));
        return;
    }
    enter(conn, WRITING);
    write_more(conn);
}

static void on_event(void *arg, unsigned what)
{
    struct gossip_conn *conn = arg;
    (void)what;
    switch (conn->stage) {
    case CONNECTING:
        connected(conn);
        break;
    case WRITING:
        write_more(conn);
        break;
    case READING:
        read_more(conn);
        break;
    case WAITING:
        break;
    }
}

static void on_limit(void *arg)
{
    fail(arg, "i/o timeout");
}

/* ---- life ---- */

static struct gossip_conn *conn_new(struct gossip_conn_pool *pool, int fd, struct gossip_addr peer,
                                    uint32_t timeout_ms)
{
    struct gossip_conn *conn = cu_alloc(sizeof *conn);
    int on = 1;
    conn->pool = pool;
    conn->fd = fd;
    conn->peer = peer;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    cu_fd_watch_init(&conn->watch, pool->loop, fd, on_event, conn);
    cu_timer_init(&conn->limit, pool->loop, on_limit, conn);
    cu_timer_set_ms(&conn->limit, timeout_ms);
    return conn;
}

struct gossip_conn *gossip_conn_accept(struct gossip_conn_pool *pool, int fd,
                                       struct gossip_addr peer, uint32_t timeout_ms)
{
    struct gossip_conn *conn = conn_new(pool, fd, peer, timeout_ms);
    enter(conn, READING);
    return conn;
}

/* A socket that is on its way to the peer; < 0: errno says. */
static int connect_socket(struct gossip_addr source, struct gossip_addr peer)
{
    union gossip_sockaddr from, to;
    int family = peer.ip.len == 4 ? AF_INET : AF_INET6;
    socklen_t to_len = gossip_sockaddr_of(peer, family, &to);
    source.port = 0;
    socklen_t from_len =
        source.ip.len == peer.ip.len ? gossip_sockaddr_of(source, family, &from) : 0;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fd;
    errno = EAFNOSUPPORT;
    if (to_len && (!from_len || !bind(fd, &from.any, from_len)) &&
        (!connect(fd, &to.any, to_len) || errno == EINPROGRESS))
        return fd;
    int failure = errno;
    (void)close(fd);
    errno = failure;
    return -1;
}

struct gossip_conn *gossip_conn_dial(struct gossip_conn_pool *pool, struct gossip_addr source,
                                     struct gossip_addr peer, uint32_t timeout_ms,
                                     struct cu_buf *bytes, const char **ret_why)
{
    struct cu_buf out = *bytes;
    *bytes = (struct cu_buf){0};
    int fd = connect_socket(source, peer);
    if (fd < 0) {
        *ret_why = strerror(errno);
        cu_buf_deinit(&out);
        return NULL;
    }
    struct gossip_conn *conn = conn_new(pool, fd, peer, timeout_ms);
    conn->is_dialled = true;
    conn->out = out;
    enter(conn, CONNECTING);
    return conn;
}

void gossip_conn_answer(struct gossip_conn *conn, struct cu_buf *bytes, uint32_t timeout_ms)
{
    CU_ASSERT(conn->stage == WAITING && !conn->is_dialled);
    conn->out = *bytes;
    *bytes = (struct cu_buf){0};
    let_go_of_input(conn);
    if (!conn->out.len) {
        end(conn);
        return;
    }
    cu_timer_set_ms(&conn->limit, timeout_ms);
    enter(conn, WRITING); /* by the loop: the caller may still be within received() */
}

void gossip_conn_set_owner(struct gossip_conn *conn, void *owner)
{
    conn->owner = owner;
}

void *gossip_conn_owner(const struct gossip_conn *conn)
{
    return conn->owner;
}

struct gossip_addr gossip_conn_peer(const struct gossip_conn *conn)
{
    return conn->peer;
}
