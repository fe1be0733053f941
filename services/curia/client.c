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

enum cu_err cli_ask(struct cli_http *http, const struct cli_request *request,
                    struct cli_reply *ret_reply, struct cu_diag *diag)
{
    enum cu_err err = cli_http_do(http, request, ret_reply, diag);
    if (!err && ret_reply->status != 200) {
        cli_http_unexpected(ret_reply, true, diag);
        err = CU_E_IO;
    }
    return err;
}

enum cu_err cli_get(struct cli_http *http, const char *path, const char *key, const char *query,
                    json_t **ret_json, struct cu_diag *diag)
{
    struct cli_reply reply;
    enum cu_err err = cli_ask(http,
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
    enum cu_err err = cli_ask(http,
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

enum cu_err cli_delete(struct cli_http *http, const char *path, const char *query,
                       struct cu_diag *diag)
{
    struct cli_reply reply;
    enum cu_err err =
        cli_ask(http, &(struct cli_request){.method = "DELETE", .path = path, .query = query},
                &reply, diag);
    cu_buf_deinit(&reply.body);
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

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **cli_sorted(const json_t *json, size_t *ret_count)
{
    json_t *all = (json_t *)(uintptr_t)json, *item; /* only read */
    const char **texts =
        cu_alloc((json_object_size(all) + json_array_size(all) + 1) * sizeof *texts);
    const char *name;
    size_t i, count = 0;
    json_object_foreach(all, name, item) texts[count++] = name;
    json_array_foreach(all, i, item) if (json_is_string(item)) texts[count++] =
        json_string_value(item);
    qsort(texts, count, sizeof *texts, by_text);
    *ret_count = count;
    return texts;
}

void cli_join_members(const json_t *object, const char *between, struct cu_buf *out)
{
    size_t count;
    const char **names = cli_sorted(object, &count);
    for (size_t i = 0; i < count; i++)
        cu_buf_printf(out, "%s%s=%s", i ? between : "", names[i],
                      cli_member_text(object, names[i]));
    free(names);
}

bool cli_takes_no_words(const struct cli_args *args)
{
    if (args->word_count)
        (void)cli_sorry("Too many arguments (expected 0, got %d)", args->word_count);
    return args->word_count == 0;
}
