/* recovery.h - takes a raft/peers.json that an operator left, at start (consensus.md 17).
 *
 * The file is given to the core as one event; when the row that it makes is durable, the file is
 * removed. One that was taken before, by this log or by those that it follows, is only removed, and
 * so is one beside a log that never was. */
#ifndef RAFT_RECOVERY_H
#define RAFT_RECOVERY_H

#include "common/log/log.h"
#include "services/raftd/io/shell.h"

/* Names its event: calls on the bus count from 1. */
enum { RAFT_RECOVERY_TAG = 0 };

/* Before the first message is heard. CU_OK also when there is no file. Errors: CU_E_INVALID
 * "recovery failed to parse peers.json: ..."; what raft_may_recover() says, naming the file;
 * CU_E_IO. */
CU_MUST_USE enum cu_err raft_recovery_take(const char *folder, struct raft_shell *shell,
                                           struct cu_log *log, struct cu_diag *diag);

/* The core has answered: the row is durable, and the file is removed. Errors: CU_E_IO; then the
 * next start removes it. */
CU_MUST_USE enum cu_err raft_recovery_done(const char *folder, const struct raft_action *action,
                                           struct cu_log *log, struct cu_diag *diag);

#endif
