/* quote.h - bytes inside a message, quoted as the reference's texts quote them (Go's %q). */
#ifndef CU_BASE_QUOTE_H
#define CU_BASE_QUOTE_H

#include "common/base/arena.h"
#include "common/base/buf.h"

/* "text" with its quotes: backslash, quote and control characters escaped, bytes that are no UTF-8
 * as \xNN. NULL when the arena is full. */
char *cu_quote(struct cu_arena *arena, struct cu_bytes bytes);

#endif
