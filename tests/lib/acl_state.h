/* acl_state.h - commands of access control on a state (catalog_state.h), in a test's words. */
#ifndef TESTS_LIB_ACL_STATE_H
#define TESTS_LIB_ACL_STATE_H

#include "services/catalogd/core/acl_read.h"
#include "tests/lib/catalog_state.h"

enum { ACL_NAMES = 8 };

/* What is left out is "": a policy, role or token without it. Names end with NULL. */
struct acl {
    const char *id, *name, *description, *rules; /* id: of a token its accessor id */
    const char *secret;
    const char *policies[ACL_NAMES], *roles[ACL_NAMES]; /* by name; "#..." by id */
    const char *services[ACL_NAMES];                    /* identities */
    const char *datacenter;                             /* of the identities */
    const char *nodes[ACL_NAMES];                       /* identities, in `datacenter` */
    const char *clone_of, *actor;
    bool is_create, is_delete, local;
    int64_t ttl_ms;
    uint64_t expires_ms;
};

typedef const Curia__Internal__V1__CommandResult acl_result;

/* Of a fixed shape: "00000001-..." for 1. Static, one for each number below 16. */
const char *acl_id(unsigned number);

acl_result *acl_policy(struct state *state, const struct acl *acl);
acl_result *acl_role(struct state *state, const struct acl *acl);
acl_result *acl_token(struct state *state, const struct acl *acl);
/* As the proposer does, from a message that is there already. */
acl_result *acl_token_of(struct state *state, Curia__V1__AclToken *token, bool is_create);

/* Unpacked from what the command made; it must have succeeded. */
Curia__V1__AclPolicy *acl_made_policy(struct state *state, acl_result *result);
Curia__V1__AclRole *acl_made_role(struct state *state, acl_result *result);
Curia__V1__AclToken *acl_made_token(struct state *state, acl_result *result);

/* Reads; NULL: there is none. By who may see secrets. */
Curia__V1__AclPolicy *acl_get_policy(struct state *state, const char *id);
Curia__V1__AclRole *acl_get_role(struct state *state, const char *id);
Curia__V1__AclToken *acl_get_token(struct state *state, const char *accessor_id);

/* The built-in policy and the anonymous token; `master`: "" or a secret. */
void acl_builtins(struct state *state, const char *master);

/* The state's hash is that of its rows. */
void acl_hash_holds(struct state *state);

#endif
