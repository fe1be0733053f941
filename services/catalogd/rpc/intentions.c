/* Intentions: who may call whom (mesh.md 3.4). */
#include "proto/curia/v1/config.pb-c.h"
#include "services/catalogd/core/intention.h"
#include "services/catalogd/rpc/discovery.h"
#include "services/catalogd/rpc/table.h"
#include "services/catalogd/rpc/write.h"

/* ---- reads: all rest on the one table ---- */

// clang-format off
DISCOVERY_EVALUATE(evaluate_list, catalog_intention_list, Curia__V1__IntentionListRequest, Curia__V1__IntentionListReply)
DISCOVERY_EVALUATE(evaluate_match, catalog_intention_match, Curia__V1__IntentionMatchRequest, Curia__V1__IntentionListReply)
DISCOVERY_EVALUATE(evaluate_check, catalog_intention_check, Curia__V1__IntentionCheckRequest, Curia__V1__IntentionCheckReply)
DISCOVERY_EVALUATE(evaluate_get, catalog_intention_get, Curia__V1__IntentionGetRequest, Curia__V1__IntentionGetReply)
// clang-format on

DISCOVERY_TOPICS_OF_TABLE(topics, CATALOG_CONFIG_ENTRIES)

// clang-format off
static const struct catalog_query
    list_query = {DISCOVERY_QUERY("Intentions.List", intention_list_request, intention_list_reply, evaluate_list, topics)},
    match_query = {DISCOVERY_QUERY("Intentions.Match", intention_match_request, intention_list_reply, evaluate_match, topics)},
    check_query = {DISCOVERY_QUERY("Intentions.Check", intention_check_request, intention_check_reply, evaluate_check, topics)},
    get_query = {DISCOVERY_QUERY("Intentions.Get", intention_get_request, intention_get_reply, evaluate_get, topics)};
// clang-format on

static void list(void *daemon, struct cu_rq *rq)
{
    catalog_discovery_serve(
        daemon, rq, &list_query,
        (struct catalog_filtered){((const Curia__V1__IntentionListRequest *)rq->in)->filter,
                                  &cu_filter_intention});
}

static void match(void *daemon, struct cu_rq *rq)
{
    catalog_read_serve(daemon, rq, &match_query);
}

static void check(void *daemon, struct cu_rq *rq)
{
    catalog_read_serve(daemon, rq, &check_query);
}

static void get(void *daemon, struct cu_rq *rq)
{
    catalog_read_serve(daemon, rq, &get_query);
}

/* ---- writes ---- */

static void answer_apply(struct cu_rq *rq, const struct catalog_outcome *outcome)
{
    const Curia__V1__IntentionApplyRequest *in = (const Curia__V1__IntentionApplyRequest *)rq->in;
    Curia__V1__IntentionApplyReply reply = CURIA__V1__INTENTION_APPLY_REPLY__INIT;
    if (catalog_write_refused(rq, outcome))
        return;
    reply.id = in->intention->id;
    cu_rq_reply(rq, &reply.base, outcome->shown_index);
}

static void apply(void *daemon, struct cu_rq *rq)
{
    const Curia__V1__IntentionApplyRequest *in = (const Curia__V1__IntentionApplyRequest *)rq->in;
    Curia__Internal__V1__IntentionCommand body = CURIA__INTERNAL__V1__INTENTION_COMMAND__INIT;
    Curia__Internal__V1__Origin origin;
    Curia__Internal__V1__Command command;
    if (!in->intention) {
        cu_rq_fail(rq, CU_E_INVALID, "there is no intention in it");
        return;
    }
    catalog_command_init(rq, in->reason, &origin, &command);
    body.verb = (uint32_t)in->verb;
    body.intention = in->intention;
    command.intention = &body;
    catalog_write_serve(daemon, rq, &command, answer_apply);
}

static struct cu_bytes destination(const ProtobufCMessage *in)
{
    const Curia__V1__Intention *i = ((const Curia__V1__IntentionApplyRequest *)in)->intention;
    return cu_bytes_of(i ? i->destination_name : "");
}

// clang-format off
static const struct cu_method methods[] = {
    /*        method  kind     route           caller        permission                          request     reply       handler */
    CU_METHOD(List,   CU_CALL, ROUTE_ANY,      CALLER_AGENT, NO_PERM,                            64 * KIB,   64 * MIB,   list),
    CU_METHOD(Match,  CU_CALL, ROUTE_ANY,      CALLER_AGENT, NO_PERM,                            16 * KIB,   64 * MIB,   match),
    CU_METHOD(Check,  CU_CALL, ROUTE_ANY,      CALLER_AGENT, NO_PERM,                            16 * KIB,   16 * KIB,   check),
    CU_METHOD(Get,    CU_CALL, ROUTE_ANY,      CALLER_AGENT, NO_PERM,                            16 * KIB,   1472 * KIB, get),
    CU_METHOD(Apply,  CU_CALL, ROUTE_ATTACHED, CALLER_AGENT, PERM(SERVICE_WRITE, destination),   1472 * KIB, 16 * KIB,   apply),
};
// clang-format on

const struct cu_service catalog_intentions_service = {&curia__v1__intentions__descriptor, methods,
                                                      CU_COUNT(methods)};
