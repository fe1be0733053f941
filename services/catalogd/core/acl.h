/* acl.h - what policies, roles and tokens have in common: their limits, ids, names, identities and
 * hashes (http-api.md 4.4 to 4.6).
 *
 * Used before proposing, so that refusals are fast, and in apply, where it counts. Whether rules
 * parse is asked before proposing only: what one version's parser takes, another's may not, and
 * replicas must not differ by it. */
#ifndef CATALOG_ACL_H
#define CATALOG_ACL_H

#include <stdbool.h>

#include "proto/curia/v1/acl.pb-c.h"
#include "services/catalogd/core/registration.h"

#define CATALOG_ACL_RESERVED      "00000000-0000-0000-0000-0000000000" /* what such ids begin with */
#define CATALOG_ACL_MANAGEMENT_ID CATALOG_ACL_RESERVED "01"            /* of the built-in policy */
#define CATALOG_ACL_ANONYMOUS_ID                                                                   \
    CATALOG_ACL_RESERVED "02" /* accessor id of the token of who has none */
#define CATALOG_ACL_ANONYMOUS_SECRET "anonymous"
#define CATALOG_ACL_HIDDEN           "<hidden>" /* a secret, for who may only read */
#define CATALOG_ACL_NOT_FOUND        "ACL not found"

enum {
    CATALOG_ACL_POLICY_NAME_BYTES_MAX = 128,
    CATALOG_ACL_ROLE_NAME_BYTES_MAX = 256,
    CATALOG_ACL_IDENTITY_NAME_BYTES_MAX = 256,
    CATALOG_ACL_DESCRIPTION_BYTES_MAX = 8 * 1024,
    CATALOG_ACL_LINKS_EACH_MAX = 512, /* of a token to policies, or to roles, or of a role */
    CATALOG_ACL_IDENTITIES_MAX = 256, /* of a token or a role, of services or of nodes */
    CATALOG_ACL_DATACENTERS_MAX = 64, /* of a policy or an identity */
    CATALOG_ACL_DATACENTER_BYTES_MAX = 256,
    CATALOG_ACL_SECRET_BYTES_MAX = 512, /* only that of acl.tokens.master is not a UUID */
};

/* What apply made of a command: refused, or done. */
struct catalog_acl_done {
    struct catalog_refusal refusal; /* text NULL: it is not */
    const ProtobufCMessage *made;   /* as it is now, in the store's scratch; NULL: deleted */
};

/* Sets the refusal and returns false. */
bool catalog_acl_refuse(struct catalog_refusal *refusal, enum cu_err err, const char *sentence);

/* The one spelling of an id: lower case. NULL: no UUID, or the arena is full. */
char *catalog_acl_id(struct cu_arena *arena, const char *id);
bool catalog_acl_id_is_reserved(const char *id);

/* Letters, digits, '-' and '_': names of policies and roles. */
bool catalog_acl_name_is_valid(const char *name, size_t bytes_max);
/* Lower-case ones, '-' and '_' but at the ends: names of identities. */
bool catalog_acl_identity_is_valid(const char *name);

bool catalog_acl_check_description(const char *description, struct catalog_refusal *refusal);
bool catalog_acl_check_datacenters(char *const *datacenters, size_t count,
                                   struct catalog_refusal *refusal);

/* The identities of a token or a role, where they lie in its message. */
struct catalog_acl_identities {
    const char *whose; /* "token", "role": as sentences call it */
    bool is_local;
    Curia__V1__AclServiceIdentity **services;
    size_t *service_count;
    Curia__V1__AclNodeIdentity **nodes;
    size_t *node_count;
};
/* Checks them, sorts them and merges equal ones; what that makes lies in the arena. */
bool catalog_acl_prepare_identities(const struct catalog_acl_identities *identities,
                                    struct cu_arena *arena, struct catalog_refusal *refusal);

/* BLAKE2b-256 of the message, from which ids, times and indexes were taken. False: the arena is
 * full. */
bool catalog_acl_hash(const void *content, struct cu_arena *arena, ProtobufCBinaryData *ret_hash);

#endif
