/* joiner.h - joins whom the configuration names (agent.md 24): start_join once, where failing ends
 * the node; then retry_join every retry_interval until it has joined somebody. */
#ifndef GOSSIP_IO_JOINER_H
#define GOSSIP_IO_JOINER_H

#include "common/log/log.h"
#include "common/loop/loop.h"
#include "services/gossipd/conf.h"
#include "services/gossipd/io/resolve.h"
#include "services/gossipd/io/shell.h"

struct gossip_joiner;

struct gossip_joiner_options {
    struct cu_loop *loop;
    struct cu_log *log;
    struct gossip_shell *shell;
    struct gossip_resolver *resolver;
    const struct gossip_conf *conf;
    void *context;
    void (*gave_up)(void *context, const char *sentence); /* the node cannot go on */
};

/* Begins at once. */
struct gossip_joiner *gossip_joiner_new(const struct gossip_joiner_options *options);
/* Takes NULL. After the resolver is freed, before the shell is closed. */
void gossip_joiner_free(struct gossip_joiner *joiner);

#endif
