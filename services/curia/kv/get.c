/* `kv get` (cli.md 4.14). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/curia/command.h"
#include "services/curia/kv/pair.h"

static void print_bytes(struct cu_bytes bytes)
{
    (void)fwrite(bytes.data, 1, bytes.len, stdout);
}

static void print_value(const struct kv_pair *pair, bool as_base64)
{
    if (as_base64)
        (void)fputs(pair->value_base64, stdout);
    else
        print_bytes(cu_buf_bytes(&pair->value));
}

static void print_detailed(const struct kv_pair *pair, bool as_base64)
{
    (void)printf("%-17s%llu\n", "CreateIndex", (unsigned long long)pair->create_index);
    (void)printf("%-17s%llu\n", "Flags", (unsigned long long)pair->flags);
    (void)printf("%-17s%s\n", "Key", pair->key);
    (void)printf("%-17s%llu\n", "LockIndex", (unsigned long long)pair->lock_index);
    (void)printf("%-17s%llu\n", "ModifyIndex", (unsigned long long)pair->modify_index);
    (void)printf("%-17s%s\n", "Session", *pair->session ? pair->session : "-");
    (void)printf("%-17s", "Value");
    print_value(pair, as_base64);
    (void)putchar('\n');
}

static int print_pairs(const struct cli_args *args, json_t *list, bool recurse)
{
    struct cu_diag diag = {0};
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        struct kv_pair pair;
        if (kv_pair_read(item, &pair, &diag))
            return cli_sorry("Error querying Consul agent: %s", diag.text);
        if (cli_bool(args, "detailed")) {
            if (i)
                (void)putchar('\n');
            print_detailed(&pair, cli_bool(args, "base64"));
        } else {
            if (recurse)
                (void)printf("%s:", pair.key);
            print_value(&pair, cli_bool(args, "base64"));
            (void)putchar('\n');
        }
        cu_buf_deinit(&pair.value);
    }
    return 0;
}

static int get_keys(const struct cli_args *args, struct cli_http *http, const char *prefix)
{
    const char *separator = cli_text(args, "separator");
    struct cu_buf query = {0};
    struct cu_diag diag = {0};
    struct cli_reply reply;
    cu_buf_text(&query, "keys=&separator=");
    cli_http_escape(&query, cu_bytes_of(separator ? separator : "/"), false);
    cu_buf_u8(&query, 0);
    enum cu_err err = cli_http_do(http,
                                  &(struct cli_request){.method = "GET",
                                                        .path = "/v1/kv/",
                                                        .key = cu_bytes_of(prefix),
                                                        .query = (const char *)query.data,
                                                        .is_read = true},
                                  &reply, &diag);
    if (!err && reply.status != 200 && reply.status != 404) {
        cli_http_unexpected(&reply, false, &diag);
        err = CU_E_IO;
    }
    json_t *list = !err && reply.status == 200
                       ? json_loadb((const char *)reply.body.data, reply.body.len, 0, NULL)
                       : NULL,
           *key;
    size_t i;
    json_array_foreach(list, i, key) if (json_is_string(key))(void) puts(json_string_value(key));
    json_decref(list);
    cu_buf_deinit(&query);
    cu_buf_deinit(&reply.body);
    return err ? cli_sorry("Error querying Consul agent: %s", diag.text) : 0;
}

static int get_pairs(const struct cli_args *args, struct cli_http *http, const char *key)
{
    bool recurse = cli_bool(args, "recurse");
    struct cu_diag diag = {0};
    json_t *list = NULL;
    enum cu_err err = kv_fetch(http, key, recurse, &list, &diag);
    if (err == CU_E_NOT_FOUND)
        return recurse ? 0 : cli_sorry("Error! No key exists at: %s", key);
    if (err)
        return cli_sorry("Error querying Consul agent: %s", diag.text);
    int code = print_pairs(args, list, recurse);
    json_decref(list);
    return code;
}

int cli_kv_get(const struct cli_args *args)
{
    bool lists = cli_bool(args, "recurse") || cli_bool(args, "keys");
    const char *key = args->word_count ? kv_strip(args->words[0]) : "";
    if (args->word_count > 1)
        return cli_sorry("Too many arguments (expected 1, got %d)", args->word_count);
    if (!*key && !lists)
        return cli_sorry("Error! Missing KEY argument");
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    int code = cli_bool(args, "keys") ? get_keys(args, http, key) : get_pairs(args, http, key);
    cli_http_free(http);
    return code;
}
