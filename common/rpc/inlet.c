#include "common/rpc/inlet.h"

#include <stdlib.h>

#include "common/base/assert.h"
#include "common/rpc/internal.h"

bool cu_inlet_find(const struct cu_rpc *rpc, struct cu_bytes method, enum cu_method_kind *ret_kind,
                   const ProtobufCMethodDescriptor **ret_descriptor)
{
    const struct rpc_row *row = cu_map_get(&rpc->rows, method);
    if (!row || row->method->caller > CALLER_AGENT)
        return false;
    *ret_kind = row->method->kind;
    *ret_descriptor = row->descriptor;
    return true;
}

static void refuse(struct cu_inlet_call *call, enum cu_err err, const char *text)
{
    call->done(call->arg, &(struct cu_inlet_answer){.err = err, .text = text});
}

/* The session of one request: its requests list is empty again when it has been answered. */
static void answered(struct rpc_session *session, const struct cu_reply *reply,
                     const struct cu_body *body)
{
    struct cu_inlet_call *call = session->inlet;
    struct cu_buf packed = {0};
    struct cu_bytes bytes = body->packed;
    if (body->message) {
        size_t len = protobuf_c_message_get_packed_size(body->message);
        (void)protobuf_c_message_pack(body->message, cu_buf_extend(&packed, len));
        bytes = cu_buf_bytes(&packed);
    }
    call->session = NULL;
    rpc_requests_lost(session); /* nobody points to the peer any more */
    free(session);
    call->done(call->arg, &(struct cu_inlet_answer){.err = cu_err_from_wire(reply->error),
                                                    .text = (const char *)reply->text.data,
                                                    .index = reply->index,
                                                    .body = bytes});
    cu_buf_deinit(&packed);
}

void cu_inlet_serve(struct cu_rpc *rpc, struct cu_inlet_call *call)
{
    struct rpc_session *session = cu_alloc(sizeof *session);
    struct cu_admission admission = {0};
    session->rpc = rpc;
    session->inlet = call;
    session->answered = answered;
    session->peer = (struct cu_peer){.daemon = "", .node_id = "", .address = call->address};
    rpc_admit(session, NULL, &(struct cu_envelope){.method = call->method}, &admission);
    if (!admission.err && call->body.len > admission.body_limit) {
        admission.err = CU_E_TOO_LARGE;
        admission.text = "the request is over its limit";
    }
    if (admission.err) {
        free(session);
        refuse(call, admission.err, admission.text);
        return;
    }
    call->session = session;
    rpc_serve(session, NULL, 0,
              &(struct cu_envelope){.method = call->method,
                                    .timeout_ms = call->timeout_ms,
                                    .token = cu_bytes_of(call->token ? call->token : ""),
                                    .origin_daemon = cu_bytes_of("grpc"),
                                    .origin_address = cu_bytes_of(call->address),
                                    .body = call->body});
}

void cu_inlet_cancel(struct cu_inlet_call *call)
{
    struct rpc_session *session = call->session;
    if (!session)
        return;
    call->session = NULL;
    rpc_requests_lost(session);
    free(session);
}
