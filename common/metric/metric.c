#include "common/metric/metric.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/mono.h"

enum { INTERVAL_S = 10 };

struct metric {
    struct cu_sample all;       /* first: cu_sample_add() is given its address */
    struct cu_sample now, last; /* the interval under way, the one before it */
    uint64_t interval;          /* number of the one under way */
    struct cu_counter counter;
    cu_gauge *read;
    void *arg;
    enum cu_metric_kind kind;
    char *name;
};

struct cu_metrics {
    struct metric **sorted; /* by name; each on its own, so that pointers into them stay */
    size_t count, cap;
};

/* What is counted into a registry that is not there. Written by many, read by nobody. */
static struct metric nowhere;

struct cu_metrics *cu_metrics_new(void)
{
    return cu_alloc(sizeof(struct cu_metrics));
}

void cu_metrics_free(struct cu_metrics *metrics)
{
    if (!metrics)
        return;
    for (size_t i = 0; i < metrics->count; i++) {
        free(metrics->sorted[i]->name);
        free(metrics->sorted[i]);
    }
    free(metrics->sorted);
    free(metrics);
}

static size_t place_of(const struct cu_metrics *metrics, const char *name)
{
    size_t low = 0, high = metrics->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(metrics->sorted[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct metric *get_or_add(struct cu_metrics *metrics, const char *name,
                                 enum cu_metric_kind kind)
{
    if (!metrics)
        return &nowhere;
    size_t place = place_of(metrics, name);
    if (place < metrics->count && !strcmp(metrics->sorted[place]->name, name)) {
        CU_ASSERT(metrics->sorted[place]->kind == kind);
        return metrics->sorted[place];
    }
    if (metrics->count == metrics->cap) {
        metrics->cap = metrics->cap ? 2 * metrics->cap : 32;
        metrics->sorted = cu_realloc(metrics->sorted, metrics->cap * sizeof *metrics->sorted);
    }
    struct metric *metric = cu_alloc(sizeof *metric);
    metric->name = cu_strdup(name);
    metric->kind = kind;
    memmove(metrics->sorted + place + 1, metrics->sorted + place,
            (metrics->count - place) * sizeof *metrics->sorted);
    metrics->sorted[place] = metric;
    metrics->count++;
    return metric;
}

struct cu_counter *cu_metrics_counter(struct cu_metrics *metrics, const char *name)
{
    return &get_or_add(metrics, name, CU_METRIC_COUNTER)->counter;
}

void cu_metrics_gauge(struct cu_metrics *metrics, const char *name, cu_gauge *read, void *arg)
{
    if (!metrics)
        return;
    struct metric *metric = get_or_add(metrics, name, CU_METRIC_GAUGE);
    metric->read = read;
    metric->arg = arg;
}

struct cu_sample *cu_metrics_sample(struct cu_metrics *metrics, const char *name)
{
    return &get_or_add(metrics, name, CU_METRIC_SAMPLE)->all;
}

static void add_to(struct cu_sample *sample, double value)
{
    if (!sample->count || value < sample->min)
        sample->min = value;
    if (!sample->count || value > sample->max)
        sample->max = value;
    sample->count++;
    sample->sum += value;
}

static void turn_interval(struct metric *metric)
{
    uint64_t interval = cu_mono_now().ns / (INTERVAL_S * 1000000000ull);
    if (interval == metric->interval)
        return;
    metric->last = interval == metric->interval + 1 ? metric->now : (struct cu_sample){0};
    metric->now = (struct cu_sample){0};
    metric->interval = interval;
}

void cu_sample_add(struct cu_sample *sample, double value)
{
    struct metric *metric = (struct metric *)sample;
    if (metric == &nowhere)
        return;
    turn_interval(metric);
    add_to(&metric->all, value);
    add_to(&metric->now, value);
}

const char *cu_metric_kind_name(enum cu_metric_kind kind)
{
    static const char *const names[CU_METRIC_KIND_COUNT] = {[CU_METRIC_COUNTER] = "counter",
                                                            [CU_METRIC_GAUGE] = "gauge",
                                                            [CU_METRIC_SAMPLE] = "sample"};
    CU_ASSERT(kind < CU_METRIC_KIND_COUNT);
    return names[kind];
}

static struct cu_metric_value value_of(struct metric *metric)
{
    struct cu_metric_value value = {.name = metric->name, .kind = metric->kind};
    switch (metric->kind) {
    case CU_METRIC_COUNTER:
        value.value = (double)__atomic_load_n(&metric->counter.value, __ATOMIC_RELAXED);
        break;
    case CU_METRIC_GAUGE:
        value.value = metric->read(metric->arg);
        break;
    case CU_METRIC_SAMPLE:
        turn_interval(metric);
        value.sample = metric->all;
        value.interval = metric->last;
        break;
    case CU_METRIC_KIND_COUNT:
        break;
    }
    return value;
}

void cu_metrics_each(struct cu_metrics *metrics,
                     void (*visit)(void *arg, const struct cu_metric_value *value), void *arg)
{
    for (size_t i = 0; i < metrics->count; i++) {
        struct cu_metric_value value = value_of(metrics->sorted[i]);
        visit(arg, &value);
    }
}
