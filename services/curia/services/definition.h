/* definition.h - service definitions as users write them in files and flags, turned into the bodies
 * of PUT /v1/agent/service/register (cli.md 4.22, agent.md 6). */
#ifndef CLI_SERVICES_DEFINITION_H
#define CLI_SERVICES_DEFINITION_H

#include <jansson.h>

#include "services/curia/flag.h"

#include "common/base/err.h"

/* All service blocks of the files, in order: an array of bodies, yours. The files are read as the
 * agent reads its own, so that an unknown key is an error. Errors: those of cu_conf_load(). */
CU_MUST_USE enum cu_err services_read_files(char *const *paths, int count, json_t **ret_bodies,
                                            struct cu_diag *diag);

/* One body from -name, -id, -address, -port, -tag, -meta, -tagged-address, -kind. CU_E_INVALID. */
CU_MUST_USE enum cu_err services_read_flags(const struct cli_args *args, json_t **ret_body,
                                            struct cu_diag *diag);

/* One definition with the keys of files as the API spells them; yours. */
json_t *services_body_of(const json_t *definition);

#endif
