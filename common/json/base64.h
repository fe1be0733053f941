/* base64.h - standard base64 with padding (RFC 4648 section 4), as JSON bodies carry bytes. */
#ifndef CU_JSON_BASE64_H
#define CU_JSON_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"

/* Characters that `len` bytes become. */
static inline size_t cu_base64_len(size_t len)
{
    return (len + 2) / 3 * 4;
}

/* Appends the text, without quotes or NUL. */
void cu_base64_encode(struct cu_buf *out, struct cu_bytes bytes);

/* Reads all of `text` (CR and LF are skipped) into `ret_bytes`, which has room for
 * text.len / 4 * 3 + 3. CU_E_INVALID: *ret_bad is the offset that the reference names in `illegal
 * base64 data at input byte N`. */
CU_MUST_USE enum cu_err cu_base64_decode(struct cu_bytes text, uint8_t *ret_bytes, size_t *ret_len,
                                         size_t *ret_bad);

#endif
