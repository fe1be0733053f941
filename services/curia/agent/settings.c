#include "services/curia/agent/settings.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/daemon/host.h"
#include "common/daemon/node_id.h"

/* Puts `value` at "a.b" of nested objects, making them. */
static void put(json_t *object, const char *path, json_t *value)
{
    const char *dot = strchr(path, '.');
    if (!dot) {
        (void)json_object_set_new(object, path, value);
        return;
    }
    char block[64];
    (void)snprintf(block, sizeof block, "%.*s", (int)(dot - path), path);
    json_t *inner = json_object_get(object, block);
    if (!inner) {
        inner = json_object();
        (void)json_object_set_new(object, block, inner);
    }
    put(inner, dot + 1, value);
}

static json_t *at(json_t *object, const char *path)
{
    char block[64];
    const char *dot = strchr(path, '.');
    (void)snprintf(block, sizeof block, "%.*s", dot ? (int)(dot - path) : (int)strlen(path), path);
    json_t *inner = json_object_get(object, block);
    return dot && inner ? at(inner, dot + 1) : inner;
}

static json_t *value_of(const struct cli_value *value)
{
    int64_t number = 0;
    bool yes = false;
    if (value->flag->type == CLI_INT && !cu_parse_i64(value->text, strlen(value->text), &number))
        return json_integer(number);
    if (value->flag->type == CLI_BOOL && cli_parse_bool(value->text, &yes))
        return json_boolean(yes);
    return json_string(value->text); /* NULL when it is no UTF-8: then it counts as not given */
}

static void put_list_item(json_t *object, const struct cli_value *value)
{
    if (!strcmp(value->flag->key, "node_meta")) { /* KEY:VALUE */
        char name[256];
        size_t len = strcspn(value->text, ":");
        (void)snprintf(name, sizeof name, "%.*s", (int)len, value->text);
        json_t *map = json_object_get(object, "node_meta");
        if (!map)
            put(object, "node_meta", map = json_object());
        const char *text = value->text[len] ? value->text + len + 1 : "";
        (void)json_object_set_new(map, name, json_string(text));
        return;
    }
    json_t *list = at(object, value->flag->key);
    if (!list)
        put(object, value->flag->key, list = json_array());
    (void)json_array_append_new(list, json_string(value->text));
}

static json_t *keys_of_flags(const struct cli_args *args)
{
    json_t *object = json_object();
    for (size_t i = 0; i < args->value_count; i++) {
        const struct cli_value *value = &args->values[i];
        if (value->flag->key && value->flag->type == CLI_LIST)
            put_list_item(object, value);
        else if (value->flag->key)
            put(object, value->flag->key, value_of(value));
    }
    return object;
}

/* The texts of all flags of one of two names, in order. */
static void texts_of(const struct cli_args *args, const char *name, const char *other,
                     const char *texts[CLI_VALUES + 1])
{
    size_t count = 0;
    for (size_t i = 0; i < args->value_count; i++)
        if (!strcmp(args->values[i].flag->name, name) ||
            (other && !strcmp(args->values[i].flag->name, other)))
            texts[count++] = args->values[i].text;
}

enum cu_err agent_settings_read(const struct cli_args *args, json_t *more,
                                struct cu_conf **ret_conf, json_t **ret_warnings,
                                struct cu_diag *diag)
{
    const char *paths[CLI_VALUES + 1] = {0}, *fragments[CLI_VALUES + 1] = {0};
    texts_of(args, "config-file", "config-dir", paths);
    texts_of(args, "hcl", NULL, fragments);
    json_t *flags = keys_of_flags(args);
    (void)json_object_update(flags, more);
    struct cu_conf_sources sources = {.dev = cli_allows(args, "dev") && cli_bool(args, "dev"),
                                      .paths = paths,
                                      .format = cli_text(args, "config-format"),
                                      .fragments = fragments,
                                      .flags = flags};
    enum cu_err err = cu_conf_load(&sources, ret_conf, ret_warnings, diag);
    json_decref(flags);
    return err;
}

/* Daemons and sockets are given whole paths, whatever folder they are started in. */
static enum cu_err make_whole(char path[CLI_PATH_BYTES], struct cu_diag *diag)
{
    char *whole = realpath(path, NULL);
    if (!whole || strlen(whole) >= CLI_PATH_BYTES) {
        enum cu_err err = cu_fail(diag, CU_E_IO, "cannot find %s: %s", path,
                                  whole ? "its whole path is too long" : strerror(errno));
        free(whole);
        return err;
    }
    memcpy(path, whole, strlen(whole) + 1);
    free(whole);
    return CU_OK;
}

static enum cu_err choose_data_dir(struct agent_settings *settings, const struct cu_conf *conf,
                                   struct cu_diag *diag)
{
    const char *given = cu_conf_text(conf, "data_dir");
    if (*given) {
        (void)snprintf(settings->data_dir, CLI_PATH_BYTES, "%s", given);
        enum cu_err err = cu_host_make_dir(given, 0755, diag);
        return err ? err : make_whole(settings->data_dir, diag);
    }
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(settings->data_dir, CLI_PATH_BYTES, "%s/curia-dev-XXXXXX",
                   tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(settings->data_dir))
        return cu_fail(diag, CU_E_IO, "cannot create %s: %s", settings->data_dir, strerror(errno));
    settings->data_is_ours = true;
    return CU_OK;
}

static enum cu_err choose_run_dir(struct agent_settings *settings, const struct cu_conf *conf,
                                  struct cu_diag *diag)
{
    if (cu_conf_is_set(conf, "run_dir"))
        (void)snprintf(settings->run_dir, CLI_PATH_BYTES, "%s", cu_conf_text(conf, "run_dir"));
    else
        (void)snprintf(settings->run_dir, CLI_PATH_BYTES, "%.4000s/run", settings->data_dir);
    enum cu_err err = cu_host_make_dir(settings->run_dir, 0750, diag);
    if (!err)
        err = make_whole(settings->run_dir, diag);
    if (!err && strlen(settings->run_dir) + strlen("/catalogd.notify") > 107)
        err = cu_fail(diag, CU_E_INVALID,
                      "run_dir is too long for the sockets in it (a socket path has at most 107 "
                      "bytes): set run_dir, it is %.200s",
                      settings->run_dir);
    return err;
}

static enum cu_err identify(struct agent_settings *settings, const struct cu_conf *conf,
                            struct cu_diag *diag)
{
    enum cu_err err = CU_OK;
    if (*cu_conf_text(conf, "node_id"))
        (void)snprintf(settings->node_id, sizeof settings->node_id, "%s",
                       cu_conf_text(conf, "node_id"));
    else
        err = cu_node_id(settings->data_dir, settings->node_id, diag);
    return err ? err : cu_conf_advertise(conf, settings->advertise, diag);
}

/* What was found out is given to the daemons, so that none of them finds out something else. */
static json_t *found(const struct agent_settings *settings)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "data_dir", settings->data_dir, "run_dir",
                     settings->run_dir, "node_id", settings->node_id, "advertise_addr",
                     settings->advertise);
}

enum cu_err agent_settings_reread(const struct agent_settings *old, const struct cli_args *args,
                                  struct cu_conf **ret_conf, struct cu_diag *diag)
{
    json_t *more = found(old);
    enum cu_err err = agent_settings_read(args, more, ret_conf, NULL, diag);
    json_decref(more);
    return err;
}

enum cu_err agent_settings_init(struct agent_settings *settings, const struct cli_args *args,
                                struct cu_diag *diag)
{
    struct cu_conf *first = NULL;
    *settings = (struct agent_settings){0};
    enum cu_err err = agent_settings_read(args, NULL, &first, &settings->warnings, diag);
    if (!err)
        err = choose_data_dir(settings, first, diag);
    if (!err)
        err = choose_run_dir(settings, first, diag);
    if (!err)
        err = identify(settings, first, diag);
    if (!err)
        err = agent_settings_reread(settings, args, &settings->conf, diag);
    cu_conf_free(first);
    return err;
}

static int remove_one(const char *path, const struct stat *info, int what, struct FTW *where)
{
    (void)info;
    (void)what;
    (void)where;
    (void)remove(path); /* what stays is in a folder that is said to be throw-away */
    return 0;
}

void agent_settings_deinit(struct agent_settings *settings)
{
    if (settings->data_is_ours)
        (void)nftw(settings->data_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    cu_conf_free(settings->conf);
    json_decref(settings->warnings);
}

enum cu_err agent_settings_write(const struct agent_settings *settings, const struct cu_conf *conf,
                                 const char *daemon, const char *suffix, struct cu_diag *diag)
{
    char path[CLI_PATH_BYTES + 64];
    (void)snprintf(path, sizeof path, "%s/%s.json%s", settings->run_dir, daemon, suffix);
    return agent_settings_write_part(conf, daemon, path, diag);
}

enum cu_err agent_settings_write_part(const struct cu_conf *conf, const char *daemon,
                                      const char *path, struct cu_diag *diag)
{
    json_t *part = cu_conf_render(conf, strcmp(daemon, "curia") ? daemon : NULL);
    char *text = json_dumps(part, JSON_INDENT(2) | JSON_SORT_KEYS);
    CU_ASSERT(text);
    enum cu_err err = cu_host_write_private(path, text, strlen(text), diag);
    free(text);
    json_decref(part);
    return err;
}
