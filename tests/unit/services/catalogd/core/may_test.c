/* What may be seen: one set of rules for reads and for the feed (http-api.md 4.9; checklist 237,
 * 253, 257, 258, 274). */
#include "services/catalogd/core/may.h"

#include <string.h>

#include "services/catalogd/core/browse.h"
#include "services/catalogd/core/health.h"
#include "services/catalogd/core/instances.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/read.h"
#include "tests/lib/registration.h"
#include "tests/lib/suite.h"

static char *text(const char *borrowed)
{
    return (char *)(uintptr_t)borrowed;
}

/* Somebody with these rules, and nothing else. */
static struct cu_authorizer *somebody(struct state *state, const char *rules)
{
    struct cu_rules parsed;
    struct cu_diag diag = {0};
    ck_assert_msg(!cu_rules_parse(cu_bytes_of(rules), state->arena, &parsed, &diag), "%s",
                  diag.text);
    return cu_authorizer_new(&parsed, 1, false, 77);
}

static struct catalog_view view_of(struct state *state, struct cu_authorizer *who)
{
    struct catalog_view view = state_view(state);
    view.authorizer = who;
    return view;
}

/* web and its proxy on n1, db as ID "x" on n2; a check of each node and each service. */
static void arrange(struct state *state)
{
    state_registers(state, &(struct reg){.node = "n1", .service = "web", .check = "w"});
    state_registers(state, &(struct reg){.node = "n1",
                                         .service = "web-sidecar-proxy",
                                         .kind = "connect-proxy",
                                         .destination = "web",
                                         .port = 1});
    state_registers(state, &(struct reg){.node = "n1", .check = "alive"});
    state_registers(state, &(struct reg){.node = "n1", .check = "c", .check_service = "web"});
    state_registers(state, &(struct reg){.node = "n2", .service = "db", .service_id = "x"});
    state_registers(state, &(struct reg){.node = "n2", .check = "alive"});
}

static size_t count_nodes(const struct catalog_view *view, struct cu_arena *arena)
{
    Curia__V1__ListNodesRequest request = CURIA__V1__LIST_NODES_REQUEST__INIT;
    Curia__V1__ListNodesReply reply = CURIA__V1__LIST_NODES_REPLY__INIT;
    uint64_t index;
    ck_assert_int_eq(catalog_list_nodes(view, &request, arena, &reply, &index), CU_OK);
    return reply.n_nodes;
}

static size_t count_services(const struct catalog_view *view, struct cu_arena *arena)
{
    Curia__V1__ListServicesRequest request = CURIA__V1__LIST_SERVICES_REQUEST__INIT;
    Curia__V1__ListServicesReply reply = CURIA__V1__LIST_SERVICES_REPLY__INIT;
    uint64_t index;
    ck_assert_int_eq(catalog_list_services(view, &request, arena, &reply, &index), CU_OK);
    return reply.n_services;
}

static size_t count_instances(const struct catalog_view *view, struct cu_arena *arena,
                              const char *service, bool connect)
{
    Curia__V1__ServiceNodesRequest request = CURIA__V1__SERVICE_NODES_REQUEST__INIT;
    Curia__V1__ServiceNodesReply flat = CURIA__V1__SERVICE_NODES_REPLY__INIT;
    Curia__V1__HealthServiceReply health = CURIA__V1__HEALTH_SERVICE_REPLY__INIT;
    uint64_t index;
    request.service = text(service);
    request.connect = connect;
    ck_assert_int_eq(catalog_service_nodes(view, &request, arena, &flat, &index), CU_OK);
    ck_assert_int_eq(catalog_service_health(view, &request, arena, &health, &index), CU_OK);
    ck_assert_uint_eq(flat.n_services, health.n_entries);
    return health.n_entries;
}

static size_t count_checks(const struct catalog_view *view, struct cu_arena *arena)
{
    Curia__V1__StateChecksRequest request = CURIA__V1__STATE_CHECKS_REQUEST__INIT;
    Curia__V1__ChecksReply reply = CURIA__V1__CHECKS_REPLY__INIT;
    uint64_t index;
    request.state = text("any");
    ck_assert_int_eq(catalog_state_checks(view, &request, arena, &reply, &index), CU_OK);
    return reply.n_checks;
}

/* "N" of services on the node as they are shown; -1: there is no such node. */
static int on_node(const struct catalog_view *view, struct cu_arena *arena, const char *node,
                   bool by_id)
{
    Curia__V1__NodeServicesRequest request = CURIA__V1__NODE_SERVICES_REQUEST__INIT;
    Curia__V1__NodeServicesReply reply = CURIA__V1__NODE_SERVICES_REPLY__INIT;
    uint64_t index;
    request.node = text(node);
    request.rights_by_id = by_id;
    ck_assert_int_eq(catalog_node_services(view, &request, arena, &reply, &index), CU_OK);
    return reply.node ? (int)reply.n_services : -1;
}

STATE_TEST(lists_leave_out_what_may_not_be_seen_ACL_237_258)
{
    static const struct {
        const char *rules;
        size_t nodes, services, web, proxies, db, checks;
        int on_n1, on_n2;
    } cases[] = {
        {"", 0, 0, 0, 0, 0, 0, -1, -1},
        {"node_prefix \"\" { policy = \"read\" }", 2, 0, 0, 0, 0, 3, 0, 0},
        {"service_prefix \"\" { policy = \"read\" }", 0, 3, 0, 0, 0, 0, -1, -1},
        {"node \"n1\" { policy = \"read\" } service_prefix \"web\" { policy = \"read\" }", 1, 2, 1,
         1, 0, 3, 2, -1},
        /* who may not see web is not told who stands for it */
        {"node_prefix \"\" { policy = \"read\" } service \"web-sidecar-proxy\" { policy = \"read\" "
         "}",
         2, 1, 0, 0, 0, 3, 1, 0},
        {"node_prefix \"\" { policy = \"read\" } service_prefix \"\" { policy = \"read\" }", 2, 3,
         1, 1, 1, 4, 2, 1},
    };
    arrange(state);
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct cu_authorizer *who = somebody(state, cases[i].rules);
        struct catalog_view view = view_of(state, who);
        ck_assert_uint_eq(count_nodes(&view, state->arena), cases[i].nodes);
        ck_assert_uint_eq(count_services(&view, state->arena), cases[i].services);
        ck_assert_uint_eq(count_instances(&view, state->arena, "web", false), cases[i].web);
        ck_assert_uint_eq(count_instances(&view, state->arena, "web", true), cases[i].proxies);
        ck_assert_uint_eq(count_instances(&view, state->arena, "db", false), cases[i].db);
        ck_assert_int_eq(on_node(&view, state->arena, "n1", false), cases[i].on_n1);
        ck_assert_int_eq(on_node(&view, state->arena, "n2", false), cases[i].on_n2);
        ck_assert_msg(count_checks(&view, state->arena) == cases[i].checks, "case %zu: %zu", i,
                      count_checks(&view, state->arena));
        cu_authorizer_unref(who);
    }
}

STATE_TEST(one_read_of_a_node_asks_on_ids_the_other_on_names_ACL_274)
{
    arrange(state);
    struct cu_authorizer *name = somebody(
        state, "node_prefix \"\" { policy = \"read\" } service \"db\" { policy = \"read\" }");
    struct cu_authorizer *id = somebody(
        state, "node_prefix \"\" { policy = \"read\" } service \"x\" { policy = \"read\" }");
    struct catalog_view view = view_of(state, name);
    ck_assert_int_eq(on_node(&view, state->arena, "n2", true), 0);
    ck_assert_int_eq(on_node(&view, state->arena, "n2", false), 1);
    view.authorizer = id;
    ck_assert_int_eq(on_node(&view, state->arena, "n2", true), 1);
    ck_assert_int_eq(on_node(&view, state->arena, "n2", false), 0);
    cu_authorizer_unref(name);
    cu_authorizer_unref(id);
}

/* ---- keys ---- */

static const char *keys(const struct catalog_view *view, struct cu_arena *arena,
                        const char *separator, bool keys_only, uint64_t *ret_index)
{
    Curia__V1__KvListRequest request = CURIA__V1__KV_LIST_REQUEST__INIT;
    Curia__V1__KvListReply reply = CURIA__V1__KV_LIST_REPLY__INIT;
    const char *out = "";
    request.keys_only = keys_only;
    request.separator = (ProtobufCBinaryData){strlen(separator), (uint8_t *)text(separator)};
    ck_assert_int_eq(catalog_kv_list(view, &request, arena, &reply, ret_index), CU_OK);
    for (size_t i = 0; i < reply.n_pairs + reply.n_keys; i++) {
        ProtobufCBinaryData key = keys_only ? reply.keys[i] : reply.pairs[i]->key;
        out = cu_arena_printf(arena, "%s%.*s ", out, (int)key.len, (const char *)key.data);
    }
    return out;
}

#define FOO                                                                                        \
    "key_prefix \"foo/\" { policy = \"write\" } key \"foo/deny\" { policy = \"deny\" } "           \
    "key_prefix \"foo/ro/\" { policy = \"read\" }"

STATE_TEST(keys_are_listed_as_far_as_they_may_be_read_ACL_253)
{
    uint64_t index;
    state_set(state, "bar", "1");
    state_set(state, "foo/deny", "1");
    state_set(state, "foo/ro/a", "1");
    state_set(state, "foo/x", "1");
    struct cu_authorizer *who = somebody(state, FOO), *none = somebody(state, "");
    struct catalog_view view = view_of(state, who);
    ck_assert_str_eq(keys(&view, state->arena, "", false, &index), "foo/ro/a foo/x ");
    ck_assert_uint_eq(index, state_index(state)); /* of all that is there */
    ck_assert_str_eq(keys(&view, state->arena, "", true, &index), "foo/ro/a foo/x ");
    ck_assert_str_eq(keys(&view, state->arena, "/", true, &index), "foo/ ");
    view.authorizer = none;
    ck_assert_str_eq(keys(&view, state->arena, "", true, &index), "");
    cu_authorizer_unref(who);
    cu_authorizer_unref(none);
}

STATE_TEST(operations_of_a_transaction_ask_each_for_its_own_right_ACL_257)
{
    static const struct {
        Curia__V1__KvVerb verb;
        const char *key;
        bool is_denied;
    } cases[] = {
        {CURIA__V1__KV_VERB__KV_SET, "foo/x", false},
        {CURIA__V1__KV_VERB__KV_SET, "bar", true},
        {CURIA__V1__KV_VERB__KV_LOCK, "foo/ro/a", true},
        {CURIA__V1__KV_VERB__KV_GET, "bar", false}, /* left out of the results */
        {CURIA__V1__KV_VERB__KV_GET_TREE, "", false},
        {CURIA__V1__KV_VERB__KV_CHECK_INDEX, "foo/ro/a", false},
        {CURIA__V1__KV_VERB__KV_CHECK_INDEX, "bar", true},
        {CURIA__V1__KV_VERB__KV_CHECK_SESSION, "bar", true},
        {CURIA__V1__KV_VERB__KV_CHECK_NOT_EXISTS, "foo/ro/a", true},
        {CURIA__V1__KV_VERB__KV_DELETE_TREE, "foo/", true}, /* something below is read only */
        {CURIA__V1__KV_VERB__KV_DELETE_TREE, "foo/x", false},
    };
    struct cu_authorizer *who = somebody(state, FOO);
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        Curia__V1__KvOperation op = CURIA__V1__KV_OPERATION__INIT, *ops[] = {&op};
        Curia__V1__KvTxnRequest request = CURIA__V1__KV_TXN_REQUEST__INIT;
        Curia__V1__KvTxnReply reply = CURIA__V1__KV_TXN_REPLY__INIT;
        op.verb = cases[i].verb;
        op.key = (ProtobufCBinaryData){strlen(cases[i].key), (uint8_t *)text(cases[i].key)};
        request.operations = ops;
        request.n_operations = 1;
        if (op.key.len == 0)
            continue; /* refused for that alone */
        ck_assert_int_eq(catalog_kv_txn_precheck(who, &request, state->arena, &reply), CU_OK);
        ck_assert_msg(reply.n_errors == cases[i].is_denied, "case %zu", i);
        if (reply.n_errors)
            ck_assert_str_eq(reply.errors[0]->what, "Permission denied");
    }
    cu_authorizer_unref(who);
}

STATE_TEST(a_transaction_that_reads_leaves_out_what_may_not_be_read_ACL_257)
{
    Curia__V1__KvOperation get = CURIA__V1__KV_OPERATION__INIT, tree = get, *ops[] = {&get, &tree};
    Curia__V1__KvTxnRequest request = CURIA__V1__KV_TXN_REQUEST__INIT;
    Curia__V1__KvTxnReply reply = CURIA__V1__KV_TXN_REPLY__INIT;
    state_set(state, "bar", "1");
    state_set(state, "foo/deny", "1");
    state_set(state, "foo/x", "1");
    struct cu_authorizer *who = somebody(state, FOO);
    struct catalog_view view = view_of(state, who);
    get.verb = CURIA__V1__KV_VERB__KV_GET;
    get.key = (ProtobufCBinaryData){3, (uint8_t *)text("bar")};
    tree.verb = CURIA__V1__KV_VERB__KV_GET_TREE;
    tree.key = (ProtobufCBinaryData){4, (uint8_t *)text("foo/")};
    request.operations = ops;
    request.n_operations = 2;
    ck_assert_int_eq(catalog_kv_txn_read(&view, &request, state->arena, &reply), CU_OK);
    ck_assert_uint_eq(reply.n_errors, 0);
    ck_assert_uint_eq(reply.n_results, 1);
    ck_assert_uint_eq(reply.n_with_value, 1);
    ck_assert(
        cu_bytes_equal((struct cu_bytes){reply.results[0]->key.data, reply.results[0]->key.len},
                       cu_bytes_of("foo/x")));
    cu_authorizer_unref(who);
}

/* ---- rows of the feed ---- */

static bool sees(struct state *state, struct cu_authorizer *who, enum catalog_table table,
                 struct cu_bytes key, const char *node)
{
    struct catalog_row row = {.key = key};
    struct catalog_may_row seen = {.table = table, .key = key, .node = node};
    if (!state->backend->get(state->backend->context, table, key, state->arena, &row))
        seen.value = row.value;
    return catalog_may_see_row(who, &seen, state->arena);
}

STATE_TEST(a_row_of_the_feed_is_seen_by_who_may_read_it)
{
    struct cu_arena *arena = state->arena;
    struct cu_authorizer *who = somebody(
        state, "node \"n1\" { policy = \"read\" } service \"web\" { policy = \"read\" } " FOO);
    arrange(state);
    state_set(state, "bar", "1");
    state_set(state, "foo/x", "1");
    ck_assert(sees(state, who, CATALOG_KV, catalog_key_of(arena, cu_bytes_of("foo/x")), NULL));
    ck_assert(!sees(state, who, CATALOG_KV, catalog_key_of(arena, cu_bytes_of("bar")), NULL));
    ck_assert(sees(state, who, CATALOG_NODES, catalog_key_of_node(arena, "n1", NULL), NULL));
    ck_assert(!sees(state, who, CATALOG_NODES, catalog_key_of_node(arena, "n2", NULL), NULL));
    ck_assert(sees(state, who, CATALOG_SERVICES, catalog_key_of_node(arena, "n1", "web"), "n1"));
    ck_assert(!sees(state, who, CATALOG_SERVICES, catalog_key_of_node(arena, "n2", "x"), "n2"));
    ck_assert(sees(state, who, CATALOG_CHECKS, catalog_key_of_node(arena, "n1", "alive"), NULL));
    ck_assert(!sees(state, who, CATALOG_CHECKS, catalog_key_of_node(arena, "n2", "alive"), NULL));
    /* of a deleted node the key is all there is; of a service it says too little */
    ck_assert(!sees(state, who, CATALOG_NODES, catalog_key_of_node(arena, "n9", NULL), NULL));
    ck_assert(!sees(state, who, CATALOG_SERVICES, catalog_key_of_node(arena, "n1", "web9"), "n1"));
    cu_authorizer_unref(who);
}

STATE_TEST(tables_of_operators_and_of_secrets_are_not_for_everybody)
{
    static const struct {
        enum catalog_table table;
        const char *rules; /* "": nobody's */
    } cases[] = {
        {CATALOG_SETTINGS, "operator = \"read\""},
        {CATALOG_CONNECT_CONFIG, "operator = \"write\""},
        {CATALOG_ACL_POLICIES, "acl = \"read\""},
        {CATALOG_ACL_ROLES, "acl = \"read\""},
        {CATALOG_ACL_TOKENS, "acl = \"read\""},
        {CATALOG_ACL_SECRETS, ""},
        {CATALOG_CONNECT_SECRETS, ""},
        {CATALOG_INDEXES, ""},
    };
    struct cu_authorizer *most = somebody(
        state, "key_prefix \"\" { policy = \"write\" } node_prefix \"\" { policy = \"write\" } "
               "service_prefix \"\" { policy = \"write\" }");
    struct cu_authorizer *all = somebody(state, "acl = \"write\" operator = \"write\"");
    struct cu_bytes key = catalog_key_of(state->arena, cu_bytes_of("a"));
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct cu_authorizer *who = somebody(state, cases[i].rules);
        bool is_somebodys = *cases[i].rules != '\0';
        ck_assert_msg(!sees(state, most, cases[i].table, key, NULL), "case %zu", i);
        ck_assert_msg(sees(state, who, cases[i].table, key, NULL) == is_somebodys, "case %zu", i);
        ck_assert_msg(sees(state, all, cases[i].table, key, NULL) == is_somebodys, "case %zu", i);
        cu_authorizer_unref(who);
    }
    ck_assert(sees(state, most, CATALOG_CONNECT_ROOTS, key, NULL));
    cu_authorizer_unref(most);
    cu_authorizer_unref(all);
}

SUITE_MAIN("catalogd/core/may", lists_leave_out_what_may_not_be_seen_ACL_237_258,
           one_read_of_a_node_asks_on_ids_the_other_on_names_ACL_274,
           keys_are_listed_as_far_as_they_may_be_read_ACL_253,
           operations_of_a_transaction_ask_each_for_its_own_right_ACL_257,
           a_transaction_that_reads_leaves_out_what_may_not_be_read_ACL_257,
           a_row_of_the_feed_is_seen_by_who_may_read_it,
           tables_of_operators_and_of_secrets_are_not_for_everybody)
