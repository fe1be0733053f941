/* own_token.h - tells this host's dnsd and xdsd the node's default token, with which they look at
 * the catalog: it may be another than they have read in the configuration (agent.md 23). They are
 * told each time they come up. */
#ifndef AGENT_OWN_TOKEN_H
#define AGENT_OWN_TOKEN_H

#include "common/daemon/daemon.h"

enum { AGENT_TELL_TOKEN_MS = 10 * 1000 };

struct agent_own_token;

/* `token` is copied; NULL: none. Whom `env->conf` has no port for is not looked for. */
struct agent_own_token *agent_own_token_new(struct cu_env *env, const char *token);
void agent_own_token_free(struct agent_own_token *own); /* takes NULL */

void agent_own_token_set(struct agent_own_token *own, const char *token); /* takes NULL */

#endif
