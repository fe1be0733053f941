/* Feed: the change log from a position on, never with a gap (contracts 6.3). */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "proto/curia/v1/feed.pb-c.h"
#include "services/catalogd/core/bookmark.h"
#include "services/catalogd/core/list.h"
#include "services/catalogd/io/acl.h"
#include "services/catalogd/io/header.h"
#include "services/catalogd/rpc/rows.h"
#include "services/catalogd/rpc/table.h"
#include "services/catalogd/rpc/waiter.h"

enum {
    FEED_ROWS = 1000, /* where the request names no number */
    FEED_ROWS_MAX = 10000,
    FEED_ARENA_BYTES = 32 * 1024 * 1024,
    FEED_BYTES_MAX = 8 * 1024 * 1024, /* of an answer, cut at a whole index */
    FEED_WAIT_MS_MAX = 600 * 1000,
    SIGHT_ARENA_BYTES = 8 * 1024 * 1024, /* of a change's rows, unpacked */
};

/* One poll being answered. */
struct feed {
    struct catalog_waiter waiter; /* first */
    struct catalog_shell *shell;
    struct cu_rq *rq; /* NULL: gone while a worker had it */
    struct feed *prev, *next;
    bool tables[CATALOG_TABLE_COUNT];
    struct cu_authorizer *who;
    uint64_t rights;           /* that it was opened with */
    struct catalog_id cluster; /* `after` */
    uint64_t epoch, after;
    uint32_t rows_max;
    bool with_rows, is_brief;
    struct cu_timer timer;
    bool is_last, is_looking;
    struct catalog_read_job job;

    /* the worker's */
    struct cu_arena *arena, *scratch; /* scratch: of one change's sight */
    struct catalog_bookmark bookmark;
    const struct catalog_backend *backend;
    struct catalog_list changes;
    size_t whole; /* up to the last complete index */
    uint64_t last_index, whole_index;
    bool is_cut;
    enum cu_err err;
};

static void answer(struct feed *feed);

/* ---- on a worker ---- */

static char *text(struct feed *feed, const char *from)
{
    char *copy = cu_arena_strdup(feed->arena, from ? from : "");
    return copy ? copy : "";
}

/* What of a change may be seen: the row as it is, the row as it was. */
struct sight {
    bool now, before;
};

/* The row in the scratch arena; empty: it is not there. */
static struct cu_bytes value_now(struct feed *feed, const struct catalog_change *from)
{
    struct catalog_row row;
    enum cu_err err =
        feed->backend->get(feed->backend->context, from->table, from->key, feed->scratch, &row);
    return err ? (struct cu_bytes){NULL, 0} : row.value;
}

static struct cu_bytes value_before(struct feed *feed, const struct catalog_change *from)
{
    struct cu_bytes before = from->before;
    if (from->before_by_hash &&
        feed->backend->value_get(feed->backend->context, from->before_hash, feed->scratch, &before))
        before.len = 0; /* dropped: what the key says counts */
    return before;
}

static struct sight sight_of(struct feed *feed, const struct catalog_change *from)
{
    struct catalog_may_row now = {.table = from->table, .key = from->key};
    struct catalog_may_row before = now;
    if (cu_authorizer_rights(feed->who) == CU_RIGHTS_ALL)
        return (struct sight){true, true};
    cu_arena_reset(feed->scratch);
    now.value = value_now(feed, from);
    before.value = value_before(feed, from);
    return (struct sight){
        now.value.len > 0 && catalog_feed_may_see(feed->backend, feed->who, &now, feed->scratch),
        from->operation != CATALOG_CREATE &&
            catalog_feed_may_see(feed->backend, feed->who, &before, feed->scratch)};
}

static void fill_before(struct feed *feed, const struct catalog_change *from, Curia__V1__Change *to)
{
    struct cu_bytes before = from->before;
    if (from->before_by_hash &&
        feed->backend->value_get(feed->backend->context, from->before_hash, feed->arena, &before))
        to->before_dropped = true;
    else if (before.len > 0)
        to->before = (ProtobufCBinaryData){before.len,
                                           cu_arena_memdup(feed->arena, before.data, before.len)};
    if (to->before.len > 0 && !to->before.data)
        to->before.len = 0;
}

/* The row as this snapshot has it. Returns whether there was room for it. */
static bool fill_row(struct feed *feed, enum catalog_table table, Curia__V1__Change *to)
{
    struct cu_bytes key = {to->key.data, to->key.len};
    struct catalog_row row;
    enum cu_err err = feed->backend->get(feed->backend->context, table, key, feed->arena, &row);
    if (err == CU_E_NOT_FOUND)
        return true;
    if (err && err != CU_E_TOO_LARGE)
        feed->err = err;
    to->row = err ? NULL : catalog_feed_row(feed->arena, table, &row);
    return to->row != NULL;
}

/* Who did it. */
static void fill_story(struct feed *feed, const struct catalog_change *from, Curia__V1__Change *to)
{
    to->actor = text(feed, from->actor);
    to->node = text(feed, from->node);
    to->daemon = text(feed, from->daemon);
    to->address = text(feed, from->address);
    to->cause = text(feed, from->cause);
    to->reason = text(feed, from->reason);
    to->wall_ms = from->wall_ms;
}

static Curia__V1__Change *change_of(struct feed *feed, const struct catalog_change *from,
                                    struct sight sight)
{
    Curia__V1__Change *to = cu_arena_alloc(feed->arena, sizeof(*to));
    uint8_t *key = cu_arena_memdup(feed->arena, from->key.data, from->key.len);
    if (!to || !key)
        return NULL;
    curia__v1__change__init(to);
    to->index = from->index;
    to->number = from->number;
    to->topic = (char *)(uintptr_t)catalog_table_name(from->table);
    to->key = (ProtobufCBinaryData){from->key.len, key};
    to->operation = (char *)(uintptr_t)catalog_operation_name(from->operation);
    if (!feed->is_brief)
        fill_story(feed, from, to);
    if (!feed->is_brief && sight.before)
        fill_before(feed, from, to);
    return feed->with_rows && sight.now && !fill_row(feed, from->table, to) ? NULL : to;
}

static bool is_full(const struct feed *feed)
{
    return feed->changes.count >= feed->rows_max || cu_arena_used(feed->arena) >= FEED_BYTES_MAX;
}

/* An answer ends with a whole index, so that the next one begins behind it. */
static bool visit(void *arg, const struct catalog_change *from)
{
    struct feed *feed = arg;
    if (from->index != feed->last_index) {
        feed->whole = feed->changes.count;
        feed->whole_index = feed->last_index;
        if (is_full(feed)) {
            feed->is_cut = true;
            return false;
        }
        feed->last_index = from->index;
    }
    if (!feed->tables[from->table])
        return true;
    struct sight sight = sight_of(feed, from);
    if (!sight.now && !sight.before)
        return true;
    Curia__V1__Change *change = change_of(feed, from, sight);
    if (!change || feed->changes.count >= FEED_ROWS_MAX ||
        !catalog_list_add(&feed->changes, feed->arena, change)) {
        feed->is_cut = true;
        if (!feed->err && feed->whole == 0)
            feed->err = CU_E_TOO_LARGE;
        return false;
    }
    return true;
}

static void look(struct feed *feed, const struct catalog_backend *backend)
{
    feed->err = catalog_bookmark_read(backend, feed->arena, &feed->bookmark);
    if (feed->err || feed->after < feed->bookmark.trimmed_index)
        return;
    feed->backend = backend;
    feed->last_index = feed->whole_index = feed->after;
    enum cu_err err = backend->changes(backend->context, feed->after, UINT32_MAX, visit, feed);
    if (err)
        feed->err = err;
    if (!feed->is_cut) {
        uint64_t shown = catalog_bookmark_shown_index(&feed->bookmark);
        feed->whole = feed->changes.count;
        feed->whole_index = shown > feed->after ? shown : feed->after; /* we may be behind */
    }
}

static void run(void *arg, const struct catalog_backend *backend, const struct cu_diag *diag)
{
    struct feed *feed = arg;
    feed->changes = (struct catalog_list){0};
    feed->whole = 0;
    feed->is_cut = false;
    cu_arena_reset(feed->arena);
    if (backend)
        look(feed, backend);
    else
        feed->err = CU_E_IO;
}

/* ---- on the loop ---- */

static void release(struct feed *feed)
{
    catalog_waiter_disarm(feed->shell, &feed->waiter);
    cu_timer_close(&feed->timer);
    cu_arena_free(feed->arena);
    cu_arena_free(feed->scratch);
    cu_authorizer_unref(feed->who);
    if (feed->prev)
        feed->prev->next = feed->next;
    else
        feed->shell->feeds = feed->next;
    if (feed->next)
        feed->next->prev = feed->prev;
    free(feed);
}

static void gone(void *arg)
{
    struct feed *feed = arg;
    feed->rq = NULL;
    if (!feed->is_looking)
        release(feed);
}

static void reply(struct feed *feed, unsigned outcome, uint64_t upto)
{
    const struct catalog_facts *facts = catalog_shell_facts(feed->shell);
    Curia__V1__FeedPosition position = CURIA__V1__FEED_POSITION__INIT;
    position.cluster_id = (ProtobufCBinaryData){
        CATALOG_ID_BYTES, (uint8_t *)(uintptr_t)facts->position.cluster.bytes};
    position.epoch = facts->epoch;
    position.index = upto;
    position.rights = feed->rights;
    Curia__V1__FeedFollowReply wire = CURIA__V1__FEED_FOLLOW_REPLY__INIT;
    wire.outcome = outcome;
    wire.upto = &position;
    wire.floor = feed->bookmark.trimmed_index;
    wire.rows_at = catalog_bookmark_shown_index(&feed->bookmark);
    if (wire.rows_at < upto)
        wire.rows_at = upto;
    if (outcome == CURIA__V1__FEED_OUTCOME__FEED_CHANGES) {
        wire.changes = (Curia__V1__Change **)feed->changes.items;
        wire.n_changes = feed->whole;
        cu_count(feed->shell->count.feed, feed->whole);
    }
    cu_rq_reply(feed->rq, &wire.base, upto);
    release(feed);
}

/* A feed is bound to the rights it was opened with (contracts 6.3). False: it was answered. */
static bool is_bound(struct feed *feed)
{
    struct catalog_caller caller;
    struct cu_diag diag = {0};
    enum cu_err err = catalog_acl_caller(feed->shell, feed->rq->token, &caller, &diag);
    if (err) {
        cu_rq_fail(feed->rq, err, "%s", diag.text);
        release(feed);
    } else if (cu_authorizer_rights(caller.authorizer) != feed->rights) {
        reply(feed, CURIA__V1__FEED_OUTCOME__FEED_COMPACTED,
              catalog_shell_facts(feed->shell)->shown_index);
    } else {
        return true;
    }
    return false;
}

static void start_look(struct feed *feed)
{
    if (!is_bound(feed))
        return;
    feed->is_looking = true;
    catalog_readers_submit(feed->shell->readers, &feed->job);
}

static void moved(struct catalog_waiter *waiter)
{
    start_look((struct feed *)waiter);
}

static void park(struct feed *feed)
{
    struct catalog_topic topics[CATALOG_TABLE_COUNT];
    size_t count = 0;
    for (int table = 0; table < CATALOG_TABLE_COUNT; table++)
        if (feed->tables[table])
            topics[count++] = (struct catalog_topic){(enum catalog_table)table, true, {0}};
    uint64_t read_at = catalog_bookmark_shown_index(&feed->bookmark);
    feed->after = feed->whole_index;
    switch (catalog_waiter_arm(feed->shell, &feed->waiter, topics, count, read_at)) {
    case CATALOG_ARMED:
        break;
    case CATALOG_MOVED:
        start_look(feed);
        break;
    case CATALOG_TOO_MANY:
        cu_rq_fail(feed->rq, CU_E_OVERLOADED, "too many different things are being watched");
        release(feed);
        break;
    }
}

static void answer(struct feed *feed)
{
    if (feed->err) {
        cu_rq_fail(feed->rq, feed->err, "the change log cannot be read");
        release(feed);
    } else if (feed->after < feed->bookmark.trimmed_index) {
        reply(feed, CURIA__V1__FEED_OUTCOME__FEED_COMPACTED, feed->bookmark.trimmed_index);
    } else if (feed->whole > 0) {
        reply(feed, CURIA__V1__FEED_OUTCOME__FEED_CHANGES, feed->whole_index);
    } else if (feed->is_last) {
        reply(feed, CURIA__V1__FEED_OUTCOME__FEED_NOTHING, feed->whole_index);
    } else {
        park(feed);
    }
}

static void done(void *arg)
{
    struct feed *feed = arg;
    feed->is_looking = false;
    if (feed->rq)
        answer(feed);
    else
        release(feed);
}

static void time_is_up(void *arg)
{
    struct feed *feed = arg;
    feed->is_last = true;
    if (feed->is_looking)
        return;
    catalog_waiter_disarm(feed->shell, &feed->waiter);
    if (is_bound(feed))
        reply(feed, CURIA__V1__FEED_OUTCOME__FEED_NOTHING, feed->after);
}

/* ---- the beginning ---- */

static void link_feed(struct feed *feed)
{
    feed->next = feed->shell->feeds;
    if (feed->next)
        feed->next->prev = feed;
    feed->shell->feeds = feed;
}

static struct feed *feed_of(struct catalog_shell *shell, struct cu_rq *rq,
                            struct cu_authorizer *who)
{
    const Curia__V1__FeedFollowRequest *in = (const void *)rq->in;
    struct feed *feed = cu_alloc(sizeof(*feed));
    feed->shell = shell;
    feed->rq = rq;
    feed->waiter.moved = moved;
    feed->who = cu_authorizer_ref(who);
    feed->rights = cu_authorizer_rights(who);
    feed->arena = cu_arena_new(FEED_ARENA_BYTES);
    feed->scratch = cu_arena_new(SIGHT_ARENA_BYTES);
    feed->job = (struct catalog_read_job){.run = run, .done = done, .arg = feed};
    feed->with_rows = in->with_rows;
    feed->is_brief = in->brief;
    feed->rows_max = in->max_rows ? in->max_rows : FEED_ROWS;
    if (feed->rows_max > FEED_ROWS_MAX)
        feed->rows_max = FEED_ROWS_MAX;
    if (in->after) {
        feed->cluster = catalog_id_of(in->after->cluster_id);
        feed->epoch = in->after->epoch;
        feed->after = in->after->index;
    }
    cu_timer_init(&feed->timer, shell->env->loop, time_is_up, feed);
    link_feed(feed);
    return feed;
}

/* Who does not know its rights, from before there were any, sees all as long as there are none. */
static bool is_opened_so(const struct catalog_shell *shell, const struct feed *feed,
                         const Curia__V1__FeedFollowRequest *in)
{
    return in->after->rights == feed->rights || (!in->after->rights && !shell->conf.acl.is_enabled);
}

static void follow(void *daemon, struct cu_rq *rq)
{
    struct catalog_shell *shell = daemon;
    const Curia__V1__FeedFollowRequest *in = (const void *)rq->in;
    const struct catalog_facts *facts = catalog_shell_facts(shell);
    struct catalog_caller caller;
    struct cu_diag diag = {0};
    enum cu_err err = catalog_acl_caller(shell, rq->token, &caller, &diag);
    if (err) {
        cu_rq_fail(rq, err, "%s", diag.text);
        return;
    }
    struct feed *feed = feed_of(shell, rq, caller.authorizer);
    bool is_first = catalog_id_is_none(&feed->cluster);
    feed->bookmark = catalog_bookmark_empty();
    if (!catalog_feed_topics(in->n_topics, in->topics, feed->tables)) {
        cu_rq_fail(rq, CU_E_INVALID, "no such topic");
        release(feed);
    } else if (!is_first && !catalog_id_equal(&feed->cluster, &facts->position.cluster)) {
        reply(feed, CURIA__V1__FEED_OUTCOME__FEED_DIVERGED, 0);
    } else if (!is_first && (feed->epoch != facts->epoch || !is_opened_so(shell, feed, in))) {
        reply(feed, CURIA__V1__FEED_OUTCOME__FEED_COMPACTED, facts->shown_index);
    } else {
        cu_rq_on_gone(rq, gone, feed);
        uint32_t wait_ms = in->wait_ms < FEED_WAIT_MS_MAX ? in->wait_ms : FEED_WAIT_MS_MAX;
        feed->is_last = wait_ms == 0;
        if (wait_ms > 0)
            cu_timer_set_ms(&feed->timer, wait_ms);
        start_look(feed);
    }
}

/* Called when no worker runs any more. */
void catalog_feeds_end(struct catalog_shell *shell)
{
    while (shell->feeds) {
        struct feed *feed = shell->feeds;
        if (feed->rq)
            cu_rq_fail(feed->rq, CU_E_NOT_READY, "the catalog is being stopped");
        release(feed);
    }
    catalog_feed_rows_end(shell);
}

// clang-format off
static const struct cu_method methods[] = {
    /*        method  kind       route      caller        permission             request  reply     handler */
    CU_METHOD(Follow, CU_FOLLOW, ROUTE_ANY, CALLER_AGENT, PERM(ANY_TOKEN, NULL), 16 * KIB, 32 * MIB, follow),
    CU_METHOD(Rows,   CU_CALL,   ROUTE_ANY, CALLER_AGENT, PERM(ANY_TOKEN, NULL), 16 * KIB, 32 * MIB, catalog_feed_rows),
};
/* clang-format on */

const struct cu_service catalog_feed_service = {&curia__v1__feed__descriptor, methods,
                                                CU_COUNT(methods)};
