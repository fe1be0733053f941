/* The service that every daemon offers (contracts 9.2). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "curia/internal/v1/daemon.pb-c.h"

#include "common/base/assert.h"
#include "common/daemon/run.h"

enum { ITEMS = 128, METRICS = 1024 }; /* our own tables are smaller; what is over is cut */

typedef Curia__Internal__V1__StatusItem StatusItem;
typedef Curia__Internal__V1__Metric Metric;

struct items {
    struct cu_arena *arena;
    StatusItem *list[ITEMS];
    size_t count;
};

static void add_item(void *to, const char *name, const char *fmt, ...) CU_PRINTF(3, 4);

static void add_item(void *to, const char *name, const char *fmt, ...)
{
    struct items *items = to;
    char text[512];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    StatusItem *item = cu_arena_alloc(items->arena, sizeof *item);
    if (!item || items->count == ITEMS)
        return;
    curia__internal__v1__status_item__init(item);
    item->name = cu_arena_strdup(items->arena, name);
    item->value = cu_arena_strdup(items->arena, text);
    if (item->name && item->value)
        items->list[items->count++] = item;
}

/* protobuf-c's strings are not const; it only reads them when it packs. */
static char *lent(const char *text)
{
    return (char *)(uintptr_t)text;
}

static void daemon_status(void *context, struct cu_rq *rq)
{
    struct cu_run *run = context;
    struct items items = {.arena = rq->arena};
    if (run->daemon->status && run->state)
        run->daemon->status(run->state, add_item, &items);
    Curia__Internal__V1__DaemonStatusReply reply = CURIA__INTERNAL__V1__DAEMON_STATUS_REPLY__INIT;
    reply.daemon = lent(run->daemon->name);
    reply.version = lent(CU_VERSION);
    reply.feature_level = CU_FEATURE_LEVEL;
    reply.pid = (uint32_t)getpid();
    reply.uptime_ms = cu_mono_ms_between(run->started, cu_loop_now(run->env.loop));
    reply.ready = run->is_ready;
    reply.node_id = lent(run->env.node_id);
    reply.node_name = lent(run->env.node_name);
    reply.datacenter = lent(run->env.datacenter);
    reply.state = lent(run->is_draining ? "draining" : "running");
    reply.items = items.list;
    reply.n_items = items.count;
    cu_rq_reply(rq, &reply.base, 0);
}

struct metrics {
    struct cu_arena *arena;
    Metric *list[METRICS];
    size_t count;
};

static void add_metric(void *arg, const struct cu_metric_value *value)
{
    struct metrics *metrics = arg;
    Metric *metric = cu_arena_alloc(metrics->arena, sizeof *metric);
    if (!metric || metrics->count == METRICS)
        return;
    curia__internal__v1__metric__init(metric);
    metric->name = lent(value->name);
    metric->kind = lent(cu_metric_kind_name(value->kind));
    metric->value = value->value;
    metric->count = value->sample.count;
    metric->sum = value->sample.sum;
    metric->min = value->sample.min;
    metric->max = value->sample.max;
    metrics->list[metrics->count++] = metric;
}

static void daemon_metrics(void *context, struct cu_rq *rq)
{
    struct cu_run *run = context;
    struct metrics *metrics = cu_alloc(sizeof *metrics);
    metrics->arena = rq->arena;
    cu_arena_set_limit(rq->arena, 1 * MIB); /* our own table's size, not the caller's */
    cu_metrics_each(run->env.metrics, add_metric, metrics);
    Curia__Internal__V1__MetricsReply reply = CURIA__INTERNAL__V1__METRICS_REPLY__INIT;
    reply.metrics = metrics->list;
    reply.n_metrics = metrics->count;
    cu_rq_reply(rq, &reply.base, 0);
    free(metrics);
}

static void daemon_check(void *context, struct cu_rq *rq)
{
    struct cu_run *run = context;
    const Curia__Internal__V1__CheckRequest *in = (const void *)rq->in;
    struct cu_diag diag = {0};
    struct cu_conf *conf = NULL;
    enum cu_err err = cu_run_load(run, *in->config_path ? in->config_path : NULL, &conf, &diag);
    if (!err && run->daemon->check)
        err = run->daemon->check(conf, &diag);
    cu_conf_free(conf);
    if (err) {
        cu_rq_fail(rq, err, "%s", diag.text);
        return;
    }
    Curia__Internal__V1__CheckReply reply = CURIA__INTERNAL__V1__CHECK_REPLY__INIT;
    cu_rq_reply(rq, &reply.base, 0);
}

static void daemon_reload(void *context, struct cu_rq *rq)
{
    struct cu_run *run = context;
    const Curia__Internal__V1__ReloadRequest *in = (const void *)rq->in;
    struct cu_diag diag = {0};
    enum cu_err err = cu_run_reload(run, &diag);
    if (err) {
        cu_rq_fail(rq, err, "%s", diag.text);
        return;
    }
    run->generation = in->generation;
    Curia__Internal__V1__ReloadReply reply = CURIA__INTERNAL__V1__RELOAD_REPLY__INIT;
    reply.generation = run->generation;
    cu_rq_reply(rq, &reply.base, 0);
}

static void daemon_drain(void *context, struct cu_rq *rq)
{
    Curia__Internal__V1__DrainReply reply = CURIA__INTERNAL__V1__DRAIN_REPLY__INIT;
    cu_rq_reply(rq, &reply.base, 0);
    cu_run_drain(context);
}

static void stop_loop(void *arg)
{
    cu_loop_stop(arg);
}

static void daemon_stop(void *context, struct cu_rq *rq)
{
    struct cu_run *run = context;
    Curia__Internal__V1__StopReply reply = CURIA__INTERNAL__V1__STOP_REPLY__INIT;
    cu_rq_reply(rq, &reply.base, 0);
    cu_info(run->env.log, "daemon.stop", "asked_by=%s", rq->peer ? rq->peer->daemon : "");
    cu_loop_post(run->env.loop, stop_loop,
                 run->env.loop); /* after this turn has written the reply */
}

static void daemon_set_token(void *context, struct cu_rq *rq)
{
    struct cu_run *run = context;
    const Curia__Internal__V1__SetTokenRequest *in = (const void *)rq->in;
    if (!run->daemon->set_token || !run->state) {
        cu_rq_fail(rq, CU_E_NOT_READY, "%s takes no token%s", run->daemon->name,
                   run->daemon->set_token ? " yet" : "");
        return;
    }
    run->daemon->set_token(run->state, in->token);
    Curia__Internal__V1__SetTokenReply reply = CURIA__INTERNAL__V1__SET_TOKEN_REPLY__INIT;
    cu_rq_reply(rq, &reply.base, 0);
}

/* What changes a daemon is for its own user and root, on its own socket. */
/* clang-format off */
static const struct cu_method methods[] = {
    CU_METHOD(Status,  CU_CALL, ROUTE_ANY, CALLER_AGENT,    NO_PERM, 1 * KIB, 64 * KIB,  daemon_status),
    CU_METHOD(Metrics, CU_CALL, ROUTE_ANY, CALLER_AGENT,    NO_PERM, 1 * KIB, 256 * KIB, daemon_metrics),
    CU_METHOD(Check,   CU_CALL, ROUTE_ANY, CALLER_CATALOGD, NO_PERM, 8 * KIB, 1 * KIB,   daemon_check),
    CU_METHOD(Reload,  CU_CALL, ROUTE_ANY, CALLER_CATALOGD, NO_PERM, 1 * KIB, 1 * KIB,   daemon_reload),
    CU_METHOD(Drain,   CU_CALL, ROUTE_ANY, CALLER_CATALOGD, NO_PERM, 1 * KIB, 1 * KIB,   daemon_drain),
    CU_METHOD(Stop,    CU_CALL, ROUTE_ANY, CALLER_CATALOGD, NO_PERM, 1 * KIB, 1 * KIB,   daemon_stop),
    CU_METHOD(SetToken, CU_CALL, ROUTE_ANY, CALLER_CATALOGD, NO_PERM, 8 * KIB, 1 * KIB,  daemon_set_token),
};
/* clang-format on */

const struct cu_service cu_daemon_service = {.descriptor = &curia__internal__v1__daemon__descriptor,
                                             .methods = methods,
                                             .count = CU_COUNT(methods)};
