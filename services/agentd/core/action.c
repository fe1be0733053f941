#include "services/agentd/core/action.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/agentd/core/copy.h"

struct building {
    const struct agent_local *local;
    struct cu_arena *arena;
    struct agent_action action;
    enum cu_err err;
};

static const struct {
    const char *subject, *verb;
} words[] = {
    // clang-format off
    [AGENT_ACT_NODE]        = {"node",    "registration"},
    [AGENT_ACT_PUT_SERVICE] = {"service", "registration"},
    [AGENT_ACT_PUT_CHECK]   = {"check",   "registration"},
    [AGENT_ACT_DEL_SERVICE] = {"service", "deregistration"},
    [AGENT_ACT_DEL_CHECK]   = {"check",   "deregistration"},
    // clang-format on
};
_Static_assert(CU_COUNT(words) == AGENT_ACTION_KIND_COUNT, "words for each kind");

const char *agent_action_subject(enum agent_action_kind kind)
{
    return words[kind].subject;
}

const char *agent_action_verb(enum agent_action_kind kind)
{
    return words[kind].verb;
}

static void *take(struct building *b, const void *message)
{
    void *copy = agent_arena_copy(message, b->arena);
    if (!copy)
        b->err = CU_E_TOO_LARGE;
    return copy;
}

static const char *take_text(struct building *b, const char *text)
{
    const char *copy = cu_arena_strdup(b->arena, text);
    if (!copy)
        b->err = CU_E_TOO_LARGE;
    return copy;
}

static struct agent_covered cover(struct building *b, const char *id,
                                  const struct agent_standing *standing)
{
    return (struct agent_covered){take_text(b, id), standing->version};
}

/* ---- writes ---- */

/* The node goes along, by name only when the catalog knows the rest. */
static Curia__V1__Node bare_node(const struct agent_local *local)
{
    Curia__V1__Node node = CURIA__V1__NODE__INIT;
    if (local->node)
        node = *local->node;
    node.node = local->node_name;
    return node;
}

static void put(struct building *b, Curia__V1__RegisterRequest *request, const char *token)
{
    Curia__V1__Node node = bare_node(b->local);
    request->node = &node;
    request->skip_node_update = b->local->node_standing.in_sync;
    request->cause = "sync";
    b->action.put = take(b, request);
    b->action.token = take_text(b, token);
    b->action.fallback = AGENT_TOKEN_DEFAULT;
    b->action.has_node = !b->local->node_standing.in_sync;
    b->action.node_version = b->local->node_standing.version;
}

static void del(struct building *b, const char *service_id, const char *check_id, const char *token)
{
    Curia__V1__DeregisterRequest request = CURIA__V1__DEREGISTER_REQUEST__INIT;
    request.node = b->local->node_name;
    request.service_id = (char *)service_id;
    request.check_id = (char *)check_id;
    request.cause = "sync";
    b->action.del = take(b, &request);
    b->action.token = take_text(b, token ? token : "");
    b->action.fallback = AGENT_TOKEN_AGENT;
}

/* ---- nodes ---- */

static bool act_on_node(struct building *b)
{
    Curia__V1__RegisterRequest request = CURIA__V1__REGISTER_REQUEST__INIT;
    if (b->local->node_standing.in_sync || !b->local->node)
        return false;
    b->action.kind = AGENT_ACT_NODE;
    put(b, &request, "");
    b->action.fallback = AGENT_TOKEN_AGENT;
    return true;
}

/* ---- services ---- */

static bool goes_along(const struct agent_local_check *check, const char *service_id,
                       const char *token)
{
    return !check->standing.is_deleted && !check->standing.in_sync &&
           strcmp(check->service_id, service_id) == 0 && strcmp(check->token, token) == 0;
}

static size_t gather_checks(struct building *b, const char *service_id, const char *token,
                            Curia__V1__Check **checks)
{
    const struct agent_by_id *all = &b->local->checks;
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct agent_local_check *check = all->slots[i].item;
        if (!goes_along(check, service_id, token))
            continue;
        b->action.checks[count] = cover(b, all->slots[i].id, &check->standing);
        checks[count++] = check->check;
    }
    return count;
}

static void put_service(struct building *b, const char *id,
                        const struct agent_local_service *service)
{
    Curia__V1__RegisterRequest request = CURIA__V1__REGISTER_REQUEST__INIT;
    size_t most = b->local->checks.count;
    request.checks = cu_arena_alloc(b->arena, most * sizeof(void *));
    b->action.checks = cu_arena_alloc(b->arena, most * sizeof *b->action.checks);
    if (!request.checks || !b->action.checks) {
        b->err = CU_E_TOO_LARGE;
        return;
    }
    request.service = service->service;
    request.n_checks = gather_checks(b, id, service->token, request.checks);
    b->action.kind = AGENT_ACT_PUT_SERVICE;
    b->action.check_count = request.n_checks;
    put(b, &request, service->token);
}

static bool act_on_services(struct building *b)
{
    const struct agent_by_id *all = &b->local->services;
    for (size_t i = 0; i < all->count; i++) {
        const struct agent_local_service *service = all->slots[i].item;
        if (service->standing.in_sync)
            continue;
        b->action.has_service = true;
        b->action.service = cover(b, all->slots[i].id, &service->standing);
        if (service->standing.is_deleted) {
            b->action.kind = AGENT_ACT_DEL_SERVICE;
            del(b, all->slots[i].id, "", service->token);
        } else {
            put_service(b, all->slots[i].id, service);
        }
        return true;
    }
    return false;
}

/* ---- checks ---- */

static void put_check(struct building *b, const struct agent_local_check *check)
{
    Curia__V1__RegisterRequest request = CURIA__V1__REGISTER_REQUEST__INIT;
    const struct agent_local_service *service = agent_local_service(b->local, check->service_id);
    Curia__V1__Check *checks[] = {check->check};
    if (service)
        request.service = service->service;
    request.checks = checks;
    request.n_checks = 1;
    b->action.kind = AGENT_ACT_PUT_CHECK;
    put(b, &request, check->token);
}

static bool act_on_checks(struct building *b)
{
    const struct agent_by_id *all = &b->local->checks;
    for (size_t i = 0; i < all->count; i++) {
        const struct agent_local_check *check = all->slots[i].item;
        if (check->standing.in_sync)
            continue;
        b->action.check_count = 1;
        b->action.checks = cu_arena_alloc(b->arena, sizeof *b->action.checks);
        if (!b->action.checks) {
            b->err = CU_E_TOO_LARGE;
            return true;
        }
        b->action.checks[0] = cover(b, all->slots[i].id, &check->standing);
        if (check->standing.is_deleted) {
            b->action.kind = AGENT_ACT_DEL_CHECK;
            del(b, "", all->slots[i].id, check->token);
        } else {
            put_check(b, check);
        }
        return true;
    }
    return false;
}

enum cu_err agent_action_next(const struct agent_local *local, struct cu_arena *arena,
                              struct agent_action *ret_action, bool *ret_any)
{
    struct building b = {.local = local, .arena = arena};
    bool any = act_on_node(&b) || act_on_services(&b) || act_on_checks(&b);
    if (b.err)
        return b.err;
    *ret_any = any;
    if (any)
        *ret_action = b.action;
    return CU_OK;
}

/* ---- what came of it ---- */

static bool is_as_covered(const struct agent_standing *standing,
                          const struct agent_covered *covered)
{
    return standing->version == covered->version;
}

static void check_done(struct agent_local *local, const struct agent_covered *covered,
                       bool is_denied)
{
    struct agent_local_check *check = agent_by_id_get(&local->checks, covered->id);
    if (!check || !is_as_covered(&check->standing, covered))
        return;
    if (check->standing.is_deleted && !is_denied) {
        agent_local_forget_check(local, covered->id);
        return;
    }
    check->standing.in_sync = true;
    check->deferred_until = CU_MONO_NEVER; /* its output has gone along */
}

/* The catalog removes a service's checks with it. */
static void forget_checks_of(struct agent_local *local, const char *service_id)
{
    for (size_t i = local->checks.count; i-- > 0;) {
        const struct agent_local_check *check = local->checks.slots[i].item;
        if (check->standing.is_deleted && strcmp(check->service_id, service_id) == 0)
            agent_local_forget_check(local, local->checks.slots[i].id);
    }
}

static void service_done(struct agent_local *local, const struct agent_covered *covered,
                         bool is_denied)
{
    struct agent_local_service *service = agent_by_id_get(&local->services, covered->id);
    if (!service || !is_as_covered(&service->standing, covered))
        return;
    if (!service->standing.is_deleted || is_denied) {
        service->standing.in_sync = true;
        return;
    }
    agent_local_forget_service(local, covered->id);
    forget_checks_of(local, covered->id);
}

static void end(struct agent_local *local, const struct agent_action *action, bool is_denied)
{
    if (action->has_node && local->node_standing.version == action->node_version)
        local->node_standing.in_sync = true;
    if (action->has_service)
        service_done(local, &action->service, is_denied);
    for (size_t i = 0; i < action->check_count; i++)
        check_done(local, &action->checks[i], is_denied);
}

void agent_action_done(struct agent_local *local, const struct agent_action *action)
{
    end(local, action, false);
}

void agent_action_denied(struct agent_local *local, const struct agent_action *action)
{
    end(local, action, true);
}
