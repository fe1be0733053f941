/* metric.h - counters, gauges and samples of one daemon, by name. */
#ifndef CU_METRIC_METRIC_H
#define CU_METRIC_METRIC_H

#include <stddef.h>
#include <stdint.h>

struct cu_metrics;

struct cu_metrics *cu_metrics_new(void);
void cu_metrics_free(struct cu_metrics *metrics);

/* A counter that only rises; the pointer lives as long as `metrics`; asking again gives the same
 * one. Adding is atomic: any thread. A NULL registry gives a counter that nobody reads. */
struct cu_counter {
    uint64_t value;
};
struct cu_counter *cu_metrics_counter(struct cu_metrics *metrics, const char *name);
static inline void cu_count(struct cu_counter *counter, uint64_t n)
{
    __atomic_fetch_add(&counter->value, n, __ATOMIC_RELAXED);
}

/* A gauge is asked for when it is read. Loop's thread. */
typedef double cu_gauge(void *arg);
void cu_metrics_gauge(struct cu_metrics *metrics, const char *name, cu_gauge *read, void *arg);

/* A sample of a distribution: count, sum, min, max over all time and over the last whole 10 s
 * interval. Loop's thread. Only what cu_metrics_sample() gave may be added to. */
struct cu_sample {
    uint64_t count;
    double sum, min, max;
};
struct cu_sample *cu_metrics_sample(struct cu_metrics *metrics, const char *name);
void cu_sample_add(struct cu_sample *sample, double value);

enum cu_metric_kind { CU_METRIC_COUNTER, CU_METRIC_GAUGE, CU_METRIC_SAMPLE, CU_METRIC_KIND_COUNT };
const char *cu_metric_kind_name(enum cu_metric_kind kind); /* "counter", "gauge", "sample" */

struct cu_metric_value {
    const char *name;
    enum cu_metric_kind kind;
    double value;              /* counter, gauge */
    struct cu_sample sample;   /* sample, over all time */
    struct cu_sample interval; /* sample, over the last whole 10 s */
};

/* All metrics by name; `visit` returns nothing and may not add any. */
void cu_metrics_each(struct cu_metrics *metrics,
                     void (*visit)(void *arg, const struct cu_metric_value *value), void *arg);

#endif
