#include "services/catalogd/rpc/read.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/random.h"
#include "services/catalogd/io/acl.h"
#include "services/catalogd/io/raftd.h"
#include "services/catalogd/rpc/work.h"
#include "services/catalogd/rpc/write.h"

/* A read being answered; waits for its index, for its turn on a worker, for a state that is ahead,
 * or for a change. */
struct catalog_read {
    struct catalog_waiter waiter; /* first */
    struct catalog_shell *shell;
    struct cu_rq *rq;
    const struct catalog_query *query;
    const Curia__V1__ReadOptions *options;
    struct catalog_topic topics[CATALOG_READ_TOPICS_MAX];
    size_t topic_count;
    uint64_t number;                  /* of the question for an index; 0: none */
    struct cu_authorizer *authorizer; /* of the last look: borrowed, for as long as that lasts */
    uint64_t rights;                  /* its number */
    struct catalog_work_caller caller;
    struct cu_timer timer;
    struct cu_mono until; /* when to answer, changed or not */
    bool has_timer, is_last, was_ahead;
    struct catalog_read *ahead_prev, *ahead_next;
    bool is_ahead;
    struct catalog_read *prev, *next; /* of all */
};

struct catalog_reading {
    struct catalog_read *all;
    struct catalog_read *ahead; /* wait for the state to reach their index */
    struct catalog_works *works;
};

struct catalog_reading *catalog_reading_new(struct catalog_shell *shell)
{
    struct catalog_reading *reading = cu_alloc(sizeof(*reading));
    reading->works = catalog_works_new(shell);
    return reading;
}

static void fail(struct catalog_read *read, enum cu_err err, const char *text);

void catalog_reading_free(struct catalog_reading *reading)
{
    if (!reading)
        return;
    while (reading->all)
        fail(reading->all, CU_E_NOT_READY, "the catalog is being stopped");
    catalog_works_free(reading->works);
    free(reading);
}

const char *catalog_error_text(const struct catalog_shell *shell, enum cu_err err)
{
    if (err == CU_E_NO_LEADER)
        return "No cluster leader";
    if (err == CU_E_UNKNOWN)
        return "leadership lost while committing log";
    if (err == CU_E_NOT_READY && shell->stopped)
        return shell->stopped;
    if (shell->is_unwritable && (err == CU_E_INTERNAL || err == CU_E_NOT_READY))
        return "the catalog of this server cannot be written, its disk is full or fails: the log "
               "of catalogd says more";
    return cu_err_words(err);
}

/* ---- the end ---- */

static void leave_ahead(struct catalog_read *read)
{
    struct catalog_reading *reading = read->shell->reading;
    if (!read->is_ahead)
        return;
    read->is_ahead = false;
    if (read->ahead_prev)
        read->ahead_prev->ahead_next = read->ahead_next;
    else
        reading->ahead = read->ahead_next;
    if (read->ahead_next)
        read->ahead_next->ahead_prev = read->ahead_prev;
}

static void unwatch(struct catalog_read *read)
{
    catalog_waiter_disarm(read->shell, &read->waiter);
}

static void release(struct catalog_read *read)
{
    unwatch(read);
    leave_ahead(read);
    if (read->number)
        catalog_read_let_go(read->shell, read->number);
    catalog_work_leave(&read->caller);
    if (read->has_timer)
        cu_timer_close(&read->timer);
    if (read->prev)
        read->prev->next = read->next;
    else
        read->shell->reading->all = read->next;
    if (read->next)
        read->next->prev = read->prev;
    free(read);
}

static void gone(void *arg)
{
    release(arg);
}

static void fail(struct catalog_read *read, enum cu_err err, const char *text)
{
    cu_rq_fail(read->rq, err, "%s", text);
    release(read);
}

static void fill_meta(struct catalog_read *read, uint64_t index, uint64_t read_at,
                      Curia__V1__ReadMeta *meta, Curia__V1__Have *have)
{
    const struct catalog_facts *facts = catalog_shell_facts(read->shell);
    curia__v1__read_meta__init(meta);
    curia__v1__have__init(have);
    meta->index = index;
    meta->have = have;
    have->cluster_id = (ProtobufCBinaryData){CATALOG_ID_BYTES,
                                             (uint8_t *)(uintptr_t)facts->position.cluster.bytes};
    have->epoch = facts->epoch;
    have->read_at = read_at;
    have->rights = read->rights;
    if (read->options->consistency == CURIA__V1__CONSISTENCY__CONSISTENCY_STALE) {
        bool known;
        meta->last_contact_ms = catalog_raftd_contact_ms(read->shell, &known);
        meta->known_leader = known;
    } else {
        meta->known_leader = true;
    }
}

static void *new_reply(struct catalog_read *read)
{
    const ProtobufCMessageDescriptor *type = read->query->reply;
    ProtobufCMessage *reply = cu_arena_alloc(read->rq->arena, type->sizeof_message);
    if (reply)
        protobuf_c_message_init(type, reply);
    return reply;
}

static void answer_unchanged(struct catalog_read *read, uint64_t read_at)
{
    Curia__V1__ReadMeta meta;
    Curia__V1__Have have;
    ProtobufCMessage *reply = new_reply(read);
    fill_meta(read, 0, read_at, &meta, &have);
    meta.unchanged = true;
    read->query->set_meta(reply, &meta);
    cu_count(read->shell->count.unchanged, 1);
    cu_rq_reply(read->rq, reply, 0);
    release(read);
}

static void answer(struct catalog_read *read, ProtobufCMessage *reply, uint64_t index,
                   uint64_t read_at)
{
    Curia__V1__ReadMeta meta;
    Curia__V1__Have have;
    fill_meta(read, index, read_at, &meta, &have);
    read->query->set_meta(reply, &meta);
    cu_rq_reply(read->rq, reply, index);
    release(read);
}

/* A message behind another is their merge: the meta of this caller, then the rows all share. */
static void answer_packed(struct catalog_read *read, struct cu_bytes rows, uint64_t index,
                          uint64_t read_at)
{
    Curia__V1__ReadMeta meta;
    Curia__V1__Have have;
    ProtobufCMessage *reply = new_reply(read);
    fill_meta(read, index, read_at, &meta, &have);
    read->query->set_meta(reply, &meta);
    struct cu_buf packed = {0};
    size_t head = protobuf_c_message_get_packed_size(reply);
    cu_buf_reserve(&packed, head + rows.len);
    (void)protobuf_c_message_pack(reply, cu_buf_extend(&packed, head));
    cu_buf_append(&packed, rows.data, rows.len);
    cu_rq_reply_packed(read->rq, cu_buf_bytes(&packed), index);
    cu_buf_deinit(&packed);
    release(read);
}

/* ---- waiting ---- */

static void look(struct catalog_read *read);

static void time_is_up(void *arg)
{
    struct catalog_read *read = arg;
    read->is_last = true;
    unwatch(read);
    leave_ahead(read);
    look(read);
}

static void arm(struct catalog_read *read, struct cu_mono at)
{
    if (!read->has_timer)
        cu_timer_init(&read->timer, read->shell->env->loop, time_is_up, read);
    read->has_timer = true;
    cu_timer_set_at(&read->timer, read->shell->env->loop, at);
}

/* Until a topic moves. A topic that has moved since the read means to look again. */
static void wait_for_change(struct catalog_read *read, uint64_t read_at)
{
    switch (
        catalog_waiter_arm(read->shell, &read->waiter, read->topics, read->topic_count, read_at)) {
    case CATALOG_ARMED:
        arm(read, read->until);
        break;
    case CATALOG_MOVED:
        look(read);
        break;
    case CATALOG_TOO_MANY:
        fail(read, CU_E_OVERLOADED, "too many different things are being watched");
        break;
    }
}

/* http-api 3.2: an index above the newest is waited for, briefly, then answered with the truth. */
static bool wait_for_state(struct catalog_read *read)
{
    struct catalog_reading *reading = read->shell->reading;
    if (read->is_last || read->options->index <= catalog_shell_facts(read->shell)->shown_index)
        return false;
    struct cu_mono soon =
        cu_mono_add_ms(cu_loop_now(read->shell->env->loop), CATALOG_READ_AHEAD_MS);
    if (!read->was_ahead) {
        read->was_ahead = true;
        arm(read, cu_mono_min(read->until, soon));
    }
    read->is_ahead = true;
    read->ahead_prev = NULL;
    read->ahead_next = reading->ahead;
    if (reading->ahead)
        reading->ahead->ahead_prev = read;
    reading->ahead = read;
    return true;
}

static bool wants_to_wait(const struct catalog_read *read, uint64_t index)
{
    return read->query->is_blocking && read->options->index > 0 && !read->is_last &&
           index <= read->options->index;
}

/* ---- looking ---- */

static bool is_unchanged(struct catalog_read *read)
{
    const Curia__V1__Have *have = read->options->have;
    const struct catalog_facts *facts = catalog_shell_facts(read->shell);
    if (!have || read->topic_count == 0 || have->rights != read->rights ||
        have->epoch != facts->epoch || have->read_at > facts->shown_index ||
        have->cluster_id.len != CATALOG_ID_BYTES ||
        memcmp(have->cluster_id.data, facts->position.cluster.bytes, CATALOG_ID_BYTES) != 0)
        return false;
    if (read->options->index > 0 && !read->is_last)
        return false; /* whether it may hang depends on the index, which the kept answer has */
    for (size_t i = 0; i < read->topic_count; i++)
        if (catalog_topics_moved(read->shell->topics, &read->topics[i]) > have->read_at)
            return false;
    return true;
}

/* Only for those who come back with what they hold: an entry costs more than a point read. Without
 * one the first conditional read after a write, to any key, is evaluated once more. */
static void follow_topics(struct catalog_read *read, uint64_t read_at)
{
    if (!read->options->have && read->options->index == 0)
        return;
    for (size_t i = 0; i < read->topic_count; i++)
        catalog_topics_follow(read->shell->topics, &read->topics[i], read_at);
}

static const char *evaluation_text(enum cu_err err)
{
    if (err == CU_E_DENIED)
        return "Permission denied";
    if (err == CU_E_OVERLOADED)
        return "the filter's regular expression takes too long";
    return err == CU_E_TOO_LARGE ? "the answer is too large" : "the state cannot be read";
}

static void worked(void *arg, const struct catalog_work_result *result)
{
    struct catalog_read *read = arg;
    if (result->err)
        fail(read, result->err, evaluation_text(result->err));
    else if (wants_to_wait(read, result->index))
        wait_for_change(read, result->read_at);
    else {
        follow_topics(read, result->read_at);
        answer_packed(read, result->rows, result->index, result->read_at);
    }
}

/* On the loop, in the snapshot of this turn; false when there is none. */
static bool look_here(struct catalog_read *read)
{
    const struct catalog_backend *snapshot = catalog_readers_snapshot(read->shell->readers);
    struct cu_arena *arena = read->rq->arena;
    const struct catalog_bookmark *bookmark;
    if (!snapshot || catalog_works_bookmark(read->shell->reading->works, snapshot, &bookmark))
        return false;
    struct catalog_view view = catalog_view_of(snapshot, bookmark);
    view.authorizer = read->authorizer;
    ProtobufCMessage *reply = new_reply(read);
    uint64_t index = 0, read_at = catalog_bookmark_shown_index(bookmark);
    enum cu_err err =
        reply ? read->query->evaluate(&view, read->rq->in, arena, reply, &index) : CU_E_TOO_LARGE;
    cu_count(read->shell->count.evaluated, 1);
    if (err)
        fail(read, err, evaluation_text(err));
    else if (wants_to_wait(read, index))
        wait_for_change(read, read_at);
    else {
        follow_topics(read, read_at);
        answer(read, reply, index, read_at);
    }
    return true;
}

/* What is everybody's is not asked for with a token, and one that is gone takes nothing away
 * (http-api.md 1.6). */
static enum cu_err find_caller(struct catalog_read *read, struct catalog_caller *ret_caller,
                               struct cu_diag *diag)
{
    bool is_open = read->rq->method->permission.right == RIGHT_NONE;
    if (is_open && read->shell->conf.acl.is_enabled) {
        *ret_caller = (struct catalog_caller){.authorizer = cu_authorizer_none()};
        return CU_OK;
    }
    return catalog_acl_caller(read->shell, read->rq->token, ret_caller, diag);
}

/* At each look anew: rights may have changed, and the token may be gone. False: it was answered. */
static bool knows_rights(struct catalog_read *read)
{
    struct catalog_shell *shell = read->shell;
    const struct cu_permission *row = &read->rq->method->permission;
    struct catalog_caller caller;
    struct cu_diag diag = {0};
    enum cu_err err = CU_OK;
    if (shell->conf.acl.is_enabled && row->right != RIGHT_NONE) {
        struct cu_bytes resource = {0};
        if (row->resource)
            resource = row->resource(read->rq->in);
        err = cu_rq_permit(read->rq, row->right, resource, &diag);
        if (!err && read->query->permit)
            err = read->query->permit(shell, read->rq, &diag);
    }
    if (!err)
        err = find_caller(read, &caller, &diag);
    if (err) {
        fail(read, err, diag.text);
        return false;
    }
    read->authorizer = caller.authorizer;
    read->rights = cu_authorizer_rights(caller.authorizer);
    return true;
}

static void look(struct catalog_read *read)
{
    if (wait_for_state(read) || !knows_rights(read))
        return;
    if (is_unchanged(read)) {
        answer_unchanged(read, catalog_shell_facts(read->shell)->shown_index);
        return;
    }
    if (read->query->is_point && look_here(read))
        return;
    catalog_work_join(read->shell->reading->works,
                      &(struct catalog_work_question){
                          .query = read->query, .in = read->rq->in, .authorizer = read->authorizer},
                      &read->caller);
}

static void readable(void *arg, enum cu_err err)
{
    struct catalog_read *read = arg;
    read->number = 0;
    if (err)
        fail(read, err, catalog_error_text(read->shell, err));
    else
        look(read);
}

/* ---- the beginning ---- */

static void topics_moved(struct catalog_waiter *waiter)
{
    look((struct catalog_read *)waiter);
}

static uint64_t wait_ms(struct catalog_read *read)
{
    const struct catalog_conf *conf = &read->shell->conf;
    uint64_t asked = read->options->wait_ms;
    if (asked == 0)
        asked = (uint64_t)conf->query_default_ms;
    uint64_t most = (uint64_t)conf->query_max_ms + (uint64_t)conf->query_max_ms / 16;
    return asked < most ? asked : most; /* the edge has added its jitter */
}

static enum catalog_read_mode mode_of(const Curia__V1__ReadOptions *options)
{
    return options->consistency == CURIA__V1__CONSISTENCY__CONSISTENCY_CONSISTENT
               ? CATALOG_READ_CONSISTENT
               : CATALOG_READ_DEFAULT;
}

void catalog_read_serve(struct catalog_shell *shell, struct cu_rq *rq,
                        const struct catalog_query *query)
{
    static const Curia__V1__ReadOptions defaults = CURIA__V1__READ_OPTIONS__INIT;
    struct catalog_read *read = cu_alloc(sizeof(*read));
    read->waiter.moved = topics_moved;
    read->shell = shell;
    read->next = shell->reading->all;
    if (read->next)
        read->next->prev = read;
    shell->reading->all = read;
    read->rq = rq;
    read->query = query;
    read->caller = (struct catalog_work_caller){.fn = worked, .arg = read};
    read->options = query->options(rq->in);
    if (!read->options)
        read->options = &defaults;
    cu_arena_set_limit(rq->arena, CATALOG_READ_ARENA_BYTES);
    read->topic_count = query->topics ? query->topics(rq->in, rq->arena, read->topics) : 0;
    struct cu_mono now = cu_loop_now(shell->env->loop);
    read->until = cu_mono_min(cu_mono_add_ms(now, wait_ms(read)), rq->deadline);
    cu_rq_on_gone(rq, gone, read);
    if (read->options->consistency == CURIA__V1__CONSISTENCY__CONSISTENCY_STALE) {
        look(read);
        return;
    }
    read->number = catalog_read_start(shell, mode_of(read->options),
                                      catalog_hold_deadline(shell, rq), readable, read);
}

/* ---- the state moves ---- */

static void look_ahead(struct catalog_shell *shell)
{
    struct catalog_read *read = shell->reading->ahead;
    shell->reading->ahead = NULL;
    for (struct catalog_read *each = read; each; each = each->ahead_next)
        each->is_ahead = false;
    while (read) {
        struct catalog_read *next = read->ahead_next;
        look(read);
        read = next;
    }
}

void catalog_reading_moved(struct catalog_shell *shell, const struct catalog_wakes *wakes)
{
    for (size_t i = 0; i < wakes->count; i++)
        catalog_waiters_wake(shell, catalog_topics_move(shell->topics, &wakes->items[i]));
    look_ahead(shell);
}

void catalog_reading_replaced(struct catalog_shell *shell)
{
    catalog_readers_moved(shell->readers);
    catalog_waiters_wake(
        shell, catalog_topics_reset(shell->topics, catalog_shell_facts(shell)->shown_index));
    look_ahead(shell);
}
