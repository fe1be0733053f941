/* The driver over nng's byte streams, ipc:// and tcp://: the one file that knows nng.
 *
 * nng calls back on threads of its own. Each callback is one line, a post to the loop; everything
 * else runs there. An operation holds its stream ("letters") from its start until its letter was
 * read, so a stream outlives its close() until the last letter. */
#include "common/bus/stream.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nng/nng.h>
#include <nng/supplemental/util/platform.h>

#include "common/base/assert.h"

enum {
    READ_BYTES = 128 * 1024,
    SOCKET_MODE = 0660,
    ACCEPT_AGAIN_MS = 100, /* accept that fails at once would spin (libraries.md, nng 1) */
    KEEP_BUF_BYTES = 1024 * 1024,
};

static nng_aio *new_aio(void (*callback)(void *), void *arg)
{
    nng_aio *aio = NULL;
    int failed = nng_aio_alloc(&aio, callback, arg);
    CU_ASSERT(!failed);
    return aio;
}

static void set_iov(nng_aio *aio, void *data, size_t len)
{
    nng_iov iov = {data, len};
    int failed = nng_aio_set_iov(aio, 1, &iov);
    CU_ASSERT(!failed);
}

/* ---- a stream ---- */

struct nng_peer {
    struct cu_stream base; /* first */
    struct cu_loop *loop;
    nng_stream *stream;
    nng_aio *recv_aio, *send_aio;
    nng_aio *try_aio; /* without a callback: a send that ends at once wakes no thread */
    unsigned letters; /* operations whose end we have not read yet */
    bool sending, wants_writable, closed, is_lost;
    struct cu_buf out; /* what is being sent, from out_at */
    size_t out_at;
    uint8_t in[READ_BYTES];
};

static struct nng_peer *of(struct cu_stream *stream)
{
    return (struct nng_peer *)stream;
}

static void free_if_done(struct nng_peer *s)
{
    if (!s->closed || s->letters)
        return;
    nng_aio_free(s->recv_aio);
    nng_aio_free(s->send_aio);
    nng_aio_free(s->try_aio);
    nng_stream_free(s->stream);
    cu_buf_deinit(&s->out);
    free(s);
}

static void lost(struct nng_peer *s, int code)
{
    if (s->is_lost || s->closed)
        return;
    s->is_lost = true;
    s->base.events.lost(s->base.events.arg, code == NNG_ECLOSED || code == NNG_ECONNSHUT
                                                ? "closed by the peer"
                                                : nng_strerror(code));
}

static void arm_recv(struct nng_peer *s)
{
    s->letters++;
    set_iov(s->recv_aio, s->in, sizeof s->in);
    nng_stream_recv(s->stream, s->recv_aio);
}

static void read_recv_letter(void *arg)
{
    struct nng_peer *s = arg;
    int code = nng_aio_result(s->recv_aio);
    size_t got = nng_aio_count(s->recv_aio);
    if (!s->closed && !code)
        s->base.events.received(s->base.events.arg, (struct cu_bytes){s->in, got});
    else if (code)
        lost(s, code);
    s->letters--; /* only now: a close() within the event must not free us under it */
    if (!s->closed && !code)
        arm_recv(s);
    free_if_done(s);
}

static void recv_done(void *arg)
{
    cu_loop_post(((struct nng_peer *)arg)->loop, read_recv_letter, arg);
}

static void arm_send(struct nng_peer *s)
{
    s->letters++;
    set_iov(s->send_aio, s->out.data + s->out_at, s->out.len - s->out_at);
    nng_stream_send(s->stream, s->send_aio);
}

static void sent_all(struct nng_peer *s)
{
    s->sending = false;
    s->out_at = 0;
    if (s->out.cap > KEEP_BUF_BYTES)
        cu_buf_deinit(&s->out);
    else
        cu_buf_clear(&s->out);
    if (s->wants_writable) {
        s->wants_writable = false;
        s->base.events.writable(s->base.events.arg);
    }
}

static void read_send_letter(void *arg)
{
    struct nng_peer *s = arg;
    int code = nng_aio_result(s->send_aio);
    s->out_at += nng_aio_count(s->send_aio);
    if (code)
        lost(s, code);
    else if (!s->closed && s->out_at == s->out.len)
        sent_all(s);
    else if (!s->closed)
        arm_send(s);
    s->letters--;
    free_if_done(s);
}

static void send_done(void *arg)
{
    cu_loop_post(((struct nng_peer *)arg)->loop, read_send_letter, arg);
}

static void start(struct cu_stream *stream)
{
    arm_recv(of(stream));
}

/* What the socket takes at once; 0 also for an error, which the send with a callback then tells. */
static size_t try_send(struct nng_peer *s, uint8_t *data, size_t len)
{
    set_iov(s->try_aio, data, len);
    nng_stream_send(s->stream, s->try_aio);
    if (nng_aio_count(s->try_aio) == 0)
        nng_aio_cancel(s->try_aio); /* it would block: take it back, unless it ends just now */
    nng_aio_wait(s->try_aio);
    return nng_aio_count(s->try_aio);
}

/* Takes all of it: what the socket does not, waits in our buffer; the two change places, so nothing
 * is copied. */
static void send_out(struct cu_stream *stream, struct cu_out *out)
{
    struct nng_peer *s = of(stream);
    if (s->is_lost)
        return;
    if (s->sending) {
        s->wants_writable = true;
        return;
    }
    size_t len = cu_out_waiting(out);
    size_t taken = try_send(s, out->buf.data + out->at, len);
    out->handed += len;
    out->at += taken;
    if (taken == len)
        return;
    struct cu_buf empty = s->out;
    s->out = out->buf;
    s->out_at = out->at;
    out->buf = empty;
    out->at = 0;
    s->sending = true;
    arm_send(s);
}

static void close_stream(struct cu_stream *stream)
{
    struct nng_peer *s = of(stream);
    s->closed = true;
    nng_stream_close(s->stream);
    /* Blocks until the callbacks have run, microseconds: no thread of nng posts to us after this,
     * so the loop may be freed next. */
    nng_aio_stop(s->recv_aio);
    nng_aio_stop(s->send_aio);
    free_if_done(s);
}

static const struct cu_stream_ops ops = {start, send_out, close_stream};

static void format_address(const nng_sockaddr *address, char *ret_text, size_t size)
{
    char ip[INET6_ADDRSTRLEN] = "?";
    if (address->s_family == NNG_AF_INET) {
        (void)inet_ntop(AF_INET, &address->s_in.sa_addr, ip, sizeof ip);
        (void)snprintf(ret_text, size, "%s:%u", ip, ntohs(address->s_in.sa_port));
    } else if (address->s_family == NNG_AF_INET6) {
        (void)inet_ntop(AF_INET6, address->s_in6.sa_addr, ip, sizeof ip);
        (void)snprintf(ret_text, size, "[%s]:%u", ip, ntohs(address->s_in6.sa_port));
    }
}

static struct cu_stream *stream_of(struct cu_loop *loop, nng_stream *stream, bool is_ipc)
{
    uint64_t uid = 0;
    nng_sockaddr address;
    struct nng_peer *s = cu_alloc(sizeof *s);
    s->base = (struct cu_stream){.ops = &ops, .is_local = is_ipc};
    s->loop = loop;
    s->stream = stream;
    s->recv_aio = new_aio(recv_done, s);
    s->send_aio = new_aio(send_done, s);
    s->try_aio = new_aio(NULL, NULL);
    if (is_ipc && nng_stream_get_uint64(stream, NNG_OPT_IPC_PEER_UID, &uid) == 0)
        s->base.uid = (unsigned)uid;
    else if (is_ipc)
        s->base.uid = UINT32_MAX; /* nobody */
    else if (nng_stream_get_addr(stream, NNG_OPT_REMADDR, &address) == 0)
        format_address(&address, s->base.address, sizeof s->base.address);
    return &s->base;
}

/* ---- a listener ---- */

struct cu_listener {
    struct cu_loop *loop;
    bool is_ipc, closed, accepting;
    cu_on_accept *on_accept;
    void *arg;
    nng_stream_listener *listener;
    nng_aio *aio;
    struct cu_timer again;
};

static void free_listener(struct cu_listener *l)
{
    nng_aio_free(l->aio);
    nng_stream_listener_free(l->listener);
    free(l);
}

static void arm_accept(void *arg)
{
    struct cu_listener *l = arg;
    l->accepting = true;
    nng_stream_listener_accept(l->listener, l->aio);
}

static void read_accept_letter(void *arg)
{
    struct cu_listener *l = arg;
    int code = nng_aio_result(l->aio);
    nng_stream *stream = code ? NULL : nng_aio_get_output(l->aio, 0);
    l->accepting = false;
    if (l->closed) {
        if (stream)
            nng_stream_free(stream);
        free_listener(l);
        return;
    }
    if (stream)
        l->on_accept(l->arg, stream_of(l->loop, stream, l->is_ipc));
    if (!code)
        arm_accept(l);
    else /* also NNG_ECLOSED: it may be the peer that closed, not we (upstream issue 1518) */
        cu_timer_set_ms(&l->again, ACCEPT_AGAIN_MS);
}

static void accept_done(void *arg)
{
    cu_loop_post(((struct cu_listener *)arg)->loop, read_accept_letter, arg);
}

static enum cu_err nng_failed(const struct cu_url *url, const char *what, int code,
                              struct cu_diag *diag)
{
    if (code == NNG_EADDRINUSE)
        return cu_fail(diag, CU_E_CONFLICT,
                       "%s: address already in use: another process listens on it", url->text);
    return cu_fail(diag, CU_E_IO, "%s: %s: %s", url->text, what, nng_strerror(code));
}

static enum cu_err listen_on(struct cu_loop *loop, const struct cu_url *url,
                             cu_on_accept *on_accept, void *arg, struct cu_listener **ret_listener,
                             struct cu_diag *diag)
{
    nng_stream_listener *listener = NULL;
    int code = nng_stream_listener_alloc(&listener, url->text);
    if (!code && url->is_ipc)
        code = nng_stream_listener_set_int(listener, NNG_OPT_IPC_PERMISSIONS, SOCKET_MODE);
    if (!code)
        code = nng_stream_listener_listen(listener);
    if (code) {
        if (listener)
            nng_stream_listener_free(listener);
        return nng_failed(url, "listen", code, diag);
    }
    struct cu_listener *l = cu_alloc(sizeof *l);
    *l = (struct cu_listener){.loop = loop,
                              .is_ipc = url->is_ipc,
                              .on_accept = on_accept,
                              .arg = arg,
                              .listener = listener};
    l->aio = new_aio(accept_done, l);
    cu_timer_init(&l->again, loop, arm_accept, l);
    arm_accept(l);
    *ret_listener = l;
    return CU_OK;
}

static void unlisten(struct cu_listener *l)
{
    l->closed = true;
    cu_timer_close(&l->again);
    nng_stream_listener_close(l->listener);
    nng_aio_stop(l->aio);
    if (!l->accepting)
        free_listener(l);
}

/* ---- a dial ---- */

struct cu_dial {
    struct cu_loop *loop;
    bool is_ipc, cancelled;
    cu_on_dialled *on_dialled;
    void *arg;
    nng_stream_dialer *dialer;
    nng_aio *aio;
};

static void free_dial(struct cu_dial *d)
{
    nng_aio_free(d->aio);
    nng_stream_dialer_free(d->dialer);
    free(d);
}

static void read_dial_letter(void *arg)
{
    struct cu_dial *d = arg;
    int code = nng_aio_result(d->aio);
    nng_stream *stream = code ? NULL : nng_aio_get_output(d->aio, 0);
    if (d->cancelled) {
        if (stream)
            nng_stream_free(stream);
        free_dial(d);
        return;
    }
    struct cu_stream *ours = stream ? stream_of(d->loop, stream, d->is_ipc) : NULL;
    cu_on_dialled *on_dialled = d->on_dialled;
    void *on_arg = d->arg;
    free_dial(d);
    on_dialled(on_arg, ours, code ? nng_strerror(code) : "");
}

static void dial_done(void *arg)
{
    cu_loop_post(((struct cu_dial *)arg)->loop, read_dial_letter, arg);
}

/* An address that is not ours is found out by the dial itself. */
static void set_source(nng_stream_dialer *dialer, const char *ip)
{
    nng_sockaddr address = {0};
    if (inet_pton(AF_INET, ip, &address.s_in.sa_addr) == 1)
        address.s_in.sa_family = NNG_AF_INET;
    else if (inet_pton(AF_INET6, ip, address.s_in6.sa_addr) == 1)
        address.s_in6.sa_family = NNG_AF_INET6;
    else
        return;
    (void)nng_stream_dialer_set_addr(dialer, NNG_OPT_LOCADDR, &address); /* the dial will tell */
}

static struct cu_dial *dial(struct cu_loop *loop, const struct cu_url *url, uint32_t timeout_ms,
                            cu_on_dialled *on_dialled, void *arg)
{
    struct cu_dial *d = cu_alloc(sizeof *d);
    *d =
        (struct cu_dial){.loop = loop, .is_ipc = url->is_ipc, .on_dialled = on_dialled, .arg = arg};
    int code = nng_stream_dialer_alloc(&d->dialer, url->text);
    CU_ASSERT(!code); /* the URL was checked; what else fails is memory */
    set_source(d->dialer, url->source);
    d->aio = new_aio(dial_done, d);
    nng_aio_set_timeout(d->aio, (nng_duration)timeout_ms);
    nng_stream_dialer_dial(d->dialer, d->aio);
    return d;
}

static void cancel(struct cu_dial *d)
{
    d->cancelled = true;
    nng_stream_dialer_close(d->dialer);
    nng_aio_stop(d->aio); /* its letter is in the mailbox now: that frees us */
}

const struct cu_driver cu_driver_nng = {"nng", listen_on, unlisten, dial, cancel};
