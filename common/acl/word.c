#include "common/acl/rules.h"

#include <string.h>
#include <strings.h>

#include "common/base/assert.h"

static const char *const resources[CU_RESOURCE_COUNT] = {
    [CU_RESOURCE_ACL] = "acl",         [CU_RESOURCE_AGENT] = "agent",
    [CU_RESOURCE_EVENT] = "event",     [CU_RESOURCE_INTENTION] = "intention",
    [CU_RESOURCE_KEY] = "key",         [CU_RESOURCE_KEYRING] = "keyring",
    [CU_RESOURCE_NODE] = "node",       [CU_RESOURCE_OPERATOR] = "operator",
    [CU_RESOURCE_QUERY] = "query",     [CU_RESOURCE_SERVICE] = "service",
    [CU_RESOURCE_SESSION] = "session",
};

static const char *const accesses[CU_ACCESS_COUNT] = {
    [CU_ACCESS_UNSET] = "",    [CU_ACCESS_DENY] = "deny",   [CU_ACCESS_READ] = "read",
    [CU_ACCESS_LIST] = "list", [CU_ACCESS_WRITE] = "write",
};

const char *cu_resource_name(enum cu_resource resource)
{
    CU_ASSERT(resource < CU_RESOURCE_COUNT);
    return resources[resource];
}

bool cu_resource_find(const char *name, enum cu_resource *ret_resource)
{
    for (enum cu_resource i = 0; i < CU_RESOURCE_COUNT; i++) {
        if (strcmp(name, resources[i]) == 0) {
            *ret_resource = i;
            return true;
        }
    }
    return false;
}

const char *cu_access_name(enum cu_access access)
{
    CU_ASSERT(access < CU_ACCESS_COUNT);
    return accesses[access];
}

bool cu_access_find(const char *name, enum cu_access *ret_access)
{
    for (enum cu_access i = CU_ACCESS_DENY; i < CU_ACCESS_COUNT; i++) {
        if (strcasecmp(name, accesses[i]) == 0) {
            *ret_access = i;
            return true;
        }
    }
    return false;
}
