#include "services/catalogd/rpc/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/endpoint.h"
#include "common/rpc/client.h"
#include "services/catalogd/io/acl.h"
#include "services/catalogd/io/callers.h"
#include "services/catalogd/rpc/grpc.h"
#include "services/catalogd/rpc/read.h"

static const struct cu_service *const services[] = {
    &catalog_kv_service,     &catalog_status_service,     &catalog_feed_service,
    &catalog_state_service,  &catalog_catalog_service,    &catalog_health_service,
    &catalog_config_service, &catalog_intentions_service, &catalog_connect_service,
    &catalog_acl_service,
};

/* What the catalogd on duty answers goes there: the one beside the leading raftd. */
static enum cu_err route_to_duty(struct catalog_shell *shell, struct cu_client **ret_client,
                                 struct cu_diag *diag)
{
    const struct catalog_log_status *status = &shell->log_status;
    if (shell->duties.is_on)
        return CU_OK;
    char *address =
        catalog_conf_address_of(&shell->conf, status->leader_id, status->leader_address);
    bool is_known = *address && strcmp(status->leader_id, shell->env->node_id) != 0;
    if (is_known && (!shell->duty_address || strcmp(address, shell->duty_address) != 0)) {
        cu_client_free(shell->duty_client);
        free(shell->duty_address);
        shell->duty_address = cu_strdup(address);
        char url[CATALOG_ADDRESS_BYTES + 16];
        (void)snprintf(url, sizeof url, "tcp://%s", address);
        shell->duty_client = cu_client_new(shell->env->rpc, url, NULL, NULL);
    }
    free(address);
    if (!is_known || !shell->duty_client)
        return cu_fail(diag, CU_E_NO_LEADER, "No cluster leader");
    *ret_client = shell->duty_client;
    return CU_OK;
}

/* A write at a reading catalogd goes to the attached one (contracts 3.8). */
static enum cu_err route(void *context, const struct cu_rq *rq, enum cu_route where,
                         struct cu_client **ret_client, struct cu_diag *diag)
{
    struct catalog_shell *shell = context;
    *ret_client = NULL;
    if (where == ROUTE_DUTY)
        return route_to_duty(shell, ret_client, diag);
    if (where != ROUTE_ATTACHED || shell->conf.follow[0] == '\0')
        return CU_OK;
    if (!shell->attached)
        return cu_fail(diag, CU_E_NOT_READY, "it is not known yet which catalog takes writes");
    *ret_client = shell->attached;
    return CU_OK;
}

/* The one check of rights, for the bus and gRPC alike (contracts 2.4). */
static enum cu_err permit(void *context, struct cu_rq *rq, enum cu_right right,
                          struct cu_bytes resource, struct cu_diag *diag)
{
    struct catalog_shell *shell = context;
    struct catalog_caller caller;
    if (!shell->conf.acl.is_enabled)
        return CU_OK;
    enum cu_err err = catalog_acl_caller(shell, rq->token, &caller, diag);
    if (err)
        return err;
    if (!rq->actor)
        rq->actor = cu_arena_strdup(rq->arena, caller.actor);
    if (right == ANY_TOKEN || cu_authorizer_permits(caller.authorizer, right, resource))
        return CU_OK;
    return cu_fail(diag, CU_E_DENIED, "Permission denied");
}

enum cu_err catalog_rpc_start(struct catalog_shell *shell, struct cu_diag *diag)
{
    struct cu_rpc *rpc = shell->env->rpc;
    shell->reading = catalog_reading_new(shell);
    for (size_t i = 0; i < CU_COUNT(services); i++)
        cu_rpc_add_service(rpc, services[i], shell);
    cu_rpc_set_hooks(rpc, &(struct cu_rpc_hooks){.context = shell,
                                                 .classify = catalog_classify,
                                                 .permit = permit,
                                                 .doubt = catalog_doubt,
                                                 .route = route});
    char url[CU_ENDPOINT_BYTES];
    (void)cu_endpoint_url(shell->env->bind_address, (unsigned)shell->conf.port, url);
    enum cu_err err = cu_rpc_listen(rpc, url, diag);
    return err ? err : catalog_grpc_start(shell, diag);
}

void catalog_rpc_stop(struct catalog_shell *shell)
{
    catalog_doubts_end(shell);
    catalog_feeds_end(shell);
    catalog_reading_free(shell->reading);
    shell->reading = NULL;
}

void catalog_rpc_moved(struct catalog_shell *shell, const struct catalog_wakes *wakes)
{
    catalog_acl_moved(shell->acl, wakes);
    catalog_reading_moved(shell, wakes);
}

void catalog_rpc_replaced(struct catalog_shell *shell)
{
    catalog_acl_replaced(shell->acl);
    catalog_reading_replaced(shell);
}
