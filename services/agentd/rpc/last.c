#include "services/agentd/rpc/last.h"

#include <stdlib.h>

#include "common/base/assert.h"

/* What it was made for; texts are constants, so that pointers tell them apart. */
struct agent_last {
    struct agent_shared_response *response; /* NULL: none */
    struct agent_body body;
    struct agent_meta meta;
    int64_t second;
};

struct agent_last *agent_last_new(void)
{
    return cu_alloc(sizeof(struct agent_last));
}

static void drop(struct agent_last *last)
{
    agent_shared_unref(last->response);
    cu_view_body_unref(last->body.body);
}

void agent_last_free(struct agent_last *last)
{
    if (!last)
        return;
    drop(last);
    free(last);
}

static bool is_same_meta(const struct agent_meta *a, const struct agent_meta *b)
{
    return a->index == b->index && a->known_leader == b->known_leader &&
           a->last_contact_ms == b->last_contact_ms && a->consistency == b->consistency &&
           a->cache == b->cache && a->age_s == b->age_s;
}

bool agent_last_is(const struct agent_last *last, const struct agent_body *body,
                   const struct agent_meta *meta, int64_t second)
{
    return last->response && last->body.body == body->body &&
           last->body.content_type == body->content_type &&
           last->body.is_gzipped == body->is_gzipped && is_same_meta(&last->meta, meta) &&
           last->second == second;
}

void agent_last_set(struct agent_last *last, const struct agent_body *body,
                    const struct agent_meta *meta, int64_t second, struct MHD_Response *response)
{
    (void)cu_view_body_ref(body->body);
    drop(last);
    *last = (struct agent_last){agent_shared_new(response), *body, *meta, second};
}

struct agent_shared_response *agent_last_get(struct agent_last *last)
{
    return last->response;
}
