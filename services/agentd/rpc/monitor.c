/* monitor.c - /v1/agent/monitor and /v1/agent/reload (http-api.md 2.2): what `curia agent` knows
 * and does for the whole node. */
#include <stdlib.h>

#include "common/base/assert.h"
#include "services/agentd/core/log_line.h"
#include "services/agentd/io/overseer.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/local.h"
#include "services/agentd/rpc/routes.h"

/* ---- monitor ---- */

struct monitor {
    struct agent_call *call;
    struct agent_log *log;
    int gravity;
    bool as_json;
    struct cu_buf text;
};

static void drop_monitor(struct agent_call *call)
{
    struct monitor *monitor = call->work;
    agent_log_free(monitor->log);
    cu_buf_deinit(&monitor->text);
    free(monitor);
    call->work = NULL;
    call->drop_work = NULL;
}

static void on_line(void *arg, const char *line)
{
    struct monitor *monitor = arg;
    if (agent_log_line_counts(line, monitor->gravity))
        agent_log_line_show(line, monitor->as_json, &monitor->text);
}

static void on_turn(void *arg)
{
    struct monitor *monitor = arg;
    agent_rq_push(&monitor->call->rq, cu_buf_bytes(&monitor->text));
    cu_buf_clear(&monitor->text);
}

static void on_end(void *arg, const char *text)
{
    struct monitor *monitor = arg;
    struct agent_call *call = monitor->call;
    (void)text;
    drop_monitor(call);
    agent_rq_end_stream(&call->rq);
}

void agent_monitor_get(struct agent_call *call)
{
    static const struct agent_log_handler handler = {on_line, on_turn, on_end};
    const struct cu_env *env = call->agent->env;
    const char *word = agent_param_text(call, "loglevel");
    int gravity = agent_log_gravity(*word ? word : "info");
    if (gravity < 0) {
        (void)agent_refuse(&call->fault, 400, "Bad request: Unknown log level: %s", word);
        agent_answer_fault(call);
        return;
    }
    struct monitor *monitor = cu_alloc(sizeof *monitor);
    monitor->call = call;
    monitor->gravity = gravity;
    monitor->as_json = agent_query_has(&call->query, "logjson");
    call->work = monitor;
    call->drop_work = drop_monitor;
    char *url = cu_env_local_url(env, "curia");
    monitor->log = agent_log_new(env->rpc, env->loop, url, &handler, monitor);
    free(url);
    agent_answer_stream(call, 200, "text/plain; charset=utf-8");
}

/* ---- reload ---- */

static void drop_reload(struct agent_call *call)
{
    agent_reload_free(call->work);
    call->work = NULL;
    call->drop_work = NULL;
}

static void reloaded(void *arg, enum cu_err err, const char *text)
{
    struct agent_call *call = arg;
    if (err)
        (void)agent_refuse(&call->fault, 500, "%s", text);
    drop_reload(call); /* the text was its */
    if (err)
        agent_answer_fault(call);
    else
        agent_answer_empty(call, 200, NULL);
}

void agent_reload_put(struct agent_call *call)
{
    const struct cu_env *env = call->agent->env;
    char *url = cu_env_local_url(env, "curia");
    call->work = agent_reload_new(env->rpc, env->loop, url, reloaded, call);
    call->drop_work = drop_reload;
    free(url);
}
