/* metrics.h - /v1/agent/metrics: what happened in the last whole interval (agent.md 19). */
#ifndef AGENT_METRICS_H
#define AGENT_METRICS_H

#include "common/loop/loop.h"
#include "common/metric/metric.h"

enum { AGENT_INTERVAL_MS = 10 * 1000 };

struct agent_metrics;

/* Counters only rise; this remembers where they stood at the ends of the last two intervals. */
struct agent_metrics *agent_metrics_new(struct cu_loop *loop, struct cu_metrics *metrics);
void agent_metrics_free(struct agent_metrics *metrics); /* takes NULL */

#endif
