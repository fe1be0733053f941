/* conn.h - one TCP connection of the pool: one stream each way, then closed (gossip.md 4).
 *
 * An accepted one reads the request, hands it out, waits for the answer, writes it. A dialled one
 * writes the request, reads the answer, hands it out. The time for all of it is bounded. */
#ifndef GOSSIP_IO_CONN_H
#define GOSSIP_IO_CONN_H

#include "common/base/err.h"
#include "common/loop/loop.h"
#include "services/gossipd/core/message.h"

struct gossip_conn;

/* What all connections of a pool share. */
struct gossip_conn_pool {
    struct cu_loop *loop;
    size_t held_bytes, limit_bytes; /* what all of them have read and not let go of */
    void *context;
    /* The message of the peer, borrowed. An accepted connection waits for gossip_conn_answer(), now
     * or later; a dialled one has ended. */
    void (*received)(void *context, struct gossip_conn *conn, const struct gossip_message *message);
    /* It has come to nothing: `why` for a log line. Then `ended` is told. */
    void (*failed)(void *context, struct gossip_conn *conn, const char *why);
    /* It has ended, whichever way: the last word; free what `owner` stands for. */
    void (*ended)(void *context, struct gossip_conn *conn);
};

/* `fd` is connected and non-blocking; it is closed at the end. */
struct gossip_conn *gossip_conn_accept(struct gossip_conn_pool *pool, int fd,
                                       struct gossip_addr peer, uint32_t timeout_ms);

/* Connects from `source` (no ip: any) to `peer`, then writes `bytes` (the stream as it goes over
 * the wire; taken, also on failure). NULL: no socket, `why` says. */
struct gossip_conn *gossip_conn_dial(struct gossip_conn_pool *pool, struct gossip_addr source,
                                     struct gossip_addr peer, uint32_t timeout_ms,
                                     struct cu_buf *bytes, const char **ret_why);

/* Writes the stream (taken; empty: closes without an answer) and ends. */
void gossip_conn_answer(struct gossip_conn *conn, struct cu_buf *bytes, uint32_t timeout_ms);
void gossip_conn_close(struct gossip_conn *conn); /* tells nobody; not from its own callbacks */

void gossip_conn_set_owner(struct gossip_conn *conn, void *owner);
void *gossip_conn_owner(const struct gossip_conn *conn);
struct gossip_addr gossip_conn_peer(const struct gossip_conn *conn);

#endif
