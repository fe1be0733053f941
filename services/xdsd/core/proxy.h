/* proxy.h - what is known of one proxy: its registration merged with central configuration, the
 * instances of its upstreams, its certificates, who may call it. In: this; out: its resources
 * (mesh.md 6.3, 6.6). Pure; all texts are borrowed. */
#ifndef XDS_PROXY_H
#define XDS_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curia/v1/config.pb-c.h"

#include "services/xdsd/core/snapshot.h"

enum xds_protocol { XDS_TCP, XDS_HTTP, XDS_HTTP2, XDS_GRPC, XDS_PROTOCOL_COUNT };

/* tcp, http, http2, grpc, in any letter case; everything else is tcp. */
enum xds_protocol xds_protocol_of(const char *text);

struct xds_instance {
    const char *address; /* an IP: others are left out of the resources */
    uint32_t port;
    uint32_t weight; /* 1 to 128 */
    bool is_healthy;
};

/* A number that may be unset; an explicit 0 counts. */
struct xds_number {
    bool is_set;
    uint32_t value;
};

struct xds_upstream {
    const char *service;
    const char *datacenter; /* that its instances are in: never empty */
    bool names_datacenter;  /* the registration names it: it is part of the listener's name */
    const char *bind_address;
    uint32_t bind_port;
    enum xds_protocol protocol;
    uint64_t connect_timeout_ms;
    struct {
        struct xds_number max_connections, max_pending_requests, max_concurrent_requests;
    } limits;
    struct {
        bool is_set;
        uint64_t interval_ms; /* 0: Envoy's default */
        struct xds_number max_failures, enforcing_consecutive_5xx, max_ejection_percent;
        uint64_t base_ejection_time_ms; /* 0: Envoy's default */
    } passive_health_check;
    const struct xds_instance *instances;
    size_t instance_count;
};

struct xds_proxy {
    const char *id;
    const char *service; /* that it stands before: its identity */
    const char *datacenter;
    const char *trust_domain;
    const char *bind_address; /* of the public listener: an IP, which Envoy needs */
    uint32_t bind_port;
    enum xds_protocol protocol;
    const char *local_address; /* of the application: an IP, or a name for Envoy to resolve */
    uint32_t local_port;
    uint64_t local_connect_timeout_ms;
    const char *roots_pem; /* all roots */
    const char *leaf_pem, *leaf_key_pem;
    bool default_allow;
    const Curia__V1__Intention *const *intentions; /* that match the service, by precedence */
    size_t intention_count;
    const struct xds_upstream *upstreams;
    size_t upstream_count;
};

enum { XDS_RESOURCE_BYTES_MAX = 256 * 1024 * 1024 }; /* of the messages of one proxy */

/* All resources of a sidecar; equal input makes equal bytes. *ret_left_out counts what could not be
 * told to Envoy: instances whose address is no IP, a second upstream on one address. */
struct xds_snapshot *xds_proxy_resources(const struct xds_proxy *proxy, uint64_t number,
                                         size_t *ret_left_out);

#endif
