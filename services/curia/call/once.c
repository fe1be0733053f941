#include "services/curia/call/once.h"

#include "common/loop/loop.h"
#include "services/curia/socket.h"

enum { CONNECT_MS = 3000, TIMEOUT_MS = 10000 };

struct once {
    struct cu_loop *loop;
    struct cu_client *client;
    struct cu_timer limit; /* to connect */
    const struct cu_call_spec *spec;
    const ProtobufCMessageDescriptor *output;
    bool is_sent, is_done;
    enum cu_err err;
    struct cu_diag *diag;
    ProtobufCMessage *reply;
};

static void finish(struct once *once, enum cu_err err)
{
    if (once->is_done)
        return;
    once->is_done = true;
    once->err = err;
    cu_loop_stop(once->loop);
}

static void on_answer(void *arg, const struct cu_answer *answer)
{
    struct once *once = arg;
    if (once->is_done) /* the client is being freed */
        return;
    if (answer->err) {
        finish(once, cu_fail(once->diag, answer->err, "%s",
                             *answer->text ? answer->text : cu_err_words(answer->err)));
        return;
    }
    once->reply =
        protobuf_c_message_unpack(once->output, NULL, answer->body.len, answer->body.data);
    finish(once,
           once->reply ? CU_OK : cu_fail(once->diag, CU_E_INVALID, "the reply is not understood"));
}

static void on_state(void *arg, struct cu_client *client, bool is_up)
{
    struct once *once = arg;
    if (!is_up || once->is_sent)
        return;
    once->is_sent = true;
    cu_timer_cancel(&once->limit);
    (void)cu_client_call(client, once->spec, on_answer, once); /* nobody cancels it */
}

static void on_limit(void *arg)
{
    struct once *once = arg;
    finish(once, cu_fail(once->diag, CU_E_DISCONNECTED,
                         "nobody answers at %s: is the daemon running, and is this its run "
                         "directory (-run-dir)?",
                         cu_client_url(once->client)));
}

static void run(struct once *once, const char *url)
{
    once->loop = cu_loop_new();
    struct cu_rpc *rpc = cu_rpc_new(&(struct cu_rpc_options){.loop = once->loop,
                                                             .daemon = "curia",
                                                             .node_id = "",
                                                             .node_name = "",
                                                             .datacenter = "",
                                                             .local = CU_LOCAL_LOOP});
    cu_timer_init(&once->limit, once->loop, on_limit, once);
    cu_timer_set_ms(&once->limit, CONNECT_MS);
    once->client = cu_client_new(rpc, url, on_state, once);
    cu_loop_run(once->loop);
    cu_client_free(once->client);
    cu_timer_close(&once->limit);
    cu_rpc_free(rpc);
    cu_loop_free(once->loop);
}

enum cu_err call_once(const struct cli_args *args, const char *daemon,
                      const ProtobufCServiceDescriptor *service, const char *method,
                      const ProtobufCMessage *in, ProtobufCMessage **ret_reply,
                      struct cu_diag *diag)
{
    char url[CLI_URL_BYTES];
    cli_socket_find(args, daemon, url);
    struct cu_call_spec spec = {.service = service,
                                .method = method,
                                .in = in,
                                .timeout_ms = TIMEOUT_MS,
                                .raw = true,
                                .token = "",
                                .datacenter = "",
                                .origin = {"", "curia", ""}};
    struct once once = {
        .spec = &spec,
        .output = protobuf_c_service_descriptor_get_method_by_name(service, method)->output,
        .diag = diag};
    run(&once, url);
    if (!once.err)
        *ret_reply = once.reply;
    return once.err;
}
