#include "services/curia/acl/links.h"

#include <stdlib.h>
#include <string.h>

static json_t *list_of(json_t *object, const char *name)
{
    json_t *list = json_object_get(object, name);
    if (json_is_array(list))
        return list;
    (void)json_object_set_new(object, name, json_array());
    return json_object_get(object, name);
}

/* Where the element stands whose members are those given; the list's length: nowhere. `also` NULL:
 * one member decides. */
static size_t find(const json_t *list, const json_t *element, const char *name, const char *also)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *other = json_array_get(list, i);
        if (strcmp(cli_member_text(other, name), cli_member_text(element, name)) == 0 &&
            (!also || strcmp(cli_member_text(other, also), cli_member_text(element, also)) == 0))
            return i;
    }
    return json_array_size(list);
}

/* ---- policies and roles ---- */

static enum cu_err add_link(struct cli_http *http, const struct acl_kind *kind,
                            const struct cli_value *value, json_t *list, struct cu_diag *diag)
{
    struct cu_diag why = {0};
    bool by_id = strcmp(strchr(value->flag->name, '-'), "-id") == 0;
    const char *name = by_id ? "ID" : "Name";
    char *id = NULL;
    enum cu_err err = by_id ? acl_id_of(http, kind, value->text, &id, &why) : CU_OK;
    if (err)
        return cu_fail(diag, err, "Error resolving %s ID %s: %s", kind->noun, value->text,
                       why.text);
    json_t *link = json_pack("{s:s}", name, by_id ? id : value->text);
    if (find(list, link, name, NULL) == json_array_size(list))
        (void)json_array_append(list, link);
    json_decref(link);
    free(id);
    return CU_OK;
}

/* Names first, then ids, as the reference has them. */
static enum cu_err add_kind(struct cli_http *http, const struct cli_args *args,
                            const struct acl_kind *kind, const char *flags[2], const char *member,
                            json_t *object, struct cu_diag *diag)
{
    enum cu_err err = CU_OK;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; !err && i < args->value_count; i++)
            if (strcmp(args->values[i].flag->name, flags[k]) == 0)
                err = add_link(http, kind, &args->values[i], list_of(object, member), diag);
    return err;
}

enum cu_err acl_add_policies(struct cli_http *http, const struct cli_args *args, json_t *object,
                             struct cu_diag *diag)
{
    const char *flags[] = {"policy-name", "policy-id"};
    return add_kind(http, args, &acl_policy, flags, "Policies", object, diag);
}

enum cu_err acl_add_roles(struct cli_http *http, const struct cli_args *args, json_t *object,
                          struct cu_diag *diag)
{
    const char *flags[] = {"role-name", "role-id"};
    return add_kind(http, args, &acl_role, flags, "Roles", object, diag);
}

/* ---- identities ---- */

/* "a,b" as a list. */
static json_t *split(const char *text)
{
    json_t *list = json_array();
    for (;;) {
        size_t len = strcspn(text, ",");
        (void)json_array_append_new(list, json_stringn(text, len));
        if (!text[len])
            return list;
        text += len + 1;
    }
}

static enum cu_err add_service(const char *text, json_t *list, struct cu_diag *diag)
{
    size_t len = strcspn(text, ":");
    if (text[len] && strchr(text + len + 1, ':'))
        return cu_fail(diag, CU_E_INVALID, "Malformed -service-identity argument: \"%s\"", text);
    json_t *identity = json_object();
    (void)json_object_set_new(identity, "ServiceName", json_stringn(text, len));
    if (text[len])
        (void)json_object_set_new(identity, "Datacenters", split(text + len + 1));
    size_t at = find(list, identity, "ServiceName", NULL);
    if (at < json_array_size(list))
        (void)json_array_set(list, at, identity);
    else
        (void)json_array_append(list, identity);
    json_decref(identity);
    return CU_OK;
}

static enum cu_err add_node(const char *text, json_t *list, struct cu_diag *diag)
{
    size_t len = strcspn(text, ":");
    if (!text[len] || strchr(text + len + 1, ':'))
        return cu_fail(diag, CU_E_INVALID, "Malformed -node-identity argument: \"%s\"", text);
    json_t *identity = json_object();
    (void)json_object_set_new(identity, "NodeName", json_stringn(text, len));
    (void)json_object_set_new(identity, "Datacenter", json_string(text + len + 1));
    if (find(list, identity, "NodeName", "Datacenter") == json_array_size(list))
        (void)json_array_append(list, identity);
    json_decref(identity);
    return CU_OK;
}

static enum cu_err
add_identities(const struct cli_args *args, const char *flag, json_t *object, const char *member,
               enum cu_err (*add)(const char *text, json_t *list, struct cu_diag *diag),
               struct cu_diag *diag)
{
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && i < args->value_count; i++)
        if (strcmp(args->values[i].flag->name, flag) == 0)
            err = add(args->values[i].text, list_of(object, member), diag);
    return err;
}

enum cu_err acl_add_services(struct cli_http *http, const struct cli_args *args, json_t *object,
                             struct cu_diag *diag)
{
    (void)http;
    return add_identities(args, "service-identity", object, "ServiceIdentities", add_service, diag);
}

enum cu_err acl_add_nodes(struct cli_http *http, const struct cli_args *args, json_t *object,
                          struct cu_diag *diag)
{
    (void)http;
    return add_identities(args, "node-identity", object, "NodeIdentities", add_node, diag);
}

/* ---- all ---- */

enum cu_err acl_add_links(struct cli_http *http, const struct cli_args *args, json_t *object,
                          struct cu_diag *diag)
{
    enum cu_err err = acl_add_services(http, args, object, diag);
    if (!err)
        err = acl_add_nodes(http, args, object, diag);
    if (!err)
        err = acl_add_policies(http, args, object, diag);
    return err ? err : acl_add_roles(http, args, object, diag);
}

bool acl_has_links(const struct cli_args *args)
{
    static const char *const flags[] = {"policy-name", "policy-id",        "role-name",
                                        "role-id",     "service-identity", "node-identity"};
    for (size_t i = 0; i < CU_COUNT(flags); i++)
        if (acl_is_given(args, flags[i]))
            return true;
    return false;
}
