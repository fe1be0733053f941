#include "services/agentd/core/sidecar.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/agentd/core/check_spec.h"
#include "services/agentd/core/shapes.h"
#include "services/agentd/core/status.h"

enum { NS_PER_MS = 1000000 };

typedef Curia__V1__ServiceDefinition definition_t;

static bool out_of_memory(struct agent_fault *fault)
{
    return agent_refuse(fault, 413, "the definition is too large");
}

/* ---- what was sent ---- */

/* Names may be in snake case in files alone (http-api.md 1.3). */
static const struct cu_json_shape *shape_of(const struct agent_definition_rules *rules)
{
    return rules->is_remote ? &agent_shape_service_definition : &agent_shape_file_service;
}

static bool decode(ProtobufCBinaryData json, const struct agent_definition_rules *rules,
                   struct cu_arena *arena, definition_t *ret_sidecar, struct agent_fault *fault)
{
    struct cu_diag diag = {0};
    curia__v1__service_definition__init(ret_sidecar);
    enum cu_err err = cu_json_read_text((struct cu_bytes){json.data, json.len}, shape_of(rules),
                                        arena, &ret_sidecar->base, &diag);
    return !err || agent_refuse(fault, 400, "Request decode failed: %s", diag.text);
}

static bool has_sidecar(const definition_t *definition)
{
    return definition->connect && definition->connect->sidecar_service.len;
}

static bool is_gateway(const char *kind)
{
    size_t len = strlen(kind), tail = strlen("-gateway");
    return len > tail && strcmp(kind + len - tail, "-gateway") == 0;
}

static bool check_nesting(const definition_t *parent, const definition_t *sidecar,
                          struct agent_fault *fault)
{
    bool has_id = *sidecar->id, nests = has_sidecar(sidecar);
    if (is_gateway(parent->kind))
        return agent_refuse(fault, 400,
                            "1 error occurred:\n\t* A %s cannot have a sidecar service "
                            "defined\n\n",
                            parent->kind);
    if (!has_id && !nests)
        return true;
    return agent_refuse(
        fault, 400, "%d error%s occurred:\n%s%s\n", has_id + nests, has_id && nests ? "s" : "",
        has_id ? "\t* A SidecarService cannot specify an ID as this is managed by the agent\n" : "",
        nests ? "\t* A SidecarService cannot have a nested SidecarService\n" : "");
}

static bool check_one(const Curia__V1__CheckSpec *spec, struct agent_fault *fault)
{
    struct cu_diag diag = {0};
    enum agent_status status;
    if (agent_check_validate(spec, &diag))
        return agent_refuse(fault, 500, "Bad request: Invalid check in sidecar_service: %s",
                            diag.text);
    return !*spec->status || agent_status_parse(spec->status, &status) ||
           agent_refuse(fault, 500,
                        "Bad request: Status for checks must 'passing', 'warning', 'critical'");
}

static bool has_first_check(const definition_t *sidecar)
{
    return sidecar->check && !agent_check_is_empty(sidecar->check);
}

static bool check_checks(const definition_t *sidecar, struct agent_fault *fault)
{
    if (has_first_check(sidecar) && !check_one(sidecar->check, fault))
        return false;
    for (size_t i = 0; i < sidecar->n_checks; i++)
        if (!check_one(sidecar->checks[i], fault))
            return false;
    return true;
}

/* ---- what its parent gives it ---- */

static const char *id_of(const definition_t *definition)
{
    return *definition->id ? definition->id : definition->name;
}

static bool fill_proxy(const definition_t *parent, definition_t *sidecar, struct cu_arena *arena)
{
    Curia__V1__Proxy *proxy =
        sidecar->proxy ? sidecar->proxy : cu_arena_alloc(arena, sizeof *proxy);
    if (!proxy)
        return false;
    if (!sidecar->proxy)
        curia__v1__proxy__init(proxy);
    if (!*proxy->destination_service_name)
        proxy->destination_service_name = parent->name;
    if (!*proxy->destination_service_id)
        proxy->destination_service_id = (char *)id_of(parent);
    if (!*proxy->local_service_address)
        proxy->local_service_address = "127.0.0.1";
    if (proxy->local_service_port < 1)
        proxy->local_service_port = parent->port;
    sidecar->proxy = proxy;
    return true;
}

static bool fill(const definition_t *parent, definition_t *sidecar, struct cu_arena *arena)
{
    sidecar->id = cu_arena_printf(arena, "%s" AGENT_SIDECAR_SUFFIX, id_of(parent));
    if (!*sidecar->name)
        sidecar->name = cu_arena_printf(arena, "%s" AGENT_SIDECAR_SUFFIX, parent->name);
    if (!*sidecar->kind)
        sidecar->kind = "connect-proxy";
    if (!*sidecar->address)
        sidecar->address = parent->address;
    if (!*sidecar->token)
        sidecar->token = parent->token;
    if (!sidecar->n_tags) {
        sidecar->tags = parent->tags;
        sidecar->n_tags = parent->n_tags;
    }
    if (!sidecar->meta || !sidecar->meta->n_entries)
        sidecar->meta = parent->meta;
    return sidecar->id && sidecar->name && fill_proxy(parent, sidecar, arena);
}

bool agent_sidecar_read(const definition_t *parent, const struct agent_definition_rules *rules,
                        struct cu_arena *arena, definition_t **ret_sidecar,
                        struct agent_fault *fault)
{
    struct agent_service_def trial;
    *ret_sidecar = NULL;
    if (!has_sidecar(parent))
        return true;
    definition_t *sidecar = cu_arena_alloc(arena, sizeof *sidecar);
    if (!sidecar)
        return out_of_memory(fault);
    if (!decode(parent->connect->sidecar_service, rules, arena, sidecar, fault) ||
        !check_nesting(parent, sidecar, fault) || !check_checks(sidecar, fault))
        return false;
    if (!fill(parent, sidecar, arena))
        return out_of_memory(fault);
    /* All else that can be wrong with it is so whatever its port is. */
    if (!agent_sidecar_define(sidecar, sidecar->port > 0 ? sidecar->port : 1, rules, arena, &trial,
                              fault))
        return false;
    *ret_sidecar = sidecar;
    return true;
}

/* ---- its port ---- */

static bool no_port(const struct agent_ports *ports, struct agent_fault *fault)
{
    if (ports->min < 1 || ports->max < 1)
        return agent_refuse(fault, 500,
                            "Bad request: Invalid SidecarService: no port provided for "
                            "sidecar_service and auto-assignment disabled in config");
    return agent_refuse(fault, 500,
                        "Bad request: Invalid SidecarService: no port provided for sidecar_service "
                        "and none left in the configured range [%d, %d]",
                        ports->min, ports->max);
}

/* The ports of the range that services have; 0: `id` has *ret_own of them already. */
static bool *taken_ports(const struct agent_local *local, const struct agent_ports *ports,
                         const char *id, int32_t *ret_own)
{
    bool *taken = cu_alloc((size_t)(ports->max - ports->min + 1) * sizeof *taken);
    *ret_own = 0;
    for (size_t i = 0; i < local->services.count; i++) {
        const struct agent_local_service *slot = local->services.slots[i].item;
        int32_t port = slot->standing.is_deleted ? 0 : slot->service->port;
        if (port < ports->min || port > ports->max)
            continue;
        taken[port - ports->min] = true;
        if (strcmp(local->services.slots[i].id, id) == 0)
            *ret_own = port;
    }
    return taken;
}

bool agent_sidecar_port(const struct agent_local *local, const definition_t *sidecar,
                        const struct agent_ports *ports, int32_t *ret_port,
                        struct agent_fault *fault)
{
    int32_t port;
    if (sidecar->port > 0) {
        *ret_port = sidecar->port;
        return true;
    }
    if (ports->min < 1 || ports->max < ports->min)
        return no_port(ports, fault);
    bool *taken = taken_ports(local, ports, sidecar->id, &port);
    for (int32_t i = ports->min; !port && i <= ports->max; i++)
        if (!taken[i - ports->min])
            port = i;
    free(taken);
    *ret_port = port;
    return port || no_port(ports, fault);
}

/* ---- the service ---- */

static bool add_checks(definition_t *whole, struct cu_arena *arena)
{
    Curia__V1__CheckSpec *specs = cu_arena_alloc(arena, 2 * sizeof *specs);
    Curia__V1__CheckSpec **list = cu_arena_alloc(arena, 2 * sizeof(Curia__V1__CheckSpec *));
    if (!specs || !list)
        return false;
    const char *address = whole->proxy->local_service_address;
    size_t id_len = strlen(whole->id) - strlen(AGENT_SIDECAR_SUFFIX);
    char *parent = cu_arena_printf(arena, "%.*s", (int)id_len, whole->id);
    if (!parent)
        return false;
    for (size_t i = 0; i < 2; i++) {
        curia__v1__check_spec__init(&specs[i]);
        list[i] = &specs[i];
    }
    specs[0].name = "Connect Sidecar Listening";
    specs[0].tcp =
        cu_arena_printf(arena, strchr(address, ':') ? "[%s]:%d" : "%s:%d", address, whole->port);
    specs[0].interval_ns = (int64_t)AGENT_SIDECAR_CHECK_MS * NS_PER_MS;
    specs[1].name = cu_arena_printf(arena, "Connect Sidecar Aliasing %s", parent);
    specs[1].alias_service = parent;
    whole->checks = list;
    whole->n_checks = 2;
    return specs[0].tcp && specs[1].name;
}

bool agent_sidecar_define(const definition_t *sidecar, int32_t port,
                          const struct agent_definition_rules *rules, struct cu_arena *arena,
                          struct agent_service_def *ret_def, struct agent_fault *fault)
{
    definition_t *whole = cu_arena_alloc(arena, sizeof *whole);
    if (!whole)
        return out_of_memory(fault);
    *whole = *sidecar;
    whole->port = port;
    if (!has_first_check(sidecar) && !sidecar->n_checks && !add_checks(whole, arena))
        return out_of_memory(fault);
    return agent_service_define(whole, rules, arena, ret_def, fault);
}
