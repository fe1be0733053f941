/* peers_file.h - raft/peers.json, by which an operator recovers a cluster whose quorum is lost
 * (consensus.md 17; the reference's format for its protocol 3).
 *
 *   [{"id": "UUID", "address": "ip:port", "non_voter": false}, ...]
 *
 * Addresses are hints that raftd does not need: it has them from raftd.peers and its book. */
#ifndef RAFT_PEERS_FILE_H
#define RAFT_PEERS_FILE_H

#include "common/base/err.h"
#include "services/raftd/core/raft.h"

enum { RAFT_PEERS_FILE_BYTES = 64 * 1024 };

/* Incarnations are left 0. Errors: CU_E_INVALID no such list, over a limit, a server twice, or
 * none that votes (diag: what). */
CU_MUST_USE enum cu_err raft_peers_file_parse(struct cu_bytes text,
                                              struct raft_configuration *ret_configuration,
                                              struct cu_diag *diag);

/* *ret_text: appended. Errors: CU_E_NOT_FOUND no such file; CU_E_INVALID too large; CU_E_IO. */
CU_MUST_USE enum cu_err raft_peers_file_read(const char *path, struct cu_buf *ret_text,
                                             struct cu_diag *diag);
/* And syncs the folder. */
CU_MUST_USE enum cu_err raft_peers_file_remove(const char *path, struct cu_diag *diag);

/* The id under which all go on who stood under `prior` and were given the same bytes. */
struct raft_id raft_recovery_id(struct raft_id prior, struct cu_bytes text);

#endif
