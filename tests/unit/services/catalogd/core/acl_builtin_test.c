/* What there always is, and the first management token (http-api.md 4.4; checklist 238, 239). */
#include "services/catalogd/core/acl_builtin.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/acl_state.h"
#include "tests/lib/suite.h"

#define SECRET "aaaaaaaa-2222-4222-8222-222222222222"
#define MASTER "any text will do"

static char *text(const char *borrowed)
{
    return (char *)(uintptr_t)borrowed;
}

static acl_result *bootstrap(struct state *state, unsigned number, const char *secret,
                             uint64_t reset_index)
{
    Curia__Internal__V1__AclBootstrapCommand body =
        CURIA__INTERNAL__V1__ACL_BOOTSTRAP_COMMAND__INIT;
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    body.accessor_id = text(acl_id(number));
    body.secret_id = text(secret);
    body.reset_index = reset_index;
    command.acl_bootstrap = &body;
    return state_command(state, &command).result;
}

static uint64_t reset_index(struct state *state)
{
    uint64_t index;
    ck_assert_int_eq(catalog_acl_reset_index(state->backend, state->arena, &index), CU_OK);
    return index;
}

static bool is_missing(struct state *state, const char *master)
{
    struct catalog_view view = state_view(state);
    bool missing;
    ck_assert_int_eq(catalog_acl_builtins_missing(&view, master, state->arena, &missing), CU_OK);
    return missing;
}

STATE_TEST(what_is_missing_is_made_once)
{
    ck_assert(is_missing(state, ""));
    acl_builtins(state, "");
    ck_assert(!is_missing(state, ""));
    Curia__V1__AclToken *token = acl_get_token(state, CATALOG_ACL_ANONYMOUS_ID);
    ck_assert_str_eq(token->secret_id, "anonymous");
    ck_assert_str_eq(token->description, "Anonymous Token");
    ck_assert_uint_eq(token->n_policies, 0);
    uint64_t at = token->modify_index;
    acl_builtins(state, "");
    ck_assert_uint_eq(acl_get_token(state, CATALOG_ACL_ANONYMOUS_ID)->modify_index, at);
    ck_assert_uint_eq(reset_index(state), 0);
    acl_hash_holds(state);
}

STATE_TEST(the_anonymous_token_may_be_changed)
{
    acl_builtins(state, "");
    ck_assert_str_eq(acl_token(state, &(struct acl){.id = CATALOG_ACL_ANONYMOUS_ID,
                                                    .description = "Anonymous Token",
                                                    .policies = {"global-management"}})
                         ->text,
                     "");
    acl_builtins(state, "");
    ck_assert_uint_eq(acl_get_token(state, CATALOG_ACL_ANONYMOUS_ID)->n_policies, 1);
}

STATE_TEST(a_configured_master_token_counts_as_bootstrap)
{
    ck_assert(is_missing(state, MASTER));
    acl_builtins(state, MASTER);
    ck_assert(!is_missing(state, MASTER));
    Curia__V1__AclToken *token = acl_get_token(state, acl_id(15));
    ck_assert_str_eq(token->secret_id, MASTER);
    ck_assert_str_eq(token->description, "Master Token");
    ck_assert_str_eq(token->policies[0]->name, "global-management");
    ck_assert_uint_eq(reset_index(state), state_index(state));
    ck_assert_uint_eq(bootstrap(state, 1, SECRET, 0)->error, CU_E_DENIED);
    acl_builtins(state, MASTER); /* it is there */
    acl_hash_holds(state);
}

STATE_TEST(a_master_token_that_is_too_long_is_none)
{
    char secret[CATALOG_ACL_SECRET_BYTES_MAX + 2] = "";
    memset(secret, 'a', CATALOG_ACL_SECRET_BYTES_MAX + 1);
    acl_builtins(state, secret);
    ck_assert_ptr_null(acl_get_token(state, acl_id(15)));
    secret[CATALOG_ACL_SECRET_BYTES_MAX] = '\0';
    acl_builtins(state, secret);
    ck_assert_ptr_nonnull(acl_get_token(state, acl_id(15)));
}

STATE_TEST(there_is_one_bootstrap_238)
{
    char sentence[128];
    Curia__V1__AclToken *made = acl_made_token(state, bootstrap(state, 1, SECRET, 0));
    ck_assert_str_eq(made->secret_id, SECRET);
    ck_assert_str_eq(made->description, "Bootstrap Token (Global Management)");
    ck_assert_str_eq(made->policies[0]->id, CATALOG_ACL_MANAGEMENT_ID);
    ck_assert_str_eq(made->policies[0]->name, "global-management"); /* made with it */
    ck_assert(!made->local);
    ck_assert_uint_eq(made->create_time_ms, state->wall_ms);
    uint64_t at = state_index(state);
    ck_assert(!is_missing(state, ""));
    acl_result *again = bootstrap(state, 2, "bbbbbbbb-2222-4222-8222-222222222222", 0);
    (void)snprintf(sentence, sizeof sentence,
                   "Permission denied: ACL bootstrap no longer allowed (reset index: %llu)",
                   (unsigned long long)at);
    ck_assert_str_eq(again->text, sentence);
    ck_assert_uint_eq(again->error, CU_E_DENIED);
    ck_assert_ptr_null(acl_get_token(state, acl_id(2)));
    acl_hash_holds(state);
}

STATE_TEST(the_right_reset_index_allows_one_more_239)
{
    char sentence[128];
    (void)acl_made_token(state, bootstrap(state, 1, SECRET, 0));
    uint64_t at = reset_index(state);
    const char *secret = "bbbbbbbb-2222-4222-8222-222222222222";
    acl_result *wrong = bootstrap(state, 2, secret, at + 1);
    (void)snprintf(sentence, sizeof sentence,
                   "Invalid bootstrap reset index (specified %llu, reset index: %llu)",
                   (unsigned long long)at + 1, (unsigned long long)at);
    ck_assert_str_eq(wrong->text, sentence);
    ck_assert_uint_eq(wrong->error, CU_E_INVALID);
    ck_assert_str_eq(bootstrap(state, 2, secret, at)->text, "");
    ck_assert_uint_gt(reset_index(state), at);
    ck_assert_uint_ne(bootstrap(state, 3, "cccccccc-2222-4222-8222-222222222222", at)->error, 0);
    ck_assert_ptr_nonnull(acl_get_token(state, acl_id(1))); /* the first one stays */
}

STATE_TEST(a_bootstrap_without_usable_ids_is_none)
{
    ck_assert_str_eq(bootstrap(state, 1, "x", 0)->text, "there are no usable ids in it");
    ck_assert_str_eq(bootstrap(state, 1, acl_id(1), 0)->text, "there are no usable ids in it");
    ck_assert_str_eq(bootstrap(state, 1, CATALOG_ACL_RESERVED "55", 0)->text,
                     "there are no usable ids in it");
    ck_assert_uint_eq(reset_index(state), 0);
    (void)acl_made_token(state, bootstrap(state, 1, SECRET, 0));
    acl_result *used = bootstrap(state, 1, SECRET, reset_index(state));
    ck_assert_uint_eq(used->error, CU_E_CONFLICT);
}

SUITE_MAIN("catalogd/core/acl_builtin", what_is_missing_is_made_once,
           the_anonymous_token_may_be_changed, a_configured_master_token_counts_as_bootstrap,
           a_master_token_that_is_too_long_is_none, there_is_one_bootstrap_238,
           the_right_reset_index_allows_one_more_239, a_bootstrap_without_usable_ids_is_none)
