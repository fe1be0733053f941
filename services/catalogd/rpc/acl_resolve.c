/* What a token may do, for daemons that guard something of their own. */
#include "common/rpc/rpc.h"
#include "services/catalogd/rpc/acl.h"

void catalog_acl_resolve_serve(void *daemon, struct cu_rq *rq)
{
    (void)daemon;
    cu_rq_fail(rq, CU_E_NOT_READY, "not built");
}

void catalog_acl_authorize_serve(void *daemon, struct cu_rq *rq)
{
    (void)daemon;
    cu_rq_fail(rq, CU_E_NOT_READY, "not built");
}
