#include "common/conf/conf.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/num.h"
#include "common/conf/check.h"
#include "common/conf/source.h"
#include "common/conf/values.h"

struct cu_conf {
    struct cu_conf_values values;
    bool dev;
};

/* What -dev sets of what is built (agent.md 3). raft_multiplier stays unset: dev_mode has timings
 * of its own in raftd. */
static const char dev_defaults[] =
    "{\"dev_mode\":true,\"server\":true,\"bootstrap\":true,\"bind_addr\":\"127.0.0.1\","
    "\"enable_debug\":true,\"log_level\":\"DEBUG\","
    "\"connect\":{\"enabled\":true},\"ports\":{\"grpc\":8502}}";

static enum cu_err take(void *arg, const char *name, json_t *content, bool is_hcl,
                        struct cu_diag *diag)
{
    return cu_conf_values_take(arg, name, content, is_hcl, diag);
}

static void lower(struct cu_conf_values *values, const char *key)
{
    const char *text = json_string_value(cu_conf_values_get(values, key));
    if (!text)
        return;
    char *copy = cu_strdup(text);
    for (char *at = copy; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    cu_conf_values_set(values, key, json_string(copy));
    free(copy);
}

/* Derived values (agent.md 3), before the rules look at the whole. */
static void derive(struct cu_conf_values *values)
{
    char host[256] = "";
    lower(values, "datacenter");
    lower(values, "node_id");
    if (!cu_conf_values_get(values, "node_name") && !gethostname(host, sizeof host - 1))
        cu_conf_values_set(values, "node_name", json_string(host));
}

/* bootstrap_expect 1 becomes bootstrap, once the rules have seen what was written. */
static void fold_bootstrap(struct cu_conf_values *values)
{
    if (json_integer_value(cu_conf_values_get(values, "bootstrap_expect")) != 1)
        return;
    cu_conf_values_set(values, "bootstrap_expect", NULL);
    cu_conf_values_set(values, "bootstrap", json_true());
}

static enum cu_err finish(struct cu_conf *conf, bool dev, json_t *warnings, struct cu_diag *diag)
{
    enum cu_err err = cu_conf_check_states(&conf->values, warnings, diag);
    if (!err && dev) {
        struct cu_conf_values user = conf->values;
        cu_conf_values_init(&conf->values);
        err = cu_conf_read_text(dev_defaults, sizeof dev_defaults - 1, "-dev", false, take,
                                &conf->values, diag);
        for (size_t i = 0; i < cu_key_count; i++)
            if (user.slot[i])
                cu_conf_values_set(&conf->values, cu_keys[i].path, json_incref(user.slot[i]));
        cu_conf_values_deinit(&user);
    }
    if (!err)
        err = cu_conf_check_bounds(&conf->values, diag);
    if (err)
        return err;
    derive(&conf->values);
    err = cu_conf_check_whole(conf, cu_conf_bool(conf, "dev_mode"), warnings, diag);
    if (!err)
        fold_bootstrap(&conf->values);
    return err;
}

static struct cu_conf *conf_new(void)
{
    struct cu_conf *conf = cu_alloc(sizeof *conf);
    cu_conf_values_init(&conf->values);
    return conf;
}

void cu_conf_free(struct cu_conf *conf)
{
    if (!conf)
        return;
    cu_conf_values_deinit(&conf->values);
    free(conf);
}

static enum cu_err hand_over(enum cu_err err, struct cu_conf *conf, json_t *warnings,
                             struct cu_conf **ret_conf, json_t **ret_warnings)
{
    if (err) {
        cu_conf_free(conf);
        json_decref(warnings);
        return err;
    }
    *ret_conf = conf;
    if (ret_warnings)
        *ret_warnings = warnings;
    else
        json_decref(warnings);
    return CU_OK;
}

static enum cu_err read_fragments(struct cu_conf *conf, const char *const *fragments,
                                  struct cu_diag *diag)
{
    char name[32];
    enum cu_err err = CU_OK;
    for (unsigned i = 0; !err && fragments && fragments[i]; i++) {
        (void)snprintf(name, sizeof name, "flags-%u.hcl", i); /* as the reference calls them */
        err = cu_conf_read_text(fragments[i], strlen(fragments[i]), name, true, take, &conf->values,
                                diag);
    }
    return err;
}

static enum cu_err check_format(const char *format, struct cu_diag *diag)
{
    if (!format || !strcmp(format, "json") || !strcmp(format, "hcl"))
        return CU_OK;
    return cu_fail(diag, CU_E_INVALID, "config: -config-format must be either 'hcl' or 'json'");
}

enum cu_err cu_conf_load(const struct cu_conf_sources *sources, struct cu_conf **ret_conf,
                         json_t **ret_warnings, struct cu_diag *diag)
{
    struct cu_conf *conf = conf_new();
    json_t *warnings = json_array();
    enum cu_err err = check_format(sources->format, diag);
    for (size_t i = 0; !err && sources->paths && sources->paths[i]; i++)
        err = cu_conf_read(sources->paths[i], sources->format, warnings, take, &conf->values, diag);
    if (!err)
        err = read_fragments(conf, sources->fragments, diag);
    if (!err && sources->flags)
        err = cu_conf_values_take(&conf->values, "command line", sources->flags, false, diag);
    if (!err)
        err = finish(conf, sources->dev, warnings, diag);
    return hand_over(err, conf, warnings, ret_conf, ret_warnings);
}

enum cu_err cu_conf_parse(const char *text, size_t len, const char *name, struct cu_conf **ret_conf,
                          struct cu_diag *diag)
{
    struct cu_conf *conf = conf_new();
    json_t *warnings = json_array();
    enum cu_err err = cu_conf_read_text(text, len, name, false, take, &conf->values, diag);
    if (!err)
        err = finish(conf, false, warnings, diag);
    return hand_over(err, conf, warnings, ret_conf, NULL);
}

static void render_into(json_t *object, const char *path, json_t *value)
{
    const char *end = cu_key_name_end(path);
    char name[128];
    CU_ASSERT((size_t)(end - path) < sizeof name);
    memcpy(name, path, (size_t)(end - path));
    name[end - path] = '\0';
    if (!*end) {
        (void)json_object_set(object, name, value);
        return;
    }
    json_t *block = json_object_get(object, name);
    if (!block) {
        block = json_object();
        (void)json_object_set_new(object, name, block);
    }
    render_into(block, end + 1, value); /* as deep as the table */
}

json_t *cu_conf_render(const struct cu_conf *conf, const char *daemon)
{
    json_t *object = json_object();
    unsigned owner = daemon ? cu_key_owner(daemon) : 0;
    CU_ASSERT(!daemon || owner);
    for (size_t i = 0; i < cu_key_count; i++) {
        bool wanted = !daemon || (cu_keys[i].owners & owner && cu_keys[i].state == CU_KEY_BUILT);
        if (conf->values.slot[i] && wanted)
            render_into(object, cu_keys[i].path, conf->values.slot[i]);
    }
    return object;
}

/* The row of a key that our own code names, checked to be of the type it is read as. */
static const struct cu_key *row_of(const char *path, enum cu_key_type type)
{
    const struct cu_key *key = cu_key_find(path);
    CU_ASSERT(key && key->type == type);
    return key;
}

const char *cu_conf_text(const struct cu_conf *conf, const char *path)
{
    const struct cu_key *key = row_of(path, CU_KEY_TEXT);
    const json_t *value = conf->values.slot[key - cu_keys];
    if (value)
        return json_string_value(value);
    return key->fallback ? key->fallback : "";
}

bool cu_conf_bool(const struct cu_conf *conf, const char *path)
{
    const struct cu_key *key = row_of(path, CU_KEY_BOOL);
    const json_t *value = conf->values.slot[key - cu_keys];
    return value ? json_is_true(value) : key->fallback && !strcmp(key->fallback, "true");
}

int64_t cu_conf_int(const struct cu_conf *conf, const char *path)
{
    const struct cu_key *key = row_of(path, CU_KEY_INT);
    const json_t *value = conf->values.slot[key - cu_keys];
    int64_t number = 0;
    if (value)
        return json_integer_value(value);
    if (key->fallback) {
        enum cu_err err = cu_parse_i64(key->fallback, strlen(key->fallback), &number);
        CU_ASSERT(!err);
    }
    return number;
}

int64_t cu_conf_ms(const struct cu_conf *conf, const char *path)
{
    const struct cu_key *key = row_of(path, CU_KEY_MS);
    const json_t *value = conf->values.slot[key - cu_keys];
    const char *text = value ? json_string_value(value) : key->fallback;
    int64_t ns = 0;
    if (text) {
        enum cu_err err = cu_parse_duration_ns(text, &ns, NULL);
        CU_ASSERT(!err); /* bounds were checked at load, the table by its test */
    }
    return ns / 1000000;
}

const json_t *cu_conf_json(const struct cu_conf *conf, const char *path)
{
    const struct cu_key *key = cu_key_find(path);
    CU_ASSERT(key);
    return conf->values.slot[key - cu_keys];
}

bool cu_conf_is_set(const struct cu_conf *conf, const char *path)
{
    return cu_conf_json(conf, path) != NULL;
}

const char *cu_conf_next_stuck(const struct cu_conf *was, const struct cu_conf *now, size_t *at)
{
    while (*at < cu_key_count) {
        const struct cu_key *key = &cu_keys[*at];
        json_t *old = was->values.slot[*at], *new = now->values.slot[*at];
        ++*at;
        bool is_same = old == new || (old && new &&json_equal(old, new));
        if (!is_same && !key->is_live && key->state == CU_KEY_BUILT)
            return key->path;
    }
    return NULL;
}
