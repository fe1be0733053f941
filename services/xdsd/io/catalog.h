/* catalog.h - the view kept up with the catalog: rows from the mirror into the core's index. */
#ifndef XDS_CATALOG_H
#define XDS_CATALOG_H

#include "common/daemon/daemon.h"
#include "common/view/mirror.h"
#include "common/view/rights.h"
#include "services/xdsd/conf.h"
#include "services/xdsd/core/view.h"

struct xds_catalog;

struct xds_catalog_options {
    struct cu_env *env;
    const struct xds_conf *conf; /* borrowed */
    /* The view has moved; what was told up to then belongs together. Not before it is complete. */
    void (*moved)(void *arg);
    void *arg;
};

struct xds_catalog *xds_catalog_new(const struct xds_catalog_options *options);
void xds_catalog_free(struct xds_catalog *catalog); /* takes NULL */

/* It has been complete once: before that nothing may be told to a proxy (mesh.md 11.1). */
bool xds_catalog_is_filled(const struct xds_catalog *catalog);
const struct xds_view *xds_catalog_view(const struct xds_catalog *catalog);
const struct cu_mirror *xds_catalog_mirror(const struct xds_catalog *catalog);
/* What the tokens of streams may do. */
struct cu_rights *xds_catalog_rights(struct xds_catalog *catalog);
/* The daemon's own token, with which the view is kept up, is another one. */
void xds_catalog_set_token(struct xds_catalog *catalog, const char *token);
/* For calls to a catalogd. */
struct cu_view *xds_catalog_calls(struct xds_catalog *catalog);
uint64_t xds_catalog_bad_rows(const struct xds_catalog *catalog); /* that did not parse */

#endif
