#include "services/catalogd/io/checkpoint.h"

#include <stdlib.h>

#include "common/base/assert.h"
#include "services/catalogd/io/sqlite.h"

struct catalog_checkpoints {
    struct catalog_shell *shell;
    struct cu_worker *worker;
    struct catalog_sqlite *db; /* the worker's while the job runs */
    struct cu_job job;
    bool is_running, is_restarting;
    bool was_cut; /* by readers: the last one copied a part */
    struct catalog_fold_wait folded;
    unsigned holds;
    struct cu_timer leisure;
    uint64_t pages; /* in the log when the last one began */

    /* what the database held when the job began: that is what its end makes durable */
    struct catalog_position position;
    struct cu_buf header;

    enum cu_err err;
    bool sync_failed;
    int frames, copied;
    struct cu_diag diag;
};

static const struct catalog_stored *stored(const struct catalog_checkpoints *c)
{
    return catalog_applier_stored(c->shell->applier);
}

static bool is_behind(const struct catalog_checkpoints *c)
{
    struct catalog_replica_status status;
    catalog_replica_status(c->shell->replica, &status);
    return status.durable.index < stored(c)->position.index;
}

static void remember(struct catalog_checkpoints *c)
{
    c->pages = stored(c)->wal_pages;
    c->position = stored(c)->position;
    cu_buf_clear(&c->header);
    cu_buf_append(&c->header, stored(c)->header.data, stored(c)->header.len);
}

static void run(void *arg)
{
    struct catalog_checkpoints *c = arg;
    c->err = cu_db_checkpoint(catalog_sqlite_db(c->db), CU_CHECKPOINT_PASSIVE, &c->frames,
                              &c->copied, &c->diag);
    c->sync_failed = c->err && cu_db_sync_failed(catalog_sqlite_db(c->db));
}

static void start(struct catalog_checkpoints *c)
{
    c->is_running = true;
    c->was_cut = false;
    cu_timer_cancel(&c->leisure);
    remember(c);
    cu_worker_submit(c->worker, &c->job);
}

/* ---- the WAL begun anew ---- */

static enum cu_err restart(void *arg, struct catalog_sqlite *db, struct cu_diag *diag)
{
    struct catalog_checkpoints *c = arg;
    return cu_db_checkpoint(catalog_sqlite_db(db), CU_CHECKPOINT_RESTART, &c->frames, &c->copied,
                            diag);
}

static void restarted(void *arg, enum cu_err err, const struct cu_diag *diag)
{
    struct catalog_checkpoints *c = arg;
    struct catalog_shell *shell = c->shell;
    c->is_restarting = false;
    if (shell->is_stopping) /* nobody reads any more */
        return;
    catalog_readers_ungate(shell->readers);
    if (err)
        cu_warn(shell->env->log, "checkpoint.restart", "error=%s text=\"%s\"", cu_err_name(err),
                diag->text);
    else
        catalog_shell_durable(shell, c->position, cu_buf_bytes(&c->header));
    catalog_checkpoints_moved(c);
}

static void nobody_reads(void *arg)
{
    struct catalog_checkpoints *c = arg;
    remember(c); /* committed before the job below, which therefore copies it */
    catalog_applier_exclusive(c->shell->applier, restart, restarted, c);
}

static bool wants_restart(const struct catalog_checkpoints *c)
{
    return stored(c)->wal_pages >= CATALOG_RESTART_PAGES && c->holds == 0 && !c->is_restarting &&
           catalog_applier_fold_state(c->shell->applier) !=
               CATALOG_FOLDING && /* readers would wait for it, too */
           !catalog_readers_is_gated(c->shell->readers);
}

/* ---- when ---- */

static void done(void *arg)
{
    struct catalog_checkpoints *c = arg;
    struct catalog_shell *shell = c->shell;
    c->is_running = false;
    if (shell->is_stopping)
        return; /* the next life reports it: what would hear of it here is being freed */
    if (c->sync_failed) {
        cu_env_fail(
            shell->env,
            "cannot sync the catalog in %s: %s; check the disk: what is not in the database "
            "is applied again from the log at the next start",
            shell->folder, c->diag.text);
        return;
    }
    c->was_cut = !c->err && c->copied < c->frames;
    if (c->err)
        catalog_shell_complain(shell, "checkpoint", c->diag.text);
    else if (c->was_cut)
        cu_timer_set_ms(&c->leisure, CATALOG_CHECKPOINT_AGAIN_MS);
    else
        catalog_shell_durable(shell, c->position, cu_buf_bytes(&c->header));
    if (wants_restart(c)) {
        c->is_restarting = true;
        catalog_readers_gate(shell->readers, nobody_reads, c);
    }
    catalog_checkpoints_moved(c);
}

static void at_leisure(void *arg)
{
    struct catalog_checkpoints *c = arg;
    if (c->is_running || c->is_restarting || c->folded.is_waiting)
        return;
    if (c->was_cut)
        start(c);
    else
        catalog_applier_fold(c->shell->applier, &c->folded);
}

static void is_folded(void *arg, enum cu_err err)
{
    struct catalog_checkpoints *c = arg;
    (void)err; /* what was folded before is made durable all the same */
    if (!c->is_running && !c->is_restarting && is_behind(c))
        start(c);
}

void catalog_checkpoints_moved(struct catalog_checkpoints *checkpoints)
{
    struct catalog_checkpoints *c = checkpoints;
    if (c->is_running || c->is_restarting)
        return;
    uint64_t pages = stored(c)->wal_pages;
    if (pages < c->pages)
        c->pages = 0; /* the log was begun anew */
    if (pages - c->pages >= CATALOG_CHECKPOINT_PAGES)
        start(c);
    else if (!cu_timer_is_set(&c->leisure))
        cu_timer_set_ms(&c->leisure, CATALOG_CHECKPOINT_LEISURE_MS);
}

void catalog_checkpoints_hold(struct catalog_checkpoints *checkpoints)
{
    checkpoints->holds++;
}

void catalog_checkpoints_let_go(struct catalog_checkpoints *checkpoints)
{
    CU_ASSERT(checkpoints->holds > 0);
    checkpoints->holds--;
}

enum cu_err catalog_checkpoints_open(struct catalog_shell *shell,
                                     struct catalog_checkpoints **ret_checkpoints,
                                     struct cu_diag *diag)
{
    struct catalog_checkpoints *c = cu_alloc(sizeof(*c));
    c->shell = shell;
    c->folded = (struct catalog_fold_wait){.done = is_folded, .arg = c};
    c->job = (struct cu_job){.run = run, .done = done, .arg = c};
    enum cu_err err = catalog_sqlite_open_writer(shell->path, &c->db, diag);
    if (err) {
        free(c);
        return err;
    }
    cu_timer_init(&c->leisure, shell->env->loop, at_leisure, c);
    c->worker = cu_worker_new(shell->env->loop, "checkpoint");
    *ret_checkpoints = c;
    return CU_OK;
}

void catalog_checkpoints_free(struct catalog_checkpoints *checkpoints)
{
    struct catalog_checkpoints *c = checkpoints;
    if (!c)
        return;
    c->is_restarting = true; /* nothing new is begun by what ends now */
    if (c->shell->applier)
        catalog_applier_fold_cancel(c->shell->applier, &c->folded);
    cu_worker_free(c->worker);
    cu_timer_close(&c->leisure);
    catalog_sqlite_close(c->db);
    cu_buf_deinit(&c->header);
    free(c);
}
