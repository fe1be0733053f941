/* `acl role ...` (cli.md 4.1). */
#include <stdlib.h>

#include "services/curia/acl/acl.h"
#include "services/curia/acl/links.h"
#include "services/curia/acl/print.h"
#include "services/curia/command.h"

static void set_text(json_t *object, const char *member, const char *text)
{
    (void)json_object_set_new(object, member, json_string(text));
}

static json_t *new_role(const struct cli_args *args)
{
    json_t *role = json_object();
    set_text(role, "Name", acl_text(args, "name"));
    set_text(role, "Description", acl_text(args, "description"));
    return role;
}

/* ---- create ---- */

static int create(struct cli_http *http, const struct cli_args *args, json_t *role)
{
    struct cu_diag diag = {0};
    json_t *written = NULL;
    if (acl_add_links(http, args, role, &diag))
        return cli_sorry("%s", diag.text);
    if (acl_put(http, acl_role.noun, "", role, &written, &diag))
        return cli_sorry("Failed to create new role: %s", diag.text);
    return acl_print(args, written, acl_print_role);
}

int cli_acl_role_create(const struct cli_args *args)
{
    bool is_json;
    if (!*acl_text(args, "name"))
        return acl_misses("Missing require '-name' flag", "role create");
    if (!acl_has_links(args))
        return cli_sorry("Cannot create a role without specifying -policy-name, -policy-id, "
                         "-service-identity, or -node-identity at least once");
    if (!acl_format(args, &is_json))
        return 1;
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    json_t *role = new_role(args);
    int code = create(http, args, role);
    json_decref(role);
    cli_http_free(http);
    return code;
}

/* ---- update ---- */

/* Read in both cases, to say what is not there. */
static enum cu_err current(struct cli_http *http, const char *id, json_t **ret_role)
{
    struct cu_diag diag = {0};
    enum cu_err err = acl_get(http, &acl_role, id, ret_role, &diag);
    if (err == CU_E_NOT_FOUND)
        (void)cli_sorry("Role not found with ID \"%s\"", id);
    else if (err)
        (void)cli_sorry("Error when retrieving current role: %s", diag.text);
    return err;
}

static int update(struct cli_http *http, const struct cli_args *args, const char *id)
{
    struct cu_diag diag = {0};
    json_t *role = NULL, *written = NULL;
    int code;
    if (current(http, id, &role))
        return 1;
    if (cli_bool(args, "no-merge")) {
        json_decref(role);
        role = new_role(args);
        set_text(role, "ID", id);
    } else {
        if (*acl_text(args, "name"))
            set_text(role, "Name", acl_text(args, "name"));
        if (*acl_text(args, "description"))
            set_text(role, "Description", acl_text(args, "description"));
    }
    if (acl_add_links(http, args, role, &diag))
        code = cli_sorry("%s", diag.text);
    else if (acl_put(http, acl_role.noun, id, role, &written, &diag))
        code = cli_sorry("Error updating role \"%s\": %s", id, diag.text);
    else
        code = acl_print(args, written, acl_print_role);
    json_decref(role);
    return code;
}

int cli_acl_role_update(const struct cli_args *args)
{
    struct cu_diag diag = {0};
    char *id = NULL;
    bool is_json;
    if (!*acl_text(args, "id"))
        return cli_sorry("Cannot update a role without specifying the -id parameter");
    if (!acl_format(args, &is_json))
        return 1;
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    int code;
    if (acl_id_of(http, &acl_role, acl_text(args, "id"), &id, &diag))
        code = cli_sorry("Error determining role ID: %s", diag.text);
    else
        code = update(http, args, id);
    free(id);
    cli_http_free(http);
    return code;
}

/* ---- the others ---- */

static int read_one(struct cli_http *http, const struct cli_args *args, const char *id)
{
    struct cu_diag diag = {0};
    json_t *role = NULL;
    enum cu_err err = acl_get(http, &acl_role, id, &role, &diag);
    if (err == CU_E_NOT_FOUND)
        return cli_sorry("Role not found with ID \"%s\"", id);
    if (err)
        return cli_sorry("Error reading role \"%s\": %s", id, diag.text);
    return acl_print(args, role, acl_print_role);
}

static int read_by_name(struct cli_http *http, const struct cli_args *args, const char *name)
{
    struct cu_diag diag = {0};
    json_t *role = NULL;
    struct cu_buf key = {0};
    cu_buf_printf(&key, "name/%s", name);
    enum cu_err err = acl_get(http, &acl_role, cli_query_text(&key), &role, &diag);
    cu_buf_deinit(&key);
    if (err == CU_E_NOT_FOUND)
        return cli_sorry("Role not found with name \"%s\"", name);
    if (err)
        return cli_sorry("Error reading role \"%s\": %s", name, diag.text);
    return acl_print(args, role, acl_print_role);
}

int cli_acl_role_read(const struct cli_args *args)
{
    struct cu_diag diag = {0};
    const char *given = acl_text(args, "id"), *name = acl_text(args, "name");
    char *id = NULL;
    bool is_json;
    if (!*given && !*name)
        return cli_sorry("Must specify either the -id or -name parameters");
    if (!acl_format(args, &is_json))
        return 1;
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    int code;
    if (!*given)
        code = read_by_name(http, args, name);
    else if (acl_id_of(http, &acl_role, given, &id, &diag))
        code = cli_sorry("Error determining role ID: %s", diag.text);
    else
        code = read_one(http, args, id);
    free(id);
    cli_http_free(http);
    return code;
}

int cli_acl_role_delete(const struct cli_args *args)
{
    if (!*acl_text(args, "id") && !*acl_text(args, "name"))
        return cli_sorry("Must specify the -id or -name parameters");
    return acl_delete(args, &acl_role);
}

int cli_acl_role_list(const struct cli_args *args)
{
    return acl_list(args, &acl_role, acl_print_role_stub);
}
