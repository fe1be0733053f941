/* acl_token.h - tokens: what one must hold; making, changing, copying and deleting one, and those
 * that have expired (http-api.md 4.6).
 *
 * A row of "acl_tokens" has everything of a token but its secret. That lies in "acl_secrets", which
 * no feed, list or history shows, both ways:
 *
 *   "s" NUL SECRET       AclSecret{accessor id}
 *   "a" NUL ACCESSOR-ID  AclSecret{secret id} */
#ifndef CATALOG_ACL_TOKEN_H
#define CATALOG_ACL_TOKEN_H

#include "services/catalogd/core/acl_name.h"

enum {
    CATALOG_ACL_TTL_MIN_MS = 60 * 1000,
    CATALOG_ACL_TTL_MAX_MS = 24 * 60 * 60 * 1000,
    CATALOG_ACL_REAP_MAX = 256, /* tokens in one command */
};

/* ---- secrets ---- */

enum catalog_acl_way { CATALOG_ACL_BY_SECRET = 's', CATALOG_ACL_BY_ACCESSOR = 'a' };

/* What the secret or accessor id leads to, in the arena; NULL: there is no such token. Errors:
 * TOO_LARGE the arena is full; what the backend returned. */
CU_MUST_USE enum cu_err catalog_acl_secret_get(const struct catalog_backend *backend,
                                               enum catalog_acl_way way, const char *id,
                                               struct cu_arena *arena, char **ret_text);

/* By the given clock, or that of the log. */
bool catalog_acl_token_is_expired(const Curia__V1__AclToken *token, uint64_t wall_ms);

/* ---- writes ---- */

/* What can be said without the state; ids and identities get their one spelling. False: refused. */
bool catalog_acl_token_prepare(Curia__Internal__V1__AclTokenCommand *command,
                               struct cu_arena *arena, struct catalog_refusal *refusal);

/* The rest inside catalog_apply() only. Nobody deletes the token that he acts with: that is the
 * command's actor. */
CU_MUST_USE enum cu_err catalog_acl_token_apply(struct catalog_store *store,
                                                Curia__Internal__V1__AclTokenCommand *command,
                                                struct catalog_acl_done *ret_done);
CU_MUST_USE enum cu_err catalog_acl_token_reap(struct catalog_store *store,
                                               const Curia__Internal__V1__AclReapCommand *command);
/* Puts a token that is part of the system: without checks but for its size. *ret_token is as it is
 * now, in the store's scratch; NULL: its accessor or secret id is in use. */
CU_MUST_USE enum cu_err catalog_acl_token_make(struct catalog_store *store,
                                               const Curia__V1__AclToken *token,
                                               Curia__V1__AclToken **ret_token);

/* Names the token's policies and roles, and leaves out those that there are no more. */
CU_MUST_USE enum cu_err catalog_acl_token_name(struct catalog_acl_names *names,
                                               Curia__V1__AclToken *token);

#endif
