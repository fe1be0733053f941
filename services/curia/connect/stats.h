/* stats.h - the part of the bootstrap that names Envoy's numbers and sends them away (mesh.md 2.9).
 */
#ifndef CLI_CONNECT_STATS_H
#define CLI_CONNECT_STATS_H

#include "services/curia/connect/bootstrap.h"

/* Adds stats_config, stats_sinks and stats_flush_interval to the document. */
CU_MUST_USE enum cu_err bootstrap_add_stats(const struct bootstrap *in, json_t *document,
                                            struct cu_diag *diag);

#endif
