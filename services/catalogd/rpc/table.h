/* table.h - the services of catalogd, a row a method (contracts 2). */
#ifndef CATALOG_RPC_TABLE_H
#define CATALOG_RPC_TABLE_H

#include "services/catalogd/io/shell.h"

/* Exports the services and listens on the address between hosts. */
CU_MUST_USE enum cu_err catalog_rpc_start(struct catalog_shell *shell, struct cu_diag *diag);
void catalog_rpc_stop(struct catalog_shell *shell);

/* The state moved, or was replaced: waiting reads and feeds look again. */
void catalog_rpc_moved(struct catalog_shell *shell, const struct catalog_wakes *wakes);
void catalog_rpc_replaced(struct catalog_shell *shell);

void catalog_feeds_end(struct catalog_shell *shell); /* feed.c: all of them, NotReady */

/* doubt.c: the hook, and the end of what it holds. */
bool catalog_doubt(void *shell, struct cu_rq *rq);
void catalog_doubts_end(struct catalog_shell *shell);

void catalog_kv_txn(void *daemon, struct cu_rq *rq); /* txn.c: the handler of Kv.Txn */

extern const struct cu_service catalog_kv_service, catalog_status_service, catalog_feed_service,
    catalog_state_service, catalog_config_service, catalog_intentions_service,
    catalog_connect_service, catalog_catalog_service, catalog_health_service, catalog_acl_service;

#endif
