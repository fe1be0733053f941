/* What the catalog's entries say of proxies, put over what was registered. */
#include "services/agentd/core/service_rules.h"
#include "services/agentd/io/node_state.h"

enum { CENTRAL_ARENA_BYTES = 64 * 1024 * 1024 };

static bool merge(struct agent_node *node, const struct agent_local_service *slot, const char *id,
                  struct cu_arena *arena)
{
    const struct agent_central *central = agent_central_watch_get(node->central);
    cu_arena_reset(arena);
    const Curia__V1__Service *merged =
        agent_central_merge(central, agent_local_registered(slot), arena);
    if (!merged)
        cu_error(node->options.log, "node.central",
                 "id=\"%s\" text=\"its configuration is too large\"", id);
    return merged && agent_local_overlay(&node->local, id, merged);
}

void node_merge(struct agent_node *node, const char *service_id)
{
    const struct agent_local_service *slot = agent_local_service(&node->local, service_id);
    if (!node->central || !slot || !agent_kind_is_proxy(slot->service->kind))
        return;
    agent_central_watch_begin(node->central);
    if (!agent_central_watch_get(node->central))
        return;
    struct cu_arena *arena = cu_arena_new(CENTRAL_ARENA_BYTES);
    (void)merge(node, slot, service_id, arena); /* it was put there a moment ago */
    cu_arena_free(arena);
}

void node_merge_all(void *arg)
{
    struct agent_node *node = arg;
    struct cu_arena *arena = cu_arena_new(CENTRAL_ARENA_BYTES);
    bool is_changed = false;
    for (size_t i = 0; i < node->local.services.count; i++) {
        const struct agent_local_service *slot = node->local.services.slots[i].item;
        if (!slot->standing.is_deleted && agent_kind_is_proxy(slot->service->kind))
            is_changed |= merge(node, slot, node->local.services.slots[i].id, arena);
    }
    cu_arena_free(arena);
    if (!is_changed)
        return;
    agent_sync_changed(node->sync);
    node_changed(node);
}
