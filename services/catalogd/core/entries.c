#include "services/catalogd/core/entries.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What protobuf-c makes of every map entry with a string key. */
struct entry {
    ProtobufCMessage base;
    char *key;
};

struct placed {
    struct entry *entry;
    size_t place;
};

static int by_key(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    int order = strcmp(x->entry->key, y->entry->key);
    return order ? order : x->place < y->place ? -1 : 1;
}

static bool is_sorted(struct entry *const *entries, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (strcmp(entries[i - 1]->key, entries[i]->key) >= 0)
            return false;
    return true;
}

enum cu_err catalog_entries_sort(void *entries_of_field, size_t *count, struct cu_arena *arena)
{
    struct entry **entries = entries_of_field;
    if (is_sorted(entries, *count))
        return CU_OK;
    struct placed *placed = cu_arena_alloc(arena, *count * sizeof *placed);
    if (!placed)
        return CU_E_TOO_LARGE;
    for (size_t i = 0; i < *count; i++)
        placed[i] = (struct placed){entries[i], i};
    qsort(placed, *count, sizeof *placed, by_key);
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (i + 1 == *count || strcmp(placed[i].entry->key, placed[i + 1].entry->key) != 0)
            entries[kept++] = placed[i].entry;
    *count = kept;
    return CU_OK;
}
