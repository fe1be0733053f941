#include "services/catalogd/io/applier.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "common/base/assert.h"
#include "common/store/store.h"
#include "services/catalogd/io/header.h"
#include "services/catalogd/io/sqlite.h"

enum { RESULT_BYTES_MAX = 64 * 1024 * 1024 };

struct batch {
    struct cu_arena *arena;
    const Curia__Internal__V1__FollowReply *reply;
    struct batch *next;
};

struct batches {
    struct batch *first, *last;
};

struct exclusive {
    catalog_exclusive *run;
    catalog_exclusive_done *done;
    void *arg;
    enum cu_err err;
    struct cu_diag diag;
    struct exclusive *next;
};

struct catalog_applier {
    struct cu_worker *worker;
    struct catalog_crash *crash;
    catalog_on_commit *on_commit;
    void *arg;

    /* the worker's while a job is under way */
    struct catalog_sqlite *db;
    struct catalog_store *store;
    struct cu_arena *results;
    uint64_t wal_pages;

    /* the loop's */
    struct catalog_facts facts;
    struct catalog_marks marks;
    struct batches waiting;
    struct exclusive *exclusive_first, *exclusive_last;
    bool is_busy, is_paused;
    bool is_stopped;       /* nothing more is applied */
    struct cu_timer pause; /* after a commit that failed */

    /* handed over with the job */
    struct cu_job job;
    struct batches batches;
    struct exclusive *exclusive;
    struct catalog_facts next_facts;
    struct catalog_outcome *outcomes;
    size_t outcome_count, outcome_cap, entry_count;
    struct catalog_mark *new_marks;
    size_t mark_count, mark_cap;
    struct catalog_wakes wakes;
    enum cu_err err;
    struct cu_diag diag;
};

static void push(struct batches *batches, struct batch *batch)
{
    batch->next = NULL;
    if (batches->last)
        batches->last->next = batch;
    else
        batches->first = batch;
    batches->last = batch;
}

static void free_batches(struct batches *batches)
{
    while (batches->first) {
        struct batch *batch = batches->first;
        batches->first = batch->next;
        cu_arena_free(batch->arena);
        free(batch);
    }
    batches->last = NULL;
}

/* ---- on the worker ---- */

static void gather_facts(struct catalog_applier *a, struct catalog_facts *facts)
{
    struct catalog_store *store = a->store;
    struct catalog_header header;
    catalog_store_header(store, &header);
    facts->position = header.position;
    facts->shown_index = catalog_store_shown_index(store);
    facts->index_base = catalog_store_index_base(store);
    facts->epoch = catalog_store_epoch(store);
    facts->lease_ms = catalog_store_lease_ms(store);
    facts->kv_index = catalog_store_table_index(store, CATALOG_KV);
    facts->tombstones_index = catalog_store_table_index(store, CATALOG_TOMBSTONES);
    facts->acl_tokens_index = catalog_store_table_index(store, CATALOG_ACL_TOKENS);
    facts->reaped_index = catalog_store_reaped_index(store);
    facts->floor_index = catalog_store_floor_index(store);
    facts->hash = catalog_store_hash(store);
    facts->wal_pages = a->wal_pages;
    cu_buf_clear(&facts->header);
    catalog_header_pack(&header, &facts->header);
}

static void keep_outcome(struct catalog_applier *a, const struct catalog_outcome *outcome)
{
    if (outcome->fate == CATALOG_NO_COMMAND)
        return;
    if (a->outcome_count == a->outcome_cap) {
        a->outcome_cap = a->outcome_cap ? a->outcome_cap * 2 : 256;
        a->outcomes = cu_realloc(a->outcomes, a->outcome_cap * sizeof(*a->outcomes));
    }
    a->outcomes[a->outcome_count++] = *outcome;
}

static void keep_mark(struct catalog_applier *a, uint64_t index)
{
    if (!catalog_marks_wants(index))
        return;
    if (a->mark_count == a->mark_cap) {
        a->mark_cap = a->mark_cap ? a->mark_cap * 2 : 64;
        a->new_marks = cu_realloc(a->new_marks, a->mark_cap * sizeof(*a->new_marks));
    }
    a->new_marks[a->mark_count++] = (struct catalog_mark){index, catalog_store_hash(a->store)};
}

static enum cu_err apply_entry(struct catalog_applier *a, const Curia__Internal__V1__Entry *entry)
{
    if (catalog_crash_is_fatal(a->crash, entry->index))
        return cu_fail(&a->diag, CU_E_NOT_READY,
                       "entry %llu crashed this program %d times: install a version that can "
                       "apply it, then remove catalog/crash",
                       (unsigned long long)entry->index, CATALOG_CRASHES_MAX);
    struct catalog_outcome outcome;
    /* As much for each entry, whatever is committed with it: replicas must not differ by that. */
    cu_arena_set_limit(a->results, cu_arena_used(a->results) + RESULT_BYTES_MAX);
    catalog_crash_at(a->crash, entry->index);
    enum cu_err err = catalog_apply(a->store, entry, a->results, &outcome, &a->diag);
    catalog_crash_at(a->crash, 0);
    if (err)
        return err;
    a->entry_count++;
    keep_outcome(a, &outcome);
    keep_mark(a, entry->index);
    return CU_OK;
}

/* Stops early with NOT_READY: what came before that entry is to be committed all the same. */
static enum cu_err apply_batches(struct catalog_applier *a)
{
    for (struct batch *batch = a->batches.first; batch; batch = batch->next)
        for (size_t i = 0; i < batch->reply->n_entries; i++) {
            enum cu_err err = apply_entry(a, batch->reply->entries[i]);
            if (err)
                return err;
        }
    return CU_OK;
}

/* The state as it was committed last; without a store where that cannot be read. */
static void go_back(struct catalog_applier *a)
{
    catalog_sqlite_rollback(a->db);
    catalog_store_free(a->store);
    a->store = NULL;
    if (catalog_store_open(catalog_sqlite_backend(a->db), &a->store, NULL) != CU_OK)
        a->store = NULL;
}

static void run_commit(struct catalog_applier *a)
{
    enum cu_err err = catalog_sqlite_begin(a->db, &a->diag);
    if (err) {
        a->err = err;
        return;
    }
    a->err = apply_batches(a);
    if (a->err == CU_OK || a->err == CU_E_NOT_READY) {
        err = catalog_store_flush(a->store);
        if (!err)
            err = catalog_sqlite_commit(a->db, &a->diag);
        if (err)
            a->err = err;
    }
    if (a->err && a->err != CU_E_NOT_READY) {
        go_back(a);
        return;
    }
    a->wakes = catalog_store_take_wakes(a->store);
    gather_facts(a, &a->next_facts);
}

static void run_job(void *arg)
{
    struct catalog_applier *a = arg;
    if (a->batches.first)
        run_commit(a);
    if (a->exclusive)
        a->exclusive->err = a->exclusive->run(a->exclusive->arg, a->db, &a->exclusive->diag);
}

/* ---- on the loop ---- */

static void start_job(struct catalog_applier *a);

static void swap_facts(struct catalog_applier *a)
{
    struct catalog_facts old = a->facts;
    a->facts = a->next_facts;
    a->next_facts = old; /* its buffer is used again */
}

static void take_marks(struct catalog_applier *a)
{
    for (size_t i = 0; i < a->mark_count; i++)
        catalog_marks_put(&a->marks, &a->new_marks[i]);
}

/* Before what arrived meanwhile, after a pause. */
static void put_back(struct catalog_applier *a)
{
    a->batches.last->next = a->waiting.first;
    if (!a->waiting.first)
        a->waiting.last = a->batches.last;
    a->waiting.first = a->batches.first;
    a->batches = (struct batches){0};
    a->is_paused = true;
    cu_timer_set_ms(&a->pause, CATALOG_COMMIT_AGAIN_MS);
}

static void pause_is_over(void *arg)
{
    struct catalog_applier *a = arg;
    a->is_paused = false;
    start_job(a);
}

static void finish_commit(struct catalog_applier *a)
{
    bool is_committed = a->err == CU_OK || a->err == CU_E_NOT_READY;
    if (is_committed) {
        swap_facts(a);
        take_marks(a);
    }
    bool is_tried_again = a->err == CU_E_IO && a->store;
    if (a->err && !is_tried_again) {
        a->is_stopped = true;
        free_batches(&a->waiting);
    }
    struct catalog_commit commit = {
        .err = a->err,
        .is_tried_again = is_tried_again,
        .text = a->diag.text,
        .outcomes = a->outcomes,
        .outcome_count = is_committed ? a->outcome_count : 0,
        .entry_count = a->entry_count,
        .wakes = &a->wakes,
    };
    a->on_commit(a->arg, &commit);
    catalog_wakes_deinit(&a->wakes);
    a->wakes = (struct catalog_wakes){0};
    a->outcome_count = a->entry_count = a->mark_count = 0;
    a->err = CU_OK;
    a->diag.text[0] = '\0';
    cu_arena_reset(a->results);
    if (is_tried_again)
        put_back(a);
    else
        free_batches(&a->batches);
}

static void job_done(void *arg)
{
    struct catalog_applier *a = arg;
    struct exclusive *exclusive = a->exclusive;
    a->exclusive = NULL;
    if (a->batches.first)
        finish_commit(a);
    a->is_busy = false;
    start_job(a);
    if (exclusive) {
        exclusive->done(exclusive->arg, exclusive->err, &exclusive->diag);
        free(exclusive);
    }
}

static void start_job(struct catalog_applier *a)
{
    if (a->is_busy || a->is_paused || (!a->waiting.first && !a->exclusive_first))
        return;
    a->is_busy = true;
    a->batches = a->waiting;
    a->waiting = (struct batches){0};
    a->exclusive = a->exclusive_first;
    if (a->exclusive) {
        a->exclusive_first = a->exclusive->next;
        if (!a->exclusive_first)
            a->exclusive_last = NULL;
    }
    cu_worker_submit(a->worker, &a->job);
}

void catalog_applier_submit(struct catalog_applier *applier, struct cu_arena *arena,
                            const Curia__Internal__V1__FollowReply *reply)
{
    if (applier->is_stopped) {
        cu_arena_free(arena);
        return;
    }
    struct batch *batch = cu_alloc(sizeof(*batch));
    batch->arena = arena;
    batch->reply = reply;
    push(&applier->waiting, batch);
    start_job(applier);
}

void catalog_applier_exclusive(struct catalog_applier *applier, catalog_exclusive *run,
                               catalog_exclusive_done *done, void *arg)
{
    struct exclusive *exclusive = cu_alloc(sizeof(*exclusive));
    exclusive->run = run;
    exclusive->done = done;
    exclusive->arg = arg;
    if (applier->exclusive_last)
        applier->exclusive_last->next = exclusive;
    else
        applier->exclusive_first = exclusive;
    applier->exclusive_last = exclusive;
    start_job(applier);
}

bool catalog_applier_is_idle(const struct catalog_applier *applier)
{
    return !applier->is_busy && !applier->waiting.first;
}

const struct catalog_facts *catalog_applier_facts(const struct catalog_applier *applier)
{
    return &applier->facts;
}

const struct catalog_marks *catalog_applier_marks(const struct catalog_applier *applier)
{
    return &applier->marks;
}

/* SQLite tells after each commit how many pages the write-ahead log holds. */
static int on_wal(void *arg, sqlite3 *handle, const char *name, int pages)
{
    struct catalog_applier *a = arg;
    a->wal_pages = (uint64_t)pages;
    return SQLITE_OK;
}

static enum cu_err sync_file(const char *path, const char *tail, struct cu_diag *diag)
{
    char name[4096];
    (void)snprintf(name, sizeof(name), "%s%s", path, tail);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT
                   ? CU_OK
                   : cu_fail(diag, CU_E_IO, "cannot open %s: %s", name, strerror(errno));
    enum cu_err err = CU_OK;
    if (fsync(fd) != 0)
        err = cu_fail(diag, CU_E_IO, "cannot sync %s: %s", name, strerror(errno));
    (void)close(fd);
    return err;
}

/* On a full disk the log cannot be copied into the database; both files synced as they are hold the
 * same state just as well. */
static enum cu_err make_durable(struct catalog_sqlite *db, const char *path, struct cu_diag *diag)
{
    int frames, copied;
    enum cu_err err =
        cu_db_checkpoint(catalog_sqlite_db(db), CU_CHECKPOINT_PASSIVE, &frames, &copied, diag);
    if (!err && copied == frames)
        return CU_OK;
    if (err && err != CU_E_IO)
        return err;
    err = sync_file(path, "-wal", diag);
    return err ? err : sync_file(path, "", diag);
}

static enum cu_err open_state(struct catalog_applier *a, const char *path, struct cu_diag *diag)
{
    enum cu_err err = catalog_sqlite_open_writer(path, &a->db, diag);
    if (!err)
        err = make_durable(a->db, path, diag);
    if (!err)
        err = catalog_store_open(catalog_sqlite_backend(a->db), &a->store, diag);
    if (!err)
        (void)sqlite3_wal_hook(cu_db_handle(catalog_sqlite_db(a->db)), on_wal, a);
    return err;
}

enum cu_err catalog_applier_open(const struct catalog_applier_options *options,
                                 struct catalog_applier **ret_applier, struct cu_diag *diag)
{
    struct catalog_applier *a = cu_alloc(sizeof(*a));
    a->crash = options->crash;
    a->on_commit = options->on_commit;
    a->arg = options->arg;
    a->results = cu_arena_new(RESULT_BYTES_MAX);
    cu_timer_init(&a->pause, options->loop, pause_is_over, a);
    a->job = (struct cu_job){.run = run_job, .done = job_done, .arg = a};
    enum cu_err err = open_state(a, options->path, diag);
    if (err) {
        catalog_applier_free(a);
        return err;
    }
    gather_facts(a, &a->facts);
    a->worker = cu_worker_new(options->loop, "apply");
    *ret_applier = a;
    return CU_OK;
}

void catalog_applier_free(struct catalog_applier *applier)
{
    struct catalog_applier *a = applier;
    if (!a)
        return;
    free_batches(&a->waiting); /* not begun: the log brings them again */
    while (a->exclusive_first) {
        struct exclusive *next = a->exclusive_first->next;
        free(a->exclusive_first);
        a->exclusive_first = next;
    }
    cu_worker_free(a->worker); /* still reports what was under way */
    free_batches(&a->waiting); /* what it could not commit */
    cu_timer_close(&a->pause);
    catalog_store_free(a->store);
    catalog_sqlite_close(a->db);
    cu_arena_free(a->results);
    cu_buf_deinit(&a->facts.header);
    cu_buf_deinit(&a->next_facts.header);
    free(a->outcomes);
    free(a->new_marks);
    free(a);
}
