#include "services/catalogd/io/gossip.h"

#include <stdlib.h>

#include "common/base/assert.h"
#include "proto/curia/internal/v1/daemon.pb-c.h"
#include "proto/curia/internal/v1/members.pb-c.h"

struct catalog_gossip {
    struct catalog_shell *shell;
    cu_callback *up;
    void *arg;
    struct cu_client *client;
    struct cu_call *asking;
    struct cu_timer timer;
    struct cu_mono lived; /* last sign of life; at first: the start */
};

static struct cu_mono now(const struct catalog_gossip *gossip)
{
    return cu_loop_now(gossip->shell->env->loop);
}

static void told(void *arg, const struct cu_answer *answer)
{
    struct catalog_gossip *gossip = arg;
    gossip->asking = NULL;
    if (!answer->err)
        gossip->lived = now(gossip);
}

static void ask(void *arg)
{
    static const Curia__Internal__V1__DaemonStatusRequest request =
        CURIA__INTERNAL__V1__DAEMON_STATUS_REQUEST__INIT;
    struct catalog_gossip *gossip = arg;
    if (!gossip->asking && cu_client_is_up(gossip->client))
        gossip->asking = cu_client_call(
            gossip->client,
            &(struct cu_call_spec){.service = &curia__internal__v1__daemon__descriptor,
                                   .method = "Status",
                                   .in = &request.base,
                                   .timeout_ms = CATALOG_GOSSIP_LIFE_MS},
            told, gossip);
    cu_timer_set_ms(&gossip->timer, CATALOG_GOSSIP_ASK_MS);
}

static void state_changed(void *arg, struct cu_client *client, bool is_up)
{
    struct catalog_gossip *gossip = arg;
    (void)client;
    if (!is_up)
        return;
    gossip->lived = now(gossip);
    gossip->up(gossip->arg);
}

struct catalog_gossip *catalog_gossip_new(struct catalog_shell *shell, cu_callback *up, void *arg)
{
    struct catalog_gossip *gossip = cu_alloc(sizeof *gossip);
    char *url = cu_env_local_url(shell->env, "gossipd");
    gossip->shell = shell;
    gossip->up = up;
    gossip->arg = arg;
    gossip->lived = now(gossip);
    cu_timer_init(&gossip->timer, shell->env->loop, ask, gossip);
    cu_timer_set_ms(&gossip->timer, CATALOG_GOSSIP_ASK_MS);
    gossip->client = cu_client_new(shell->env->rpc, url, state_changed, gossip);
    free(url);
    return gossip;
}

void catalog_gossip_free(struct catalog_gossip *gossip)
{
    if (!gossip)
        return;
    if (gossip->asking)
        cu_call_cancel(gossip->asking);
    cu_client_free(gossip->client);
    cu_timer_close(&gossip->timer);
    free(gossip);
}

bool catalog_gossip_is_well(const struct catalog_gossip *gossip)
{
    return cu_mono_ms_between(gossip->lived, now(gossip)) <= CATALOG_GOSSIP_LIFE_MS;
}

struct cu_call *catalog_gossip_call(struct catalog_gossip *gossip, const char *method,
                                    const ProtobufCMessage *in, uint32_t timeout_ms,
                                    cu_on_answer *on_answer, void *arg)
{
    return cu_client_call(
        gossip->client,
        &(struct cu_call_spec){.service = &curia__internal__v1__members__descriptor,
                               .method = method,
                               .in = in,
                               .timeout_ms = timeout_ms},
        on_answer, arg);
}
