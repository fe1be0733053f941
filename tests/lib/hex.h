/* hex.h - bytes written as hex in tests. */
#ifndef TESTS_LIB_HEX_H
#define TESTS_LIB_HEX_H

#include "common/base/buf.h"

/* The bytes of `hex` (blanks allowed), appended to `buf`; a borrowed view of what was appended,
 * good until the buffer grows. Aborts on anything that is no hex. */
struct cu_bytes hex_append(struct cu_buf *buf, const char *hex);

#endif
