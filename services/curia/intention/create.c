/* `intention create` (cli.md 4.10). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/curia/command.h"
#include "services/curia/intention/intention.h"

/* ---- what is to be created ---- */

static enum cu_err set_side(json_t *intention, const char *side, const char *text,
                            struct cu_diag *diag)
{
    struct intention_target target;
    char member[32];
    enum cu_err err = intention_parse_target(text, &target, diag);
    if (err)
        return err;
    (void)snprintf(member, sizeof member, "%sNS", side);
    if (*target.ns)
        (void)json_object_set_new(intention, member, json_string(target.ns));
    (void)snprintf(member, sizeof member, "%sName", side);
    (void)json_object_set_new(intention, member, json_string(target.name));
    return CU_OK;
}

static enum cu_err set_meta(const struct cli_args *args, json_t *intention, struct cu_diag *diag)
{
    json_t *meta = json_object();
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && i < args->value_count; i++) {
        const char *text = args->values[i].text, *equals = strchr(text, '=');
        if (strcmp(args->values[i].flag->name, "meta") != 0)
            continue;
        if (!equals)
            err = cu_fail(diag, CU_E_INVALID, "-meta wants key=value, got \"%s\"", text);
        else
            (void)json_object_setn_new(meta, text, (size_t)(equals - text),
                                       json_string(equals + 1));
    }
    if (!err && json_object_size(meta))
        (void)json_object_set(intention, "Meta", meta);
    json_decref(meta);
    return err;
}

static enum cu_err from_words(const struct cli_args *args, json_t *list, struct cu_diag *diag)
{
    struct cu_diag why = {0};
    json_t *intention = json_object();
    if (args->word_count != 2) {
        json_decref(intention);
        return cu_fail(diag, CU_E_INVALID, "Must specify two arguments: source and destination");
    }
    (void)json_array_append_new(list, intention);
    enum cu_err err = set_side(intention, "Source", args->words[0], &why);
    if (err)
        return cu_fail(diag, err, "Invalid intention source: %s", why.text);
    err = set_side(intention, "Destination", args->words[1], &why);
    if (err)
        return cu_fail(diag, err, "Invalid intention destination: %s", why.text);
    (void)json_object_set_new(intention, "SourceType", json_string("consul"));
    (void)json_object_set_new(intention, "Action",
                              json_string(cli_bool(args, "deny") ? "deny" : "allow"));
    return set_meta(args, intention, diag);
}

static enum cu_err from_file(const char *path, json_t *list, struct cu_diag *diag)
{
    json_error_t error;
    json_t *intention = json_load_file(path, 0, &error);
    if (!intention)
        return cu_fail(diag, CU_E_INVALID, "%s: %s", path, error.text);
    (void)json_array_append_new(list, intention);
    if (!json_is_object(intention))
        return cu_fail(diag, CU_E_INVALID, "%s: there is no object in it", path);
    if (json_array_size(json_object_get(intention, "Permissions")))
        return cu_fail(diag, CU_E_INVALID,
                       "cannot create L7 intention from file \"%s\" using this CLI; use 'consul "
                       "config write' instead",
                       path);
    return CU_OK;
}

static enum cu_err read_all(const struct cli_args *args, json_t *list, struct cu_diag *diag)
{
    enum cu_err err = CU_OK;
    if (!cli_bool(args, "file"))
        return from_words(args, list, diag);
    for (int i = 0; !err && i < args->word_count; i++)
        err = from_file(args->words[i], list, diag);
    return err;
}

/* ---- creating ---- */

static enum cu_err send(struct cli_http *http, const char *method, const char *path,
                        const char *key, const char *query, const json_t *body,
                        struct cu_diag *diag)
{
    struct cli_reply reply;
    char *text = json_dumps(body, JSON_COMPACT);
    enum cu_err err = cli_http_do(http,
                                  &(struct cli_request){.method = method,
                                                        .path = path,
                                                        .key = cu_bytes_of(key),
                                                        .query = query,
                                                        .body = cu_bytes_of(text ? text : "")},
                                  &reply, diag);
    if (!err && reply.status != 200) {
        cli_http_unexpected(&reply, true, diag);
        err = CU_E_IO;
    }
    cu_buf_deinit(&reply.body);
    free(text);
    return err;
}

/* By its id where it has one, which so stays; else by its names. */
static enum cu_err put_over(struct cli_http *http, const json_t *old, const json_t *intention,
                            const char *query, struct cu_diag *diag)
{
    const char *id = cli_member_text(old, "ID");
    return *id ? send(http, "PUT", INTENTIONS_PATH "/", id, NULL, intention, diag)
               : send(http, "PUT", INTENTIONS_PATH "/exact", "", query, intention, diag);
}

static const char *name(struct cu_buf *out, const json_t *intention, const char *side)
{
    intention_name(out, intention, side);
    return cli_query_text(out);
}

/* 0: replaced, or there is none (*ret_done says which); 1: failed, and told. */
static int replace(struct cli_http *http, const json_t *intention, bool *ret_done)
{
    struct cu_buf source = {0}, destination = {0}, query = {0}, text = {0};
    struct cu_diag diag = {0};
    json_t *old = NULL;
    int code = 0;
    char *words[] = {(char *)name(&source, intention, "Source"),
                     (char *)name(&destination, intention, "Destination")};
    enum cu_err err = intention_fetch(http, words, 2, &old, &diag);
    if (err && err != CU_E_NOT_FOUND)
        code = cli_sorry("Error looking up intention for replacement with source \"%s\" and "
                         "destination \"%s\": %s",
                         words[0], words[1], diag.text);
    *ret_done = !err;
    if (!err &&
        put_over(http, old, intention, intention_pair_query(&query, words[0], words[1]), &diag))
        code = cli_sorry("Error replacing intention with source \"%s\" and destination \"%s\": %s",
                         words[0], words[1], diag.text);
    else if (!err)
        (void)printf("Replaced: %s\n", intention_text(&text, intention));
    json_decref(old);
    cu_buf_deinit(&source);
    cu_buf_deinit(&destination);
    cu_buf_deinit(&query);
    cu_buf_deinit(&text);
    return code;
}

static int create(struct cli_http *http, const json_t *intention)
{
    struct cu_buf text = {0};
    struct cu_diag diag = {0};
    int code = 0;
    if (send(http, "POST", INTENTIONS_PATH, "", NULL, intention, &diag))
        code = cli_sorry("Error creating intention \"%s\": %s", intention_text(&text, intention),
                         diag.text);
    else
        (void)printf("Created: %s\n", intention_text(&text, intention));
    cu_buf_deinit(&text);
    return code;
}

static int create_all(const struct cli_args *args, const json_t *list)
{
    size_t i;
    json_t *intention;
    int code = 0;
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    json_array_foreach((json_t *)list, i, intention)
    {
        bool is_done = false;
        if (!code && cli_bool(args, "replace"))
            code = replace(http, intention, &is_done);
        if (!code && !is_done)
            code = create(http, intention);
    }
    cli_http_free(http);
    return code;
}

int cli_intention_create(const struct cli_args *args)
{
    struct cu_diag diag = {0};
    if (cli_bool(args, "allow") && cli_bool(args, "deny"))
        return cli_sorry("Only one of -allow or -deny may be specified.");
    json_t *list = json_array();
    int code =
        read_all(args, list, &diag) ? cli_sorry("Error: %s", diag.text) : create_all(args, list);
    json_decref(list);
    return code;
}
