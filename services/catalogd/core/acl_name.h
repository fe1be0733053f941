/* acl_name.h - policies and roles by their names, which are unique without regard to letter case,
 * and links to them: rows keep ids alone, so a renamed policy stays linked and one that was deleted
 * is linked no more, without a write to what linked it. */
#ifndef CATALOG_ACL_NAME_H
#define CATALOG_ACL_NAME_H

#include "common/base/map.h"
#include "services/catalogd/core/acl.h"
#include "services/catalogd/core/derive.h"

catalog_derive catalog_acl_derive_policy, catalog_acl_derive_role;

/* The key of the policy or role (by `table`) of that name, in the arena; data NULL: there is none.
 */
CU_MUST_USE enum cu_err catalog_acl_find(const struct catalog_backend *backend,
                                         enum catalog_table table, const char *name,
                                         struct cu_arena *arena, struct cu_bytes *ret_key);

/* Links to policies or roles (by `table`), as a request gives them: by id, or by name. */
struct catalog_acl_links {
    enum catalog_table table;
    Curia__V1__AclLink **items;
    size_t *count;
};

/* Makes ids of them, each once, without names; what there is no such policy or role for is refused.
 * Inside catalog_apply() only. */
CU_MUST_USE enum cu_err catalog_acl_resolve_links(struct catalog_store *store,
                                                  const struct catalog_acl_links *links,
                                                  struct catalog_refusal *refusal);

/* Names of policies and roles, each looked up once. Zero-initialise with a backend and an arena,
 * in which the names lie. */
struct catalog_acl_names {
    const struct catalog_backend *backend;
    struct cu_arena *arena;
    struct cu_map policies, roles; /* by id; "" for one that there is not */
};
void catalog_acl_names_deinit(struct catalog_acl_names *names);
/* Fills names in and leaves out what was deleted. Errors: TOO_LARGE the arena is full; what the
 * backend returned. */
CU_MUST_USE enum cu_err catalog_acl_name_links(struct catalog_acl_names *names,
                                               const struct catalog_acl_links *links);

#endif
