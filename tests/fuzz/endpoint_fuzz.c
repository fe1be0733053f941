/* endpoint_fuzz.c - addresses with ports: what is taken apart and put together again is taken apart
 * the same way. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/endpoint.h"

bool fuzz_one(const uint8_t *data, size_t len)
{
    char text[2 * CU_HOST_BYTES], host[CU_HOST_BYTES], again[CU_HOST_BYTES];
    char joined[CU_ENDPOINT_BYTES];
    unsigned port, same;
    len = len < sizeof text ? len : sizeof text - 1;
    if (len)
        memcpy(text, data, len);
    text[len] = '\0';
    if (!cu_endpoint_split(text, host, &port))
        return false;
    (void)cu_endpoint_text(host, port ? port : 1, joined);
    if (!cu_endpoint_split(joined, again, &same) || strcmp(again, host) != 0 ||
        same != (port ? port : 1))
        abort();
    return true;
}
