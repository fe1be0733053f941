#include "services/catalogd/rpc/grpc.h"

#include <string.h>

#include "common/base/endpoint.h"
#include "common/grpc/export.h"
#include "proto/curia/v1/catalog.pb-c.h"
#include "proto/curia/v1/feed.pb-c.h"
#include "proto/curia/v1/health.pb-c.h"
#include "proto/curia/v1/kv.pb-c.h"

/* ---- Feed.Follow ---- */

static void next_poll(ProtobufCMessage *request, const ProtobufCMessage *reply, uint32_t wait_ms)
{
    Curia__V1__FeedFollowRequest *in = (Curia__V1__FeedFollowRequest *)request;
    const Curia__V1__FeedFollowReply *out = (const Curia__V1__FeedFollowReply *)reply;
    in->wait_ms = wait_ms;
    if (out)
        in->after = out->upto;
}

/* "Nothing" is not news; a compacted or diverged feed is, and the client ends the stream. */
static bool is_nothing(const ProtobufCMessage *reply)
{
    return ((const Curia__V1__FeedFollowReply *)reply)->outcome ==
           CURIA__V1__FEED_OUTCOME__FEED_NOTHING;
}

static const struct cu_grpc_follow follows[] = {
    {"Feed.Follow", next_poll, is_nothing},
    {0},
};

static const ProtobufCServiceDescriptor *const services[] = {
    &curia__v1__kv__descriptor,
    &curia__v1__feed__descriptor,
    &curia__v1__catalog__descriptor,
    &curia__v1__health__descriptor,
    NULL,
};

enum cu_err catalog_grpc_start(struct catalog_shell *shell, struct cu_diag *diag)
{
    char address[CU_ENDPOINT_BYTES];
    if (shell->conf.grpc_port < 0)
        return CU_OK;
    shell->grpc =
        cu_grpc_export_new(&(struct cu_grpc_export_options){.loop = shell->env->loop,
                                                            .rpc = shell->env->rpc,
                                                            .metrics = shell->env->metrics,
                                                            .services = services,
                                                            .follows = follows});
    (void)cu_endpoint_text(shell->env->client_address, (unsigned)shell->conf.grpc_port, address);
    enum cu_err err = cu_grpc_export_listen(shell->grpc, address, diag);
    if (!err)
        cu_grpc_export_start(shell->grpc);
    return err;
}

void catalog_grpc_drain(struct catalog_shell *shell)
{
    if (shell->grpc)
        cu_grpc_export_drain(shell->grpc);
}

void catalog_grpc_stop(struct catalog_shell *shell)
{
    cu_grpc_export_free(shell->grpc);
    shell->grpc = NULL;
}
