/* persisted.h - the files that keep what was registered through the API (agent.md 10). The formats
 * are the reference's; a file of it loads here, and the reverse. */
#ifndef AGENT_PERSISTED_H
#define AGENT_PERSISTED_H

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "curia/internal/v1/agent.pb-c.h"

#include "services/agentd/core/local.h"

enum {
    AGENT_FILE_BYTES = 2 * 1024 * 1024, /* of a file that is read; one beyond is no good */
    AGENT_FILE_NAME_BYTES = 48
};

/* "services/<md5>", "checks/<md5>", "checks/state/<md5>". Returns `name`. */
char *agent_service_file(const char *id, char name[AGENT_FILE_NAME_BYTES]);
char *agent_check_file(const char *id, char name[AGENT_FILE_NAME_BYTES]);
char *agent_state_file(const char *id, char name[AGENT_FILE_NAME_BYTES]);

/* The text of a file. */
void agent_service_write(const struct agent_local_service *service, struct cu_buf *out);
void agent_check_write(const struct agent_local_check *check, struct cu_buf *out);
void agent_state_write(const Curia__V1__Check *check, int64_t expires_s, struct cu_buf *out);

/* The content of a file, in the arena. CU_E_CORRUPT with a sentence: what stands there was not
 * written by an agent, or damaged. */
CU_MUST_USE enum cu_err agent_service_file_read(struct cu_bytes text, struct cu_arena *arena,
                                                Curia__Internal__V1__PersistedService *ret,
                                                struct cu_diag *diag);
CU_MUST_USE enum cu_err agent_check_file_read(struct cu_bytes text, struct cu_arena *arena,
                                              Curia__Internal__V1__PersistedCheck *ret,
                                              struct cu_diag *diag);
CU_MUST_USE enum cu_err agent_state_file_read(struct cu_bytes text, struct cu_arena *arena,
                                              Curia__Internal__V1__PersistedCheckState *ret,
                                              struct cu_diag *diag);

/* "remote" and "local" as sources; false: a word that no agent writes. */
bool agent_source_parse(const char *text, enum agent_source *ret_source);

#endif
