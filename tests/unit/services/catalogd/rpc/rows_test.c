/* Pages of the state's rows (contracts 6.3). */
#include "services/catalogd/rpc/rows.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/registration.h"
#include "tests/lib/suite.h"

enum { KEYS = 100, VALUE_BYTES = 100 };

static void fill(struct state *state)
{
    char key[16], value[VALUE_BYTES + 1];
    memset(value, 'v', VALUE_BYTES);
    value[VALUE_BYTES] = 0;
    for (int i = 0; i < KEYS; i++) {
        (void)snprintf(key, sizeof key, "k%03d", i);
        state_set(state, key, value);
    }
    ck_assert(state_kv(state, &(struct kv){.verb = CATALOG_KV_DELETE, .key = "k050"})->applied);
    ck_assert_int_eq(catalog_store_flush(state->store), CU_OK);
}

static Curia__V1__FeedRowsReply page(struct state *state, const char *topic, uint32_t max_bytes,
                                     const Curia__V1__FeedRow *after)
{
    Curia__V1__FeedRowsRequest request = CURIA__V1__FEED_ROWS_REQUEST__INIT;
    Curia__V1__FeedRowsReply reply;
    char *topics[] = {(char *)(uintptr_t)topic};
    request.topics = topics;
    request.n_topics = topic != NULL;
    request.max_bytes = max_bytes;
    if (after) {
        request.after_topic = after->topic;
        request.after_key = after->key;
    }
    ck_assert_int_eq(
        catalog_feed_page(state->backend, cu_authorizer_all(), &request, state->arena, &reply),
        CU_OK);
    return reply;
}

STATE_TEST(pages_bring_every_row_once_contracts_6_3)
{
    const Curia__V1__FeedRow *last = NULL;
    unsigned rows = 0, pages = 0, tombstones = 0;
    bool more = true;
    fill(state);
    while (more) {
        Curia__V1__FeedRowsReply reply = page(state, NULL, 1000, last);
        for (size_t i = 0; i < reply.n_rows; i++) {
            struct cu_bytes now = {reply.rows[i]->key.data, reply.rows[i]->key.len};
            bool is_same_topic = last && strcmp(last->topic, reply.rows[i]->topic) == 0;
            if (is_same_topic)
                ck_assert_int_gt(
                    cu_bytes_compare(now, (struct cu_bytes){last->key.data, last->key.len}), 0);
            last = reply.rows[i];
            rows++;
            tombstones += strcmp(last->topic, "tombstones") == 0;
        }
        ck_assert_uint_eq(reply.at->index, state_index(state));
        ck_assert_uint_eq(reply.at->cluster_id.len, CATALOG_ID_BYTES);
        more = reply.more;
        pages++;
    }
    ck_assert_uint_eq(rows, KEYS - 1 + 1); /* and a tombstone */
    ck_assert_uint_eq(tombstones, 1);
    ck_assert_uint_ge(pages, KEYS * VALUE_BYTES / 1200);
}

STATE_TEST(a_page_holds_only_the_topics_asked_for)
{
    fill(state);
    Curia__V1__FeedRowsReply reply = page(state, "tombstones", 0, NULL);
    ck_assert_uint_eq(reply.n_rows, 1);
    ck_assert(!reply.more);
    ck_assert_str_eq(reply.rows[0]->topic, "tombstones");
}

STATE_TEST(a_row_comes_as_it_lies_in_its_table)
{
    fill(state);
    Curia__V1__FeedRow *row = page(state, "kv", 1, NULL).rows[0];
    struct catalog_row want;
    struct cu_bytes key = {row->key.data, row->key.len};
    ck_assert_int_eq(
        state->backend->get(state->backend->context, CATALOG_KV, key, state->arena, &want), CU_OK);
    ck_assert(cu_bytes_equal(want.value, (struct cu_bytes){row->row.data, row->row.len}));
    ck_assert_uint_eq(row->create_index, want.create_index);
    ck_assert_uint_eq(row->modify_index, want.modify_index);
}

STATE_TEST(a_page_ends_with_the_row_that_passes_its_limit)
{
    fill(state);
    Curia__V1__FeedRowsReply one = page(state, "kv", 1, NULL);
    ck_assert_uint_eq(one.n_rows, 1);
    ck_assert(one.more);
    size_t bytes = one.rows[0]->key.len + one.rows[0]->row.len;
    ck_assert_uint_eq(page(state, "kv", (uint32_t)bytes, NULL).n_rows, 1);
    ck_assert_uint_eq(page(state, "kv", (uint32_t)bytes + 1, NULL).n_rows, 2);
}

STATE_TEST(a_topic_that_is_no_table_is_refused)
{
    Curia__V1__FeedRowsRequest request = CURIA__V1__FEED_ROWS_REQUEST__INIT;
    Curia__V1__FeedRowsReply reply;
    char *topics[] = {"nothing"};
    request.topics = topics;
    request.n_topics = 1;
    ck_assert_int_eq(
        catalog_feed_page(state->backend, cu_authorizer_all(), &request, state->arena, &reply),
        CU_E_INVALID);
    request.n_topics = 0;
    request.after_topic = "nothing";
    ck_assert_int_eq(
        catalog_feed_page(state->backend, cu_authorizer_all(), &request, state->arena, &reply),
        CU_E_INVALID);
}

STATE_TEST(a_page_holds_what_may_be_seen_and_says_by_whom)
{
    static const char text[] = "key_prefix \"k09\" { policy = \"read\" } "
                               "node \"N1\" { policy = \"read\" } "
                               "service \"web\" { policy = \"read\" }";
    Curia__V1__FeedRowsRequest request = CURIA__V1__FEED_ROWS_REQUEST__INIT;
    Curia__V1__FeedRowsReply reply;
    struct cu_rules rules;
    const char *seen = "";
    fill(state);
    /* rights are asked on the name as it is written, which no key has */
    state_registers(state, &(struct reg){.node = "N1", .service = "web"});
    state_registers(state, &(struct reg){.node = "N1", .service = "db"});
    state_registers(state, &(struct reg){.node = "n2", .service = "web"});
    ck_assert_int_eq(catalog_store_flush(state->store), CU_OK);
    ck_assert_int_eq(cu_rules_parse(cu_bytes_of(text), state->arena, &rules, NULL), CU_OK);
    struct cu_authorizer *who = cu_authorizer_new(&rules, 1, false, 4711);
    ck_assert_int_eq(catalog_feed_page(state->backend, who, &request, state->arena, &reply), CU_OK);
    for (size_t i = 0; i < reply.n_rows; i++)
        seen = strcmp(reply.rows[i]->topic, "kv") == 0
                   ? seen
                   : cu_arena_printf(state->arena, "%s%s ", seen, reply.rows[i]->topic);
    ck_assert_str_eq(seen, "nodes services ");
    ck_assert_uint_eq(reply.n_rows, 10 + 2);
    ck_assert_uint_eq(reply.at->rights, 4711);
    cu_authorizer_unref(who);
}

SUITE_MAIN("services/catalogd/rpc/rows", a_page_holds_what_may_be_seen_and_says_by_whom,
           pages_bring_every_row_once_contracts_6_3, a_page_holds_only_the_topics_asked_for,
           a_row_comes_as_it_lies_in_its_table, a_page_ends_with_the_row_that_passes_its_limit,
           a_topic_that_is_no_table_is_refused)
