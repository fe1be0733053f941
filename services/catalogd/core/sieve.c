#include "services/catalogd/core/sieve.h"

enum cu_err catalog_sieve(const char *text, const struct cu_filter_shape *shape,
                          struct cu_arena *arena, struct catalog_list *list)
{
    struct cu_filter *filter;
    size_t kept = 0;
    if (text[0] == '\0')
        return CU_OK;
    enum cu_err err = cu_filter_new(text, shape, arena, &filter, NULL);
    if (err)
        return err;
    for (size_t i = 0; !err && i < list->count; i++) {
        bool is_meant = false;
        err = cu_filter_match(filter, list->items[i], &is_meant);
        if (is_meant)
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
    cu_filter_free(filter);
    return err;
}
