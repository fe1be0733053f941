#include "services/curia/agent/dump.h"

#include <stdio.h>
#include <stdlib.h>

#include "curia/internal/v1/daemon.pb-c.h"

#include "common/base/assert.h"
#include "services/curia/agent/ask.h"

struct dump {
    struct cu_loop *loop;
    const char *run_dir;
    const char *const *daemons;
    struct ask *ask;
    Curia__Internal__V1__MetricsRequest request;
};

static const ProtobufCMessage *request(void *arg, const char *daemon)
{
    struct dump *dump = arg;
    (void)daemon;
    curia__internal__v1__metrics_request__init(&dump->request);
    return &dump->request.base;
}

static void print(void *arg, const char *daemon, const ProtobufCMessage *message)
{
    const Curia__Internal__V1__MetricsReply *reply = (const void *)message;
    (void)arg;
    for (size_t i = 0; i < reply->n_metrics; i++) {
        const Curia__Internal__V1__Metric *metric = reply->metrics[i];
        if (metric->count)
            (void)fprintf(stderr, "[%s] %s: count=%llu sum=%.3f min=%.3f max=%.3f\n", daemon,
                          metric->name, (unsigned long long)metric->count, metric->sum, metric->min,
                          metric->max);
        else
            (void)fprintf(stderr, "[%s] %s: %.3f\n", daemon, metric->name, metric->value);
    }
}

static void done(void *arg, enum cu_err err, const char *text)
{
    struct dump *dump = arg;
    if (err)
        (void)fprintf(stderr, "metrics: %s\n", text);
    ask_free(dump->ask);
    dump->ask = NULL;
}

struct dump *dump_new(struct cu_loop *loop, const char *run_dir, const char *const *daemons)
{
    struct dump *dump = cu_alloc(sizeof *dump);
    *dump = (struct dump){.loop = loop, .run_dir = run_dir, .daemons = daemons};
    return dump;
}

void dump_free(struct dump *dump)
{
    if (!dump)
        return;
    ask_free(dump->ask);
    free(dump);
}

void dump_begin(struct dump *dump)
{
    if (!dump->ask)
        dump->ask = ask_new(&(struct ask_options){.loop = dump->loop,
                                                  .run_dir = dump->run_dir,
                                                  .daemons = dump->daemons,
                                                  .method = "Metrics",
                                                  .request = request,
                                                  .answer = print,
                                                  .done = done,
                                                  .arg = dump});
}
