#include "services/agentd/io/sync.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/assert.h"
#include "curia/v1/health.pb-c.h"
#include "services/agentd/core/action.h"
#include "services/agentd/core/compare.h"
#include "services/agentd/core/copy.h"
#include "services/agentd/core/schedule.h"

struct agent_sync {
    struct agent_sync_options options;
    struct agent_schedule schedule;
    struct cu_timer timer, back_timer; /* the latter looks whether a catalogd is back */
    struct cu_turn_hook hook;
    unsigned failures_in_a_row;
    struct cu_view_call call;
    char *token;            /* of the call under way; NULL: none */
    struct cu_arena *arena; /* likewise */
    struct agent_action action;
    Curia__V1__NodeServicesReply *services; /* of a full sync, until the checks are there */
    bool is_full, is_outdated;              /* tokens have changed since the pass began */
    uint64_t pass; /* of the one under way, or the last; a flush is told by a later one */
    struct agent_flush *flushes;
    struct cu_counter *blocked[AGENT_ACTION_KIND_COUNT], *failures, *refusals;
};

static struct cu_mono now(const struct agent_sync *sync)
{
    return cu_loop_now(sync->options.loop);
}

static size_t members(const struct agent_sync *sync)
{
    return sync->options.member_count(sync->options.arg);
}

/* ---- who waits ---- */

static void leave(struct agent_flush *flush)
{
    *flush->at = flush->next;
    if (flush->next)
        flush->next->at = flush->at;
    flush->at = NULL;
}

static void tell_flushes(struct agent_sync *sync, uint64_t up_to)
{
    for (struct agent_flush *flush = sync->flushes, *next; flush; flush = next) {
        next = flush->next;
        if (flush->pass > up_to)
            continue;
        leave(flush);
        flush->done(flush->arg); /* may add others, in front */
    }
}

void agent_sync_forget(struct agent_flush *flush)
{
    if (flush->at)
        leave(flush);
}

void agent_sync_flush(struct agent_sync *sync, struct agent_flush *flush)
{
    flush->pass = sync->pass + 1;
    flush->next = sync->flushes;
    flush->at = &sync->flushes;
    if (flush->next)
        flush->next->at = &flush->next;
    sync->flushes = flush;
    cu_loop_at_turn_end(sync->options.loop, &sync->hook);
}

/* ---- a pass ---- */

static void write_next(struct agent_sync *sync);

static void set_timer(struct agent_sync *sync)
{
    struct cu_mono next = agent_schedule_next(&sync->schedule);
    if (next.ns == UINT64_MAX)
        cu_timer_cancel(&sync->timer);
    else
        cu_timer_set_at(&sync->timer, sync->options.loop, next);
}

static void end_pass(struct agent_sync *sync, bool good)
{
    agent_copy_free(sync->services);
    sync->services = NULL;
    if (good)
        sync->failures_in_a_row = 0;
    else
        cu_count(sync->failures, 1);
    if (sync->is_full)
        agent_schedule_full_done(&sync->schedule, now(sync), good, members(sync));
    else
        agent_schedule_changes_done(&sync->schedule, now(sync), good, members(sync));
    if (sync->is_outdated)
        agent_sync_tokens_changed(sync);
    set_timer(sync);
    cu_loop_at_turn_end(sync->options.loop, &sync->hook);
    tell_flushes(sync, sync->pass);
}

/* An election or a restart is nothing to look at; what goes on is. */
static void fail_pass(struct agent_sync *sync, const struct cu_answer *answer)
{
    enum cu_log_level level =
        ++sync->failures_in_a_row >= AGENT_SYNC_WARN_AFTER ? CU_LOG_WARN : CU_LOG_INFO;
    cu_log_write(sync->options.log, level, "sync.failed", "step=%s error=%s text=\"%s\"",
                 sync->call.method, cu_err_name(answer->err), answer->text);
    if (!cu_view_is_up(sync->options.view))
        cu_timer_set_ms(&sync->back_timer, AGENT_SYNC_LOOK_MS);
    end_pass(sync, false);
}

static void look_for_catalog(void *arg)
{
    struct agent_sync *sync = arg;
    if (cu_view_is_up(sync->options.view)) {
        agent_schedule_server_came(&sync->schedule, now(sync), members(sync));
        set_timer(sync);
    } else {
        cu_timer_set_ms(&sync->back_timer, AGENT_SYNC_LOOK_MS);
    }
}

/* `token` "": the agent's own that is `fallback`. */
static void call(struct agent_sync *sync, const ProtobufCServiceDescriptor *service,
                 const char *method, const void *request, const char *token,
                 enum agent_token fallback, cu_on_answer *done)
{
    const char *used = *token ? token : agent_tokens_get(sync->options.tokens, fallback);
    free(sync->token);
    sync->token = used ? cu_strdup(used) : NULL;
    sync->call = (struct cu_view_call){
        .service = service,
        .method = method,
        .request = request,
        .timeout_ms = AGENT_SYNC_CALL_MS,
        .repeatable = true, /* to register the same twice is to register it once */
        .token = sync->token,
        .origin = {sync->options.local->node_name, "agentd", ""},
        .done = done,
        .arg = sync,
    };
    cu_view_call(sync->options.view, &sync->call);
}

/* ---- reading ---- */

static void checks_read(void *arg, const struct cu_answer *answer)
{
    struct agent_sync *sync = arg;
    if (answer->err) {
        fail_pass(sync, answer);
        return;
    }
    const Curia__V1__ChecksReply *reply = (const Curia__V1__ChecksReply *)answer->message;
    const Curia__V1__NodeServicesReply *services = sync->services;
    agent_compare(sync->options.local,
                  &(struct agent_remote){services->node, services->services, services->n_services,
                                         reply->checks, reply->n_checks});
    write_next(sync);
}

static void services_read(void *arg, const struct cu_answer *answer)
{
    struct agent_sync *sync = arg;
    Curia__V1__NodeChecksRequest *request;
    if (answer->err) {
        fail_pass(sync, answer);
        return;
    }
    sync->services = agent_copy(answer->message);
    cu_arena_reset(sync->arena);
    request = cu_arena_alloc(sync->arena, sizeof *request);
    curia__v1__node_checks_request__init(request);
    request->node = sync->options.local->node_name;
    call(sync, &curia__v1__health__descriptor, "NodeChecks", request, "", AGENT_TOKEN_AGENT,
         checks_read);
}

static void read_all(struct agent_sync *sync)
{
    Curia__V1__NodeServicesRequest *request;
    cu_arena_reset(sync->arena);
    request = cu_arena_alloc(sync->arena, sizeof *request);
    curia__v1__node_services_request__init(request);
    request->node = sync->options.local->node_name;
    call(sync, &curia__v1__catalog__descriptor, "NodeServices", request, "", AGENT_TOKEN_AGENT,
         services_read);
}

/* ---- writing ---- */

static const char *what(const struct agent_action *action)
{
    if (action->has_service)
        return action->service.id;
    return action->check_count ? action->checks[0].id : "";
}

/* Who may not write what it has would try for ever: it counts as written until the next full sync.
 */
static void blocked(struct agent_sync *sync, const struct cu_answer *answer)
{
    const struct agent_action *action = &sync->action;
    const char *subject = agent_action_subject(action->kind);
    cu_warn(sync->options.log, "sync.blocked",
            "text=\"%c%s %s blocked by ACLs\" id=\"%s\" reason=\"%s\"", toupper(*subject),
            subject + 1, agent_action_verb(action->kind), what(action), answer->text);
    cu_count(sync->blocked[action->kind], 1);
    agent_action_denied(sync->options.local, action);
}

/* A thing that the catalog does not take must not keep the others from it. */
static void refused(struct agent_sync *sync, const struct cu_answer *answer)
{
    cu_warn(sync->options.log, "sync.refused", "%s=\"%s\" reason=\"%s\"",
            agent_action_subject(sync->action.kind), what(&sync->action), answer->text);
    cu_count(sync->refusals, 1);
    agent_action_done(sync->options.local, &sync->action);
}

static void written(void *arg, const struct cu_answer *answer)
{
    struct agent_sync *sync = arg;
    bool is_gone = answer->err == CU_E_NOT_FOUND && sync->action.del;
    if (!answer->err || is_gone) {
        cu_debug(sync->options.log, "sync.written", "%s=\"%s\" verb=%s",
                 agent_action_subject(sync->action.kind), what(&sync->action),
                 agent_action_verb(sync->action.kind));
        agent_action_done(sync->options.local, &sync->action);
    } else if (answer->err == CU_E_DENIED) {
        blocked(sync, answer);
    } else if (answer->err == CU_E_INVALID && sync->action.kind != AGENT_ACT_NODE) {
        refused(sync, answer);
    } else {
        fail_pass(sync, answer);
        return;
    }
    write_next(sync);
}

static void write_next(struct agent_sync *sync)
{
    bool any = false;
    cu_arena_reset(sync->arena);
    enum cu_err err = agent_action_next(sync->options.local, sync->arena, &sync->action, &any);
    if (err) {
        cu_error(sync->options.log, "sync.failed", "text=\"a write would be over %d bytes\"",
                 AGENT_SYNC_ARENA_BYTES);
        end_pass(sync, false);
    } else if (!any) {
        end_pass(sync, true);
    } else if (sync->action.put) {
        call(sync, &curia__v1__catalog__descriptor, "RegisterNode", sync->action.put,
             sync->action.token, sync->action.fallback, written);
    } else {
        call(sync, &curia__v1__catalog__descriptor, "DeregisterNode", sync->action.del,
             sync->action.token, sync->action.fallback, written);
    }
}

/* ---- when ---- */

static void look(void *arg)
{
    struct agent_sync *sync = arg;
    enum agent_due due = agent_schedule_take(&sync->schedule, now(sync));
    if (due == AGENT_DUE_NOTHING) {
        /* Nobody waits for a pass that does not come. */
        if (!sync->schedule.is_running && !sync->schedule.pauses)
            tell_flushes(sync, UINT64_MAX);
        set_timer(sync);
        return;
    }
    sync->pass++;
    sync->is_full = due == AGENT_DUE_ALL;
    if (sync->is_full)
        read_all(sync);
    else
        write_next(sync);
    if (!cu_view_is_up(sync->options.view))
        tell_flushes(sync, sync->pass); /* it may hang for as long as the catalog is away */
}

void agent_sync_changed(struct agent_sync *sync)
{
    agent_schedule_changed(&sync->schedule);
    cu_loop_at_turn_end(sync->options.loop, &sync->hook);
}

void agent_sync_tokens_changed(struct agent_sync *sync)
{
    sync->is_outdated = sync->schedule.is_running;
    if (sync->is_outdated)
        return;
    agent_schedule_server_came(&sync->schedule, now(sync), members(sync));
    set_timer(sync);
}

void agent_sync_pause(struct agent_sync *sync)
{
    agent_schedule_pause(&sync->schedule);
}

void agent_sync_resume(struct agent_sync *sync)
{
    agent_schedule_resume(&sync->schedule);
    cu_loop_at_turn_end(sync->options.loop, &sync->hook);
}

void agent_sync_start(struct agent_sync *sync)
{
    agent_sync_resume(sync);
}

/* ---- its life ---- */

static void make_counters(struct agent_sync *sync)
{
    struct cu_metrics *metrics = sync->options.metrics;
    for (enum agent_action_kind kind = 0; kind < AGENT_ACTION_KIND_COUNT; kind++) {
        char name[64];
        (void)snprintf(name, sizeof name, "acl.blocked.%s.%s", agent_action_subject(kind),
                       agent_action_verb(kind));
        sync->blocked[kind] = cu_metrics_counter(metrics, name);
    }
    sync->failures = cu_metrics_counter(metrics, "sync.failures");
    sync->refusals = cu_metrics_counter(metrics, "sync.refusals");
}

struct agent_sync *agent_sync_new(const struct agent_sync_options *options)
{
    struct agent_sync *sync = cu_alloc(sizeof *sync);
    sync->options = *options;
    sync->arena = cu_arena_new(AGENT_SYNC_ARENA_BYTES);
    sync->hook = (struct cu_turn_hook){.fn = look, .arg = sync};
    agent_schedule_init(&sync->schedule, cu_loop_now(options->loop), options->seed);
    agent_schedule_pause(&sync->schedule); /* until agent_sync_start() */
    cu_timer_init(&sync->timer, options->loop, look, sync);
    cu_timer_init(&sync->back_timer, options->loop, look_for_catalog, sync);
    make_counters(sync);
    return sync;
}

void agent_sync_free(struct agent_sync *sync)
{
    if (!sync)
        return;
    cu_view_call_cancel(&sync->call);
    cu_timer_close(&sync->timer);
    cu_timer_close(&sync->back_timer);
    cu_turn_hook_cancel(sync->options.loop, &sync->hook);
    agent_copy_free(sync->services);
    cu_arena_free(sync->arena);
    free(sync->token);
    free(sync);
}
