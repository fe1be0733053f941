/* ConnectCa: roots, configuration and leaves of the mesh (http-api.md 2.16, mesh.md 1). */
#include <string.h>

#include "proto/curia/v1/connect.pb-c.h"
#include "services/catalogd/core/ca.h"
#include "services/catalogd/io/ca.h"
#include "services/catalogd/io/ca_terms.h"
#include "services/catalogd/rpc/discovery.h"
#include "services/catalogd/rpc/table.h"
#include "services/catalogd/rpc/write.h"

/* ---- reads ---- */

static enum cu_err evaluate_roots(const struct catalog_view *view, const ProtobufCMessage *in,
                                  struct cu_arena *arena, ProtobufCMessage *out,
                                  uint64_t *ret_index)
{
    (void)in;
    return catalog_ca_roots(view, arena, (Curia__V1__CaRootsReply *)out, ret_index);
}

/* The cluster id shows nowhere but in the trust domain. */
static enum cu_err evaluate_config(const struct catalog_view *view, const ProtobufCMessage *in,
                                   struct cu_arena *arena, ProtobufCMessage *out,
                                   uint64_t *ret_index)
{
    static char nothing[] = "";
    Curia__V1__CaConfigReply *reply = (Curia__V1__CaConfigReply *)out;
    (void)in;
    enum cu_err err = catalog_ca_config(view, arena, &reply->config, ret_index);
    if (!err && reply->config)
        reply->config->cluster_id = nothing;
    return err;
}

DISCOVERY_TOPICS_OF_TABLE(topics_of_roots, CATALOG_CONNECT_ROOTS)

DISCOVERY_TOPICS_OF_TABLE(topics_of_config, CATALOG_CONNECT_CONFIG)

// clang-format off
static const struct catalog_query
    roots_query = {DISCOVERY_QUERY("ConnectCa.Roots", ca_roots_request, ca_roots_reply, evaluate_roots, topics_of_roots)},
    config_query = {DISCOVERY_QUERY("ConnectCa.Config", ca_config_request, ca_config_reply, evaluate_config, topics_of_config)};
// clang-format on

static void roots(void *daemon, struct cu_rq *rq)
{
    catalog_read_serve(daemon, rq, &roots_query);
}

static void config(void *daemon, struct cu_rq *rq)
{
    catalog_read_serve(daemon, rq, &config_query);
}

/* ---- writes ---- */

static void answer_set(struct cu_rq *rq, const struct catalog_outcome *outcome)
{
    Curia__V1__CaConfigSetReply reply = CURIA__V1__CA_CONFIG_SET_REPLY__INIT;
    if (catalog_write_refused(rq, outcome))
        return;
    if (!outcome->result->applied)
        cu_rq_fail(rq, CU_E_CONFLICT, "the CA has changed meanwhile; try again");
    else
        cu_rq_reply(rq, &reply.base, outcome->shown_index);
}

/* The cluster id that stands; NULL: there is no CA yet. */
static const char *standing_id(struct catalog_shell *shell, struct cu_arena *arena,
                               uint64_t *ret_roots_index)
{
    const struct catalog_backend *snapshot = catalog_readers_snapshot(shell->readers);
    struct catalog_bookmark bookmark;
    Curia__V1__CaConfig *now = NULL;
    uint64_t index;
    if (!snapshot || catalog_bookmark_read(snapshot, arena, &bookmark))
        return NULL;
    struct catalog_view view = catalog_view_of(snapshot, &bookmark);
    *ret_roots_index = view.roots_index;
    return catalog_ca_config(&view, arena, &now, &index) || !now ? NULL : now->cluster_id;
}

static void set_config(void *daemon, struct cu_rq *rq)
{
    struct catalog_shell *shell = daemon;
    const Curia__V1__CaConfigSetRequest *in = (const Curia__V1__CaConfigSetRequest *)rq->in;
    Curia__Internal__V1__CaSetCommand body = CURIA__INTERNAL__V1__CA_SET_COMMAND__INIT;
    Curia__Internal__V1__Origin origin;
    Curia__Internal__V1__Command command;
    struct cu_diag diag = {0};
    if (!in->config || strcmp(in->config->provider, "consul") != 0) {
        cu_rq_fail(rq, CU_E_INVALID, "could not initialize provider: unknown CA provider \"%.64s\"",
                   in->config ? in->config->provider : "");
        return;
    }
    struct cu_bytes json = {in->config->config.data, in->config->config.len};
    enum cu_err err = catalog_ca_terms_check(json, &diag);
    const char *id = err ? NULL : standing_id(shell, rq->arena, &body.roots_index);
    if (!err && !id)
        err = cu_fail(&diag, CU_E_NOT_READY, "the CA is not initialized yet");
    if (err) {
        cu_rq_fail(rq, err, "%s", diag.text);
        return;
    }
    catalog_command_init(rq, in->reason, &origin, &command);
    in->config->cluster_id = (char *)(uintptr_t)id;
    body.config = in->config;
    command.ca_set = &body;
    catalog_write_serve(shell, rq, &command, answer_set);
}

static void sign(void *daemon, struct cu_rq *rq)
{
    struct catalog_shell *shell = daemon;
    catalog_ca_sign(shell->ca, rq);
}

// clang-format off
static const struct cu_method methods[] = {
    /*        method     kind     route           caller        permission                  request    reply       handler */
    CU_METHOD(Roots,     CU_CALL, ROUTE_ANY,      CALLER_AGENT, NO_PERM,                    16 * KIB,  1472 * KIB, roots),
    CU_METHOD(Config,    CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(OPERATOR_WRITE, NULL), 16 * KIB,  1472 * KIB, config),
    CU_METHOD(SetConfig, CU_CALL, ROUTE_ATTACHED, CALLER_AGENT, PERM(OPERATOR_WRITE, NULL), 256 * KIB, 4 * KIB,    set_config),
    CU_METHOD(Sign,      CU_CALL, ROUTE_DUTY,     CALLER_AGENT, PERM(ANY_TOKEN, NULL),       72 * KIB,  256 * KIB,  sign),
};
// clang-format on

const struct cu_service catalog_connect_service = {&curia__v1__connect_ca__descriptor, methods,
                                                   CU_COUNT(methods)};
