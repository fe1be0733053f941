/* rows.h - rows of the state as the feed hands them out: one with its change, or all by pages
 * (contracts 6.3). */
#ifndef CATALOG_RPC_ROWS_H
#define CATALOG_RPC_ROWS_H

#include "proto/curia/v1/feed.pb-c.h"
#include "services/catalogd/core/may.h"
#include "services/catalogd/core/store.h"
#include "services/catalogd/io/shell.h"

enum {
    CATALOG_PAGE_BYTES = 1024 * 1024,         /* where the request names no number */
    CATALOG_PAGE_BYTES_MAX = 8 * 1024 * 1024, /* a page ends with the row that passes it */
};

/* The tables that `names` are; all, where there are none, but for those that follow from others.
 * False: one is no such table. */
bool catalog_feed_topics(size_t count, char *const *names, bool ret_tables[CATALOG_TABLE_COUNT]);

/* The row in the arena, its bytes borrowed; NULL: the arena is full. */
Curia__V1__FeedRow *catalog_feed_row(struct cu_arena *arena, enum catalog_table table,
                                     const struct catalog_row *row);

/* A row of the state in a snapshot, as far as somebody may see it: the node of what is on one is
 * looked up for its name. */
bool catalog_feed_may_see(const struct catalog_backend *backend, const struct cu_authorizer *who,
                          struct catalog_may_row *row, struct cu_arena *scratch);

/* One page for `who`, read in the snapshot that `backend` is; the reply is in the arena. Errors:
 * INVALID a topic is no table, TOO_LARGE the arena is full, the backend's. */
CU_MUST_USE enum cu_err catalog_feed_page(const struct catalog_backend *backend,
                                          const struct cu_authorizer *who,
                                          const Curia__V1__FeedRowsRequest *request,
                                          struct cu_arena *arena,
                                          Curia__V1__FeedRowsReply *ret_reply);

void catalog_feed_rows(void *shell, struct cu_rq *rq); /* the handler of Feed.Rows */

/* All pages under way are refused; when no worker runs any more. */
void catalog_feed_rows_end(struct catalog_shell *shell);

#endif
