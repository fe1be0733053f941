/* catalogs.h - which catalogd is asked: one in use, a second connected (contracts 7.1).
 *
 * A daemon has a home where its own setting or the local socket names one: that is used whenever it
 * answers. Beside it, or without it, any of those that the sources know is taken, in an order of
 * this daemon's own. When the one in use is lost another one is used at once; every other move
 * waits a while that grows with the cluster, so that a thousand nodes do not move together: back
 * home, or to another server now and then, so that a server that is new gets its share. */
#ifndef CU_VIEW_CATALOGS_H
#define CU_VIEW_CATALOGS_H

#include "common/loop/loop.h"
#include "common/rpc/client.h"
#include "common/view/view.h"

struct view_catalogs;

/* `on_change` runs when a catalogd comes up or is lost, or another one is used from here on. URLs
 * are copied; the first is the home. */
struct view_catalogs *view_catalogs_new(const struct cu_view_options *options,
                                        cu_callback *on_change, void *arg);
void view_catalogs_free(struct view_catalogs *catalogs); /* takes NULL */

/* See cu_view_offer(). */
void view_catalogs_offer(struct view_catalogs *catalogs, enum cu_view_source source,
                         const char *const *urls, size_t count);
/* Nodes of the cluster, as far as known. */
void view_catalogs_set_size(struct view_catalogs *catalogs, size_t nodes);

/* The one to ask now, or NULL: none is up. */
struct cu_client *view_catalogs_pick(const struct view_catalogs *catalogs);

/* Rises whenever another one is used, or the one in use comes up again. */
uint64_t view_catalogs_uses(const struct view_catalogs *catalogs);

/* `client` said that it is not ready: another one is used from here on, if there is one. Returns
 * whether there is. */
bool view_catalogs_avoid(struct view_catalogs *catalogs, const struct cu_client *client);

#endif
