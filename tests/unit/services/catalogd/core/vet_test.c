/* What registrations ask of who sends them (http-api.md 4.8; checklist 258, 259). */
#include "services/catalogd/core/vet.h"

#include <string.h>

#include "common/acl/authorizer.h"
#include "tests/lib/registration.h"
#include "tests/lib/suite.h"

static struct cu_authorizer *somebody(struct state *state, const char *rules)
{
    struct cu_rules parsed;
    struct cu_diag diag = {0};
    ck_assert_msg(!cu_rules_parse(cu_bytes_of(rules), state->arena, &parsed, &diag), "%s",
                  diag.text);
    return cu_authorizer_new(&parsed, 1, false, 77);
}

/* "" where it may; else the sentence. ret_rows: how many rows that rests on. */
static const char *vet_register(struct state *state, const char *rules, const struct reg *reg,
                                size_t *ret_rows)
{
    struct catalog_view view = state_view(state);
    struct catalog_vetted vetted = {.arena = state->arena};
    struct catalog_refusal refusal;
    Curia__Internal__V1__RegisterCommand *command = reg_command(state->arena, reg);
    ck_assert_int_eq(catalog_registration_prepare(command, state->arena, &refusal), CU_OK);
    ck_assert_ptr_null(refusal.text);
    struct cu_authorizer *who = somebody(state, rules);
    view.authorizer = who;
    ck_assert_int_eq(catalog_vet_register(&view, command, &vetted, &refusal), CU_OK);
    cu_authorizer_unref(who);
    *ret_rows = vetted.rows.count;
    return refusal.text ? refusal.text : "";
}

static const char *vet_deregister(struct state *state, const char *rules, const char *service_id,
                                  const char *check_id)
{
    struct catalog_view view = state_view(state);
    struct catalog_vetted vetted = {.arena = state->arena};
    struct catalog_refusal refusal;
    Curia__Internal__V1__DeregisterCommand command = CURIA__INTERNAL__V1__DEREGISTER_COMMAND__INIT;
    command.node = (char *)(uintptr_t) "n1";
    command.service_id = (char *)(uintptr_t)service_id;
    command.check_id = (char *)(uintptr_t)check_id;
    struct cu_authorizer *who = somebody(state, rules);
    view.authorizer = who;
    ck_assert_int_eq(catalog_vet_deregister(&view, &command, &vetted, &refusal), CU_OK);
    cu_authorizer_unref(who);
    return refusal.text ? refusal.text : "";
}

#define NODE  "node \"n1\" { policy = \"write\" }"
#define WEB   "service \"web\" { policy = \"write\" }"
#define PROXY "service \"web-sidecar-proxy\" { policy = \"write\" }"
#define NO    "Permission denied"

STATE_TEST(a_registration_asks_for_each_thing_that_it_changes_ACL_258_259)
{
    static const struct {
        const char *rules;
        struct reg reg;
        const char *want;
    } cases[] = {
        /* n1 is there with web as "w", x is not */
        {"", {.node = "x"}, NO},
        {NODE, {.node = "x"}, NO},
        {"node \"x\" { policy = \"write\" }", {.node = "x"}, ""},
        {"", {.node = "n1"}, ""}, /* as it is already: nothing is changed */
        {"", {.node = "n1", .address = "10.9.9.9"}, NO},
        {NODE, {.node = "n1", .address = "10.9.9.9"}, ""},
        {"", {.node = "n1", .address = "10.9.9.9", .skip_node_update = true}, ""},
        {WEB, {.node = "n1", .service = "web"}, ""},
        {WEB, {.node = "x", .service = "web"}, NO},
        {NODE, {.node = "n1", .service = "web"}, NO},
        /* in the place of another one under that id */
        {"service \"api\" { policy = \"write\" }",
         {.node = "n1", .service = "api", .service_id = "w"},
         NO},
        {WEB "service \"api\" { policy = \"write\" }",
         {.node = "n1", .service = "api", .service_id = "w"},
         ""},
        {PROXY,
         {.node = "n1",
          .service = "web-sidecar-proxy",
          .kind = "connect-proxy",
          .destination = "web",
          .port = 1},
         NO},
        {PROXY WEB,
         {.node = "n1",
          .service = "web-sidecar-proxy",
          .kind = "connect-proxy",
          .destination = "web",
          .port = 1},
         ""},
        /* checks: of the node, of a service that is there, of one that is not */
        {WEB, {.node = "n1", .check = "c"}, NO},
        {NODE, {.node = "n1", .check = "c"}, ""},
        {WEB, {.node = "n1", .check = "c", .check_service = "w"}, ""},
        {NODE, {.node = "n1", .check = "c", .check_service = "w"}, NO},
        {WEB,
         {.node = "n1", .check = "c", .check_service = "zz"},
         "Unknown service 'zz' for check 'c'"},
        /* in the place of one of the node, or of another service */
        {WEB, {.node = "n1", .check = "mem", .check_service = "w"}, NO},
        {WEB NODE, {.node = "n1", .check = "mem", .check_service = "w"}, ""},
        {NODE, {.node = "n1", .check = "beat"}, NO},
        {WEB NODE, {.node = "n1", .check = "beat"}, ""},
        {WEB, {.node = "n1", .check = "beat", .check_service = "w"}, ""},
    };
    size_t rows;
    state_registers(state, &(struct reg){.node = "n1", .service = "web", .service_id = "w"});
    state_registers(state, &(struct reg){.node = "n1", .check = "mem"});
    state_registers(state, &(struct reg){.node = "n1", .check = "beat", .check_service = "w"});
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        const char *got = vet_register(state, cases[i].rules, &cases[i].reg, &rows);
        ck_assert_msg(strcmp(got, cases[i].want) == 0, "case %zu: \"%s\"", i, got);
        ck_assert_uint_ge(rows, 1); /* the node's, or that there is none */
    }
}

STATE_TEST(what_was_read_for_it_is_named)
{
    struct catalog_view view;
    struct catalog_vetted vetted = {.arena = state->arena};
    struct catalog_refusal refusal;
    size_t rows;
    state_registers(state, &(struct reg){.node = "n1", .service = "web", .service_id = "w"});
    (void)vet_register(state, WEB, &(struct reg){.node = "n1", .service = "web", .service_id = "w"},
                       &rows);
    ck_assert_uint_eq(rows, 2);
    Curia__Internal__V1__RegisterCommand *command = reg_command(
        state->arena, &(struct reg){.node = "n1", .service = "web", .service_id = "new"});
    view = state_view(state);
    ck_assert_int_eq(catalog_registration_prepare(command, state->arena, &refusal), CU_OK);
    ck_assert_int_eq(catalog_vet_register(&view, command, &vetted, &refusal), CU_OK);
    const Curia__Internal__V1__Checked *node = vetted.rows.items[0],
                                       *service = vetted.rows.items[1];
    ck_assert_str_eq(node->table, "nodes");
    ck_assert_uint_eq(node->modify_index, state_node(state, "n1")->modify_index);
    ck_assert_str_eq(service->table, "services");
    ck_assert_uint_eq(service->modify_index, 0); /* there is none */
}

STATE_TEST(rows_to_be_named_have_a_limit)
{
    struct catalog_vetted vetted = {.arena = state->arena};
    for (int i = 0; i < CATALOG_VET_ROWS_MAX; i++)
        ck_assert_int_eq(catalog_vetted_add(&vetted, CATALOG_NODES, cu_bytes_of("k"), 1), CU_OK);
    ck_assert_int_eq(catalog_vetted_add(&vetted, CATALOG_NODES, cu_bytes_of("k"), 1),
                     CU_E_TOO_LARGE);
}

STATE_TEST(the_right_to_a_node_does_for_all_on_it_else_that_to_the_service)
{
    static const struct {
        const char *rules, *service_id, *check_id, *want;
    } cases[] = {
        {NODE, "", "", ""},
        {NODE, "w", "", ""},
        {NODE, "zz", "", ""},
        {WEB, "", "", NO},
        {WEB, "w", "", ""},
        {"", "w", "", NO},
        {WEB, "w", "nodes", ""}, /* the service goes before the check */
        {"", "zz", "", "Unknown service 'zz'"},
        {WEB, "", "mine", ""},
        {"", "", "mine", NO},
        {WEB, "", "nodes", NO},
        {NODE, "", "nodes", ""},
        {WEB, "", "zz", "Unknown check 'zz'"},
    };
    state_registers(state, &(struct reg){.node = "n1", .service = "web", .service_id = "w"});
    state_registers(state, &(struct reg){.node = "n1", .check = "mine", .check_service = "w"});
    state_registers(state, &(struct reg){.node = "n1", .check = "nodes"});
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        const char *got =
            vet_deregister(state, cases[i].rules, cases[i].service_id, cases[i].check_id);
        ck_assert_msg(strcmp(got, cases[i].want) == 0, "case %zu: \"%s\"", i, got);
    }
}

SUITE_MAIN("catalogd/core/vet", a_registration_asks_for_each_thing_that_it_changes_ACL_258_259,
           what_was_read_for_it_is_named, rows_to_be_named_have_a_limit,
           the_right_to_a_node_does_for_all_on_it_else_that_to_the_service)
