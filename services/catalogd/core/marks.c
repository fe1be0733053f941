#include "services/catalogd/core/marks.h"

#include <stdlib.h>

bool catalog_marks_wants(uint64_t index)
{
    return index % CATALOG_MARK_FINE == 0;
}

void catalog_marks_put(struct catalog_marks *marks, const struct catalog_mark *mark)
{
    marks->fine[mark->index / CATALOG_MARK_FINE % CATALOG_MARKS_EACH] = *mark;
    if (mark->index % CATALOG_MARK_COARSE == 0)
        marks->coarse[mark->index / CATALOG_MARK_COARSE % CATALOG_MARKS_EACH] = *mark;
}

static int highest_first(const void *a, const void *b)
{
    const struct catalog_mark *x = a, *y = b;
    return x->index > y->index ? -1 : x->index < y->index;
}

static size_t drop_doubles(struct catalog_mark *list, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || list[kept - 1].index != list[i].index)
            list[kept++] = list[i];
    return kept;
}

static size_t add(const struct catalog_mark *from, size_t count, struct catalog_mark *list,
                  size_t at)
{
    for (size_t i = 0; i < count; i++)
        if (from[i].index > 0)
            list[at++] = from[i];
    return at;
}

size_t catalog_marks_list(const struct catalog_marks *marks, const struct catalog_mark *now,
                          struct catalog_mark ret_list[CATALOG_MARKS_MAX])
{
    size_t count = add(now, 1, ret_list, 0);
    count = add(marks->fine, CATALOG_MARKS_EACH, ret_list, count);
    count = add(marks->coarse, CATALOG_MARKS_EACH, ret_list, count);
    qsort(ret_list, count, sizeof(*ret_list), highest_first);
    return drop_doubles(ret_list, count);
}
