/* tokens.h - the tokens of the node itself: configured, or set over HTTP (agent.md 23). Pure. */
#ifndef AGENT_TOKENS_H
#define AGENT_TOKENS_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"

#include "services/agentd/core/fault.h"

#define AGENT_TOKENS_FILE "acl-tokens.json" /* under data_dir, as the reference writes it */

enum agent_token {
    AGENT_TOKEN_DEFAULT, /* of requests without one, and of registrations without one */
    AGENT_TOKEN_AGENT,   /* of what the agent does by itself; without it the default one */
    AGENT_TOKEN_AGENT_MASTER,
    AGENT_TOKEN_REPLICATION,
    AGENT_TOKEN_COUNT
};

/* Zero-initialise. */
struct agent_tokens {
    struct {
        char *text;  /* NULL: none */
        bool is_set; /* over HTTP */
    } slots[AGENT_TOKEN_COUNT];
};
void agent_tokens_deinit(struct agent_tokens *tokens);

/* By the names of /v1/agent/token/: "default" and "acl_token", and so on. */
bool agent_token_find(const char *name, enum agent_token *ret_token);
/* As the configuration and the API call it. */
const char *agent_token_name(enum agent_token token);

/* Borrowed until the next change; NULL: none. `tokens` may be NULL. */
const char *agent_tokens_get(const struct agent_tokens *tokens, enum agent_token token);

/* Over HTTP; "" takes it away. True: it is another one now. */
bool agent_tokens_set(struct agent_tokens *tokens, enum agent_token token, const char *text);
/* From the configuration; NULL or "": none. `keeps_set`: what was set over HTTP stays before it, as
 * where tokens are persisted. True: it is another one now. */
bool agent_tokens_configure(struct agent_tokens *tokens, enum agent_token token, const char *text,
                            bool keeps_set);
bool agent_tokens_is_set(const struct agent_tokens *tokens, enum agent_token token);

/* The body of /v1/agent/token/: its token, in the arena. False: 400. */
bool agent_token_read(struct cu_bytes body, struct cu_arena *arena, const char **ret_token,
                      struct agent_fault *fault);

/* The text of the file, of those that were set over HTTP; and what such a text sets. CU_E_CORRUPT:
 * it was not written by an agent; `diag` says why, and nothing is set. */
void agent_tokens_write(const struct agent_tokens *tokens, struct cu_buf *out);
CU_MUST_USE enum cu_err agent_tokens_read(struct agent_tokens *tokens, struct cu_bytes text,
                                          struct cu_diag *diag);

#endif
