/* node_id.h - the identity of this node, made once and kept under the data directory
 * (agent.md 1.2). */
#ifndef CU_DAEMON_NODE_ID_H
#define CU_DAEMON_NODE_ID_H

#include "common/base/err.h"
#include "common/base/num.h"

/* Reads DATA_DIR/node-id, or makes it (0600) with a random UUID. Several processes may do so at
 * once: link(2) lets one win and the others read what it wrote; a file that is there is never
 * overwritten. Errors: CU_E_CORRUPT the file holds no UUID; CU_E_IO. */
CU_MUST_USE enum cu_err cu_node_id(const char *data_dir, char ret_id[CU_UUID_BYTES],
                                   struct cu_diag *diag);

#endif
