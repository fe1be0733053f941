/* `kv put` (cli.md 4.14). */
#include <stdio.h>
#include <string.h>

#include "services/curia/command.h"
#include "services/curia/kv/pair.h"

static void build_query(const struct cli_args *args, struct cu_buf *query)
{
    const char *flags = cli_text(args, "flags"), *session = cli_text(args, "session");
    if (cli_bool(args, "cas"))
        cu_buf_printf(query, "&cas=%llu", (unsigned long long)cli_uint(args, "modify-index", 0));
    if (flags)
        cu_buf_printf(query, "&flags=%llu", (unsigned long long)cli_uint(args, "flags", 0));
    if (cli_bool(args, "acquire") || cli_bool(args, "release")) {
        cu_buf_text(query, cli_bool(args, "acquire") ? "&acquire=" : "&release=");
        cli_http_escape(query, cu_bytes_of(session), false);
    }
    cu_buf_u8(query, 0);
}

/* The value to write: what DATA stands for, decoded where -base64 says that it is encoded. A bad
 * one writes nothing (cli.md Q1). */
static enum cu_err read_value(const struct cli_args *args, struct cu_buf *value,
                              struct cu_diag *diag)
{
    if (args->word_count < 2)
        return CU_OK;
    struct cu_buf decoded = {0};
    struct cu_diag why = {0};
    enum cu_err err = kv_data_source(args->words[1], value, &why);
    if (err)
        return cu_fail(diag, err, "Error! %s", why.text);
    if (!cli_bool(args, "base64"))
        return CU_OK;
    cu_buf_u8(value, 0);
    err = kv_base64_decode((const char *)value->data, &decoded, &why);
    if (err) {
        cu_buf_deinit(&decoded);
        return cu_fail(diag, err, "Error base 64 decoding value for key %s: %s", args->words[0],
                       why.text);
    }
    cu_buf_deinit(value);
    *value = decoded;
    return CU_OK;
}

static int tell_written(const struct cli_args *args, bool applied)
{
    const char *key = args->words[0];
    bool cas = cli_bool(args, "cas");
    if (cli_bool(args, "acquire"))
        return applied ? printf("Success! Lock acquired on: %s\n", key) < 0
                       : cli_sorry("Error! Did not acquire lock");
    if (cli_bool(args, "release"))
        return applied ? printf("Success! Lock released on: %s\n", key) < 0
                       : cli_sorry("Error! Did not release lock");
    if (applied)
        return printf("Success! Data written to: %s\n", key) < 0;
    if (cas && !cli_uint(args, "modify-index", 0))
        return cli_sorry("Error! Did not write to %s: CAS performed with index=0 and key already "
                         "exists.",
                         key);
    return cli_sorry("Error! Did not write to %s: CAS failed", key);
}

static int write_value(const struct cli_args *args, struct cli_http *http, struct cu_bytes value)
{
    struct cu_buf query = {0};
    struct cu_diag diag = {0};
    struct cli_reply reply;
    build_query(args, &query);
    const char *given = (const char *)query.data;
    enum cu_err err = cli_ask(http,
                              &(struct cli_request){.method = "PUT",
                                                    .path = "/v1/kv/",
                                                    .key = cu_bytes_of(args->words[0]),
                                                    .query = *given ? given + 1 : NULL,
                                                    .body = value},
                              &reply, &diag);
    bool applied = !err && reply.body.len >= 4 && !memcmp(reply.body.data, "true", 4);
    cu_buf_deinit(&query);
    cu_buf_deinit(&reply.body);
    return err ? cli_sorry("Error! Failed writing data: %s", diag.text)
               : tell_written(args, applied);
}

int cli_kv_put(const struct cli_args *args)
{
    bool locks = cli_bool(args, "acquire") || cli_bool(args, "release");
    if (args->word_count > 2)
        return cli_sorry("Error! Too many arguments (expected 1 or 2, got %d)", args->word_count);
    if (!args->word_count || !*args->words[0])
        return cli_sorry("Error! Missing KEY argument");
    if (locks && !cli_text(args, "session"))
        return cli_sorry("Error! Missing -session (required with -acquire and -release)");
    if (args->words[0][0] == '/')
        return cli_sorry(
            "Error! Failed writing data: Invalid key. Key must not begin with a '/': %s",
            args->words[0]);
    struct cu_buf value = {0};
    struct cu_diag diag = {0};
    struct cli_http *http = NULL;
    int code = 1;
    if (read_value(args, &value, &diag))
        (void)cli_sorry("%s", diag.text);
    else if ((http = cli_connect(args)))
        code = write_value(args, http, cu_buf_bytes(&value));
    cli_http_free(http);
    cu_buf_deinit(&value);
    return code;
}
