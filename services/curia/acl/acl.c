#include "services/curia/acl/acl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/num.h"
#include "services/curia/command.h"

/* clang-format off */
const struct acl_kind
    acl_policy = {"policy", ACL_PATH "policies", "ID", "global-management", "00000000-0000-0000-0000-000000000001"},
    acl_role   = {"role",   ACL_PATH "roles",    "ID", NULL, NULL},
    acl_token  = {"token",  ACL_PATH "tokens",   "AccessorID", "anonymous", "00000000-0000-0000-0000-000000000002"};
/* clang-format on */

/* ---- which one is meant ---- */

enum cu_err acl_id_of(struct cli_http *http, const struct acl_kind *kind, const char *given,
                      char **ret_id, struct cu_diag *diag)
{
    json_t *list = NULL, *object;
    const char *found = NULL;
    size_t i, matches = 0;
    bool is_known = kind->known && strcmp(given, kind->known) == 0;
    if (is_known || strlen(given) == CU_UUID_BYTES - 1) {
        *ret_id = cu_strdup(is_known ? kind->known_id : given);
        return CU_OK;
    }
    enum cu_err err = cli_get(http, kind->list, "", NULL, &list, diag);
    json_array_foreach(list, i, object)
    {
        const char *id = cli_member_text(object, kind->id);
        if (strncmp(id, given, strlen(given)) == 0) {
            found = id;
            matches++;
        }
    }
    if (!err && !matches)
        err = cu_fail(diag, CU_E_NOT_FOUND, "No such %s ID with prefix: %s", kind->noun, given);
    else if (!err && matches > 1)
        err = cu_fail(diag, CU_E_CONFLICT, "Partial %s ID is not unique", kind->noun);
    else if (!err)
        *ret_id = cu_strdup(found);
    json_decref(list);
    return err;
}

enum cu_err acl_id_by_name(struct cli_http *http, const struct acl_kind *kind, const char *name,
                           char **ret_id, struct cu_diag *diag)
{
    json_t *list = NULL, *object;
    const char *found = NULL;
    size_t i;
    enum cu_err err = cli_get(http, kind->list, "", NULL, &list, diag);
    json_array_foreach(list, i, object) if (strcmp(cli_member_text(object, "Name"), name) == 0)
        found = cli_member_text(object, kind->id);
    if (!err && !found)
        err = cu_fail(diag, CU_E_NOT_FOUND, "No such %s with name %s", kind->noun, name);
    else if (!err)
        *ret_id = cu_strdup(found);
    json_decref(list);
    return err;
}

enum cu_err acl_id_of_args(struct cli_http *http, const struct acl_kind *kind,
                           const struct cli_args *args, char **ret_id, struct cu_diag *diag)
{
    struct cu_diag why = {0};
    const char *id = acl_text(args, "id");
    enum cu_err err = *id ? acl_id_of(http, kind, id, ret_id, &why)
                          : acl_id_by_name(http, kind, acl_text(args, "name"), ret_id, &why);
    return err ? cu_fail(diag, err, "Error determining %s ID: %s", kind->noun, why.text) : CU_OK;
}

/* ---- asking ---- */

static enum cu_err ask(struct cli_http *http, const struct cli_request *request,
                       json_t **ret_object, struct cu_diag *diag)
{
    struct cli_reply reply;
    enum cu_err err = cli_ask(http, request, &reply, diag);
    if (err && reply.status == 404)
        err = CU_E_NOT_FOUND;
    else if (!err)
        *ret_object = json_loadb((const char *)reply.body.data, reply.body.len, 0, NULL);
    if (!err && !*ret_object)
        err = cu_fail(diag, CU_E_INVALID, "the agent's reply is not understood");
    cu_buf_deinit(&reply.body);
    return err;
}

/* "/v1/acl/policy/", or without the slash; in `out`. */
static const char *path_of(struct cu_buf *out, const char *noun, const char *end)
{
    cu_buf_printf(out, ACL_PATH "%s%s", noun, end);
    return cli_query_text(out);
}

enum cu_err acl_get(struct cli_http *http, const struct acl_kind *kind, const char *id,
                    json_t **ret_object, struct cu_diag *diag)
{
    struct cu_buf path = {0};
    enum cu_err err = ask(http,
                          &(struct cli_request){.method = "GET",
                                                .path = path_of(&path, kind->noun, "/"),
                                                .key = cu_bytes_of(id),
                                                .is_read = true},
                          ret_object, diag);
    cu_buf_deinit(&path);
    return err;
}

enum cu_err acl_put(struct cli_http *http, const char *noun, const char *id, const json_t *body,
                    json_t **ret_object, struct cu_diag *diag)
{
    struct cu_buf path = {0};
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    enum cu_err err = ask(http,
                          &(struct cli_request){.method = "PUT",
                                                .path = path_of(&path, noun, *id ? "/" : ""),
                                                .key = cu_bytes_of(id),
                                                .body = cu_bytes_of(text ? text : "")},
                          ret_object, diag);
    free(text);
    cu_buf_deinit(&path);
    return err == CU_E_NOT_FOUND ? CU_E_IO : err;
}

static enum cu_err delete_one(struct cli_http *http, const struct acl_kind *kind, const char *id,
                              struct cu_diag *diag)
{
    struct cu_buf path = {0};
    cu_buf_printf(&path, ACL_PATH "%s/", kind->noun);
    cli_http_escape(&path, cu_bytes_of(id), false);
    enum cu_err err = cli_delete(http, cli_query_text(&path), NULL, diag);
    cu_buf_deinit(&path);
    return err;
}

int acl_delete(const struct cli_args *args, const struct acl_kind *kind)
{
    struct cu_diag diag = {0};
    char *id = NULL;
    int code = 0;
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    if (acl_id_of_args(http, kind, args, &id, &diag))
        code = cli_sorry("%s", diag.text);
    else if (delete_one(http, kind, id, &diag))
        code = cli_sorry("Error deleting %s \"%s\": %s", kind->noun, id, diag.text);
    else
        (void)printf("%c%s \"%s\" deleted successfully\n", kind->noun[0] - 'a' + 'A',
                     kind->noun + 1, id);
    free(id);
    cli_http_free(http);
    return code;
}

int acl_list(const struct cli_args *args, const struct acl_kind *kind,
             void (*print)(const json_t *object, size_t at, bool has_meta))
{
    struct cu_diag diag = {0};
    json_t *list = NULL, *object;
    size_t i;
    bool is_json;
    if (!acl_format(args, &is_json))
        return 1;
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    enum cu_err err = cli_get(http, kind->list, "", NULL, &list, &diag);
    cli_http_free(http);
    if (err)
        return cli_sorry("Failed to retrieve the %s list: %s", kind->noun, diag.text);
    if (is_json)
        acl_print_json(list);
    else
        json_array_foreach(list, i, object) print(object, i, cli_bool(args, "meta"));
    if (!is_json && json_array_size(list))
        (void)putchar('\n');
    json_decref(list);
    return 0;
}

/* ---- flags ---- */

int acl_misses(const char *sentence, const char *command)
{
    return cli_sorry("%s\n\nTry: %s acl %s -h", sentence, cli_name(), command);
}

bool acl_is_given(const struct cli_args *args, const char *flag)
{
    return cli_allows(args, flag) && cli_text(args, flag);
}

const char *acl_text(const struct cli_args *args, const char *flag)
{
    const char *text = cli_allows(args, flag) ? cli_text(args, flag) : NULL;
    return text ? text : "";
}

bool acl_format(const struct cli_args *args, bool *ret_is_json)
{
    const char *format = cli_text(args, "format");
    *ret_is_json = format && strcmp(format, "json") == 0;
    if (!format || *ret_is_json || strcmp(format, "pretty") == 0)
        return true;
    (void)cli_sorry("Unknown format: %s", format);
    return false;
}

/* ---- printing ---- */

void acl_print_json(const json_t *json)
{
    char *text = json_dumps(json, JSON_INDENT(4));
    (void)puts(text ? text : "");
    free(text);
}

int acl_print(const struct cli_args *args, json_t *object,
              void (*print)(const json_t *object, bool has_meta))
{
    bool is_json;
    if (!acl_format(args, &is_json)) {
        json_decref(object);
        return 1;
    }
    if (is_json)
        acl_print_json(object);
    else
        print(object, cli_allows(args, "meta") && cli_bool(args, "meta"));
    json_decref(object);
    return 0;
}
