/* dump.h - the metrics of all daemons on stderr, for SIGUSR1 (agent.md 1). */
#ifndef CLI_AGENT_DUMP_H
#define CLI_AGENT_DUMP_H

#include "common/loop/loop.h"

struct dump;

struct dump *dump_new(struct cu_loop *loop, const char *run_dir, const char *const *daemons);
void dump_free(struct dump *dump);  /* takes NULL */
void dump_begin(struct dump *dump); /* while one is under way: nothing */

#endif
