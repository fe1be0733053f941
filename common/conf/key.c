#include "common/conf/key.h"

#include <string.h>

#include "common/base/err.h"

enum {
    NONE = 0,
    R = CU_OWNER_RAFTD,
    C = CU_OWNER_CATALOGD,
    A = CU_OWNER_AGENTD,
    G = CU_OWNER_GOSSIPD,
    D = CU_OWNER_DNSD,
    X = CU_OWNER_XDSD,
    S = CU_OWNER_CURIA,
    ALL = R | C | A | G | D | X | S
};
enum { RESTART = 0, LIVE = 1 };

/* path, type, owners, default, min, max, applies, state */
const struct cu_key cu_keys[] = {
#define CU_KEY(path, type, owners, fallback, min, max, applies, state)                             \
    {path, CU_KEY_##type, owners, fallback, min, max, applies, CU_KEY_##state},
#include "common/conf/keys/suite.def"
#include "common/conf/keys/network.def"
#include "common/conf/keys/service.def"
#include "common/conf/keys/security.def"
#undef CU_KEY
};
const size_t cu_key_count = CU_COUNT(cu_keys);

const struct cu_key *cu_key_find(const char *path)
{
    for (size_t i = 0; i < cu_key_count; i++)
        if (!strcmp(cu_keys[i].path, path))
            return &cu_keys[i];
    return NULL;
}

const char *cu_key_name_end(const char *path)
{
    while (*path && !(*path == '.' && !(path[1] >= '0' && path[1] <= '9')))
        path++;
    return path;
}

unsigned cu_key_owner(const char *daemon)
{
    static const struct {
        const char *name;
        unsigned bit;
    } owners[] = {{"raftd", R}, {"catalogd", C}, {"agentd", A}, {"gossipd", G},
                  {"dnsd", D},  {"xdsd", X},     {"curia", S}};
    for (size_t i = 0; i < CU_COUNT(owners); i++)
        if (!strcmp(owners[i].name, daemon))
            return owners[i].bit;
    return 0;
}
