/* check.h - rules over the merged configuration: states of keys, bounds, and what belongs together.
 */
#ifndef CU_CONF_CHECK_H
#define CU_CONF_CHECK_H

#include "common/conf/conf.h"
#include "common/conf/values.h"

enum { CU_CONF_PEERS = 64 }; /* entries of raftd.peers at most */

/* What the user set against the state of its rows: warnings (array, may be NULL) for keys without
 * effect, CU_E_INVALID for one that promises what is not built. */
CU_MUST_USE enum cu_err cu_conf_check_states(const struct cu_conf_values *values, json_t *warnings,
                                             struct cu_diag *diag);

/* Durations parse, numbers lie within their row's bounds. CU_E_INVALID. */
CU_MUST_USE enum cu_err cu_conf_check_bounds(const struct cu_conf_values *values,
                                             struct cu_diag *diag);

/* The rules of agent.md 2 between keys, with its texts; warnings of the same section. CU_E_INVALID.
 */
CU_MUST_USE enum cu_err cu_conf_check_whole(const struct cu_conf *conf, bool dev, json_t *warnings,
                                            struct cu_diag *diag);

#endif
