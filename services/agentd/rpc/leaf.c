/* leaf.c - /v1/agent/connect/ca/leaf/ (http-api.md 2.5, mesh.md 1.11). */
#include <stdlib.h>

#include "common/base/assert.h"
#include "services/agentd/core/connect.h"
#include "services/agentd/io/leaves.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/local.h"
#include "services/agentd/rpc/routes.h"

enum { MS_PER_S = 1000 };

struct work {
    struct agent_leaf_read read;
    bool is_starting; /* agent_leaf_read() has not returned yet */
    bool is_done;
};

static struct work *take_work(struct agent_call *call)
{
    struct work *work = call->work;
    call->work = NULL;
    call->drop_work = NULL;
    return work;
}

static void give_up(struct agent_call *call)
{
    struct work *work = take_work(call);
    agent_leaf_cancel(&work->read);
    free(work);
}

static void answer(struct agent_call *call, const struct agent_leaf_answer *said)
{
    struct cu_buf json = {0};
    if (said->err) {
        agent_answer_error(call, said->err, said->text, 500);
        return;
    }
    struct agent_meta meta = {
        .index = said->cert->modify_index,
        .known_leader = true,
        .cache = said->is_hit ? AGENT_CACHE_HIT : AGENT_CACHE_MISS,
        .age_s = said->age_ms / MS_PER_S,
    };
    cu_json_write(&json, &agent_shape_issued_cert, &said->cert->base);
    agent_answer_json(call, 200, &json, &meta);
}

static void done(void *arg, const struct agent_leaf_answer *said)
{
    struct agent_call *call = arg;
    struct work *work = take_work(call);
    work->is_done = true;
    if (!work->is_starting)
        free(work);
    answer(call, said);
}

void agent_leaf_get(struct agent_call *call)
{
    const char *service = agent_tail_text(call);
    if (!*service) {
        agent_answer_text(call, 500, "URI must be either service or agent");
        return;
    }
    struct work *work = cu_alloc(sizeof *work);
    work->read = (struct agent_leaf_read){.service = service,
                                          .token = call->token,
                                          .index = call->options.index,
                                          .wait_ms = call->options.wait_ms,
                                          .done = done,
                                          .arg = call};
    work->is_starting = true;
    call->work = work;
    call->drop_work = give_up;
    call->rq.will_wait = call->options.index > 0;
    agent_leaf_read(call->agent->leaves, &work->read);
    work->is_starting = false;
    if (work->is_done)
        free(work);
}
