/* snapshot.h - all resources of one proxy at one moment, each with its bytes and their hash. Equal
 * input makes equal bytes, so an equal hash means "nothing new" (mesh.md 6.3, 6.5). Pure. */
#ifndef XDS_SNAPSHOT_H
#define XDS_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "common/base/buf.h"
#include "common/base/err.h"

/* In the order in which one update sends them (mesh.md 6.4, rule 8). */
enum xds_type { XDS_SECRET, XDS_CLUSTER, XDS_ENDPOINT, XDS_LISTENER, XDS_ROUTE, XDS_TYPE_COUNT };

/* "type.googleapis.com/envoy.config.cluster.v3.Cluster" and so on. */
const char *xds_type_url(enum xds_type type);
bool xds_type_find(const char *url, enum xds_type *ret_type);
/* Proxies ask for all of them at once instead of by name: clusters and listeners. */
bool xds_type_is_wildcard(enum xds_type type);

enum { XDS_VERSION_BYTES = 65 }; /* lower hex of SHA-256, with its NUL */

struct xds_resource {
    char *name;
    struct cu_buf bytes; /* the packed message */
    char version[XDS_VERSION_BYTES];
    /* Of a listener: the routes it names, NULL-ended; of others: NULL. */
    char **routes;
};

struct xds_snapshot;

/* An empty one with one reference, yours. `may_be_empty[type]`: no resources of that type is an
 * answer, too (gateways; mesh.md 6.4, rule 6). */
struct xds_snapshot *xds_snapshot_new(uint64_t number, const bool may_be_empty[XDS_TYPE_COUNT]);
struct xds_snapshot *xds_snapshot_ref(struct xds_snapshot *snapshot);
void xds_snapshot_unref(struct xds_snapshot *snapshot); /* takes NULL */

/* Packs `message`. CU_E_CONFLICT: a resource of that name is there already; nothing changes. */
CU_MUST_USE enum cu_err xds_snapshot_add(struct xds_snapshot *snapshot, enum xds_type type,
                                         const char *name, const ProtobufCMessage *message);
/* The listener added last takes its routes from `route` by RDS. */
void xds_snapshot_names_route(struct xds_snapshot *snapshot, const char *route);
/* Sorts and hashes; nothing is added after it. */
void xds_snapshot_seal(struct xds_snapshot *snapshot);

uint64_t xds_snapshot_number(const struct xds_snapshot *snapshot);
bool xds_snapshot_may_be_empty(const struct xds_snapshot *snapshot, enum xds_type type);
/* By name; borrowed. */
const struct xds_resource *xds_snapshot_resources(const struct xds_snapshot *snapshot,
                                                  enum xds_type type, size_t *ret_count);
const struct xds_resource *xds_snapshot_find(const struct xds_snapshot *snapshot,
                                             enum xds_type type, const char *name);
/* The same resources with the same bytes. */
bool xds_snapshot_equal(const struct xds_snapshot *a, const struct xds_snapshot *b);
size_t xds_snapshot_size_bytes(const struct xds_snapshot *snapshot);

#endif
