#include "services/agentd/about.h"

#include <stdlib.h>
#include <string.h>

#include "common/service/meta.h"
#include "services/agentd/core/service_rules.h"

enum { OWN_PAIRS = 8 };

typedef Curia__V1__StringMap__EntriesEntry entry_t;

static int by_key(const void *a, const void *b)
{
    return strcmp((*(entry_t *const *)a)->key, (*(entry_t *const *)b)->key);
}

static bool put(Curia__V1__StringMap *map, const char *key, const char *value,
                struct cu_arena *arena)
{
    for (size_t i = 0; i < map->n_entries; i++)
        if (strcmp(map->entries[i]->key, key) == 0) {
            map->entries[i]->value = cu_arena_strdup(arena, value);
            return map->entries[i]->value != NULL;
        }
    entry_t *entry = cu_arena_alloc(arena, sizeof *entry);
    if (!entry)
        return false;
    curia__v1__string_map__entries_entry__init(entry);
    entry->key = cu_arena_strdup(arena, key);
    entry->value = cu_arena_strdup(arena, value);
    map->entries[map->n_entries++] = entry;
    return entry->key && entry->value;
}

/* A map with room for what we put and for `more`. */
static Curia__V1__StringMap *make_map(const json_t *more, struct cu_arena *arena)
{
    Curia__V1__StringMap *map = cu_arena_alloc(arena, sizeof *map);
    if (!map)
        return NULL;
    curia__v1__string_map__init(map);
    map->entries =
        cu_arena_alloc(arena, (OWN_PAIRS + json_object_size(more)) * sizeof *map->entries);
    return map->entries ? map : NULL;
}

static bool put_all(Curia__V1__StringMap *map, const json_t *pairs, struct cu_arena *arena)
{
    const char *key;
    json_t *value;
    bool good = true;
    json_object_foreach((json_t *)pairs, key, value) good &=
        put(map, key, json_string_value(value), arena);
    return good;
}

static bool put_address(Curia__V1__StringMap *map, const char *tag, const char *address,
                        struct cu_arena *arena)
{
    int family = agent_ip_family(address);
    const char *wan = strcmp(tag, "wan") == 0 ? "wan_" : "lan_";
    const char *suffix = family == 4 ? "ipv4" : "ipv6";
    char name[16];
    memcpy(name, wan, 4);
    memcpy(name + 4, suffix, 5);
    return put(map, tag, address, arena) && (!family || put(map, name, address, arena));
}

static Curia__V1__StringMap *addresses(const struct cu_conf *conf, const struct agent_about *about,
                                       struct cu_arena *arena)
{
    const json_t *set = cu_conf_json(conf, "tagged_addresses");
    const char *wan = cu_conf_text(conf, "advertise_addr_wan");
    Curia__V1__StringMap *map = make_map(set, arena);
    if (!map || !put_address(map, "lan", about->address, arena) ||
        !put_address(map, "wan", *wan ? wan : about->address, arena) || !put_all(map, set, arena))
        return NULL;
    qsort(map->entries, map->n_entries, sizeof *map->entries, by_key);
    return map;
}

static Curia__V1__StringMap *metadata(const struct cu_conf *conf, struct cu_arena *arena)
{
    const json_t *set = cu_conf_json(conf, "node_meta");
    Curia__V1__StringMap *map = make_map(set, arena);
    return map && put_all(map, set, arena) ? map : NULL;
}

static enum cu_err out_of_memory(struct cu_diag *diag)
{
    return cu_fail(diag, CU_E_TOO_LARGE, "node_meta or tagged_addresses: too large");
}

enum cu_err agent_about_make(const struct cu_conf *conf, const struct agent_about *about,
                             struct cu_arena *arena, Curia__V1__Node **ret_node,
                             struct cu_diag *diag)
{
    const char *complaint = NULL;
    Curia__V1__Node *node = cu_arena_alloc(arena, sizeof *node);
    if (!node)
        return out_of_memory(diag);
    curia__v1__node__init(node);
    node->id = cu_arena_strdup(arena, about->id);
    node->node = cu_arena_strdup(arena, about->name);
    node->address = cu_arena_strdup(arena, about->address);
    node->datacenter = cu_arena_strdup(arena, about->datacenter);
    node->tagged_addresses = addresses(conf, about, arena);
    node->meta = metadata(conf, arena);
    if (!node->id || !node->node || !node->address || !node->datacenter ||
        !node->tagged_addresses || !node->meta || cu_meta_check(node->meta, "", arena, &complaint))
        return out_of_memory(diag);
    if (complaint)
        return cu_fail(diag, CU_E_INVALID, "node_meta: %s", complaint);
    /* The agent's own, which none may set. */
    if (!put(node->meta, "consul-network-segment", "", arena))
        return out_of_memory(diag);
    qsort(node->meta->entries, node->meta->n_entries, sizeof *node->meta->entries, by_key);
    *ret_node = node;
    return CU_OK;
}
