#include "services/catalogd/io/scrub.h"

#include <stdlib.h>

#include "common/base/assert.h"
#include "services/catalogd/core/verify.h"
#include "services/catalogd/io/checkpoint.h"
#include "services/catalogd/io/sqlite.h"

enum { AGAIN_MS = 60 * 1000 /* after one that could not end */ };

struct catalog_scrub {
    struct catalog_shell *shell;
    struct cu_worker *worker;
    struct cu_timer timer;
    struct catalog_fold_wait folded;
    bool is_running, is_closing;
    uint64_t index;

    /* the worker's while the job runs */
    struct cu_job job;
    struct catalog_sqlite *db;
    bool is_cancelled; /* set by the loop */
    enum cu_err err;
    struct cu_diag diag;
    struct catalog_verification found;
};

static bool goes_on(void *arg)
{
    struct catalog_scrub *scrub = arg;
    return !__atomic_load_n(&scrub->is_cancelled, __ATOMIC_RELAXED) &&
           cu_db_wal_bytes(catalog_sqlite_db(scrub->db)) <= CATALOG_SCRUB_WAL_MAX;
}

static void run(void *arg)
{
    struct catalog_scrub *scrub = arg;
    scrub->db = NULL;
    scrub->err = catalog_sqlite_open_reader(scrub->shell->path, &scrub->db, &scrub->diag);
    if (!scrub->err)
        scrub->err = catalog_sqlite_begin_read(scrub->db, &scrub->diag);
    if (!scrub->err) {
        scrub->err =
            catalog_verify(catalog_sqlite_backend(scrub->db), goes_on, scrub, &scrub->found);
        if (scrub->err && scrub->err != CU_E_NOT_READY)
            scrub->err = cu_fail(&scrub->diag, scrub->err, "the state cannot be read: %s",
                                 catalog_sqlite_message(scrub->db));
        catalog_sqlite_end_read(scrub->db);
    }
    catalog_sqlite_close(scrub->db);
}

static void disown(struct catalog_scrub *scrub)
{
    const struct catalog_verification *found = &scrub->found;
    struct cu_diag why = {0};
    cu_count(scrub->shell->count.scrub_damaged, 1);
    if (scrub->err)
        (void)cu_fail(&why, CU_E_CORRUPT, "%s", scrub->diag.text);
    else if (found->wrong_rows > 0)
        (void)cu_fail(&why, CU_E_CORRUPT,
                      "%llu of %llu rows fail their hash at index %llu, the first in table %s",
                      (unsigned long long)found->wrong_rows, (unsigned long long)found->rows,
                      (unsigned long long)found->position.index,
                      catalog_table_name(found->wrong_table));
    else
        (void)cu_fail(&why, CU_E_CORRUPT,
                      "the %llu rows do not add up to the hash of the state at index %llu",
                      (unsigned long long)found->rows, (unsigned long long)found->position.index);
    catalog_shell_disown(scrub->shell, why.text);
}

static void done(void *arg)
{
    struct catalog_scrub *scrub = arg;
    struct catalog_shell *shell = scrub->shell;
    scrub->is_running = false;
    if (scrub->is_closing || shell->is_stopping)
        return;
    catalog_checkpoints_let_go(shell->checkpoints);
    bool is_damaged =
        scrub->err == CU_E_CORRUPT || (!scrub->err && !catalog_verification_is_good(&scrub->found));
    cu_timer_set_ms(&scrub->timer, scrub->err ? AGAIN_MS : CATALOG_SCRUB_MS);
    if (!scrub->err)
        scrub->index = scrub->found.position.index;
    if (scrub->err && !is_damaged)
        cu_debug(shell->env->log, "state.scrub", "error=%s text=\"%s\"", cu_err_name(scrub->err),
                 scrub->diag.text);
    cu_count(shell->count.scrubs, scrub->err ? 0 : 1);
    if (is_damaged)
        disown(scrub);
}

static bool may_start(const struct catalog_scrub *scrub)
{
    struct catalog_replica_status status;
    catalog_replica_status(scrub->shell->replica, &status);
    return !status.is_pulling;
}

static void start(void *arg)
{
    struct catalog_scrub *scrub = arg;
    if (scrub->is_running)
        return;
    if (!may_start(scrub)) {
        cu_timer_set_ms(&scrub->timer, AGAIN_MS);
        return;
    }
    scrub->is_running = true;
    scrub->is_cancelled = false;
    scrub->diag.text[0] = '\0';
    catalog_checkpoints_hold(scrub->shell->checkpoints);
    catalog_applier_fold(scrub->shell->applier, &scrub->folded); /* or it looked at an old state */
}

static void run_folded(void *arg, enum cu_err err)
{
    struct catalog_scrub *scrub = arg;
    (void)err; /* what the database has is looked at all the same */
    cu_worker_submit(scrub->worker, &scrub->job);
}

void catalog_scrub_now(struct catalog_scrub *scrub)
{
    start(scrub);
}

bool catalog_scrub_quiesce(struct catalog_scrub *scrub)
{
    __atomic_store_n(&scrub->is_cancelled, true, __ATOMIC_RELAXED);
    return !scrub->is_running;
}

uint64_t catalog_scrub_index(const struct catalog_scrub *scrub)
{
    return scrub->index;
}

struct catalog_scrub *catalog_scrub_new(struct catalog_shell *shell)
{
    struct catalog_scrub *scrub = cu_alloc(sizeof(*scrub));
    scrub->shell = shell;
    scrub->folded = (struct catalog_fold_wait){.done = run_folded, .arg = scrub};
    scrub->job = (struct cu_job){.run = run, .done = done, .arg = scrub};
    cu_timer_init(&scrub->timer, shell->env->loop, start, scrub);
    cu_timer_set_ms(&scrub->timer, CATALOG_SCRUB_FIRST_MS);
    scrub->worker = cu_worker_new(shell->env->loop, "scrub");
    return scrub;
}

void catalog_scrub_free(struct catalog_scrub *scrub)
{
    if (!scrub)
        return;
    scrub->is_closing = true;
    (void)catalog_scrub_quiesce(scrub);
    catalog_applier_fold_cancel(scrub->shell->applier, &scrub->folded);
    cu_worker_free(scrub->worker);
    cu_timer_close(&scrub->timer);
    free(scrub);
}
