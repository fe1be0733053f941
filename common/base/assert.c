#include "common/base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void cu_assert_failed(const char *claim, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line,
                  claim); /* nothing left to do if it fails */
    abort();
}

void *cu_alloc(unsigned long size)
{
    void *memory = calloc(1, size ? size : 1);
    CU_ASSERT(memory);
    return memory;
}

void *cu_realloc(void *old, unsigned long size)
{
    void *memory = realloc(old, size ? size : 1);
    CU_ASSERT(memory);
    return memory;
}

char *cu_strdup(const char *text)
{
    return cu_memdup(text, strlen(text) + 1);
}

void *cu_memdup(const void *data, unsigned long size)
{
    void *memory = cu_alloc(size);
    if (size)
        memcpy(memory, data, size);
    return memory;
}
