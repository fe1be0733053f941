#include "services/agentd/rpc/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/assert.h"
#include "common/base/map.h"
#include "common/json/text.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/routes.h"

enum { TIME_BYTES = 64 };

struct counted {
    double before, after; /* at the two ends of the last whole interval */
};

struct agent_metrics {
    struct cu_metrics *metrics;
    struct cu_loop *loop;
    struct cu_timer timer;
    struct cu_map counters; /* by name, to struct counted */
    uint64_t interval_ms;   /* when the last whole one ended, ms since 1970 */
};

static void count(void *arg, const struct cu_metric_value *value)
{
    struct agent_metrics *m = arg;
    struct cu_bytes name = cu_bytes_of(value->name);
    if (value->kind != CU_METRIC_COUNTER)
        return;
    struct counted *counted = cu_map_get(&m->counters, name);
    if (!counted) {
        counted = cu_alloc(sizeof *counted);
        (void)cu_map_put(&m->counters, name, counted);
    }
    counted->before = counted->after;
    counted->after = value->value;
}

static void interval_ended(void *arg)
{
    struct agent_metrics *m = arg;
    cu_metrics_each(m->metrics, count, m);
    m->interval_ms = cu_wall_ms();
    cu_timer_set_ms(&m->timer, AGENT_INTERVAL_MS);
}

struct agent_metrics *agent_metrics_new(struct cu_loop *loop, struct cu_metrics *metrics)
{
    struct agent_metrics *m = cu_alloc(sizeof *m);
    m->metrics = metrics;
    m->loop = loop;
    cu_timer_init(&m->timer, loop, interval_ended, m);
    interval_ended(m);
    return m;
}

void agent_metrics_free(struct agent_metrics *m)
{
    size_t at = 0;
    struct cu_bytes name;
    void *counted;
    if (!m)
        return;
    cu_timer_close(&m->timer);
    while (cu_map_next(&m->counters, &at, &name, &counted))
        free(counted);
    cu_map_deinit(&m->counters);
    free(m);
}

/* ---- printing ---- */

struct printing {
    struct agent_metrics *metrics;
    struct cu_buf gauges, counters, samples;
};

static void put_name(struct cu_buf *out, const char *name)
{
    cu_buf_text(out, out->len ? ",{\"Name\":" : "{\"Name\":");
    struct cu_buf whole = {0};
    cu_buf_printf(&whole, "consul.%s", name);
    cu_json_text(out, cu_buf_bytes(&whole));
    cu_buf_deinit(&whole);
}

/* The members of counters and samples; the spread of what is behind them is not kept. */
static void put_spread(struct cu_buf *out, const char *name, const struct cu_sample *s)
{
    double mean = s->count ? s->sum / (double)s->count : 0;
    put_name(out, name);
    cu_buf_printf(out,
                  ",\"Count\":%llu,\"Rate\":%.17g,\"Sum\":%.17g,\"Min\":%.17g,\"Max\":%.17g,"
                  "\"Mean\":%.17g,\"Stddev\":0,\"Labels\":{}}",
                  (unsigned long long)s->count, s->sum / (AGENT_INTERVAL_MS / 1000.0), s->sum,
                  s->count ? s->min : 0, s->count ? s->max : 0, mean);
}

static void put_counter(struct printing *p, const char *name)
{
    const struct counted *counted = cu_map_get(&p->metrics->counters, cu_bytes_of(name));
    double rise = counted ? counted->after - counted->before : 0;
    struct cu_sample as_sample = {(uint64_t)rise, rise, rise > 0, rise > 0};
    put_spread(&p->counters, name, &as_sample);
}

static void print(void *arg, const struct cu_metric_value *value)
{
    struct printing *p = arg;
    switch (value->kind) {
    case CU_METRIC_GAUGE:
        put_name(&p->gauges, value->name);
        cu_buf_printf(&p->gauges, ",\"Value\":%.17g,\"Labels\":{}}", value->value);
        return;
    case CU_METRIC_COUNTER:
        put_counter(p, value->name);
        return;
    case CU_METRIC_SAMPLE:
        put_spread(&p->samples, value->name, &value->interval);
        return;
    case CU_METRIC_KIND_COUNT:
        return;
    }
}

static bool wants_prometheus(struct agent_call *call)
{
    return cu_bytes_equal(agent_query_value(&call->query, "format"), cu_bytes_of("prometheus"));
}

void agent_metrics_get(struct agent_call *call)
{
    struct printing p = {.metrics = call->agent->metrics};
    time_t second = (time_t)(p.metrics->interval_ms / 1000);
    char when[TIME_BYTES];
    struct tm parts;
    struct cu_buf json = {0};

    if (wants_prometheus(call)) {
        agent_answer_text(call, 415,
                          "Prometheus is not enabled since its retention time is not positive");
        return;
    }
    cu_metrics_each(p.metrics->metrics, print, &p);
    (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S +0000 UTC", gmtime_r(&second, &parts));
    cu_buf_printf(&json, "{\"Timestamp\":\"%s\",\"Gauges\":[", when);
    cu_buf_append(&json, p.gauges.data, p.gauges.len);
    cu_buf_text(&json, "],\"Points\":[],\"Counters\":[");
    cu_buf_append(&json, p.counters.data, p.counters.len);
    cu_buf_text(&json, "],\"Samples\":[");
    cu_buf_append(&json, p.samples.data, p.samples.len);
    cu_buf_text(&json, "]}");
    cu_buf_deinit(&p.gauges);
    cu_buf_deinit(&p.counters);
    cu_buf_deinit(&p.samples);
    agent_answer_json(call, 200, &json, NULL);
}
