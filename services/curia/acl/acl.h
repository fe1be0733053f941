/* acl.h - what the commands of `acl` have in common (cli.md 4.1). */
#ifndef CLI_ACL_H
#define CLI_ACL_H

#include <jansson.h>

#include "services/curia/client.h"

#define ACL_PATH "/v1/acl/"

/* What can be named on a command line. */
struct acl_kind {
    const char *noun;             /* "policy", in sentences and in paths */
    const char *list;             /* path of all */
    const char *id;               /* the member that names one */
    const char *known, *known_id; /* a word that stands for an id; NULL: none */
};
extern const struct acl_kind acl_policy, acl_role, acl_token;

/* The id that a prefix, or the known word, means; yours (free). Errors as cli.md 4.1 has them. */
CU_MUST_USE enum cu_err acl_id_of(struct cli_http *http, const struct acl_kind *kind,
                                  const char *given, char **ret_id, struct cu_diag *diag);
/* The same for a name. */
CU_MUST_USE enum cu_err acl_id_by_name(struct cli_http *http, const struct acl_kind *kind,
                                       const char *name, char **ret_id, struct cu_diag *diag);
/* By -id or else by -name, which one of was given: "Error determining policy ID: ..." */
CU_MUST_USE enum cu_err acl_id_of_args(struct cli_http *http, const struct acl_kind *kind,
                                       const struct cli_args *args, char **ret_id,
                                       struct cu_diag *diag);

/* One object, yours; CU_E_NOT_FOUND: a 404. `diag` has the cause without a prefix. */
CU_MUST_USE enum cu_err acl_get(struct cli_http *http, const struct acl_kind *kind, const char *id,
                                json_t **ret_object, struct cu_diag *diag);
/* PUT of /v1/acl/NOUN, or /v1/acl/NOUN/ID; what came back is yours. `body` NULL: none. */
CU_MUST_USE enum cu_err acl_put(struct cli_http *http, const char *noun, const char *id,
                                const json_t *body, json_t **ret_object, struct cu_diag *diag);
/* DELETE of one: prints what was done; the exit code. */
int acl_delete(const struct cli_args *args, const struct acl_kind *kind);
/* GET of all, printed; the exit code. */
int acl_list(const struct cli_args *args, const struct acl_kind *kind,
             void (*print)(const json_t *object, size_t at, bool has_meta));

/* The help of a command that misses a flag: `sentence` and where to look; the exit code. */
int acl_misses(const char *sentence, const char *command);

/* The flag's text, "" when it is not given. */
const char *acl_text(const struct cli_args *args, const char *flag);
bool acl_is_given(const struct cli_args *args, const char *flag);

/* -format: false: "Unknown format: X" was printed. */
bool acl_format(const struct cli_args *args, bool *ret_is_json);
/* As JSON with an indent of four. */
void acl_print_json(const json_t *json);
/* One object as -format and -meta say; 0. Takes the object. */
int acl_print(const struct cli_args *args, json_t *object,
              void (*print)(const json_t *object, bool has_meta));

#endif
