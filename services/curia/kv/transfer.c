/* `kv export` and `kv import` (cli.md 4.14). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/curia/command.h"
#include "services/curia/kv/pair.h"

/* Tab-indented, key, flags, value, as the reference prints it. */
static void print_entry(const struct kv_pair *pair, bool is_first)
{
    json_t *key = json_string(pair->key);
    char *quoted = json_dumps(key, JSON_ENCODE_ANY);
    CU_ASSERT(quoted);
    (void)printf("%s\n\t{\n\t\t\"key\": %s,\n\t\t\"flags\": %llu,\n\t\t\"value\": \"%s\"\n\t}",
                 is_first ? "" : ",", quoted, (unsigned long long)pair->flags, pair->value_base64);
    free(quoted);
    json_decref(key);
}

static int print_list(json_t *list)
{
    struct cu_diag diag = {0};
    size_t i;
    json_t *item;
    (void)putchar('[');
    json_array_foreach(list, i, item)
    {
        struct kv_pair pair;
        if (kv_pair_read(item, &pair, &diag))
            return cli_sorry("Error querying Consul agent: %s", diag.text);
        print_entry(&pair, i == 0);
        cu_buf_deinit(&pair.value);
    }
    (void)puts(json_array_size(list) ? "\n]" : "]");
    return 0;
}

int cli_kv_export(const struct cli_args *args)
{
    struct cu_diag diag = {0};
    if (args->word_count > 1)
        return cli_sorry("Too many arguments (expected 1, got %d)", args->word_count);
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    json_t *list = NULL;
    enum cu_err err =
        kv_fetch(http, args->word_count ? kv_strip(args->words[0]) : "", true, &list, &diag);
    cli_http_free(http);
    if (err && err != CU_E_NOT_FOUND)
        return cli_sorry("Error querying Consul agent: %s", diag.text);
    int code = print_list(list);
    json_decref(list);
    return code;
}

static enum cu_err put_one(struct cli_http *http, const char *key, uint64_t flags,
                           struct cu_bytes value, struct cu_diag *diag)
{
    char query[64];
    struct cli_reply reply;
    (void)snprintf(query, sizeof query, "flags=%llu", (unsigned long long)flags);
    enum cu_err err = cli_ask(http,
                              &(struct cli_request){.method = "PUT",
                                                    .path = "/v1/kv/",
                                                    .key = cu_bytes_of(key),
                                                    .query = query,
                                                    .body = value},
                              &reply, diag);
    cu_buf_deinit(&reply.body);
    return err;
}

static int import_one(struct cli_http *http, json_t *item)
{
    const char *key = json_string_value(json_object_get(item, "key"));
    const char *text = json_string_value(json_object_get(item, "value"));
    const char *ns = json_string_value(json_object_get(item, "namespace"));
    json_t *flags = json_object_get(item, "flags");
    struct cu_diag diag = {0};
    if (!key)
        return cli_sorry("Cannot unmarshal data: an element has no key");
    if (flags && !json_is_integer(flags))
        return cli_sorry("Cannot unmarshal data: flags of %s is no whole number", key);
    if (ns && *ns && strcmp(ns, "default") != 0)
        return cli_sorry("Error! Failed writing data for key %s: there is only the namespace "
                         "\"default\"",
                         key);
    struct cu_buf value = {0};
    int code = 0;
    if (kv_base64_decode(text ? text : "", &value, &diag))
        code = cli_sorry("Error base 64 decoding value for key %s: %s", key, diag.text);
    else if (put_one(http, key, (uint64_t)json_integer_value(flags), cu_buf_bytes(&value), &diag))
        code = cli_sorry("Error! Failed writing data for key %s: %s", key, diag.text);
    else
        (void)printf("Imported: %s\n", key);
    cu_buf_deinit(&value);
    return code;
}

static int import_list(const struct cli_args *args, json_t *list)
{
    struct cli_http *http = cli_connect(args);
    int code = http ? 0 : 1;
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) if (!code) code = import_one(http, item);
    cli_http_free(http);
    return code;
}

int cli_kv_import(const struct cli_args *args)
{
    struct cu_diag diag = {0};
    json_error_t error;
    if (args->word_count > 1)
        return cli_sorry("Too many arguments (expected 1, got %d)", args->word_count);
    if (!args->word_count)
        return cli_sorry("Error! Missing DATA argument");
    struct cu_buf data = {0};
    if (kv_data_source(args->words[0], &data, &diag)) {
        cu_buf_deinit(&data);
        return cli_sorry("Error! %s", diag.text);
    }
    json_t *list = json_loadb((const char *)data.data, data.len, JSON_ALLOW_NUL, &error);
    cu_buf_deinit(&data);
    int code = json_is_array(list)
                   ? import_list(args, list)
                   : cli_sorry("Cannot unmarshal data: %s", list ? "not a list" : error.text);
    json_decref(list);
    return code;
}
