/* ads.h - envoy.service.discovery.v3.AggregatedDiscoveryService: each stream of a proxy, in both
 * protocols (mesh.md 6.1, 6.2). */
#ifndef XDS_RPC_ADS_H
#define XDS_RPC_ADS_H

#include "services/xdsd/io/hub.h"

enum {
    XDS_STREAMS_MAX = 16384,                    /* of one xdsd */
    XDS_REQUEST_ARENA_BYTES = 64 * 1024 * 1024, /* what a request takes unpacked, at most */
    XDS_FIRST_MS = 30 * 1000,                   /* until a stream says who it is */
    XDS_STALL_MS = 120 * 1000,                  /* until what was sent has been taken */
};

struct xds_ads;

struct xds_ads_options {
    struct cu_env *env;
    struct xds_hub *hub;
    struct cu_rights *rights; /* of the tokens of streams */
};

struct xds_ads *xds_ads_new(const struct xds_ads_options *options);
/* "ip:port"; before start. */
CU_MUST_USE enum cu_err xds_ads_listen(struct xds_ads *ads, const char *address,
                                       struct cu_diag *diag);
void xds_ads_start(struct xds_ads *ads);
/* Ends all streams: their proxies go to another xdsd, or come back. */
void xds_ads_drain(struct xds_ads *ads);
void xds_ads_free(struct xds_ads *ads); /* takes NULL */

size_t xds_ads_streams(const struct xds_ads *ads);

#endif
