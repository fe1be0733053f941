#include "services/agentd/core/acl.h"

#include <string.h>
#include <strings.h>

#include "common/base/num.h"
#include "common/json/scan.h"
#include "common/json/text.h"
#include "services/agentd/core/rfc3339.h"

enum { NS_PER_MS = 1000 * 1000 };

void agent_acl_bootstrap_write(struct cu_buf *out, const Curia__V1__AclToken *token)
{
    cu_buf_text(out, "{\"ID\":");
    cu_json_cstr(out, token->secret_id);
    size_t at = out->len;
    cu_json_write(out, &agent_shape_acl_token, &token->base);
    out->data[at] = ','; /* in the place of its brace */
}

/* ---- bodies ---- */

static bool out_of_memory(struct agent_fault *fault)
{
    return agent_refuse(fault, 500, "request is too large");
}

/* `prefix`: "Token decoding failed". Of unknown members one gets an explanation (1.7). */
static bool bad_body(struct agent_fault *fault, const char *prefix, const char *why)
{
    static const char namespace[] = "json: unknown field \"Namespace\"";
    bool is_namespace = strncasecmp(why, namespace, sizeof namespace) == 0;
    return agent_refuse(fault, 400, "Bad request: %s: %s%s", prefix, why,
                        is_namespace ? " - Namespaces are a Consul Enterprise feature" : "");
}

/* *ret_value: the whole of it, for what no shape reads. */
static bool decode(struct cu_bytes body, const struct cu_json_shape *shape, const char *prefix,
                   struct cu_arena *arena, ProtobufCMessage *message, struct cu_bytes *ret_value,
                   struct agent_fault *fault)
{
    struct cu_diag diag = {0};
    if (cu_json_check(body, ret_value, &diag))
        return bad_body(fault, prefix, diag.text);
    enum cu_err err = cu_json_read(*ret_value, shape, arena, message, &diag);
    if (err == CU_E_TOO_LARGE)
        return out_of_memory(fault);
    return err ? bad_body(fault, prefix, diag.text) : true;
}

bool agent_acl_policy_parse(struct cu_bytes body, struct cu_arena *arena,
                            Curia__V1__AclPolicy *ret_policy, struct agent_fault *fault)
{
    struct cu_bytes value;
    return decode(body, &agent_shape_acl_policy_body, "Policy decoding failed", arena,
                  &ret_policy->base, &value, fault);
}

bool agent_acl_role_parse(struct cu_bytes body, struct cu_arena *arena,
                          Curia__V1__AclRole *ret_role, struct agent_fault *fault)
{
    struct cu_bytes value;
    return decode(body, &agent_shape_acl_role_body, "Role decoding failed", arena, &ret_role->base,
                  &value, fault);
}

/* ---- tokens ---- */

static bool bad_token(struct agent_fault *fault, const char *why)
{
    return bad_body(fault, "Token decoding failed", why);
}

static bool text_of(struct cu_bytes value, struct cu_arena *arena, const char **ret_text,
                    struct agent_fault *fault)
{
    struct cu_bytes text;
    if (cu_json_unquote(value, arena, &text))
        return out_of_memory(fault);
    *ret_text = (const char *)text.data;
    return true;
}

static bool read_expiration(struct cu_bytes value, struct cu_arena *arena,
                            Curia__V1__AclTokenSetRequest *set, struct agent_fault *fault)
{
    const char *text = "";
    if (cu_json_kind(value) != CU_JSON_KIND_STRING)
        return bad_token(fault, "Time.UnmarshalJSON: input is not a JSON string");
    if (!text_of(value, arena, &text, fault))
        return false;
    if (agent_time_parse(text, &set->token->expiration_time_ms))
        return true;
    return agent_refuse(fault, 400,
                        "Bad request: Token decoding failed: parsing time \"\\\"%.64s\\\"\" as "
                        "\"\\\"2006-01-02T15:04:05Z07:00\\\"\": cannot parse it",
                        text);
}

static int64_t whole_ms(int64_t ns)
{
    return ns / NS_PER_MS + (ns % NS_PER_MS > 0) - (ns % NS_PER_MS < 0); /* 0 is none: not nearly */
}

/* A duration, or a number of ns; what is neither means nothing to the reference. */
static bool read_ttl(struct cu_bytes value, struct cu_arena *arena,
                     Curia__V1__AclTokenSetRequest *set, struct agent_fault *fault)
{
    enum cu_json_kind kind = cu_json_kind(value);
    struct cu_diag diag = {0};
    const char *text = "";
    int64_t ns = 0;
    if (kind == CU_JSON_KIND_STRING) {
        if (!text_of(value, arena, &text, fault))
            return false;
        if (cu_parse_duration_ns(text, &ns, &diag))
            return bad_token(fault, diag.text);
    } else if (kind == CU_JSON_KIND_NUMBER &&
               cu_parse_i64((const char *)value.data, value.len, &ns)) {
        return bad_token(fault, "time: invalid duration");
    }
    set->has_expiration_ttl = ns != 0;
    set->expiration_ttl_ms = whole_ms(ns);
    return true;
}

static bool is_blank(struct cu_bytes value)
{
    return cu_json_kind(value) != CU_JSON_KIND_STRING || value.len == sizeof "\"\"" - 1;
}

static bool no_rules(struct cu_bytes value, struct cu_arena *arena,
                     Curia__V1__AclTokenSetRequest *set, struct agent_fault *fault)
{
    (void)arena;
    (void)set;
    return is_blank(value) || agent_refuse(fault, 500, "Rules cannot be specified for this token");
}

static bool no_method(struct cu_bytes value, struct cu_arena *arena,
                      Curia__V1__AclTokenSetRequest *set, struct agent_fault *fault)
{
    (void)arena;
    (void)set;
    return is_blank(value) ||
           agent_refuse(fault, 500, "AuthMethod field is disallowed outside of Login");
}

/* What no shape reads. */
static const struct {
    const char *name;
    bool (*read)(struct cu_bytes value, struct cu_arena *arena, Curia__V1__AclTokenSetRequest *set,
                 struct agent_fault *fault);
} extras[] = {
    {"ExpirationTime", read_expiration},
    {"ExpirationTTL", read_ttl},
    {"AuthMethod", no_method},
    {"Rules", no_rules},
};

static bool read_extra(struct cu_bytes name, struct cu_bytes value, struct cu_arena *arena,
                       Curia__V1__AclTokenSetRequest *set, struct agent_fault *fault)
{
    if (cu_json_kind(value) == CU_JSON_KIND_NULL)
        return true;
    for (size_t i = 0; i < CU_COUNT(extras); i++)
        if (cu_json_name_is(name, extras[i].name))
            return extras[i].read(value, arena, set, fault);
    return true;
}

bool agent_acl_token_parse(struct cu_bytes body, struct cu_arena *arena,
                           Curia__V1__AclTokenSetRequest *ret_set, struct agent_fault *fault)
{
    struct cu_bytes value, quoted, member, name;
    if (!decode(body, &agent_shape_acl_token_body, "Token decoding failed", arena,
                &ret_set->token->base, &value, fault))
        return false;
    if (cu_json_kind(value) != CU_JSON_KIND_OBJECT)
        return true;
    for (struct cu_json_walk walk = cu_json_walk(value);
         cu_json_next_member(&walk, &quoted, &member);) {
        if (cu_json_unquote(quoted, arena, &name))
            return out_of_memory(fault);
        if (!read_extra(name, member, arena, ret_set, fault))
            return false;
    }
    return true;
}

/* ---- questions ---- */

static const char *const any_access[] = {"read", "write", NULL};
static const char *const key_access[] = {"read", "write", "list", "write-prefix", NULL};

static const struct {
    const char *resource;
    const char *const *access;
} askable[] = {
    {"acl", any_access},       {"agent", any_access},    {"event", any_access},
    {"intention", any_access}, {"key", key_access},      {"keyring", any_access},
    {"node", any_access},      {"operator", any_access}, {"query", any_access},
    {"service", any_access},   {"session", any_access},
};

static bool check_question(const Curia__V1__AclQuestion *question, struct agent_fault *fault)
{
    for (size_t i = 0; i < CU_COUNT(askable); i++) {
        if (strcmp(askable[i].resource, question->resource) != 0)
            continue;
        for (const char *const *at = askable[i].access; *at; at++)
            if (strcasecmp(*at, question->access) == 0)
                return true;
        return agent_refuse(fault, 400, "Bad request: Invalid access level for %s resource: %.200s",
                            question->resource, question->access);
    }
    return agent_refuse(fault, 400, "Bad request: Invalid ACL resource requested: \"%.200s\"",
                        question->resource);
}

static size_t count_elements(struct cu_bytes list)
{
    struct cu_bytes element;
    size_t count = 0;
    for (struct cu_json_walk walk = cu_json_walk(list); cu_json_next_element(&walk, &element);)
        count++;
    return count;
}

static bool read_questions(struct cu_bytes list, struct cu_arena *arena,
                           Curia__V1__AclAuthorizeRequest *request, struct agent_fault *fault)
{
    struct cu_bytes element;
    size_t count = count_elements(list);
    struct cu_diag diag = {0};
    if (count > AGENT_QUESTIONS_MAX)
        return agent_refuse(fault, 400,
                            "Bad request: Refusing to process more than %d authorizations at once",
                            AGENT_QUESTIONS_MAX);
    request->questions = cu_arena_alloc(arena, (count + 1) * sizeof(void *));
    Curia__V1__AclQuestion *questions = cu_arena_alloc(arena, (count + 1) * sizeof *questions);
    if (!request->questions || !questions)
        return out_of_memory(fault);
    for (struct cu_json_walk walk = cu_json_walk(list); cu_json_next_element(&walk, &element);) {
        Curia__V1__AclQuestion *question = &questions[request->n_questions];
        curia__v1__acl_question__init(question);
        request->questions[request->n_questions++] = question;
        enum cu_err err =
            cu_json_read(element, &agent_shape_acl_question_body, arena, &question->base, &diag);
        if (err == CU_E_TOO_LARGE)
            return out_of_memory(fault);
        if (err)
            return bad_body(fault, "Failed to decode request body", diag.text);
    }
    return true;
}

bool agent_acl_questions_parse(struct cu_bytes body, struct cu_arena *arena,
                               Curia__V1__AclAuthorizeRequest *ret_request,
                               struct agent_fault *fault)
{
    struct cu_diag diag = {0};
    struct cu_bytes value;
    if (cu_json_check(body, &value, &diag))
        return bad_body(fault, "Failed to decode request body", diag.text);
    enum cu_json_kind kind = cu_json_kind(value);
    if (kind == CU_JSON_KIND_NULL)
        return true;
    if (kind != CU_JSON_KIND_ARRAY)
        return agent_refuse(fault, 400,
                            "Bad request: Failed to decode request body: json: cannot unmarshal %s "
                            "into Go value of type []structs.ACLAuthorizationRequest",
                            cu_json_kind_name(kind));
    if (!read_questions(value, arena, ret_request, fault))
        return false;
    for (size_t i = 0; i < ret_request->n_questions; i++)
        if (!check_question(ret_request->questions[i], fault))
            return false;
    return true;
}
