#include "services/catalogd/rpc/table.h"

#include <stdio.h>
#include <string.h>

#include "services/catalogd/rpc/grpc.h"
#include "services/catalogd/rpc/read.h"

static const struct cu_service *const services[] = {
    &catalog_kv_service,    &catalog_status_service,  &catalog_feed_service,
    &catalog_state_service, &catalog_catalog_service, &catalog_health_service,
};

/* A write at a reading catalogd goes to the attached one (contracts 3.8). */
static enum cu_err route(void *context, const struct cu_rq *rq, enum cu_route where,
                         struct cu_client **ret_client, struct cu_diag *diag)
{
    struct catalog_shell *shell = context;
    *ret_client = NULL;
    if (where != ROUTE_ATTACHED || shell->conf.follow[0] == '\0')
        return CU_OK;
    if (!shell->attached)
        return cu_fail(diag, CU_E_NOT_READY, "it is not known yet which catalog takes writes");
    *ret_client = shell->attached;
    return CU_OK;
}

enum cu_err catalog_rpc_start(struct catalog_shell *shell, struct cu_diag *diag)
{
    struct cu_rpc *rpc = shell->env->rpc;
    shell->reading = catalog_reading_new(shell);
    for (size_t i = 0; i < CU_COUNT(services); i++)
        cu_rpc_add_service(rpc, services[i], shell);
    cu_rpc_set_hooks(rpc, &(struct cu_rpc_hooks){.context = shell, .route = route});
    char url[300];
    (void)snprintf(url, sizeof(url), "tcp://%s:%d", shell->env->bind_address, shell->conf.port);
    enum cu_err err = cu_rpc_listen(rpc, url, diag);
    return err ? err : catalog_grpc_start(shell, diag);
}

void catalog_rpc_stop(struct catalog_shell *shell)
{
    catalog_grpc_stop(shell);
    catalog_feeds_end(shell);
    catalog_reading_free(shell->reading);
    shell->reading = NULL;
}

void catalog_rpc_moved(struct catalog_shell *shell, const struct catalog_wakes *wakes)
{
    catalog_reading_moved(shell, wakes);
}

void catalog_rpc_replaced(struct catalog_shell *shell)
{
    catalog_reading_replaced(shell);
}
