/* raftd.h - puts the parts of raftd together: the callbacks of its descriptor. */
#ifndef RAFT_RAFTD_H
#define RAFT_RAFTD_H

#include "common/daemon/daemon.h"

/* As struct cu_daemon says. */
CU_MUST_USE enum cu_err raft_check_conf(const struct cu_conf *conf, struct cu_diag *diag);
CU_MUST_USE enum cu_err raft_start(struct cu_env *env, void **ret_state, struct cu_diag *diag);
void raft_drain(void *state); /* leadership moves on where it can (contracts 5.4) */
void raft_stop(void *state);
void raft_add_status(void *state, cu_status_add *add, void *to);

#endif
