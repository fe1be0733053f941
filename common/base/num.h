/* num.h - numbers and durations that somebody typed, checked. */
#ifndef CU_BASE_NUM_H
#define CU_BASE_NUM_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/* Decimal digits only, the whole of `text`, no sign, no blank. Errors: CU_E_INVALID (no number),
 * CU_E_TOO_LARGE (over 64 bits). *ret_value untouched on failure. */
CU_MUST_USE enum cu_err cu_parse_u64(const char *text, size_t len, uint64_t *ret_value);

/* As above with an optional '-' or '+'. */
CU_MUST_USE enum cu_err cu_parse_i64(const char *text, size_t len, int64_t *ret_value);

/* A duration as Go prints and reads it: "10s", "1h30m", "250ms", "1.5h", "-2s", "0"; units ns us µs
 * ms s m h. Errors: CU_E_INVALID with Go's sentence in `diag` (`time: invalid duration "abc"`,
 * `time: missing unit in duration "5"`, `time: unknown unit "x" in duration "5x"`). */
CU_MUST_USE enum cu_err cu_parse_duration_ns(const char *text, int64_t *ret_ns,
                                             struct cu_diag *diag);

enum { CU_DURATION_BYTES = 40 };

/* Writes the duration as Go prints it: "0s", "1.5s", "250ms", "1m0s", "1h0m0s". Returns `text`. */
char *cu_format_duration(int64_t ns, char text[CU_DURATION_BYTES]);

/* 36 characters, 8-4-4-4-12 hex digits, in either case. */
int cu_is_uuid(const char *text);

enum { CU_UUID_BYTES = 37 }; /* with the NUL */

/* 16 bytes as the text of a UUID. Returns `text`. */
char *cu_format_uuid(const uint8_t id[16], char text[CU_UUID_BYTES]);
/* The reverse; CU_E_INVALID unless cu_is_uuid. */
CU_MUST_USE enum cu_err cu_parse_uuid(const char *text, uint8_t ret_id[16]);

#endif
