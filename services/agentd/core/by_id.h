/* by_id.h - things by their id, walked in the order of the ids. */
#ifndef AGENT_BY_ID_H
#define AGENT_BY_ID_H

#include <stddef.h>

struct agent_slot {
    char *id; /* owned */
    void *item;
};

/* Zero-initialise; agent_by_id_deinit() frees the slots, never the items. */
struct agent_by_id {
    struct agent_slot *slots; /* sorted bytewise */
    size_t count, cap;
};

void agent_by_id_deinit(struct agent_by_id *set);
void *agent_by_id_get(const struct agent_by_id *set, const char *id); /* NULL: not there */
/* Returns the item it replaced, or NULL. `item` must not be NULL. */
void *agent_by_id_put(struct agent_by_id *set, const char *id, void *item);
/* Returns what was there, or NULL. */
void *agent_by_id_take(struct agent_by_id *set, const char *id);

#endif
