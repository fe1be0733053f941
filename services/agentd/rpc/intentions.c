/* intentions.c - /v1/connect/intentions (http-api.md 2.16, mesh.md 3.4). */
#include <stdlib.h>
#include <string.h>

#include "common/base/num.h"
#include "common/base/random.h"
#include "common/json/text.h"
#include "services/agentd/core/mesh.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/read.h"
#include "services/agentd/rpc/routes.h"
#include "services/agentd/rpc/write.h"

enum { MATCH_NAMES_MAX = 64 }; /* each costs a look at all intentions */

/* ---- rendering ---- */

static void write_list(struct cu_buf *out, Curia__V1__Intention *const *list, size_t count)
{
    cu_buf_u8(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i)
            cu_buf_u8(out, ',');
        agent_intention_write(out, list[i]);
    }
    cu_buf_u8(out, ']');
}

static unsigned encode_list(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    size_t start = out->len;
    const Curia__V1__IntentionListReply *reply = (const Curia__V1__IntentionListReply *)message;
    write_list(out, reply->intentions, reply->n_intentions);
    return agent_read_finish(200, format, start, out);
}

static void write_matches(struct cu_buf *out, const char *name, Curia__V1__Intention *const *list,
                          size_t count)
{
    cu_json_cstr(out, name);
    cu_buf_u8(out, ':');
    if (count)
        write_list(out, list, count);
    else
        cu_buf_text(out, "null");
}

static unsigned encode_match(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__IntentionListReply *reply = (const Curia__V1__IntentionListReply *)message;
    size_t start = out->len;
    cu_buf_u8(out, '{');
    write_matches(out, reply->name, reply->intentions, reply->n_intentions);
    for (size_t i = 0; i < reply->n_more; i++) {
        cu_buf_u8(out, ',');
        write_matches(out, reply->more[i]->name, reply->more[i]->intentions,
                      reply->more[i]->n_intentions);
    }
    cu_buf_u8(out, '}');
    return agent_read_finish(200, format, start, out);
}

static unsigned encode_one(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__IntentionGetReply *reply = (const Curia__V1__IntentionGetReply *)message;
    size_t start = out->len;
    if (!reply->intention)
        return 404;
    agent_intention_write(out, reply->intention);
    return agent_read_finish(200, format, start, out);
}

static unsigned encode_decision(const ProtobufCMessage *message, unsigned format,
                                bool allows_by_default, struct cu_buf *out)
{
    const Curia__V1__IntentionCheckReply *reply = (const Curia__V1__IntentionCheckReply *)message;
    size_t start = out->len;
    bool allowed = reply->matched ? reply->allowed : allows_by_default;
    cu_buf_text(out, allowed ? "{\"Allowed\":true}" : "{\"Allowed\":false}");
    return agent_read_finish(200, format, start, out);
}

/* An encoder looks at nothing but the reply: there is one for each policy. */
static unsigned encode_or_allow(const ProtobufCMessage *message, unsigned format,
                                struct cu_buf *out)
{
    return encode_decision(message, format, true, out);
}

static unsigned encode_or_deny(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    return encode_decision(message, format, false, out);
}

static void no_intention(struct agent_call *call)
{
    (void)agent_refuse(&call->fault, 404, "Intention not found");
}

/* clang-format off */
#define METHOD(name, encode) .method = {&curia__v1__intentions__descriptor, name, encode}
static const struct agent_read_row
    all = {METHOD("List", encode_list),
           .params = {.request = &curia__v1__intention_list_request__descriptor,
                      .filter = offsetof(Curia__V1__IntentionListRequest, filter)}},
    matching = {METHOD("Match", encode_match),
                .flags = AGENT_SAYS_CONSISTENCY | AGENT_META_ON_ERROR | AGENT_TAKES_CACHED},
    one   = {METHOD("Get", encode_one), .flags = AGENT_SAYS_NO_STATE, .absent = no_intention},
    check_or_allow = {METHOD("Check", encode_or_allow), .flags = AGENT_SAYS_NO_STATE},
    check_or_deny  = {METHOD("Check", encode_or_deny), .flags = AGENT_SAYS_NO_STATE};
/* clang-format on */

/* ---- parameters ---- */

/* A parameter that must be there. */
static bool required(struct agent_call *call, const char *name, struct cu_bytes *ret_value)
{
    const struct cu_bytes *value = agent_query_get(&call->query, name);
    if (!value)
        return agent_refuse(&call->fault, 500, "required query parameter '%s' not set", name);
    *ret_value = *value;
    return true;
}

static bool name_of(struct agent_call *call, const char *parameter, char **ret_name)
{
    struct cu_bytes text;
    if (!required(call, parameter, &text))
        return false;
    *ret_name = agent_intention_name(parameter, text, call->rq.arena, &call->fault);
    return *ret_name != NULL;
}

static bool pair_of(struct agent_call *call, char **ret_source, char **ret_destination)
{
    return name_of(call, "source", ret_source) && name_of(call, "destination", ret_destination);
}

/* ---- reads ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, each once: as they are printed. */
static size_t sort_names(char **names, size_t count)
{
    size_t kept = 0;
    qsort(names, count, sizeof *names, by_text);
    for (size_t i = 0; i < count; i++)
        if (!kept || strcmp(names[kept - 1], names[i]) != 0)
            names[kept++] = names[i];
    return kept;
}

static bool parse_names(struct agent_call *call, Curia__V1__IntentionMatchRequest *match)
{
    size_t given = agent_query_count(&call->query, "name"), count = 0;
    char **names = cu_arena_alloc(call->rq.arena, (given + 1) * sizeof *names);
    if (given > MATCH_NAMES_MAX)
        return agent_refuse(&call->fault, 400, "Bad request: more than %d names", MATCH_NAMES_MAX);
    if (!names)
        return agent_refuse(&call->fault, 500, "request is too large");
    for (size_t i = 0; i < call->query.count; i++) {
        const struct agent_param *param = &call->query.params[i];
        if (!cu_bytes_equal(param->name, cu_bytes_of("name")))
            continue;
        names[count] = agent_intention_name("name", param->value, call->rq.arena, &call->fault);
        if (!names[count++])
            return false;
    }
    count = sort_names(names, count);
    match->name = names[0];
    match->more = names + 1;
    match->n_more = count - 1;
    return true;
}

static bool parse_match(struct agent_call *call, Curia__V1__IntentionMatchRequest *match)
{
    struct cu_bytes by;
    if (!required(call, "by", &by))
        return false;
    match->by_source = cu_bytes_equal(by, cu_bytes_of("source"));
    if (!match->by_source && !cu_bytes_equal(by, cu_bytes_of("destination")))
        return agent_refuse(&call->fault, 500,
                            "'by' parameter must be one of 'source' or 'destination'");
    return required(call, "name", &by) && parse_names(call, match);
}

void agent_intentions_match_get(struct agent_call *call)
{
    Curia__V1__IntentionMatchRequest *match = agent_new_request(call, sizeof *match);
    if (!match)
        return;
    curia__v1__intention_match_request__init(match);
    if (parse_match(call, match))
        agent_read_start(call, &matching, &match->base);
    else
        agent_answer_fault(call);
}

void agent_intentions_check_get(struct agent_call *call)
{
    Curia__V1__IntentionCheckRequest *request = agent_new_request(call, sizeof *request);
    struct cu_bytes type = agent_query_value(&call->query, "source-type");
    if (!request)
        return;
    curia__v1__intention_check_request__init(request);
    if (type.len && !cu_bytes_equal(type, cu_bytes_of("consul")))
        (void)agent_refuse(&call->fault, 500, "unknown source type");
    else if (pair_of(call, &request->source, &request->destination)) {
        agent_read_start(call,
                         call->agent->conf.allows_by_default ? &check_or_allow : &check_or_deny,
                         &request->base);
        return;
    }
    agent_answer_fault(call);
}

/* All that is missing at once, as the reference lists it. */
static bool are_named(struct agent_call *call, const char *source, const char *destination)
{
    int missing = !*source + !*destination;
    if (!missing)
        return true;
    return agent_refuse(&call->fault, 500, "%d error%s occurred:\n%s%s\n", missing,
                        missing > 1 ? "s" : "", *source ? "" : "\t* SourceName is missing\n",
                        *destination ? "" : "\t* DestinationName is missing\n");
}

static void get_exact(struct agent_call *call)
{
    Curia__V1__IntentionGetRequest *get = agent_new_request(call, sizeof *get);
    if (!get)
        return;
    curia__v1__intention_get_request__init(get);
    if (pair_of(call, &get->source, &get->destination) &&
        are_named(call, get->source, get->destination))
        agent_read_start(call, &one, &get->base);
    else
        agent_answer_fault(call);
}

/* ---- writes ---- */

static Curia__V1__IntentionApplyRequest *new_apply(struct agent_call *call,
                                                   Curia__V1__IntentionVerb verb)
{
    Curia__V1__IntentionApplyRequest *apply = agent_new_request(call, sizeof *apply);
    Curia__V1__Intention *intention = apply ? agent_new_request(call, sizeof *intention) : NULL;
    if (!intention)
        return NULL;
    curia__v1__intention_apply_request__init(apply);
    curia__v1__intention__init(intention);
    apply->verb = verb;
    apply->intention = intention;
    return apply;
}

static void apply_start(struct agent_call *call, const Curia__V1__IntentionApplyRequest *apply,
                        void (*done)(void *call, const struct cu_answer *answer))
{
    agent_write_start(call, &curia__v1__intentions__descriptor, "Apply", &apply->base, done);
}

static void put_exact(struct agent_call *call)
{
    Curia__V1__IntentionApplyRequest *apply =
        new_apply(call, CURIA__V1__INTENTION_VERB__INTENTION_UPSERT);
    char *source, *destination;
    if (!apply)
        return;
    if (!pair_of(call, &source, &destination) || !are_named(call, source, destination) ||
        !agent_intention_parse(cu_buf_bytes(&call->rq.body), call->rq.arena, apply->intention,
                               &call->fault)) {
        agent_answer_fault(call);
        return;
    }
    /* The parameters win over the body. */
    apply->intention->id = (char *)(uintptr_t)protobuf_c_empty_string;
    apply->intention->source_name = source;
    apply->intention->destination_name = destination;
    apply_start(call, apply, agent_write_true);
}

static void delete_exact(struct agent_call *call)
{
    Curia__V1__IntentionApplyRequest *apply =
        new_apply(call, CURIA__V1__INTENTION_VERB__INTENTION_DELETE);
    if (!apply)
        return;
    Curia__V1__Intention *intention = apply->intention;
    if (pair_of(call, &intention->source_name, &intention->destination_name) &&
        are_named(call, intention->source_name, intention->destination_name))
        apply_start(call, apply, agent_write_true);
    else
        agent_answer_fault(call);
}

void agent_intentions_exact_handle(struct agent_call *call)
{
    switch (call->rq.method[0]) {
    case 'G':
        get_exact(call);
        return;
    case 'D':
        delete_exact(call);
        return;
    default:
        put_exact(call);
    }
}

/* ---- by id: what the legacy calls make ---- */

static void said_id(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    struct cu_buf json = {0};
    if (agent_answer_failed(call, answer))
        return;
    cu_buf_text(&json, "{\"ID\":");
    cu_json_cstr(&json, ((const Curia__V1__IntentionApplyReply *)answer->message)->id);
    cu_buf_u8(&json, '}');
    agent_answer_json(call, 200, &json, NULL);
}

static bool parse_legacy(struct agent_call *call, Curia__V1__Intention *intention)
{
    return agent_intention_parse(cu_buf_bytes(&call->rq.body), call->rq.arena, intention,
                                 &call->fault) &&
           (!intention->n_permissions ||
            agent_refuse(&call->fault, 500,
                         "Permissions must not be set when using the legacy APIs"));
}

static char *new_id(struct cu_arena *arena)
{
    uint8_t bytes[16];
    char text[CU_UUID_BYTES];
    cu_random_bytes(bytes, sizeof bytes);
    return cu_arena_strdup(arena, cu_format_uuid(bytes, text));
}

static void post(struct agent_call *call)
{
    Curia__V1__IntentionApplyRequest *apply =
        new_apply(call, CURIA__V1__INTENTION_VERB__INTENTION_CREATE);
    if (!apply)
        return;
    Curia__V1__Intention *intention = apply->intention;
    if (!parse_legacy(call, intention)) {
        agent_answer_fault(call);
    } else if (*intention->id) {
        agent_answer_text(call, 500, "ID must be empty when creating a new intention");
    } else if (are_named(call, intention->source_name, intention->destination_name)) {
        intention->id = new_id(call->rq.arena);
        if (intention->id)
            apply_start(call, apply, said_id);
        else
            agent_answer_text(call, 500, "request is too large");
    } else {
        agent_answer_fault(call);
    }
}

void agent_intentions_handle(struct agent_call *call)
{
    if (call->rq.method[0] == 'G')
        agent_read_bound(call, &all);
    else
        post(call);
}

static void get_by_id(struct agent_call *call, char *id)
{
    Curia__V1__IntentionGetRequest *get = agent_new_request(call, sizeof *get);
    if (!get)
        return;
    if (!cu_is_uuid(id)) {
        agent_answer_text(call, 400,
                          "Bad request: failed config entry lookup: index error: UUID must be 36 "
                          "characters");
        return;
    }
    curia__v1__intention_get_request__init(get);
    get->id = id;
    agent_read_start(call, &one, &get->base);
}

static void put_by_id(struct agent_call *call, char *id)
{
    Curia__V1__IntentionApplyRequest *apply =
        new_apply(call, CURIA__V1__INTENTION_VERB__INTENTION_UPDATE);
    if (!apply)
        return;
    if (!parse_legacy(call, apply->intention)) {
        agent_answer_fault(call);
        return;
    }
    apply->intention->id = id;
    apply_start(call, apply, said_id);
}

static void delete_by_id(struct agent_call *call, char *id)
{
    Curia__V1__IntentionApplyRequest *apply =
        new_apply(call, CURIA__V1__INTENTION_VERB__INTENTION_DELETE);
    if (!apply)
        return;
    apply->intention->id = id;
    apply_start(call, apply, agent_write_true);
}

void agent_intention_handle(struct agent_call *call)
{
    char *id =
        cu_arena_printf(call->rq.arena, "%.*s", (int)call->tail.len, (const char *)call->tail.data);
    if (!id)
        agent_answer_text(call, 500, "request is too large");
    else if (call->rq.method[0] == 'G')
        get_by_id(call, id);
    else if (!*id)
        agent_answer_text(call, 400, "Bad request: an intention is named by its id");
    else if (call->rq.method[0] == 'D')
        delete_by_id(call, id);
    else
        put_by_id(call, id);
}
