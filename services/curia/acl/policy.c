/* `acl policy ...` (cli.md 4.1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/hcl/hcl.h"
#include "services/curia/acl/acl.h"
#include "services/curia/acl/print.h"
#include "services/curia/command.h"
#include "services/curia/kv/pair.h"

#define NEITHER "Must specify either the -id or -name parameters"

static bool is_named(const struct cli_args *args)
{
    return *acl_text(args, "id") || *acl_text(args, "name");
}

/* ---- rules ---- */

static bool is_resource(const char *name)
{
    static const char *const alone[] = {"acl", "keyring", "operator"};
    static const char *const named[] = {"agent", "event",   "key",    "node",
                                        "query", "service", "session"};
    const char *prefix = strstr(name, "_prefix");
    size_t len = prefix && strcmp(prefix, "_prefix") == 0 ? (size_t)(prefix - name) : strlen(name);
    for (size_t i = 0; i < CU_COUNT(named); i++)
        if (strlen(named[i]) == len && strncmp(named[i], name, len) == 0)
            return true;
    for (size_t i = 0; i < CU_COUNT(alone); i++)
        if (strcmp(alone[i], name) == 0)
            return true;
    return false;
}

/* The server stores what it does not know, and it grants nothing (Q18). What cannot be read at all
 * the server refuses. */
static void warn_of_unknown(const char *rules)
{
    json_t *tree = NULL, *value;
    struct cu_diag diag;
    const char *name;
    if (cu_hcl_parse(cu_bytes_of(rules), &tree, &diag))
        return;
    json_object_foreach(tree, name, value) if (!is_resource(name))(void)
        cli_sorry("Warning: the rules name a resource that there is not: \"%s\"", name);
    json_decref(tree);
}

/* -rules, @FILE or -: yours (free). */
static enum cu_err read_rules(const struct cli_args *args, char **ret_rules, struct cu_diag *diag)
{
    struct cu_buf text = {0};
    enum cu_err err = kv_data_source(acl_text(args, "rules"), &text, diag);
    *ret_rules = err ? NULL : cu_strdup(cli_query_text(&text));
    cu_buf_deinit(&text);
    return err;
}

static void set_text(json_t *object, const char *member, const char *text)
{
    (void)json_object_set_new(object, member, json_string(text));
}

static void set_datacenters(const struct cli_args *args, json_t *policy)
{
    json_t *list = json_array();
    for (size_t i = 0; i < args->value_count; i++)
        if (strcmp(args->values[i].flag->name, "valid-datacenter") == 0)
            (void)json_array_append_new(list, json_string(args->values[i].text));
    (void)json_object_set_new(policy, "Datacenters", list);
}

/* ---- create ---- */

static json_t *new_policy(const struct cli_args *args, const char *rules)
{
    json_t *policy = json_object();
    set_text(policy, "Name", acl_text(args, "name"));
    set_text(policy, "Description", acl_text(args, "description"));
    set_text(policy, "Rules", rules);
    set_datacenters(args, policy);
    return policy;
}

/* What was written comes back, and is printed. */
static int put(const struct cli_args *args, const char *id, json_t *policy, struct cu_diag *diag)
{
    json_t *written = NULL;
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    enum cu_err err = acl_put(http, acl_policy.noun, id, policy, &written, diag);
    cli_http_free(http);
    if (!err)
        return acl_print(args, written, acl_print_policy);
    return *id ? cli_sorry("Error updating policy \"%s\": %s", id, diag->text)
               : cli_sorry("Failed to create new policy: %s", diag->text);
}

int cli_acl_policy_create(const struct cli_args *args)
{
    struct cu_diag diag = {0};
    char *rules;
    bool is_json;
    if (!*acl_text(args, "name"))
        return acl_misses("Missing require '-name' flag", "policy create");
    if (acl_is_given(args, "from-token"))
        return cli_sorry("Error loading rules: there are no legacy tokens here");
    if (!acl_format(args, &is_json))
        return 1;
    if (read_rules(args, &rules, &diag))
        return cli_sorry("Error loading rules: %s", diag.text);
    warn_of_unknown(rules);
    json_t *policy = new_policy(args, rules);
    int code = put(args, "", policy, &diag);
    json_decref(policy);
    free(rules);
    return code;
}

/* ---- update ---- */

/* Only what flags give replaces what there is. */
static void merge(const struct cli_args *args, const char *rules, json_t *policy)
{
    if (acl_is_given(args, "name"))
        set_text(policy, "Name", acl_text(args, "name"));
    if (acl_is_given(args, "description"))
        set_text(policy, "Description", acl_text(args, "description"));
    if (acl_is_given(args, "rules"))
        set_text(policy, "Rules", rules);
    if (acl_is_given(args, "valid-datacenter"))
        set_datacenters(args, policy);
}

/* The policy as it is to be; NULL: that is said. */
static json_t *updated(const struct cli_args *args, const char *id, const char *rules)
{
    struct cu_diag diag = {0};
    json_t *policy = NULL;
    if (cli_bool(args, "no-merge")) {
        policy = new_policy(args, rules);
        set_text(policy, "ID", id);
        return policy;
    }
    struct cli_http *http = cli_connect(args);
    enum cu_err err = http ? acl_get(http, &acl_policy, id, &policy, &diag) : CU_E_IO;
    cli_http_free(http);
    if (err)
        (void)cli_sorry("Error reading policy \"%s\": %s", id, diag.text);
    else
        merge(args, rules, policy);
    return policy;
}

/* The id that flags name, yours; NULL: what is wrong is said. */
static char *determine(const struct cli_args *args)
{
    struct cu_diag diag = {0};
    char *id = NULL;
    struct cli_http *http = cli_connect(args);
    if (http && acl_id_of_args(http, &acl_policy, args, &id, &diag))
        (void)cli_sorry("%s", diag.text);
    cli_http_free(http);
    return id;
}

int cli_acl_policy_update(const struct cli_args *args)
{
    struct cu_diag diag = {0};
    char *rules;
    bool is_json;
    if (!is_named(args))
        return cli_sorry(NEITHER);
    if (!acl_format(args, &is_json))
        return 1;
    char *id = determine(args);
    if (!id)
        return 1;
    int code = 1;
    if (read_rules(args, &rules, &diag)) {
        (void)cli_sorry("Error loading data source: %s", diag.text);
    } else {
        warn_of_unknown(rules);
        json_t *policy = updated(args, id, rules);
        if (policy)
            code = put(args, id, policy, &diag);
        json_decref(policy);
    }
    free(rules);
    free(id);
    return code;
}

/* ---- the others ---- */

int cli_acl_policy_read(const struct cli_args *args)
{
    struct cu_diag diag = {0};
    json_t *policy = NULL;
    bool is_json;
    if (!is_named(args))
        return cli_sorry(NEITHER);
    if (!acl_format(args, &is_json))
        return 1;
    char *id = determine(args);
    struct cli_http *http = id ? cli_connect(args) : NULL;
    int code = 1;
    if (http && acl_get(http, &acl_policy, id, &policy, &diag))
        (void)cli_sorry("Error reading policy \"%s\": %s", id, diag.text);
    else if (http)
        code = acl_print(args, policy, acl_print_policy);
    cli_http_free(http);
    free(id);
    return code;
}

int cli_acl_policy_delete(const struct cli_args *args)
{
    return is_named(args) ? acl_delete(args, &acl_policy) : cli_sorry(NEITHER);
}

int cli_acl_policy_list(const struct cli_args *args)
{
    return acl_list(args, &acl_policy, acl_print_policy_stub);
}
