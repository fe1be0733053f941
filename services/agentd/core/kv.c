#include "services/agentd/core/kv.h"

#include <string.h>

#include "services/agentd/core/options.h"

static ProtobufCBinaryData binary(struct cu_bytes bytes)
{
    return (ProtobufCBinaryData){bytes.len, (uint8_t *)bytes.data}; /* packing only reads it */
}

static bool has_key(struct cu_bytes key, struct agent_fault *fault)
{
    return key.len > 0 || agent_refuse(fault, 400, "Missing key name");
}

bool agent_kv_read_parse(const struct agent_query *query, struct cu_bytes key,
                         enum agent_kv_read *ret_read, struct agent_fault *fault)
{
    if (agent_query_has(query, "keys")) {
        *ret_read = AGENT_KV_KEYS;
        return true;
    }
    if (agent_query_has(query, "recurse")) {
        *ret_read = AGENT_KV_TREE;
        return true;
    }
    *ret_read = agent_query_has(query, "raw") ? AGENT_KV_RAW : AGENT_KV_ONE;
    return has_key(key, fault);
}

struct cu_bytes agent_kv_separator(const struct agent_query *query)
{
    const struct cu_bytes *right = agent_query_get(query, "separator");
    return right ? *right : agent_query_value(query, "seperator");
}

/* At most one of the named parameters may be there. */
static bool no_conflict(const struct agent_query *query, const char *const *names,
                        struct agent_fault *fault)
{
    unsigned found = 0;
    for (; *names; names++)
        found += agent_query_has(query, *names);
    if (found <= 1)
        return true;
    struct cu_buf all = {0};
    agent_query_encode(&all, query);
    (void)agent_refuse(fault, 400, "Conflicting flags: %.*s", (int)all.len, (char *)all.data);
    cu_buf_deinit(&all);
    return false;
}

/* Sessions are named by text; one with a NUL in it is no session's. */
static bool take_session(struct cu_bytes text, Curia__V1__KvPutRequest *request,
                         struct agent_fault *fault)
{
    if (text.len == 0)
        return agent_refuse(fault, 500, "missing session");
    if (memchr(text.data, 0, text.len))
        return agent_refuse(fault, 500,
                            "failed session lookup: index error: UUID must be 36 characters");
    request->session = (char *)text.data; /* query values end with a NUL */
    return true;
}

bool agent_kv_put_parse(const struct agent_query *query, struct cu_bytes key, struct cu_bytes value,
                        Curia__V1__KvPutRequest *request, struct agent_fault *fault)
{
    static const char *const exclusive[] = {"cas", "acquire", "release", NULL};
    const struct cu_bytes *flags = agent_query_get(query, "flags");
    const struct cu_bytes *cas = agent_query_get(query, "cas");
    const struct cu_bytes *acquire = agent_query_get(query, "acquire");
    const struct cu_bytes *release = agent_query_get(query, "release");

    if (!has_key(key, fault) || !no_conflict(query, exclusive, fault))
        return false;
    request->key = binary(key);
    request->value = binary(value);
    request->verb = CURIA__V1__KV_VERB__KV_SET;
    if (flags && !agent_number_parse(*flags, &request->flags, fault))
        return false;
    if (cas) {
        request->verb = CURIA__V1__KV_VERB__KV_CAS;
        return agent_number_parse(*cas, &request->index, fault);
    }
    if (acquire) {
        request->verb = CURIA__V1__KV_VERB__KV_LOCK;
        return take_session(*acquire, request, fault);
    }
    if (release) {
        request->verb = CURIA__V1__KV_VERB__KV_UNLOCK;
        return take_session(*release, request, fault);
    }
    return true;
}

bool agent_kv_delete_parse(const struct agent_query *query, struct cu_bytes key,
                           Curia__V1__KvPutRequest *request, struct agent_fault *fault)
{
    static const char *const exclusive[] = {"recurse", "cas", NULL};
    const struct cu_bytes *cas = agent_query_get(query, "cas");
    bool recurse = agent_query_has(query, "recurse");

    if (!recurse && !has_key(key, fault))
        return false;
    if (!no_conflict(query, exclusive, fault))
        return false;
    request->key = binary(key);
    request->verb = recurse ? CURIA__V1__KV_VERB__KV_DELETE_TREE : CURIA__V1__KV_VERB__KV_DELETE;
    if (!cas)
        return true;
    request->verb = CURIA__V1__KV_VERB__KV_DELETE_CAS;
    return agent_number_parse(*cas, &request->index, fault);
}
