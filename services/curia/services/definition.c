#include "services/curia/services/definition.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/num.h"
#include "common/conf/conf.h"

/* Members whose own members are names that users chose: those stay as they are. */
static const char *const free_maps[] = {"meta", "tagged_addresses", "header", "config"};

static bool is_free_map(const char *name)
{
    for (size_t i = 0; i < CU_COUNT(free_maps); i++)
        if (!strcmp(name, free_maps[i]))
            return true;
    return false;
}

/* The API takes names without regard to letter case, so a key of a file becomes one of the API by
 * losing its underscores; within a check, `id` is the API's CheckID. */
static char *api_name(const char *name, bool in_check)
{
    char *out = cu_strdup(in_check && !strcmp(name, "id") ? "CheckID" : name), *to = out;
    for (const char *at = out; *at; at++)
        if (*at != '_')
            *to++ = *at;
    *to = '\0';
    return out;
}

static json_t *convert(const json_t *value, bool in_check);

static json_t *convert_object(const json_t *object, bool in_check)
{
    json_t *out = json_object(), *member;
    const char *name;
    json_object_foreach((json_t *)(uintptr_t)object, name, member)
    {
        bool is_check = !strcmp(name, "check") || !strcmp(name, "checks");
        char *api = api_name(name, in_check);
        (void)json_object_set_new(
            out, api, is_free_map(name) ? json_deep_copy(member) : convert(member, is_check));
        free(api);
    }
    return out;
}

static json_t *convert(const json_t *value, bool in_check)
{
    if (json_is_object(value))
        return convert_object(value, in_check);
    if (!json_is_array(value))
        return json_deep_copy(value);
    json_t *out = json_array(), *item;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)value, i, item)(void)
        json_array_append_new(out, convert(item, in_check));
    return out;
}

json_t *services_body_of(const json_t *definition)
{
    return convert_object(definition, false);
}

static void add_all(const struct cu_conf *conf, json_t *bodies)
{
    const json_t *one = cu_conf_json(conf, "service"), *many = cu_conf_json(conf, "services");
    size_t i;
    json_t *item;
    if (json_is_object(one))
        (void)json_array_append_new(bodies, services_body_of(one));
    json_array_foreach((json_t *)(uintptr_t)many, i, item)(void)
        json_array_append_new(bodies, services_body_of(item));
}

enum cu_err services_read_files(char *const *paths, int count, json_t **ret_bodies,
                                struct cu_diag *diag)
{
    const char **list = cu_alloc(((size_t)count + 1) * sizeof *list);
    struct cu_conf *conf = NULL;
    for (int i = 0; i < count; i++)
        list[i] = paths[i];
    enum cu_err err =
        cu_conf_load(&(struct cu_conf_sources){.dev = true, .paths = list}, &conf, NULL, diag);
    if (!err) {
        *ret_bodies = json_array();
        add_all(conf, *ret_bodies);
    }
    cu_conf_free(conf);
    free(list);
    return err;
}

/* ---- flags ---- */

static enum cu_err split_pair(const char *flag, const char *text, char **ret_name,
                              const char **ret_value, struct cu_diag *diag)
{
    const char *equals = strchr(text, '=');
    if (!equals)
        return cu_fail(diag, CU_E_INVALID, "-%s wants key=value, got \"%s\"", flag, text);
    *ret_name = cu_strdup(text);
    (*ret_name)[equals - text] = '\0';
    *ret_value = equals + 1;
    return CU_OK;
}

static enum cu_err tagged_address(const char *text, json_t *body, struct cu_diag *diag)
{
    char *name = NULL;
    const char *where = NULL;
    uint64_t port = 0;
    enum cu_err err = split_pair("tagged-address", text, &name, &where, diag);
    if (err)
        return err;
    const char *colon = strrchr(where, ':');
    if (!colon || cu_parse_u64(colon + 1, strlen(colon + 1), &port) || port > 65535) {
        free(name);
        return cu_fail(diag, CU_E_INVALID, "Invalid Tagged Address: %s: missing port in address",
                       where);
    }
    size_t len = (size_t)(colon - where);
    if (len >= 2 && where[0] == '[' && where[len - 1] == ']') {
        where++;
        len -= 2;
    }
    json_t *map = json_object_get(body, "TaggedAddresses");
    if (!map) {
        map = json_object();
        (void)json_object_set_new(body, "TaggedAddresses", map);
    }
    (void)json_object_set_new(
        map, name, json_pack("{s:s%,s:I}", "Address", where, len, "Port", (json_int_t)port));
    free(name);
    return CU_OK;
}

static enum cu_err meta(const char *text, json_t *body, struct cu_diag *diag)
{
    char *name = NULL;
    const char *value = NULL;
    enum cu_err err = split_pair("meta", text, &name, &value, diag);
    if (err)
        return err;
    json_t *map = json_object_get(body, "Meta");
    if (!map) {
        map = json_object();
        (void)json_object_set_new(body, "Meta", map);
    }
    (void)json_object_set_new(map, name, json_string(value));
    free(name);
    return CU_OK;
}

static void set_text(json_t *body, const char *name, const char *value)
{
    if (value && *value)
        (void)json_object_set_new(body, name, json_string(value));
}

enum cu_err services_read_flags(const struct cli_args *args, json_t **ret_body,
                                struct cu_diag *diag)
{
    json_t *body = json_object(), *tags = json_array();
    enum cu_err err = CU_OK;
    set_text(body, "Kind", cli_text(args, "kind"));
    set_text(body, "ID", cli_text(args, "id"));
    set_text(body, "Name", cli_text(args, "name"));
    set_text(body, "Address", cli_text(args, "address"));
    (void)json_object_set_new(body, "Port", json_integer((json_int_t)cli_uint(args, "port", 0)));
    for (size_t i = 0; !err && i < args->value_count; i++) {
        const char *name = args->values[i].flag->name, *text = args->values[i].text;
        if (!strcmp(name, "tag"))
            (void)json_array_append_new(tags, json_string(text));
        else if (!strcmp(name, "meta"))
            err = meta(text, body, diag);
        else if (!strcmp(name, "tagged-address"))
            err = tagged_address(text, body, diag);
    }
    (void)json_object_set_new(body, "Tags", tags);
    if (err)
        json_decref(body);
    else
        *ret_body = body;
    return err;
}
