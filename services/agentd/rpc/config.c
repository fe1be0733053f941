/* config.c - /v1/config (http-api.md 2.15). */
#include <string.h>

#include "services/agentd/core/mesh.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/read.h"
#include "services/agentd/rpc/routes.h"
#include "services/agentd/rpc/write.h"

/* ---- reads ---- */

static unsigned encode_entry(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__ConfigGetReply *reply = (const Curia__V1__ConfigGetReply *)message;
    size_t start = out->len;
    if (!reply->entry)
        return 404;
    agent_entry_write(out, reply->entry);
    return agent_read_finish(200, format, start, out);
}

static unsigned encode_entries(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__ConfigListReply *reply = (const Curia__V1__ConfigListReply *)message;
    size_t start = out->len;
    cu_buf_u8(out, '[');
    for (size_t i = 0; i < reply->n_entries; i++) {
        if (i)
            cu_buf_u8(out, ',');
        agent_entry_write(out, reply->entries[i]);
    }
    cu_buf_u8(out, ']');
    return agent_read_finish(200, format, start, out);
}

static void no_entry(struct agent_call *call)
{
    const Curia__V1__ConfigGetRequest *get = (const Curia__V1__ConfigGetRequest *)call->request;
    (void)agent_refuse(&call->fault, 404, "Config entry not found for \"%.64s\" / \"%.256s\"",
                       get->kind, get->name);
}

/* clang-format off */
#define METHOD(name, encode) {&curia__v1__config__descriptor, name, encode}
static const struct agent_read_row one  = {.method = METHOD("Get",  encode_entry), .absent = no_entry};
static const struct agent_read_row many = {.method = METHOD("List", encode_entries)};
/* clang-format on */

/* "kind" or "kind/name", whose name may hold slashes; *ret_name NULL: there is none. False: the
 * call is answered. */
static bool split(struct agent_call *call, char **ret_kind, char **ret_name)
{
    char *kind =
        cu_arena_printf(call->rq.arena, "%.*s", (int)call->tail.len, (const char *)call->tail.data);
    if (!kind) {
        agent_answer_text(call, 500, "request is too large");
        return false;
    }
    char *slash = strchr(kind, '/');
    if (slash)
        *slash = '\0';
    *ret_kind = kind;
    *ret_name = slash ? slash + 1 : NULL;
    return true;
}

static bool check_kind(struct agent_call *call, const char *kind, unsigned status)
{
    if (agent_is_entry_kind(kind))
        return true;
    (void)agent_refuse(&call->fault, status, "invalid config entry kind: %.200s", kind);
    agent_answer_fault(call);
    return false;
}

static void read_one(struct agent_call *call, char *kind, char *name)
{
    Curia__V1__ConfigGetRequest *get = agent_new_request(call, sizeof *get);
    if (!get)
        return;
    curia__v1__config_get_request__init(get);
    get->kind = kind;
    get->name = name;
    agent_read_start(call, &one, &get->base);
}

static void read_many(struct agent_call *call, char *kind)
{
    Curia__V1__ConfigListRequest *list = agent_new_request(call, sizeof *list);
    if (!list)
        return;
    if (agent_query_value(&call->query, "filter").len) {
        agent_answer_text(call, 500, "filter expressions are not supported yet");
        return;
    }
    curia__v1__config_list_request__init(list);
    list->kind = kind;
    agent_read_start(call, &many, &list->base);
}

/* ---- writes ---- */

static void was_set(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    struct cu_buf json = {0};
    if (agent_answer_failed(call, answer))
        return;
    const Curia__V1__ConfigSetReply *reply = (const Curia__V1__ConfigSetReply *)answer->message;
    cu_buf_text(&json, reply->applied ? "true" : "false");
    agent_answer_json(call, 200, &json, NULL);
}

static void was_deleted(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    struct cu_buf json = {0};
    if (agent_answer_failed(call, answer))
        return;
    cu_buf_text(&json, "{}");
    agent_answer_json(call, 200, &json, NULL);
}

void agent_config_put(struct agent_call *call)
{
    Curia__V1__ConfigSetRequest *set = agent_new_request(call, sizeof *set);
    Curia__V1__ConfigEntry *entry = set ? agent_new_request(call, sizeof *entry) : NULL;
    if (!entry)
        return;
    curia__v1__config_set_request__init(set);
    set->entry = entry;
    struct cu_bytes cas = agent_query_value(&call->query, "cas");
    set->has_cas = cas.len > 0;
    if (agent_entry_parse(cu_buf_bytes(&call->rq.body), call->rq.arena, entry, &call->fault) &&
        (!set->has_cas || agent_number_parse(cas, &set->cas, &call->fault)))
        agent_write_start(call, &curia__v1__config__descriptor, "Set", &set->base, was_set);
    else
        agent_answer_fault(call);
}

static void delete_one(struct agent_call *call, char *kind, char *name)
{
    Curia__V1__ConfigDeleteRequest *delete = agent_new_request(call, sizeof *delete);
    if (!delete)
        return;
    curia__v1__config_delete_request__init(delete);
    delete->kind = kind;
    delete->name = name;
    agent_write_start(call, &curia__v1__config__descriptor, "Delete", &delete->base, was_deleted);
}

void agent_config_handle(struct agent_call *call)
{
    bool is_get = call->rq.method[0] == 'G';
    char *kind, *name;
    if (!split(call, &kind, &name))
        return;
    if (!is_get && !name)
        agent_answer_text(call, 404, "Must provide both a kind and name to delete");
    else if (is_get && !*kind && !name)
        read_many(call, kind);
    else if (!check_kind(call, kind, is_get ? 500 : 400))
        return;
    else if (!is_get)
        delete_one(call, kind, name);
    else if (name)
        read_one(call, kind, name);
    else
        read_many(call, kind);
}
