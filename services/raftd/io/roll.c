#include "services/raftd/io/roll.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

static void strike(struct raft_roll *roll, uint32_t at)
{
    free((void *)(uintptr_t)roll->servers[at].name);
    roll->servers[at] = roll->servers[--roll->count];
}

void raft_roll_drop(struct raft_roll *roll, const char *name)
{
    for (uint32_t i = roll->count; i > 0; i--)
        if (strcmp(roll->servers[i - 1].name, name) == 0)
            strike(roll, i - 1);
}

bool raft_roll_put(struct raft_roll *roll, const struct raft_seen *server)
{
    raft_roll_drop(roll, server->name);
    for (uint32_t i = roll->count; i > 0; i--)
        if (raft_id_equal(roll->servers[i - 1].id, server->id))
            strike(roll, i - 1);
    if (roll->count == RAFT_ROLL_MAX)
        return false;
    struct raft_seen *slot = &roll->servers[roll->count++];
    *slot = *server;
    slot->name = cu_strdup(server->name);
    return true;
}

void raft_roll_deinit(struct raft_roll *roll)
{
    while (roll->count > 0)
        strike(roll, roll->count - 1);
}

static int by_id(const void *a, const void *b)
{
    return raft_id_compare(*(const struct raft_id *)a, *(const struct raft_id *)b);
}

uint32_t raft_roll_choose(const struct raft_roll *roll, struct raft_id self, uint32_t expect,
                          struct raft_id ret_ids[RAFT_SERVERS_MAX], bool *ret_conflict)
{
    uint32_t chosen = 0;
    bool has_self = false;
    *ret_conflict = false;
    for (uint32_t i = 0; i < roll->count; i++) {
        const struct raft_seen *server = &roll->servers[i];
        if (server->claims_alone || (server->expect && server->expect != expect)) {
            *ret_conflict = true;
            return 0;
        }
        if (!server->expect || chosen == RAFT_SERVERS_MAX)
            continue;
        has_self = has_self || raft_id_equal(server->id, self);
        ret_ids[chosen++] = server->id;
    }
    qsort(ret_ids, chosen, sizeof *ret_ids, by_id);
    return has_self && chosen >= expect ? chosen : 0;
}
