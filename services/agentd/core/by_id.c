#include "services/agentd/core/by_id.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

enum { FIRST_SLOTS = 8 };

/* The place where `id` is or belongs. */
static size_t find(const struct agent_by_id *set, const char *id, bool *ret_found)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(set->slots[middle].id, id);
        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found = false;
    return low;
}

void agent_by_id_deinit(struct agent_by_id *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->slots[i].id);
    free(set->slots);
    *set = (struct agent_by_id){0};
}

void *agent_by_id_get(const struct agent_by_id *set, const char *id)
{
    bool found;
    size_t at = find(set, id, &found);
    return found ? set->slots[at].item : NULL;
}

void *agent_by_id_put(struct agent_by_id *set, const char *id, void *item)
{
    bool found;
    size_t at = find(set, id, &found);
    CU_ASSERT(item);
    if (found) {
        void *old = set->slots[at].item;
        set->slots[at].item = item;
        return old;
    }
    if (set->count == set->cap) {
        set->cap = set->cap ? set->cap * 2 : FIRST_SLOTS;
        set->slots = cu_realloc(set->slots, set->cap * sizeof *set->slots);
    }
    memmove(set->slots + at + 1, set->slots + at, (set->count - at) * sizeof *set->slots);
    set->slots[at] = (struct agent_slot){cu_strdup(id), item};
    set->count++;
    return NULL;
}

void *agent_by_id_take(struct agent_by_id *set, const char *id)
{
    bool found;
    size_t at = find(set, id, &found);
    if (!found)
        return NULL;
    void *item = set->slots[at].item;
    free(set->slots[at].id);
    set->count--;
    memmove(set->slots + at, set->slots + at + 1, (set->count - at) * sizeof *set->slots);
    return item;
}
