#include "services/agentd/definitions.h"

#include <stdlib.h>
#include <string.h>

#include "services/agentd/core/shapes.h"
#include "services/agentd/core/sidecar.h"

/* One definition being read. */
struct reading {
    struct agent_definitions *out;
    struct agent_definition_rules rules;
    const char *what; /* "service", "check" */
    const char *name; /* of the definition at hand; "": none */
    struct cu_diag *diag;
};

bool agent_may_run_remote_scripts(const struct cu_conf *conf)
{
    return cu_conf_bool(conf, "enable_script_checks");
}

bool agent_may_run_local_scripts(const struct cu_conf *conf)
{
    return cu_conf_bool(conf, "enable_local_script_checks") || agent_may_run_remote_scripts(conf);
}

static enum cu_err too_large(struct reading *r)
{
    return cu_fail(r->diag, CU_E_INVALID, "%s definitions: over %d bytes", r->what,
                   AGENT_DEFINITIONS_BYTES);
}

/* The sentences of the decoder and of the HTTP handlers, in the words of files. */
static enum cu_err bad(struct reading *r, const char *text)
{
    static const char unknown[] = "json: unknown field \"", invalid[] = "Invalid check: ";
    if (strncmp(text, unknown, strlen(unknown)) == 0)
        return cu_fail(r->diag, CU_E_INVALID, "1 error occurred:\n\t* invalid config key %s.%.*s",
                       r->what, (int)strcspn(text + strlen(unknown), "\""), text + strlen(unknown));
    if (strncmp(text, invalid, strlen(invalid)) == 0)
        return cu_fail(r->diag, CU_E_INVALID, "%s \"%s\": Check is not valid: %s", r->what, r->name,
                       text + strlen(invalid));
    return cu_fail(r->diag, CU_E_INVALID, "%s \"%s\": %s", r->what, r->name, text);
}

/* In files a duration is text (agent.md 2). */
static enum cu_err check_durations(struct reading *r, const json_t *check)
{
    static const char *const keys[] = {"interval", "timeout", "ttl",
                                       "deregister_critical_service_after"};
    for (size_t i = 0; i < CU_COUNT(keys); i++)
        if (json_is_number(json_object_get(check, keys[i])))
            return cu_fail(r->diag, CU_E_INVALID,
                           "1 error(s) decoding:\n\n* 'check.%s' expected type 'string', got "
                           "unconvertible type 'float64'",
                           keys[i]);
    return CU_OK;
}

static enum cu_err decode(struct reading *r, const json_t *object,
                          const struct cu_json_shape *shape, ProtobufCMessage *message)
{
    struct cu_diag diag = {0};
    char *text = json_dumps(object, JSON_COMPACT);
    /* What is read points into the arena, where the text must be, too. */
    const char *copy = text ? cu_arena_strdup(r->out->arena, text) : NULL;
    free(text);
    if (!copy)
        return too_large(r);
    enum cu_err err = cu_json_read_text(cu_bytes_of(copy), shape, r->out->arena, message, &diag);
    return err ? bad(r, diag.text) : CU_OK;
}

static enum cu_err read_check(struct reading *r, const json_t *object)
{
    struct agent_fault fault = {0};
    struct agent_definitions *out = r->out;
    Curia__V1__CheckSpec *spec = cu_arena_alloc(out->arena, sizeof *spec);
    if (!spec)
        return too_large(r);
    curia__v1__check_spec__init(spec);
    enum cu_err err = check_durations(r, object);
    if (!err)
        err = decode(r, object, &agent_shape_file_check, &spec->base);
    if (err)
        return err;
    r->name = spec->name;
    if (!agent_check_define(spec, &r->rules, out->arena, &out->checks[out->check_count], &fault))
        return bad(r, fault.text);
    out->check_tokens[out->check_count++] = spec->token;
    return CU_OK;
}

static enum cu_err check_durations_of(struct reading *r, const json_t *service)
{
    size_t i;
    json_t *check;
    enum cu_err err = check_durations(r, json_object_get(service, "check"));
    json_array_foreach(json_object_get(service, "checks"), i, check)
    {
        if (!err)
            err = check_durations(r, check);
    }
    return err;
}

static enum cu_err read_service(struct reading *r, const json_t *object)
{
    struct agent_fault fault = {0};
    struct agent_definitions *out = r->out;
    struct agent_service_def *def = &out->services[out->service_count];
    Curia__V1__ServiceDefinition *sidecar;
    Curia__V1__ServiceDefinition *definition = cu_arena_alloc(out->arena, sizeof *definition);
    if (!definition)
        return too_large(r);
    curia__v1__service_definition__init(definition);
    enum cu_err err = check_durations_of(r, object);
    if (!err)
        err = decode(r, object, &agent_shape_file_service, &definition->base);
    if (err)
        return err;
    r->name = definition->name;
    if (!*definition->name)
        return cu_fail(r->diag, CU_E_INVALID, "Service name missing");
    if (!agent_service_define(definition, &r->rules, out->arena, def, &fault) ||
        !agent_sidecar_read(definition, &r->rules, out->arena, &sidecar, &fault))
        return bad(r, fault.text);
    def->sidecar = sidecar;
    out->service_count++;
    return CU_OK;
}

static enum cu_err read_list(struct reading *r, const json_t *list,
                             enum cu_err (*read)(struct reading *, const json_t *))
{
    size_t i;
    json_t *object;
    enum cu_err err = CU_OK;
    json_array_foreach((json_t *)list, i, object)
    {
        r->name = "";
        if (!err)
            err = read(r, object);
    }
    return err;
}

static void check_ids(struct reading *r, enum cu_err *err)
{
    const struct agent_definitions *out = r->out;
    for (size_t i = 0; !*err && i < out->service_count; i++)
        for (size_t n = 0; n < i; n++)
            if (strcmp(out->services[i].service->id, out->services[n].service->id) == 0)
                *err = cu_fail(r->diag, CU_E_INVALID, "service \"%s\" is defined twice",
                               out->services[i].service->id);
}

enum cu_err agent_definitions_read(const struct cu_conf *conf, const char *node,
                                   struct agent_definitions *ret_definitions, struct cu_diag *diag)
{
    const json_t *services = cu_conf_json(conf, "services"), *checks = cu_conf_json(conf, "checks");
    struct agent_definitions out = {.arena = cu_arena_new(AGENT_DEFINITIONS_BYTES)};
    struct reading r = {
        .out = &out,
        .rules = {.node = node, .may_run_scripts = agent_may_run_local_scripts(conf)},
        .what = "service",
        .diag = diag};

    out.services =
        cu_arena_alloc(out.arena, (json_array_size(services) + 1) * sizeof *out.services);
    out.checks = cu_arena_alloc(out.arena, (json_array_size(checks) + 1) * sizeof *out.checks);
    out.check_tokens =
        cu_arena_alloc(out.arena, (json_array_size(checks) + 1) * sizeof *out.check_tokens);
    enum cu_err err = out.services && out.checks && out.check_tokens ? CU_OK : too_large(&r);
    if (!err)
        err = read_list(&r, services, read_service);
    check_ids(&r, &err);
    r.what = "check";
    if (!err)
        err = read_list(&r, checks, read_check);
    if (err)
        agent_definitions_deinit(&out);
    else
        *ret_definitions = out;
    return err;
}

void agent_definitions_deinit(struct agent_definitions *definitions)
{
    cu_arena_free(definitions->arena);
    *definitions = (struct agent_definitions){0};
}
