#include "services/catalogd/rpc/work.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

enum { BOOKMARK_ARENA_BYTES = 64 * 1024 };

struct catalog_work {
    struct catalog_works *works;
    const struct catalog_query *query;
    struct cu_authorizer *authorizer;
    struct cu_buf key;      /* query, rights and packed request without options */
    struct cu_bytes packed; /* of the request, within key */
    struct catalog_work_caller *callers;
    struct catalog_read_job job;

    /* the worker's */
    struct cu_buf rows;
    uint64_t index, read_at;
    enum cu_err err;
};

struct catalog_works {
    struct catalog_shell *shell;
    struct cu_map waiting; /* by key: those that may still be joined, or run */
    struct cu_arena *arena;
    struct catalog_bookmark bookmark; /* of the loop's snapshot `generation` */
    uint64_t generation;
};

struct catalog_works *catalog_works_new(struct catalog_shell *shell)
{
    struct catalog_works *works = cu_alloc(sizeof(*works));
    works->shell = shell;
    works->arena = cu_arena_new(BOOKMARK_ARENA_BYTES);
    return works;
}

static void free_work(struct catalog_work *work)
{
    cu_authorizer_unref(work->authorizer);
    cu_buf_deinit(&work->key);
    cu_buf_deinit(&work->rows);
    free(work);
}

/* Every job's `done` has run or never will: the readers are gone. */
void catalog_works_free(struct catalog_works *works)
{
    struct cu_bytes key;
    void *work;
    for (size_t at = 0; cu_map_next(&works->waiting, &at, &key, &work);)
        free_work(work);
    cu_map_deinit(&works->waiting);
    cu_arena_free(works->arena);
    free(works);
}

enum cu_err catalog_works_bookmark(struct catalog_works *works,
                                   const struct catalog_backend *snapshot,
                                   const struct catalog_bookmark **ret_bookmark)
{
    uint64_t generation = catalog_readers_generation(works->shell->readers);
    if (works->generation != generation) {
        cu_arena_reset(works->arena);
        enum cu_err err = catalog_bookmark_read(snapshot, works->arena, &works->bookmark);
        if (err)
            return err;
        works->generation = generation;
    }
    *ret_bookmark = &works->bookmark;
    return CU_OK;
}

/* ---- on a worker ---- */

static enum cu_err evaluate(struct catalog_work *work, const struct catalog_backend *backend,
                            struct cu_arena *arena)
{
    struct catalog_bookmark bookmark;
    enum cu_err err = catalog_bookmark_read(backend, arena, &bookmark);
    if (err)
        return err;
    work->read_at = catalog_bookmark_shown_index(&bookmark);
    const struct catalog_query *query = work->query;
    ProtobufCMessage *in = protobuf_c_message_unpack(query->request, cu_arena_allocator(arena),
                                                     work->packed.len, work->packed.data);
    ProtobufCMessage *reply = cu_arena_alloc(arena, query->reply->sizeof_message);
    if (!in || !reply)
        return CU_E_TOO_LARGE;
    protobuf_c_message_init(query->reply, reply);
    struct catalog_view view = catalog_view_of(backend, &bookmark);
    view.authorizer = work->authorizer;
    err = query->evaluate(&view, in, arena, reply, &work->index);
    if (err)
        return err;
    size_t len = protobuf_c_message_get_packed_size(reply);
    (void)protobuf_c_message_pack(reply, cu_buf_extend(&work->rows, len));
    return CU_OK;
}

static void run(void *arg, const struct catalog_backend *backend, const struct cu_diag *diag)
{
    struct catalog_work *work = arg;
    if (!backend) {
        work->err = CU_E_IO;
        return;
    }
    struct cu_arena *arena = cu_arena_new(CATALOG_READ_ARENA_BYTES);
    work->err = evaluate(work, backend, arena);
    cu_arena_free(arena);
}

/* ---- on the loop ---- */

static void forget(struct catalog_work *work)
{
    struct cu_map *waiting = &work->works->waiting;
    if (cu_map_get(waiting, cu_buf_bytes(&work->key)) == work)
        (void)cu_map_del(waiting, cu_buf_bytes(&work->key));
}

static void done(void *arg)
{
    struct catalog_work *work = arg;
    struct catalog_work_result result = {
        .err = work->err,
        .rows = cu_buf_bytes(&work->rows),
        .index = work->index,
        .read_at = work->read_at,
    };
    forget(work);
    while (work->callers) {
        struct catalog_work_caller *caller = work->callers;
        catalog_work_leave(caller);
        caller->fn(caller->arg, &result);
    }
    free_work(work);
}

static void make_key(const struct catalog_work_question *question, struct cu_buf *ret_key,
                     size_t *ret_head)
{
    const struct catalog_query *query = question->query;
    uint64_t rights = cu_authorizer_rights(question->authorizer);
    ProtobufCMessage *bare = cu_memdup(question->in, query->request->sizeof_message);
    query->set_options(bare, NULL);
    cu_buf_append(ret_key, query->name, strlen(query->name) + 1);
    cu_buf_append(ret_key, &rights, sizeof rights);
    *ret_head = ret_key->len;
    size_t len = protobuf_c_message_get_packed_size(bare);
    (void)protobuf_c_message_pack(bare, cu_buf_extend(ret_key, len));
    free(bare);
}

static struct catalog_work *begin(struct catalog_works *works,
                                  const struct catalog_work_question *question, struct cu_buf key,
                                  size_t head)
{
    struct catalog_work *work = cu_alloc(sizeof(*work));
    work->works = works;
    work->query = question->query;
    work->authorizer = cu_authorizer_ref(question->authorizer);
    work->key = key;
    work->packed = (struct cu_bytes){key.data + head, key.len - head};
    work->job = (struct catalog_read_job){.run = run, .done = done, .arg = work};
    (void)cu_map_put(&works->waiting, cu_buf_bytes(&work->key), work);
    cu_count(works->shell->count.evaluated, 1);
    catalog_readers_submit(works->shell->readers, &work->job);
    return work;
}

void catalog_work_join(struct catalog_works *works, const struct catalog_work_question *question,
                       struct catalog_work_caller *caller)
{
    struct cu_buf key = {0};
    size_t head;
    make_key(question, &key, &head);
    struct catalog_work *work = cu_map_get(&works->waiting, cu_buf_bytes(&key));
    if (work && !work->job.has_started) {
        cu_count(works->shell->count.joined, 1);
        cu_buf_deinit(&key);
    } else {
        if (work) /* its snapshot may be older than this read: leave it to those it has */
            forget(work);
        work = begin(works, question, key, head);
    }
    caller->work = work;
    caller->prev = NULL;
    caller->next = work->callers;
    if (work->callers)
        work->callers->prev = caller;
    work->callers = caller;
}

void catalog_work_leave(struct catalog_work_caller *caller)
{
    struct catalog_work *work = caller->work;
    if (!work)
        return;
    if (caller->prev)
        caller->prev->next = caller->next;
    else
        work->callers = caller->next;
    if (caller->next)
        caller->next->prev = caller->prev;
    caller->work = NULL;
    caller->prev = caller->next = NULL;
}
