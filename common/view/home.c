#include "common/view/home.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/endpoint.h"

enum { SERVER_PORT = 8300 };

/* What is no address is passed on as it is: who dials it says so. */
static char *url_of(const char *text)
{
    char host[CU_HOST_BYTES], url[CU_ENDPOINT_BYTES];
    unsigned port;
    if (strstr(text, "://"))
        return cu_strdup(text);
    if (cu_endpoint_split(text, host, &port))
        (void)cu_endpoint_url(host, port ? port : SERVER_PORT, url);
    else
        (void)snprintf(url, sizeof url, "tcp://%s", text);
    return cu_strdup(url);
}

char **cu_home_urls(const struct cu_conf *conf, const char *key, const char *local,
                    size_t *ret_count)
{
    const json_t *list = cu_conf_json(conf, key);
    size_t count = json_array_size(list);
    char **urls = cu_alloc((count + 1) * sizeof *urls);
    for (size_t i = 0; i < count; i++)
        urls[i] = url_of(json_string_value(json_array_get(list, i)));
    if (!count && local)
        urls[count++] = cu_strdup(local);
    *ret_count = count;
    return urls;
}
