/* streams.h - the pool's TCP side: the listener, what others ask over it, what we ask of others.
 *
 * Bounded: GOSSIP_STREAMS_MAX_SERVED accepted connections (the next is closed at once), as many
 * dialled ones, and STREAMS_HELD_BYTES of all that has come in and is not whole yet. */
#ifndef GOSSIP_IO_STREAMS_H
#define GOSSIP_IO_STREAMS_H

#include "common/base/err.h"
#include "common/log/log.h"
#include "common/loop/loop.h"
#include "common/metric/metric.h"
#include "services/gossipd/core/message.h"

enum { STREAMS_HELD_BYTES = 24 * 1024 * 1024 }; /* one of the largest, and many small ones */

struct gossip_streams;

struct gossip_streams_options {
    struct cu_loop *loop;
    struct cu_log *log;
    struct cu_metrics *metrics;
    struct gossip_addr bind;
    bool compress;       /* what we send */
    uint32_t timeout_ms; /* for the whole of an accepted connection, and again for its answer */
    void *context;
    /* Somebody's request, borrowed; to be answered under `call`. */
    void (*asked)(void *context, uint64_t call, struct gossip_addr from,
                  const struct gossip_message *message);
    /* The fate of a dial: its reply (borrowed), or why there is none. Exactly one of them, never
     * from within gossip_streams_dial(). */
    void (*replied)(void *context, uint64_t exchange, const struct gossip_message *message);
    void (*failed)(void *context, uint64_t exchange, const char *why);
};

/* Errors: CU_E_CONFLICT (the port is taken), CU_E_IO. */
CU_MUST_USE enum cu_err gossip_streams_open(const struct gossip_streams_options *options,
                                            struct gossip_streams **ret_streams,
                                            struct cu_diag *diag);
void gossip_streams_close(struct gossip_streams *streams); /* tells nobody; takes NULL */

/* `plain`: the stream from its type byte on, borrowed. */
void gossip_streams_dial(struct gossip_streams *streams, uint64_t exchange, struct gossip_addr to,
                         uint32_t timeout_ms, struct cu_bytes plain);
/* The same; empty: closes without an answer. A call that has ended since is no longer known:
 * nothing happens. */
void gossip_streams_answer(struct gossip_streams *streams, uint64_t call, struct cu_bytes plain);

#endif
