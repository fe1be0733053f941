/* acl_builtin.h - what every system with access control begins with: the built-in policy, the
 * anonymous token, that of acl.tokens.master; and the first management token, made once
 * (http-api.md 4.4). */
#ifndef CATALOG_ACL_BUILTIN_H
#define CATALOG_ACL_BUILTIN_H

#include "services/catalogd/core/acl.h"
#include "services/catalogd/core/view.h"

/* ---- inside catalog_apply() only ---- */

/* Makes what is missing. With a token for acl.tokens.master there has been a bootstrap. */
CU_MUST_USE enum cu_err
catalog_acl_builtins_apply(struct catalog_store *store,
                           const Curia__Internal__V1__AclBuiltinsCommand *command);

/* Refused where there has been one, but for the right reset index. */
CU_MUST_USE enum cu_err
catalog_acl_bootstrap_apply(struct catalog_store *store,
                            const Curia__Internal__V1__AclBootstrapCommand *command,
                            struct catalog_acl_done *ret_done);

/* ---- reads; the arena is used in passing ---- */

/* Whether anything is missing. `master_secret_id`: "": none is configured. */
CU_MUST_USE enum cu_err catalog_acl_builtins_missing(const struct catalog_view *view,
                                                     const char *master_secret_id,
                                                     struct cu_arena *arena, bool *ret_missing);

/* The index that allows another bootstrap; 0: there has been none. */
CU_MUST_USE enum cu_err catalog_acl_reset_index(const struct catalog_backend *backend,
                                                struct cu_arena *arena, uint64_t *ret_index);

/* Why there is no bootstrap now, given what the operator wrote (0: nothing); text NULL: there may
 * be one. */
struct catalog_refusal catalog_acl_bootstrap_refusal(uint64_t reset_index, uint64_t written,
                                                     struct cu_arena *arena);

#endif
