/* acl.h - who asks, and what they may: tokens resolved against the state as it is here, and
 * remembered until that moves (http-api.md 4.2, contracts 7.2). */
#ifndef CATALOG_IO_ACL_H
#define CATALOG_IO_ACL_H

#include "common/acl/authorizer.h"
#include "services/catalogd/core/acl_resolve.h"
#include "services/catalogd/io/shell.h"

struct catalog_acl;

enum {
    CATALOG_ACL_TOKENS_MAX = 8192, /* remembered; one more, and all are looked up anew */
    CATALOG_ACL_SETS_MAX = 1024,   /* authorizers kept for sets of policies seen before */
    CATALOG_ACL_ARENA_BYTES = 64 * 1024 * 1024, /* of what one token's policies parse to */
};

/* All of it borrowed until the loop goes on; take a reference to keep the authorizer. */
struct catalog_caller {
    struct cu_authorizer *authorizer;
    const char *actor;                    /* for the change log: the accessor id, or "anonymous" */
    const char *accessor_id;              /* "": ACLs are off */
    const struct catalog_acl_rest *rests; /* rows that it rests on */
    size_t rest_count;
    uint64_t expiration_time_ms;
};

struct catalog_acl *catalog_acl_new(struct catalog_shell *shell);
void catalog_acl_free(struct catalog_acl *acl); /* takes NULL */

/* Who bears the token ("": nobody in particular). Without ACLs: somebody who may do everything, and
 * the token is not looked at. Errors, the sentence in diag: DENIED: it is unknown or expired;
 * INTERNAL: it is a name of the root, or a policy of its cannot be read; NOT_READY: there is no
 * state to look it up in now. */
CU_MUST_USE enum cu_err catalog_acl_caller(struct catalog_shell *shell, const char *token,
                                           struct catalog_caller *ret_caller, struct cu_diag *diag);

/* The policies themselves, all of it in the arena; nothing is remembered. Errors as above; DENIED,
 * too, where ACLs are off. */
CU_MUST_USE enum cu_err catalog_acl_worth(struct catalog_shell *shell, const char *token,
                                          struct cu_arena *arena,
                                          struct catalog_acl_worth *ret_worth,
                                          struct cu_diag *diag);

/* The state moved, or was replaced: what may have changed is looked up anew. */
void catalog_acl_moved(struct catalog_acl *acl, const struct catalog_wakes *wakes);
void catalog_acl_replaced(struct catalog_acl *acl);

#endif
