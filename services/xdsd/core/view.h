/* view.h - the tables of the catalog that proxies are made of, indexed by what a proxy asks of
 * them: its registration, the instances behind a name, the entries of a name, the roots
 * (mesh.md 6.3). Rows in, one proxy out (assemble.c). Pure.
 *
 * Everything bears the tick of its last change, so that a proxy whose needs have not moved is not
 * made again. */
#ifndef XDS_VIEW_H
#define XDS_VIEW_H

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "services/xdsd/core/proxy.h"

enum xds_topic { XDS_NODES, XDS_SERVICES, XDS_CHECKS, XDS_ENTRIES, XDS_CA_ROOTS, XDS_TOPIC_COUNT };
extern const char *const xds_topics[XDS_TOPIC_COUNT]; /* "nodes", "services", ... */

enum {
    XDS_ROW_ARENA_BYTES = 4 * 1024 * 1024,    /* what a row takes unpacked, at most */
    XDS_PROXY_ARENA_BYTES = 64 * 1024 * 1024, /* what a proxy is made of, at most: with as many
                                               * instances, and rows as large as the log takes */
    XDS_INSTANCES_MAX = 100000,               /* of all upstreams of one proxy */
    XDS_WEIGHT_MAX = 128,
    XDS_CONNECT_TIMEOUT_MS = 5000,
};

struct xds_view;

struct xds_view *xds_view_new(const char *datacenter, bool default_allow);
void xds_view_free(struct xds_view *view); /* takes NULL */

/* `key` is the row's in its table (proto/curia/v1/catalog.proto), `row` the packed message; `row`
 * is borrowed until the next put or del of its key. CU_E_INVALID: not a key or not a message of
 * that topic; the view then has no such row. */
CU_MUST_USE enum cu_err xds_view_put(struct xds_view *view, enum xds_topic topic,
                                     struct cu_bytes key, struct cu_bytes row);
void xds_view_del(struct xds_view *view, enum xds_topic topic, struct cu_bytes key);

struct xds_roots {
    const char *trust_domain; /* NULL: there is no CA yet */
    const char *active_id;
    const char *pem; /* of all of them */
};
/* Borrowed until the next put or del. */
struct xds_roots xds_view_roots(const struct xds_view *view);

/* ---- one proxy ---- */

enum xds_found {
    XDS_FOUND,
    XDS_UNREGISTERED, /* or no CA yet: nothing is told, and no error */
    XDS_NO_PROXY,     /* it is registered, as something that has no resources */
    XDS_OVERSIZED,    /* more than XDS_INSTANCES_MAX */
};

/* What `id` on `node` is now, all but its leaf, in the arena. *ret_left_out counts upstreams that
 * are not served: prepared queries, other datacenters' are served without instances. */
enum xds_found xds_view_proxy(const struct xds_view *view, const char *node, const char *id,
                              struct cu_arena *arena, struct xds_proxy *ret_proxy,
                              size_t *ret_left_out);

/* What a proxy was made of. Zero-initialise. */
struct xds_needs {
    uint64_t tick;    /* of the view, then; 0: never made */
    char *service;    /* NULL: it was not there */
    char **upstreams; /* their names */
    size_t count;
};
void xds_needs_deinit(struct xds_needs *needs);
/* After xds_view_proxy(): remembers what it gave, or that it gave nothing (`proxy` NULL). */
void xds_needs_set(struct xds_needs *needs, const struct xds_view *view,
                   const struct xds_proxy *proxy);
/* Something that it was made of has changed since. */
bool xds_view_has_news(const struct xds_view *view, const struct xds_needs *needs, const char *node,
                       const char *id);

struct xds_view_counts {
    size_t nodes, instances, checks, entries;
};
struct xds_view_counts xds_view_counts(const struct xds_view *view);

#endif
