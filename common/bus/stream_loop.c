/* The driver that reads and writes AF_UNIX sockets from the loop itself: no thread, no hand-over
 * (hops.md: two to five thread hops a message less than nng's path). */
#include "common/bus/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/assert.h"

enum {
    READ_BYTES = 128 * 1024, /* of one receive: a whole turn of a busy peer */
    BACKLOG = 512,
    SOCKET_MODE = 0660,
    ACCEPT_AGAIN_MS = 100, /* out of descriptors: not in a busy loop */
};

struct loop_stream {
    struct cu_stream base; /* first */
    struct cu_loop *loop;
    struct cu_fd_watch watch;
    int fd;
    bool wants_write, in_event, closed;
};

/* ---- a stream ---- */

static struct loop_stream *of(struct cu_stream *stream)
{
    return (struct loop_stream *)stream;
}

static void watch_as_needed(struct loop_stream *s)
{
    cu_fd_watch_set(&s->watch, CU_FD_READ | (s->wants_write ? CU_FD_WRITE : 0u));
}

static void free_stream(struct loop_stream *s)
{
    cu_fd_watch_close(&s->watch);
    (void)close(s->fd); /* nothing to be done about a failure */
    free(s);
}

static void lost(struct loop_stream *s, const char *why)
{
    cu_fd_watch_set(&s->watch, 0);
    s->base.events.lost(s->base.events.arg, why);
}

static void receive(struct loop_stream *s)
{
    uint8_t bytes[READ_BYTES]; /* on the stack: used up before we return, and always warm */
    ssize_t got = recv(s->fd, bytes, sizeof bytes, 0);
    if (got > 0)
        s->base.events.received(s->base.events.arg, (struct cu_bytes){bytes, (size_t)got});
    else if (got == 0)
        lost(s, "closed by the peer");
    else if (errno != EAGAIN && errno != EINTR)
        lost(s, strerror(errno));
}

static void ready(void *arg, unsigned what)
{
    struct loop_stream *s = arg;
    s->in_event = true;
    if (what & CU_FD_WRITE) {
        s->wants_write = false;
        s->base.events.writable(s->base.events.arg);
        if (!s->closed)
            watch_as_needed(s);
    }
    if (what & CU_FD_READ && !s->closed)
        receive(s);
    s->in_event = false;
    if (s->closed)
        free_stream(s);
}

static void start(struct cu_stream *stream)
{
    watch_as_needed(of(stream));
}

static void send_out(struct cu_stream *stream, struct cu_out *out)
{
    struct loop_stream *s = of(stream);
    size_t len = cu_out_waiting(out);
    ssize_t put = send(s->fd, out->buf.data + out->at, len, MSG_NOSIGNAL);
    if (put > 0) {
        out->at += (size_t)put;
        out->handed += (size_t)put;
    }
    /* An error other than "full" shows at the next receive as well: there it is told. */
    if (cu_out_waiting(out) && !s->wants_write) {
        s->wants_write = true;
        if (!s->in_event)
            watch_as_needed(s);
    }
}

static void close_stream(struct cu_stream *stream)
{
    struct loop_stream *s = of(stream);
    s->closed = true;
    if (!s->in_event)
        free_stream(s);
}

static const struct cu_stream_ops ops = {start, send_out, close_stream};

static struct cu_stream *stream_of_fd(struct cu_loop *loop, int fd)
{
    struct ucred peer = {0};
    socklen_t len = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
        (void)close(fd); /* who it is decides what it may: without it, no peer of ours */
        return NULL;
    }
    struct loop_stream *s = cu_alloc(sizeof *s);
    s->base = (struct cu_stream){.ops = &ops, .is_local = true, .uid = peer.uid};
    s->loop = loop;
    s->fd = fd;
    cu_fd_watch_init(&s->watch, loop, fd, ready, s);
    return &s->base;
}

static int unix_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static struct sockaddr_un address_of(const struct cu_url *url)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = cu_url_path(url);
    size_t len = strlen(path);
    CU_ASSERT(len < sizeof address.sun_path);
    memcpy(address.sun_path, path, len);
    return address;
}

static int connect_to(const struct cu_url *url, int fd)
{
    struct sockaddr_un address = address_of(url);
    return connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
}

/* ---- a listener ---- */

struct cu_listener {
    struct cu_loop *loop;
    struct cu_url url;
    cu_on_accept *on_accept;
    void *arg;
    struct cu_fd_watch watch;
    struct cu_timer again;
    int fd;
};

static void accept_again(void *arg)
{
    struct cu_listener *l = arg;
    cu_fd_watch_set(&l->watch, CU_FD_READ);
}

static void accept_one(void *arg, unsigned what)
{
    struct cu_listener *l = arg;
    (void)what;
    int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        struct cu_stream *stream = stream_of_fd(l->loop, fd);
        if (stream)
            l->on_accept(l->arg, stream);
        return;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        cu_fd_watch_set(&l->watch, 0);
        cu_timer_set_ms(&l->again, ACCEPT_AGAIN_MS);
    }
}

/* A socket file whose owner was killed refuses connections; only such a one is removed. */
static enum cu_err remove_stale(const struct cu_url *url, struct cu_diag *diag)
{
    const char *path = cu_url_path(url);
    struct stat st;
    if (lstat(path, &st) != 0)
        return CU_OK; /* nothing there, or bind() will say what is wrong */
    if (!S_ISSOCK(st.st_mode))
        return cu_fail(diag, CU_E_CONFLICT, "%s: exists and is no socket: remove it", path);
    int fd = unix_socket();
    if (fd < 0)
        return cu_fail(diag, CU_E_IO, "%s: socket: %s", path, strerror(errno));
    int error = connect_to(url, fd);
    (void)close(fd);
    if (error != ECONNREFUSED && error != ENOENT)
        return cu_fail(diag, CU_E_CONFLICT, "%s: another process listens on it", path);
    if (unlink(path) != 0 && errno != ENOENT)
        return cu_fail(diag, CU_E_IO, "%s: unlink: %s", path, strerror(errno));
    return CU_OK;
}

static enum cu_err bind_and_listen(int fd, const struct cu_url *url, struct cu_diag *diag)
{
    struct sockaddr_un address = address_of(url);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        return cu_fail(diag, errno == EADDRINUSE ? CU_E_CONFLICT : CU_E_IO, "%s: bind: %s",
                       cu_url_path(url), strerror(errno));
    /* Before listen(): until then nobody can connect under a wider mode. */
    if (chmod(cu_url_path(url), SOCKET_MODE) != 0 || listen(fd, BACKLOG) != 0) {
        enum cu_err err =
            cu_fail(diag, CU_E_IO, "%s: listen: %s", cu_url_path(url), strerror(errno));
        (void)unlink(cu_url_path(url));
        return err;
    }
    return CU_OK;
}

static enum cu_err listen_on(struct cu_loop *loop, const struct cu_url *url,
                             cu_on_accept *on_accept, void *arg, struct cu_listener **ret_listener,
                             struct cu_diag *diag)
{
    enum cu_err err = remove_stale(url, diag);
    if (err)
        return err;
    int fd = unix_socket();
    if (fd < 0)
        return cu_fail(diag, CU_E_IO, "%s: socket: %s", cu_url_path(url), strerror(errno));
    err = bind_and_listen(fd, url, diag);
    if (err) {
        (void)close(fd);
        return err;
    }
    struct cu_listener *l = cu_alloc(sizeof *l);
    *l = (struct cu_listener){
        .loop = loop, .url = *url, .on_accept = on_accept, .arg = arg, .fd = fd};
    cu_timer_init(&l->again, loop, accept_again, l);
    cu_fd_watch_init(&l->watch, loop, fd, accept_one, l);
    cu_fd_watch_set(&l->watch, CU_FD_READ);
    *ret_listener = l;
    return CU_OK;
}

static void unlisten(struct cu_listener *l)
{
    cu_fd_watch_close(&l->watch);
    cu_timer_close(&l->again);
    (void)unlink(cu_url_path(&l->url)); /* somebody may have removed it before */
    (void)close(l->fd);
    free(l);
}

/* ---- a dial ---- */

struct cu_dial {
    cu_on_dialled *on_dialled;
    void *arg;
    struct cu_timer told; /* connect() answers at once, the callback comes a turn later */
    struct cu_stream *stream;
    const char *why;
};

static void tell(void *arg)
{
    struct cu_dial dial = *(struct cu_dial *)arg;
    cu_timer_close(&((struct cu_dial *)arg)->told);
    free(arg);
    dial.on_dialled(dial.arg, dial.stream, dial.why);
}

static struct cu_dial *dial(struct cu_loop *loop, const struct cu_url *url, uint32_t timeout_ms,
                            cu_on_dialled *on_dialled, void *arg)
{
    (void)timeout_ms; /* on a local socket connect() never waits: a full backlog is EAGAIN */
    struct cu_dial *d = cu_alloc(sizeof *d);
    *d = (struct cu_dial){.on_dialled = on_dialled, .arg = arg};
    int fd = unix_socket();
    int error = fd < 0 ? errno : connect_to(url, fd);
    if (!error)
        d->stream = stream_of_fd(loop, fd);
    else if (fd >= 0)
        (void)close(fd);
    d->why = error ? strerror(error) : d->stream ? "" : "the peer is unknown";
    cu_timer_init(&d->told, loop, tell, d);
    cu_timer_set_ms(&d->told, 0);
    return d;
}

static void cancel(struct cu_dial *d)
{
    cu_timer_close(&d->told);
    if (d->stream)
        d->stream->ops->close(d->stream);
    free(d);
}

const struct cu_driver cu_driver_loop = {"loop", listen_on, unlisten, dial, cancel};
