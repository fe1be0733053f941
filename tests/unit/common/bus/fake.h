/* fake.h - a connection whose stream is the test: what comes in is fed, what goes out is kept. */
#ifndef TESTS_BUS_FAKE_H
#define TESTS_BUS_FAKE_H

#include "common/bus/conn.h"
#include "common/bus/frame.h"

enum { LIMIT = 1408 * 1024 }; /* of a request's body */

struct fake {
    struct cu_stream stream; /* first */
    struct cu_loop *loop;
    struct cu_conn *conn;
    struct cu_buf sent;
    size_t room; /* bytes that the transport still takes */
    unsigned sends, ups, calls, cancels, replies, downs;
    enum cu_err down_err;
    char down_why[600];
    uint64_t last_id;
    size_t last_body_len;
    bool refuse, unexpected, gone_stream;
};

struct seed {
    bool dialled, strict, remote;
    struct cu_hello ours;
    uint32_t hello_ms, ping_ms, silence_ms;
};

/* A good one of that daemon. */
struct cu_hello fake_hello(const char *daemon);
struct fake *fake_new(const struct seed *seed);
void fake_turn(struct fake *f);
void fake_feed(struct fake *f, const struct cu_buf *bytes);
void fake_feed_frame(struct fake *f, const struct cu_frame *frame);
void fake_feed_hello(struct fake *f, const struct cu_hello *theirs);
/* Connected: the peer has said HELLO, what we sent until now is forgotten. */
struct fake *fake_up(const struct seed *seed);
void fake_free(struct fake *f);
/* Frame `n` of what was sent. */
struct cu_frame fake_sent(const struct fake *f, size_t n);
size_t fake_sent_count(const struct fake *f);
/* A GOAWAY has been sent whose text contains `what`; after it the connection goes down. */
void fake_assert_goaway(struct fake *f, const char *what);
/* One CALL of a body of zeros, in as many parts as it takes; in `out`. */
void fake_append_call(struct cu_buf *out, uint64_t id, const char *method, size_t body_len);
void fake_feed_call(struct fake *f, uint64_t id, const char *method, size_t body_len);
/* Sends one of a body of zeros. */
void fake_call(struct fake *f, uint64_t id, const char *method, size_t body_len, uint64_t *mark);

#endif
