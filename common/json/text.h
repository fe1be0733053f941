/* text.h - writes the scalars of JSON as the reference prints them (http-api.md 1.4). */
#ifndef CU_JSON_TEXT_H
#define CU_JSON_TEXT_H

#include <stdint.h>

#include "common/base/buf.h"

/* Quoted; `<` `>` `&` U+2028 U+2029 and control characters escaped, each invalid UTF-8 byte is
 * printed as \ufffd. */
void cu_json_text(struct cu_buf *out, struct cu_bytes text);
void cu_json_cstr(struct cu_buf *out, const char *text); /* NULL prints "" */

void cu_json_u64(struct cu_buf *out, uint64_t value);
void cu_json_i64(struct cu_buf *out, int64_t value);

/* Quoted, RFC 3339 in UTC, without trailing zeros; a time beyond the year 9999 as the last second
 * before. */
void cu_json_time(struct cu_buf *out, int64_t s, unsigned ms);

/* Quoted base64. */
void cu_json_base64(struct cu_buf *out, struct cu_bytes bytes);

/* Appends `compact`, which must be JSON without blanks between tokens, indented by four spaces a
 * level and ended by a newline; empty lists and objects stay on one line. */
void cu_json_indent(struct cu_buf *out, struct cu_bytes compact);

#endif
