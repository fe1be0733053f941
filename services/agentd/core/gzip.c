#include "services/agentd/core/gzip.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "common/base/assert.h"

enum { LEVEL = 1, GZIP_WINDOW_BITS = 15 + 16, MEMORY_LEVEL = 8 };

void agent_gzip(struct cu_buf *body, size_t start)
{
    z_stream stream = {.next_in = body->data + start, .avail_in = (uInt)(body->len - start)};
    int result = deflateInit2(&stream, LEVEL, Z_DEFLATED, GZIP_WINDOW_BITS, MEMORY_LEVEL,
                              Z_DEFAULT_STRATEGY);
    CU_ASSERT(result == Z_OK); /* else out of memory */
    struct cu_buf packed = {0};
    uLong most = deflateBound(&stream, stream.avail_in);
    stream.next_out = cu_buf_extend(&packed, most);
    stream.avail_out = (uInt)most;
    result = deflate(&stream, Z_FINISH);
    CU_ASSERT(result == Z_STREAM_END); /* the bound is one */
    body->len = start;
    cu_buf_append(body, packed.data, most - stream.avail_out);
    (void)deflateEnd(&stream);
    cu_buf_deinit(&packed);
}

/* "gzip;q=0" refuses it. */
static int is_gzip(const char *at, size_t len)
{
    static const char name[] = "gzip";
    if (len < sizeof name - 1 || strncasecmp(at, name, sizeof name - 1) != 0)
        return 0;
    const char *rest = at + sizeof name - 1, *end = at + len;
    while (rest < end && (*rest == ' ' || *rest == '\t'))
        rest++;
    if (rest == end)
        return 1;
    const char *weight = *rest == ';' ? memchr(rest, '=', (size_t)(end - rest)) : NULL;
    return weight && strtod(weight + 1, NULL) > 0;
}

int agent_accepts_gzip(const char *accept_encoding)
{
    for (const char *at = accept_encoding ? accept_encoding : ""; *at;) {
        at += strspn(at, " \t,");
        size_t len = strcspn(at, ",");
        if (is_gzip(at, len))
            return 1;
        at += len;
    }
    return 0;
}
