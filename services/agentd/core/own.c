#include "services/agentd/core/own.h"

#include <stdio.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/json/text.h"
#include "services/agentd/core/service_rules.h"
#include "services/agentd/core/shapes.h"

void agent_own_service(const Curia__V1__Service *service, const char *datacenter, const char *hash,
                       struct cu_buf *out)
{
    static const Curia__V1__Proxy no_proxy = CURIA__V1__PROXY__INIT;
    Curia__V1__AgentService shown = CURIA__V1__AGENT_SERVICE__INIT;
    shown.kind = service->kind;
    shown.id = service->id;
    shown.service = service->service;
    shown.tags = service->tags;
    shown.n_tags = service->n_tags;
    shown.meta = service->meta;
    shown.port = service->port;
    shown.address = service->address;
    shown.tagged_addresses = service->tagged_addresses;
    shown.weights = service->weights;
    shown.enable_tag_override = service->enable_tag_override;
    shown.content_hash = (char *)hash;
    if (agent_kind_is_proxy(service->kind))
        shown.proxy = service->proxy ? service->proxy : (Curia__V1__Proxy *)&no_proxy;
    if (service->connect && service->connect->native)
        shown.connect = service->connect;
    shown.datacenter = (char *)datacenter;
    cu_json_write(out, &agent_shape_agent_service, &shown.base);
}

char *agent_own_hash(const Curia__V1__Service *service, const char *datacenter,
                     char text[AGENT_CONTENT_HASH_BYTES])
{
    struct cu_buf json = {0};
    agent_own_service(service, datacenter, "", &json);
    struct cu_bytes whole = cu_buf_bytes(&json);
    (void)snprintf(text, AGENT_CONTENT_HASH_BYTES, "%016llx",
                   (unsigned long long)cu_blake2b_128(&whole, 1).lo);
    cu_buf_deinit(&json);
    return text;
}

static void put_name(struct cu_buf *out, bool first, const char *id)
{
    cu_buf_u8(out, first ? '{' : ',');
    cu_json_cstr(out, id);
    cu_buf_u8(out, ':');
}

static void end_map(struct cu_buf *out, bool empty)
{
    if (empty)
        cu_buf_u8(out, '{');
    cu_buf_u8(out, '}');
}

void agent_own_services(const struct agent_local *local, const char *datacenter,
                        agent_own_keep *keep, void *arg, struct cu_buf *out)
{
    bool first = true;
    for (size_t i = 0; i < local->services.count; i++) {
        const struct agent_local_service *slot = local->services.slots[i].item;
        if (slot->standing.is_deleted || (keep && !keep(arg, &slot->service->base)))
            continue;
        put_name(out, first, local->services.slots[i].id);
        first = false;
        agent_own_service(slot->service, datacenter, "", out);
    }
    end_map(out, first);
}

void agent_own_checks(const struct agent_local *local, agent_own_keep *keep, void *arg,
                      struct cu_buf *out)
{
    bool first = true;
    for (size_t i = 0; i < local->checks.count; i++) {
        const struct agent_local_check *slot = local->checks.slots[i].item;
        if (slot->standing.is_deleted || (keep && !keep(arg, &slot->check->base)))
            continue;
        put_name(out, first, local->checks.slots[i].id);
        first = false;
        cu_json_write(out, &agent_shape_check, &slot->check->base);
    }
    end_map(out, first);
}

static bool counts(const struct agent_local_check *slot, const char *service_id)
{
    return !slot->standing.is_deleted &&
           (!*slot->service_id || strcmp(slot->service_id, service_id) == 0);
}

static enum agent_status worst(const struct agent_local *local, const char *id)
{
    enum agent_status status = AGENT_PASSING;
    for (size_t i = 0; i < local->checks.count; i++) {
        const struct agent_local_check *slot = local->checks.slots[i].item;
        if (counts(slot, id) && agent_status_of(slot->check) > status)
            status = agent_status_of(slot->check);
    }
    return status;
}

static void put_checks(const struct agent_local *local, const char *id, struct cu_buf *out)
{
    bool first = true;
    cu_buf_u8(out, '[');
    for (size_t i = 0; i < local->checks.count; i++) {
        const struct agent_local_check *slot = local->checks.slots[i].item;
        if (!counts(slot, id))
            continue;
        if (!first)
            cu_buf_u8(out, ',');
        first = false;
        Curia__V1__Check shown = *slot->check;
        shown.type = ""; /* as the reference prints it here */
        cu_json_write(out, &agent_shape_full_check, &shown.base);
    }
    cu_buf_u8(out, ']');
}

enum agent_status agent_own_health(const struct agent_local *local, const char *id,
                                   const char *datacenter, struct cu_buf *out)
{
    const struct agent_local_service *service = agent_local_service(local, id);
    enum agent_status status = worst(local, id);
    cu_buf_printf(out, "{\"AggregatedStatus\":\"%s\",\"Service\":", agent_status_name(status));
    agent_own_service(service->service, datacenter, "", out);
    cu_buf_text(out, ",\"Checks\":");
    put_checks(local, id, out);
    cu_buf_u8(out, '}');
    return status;
}
