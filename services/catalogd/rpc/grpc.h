/* grpc.h - the public services of catalogd over gRPC (`catalogd.grpc_port`). */
#ifndef CATALOG_RPC_GRPC_H
#define CATALOG_RPC_GRPC_H

#include "services/catalogd/io/shell.h"

/* After the services were added to the rpc. */
CU_MUST_USE enum cu_err catalog_grpc_start(struct catalog_shell *shell, struct cu_diag *diag);
void catalog_grpc_drain(struct catalog_shell *shell);
void catalog_grpc_stop(struct catalog_shell *shell); /* before the services end */

#endif
