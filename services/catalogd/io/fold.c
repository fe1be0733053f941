#include "services/catalogd/io/fold.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "common/base/assert.h"

struct catalog_fold {
    catalog_fold_done *done;
    void *arg;
    struct cu_worker *worker;
    struct cu_timer again;
    struct cu_job job;

    /* the loop's */
    enum catalog_fold_state state;
    struct catalog_stored stored, rotated; /* rotated: what will be stored */
    struct catalog_fold_wait *waits;
    bool is_borrowed, is_stopping;

    /* the worker's while it folds */
    struct catalog_memtables *memtables;
    struct catalog_sqlite *db;
    uint64_t wal_pages;
    enum cu_err err;
    struct cu_diag diag;
};

/* ---- on the worker ---- */

/* SQLite tells after each commit how many pages the write-ahead log holds. */
static int on_wal(void *arg, sqlite3 *handle, const char *name, int pages)
{
    struct catalog_fold *fold = arg;
    fold->wal_pages = (uint64_t)pages;
    return SQLITE_OK;
}

static enum cu_err write_all(struct catalog_fold *fold, struct cu_diag *diag)
{
    enum cu_err err = catalog_sqlite_begin(fold->db, diag);
    if (err)
        return err;
    err = catalog_memtables_fold(fold->memtables, catalog_sqlite_backend(fold->db));
    if (err)
        (void)cu_fail(diag, err, "%s", catalog_sqlite_message(fold->db));
    else
        err = catalog_sqlite_commit(fold->db, diag);
    if (err)
        catalog_sqlite_rollback(fold->db);
    else
        catalog_memtables_retire(fold->memtables);
    return err;
}

static void run(void *arg)
{
    struct catalog_fold *fold = arg;
    fold->err = write_all(fold, &fold->diag);
}

/* ---- on the loop ---- */

static void set_stored(struct catalog_stored *to, struct catalog_position position,
                       struct cu_bytes header)
{
    to->position = position;
    cu_buf_clear(&to->header);
    cu_buf_append(&to->header, header.data, header.len);
}

static void start(void *arg)
{
    struct catalog_fold *fold = arg;
    if (fold->is_borrowed) {
        cu_timer_set_ms(&fold->again, CATALOG_FOLD_AGAIN_MS);
        return;
    }
    fold->state = CATALOG_FOLDING;
    cu_worker_submit(fold->worker, &fold->job);
}

static void ended(void *arg)
{
    struct catalog_fold *fold = arg;
    struct cu_diag diag = fold->diag;
    fold->diag.text[0] = '\0';
    fold->state = fold->err ? CATALOG_FOLD_FAILED : CATALOG_FOLDED;
    if (fold->err == CU_E_IO && !fold->is_stopping)
        cu_timer_set_ms(&fold->again, CATALOG_FOLD_AGAIN_MS);
    if (!fold->err) {
        set_stored(&fold->stored, fold->rotated.position, cu_buf_bytes(&fold->rotated.header));
        fold->stored.wal_pages = fold->wal_pages;
    }
    fold->done(fold->arg, fold->err, diag.text);
}

void catalog_fold_begin(struct catalog_fold *fold, struct catalog_memtables *memtables,
                        struct catalog_position position, struct cu_bytes header)
{
    CU_ASSERT(fold->state == CATALOG_FOLDED);
    fold->memtables = memtables;
    set_stored(&fold->rotated, position, header);
    start(fold);
}

void catalog_fold_found(struct catalog_fold *fold, struct catalog_position position,
                        struct cu_bytes header)
{
    set_stored(&fold->stored, position, header);
}

enum catalog_fold_state catalog_fold_state(const struct catalog_fold *fold)
{
    return fold->state;
}

const struct catalog_stored *catalog_fold_stored(const struct catalog_fold *fold)
{
    return &fold->stored;
}

struct catalog_sqlite *catalog_fold_borrow(struct catalog_fold *fold)
{
    CU_ASSERT(fold->state != CATALOG_FOLDING);
    fold->is_borrowed = true;
    return fold->db;
}

void catalog_fold_give_back(struct catalog_fold *fold)
{
    fold->is_borrowed = false;
}

/* ---- who waits ---- */

void catalog_fold_wait(struct catalog_fold *fold, struct catalog_fold_wait *wait, uint64_t index)
{
    CU_ASSERT(!wait->is_waiting);
    wait->is_waiting = true;
    wait->index = index;
    wait->next = fold->waits;
    fold->waits = wait;
}

void catalog_fold_cancel(struct catalog_fold *fold, struct catalog_fold_wait *wait)
{
    struct catalog_fold_wait **at = &fold->waits;
    if (!wait->is_waiting)
        return;
    while (*at != wait)
        at = &(*at)->next;
    *at = wait->next;
    wait->is_waiting = false;
}

bool catalog_fold_is_awaited(const struct catalog_fold *fold)
{
    return fold->waits != NULL;
}

/* The first that is to be told, taken out; NULL: all others wait on. */
static struct catalog_fold_wait *next_told(struct catalog_fold *fold, enum cu_err err,
                                           uint64_t stored)
{
    struct catalog_fold_wait *wait = fold->waits;
    while (wait && !err && wait->index > stored)
        wait = wait->next;
    if (wait)
        catalog_fold_cancel(fold, wait);
    return wait;
}

/* Who is told may begin to wait anew: that one is for the next time. */
void catalog_fold_tell(struct catalog_fold *fold, enum cu_err err)
{
    struct catalog_fold_wait *told = NULL, *wait;
    while ((wait = next_told(fold, err, fold->stored.position.index))) {
        wait->next = told;
        told = wait;
    }
    while (told) {
        wait = told;
        told = wait->next;
        wait->done(wait->arg, err);
    }
}

/* ---- opening and closing ---- */

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

enum cu_err catalog_fold_open(struct cu_loop *loop, const char *path, catalog_fold_done *done,
                              void *arg, struct catalog_fold **ret_fold, struct cu_diag *diag)
{
    struct catalog_sqlite *db;
    enum cu_err err = catalog_sqlite_open_writer(path, &db, diag);
    if (err)
        return err;
    err = make_durable(db, path, diag);
    if (err) {
        catalog_sqlite_close(db);
        return err;
    }
    struct catalog_fold *fold = cu_alloc(sizeof(*fold));
    fold->db = db;
    fold->done = done;
    fold->arg = arg;
    fold->job = (struct cu_job){.run = run, .done = ended, .arg = fold};
    fold->worker = cu_worker_new(loop, "fold");
    cu_timer_init(&fold->again, loop, start, fold);
    (void)sqlite3_wal_hook(cu_db_handle(catalog_sqlite_db(db)), on_wal, fold);
    *ret_fold = fold;
    return CU_OK;
}

void catalog_fold_stop(struct catalog_fold *fold)
{
    if (!fold)
        return;
    fold->is_stopping = true;
    cu_worker_free(fold->worker);
    fold->worker = NULL;
    cu_timer_close(&fold->again);
    for (; fold->waits; fold->waits = fold->waits->next)
        fold->waits->is_waiting = false;
}

enum cu_err catalog_fold_now(struct catalog_fold *fold, struct catalog_memtables *memtables,
                             struct cu_diag *diag)
{
    CU_ASSERT(fold->state == CATALOG_FOLDED);
    fold->memtables = memtables;
    return write_all(fold, diag);
}

void catalog_fold_free(struct catalog_fold *fold)
{
    if (!fold)
        return;
    catalog_sqlite_close(fold->db);
    cu_buf_deinit(&fold->stored.header);
    cu_buf_deinit(&fold->rotated.header);
    free(fold);
}
