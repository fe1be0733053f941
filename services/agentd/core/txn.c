#include "services/agentd/core/txn.h"

#include <inttypes.h>

#include "common/json/scan.h"
#include "services/agentd/core/shapes.h"

struct parsing {
    struct cu_arena *arena;
    struct agent_txn *txn;
    struct agent_fault *fault;
    uint64_t max_value_bytes;
};

static bool bad_body(struct parsing *p, const char *reason)
{
    return agent_refuse(p->fault, 400, "Failed to parse body: %s", reason);
}

static bool out_of_memory(struct parsing *p)
{
    return bad_body(p, "it is too large to decode");
}

static bool is_read(int verb)
{
    return verb == AGENT_UNKNOWN_VERB || verb >= CURIA__V1__KV_VERB__KV_GET;
}

/* The verb as it was written, for the sentence that says it is unknown. */
static char *written_verb(struct parsing *p, struct cu_bytes operation)
{
    struct cu_json_walk walk = cu_json_walk(operation);
    struct cu_bytes quoted, value, name;
    char *verb = "";
    while (cu_json_next_member(&walk, &quoted, &value))
        if (cu_json_unquote(quoted, p->arena, &name) == CU_OK && cu_json_name_is(name, "Verb") &&
            cu_json_kind(value) == CU_JSON_KIND_STRING &&
            cu_json_unquote(value, p->arena, &name) == CU_OK)
            verb = (char *)name.data;
    return verb; /* empty when the arena is full: the number of the operation tells, too */
}

static bool add_kv(struct parsing *p, struct cu_bytes value)
{
    struct cu_diag diag = {0};
    Curia__V1__KvOperation *op = cu_arena_alloc(p->arena, sizeof *op);
    if (!op)
        return out_of_memory(p);
    curia__v1__kv_operation__init(op);
    op->verb = (Curia__V1__KvVerb)AGENT_UNKNOWN_VERB; /* when none is given */
    if (cu_json_read(value, &agent_shape_kv_operation, p->arena, &op->base, &diag))
        return bad_body(p, diag.text);
    if (op->value.len > p->max_value_bytes)
        return agent_refuse(p->fault, 413,
                            "Value for key \"%.*s\" is too large (%zu > %" PRIu64 " bytes)",
                            (int)(op->key.len < 512 ? op->key.len : 512), (char *)op->key.data,
                            op->value.len, p->max_value_bytes);
    p->txn->request.operations[p->txn->request.n_operations++] = op;
    p->txn->only_reads &= is_read((int)op->verb);
    if ((int)op->verb == AGENT_UNKNOWN_VERB)
        op->unknown_verb = written_verb(p, value);
    return true;
}

/* One element of the body: an object with KV, or with nothing and then dropped. */
static bool add_element(struct parsing *p, struct cu_bytes element)
{
    static const char *const catalog[] = {"Node", "Service", "Check"};
    struct cu_bytes quoted, value, name, kv = {0};
    enum cu_json_kind kind = cu_json_kind(element);

    if (kind == CU_JSON_KIND_NULL)
        return true;
    if (kind != CU_JSON_KIND_OBJECT)
        return agent_refuse(p->fault, 400,
                            "Failed to parse body: json: cannot unmarshal %s into Go value of type "
                            "api.TxnOp",
                            cu_json_kind_name(kind));
    for (struct cu_json_walk walk = cu_json_walk(element);
         cu_json_next_member(&walk, &quoted, &value);) {
        if (cu_json_unquote(quoted, p->arena, &name))
            return out_of_memory(p);
        bool known = cu_json_name_is(name, "KV");
        if (known)
            kv = value;
        for (size_t i = 0; i < CU_COUNT(catalog); i++)
            if (cu_json_name_is(name, catalog[i])) {
                known = true;
                if (cu_json_kind(value) != CU_JSON_KIND_NULL)
                    return agent_refuse(p->fault, 400,
                                        "%s operations are not part of this build: it has KV "
                                        "operations only",
                                        catalog[i]);
            }
        if (!known)
            return agent_refuse(p->fault, 400, "Failed to parse body: json: unknown field \"%.*s\"",
                                (int)(name.len < 200 ? name.len : 200), (const char *)name.data);
    }
    return !kv.data || cu_json_kind(kv) == CU_JSON_KIND_NULL || add_kv(p, kv);
}

static size_t count_elements(struct cu_bytes list)
{
    size_t count = 0;
    struct cu_bytes element;
    for (struct cu_json_walk walk = cu_json_walk(list); cu_json_next_element(&walk, &element);)
        count++;
    return count;
}

bool agent_txn_parse(struct cu_bytes body, uint64_t max_value_bytes, struct cu_arena *arena,
                     struct agent_txn *ret_txn, struct agent_fault *fault)
{
    struct parsing p = {arena, ret_txn, fault, max_value_bytes};
    struct cu_diag diag = {0};
    struct cu_bytes list, element;

    *ret_txn = (struct agent_txn){.only_reads = true};
    curia__v1__kv_txn_request__init(&ret_txn->request);
    if (cu_json_check(body, &list, &diag))
        return bad_body(&p, diag.text);
    enum cu_json_kind kind = cu_json_kind(list);
    if (kind == CU_JSON_KIND_NULL)
        return true;
    if (kind != CU_JSON_KIND_ARRAY)
        return agent_refuse(fault, 400,
                            "Failed to parse body: json: cannot unmarshal %s into Go value of type "
                            "api.TxnOps",
                            cu_json_kind_name(kind));
    size_t count = count_elements(list);
    if (count > AGENT_TXN_MAX_OPERATIONS)
        return agent_refuse(fault, 413, "Transaction contains too many operations (%zu > %d)",
                            count, AGENT_TXN_MAX_OPERATIONS);
    ret_txn->request.operations = cu_arena_alloc(arena, count * sizeof(void *));
    if (!ret_txn->request.operations)
        return out_of_memory(&p);
    for (struct cu_json_walk walk = cu_json_walk(list); cu_json_next_element(&walk, &element);)
        if (!add_element(&p, element))
            return false;
    return true;
}
