/* coerce.h - a value of a filter as the number or truth it is compared with, by the rules of Go's
 * strconv. */
#ifndef CU_FILTER_COERCE_H
#define CU_FILTER_COERCE_H

#include <stdint.h>

/* Base 0: 0x, 0o, 0b, a leading 0 for octal, underscores between digits. NULL, or what is wrong
 * with it: "invalid syntax", "value out of range". */
const char *cu_filter_coerce_int(const char *text, int64_t *ret_number);

/* 1, t, T, TRUE, true, True, and their opposites. */
const char *cu_filter_coerce_bool(const char *text, int64_t *ret_number);

#endif
