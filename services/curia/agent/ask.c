#include "services/curia/agent/ask.h"

#include <stdlib.h>

#include "curia/internal/v1/daemon.pb-c.h"

#include "common/base/assert.h"
#include "services/curia/socket.h"

struct seat {
    struct ask *ask;
    const char *daemon;
    struct cu_client *client;
    bool is_sent;
};

struct ask {
    struct ask_options options;
    struct cu_rpc *rpc;
    struct seat seats[ASK_DAEMONS];
    size_t count, answered;
    struct cu_timer limit, end; /* end: `done` is called outside of any client's callback */
    enum cu_err err;
    struct cu_diag diag;
};

static void finish(struct ask *ask, enum cu_err err)
{
    if (cu_timer_is_set(&ask->end))
        return; /* the first refusal is what counts */
    ask->err = err;
    cu_timer_set_ms(&ask->end, 0);
}

static void on_answer(void *arg, const struct cu_answer *answer)
{
    struct seat *seat = arg;
    struct ask *ask = seat->ask;
    if (answer->err) {
        enum cu_err err = cu_fail(&ask->diag, answer->err, "%s: %s", seat->daemon,
                                  *answer->text ? answer->text : cu_err_words(answer->err));
        finish(ask, err);
        return;
    }
    if (ask->options.answer)
        ask->options.answer(ask->options.arg, seat->daemon, answer->message);
    if (++ask->answered == ask->count)
        finish(ask, CU_OK);
}

static void on_state(void *arg, struct cu_client *client, bool is_up)
{
    struct seat *seat = arg;
    const struct ask_options *options = &seat->ask->options;
    if (!is_up || seat->is_sent)
        return;
    seat->is_sent = true;
    (void)cu_client_call(client,
                         &(struct cu_call_spec){.service = options->service,
                                                .method = options->method,
                                                .in = options->request(options->arg, seat->daemon),
                                                .timeout_ms = options->limit_ms,
                                                .token = "",
                                                .datacenter = "",
                                                .origin = {"", "curia", ""}},
                         on_answer, seat);
}

static void on_limit(void *arg)
{
    struct ask *ask = arg;
    for (size_t i = 0; i < ask->count; i++)
        if (!ask->seats[i].is_sent) {
            enum cu_err err =
                cu_fail(&ask->diag, CU_E_DEADLINE, "%s: nobody answers", ask->seats[i].daemon);
            finish(ask, err);
            return;
        }
    finish(ask,
           cu_fail(&ask->diag, CU_E_DEADLINE, "no answer within %u ms", ask->options.limit_ms));
}

static void on_end(void *arg)
{
    struct ask *ask = arg;
    ask->options.done(ask->options.arg, ask->err, ask->diag.text);
}

struct ask *ask_new(const struct ask_options *options)
{
    struct ask *ask = cu_alloc(sizeof *ask);
    ask->options = *options;
    if (!ask->options.service)
        ask->options.service = &curia__internal__v1__daemon__descriptor;
    if (!ask->options.limit_ms)
        ask->options.limit_ms = ASK_LIMIT_MS;
    ask->rpc = cu_rpc_new(&(struct cu_rpc_options){.loop = options->loop,
                                                   .daemon = "curia",
                                                   .node_id = "",
                                                   .node_name = "",
                                                   .datacenter = "",
                                                   .local = CU_LOCAL_LOOP});
    cu_timer_init(&ask->limit, options->loop, on_limit, ask);
    cu_timer_init(&ask->end, options->loop, on_end, ask);
    cu_timer_set_ms(&ask->limit, ask->options.limit_ms);
    for (size_t i = 0; options->daemons[i]; i++) {
        char url[CLI_URL_BYTES];
        CU_ASSERT(i < ASK_DAEMONS);
        struct seat *seat = &ask->seats[ask->count++];
        *seat = (struct seat){.ask = ask, .daemon = options->daemons[i]};
        cli_socket_url(options->run_dir, seat->daemon, url);
        seat->client = cu_client_new(ask->rpc, url, on_state, seat);
    }
    return ask;
}

void ask_free(struct ask *ask)
{
    if (!ask)
        return;
    for (size_t i = 0; i < ask->count; i++) {
        ask->seats[i].is_sent = true; /* nothing more is asked */
        cu_client_free(ask->seats[i].client);
    }
    cu_timer_close(&ask->limit);
    cu_timer_close(&ask->end);
    cu_rpc_free(ask->rpc);
    free(ask);
}
