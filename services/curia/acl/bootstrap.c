/* `acl bootstrap` and `acl set-agent-token` (cli.md 4.1). */
#include <stdio.h>
#include <string.h>

#include "services/curia/acl/acl.h"
#include "services/curia/acl/print.h"
#include "services/curia/command.h"

int cli_acl_bootstrap(const struct cli_args *args)
{
    struct cu_diag diag = {0};
    json_t *token = NULL;
    bool is_json;
    if (!acl_format(args, &is_json))
        return 1;
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    enum cu_err err = acl_put(http, "bootstrap", "", NULL, &token, &diag);
    cli_http_free(http);
    if (err)
        return cli_sorry("Failed ACL bootstrapping: %s", diag.text);
    (void)json_object_del(token, "ID"); /* the secret, named twice */
    return acl_print(args, token, acl_print_token);
}

static bool is_type(const char *word)
{
    static const char *const types[] = {"default", "agent", "master", "replication"};
    for (size_t i = 0; i < CU_COUNT(types); i++)
        if (strcmp(types[i], word) == 0)
            return true;
    return false;
}

static int set(const struct cli_args *args, const char *type, const char *token)
{
    static const struct {
        const char *type, *path;
    } names[] = {{"master", "agent_master"}};
    struct cu_diag diag = {0};
    const char *path = strcmp(type, names[0].type) == 0 ? names[0].path : type;
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    json_t *body = json_pack("{s:s}", "Token", token);
    enum cu_err err = cli_put(http, "/v1/agent/token/", path, NULL, body, &diag);
    json_decref(body);
    cli_http_free(http);
    if (err)
        return cli_sorry("Failed to set ACL token \"%s\": %s", type, diag.text);
    (void)printf("ACL token \"%s\" set successfully\n", type);
    return 0;
}

int cli_acl_set_agent_token(const struct cli_args *args)
{
    switch (args->word_count) {
    case 0:
        return cli_sorry("Error! Missing TYPE and TOKEN arguments");
    case 1:
        return cli_sorry("Error! Missing TOKEN argument");
    case 2:
        break;
    default:
        return cli_sorry("Error! Too many arguments: expected 2 got %d", args->word_count);
    }
    if (!is_type(args->words[0]))
        return cli_sorry("Unknown token type");
    return set(args, args->words[0], args->words[1]);
}
