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

/* Fails the request of a handler that writes. A denial by ACLs is decided once more when what was
 * acknowledged before is applied here: the handler is called again. */
void catalog_refuse(struct catalog_shell *shell, struct cu_rq *rq, enum cu_err err,
                    const char *text);

/* The same for an answer that is no failure: false, it is to be given now. */
bool catalog_refuse_later(struct catalog_shell *shell, struct cu_rq *rq);

/* Calls the request's handler once more, which finds it as it came. Once for a denial. */
void catalog_begin_anew(struct catalog_shell *shell, struct cu_rq *rq);
bool catalog_may_begin_anew(const struct catalog_shell *shell, struct cu_rq *rq);

/* Ends the request by `answer`, or by an error: NO_LEADER after the time that a missing leader is
 * waited for, UNKNOWN where the command may yet take effect. With ACLs the command gets to name the
 * token's row and policies; when something that it names has changed before it is applied, the
 * handler of the row is called once more, and makes it anew. */
void catalog_write_serve(struct catalog_shell *shell, struct cu_rq *rq,
                         Curia__Internal__V1__Command *command, catalog_answer *answer);

/* Until when a missing leader is waited for: a little before the caller gives up by itself. */
struct cu_mono catalog_hold_deadline(const struct catalog_shell *shell, const struct cu_rq *rq);

#endif
