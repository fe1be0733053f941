#include "common/acl/authorizer.h"

#include "common/base/assert.h"

/* How a segment is meant. */
enum scope {
    OF_ANYBODY, /* no rule is asked */
    OF_ONE,
    OF_ALL_BELOW,
    OF_ONE_OR_STAR, /* "*" stands for all there are: any to read, every one to write */
};

/* clang-format off */
static const struct {
    enum scope scope;
    enum cu_resource resource;
    enum cu_access access;
} rights[CU_RIGHT_COUNT] = {
    [RIGHT_NONE]      = {.scope = OF_ANYBODY},
    [ANY_TOKEN]       = {.scope = OF_ANYBODY},
    [ACL_READ]        = {OF_ONE,         CU_RESOURCE_ACL,       CU_ACCESS_READ},
    [ACL_WRITE]       = {OF_ONE,         CU_RESOURCE_ACL,       CU_ACCESS_WRITE},
    [AGENT_READ]      = {OF_ONE,         CU_RESOURCE_AGENT,     CU_ACCESS_READ},
    [AGENT_WRITE]     = {OF_ONE,         CU_RESOURCE_AGENT,     CU_ACCESS_WRITE},
    [EVENT_READ]      = {OF_ONE,         CU_RESOURCE_EVENT,     CU_ACCESS_READ},
    [EVENT_WRITE]     = {OF_ONE,         CU_RESOURCE_EVENT,     CU_ACCESS_WRITE},
    [INTENTION_READ]  = {OF_ONE_OR_STAR, CU_RESOURCE_INTENTION, CU_ACCESS_READ},
    [INTENTION_WRITE] = {OF_ONE_OR_STAR, CU_RESOURCE_INTENTION, CU_ACCESS_WRITE},
    [KEY_READ]        = {OF_ONE,         CU_RESOURCE_KEY,       CU_ACCESS_READ},
    [KEY_WRITE]       = {OF_ONE,         CU_RESOURCE_KEY,       CU_ACCESS_WRITE},
    [KEY_LIST]        = {OF_ONE,         CU_RESOURCE_KEY,       CU_ACCESS_LIST},
    [KEY_WRITE_BELOW] = {OF_ALL_BELOW,   CU_RESOURCE_KEY,       CU_ACCESS_WRITE},
    [KEYRING_READ]    = {OF_ONE,         CU_RESOURCE_KEYRING,   CU_ACCESS_READ},
    [KEYRING_WRITE]   = {OF_ONE,         CU_RESOURCE_KEYRING,   CU_ACCESS_WRITE},
    [NODE_READ]       = {OF_ONE,         CU_RESOURCE_NODE,      CU_ACCESS_READ},
    [NODE_WRITE]      = {OF_ONE,         CU_RESOURCE_NODE,      CU_ACCESS_WRITE},
    [OPERATOR_READ]   = {OF_ONE,         CU_RESOURCE_OPERATOR,  CU_ACCESS_READ},
    [OPERATOR_WRITE]  = {OF_ONE,         CU_RESOURCE_OPERATOR,  CU_ACCESS_WRITE},
    [QUERY_READ]      = {OF_ONE,         CU_RESOURCE_QUERY,     CU_ACCESS_READ},
    [QUERY_WRITE]     = {OF_ONE,         CU_RESOURCE_QUERY,     CU_ACCESS_WRITE},
    [SERVICE_READ]    = {OF_ONE,         CU_RESOURCE_SERVICE,   CU_ACCESS_READ},
    [SERVICE_WRITE]   = {OF_ONE,         CU_RESOURCE_SERVICE,   CU_ACCESS_WRITE},
    [SESSION_READ]    = {OF_ONE,         CU_RESOURCE_SESSION,   CU_ACCESS_READ},
    [SESSION_WRITE]   = {OF_ONE,         CU_RESOURCE_SESSION,   CU_ACCESS_WRITE},
};
/* clang-format on */

static bool may_star(const struct cu_authorizer *authorizer, enum cu_resource resource,
                     enum cu_access access)
{
    return access == CU_ACCESS_WRITE ? cu_authorizer_may_all(authorizer, resource, access)
                                     : cu_authorizer_may_any(authorizer, resource, access);
}

bool cu_authorizer_permits(const struct cu_authorizer *authorizer, enum cu_right right,
                           struct cu_bytes segment)
{
    CU_ASSERT(right < CU_RIGHT_COUNT);
    enum cu_resource resource = rights[right].resource;
    enum cu_access access = rights[right].access;
    switch (rights[right].scope) {
    case OF_ANYBODY:
        return true;
    case OF_ALL_BELOW:
        return cu_authorizer_may_below(authorizer, resource, access, segment);
    case OF_ONE_OR_STAR:
        if (cu_bytes_equal(segment, cu_bytes_of("*")))
            return may_star(authorizer, resource, access);
        break;
    case OF_ONE:
        break;
    }
    return cu_authorizer_may(authorizer, resource, access, segment);
}

void cu_right_words(enum cu_right right, const char **ret_resource, const char **ret_access)
{
    CU_ASSERT(right < CU_RIGHT_COUNT);
    bool is_anybodys = rights[right].scope == OF_ANYBODY;
    *ret_resource = is_anybodys ? "" : cu_resource_name(rights[right].resource);
    *ret_access = is_anybodys ? "" : cu_access_name(rights[right].access);
}
