/* node_checks.c - the checks of a node at work: what starts and stops them, and what comes of their
 * results; declared in node_state.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/assert.h"
#include "services/agentd/core/alias.h"
#include "services/agentd/core/check_spec.h"
#include "services/agentd/core/persisted.h"
#include "services/agentd/io/node_state.h"

enum { NS_PER_MS = 1000000 };

struct node_check *node_check_find(const struct agent_node *node, const char *check_id)
{
    return agent_by_id_get(&node->checks, check_id);
}

/* ---- results ---- */

void node_set_deferred_timer(struct agent_node *node)
{
    struct cu_mono next = agent_local_next_deferred(&node->local);
    if (next.ns == UINT64_MAX)
        cu_timer_cancel(&node->deferred_timer);
    else
        cu_timer_set_at(&node->deferred_timer, node->options.loop, next);
}

void node_result(struct agent_node *node, const char *check_id, enum agent_status status,
                 const char *output)
{
    switch (agent_local_update_check(&node->local, check_id, status, output, node_now(node))) {
    case AGENT_UNCHANGED:
        return;
    case AGENT_DEFERRED:
        node_set_deferred_timer(node);
        break;
    case AGENT_CHANGED:
        agent_sync_changed(node->sync);
        break;
    }
    node_changed(node);
}

/* ---- TTL ---- */

static void ttl_expired(void *arg)
{
    struct node_check *check = arg;
    const struct agent_local_check *slot = agent_local_check(&check->node->local, check->id);
    struct cu_buf text = {0};
    cu_buf_text(&text, "TTL expired");
    if (slot && *slot->check->output)
        cu_buf_printf(&text, " (last output before timeout follows): %s", slot->check->output);
    cu_buf_u8(&text, 0);
    node_result(check->node, check->id, AGENT_CRITICAL, (const char *)text.data);
    cu_buf_deinit(&text);
}

static void start_ttl(struct node_check *check, const Curia__V1__CheckSpec *spec, uint64_t left_ms)
{
    check->ttl_ms = (uint64_t)(spec->ttl_ns / NS_PER_MS);
    if (!check->ttl_ms)
        check->ttl_ms = 1;
    cu_timer_set_ms(&check->ttl_timer,
                    left_ms && left_ms < check->ttl_ms ? left_ms : check->ttl_ms);
}

/* ---- aliases ---- */

static bool is_local_alias(const struct node_check *check)
{
    return check->kind == AGENT_CHECK_ALIAS && !check->watch;
}

static void alias_result(void *arg, enum agent_status status, const char *output)
{
    struct node_check *check = arg;
    node_result(check->node, check->id, status, output);
}

/* The checks as a list, without those that are deleted; yours, free(). */
static Curia__V1__Check **list_checks(const struct agent_local *local, size_t *ret_count)
{
    Curia__V1__Check **list = cu_alloc((local->checks.count + 1) * sizeof *list);
    size_t count = 0;
    for (size_t i = 0; i < local->checks.count; i++) {
        const struct agent_local_check *slot = local->checks.slots[i].item;
        if (!slot->standing.is_deleted)
            list[count++] = slot->check;
    }
    *ret_count = count;
    return list;
}

/* An alias of an alias could grow without end: an output is cut like all others. */
static void look_at(struct agent_node *node, const struct node_check *check)
{
    const struct agent_local_check *slot = agent_local_check(&node->local, check->id);
    struct cu_buf output = {0}, text = {0};
    size_t count;
    if (!slot || !slot->spec)
        return;
    const char *service = slot->spec->alias_service;
    Curia__V1__Check **list = list_checks(&node->local, &count);
    enum agent_status status = agent_alias_status(
        node->local.node_name, service, check->id,
        agent_local_service(&node->local, service) != NULL, list, count, &output);
    size_t len = output.len < check->output_limit ? output.len : check->output_limit;
    agent_output_clean((struct cu_bytes){output.data, len}, &text);
    cu_buf_u8(&text, 0);
    free(list);
    node_result(node, check->id, status, (const char *)text.data);
    cu_buf_deinit(&output);
    cu_buf_deinit(&text);
}

void node_aliases_look(struct agent_node *node)
{
    for (size_t i = 0; i < node->checks.count; i++) {
        const struct node_check *check = node->checks.slots[i].item;
        if (is_local_alias(check))
            look_at(node, check);
    }
}

static void start_alias(struct node_check *check, const Curia__V1__CheckSpec *spec,
                        const char *token)
{
    struct agent_node *node = check->node;
    if (*spec->alias_node && strcasecmp(spec->alias_node, node->local.node_name) != 0)
        check->watch =
            agent_alias_watch_new(&(struct agent_alias_options){.view = node->options.view,
                                                                .loop = node->options.loop,
                                                                .node = spec->alias_node,
                                                                .service_id = spec->alias_service,
                                                                .own_id = check->id,
                                                                .token = token,
                                                                .tokens = node->options.tokens,
                                                                .result = alias_result,
                                                                .arg = check});
    else
        node_changed(node);
}

/* ---- start and stop ---- */

static size_t output_limit(const struct agent_node *node, const Curia__V1__CheckSpec *spec)
{
    size_t own = spec->output_max_size > 0 ? (size_t)spec->output_max_size : node->output_limit;
    return own < node->output_limit ? own : node->output_limit;
}

void node_check_stop(struct agent_node *node, const char *check_id)
{
    struct node_check *check = agent_by_id_take(&node->checks, check_id);
    if (!check)
        return;
    agent_runner_free(check->runner);
    agent_alias_watch_free(check->watch);
    cu_timer_close(&check->ttl_timer);
    free(check->id);
    free(check);
}

void node_check_start(struct agent_node *node, const char *check_id, uint64_t ttl_left_ms)
{
    const struct agent_local_check *slot = agent_local_check(&node->local, check_id);
    CU_ASSERT(slot);
    node_check_stop(node, check_id);
    const Curia__V1__CheckSpec *spec = slot->spec;
    if (!spec)
        return; /* maintenance */
    struct node_check *check = cu_alloc(sizeof *check);
    check->node = node;
    check->id = cu_strdup(check_id);
    check->kind = agent_check_kind(spec);
    check->output_limit = output_limit(node, spec);
    cu_timer_init(&check->ttl_timer, node->options.loop, ttl_expired, check);
    (void)agent_by_id_put(&node->checks, check->id, check); /* it was stopped */
    if (check->kind == AGENT_CHECK_TTL)
        start_ttl(check, spec, ttl_left_ms);
    else if (check->kind == AGENT_CHECK_ALIAS)
        start_alias(check, spec, slot->token);
    else if (agent_runner_runs(check->kind))
        check->runner = agent_runner_new(&node->runners, check->id, spec, check->output_limit);
}
