/* catalogs.h - which catalogd is asked: one in use, a second connected (contracts 7.1). */
#ifndef CU_VIEW_CATALOGS_H
#define CU_VIEW_CATALOGS_H

#include "common/loop/loop.h"
#include "common/rpc/client.h"
#include "common/view/view.h"

struct view_catalogs;

/* `on_change` runs when a catalogd comes up or is lost, or another one is used from here on. URLs
 * are copied. */
struct view_catalogs *view_catalogs_new(const struct cu_view_options *options,
                                        cu_callback *on_change, void *arg);
void view_catalogs_free(struct view_catalogs *catalogs); /* takes NULL */

/* The one to ask now, or NULL: none is up. */
struct cu_client *view_catalogs_pick(const struct view_catalogs *catalogs);

/* Rises whenever another one is used, or the one in use comes up again. */
uint64_t view_catalogs_uses(const struct view_catalogs *catalogs);

/* `client` said that it is not ready: another one is used from here on, if there is one. Returns
 * whether there is. */
bool view_catalogs_avoid(struct view_catalogs *catalogs, const struct cu_client *client);

#endif
