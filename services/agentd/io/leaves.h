/* leaves.h - leaves for services of this node (mesh.md 1.11): the key is made here and is kept
 * nowhere but in memory, the certificate is signed through ConnectCa.Sign, and renewed before it
 * ends or when there is a new root. */
#ifndef AGENT_LEAVES_H
#define AGENT_LEAVES_H

#include "common/log/log.h"
#include "common/metric/metric.h"
#include "common/view/view.h"
#include "curia/v1/agent.pb-c.h"

struct agent_leaves;
struct leaf;

enum {
    AGENT_LEAVES_MAX = 1024,
    AGENT_LEAF_UNUSED_MS = 3 * 24 * 60 * 60 * 1000, /* one that nobody asks for is not renewed */
    AGENT_LEAF_SIGN_MS = 10 * 1000,
};

struct agent_leaves_options {
    struct cu_view *view;
    struct cu_loop *loop;
    struct cu_log *log;
    struct cu_metrics *metrics;
    const char *datacenter, *node_name;
    size_t limit; /* of leaves; the least recently asked for goes first */
};

struct agent_leaves *agent_leaves_new(const struct agent_leaves_options *options);
void agent_leaves_free(struct agent_leaves *leaves); /* before its view; takes NULL */

struct agent_leaf_answer {
    enum cu_err err;
    const char *text;                  /* with an error */
    const Curia__V1__IssuedCert *cert; /* borrowed until the loop goes on */
    bool is_hit;                       /* it was there */
    uint64_t age_ms;
};
typedef void agent_leaf_done(void *arg, const struct agent_leaf_answer *answer);

/* One reader. Lives in its owner until `done` or agent_leaf_cancel(); zero-initialise, fill the
 * first part. */
struct agent_leaf_read {
    const char *service, *token; /* only needed by agent_leaf_read() itself; token NULL: none */
    uint64_t index, wait_ms; /* index > 0: one with another index is waited for, up to wait_ms */
    agent_leaf_done *done;
    void *arg;

    struct leaf *leaf; /* all of this is the module's */
    struct agent_leaf_read *next, **at;
    struct cu_timer deadline;
};

/* `done` is called once, also from inside this function; it reads no other leaf. */
void agent_leaf_read(struct agent_leaves *leaves, struct agent_leaf_read *read);
void agent_leaf_cancel(struct agent_leaf_read *read); /* does nothing when it is not under way */

size_t agent_leaves_count(const struct agent_leaves *leaves);

#endif
