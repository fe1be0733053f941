/* hcl.h - HCL1, the language of configuration files and ACL rules, read into the tree that JSON is
 * read into (agent.md 2, http-api.md 4.3; grammar and sentences: hashicorp/hcl v1.0.0). Pure.
 *
 * How HCL becomes JSON:
 *
 *     a = 1                        {"a": 1}; also 0x1f, 017, -2.5e3, true, "text", <<HEREDOC,
 * <<-HEREDOC a = [1, {b = 2}]             {"a": [1, {"b": 2}]} a { b = 2 }, a = { b = 2 }   {"a":
 * [{"b": 2}]}, since blocks may be repeated a "x" "y" { b = 2 }          {"a": [{"x": [{"y": [{"b":
 * 2}]}]}]}
 *
 * The same key again: lists and blocks append to what is there, a scalar replaces one of its own
 * type (a number any number), all else is an error. "${...}" stays as it is written. Keys differ by
 * letter case. */
#ifndef CU_HCL_HCL_H
#define CU_HCL_HCL_H

#include <jansson.h>

#include "common/base/buf.h"
#include "common/base/err.h"

enum {
    CU_HCL_MAX_BYTES = 4 * 1024 * 1024,
    CU_HCL_MAX_DEPTH = 100,     /* keys, labels, and lists inside each other; 100 of JSON's, too */
    CU_HCL_MAX_VALUES = 1 << 17 /* values and labels, for the memory that they take */
};

/* *ret_tree is an object, yours (json_decref); in JSON's terms it is at most twice as deep as
 * CU_HCL_MAX_DEPTH and one. No string or key of it holds a NUL. A text whose first character but
 * blanks is '{' is read as JSON, where no name may be there twice. Errors: CU_E_INVALID with the
 * reference's sentence in `diag` ("At 1:11: object expected closing RBRACE got: EOF": line, then
 * column in characters), CU_E_TOO_LARGE over a limit. Stricter than the reference, which drops
 * them: `a =` without a value, and what is wrong just before a '}'. "<<-X" ends also at an X
 * without blanks before it. */
CU_MUST_USE enum cu_err cu_hcl_parse(struct cu_bytes text, json_t **ret_tree, struct cu_diag *diag);

#endif
