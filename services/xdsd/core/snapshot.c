#include "services/xdsd/core/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/hash.h"

#define URL(name) "type.googleapis.com/" name

/* clang-format off */
static const struct type_row {
    const char *url;
    bool is_wildcard;
} types[XDS_TYPE_COUNT] = {
    [XDS_SECRET]   = {URL("envoy.extensions.transport_sockets.tls.v3.Secret"),   false},
    [XDS_CLUSTER]  = {URL("envoy.config.cluster.v3.Cluster"),                    true},
    [XDS_ENDPOINT] = {URL("envoy.config.endpoint.v3.ClusterLoadAssignment"),     false},
    [XDS_LISTENER] = {URL("envoy.config.listener.v3.Listener"),                  true},
    [XDS_ROUTE]    = {URL("envoy.config.route.v3.RouteConfiguration"),           false},
};
/* clang-format on */

const char *xds_type_url(enum xds_type type)
{
    return types[type].url;
}

bool xds_type_find(const char *url, enum xds_type *ret_type)
{
    for (size_t i = 0; i < XDS_TYPE_COUNT; i++)
        if (strcmp(types[i].url, url) == 0) {
            *ret_type = (enum xds_type)i;
            return true;
        }
    return false;
}

bool xds_type_is_wildcard(enum xds_type type)
{
    return types[type].is_wildcard;
}

struct list {
    struct xds_resource *items;
    size_t count, cap;
};

struct xds_snapshot {
    unsigned refs;
    uint64_t number;
    bool may_be_empty[XDS_TYPE_COUNT];
    bool is_sealed;
    struct list lists[XDS_TYPE_COUNT];
};

struct xds_snapshot *xds_snapshot_new(uint64_t number, const bool may_be_empty[XDS_TYPE_COUNT])
{
    struct xds_snapshot *snapshot = cu_alloc(sizeof *snapshot);
    snapshot->refs = 1;
    snapshot->number = number;
    memcpy(snapshot->may_be_empty, may_be_empty, sizeof snapshot->may_be_empty);
    return snapshot;
}

struct xds_snapshot *xds_snapshot_ref(struct xds_snapshot *snapshot)
{
    snapshot->refs++;
    return snapshot;
}

static void resource_deinit(struct xds_resource *resource)
{
    for (char **route = resource->routes; route && *route; route++)
        free(*route);
    free(resource->routes);
    free(resource->name);
    if (resource->bytes.len) /* of a secret it is a key */
        explicit_bzero(resource->bytes.data, resource->bytes.len);
    cu_buf_deinit(&resource->bytes);
}

void xds_snapshot_unref(struct xds_snapshot *snapshot)
{
    if (!snapshot || --snapshot->refs > 0)
        return;
    for (size_t t = 0; t < XDS_TYPE_COUNT; t++) {
        for (size_t i = 0; i < snapshot->lists[t].count; i++)
            resource_deinit(&snapshot->lists[t].items[i]);
        free(snapshot->lists[t].items);
    }
    free(snapshot);
}

/* ---- building ---- */

static bool is_there(const struct list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return true;
    return false;
}

enum cu_err xds_snapshot_add(struct xds_snapshot *snapshot, enum xds_type type, const char *name,
                             const ProtobufCMessage *message)
{
    struct list *list = &snapshot->lists[type];
    CU_ASSERT(!snapshot->is_sealed);
    if (is_there(list, name))
        return CU_E_CONFLICT;
    if (list->count == list->cap) {
        list->cap = list->cap ? 2 * list->cap : 8;
        list->items = cu_realloc(list->items, list->cap * sizeof *list->items);
    }
    struct xds_resource *resource = &list->items[list->count++];
    *resource = (struct xds_resource){.name = cu_strdup(name)};
    size_t len = protobuf_c_message_get_packed_size(message);
    (void)protobuf_c_message_pack(message, cu_buf_extend(&resource->bytes, len));
    return CU_OK;
}

void xds_snapshot_names_route(struct xds_snapshot *snapshot, const char *route)
{
    struct list *list = &snapshot->lists[XDS_LISTENER];
    size_t count = 0;
    CU_ASSERT(!snapshot->is_sealed && list->count > 0);
    struct xds_resource *listener = &list->items[list->count - 1];
    while (listener->routes && listener->routes[count])
        count++;
    listener->routes = cu_realloc(listener->routes, (count + 2) * sizeof *listener->routes);
    listener->routes[count] = cu_strdup(route);
    listener->routes[count + 1] = NULL;
}

static int by_name(const void *a, const void *b)
{
    const struct xds_resource *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static void hash(struct xds_resource *resource)
{
    uint8_t digest[CU_SHA256_BYTES];
    cu_sha256(cu_buf_bytes(&resource->bytes), digest);
    for (unsigned i = 0; i < sizeof digest; i++)
        (void)snprintf(resource->version + 2 * i, 3, "%02x", digest[i]);
}

void xds_snapshot_seal(struct xds_snapshot *snapshot)
{
    for (size_t t = 0; t < XDS_TYPE_COUNT; t++) {
        struct list *list = &snapshot->lists[t];
        if (list->count)
            qsort(list->items, list->count, sizeof *list->items, by_name);
        for (size_t i = 0; i < list->count; i++)
            hash(&list->items[i]);
    }
    snapshot->is_sealed = true;
}

/* ---- reading ---- */

uint64_t xds_snapshot_number(const struct xds_snapshot *snapshot)
{
    return snapshot->number;
}

bool xds_snapshot_may_be_empty(const struct xds_snapshot *snapshot, enum xds_type type)
{
    return snapshot->may_be_empty[type];
}

const struct xds_resource *xds_snapshot_resources(const struct xds_snapshot *snapshot,
                                                  enum xds_type type, size_t *ret_count)
{
    *ret_count = snapshot->lists[type].count;
    return snapshot->lists[type].items;
}

const struct xds_resource *xds_snapshot_find(const struct xds_snapshot *snapshot,
                                             enum xds_type type, const char *name)
{
    const struct list *list = &snapshot->lists[type];
    struct xds_resource key = {.name = (char *)(uintptr_t)name};
    CU_ASSERT(snapshot->is_sealed);
    return list->count ? bsearch(&key, list->items, list->count, sizeof key, by_name) : NULL;
}

bool xds_snapshot_equal(const struct xds_snapshot *a, const struct xds_snapshot *b)
{
    for (size_t t = 0; t < XDS_TYPE_COUNT; t++) {
        const struct list *x = &a->lists[t], *y = &b->lists[t];
        if (x->count != y->count)
            return false;
        for (size_t i = 0; i < x->count; i++)
            if (strcmp(x->items[i].name, y->items[i].name) != 0 ||
                strcmp(x->items[i].version, y->items[i].version) != 0)
                return false;
    }
    return true;
}

size_t xds_snapshot_size_bytes(const struct xds_snapshot *snapshot)
{
    size_t bytes = sizeof *snapshot;
    for (size_t t = 0; t < XDS_TYPE_COUNT; t++)
        for (size_t i = 0; i < snapshot->lists[t].count; i++)
            bytes += sizeof(struct xds_resource) + snapshot->lists[t].items[i].bytes.len;
    return bytes;
}
