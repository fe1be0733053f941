/* literal.h - what a token stands for; of this folder only. */
#ifndef CU_HCL_LITERAL_H
#define CU_HCL_LITERAL_H

#include <jansson.h>

#include "common/hcl/scan.h"

/* The value of a bool, number, string or heredoc, yours. CU_E_INVALID: `diag` says what is wrong
 * with it, without its place. */
CU_MUST_USE enum cu_err hcl_literal(const struct hcl_token *token, json_t **ret_value,
                                    struct cu_diag *diag);

/* A key: the word, or the string without quotes; otherwise as above. */
CU_MUST_USE enum cu_err hcl_key(const struct hcl_token *token, json_t **ret_name,
                                struct cu_diag *diag);

#endif
