#include "services/dnsd/core/view.h"

#include <stdio.h>
#include <string.h>

#include "common/base/random.h"
#include "tests/lib/suite.h"
#include "tests/unit/services/dnsd/core/sample.h"

static struct dns_zone zone;
static struct sample s; /* only its view is used */

static void open_view(void)
{
    struct cu_diag diag = {0};
    ck_assert_int_eq(dns_zone_init(&zone, "consul", "", "dc1", &diag), CU_OK);
    s.view = dns_view_new(&zone);
}

static void close_view(void)
{
    dns_view_free(s.view);
}

static const struct dns_group *group(const char *service, const char *tag)
{
    return dns_view_group(s.view, DNS_BY_SERVICE, cu_bytes_of(service), cu_bytes_of(tag));
}

static unsigned healthy(const char *service, const char *tag, bool only_passing)
{
    const struct dns_group *found = group(service, tag);
    return found ? dns_group_healthy(found, only_passing) : 0;
}

static void add(const char *node, const char *id, const char *service, const char *tag)
{
    sample_instance(&s, &(struct sample_instance){
                            .node = node, .id = id, .service = service, .port = 80, .tags = {tag}});
}

static void del_node(const char *node)
{
    struct cu_bytes key = sample_key(node, "");
    key.len--;
    dns_view_del_node(s.view, key);
}

START_TEST(finds_instances_by_service_and_by_tag_in_any_case) /* dns 8, 30 */
{
    open_view();
    sample_node(&s, "n1", "10.0.0.1");
    add("n1", "web1", "Web", "V.1");
    ck_assert_uint_eq(healthy("web", "", false), 1);
    ck_assert_uint_eq(healthy("web", "v.1", false), 1);
    ck_assert_uint_eq(healthy("web", "v2", false), 0);
    add("n1", "web1", "web", "v2");
    ck_assert_uint_eq(healthy("web", "v.1", false), 0);
    ck_assert_uint_eq(healthy("web", "v2", false), 1);
    dns_view_del_instance(s.view, sample_key("n1", "web1"));
    ck_assert_ptr_null(group("web", ""));
    close_view();
}
END_TEST

START_TEST(the_worst_check_of_instance_and_node_counts) /* dns 18, 19, 20, 21 */
{
    open_view();
    sample_node(&s, "n1", "10.0.0.1");
    add("n1", "web", "web", NULL);
    sample_check(&s, "n1", "c1", "web", DNS_PASSING);
    ck_assert_uint_eq(healthy("web", "", true), 1);
    sample_check(&s, "n1", "c2", "web", DNS_WARNING);
    ck_assert_uint_eq(healthy("web", "", true), 0);
    ck_assert_uint_eq(healthy("web", "", false), 1);
    sample_check(&s, "n1", "serfHealth", "", DNS_CRITICAL);
    ck_assert_uint_eq(healthy("web", "", false), 0);
    ck_assert_ptr_nonnull(group("web", ""));
    sample_check(&s, "n1", "serfHealth", "", DNS_PASSING);
    ck_assert_uint_eq(healthy("web", "", false), 1);
    sample_check(&s, "n1", "c3", "web", DNS_OTHER);
    ck_assert_uint_eq(healthy("web", "", false), 1);
    dns_view_del_check(s.view, sample_key("n1", "c2"));
    dns_view_del_check(s.view, sample_key("n1", "c3"));
    ck_assert_uint_eq(healthy("web", "", true), 1);
    close_view();
}
END_TEST

START_TEST(rows_may_come_in_any_order)
{
    open_view();
    sample_check(&s, "n1", "c1", "WEB", DNS_CRITICAL);
    sample_check(&s, "n1", "c2", "", DNS_WARNING);
    ck_assert_ptr_null(dns_view_node(s.view, cu_bytes_of("n1")));
    add("n1", "web", "web", NULL);
    ck_assert_uint_eq(healthy("web", "", false), 0);
    sample_check(&s, "n1", "c1", "WEB", DNS_PASSING);
    ck_assert_uint_eq(healthy("web", "", false), 1);
    sample_node(&s, "n1", "10.0.0.1");
    ck_assert_ptr_nonnull(dns_view_node(s.view, cu_bytes_of("n1")));
    close_view();
}
END_TEST

START_TEST(a_check_may_move_to_another_instance)
{
    open_view();
    sample_node(&s, "n1", "10.0.0.1");
    add("n1", "a", "a", NULL);
    add("n1", "b", "b", NULL);
    sample_check(&s, "n1", "c", "a", DNS_CRITICAL);
    sample_check(&s, "n1", "c", "b", DNS_CRITICAL);
    ck_assert_uint_eq(healthy("a", "", false), 1);
    ck_assert_uint_eq(healthy("b", "", false), 0);
    sample_check(&s, "n1", "c", "", DNS_CRITICAL);
    ck_assert_uint_eq(healthy("a", "", false), 0);
    ck_assert_uint_eq(healthy("b", "", false), 0);
    ck_assert_uint_eq(dns_view_counts(s.view).checks, 1);
    close_view();
}
END_TEST

static void reverse(const char *text, const char **ret_node, const char **ret_service)
{
    static char name[64];
    struct dns_address ip;
    const struct dns_node *node;
    const struct dns_instance *instance;
    dns_address_init(&ip, text);
    dns_view_reverse(s.view, dns_address_ip(&ip), &node, &instance);
    (void)snprintf(name, sizeof name, "%.*s", node ? (int)node->key.len : 0,
                   node ? (const char *)node->key.data : "");
    *ret_node = node ? name : NULL;
    *ret_service = instance ? instance->service : NULL;
}

START_TEST(finds_who_has_an_address) /* dns 50 */
{
    const char *node, *service;
    open_view();
    sample_node(&s, "n2", "10.0.0.1");
    sample_node(&s, "n1", "10.0.0.1");
    sample_instance(
        &s, &(struct sample_instance){.node = "n1", .service = "web", .address = "10.0.0.9"});
    reverse("10.0.0.1", &node, &service);
    ck_assert_str_eq(node, "n1"); /* the first by name */
    ck_assert_ptr_null(service);
    reverse("10.0.0.9", &node, &service);
    ck_assert_ptr_null(node);
    ck_assert_str_eq(service, "web");
    sample_node(&s, "n1", "10.0.0.3");
    reverse("10.0.0.1", &node, &service);
    ck_assert_str_eq(node, "n2");
    del_node("n2");
    reverse("10.0.0.1", &node, &service);
    ck_assert_ptr_null(node);
    del_node("n1");
    reverse("10.0.0.9", &node, &service);
    ck_assert_ptr_null(service); /* its node is gone */
    close_view();
}
END_TEST

START_TEST(what_is_gone_leaves_nothing)
{
    open_view();
    sample_node(&s, "n1", "10.0.0.1");
    add("n1", "web", "web", "v1");
    sample_check(&s, "n1", "c1", "web", DNS_PASSING);
    sample_check(&s, "n1", "c2", "", DNS_PASSING);
    dns_view_del_check(s.view, sample_key("n1", "c1"));
    dns_view_del_check(s.view, sample_key("n1", "c1"));
    del_node("n1");
    dns_view_del_instance(s.view, sample_key("n1", "web"));
    dns_view_del_instance(s.view, sample_key("n1", "web"));
    dns_view_del_check(s.view, sample_key("n1", "c2"));
    del_node("n1");
    struct dns_view_counts counts = dns_view_counts(s.view);
    ck_assert(counts.nodes == 0 && counts.instances == 0 && counts.checks == 0);
    ck_assert_ptr_null(group("web", "v1"));
    close_view();
}
END_TEST

/* ---- random changes against a model ---- */

enum { NODES = 4, SERVICES = 3, TAGS = 3, CHECKS = 3, STEPS = 20000 };

static struct model {
    bool has_node[NODES];
    int tag[NODES][SERVICES];                /* -1: no instance */
    int checks[NODES][SERVICES + 1][CHECKS]; /* -1: none; the last service: of the node */
} model;

static int model_health(int node, int service)
{
    int worst = DNS_PASSING;
    for (int c = 0; c < CHECKS; c++) {
        if (model.checks[node][service][c] > worst)
            worst = model.checks[node][service][c];
        if (model.checks[node][SERVICES][c] > worst)
            worst = model.checks[node][SERVICES][c];
    }
    return worst;
}

static const char *word(const char *front, int n)
{
    static char words[8][16];
    static int next;
    char *to = words[next++ % 8];
    (void)snprintf(to, sizeof words[0], "%s%d", front, n);
    return to;
}

static void change(struct cu_random *random)
{
    int node = (int)cu_random_below(random, NODES),
        service = (int)cu_random_below(random, SERVICES);
    int check = (int)cu_random_below(random, CHECKS), tag = (int)cu_random_below(random, TAGS);
    bool of_node = cu_random_below(random, 4) == 0;
    int slot = of_node ? SERVICES : service;
    char id[32];
    (void)snprintf(id, sizeof id, "c%d.%d", slot, check);
    switch (cu_random_below(random, 6)) {
    case 0:
        sample_node(&s, word("n", node), "10.0.0.1");
        model.has_node[node] = true;
        break;
    case 1:
        del_node(word("n", node));
        model.has_node[node] = false;
        break;
    case 2:
        add(word("n", node), word("s", service), word("s", service), word("t", tag));
        model.tag[node][service] = tag;
        break;
    case 3:
        dns_view_del_instance(s.view, sample_key(word("n", node), word("s", service)));
        model.tag[node][service] = -1;
        break;
    case 4: {
        int health = (int)cu_random_below(random, DNS_HEALTH_COUNT);
        sample_check(&s, word("n", node), id, of_node ? "" : word("S", service),
                     (enum dns_health)health);
        model.checks[node][slot][check] = health;
        break;
    }
    default:
        dns_view_del_check(s.view, sample_key(word("n", node), id));
        model.checks[node][slot][check] = -1;
    }
}

/* Members lie by health, and no one is missing or there twice. */
static void compare(const char *service, int service_number, int tag)
{
    const struct dns_group *found = group(service, tag < 0 ? "" : word("t", tag));
    unsigned want[DNS_HEALTH_COUNT] = {0}, below = 0;
    for (int node = 0; node < NODES; node++)
        if (model.tag[node][service_number] >= 0 &&
            (tag < 0 || model.tag[node][service_number] == tag))
            want[model_health(node, service_number)]++;
    for (int health = 0; health < DNS_HEALTH_COUNT; health++) {
        below += want[health];
        ck_assert_uint_eq(found ? found->ends[health] : 0, below);
        for (unsigned i = below - want[health]; i < below; i++)
            ck_assert_int_eq(found->members[i].instance->health, health);
    }
    ck_assert(!!found == (below > 0));
}

START_TEST(random_changes_leave_what_a_plain_model_has)
{
    struct cu_random random = {suite_seed()};
    memset(&model, -1, sizeof model);
    memset(model.has_node, 0, sizeof model.has_node);
    open_view();
    for (int step = 0; step < STEPS; step++) {
        change(&random);
        for (int service = 0; step % 16 == 0 && service < SERVICES; service++)
            for (int tag = -1; tag < TAGS; tag++)
                compare(word("s", service), service, tag);
        for (int node = 0; node < NODES; node++)
            ck_assert(!!dns_view_node(s.view, cu_bytes_of(word("n", node))) ==
                      model.has_node[node]);
    }
    close_view();
}
END_TEST

SUITE_MAIN("services/dnsd/core/view", finds_instances_by_service_and_by_tag_in_any_case,
           the_worst_check_of_instance_and_node_counts, rows_may_come_in_any_order,
           a_check_may_move_to_another_instance, finds_who_has_an_address,
           what_is_gone_leaves_nothing, random_changes_leave_what_a_plain_model_has)
