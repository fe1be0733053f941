/* view_state.h - what view.c and assemble.c share; nobody else includes it. */
#ifndef XDS_VIEW_STATE_H
#define XDS_VIEW_STATE_H

#include "common/base/map.h"
#include "services/xdsd/core/view.h"

enum xds_level { XDS_PASSING, XDS_WARNING, XDS_CRITICAL, XDS_LEVEL_COUNT };

struct xds_place; /* a registered instance of anything */

/* Who can be reached under a name: sidecars before it, instances that speak the mesh themselves. */
struct xds_group {
    char *name; /* lower case */
    struct xds_place **members;
    size_t count, cap;
    uint64_t stamp;
};

/* A node; also one that is only named by what is on it, as rows come in no order. */
struct xds_host {
    char *name; /* lower case */
    char *address;
    bool has_row;
    struct xds_place *places;
    unsigned levels[XDS_LEVEL_COUNT]; /* its own checks */
};

struct xds_place {
    struct xds_place *next, **at; /* of its host */
    struct xds_host *host;
    struct cu_bytes key; /* NODE NUL ID, lower case; owned */
    struct cu_bytes row; /* borrowed; data NULL: only its checks are known */
    char *address;
    uint32_t port;
    int32_t weight_passing, weight_warning;
    struct xds_group *group; /* NULL: nobody reaches it through the mesh */
    unsigned levels[XDS_LEVEL_COUNT];
    uint64_t stamp;
};

struct xds_entry {
    struct cu_bytes row; /* borrowed */
    char *protocol;      /* of service-defaults and proxy-defaults; NULL: they do not say */
    uint64_t stamp;
};

struct xds_view {
    char *datacenter;
    bool default_allow;
    uint64_t tick;
    struct cu_map hosts, places, checks, groups, entries, roots;
    /* When one of them went last: whoever misses one has to look. */
    uint64_t lost_place, lost_group, lost_entry;
    uint64_t roots_stamp;
    char *trust_domain, *active_id;
    struct cu_buf roots_pem;
};

/* `name` in lower case as a key of a map; lives until the next call with the same buffer. */
struct cu_bytes xds_fold(struct cu_buf *buf, const char *name);
struct cu_bytes xds_fold2(struct cu_buf *buf, const char *a, const char *b); /* A NUL B */

const struct xds_place *xds_place_find(const struct xds_view *view, const char *node,
                                       const char *id);
const struct xds_group *xds_group_find(const struct xds_view *view, const char *name);
const struct xds_entry *xds_entry_find(const struct xds_view *view, const char *kind,
                                       const char *name);

#endif
