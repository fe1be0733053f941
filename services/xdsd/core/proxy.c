#include "services/xdsd/core/proxy.h"

#include "services/xdsd/core/build.h"

struct xds_snapshot *xds_proxy_resources(const struct xds_proxy *proxy, uint64_t number,
                                         size_t *ret_left_out)
{
    /* A sidecar always has its own cluster and listener: an empty set is never an answer. */
    static const bool may_be_empty[XDS_TYPE_COUNT];
    struct xds_snapshot *snapshot = xds_snapshot_new(number, may_be_empty);
    struct cu_arena *arena = cu_arena_new(XDS_RESOURCE_BYTES_MAX);
    xds_add_secrets(arena, proxy, snapshot);
    *ret_left_out = xds_add_clusters(arena, proxy, snapshot);
    *ret_left_out += xds_add_listeners(arena, proxy, snapshot);
    cu_arena_free(arena);
    xds_snapshot_seal(snapshot);
    return snapshot;
}
