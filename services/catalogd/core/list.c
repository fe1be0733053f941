#include "services/catalogd/core/list.h"

#include <string.h>

enum { FIRST_ITEMS = 32 };

bool catalog_list_add(struct catalog_list *list, struct cu_arena *arena, void *item)
{
    if (list->count == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : FIRST_ITEMS;
        void **grown = cu_arena_alloc(arena, cap * sizeof(void *));
        if (!grown)
            return false;
        if (list->count)
            memcpy(grown, list->items, list->count * sizeof(void *));
        list->items = grown;
        list->cap = cap;
    }
    list->items[list->count++] = item;
    return true;
}
