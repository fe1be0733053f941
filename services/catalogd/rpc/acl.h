/* acl.h - the handlers of Acl that rest on what a token may do: rpc/acl_resolve.c. */
#ifndef CATALOG_RPC_ACL_H
#define CATALOG_RPC_ACL_H

#include "common/rpc/method.h"

cu_handler catalog_acl_resolve_serve, catalog_acl_authorize_serve;

#endif
