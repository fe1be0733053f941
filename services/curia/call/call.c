/* `call` (cli.md 4.28): any method of any daemon, by reflection. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/json/reflect/reflect.h"
#include "common/loop/loop.h"
#include "common/rpc/client.h"
#include "services/curia/call/services.h"
#include "services/curia/client.h"
#include "services/curia/command.h"
#include "services/curia/socket.h"

enum {
    TIMEOUT_MS = 30000,
    CONNECT_MS = 3000,
    REQUEST_BYTES = 4 * 1024 * 1024,
    ARENA_BYTES = 16 * 1024 * 1024,
    FOLLOW_WAIT_MS = 10000
};

struct call {
    struct cu_loop *loop;
    struct cu_rpc *rpc;
    struct cu_client *client;
    const ProtobufCServiceDescriptor *service;
    const ProtobufCMethodDescriptor *method;
    json_t *request;
    char *token;           /* "": none */
    struct cu_timer limit; /* to connect */
    struct cu_signal_watch interrupt, terminate;
    uint64_t lines, lines_wanted; /* of a follow; 0: no end */
    bool is_follow, is_sent, is_done;
    int code;
};

static void finish(struct call *call, int code)
{
    if (call->is_done)
        return; /* what ends afterwards (the client being freed) changes nothing */
    call->is_done = true;
    call->code = code;
    cu_loop_stop(call->loop);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_methods(const struct call_daemon *daemon)
{
    char *lines[256];
    size_t count = 0;
    for (size_t i = 0; daemon->services[i]; i++)
        for (unsigned k = 0; k < daemon->services[i]->n_methods; k++) {
            const ProtobufCMethodDescriptor *method = &daemon->services[i]->methods[k];
            struct cu_buf line = {0};
            cu_buf_printf(&line, "%s.%s(%s) %s", daemon->services[i]->short_name, method->name,
                          method->input->short_name, method->output->short_name);
            cu_buf_u8(&line, 0);
            CU_ASSERT(count < CU_COUNT(lines));
            size_t len;
            lines[count++] = (char *)cu_buf_take(&line, &len);
        }
    qsort(lines, count, sizeof *lines, compare_lines);
    for (size_t i = 0; i < count; i++) {
        (void)puts(lines[i]);
        free(lines[i]);
    }
    return 0;
}

static void print_json(json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
    CU_ASSERT(text);
    (void)puts(text);
    (void)fflush(stdout);
    free(text);
}

static void send_call(struct call *call);

/* A line for each change; then on from where the reply says that it stands. */
static void take_changes(struct call *call, json_t *reply)
{
    const char *name;
    json_t *value, *item;
    size_t i;
    json_object_foreach(reply, name, value) json_array_foreach(value, i, item)
    {
        print_json(item);
        if (++call->lines == call->lines_wanted) {
            finish(call, 0);
            return;
        }
    }
    const char *outcome = json_string_value(json_object_get(reply, "outcome"));
    if (outcome && (strstr(outcome, "COMPACTED") || strstr(outcome, "DIVERGED"))) {
        print_json(reply); /* the position is gone: this says where the feed begins */
        finish(call, 0);
        return;
    }
    json_t *upto = json_object_get(reply, "upto");
    if (upto)
        (void)json_object_set(call->request, "after", upto);
    send_call(call);
}

static void on_answer(void *arg, const struct cu_answer *answer)
{
    struct call *call = arg;
    if (call->is_done)
        return;
    if (answer->err) {
        (void)fprintf(stderr, "%s: %s\n", cu_err_name(answer->err),
                      *answer->text ? answer->text : cu_err_words(answer->err));
        finish(call, 1);
        return;
    }
    json_t *reply = cu_reflect_to_json(answer->message);
    if (call->is_follow) {
        take_changes(call, reply);
    } else {
        print_json(reply);
        finish(call, 0);
    }
    json_decref(reply);
}

static void send_call(struct call *call)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    ProtobufCMessage *in = NULL;
    struct cu_diag diag = {0};
    if (cu_reflect_from_json(call->method->input, call->request, arena, &in, &diag)) {
        finish(call, cli_sorry("Invalid request: %s", diag.text));
    } else {
        (void)cu_client_call(call->client,
                             &(struct cu_call_spec){.service = call->service,
                                                    .method = call->method->name,
                                                    .in = in,
                                                    .timeout_ms = TIMEOUT_MS,
                                                    .token = call->token,
                                                    .datacenter = "",
                                                    .origin = {"", "curia", ""}},
                             on_answer, call);
    }
    cu_arena_free(arena);
}

static void on_state(void *arg, struct cu_client *client, bool is_up)
{
    struct call *call = arg;
    (void)client;
    if (!is_up || call->is_sent)
        return;
    call->is_sent = true;
    cu_timer_cancel(&call->limit);
    send_call(call);
}

static void on_limit(void *arg)
{
    struct call *call = arg;
    (void)fprintf(stderr, "%s: nobody answers at %s\n", cu_err_name(CU_E_DISCONNECTED),
                  cu_client_url(call->client));
    finish(call, 1);
}

static void on_signal(void *arg, int signal_number)
{
    struct call *call = arg;
    (void)signal_number;
    finish(call, call->is_follow ? 0 : 1);
}

static int run(struct call *call, const char *url)
{
    call->loop = cu_loop_new();
    call->rpc = cu_rpc_new(&(struct cu_rpc_options){.loop = call->loop,
                                                    .daemon = "curia",
                                                    .node_id = "",
                                                    .node_name = "",
                                                    .datacenter = "",
                                                    .local = CU_LOCAL_LOOP});
    cu_timer_init(&call->limit, call->loop, on_limit, call);
    cu_timer_set_ms(&call->limit, CONNECT_MS);
    cu_signal_watch_init(&call->interrupt, call->loop, SIGINT, on_signal, call);
    cu_signal_watch_init(&call->terminate, call->loop, SIGTERM, on_signal, call);
    call->client = cu_client_new(call->rpc, url, on_state, call);
    cu_loop_run(call->loop);
    cu_client_free(call->client);
    cu_signal_watch_close(&call->interrupt);
    cu_signal_watch_close(&call->terminate);
    cu_timer_close(&call->limit);
    cu_rpc_free(call->rpc);
    cu_loop_free(call->loop);
    return call->code;
}

/* The request: absent is {}, "-" is stdin. NULL: said why. */
static json_t *read_request(const struct cli_args *args)
{
    json_error_t error;
    if (args->word_count < 3)
        return json_object();
    bool from_stdin = !strcmp(args->words[2], "-");
    if (!from_stdin && strlen(args->words[2]) > REQUEST_BYTES) {
        (void)cli_sorry("Invalid request: too large");
        return NULL;
    }
    json_t *json = from_stdin ? json_loadf(stdin, JSON_REJECT_DUPLICATES, &error)
                              : json_loads(args->words[2], JSON_REJECT_DUPLICATES, &error);
    if (!json)
        (void)cli_sorry("Invalid request: %s", error.text);
    return json;
}

static int call_method(const struct cli_args *args, struct call *call)
{
    char url[CLI_URL_BYTES];
    const char *given = cli_text(args, "addr");
    cli_socket_find(args, args->words[0], url);
    if (given && strncmp(given, "ipc://", 6) != 0 && strncmp(given, "tcp://", 6) != 0)
        return cli_sorry("Invalid address, it must be ipc://PATH or tcp://HOST:PORT: %s", given);
    call->request = read_request(args);
    if (!call->request)
        return 1;
    call->lines_wanted = cli_uint(args, "n", 0);
    if (call->is_follow && !json_object_get(call->request, "wait_ms"))
        (void)json_object_set_new(call->request, "wait_ms", json_integer(FOLLOW_WAIT_MS));
    /* What is wrong with the request is said before anybody is called. */
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    ProtobufCMessage *in = NULL;
    struct cu_diag diag = {0};
    enum cu_err err = cu_reflect_from_json(call->method->input, call->request, arena, &in, &diag);
    cu_arena_free(arena);
    int code;
    if (err)
        code = cli_sorry("Invalid request: %s", diag.text);
    else if (cli_token(args, &call->token, &diag))
        code = cli_sorry("%s", diag.text);
    else
        code = run(call, given ? given : url);
    free(call->token);
    json_decref(call->request);
    return code;
}

int cli_call(const struct cli_args *args)
{
    struct call call = {0};
    if (!args->word_count)
        return cli_sorry("Missing DAEMON argument");
    if (args->word_count > 3)
        return cli_sorry("Unexpected extra argument: %s", args->words[3]);
    const struct call_daemon *daemon = call_daemon_find(args->words[0]);
    if (!daemon)
        return cli_sorry("Unknown daemon: %s", args->words[0]);
    if (args->word_count == 1)
        return list_methods(daemon);
    call.method = call_method_find(daemon, args->words[1], &call.service);
    if (!call.method)
        return cli_sorry("No such method: %s", args->words[1]);
    call.is_follow = call_is_follow(call.service, call.method);
    return call_method(args, &call);
}
