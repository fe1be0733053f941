#include "services/agentd/core/guard.h"

#include <string.h>

static bool may(const struct agent_guard *guard, enum cu_right right, const char *name)
{
    return cu_authorizer_permits(guard->authorizer, right, cu_bytes_of(name));
}

static bool deny(const struct agent_guard *guard)
{
    return agent_refuse(guard->fault, 403, "Permission denied");
}

/* Or says what is missing. */
static bool demand(const struct agent_guard *guard, enum cu_right right, const char *name)
{
    const char *resource, *access;
    if (may(guard, right, name))
        return true;
    cu_right_words(right, &resource, &access);
    return agent_refuse(guard->fault, 403, "Permission denied: Missing %s:%s on %s", resource,
                        access, name);
}

/* A check of a service is guarded as that service, any other as the node. */
static bool demand_check(const struct agent_guard *guard, const char *service)
{
    return *service ? demand(guard, SERVICE_WRITE, service)
                    : demand(guard, NODE_WRITE, guard->local->node_name);
}

/* ---- routes ---- */

/* One that is not there: whoever reads is told so by the handler. */
static bool guard_service_id(const struct agent_guard *guard, enum cu_right right, const char *id)
{
    const struct agent_local_service *slot = agent_local_service(guard->local, id);
    if (right == SERVICE_READ)
        return !slot || may(guard, right, slot->service->service) || deny(guard);
    return slot ? demand(guard, right, slot->service->service)
                : agent_refuse(guard->fault, 500, "Unknown service \"%s\"", id);
}

static bool guard_check_id(const struct agent_guard *guard, const char *id)
{
    const struct agent_local_check *slot = agent_local_check(guard->local, id);
    return slot ? demand_check(guard, slot->check->service_name)
                : agent_refuse(guard->fault, 500, "Unknown check \"%s\"", id);
}

bool agent_guard_route(const struct agent_guard *guard, const struct agent_route *route,
                       const char *tail)
{
    switch (route->guards) {
    case AGENT_GUARDS_ROWS:
        return true;
    case AGENT_GUARDS_WHOLE:
        return may(guard, route->right, "") || deny(guard);
    case AGENT_GUARDS_NODE:
        return may(guard, route->right, guard->local->node_name) || deny(guard);
    case AGENT_GUARDS_TAIL:
        return may(guard, route->right, tail) || deny(guard);
    case AGENT_GUARDS_SERVICE:
        return guard_service_id(guard, route->right, tail);
    case AGENT_GUARDS_CHECK:
        return guard_check_id(guard, tail);
    }
    return deny(guard);
}

/* ---- registrations ---- */

static bool guard_replaced(const struct agent_guard *guard, const char *id)
{
    const struct agent_local_service *old = agent_local_service(guard->local, id);
    return !old || demand(guard, SERVICE_WRITE, old->service->service);
}

static bool guard_destination(const struct agent_guard *guard, const char *kind,
                              const Curia__V1__Proxy *proxy)
{
    return strcmp(kind, "connect-proxy") != 0 || !proxy ||
           demand(guard, SERVICE_WRITE, proxy->destination_service_name);
}

/* A check of a service takes the place of the one that bears its id, which may be of another. */
static bool guard_check_place(const struct agent_guard *guard, const char *id, const char *service)
{
    const struct agent_local_check *old = agent_local_check(guard->local, id);
    return !old || strcmp(old->check->service_id, service) == 0 ||
           demand_check(guard, old->check->service_name);
}

static bool guard_checks(const struct agent_guard *guard, const struct agent_service_def *def)
{
    bool may = true;
    for (size_t i = 0; may && i < def->check_count; i++)
        may = guard_check_place(guard, def->checks[i].check->check_id, def->service->id);
    return may;
}

/* Those without an id get one that is the proxy's. */
static bool guard_specs(const struct agent_guard *guard,
                        const Curia__V1__ServiceDefinition *sidecar)
{
    bool may = !sidecar->check || guard_check_place(guard, sidecar->check->check_id, sidecar->id);
    for (size_t i = 0; may && i < sidecar->n_checks; i++)
        may = guard_check_place(guard, sidecar->checks[i]->check_id, sidecar->id);
    return may;
}

bool agent_guard_service(const struct agent_guard *guard, const struct agent_service_def *def)
{
    const Curia__V1__Service *service = def->service;
    return demand(guard, SERVICE_WRITE, service->service) && guard_replaced(guard, service->id) &&
           guard_destination(guard, service->kind, service->proxy) && guard_checks(guard, def);
}

bool agent_guard_sidecar(const struct agent_guard *guard,
                         const Curia__V1__ServiceDefinition *sidecar)
{
    return demand(guard, SERVICE_WRITE, sidecar->name) && guard_replaced(guard, sidecar->id) &&
           guard_destination(guard, sidecar->kind, sidecar->proxy) && guard_specs(guard, sidecar);
}

/* Of a service that is not there: the handler says so. */
bool agent_guard_check(const struct agent_guard *guard, const Curia__V1__Check *check)
{
    const struct agent_local_service *service =
        agent_local_service(guard->local, check->service_id);
    const struct agent_local_check *old = agent_local_check(guard->local, check->check_id);
    return demand_check(guard, service ? service->service->service : "") &&
           (!old || demand_check(guard, old->check->service_name));
}

bool agent_guard_service_name(const struct agent_guard *guard, const char *name)
{
    return may(guard, SERVICE_WRITE, name) || deny(guard);
}

/* ---- lists ---- */

bool agent_shows_service(const struct cu_authorizer *authorizer, const Curia__V1__Service *service)
{
    return cu_authorizer_permits(authorizer, SERVICE_READ, cu_bytes_of(service->service));
}

bool agent_shows_node(const struct cu_authorizer *authorizer, const char *node)
{
    return cu_authorizer_permits(authorizer, NODE_READ, cu_bytes_of(node));
}

bool agent_shows_check(const struct cu_authorizer *authorizer, const Curia__V1__Check *check)
{
    return *check->service_name
               ? cu_authorizer_permits(authorizer, SERVICE_READ, cu_bytes_of(check->service_name))
               : agent_shows_node(authorizer, check->node);
}
