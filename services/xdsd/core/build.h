/* build.h - the messages that resources are made of; what the files of this folder that build them
 * share. Everything is in an arena that outlives the packing. */
#ifndef XDS_BUILD_H
#define XDS_BUILD_H

#include "common/base/arena.h"
#include "common/base/assert.h"
#include "envoy/config/cluster/v3/cluster.pb-c.h"
#include "envoy/config/endpoint/v3/endpoint.pb-c.h"
#include "envoy/config/listener/v3/listener.pb-c.h"
#include "envoy/config/rbac/v3/rbac.pb-c.h"
#include "envoy/config/route/v3/route.pb-c.h"
#include "envoy/extensions/transport_sockets/tls/v3/tls.pb-c.h"
#include "services/xdsd/core/proxy.h"

#define XDS_LOCAL_APP "local_app"
#define XDS_PUBLIC    "public_listener"
#define XDS_ROOTS     "roots"

/* A new message of `type`, initialised by `init`. */
#define XDS_NEW(arena, type, init)                                                                 \
    ((type *)xds_new((arena), sizeof(type), (void (*)(ProtobufCMessage *))(init)))

void *xds_new(struct cu_arena *arena, size_t size, void (*init)(ProtobufCMessage *message));
/* Room for `count` pointers, or anything; zeroed. */
void *xds_room(struct cu_arena *arena, size_t bytes);
char *xds_text(struct cu_arena *arena, const char *fmt, ...) CU_PRINTF(2, 3);
/* One element as a list. */
#define XDS_LIST1(arena, type, item) ((type **)xds_list1((arena), (item)))
void *xds_list1(struct cu_arena *arena, void *item);

Google__Protobuf__Any *xds_any(struct cu_arena *arena, const ProtobufCMessage *message);
Google__Protobuf__Duration *xds_duration(struct cu_arena *arena, uint64_t ms);
Google__Protobuf__UInt32Value *xds_u32(struct cu_arena *arena, uint32_t value);
Google__Protobuf__BoolValue *xds_true(struct cu_arena *arena);
Envoy__Config__Core__V3__Address *xds_address(struct cu_arena *arena, const char *ip,
                                              uint32_t port);
Envoy__Config__Core__V3__ConfigSource *xds_ads(struct cu_arena *arena);
Envoy__Type__Matcher__V3__StringMatcher *xds_exact(struct cu_arena *arena, const char *text);
Envoy__Type__Matcher__V3__StringMatcher *xds_regex(struct cu_arena *arena, const char *regex);

/* A filter of a listener. */
Envoy__Config__Listener__V3__Filter *xds_filter(struct cu_arena *arena, const char *name,
                                                const ProtobufCMessage *config);

/* An address that Envoy takes in a cluster or listener. */
bool xds_is_ip(const char *text);

/* tls.c: what both ends of a mesh connection present and trust (mesh.md 6.6.0). */
Envoy__Config__Core__V3__TransportSocket *xds_upstream_tls(struct cu_arena *arena,
                                                           const struct xds_proxy *proxy,
                                                           const struct xds_upstream *upstream);
Envoy__Config__Core__V3__TransportSocket *xds_downstream_tls(struct cu_arena *arena,
                                                             const struct xds_proxy *proxy);
void xds_add_secrets(struct cu_arena *arena, const struct xds_proxy *proxy,
                     struct xds_snapshot *snapshot);
const char *xds_leaf_name(struct cu_arena *arena, const struct xds_proxy *proxy);
/* "db.default.dc1.internal.TRUST-DOMAIN": cluster, and SNI. */
const char *xds_cluster_name(struct cu_arena *arena, const struct xds_proxy *proxy,
                             const struct xds_upstream *upstream);

/* rbac.c: intentions as Envoy's policies (mesh.md 3.6). */
Envoy__Config__Rbac__V3__RBAC *xds_rbac(struct cu_arena *arena, const struct xds_proxy *proxy);

/* http.c */
Envoy__Config__Listener__V3__Filter *xds_public_http(struct cu_arena *arena,
                                                     const struct xds_proxy *proxy);
Envoy__Config__Listener__V3__Filter *xds_upstream_http(struct cu_arena *arena,
                                                       const struct xds_proxy *proxy,
                                                       const struct xds_upstream *upstream);
void xds_add_public_route(struct cu_arena *arena, const struct xds_proxy *proxy,
                          struct xds_snapshot *snapshot);

/* clusters.c, listeners.c: each returns what it had to leave out. */
size_t xds_add_clusters(struct cu_arena *arena, const struct xds_proxy *proxy,
                        struct xds_snapshot *snapshot);
size_t xds_add_listeners(struct cu_arena *arena, const struct xds_proxy *proxy,
                         struct xds_snapshot *snapshot);
/* "upstream.db.default.dc1" */
char *xds_stat_prefix(struct cu_arena *arena, const struct xds_upstream *upstream);

#endif
