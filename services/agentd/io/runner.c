#include "services/agentd/io/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/random.h"
#include "services/agentd/core/copy.h"
#include "services/agentd/core/grpc.h"

enum { ADDRESS_BYTES = 512 };

struct kind;

struct agent_runner {
    struct agent_runners *all;
    const struct kind *kind;
    char *id;
    Curia__V1__CheckSpec *spec;
    size_t output_limit;
    struct agent_threshold threshold;
    struct cu_timer timer;
    struct agent_ticket ticket;
    struct agent_fetch *fetch; /* NULL: none under way */
    struct agent_script script;
    char **args;
};

/* How a kind of check is run. `start` leads to exactly one ended(). */
struct kind {
    void (*start)(struct agent_runner *runner);
    struct agent_gate *(*gate)(struct agent_runners *all);
};

/* ---- one run after the other ---- */

static void begin(void *arg)
{
    struct agent_runner *runner = arg;
    agent_gate_enter(runner->kind->gate(runner->all), &runner->ticket);
}

static void go(void *arg)
{
    struct agent_runner *runner = arg;
    runner->kind->start(runner);
}

/* Nothing of the run is left. */
static void ended(struct agent_runner *runner)
{
    cu_timer_set_ms(&runner->timer, (uint64_t)agent_check_interval_ms(runner->spec));
    agent_gate_leave(runner->kind->gate(runner->all), &runner->ticket);
}

static void tell(struct agent_runner *runner, enum agent_status status, const char *output)
{
    runner->all->result(runner->all->arg, runner->id, status, output);
}

static void count(struct agent_runner *runner, enum agent_status result, const char *output)
{
    enum agent_status status;
    if (agent_threshold_add(&runner->threshold, result, &status))
        tell(runner, status, output);
}

static void count_buf(struct agent_runner *runner, enum agent_status result, struct cu_buf *output)
{
    cu_buf_u8(output, 0);
    count(runner, result, (const char *)output->data);
    cu_buf_deinit(output);
}

/* ---- scripts ---- */

static void script_done(void *arg, const struct agent_script_result *result)
{
    struct agent_runner *runner = arg;
    if (result->is_forced)
        tell(runner, result->status, result->output);
    else
        count(runner, result->status, result->output);
}

static void script_gone(void *arg)
{
    ended(arg);
}

static void start_script(struct agent_runner *runner)
{
    agent_script_start(&runner->script, runner->args, agent_check_timeout_ms(runner->spec),
                       runner->output_limit);
}

static struct agent_gate *script_gate(struct agent_runners *all)
{
    return &all->scripts;
}

static struct agent_gate *connection_gate(struct agent_runners *all)
{
    return &all->connections;
}

/* ---- connections ---- */

static void fetch_ended(struct agent_runner *runner)
{
    agent_fetch_free(runner->fetch);
    runner->fetch = NULL;
    ended(runner);
}

static void start_fetch(struct agent_runner *runner, const struct agent_fetch_request *request,
                        agent_fetch_done *done)
{
    struct agent_fetch_request whole = *request;
    whole.timeout_ms = agent_check_timeout_ms(runner->spec);
    whole.output_limit = runner->output_limit;
    whole.skips_verify = runner->spec->tls_skip_verify;
    runner->fetch = agent_fetch_new(runner->all->fetches, &whole, done, runner);
}

/* ---- HTTP ---- */

static const char *method_of(const Curia__V1__CheckSpec *spec)
{
    return *spec->method ? spec->method : "GET";
}

static enum agent_status http_status(unsigned status)
{
    if (status >= 200 && status <= 299)
        return AGENT_PASSING;
    return status == 429 ? AGENT_WARNING : AGENT_CRITICAL;
}

static void http_done(void *arg, const struct agent_fetch_result *result)
{
    struct agent_runner *runner = arg;
    struct cu_buf output = {0};
    if (result->failure) {
        count(runner, AGENT_CRITICAL, result->failure);
    } else {
        cu_buf_printf(&output, "HTTP %s %s: %s Output: ", method_of(runner->spec),
                      runner->spec->http, result->status_line);
        agent_output_text(result->body, false, &output);
        count_buf(runner, http_status(result->status), &output);
    }
    fetch_ended(runner);
}

static size_t header_count(const Curia__V1__CheckSpec *spec)
{
    size_t count = 0;
    for (size_t i = 0; i < spec->n_header; i++)
        count += spec->header[i]->value->n_values;
    return count;
}

static struct agent_fetch_header *make_headers(const Curia__V1__CheckSpec *spec, size_t *ret_count)
{
    struct agent_fetch_header *headers = cu_alloc((header_count(spec) + 1) * sizeof *headers);
    size_t made = 0;
    for (size_t i = 0; i < spec->n_header; i++)
        for (size_t n = 0; n < spec->header[i]->value->n_values; n++)
            headers[made++] = (struct agent_fetch_header){spec->header[i]->key,
                                                          spec->header[i]->value->values[n]};
    *ret_count = made;
    return headers;
}

static void start_http(struct agent_runner *runner)
{
    const Curia__V1__CheckSpec *spec = runner->spec;
    size_t headers = 0;
    struct agent_fetch_header *list = make_headers(spec, &headers);
    start_fetch(runner,
                &(struct agent_fetch_request){
                    .url = spec->http,
                    .method = method_of(spec),
                    .body = cu_bytes_of(spec->body),
                    .headers = list,
                    .header_count = headers,
                    .follows = !spec->disable_redirects,
                },
                http_done);
    free(list);
}

/* ---- TCP ---- */

static void tcp_done(void *arg, const struct agent_fetch_result *result)
{
    struct agent_runner *runner = arg;
    struct cu_buf output = {0};
    if (result->failure)
        cu_buf_text(&output, result->failure);
    else
        cu_buf_printf(&output, "TCP connect %s: Success", runner->spec->tcp);
    count_buf(runner, result->failure ? AGENT_CRITICAL : AGENT_PASSING, &output);
    fetch_ended(runner);
}

static void start_tcp(struct agent_runner *runner)
{
    char url[ADDRESS_BYTES];
    (void)snprintf(url, sizeof url, "http://%s", runner->spec->tcp);
    start_fetch(runner,
                &(struct agent_fetch_request){.url = url, .method = "GET", .only_connects = true},
                tcp_done);
}

/* ---- gRPC ---- */

static void grpc_done(void *arg, const struct agent_fetch_result *result)
{
    struct agent_runner *runner = arg;
    struct cu_buf output = {0}, body = {0};
    enum agent_status status = AGENT_CRITICAL;
    agent_output_raw(result->body, &body);
    if (result->failure)
        cu_buf_text(&output, result->failure);
    else
        status = agent_grpc_result(runner->spec->grpc, result->status, result->grpc_status,
                                   cu_buf_bytes(&body), &output);
    count_buf(runner, status, &output);
    cu_buf_deinit(&body);
    fetch_ended(runner);
}

static void start_grpc(struct agent_runner *runner)
{
    static const struct agent_fetch_header headers[] = {{"Content-Type", "application/grpc"},
                                                        {"TE", "trailers"}};
    struct cu_buf url = {0}, body = {0};
    agent_grpc_request(runner->spec->grpc, runner->spec->grpc_use_tls, &url, &body);
    start_fetch(runner,
                &(struct agent_fetch_request){
                    .url = (const char *)url.data,
                    .method = "POST",
                    .body = cu_buf_bytes(&body),
                    .headers = headers,
                    .header_count = CU_COUNT(headers),
                    .is_http2 = true,
                },
                grpc_done);
    cu_buf_deinit(&url);
    cu_buf_deinit(&body);
}

/* ---- kinds ---- */

static const struct kind kinds[AGENT_CHECK_KIND_COUNT] = {
    // clang-format off
    [AGENT_CHECK_HTTP]   = {start_http,   connection_gate},
    [AGENT_CHECK_TCP]    = {start_tcp,    connection_gate},
    [AGENT_CHECK_GRPC]   = {start_grpc,   connection_gate},
    [AGENT_CHECK_SCRIPT] = {start_script, script_gate},
    // clang-format on
};

bool agent_runner_runs(enum agent_check_kind kind)
{
    return kinds[kind].start != NULL;
}

static char **end_with_null(const Curia__V1__CheckSpec *spec)
{
    char **args = cu_alloc((spec->n_script_args + 1) * sizeof *args);
    for (size_t i = 0; i < spec->n_script_args; i++)
        args[i] = spec->script_args[i];
    return args;
}

struct agent_runner *agent_runner_new(struct agent_runners *runners, const char *check_id,
                                      const Curia__V1__CheckSpec *spec, size_t output_limit)
{
    struct agent_runner *runner = cu_alloc(sizeof *runner);
    runner->all = runners;
    runner->kind = &kinds[agent_check_kind(spec)];
    CU_ASSERT(runner->kind->start);
    runner->id = cu_strdup(check_id);
    runner->spec = agent_copy(spec);
    runner->output_limit = output_limit;
    runner->args = end_with_null(runner->spec);
    runner->threshold =
        agent_threshold_of(spec->success_before_passing, spec->failures_before_warning,
                           spec->failures_before_critical);
    runner->ticket = (struct agent_ticket){.go = go, .arg = runner};
    agent_script_init(&runner->script, runners->loop, script_done, script_gone, runner);
    cu_timer_init(&runner->timer, runners->loop, begin, runner);
    uint64_t interval = (uint64_t)agent_check_interval_ms(spec);
    cu_timer_set_ms(&runner->timer, cu_random_below(&runners->random, interval));
    return runner;
}

void agent_runner_free(struct agent_runner *runner)
{
    if (!runner)
        return;
    cu_timer_close(&runner->timer);
    agent_fetch_free(runner->fetch);
    agent_script_close(&runner->script);
    agent_gate_leave(runner->kind->gate(runner->all), &runner->ticket);
    agent_copy_free(runner->spec);
    free(runner->args);
    free(runner->id);
    free(runner);
}

void agent_runners_init(struct agent_runners *runners, struct cu_loop *loop,
                        agent_runner_result *result, void *arg, uint64_t seed)
{
    *runners = (struct agent_runners){.loop = loop, .result = result, .arg = arg, .random = {seed}};
    runners->fetches = agent_fetches_new(loop);
    agent_gate_init(&runners->scripts, AGENT_SCRIPTS_AT_ONCE);
    agent_gate_init(&runners->connections, AGENT_FETCHES_AT_ONCE);
}

void agent_runners_deinit(struct agent_runners *runners)
{
    agent_fetches_free(runners->fetches);
    runners->fetches = NULL;
}
