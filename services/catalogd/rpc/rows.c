#include "services/catalogd/rpc/rows.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/catalogd/core/bookmark.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/io/acl.h"

enum {
    PAGE_ARENA_BYTES = 64 * 1024 * 1024,
    PAGE_ROWS_MIN = 64,
    SIGHT_ARENA_BYTES = 8 * 1024 * 1024, /* of a row and its node, unpacked */
};

bool catalog_feed_topics(size_t count, char *const *names, bool tables[CATALOG_TABLE_COUNT])
{
    for (int table = 0; table < CATALOG_TABLE_COUNT; table++)
        tables[table] = count == 0 && !catalog_table_is_derived((enum catalog_table)table) &&
                        !catalog_table_is_secret((enum catalog_table)table);
    for (size_t i = 0; i < count; i++) {
        enum catalog_table table;
        if (!catalog_table_find(names[i], &table) || catalog_table_is_derived(table) ||
            catalog_table_is_secret(table))
            return false;
        tables[table] = true;
    }
    return true;
}

Curia__V1__FeedRow *catalog_feed_row(struct cu_arena *arena, enum catalog_table table,
                                     const struct catalog_row *row)
{
    Curia__V1__FeedRow *to = cu_arena_alloc(arena, sizeof *to);
    if (!to)
        return NULL;
    curia__v1__feed_row__init(to);
    to->topic = (char *)(uintptr_t)catalog_table_name(table);
    to->key = (ProtobufCBinaryData){row->key.len, (uint8_t *)(uintptr_t)row->key.data};
    to->row = (ProtobufCBinaryData){row->value.len, (uint8_t *)(uintptr_t)row->value.data};
    to->create_index = row->create_index;
    to->modify_index = row->modify_index;
    return to;
}

/* ---- what may be seen ---- */

/* As it is written in its row; NULL: there is none. */
static const char *node_name(const struct catalog_backend *backend, struct cu_bytes key,
                             struct cu_arena *scratch)
{
    struct cu_bytes node = catalog_key_node_part(key);
    struct catalog_row row;
    Curia__V1__Node *message = NULL;
    if (!node.data)
        return NULL;
    node.len--; /* without the NUL */
    if (backend->get(backend->context, CATALOG_NODES, node, scratch, &row) ||
        catalog_view_unpack(CATALOG_NODES, &row, scratch, &message))
        return NULL;
    return message->node;
}

bool catalog_feed_may_see(const struct catalog_backend *backend, const struct cu_authorizer *who,
                          struct catalog_may_row *row, struct cu_arena *scratch)
{
    if (cu_authorizer_rights(who) == CU_RIGHTS_ALL)
        return true;
    if (row->table == CATALOG_SERVICES)
        row->node = node_name(backend, row->key, scratch);
    return catalog_may_see_row(who, row, scratch);
}

/* ---- one page ---- */

struct page {
    const struct catalog_backend *backend;
    const struct cu_authorizer *who;
    struct cu_arena *arena, *scratch; /* scratch: of one row's sight */
    enum catalog_table table;
    Curia__V1__FeedRow **rows;
    size_t count, cap, bytes, bytes_max;
    bool is_full;
    enum cu_err err;
};

static bool grow(struct page *page)
{
    size_t cap = page->cap ? 2 * page->cap : PAGE_ROWS_MIN;
    Curia__V1__FeedRow **rows = cu_arena_alloc(page->arena, cap * sizeof(void *));
    if (!rows)
        return false;
    if (page->count)
        memcpy(rows, page->rows, page->count * sizeof(void *));
    page->rows = rows;
    page->cap = cap;
    return true;
}

static Curia__V1__FeedRow *copy(struct page *page, const struct catalog_row *from)
{
    struct catalog_row row = *from;
    row.key.data = cu_arena_memdup(page->arena, from->key.data, from->key.len);
    row.value.data = cu_arena_memdup(page->arena, from->value.data, from->value.len);
    if ((row.key.len && !row.key.data) || (row.value.len && !row.value.data))
        return NULL;
    return catalog_feed_row(page->arena, page->table, &row);
}

static bool visit(void *arg, const struct catalog_row *from)
{
    struct page *page = arg;
    struct catalog_may_row sight = {.table = page->table, .key = from->key, .value = from->value};
    cu_arena_reset(page->scratch);
    if (!catalog_feed_may_see(page->backend, page->who, &sight, page->scratch))
        return true;
    if (page->bytes >= page->bytes_max) {
        page->is_full = true;
        return false;
    }
    Curia__V1__FeedRow *row = copy(page, from);
    if (!row || (page->count == page->cap && !grow(page))) {
        page->err = CU_E_TOO_LARGE;
        return false;
    }
    page->rows[page->count++] = row;
    page->bytes += from->key.len + from->value.len;
    return true;
}

/* The tables from the one on where the last page ended, whose rows begin behind `after_key`. */
static enum cu_err collect(const struct catalog_backend *backend, const bool *tables,
                           const Curia__V1__FeedRowsRequest *request, struct page *page)
{
    static const struct cu_bytes none = {NULL, 0};
    enum catalog_table first = 0;
    struct cu_bytes after = {request->after_key.data, request->after_key.len};
    bool is_first = request->after_topic[0] == '\0';
    if (!is_first && !catalog_table_find(request->after_topic, &first))
        return CU_E_INVALID;
    for (int table = (int)first; table < CATALOG_TABLE_COUNT && !page->is_full; table++) {
        if (!tables[table])
            continue;
        page->table = (enum catalog_table)table;
        bool goes_on = !is_first && table == (int)first;
        enum cu_err err =
            backend->scan(backend->context, page->table, none, goes_on ? after : none, visit, page);
        if (err || page->err)
            return err ? err : page->err;
    }
    return CU_OK;
}

static enum cu_err stamp(const struct catalog_bookmark *bookmark, const struct cu_authorizer *who,
                         struct cu_arena *arena, Curia__V1__FeedRowsReply *reply)
{
    Curia__V1__FeedPosition *at = cu_arena_alloc(arena, sizeof *at);
    uint8_t *cluster = cu_arena_memdup(arena, bookmark->position.cluster.bytes, CATALOG_ID_BYTES);
    if (!at || !cluster)
        return CU_E_TOO_LARGE;
    curia__v1__feed_position__init(at);
    at->cluster_id = (ProtobufCBinaryData){CATALOG_ID_BYTES, cluster};
    at->epoch = bookmark->epoch;
    at->index = catalog_bookmark_shown_index(bookmark);
    at->rights = cu_authorizer_rights(who);
    reply->at = at;
    return CU_OK;
}

enum cu_err catalog_feed_page(const struct catalog_backend *backend,
                              const struct cu_authorizer *who,
                              const Curia__V1__FeedRowsRequest *request, struct cu_arena *arena,
                              Curia__V1__FeedRowsReply *ret_reply)
{
    bool tables[CATALOG_TABLE_COUNT];
    struct catalog_bookmark bookmark;
    struct page page = {.backend = backend, .who = who, .arena = arena};
    curia__v1__feed_rows_reply__init(ret_reply);
    if (!catalog_feed_topics(request->n_topics, request->topics, tables))
        return CU_E_INVALID;
    page.bytes_max = request->max_bytes ? request->max_bytes : CATALOG_PAGE_BYTES;
    if (page.bytes_max > CATALOG_PAGE_BYTES_MAX)
        page.bytes_max = CATALOG_PAGE_BYTES_MAX;
    page.scratch = cu_arena_new(SIGHT_ARENA_BYTES);
    enum cu_err err = catalog_bookmark_read(backend, arena, &bookmark);
    if (!err)
        err = collect(backend, tables, request, &page);
    if (!err)
        err = stamp(&bookmark, who, arena, ret_reply);
    cu_arena_free(page.scratch);
    ret_reply->rows = page.rows;
    ret_reply->n_rows = page.count;
    ret_reply->more = page.is_full;
    return err;
}

/* ---- the call ---- */

/* A page being read. Packed on the worker, so that the loop only copies. */
struct rows_call {
    struct catalog_shell *shell;
    struct cu_rq *rq; /* NULL: gone while a worker had it */
    struct rows_call *prev, *next;
    struct cu_authorizer *who;
    struct catalog_read_job job;
    struct cu_buf packed; /* the request; then the worker's reply */
    size_t count;
    enum cu_err err;
};

static void run(void *arg, const struct catalog_backend *backend, const struct cu_diag *diag)
{
    struct rows_call *call = arg;
    (void)diag;
    struct cu_arena *arena = cu_arena_new(PAGE_ARENA_BYTES);
    Curia__V1__FeedRowsReply reply;
    const Curia__V1__FeedRowsRequest *request = curia__v1__feed_rows_request__unpack(
        cu_arena_allocator(arena), call->packed.len, call->packed.data);
    call->err = backend ? CU_E_TOO_LARGE : CU_E_IO;
    if (backend && request)
        call->err = catalog_feed_page(backend, call->who, request, arena, &reply);
    cu_buf_clear(&call->packed);
    if (!call->err) {
        size_t len = curia__v1__feed_rows_reply__get_packed_size(&reply);
        (void)curia__v1__feed_rows_reply__pack(&reply, cu_buf_extend(&call->packed, len));
        call->count = reply.n_rows;
    }
    cu_arena_free(arena);
}

static void release(struct rows_call *call)
{
    if (call->prev)
        call->prev->next = call->next;
    else
        call->shell->row_pages = call->next;
    if (call->next)
        call->next->prev = call->prev;
    cu_authorizer_unref(call->who);
    cu_buf_deinit(&call->packed);
    free(call);
}

static void done(void *arg)
{
    struct rows_call *call = arg;
    if (call->rq && call->err == CU_E_INVALID)
        cu_rq_fail(call->rq, CU_E_INVALID, "no such topic");
    else if (call->rq && call->err)
        cu_rq_fail(call->rq, call->err, "the state cannot be read");
    else if (call->rq) {
        cu_count(call->shell->count.feed_rows, call->count);
        cu_rq_reply_packed(call->rq, cu_buf_bytes(&call->packed), 0);
    }
    release(call);
}

static void gone(void *arg)
{
    struct rows_call *call = arg;
    call->rq = NULL;
}

void catalog_feed_rows(void *daemon, struct cu_rq *rq)
{
    struct catalog_shell *shell = daemon;
    struct catalog_caller caller;
    struct cu_diag diag = {0};
    enum cu_err err = catalog_acl_caller(shell, rq->token, &caller, &diag);
    if (err) {
        cu_rq_fail(rq, err, "%s", diag.text);
        return;
    }
    struct rows_call *call = cu_alloc(sizeof *call);
    call->shell = shell;
    call->who = cu_authorizer_ref(caller.authorizer);
    call->rq = rq;
    call->job = (struct catalog_read_job){.run = run, .done = done, .arg = call};
    size_t len = protobuf_c_message_get_packed_size(rq->in);
    (void)protobuf_c_message_pack(rq->in, cu_buf_extend(&call->packed, len));
    call->next = shell->row_pages;
    if (call->next)
        call->next->prev = call;
    shell->row_pages = call;
    cu_rq_on_gone(rq, gone, call);
    catalog_readers_submit(shell->readers, &call->job);
}

void catalog_feed_rows_end(struct catalog_shell *shell)
{
    while (shell->row_pages) {
        struct rows_call *call = shell->row_pages;
        if (call->rq)
            cu_rq_fail(call->rq, CU_E_NOT_READY, "the catalog is being stopped");
        release(call);
    }
}
