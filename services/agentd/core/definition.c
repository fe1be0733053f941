#include "services/agentd/core/definition.h"

#include <string.h>

#include "common/service/definition.h"
#include "common/service/meta.h"
#include "services/agentd/core/check_spec.h"
#include "services/agentd/core/copy.h"
#include "services/agentd/core/service_rules.h"
#include "services/agentd/core/shapes.h"
#include "services/agentd/core/status.h"

struct defining {
    const struct agent_definition_rules *rules;
    struct cu_arena *arena;
    struct agent_fault *fault;
};

static bool out_of_memory(struct agent_fault *fault)
{
    return agent_refuse(fault, 413, "the definition is too large");
}

/* ---- bodies ---- */

static bool read_body(struct cu_bytes body, const struct cu_json_shape *shape,
                      struct cu_arena *arena, ProtobufCMessage *message, struct agent_fault *fault)
{
    struct cu_diag diag = {0};
    return !cu_json_read_text(body, shape, arena, message, &diag) ||
           agent_refuse(fault, 400, "Request decode failed: %s", diag.text);
}

bool agent_service_read(struct cu_bytes body, struct cu_arena *arena,
                        Curia__V1__ServiceDefinition *ret_definition, struct agent_fault *fault)
{
    curia__v1__service_definition__init(ret_definition);
    return read_body(body, &agent_shape_service_definition, arena, &ret_definition->base, fault);
}

bool agent_check_read(struct cu_bytes body, struct cu_arena *arena, Curia__V1__CheckSpec *ret_spec,
                      struct agent_fault *fault)
{
    curia__v1__check_spec__init(ret_spec);
    return read_body(body, &agent_shape_check_spec, arena, &ret_spec->base, fault);
}

bool agent_check_update_read(struct cu_bytes body, struct cu_arena *arena,
                             Curia__V1__CheckUpdate *ret_update, struct agent_fault *fault)
{
    curia__v1__check_update__init(ret_update);
    return read_body(body, &agent_shape_check_update, arena, &ret_update->base, fault);
}

/* ---- checks ---- */

static bool may_run(struct defining *d, const Curia__V1__CheckSpec *spec)
{
    enum agent_check_kind kind = agent_check_kind(spec);
    if (kind == AGENT_CHECK_DOCKER)
        return agent_refuse(d->fault, 500, "Docker checks are not part of this build");
    if (kind != AGENT_CHECK_SCRIPT || d->rules->may_run_scripts)
        return true;
    return agent_refuse(d->fault, 500, "%s",
                        d->rules->is_remote
                            ? "Scripts are disabled on this agent from remote calls; to enable, "
                              "configure 'enable_script_checks' to true"
                            : "Scripts are disabled on this agent; to enable, configure "
                              "'enable_script_checks' or 'enable_local_script_checks' to true");
}

static bool make_check(struct defining *d, const Curia__V1__CheckSpec *spec,
                       struct agent_check_def *ret_def)
{
    Curia__V1__Check *check = cu_arena_alloc(d->arena, sizeof *check);
    if (!check)
        return out_of_memory(d->fault);
    curia__v1__check__init(check);
    check->node = (char *)d->rules->node;
    check->check_id = *spec->check_id ? spec->check_id : spec->name;
    check->name = spec->name;
    check->notes = spec->notes;
    check->status = *spec->status ? spec->status : "critical";
    check->service_id = spec->service_id;
    check->type = (char *)agent_check_type(spec);
    *ret_def = (struct agent_check_def){check, spec};
    return true;
}

bool agent_check_define(const Curia__V1__CheckSpec *spec,
                        const struct agent_definition_rules *rules, struct cu_arena *arena,
                        struct agent_check_def *ret_def, struct agent_fault *fault)
{
    struct defining d = {rules, arena, fault};
    struct cu_diag diag = {0};
    enum agent_status status;
    if (!*spec->name)
        return agent_refuse(fault, 400, "Missing check name");
    if (*spec->status && !agent_status_parse(spec->status, &status))
        return agent_refuse(fault, 400, "Bad check status");
    if (agent_check_validate(spec, &diag))
        return agent_refuse(fault, 400, "Invalid check: %s", diag.text);
    return may_run(&d, spec) && make_check(&d, spec, ret_def);
}

/* ---- the checks of a service ---- */

static bool validate_checks(struct defining *d, const Curia__V1__ServiceDefinition *definition,
                            bool has_first)
{
    struct cu_diag diag = {0};
    enum cu_err err = has_first ? agent_check_validate(definition->check, &diag) : CU_OK;
    for (size_t i = 0; !err && i < definition->n_checks; i++)
        err = agent_check_validate(definition->checks[i], &diag);
    return !err || agent_refuse(d->fault, 400, "Invalid check: %s", diag.text);
}

static bool has_good_status(struct defining *d, const Curia__V1__CheckSpec *spec)
{
    enum agent_status status;
    return !*spec->status || agent_status_parse(spec->status, &status) ||
           agent_refuse(d->fault, 400, "Status for checks must 'passing', 'warning', 'critical'");
}

/* `place` counts from 1; 0: the only one. */
static bool add_check(struct defining *d, const Curia__V1__CheckSpec *spec, size_t place,
                      struct agent_service_def *def)
{
    struct agent_check_def *made = &def->checks[def->check_count];
    const Curia__V1__Service *service = def->service;
    if (!has_good_status(d, spec) || !may_run(d, spec) || !make_check(d, spec, made))
        return false;
    Curia__V1__Check *check = made->check;
    if (!*spec->check_id && place)
        check->check_id = cu_arena_printf(d->arena, "service:%s:%zu", service->id, place);
    else if (!*spec->check_id)
        check->check_id = cu_arena_printf(d->arena, "service:%s", service->id);
    if (!*spec->name)
        check->name = cu_arena_printf(d->arena, "Service '%s' check", service->service);
    if (!check->check_id || !check->name)
        return out_of_memory(d->fault);
    check->service_id = service->id;
    check->service_name = service->service;
    check->service_tags = service->tags;
    check->n_service_tags = service->n_tags;
    def->check_count++;
    return true;
}

static bool add_checks(struct defining *d, const Curia__V1__ServiceDefinition *definition,
                       struct agent_service_def *def)
{
    bool has_first = definition->check && !agent_check_is_empty(definition->check);
    size_t count = definition->n_checks + has_first;
    if (!validate_checks(d, definition, has_first))
        return false;
    def->checks = cu_arena_alloc(d->arena, count * sizeof *def->checks);
    if (!def->checks)
        return out_of_memory(d->fault);
    for (size_t i = 0; i < count; i++)
        if (!add_check(d,
                       has_first && i == 0 ? definition->check : definition->checks[i - has_first],
                       count > 1 ? i + 1 : 0, def))
            return false;
    return true;
}

/* ---- the service ---- */

static const Curia__V1__ServiceAddress *tagged(const Curia__V1__ServiceAddresses *addresses,
                                               const char *tag)
{
    for (size_t i = 0; addresses && i < addresses->n_entries; i++)
        if (strcmp(addresses->entries[i]->key, tag) == 0)
            return addresses->entries[i]->value;
    return NULL;
}

/* Puts the service's own address under `tag`, unless there is one. */
static bool add_tagged(struct defining *d, Curia__V1__Service *service, const char *tag)
{
    Curia__V1__ServiceAddresses *all = service->tagged_addresses;
    if (tagged(all, tag))
        return true;
    size_t count = all->n_entries, at = count;
    Curia__V1__ServiceAddresses__EntriesEntry **entries =
        cu_arena_alloc(d->arena, (count + 1) * sizeof *entries);
    Curia__V1__ServiceAddresses__EntriesEntry *entry = cu_arena_alloc(d->arena, sizeof *entry);
    Curia__V1__ServiceAddress *address = cu_arena_alloc(d->arena, sizeof *address);
    if (!entries || !entry || !address)
        return out_of_memory(d->fault);
    curia__v1__service_addresses__entries_entry__init(entry);
    curia__v1__service_address__init(address);
    address->address = service->address;
    address->port = service->port;
    entry->key = (char *)tag;
    entry->value = address;
    while (at > 0 && strcmp(all->entries[at - 1]->key, tag) > 0)
        at--;
    if (count) {
        memcpy(entries, all->entries, at * sizeof *entries);
        memcpy(entries + at + 1, all->entries + at, (count - at) * sizeof *entries);
    }
    entries[at] = entry;
    all->entries = entries;
    all->n_entries = count + 1;
    return true;
}

/* An address that is an IP stands for the family's lan and wan, too. */
static bool fill_tagged(struct defining *d, Curia__V1__Service *service)
{
    int family = agent_ip_family(service->address);
    if (!family)
        return true;
    Curia__V1__ServiceAddresses *all = cu_arena_alloc(d->arena, sizeof *all);
    if (!all)
        return out_of_memory(d->fault);
    curia__v1__service_addresses__init(all);
    if (service->tagged_addresses)
        *all = *service->tagged_addresses;
    service->tagged_addresses = all;
    return add_tagged(d, service, family == 4 ? "lan_ipv4" : "lan_ipv6") &&
           add_tagged(d, service, family == 4 ? "wan_ipv4" : "wan_ipv6");
}

static void default_upstreams(Curia__V1__Proxy *proxy)
{
    for (size_t i = 0; proxy && i < proxy->n_upstreams; i++)
        if (!*proxy->upstreams[i]->destination_type)
            proxy->upstreams[i]->destination_type = "service";
}

static bool make_service(struct defining *d, const Curia__V1__ServiceDefinition *from,
                         Curia__V1__Service **ret_service)
{
    Curia__V1__Service *service = cu_arena_alloc(d->arena, sizeof *service);
    Curia__V1__Connect *connect = cu_arena_alloc(d->arena, sizeof *connect);
    if (!service || !connect)
        return out_of_memory(d->fault);
    curia__v1__service__init(service);
    curia__v1__connect__init(connect);
    service->kind = from->kind;
    service->id = *from->id ? from->id : from->name;
    service->service = from->name;
    service->tags = from->tags;
    service->n_tags = from->n_tags;
    service->address = from->address;
    service->tagged_addresses = from->tagged_addresses;
    service->meta = from->meta;
    service->port = from->port;
    service->weights = from->weights ? from->weights : cu_weights_default();
    service->enable_tag_override = from->enable_tag_override;
    service->proxy = from->proxy;
    default_upstreams(service->proxy);
    connect->native = from->connect && from->connect->native;
    service->connect = connect->native ? connect : NULL;
    *ret_service = service;
    return true;
}

static bool validate_service(struct defining *d, const Curia__V1__Service *service)
{
    const char *weights = cu_weights_check(service->weights), *meta = NULL, *proxy = NULL;
    if (cu_meta_check(service->meta, service->kind, d->arena, &meta) ||
        cu_service_check(service, d->arena, &proxy))
        return out_of_memory(d->fault);
    if (cu_address_is_any(service->address))
        return agent_refuse(d->fault, 400, "Invalid service address");
    if (weights)
        return agent_refuse(d->fault, 400, "Invalid Weights: %s", weights);
    if (meta)
        return agent_refuse(d->fault, 400, "Invalid Service Meta: %s", meta);
    return !proxy || agent_refuse(d->fault, 400, "%s", proxy);
}

static bool validate_addresses(struct defining *d, const Curia__V1__Service *service)
{
    struct cu_buf text = {0};
    bool good = agent_tagged_addresses_validate(service->tagged_addresses, &text);
    if (!good)
        (void)agent_refuse(d->fault, 500, "%.*s", (int)text.len, (const char *)text.data);
    cu_buf_deinit(&text);
    return good;
}

bool agent_service_define(const Curia__V1__ServiceDefinition *definition,
                          const struct agent_definition_rules *rules, struct cu_arena *arena,
                          struct agent_service_def *ret_def, struct agent_fault *fault)
{
    struct defining d = {rules, arena, fault};
    struct agent_service_def def = {.token = definition->token};
    if (!*definition->name)
        return agent_refuse(fault, 400, "Missing service name");
    if (!make_service(&d, definition, &def.service) || !validate_service(&d, def.service) ||
        !add_checks(&d, definition, &def) || !fill_tagged(&d, def.service) ||
        !validate_addresses(&d, def.service))
        return false;
    *ret_def = def;
    return true;
}
