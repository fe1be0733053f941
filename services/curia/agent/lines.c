#include "services/curia/agent/lines.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

void lines_deinit(struct lines *lines)
{
    for (size_t i = 0; i < LINES_KEPT; i++)
        free(lines->text[i]);
    *lines = (struct lines){0};
}

void lines_add(struct lines *lines, const char *text, size_t len)
{
    if (len > LINES_BYTES)
        len = LINES_BYTES;
    char *copy = cu_alloc(len + 1);
    memcpy(copy, text, len);
    char **slot = &lines->text[++lines->last % LINES_KEPT];
    free(*slot);
    *slot = copy;
}

uint64_t lines_first(const struct lines *lines)
{
    return lines->last > LINES_KEPT ? lines->last - LINES_KEPT + 1 : 1;
}

const char *lines_get(const struct lines *lines, uint64_t number)
{
    if (number < lines_first(lines) || number > lines->last)
        return NULL;
    return lines->text[number % LINES_KEPT];
}
