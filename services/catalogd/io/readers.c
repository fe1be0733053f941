#include "services/catalogd/io/readers.h"

#include <stdlib.h>

#include "common/base/assert.h"
#include "services/catalogd/io/memtables.h"
#include "services/catalogd/io/sqlite.h"

/* A connection, and what is read through it. */
struct source {
    struct catalog_sqlite *db;
    struct catalog_overlay overlay; /* empty outside of a snapshot */
    bool is_open;                   /* a read transaction of the database */
    uint64_t retired;               /* memtables, when it was opened */
};

struct reader {
    struct catalog_readers *pool;
    struct cu_worker *worker;
    struct source source;
    struct catalog_read_job *current; /* NULL: free */
    struct cu_job job;
};

struct catalog_readers {
    struct cu_loop *loop;
    char *path;
    struct catalog_memtables *memtables;
    struct source source; /* the loop's */
    bool is_in_snapshot, is_gated;
    uint64_t generation;
    struct cu_timer timer; /* ends the snapshot */
    struct reader readers[CATALOG_READERS_POOL];
    unsigned running;
    struct catalog_read_job *first, *last;
    cu_callback *when_closed;
    void *when_closed_arg;
    struct cu_turn_hook close_hook;
};

/* ---- snapshots ---- */

static void close_snapshot(struct source *source)
{
    catalog_overlay_clear(&source->overlay);
    if (source->is_open)
        catalog_sqlite_end_read(source->db);
    source->is_open = false;
}

/* The database first, then the memtables; anew when one was retired in between. */
static enum cu_err open_snapshot(struct catalog_readers *pool, struct source *source,
                                 struct cu_diag *diag)
{
    do {
        if (source->is_open && source->retired != catalog_memtables_retired(pool->memtables))
            close_snapshot(source);
        if (!source->is_open) {
            source->retired = catalog_memtables_retired(pool->memtables);
            enum cu_err err = catalog_sqlite_begin_read(source->db, diag);
            if (err)
                return err;
            source->is_open = true;
        }
    } while (!catalog_memtables_take(pool->memtables, source->retired, &source->overlay));
    return CU_OK;
}

static void end_snapshot(void *arg)
{
    struct catalog_readers *pool = arg;
    cu_timer_cancel(&pool->timer);
    pool->is_in_snapshot = false;
    close_snapshot(&pool->source);
}

/* What was read of the database stays open for what comes next: only the memtables have moved. */
void catalog_readers_moved(struct catalog_readers *readers)
{
    readers->is_in_snapshot = false;
    catalog_overlay_clear(&readers->source.overlay);
}

void catalog_readers_rebase(struct catalog_readers *readers)
{
    end_snapshot(readers);
}

const struct catalog_backend *catalog_readers_snapshot(struct catalog_readers *readers)
{
    if (readers->is_gated)
        return NULL;
    if (!readers->is_in_snapshot) {
        if (open_snapshot(readers, &readers->source, NULL) != CU_OK)
            return NULL;
        readers->is_in_snapshot = true;
        readers->generation++;
        if (!cu_timer_is_set(&readers->timer))
            cu_timer_set_ms(&readers->timer, CATALOG_SNAPSHOT_MS);
    }
    return &readers->source.overlay.backend;
}

uint64_t catalog_readers_generation(const struct catalog_readers *readers)
{
    return readers->generation;
}

/* ---- the pool ---- */

static void run(void *arg)
{
    struct reader *reader = arg;
    struct catalog_read_job *job = reader->current;
    struct cu_diag diag = {0};
    bool is_open = open_snapshot(reader->pool, &reader->source, &diag) == CU_OK;
    job->run(job->arg, is_open ? &reader->source.overlay.backend : NULL, &diag);
    close_snapshot(&reader->source);
}

static void start(struct catalog_readers *pool)
{
    for (int i = 0; i < CATALOG_READERS_POOL && pool->first && !pool->is_gated; i++) {
        struct reader *reader = &pool->readers[i];
        if (reader->current)
            continue;
        struct catalog_read_job *job = pool->first;
        pool->first = job->next;
        if (!pool->first)
            pool->last = NULL;
        job->has_started = true;
        reader->current = job;
        pool->running++;
        cu_worker_submit(reader->worker, &reader->job);
    }
}

static void closed(void *arg)
{
    struct catalog_readers *pool = arg;
    cu_callback *when_closed = pool->when_closed;
    if (!when_closed || pool->running > 0)
        return;
    pool->when_closed = NULL;
    when_closed(pool->when_closed_arg);
}

static void done(void *arg)
{
    struct reader *reader = arg;
    struct catalog_readers *pool = reader->pool;
    struct catalog_read_job *job = reader->current;
    reader->current = NULL;
    pool->running--;
    job->done(job->arg);
    start(pool);
    closed(pool);
}

void catalog_readers_submit(struct catalog_readers *readers, struct catalog_read_job *job)
{
    job->next = NULL;
    job->has_started = false;
    if (readers->last)
        readers->last->next = job;
    else
        readers->first = job;
    readers->last = job;
    start(readers);
}

/* ---- the gate ---- */

void catalog_readers_gate(struct catalog_readers *readers, cu_callback *when_closed, void *arg)
{
    CU_ASSERT(!readers->is_gated);
    readers->is_gated = true;
    readers->when_closed = when_closed;
    readers->when_closed_arg = arg;
    end_snapshot(readers);
    if (readers->running == 0)
        cu_loop_at_turn_end(readers->loop, &readers->close_hook);
}

void catalog_readers_ungate(struct catalog_readers *readers)
{
    readers->is_gated = false;
    readers->when_closed = NULL;
    start(readers);
}

bool catalog_readers_is_gated(const struct catalog_readers *readers)
{
    return readers->is_gated;
}

static enum cu_err open_source(struct catalog_readers *pool, struct source *source,
                               struct cu_diag *diag)
{
    enum cu_err err = catalog_sqlite_open_reader(pool->path, &source->db, diag);
    if (!err)
        catalog_overlay_init(&source->overlay, catalog_sqlite_backend(source->db));
    return err;
}

static void close_source(struct source *source)
{
    catalog_sqlite_close(source->db);
    source->db = NULL;
}

void catalog_readers_release(struct catalog_readers *readers)
{
    CU_ASSERT(readers->running == 0 && !readers->source.is_open);
    close_source(&readers->source);
    for (int i = 0; i < CATALOG_READERS_POOL; i++)
        close_source(&readers->readers[i].source);
    readers->memtables = NULL;
}

enum cu_err catalog_readers_reopen(struct catalog_readers *readers,
                                   struct catalog_memtables *memtables, struct cu_diag *diag)
{
    readers->memtables = memtables;
    enum cu_err err = open_source(readers, &readers->source, diag);
    for (int i = 0; !err && i < CATALOG_READERS_POOL; i++)
        err = open_source(readers, &readers->readers[i].source, diag);
    return err;
}

enum cu_err catalog_readers_open(struct cu_loop *loop, const char *path,
                                 struct catalog_memtables *memtables,
                                 struct catalog_readers **ret_readers, struct cu_diag *diag)
{
    struct catalog_readers *pool = cu_alloc(sizeof(*pool));
    pool->loop = loop;
    pool->path = cu_strdup(path);
    cu_timer_init(&pool->timer, loop, end_snapshot, pool);
    pool->close_hook = (struct cu_turn_hook){.fn = closed, .arg = pool};
    for (int i = 0; i < CATALOG_READERS_POOL; i++) {
        struct reader *reader = &pool->readers[i];
        reader->pool = pool;
        reader->job = (struct cu_job){.run = run, .done = done, .arg = reader};
        reader->worker = cu_worker_new(loop, "read");
    }
    enum cu_err err = catalog_readers_reopen(pool, memtables, diag);
    if (err) {
        catalog_readers_free(pool);
        return err;
    }
    *ret_readers = pool;
    return CU_OK;
}

void catalog_readers_free(struct catalog_readers *readers)
{
    if (!readers)
        return;
    readers->is_gated = true; /* what is submitted from here on, by who is told, does not start */
    readers->first = readers->last = NULL;
    readers->when_closed = NULL;
    for (int i = 0; i < CATALOG_READERS_POOL; i++)
        cu_worker_free(readers->readers[i].worker);
    end_snapshot(readers);
    cu_turn_hook_cancel(readers->loop, &readers->close_hook);
    catalog_readers_release(readers);
    cu_timer_close(&readers->timer);
    free(readers->path);
    free(readers);
}
