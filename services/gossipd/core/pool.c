/* Who may be in the pool: Consul's merge checks, and versions that all must share (gossip.md 12,
 * 23.3). */
#include <stdlib.h>
#include <string.h>

#include "common/base/num.h"
#include "services/gossipd/core/state.h"

#define TEXT(b) (int)(b).len, (const char *)(b).data

static bool is_text(struct cu_bytes bytes, const char *text)
{
    return cu_bytes_equal(bytes, cu_bytes_of(text));
}

/* ---- one member ---- */

static bool is_server(const struct gossip_tags *tags)
{
    struct cu_bytes port = gossip_tags_get(tags, "port");
    uint64_t number = 0;
    return is_text(gossip_tags_get(tags, "role"), "consul") &&
           !cu_parse_u64((const char *)port.data, port.len, &number) && number <= UINT16_MAX;
}

static bool lan_admits(const struct gossip *g, struct cu_bytes name, const struct gossip_tags *tags,
                       struct cu_diag *diag)
{
    struct cu_bytes id = gossip_tags_get(tags, "id"), role = gossip_tags_get(tags, "role");
    struct cu_bytes dc = gossip_tags_get(tags, "dc"), segment = gossip_tags_get(tags, "segment");
    if (id.len && is_text(id, g->node_id) && !cu_bytes_equal(name, g->name))
        (void)cu_fail(diag, CU_E_CONFLICT,
                      "Member '%.*s' has conflicting node ID '%.*s' with this agent's ID",
                      TEXT(name), TEXT(id));
    else if ((is_text(role, "node") || is_text(role, "consul")) && !is_text(dc, g->datacenter))
        (void)cu_fail(diag, CU_E_CONFLICT, "Member '%.*s' part of wrong datacenter '%.*s'",
                      TEXT(name), TEXT(dc));
    else if (!is_text(segment, g->segment))
        (void)cu_fail(diag, CU_E_CONFLICT,
                      "Member '%.*s' part of wrong segment '%.*s' (expected '%s')", TEXT(name),
                      TEXT(segment), g->segment);
    else
        return true;
    return false;
}

static bool admits(const struct gossip *g, const struct gossip_alive *alive,
                   const struct gossip_tags *tags, struct cu_diag *diag)
{
    if (g->pool == GOSSIP_POOL_LAN)
        return lan_admits(g, alive->node, tags, diag);
    if (is_server(tags))
        return true;
    (void)cu_fail(diag, CU_E_CONFLICT, "Member '%.*s' is not a server", TEXT(alive->node));
    return false;
}

bool gossip_pool_admits(const struct gossip *g, const struct gossip_alive *alive,
                        struct cu_diag *diag)
{
    if (g->pool == GOSSIP_POOL_OPEN)
        return true;
    struct gossip_tags tags;
    if (!alive->versions.known || gossip_tags_decode(alive->meta, &tags)) {
        (void)cu_fail(diag, CU_E_INVALID, "Member '%.*s' tells no versions or no readable tags",
                      TEXT(alive->node));
        return false;
    }
    return admits(g, alive, &tags, diag);
}

/* ---- all members that a join would bring ---- */

static bool is_new_id(struct cu_map *ids, const struct gossip_alive *alive,
                      const struct gossip_tags *tags, struct cu_diag *diag)
{
    struct cu_bytes id = gossip_tags_get(tags, "id");
    if (!id.len)
        return true;
    const struct gossip_alive *other = cu_map_put(ids, id, (void *)alive);
    if (!other)
        return true;
    (void)cu_fail(diag, CU_E_CONFLICT,
                  "Member '%.*s' has conflicting node ID '%.*s' with member '%.*s'",
                  TEXT(alive->node), TEXT(id), TEXT(other->node));
    return false;
}

bool gossip_pool_merges(const struct gossip *g, const struct gossip_push_pull *remote,
                        struct cu_diag *diag)
{
    if (g->pool == GOSSIP_POOL_OPEN)
        return true;
    struct cu_map ids = {0};
    bool ok = true;
    for (uint32_t i = 0; ok && i < remote->node_count; i++) {
        const struct gossip_node_state *node = &remote->nodes[i];
        struct gossip_tags tags;
        if (node->state == GOSSIP_STATE_LEFT)
            continue;
        ok = gossip_pool_admits(g, &node->alive, diag) &&
             !gossip_tags_decode(node->alive.meta, &tags) &&
             is_new_id(&ids, &node->alive, &tags, diag);
    }
    cu_map_deinit(&ids);
    return ok;
}

/* ---- versions ---- */

/* What everybody alive understands. */
struct shared {
    uint8_t pmin, pmax, dmin, dmax;
};

static void share(struct shared *shared, enum gossip_state state, const struct gossip_versions *v)
{
    if (state != GOSSIP_STATE_ALIVE || !v->known)
        return;
    shared->pmin = v->pmin > shared->pmin ? v->pmin : shared->pmin;
    shared->pmax = v->pmax < shared->pmax ? v->pmax : shared->pmax;
    shared->dmin = v->dmin > shared->dmin ? v->dmin : shared->dmin;
    shared->dmax = v->dmax < shared->dmax ? v->dmax : shared->dmax;
}

static bool speaks(const struct shared *shared, struct cu_bytes name,
                   const struct gossip_versions *v, struct cu_diag *diag)
{
    if (v->pcur < shared->pmin || v->pcur > shared->pmax)
        (void)cu_fail(diag, CU_E_CONFLICT,
                      "Node '%.*s' protocol version (%u) is incompatible: [%u, %u]", TEXT(name),
                      v->pcur, shared->pmin, shared->pmax);
    else if (v->dcur < shared->dmin || v->dcur > shared->dmax)
        (void)cu_fail(diag, CU_E_CONFLICT,
                      "Node '%.*s' delegate protocol version (%u) is incompatible: [%u, %u]",
                      TEXT(name), v->dcur, shared->dmin, shared->dmax);
    else
        return true;
    return false;
}

/* A listed member whose versions we never learned is not held against the peer. */
bool gossip_versions_merge(const struct gossip *g, const struct gossip_push_pull *remote,
                           struct cu_diag *diag)
{
    struct shared shared = {.pmax = UINT8_MAX, .dmax = UINT8_MAX};
    for (uint32_t i = 0; i < remote->node_count; i++)
        share(&shared, remote->nodes[i].state, &remote->nodes[i].alive.versions);
    for (uint32_t i = 0; i < g->members.list_count; i++)
        share(&shared, g->members.list[i]->state, &g->members.list[i]->versions);
    for (uint32_t i = 0; i < remote->node_count; i++)
        if (!speaks(&shared, remote->nodes[i].alive.node, &remote->nodes[i].alive.versions, diag))
            return false;
    for (uint32_t i = 0; i < g->members.list_count; i++) {
        const struct gossip_member *member = g->members.list[i];
        if (member->versions.known && !speaks(&shared, member->name, &member->versions, diag))
            return false;
    }
    return true;
}
