/* Configuration entries and intentions (mesh.md 3, 4; http-api.md 5.10). */
#include "services/catalogd/core/config_entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/catalogd/core/config_read.h"
#include "services/catalogd/core/intention.h"
#include "tests/lib/catalog_state.h"
#include "tests/lib/suite.h"

typedef Curia__V1__ConfigEntry entry_t;
typedef Curia__V1__SourceIntention source_t;

static char *text(const char *borrowed)
{
    return (char *)(uintptr_t)borrowed;
}

/* ---- in the test's words ---- */

static const Curia__Internal__V1__CommandResult *set(struct state *state, entry_t *entry,
                                                     int64_t cas)
{
    Curia__Internal__V1__ConfigCommand body = CURIA__INTERNAL__V1__CONFIG_COMMAND__INIT;
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    body.entry = entry;
    body.has_cas = cas >= 0;
    body.cas = cas >= 0 ? (uint64_t)cas : 0;
    command.config = &body;
    return state_command(state, &command).result;
}

static const Curia__Internal__V1__CommandResult *set_protocol(struct state *state, const char *kind,
                                                              const char *name,
                                                              const char *protocol, int64_t cas)
{
    entry_t entry = CURIA__V1__CONFIG_ENTRY__INIT;
    Curia__V1__ServiceDefaults service = CURIA__V1__SERVICE_DEFAULTS__INIT;
    Curia__V1__ProxyDefaults proxy = CURIA__V1__PROXY_DEFAULTS__INIT;
    entry.kind = text(kind);
    entry.name = text(name);
    service.protocol = proxy.protocol = text(protocol);
    if (strcmp(kind, CATALOG_PROXY_DEFAULTS) == 0)
        entry.proxy_defaults = &proxy;
    else
        entry.service_defaults = &service;
    return set(state, &entry, cas);
}

static const Curia__Internal__V1__CommandResult *drop(struct state *state, const char *kind,
                                                      const char *name)
{
    Curia__Internal__V1__ConfigCommand body = CURIA__INTERNAL__V1__CONFIG_COMMAND__INIT;
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    entry_t entry = CURIA__V1__CONFIG_ENTRY__INIT;
    entry.kind = text(kind);
    entry.name = text(name);
    body.entry = &entry;
    body.is_delete = true;
    command.config = &body;
    return state_command(state, &command).result;
}

/* "web=allow *=deny": sources; "web=GET" has one permission, to GET. */
static const Curia__Internal__V1__CommandResult *
set_intentions(struct state *state, const char *destination, const char *sources)
{
    entry_t entry = CURIA__V1__CONFIG_ENTRY__INIT;
    Curia__V1__ServiceIntentions body = CURIA__V1__SERVICE_INTENTIONS__INIT;
    Curia__V1__IntentionPermission permission = CURIA__V1__INTENTION_PERMISSION__INIT;
    Curia__V1__IntentionHttp http = CURIA__V1__INTENTION_HTTP__INIT;
    char method[] = "get", *methods[] = {method}, *copy = strdup(sources), *rest = NULL;
    Curia__V1__IntentionPermission *permissions[] = {&permission};
    source_t all[8], *list[8];
    permission.action = text("allow");
    permission.http = &http;
    http.methods = methods;
    http.n_methods = 1;
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        source_t *source = &all[body.n_sources];
        curia__v1__source_intention__init(source);
        char *equals = strchr(word, '=');
        *equals = '\0';
        source->name = word;
        if (strcmp(equals + 1, "GET") == 0) {
            source->permissions = permissions;
            source->n_permissions = 1;
        } else {
            source->action = equals + 1;
        }
        list[body.n_sources++] = source;
    }
    body.sources = list;
    entry.kind = text(CATALOG_SERVICE_INTENTIONS);
    entry.name = text(destination);
    entry.service_intentions = &body;
    const Curia__Internal__V1__CommandResult *result = set(state, &entry, -1);
    free(copy);
    return result;
}

static entry_t *get(struct state *state, const char *kind, const char *name)
{
    Curia__V1__ConfigGetRequest request = CURIA__V1__CONFIG_GET_REQUEST__INIT;
    Curia__V1__ConfigGetReply reply = CURIA__V1__CONFIG_GET_REPLY__INIT;
    struct catalog_view view = state_view(state);
    uint64_t index;
    request.kind = text(kind);
    request.name = text(name);
    ck_assert_int_eq(catalog_config_read(&view, &request, state->arena, &reply, &index), CU_OK);
    return reply.entry;
}

static const Curia__Internal__V1__CommandResult *intend(struct state *state, unsigned verb,
                                                        const char *id, const char *source,
                                                        const char *destination, const char *action)
{
    Curia__Internal__V1__IntentionCommand body = CURIA__INTERNAL__V1__INTENTION_COMMAND__INIT;
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    Curia__V1__Intention intention = CURIA__V1__INTENTION__INIT;
    intention.id = text(id);
    intention.source_name = text(source);
    intention.destination_name = text(destination);
    intention.action = text(action);
    body.verb = verb;
    body.intention = &intention;
    command.intention = &body;
    return state_command(state, &command).result;
}

enum { CREATE, UPDATE, UPSERT, DELETE }; /* numbers of IntentionVerb */
_Static_assert((int)DELETE == (int)CURIA__V1__INTENTION_VERB__INTENTION_DELETE, "config.proto");

/* "web>db=allow9 ...": what matches a destination, in order. */
static const char *matches(struct state *state, const char *destination)
{
    static char out[512];
    Curia__V1__IntentionMatchRequest request = CURIA__V1__INTENTION_MATCH_REQUEST__INIT;
    Curia__V1__IntentionListReply reply = CURIA__V1__INTENTION_LIST_REPLY__INIT;
    struct catalog_view view = state_view(state);
    uint64_t index;
    request.name = text(destination);
    ck_assert_int_eq(catalog_intention_match(&view, &request, state->arena, &reply, &index), CU_OK);
    ck_assert_str_eq(reply.name, destination);
    out[0] = '\0';
    for (size_t i = 0; i < reply.n_intentions; i++) {
        const Curia__V1__Intention *in = reply.intentions[i];
        size_t len = strlen(out);
        (void)snprintf(out + len, sizeof out - len, "%s%s>%s=%s%u", i ? " " : "", in->source_name,
                       in->destination_name, in->action, in->precedence);
    }
    return out;
}

static void check_text(const Curia__Internal__V1__CommandResult *result, const char *wanted)
{
    ck_assert_str_eq(result->text, wanted);
    ck_assert_int_eq(result->error, *wanted ? CU_E_INVALID : 0);
}

/* ---- entries ---- */

STATE_TEST(an_entry_is_kept_in_one_spelling_and_found_without_regard_to_case)
{
    check_text(set_protocol(state, "Service-Defaults", "Web", "HTTP", -1), "");
    uint64_t at = state_index(state);
    entry_t *entry = get(state, "service-defaults", "wEB");
    ck_assert_str_eq(entry->kind, "service-defaults");
    ck_assert_str_eq(entry->service_defaults->protocol, "http");
    ck_assert_uint_eq(entry->modify_index, at);
    ck_assert_ptr_null(get(state, "service-defaults", "other"));
}

STATE_TEST(every_accepted_write_moves_the_index_http_api_3_1)
{
    check_text(set_protocol(state, CATALOG_SERVICE_DEFAULTS, "web", "http", -1), "");
    check_text(set_protocol(state, CATALOG_SERVICE_DEFAULTS, "web", "http", -1), "");
    ck_assert_uint_eq(get(state, CATALOG_SERVICE_DEFAULTS, "web")->modify_index,
                      state_index(state));
}

STATE_TEST(the_name_of_proxy_defaults_is_global)
{
    check_text(set_protocol(state, CATALOG_PROXY_DEFAULTS, "other", "grpc", -1), "");
    ck_assert_ptr_nonnull(get(state, CATALOG_PROXY_DEFAULTS, "global"));
}

STATE_TEST(check_and_set_wants_the_modify_index_and_0_that_there_is_none)
{
    ck_assert(set_protocol(state, CATALOG_SERVICE_DEFAULTS, "web", "tcp", 0)->applied);
    uint64_t at = state_index(state);
    ck_assert(!set_protocol(state, CATALOG_SERVICE_DEFAULTS, "web", "http", 0)->applied);
    ck_assert(set_protocol(state, CATALOG_SERVICE_DEFAULTS, "web", "http", (int64_t)at)->applied);
    ck_assert(!set_protocol(state, CATALOG_SERVICE_DEFAULTS, "web", "tcp", (int64_t)at)->applied);
    ck_assert_str_eq(get(state, CATALOG_SERVICE_DEFAULTS, "web")->service_defaults->protocol,
                     "http");
}

STATE_TEST(what_is_no_entry_is_refused_and_changes_nothing)
{
    struct cu_u128 before = catalog_store_hash(state->store);
    check_text(set_protocol(state, "bogus", "x", "", -1), "invalid config entry kind: bogus");
    check_text(set_protocol(state, CATALOG_SERVICE_DEFAULTS, "", "", -1), "Name is required");
    entry_t entry = CURIA__V1__CONFIG_ENTRY__INIT;
    entry.kind = text(CATALOG_SERVICE_DEFAULTS);
    entry.name = text("x");
    check_text(set(state, &entry, -1), "the entry is not of its kind");
    struct cu_u128 after = catalog_store_hash(state->store);
    ck_assert(before.lo == after.lo && before.hi == after.hi);
}

STATE_TEST(one_more_pair_of_metadata_than_the_limit_is_refused)
{
    enum { PAIRS = CATALOG_META_PAIRS_MAX + 1 };
    entry_t entry = CURIA__V1__CONFIG_ENTRY__INIT;
    Curia__V1__ServiceDefaults service = CURIA__V1__SERVICE_DEFAULTS__INIT;
    Curia__V1__StringMap meta = CURIA__V1__STRING_MAP__INIT;
    Curia__V1__StringMap__EntriesEntry pairs[PAIRS], *list[PAIRS];
    char names[PAIRS][8];
    for (int i = 0; i < PAIRS; i++) {
        curia__v1__string_map__entries_entry__init(&pairs[i]);
        (void)snprintf(names[i], sizeof names[i], "k%03d", i);
        pairs[i].key = names[i];
        list[i] = &pairs[i];
    }
    meta.entries = list;
    meta.n_entries = PAIRS - 1;
    entry.kind = text(CATALOG_SERVICE_DEFAULTS);
    entry.name = text("x");
    entry.meta = &meta;
    entry.service_defaults = &service;
    check_text(set(state, &entry, -1), "");
    meta.n_entries = PAIRS;
    entry.kind = text(CATALOG_SERVICE_DEFAULTS);
    check_text(set(state, &entry, -1), "Meta exceeds maximum element count 64");
}

STATE_TEST(deleting_what_is_not_there_is_no_error)
{
    check_text(drop(state, CATALOG_SERVICE_DEFAULTS, "nope"), "");
    check_text(set_protocol(state, CATALOG_SERVICE_DEFAULTS, "web", "tcp", -1), "");
    check_text(drop(state, CATALOG_SERVICE_DEFAULTS, "WEB"), "");
    ck_assert_ptr_null(get(state, CATALOG_SERVICE_DEFAULTS, "web"));
}

/* ---- intentions as entries (mesh.md 3.2) ---- */

STATE_TEST(sources_are_kept_by_precedence)
{
    check_text(set_intentions(state, "db", "*=deny web=allow"), "");
    entry_t *entry = get(state, CATALOG_SERVICE_INTENTIONS, "db");
    ck_assert_str_eq(entry->service_intentions->sources[0]->name, "web");
    ck_assert_uint_eq(entry->service_intentions->sources[0]->precedence, 9);
    ck_assert_uint_eq(entry->service_intentions->sources[1]->precedence, 8);
    ck_assert_str_eq(entry->service_intentions->sources[1]->type, "consul");
}

STATE_TEST(bad_sources_are_refused_word_for_word)
{
    check_text(set_intentions(state, "db", ""), "At least one source is required");
    check_text(set_intentions(state, "d*b", "web=allow"),
               "Name: wildcard character '*' cannot be used with partial values");
    check_text(set_intentions(state, "db", "w*=allow"),
               "Sources[0].Name: wildcard character '*' cannot be used with partial values");
    check_text(set_intentions(state, "db", "web=maybe"),
               "Sources[0].Action must be set to 'allow' or 'deny'");
    check_text(set_intentions(state, "db", "web=allow web=deny"),
               "Sources[1] defines \"web\" more than once");
    check_text(set_intentions(state, "*", "web=GET"),
               "Sources[0].Permissions cannot be specified on intentions with wildcarded "
               "destinations");
}

STATE_TEST(permissions_need_a_protocol_that_knows_requests_mesh_4_11)
{
    const char *sentence = "service \"db\" has protocol \"tcp\", which is incompatible with L7 "
                           "intentions permissions";
    check_text(set_intentions(state, "db", "web=GET"), sentence);
    check_text(set_protocol(state, CATALOG_SERVICE_DEFAULTS, "db", "http", -1), "");
    check_text(set_intentions(state, "db", "web=GET"), "");
    /* And nothing may take it away below them. */
    check_text(set_protocol(state, CATALOG_SERVICE_DEFAULTS, "db", "tcp", -1), sentence);
    check_text(drop(state, CATALOG_SERVICE_DEFAULTS, "db"), sentence);
    check_text(set_protocol(state, CATALOG_PROXY_DEFAULTS, "global", "http2", -1), "");
    check_text(drop(state, CATALOG_SERVICE_DEFAULTS, "db"), "");
    check_text(drop(state, CATALOG_PROXY_DEFAULTS, "global"), sentence);
    check_text(drop(state, CATALOG_SERVICE_INTENTIONS, "db"), "");
    check_text(drop(state, CATALOG_PROXY_DEFAULTS, "global"), "");
}

/* ---- intentions as pairs (mesh.md 3.3 to 3.5) ---- */

STATE_TEST(pairs_are_sources_of_entries_and_the_last_takes_the_entry_along)
{
    check_text(intend(state, UPSERT, "", "web", "db", "allow"), "");
    check_text(intend(state, UPSERT, "", "*", "db", "deny"), "");
    check_text(intend(state, UPSERT, "", "web", "db", "deny"), "");
    ck_assert_str_eq(matches(state, "db"), "web>db=deny9 *>db=deny8");
    check_text(intend(state, DELETE, "", "web", "db", ""), "");
    check_text(intend(state, DELETE, "", "nope", "db", ""), "");
    check_text(intend(state, DELETE, "", "*", "db", ""), "");
    ck_assert_ptr_null(get(state, CATALOG_SERVICE_INTENTIONS, "db"));
}

STATE_TEST(matches_come_by_precedence_then_name)
{
    check_text(intend(state, UPSERT, "", "*", "*", "deny"), "");
    check_text(intend(state, UPSERT, "", "web", "*", "allow"), "");
    check_text(intend(state, UPSERT, "", "*", "db", "deny"), "");
    check_text(intend(state, UPSERT, "", "z", "db", "allow"), "");
    check_text(intend(state, UPSERT, "", "a", "db", "allow"), "");
    check_text(intend(state, UPSERT, "", "a", "other", "allow"), "");
    ck_assert_str_eq(matches(state, "db"),
                     "a>db=allow9 z>db=allow9 *>db=deny8 web>*=allow6 *>*=deny5");
}

static Curia__V1__IntentionCheckReply decide(struct state *state, const char *source,
                                             const char *destination)
{
    Curia__V1__IntentionCheckRequest request = CURIA__V1__INTENTION_CHECK_REQUEST__INIT;
    Curia__V1__IntentionCheckReply reply = CURIA__V1__INTENTION_CHECK_REPLY__INIT;
    struct catalog_view view = state_view(state);
    uint64_t index;
    request.source = text(source);
    request.destination = text(destination);
    ck_assert_int_eq(catalog_intention_check(&view, &request, state->arena, &reply, &index), CU_OK);
    return reply;
}

STATE_TEST(the_first_match_decides_and_requests_cannot_be_decided_mesh_3_5)
{
    ck_assert(!decide(state, "web", "db").matched);
    check_text(intend(state, UPSERT, "", "*", "db", "deny"), "");
    check_text(intend(state, UPSERT, "", "web", "db", "allow"), "");
    ck_assert(decide(state, "web", "db").allowed);
    ck_assert_str_eq(decide(state, "web", "db").reason,
                     "Matched L4 intention: default/web => default/db (Precedence: 9, Action: "
                     "ALLOW)");
    Curia__V1__IntentionCheckReply other = decide(state, "api", "db");
    ck_assert(other.matched && !other.allowed);
    check_text(set_protocol(state, CATALOG_SERVICE_DEFAULTS, "shop", "http", -1), "");
    check_text(set_intentions(state, "shop", "web=GET"), "");
    Curia__V1__IntentionCheckReply seven = decide(state, "web", "shop");
    ck_assert(seven.matched && !seven.allowed);
    ck_assert_str_eq(seven.reason, "Matched L7 intention: default/web => default/shop (Precedence: "
                                   "9, Permissions: 1)");
}

#define ID "6f98fc19-0000-4000-8000-000000000001"

STATE_TEST(legacy_intentions_are_changed_by_their_id)
{
    check_text(intend(state, CREATE, ID, "web", "db", "allow"), "");
    check_text(intend(state, CREATE, "6f98fc19-0000-4000-8000-000000000002", "web", "db", "deny"),
               "Sources[1] defines \"web\" more than once");
    check_text(intend(state, UPDATE, ID, "web", "db", "deny"), "");
    ck_assert_str_eq(matches(state, "db"), "web>db=deny9");
    check_text(intend(state, UPDATE, ID, "web", "other", "deny"),
               "Cannot modify DestinationNS or DestinationName for an intention once it exists.");
    check_text(intend(state, UPDATE, "nope", "web", "db", "deny"),
               "Cannot modify non-existent intention: 'nope'");
    check_text(intend(state, DELETE, "nope", "", "", ""),
               "Cannot delete non-existent intention: 'nope'");
    check_text(intend(state, DELETE, ID, "", "", ""), "");
    ck_assert_str_eq(matches(state, "db"), "");
}

SUITE_MAIN("catalogd/core/config_entry",
           an_entry_is_kept_in_one_spelling_and_found_without_regard_to_case,
           every_accepted_write_moves_the_index_http_api_3_1, the_name_of_proxy_defaults_is_global,
           check_and_set_wants_the_modify_index_and_0_that_there_is_none,
           what_is_no_entry_is_refused_and_changes_nothing,
           one_more_pair_of_metadata_than_the_limit_is_refused,
           deleting_what_is_not_there_is_no_error, sources_are_kept_by_precedence,
           bad_sources_are_refused_word_for_word,
           permissions_need_a_protocol_that_knows_requests_mesh_4_11,
           pairs_are_sources_of_entries_and_the_last_takes_the_entry_along,
           matches_come_by_precedence_then_name,
           the_first_match_decides_and_requests_cannot_be_decided_mesh_3_5,
           legacy_intentions_are_changed_by_their_id)
