/* acl_resolve.h - what a token is worth: from its secret to the policies that hold for it
 * (http-api.md 4.2, 4.5). Pure: the wall clock is passed in. */
#ifndef CATALOG_ACL_RESOLVE_H
#define CATALOG_ACL_RESOLVE_H

#include "services/catalogd/core/view.h"

enum { CATALOG_ACL_LINKS_MAX = 4096 }; /* policies of one token, those of its roles included */

struct catalog_acl_terms {
    const char *datacenter; /* ours: what is meant for others only does not count */
    bool allows_by_default; /* acl.default_policy */
    uint64_t wall_ms;
};

/* One policy that holds. Identities are policies, too, under ids of their own. */
struct catalog_acl_policy {
    const char *id, *rules;
};

/* A row that it rests on: the token's, a policy's, a role's (contracts 3.4). */
struct catalog_acl_rest {
    enum catalog_table table;
    const char *id;
    uint64_t modify_index; /* 0: there is none */
};

struct catalog_acl_worth {
    const char *accessor_id;
    struct catalog_acl_rest *rests; /* what is named twice is there twice */
    size_t rest_count;
    struct catalog_acl_policy *policies; /* by id, each once */
    size_t policy_count;
    uint64_t rights;             /* of all of it and the default: equal numbers, equal rights */
    uint64_t expiration_time_ms; /* 0: never */
};

/* Fills in what the secret is worth; all of it in the arena. Missing policies and roles count for
 * nothing. Errors, with the reference's sentence in diag: DENIED "ACL not found": it is unknown or
 * expired; INTERNAL: it is a name of the root; TOO_LARGE: over the limit above, or the arena is
 * full; what the backend returned. */
CU_MUST_USE enum cu_err catalog_acl_resolve(const struct catalog_view *view,
                                            const struct catalog_acl_terms *terms,
                                            const char *secret, struct cu_arena *arena,
                                            struct catalog_acl_worth *ret_worth,
                                            struct cu_diag *diag);

/* The same for a token's row, which need not be in the state. */
CU_MUST_USE enum cu_err catalog_acl_worth_of(const struct catalog_view *view,
                                             const struct catalog_acl_terms *terms,
                                             const Curia__V1__AclToken *token,
                                             struct cu_arena *arena,
                                             struct catalog_acl_worth *ret_worth);

#endif
