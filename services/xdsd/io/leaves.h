/* leaves.h - the certificates of the services whose proxies are served here. The key is made here
 * and never leaves the memory of this process but to its proxies; what is signed is a request
 * (ConnectCa.Sign). Renewed, with a new key, at a random time before it ends (mesh.md 1.5, 1.11).
 */
#ifndef XDS_LEAVES_H
#define XDS_LEAVES_H

#include "common/daemon/daemon.h"
#include "common/view/view.h"
#include "services/xdsd/core/view.h"

enum {
    XDS_LEAF_CALL_MS = 20 * 1000, /* of one signing */
    XDS_LEAF_RETRY_MIN_MS = 500,  /* after a failure, doubled up to the most; half of it random */
    XDS_LEAF_RETRY_MAX_MS = 30 * 1000,
    XDS_LEAF_SPREAD_MS = 10 * 1000, /* over which a new root makes all of them anew */
};

struct xds_leaves;
struct xds_leaf;

struct xds_leaves_options {
    struct cu_env *env;
    struct cu_view *calls;
    const struct xds_view *view; /* for the roots */
    /* A leaf is there, or a newer one. Not from inside a function of this file. */
    void (*signed_one)(void *arg);
    void *arg;
};

struct xds_leaves *xds_leaves_new(const struct xds_leaves_options *options);
/* All leaves must have been released. Takes NULL. */
void xds_leaves_free(struct xds_leaves *leaves);

/* The leaf of a service, which is asked for once there are roots; shared, one reference is yours.
 */
struct xds_leaf *xds_leaf_hold(struct xds_leaves *leaves, const char *service);
void xds_leaf_release(struct xds_leaf *leaf); /* takes NULL; the last one wipes the key */

/* Its PEMs, borrowed until it changes; false: it is not there yet. */
bool xds_leaf_pems(const struct xds_leaf *leaf, const char **ret_cert, const char **ret_key);
const char *xds_leaf_service(const struct xds_leaf *leaf);
/* With which it is signed from here on; copied. None: as the anonymous one. */
void xds_leaf_set_token(struct xds_leaf *leaf, const char *token);
/* Rises with each signing: 0 before the first. */
uint64_t xds_leaf_number(const struct xds_leaf *leaf);

/* The roots may have changed: leaves of another root are made anew. */
void xds_leaves_moved(struct xds_leaves *leaves);
size_t xds_leaves_count(const struct xds_leaves *leaves);

#endif
