/* client.h - the few ways in which commands talk with the agent and with the user. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include <jansson.h>

#include "services/curia/http.h"

/* Prints the sentence on stderr; returns 1, the exit code. */
int cli_sorry(const char *fmt, ...) CU_PRINTF(1, 2);

/* NULL: "Error connecting to Consul agent: ..." was printed. */
struct cli_http *cli_connect(const struct cli_args *args);

/* One request. CU_E_IO: no answer, or a status other than 200, as `diag` says it. The reply's body
 * is yours in any case: cu_buf_deinit(). */
CU_MUST_USE enum cu_err cli_ask(struct cli_http *http, const struct cli_request *request,
                                struct cli_reply *ret_reply, struct cu_diag *diag);

/* Reads JSON; it is yours. CU_E_IO: no answer, or a status other than 200, as `diag` says it;
 * CU_E_INVALID: the answer is no JSON. */
CU_MUST_USE enum cu_err cli_get(struct cli_http *http, const char *path, const char *key,
                                const char *query, json_t **ret_json, struct cu_diag *diag);

/* Tells the agent something: PUT. `body` NULL: none. CU_E_IO as above. */
CU_MUST_USE enum cu_err cli_put(struct cli_http *http, const char *path, const char *key,
                                const char *query, const json_t *body, struct cu_diag *diag);

/* Asks the agent to take something away: DELETE. CU_E_IO as above. */
CU_MUST_USE enum cu_err cli_delete(struct cli_http *http, const char *path, const char *query,
                                   struct cu_diag *diag);

/* Appends "&name=value" with the value escaped; nothing when it is NULL. */
void cli_query_add(struct cu_buf *query, const char *name, const char *value);
/* The query as text, "" when empty. */
const char *cli_query_text(struct cu_buf *query);

/* A member of an object as text; "" when it is none. Borrowed. */
const char *cli_member_text(const json_t *object, const char *name);

/* The member names of an object, or the texts of a list, sorted; borrowed, free() the array. */
const char **cli_sorted(const json_t *json, size_t *ret_count);
/* Appends "k=v" for each member, sorted, with `between` them. */
void cli_join_members(const json_t *object, const char *between, struct cu_buf *out);

/* Refuses words after the flags: "Too many arguments (expected 0, got 1)". */
bool cli_takes_no_words(const struct cli_args *args);

#endif
