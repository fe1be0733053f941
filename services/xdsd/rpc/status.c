/* What xdsd adds to Daemon.Status: where its view stands, whom it serves. */
#include "services/xdsd/core/view.h"
#include "services/xdsd/xdsd.h"

void xds_status(void *arg, cu_status_add *add, void *to)
{
    struct xdsd *xdsd = arg;
    const struct cu_mirror *mirror = xds_catalog_mirror(xdsd->catalog);
    struct cu_mirror_position at = cu_mirror_position(mirror);
    struct xds_view_counts counts = xds_view_counts(xds_catalog_view(xdsd->catalog));
    struct xds_hub_counts hub = xds_hub_counts(xdsd->hub);
    bool is_live = cu_mirror_is_live(mirror);
    add(to, "view", "%s",
        is_live                                ? "live"
        : xds_catalog_is_filled(xdsd->catalog) ? "kept"
                                               : "empty");
    add(to, "feed.epoch", "%llu", (unsigned long long)at.epoch);
    add(to, "feed.index", "%llu", (unsigned long long)at.index);
    add(to, "view.nodes", "%zu", counts.nodes);
    add(to, "view.instances", "%zu", counts.instances);
    add(to, "view.checks", "%zu", counts.checks);
    add(to, "view.entries", "%zu", counts.entries);
    add(to, "view.bad_rows", "%llu", (unsigned long long)xds_catalog_bad_rows(xdsd->catalog));
    add(to, "xds.streams", "%zu", xds_ads_streams(xdsd->ads));
    add(to, "xds.proxies", "%zu", hub.proxies);
    add(to, "xds.complete", "%zu", hub.complete);
    add(to, "xds.leaves", "%zu", xds_leaves_count(xdsd->leaves));
}
