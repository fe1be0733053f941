#include "tests/lib/hex.h"

#include <stdio.h>
#include <stdlib.h>

struct cu_bytes hex_append(struct cu_buf *buf, const char *hex)
{
    size_t start = buf->len;
    for (; *hex; hex += *hex == ' ' ? 1 : 2) {
        unsigned byte;
        if (*hex == ' ')
            continue;
        if (!hex[1] || sscanf(hex, "%2x", &byte) != 1)
            abort();
        cu_buf_u8(buf, (uint8_t)byte);
    }
    return (struct cu_bytes){buf->data + start, buf->len - start};
}
