/* print.h - tokens, policies and roles for people (cli.md 5.1, 5.2). */
#ifndef CLI_ACL_PRINT_H
#define CLI_ACL_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

void acl_print_token(const json_t *token, bool has_meta);
void acl_print_policy(const json_t *policy, bool has_meta);
void acl_print_role(const json_t *role, bool has_meta);

/* Elements of lists; `at`: how many came before. */
void acl_print_token_stub(const json_t *token, size_t at, bool has_meta);
void acl_print_policy_stub(const json_t *policy, size_t at, bool has_meta);
void acl_print_role_stub(const json_t *role, size_t at, bool has_meta);

#endif
