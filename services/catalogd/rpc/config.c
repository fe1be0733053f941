/* Config: entries of the mesh's configuration (http-api.md 2.15). */
#include "proto/curia/v1/config.pb-c.h"
#include "services/catalogd/core/config_entry.h"
#include "services/catalogd/core/config_read.h"
#include "services/catalogd/core/may.h"
#include "services/catalogd/rpc/discovery.h"
#include "services/catalogd/rpc/table.h"
#include "services/catalogd/rpc/write.h"

enum { CONFIG_ARENA_BYTES = 16 * 1024 * 1024 };

/* ---- reads ---- */

// clang-format off
DISCOVERY_EVALUATE(evaluate_get, catalog_config_read, Curia__V1__ConfigGetRequest, Curia__V1__ConfigGetReply)
DISCOVERY_EVALUATE(evaluate_list, catalog_config_list, Curia__V1__ConfigListRequest, Curia__V1__ConfigListReply)
// clang-format on

static size_t topics_of_get(const ProtobufCMessage *in, struct cu_arena *arena,
                            struct catalog_topic topics[CATALOG_READ_TOPICS_MAX])
{
    const Curia__V1__ConfigGetRequest *request = (const Curia__V1__ConfigGetRequest *)in;
    topics[0] = (struct catalog_topic){CATALOG_CONFIG_ENTRIES, false,
                                       catalog_config_key(arena, request->kind, request->name)};
    return topics[0].key.data ? 1 : 0;
}

DISCOVERY_TOPICS_OF_TABLE(topics_of_list, CATALOG_CONFIG_ENTRIES)

static enum cu_err get_permit(struct catalog_shell *shell, struct cu_rq *rq, struct cu_diag *diag)
{
    const Curia__V1__ConfigGetRequest *in = (const Curia__V1__ConfigGetRequest *)rq->in;
    (void)shell;
    return cu_rq_permit(rq, catalog_entry_read_right(in->kind), cu_bytes_of(in->name), diag);
}

// clang-format off
static const struct catalog_query
    get_query = {DISCOVERY_QUERY("Config.Get", config_get_request, config_get_reply, evaluate_get, topics_of_get), .permit = get_permit},
    list_query = {DISCOVERY_QUERY("Config.List", config_list_request, config_list_reply, evaluate_list, topics_of_list)};
// clang-format on

static void get(void *daemon, struct cu_rq *rq)
{
    catalog_read_serve(daemon, rq, &get_query);
}

static void list(void *daemon, struct cu_rq *rq)
{
    catalog_read_serve(daemon, rq, &list_query);
}

/* ---- writes ---- */

/* False: the request has been answered. */
static bool may_write(struct catalog_shell *shell, struct cu_rq *rq, const char *kind,
                      const char *name)
{
    struct cu_diag diag = {0};
    enum cu_err err = cu_rq_permit(rq, catalog_entry_write_right(kind), cu_bytes_of(name), &diag);
    if (err)
        catalog_refuse(shell, rq, err, diag.text);
    return !err;
}

static void answer_set(struct cu_rq *rq, const struct catalog_outcome *outcome)
{
    Curia__V1__ConfigSetReply reply = CURIA__V1__CONFIG_SET_REPLY__INIT;
    if (catalog_write_refused(rq, outcome))
        return;
    reply.applied = outcome->result->applied;
    cu_rq_reply(rq, &reply.base, outcome->shown_index);
}

static void answer_delete(struct cu_rq *rq, const struct catalog_outcome *outcome)
{
    Curia__V1__ConfigDeleteReply reply = CURIA__V1__CONFIG_DELETE_REPLY__INIT;
    if (!catalog_write_refused(rq, outcome))
        cu_rq_reply(rq, &reply.base, outcome->shown_index);
}

static void set(void *daemon, struct cu_rq *rq)
{
    const Curia__V1__ConfigSetRequest *in = (const Curia__V1__ConfigSetRequest *)rq->in;
    Curia__Internal__V1__ConfigCommand body = CURIA__INTERNAL__V1__CONFIG_COMMAND__INIT;
    struct catalog_refusal refusal = {CU_E_INVALID, "there is no config entry in it"};
    cu_arena_set_limit(rq->arena, CONFIG_ARENA_BYTES);
    enum cu_err err = in->entry ? catalog_config_prepare(in->entry, rq->arena, &refusal) : CU_OK;
    if (err || refusal.text) {
        cu_rq_fail(rq, err ? err : refusal.err, "%s",
                   err ? "the config entry is too large" : refusal.text);
        return;
    }
    if (!may_write(daemon, rq, in->entry->kind, in->entry->name))
        return;
    Curia__Internal__V1__Origin origin;
    Curia__Internal__V1__Command command;
    catalog_command_init(rq, in->reason, &origin, &command);
    body.entry = in->entry;
    body.has_cas = in->has_cas;
    body.cas = in->cas;
    command.config = &body;
    catalog_write_serve(daemon, rq, &command, answer_set);
}

static void delete_entry(void *daemon, struct cu_rq *rq)
{
    const Curia__V1__ConfigDeleteRequest *in = (const Curia__V1__ConfigDeleteRequest *)rq->in;
    Curia__Internal__V1__ConfigCommand body = CURIA__INTERNAL__V1__CONFIG_COMMAND__INIT;
    Curia__V1__ConfigEntry entry = CURIA__V1__CONFIG_ENTRY__INIT;
    Curia__Internal__V1__Origin origin;
    Curia__Internal__V1__Command command;
    if (!may_write(daemon, rq, in->kind, in->name))
        return;
    catalog_command_init(rq, in->reason, &origin, &command);
    entry.kind = in->kind;
    entry.name = in->name;
    body.entry = &entry;
    body.is_delete = true;
    command.config = &body;
    catalog_write_serve(daemon, rq, &command, answer_delete);
}

// clang-format off
static const struct cu_method methods[] = {
    /*        method  kind     route           caller        permission            request     reply       handler */
    CU_METHOD(Get,    CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(ANY_TOKEN, NULL), 16 * KIB,   1472 * KIB, get),
    CU_METHOD(List,   CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(ANY_TOKEN, NULL), 16 * KIB,   64 * MIB,   list),
    CU_METHOD(Set,    CU_CALL, ROUTE_ATTACHED, CALLER_AGENT, PERM(ANY_TOKEN, NULL), 1472 * KIB, 4 * KIB,    set),
    CU_METHOD(Delete, CU_CALL, ROUTE_ATTACHED, CALLER_AGENT, PERM(ANY_TOKEN, NULL), 16 * KIB,   4 * KIB,    delete_entry),
};
// clang-format on

const struct cu_service catalog_config_service = {&curia__v1__config__descriptor, methods,
                                                  CU_COUNT(methods)};
