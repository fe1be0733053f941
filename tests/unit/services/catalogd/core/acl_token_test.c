/* Tokens (http-api.md 4.6; checklist 248 to 250, 252). */
#include "services/catalogd/core/acl_token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/lib/acl_state.h"
#include "tests/lib/suite.h"

#define SECRET     "aaaaaaaa-2222-4222-8222-222222222222"
#define OTHER      "bbbbbbbb-2222-4222-8222-222222222222"
#define TEXT(call) ((call)->text)

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };

static char *text(const char *borrowed)
{
    return (char *)(uintptr_t)borrowed;
}

static struct acl token(unsigned number)
{
    return (struct acl){.id = acl_id(number), .secret = SECRET, .is_create = true};
}

static void make(struct state *state, const struct acl *acl)
{
    ck_assert_str_eq(TEXT(acl_token(state, acl)), "");
}

static void refuses(struct state *state, const struct acl *acl, const char *sentence)
{
    ck_assert_str_eq(TEXT(acl_token(state, acl)), sentence);
}

static void make_policy(struct state *state, unsigned number, const char *name)
{
    ck_assert_str_eq(
        TEXT(acl_policy(state,
                        &(struct acl){.id = acl_id(number), .name = name, .is_create = true})),
        "");
}

static const char *leads_to(struct state *state, enum catalog_acl_way way, const char *id)
{
    char *found;
    ck_assert_int_eq(catalog_acl_secret_get(state->backend, way, id, state->arena, &found), CU_OK);
    return found;
}

/* ---- new ones ---- */

STATE_TEST(a_token_is_made_and_read_with_the_names_of_its_links_248)
{
    make_policy(state, 1, "p1");
    ck_assert_str_eq(
        TEXT(acl_role(
            state,
            &(struct acl){.id = acl_id(2), .name = "r1", .policies = {"p1"}, .is_create = true})),
        "");
    struct acl acl = token(5);
    acl.description = "d";
    acl.policies[0] = "p1";
    acl.roles[0] = "r1";
    acl.services[0] = "web";
    Curia__V1__AclToken *made = acl_made_token(state, acl_token(state, &acl));
    ck_assert_str_eq(made->secret_id, SECRET);
    ck_assert_str_eq(made->policies[0]->id, acl_id(1));
    ck_assert_str_eq(made->policies[0]->name, "p1");
    ck_assert_str_eq(made->roles[0]->name, "r1");
    ck_assert_uint_eq(made->create_time_ms, state->wall_ms);
    ck_assert_uint_eq(made->create_index, state_index(state));
    Curia__V1__AclToken *read = acl_get_token(state, acl_id(5));
    ck_assert_str_eq(read->description, "d");
    ck_assert_str_eq(read->secret_id, SECRET);
    ck_assert_str_eq(read->service_identities[0]->service_name, "web");
    ck_assert_str_eq(leads_to(state, CATALOG_ACL_BY_SECRET, SECRET), acl_id(5));
    ck_assert_str_eq(leads_to(state, CATALOG_ACL_BY_ACCESSOR, acl_id(5)), SECRET);
    acl_hash_holds(state);
}

STATE_TEST(what_it_links_must_be_there_248)
{
    struct acl acl = token(5);
    acl.policies[0] = "nope";
    refuses(state, &acl, "No such ACL policy with name \"nope\"");
    acl.policies[0] = "#00000001-1111-4111-8111-111111111111";
    refuses(state, &acl, "No such ACL policy with ID \"00000001-1111-4111-8111-111111111111\"");
    acl.policies[0] = NULL;
    acl.roles[0] = "nope";
    refuses(state, &acl, "No such ACL role with name \"nope\"");
    acl.roles[0] = "#x";
    refuses(state, &acl, "No such ACL role with ID \"x\"");
    ck_assert_ptr_null(leads_to(state, CATALOG_ACL_BY_SECRET, SECRET));
}

STATE_TEST(ids_are_uuids_of_nobody_else)
{
    struct acl acl = token(5);
    acl.id = "short";
    refuses(state, &acl,
            "Failed acl token lookup by accessor: failed acl token lookup: index error: UUID must "
            "be 36 characters");
    acl.id = "0000000g-1111-4111-8111-111111111111";
    refuses(state, &acl, "Invalid Token: AccessorID is not a valid UUID");
    acl = token(5);
    acl.secret = "secret";
    refuses(state, &acl, "Invalid Token: SecretID is not a valid UUID");
    acl = token(5);
    make(state, &acl);
    acl.secret = OTHER;
    refuses(state, &acl, "Invalid Token: AccessorID is already in use");
    acl.id = SECRET; /* somebody's secret is no accessor id */
    refuses(state, &acl, "Invalid Token: AccessorID is already in use");
    acl = token(6);
    refuses(state, &acl, "Invalid Token: SecretID is already in use");
    acl.secret = acl_id(5);
    refuses(state, &acl, "Invalid Token: SecretID is already in use");
    acl.secret = acl.id;
    refuses(state, &acl, "Invalid Token: SecretID is already in use");
    acl = token(6);
    acl.id = CATALOG_ACL_RESERVED "77";
    refuses(state, &acl,
            "Invalid Token: UUIDs with the prefix \"00000000-0000-0000-0000-0000000000\" are "
            "reserved");
    acl = token(6);
    acl.secret = CATALOG_ACL_RESERVED "77";
    refuses(state, &acl,
            "Invalid Token: UUIDs with the prefix \"00000000-0000-0000-0000-0000000000\" are "
            "reserved");
}

STATE_TEST(a_time_to_live_is_a_minute_to_a_day_249)
{
    static const struct {
        int64_t ttl_ms;
        const char *sentence;
    } cases[] = {
        {1000, "ExpirationTime cannot be less than 1m0s in the future (was 1s)"},
        {MINUTE_MS - 1, "ExpirationTime cannot be less than 1m0s in the future (was 59.999s)"},
        {25 * HOUR_MS, "ExpirationTime cannot be more than 24h0m0s in the future (was 25h0m0s)"},
        {24 * HOUR_MS + 1,
         "ExpirationTime cannot be more than 24h0m0s in the future (was 24h0m0.001s)"},
        {-1000, "Token Expiration TTL '-1s' should be > 0"},
        {INT64_MAX, "ExpirationTime cannot be more than 24h0m0s in the future (was "
                    "2562047h47m16.854775807s)"},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct acl acl = token(5);
        acl.ttl_ms = cases[i].ttl_ms;
        refuses(state, &acl, cases[i].sentence);
    }
    struct acl acl = token(5);
    acl.ttl_ms = HOUR_MS;
    Curia__V1__AclToken *made = acl_made_token(state, acl_token(state, &acl));
    ck_assert_uint_eq(made->expiration_time_ms, state->wall_ms + HOUR_MS);
}

STATE_TEST(an_end_is_given_once_and_not_before_the_beginning)
{
    struct acl acl = token(5);
    acl.ttl_ms = HOUR_MS;
    acl.expires_ms = state->wall_ms + HOUR_MS;
    refuses(state, &acl, "Token Expiration TTL and Expiration Time cannot both be set");
    acl.ttl_ms = 0;
    acl.expires_ms = state->wall_ms - 1;
    refuses(state, &acl, "ExpirationTime cannot be before CreateTime");
    acl.expires_ms = state->wall_ms + MINUTE_MS;
    make(state, &acl);
}

STATE_TEST(a_token_has_limits)
{
    Curia__V1__AclLink link = CURIA__V1__ACL_LINK__INIT, *links[CATALOG_ACL_LINKS_EACH_MAX + 1];
    Curia__V1__AclToken big = CURIA__V1__ACL_TOKEN__INIT;
    char *words = cu_alloc(CATALOG_ACL_DESCRIPTION_BYTES_MAX + 2);
    make_policy(state, 1, "p1");
    link.id = text(acl_id(1));
    for (size_t i = 0; i < CU_COUNT(links); i++)
        links[i] = &link;
    memset(words, 'a', CATALOG_ACL_DESCRIPTION_BYTES_MAX);
    big.accessor_id = text(acl_id(5));
    big.secret_id = text(SECRET);
    big.description = words;
    big.policies = links;
    big.n_policies = CATALOG_ACL_LINKS_EACH_MAX + 1;
    ck_assert_uint_eq(acl_token_of(state, &big, true)->error, CU_E_TOO_LARGE);
    big.n_policies = CATALOG_ACL_LINKS_EACH_MAX;
    Curia__V1__AclToken *made = acl_made_token(state, acl_token_of(state, &big, true));
    ck_assert_uint_eq(made->n_policies, 1);
    words[CATALOG_ACL_DESCRIPTION_BYTES_MAX] = 'a';
    ck_assert_uint_eq(acl_token_of(state, &big, false)->error, CU_E_TOO_LARGE);
    free(words);
}

STATE_TEST(a_row_has_a_limit)
{
    static char names[CATALOG_ACL_IDENTITIES_MAX][12];
    static Curia__V1__AclServiceIdentity all[CATALOG_ACL_IDENTITIES_MAX],
        *list[CATALOG_ACL_IDENTITIES_MAX];
    static char place[CATALOG_ACL_DATACENTER_BYTES_MAX + 1];
    static char *places[CATALOG_ACL_DATACENTERS_MAX];
    Curia__V1__AclToken big = CURIA__V1__ACL_TOKEN__INIT;
    memset(place, 'd', CATALOG_ACL_DATACENTER_BYTES_MAX);
    for (size_t i = 0; i < CATALOG_ACL_DATACENTERS_MAX; i++)
        places[i] = place;
    for (size_t i = 0; i < CATALOG_ACL_IDENTITIES_MAX; i++) {
        (void)snprintf(names[i], sizeof names[i], "s%zu", i);
        curia__v1__acl_service_identity__init(&all[i]);
        all[i].service_name = names[i];
        all[i].datacenters = places;
        all[i].n_datacenters = CATALOG_ACL_DATACENTERS_MAX;
        list[i] = &all[i];
    }
    big.accessor_id = text(acl_id(5));
    big.secret_id = text(SECRET);
    big.service_identities = list;
    big.n_service_identities = CATALOG_ACL_IDENTITIES_MAX;
    ck_assert_str_eq(TEXT(acl_token_of(state, &big, true)), "the token is too large");
    ck_assert_ptr_null(leads_to(state, CATALOG_ACL_BY_SECRET, SECRET));
}

/* ---- changed ones ---- */

STATE_TEST(a_change_replaces_all_but_what_stays_250)
{
    make_policy(state, 1, "p1");
    struct acl acl = token(5);
    acl.description = "d";
    acl.policies[0] = "p1";
    acl.ttl_ms = HOUR_MS;
    Curia__V1__AclToken *made = acl_made_token(state, acl_token(state, &acl));
    state->wall_ms += 5000;
    Curia__V1__AclToken *now =
        acl_made_token(state, acl_token(state, &(struct acl){.id = acl_id(5)}));
    ck_assert_str_eq(now->description, "");
    ck_assert_uint_eq(now->n_policies, 0);
    ck_assert_str_eq(now->secret_id, SECRET);
    ck_assert_uint_eq(now->create_time_ms, made->create_time_ms);
    ck_assert_uint_eq(now->expiration_time_ms, made->expiration_time_ms);
    ck_assert_uint_eq(now->create_index, made->create_index);
    ck_assert_uint_gt(now->modify_index, made->modify_index);
    ck_assert_mem_ne(now->hash.data, made->hash.data, 32);
    acl_hash_holds(state);
}

STATE_TEST(what_stays_is_omitted_or_repeated_250)
{
    struct acl acl = token(5);
    acl.ttl_ms = HOUR_MS;
    make(state, &acl);
    struct acl change = {.id = acl_id(5), .secret = OTHER};
    refuses(state, &change, "Changing a tokens SecretID is not permitted");
    change = (struct acl){.id = acl_id(5), .local = true};
    refuses(state, &change, "cannot toggle local mode of 00000005-1111-4111-8111-111111111111");
    change = (struct acl){.id = acl_id(5), .ttl_ms = HOUR_MS};
    refuses(state, &change,
            "Cannot change expiration time of 00000005-1111-4111-8111-111111111111");
    change = (struct acl){.id = acl_id(5), .expires_ms = state->wall_ms + 2 * HOUR_MS};
    refuses(state, &change,
            "Cannot change expiration time of 00000005-1111-4111-8111-111111111111");
    change.expires_ms = state->wall_ms + HOUR_MS;
    change.secret = SECRET;
    make(state, &change);
    change = (struct acl){.id = acl_id(6)};
    refuses(state, &change, "Cannot find token \"00000006-1111-4111-8111-111111111111\"");
    change = (struct acl){.id = "0000000g-1111-4111-8111-111111111111"};
    refuses(state, &change, "AccessorID is not a valid UUID");
}

STATE_TEST(a_token_that_has_expired_is_not_there_249)
{
    struct acl acl = token(5);
    acl.ttl_ms = HOUR_MS;
    make(state, &acl);
    state->wall_ms += HOUR_MS - 1;
    ck_assert_ptr_nonnull(acl_get_token(state, acl_id(5)));
    make(state, &(struct acl){.id = acl_id(5)});
    state->wall_ms += 1;
    ck_assert_ptr_null(acl_get_token(state, acl_id(5)));
    refuses(state, &(struct acl){.id = acl_id(5)},
            "Cannot find token \"00000005-1111-4111-8111-111111111111\"");
}

/* ---- copies ---- */

STATE_TEST(a_copy_has_all_but_ids_and_the_time_of_its_making)
{
    make_policy(state, 1, "p1");
    struct acl acl = token(5);
    acl.description = "d";
    acl.policies[0] = "p1";
    acl.services[0] = "web";
    acl.ttl_ms = HOUR_MS;
    acl.local = true;
    Curia__V1__AclToken *from = acl_made_token(state, acl_token(state, &acl));
    state->wall_ms += 5000;
    struct acl clone = {.id = acl_id(6), .secret = OTHER, .clone_of = acl_id(5), .is_create = true};
    Curia__V1__AclToken *copy = acl_made_token(state, acl_token(state, &clone));
    ck_assert_str_eq(copy->accessor_id, acl_id(6));
    ck_assert_str_eq(copy->secret_id, OTHER);
    ck_assert_str_eq(copy->description, "d");
    ck_assert_str_eq(copy->policies[0]->name, "p1");
    ck_assert_str_eq(copy->service_identities[0]->service_name, "web");
    ck_assert(copy->local);
    ck_assert_uint_eq(copy->create_time_ms, state->wall_ms);
    ck_assert_uint_eq(copy->expiration_time_ms, from->expiration_time_ms);
    ck_assert_mem_eq(copy->hash.data, from->hash.data, 32);
    ck_assert_str_eq(acl_get_token(state, acl_id(5))->secret_id, SECRET);
    acl_hash_holds(state);
}

STATE_TEST(a_copy_may_be_described_otherwise_and_leaves_out_what_is_gone)
{
    make_policy(state, 1, "p1");
    struct acl acl = token(5);
    acl.policies[0] = "p1";
    make(state, &acl);
    ck_assert(acl_policy(state, &(struct acl){.id = acl_id(1), .is_delete = true})->applied);
    struct acl clone = {.id = acl_id(6),
                        .secret = OTHER,
                        .description = "other",
                        .clone_of = acl_id(5),
                        .is_create = true};
    Curia__V1__AclToken *copy = acl_made_token(state, acl_token(state, &clone));
    ck_assert_str_eq(copy->description, "other");
    ck_assert_uint_eq(copy->n_policies, 0);
}

STATE_TEST(nothing_is_no_copy)
{
    struct acl clone = {.id = acl_id(6), .secret = OTHER, .clone_of = acl_id(5), .is_create = true};
    acl_result *result = acl_token(state, &clone);
    ck_assert_uint_eq(result->error, CU_E_DENIED);
    ck_assert_str_eq(result->text, "ACL not found");
}

/* ---- deleted ones ---- */

STATE_TEST(a_deleted_token_is_gone_both_ways_252)
{
    struct acl acl = token(5), gone = {.id = acl_id(5), .is_delete = true};
    make(state, &acl);
    make(state, &gone);
    ck_assert_ptr_null(acl_get_token(state, acl_id(5)));
    ck_assert_ptr_null(leads_to(state, CATALOG_ACL_BY_SECRET, SECRET));
    ck_assert_ptr_null(leads_to(state, CATALOG_ACL_BY_ACCESSOR, acl_id(5)));
    make(state, &gone); /* one that is not there, too */
    make(state, &acl);
    acl_hash_holds(state);
    state_reopen(state);
    acl_hash_holds(state);
}

STATE_TEST(nobody_deletes_his_own_token_nor_everybodys_252)
{
    struct acl acl = token(5);
    make(state, &acl);
    acl_builtins(state, "");
    refuses(state, &(struct acl){.id = acl_id(5), .is_delete = true, .actor = acl_id(5)},
            "Deletion of the request's authorization token is not permitted");
    refuses(state, &(struct acl){.id = CATALOG_ACL_ANONYMOUS_ID, .is_delete = true},
            "Delete operation not permitted on the anonymous token");
    refuses(state, &(struct acl){.id = "x", .is_delete = true},
            "Accessor ID is missing or an invalid UUID");
    make(state, &(struct acl){.id = acl_id(5), .is_delete = true, .actor = acl_id(6)});
}

static void reap(struct state *state, char **ids, size_t count)
{
    Curia__Internal__V1__AclReapCommand body = CURIA__INTERNAL__V1__ACL_REAP_COMMAND__INIT;
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    body.accessor_ids = ids;
    body.n_accessor_ids = count;
    command.acl_reap = &body;
    ck_assert(state_command(state, &command).result->applied);
}

STATE_TEST(only_what_has_expired_is_reaped)
{
    char *ids[] = {text(acl_id(5)), text(acl_id(6)), text(acl_id(7)), text("x")};
    struct acl brief = token(5), lasting = token(6);
    brief.ttl_ms = MINUTE_MS;
    lasting.secret = OTHER;
    make(state, &brief);
    make(state, &lasting);
    reap(state, ids, CU_COUNT(ids));
    ck_assert_ptr_nonnull(leads_to(state, CATALOG_ACL_BY_SECRET, SECRET));
    state->wall_ms += MINUTE_MS;
    reap(state, ids, CU_COUNT(ids));
    ck_assert_ptr_null(leads_to(state, CATALOG_ACL_BY_SECRET, SECRET));
    ck_assert_ptr_nonnull(acl_get_token(state, acl_id(6)));
    acl_hash_holds(state);
}

STATE_TEST(so_many_are_reaped_at_once_and_no_more)
{
    char *ids[CATALOG_ACL_REAP_MAX + 1];
    struct acl brief = token(5);
    brief.ttl_ms = MINUTE_MS;
    make(state, &brief);
    state->wall_ms += MINUTE_MS;
    for (size_t i = 0; i < CU_COUNT(ids); i++)
        ids[i] = text(acl_id(6)); /* there is none */
    ids[CATALOG_ACL_REAP_MAX] = text(acl_id(5));
    reap(state, ids, CU_COUNT(ids));
    ck_assert_ptr_nonnull(leads_to(state, CATALOG_ACL_BY_SECRET, SECRET));
    ids[CATALOG_ACL_REAP_MAX - 1] = text(acl_id(5));
    reap(state, ids, CU_COUNT(ids));
    ck_assert_ptr_null(leads_to(state, CATALOG_ACL_BY_SECRET, SECRET));
}

/* ---- secrets ---- */

static bool see_change(void *arg, const struct catalog_change *change)
{
    const char *secrets[] = {SECRET, OTHER};
    ck_assert_int_ne(change->table, CATALOG_ACL_SECRETS);
    for (size_t i = 0; i < CU_COUNT(secrets); i++)
        ck_assert_ptr_null(memmem(change->before.len ? change->before.data : (const uint8_t *)"",
                                  change->before.len, secrets[i], strlen(secrets[i])));
    ++*(size_t *)arg;
    return true;
}

static bool see_row(void *arg, const struct catalog_row *row)
{
    ck_assert_ptr_null(memmem(row->value.data, row->value.len, SECRET, strlen(SECRET)));
    ++*(size_t *)arg;
    return true;
}

STATE_TEST(a_secret_enters_neither_history_nor_row_contracts_6_2)
{
    const struct catalog_backend *backend = state->backend;
    struct cu_bytes all = {NULL, 0};
    size_t changes = 0, rows = 0;
    struct acl acl = token(5);
    make(state, &acl);
    make(state, &(struct acl){.id = acl_id(5), .description = "new"});
    ck_assert_int_eq(catalog_store_flush(state->store), CU_OK);
    ck_assert_int_eq(backend->scan(backend->context, CATALOG_ACL_TOKENS, all, all, see_row, &rows),
                     CU_OK);
    ck_assert_uint_eq(rows, 1);
    make(state, &(struct acl){.id = acl_id(5), .is_delete = true});
    ck_assert_int_eq(catalog_store_flush(state->store), CU_OK);
    ck_assert_int_eq(backend->changes(backend->context, 0, 0, see_change, &changes), CU_OK);
    ck_assert_uint_eq(changes, 3);
    ck_assert(catalog_table_is_secret(CATALOG_ACL_SECRETS));
}

SUITE_MAIN("catalogd/core/acl_token", a_token_is_made_and_read_with_the_names_of_its_links_248,
           what_it_links_must_be_there_248, ids_are_uuids_of_nobody_else,
           a_time_to_live_is_a_minute_to_a_day_249,
           an_end_is_given_once_and_not_before_the_beginning, a_token_has_limits, a_row_has_a_limit,
           a_change_replaces_all_but_what_stays_250, what_stays_is_omitted_or_repeated_250,
           a_token_that_has_expired_is_not_there_249,
           a_copy_has_all_but_ids_and_the_time_of_its_making,
           a_copy_may_be_described_otherwise_and_leaves_out_what_is_gone, nothing_is_no_copy,
           a_deleted_token_is_gone_both_ways_252, nobody_deletes_his_own_token_nor_everybodys_252,
           only_what_has_expired_is_reaped, so_many_are_reaped_at_once_and_no_more,
           a_secret_enters_neither_history_nor_row_contracts_6_2)
