/* view.h - the edge's one look at the catalog: reads that join, wait and repeat, and calls that
 * find a catalogd (contracts 7). */
#ifndef CU_VIEW_VIEW_H
#define CU_VIEW_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/loop/loop.h"
#include "common/rpc/client.h"

struct cu_view;
struct view_op;

enum {
    CU_VIEW_FORMATS = 8,           /* renderings of one answer */
    CU_VIEW_WAIT_MS = 600 * 1000,  /* an upstream wait; renewed while somebody hangs on it */
    CU_VIEW_AHEAD_MS = 1000,       /* http-api.md 3.2 */
    CU_VIEW_KEEP_MIN_BYTES = 1024, /* a smaller answer costs less to send than to keep */
    CU_VIEW_HELD_MAX = 65536,      /* reads and calls that wait for a catalogd */
};

struct cu_view_options {
    struct cu_rpc *rpc;
    struct cu_loop *loop;
    struct cu_log *log;          /* may be NULL */
    struct cu_metrics *metrics;  /* may be NULL */
    const char *const *catalogs; /* URLs: the home, which is used whenever it answers, then others;
                                  * copied */
    size_t catalog_count;
    uint64_t rebalance_ms;   /* away from home: how long one is used at least; 0: two minutes */
    uint64_t hold_ms;        /* how long a request waits for a catalogd to come up */
    size_t kept_limit_bytes; /* of the answers that are kept for conditional reads */
};

struct cu_view *cu_view_new(const struct cu_view_options *options);
/* Whatever is still asked is forgotten, without an answer. Takes NULL. */
void cu_view_free(struct cu_view *view);

/* Who knows of catalogds (contracts 7.1). */
enum cu_view_source {
    CU_VIEW_SET,     /* the daemon's own setting, the local socket: options.catalogs */
    CU_VIEW_MEMBERS, /* gossipd's members: see servers.h */
    CU_VIEW_SAVED,   /* the service `consul` in a mirror: when nobody else knows */
    CU_VIEW_SOURCE_COUNT
};

/* Replaces what the source knew; URLs are copied. Nobody in use is left for it. */
void cu_view_offer(struct cu_view *view, enum cu_view_source source, const char *const *urls,
                   size_t count);
/* Nodes of the cluster: the more there are, the more a move that can wait is put off. */
void cu_view_set_cluster_size(struct cu_view *view, size_t nodes);

/* The catalogd in use is connected. */
bool cu_view_is_up(const struct cu_view *view);
/* Its URL; NULL: none is. */
const char *cu_view_url(const struct cu_view *view);

/* Upstream waits, and readers that hang on them. */
size_t cu_view_wait_count(const struct cu_view *view);
size_t cu_view_waiter_count(const struct cu_view *view);

/* ---- reads ---- */

enum cu_view_mode { CU_VIEW_DEFAULT, CU_VIEW_CONSISTENT, CU_VIEW_STALE };

/* A method whose request has `ReadOptions read = 1` and whose reply has `ReadMeta meta = 1`. */
struct cu_view_method {
    const ProtobufCServiceDescriptor *service;
    const char *name;
    /* Appends the rendering of `reply` to `out` and returns a number that travels with it (an HTTP
     * status). Must depend on nothing but its arguments. */
    unsigned (*encode)(const ProtobufCMessage *reply, unsigned format, struct cu_buf *out);
};

/* An encoded answer, shared. */
struct cu_view_body {
    unsigned refs, number;
    size_t len;
    uint8_t bytes[];
};
struct cu_view_body *cu_view_body_ref(struct cu_view_body *body);
void cu_view_body_unref(struct cu_view_body *body); /* takes NULL */

struct cu_view_answer {
    enum cu_err err;
    const char *text;          /* with an error */
    struct cu_view_body *body; /* borrowed: take a reference to keep it */
    bool is_shared;            /* others get the same body, or have got it */
    uint64_t index, last_contact_ms;
    bool known_leader;
};

typedef void cu_view_done(void *arg, const struct cu_view_answer *answer);

/* One read. Lives in its owner until `done` or cu_view_cancel(); zero-initialise, fill the first
 * part. */
struct cu_view_read {
    const struct cu_view_method *method;
    const ProtobufCMessage *request; /* without `read`; only needed by cu_view_read() itself */
    enum cu_view_mode mode;
    uint64_t index,
        wait_ms;       /* index > 0: answered when the result's is above it, or after wait_ms */
    unsigned format;   /* below CU_VIEW_FORMATS */
    const char *token; /* NULL: none */
    uint64_t rights;   /* of the token, where they are known: for the cache alone */
    cu_view_done *done;
    void *arg;

    struct view_op *op; /* all of this is the view's */
    struct cu_view_read *next, **at;
    struct cu_timer deadline;
    struct cu_mono until; /* its wait is over */
    bool is_late;  /* joined a wait that had been sent: its answer may be older than this read */
    bool is_last;  /* the next answer is its, changed or not */
    bool is_ahead; /* its index was above the newest of the catalogd's (http-api.md 3.2) */
};

/* `done` is called once, never from inside this function. Equal reads of one turn share an upstream
 * read that has not been sent yet. All waits that differ in nothing but their index share one
 * upstream wait: who knows as much as it asks about joins it; who knows less or more is answered
 * from one plain read, or hangs on it from then on. Who came after the wait was sent gets what one
 * more plain read says when it ends. An index that the catalogd's state has not reached within
 * CU_VIEW_AHEAD_MS is answered with the true, lower one (contracts 7.5). */
void cu_view_read(struct cu_view *view, struct cu_view_read *read);
/* Forgets a read; does nothing when it is not under way. */
void cu_view_cancel(struct cu_view_read *read);

/* ---- other calls ---- */

struct view_task {
    struct view_task *next, **at;
    void (*go)(struct cu_view *view, struct view_task *task);   /* there may be a catalogd now */
    void (*fail)(struct cu_view *view, struct view_task *task); /* held for too long */
    struct cu_mono hold_until;
};

/* One call. Lives in its owner until `done` or cu_view_call_cancel(); zero-initialise, fill the
 * first part, which stays borrowed. */
struct cu_view_call {
    const ProtobufCServiceDescriptor *service;
    const char *method;
    const ProtobufCMessage *request;
    uint32_t timeout_ms;
    bool repeatable; /* a read: sent again when the connection is lost; a write never is */
    const char *token;
    struct cu_origin origin;
    cu_on_answer *done;
    void *arg;

    struct view_task task; /* of the view */
    struct cu_view *view;
    struct cu_call *call;
    const struct cu_client *asked; /* only compared */
};

/* Waits for a catalogd if there is none. What is lost after it was sent answers Unknown unless
 * repeatable. */
void cu_view_call(struct cu_view *view, struct cu_view_call *call);
void cu_view_call_cancel(struct cu_view_call *call);

#endif
