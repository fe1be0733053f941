/* call.c - plain calls that find a catalogd; declared in view.h. */
#include "common/base/assert.h"
#include "common/view/internal.h"

static struct cu_view_call *call_of(struct view_task *task)
{
    return (struct cu_view_call *)((char *)task - offsetof(struct cu_view_call, task));
}

static void finish(struct cu_view_call *call, const struct cu_answer *answer)
{
    call->call = NULL;
    call->view = NULL;
    call->done(call->arg, answer);
}

static void fail(struct cu_view *view, struct view_task *task)
{
    (void)view;
    struct cu_answer answer = {.err = CU_E_DISCONNECTED, .text = "no catalogd is reachable"};
    finish(call_of(task), &answer);
}

/* A write whose fate nobody knows is told so, and never sent again (contracts 1.9). */
static void finish_unknown(struct cu_view_call *call, const struct cu_answer *answer)
{
    struct cu_answer unknown = *answer;
    unknown.err = CU_E_UNKNOWN;
    finish(call, &unknown);
}

static void go(struct cu_view *view, struct view_task *task);

static void answered(void *arg, const struct cu_answer *answer)
{
    struct cu_view_call *call = arg;
    struct cu_view *view = call->view;

    call->call = NULL;
    if (answer->err == CU_E_NOT_READY) { /* nothing was done: a write may be sent again, too */
        cu_count(view->repeated, 1);
        if (view_try_another(view, &call->task, call->asked))
            go(view, &call->task);
        else
            view_hold(view, &call->task);
    } else if (answer->err == CU_E_DISCONNECTED && (call->repeatable || !answer->sent)) {
        cu_count(view->repeated, 1);
        view_hold(view, &call->task);
    } else if ((answer->err == CU_E_DISCONNECTED || answer->err == CU_E_DEADLINE) &&
               !call->repeatable) {
        finish_unknown(call, answer);
    } else {
        finish(call, answer);
    }
}

static void go(struct cu_view *view, struct view_task *task)
{
    struct cu_view_call *call = call_of(task);
    struct cu_client *client = view_catalogs_pick(view->catalogs);
    if (!client) {
        view_hold(view, task);
        return;
    }
    struct cu_call_spec spec = {
        .service = call->service,
        .method = call->method,
        .in = call->request,
        .timeout_ms = call->timeout_ms,
        .token = call->token,
        .origin = call->origin,
    };
    call->asked = client;
    call->call = cu_client_call(client, &spec, answered, call);
}

void cu_view_call(struct cu_view *view, struct cu_view_call *call)
{
    CU_ASSERT(!call->view);
    call->view = view;
    call->task = (struct view_task){.go = go, .fail = fail};
    go(view, &call->task);
}

void cu_view_call_cancel(struct cu_view_call *call)
{
    if (!call->view)
        return;
    view_task_leave(call->view, &call->task);
    if (call->call)
        cu_call_cancel(call->call);
    call->call = NULL;
    call->view = NULL;
}
