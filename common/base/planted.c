#include "common/base/planted.h"

#include <stddef.h>
#include <string.h>

#ifdef CU_PLANTED

/* File scope because the bugs are read deep inside cores, which carry no such option in earnest. */
static const char *chosen;

bool cu_planted(const char *name)
{
    return chosen && !strcmp(chosen, name);
}

bool cu_planted_set(const char *name)
{
    chosen = name;
    return true;
}

#else

bool cu_planted_set(const char *name)
{
    return !name;
}

#endif
