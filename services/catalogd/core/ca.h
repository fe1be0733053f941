/* ca.h - the certificate authority's rows: roots, configuration, the key that signs (mesh.md 1). */
#ifndef CATALOG_CA_H
#define CATALOG_CA_H

#include "proto/curia/v1/connect.pb-c.h"
#include "services/catalogd/core/registration.h"
#include "services/catalogd/core/view.h"

enum { CATALOG_ROOTS_MAX = 16, CATALOG_PEM_BYTES_MAX = 64 * 1024 };

/* Inside catalog_apply() only. *ret_applied false: the roots have changed since. */
CU_MUST_USE enum cu_err catalog_ca_set(struct catalog_store *store,
                                       const Curia__Internal__V1__CaSetCommand *command,
                                       bool *ret_applied, struct catalog_refusal *ret_refusal);

/* ---- reads; all in the arena, TOO_LARGE when it is full ---- */

CU_MUST_USE enum cu_err catalog_ca_roots(const struct catalog_view *view, struct cu_arena *arena,
                                         Curia__V1__CaRootsReply *reply, uint64_t *ret_index);
/* The cluster id is in it: whoever answers a user takes it out. NULL: there is none yet. */
CU_MUST_USE enum cu_err catalog_ca_config(const struct catalog_view *view, struct cu_arena *arena,
                                          Curia__V1__CaConfig **ret_config, uint64_t *ret_index);
/* The PEM of the key of a root, with a NUL behind it; data NULL: there is none. */
CU_MUST_USE enum cu_err catalog_ca_key(const struct catalog_view *view, const char *root_id,
                                       struct cu_arena *arena, const char **ret_pem);

#endif
