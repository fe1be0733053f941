#include "services/catalogd/io/applier.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/catalogd/io/header.h"
#include "services/catalogd/io/memtables.h"
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
    struct catalog_sqlite *db; /* borrowed of the fold */
    enum cu_err err;
    struct cu_diag diag;
    struct exclusive *next;
};

struct catalog_applier {
    struct cu_worker *worker;
    struct catalog_fold *fold; /* NULL: the database could not be opened */
    struct catalog_crash *crash;
    catalog_on_commit *on_commit;
    catalog_fold_done *on_fold;
    void *arg;
    struct catalog_memtables *memtables;

    /* the apply worker's while a job is under way */
    struct catalog_sqlite *below; /* read only */
    struct catalog_store *store;
    struct cu_arena *results;

    /* the loop's */
    struct catalog_facts facts;
    size_t memtable_bytes; /* of the one written to, after the last commit */
    bool is_closing;
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
    bool may_rotate, must_rotate, has_rotated;
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
    catalog_memtables_rollback(a->memtables);
    catalog_store_free(a->store);
    a->store = NULL;
    if (catalog_store_open(catalog_memtables_backend(a->memtables), &a->store, NULL) != CU_OK)
        a->store = NULL;
}

static void run_commit(struct catalog_applier *a)
{
    a->err = apply_batches(a);
    if (a->err == CU_OK || a->err == CU_E_NOT_READY) {
        enum cu_err err = catalog_store_flush(a->store);
        if (err)
            a->err = err;
    }
    if (a->err && a->err != CU_E_NOT_READY) {
        go_back(a);
        return;
    }
    catalog_memtables_publish(a->memtables);
    a->wakes = catalog_store_take_wakes(a->store);
    gather_facts(a, &a->next_facts);
}

static void run_job(void *arg)
{
    struct catalog_applier *a = arg;
    catalog_memtables_begin(a->memtables);
    if (a->batches.first)
        run_commit(a);
    bool is_full = catalog_memtables_bytes(a->memtables) >= CATALOG_MEMTABLE_FOLD_BYTES;
    if (a->may_rotate && (a->must_rotate || is_full))
        a->has_rotated = catalog_memtables_rotate(a->memtables);
    a->memtable_bytes = catalog_memtables_bytes(a->memtables);
    if (a->exclusive)
        a->exclusive->err =
            a->exclusive->run(a->exclusive->arg, a->exclusive->db, &a->exclusive->diag);
}

/* ---- on the loop ---- */

static void start_job(struct catalog_applier *a);

/* ---- folds ---- */

/* The facts are those of what was rotated. */
static void begin_fold(struct catalog_applier *a)
{
    a->has_rotated = false;
    catalog_fold_begin(a->fold, a->memtables, a->facts.position, cu_buf_bytes(&a->facts.header));
}

static void folded(void *arg, enum cu_err err, const char *text)
{
    struct catalog_applier *a = arg;
    a->on_fold(a->arg, err, text);
    if (a->is_closing)
        return;
    if (!a->is_busy)
        catalog_memtables_begin(a->memtables); /* or an idle one would hold what was folded */
    catalog_fold_tell(a->fold, err);
    start_job(a);
}

void catalog_applier_fold(struct catalog_applier *applier, struct catalog_fold_wait *wait)
{
    uint64_t applied = applier->facts.position.index;
    if (catalog_fold_stored(applier->fold)->position.index >= applied) {
        wait->done(wait->arg, CU_OK);
        return;
    }
    catalog_fold_wait(applier->fold, wait, applied);
    start_job(applier);
}

void catalog_applier_fold_cancel(struct catalog_applier *applier, struct catalog_fold_wait *wait)
{
    catalog_fold_cancel(applier->fold, wait);
}

enum catalog_fold_state catalog_applier_fold_state(const struct catalog_applier *applier)
{
    return catalog_fold_state(applier->fold);
}

const struct catalog_stored *catalog_applier_stored(const struct catalog_applier *applier)
{
    return catalog_fold_stored(applier->fold);
}

struct catalog_memtables *catalog_applier_memtables(const struct catalog_applier *applier)
{
    return applier->memtables;
}

/* ---- commits ---- */

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
    if (exclusive)
        catalog_fold_give_back(a->fold);
    if (a->batches.first)
        finish_commit(a);
    if (a->has_rotated)
        begin_fold(a);
    a->is_busy = false;
    start_job(a);
    if (exclusive) {
        exclusive->done(exclusive->arg, exclusive->err, &exclusive->diag);
        free(exclusive);
    }
}

static void take_exclusive(struct catalog_applier *a)
{
    a->exclusive = a->exclusive_first;
    if (!a->exclusive)
        return;
    a->exclusive->db = catalog_fold_borrow(a->fold);
    a->exclusive_first = a->exclusive->next;
    if (!a->exclusive_first)
        a->exclusive_last = NULL;
}

/* An exclusive job lets no fold begin, and waits for the one under way. */
static void start_job(struct catalog_applier *a)
{
    if (a->is_busy || a->is_closing)
        return;
    enum catalog_fold_state fold = catalog_fold_state(a->fold);
    bool is_full = fold != CATALOG_FOLDED && a->memtable_bytes >= CATALOG_MEMTABLE_BYTES_MAX;
    bool applies = a->waiting.first && !a->is_paused && !is_full;
    bool is_alone = a->exclusive_first && fold != CATALOG_FOLDING;
    bool may_rotate = !a->exclusive_first && fold == CATALOG_FOLDED;
    bool rotates = may_rotate && catalog_fold_is_awaited(a->fold);
    if (!applies && !is_alone && !rotates)
        return;
    a->is_busy = true;
    a->may_rotate = may_rotate;
    a->must_rotate = rotates;
    if (applies) {
        a->batches = a->waiting;
        a->waiting = (struct batches){0};
    }
    if (is_alone)
        take_exclusive(a);
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
    return !applier->is_busy && !applier->waiting.first &&
           catalog_fold_state(applier->fold) != CATALOG_FOLDING;
}

const struct catalog_facts *catalog_applier_facts(const struct catalog_applier *applier)
{
    return &applier->facts;
}

const struct catalog_marks *catalog_applier_marks(const struct catalog_applier *applier)
{
    return &applier->marks;
}

static enum cu_err open_state(struct catalog_applier *a, struct cu_loop *loop, const char *path,
                              struct cu_diag *diag)
{
    enum cu_err err = catalog_fold_open(loop, path, folded, a, &a->fold, diag);
    if (!err)
        err = catalog_sqlite_open_reader(path, &a->below, diag);
    if (err)
        return err;
    a->memtables = catalog_memtables_new(catalog_sqlite_backend(a->below));
    return catalog_store_open(catalog_memtables_backend(a->memtables), &a->store, diag);
}

enum cu_err catalog_applier_open(const struct catalog_applier_options *options,
                                 struct catalog_applier **ret_applier, struct cu_diag *diag)
{
    struct catalog_applier *a = cu_alloc(sizeof(*a));
    a->crash = options->crash;
    a->on_commit = options->on_commit;
    a->on_fold = options->on_fold;
    a->arg = options->arg;
    a->results = cu_arena_new(RESULT_BYTES_MAX);
    cu_timer_init(&a->pause, options->loop, pause_is_over, a);
    a->job = (struct cu_job){.run = run_job, .done = job_done, .arg = a};
    enum cu_err err = open_state(a, options->loop, options->path, diag);
    if (err) {
        catalog_applier_free(a);
        return err;
    }
    gather_facts(a, &a->facts);
    catalog_fold_found(a->fold, a->facts.position, cu_buf_bytes(&a->facts.header));
    a->worker = cu_worker_new(options->loop, "apply");
    *ret_applier = a;
    return CU_OK;
}

/* Both workers have ended: this thread is all there is. */
static void fold_the_rest(struct catalog_applier *a)
{
    struct cu_diag diag = {0};
    if (!a->store || catalog_fold_state(a->fold) != CATALOG_FOLDED ||
        !catalog_memtables_rotate(a->memtables))
        return;
    enum cu_err err = catalog_fold_now(a->fold, a->memtables, &diag);
    a->on_fold(a->arg, err, diag.text);
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
    a->is_closing = true;
    cu_worker_free(a->worker); /* still reports what was under way */
    free_batches(&a->waiting); /* what it could not commit */
    catalog_fold_stop(a->fold);
    fold_the_rest(a);
    cu_timer_close(&a->pause);
    catalog_store_free(a->store);
    catalog_memtables_free(a->memtables);
    catalog_sqlite_close(a->below);
    catalog_fold_free(a->fold);
    cu_arena_free(a->results);
    cu_buf_deinit(&a->facts.header);
    cu_buf_deinit(&a->next_facts.header);
    free(a->outcomes);
    free(a->new_marks);
    free(a);
}
