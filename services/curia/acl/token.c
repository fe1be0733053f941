/* `acl token ...` but `update` (cli.md 4.1). */
#include <stdio.h>
#include <stdlib.h>

#include "services/curia/acl/acl.h"
#include "services/curia/acl/links.h"
#include "services/curia/acl/print.h"
#include "services/curia/acl/token.h"
#include "services/curia/command.h"

int acl_token_act(const struct cli_args *args,
                  int (*act)(struct cli_http *http, const struct cli_args *args, const char *id))
{
    struct cu_diag diag = {0};
    char *id = NULL;
    bool is_json;
    if (cli_allows(args, "format") && !acl_format(args, &is_json))
        return 1;
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    int code;
    if (acl_id_of(http, &acl_token, acl_text(args, "id"), &id, &diag))
        code = cli_sorry("Error determining token ID: %s", diag.text);
    else
        code = act(http, args, id);
    free(id);
    cli_http_free(http);
    return code;
}

/* ---- create ---- */

static void set_given(const struct cli_args *args, const char *flag, json_t *token,
                      const char *member)
{
    if (*acl_text(args, flag))
        (void)json_object_set_new(token, member, json_string(acl_text(args, flag)));
}

static int create(struct cli_http *http, const struct cli_args *args, json_t *token)
{
    struct cu_diag diag = {0};
    json_t *written = NULL;
    (void)json_object_set_new(token, "Local", json_boolean(cli_bool(args, "local")));
    set_given(args, "description", token, "Description");
    set_given(args, "accessor", token, "AccessorID");
    set_given(args, "secret", token, "SecretID");
    set_given(args, "expires-ttl", token, "ExpirationTTL");
    if (acl_add_links(http, args, token, &diag))
        return cli_sorry("%s", diag.text);
    if (acl_put(http, acl_token.noun, "", token, &written, &diag))
        return cli_sorry("Failed to create new token: %s", diag.text);
    return acl_print(args, written, acl_print_token);
}

int cli_acl_token_create(const struct cli_args *args)
{
    bool is_json;
    if (!acl_has_links(args))
        return cli_sorry("Cannot create a token without specifying -policy-name, -policy-id, "
                         "-role-name, -role-id, -service-identity, or -node-identity at least "
                         "once");
    if (!acl_format(args, &is_json))
        return 1;
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    json_t *token = json_object();
    int code = create(http, args, token);
    json_decref(token);
    cli_http_free(http);
    return code;
}

/* ---- read ---- */

static int read_one(struct cli_http *http, const struct cli_args *args, const char *id)
{
    struct cu_diag diag = {0};
    json_t *token = NULL;
    if (acl_get(http, &acl_token, id, &token, &diag))
        return cli_sorry("Error reading token \"%s\": %s", id, diag.text);
    return acl_print(args, token, acl_print_token);
}

static int read_self(const struct cli_args *args)
{
    struct cu_diag diag = {0};
    json_t *token = NULL;
    bool is_json;
    if (!acl_format(args, &is_json))
        return 1;
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    enum cu_err err = acl_get(http, &acl_token, "self", &token, &diag);
    cli_http_free(http);
    if (err)
        return cli_sorry("Error reading token: %s", diag.text);
    return acl_print(args, token, acl_print_token);
}

int cli_acl_token_read(const struct cli_args *args)
{
    if (cli_bool(args, "self"))
        return read_self(args);
    if (!*acl_text(args, "id"))
        return cli_sorry("Must specify the -id parameter");
    return acl_token_act(args, read_one);
}

/* ---- the others ---- */

static int clone_one(struct cli_http *http, const struct cli_args *args, const char *id)
{
    struct cu_diag diag = {0};
    json_t *made = NULL;
    struct cu_buf key = {0};
    json_t *body = json_pack("{s:s}", "Description", acl_text(args, "description"));
    cu_buf_printf(&key, "%s/clone", id);
    enum cu_err err = acl_put(http, acl_token.noun, cli_query_text(&key), body, &made, &diag);
    cu_buf_deinit(&key);
    json_decref(body);
    if (err)
        return cli_sorry("Error cloning token: %s", diag.text);
    return acl_print(args, made, acl_print_token);
}

int cli_acl_token_clone(const struct cli_args *args)
{
    if (!*acl_text(args, "id"))
        return cli_sorry("Cannot update a token without specifying the -id parameter");
    return acl_token_act(args, clone_one);
}

int cli_acl_token_delete(const struct cli_args *args)
{
    if (!*acl_text(args, "id"))
        return cli_sorry("Must specify the -id parameter");
    return acl_delete(args, &acl_token);
}

int cli_acl_token_list(const struct cli_args *args)
{
    return acl_list(args, &acl_token, acl_print_token_stub);
}
