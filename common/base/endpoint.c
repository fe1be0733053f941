#include "common/base/endpoint.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/num.h"

static const char *print(const char *scheme, const char *host, unsigned port,
                         char text[CU_ENDPOINT_BYTES])
{
    bool is_bare_v6 = host[0] != '[' && strchr(host, ':');
    (void)snprintf(text, CU_ENDPOINT_BYTES, "%s%s%.255s%s:%u", scheme, is_bare_v6 ? "[" : "", host,
                   is_bare_v6 ? "]" : "", port);
    return text;
}

const char *cu_endpoint_text(const char *host, unsigned port, char text[CU_ENDPOINT_BYTES])
{
    return print("", host, port, text);
}

const char *cu_endpoint_url(const char *host, unsigned port, char url[CU_ENDPOINT_BYTES])
{
    return print("tcp://", host, port, url);
}

/* Where the host ends; NULL: nowhere. */
static const char *host_end(const char *text, bool has_bracket)
{
    if (has_bracket)
        return strchr(text, ']');
    const char *colon = strchr(text, ':');
    bool is_bare_v6 = colon && strchr(colon + 1, ':');
    return colon && !is_bare_v6 ? colon : text + strlen(text);
}

bool cu_endpoint_split(const char *text, char host[CU_HOST_BYTES], unsigned *ret_port)
{
    bool has_bracket = text[0] == '[';
    const char *from = text + has_bracket, *end = host_end(from, has_bracket);
    size_t len = end ? (size_t)(end - from) : 0;
    if (len == 0 || len >= CU_HOST_BYTES)
        return false;
    memcpy(host, from, len);
    host[len] = '\0';
    if (strpbrk(host, "[]"))
        return false;
    const char *rest = end + has_bracket;
    uint64_t port = 0;
    if (*rest && (*rest != ':' || cu_parse_u64(rest + 1, strlen(rest + 1), &port) || port == 0 ||
                  port > UINT16_MAX))
        return false;
    *ret_port = (unsigned)port;
    return true;
}
