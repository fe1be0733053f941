#include "services/agentd/core/mesh.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "common/json/scan.h"

/* clang-format off */
static const struct kind {
    const char *name;
    const struct cu_json_shape *body;
    size_t member; /* of the entry */
} kinds[] = {
    {"service-defaults",   &agent_shape_service_defaults,        offsetof(Curia__V1__ConfigEntry, service_defaults)},
    {"proxy-defaults",     &agent_shape_proxy_defaults,          offsetof(Curia__V1__ConfigEntry, proxy_defaults)},
    {"service-intentions", &agent_shape_service_intentions_body, offsetof(Curia__V1__ConfigEntry, service_intentions)},
};
/* clang-format on */

static const struct kind *kind_of(const char *name)
{
    for (size_t i = 0; i < CU_COUNT(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

bool agent_is_entry_kind(const char *kind)
{
    return kind_of(kind) != NULL;
}

static bool out_of_memory(struct agent_fault *fault)
{
    return agent_refuse(fault, 500, "request is too large");
}

/* The member of one of two names, in this letter case; false: there is none. */
static bool find(struct cu_bytes object, const char *name, const char *other,
                 struct cu_bytes *ret_value)
{
    struct cu_bytes quoted, value;
    bool found = false;
    for (struct cu_json_walk walk = cu_json_walk(object);
         cu_json_next_member(&walk, &quoted, &value);) {
        struct cu_bytes key = {quoted.data + 1, quoted.len - 2};
        if (cu_bytes_equal(key, cu_bytes_of(name)) || cu_bytes_equal(key, cu_bytes_of(other))) {
            *ret_value = value;
            found = true;
        }
    }
    return found;
}

/* ---- entries ---- */

static bool bad_entry(struct agent_fault *fault, const char *why)
{
    return agent_refuse(fault, 400, "Bad request: Request decoding failed: %s", why);
}

/* The loose decoder's words for a member that it does not know (1.3). */
static bool cannot_read(struct agent_fault *fault, const char *why)
{
    static const char unknown[] = "json: unknown field \"";
    size_t len = strlen(why);
    if (strncmp(why, unknown, sizeof unknown - 1) != 0 || why[len - 1] != '"')
        return bad_entry(fault, why);
    why += sizeof unknown - 1;
    return agent_refuse(fault, 400,
                        "Bad request: Request decoding failed: 1 error occurred:\n\t* invalid "
                        "config key \"%.*s\"\n\n",
                        (int)(strlen(why) - 1), why);
}

static bool is_object(struct cu_bytes value, struct agent_fault *fault)
{
    static const char *const names[] = {
        [CU_JSON_KIND_NULL] = NULL,        [CU_JSON_KIND_BOOL] = "bool",
        [CU_JSON_KIND_NUMBER] = "float64", [CU_JSON_KIND_STRING] = "string",
        [CU_JSON_KIND_ARRAY] = "slice",    [CU_JSON_KIND_OBJECT] = NULL,
    };
    _Static_assert(CU_COUNT(names) == CU_JSON_KIND_COUNT, "a name for each kind");
    const char *name = names[cu_json_kind(value)];
    return !name || agent_refuse(fault, 400,
                                 "Bad request: Request decoding failed: '' expected a map, got "
                                 "'%s'",
                                 name);
}

static const struct kind *find_kind(struct cu_bytes value, struct cu_arena *arena,
                                    struct agent_fault *fault)
{
    struct cu_bytes quoted, text;
    if (cu_json_kind(value) == CU_JSON_KIND_NULL || !find(value, "Kind", "kind", &quoted)) {
        (void)bad_entry(fault, "Payload does not contain a kind/Kind key at the top level");
        return NULL;
    }
    if (cu_json_kind(quoted) != CU_JSON_KIND_STRING) {
        (void)bad_entry(fault, "Kind value in payload is not a string");
        return NULL;
    }
    if (cu_json_unquote(quoted, arena, &text)) {
        (void)out_of_memory(fault);
        return NULL;
    }
    const struct kind *kind = kind_of((const char *)text.data);
    if (!kind)
        (void)agent_refuse(fault, 400,
                           "Bad request: Request decoding failed: invalid config entry kind: %s",
                           (const char *)text.data);
    return kind;
}

static bool read_with(struct cu_bytes value, const struct cu_json_shape *shape,
                      struct cu_arena *arena, ProtobufCMessage *message, struct agent_fault *fault)
{
    struct cu_diag diag = {0};
    enum cu_err err = cu_json_read(value, shape, arena, message, &diag);
    if (err == CU_E_TOO_LARGE)
        return out_of_memory(fault);
    return err ? cannot_read(fault, diag.text) : true;
}

/* What those want who read no JSON (config.proto). */
static bool take_protocol(Curia__V1__ProxyDefaults *defaults, struct cu_arena *arena,
                          struct agent_fault *fault)
{
    struct cu_bytes config = {defaults->config.data, defaults->config.len}, quoted, text;
    if (!config.len || !find(config, "protocol", "protocol", &quoted) ||
        cu_json_kind(quoted) != CU_JSON_KIND_STRING)
        return true;
    if (cu_json_unquote(quoted, arena, &text))
        return out_of_memory(fault);
    if (!memchr(text.data, 0, text.len))
        defaults->protocol = (char *)(uintptr_t)text.data;
    return true;
}

/* Only intentions of the legacy calls have it (mesh.md 3.2). */
static bool check_sources(const Curia__V1__ServiceIntentions *intentions, struct agent_fault *fault)
{
    for (size_t i = 0; i < intentions->n_sources; i++)
        if (intentions->sources[i]->legacy_meta && intentions->sources[i]->legacy_meta->n_entries)
            return agent_refuse(fault, 500, "Sources[%zu].LegacyMeta must be omitted", i);
    return true;
}

bool agent_entry_parse(struct cu_bytes body, struct cu_arena *arena,
                       Curia__V1__ConfigEntry *ret_entry, struct agent_fault *fault)
{
    struct cu_diag diag = {0};
    struct cu_bytes value;
    curia__v1__config_entry__init(ret_entry);
    if (cu_json_check(body, &value, &diag))
        return bad_entry(fault, diag.text);
    if (!is_object(value, fault))
        return false;
    const struct kind *kind = find_kind(value, arena, fault);
    ProtobufCMessage *message =
        kind ? cu_arena_alloc(arena, kind->body->descriptor->sizeof_message) : NULL;
    if (!message)
        return kind ? out_of_memory(fault) : false;
    protobuf_c_message_init(kind->body->descriptor, message);
    memcpy((uint8_t *)ret_entry + kind->member, &message, sizeof(void *));
    if (!read_with(value, &agent_shape_entry_body, arena, &ret_entry->base, fault) ||
        !read_with(value, kind->body, arena, message, fault))
        return false;
    ret_entry->kind = (char *)(uintptr_t)kind->name;
    if (ret_entry->proxy_defaults)
        return take_protocol(ret_entry->proxy_defaults, arena, fault);
    return !ret_entry->service_intentions || check_sources(ret_entry->service_intentions, fault);
}

/* ---- intentions ---- */

static bool bad_intention(struct agent_fault *fault, const char *why)
{
    return agent_refuse(fault, 400, "Bad request: Request decode failed: %s", why);
}

static bool bad_namespace(struct agent_fault *fault, const char *member, const char *given)
{
    return agent_refuse(fault, 400,
                        "Bad request: Invalid %s(%.64s): Namespaces is a Consul Enterprise feature",
                        member, given);
}

/* What has only one value here: it may be said, or left out. */
static bool check_fixed(struct cu_bytes value, struct cu_arena *arena, struct agent_fault *fault)
{
    static const struct {
        const char *member, *only;
    } fixed[] = {{"SourceNS", "default"}, {"DestinationNS", "default"}, {"SourceType", "consul"}};
    struct cu_bytes quoted, member, name, text;
    for (struct cu_json_walk walk = cu_json_walk(value);
         cu_json_next_member(&walk, &quoted, &member);) {
        if (cu_json_kind(member) != CU_JSON_KIND_STRING)
            continue;
        if (cu_json_unquote(quoted, arena, &name) || cu_json_unquote(member, arena, &text))
            return out_of_memory(fault);
        for (size_t i = 0; i < CU_COUNT(fixed); i++) {
            if (!cu_json_name_is(name, fixed[i].member) || text.len == 0 ||
                cu_bytes_equal(text, cu_bytes_of(fixed[i].only)))
                continue;
            if (strcmp(fixed[i].member, "SourceType") == 0)
                return agent_refuse(fault, 500, "SourceType must be set to 'consul'");
            return bad_namespace(fault, fixed[i].member, (const char *)text.data);
        }
    }
    return true;
}

bool agent_intention_parse(struct cu_bytes body, struct cu_arena *arena,
                           Curia__V1__Intention *ret_intention, struct agent_fault *fault)
{
    struct cu_diag diag = {0};
    struct cu_bytes value;
    curia__v1__intention__init(ret_intention);
    if (cu_json_check(body, &value, &diag))
        return bad_intention(fault, diag.text);
    enum cu_err err =
        cu_json_read(value, &agent_shape_intention_body, arena, &ret_intention->base, &diag);
    if (err)
        return err == CU_E_TOO_LARGE ? out_of_memory(fault) : bad_intention(fault, diag.text);
    return cu_json_kind(value) != CU_JSON_KIND_OBJECT || check_fixed(value, arena, fault);
}

char *agent_intention_name(const char *parameter, struct cu_bytes text, struct cu_arena *arena,
                           struct agent_fault *fault)
{
    char *whole = cu_arena_printf(arena, "%.*s", (int)text.len, (const char *)text.data);
    if (!whole) {
        (void)out_of_memory(fault);
        return NULL;
    }
    char *slash = strchr(whole, '/');
    if (!slash)
        return whole;
    if (strchr(slash + 1, '/')) {
        (void)agent_refuse(fault, 500,
                           "%s \"%.200s\" is invalid: input can contain at most one '/'", parameter,
                           whole);
        return NULL;
    }
    *slash = '\0';
    if (strcmp(whole, "default") != 0) {
        (void)bad_namespace(
            fault, strcmp(parameter, "destination") == 0 ? "DestinationNS" : "SourceNS", whole);
        return NULL;
    }
    return slash + 1;
}
