/* write.h - a request whose command goes through the log: proposed, waited for, answered. */
#ifndef CATALOG_RPC_WRITE_H
#define CATALOG_RPC_WRITE_H

#include "services/catalogd/io/shell.h"

/* Replies to `rq` from what apply said; outcome->result is there. */
typedef void catalog_answer(struct cu_rq *rq, const struct catalog_outcome *outcome);

/* Whether apply refused it: then `rq` has ended with its sentence. */
bool catalog_write_refused(struct cu_rq *rq, const struct catalog_outcome *outcome);

/* Who asks and why, for the change log; references into `rq`, `reason` and `origin`. */
void catalog_command_init(const struct cu_rq *rq, const char *reason,
                          Curia__Internal__V1__Origin *origin,
                          Curia__Internal__V1__Command *command);

/* Ends the request by `answer`, or by an error: NO_LEADER after the time that a missing leader is
 * waited for, UNKNOWN where the command may yet take effect. With ACLs the command gets to name the
 * token's row and policies; when something that it names has changed before it is applied, the
 * handler of the row is called once more, and makes it anew. */
void catalog_write_serve(struct catalog_shell *shell, struct cu_rq *rq,
                         Curia__Internal__V1__Command *command, catalog_answer *answer);

/* Until when a missing leader is waited for: a little before the caller gives up by itself. */
struct cu_mono catalog_hold_deadline(const struct catalog_shell *shell, const struct cu_rq *rq);

#endif
