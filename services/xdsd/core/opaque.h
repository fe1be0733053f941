/* opaque.h - the keys of Proxy.Config and Upstreams[].Config that are heeded (mesh.md 2.7). Names
 * count in any letter case, numbers also as texts, a list of one element as that element; what does
 * not fit counts as not given. Pure. */
#ifndef XDS_OPAQUE_H
#define XDS_OPAQUE_H

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "services/xdsd/core/proxy.h"

/* Zero-initialise; texts are in the arena, NULL where not given. */
struct xds_proxy_keys {
    const char *protocol, *bind_address;
    struct xds_number bind_port, local_connect_timeout_ms;
};

/* Sets what `json` gives, an object or empty; what it does not give stays. */
void xds_read_proxy_keys(struct cu_bytes json, struct cu_arena *arena, struct xds_proxy_keys *keys);

/* The same for an upstream: *ret_protocol stays when there is none. */
void xds_read_upstream_keys(struct cu_bytes json, struct cu_arena *arena,
                            struct xds_upstream *upstream, const char **ret_protocol);

#endif
