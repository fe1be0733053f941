/* Answers that go out more than once. */
#include "services/agentd/rpc/last.h"

#include <stdlib.h>

#include "common/base/assert.h"
#include "tests/lib/suite.h"

static struct cu_view_body *new_body(void)
{
    struct cu_view_body *body = cu_alloc(sizeof *body + 1);
    body->refs = 1;
    body->len = 1;
    return body;
}

START_TEST(it_is_for_one_body_its_heads_and_one_second)
{
    struct agent_last *last = agent_last_new();
    struct agent_body body = {.body = new_body(), .content_type = "application/json"}, other = body;
    struct agent_meta meta = {.index = 7, .known_leader = true}, changed = meta;
    ck_assert(!agent_last_is(last, &body, &meta, 100));
    agent_last_set(last, &body, &meta, 100, agent_response_share(body.body));
    ck_assert(agent_last_is(last, &body, &meta, 100));
    ck_assert(!agent_last_is(last, &body, &meta, 101));
    changed.age_s = 1;
    ck_assert(!agent_last_is(last, &body, &changed, 100));
    other.body = new_body();
    ck_assert(!agent_last_is(last, &other, &meta, 100));
    struct agent_shared_response *kept = agent_shared_ref(agent_last_get(last));
    agent_last_set(last, &other, &meta, 100, agent_response_share(other.body));
    ck_assert(agent_last_is(last, &other, &meta, 100));
    agent_shared_unref(kept); /* whoever has it may have it longer */
    agent_last_free(last);
    cu_view_body_unref(body.body);
    cu_view_body_unref(other.body);
}
END_TEST

SUITE_MAIN("services/agentd/rpc/last", it_is_for_one_body_its_heads_and_one_second)
