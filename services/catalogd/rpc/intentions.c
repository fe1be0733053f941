/* Intentions: who may call whom (mesh.md 3.4). */
#include "proto/curia/v1/config.pb-c.h"
#include "services/catalogd/core/intention.h"
#include "services/catalogd/core/vet.h"
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

static enum cu_err match_permit(struct catalog_shell *shell, struct cu_rq *rq, struct cu_diag *diag)
{
    const Curia__V1__IntentionMatchRequest *in = (const Curia__V1__IntentionMatchRequest *)rq->in;
    (void)shell;
    enum cu_err err = cu_rq_permit(rq, INTENTION_READ, cu_bytes_of(in->name), diag);
    for (size_t i = 0; !err && i < in->n_more; i++)
        err = cu_rq_permit(rq, INTENTION_READ, cu_bytes_of(in->more[i]), diag);
    return err;
}

// clang-format off
static const struct catalog_query
    list_query = {DISCOVERY_QUERY("Intentions.List", intention_list_request, intention_list_reply, evaluate_list, topics)},
    match_query = {DISCOVERY_QUERY("Intentions.Match", intention_match_request, intention_list_reply, evaluate_match, topics), .permit = match_permit},
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

/* One that is named by its id is the destination's that has it now. */
static enum cu_err check_by_id(struct catalog_shell *shell, struct cu_rq *rq, const char *id,
                               struct catalog_vetted *vetted, struct cu_diag *diag)
{
    const struct catalog_backend *snapshot = catalog_readers_snapshot(shell->readers);
    Curia__V1__IntentionGetRequest request = CURIA__V1__INTENTION_GET_REQUEST__INIT;
    Curia__V1__IntentionGetReply found = CURIA__V1__INTENTION_GET_REPLY__INIT;
    struct catalog_bookmark bookmark;
    uint64_t index;
    cu_arena_set_limit(rq->arena, CATALOG_READ_ARENA_BYTES);
    if (!snapshot || catalog_bookmark_read(snapshot, rq->arena, &bookmark))
        return cu_fail(diag, CU_E_NOT_READY, "the state cannot be read now");
    struct catalog_view view = catalog_view_of(snapshot, &bookmark);
    request.id = (char *)(uintptr_t)id;
    enum cu_err err = catalog_intention_get(&view, &request, rq->arena, &found, &index);
    if (err)
        return cu_fail(diag, err, "the state cannot be read: %s", cu_err_words(err));
    if (!found.intention)
        return CU_OK; /* apply says so */
    const char *destination = found.intention->destination_name;
    err = catalog_vetted_add(vetted, CATALOG_CONFIG_ENTRIES,
                             catalog_config_key(rq->arena, CATALOG_SERVICE_INTENTIONS, destination),
                             found.intention->modify_index);
    return err ? cu_fail(diag, err, "the request is too large")
               : cu_rq_permit(rq, INTENTION_WRITE, cu_bytes_of(destination), diag);
}

static enum cu_err check_rights(struct catalog_shell *shell, struct cu_rq *rq,
                                const Curia__V1__Intention *intention,
                                struct catalog_vetted *vetted, struct cu_diag *diag)
{
    enum cu_err err = CU_OK;
    if (!shell->conf.acl.is_enabled)
        return CU_OK;
    if (*intention->id)
        err = check_by_id(shell, rq, intention->id, vetted, diag);
    if (!err && *intention->destination_name)
        err = cu_rq_permit(rq, INTENTION_WRITE, cu_bytes_of(intention->destination_name), diag);
    return err;
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
    struct catalog_vetted vetted = {.arena = rq->arena};
    struct cu_diag diag = {0};
    enum cu_err err = check_rights(daemon, rq, in->intention, &vetted, &diag);
    if (err) {
        catalog_refuse(daemon, rq, err, diag.text);
        return;
    }
    catalog_command_init(rq, in->reason, &origin, &command);
    body.verb = (uint32_t)in->verb;
    body.intention = in->intention;
    command.intention = &body;
    command.checked = (Curia__Internal__V1__Checked **)vetted.rows.items;
    command.n_checked = vetted.rows.count;
    catalog_write_serve(daemon, rq, &command, answer_apply);
}

static struct cu_bytes checked_destination(const ProtobufCMessage *in)
{
    return cu_bytes_of(((const Curia__V1__IntentionCheckRequest *)in)->destination);
}

// clang-format off
static const struct cu_method methods[] = {
    /*        method  kind     route           caller        permission                              request     reply       handler */
    CU_METHOD(List,   CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(ANY_TOKEN, NULL),                    64 * KIB,   64 * MIB,   list),
    CU_METHOD(Match,  CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(ANY_TOKEN, NULL),                    16 * KIB,   64 * MIB,   match),
    CU_METHOD(Check,  CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(SERVICE_READ, checked_destination), 16 * KIB,   16 * KIB,   check),
    CU_METHOD(Get,    CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(ANY_TOKEN, NULL),                    16 * KIB,   1472 * KIB, get),
    CU_METHOD(Apply,  CU_CALL, ROUTE_ATTACHED, CALLER_AGENT, PERM(ANY_TOKEN, NULL),                    1472 * KIB, 16 * KIB,   apply),
};
// clang-format on

const struct cu_service catalog_intentions_service = {&curia__v1__intentions__descriptor, methods,
                                                      CU_COUNT(methods)};
