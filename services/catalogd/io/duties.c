#include "services/catalogd/io/duties.h"

#include <stdlib.h>

#include "common/base/assert.h"
#include "services/catalogd/io/acl_duty.h"
#include "services/catalogd/io/ca.h"
#include "services/catalogd/io/reconcile.h"

enum { PROPOSE_MS = 10000 };

/* ---- reap KV tombstones ---- */

static void on_reaped(void *arg, enum cu_err err, const struct catalog_outcome *outcome)
{
    struct catalog_shell *shell = arg;
    if (err) /* the next run tries again, here or on another server */
        cu_debug(shell->env->log, "duty.reap", "error=%s", cu_err_name(err));
}

struct oldest {
    bool found;
    uint64_t before_ms;
};

static bool visit(void *arg, const struct catalog_row *row)
{
    struct oldest *oldest = arg;
    Curia__Internal__V1__TombstoneRow *tombstone =
        curia__internal__v1__tombstone_row__unpack(NULL, row->value.len, row->value.data);
    if (tombstone)
        oldest->found = tombstone->lease_ms < oldest->before_ms;
    curia__internal__v1__tombstone_row__free_unpacked(tombstone, NULL);
    return !oldest->found;
}

/* A job of its own: the table may be large. */
struct catalog_reaping {
    bool is_looking;
    struct catalog_shell *shell;
    struct catalog_read_job job;
    struct oldest oldest;
};

static void look(void *arg, const struct catalog_backend *backend, const struct cu_diag *diag)
{
    struct catalog_reaping *reaping = arg;
    if (backend) /* a failed look is one that found nothing; the next run looks again */
        (void)backend->scan(backend->context, CATALOG_TOMBSTONES, (struct cu_bytes){0},
                            (struct cu_bytes){0}, visit, &reaping->oldest);
}

static void looked(void *arg)
{
    struct catalog_reaping *reaping = arg;
    struct catalog_shell *shell = reaping->shell;
    reaping->is_looking = false;
    if (reaping->oldest.found && shell->duties.is_on) {
        Curia__Internal__V1__ReapTombstones reap = CURIA__INTERNAL__V1__REAP_TOMBSTONES__INIT;
        reap.before_lease_ms = reaping->oldest.before_ms;
        Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
        command.actor = "anonymous";
        command.cause = "reap";
        command.reap_tombstones = &reap;
        (void)catalog_write_start(shell, &command,
                                  cu_mono_add_ms(cu_loop_now(shell->env->loop), PROPOSE_MS), true,
                                  on_reaped, shell);
    }
}

static void reap(void *context)
{
    struct catalog_shell *shell = context;
    uint64_t lease_ms = catalog_shell_facts(shell)->lease_ms;
    struct catalog_reaping *reaping = shell->reaping;
    if (lease_ms <= CATALOG_TOMBSTONE_TTL_MS || reaping->is_looking)
        return;
    reaping->is_looking = true;
    reaping->oldest = (struct oldest){.before_ms = lease_ms - CATALOG_TOMBSTONE_TTL_MS};
    catalog_readers_submit(shell->readers, &reaping->job);
}

static const struct catalog_duty duties[] = {
    {.name = "reap-tombstones", .period_ms = CATALOG_TOMBSTONE_GRAIN_MS, .run = reap},
    {.name = "members",
     .period_ms = CATALOG_RECONCILE_MS,
     .start = catalog_reconcile_start,
     .run = catalog_reconcile_all,
     .stop = catalog_reconcile_stop},
    {.name = "connect-ca", .period_ms = CATALOG_CA_PERIOD_MS, .run = catalog_ca_duty},
    {.name = "acl-builtins",
     .period_ms = CATALOG_ACL_BUILTINS_MS,
     .start = catalog_acl_builtins_run,
     .run = catalog_acl_builtins_run},
    {.name = "acl-reap", .period_ms = CATALOG_ACL_REAP_MS, .run = catalog_acl_reap_run},
};

/* ---- the grant ---- */

void catalog_duties_start(struct catalog_shell *shell)
{
    struct catalog_reaping *reaping = cu_alloc(sizeof(*reaping));
    reaping->shell = shell;
    reaping->job = (struct catalog_read_job){.run = look, .done = looked, .arg = reaping};
    shell->reaping = reaping;
    catalog_duties_init(&shell->duties, duties, CU_COUNT(duties), shell);
}

void catalog_duties_stop(struct catalog_shell *shell)
{
    free(shell->reaping);
}

void catalog_duties_on(struct catalog_shell *shell, uint64_t term, const struct catalog_id *ticket)
{
    shell->duty_term = term;
    shell->duty_ticket = *ticket;
    cu_info(shell->env->log, "duty.begin", "term=%llu", (unsigned long long)term);
    catalog_duties_begin(&shell->duties, cu_loop_now(shell->env->loop));
}

void catalog_duties_off(struct catalog_shell *shell)
{
    if (!shell->duties.is_on)
        return;
    cu_info(shell->env->log, "duty.end", "term=%llu", (unsigned long long)shell->duty_term);
    catalog_duties_end(&shell->duties);
}
