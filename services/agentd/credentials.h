/* credentials.h - the node's own tokens in use: from the configuration, the API and their file, and
 * who has to hear of it when they change (agent.md 23). */
#ifndef AGENT_CREDENTIALS_H
#define AGENT_CREDENTIALS_H

#include "services/agentd/agent.h"
#include "services/agentd/core/tokens.h"
#include "services/agentd/io/node.h"

enum { AGENT_TOKENS_FILE_BYTES = 64 * 1024 };

/* Before whatever asks the catalog. A file that cannot be read is said. */
void agent_credentials_open(struct agent *agent);
/* Those of the new configuration hold, but for those that are persisted. */
void agent_credentials_reload(struct agent *agent, const struct cu_conf *conf);

/* Over HTTP: it counts at once. True: `done` is called once, later, when the file is written;
 * false: none is. */
bool agent_credentials_set(struct agent *agent, enum agent_token token, const char *text,
                           agent_file_done *done, void *arg);

#endif
