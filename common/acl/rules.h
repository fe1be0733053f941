/* rules.h - the rules of one policy (http-api.md 4.3): which resource, under which name or prefix,
 * with which access. */
#ifndef CU_ACL_RULES_H
#define CU_ACL_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"

enum {
    CU_RULES_BYTES_MAX = 512 * 1024, /* of a policy's text */
    CU_RULES_MAX = 16384,            /* of one policy; a service's with `intentions` is two */
};

/* Weakest first but for UNSET; a deny is a rule, too: it never falls through to the default. */
enum cu_access {
    CU_ACCESS_UNSET,
    CU_ACCESS_DENY,
    CU_ACCESS_READ,
    CU_ACCESS_LIST,
    CU_ACCESS_WRITE,
    CU_ACCESS_COUNT
};

/* "deny", "read", "list", "write"; "" of UNSET. Found in any case; `ret_access` is left alone where
 * false is the answer. */
const char *cu_access_name(enum cu_access access);
bool cu_access_find(const char *name, enum cu_access *ret_access);

enum cu_resource {
    CU_RESOURCE_ACL, /* without a segment, as keyring and operator */
    CU_RESOURCE_AGENT,
    CU_RESOURCE_EVENT,
    CU_RESOURCE_INTENTION, /* written as `intentions` of a service's rule */
    CU_RESOURCE_KEY,
    CU_RESOURCE_KEYRING,
    CU_RESOURCE_NODE,
    CU_RESOURCE_OPERATOR,
    CU_RESOURCE_QUERY,
    CU_RESOURCE_SERVICE,
    CU_RESOURCE_SESSION,
    CU_RESOURCE_COUNT
};
/* "acl", "agent", ...; found in lower case only. */
const char *cu_resource_name(enum cu_resource resource);
bool cu_resource_find(const char *name, enum cu_resource *ret_resource);

struct cu_rule {
    enum cu_resource resource;
    enum cu_access access;
    bool is_prefix;
    struct cu_bytes segment; /* empty for resources without one */
};

struct cu_rules {
    struct cu_rule *items;
    size_t count;
};

/* Parses HCL or JSON (common/hcl/hcl.h); all of it lies in the arena, at most 64 bytes a rule and
 * the segments. What the reference does not know (resources, attributes) is passed over. Without
 * `intentions` a service's rule brings none for them: what the reference derives then depends on
 * the rules of all policies and is the authorizer's to say. On failure `ret_rules` is left alone.
 * Errors: INVALID, diag is the reference's sentence ("Failed to parse ACL rules: At 1:11: ...",
 * "Invalid operator policy: ..."); TOO_LARGE over a limit above or of HCL, or the arena is full. */
CU_MUST_USE enum cu_err cu_rules_parse(struct cu_bytes text, struct cu_arena *arena,
                                       struct cu_rules *ret_rules, struct cu_diag *diag);

#endif
