#include "services/agentd/core/compare.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/service/definition.h"
#include "services/agentd/core/copy.h"

/* ---- equality ---- */

static Curia__V1__StringMap *map_or_none(Curia__V1__StringMap *map)
{
    return map && map->n_entries ? map : NULL;
}

static bool same_node(const Curia__V1__Node *a, const Curia__V1__Node *b)
{
    return strcasecmp(a->id, b->id) == 0 &&
           agent_same(map_or_none(a->tagged_addresses), map_or_none(b->tagged_addresses)) &&
           agent_same(map_or_none(a->meta), map_or_none(b->meta));
}

/* A part that is absent means all of it is empty, and the reverse. */
static void *part_or_none(void *part)
{
    if (!part || protobuf_c_message_get_packed_size(part) == 0)
        return NULL;
    return part;
}

/* A service without what says nothing; drop_plain(). */
struct plain {
    Curia__V1__Service service;
    Curia__V1__Proxy proxy;
    Curia__V1__Upstream *upstreams, **list; /* ours */
};

static void make_plain_proxy(struct plain *plain, const Curia__V1__Proxy *proxy)
{
    size_t count = proxy->n_upstreams;
    plain->proxy = *proxy;
    plain->proxy.mesh_gateway = part_or_none(proxy->mesh_gateway);
    plain->proxy.expose = part_or_none(proxy->expose);
    plain->upstreams = cu_alloc((count + 1) * sizeof *plain->upstreams);
    plain->list = cu_alloc((count + 1) * sizeof(Curia__V1__Upstream *));
    for (size_t i = 0; i < count; i++) {
        plain->upstreams[i] = *proxy->upstreams[i];
        plain->upstreams[i].mesh_gateway = part_or_none(proxy->upstreams[i]->mesh_gateway);
        plain->list[i] = &plain->upstreams[i];
    }
    plain->proxy.upstreams = plain->list;
    plain->service.proxy = part_or_none(&plain->proxy);
}

static void make_plain(const Curia__V1__Service *service, struct plain *ret_plain)
{
    *ret_plain = (struct plain){.service = *service};
    Curia__V1__Service *plain = &ret_plain->service;
    plain->create_index = plain->modify_index = 0;
    plain->meta = map_or_none(plain->meta);
    if (plain->tagged_addresses && !plain->tagged_addresses->n_entries)
        plain->tagged_addresses = NULL;
    plain->connect = part_or_none(plain->connect);
    if (service->proxy)
        make_plain_proxy(ret_plain, service->proxy);
    if (!plain->weights)
        plain->weights = cu_weights_default();
}

static void drop_plain(struct plain *plain)
{
    free(plain->upstreams);
    free(plain->list);
}

static bool same_service(const Curia__V1__Service *a, const Curia__V1__Service *b)
{
    struct plain x, y;
    make_plain(a, &x);
    make_plain(b, &y);
    bool is_same = agent_same(&x.service, &y.service);
    drop_plain(&x);
    drop_plain(&y);
    return is_same;
}

/* Name and tags of the service are the catalog's to fill in, and the type it derives. */
static Curia__V1__Check normal_check(const Curia__V1__Check *check, bool with_output)
{
    Curia__V1__Check normal = *check;
    normal.create_index = normal.modify_index = 0;
    normal.node = normal.service_name = normal.type = "";
    normal.n_service_tags = 0;
    normal.definition = part_or_none(normal.definition);
    if (!with_output)
        normal.output = "";
    return normal;
}

static bool same_check(const Curia__V1__Check *a, const Curia__V1__Check *b, bool with_output)
{
    Curia__V1__Check x = normal_check(a, with_output), y = normal_check(b, with_output);
    return agent_same(&x, &y);
}

/* ---- what is only there ---- */

static void add_deleted_service(struct agent_local *local, const char *id)
{
    struct agent_local_service *service = cu_alloc(sizeof *service);
    service->standing.is_deleted = true;
    (void)agent_by_id_put(&local->services, id, service); /* there was none */
}

static void add_deleted_check(struct agent_local *local, const Curia__V1__Check *remote)
{
    struct agent_local_check *check = cu_alloc(sizeof *check);
    check->standing.is_deleted = true;
    check->deferred_until = CU_MONO_NEVER;
    check->service_id = cu_strdup(remote->service_id);
    (void)agent_by_id_put(&local->checks, remote->check_id, check); /* there was none */
}

/* ---- services ---- */

static void take_tags(struct agent_local_service *slot, const Curia__V1__Service *remote)
{
    Curia__V1__Service with_tags = *slot->service;
    with_tags.tags = remote->tags;
    with_tags.n_tags = remote->n_tags;
    Curia__V1__Service *copy = agent_copy(&with_tags);
    agent_copy_free(slot->service);
    slot->service = copy;
}

static void compare_service(struct agent_local *local, const Curia__V1__Service *remote)
{
    struct agent_local_service *slot = agent_by_id_get(&local->services, remote->id);
    if (!slot && strcmp(remote->id, AGENT_CONSUL_SERVICE) == 0)
        return; /* the servers' own */
    if (!slot) {
        add_deleted_service(local, remote->id);
        return;
    }
    if (slot->standing.is_deleted) {
        slot->standing.in_sync = false;
        return;
    }
    if (slot->service->enable_tag_override && remote->enable_tag_override)
        take_tags(slot, remote);
    slot->standing.in_sync = same_service(slot->service, remote);
}

/* Until the catalog names it: what is here is not there, what was deleted is gone. */
static void expect_services(struct agent_local *local)
{
    for (size_t i = 0; i < local->services.count; i++) {
        struct agent_local_service *slot = local->services.slots[i].item;
        slot->standing.in_sync = slot->standing.is_deleted;
    }
}

static void forget_services(struct agent_local *local)
{
    for (size_t i = local->services.count; i-- > 0;) {
        const struct agent_local_service *slot = local->services.slots[i].item;
        if (slot->standing.is_deleted && slot->standing.in_sync)
            agent_local_forget_service(local, local->services.slots[i].id);
    }
}

/* ---- checks ---- */

static void adopt(const struct agent_local *local, struct agent_local_check *slot,
                  const Curia__V1__Check *remote)
{
    Curia__V1__Check with_result = *slot->check;
    with_result.status = remote->status;
    with_result.output = local->discards_output ? "" : remote->output;
    Curia__V1__Check *copy = agent_copy(&with_result);
    agent_copy_free(slot->check);
    slot->check = copy;
}

static void compare_check(struct agent_local *local, const Curia__V1__Check *remote)
{
    struct agent_local_check *slot = agent_by_id_get(&local->checks, remote->check_id);
    if (!slot && strcmp(remote->check_id, AGENT_SERF_CHECK) == 0)
        return; /* the servers' own */
    if (!slot) {
        add_deleted_check(local, remote);
        return;
    }
    if (slot->standing.is_deleted) {
        slot->standing.in_sync = false;
        return;
    }
    if (slot->awaits_result)
        adopt(local, slot, remote);
    bool pending = slot->deferred_until.ns != UINT64_MAX;
    slot->standing.in_sync = same_check(slot->check, remote, !pending);
}

static void expect_checks(struct agent_local *local)
{
    for (size_t i = 0; i < local->checks.count; i++) {
        struct agent_local_check *slot = local->checks.slots[i].item;
        slot->standing.in_sync = slot->standing.is_deleted;
    }
}

static void forget_checks(struct agent_local *local)
{
    for (size_t i = local->checks.count; i-- > 0;) {
        const struct agent_local_check *slot = local->checks.slots[i].item;
        if (slot->standing.is_deleted && slot->standing.in_sync)
            agent_local_forget_check(local, local->checks.slots[i].id);
    }
}

void agent_compare(struct agent_local *local, const struct agent_remote *remote)
{
    local->node_standing.in_sync =
        remote->node && local->node && same_node(local->node, remote->node);
    expect_services(local);
    expect_checks(local);
    for (size_t i = 0; i < remote->service_count; i++)
        compare_service(local, remote->services[i]);
    for (size_t i = 0; i < remote->check_count; i++)
        compare_check(local, remote->checks[i]);
    forget_services(local);
    forget_checks(local);
}
