/* authorizer.h - what somebody may do: the rules of some policies, merged (http-api.md 4.2, 4.3).
 * Immutable, shared, usable on any thread. */
#ifndef CU_ACL_AUTHORIZER_H
#define CU_ACL_AUTHORIZER_H

#include <stdint.h>

#include "common/acl/right.h"
#include "common/acl/rules.h"

struct cu_authorizer;

/* Rules of several policies; where they say nothing, `is_allowed_by_default` decides, but never for
 * the resource acl. `rights` names the whole: equal numbers, equal rights; not 0 and not
 * CU_RIGHTS_ALL. The caller has one reference. Keeps nothing of what is given. */
enum { CU_RIGHTS_ALL = 1 };
struct cu_authorizer *cu_authorizer_new(const struct cu_rules *policies, size_t count,
                                        bool is_allowed_by_default, uint64_t rights);
struct cu_authorizer *cu_authorizer_ref(struct cu_authorizer *authorizer);
void cu_authorizer_unref(struct cu_authorizer *authorizer); /* takes NULL */

/* May do everything, as all may where ACLs are off; its rights are CU_RIGHTS_ALL. Static: takes
 * references as others do. */
struct cu_authorizer *cu_authorizer_all(void);
/* May do nothing. */
struct cu_authorizer *cu_authorizer_none(void);
/* What an agent's master token may: `agent` of this node, and read all nodes (http-api.md 4.2). */
struct cu_authorizer *cu_authorizer_agent_master(const char *node);

uint64_t cu_authorizer_rights(const struct cu_authorizer *authorizer);

/* Whether `access` (read, list, write) to the segment is granted: the exact rule, else the longest
 * prefix's, else the default. */
bool cu_authorizer_may(const struct cu_authorizer *authorizer, enum cu_resource resource,
                       enum cu_access access, struct cu_bytes segment);
/* Whether `access` is granted to everything under the prefix: for recursive deletes. */
bool cu_authorizer_may_below(const struct cu_authorizer *authorizer, enum cu_resource resource,
                             enum cu_access access, struct cu_bytes prefix);
/* Whether some rule grants it for some segment: reading intentions of "*". */
bool cu_authorizer_may_any(const struct cu_authorizer *authorizer, enum cu_resource resource,
                           enum cu_access access);
/* Whether it is granted for every segment there could be: writing intentions of "*". */
bool cu_authorizer_may_all(const struct cu_authorizer *authorizer, enum cu_resource resource,
                           enum cu_access access);

/* The same, for a right as methods name it. Intentions of "*" are as above. */
bool cu_authorizer_permits(const struct cu_authorizer *authorizer, enum cu_right right,
                           struct cu_bytes resource);
/* "service", "write": of a right, for sentences such as "Missing service:write on web". */
void cu_right_words(enum cu_right right, const char **ret_resource, const char **ret_access);

#endif
