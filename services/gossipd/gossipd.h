/* gossipd.h - the callbacks of the daemon skeleton: wires shell, joiner and service together. */
#ifndef GOSSIP_GOSSIPD_H
#define GOSSIP_GOSSIPD_H

#include "common/daemon/daemon.h"

enum cu_err gossip_check_conf(const struct cu_conf *conf, struct cu_diag *diag);
enum cu_err gossip_start(struct cu_env *env, void **ret_state, struct cu_diag *diag);
void gossip_stop(void *state);
void gossip_add_status(void *state, cu_status_add *add, void *to);

#endif
