#include "services/catalogd/io/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/random.h"
#include "common/base/num.h"
#include "services/catalogd/io/checkpoint.h"
#include "services/catalogd/io/copy.h"
#include "services/catalogd/io/header.h"
#include "services/catalogd/io/raftd.h"

/* Somebody who waits for the copy, or for a part of it. */
struct asker {
    catalog_on_offer *on_offer;
    catalog_on_chunk *on_chunk;
    void *arg;
    struct asker *next;
    /* of a chunk */
    struct cu_job job;
    int fd;
    uint64_t offset;
    struct cu_buf data;
    enum cu_err err;
};

struct catalog_giver {
    struct catalog_shell *shell;
    struct cu_worker *worker;
    struct cu_timer idle;
    struct asker *askers; /* of the copy under way */
    bool is_copying, is_closing;

    struct catalog_id transfer; /* of the file, when there is one */
    char *path;
    int fd; /* -1: there is no file */
    struct cu_mono made, used, held;

    struct catalog_fold_wait folded;
    struct cu_turn_hook share_hook;
    struct cu_job job;
    struct catalog_copy copy; /* the worker's while copying */
};

static void drop_file(struct catalog_giver *giver)
{
    if (giver->fd < 0)
        return;
    (void)close(giver->fd);
    (void)unlink(giver->path); /* if it stays, the next start removes it */
    giver->fd = -1;
}

static void hold(struct catalog_giver *giver, uint32_t ttl_ms)
{
    giver->held = cu_loop_now(giver->shell->env->loop);
    catalog_raftd_hold(giver->shell, giver->copy.position.index, ttl_ms);
}

static void look_idle(void *arg)
{
    struct catalog_giver *giver = arg;
    struct cu_mono now = cu_loop_now(giver->shell->env->loop);
    uint64_t idle_ms = cu_mono_ms_between(giver->used, now);
    if (giver->fd < 0 || giver->is_copying)
        return;
    if (idle_ms >= CATALOG_SPOOL_IDLE_MS)
        drop_file(giver);
    else
        cu_timer_set_ms(&giver->idle, CATALOG_SPOOL_IDLE_MS - idle_ms + 1);
}

/* ---- copying ---- */

static void run_copy(void *arg)
{
    struct catalog_giver *giver = arg;
    catalog_copy_run(&giver->copy);
}

static void tell(struct catalog_giver *giver, struct asker *asker)
{
    struct catalog_copy *copy = &giver->copy;
    struct catalog_offer offer = {
        .err = copy->err,
        .text = copy->diag.text,
        .transfer = giver->transfer,
        .header = cu_buf_bytes(&copy->header),
        .size_bytes = copy->size_bytes,
        .state_hash = copy->hash,
    };
    asker->on_offer(asker->arg, &offer);
    free(asker);
}

static void tell_all(struct catalog_giver *giver)
{
    while (giver->askers) {
        struct asker *asker = giver->askers;
        giver->askers = asker->next;
        tell(giver, asker);
    }
}

static void copied(void *arg)
{
    struct catalog_giver *giver = arg;
    struct catalog_shell *shell = giver->shell;
    giver->is_copying = false;
    giver->made = giver->used = cu_loop_now(shell->env->loop);
    if (giver->is_closing)
        giver->copy.err = CU_E_NOT_READY;
    else
        catalog_checkpoints_let_go(shell->checkpoints);
    if (giver->copy.err) {
        cu_warn(shell->env->log, "state.copy", "error=%s text=\"%s\"", cu_err_name(giver->copy.err),
                giver->copy.diag.text);
        drop_file(giver);
    } else {
        cu_info(shell->env->log, "state.copy", "index=%llu bytes=%llu",
                (unsigned long long)giver->copy.position.index,
                (unsigned long long)giver->copy.size_bytes);
        hold(giver, CATALOG_HOLD_MS);
        cu_timer_set_ms(&giver->idle, CATALOG_SPOOL_IDLE_MS);
    }
    tell_all(giver);
}

static bool open_file(struct catalog_giver *giver)
{
    char name[CU_UUID_BYTES], path[4096];
    cu_random_bytes(giver->transfer.bytes, CATALOG_ID_BYTES);
    (void)snprintf(path, sizeof(path), "%s/%s%s", giver->shell->folder, CATALOG_SPOOL_PREFIX,
                   cu_format_uuid(giver->transfer.bytes, name));
    free(giver->path);
    giver->path = cu_strdup(path);
    giver->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return giver->fd >= 0;
}

static void start_copy(struct catalog_giver *giver)
{
    struct catalog_shell *shell = giver->shell;
    drop_file(giver);
    cu_buf_deinit(&giver->copy.header);
    giver->copy =
        (struct catalog_copy){.path = shell->path,
                              .wal_max_bytes = CATALOG_SPOOL_WAL_MAX,
                              .position = catalog_applier_stored(shell->applier)->position};
    if (!open_file(giver))
        giver->copy.err =
            cu_fail(&giver->copy.diag, CU_E_IO, "cannot make %s: %s", giver->path, strerror(errno));
    giver->copy.fd = giver->fd;
    giver->is_copying = true;
    hold(giver, CATALOG_HOLD_MS); /* from before the copy's snapshot */
    catalog_checkpoints_hold(shell->checkpoints);
    catalog_applier_fold(shell->applier, &giver->folded);
}

/* What the database has is all there is to give, be it behind what is applied. */
static void copy_folded(void *arg, enum cu_err err)
{
    struct catalog_giver *giver = arg;
    bool is_empty = catalog_applier_stored(giver->shell->applier)->position.index == 0;
    if (err && is_empty && !giver->copy.err)
        giver->copy.err = cu_fail(&giver->copy.diag, CU_E_NOT_READY,
                                  "this catalog has no state to give: it cannot be written");
    cu_worker_submit(giver->worker, &giver->job);
}

static bool can_share(const struct catalog_giver *giver)
{
    struct cu_mono now = cu_loop_now(giver->shell->env->loop);
    return giver->fd >= 0 && cu_mono_ms_between(giver->made, now) < CATALOG_SPOOL_SHARE_MS;
}

static void shared(void *arg)
{
    tell_all(arg);
}

void catalog_giver_offer(struct catalog_giver *giver, catalog_on_offer *on_offer, void *arg)
{
    struct asker *asker = cu_alloc(sizeof(*asker));
    *asker = (struct asker){.on_offer = on_offer, .arg = arg, .next = giver->askers};
    giver->askers = asker;
    if (giver->is_copying)
        return;
    if (can_share(giver))
        cu_loop_at_turn_end(giver->shell->env->loop, &giver->share_hook);
    else
        start_copy(giver);
}

/* ---- chunks ---- */

static void run_chunk(void *arg)
{
    struct asker *asker = arg;
    uint8_t *data = cu_buf_extend(&asker->data, CATALOG_CHUNK_BYTES);
    ssize_t got = pread(asker->fd, data, CATALOG_CHUNK_BYTES, (off_t)asker->offset);
    asker->data.len = got > 0 ? (size_t)got : 0;
    asker->err = got < 0 ? CU_E_IO : CU_OK;
    (void)close(asker->fd);
}

static void chunk_read(void *arg)
{
    struct asker *asker = arg;
    asker->on_chunk(asker->arg, asker->err, cu_buf_bytes(&asker->data));
    cu_buf_deinit(&asker->data);
    free(asker);
}

static void no_chunk(void *arg)
{
    struct asker *asker = arg;
    asker->err = CU_E_NOT_FOUND;
}

void catalog_giver_chunk(struct catalog_giver *giver, const struct catalog_id *transfer,
                         uint64_t offset, catalog_on_chunk *on_chunk, void *arg)
{
    struct asker *asker = cu_alloc(sizeof(*asker));
    *asker = (struct asker){.on_chunk = on_chunk, .arg = arg, .offset = offset, .fd = -1};
    asker->job = (struct cu_job){.run = no_chunk, .done = chunk_read, .arg = asker};
    bool is_there = giver->fd >= 0 && !giver->is_copying &&
                    catalog_id_equal(transfer, &giver->transfer) && offset <= INT64_MAX;
    if (is_there)
        asker->fd = fcntl(giver->fd, F_DUPFD_CLOEXEC, 0); /* the file may be dropped meanwhile */
    if (asker->fd >= 0) {
        asker->job.run = run_chunk;
        giver->used = cu_loop_now(giver->shell->env->loop);
        if (cu_mono_ms_between(giver->held, giver->used) > CATALOG_HOLD_MS / 3)
            hold(giver, CATALOG_HOLD_MS);
    }
    cu_worker_submit(giver->worker, &asker->job);
}

/* The hold goes on for its time: the taker's raftd still has to ask for what follows. */
void catalog_giver_done(struct catalog_giver *giver, const struct catalog_id *transfer)
{
    if (catalog_id_equal(transfer, &giver->transfer))
        cu_debug(giver->shell->env->log, "state.given", "index=%llu",
                 (unsigned long long)giver->copy.position.index);
}

bool catalog_giver_is_copying(const struct catalog_giver *giver)
{
    return giver->is_copying;
}

/* ---- life ---- */

struct catalog_giver *catalog_giver_new(struct catalog_shell *shell)
{
    struct catalog_giver *giver = cu_alloc(sizeof(*giver));
    giver->shell = shell;
    giver->fd = -1;
    giver->job = (struct cu_job){.run = run_copy, .done = copied, .arg = giver};
    giver->folded = (struct catalog_fold_wait){.done = copy_folded, .arg = giver};
    giver->share_hook = (struct cu_turn_hook){.fn = shared, .arg = giver};
    cu_timer_init(&giver->idle, shell->env->loop, look_idle, giver);
    giver->worker = cu_worker_new(shell->env->loop, "spool");
    return giver;
}

void catalog_giver_free(struct catalog_giver *giver)
{
    if (!giver)
        return;
    giver->is_closing = true;
    catalog_applier_fold_cancel(giver->shell->applier, &giver->folded);
    __atomic_store_n(&giver->copy.is_cancelled, true, __ATOMIC_RELAXED);
    cu_worker_free(giver->worker);
    giver->copy.err = CU_E_NOT_READY;
    tell_all(giver);
    cu_turn_hook_cancel(giver->shell->env->loop, &giver->share_hook);
    cu_timer_close(&giver->idle);
    drop_file(giver);
    cu_buf_deinit(&giver->copy.header);
    free(giver->path);
    free(giver);
}

enum cu_err catalog_spool_reap(const char *folder, struct cu_diag *diag)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return cu_fail(diag, CU_E_IO, "cannot read %s: %s", folder, strerror(errno));
    enum cu_err err = CU_OK;
    for (struct dirent *entry; !err && (entry = readdir(dir));) {
        if (strncmp(entry->d_name, CATALOG_SPOOL_PREFIX, strlen(CATALOG_SPOOL_PREFIX)) != 0 &&
            strncmp(entry->d_name, CATALOG_PULL_PREFIX, strlen(CATALOG_PULL_PREFIX)) != 0)
            continue;
        if (unlinkat(dirfd(dir), entry->d_name, 0) != 0)
            err = cu_fail(diag, CU_E_IO, "cannot remove %s/%s: %s", folder, entry->d_name,
                          strerror(errno));
    }
    (void)closedir(dir);
    return err;
}
