/* The CA's rows (mesh.md 1). */
#include "services/catalogd/core/ca.h"

#include <string.h>

#include "tests/lib/catalog_state.h"
#include "tests/lib/suite.h"

#define CLUSTER "11111111-2222-3333-4444-555555555555"

static char *text(const char *borrowed)
{
    return (char *)(uintptr_t)borrowed;
}

/* One root "r", or "r" and "s" with the second active. */
static const Curia__Internal__V1__CommandResult *set(struct state *state, size_t roots,
                                                     const char *key, uint64_t roots_index)
{
    Curia__Internal__V1__CaSetCommand body = CURIA__INTERNAL__V1__CA_SET_COMMAND__INIT;
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    Curia__V1__CaConfig config = CURIA__V1__CA_CONFIG__INIT;
    Curia__V1__CaRoot all[2], *list[] = {&all[0], &all[1]};
    for (size_t i = 0; i < 2; i++) {
        curia__v1__ca_root__init(&all[i]);
        all[i].id = text(i ? "s" : "r");
        all[i].root_cert = text("PEM\n");
        all[i].active = i + 1 == roots;
    }
    config.provider = text("consul");
    config.cluster_id = text(CLUSTER);
    body.config = &config;
    body.roots = list;
    body.n_roots = roots;
    body.signing_key = (ProtobufCBinaryData){strlen(key), (uint8_t *)(uintptr_t)key};
    body.roots_index = roots_index;
    command.ca_set = &body;
    return state_command(state, &command).result;
}

static Curia__V1__CaRootsReply roots_of(struct state *state)
{
    Curia__V1__CaRootsReply reply = CURIA__V1__CA_ROOTS_REPLY__INIT;
    struct catalog_view view = state_view(state);
    uint64_t index;
    ck_assert_int_eq(catalog_ca_roots(&view, state->arena, &reply, &index), CU_OK);
    return reply;
}

static const char *key_of(struct state *state, const char *id)
{
    struct catalog_view view = state_view(state);
    const char *pem;
    ck_assert_int_eq(catalog_ca_key(&view, id, state->arena, &pem), CU_OK);
    return pem;
}

STATE_TEST(a_root_is_set_once_by_whoever_is_first)
{
    ck_assert_uint_eq(roots_of(state).n_roots, 0);
    ck_assert_str_eq(roots_of(state).trust_domain, "");
    ck_assert(set(state, 1, "KEY", 0)->applied);
    ck_assert(!set(state, 1, "OTHER", 0)->applied);
    Curia__V1__CaRootsReply roots = roots_of(state);
    ck_assert_uint_eq(roots.n_roots, 1);
    ck_assert_str_eq(roots.active_root_id, "r");
    ck_assert_str_eq(roots.trust_domain, CLUSTER ".consul");
    ck_assert_str_eq(key_of(state, "r"), "KEY");
}

STATE_TEST(another_root_becomes_active_and_only_its_key_stays)
{
    ck_assert(set(state, 1, "KEY", 0)->applied);
    ck_assert(set(state, 2, "NEW", state_index(state))->applied);
    ck_assert_str_eq(roots_of(state).active_root_id, "s");
    ck_assert_ptr_null(key_of(state, "r"));
    ck_assert_str_eq(key_of(state, "s"), "NEW");
    struct cu_u128 sum = state_sum(state), hash = catalog_store_hash(state->store);
    ck_assert(sum.lo == hash.lo && sum.hi == hash.hi);
}

STATE_TEST(a_configuration_alone_leaves_roots_and_key_as_they_are)
{
    ck_assert(set(state, 1, "KEY", 0)->applied);
    uint64_t at = state_index(state);
    ck_assert(set(state, 0, "", at)->applied);
    ck_assert_uint_eq(roots_of(state).roots[0]->modify_index, at);
    ck_assert_str_eq(key_of(state, "r"), "KEY");
}

static bool see(void *arg, const struct catalog_change *change)
{
    ck_assert_int_ne(change->table, CATALOG_CONNECT_SECRETS);
    ck_assert_ptr_null(memmem(change->before.data ? change->before.data : (const uint8_t *)"",
                              change->before.len, "KEY", 3));
    ++*(size_t *)arg;
    return true;
}

STATE_TEST(a_key_enters_no_history_contracts_6_2)
{
    size_t seen = 0;
    ck_assert(set(state, 1, "KEY", 0)->applied);
    ck_assert(set(state, 2, "NEW", state_index(state))->applied);
    ck_assert_int_eq(catalog_store_flush(state->store), CU_OK);
    ck_assert_int_eq(state->backend->changes(state->backend->context, 0, 0, see, &seen), CU_OK);
    ck_assert_uint_ge(seen, 4); /* configuration and roots, twice */
    ck_assert(catalog_table_is_secret(CATALOG_CONNECT_SECRETS));
}

STATE_TEST(what_makes_no_sense_is_refused)
{
    ck_assert_str_eq(set(state, 1, "KEY", 0)->text, "");
    Curia__Internal__V1__CaSetCommand body = CURIA__INTERNAL__V1__CA_SET_COMMAND__INIT;
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    command.ca_set = &body;
    ck_assert_str_eq(state_command(state, &command).result->text,
                     "there is no CA configuration in it");
}

STATE_TEST(issuing_a_leaf_is_a_place_in_the_log_and_nothing_else)
{
    Curia__Internal__V1__CaIssueCommand body = CURIA__INTERNAL__V1__CA_ISSUE_COMMAND__INIT;
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    struct cu_u128 before = catalog_store_hash(state->store);
    command.ca_issue = &body;
    struct catalog_outcome one = state_command(state, &command);
    struct catalog_outcome two = state_command(state, &command);
    struct cu_u128 after = catalog_store_hash(state->store);
    ck_assert(two.shown_index > one.shown_index);
    ck_assert(before.lo == after.lo && before.hi == after.hi);
}

SUITE_MAIN("catalogd/core/ca", a_root_is_set_once_by_whoever_is_first,
           another_root_becomes_active_and_only_its_key_stays,
           a_configuration_alone_leaves_roots_and_key_as_they_are,
           a_key_enters_no_history_contracts_6_2, what_makes_no_sense_is_refused,
           issuing_a_leaf_is_a_place_in_the_log_and_nothing_else)
