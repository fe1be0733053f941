#include "services/agentd/io/gossip.h"

#include <stdlib.h>

#include "common/base/assert.h"
#include "curia/internal/v1/members.pb-c.h"

struct agent_gossip {
    struct cu_client *client;
    struct cu_timer timer;
    struct cu_call *counting;
    size_t count;
};

static void counted(void *arg, const struct cu_answer *answer)
{
    struct agent_gossip *gossip = arg;
    gossip->counting = NULL;
    if (!answer->err)
        gossip->count = ((const Curia__Internal__V1__MembersListReply *)answer->message)->n_members;
}

static void count(void *arg)
{
    static const Curia__Internal__V1__MembersListRequest request =
        CURIA__INTERNAL__V1__MEMBERS_LIST_REQUEST__INIT;
    struct agent_gossip *gossip = arg;
    if (!gossip->counting)
        gossip->counting =
            agent_gossip_call(gossip, "List", &request.base, AGENT_GOSSIP_MS, counted, gossip);
    cu_timer_set_ms(&gossip->timer, AGENT_COUNT_MS);
}

static void state_changed(void *arg, struct cu_client *client, bool is_up)
{
    (void)client;
    if (is_up)
        count(arg);
}

struct agent_gossip *agent_gossip_new(struct cu_rpc *rpc, struct cu_loop *loop, const char *url)
{
    struct agent_gossip *gossip = cu_alloc(sizeof *gossip);
    cu_timer_init(&gossip->timer, loop, count, gossip);
    cu_timer_set_ms(&gossip->timer, AGENT_COUNT_MS);
    gossip->client = cu_client_new(rpc, url, state_changed, gossip);
    return gossip;
}

void agent_gossip_free(struct agent_gossip *gossip)
{
    if (!gossip)
        return;
    if (gossip->counting)
        cu_call_cancel(gossip->counting);
    cu_timer_close(&gossip->timer);
    cu_client_free(gossip->client);
    free(gossip);
}

struct cu_call *agent_gossip_call(struct agent_gossip *gossip, const char *method,
                                  const ProtobufCMessage *request, uint32_t timeout_ms,
                                  cu_on_answer *done, void *arg)
{
    if (!cu_client_is_up(gossip->client))
        return NULL;
    return cu_client_call(gossip->client,
                          &(struct cu_call_spec){
                              .service = &curia__internal__v1__members__descriptor,
                              .method = method,
                              .in = request,
                              .timeout_ms = timeout_ms,
                          },
                          done, arg);
}

size_t agent_gossip_count(const struct agent_gossip *gossip)
{
    return gossip->count ? gossip->count : 1;
}
