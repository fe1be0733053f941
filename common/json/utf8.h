/* utf8.h - one character of a text that may not be UTF-8. */
#ifndef CU_JSON_UTF8_H
#define CU_JSON_UTF8_H

#include <stdint.h>

#include "common/base/buf.h"

enum { CU_UTF8_BAD = 0x110000 }; /* no character: above the last one */

/* The character at the beginning of `text` (len > 0) and the bytes it takes. A byte that begins no
 * valid sequence (RFC 3629: no surrogates, no long forms) gives CU_UTF8_BAD and 1. */
size_t cu_utf8_next(struct cu_bytes text, uint32_t *ret_rune);

/* Appends a character; a surrogate or more than U+10FFFF appends U+FFFD. */
void cu_utf8_append(struct cu_buf *out, uint32_t rune);

#endif
