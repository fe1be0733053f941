/* `kv delete` (cli.md 4.14). */
#include <stdio.h>
#include <string.h>

#include "services/curia/command.h"
#include "services/curia/kv/pair.h"

static int tell_failed(const char *key, bool recurse, const char *cause)
{
    return recurse ? cli_sorry("Error! Did not delete prefix %s: %s", key, cause)
                   : cli_sorry("Error! Did not delete key %s: %s", key, cause);
}

static int delete (const struct cli_args *args, struct cli_http *http, const char *key)
{
    bool recurse = cli_bool(args, "recurse");
    char query[64] = "";
    struct cu_diag diag = {0};
    struct cli_reply reply;
    if (recurse)
        (void)snprintf(query, sizeof query, "recurse=");
    else if (cli_bool(args, "cas"))
        (void)snprintf(query, sizeof query, "cas=%llu",
                       (unsigned long long)cli_uint(args, "modify-index", 0));
    enum cu_err err =
        cli_ask(http,
                &(struct cli_request){
                    .method = "DELETE", .path = "/v1/kv/", .key = cu_bytes_of(key), .query = query},
                &reply, &diag);
    bool applied = !err && reply.body.len >= 4 && !memcmp(reply.body.data, "true", 4);
    cu_buf_deinit(&reply.body);
    if (err)
        return tell_failed(key, recurse, diag.text);
    if (!applied)
        return tell_failed(key, recurse, "CAS failed");
    return printf(recurse ? "Success! Deleted keys with prefix: %s\n"
                          : "Success! Deleted key: %s\n",
                  key) < 0;
}

int cli_kv_delete(const struct cli_args *args)
{
    bool recurse = cli_bool(args, "recurse"), cas = cli_bool(args, "cas");
    const char *given = cli_text(args, "modify-index");
    if (args->word_count > 1)
        return cli_sorry("Too many arguments (expected 1, got %d)", args->word_count);
    /* The reference deletes everything where no prefix is given; here "" must be said (Q2). */
    if (!args->word_count || (!recurse && !*kv_strip(args->words[0])))
        return cli_sorry("Error! Missing KEY argument");
    if (given && !cas)
        return cli_sorry("Cannot specify -modify-index without -cas!");
    if (cas && recurse)
        return cli_sorry("Cannot specify both -cas and -recurse!");
    if (cas && !cli_uint(args, "modify-index", 0))
        return cli_sorry("Cannot delete a key that does not exist. Provide a -modify-index greater "
                         "than than 0.");
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    int code = delete (args, http, kv_strip(args->words[0]));
    cli_http_free(http);
    return code;
}
