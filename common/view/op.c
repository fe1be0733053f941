#include "common/view/op.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/view/encode.h"
#include "curia/v1/read.pb-c.h"

/* ---- asking ---- */

static Curia__V1__Consistency consistency(enum cu_view_mode mode)
{
    switch (mode) {
    case CU_VIEW_CONSISTENT:
        return CURIA__V1__CONSISTENCY__CONSISTENCY_CONSISTENT;
    case CU_VIEW_STALE:
        return CURIA__V1__CONSISTENCY__CONSISTENCY_STALE;
    case CU_VIEW_DEFAULT:
        break;
    }
    return CURIA__V1__CONSISTENCY__CONSISTENCY_DEFAULT;
}

/* A kept answer is of use only if every reader finds its format in it. */
static bool serves_all(const struct view_kept *kept, const struct view_op *op)
{
    for (const struct cu_view_read *read = op->readers; read; read = read->next)
        if (!kept->bodies[read->format])
            return false;
    return true;
}

/* The request with its ReadOptions: field 1 may stand before or behind the others, so the packed
 * rest is copied behind it as it is. */
static struct cu_bytes pack_request(struct view_op *op)
{
    struct cu_view *view = op->view;
    struct cu_bytes rest = {op->key.data + op->request_at, op->key.len - op->request_at};
    Curia__V1__ReadOptions options = CURIA__V1__READ_OPTIONS__INIT;
    struct view_kept *kept = view_kept_find(&view->kept, view_op_kept_key(op));
    Curia__V1__Have *have = NULL;

    view_kept_unref(op->kept);
    op->kept = NULL;
    if (kept && serves_all(kept, op)) {
        op->kept = view_kept_ref(kept);
        have = curia__v1__have__unpack(NULL, kept->have.len, kept->have.data);
        CU_ASSERT(have); /* we packed it */
    }
    if (op->mode == CU_VIEW_DEFAULT && !op->is_wait && !have)
        return rest;
    options.consistency = consistency(op->mode);
    options.index = op->is_wait ? op->index : 0;
    options.wait_ms = op->is_wait ? CU_VIEW_WAIT_MS : 0;
    options.have = have;
    size_t size = curia__v1__read_options__get_packed_size(&options);
    CU_ASSERT(size < 128); /* one byte of length */
    cu_buf_clear(&view->packed);
    cu_buf_u8(&view->packed, 1 << 3 | 2); /* field 1, length-delimited */
    cu_buf_u8(&view->packed, (uint8_t)size);
    (void)curia__v1__read_options__pack(&options, cu_buf_extend(&view->packed, size));
    cu_buf_append(&view->packed, rest.data, rest.len);
    curia__v1__have__free_unpacked(have, NULL);
    return cu_buf_bytes(&view->packed);
}

static void hand_out_error(struct view_op *op, enum cu_err err, const char *text);

static void held_too_long(struct cu_view *view, struct view_task *task)
{
    (void)view;
    struct view_op *op = (struct view_op *)((char *)task - offsetof(struct view_op, task));
    hand_out_error(op, CU_E_DISCONNECTED, "no catalogd is reachable");
}

static void go(struct cu_view *view, struct view_task *task)
{
    (void)view;
    view_op_send((struct view_op *)((char *)task - offsetof(struct view_op, task)));
}

static void hold(struct view_op *op)
{
    op->state = OP_HELD;
    op->task.go = go;
    op->task.fail = held_too_long;
    view_hold(op->view, &op->task);
}

void view_op_send(struct view_op *op)
{
    struct cu_view *view = op->view;
    struct cu_client *client = view_catalogs_pick(view->catalogs);
    if (!client) {
        hold(op);
        return;
    }
    const char *token = (const char *)op->key.data + op->token_at;
    struct cu_call_spec spec = {
        .service = op->method->service,
        .method = op->method->name,
        .packed = pack_request(op),
        .timeout_ms =
            (uint32_t)(view->hold_ms + VIEW_SLACK_MS + (op->is_wait ? CU_VIEW_WAIT_MS : 0)),
        .token = *token ? token : NULL,
        .raw_above_bytes = VIEW_ENCODE_HERE_BYTES,
    };
    op->state = OP_SENT;
    for (struct cu_view_read *read = op->readers; read; read = read->next)
        read->is_late = false; /* all of them came before this question */
    op->asked = client;
    op->call = cu_client_call(client, &spec, view_op_answered, op);
}

/* ---- handing out ---- */

static void deliver(struct view_op *op, struct cu_view_read *read,
                    const struct cu_view_answer *answer)
{
    view_op_take_reader(read);
    if (read->index > 0) {
        cu_timer_close(&read->deadline);
        op->view->waiters--;
    }
    read->done(read->arg, answer); /* may free the read */
}

static void hand_out_error(struct view_op *op, enum cu_err err, const char *text)
{
    struct cu_view_answer answer = {.err = err, .text = text};
    view_op_close(op);
    op->handing_out = true;
    while (op->readers)
        deliver(op, op->readers, &answer);
    view_op_free(op);
}

/* ---- who gets what came ---- */

enum verdict { DELIVER, LOOK, HANG };

/* What an answer is for a reader; `asked`: the index that a wait was sent with. A wait that was
 * sent with the reader's own index has waited for the state to get there already. */
static enum verdict judge(const struct view_op *op, uint64_t asked, const struct cu_view_read *read,
                          const struct view_kept *kept)
{
    if (read->is_last || kept->index > read->index) /* what was acknowledged before it came may be
                                                       missing (contracts 7.3) */
        return read->is_late || !kept->bodies[read->format] ? LOOK : DELIVER;
    bool has_waited = read->is_ahead || (op->is_wait && asked == read->index);
    return read->index > kept->read_at && has_waited ? DELIVER : HANG;
}

/* One whose index is above all that the catalogd knows hangs only for a moment. */
static void hang(struct view_op *op, struct cu_view_read *read, const struct view_kept *kept)
{
    struct cu_view *view = op->view;
    read->is_ahead = read->index > kept->read_at;
    if (read->is_ahead) {
        struct cu_mono soon = cu_mono_add_ms(cu_loop_now(view->loop), CU_VIEW_AHEAD_MS);
        cu_timer_set_at(&read->deadline, view->loop, cu_mono_min(soon, read->until));
    }
    view_read_hang(read, kept->index);
}

static void hand_to(struct view_op *op, uint64_t asked, struct cu_view_read *read,
                    const struct view_kept *kept, bool is_shared)
{
    struct cu_view_answer answer = {
        .text = "",
        .body = kept->bodies[read->format],
        .is_shared = is_shared,
        .index = kept->index,
        .last_contact_ms = kept->last_contact_ms,
        .known_leader = kept->known_leader,
    };
    switch (judge(op, asked, read, kept)) {
    case DELIVER:
        deliver(op, read, &answer);
        break;
    case LOOK:
        view_read_look(read);
        break;
    case HANG:
        if (op->is_wait)
            view_op_put_back(op, read);
        else
            hang(op, read, kept);
        break;
    }
}

/* A wait goes on, from what it has seen, for those who hang on it still and for those who come to
 * it meanwhile: the readers of this answer stand in a list of their own. */
static void hand_out(struct view_op *op, const struct view_kept *kept)
{
    struct cu_view_read *readers = op->readers;
    uint64_t asked = op->index;
    op->readers = NULL;
    CU_ASSERT(readers); /* one without is freed */
    readers->at = &readers;
    bool is_shared = readers->next || kept->listed;
    op->state = OP_ANSWERED;
    op->index = kept->index;
    if (!op->is_wait)
        view_op_close(op);
    op->handing_out = true;
    while (readers)
        hand_to(op, asked, readers, kept, is_shared);
    op->handing_out = false;
    if (op->readers)
        view_op_send(op);
    else
        view_op_free(op);
}

/* ---- what came ---- */

/* Without a `have` it is a small one, or one that nobody can ask about again. */
static void answer_anew(struct view_op *op, struct view_kept *kept)
{
    if (kept->have.len > 0) {
        struct cu_bytes key = view_op_kept_key(op);
        cu_buf_append(&kept->key, key.data, key.len);
        view_kept_put(&op->view->kept, kept);
    }
    hand_out(op, kept);
}

/* A wait that ended for nobody is asked again, and costs no encoding. */
static bool renew(struct view_op *op, const struct view_kept *kept)
{
    if (!op->is_wait)
        return false;
    for (const struct cu_view_read *read = op->readers; read; read = read->next)
        if (judge(op, op->index, read, kept) != HANG)
            return false;
    op->index = kept->index;
    view_op_send(op);
    return true;
}

static void answer_kept(struct view_op *op, const Curia__V1__ReadMeta *meta)
{
    struct view_kept *kept = view_kept_ref(op->kept);
    cu_count(op->view->unchanged, 1);
    view_kept_confirm(kept, meta, op->mode == CU_VIEW_STALE);
    if (!renew(op, kept)) {
        cu_count(op->view->hits, 1);
        hand_out(op, kept);
    }
    view_kept_unref(kept);
}

static void ask_without_have(struct view_op *op)
{
    struct cu_view *view = op->view;
    struct cu_bytes key = view_op_kept_key(op);
    struct view_kept *kept = view_kept_new(key); /* in its place, an answer that serves nobody */
    view_kept_put(&view->kept, kept);
    view_kept_unref(kept);
    view_op_send(op);
}

static void answer_unchanged(struct view_op *op, const Curia__V1__ReadMeta *meta)
{
    if (!op->kept)
        hand_out_error(op, CU_E_INTERNAL, "unchanged, but from what?");
    else if (serves_all(op->kept, op))
        answer_kept(op, meta);
    else /* somebody joined meanwhile who wants another format */
        ask_without_have(op);
}

/* A wait that ended for nobody costs no encoding. Returns whether that was all. */
static bool answer_meta(struct view_op *op, const Curia__V1__ReadMeta *meta)
{
    struct view_kept seen = {0};
    if (meta->unchanged) {
        answer_unchanged(op, meta);
        return true;
    }
    view_kept_take_index(&seen, meta);
    return renew(op, &seen);
}

static void answer_here(struct view_op *op, const ProtobufCMessage *reply)
{
    struct view_kept *kept = view_kept_new((struct cu_bytes){NULL, 0});
    const Curia__V1__ReadMeta *meta = view_meta_of(reply);
    if (!meta)
        hand_out_error(op, CU_E_INTERNAL, "an answer without its meta part");
    else if (!answer_meta(op, meta)) {
        view_encode_here(op, reply, kept);
        answer_anew(op, kept);
    }
    view_kept_unref(kept);
}

static void answer_there(struct view_op *op, struct cu_bytes packed)
{
    Curia__V1__ReadMeta *meta = view_encode_peek(packed);
    bool is_all = meta && answer_meta(op, meta);
    curia__v1__read_meta__free_unpacked(meta, NULL);
    if (is_all)
        return;
    op->state = OP_ENCODING;
    view_encode_there(op, packed);
}

void view_op_encoded(struct view_op *op, struct view_kept *kept)
{
    if (kept)
        answer_anew(op, kept);
    else
        hand_out_error(op, CU_E_INTERNAL, "an answer that cannot be read");
}

void view_op_answered(void *arg, const struct cu_answer *answer)
{
    struct view_op *op = arg;
    struct cu_view *view = op->view;

    op->call = NULL;
    if (answer->err != CU_E_DISCONNECTED && answer->err != CU_E_NOT_READY)
        op->task.hold_until = (struct cu_mono){0};
    if (!answer->err && answer->message)
        answer_here(op, answer->message);
    else if (!answer->err)
        answer_there(op, answer->body);
    if (!answer->err)
        return;
    if (answer->err == CU_E_DISCONNECTED || answer->err == CU_E_NOT_READY) {
        cu_count(view->repeated, 1); /* a read can be asked again (contracts 1.3) */
        if (answer->err == CU_E_NOT_READY && view_try_another(view, &op->task, op->asked))
            view_op_send(op);
        else
            hold(op);
        return;
    }
    if (answer->err == CU_E_DEADLINE && op->is_wait) {
        view_op_send(op);
        return;
    }
    hand_out_error(op, answer->err, answer->text);
}
