/* authorizer.h - what somebody may do: the rules of some policies, merged (http-api.md 4.2, 4.3).
 * Immutable, shared, usable on any thread. */
#ifndef CU_ACL_AUTHORIZER_H
#define CU_ACL_AUTHORIZER_H

#include <stdint.h>

#include "common/acl/right.h"
#include "common/acl/rules.h"

struct cu_authorizer;

/* Rules of several policies, merged: of those for the same resource, segment and kind (exact,
 * prefix) a deny stays, else a write, a list, a read. Where no rule speaks for intentions of what a
 * service's rule names, they may be read if the service may be, else nothing. Where the rules say
 * nothing, `is_allowed_by_default` decides, but never for the resource acl. `rights` names the
 * whole: equal numbers, equal rights; not 0 and not CU_RIGHTS_ALL. The caller has one reference.
 * Keeps nothing of what is given. */
enum { CU_RIGHTS_ALL = 1 };
struct cu_authorizer *cu_authorizer_new(const struct cu_rules *policies, size_t count,
                                        bool is_allowed_by_default, uint64_t rights);
struct cu_authorizer *cu_authorizer_ref(struct cu_authorizer *authorizer);
void cu_authorizer_unref(struct cu_authorizer *authorizer); /* takes NULL */

/* May do everything, as all may where ACLs are off; its rights are CU_RIGHTS_ALL. Static: takes
 * references as others do. */
struct cu_authorizer *cu_authorizer_all(void);
/* May do nothing. Static, too. */
struct cu_authorizer *cu_authorizer_none(void);
/* What an agent's master token may: `agent` of this node, and read all nodes (http-api.md 4.2). */
struct cu_authorizer *cu_authorizer_agent_master(const char *node);

uint64_t cu_authorizer_rights(const struct cu_authorizer *authorizer);

/* Whether `access` (read, list, write) to the segment is granted: the exact rule, else the longest
 * prefix's, else the default. Of acl, keyring and operator no segment is looked at. Takes
 * O(log rules) comparisons, as all below but may_below. */
bool cu_authorizer_may(const struct cu_authorizer *authorizer, enum cu_resource resource,
                       enum cu_access access, struct cu_bytes segment);
/* Whether `access` is granted to everything under the prefix: the longest prefix rule for it, else
 * the default, and each rule at or under it. For recursive deletes; takes as long as there are
 * rules under it. */
bool cu_authorizer_may_below(const struct cu_authorizer *authorizer, enum cu_resource resource,
                             enum cu_access access, struct cu_bytes prefix);
/* Whether some rule grants it for some segment; where none does, what is true of a segment that
 * only the empty prefix speaks for. Reading intentions of "*". */
bool cu_authorizer_may_any(const struct cu_authorizer *authorizer, enum cu_resource resource,
                           enum cu_access access);
/* Whether it is granted for every segment there could be: by all rules, and by that for the empty
 * prefix or else by default. Writing intentions of "*". */
bool cu_authorizer_may_all(const struct cu_authorizer *authorizer, enum cu_resource resource,
                           enum cu_access access);

/* The same, for a right as methods name it. Intentions of "*" are as above; of RIGHT_NONE and
 * ANY_TOKEN the answer is yes. */
bool cu_authorizer_permits(const struct cu_authorizer *authorizer, enum cu_right right,
                           struct cu_bytes segment);
/* "service", "write": of a right, for sentences such as "Missing service:write on web"; "" and ""
 * of RIGHT_NONE and ANY_TOKEN. */
void cu_right_words(enum cu_right right, const char **ret_resource, const char **ret_access);

#endif
