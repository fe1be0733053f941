/* read.h - what every read of the state goes through: mode, "unchanged", evaluation, waiting for a
 * change (contracts 7; http-api 1.8, 3.2). */
#ifndef CATALOG_RPC_READ_H
#define CATALOG_RPC_READ_H

#include "proto/curia/v1/read.pb-c.h"
#include "services/catalogd/core/bookmark.h"
#include "services/catalogd/core/read.h"
#include "services/catalogd/core/topics.h"
#include "services/catalogd/io/shell.h"
#include "services/catalogd/rpc/waiter.h"

struct catalog_reading;

enum {
    CATALOG_READ_ARENA_BYTES = 64 * 1024 * 1024, /* of one evaluation on a worker */
    CATALOG_READ_AHEAD_MS = 1000,                /* http-api 3.2: an index above the newest */
};

/* One kind of read. */
struct catalog_query {
    const char *name;
    const ProtobufCMessageDescriptor *request, *reply;
    bool is_point; /* touches a row or two: evaluated on the loop */
    bool is_blocking;
    /* What it asks beside the right of its row; NULL: nothing. The sentence in diag. */
    enum cu_err (*permit)(struct catalog_shell *shell, struct cu_rq *rq, struct cu_diag *diag);
    const Curia__V1__ReadOptions *(*options)(const ProtobufCMessage *in);
    /* For the key of equal reads: the options taken out, and put back. */
    void (*set_options)(ProtobufCMessage *in, Curia__V1__ReadOptions *options);
    void (*set_meta)(ProtobufCMessage *reply, Curia__V1__ReadMeta *meta);
    /* Fills the reply (initialised, in the arena) but for its meta. */
    enum cu_err (*evaluate)(const struct catalog_view *view, const ProtobufCMessage *in,
                            struct cu_arena *arena, ProtobufCMessage *reply, uint64_t *ret_index);
    /* From the request alone; keys are put into the arena. None: never "unchanged". */
    size_t (*topics)(const ProtobufCMessage *in, struct cu_arena *arena,
                     struct catalog_topic topics[CATALOG_READ_TOPICS_MAX]);
};

struct catalog_reading *catalog_reading_new(struct catalog_shell *shell);
void catalog_reading_free(struct catalog_reading *reading);

/* Answers `rq` now or later. `query` is borrowed for ever. */
void catalog_read_serve(struct catalog_shell *shell, struct cu_rq *rq,
                        const struct catalog_query *query);

/* The state moved: wakes those who wait for what is in `wakes`. */
void catalog_reading_moved(struct catalog_shell *shell, const struct catalog_wakes *wakes);
/* The state was replaced: everybody looks again. */
void catalog_reading_replaced(struct catalog_shell *shell);

/* The sentence that goes with a read's or a write's error. */
const char *catalog_error_text(const struct catalog_shell *shell, enum cu_err err);

#endif
