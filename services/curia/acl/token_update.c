/* `acl token update` (cli.md 4.1). */
#include <string.h>

#include "services/curia/acl/acl.h"
#include "services/curia/acl/links.h"
#include "services/curia/acl/print.h"
#include "services/curia/acl/token.h"
#include "services/curia/command.h"

/* A list of the token: what flags add to it, and which one keeps what is there. */
static const struct part {
    const char *member, *merge, *name; /* name: of the member that people know one by */
    enum cu_err (*add)(struct cli_http *http, const struct cli_args *args, json_t *object,
                       struct cu_diag *diag);
} parts[] = {
    {"ServiceIdentities", "merge-service-identities", "ServiceName", acl_add_services},
    {"NodeIdentities", "merge-node-identities", "NodeName", acl_add_nodes},
    {"Policies", "merge-policies", "Name", acl_add_policies},
    {"Roles", "merge-roles", "Name", acl_add_roles},
};

/* The token as it is to be. */
static enum cu_err change(struct cli_http *http, const struct cli_args *args, json_t *token,
                          struct cu_diag *diag)
{
    enum cu_err err = CU_OK;
    if (*acl_text(args, "description"))
        (void)json_object_set_new(token, "Description", json_string(acl_text(args, "description")));
    for (size_t i = 0; !err && i < CU_COUNT(parts); i++) {
        if (!cli_bool(args, parts[i].merge))
            (void)json_object_del(token, parts[i].member);
        err = parts[i].add(http, args, token, diag);
    }
    return err;
}

static bool has(const json_t *list, const char *name, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(cli_member_text(json_array_get(list, i), name), text) == 0)
            return true;
    return false;
}

/* Lists that were not given again are gone: scripts rely on it, people are told (Q3). */
static void warn_of_lost(const json_t *before, const json_t *after)
{
    for (size_t i = 0; i < CU_COUNT(parts); i++) {
        const json_t *old = json_object_get(before, parts[i].member);
        const json_t *now = json_object_get(after, parts[i].member);
        for (size_t k = 0; k < json_array_size(old); k++) {
            const char *name = cli_member_text(json_array_get(old, k), parts[i].name);
            if (!has(now, parts[i].name, name))
                (void)cli_sorry("Warning: \"%s\" was removed from %s (-%s keeps them)", name,
                                parts[i].member, parts[i].merge);
        }
    }
}

static int update(struct cli_http *http, const struct cli_args *args, const char *id)
{
    struct cu_diag diag = {0};
    json_t *before = NULL, *written = NULL;
    if (acl_get(http, &acl_token, id, &before, &diag))
        return cli_sorry("Error when retrieving current token: %s", diag.text);
    json_t *token = json_deep_copy(before);
    int code;
    if (cli_bool(args, "upgrade-legacy")) {
        code = cli_sorry("Can't use -upgrade-legacy on a non-legacy token");
    } else if (change(http, args, token, &diag)) {
        code = cli_sorry("%s", diag.text);
    } else if (acl_put(http, acl_token.noun, id, token, &written, &diag)) {
        code = cli_sorry("Failed to update token %s: %s", id, diag.text);
    } else {
        warn_of_lost(before, written);
        code = acl_print(args, written, acl_print_token);
    }
    json_decref(token);
    json_decref(before);
    return code;
}

int cli_acl_token_update(const struct cli_args *args)
{
    if (!*acl_text(args, "id"))
        return cli_sorry("Cannot update a token without specifying the -id parameter");
    return acl_token_act(args, update);
}
