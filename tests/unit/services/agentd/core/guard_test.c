/* What a token must grant for what is the agent's own, and what is said where it does not. */
#include "services/agentd/core/guard.h"

#include <string.h>

#include "tests/lib/suite.h"

static struct agent_local local;
static struct agent_fault fault;

static void put_service(const char *id, const char *name)
{
    Curia__V1__Service service = CURIA__V1__SERVICE__INIT;
    service.id = (char *)id;
    service.service = (char *)name;
    agent_local_put_service(&local, &service, "", AGENT_FROM_API);
}

static void put_check(const char *id, const char *service)
{
    Curia__V1__Check check = CURIA__V1__CHECK__INIT;
    check.check_id = (char *)id;
    check.status = "passing";
    check.service_id = (char *)service;
    ck_assert(agent_local_put_check(&local, &check, NULL, "", AGENT_FROM_API, CU_MONO_NEVER));
}

/* A node with a service "web" under the id "w1", a check of it and one of the node. */
static void open_local(void)
{
    agent_local_init(&local, "n1", 7);
    put_service("w1", "web");
    put_check("beat", "w1");
    put_check("mem", "");
}

static struct agent_guard guard_with(struct cu_authorizer *authorizer)
{
    fault = (struct agent_fault){0};
    return (struct agent_guard){authorizer, &local, &fault};
}

static struct cu_authorizer *rules(const char *text)
{
    struct cu_arena *arena = cu_arena_new(64 * 1024);
    struct cu_rules parsed;
    struct cu_diag diag = {0};
    ck_assert_msg(!cu_rules_parse(cu_bytes_of(text), arena, &parsed, &diag), "%s", diag.text);
    struct cu_authorizer *made = cu_authorizer_new(&parsed, 1, false, 77);
    cu_arena_free(arena);
    return made;
}

/* ---- routes ---- */

/* What is asked, the least that grants it, and what is said to who has nothing. */
static const struct {
    enum cu_right right;
    enum agent_guards guards;
    const char *tail, *grants;
    unsigned status;
    const char *denied;
} routes[] = {
    // clang-format off
    {ANY_TOKEN,      AGENT_GUARDS_ROWS,    "",     "",                                  0,   ""},
    {AGENT_READ,     AGENT_GUARDS_NODE,    "",     "agent \"n1\" { policy = \"read\" }",    403, "Permission denied"},
    {AGENT_WRITE,    AGENT_GUARDS_NODE,    "",     "agent \"n1\" { policy = \"write\" }",   403, "Permission denied"},
    {NODE_WRITE,     AGENT_GUARDS_NODE,    "",     "node \"n1\" { policy = \"write\" }",    403, "Permission denied"},
    {OPERATOR_READ,  AGENT_GUARDS_WHOLE,   "",     "operator = \"read\"",                403, "Permission denied"},
    {OPERATOR_WRITE, AGENT_GUARDS_WHOLE,   "n9",   "operator = \"write\"",               403, "Permission denied"},
    {SERVICE_READ,   AGENT_GUARDS_TAIL,    "nope", "service \"nope\" { policy = \"read\" }", 403, "Permission denied"},
    {SERVICE_READ,   AGENT_GUARDS_SERVICE, "w1",   "service \"web\" { policy = \"read\" }",  403, "Permission denied"},
    {SERVICE_READ,   AGENT_GUARDS_SERVICE, "nope", "",                                  0,   ""}, /* the handler's 404 */
    {SERVICE_WRITE,  AGENT_GUARDS_SERVICE, "w1",   "service \"web\" { policy = \"write\" }", 403,
     "Permission denied: Missing service:write on web"},
    {SERVICE_WRITE,  AGENT_GUARDS_SERVICE, "unknown", NULL,                             500, "Unknown service \"unknown\""}, /* http 261 */
    {SERVICE_WRITE,  AGENT_GUARDS_CHECK,   "beat", "service \"web\" { policy = \"write\" }", 403,
     "Permission denied: Missing service:write on web"},
    {SERVICE_WRITE,  AGENT_GUARDS_CHECK,   "mem",  "node \"n1\" { policy = \"write\" }",    403,
     "Permission denied: Missing node:write on n1"},
    {SERVICE_WRITE,  AGENT_GUARDS_CHECK,   "nope", NULL,                                500, "Unknown check \"nope\""},
    // clang-format on
};

START_TEST(http_261_each_route_asks_for_its_right)
{
    open_local();
    for (size_t i = 0; i < CU_COUNT(routes); i++) {
        struct agent_route route = {.right = routes[i].right, .guards = routes[i].guards};
        struct agent_guard guard = guard_with(cu_authorizer_none());
        bool passes = agent_guard_route(&guard, &route, routes[i].tail);
        ck_assert_msg(passes == (routes[i].status == 0), "row %zu: %s", i, fault.text);
        ck_assert_uint_eq(fault.status, routes[i].status);
        ck_assert_str_eq(fault.text, routes[i].denied);

        guard = guard_with(cu_authorizer_all());
        ck_assert_int_eq(agent_guard_route(&guard, &route, routes[i].tail),
                         routes[i].grants != NULL);
        if (!routes[i].grants)
            continue;
        struct cu_authorizer *granted = rules(routes[i].grants);
        guard = guard_with(granted);
        ck_assert_msg(agent_guard_route(&guard, &route, routes[i].tail), "row %zu", i);
        cu_authorizer_unref(granted);
    }
    agent_local_deinit(&local);
}
END_TEST

START_TEST(http_275_the_agents_master_token_has_its_own_node)
{
    static const struct {
        enum cu_right right;
        enum agent_guards guards;
        bool may;
    } rows[] = {{AGENT_READ, AGENT_GUARDS_NODE, true},
                {AGENT_WRITE, AGENT_GUARDS_NODE, true},
                {NODE_WRITE, AGENT_GUARDS_NODE, false},
                {OPERATOR_READ, AGENT_GUARDS_WHOLE, false}};
    struct cu_authorizer *master = cu_authorizer_agent_master("n1");
    open_local();
    for (size_t i = 0; i < CU_COUNT(rows); i++) {
        struct agent_route route = {.right = rows[i].right, .guards = rows[i].guards};
        struct agent_guard guard = guard_with(master);
        ck_assert_int_eq(agent_guard_route(&guard, &route, ""), rows[i].may);
    }
    ck_assert(agent_shows_node(master, "another"));
    cu_authorizer_unref(master);
    agent_local_deinit(&local);
}
END_TEST

/* ---- registrations ---- */

START_TEST(http_260_a_registration_needs_the_name_what_it_replaces_and_what_it_stands_for)
{
    static const struct {
        const char *rules, *id, *name, *kind, *destination, *denied;
    } rows[] = {
        {"", "w", "w", "", "", "Permission denied: Missing service:write on w"},
        {"service \"w\" { policy = \"read\" }", "w", "w", "", "",
         "Permission denied: Missing service:write on w"},
        {"service \"w\" { policy = \"write\" }", "w", "w", "", "", ""},
        {"service \"w\" { policy = \"write\" }", "w1", "w", "", "",
         "Permission denied: Missing service:write on web"},
        {"service \"w\" { policy = \"write\" } service \"web\" { policy = \"write\" }", "w1", "w",
         "", "", ""},
        {"service \"p\" { policy = \"write\" }", "p", "p", "connect-proxy", "web",
         "Permission denied: Missing service:write on web"},
        {"service \"p\" { policy = \"write\" } service \"web\" { policy = \"write\" }", "p", "p",
         "connect-proxy", "web", ""},
        {"service \"g\" { policy = \"write\" }", "g", "g", "mesh-gateway", "", ""},
    };
    open_local();
    for (size_t i = 0; i < CU_COUNT(rows); i++) {
        Curia__V1__Service service = CURIA__V1__SERVICE__INIT;
        Curia__V1__ServiceDefinition sidecar = CURIA__V1__SERVICE_DEFINITION__INIT;
        Curia__V1__Proxy proxy = CURIA__V1__PROXY__INIT;
        struct cu_authorizer *authorizer = rules(rows[i].rules);
        struct agent_guard guard = guard_with(authorizer);
        struct agent_service_def def = {.service = &service};
        service.id = sidecar.id = (char *)rows[i].id;
        service.service = sidecar.name = (char *)rows[i].name;
        service.kind = sidecar.kind = (char *)rows[i].kind;
        proxy.destination_service_name = (char *)rows[i].destination;
        service.proxy = sidecar.proxy = &proxy;
        ck_assert_int_eq(agent_guard_service(&guard, &def), !*rows[i].denied);
        ck_assert_str_eq(fault.text, rows[i].denied);
        guard = guard_with(authorizer);
        ck_assert_int_eq(agent_guard_sidecar(&guard, &sidecar), !*rows[i].denied);
        ck_assert_str_eq(fault.text, rows[i].denied);
        cu_authorizer_unref(authorizer);
    }
    agent_local_deinit(&local);
}
END_TEST

/* The reference does not ask, so that whoever may write any service could take away all checks. */
START_TEST(checks_of_a_service_take_no_others_place_unasked)
{
    static const struct {
        const char *id, *check, *denied;
    } rows[] = {
        {"p", "new", ""},
        {"p", "mem", "Permission denied: Missing node:write on n1"},
        {"p", "beat", "Permission denied: Missing service:write on web"},
        {"w2", "own", ""},
    };
    struct cu_authorizer *authorizer = rules("service \"p\" { policy = \"write\" }");
    open_local();
    put_service("w2", "p");
    put_check("own", "w2");
    for (size_t i = 0; i < CU_COUNT(rows); i++) {
        Curia__V1__Service service = CURIA__V1__SERVICE__INIT;
        Curia__V1__ServiceDefinition sidecar = CURIA__V1__SERVICE_DEFINITION__INIT;
        Curia__V1__Check check = CURIA__V1__CHECK__INIT;
        Curia__V1__CheckSpec spec = CURIA__V1__CHECK_SPEC__INIT, *specs[] = {&spec};
        struct agent_check_def checks[] = {{.check = &check}};
        struct agent_service_def def = {&service, "", checks, 1, NULL};
        struct agent_guard guard = guard_with(authorizer);
        service.id = sidecar.id = (char *)rows[i].id;
        service.service = sidecar.name = "p";
        check.check_id = spec.check_id = (char *)rows[i].check;
        sidecar.checks = specs;
        sidecar.n_checks = 1;
        ck_assert_int_eq(agent_guard_service(&guard, &def), !*rows[i].denied);
        ck_assert_str_eq(fault.text, rows[i].denied);
        guard = guard_with(authorizer);
        ck_assert_int_eq(agent_guard_sidecar(&guard, &sidecar), !*rows[i].denied);
        ck_assert_str_eq(fault.text, rows[i].denied);
    }
    cu_authorizer_unref(authorizer);
    agent_local_deinit(&local);
}
END_TEST

START_TEST(http_260_a_check_needs_its_service_or_the_node)
{
    static const struct {
        const char *rules, *id, *service, *denied;
    } rows[] = {
        {"", "c", "", "Permission denied: Missing node:write on n1"},
        {"node \"n1\" { policy = \"write\" }", "c", "", ""},
        {"node \"n1\" { policy = \"write\" }", "c", "w1",
         "Permission denied: Missing service:write on web"},
        {"service \"web\" { policy = \"write\" }", "c", "w1", ""},
        /* what it replaces */
        {"service \"web\" { policy = \"write\" }", "mem", "w1",
         "Permission denied: Missing node:write on n1"},
        {"node \"n1\" { policy = \"write\" }", "beat", "",
         "Permission denied: Missing service:write on web"},
        /* of a service that is not there: as one of the node; then the handler says so */
        {"service_prefix \"\" { policy = \"write\" }", "c", "nosvc",
         "Permission denied: Missing node:write on n1"},
    };
    open_local();
    for (size_t i = 0; i < CU_COUNT(rows); i++) {
        Curia__V1__Check check = CURIA__V1__CHECK__INIT;
        struct cu_authorizer *authorizer = rules(rows[i].rules);
        struct agent_guard guard = guard_with(authorizer);
        check.check_id = (char *)rows[i].id;
        check.service_id = (char *)rows[i].service;
        ck_assert_int_eq(agent_guard_check(&guard, &check), !*rows[i].denied);
        ck_assert_str_eq(fault.text, rows[i].denied);
        cu_authorizer_unref(authorizer);
    }
    agent_local_deinit(&local);
}
END_TEST

START_TEST(a_list_shows_what_may_be_read) /* http 4.9 */
{
    struct cu_authorizer *web = rules("service \"web\" { policy = \"read\" }");
    struct cu_authorizer *node = rules("node \"n1\" { policy = \"read\" }");
    open_local();
    const Curia__V1__Service *service = agent_local_service(&local, "w1")->service;
    const Curia__V1__Check *beat = agent_local_check(&local, "beat")->check;
    const Curia__V1__Check *mem = agent_local_check(&local, "mem")->check;
    ck_assert(agent_shows_service(web, service) && !agent_shows_service(node, service));
    ck_assert(agent_shows_check(web, beat) && !agent_shows_check(node, beat));
    ck_assert(!agent_shows_check(web, mem) && agent_shows_check(node, mem));
    ck_assert(agent_shows_node(node, "n1") && !agent_shows_node(node, "n2"));
    cu_authorizer_unref(web);
    cu_authorizer_unref(node);
    agent_local_deinit(&local);
}
END_TEST

SUITE_MAIN("services/agentd/core/guard", http_261_each_route_asks_for_its_right,
           http_275_the_agents_master_token_has_its_own_node,
           http_260_a_registration_needs_the_name_what_it_replaces_and_what_it_stands_for,
           checks_of_a_service_take_no_others_place_unasked,
           http_260_a_check_needs_its_service_or_the_node, a_list_shows_what_may_be_read)
