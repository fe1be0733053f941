/* links.h - what a token or a role is linked with, out of flags (cli.md 4.1). */
#ifndef CLI_ACL_LINKS_H
#define CLI_ACL_LINKS_H

#include "services/curia/acl/acl.h"

/* Each adds what its flags say to the object's list, without what the list has already; the list is
 * made with the first element. `diag` is a whole sentence. */

/* -policy-name, -policy-id: Policies. */
CU_MUST_USE enum cu_err acl_add_policies(struct cli_http *http, const struct cli_args *args,
                                         json_t *object, struct cu_diag *diag);
/* -role-name, -role-id: Roles. */
CU_MUST_USE enum cu_err acl_add_roles(struct cli_http *http, const struct cli_args *args,
                                      json_t *object, struct cu_diag *diag);
/* -service-identity; one of the same service is replaced. */
CU_MUST_USE enum cu_err acl_add_services(struct cli_http *http, const struct cli_args *args,
                                         json_t *object, struct cu_diag *diag);
/* -node-identity. */
CU_MUST_USE enum cu_err acl_add_nodes(struct cli_http *http, const struct cli_args *args,
                                      json_t *object, struct cu_diag *diag);

/* All of them that the command has flags for. */
CU_MUST_USE enum cu_err acl_add_links(struct cli_http *http, const struct cli_args *args,
                                      json_t *object, struct cu_diag *diag);
/* Whether one of these flags was given. */
bool acl_has_links(const struct cli_args *args);

#endif
