#include "services/curia/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

int cli_sorry(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
    (void)fputc('\n', stderr);
    return 1;
}

struct cli_http *cli_connect(const struct cli_args *args)
{
    struct cu_diag diag = {0};
    struct cli_http *http = cli_http_new(args, &diag);
    if (!http)
        (void)cli_sorry("Error connecting to Consul agent: %s", diag.text);
    return http;
}

static enum cu_err ask(struct cli_http *http, const struct cli_request *request,
                       struct cli_reply *reply, struct cu_diag *diag)
{
    enum cu_err err = cli_http_do(http, request, reply, diag);
    if (!err && reply->status != 200) {
        cli_http_unexpected(reply, true, diag);
        err = CU_E_IO;
    }
    return err;
}

enum cu_err cli_get(struct cli_http *http, const char *path, const char *key, const char *query,
                    json_t **ret_json, struct cu_diag *diag)
{
    struct cli_reply reply;
    enum cu_err err = ask(http,
                          &(struct cli_request){.method = "GET",
                                                .path = path,
                                                .key = cu_bytes_of(key),
                                                .query = query,
                                                .is_read = true},
                          &reply, diag);
    json_t *json = err ? NULL
                       : json_loadb((const char *)reply.body.data, reply.body.len,
                                    JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    cu_buf_deinit(&reply.body);
    if (!err && !json)
        err = cu_fail(diag, CU_E_INVALID, "the agent's reply is not understood");
    if (!err)
        *ret_json = json;
    return err;
}

enum cu_err cli_put(struct cli_http *http, const char *path, const char *key, const char *query,
                    const json_t *body, struct cu_diag *diag)
{
    struct cli_reply reply;
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    CU_ASSERT(!body || text);
    enum cu_err err = ask(http,
                          &(struct cli_request){.method = "PUT",
                                                .path = path,
                                                .key = cu_bytes_of(key),
                                                .query = query,
                                                .body = cu_bytes_of(text ? text : "")},
                          &reply, diag);
    cu_buf_deinit(&reply.body);
    free(text);
    return err;
}

void cli_query_add(struct cu_buf *query, const char *name, const char *value)
{
    if (!value)
        return;
    cu_buf_printf(query, "%s%s=", query->len ? "&" : "", name);
    cli_http_escape(query, cu_bytes_of(value), false);
}

const char *cli_query_text(struct cu_buf *query)
{
    cu_buf_u8(query, 0);
    query->len--;
    return (const char *)query->data;
}

const char *cli_member_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

bool cli_takes_no_words(const struct cli_args *args)
{
    if (args->word_count)
        (void)cli_sorry("Too many arguments (expected 0, got %d)", args->word_count);
    return args->word_count == 0;
}
