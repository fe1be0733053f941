#include "services/agentd/io/overseer.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/assert.h"
#include "curia/internal/v1/node.pb-c.h"

#define NOBODY "no curia agent runs this node's daemons"

/* ---- reload ---- */

struct agent_reload {
    struct cu_client *client;
    struct cu_timer limit, end; /* end: told outside of the client's callbacks */
    agent_reload_done *done;
    void *arg;
    bool is_sent;
    enum cu_err err;
    struct cu_diag diag;
};

static void finish(struct agent_reload *reload, enum cu_err err, const char *text)
{
    if (cu_timer_is_set(&reload->end))
        return;
    reload->err = err;
    (void)snprintf(reload->diag.text, sizeof reload->diag.text, "%s", text);
    cu_timer_set_ms(&reload->end, 0);
}

static void reload_answered(void *arg, const struct cu_answer *answer)
{
    finish(arg, answer->err, answer->text);
}

static void reload_state(void *arg, struct cu_client *client, bool is_up)
{
    static const Curia__Internal__V1__ReloadNodeRequest request =
        CURIA__INTERNAL__V1__RELOAD_NODE_REQUEST__INIT;
    struct agent_reload *reload = arg;
    if (!is_up || reload->is_sent)
        return;
    reload->is_sent = true;
    cu_timer_cancel(&reload->limit);
    (void)cu_client_call(
        client,
        &(struct cu_call_spec){.service = &curia__internal__v1__node_agent__descriptor,
                               .method = "ReloadNode",
                               .in = &request.base,
                               .timeout_ms = AGENT_RELOAD_MS},
        reload_answered, reload);
}

static void reload_late(void *arg)
{
    finish(arg, CU_E_DISCONNECTED, NOBODY);
}

static void reload_end(void *arg)
{
    struct agent_reload *reload = arg;
    reload->done(reload->arg, reload->err, reload->diag.text);
}

struct agent_reload *agent_reload_new(struct cu_rpc *rpc, struct cu_loop *loop, const char *url,
                                      agent_reload_done *done, void *arg)
{
    struct agent_reload *reload = cu_alloc(sizeof *reload);
    reload->done = done;
    reload->arg = arg;
    cu_timer_init(&reload->limit, loop, reload_late, reload);
    cu_timer_init(&reload->end, loop, reload_end, reload);
    cu_timer_set_ms(&reload->limit, AGENT_OVERSEER_DIAL_MS);
    reload->client = cu_client_new(rpc, url, reload_state, reload);
    return reload;
}

void agent_reload_free(struct agent_reload *reload)
{
    if (!reload)
        return;
    reload->is_sent = true;
    cu_client_free(
        reload->client); /* its call ends with an answer: to finish(), which does no harm */
    cu_timer_close(&reload->limit);
    cu_timer_close(&reload->end);
    free(reload);
}

/* ---- the log ---- */

struct agent_log {
    struct cu_client *client;
    struct cu_call *call;
    struct cu_timer limit, end;
    const struct agent_log_handler *handler;
    void *arg;
    uint64_t after;
};

static void follow(struct agent_log *log);

static void log_answered(void *arg, const struct cu_answer *answer)
{
    struct agent_log *log = arg;
    log->call = NULL;
    if (answer->err) {
        cu_timer_set_ms(&log->end, 0);
        return;
    }
    const Curia__Internal__V1__FollowLogReply *reply =
        (const Curia__Internal__V1__FollowLogReply *)answer->message;
    for (size_t i = 0; i < reply->n_lines; i++)
        log->handler->line(log->arg, reply->lines[i]);
    if (reply->n_lines)
        log->handler->turn(log->arg);
    log->after = reply->upto;
    follow(log);
}

static void follow(struct agent_log *log)
{
    Curia__Internal__V1__FollowLogRequest request = CURIA__INTERNAL__V1__FOLLOW_LOG_REQUEST__INIT;
    request.after = log->after;
    request.wait_ms = AGENT_LOG_WAIT_MS;
    log->call = cu_client_call(
        log->client,
        &(struct cu_call_spec){.service = &curia__internal__v1__node_agent__descriptor,
                               .method = "FollowLog",
                               .in = &request.base,
                               .timeout_ms = 2 * AGENT_LOG_WAIT_MS},
        log_answered, log);
}

static void log_state(void *arg, struct cu_client *client, bool is_up)
{
    struct agent_log *log = arg;
    (void)client;
    if (!is_up || log->call || cu_timer_is_set(&log->end))
        return;
    cu_timer_cancel(&log->limit);
    follow(log);
}

static void log_end(void *arg)
{
    struct agent_log *log = arg;
    log->handler->end(log->arg, NOBODY);
}

struct agent_log *agent_log_new(struct cu_rpc *rpc, struct cu_loop *loop, const char *url,
                                const struct agent_log_handler *handler, void *arg)
{
    struct agent_log *log = cu_alloc(sizeof *log);
    log->handler = handler;
    log->arg = arg;
    cu_timer_init(&log->limit, loop, log_end, log);
    cu_timer_init(&log->end, loop, log_end, log);
    cu_timer_set_ms(&log->limit, AGENT_OVERSEER_DIAL_MS);
    log->client = cu_client_new(rpc, url, log_state, log);
    return log;
}

void agent_log_free(struct agent_log *log)
{
    if (!log)
        return;
    if (log->call)
        cu_call_cancel(log->call);
    cu_client_free(log->client);
    cu_timer_close(&log->limit);
    cu_timer_close(&log->end);
    free(log);
}
