/* scan.h - checks the syntax of JSON text, then walks it as slices (http-api.md 1.3). */
#ifndef CU_JSON_SCAN_H
#define CU_JSON_SCAN_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"

enum { CU_JSON_MAX_DEPTH = 200 }; /* lists and objects inside each other */

/* Finds the first value of `text`; what follows it is ignored. *ret_value is a slice of it without
 * blanks around. CU_E_INVALID: `diag` has the reference's sentence ("EOF", "unexpected EOF",
 * "invalid character 'b' looking for beginning of value", ...). */
CU_MUST_USE enum cu_err cu_json_check(struct cu_bytes text, struct cu_bytes *ret_value,
                                      struct cu_diag *diag);

/* The rest takes only values that cu_json_check() has passed. */

enum cu_json_kind {
    CU_JSON_KIND_NULL,
    CU_JSON_KIND_BOOL,
    CU_JSON_KIND_NUMBER,
    CU_JSON_KIND_STRING,
    CU_JSON_KIND_ARRAY,
    CU_JSON_KIND_OBJECT,
    CU_JSON_KIND_COUNT
};
enum cu_json_kind cu_json_kind(struct cu_bytes value);
const char *cu_json_kind_name(enum cu_json_kind kind); /* "object", as in error sentences */

/* A walk over the members of an object or the elements of a list. */
struct cu_json_walk {
    struct cu_bytes rest;
};
struct cu_json_walk cu_json_walk(struct cu_bytes value); /* of a list or an object */
bool cu_json_next_element(struct cu_json_walk *walk, struct cu_bytes *ret_value);
/* *ret_name is the quoted name. */
bool cu_json_next_member(struct cu_json_walk *walk, struct cu_bytes *ret_name,
                         struct cu_bytes *ret_value);

/* The characters of a string, in the arena, with a NUL behind them; invalid UTF-8 becomes U+FFFD.
 * CU_E_TOO_LARGE: the arena is full. */
CU_MUST_USE enum cu_err cu_json_unquote(struct cu_bytes value, struct cu_arena *arena,
                                        struct cu_bytes *ret_text);

#endif
