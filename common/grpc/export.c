#include "common/grpc/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/grpc/internal.h"

/* clang-format off */
static const struct builtin {
    const char *path;
    const struct exported_kind *kind;
} builtins[] = {
    {"/grpc.health.v1.Health/Check",                                       &exported_health_check},
    {"/grpc.health.v1.Health/Watch",                                       &exported_health_watch},
    {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",          &exported_reflection},
    {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",     &exported_reflection},
};
/* clang-format on */

/* ---- which method ---- */

static const struct exported_kind *find_builtin(struct cu_bytes path)
{
    for (size_t i = 0; i < CU_COUNT(builtins); i++)
        if (cu_bytes_equal(path, cu_bytes_of(builtins[i].path)))
            return builtins[i].kind;
    return NULL;
}

static const struct cu_grpc_follow *find_follow(const struct cu_grpc_export *export,
                                                const char *method)
{
    const struct cu_grpc_follow *row = export->o.follows;
    while (row->method && strcmp(row->method, method) != 0)
        row++;
    return row->method ? row : NULL;
}

/* "/curia.v1.Kv/Put" as "Kv.Put", if the service is one of the public ones. */
static bool take_name(const struct cu_grpc_export *export, struct cu_bytes path,
                      char name[EXPORT_METHOD_BYTES])
{
    const uint8_t *slash = path.len > 1 ? memchr(path.data + 1, '/', path.len - 1) : NULL;
    if (!slash || path.data[0] != '/')
        return false;
    struct cu_bytes service = {path.data + 1, (size_t)(slash - path.data) - 1};
    struct cu_bytes method = {slash + 1, path.len - service.len - 2};
    const ProtobufCServiceDescriptor *const *at = export->o.services;
    while (*at && !cu_bytes_equal(service, cu_bytes_of((*at)->name)))
        at++;
    if (!*at || method.len >= EXPORT_METHOD_BYTES / 2)
        return false;
    (void)snprintf(name, EXPORT_METHOD_BYTES, "%s.%.*s", (*at)->short_name, (int)method.len,
                   (const char *)method.data);
    return true;
}

/* NULL: there is no such method. */
static const struct exported_kind *choose(struct exported *x)
{
    const struct cu_grpc_export *export = x->export;
    struct cu_bytes path = cu_grpc_call_method(x->call);
    const struct exported_kind *builtin = find_builtin(path);
    enum cu_method_kind kind;
    if (builtin)
        return builtin;
    if (!take_name(export, path, x->method) ||
        !cu_inlet_find(export->o.rpc, cu_bytes_of(x->method), &kind, &x->descriptor))
        return NULL;
    if (kind == CU_CALL)
        return &exported_unary;
    x->follow = find_follow(export, x->method);
    return x->follow ? &exported_follow : NULL;
}

/* ---- answers ---- */

static struct cu_bytes pack(const ProtobufCMessage *message, struct cu_buf *out)
{
    (void)protobuf_c_message_pack(message,
                                  cu_buf_extend(out, protobuf_c_message_get_packed_size(message)));
    return out->data ? cu_buf_bytes(out) : (struct cu_bytes){(const uint8_t *)"", 0};
}

void export_fail(struct exported *x, enum cu_grpc_status status, const char *text)
{
    cu_grpc_call_finish(x->call, status, text, (struct cu_bytes){0});
}

void export_send(struct exported *x, const ProtobufCMessage *message)
{
    struct cu_buf packed = {0};
    cu_grpc_call_send(x->call, pack(message, &packed));
    cu_buf_deinit(&packed);
}

void export_finish(struct exported *x, const ProtobufCMessage *message)
{
    struct cu_buf packed = {0};
    cu_grpc_call_finish(x->call, CU_GRPC_OK, "", pack(message, &packed));
    cu_buf_deinit(&packed);
}

/* ---- calls and follows through the rows ---- */

static void serve(struct exported *x, struct cu_bytes body, uint64_t timeout_ms)
{
    x->inlet.method = cu_bytes_of(x->method);
    x->inlet.body = body;
    x->inlet.timeout_ms = (uint32_t)timeout_ms;
    x->inlet.token = x->token;
    x->inlet.address = cu_grpc_call_peer(x->call);
    x->inlet.arg = x;
    cu_inlet_serve(x->export->o.rpc, &x->inlet);
}

static void unary_done(void *arg, const struct cu_inlet_answer *answer)
{
    struct exported *x = arg;
    struct cu_bytes body = answer->body;
    if (!body.data)
        body = (struct cu_bytes){(const uint8_t *)"", 0};
    if (answer->err)
        export_fail(x, cu_grpc_status_of(answer->err), answer->text);
    else
        cu_grpc_call_finish(x->call, CU_GRPC_OK, "", body);
}

static void unary_message(struct exported *x, struct cu_bytes bytes)
{
    uint64_t left_ms = cu_grpc_call_left_ms(x->call);
    if (x->has_request) {
        export_fail(x, CU_GRPC_INVALID_ARGUMENT, "a second request in one call");
        return;
    }
    x->has_request = true;
    x->inlet.done = unary_done;
    serve(x, bytes, left_ms < CU_GRPC_CALL_MS ? left_ms : CU_GRPC_CALL_MS);
}

static void half_closed(struct exported *x)
{
    if (!x->has_request)
        export_fail(x, CU_GRPC_INVALID_ARGUMENT, "the call ended without a request");
}

static void poll_next(struct exported *x);

/* Writes the next poll into x->request; false: something does not parse. */
static bool advance(struct exported *x, struct cu_bytes request, const struct cu_bytes *reply,
                    bool *ret_is_empty)
{
    struct cu_arena *arena = cu_arena_new(EXPORT_ARENA_BYTES);
    ProtobufCAllocator *allocator = cu_arena_allocator(arena);
    ProtobufCMessage *next =
        protobuf_c_message_unpack(x->descriptor->input, allocator, request.len,
                                  request.len ? request.data : (const uint8_t *)"");
    ProtobufCMessage *got =
        reply ? protobuf_c_message_unpack(x->descriptor->output, allocator, reply->len,
                                          reply->len ? reply->data : (const uint8_t *)"")
              : NULL;
    bool good = next && (got || !reply);
    if (good) {
        struct cu_buf packed = {0};
        *ret_is_empty = got && x->follow->is_empty(got);
        x->follow->next(next, got, CU_GRPC_FOLLOW_MS);
        (void)pack(next, &packed);
        cu_buf_deinit(&x->request);
        x->request = packed;
    }
    cu_arena_free(arena);
    return good;
}

static void follow_done(void *arg, const struct cu_inlet_answer *answer)
{
    struct exported *x = arg;
    bool is_empty = false;
    if (answer->err) {
        export_fail(x, cu_grpc_status_of(answer->err), answer->text);
    } else if (!advance(x, cu_buf_bytes(&x->request), &answer->body, &is_empty)) {
        export_fail(x, CU_GRPC_INTERNAL, "the reply does not parse");
    } else if (is_empty) {
        poll_next(x);
    } else if (cu_grpc_call_can_send(x->call)) {
        cu_grpc_call_send(x->call, answer->body); /* and on in follow_sent() */
    }
}

static void poll_now(void *arg)
{
    struct exported *x = arg;
    serve(x, cu_buf_bytes(&x->request), 2 * CU_GRPC_FOLLOW_MS);
}

/* A poll may be answered at once: it begins at the end of the turn, not on top of the last one. */
static void poll_next(struct exported *x)
{
    cu_loop_at_turn_end(x->export->o.loop, &x->poll);
}

static void follow_message(struct exported *x, struct cu_bytes bytes)
{
    bool is_empty;
    if (x->has_request) {
        export_fail(x, CU_GRPC_INVALID_ARGUMENT, "a second request in one stream");
        return;
    }
    x->has_request = true;
    x->inlet.done = follow_done;
    if (advance(x, bytes, NULL, &is_empty))
        poll_next(x);
    else
        export_fail(x, CU_GRPC_INVALID_ARGUMENT, "the request does not parse");
}

const struct exported_kind exported_unary = {unary_message, half_closed, NULL};
const struct exported_kind exported_follow = {follow_message, half_closed, poll_next};

/* ---- events of the server ---- */

static void take_token(struct exported *x)
{
    struct cu_bytes token = cu_grpc_call_metadata(x->call, "x-consul-token");
    /* One that is too long is nobody's, cut as well: not none. */
    size_t len = token.len < sizeof x->token ? token.len : sizeof x->token - 1;
    if (len)
        memcpy(x->token, token.data, len);
}

static void *start(void *arg, struct cu_grpc_call *call)
{
    struct cu_grpc_export *export = arg;
    struct exported *x = cu_alloc(sizeof *x);
    x->export = export;
    x->call = call;
    x->poll = (struct cu_turn_hook){.fn = poll_now, .arg = x};
    x->next = export->all;
    x->at = &export->all;
    if (x->next)
        x->next->at = &x->next;
    export->all = x;
    take_token(x);
    x->kind = choose(x);
    if (!x->kind)
        export_fail(x, CU_GRPC_UNIMPLEMENTED, "there is no such method");
    return x;
}

static void message(void *user, struct cu_grpc_call *call, struct cu_bytes bytes)
{
    struct exported *x = user;
    (void)call;
    x->kind->message(x, bytes);
}

static void client_half_closed(void *user, struct cu_grpc_call *call)
{
    struct exported *x = user;
    (void)call;
    x->kind->half_closed(x);
}

static void sent(void *user, struct cu_grpc_call *call)
{
    struct exported *x = user;
    (void)call;
    if (x->kind->sent)
        x->kind->sent(x);
}

static void gone(void *user, struct cu_grpc_call *call)
{
    struct exported *x = user;
    (void)call;
    cu_inlet_cancel(&x->inlet);
    cu_turn_hook_cancel(x->export->o.loop, &x->poll);
    *x->at = x->next;
    if (x->next)
        x->next->at = x->at;
    cu_buf_deinit(&x->request);
    free(x);
}

static const struct cu_grpc_events events = {start, message, client_half_closed, sent, gone};

/* ---- the export ---- */

struct cu_grpc_export *cu_grpc_export_new(const struct cu_grpc_export_options *options)
{
    struct cu_grpc_export *export = cu_alloc(sizeof *export);
    export->o = *options;
    export->server = cu_grpc_server_new(&(struct cu_grpc_options){
        .loop = options->loop, .metrics = options->metrics, .events = &events, .arg = export});
    return export;
}

enum cu_err cu_grpc_export_listen(struct cu_grpc_export *export, const char *address,
                                  struct cu_diag *diag)
{
    return cu_grpc_server_listen(export->server, address, diag);
}

void cu_grpc_export_start(struct cu_grpc_export *export)
{
    cu_grpc_server_start(export->server);
}

void cu_grpc_export_drain(struct cu_grpc_export *export)
{
    export->is_draining = true;
    for (struct exported *x = export->all; x; x = x->next)
        if (x->watches)
            export_health_drained(x);
}

void cu_grpc_export_free(struct cu_grpc_export *export)
{
    if (!export)
        return;
    cu_grpc_server_free(export->server);
    free(export);
}
