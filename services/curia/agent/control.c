#include "services/curia/agent/control.h"

#include <stdlib.h>
#include <string.h>

#include "curia/internal/v1/node.pb-c.h"

#include "common/base/assert.h"
#include "common/rpc/rpc.h"
#include "services/curia/agent/lines.h"
#include "services/curia/socket.h"

struct control {
    struct control_options options;
    struct cu_rpc *rpc;
    struct lines lines;
    struct waiter {
        struct cu_rq *rq; /* NULL: free */
        struct control *control;
        struct cu_timer timer; /* of a follower */
        uint64_t after;        /* of a follower; 0: waits for a reload */
    } waiters[CONTROL_REQUESTS];
    struct cu_turn_hook hook; /* lines have come */
};

/* ---- who waits ---- */

static void let_go(struct waiter *waiter)
{
    cu_timer_close(&waiter->timer);
    waiter->rq = NULL;
}

static void gone(void *arg)
{
    let_go(arg);
}

/* NULL: there is no room, and the request is answered so. */
static struct waiter *wait_for(struct control *control, struct cu_rq *rq, uint64_t after,
                               cu_callback *late)
{
    for (size_t i = 0; i < CONTROL_REQUESTS; i++) {
        struct waiter *waiter = &control->waiters[i];
        if (waiter->rq)
            continue;
        *waiter = (struct waiter){.rq = rq, .control = control, .after = after};
        cu_timer_init(&waiter->timer, control->options.loop, late, waiter);
        cu_rq_on_gone(rq, gone, waiter);
        return waiter;
    }
    cu_rq_fail(rq, CU_E_OVERLOADED, "%d requests wait already", CONTROL_REQUESTS);
    return NULL;
}

/* ---- lines ---- */

static void answer_lines(struct waiter *waiter)
{
    static char *list[LINES_KEPT]; /* of one answer at a time */
    struct control *control = waiter->control;
    Curia__Internal__V1__FollowLogReply reply = CURIA__INTERNAL__V1__FOLLOW_LOG_REPLY__INIT;
    uint64_t first = lines_first(&control->lines);
    size_t bytes = 0;
    reply.upto = waiter->after;
    reply.lines = list;
    if (first <= waiter->after)
        first = waiter->after + 1;
    for (uint64_t n = first; n <= control->lines.last; n++) {
        const char *line = lines_get(&control->lines, n);
        bytes += strlen(line) + 16;
        if (bytes > CONTROL_REPLY_BYTES)
            break;
        list[reply.n_lines++] = (char *)line;
        reply.upto = n;
    }
    struct cu_rq *rq = waiter->rq;
    let_go(waiter);
    cu_rq_reply(rq, &reply.base, 0);
}

static void late(void *arg)
{
    answer_lines(arg);
}

static void hand_out(void *arg)
{
    struct control *control = arg;
    for (size_t i = 0; i < CONTROL_REQUESTS; i++) {
        struct waiter *waiter = &control->waiters[i];
        if (waiter->rq && waiter->after && waiter->after < control->lines.last)
            answer_lines(waiter);
    }
}

void control_line(struct control *control, const char *text, size_t len)
{
    if (len && text[len - 1] == '\n')
        len--;
    lines_add(&control->lines, text, len);
    cu_loop_at_turn_end(control->options.loop, &control->hook);
}

static void follow_log(void *context, struct cu_rq *rq)
{
    struct control *control = context;
    const Curia__Internal__V1__FollowLogRequest *in =
        (const Curia__Internal__V1__FollowLogRequest *)rq->in;
    Curia__Internal__V1__FollowLogReply reply = CURIA__INTERNAL__V1__FOLLOW_LOG_REPLY__INIT;
    if (!in->after) {
        reply.upto = control->lines.last ? control->lines.last : 1;
        cu_rq_reply(rq, &reply.base, 0);
        return;
    }
    struct waiter *waiter = wait_for(control, rq, in->after, late);
    if (!waiter)
        return;
    if (waiter->after < control->lines.last)
        answer_lines(waiter);
    else
        cu_timer_set_ms(&waiter->timer, in->wait_ms);
}

/* ---- reload ---- */

static void reload_node(void *context, struct cu_rq *rq)
{
    struct control *control = context;
    const char *reason = "";
    struct waiter *waiter = wait_for(control, rq, 0, gone);
    if (!waiter || control->options.reload(control->options.arg, &reason))
        return; /* it may have ended already */
    let_go(waiter);
    cu_rq_fail(rq, CU_E_INVALID, "%s", reason);
}

void control_reloaded(struct control *control, const char *failure)
{
    static const Curia__Internal__V1__ReloadNodeReply reply =
        CURIA__INTERNAL__V1__RELOAD_NODE_REPLY__INIT;
    for (size_t i = 0; i < CONTROL_REQUESTS; i++) {
        struct waiter *waiter = &control->waiters[i];
        struct cu_rq *rq = waiter->rq;
        if (!rq || waiter->after)
            continue;
        let_go(waiter);
        if (failure)
            cu_rq_fail(rq, CU_E_INVALID, "%s", failure);
        else
            cu_rq_reply(rq, &reply.base, 0);
    }
}

/* ---- its life ---- */

/* clang-format off */
static const struct cu_method methods[] = {
    CU_METHOD(ReloadNode, CU_CALL,   ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, KIB,       reload_node),
    CU_METHOD(FollowLog,  CU_FOLLOW, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, 2 * MIB,   follow_log),
};
/* clang-format on */
static const struct cu_service service = {&curia__internal__v1__node_agent__descriptor, methods,
                                          CU_COUNT(methods)};

enum cu_err control_new(const struct control_options *options, struct control **ret_control,
                        struct cu_diag *diag)
{
    char url[CLI_URL_BYTES];
    struct control *control = cu_alloc(sizeof *control);
    control->options = *options;
    control->hook = (struct cu_turn_hook){.fn = hand_out, .arg = control};
    control->rpc = cu_rpc_new(&(struct cu_rpc_options){.loop = options->loop,
                                                       .log = options->log,
                                                       .daemon = "curia",
                                                       .node_id = "",
                                                       .node_name = options->node_name,
                                                       .datacenter = "",
                                                       .local = CU_LOCAL_LOOP});
    cu_rpc_add_service(control->rpc, &service, control);
    cli_socket_url(options->run_dir, "curia", url);
    enum cu_err err = cu_rpc_listen(control->rpc, url, diag);
    if (err)
        control_free(control);
    else
        *ret_control = control;
    return err;
}

void control_free(struct control *control)
{
    if (!control)
        return;
    for (size_t i = 0; i < CONTROL_REQUESTS; i++)
        if (control->waiters[i].rq)
            let_go(&control->waiters[i]);
    cu_rpc_free(control->rpc);
    cu_turn_hook_cancel(control->options.loop, &control->hook);
    lines_deinit(&control->lines);
    free(control);
}
