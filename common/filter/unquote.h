/* unquote.h - what is meant by a string literal of Go, as strconv.Unquote has it. */
#ifndef CU_FILTER_UNQUOTE_H
#define CU_FILTER_UNQUOTE_H

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"

/* `literal` with its quotes, " or `. Errors: INVALID: invalid syntax, or a NUL, which no value can
 * hold; TOO_LARGE the arena is full. */
CU_MUST_USE enum cu_err cu_filter_unquote(struct cu_bytes literal, struct cu_arena *arena,
                                          char **ret_text);

#endif
