/* canonical.h - one text for equal JSON values: what opaque configuration is stored as (contracts
 * 8.2). */
#ifndef CU_JSON_CANONICAL_H
#define CU_JSON_CANONICAL_H

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"

/* Compact; names sorted bytewise, of equal ones the last; strings escaped as text.h does; numbers
 * as the reference prints a float64 ("1e3" is 1000), but integers keep all their digits. `value`
 * has passed cu_json_check(). *ret_text is in the arena. CU_E_TOO_LARGE: the arena is full. */
CU_MUST_USE enum cu_err cu_json_canonical(struct cu_bytes value, struct cu_arena *arena,
                                          struct cu_bytes *ret_text);

#endif
