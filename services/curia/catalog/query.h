/* query.h - what the readers of the catalog share (cli.md 4.3). */
#ifndef CLI_CATALOG_QUERY_H
#define CLI_CATALOG_QUERY_H

#include "services/curia/client.h"

#define CATALOG_NOTHING "No %s match the given query - try expanding your search."

/* Adds each -node-meta K=V as a parameter node-meta=K:V. CU_E_INVALID: one has no '='. */
CU_MUST_USE enum cu_err catalog_add_node_meta(const struct cli_args *args, struct cu_buf *query,
                                              struct cu_diag *diag);

#endif
