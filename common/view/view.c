#include "common/view/view.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/hash.h"
#include "common/view/encode.h"
#include "curia/v1/read.pb-c.h"

/* ---- the life of an op ---- */

static struct view_op *new_op(struct cu_view *view)
{
    struct view_op *op = view->pool;
    if (op) {
        view->pool = op->next;
        view->pool_count--;
    } else {
        op = cu_alloc(sizeof *op);
        op->view = view;
    }
    op->next = view->all;
    op->at = &view->all;
    if (op->next)
        op->next->at = &op->next;
    view->all = op;
    return op;
}

void view_op_close(struct view_op *op)
{
    if (!op->joinable)
        return;
    struct view_op **at = &op->view->buckets[op->hash % VIEW_BUCKETS];
    while (*at != op)
        at = &(*at)->chain;
    *at = op->chain;
    op->joinable = false;
}

static void leave_gathered(struct view_op *op)
{
    struct cu_view *view = op->view;
    struct view_op **at = &view->gathered;
    while (*at != op)
        at = &(*at)->gathered;
    *at = op->gathered;
    if (!*at)
        view->gathered_tail = at;
}

void view_op_free(struct view_op *op)
{
    struct cu_view *view = op->view;
    CU_ASSERT(!op->readers);
    view_op_close(op);
    if (op->state == OP_GATHERED)
        leave_gathered(op);
    view_task_leave(view, &op->task);
    view_encode_forget(op);
    if (op->call)
        cu_call_cancel(op->call);
    view->waits -= op->is_wait;
    view_kept_unref(op->kept);
    *op->at = op->next;
    if (op->next)
        op->next->at = op->at;
    struct cu_buf key = op->key;
    cu_buf_clear(&key);
    *op = (struct view_op){.view = view, .key = key};
    if (view->pool_count >= VIEW_POOL_MAX) {
        cu_buf_deinit(&op->key);
        free(op);
        return;
    }
    op->next = view->pool;
    view->pool = op;
    view->pool_count++;
}

/* ---- finding one to join ---- */

static void put_reader(struct view_op *op, struct cu_view_read *read)
{
    read->op = op;
    read->is_late = (op->state == OP_SENT || op->state == OP_ENCODING) && op->mode != CU_VIEW_STALE;
    read->next = op->readers;
    read->at = &op->readers;
    if (read->next)
        read->next->at = &read->next;
    op->readers = read;
}

void view_op_put_back(struct view_op *op, struct cu_view_read *read)
{
    view_op_take_reader(read);
    put_reader(op, read);
}

void view_op_take_reader(struct cu_view_read *read)
{
    *read->at = read->next;
    if (read->next)
        read->next->at = read->at;
    read->op = NULL;
}

/* Leaves the key in view->key. */
static void make_key(struct cu_view *view, const struct cu_view_read *read, bool is_wait,
                     size_t *ret_token_at, size_t *ret_request_at)
{
    struct cu_buf *key = &view->key;
    const char *token = read->token ? read->token : "";
    cu_buf_clear(key);
    cu_buf_u8(key, is_wait); /* first: see view_op_kept_key() */
    cu_buf_append(key, &read->method, sizeof read->method);
    cu_buf_u8(key, (uint8_t)read->mode);
    *ret_token_at = key->len;
    cu_buf_append(key, token, strlen(token) + 1);
    *ret_request_at = key->len;
    size_t size = protobuf_c_message_get_packed_size(read->request);
    (void)protobuf_c_message_pack(read->request, cu_buf_extend(key, size));
}

struct cu_bytes view_op_kept_key(struct view_op *op)
{
    return (struct cu_bytes){op->key.data + 1, op->key.len - 1};
}

static struct view_op *find_op(struct cu_view *view, uint64_t hash)
{
    struct view_op *op = view->buckets[hash % VIEW_BUCKETS];
    while (op &&
           !(op->hash == hash && cu_bytes_equal(cu_buf_bytes(&op->key), cu_buf_bytes(&view->key))))
        op = op->chain;
    return op;
}

static struct view_op *start_op(struct cu_view *view, const struct cu_view_read *read, bool is_wait,
                                uint64_t hash)
{
    struct view_op *op = new_op(view);
    struct cu_buf key = op->key;
    op->key = view->key;
    view->key = key;
    op->method = read->method;
    op->mode = read->mode;
    op->is_wait = is_wait;
    op->hash = hash;
    op->joinable = true;
    op->chain = view->buckets[hash % VIEW_BUCKETS];
    view->buckets[hash % VIEW_BUCKETS] = op;
    op->state = OP_GATHERED;
    op->gathered = NULL;
    *view->gathered_tail = op;
    view->gathered_tail = &op->gathered;
    view->waits += is_wait;
    cu_loop_at_turn_end(view->loop, &view->send_hook);
    return op;
}

/* ---- reads ---- */

static void leave(struct cu_view_read *read)
{
    struct view_op *op = read->op;
    view_op_take_reader(read);
    if (!op->readers && !op->handing_out)
        view_op_free(op); /* CANCEL when the last one leaves (contracts 7.3) */
}

/* The op of the same question that is a wait, or is none. NULL: there is none to join. */
static struct view_op *twin_of(struct view_op *op, bool is_wait, uint64_t *ret_hash)
{
    struct cu_view *view = op->view;
    cu_buf_clear(&view->key);
    cu_buf_append(&view->key, op->key.data, op->key.len);
    view->key.data[0] = is_wait;
    *ret_hash = cu_table_hash(view->key.data, view->key.len);
    return find_op(view, *ret_hash);
}

static struct view_op *start_twin(struct view_op *op, const struct cu_view_read *read, bool is_wait,
                                  uint64_t hash)
{
    struct view_op *twin = start_op(op->view, read, is_wait, hash);
    twin->token_at = op->token_at;
    twin->request_at = op->request_at;
    return twin;
}

void view_read_look(struct cu_view_read *read)
{
    uint64_t hash;
    struct view_op *plain = twin_of(read->op, false, &hash);
    if (!plain)
        plain = start_twin(read->op, read, false, hash);
    leave(read);
    put_reader(plain, read);
}

/* The wait asks about less than before: what was asked upstream would not end with every change
 * that this reader must see. */
static void lower(struct view_op *wait, uint64_t index)
{
    if (index >= wait->index)
        return;
    wait->index = index;
    if (wait->state != OP_SENT)
        return;
    cu_call_cancel(wait->call);
    wait->call = NULL;
    view_op_send(wait);
}

void view_read_hang(struct cu_view_read *read, uint64_t index)
{
    uint64_t hash;
    struct view_op *wait = twin_of(read->op, true, &hash);
    if (!wait) {
        wait = start_twin(read->op, read, true, hash);
        wait->index = index;
    }
    leave(read);
    put_reader(wait, read);
    read->is_late = false; /* what is above its index is newer than what it has seen */
    lower(wait, index);
}

static void enter(struct cu_view *view, struct cu_view_read *read, bool is_wait)
{
    size_t token_at, request_at;
    make_key(view, read, is_wait, &token_at, &request_at);
    uint64_t hash = cu_table_hash(view->key.data, view->key.len);
    struct view_op *op = find_op(view, hash);
    bool is_elsewhere = op && is_wait && op->index != read->index;
    if (op) {
        cu_count(view->joined, 1);
    } else {
        op = start_op(view, read, is_wait, hash);
        op->token_at = token_at;
        op->request_at = request_at;
        op->index = read->index;
    }
    put_reader(op, read);
    if (is_elsewhere)
        view_read_look(read);
}

/* Its time is up; of one that was ahead perhaps only the time for that. */
static void waited(void *arg)
{
    struct cu_view_read *read = arg;
    struct cu_view *view = read->op->view;
    read->is_last = !cu_mono_before(cu_loop_now(view->loop), read->until);
    if (!read->is_last)
        cu_timer_set_at(&read->deadline, view->loop, read->until);
    if (read->op->is_wait)
        view_read_look(read);
}

void cu_view_read(struct cu_view *view, struct cu_view_read *read)
{
    CU_ASSERT(!read->op && read->format < CU_VIEW_FORMATS);
    read->is_last = read->index == 0;
    read->is_ahead = false;
    enter(view, read, read->index > 0);
    if (read->index == 0)
        return;
    view->waiters++;
    read->until = cu_mono_add_ms(cu_loop_now(view->loop), read->wait_ms);
    cu_timer_init(&read->deadline, view->loop, waited, read);
    cu_timer_set_at(&read->deadline, view->loop, read->until);
}

void cu_view_cancel(struct cu_view_read *read)
{
    if (!read->op)
        return;
    if (read->index > 0) {
        cu_timer_close(&read->deadline);
        read->op->view->waiters--;
    }
    leave(read);
}

static void send_gathered(void *arg)
{
    struct cu_view *view = arg;
    while (view->gathered) {
        struct view_op *op = view->gathered;
        leave_gathered(op);
        if (!op->is_wait)
            view_op_close(op); /* what comes later may know of a later write (contracts 7.3) */
        view_op_send(op);
    }
}

/* ---- the view ---- */

void cu_view_offer(struct cu_view *view, enum cu_view_source source, const char *const *urls,
                   size_t count)
{
    view_catalogs_offer(view->catalogs, source, urls, count);
}

void cu_view_set_cluster_size(struct cu_view *view, size_t nodes)
{
    view_catalogs_set_size(view->catalogs, nodes);
}

bool cu_view_is_up(const struct cu_view *view)
{
    return view_catalogs_pick(view->catalogs) != NULL;
}

const char *cu_view_url(const struct cu_view *view)
{
    const struct cu_client *client = view_catalogs_pick(view->catalogs);
    return client ? cu_client_url(client) : NULL;
}

size_t cu_view_wait_count(const struct cu_view *view)
{
    return view->waits;
}

size_t cu_view_waiter_count(const struct cu_view *view)
{
    return view->waiters;
}

static void catalogs_changed(void *arg)
{
    struct cu_view *view = arg;
    if (cu_view_is_up(view))
        view_run_held(view);
    for (struct view_listener *each = view->listeners, *next; each; each = next) {
        next = each->next;
        each->fn(each->arg);
    }
}

void view_listen(struct cu_view *view, struct view_listener *listener)
{
    listener->next = view->listeners;
    listener->at = &view->listeners;
    if (listener->next)
        listener->next->at = &listener->next;
    view->listeners = listener;
}

void view_unlisten(struct view_listener *listener)
{
    *listener->at = listener->next;
    if (listener->next)
        listener->next->at = listener->at;
}

struct cu_view *cu_view_new(const struct cu_view_options *options)
{
    struct cu_view *view = cu_alloc(sizeof *view);
    view->rpc = options->rpc;
    view->loop = options->loop;
    view->hold_ms = options->hold_ms;
    view->kept.limit_bytes = options->kept_limit_bytes;
    view->gathered_tail = &view->gathered;
    view->send_hook = (struct cu_turn_hook){.fn = send_gathered, .arg = view};
    view->hits = cu_metrics_counter(options->metrics, "view.hits");
    view->unchanged = cu_metrics_counter(options->metrics, "view.unchanged");
    view->joined = cu_metrics_counter(options->metrics, "view.joined");
    view->repeated = cu_metrics_counter(options->metrics, "view.repeated");
    view->encoded_there = cu_metrics_counter(options->metrics, "view.encoded_aside");
    cu_timer_init(&view->tick, view->loop, view_tick, view);
    view->catalogs = view_catalogs_new(options, catalogs_changed, view);
    return view;
}

void cu_view_free(struct cu_view *view)
{
    if (!view)
        return;
    while (view->all) {
        struct view_op *op = view->all;
        while (op->readers) {
            struct cu_view_read *read = op->readers;
            if (read->index > 0)
                cu_timer_close(&read->deadline);
            view_op_take_reader(read);
        }
        view_op_free(op);
    }
    while (view->held) /* calls: their owners are told nothing */
        view_task_leave(view, view->held);
    view_catalogs_free(view->catalogs);
    cu_worker_free(view->worker);
    cu_turn_hook_cancel(view->loop, &view->send_hook);
    cu_timer_close(&view->tick);
    while (view->pool) {
        struct view_op *op = view->pool;
        view->pool = op->next;
        cu_buf_deinit(&op->key);
        free(op);
    }
    view_kept_store_deinit(&view->kept);
    cu_buf_deinit(&view->key);
    cu_buf_deinit(&view->packed);
    cu_buf_deinit(&view->encoded);
    free(view);
}
