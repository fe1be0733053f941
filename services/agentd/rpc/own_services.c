/* own_services.c - /v1/agent/service* (http-api.md 2.3). */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/agentd/core/own.h"
#include "services/agentd/io/node.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/local.h"
#include "services/agentd/rpc/permit.h"
#include "services/agentd/rpc/read.h"
#include "services/agentd/rpc/routes.h"

enum { ARENA_FACTOR = 8, ARENA_EXTRA_BYTES = 128 * 1024 }; /* a body grows when it is decoded */

static const struct agent_local *local_of(const struct agent_call *call)
{
    return agent_node_local(call->agent->node);
}

/* What the catalog's services have, and what the agent's print beside (http-api.md 1.9). */
static bool make_shape(struct agent_call *call, struct cu_filter_shape *ret_shape)
{
    const struct cu_filter_field more[] = {
        CU_FILTER_CONSTANT("Datacenter", call->agent->env->datacenter),
        CU_FILTER_CONSTANT("ContentHash", ""),
    };
    size_t count = cu_filter_service.count;
    struct cu_filter_field *fields =
        cu_arena_alloc(call->rq.arena, (count + CU_COUNT(more)) * sizeof *fields);
    if (!fields) {
        (void)agent_refuse(&call->fault, 500, "request is too large");
        agent_answer_fault(call);
        return false;
    }
    memcpy(fields, cu_filter_service.fields, count * sizeof *fields);
    memcpy(fields + count, more, sizeof more);
    *ret_shape = (struct cu_filter_shape){fields, count + CU_COUNT(more)};
    return true;
}

void agent_own_services_get(struct agent_call *call)
{
    const char *datacenter = call->agent->env->datacenter;
    struct agent_filter filter;
    struct cu_filter_shape shape;
    struct cu_buf json = {0};
    if (!make_shape(call, &shape) || !agent_filter_open(call, &shape, false, &filter))
        return;
    agent_own_services(local_of(call), datacenter, agent_filter_keeps_service, &filter, &json);
    agent_filter_answer(call, &filter, &json);
}

/* ---- one, by hash ---- */

/* A client that waits until its hash is not that of the service any more. */
struct hash_wait {
    struct agent_call *call;
    struct agent_node_watch watch;
    struct cu_timer deadline;
    char id[]; /* with a NUL */
};

static void answer_one(struct agent_call *call, const char *id)
{
    const char *datacenter = call->agent->env->datacenter;
    const struct agent_local_service *service = agent_local_service(local_of(call), id);
    char hash[AGENT_CONTENT_HASH_BYTES];
    struct cu_buf json = {0};
    if (!service) {
        (void)agent_refuse(&call->fault, 404, "unknown service ID: %s", id);
        agent_answer_fault(call);
        return;
    }
    if (!agent_shows_service(call->authorizer, service->service)) { /* it is another one now */
        agent_answer_error(call, CU_E_DENIED, "Permission denied", 500);
        return;
    }
    agent_own_service(service->service, datacenter,
                      agent_own_hash(service->service, datacenter, hash), &json);
    agent_answer_json_with(call, 200, &json, "X-Consul-ContentHash", hash);
}

static bool has_hash(struct agent_call *call, const char *id)
{
    const struct agent_local_service *service = agent_local_service(local_of(call), id);
    char hash[AGENT_CONTENT_HASH_BYTES];
    return service && cu_bytes_equal(agent_query_value(&call->query, "hash"),
                                     cu_bytes_of(agent_own_hash(
                                         service->service, call->agent->env->datacenter, hash)));
}

static void free_wait(struct agent_call *call)
{
    struct hash_wait *wait = call->work;
    agent_node_unwatch(&wait->watch);
    cu_timer_close(&wait->deadline);
    call->work = NULL;
    call->drop_work = NULL;
    free(wait);
}

static void wait_over(void *arg)
{
    struct hash_wait *wait = arg;
    struct agent_call *call = wait->call;
    const char *id = cu_arena_strdup(call->rq.arena, wait->id);
    free_wait(call);
    answer_one(call, id ? id : "");
}

static void look_again(void *arg)
{
    struct hash_wait *wait = arg;
    if (!has_hash(wait->call, wait->id))
        wait_over(wait);
}

void agent_own_service_get(struct agent_call *call)
{
    const char *id = agent_tail_text(call);
    if (!has_hash(call, id)) {
        answer_one(call, id);
        return;
    }
    struct hash_wait *wait = cu_alloc(sizeof *wait + strlen(id) + 1);
    memcpy(wait->id, id, strlen(id) + 1);
    wait->call = call;
    wait->watch = (struct agent_node_watch){.changed = look_again, .arg = wait};
    agent_node_watch(call->agent->node, &wait->watch);
    cu_timer_init(&wait->deadline, call->agent->env->loop, wait_over, wait);
    cu_timer_set_ms(&wait->deadline, agent_with_jitter(call->options.wait_ms));
    call->work = wait;
    call->drop_work = free_wait;
    call->rq.will_wait = true;
}

/* ---- changes ---- */

static bool define(struct agent_call *call, struct agent_service_def *ret_def)
{
    struct cu_arena *arena = call->rq.arena;
    struct agent_definition_rules rules = {
        .node = call->agent->env->node_name,
        .may_run_scripts = call->agent->may_run_remote_scripts,
        .is_remote = true,
    };
    cu_arena_set_limit(arena, ARENA_FACTOR * call->rq.body.len + ARENA_EXTRA_BYTES);
    Curia__V1__ServiceDefinition *definition = cu_arena_alloc(arena, sizeof *definition);
    if (!definition)
        return agent_refuse(&call->fault, 413, "the definition is too large");
    Curia__V1__ServiceDefinition *sidecar;
    if (!agent_service_read(cu_buf_bytes(&call->rq.body), arena, definition, &call->fault) ||
        !agent_service_define(definition, &rules, arena, ret_def, &call->fault))
        return false;
    definition->token = ""; /* agent.md 26 */
    if (!agent_sidecar_read(definition, &rules, arena, &sidecar, &call->fault))
        return false;
    ret_def->sidecar = sidecar;
    return true;
}

/* Given without a value, or as true. */
static bool replaces_checks(const struct agent_call *call)
{
    const struct cu_bytes *value = agent_query_get(&call->query, "replace-existing-checks");
    return value && (value->len == 0 || cu_bytes_equal(*value, cu_bytes_of("true")));
}

/* A token in the body is of files alone (agent.md 26): the request's own counts. */
static void put(struct agent_call *call, const struct agent_service_def *def)
{
    struct agent_task *task;
    if (agent_node_register(call->agent->node, def, agent_own_token(call), replaces_checks(call),
                            agent_call_task_done, call, &task, &call->fault))
        agent_call_wait(call, task);
    else
        agent_answer_fault(call);
}

/* `work` is the definition, in the arena. */
static void put_with_sidecar(struct agent_call *call)
{
    const struct agent_service_def *def = call->work;
    struct agent_guard guard = agent_guard_of(call);
    call->work = NULL;
    if (agent_guard_sidecar(&guard, def->sidecar))
        put(call, def);
    else
        agent_answer_fault(call);
}

void agent_own_service_register(struct agent_call *call)
{
    struct agent_service_def *def = cu_arena_alloc(call->rq.arena, sizeof *def);
    struct agent_guard guard = agent_guard_of(call);
    if (!def)
        (void)agent_refuse(&call->fault, 413, "the definition is too large");
    if (!def || !define(call, def) || !agent_guard_service(&guard, def)) {
        agent_answer_fault(call);
        return;
    }
    call->work = def->sidecar ? def : NULL;
    if (!def->sidecar)
        put(call, def);
    else if (*def->sidecar->token)
        agent_permit_other(call, def->sidecar->token, put_with_sidecar);
    else
        put_with_sidecar(call);
}

void agent_own_service_deregister(struct agent_call *call)
{
    agent_call_wait(call, agent_node_deregister(call->agent->node, agent_tail_text(call),
                                                agent_call_task_done, call));
}

void agent_own_service_maintain(struct agent_call *call)
{
    struct agent_maintenance maintenance;
    struct agent_task *task;
    const char *id = agent_tail_text(call);
    if (!*id) {
        (void)agent_refuse(&call->fault, 400, "Missing service ID");
        agent_answer_fault(call);
        return;
    }
    if (!agent_param_maintenance(call, &maintenance))
        return;
    if (agent_node_maintain_service(call->agent->node, id, &maintenance, agent_call_task_done, call,
                                    &task, &call->fault))
        agent_call_wait(call, task);
    else
        agent_answer_fault(call);
}
