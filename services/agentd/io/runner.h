/* runner.h - one check that is run again and again: by HTTP, TCP, gRPC or a script (agent.md 8).
 *
 * The first run comes after a random part of the interval, the next one an interval after the end
 * of the one before. So many run at once; the others wait. */
#ifndef AGENT_RUNNER_H
#define AGENT_RUNNER_H

#include "common/base/random.h"

#include "services/agentd/core/check_spec.h"
#include "services/agentd/io/fetch.h"
#include "services/agentd/io/gate.h"
#include "services/agentd/io/script.h"

enum { AGENT_SCRIPTS_AT_ONCE = 32, AGENT_FETCHES_AT_ONCE = 256 };

/* A result that counts, thresholds passed. The runner may not be freed within. */
typedef void agent_runner_result(void *arg, const char *check_id, enum agent_status status,
                                 const char *output);

/* What all runners share; lives in its owner. */
struct agent_runners {
    struct cu_loop *loop;
    struct agent_fetches *fetches;
    struct agent_gate scripts, connections;
    agent_runner_result *result;
    void *arg;
    struct cu_random random;
};

void agent_runners_init(struct agent_runners *runners, struct cu_loop *loop,
                        agent_runner_result *result, void *arg, uint64_t seed);
void agent_runners_deinit(struct agent_runners *runners); /* every runner is freed before */

struct agent_runner;

/* Whether checks of this kind run here. */
bool agent_runner_runs(enum agent_check_kind kind);

/* `spec` is copied. */
struct agent_runner *agent_runner_new(struct agent_runners *runners, const char *check_id,
                                      const Curia__V1__CheckSpec *spec, size_t output_limit);
void agent_runner_free(struct agent_runner *runner); /* a script under way is killed; takes NULL */

#endif
