#include "services/xdsd/core/view.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "curia/v1/catalog.pb-c.h"
#include "curia/v1/connect.pb-c.h"
#include "services/xdsd/core/view_state.h"

const char *const xds_topics[XDS_TOPIC_COUNT] = {"nodes", "services", "checks", "config_entries",
                                                 "connect_roots"};

/* What is behind partition NUL namespace NUL. */
static bool user_part(struct cu_bytes key, struct cu_bytes *ret_user)
{
    for (int part = 0; part < 2; part++) {
        const uint8_t *nul = key.len ? memchr(key.data, 0, key.len) : NULL;
        if (!nul)
            return false;
        key.len -= (size_t)(nul + 1 - key.data);
        key.data = nul + 1;
    }
    *ret_user = key;
    return key.len > 0;
}

static void fold_into(struct cu_buf *buf, const char *text)
{
    for (; *text; text++)
        cu_buf_u8(buf, (uint8_t)(*text >= 'A' && *text <= 'Z' ? *text + ('a' - 'A') : *text));
}

struct cu_bytes xds_fold(struct cu_buf *buf, const char *name)
{
    cu_buf_clear(buf);
    fold_into(buf, name);
    return cu_buf_bytes(buf);
}

struct cu_bytes xds_fold2(struct cu_buf *buf, const char *a, const char *b)
{
    cu_buf_clear(buf);
    fold_into(buf, a);
    cu_buf_u8(buf, 0);
    fold_into(buf, b);
    return cu_buf_bytes(buf);
}

static char *text_of(struct cu_bytes bytes)
{
    char *text = cu_alloc(bytes.len + 1);
    if (bytes.len)
        memcpy(text, bytes.data, bytes.len);
    return text;
}

struct xds_view *xds_view_new(const char *datacenter, bool default_allow)
{
    struct xds_view *view = cu_alloc(sizeof *view);
    view->datacenter = cu_strdup(datacenter);
    view->default_allow = default_allow;
    view->tick = 1;
    return view;
}

/* ---- groups ---- */

static struct xds_group *group_of(struct xds_view *view, const char *name)
{
    struct cu_buf buf = {0};
    struct cu_bytes key = xds_fold(&buf, name);
    struct xds_group *group = cu_map_get(&view->groups, key);
    if (!group) {
        group = cu_alloc(sizeof *group);
        group->name = text_of(key);
        (void)cu_map_put(&view->groups, key, group);
    }
    cu_buf_deinit(&buf);
    return group;
}

static void join(struct xds_view *view, struct xds_place *place, const char *name)
{
    struct xds_group *group = group_of(view, name);
    if (group->count == group->cap) {
        group->cap = group->cap ? 2 * group->cap : 4;
        group->members = cu_realloc(group->members, group->cap * sizeof *group->members);
    }
    group->members[group->count++] = place;
    group->stamp = view->tick;
    place->group = group;
}

static void free_group(struct xds_group *group)
{
    free(group->name);
    free(group->members);
    free(group);
}

static void part(struct xds_view *view, struct xds_place *place)
{
    struct xds_group *group = place->group;
    size_t i = 0;
    place->group = NULL;
    if (!group)
        return;
    while (group->members[i] != place)
        i++;
    group->members[i] = group->members[--group->count];
    group->stamp = view->tick;
    if (group->count)
        return;
    (void)cu_map_del(&view->groups, cu_bytes_of(group->name));
    free_group(group);
    view->lost_group = view->tick;
}

/* ---- hosts and places ---- */

static struct xds_host *host_of(struct xds_view *view, struct cu_bytes key)
{
    struct xds_host *host = cu_map_get(&view->hosts, key);
    if (!host) {
        host = cu_alloc(sizeof *host);
        host->name = text_of(key);
        (void)cu_map_put(&view->hosts, key, host);
    }
    return host;
}

static bool has_checks(const unsigned levels[XDS_LEVEL_COUNT])
{
    return levels[XDS_PASSING] || levels[XDS_WARNING] || levels[XDS_CRITICAL];
}

static void free_host(struct xds_host *host)
{
    free(host->name);
    free(host->address);
    free(host);
}

static void let_host_go(struct xds_view *view, struct xds_host *host)
{
    if (host->has_row || host->places || has_checks(host->levels))
        return;
    (void)cu_map_del(&view->hosts, cu_bytes_of(host->name));
    free_host(host);
}

/* NODE of NODE NUL ID; data NULL: it is no such key. */
static struct cu_bytes node_part(struct cu_bytes key)
{
    const uint8_t *nul = memchr(key.data, 0, key.len);
    return nul ? (struct cu_bytes){key.data, (size_t)(nul - key.data)} : (struct cu_bytes){0};
}

static struct xds_place *place_of(struct xds_view *view, struct cu_bytes key)
{
    struct xds_place *place = cu_map_get(&view->places, key);
    if (place)
        return place;
    place = cu_alloc(sizeof *place);
    place->host = host_of(view, node_part(key));
    place->key = (struct cu_bytes){(const uint8_t *)text_of(key), key.len};
    place->next = place->host->places;
    place->at = &place->host->places;
    if (place->next)
        place->next->at = &place->next;
    place->host->places = place;
    (void)cu_map_put(&view->places, key, place);
    return place;
}

static void free_place(struct xds_place *place)
{
    free((void *)(uintptr_t)place->key.data);
    free(place->address);
    free(place);
}

static void let_place_go(struct xds_view *view, struct xds_place *place)
{
    if (place->row.data || has_checks(place->levels))
        return;
    struct xds_host *host = place->host;
    *place->at = place->next;
    if (place->next)
        place->next->at = place->at;
    (void)cu_map_del(&view->places, place->key);
    free_place(place);
    let_host_go(view, host);
}

static void stamp_places(struct xds_view *view, struct xds_host *host)
{
    for (struct xds_place *place = host->places; place; place = place->next)
        if (place->group)
            place->group->stamp = view->tick;
}

/* ---- nodes ---- */

static enum cu_err put_node(struct xds_view *view, struct cu_bytes key, struct cu_bytes row,
                            struct cu_arena *arena)
{
    Curia__V1__Node *node = curia__v1__node__unpack(cu_arena_allocator(arena), row.len, row.data);
    if (!node)
        return CU_E_INVALID;
    struct xds_host *host = host_of(view, key);
    bool is_same = host->has_row && strcmp(host->address, node->address) == 0;
    host->has_row = true;
    if (is_same)
        return CU_OK;
    free(host->address);
    host->address = cu_strdup(node->address);
    stamp_places(view, host);
    return CU_OK;
}

static void del_node(struct xds_view *view, struct cu_bytes key)
{
    struct xds_host *host = cu_map_get(&view->hosts, key);
    if (!host || !host->has_row)
        return;
    host->has_row = false;
    free(host->address);
    host->address = NULL;
    stamp_places(view, host);
    let_host_go(view, host);
}

/* ---- services ---- */

/* The name that this instance is reached under (mesh.md 2.1); NULL: none. */
static const char *stands_before(const Curia__V1__Service *service)
{
    if (strcmp(service->kind, "connect-proxy") == 0)
        return service->proxy && *service->proxy->destination_service_name
                   ? service->proxy->destination_service_name
                   : NULL;
    return service->connect && service->connect->native ? service->service : NULL;
}

static enum cu_err put_service(struct xds_view *view, struct cu_bytes key, struct cu_bytes row,
                               struct cu_arena *arena)
{
    Curia__V1__Service *service =
        curia__v1__service__unpack(cu_arena_allocator(arena), row.len, row.data);
    if (!service || !node_part(key).len)
        return CU_E_INVALID;
    struct xds_place *place = place_of(view, key);
    const char *name = stands_before(service);
    part(view, place);
    free(place->address);
    place->address = cu_strdup(service->address);
    place->port = (uint32_t)service->port;
    place->weight_passing = service->weights ? service->weights->passing : 1;
    place->weight_warning = service->weights ? service->weights->warning : 1;
    place->row = row;
    place->stamp = view->tick;
    if (name)
        join(view, place, name);
    return CU_OK;
}

static void del_service(struct xds_view *view, struct cu_bytes key)
{
    struct xds_place *place = cu_map_get(&view->places, key);
    if (!place || !place->row.data)
        return;
    part(view, place);
    place->row = (struct cu_bytes){0};
    view->lost_place = view->tick;
    let_place_go(view, place);
}

/* ---- checks ---- */

struct check {
    enum xds_level level;
    struct xds_host *host; /* of a check of the node, else NULL */
    struct xds_place *place;
};

static enum xds_level level_of(const char *status)
{
    static const char *const words[XDS_LEVEL_COUNT] = {
        [XDS_PASSING] = "passing", [XDS_WARNING] = "warning", [XDS_CRITICAL] = "critical"};
    for (int level = 0; level < XDS_LEVEL_COUNT; level++)
        if (strcmp(words[level], status) == 0)
            return (enum xds_level)level;
    return XDS_CRITICAL;
}

static void count_check(struct xds_view *view, const struct check *check, int change)
{
    unsigned *levels = check->host ? check->host->levels : check->place->levels;
    levels[check->level] += (unsigned)change;
    if (check->host)
        stamp_places(view, check->host);
    else if (check->place->group)
        check->place->group->stamp = view->tick;
}

static void del_check(struct xds_view *view, struct cu_bytes key)
{
    struct check *check = cu_map_del(&view->checks, key);
    if (!check)
        return;
    count_check(view, check, -1);
    if (check->host)
        let_host_go(view, check->host);
    else
        let_place_go(view, check->place);
    free(check);
}

static enum cu_err put_check(struct xds_view *view, struct cu_bytes key, struct cu_bytes row,
                             struct cu_arena *arena)
{
    Curia__V1__Check *message =
        curia__v1__check__unpack(cu_arena_allocator(arena), row.len, row.data);
    struct cu_bytes node = node_part(key);
    if (!message || !node.len)
        return CU_E_INVALID;
    struct check next = {.level = level_of(message->status)};
    const struct check *old = cu_map_get(&view->checks, key);
    if (*message->service_id) {
        struct cu_buf buf = {0};
        char *name = text_of(node);
        next.place = place_of(view, xds_fold2(&buf, name, message->service_id));
        free(name);
        cu_buf_deinit(&buf);
    } else {
        next.host = host_of(view, node);
    }
    if (old && old->level == next.level && old->place == next.place && old->host == next.host)
        return CU_OK;            /* its output has changed */
    count_check(view, &next, 1); /* first: what it hangs on must not go */
    del_check(view, key);
    struct check *check = cu_alloc(sizeof *check);
    *check = next;
    (void)cu_map_put(&view->checks, key, check);
    return CU_OK;
}

/* ---- configuration entries ---- */

static char *protocol_of(const Curia__V1__ConfigEntry *entry)
{
    const char *protocol = entry->service_defaults ? entry->service_defaults->protocol
                           : entry->proxy_defaults ? entry->proxy_defaults->protocol
                                                   : "";
    return *protocol ? cu_strdup(protocol) : NULL;
}

static enum cu_err put_entry(struct xds_view *view, struct cu_bytes key, struct cu_bytes row,
                             struct cu_arena *arena)
{
    Curia__V1__ConfigEntry *message =
        curia__v1__config_entry__unpack(cu_arena_allocator(arena), row.len, row.data);
    if (!message)
        return CU_E_INVALID;
    struct xds_entry *entry = cu_map_get(&view->entries, key);
    if (!entry) {
        entry = cu_alloc(sizeof *entry);
        (void)cu_map_put(&view->entries, key, entry);
    }
    free(entry->protocol);
    *entry = (struct xds_entry){row, protocol_of(message), view->tick};
    return CU_OK;
}

static void free_entry(struct xds_entry *entry)
{
    if (entry)
        free(entry->protocol);
    free(entry);
}

static void del_entry(struct xds_view *view, struct cu_bytes key)
{
    struct xds_entry *entry = cu_map_del(&view->entries, key);
    if (entry)
        view->lost_entry = view->tick;
    free_entry(entry);
}

/* ---- roots ---- */

struct root {
    char *id, *pem, *trust_domain;
    bool is_active;
};

static void free_root(struct root *root)
{
    if (!root)
        return;
    free(root->id);
    free(root->pem);
    free(root->trust_domain);
    free(root);
}

static int by_id(const void *a, const void *b)
{
    const struct root *const *x = a, *const *y = b;
    return strcmp((*x)->id, (*y)->id);
}

static void gather_roots(struct xds_view *view)
{
    struct root **all = cu_alloc((view->roots.count + 1) * sizeof(struct root *));
    struct cu_bytes key;
    size_t at = 0, count = 0;
    for (void *root; cu_map_next(&view->roots, &at, &key, &root);)
        all[count++] = root;
    qsort(all, count, sizeof *all, by_id);
    free(view->trust_domain);
    free(view->active_id);
    view->trust_domain = view->active_id = NULL;
    cu_buf_clear(&view->roots_pem);
    for (size_t i = 0; i < count; i++) {
        cu_buf_text(&view->roots_pem, all[i]->pem);
        if (!all[i]->is_active || view->active_id)
            continue;
        view->trust_domain = cu_strdup(all[i]->trust_domain);
        view->active_id = cu_strdup(all[i]->id);
    }
    cu_buf_u8(&view->roots_pem, 0);
    view->roots_stamp = view->tick;
    free(all);
}

static enum cu_err put_root(struct xds_view *view, struct cu_bytes key, struct cu_bytes row,
                            struct cu_arena *arena)
{
    static const char suffix[] = ".consul"; /* mesh.md 1.1 */
    Curia__V1__CaRoot *message =
        curia__v1__ca_root__unpack(cu_arena_allocator(arena), row.len, row.data);
    if (!message || !*message->root_cert || !*message->external_trust_domain)
        return CU_E_INVALID;
    struct root *root = cu_alloc(sizeof *root);
    size_t len = strlen(message->external_trust_domain);
    root->id = cu_strdup(message->id);
    root->pem = cu_strdup(message->root_cert);
    root->trust_domain = cu_alloc(len + sizeof suffix);
    memcpy(root->trust_domain, message->external_trust_domain, len);
    memcpy(root->trust_domain + len, suffix, sizeof suffix);
    root->is_active = message->active;
    free_root(cu_map_put(&view->roots, key, root));
    gather_roots(view);
    return CU_OK;
}

static void del_root(struct xds_view *view, struct cu_bytes key)
{
    free_root(cu_map_del(&view->roots, key));
    gather_roots(view);
}

struct xds_roots xds_view_roots(const struct xds_view *view)
{
    return (struct xds_roots){view->trust_domain, view->active_id,
                              (const char *)view->roots_pem.data};
}

/* ---- all of them ---- */

static const struct {
    enum cu_err (*put)(struct xds_view *view, struct cu_bytes key, struct cu_bytes row,
                       struct cu_arena *arena);
    void (*del)(struct xds_view *view, struct cu_bytes key);
} tables[XDS_TOPIC_COUNT] = {
    [XDS_NODES] = {put_node, del_node},    [XDS_SERVICES] = {put_service, del_service},
    [XDS_CHECKS] = {put_check, del_check}, [XDS_ENTRIES] = {put_entry, del_entry},
    [XDS_CA_ROOTS] = {put_root, del_root},
};

enum cu_err xds_view_put(struct xds_view *view, enum xds_topic topic, struct cu_bytes key,
                         struct cu_bytes row)
{
    struct cu_bytes user;
    if (!user_part(key, &user))
        return CU_E_INVALID;
    struct cu_arena *arena = cu_arena_new(XDS_ROW_ARENA_BYTES);
    view->tick++;
    enum cu_err err = tables[topic].put(view, user, row, arena);
    if (err)
        tables[topic].del(view, user); /* what it was before is not true any more */
    cu_arena_free(arena);
    return err;
}

void xds_view_del(struct xds_view *view, enum xds_topic topic, struct cu_bytes key)
{
    struct cu_bytes user;
    view->tick++;
    if (user_part(key, &user))
        tables[topic].del(view, user);
}

/* ---- finding ---- */

const struct xds_place *xds_place_find(const struct xds_view *view, const char *node,
                                       const char *id)
{
    struct cu_buf buf = {0};
    const struct xds_place *place = cu_map_get(&view->places, xds_fold2(&buf, node, id));
    cu_buf_deinit(&buf);
    return place && place->row.data ? place : NULL;
}

const struct xds_group *xds_group_find(const struct xds_view *view, const char *name)
{
    struct cu_buf buf = {0};
    const struct xds_group *group = cu_map_get(&view->groups, xds_fold(&buf, name));
    cu_buf_deinit(&buf);
    return group;
}

const struct xds_entry *xds_entry_find(const struct xds_view *view, const char *kind,
                                       const char *name)
{
    struct cu_buf buf = {0};
    const struct xds_entry *entry = cu_map_get(&view->entries, xds_fold2(&buf, kind, name));
    cu_buf_deinit(&buf);
    return entry;
}

struct xds_view_counts xds_view_counts(const struct xds_view *view)
{
    return (struct xds_view_counts){view->hosts.count, view->places.count, view->checks.count,
                                    view->entries.count};
}

/* ---- end ---- */

static void free_all(struct cu_map *map, void (*free_one)(void *value))
{
    struct cu_bytes key;
    size_t at = 0;
    for (void *value; cu_map_next(map, &at, &key, &value);)
        free_one(value);
    cu_map_deinit(map);
}

static void end_group(void *value)
{
    free_group(value);
}

static void end_host(void *value)
{
    free_host(value);
}

static void end_place(void *value)
{
    free_place(value);
}

static void end_entry(void *value)
{
    free_entry(value);
}

static void end_root(void *value)
{
    free_root(value);
}

void xds_view_free(struct xds_view *view)
{
    if (!view)
        return;
    free_all(&view->groups, end_group);
    free_all(&view->hosts, end_host);
    free_all(&view->places, end_place);
    free_all(&view->checks, free);
    free_all(&view->entries, end_entry);
    free_all(&view->roots, end_root);
    free(view->trust_domain);
    free(view->active_id);
    cu_buf_deinit(&view->roots_pem);
    free(view->datacenter);
    free(view);
}
