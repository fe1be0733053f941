/* stream.h - bytes to and from one peer, and the two drivers that move them.
 *
 * `loop` reads and writes AF_UNIX sockets from the event loop itself; `nng` uses nng's byte streams
 * for ipc:// and tcp://. The bytes are the same, so either end may use either (contracts 1). A
 * stream that encrypts is a third driver, or wraps one of these. Everything here is for the loop's
 * thread. */
#ifndef CU_BUS_STREAM_H
#define CU_BUS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/loop/loop.h"

/* Bytes on their way out: written at the end of `buf`, handed over from `at`. */
struct cu_out {
    struct cu_buf buf;
    size_t at;
    uint64_t handed; /* bytes that the transport has taken, ever */
};

static inline size_t cu_out_waiting(const struct cu_out *out)
{
    return out->buf.len - out->at;
}

struct cu_stream;

struct cu_stream_events {
    void *arg;
    void (*received)(void *arg, struct cu_bytes bytes); /* borrowed until it returns */
    void (*writable)(void *arg);              /* after a send() that left bytes: send again */
    void (*lost)(void *arg, const char *why); /* the last event; then close the stream */
};

struct cu_stream_ops {
    void (*start)(struct cu_stream *stream);                    /* from here on events come */
    void (*send)(struct cu_stream *stream, struct cu_out *out); /* takes what goes at once */
    void (*close)(struct cu_stream *stream); /* frees; no event after it; fine within one */
};

struct cu_stream {
    const struct cu_stream_ops *ops;
    struct cu_stream_events events; /* set before start() */
    bool is_local;                  /* ipc:// */
    unsigned uid;                   /* of a local peer, from the kernel */
    char address[64];               /* of a remote one, "127.0.0.1:41234"; else "" */
};

enum { CU_IPC_PATH_MAX_BYTES = 107, CU_URL_MAX_BYTES = 128 };

/* "ipc:///path", "tcp://ip:port" or "tcp://name:port", taken apart. A name is only dialled, and
 * looked up anew by nng for each dial: one of the addresses that it has then is tried. */
struct cu_url {
    char text[CU_URL_MAX_BYTES];
    char source[64]; /* ip that a tcp:// dial leaves from; "": the system's choice */
    bool is_ipc, is_named;
};

/* The path of an ipc:// URL, borrowed from it. */
static inline const char *cu_url_path(const struct cu_url *url)
{
    return url->text + sizeof "ipc://" - 1;
}

/* CU_E_INVALID: none of these, or a path over 107 bytes. */
CU_MUST_USE enum cu_err cu_url_parse(const char *text, struct cu_url *ret_url,
                                     struct cu_diag *diag);

struct cu_listener;
struct cu_dial;

/* `stream` is yours and not started. */
typedef void cu_on_accept(void *arg, struct cu_stream *stream);
/* `stream` as above, or NULL and why not. */
typedef void cu_on_dialled(void *arg, struct cu_stream *stream, const char *why);

struct cu_driver {
    const char *name;
    /* CU_E_CONFLICT somebody listens there, CU_E_IO. A stale socket file is replaced. */
    enum cu_err (*listen)(struct cu_loop *loop, const struct cu_url *url, cu_on_accept *on_accept,
                          void *arg, struct cu_listener **ret_listener, struct cu_diag *diag);
    void (*unlisten)(struct cu_listener *listener);
    /* One attempt, of at most `timeout_ms`. on_dialled is called once, never from within, unless
     * cancelled. After it the dial is gone. */
    struct cu_dial *(*dial)(struct cu_loop *loop, const struct cu_url *url, uint32_t timeout_ms,
                            cu_on_dialled *on_dialled, void *arg);
    void (*cancel)(struct cu_dial *dial);
};

extern const struct cu_driver cu_driver_loop; /* ipc:// only */
extern const struct cu_driver cu_driver_nng;

#endif
