#include "common/filter/filter.h"

#include <string.h>

#include "common/filter/shapes.h"
#include "proto/curia/v1/config.pb-c.h"
#include "proto/curia/v1/health.pb-c.h"
#include "tests/lib/suite.h"

/* A service on a node with two checks, and metadata. */
static struct {
    Curia__V1__StringMap__EntriesEntry env, external, *pairs[2];
    Curia__V1__StringMap meta;
    Curia__V1__ServiceAddresses__EntriesEntry lan, *lans[1];
    Curia__V1__ServiceAddress lan_address;
    Curia__V1__ServiceAddresses addresses;
    char *tags[2];
    Curia__V1__Service service;
    Curia__V1__Node node;
    Curia__V1__Check checks[2], *check_list[2];
    Curia__V1__HealthEntry entry;
} s;

static char *text(const char *given)
{
    return (char *)(uintptr_t)given;
}

static void set_up_meta(void)
{
    curia__v1__string_map__entries_entry__init(&s.env);
    curia__v1__string_map__entries_entry__init(&s.external);
    curia__v1__string_map__init(&s.meta);
    s.env.key = text("env");
    s.env.value = text("prod");
    s.external.key = text("external-node");
    s.external.value = text("true");
    s.pairs[0] = &s.env;
    s.pairs[1] = &s.external;
    s.meta.entries = s.pairs;
    s.meta.n_entries = 2;
}

static void set_up_service(void)
{
    curia__v1__service__init(&s.service);
    curia__v1__service_addresses__entries_entry__init(&s.lan);
    curia__v1__service_address__init(&s.lan_address);
    curia__v1__service_addresses__init(&s.addresses);
    s.lan_address.port = 8000;
    s.lan.key = text("lan");
    s.lan.value = &s.lan_address;
    s.lans[0] = &s.lan;
    s.addresses.entries = s.lans;
    s.addresses.n_entries = 1;
    s.tags[0] = text("v1");
    s.tags[1] = text("master");
    s.service.service = text("web");
    s.service.tags = s.tags;
    s.service.n_tags = 2;
    s.service.port = 80;
    s.service.enable_tag_override = true;
    s.service.meta = &s.meta;
    s.service.tagged_addresses = &s.addresses;
}

static void set_up(void)
{
    set_up_meta();
    set_up_service();
    curia__v1__node__init(&s.node);
    curia__v1__health_entry__init(&s.entry);
    s.node.node = text("n1");
    s.node.meta = &s.meta;
    for (int i = 0; i < 2; i++) {
        curia__v1__check__init(&s.checks[i]);
        s.check_list[i] = &s.checks[i];
    }
    s.checks[0].status = text("passing");
    s.checks[1].status = text("critical");
    s.entry.node = &s.node;
    s.entry.service = &s.service;
    s.entry.checks = s.check_list;
    s.entry.n_checks = 2;
}

/* "yes", "no", or the sentence. */
static const char *ask(const char *expression, const struct cu_filter_shape *shape, void *message)
{
    static struct cu_diag diag;
    struct cu_arena *arena = cu_arena_new(1024 * 1024);
    struct cu_filter *filter = NULL;
    bool matches = false;
    enum cu_err err = cu_filter_new(expression, shape, arena, &filter, &diag);
    if (!err)
        ck_assert_int_eq(cu_filter_match(filter, message, &matches), CU_OK);
    cu_filter_free(filter);
    cu_arena_free(arena);
    return err ? diag.text : matches ? "yes" : "no";
}

struct row {
    const char *expression, *want;
};

static void all(const struct row *rows, size_t count, const struct cu_filter_shape *shape,
                void *message)
{
    for (size_t i = 0; i < count; i++) {
        const char *got = ask(rows[i].expression, shape, message);
        ck_assert_msg(strcmp(got, rows[i].want) == 0, "%s: %s", rows[i].expression, got);
    }
}

#define ALL(rows, shape, message) all(rows, sizeof rows / sizeof rows[0], shape, message)

START_TEST(each_kind_is_compared_as_what_it_is)
{
    static const struct row rows[] = {
        {"Service == web", "yes"},
        {"Service != web", "no"},
        {"we in Service", "yes"},
        {"Service not contains \"x\"", "yes"},
        {"Service matches \"^w.b$\"", "yes"},
        {"Service not matches eb", "no"},
        {"Port == 80", "yes"},
        {"Port == \"0x50\"", "yes"},
        {"Port != 80", "no"},
        {"EnableTagOverride == true", "yes"},
        {"EnableTagOverride == 0", "no"},
        {"v1 in Tags", "yes"},
        {"Tags contains v", "no"}, /* a whole one, not a part */
        {"Tags is empty", "no"},
        {"Tags is not empty", "yes"},
        {"Weights.Passing == 0", "yes"}, /* absent: all of it empty */
        {"Connect.Native != true", "yes"},
        {"Proxy.Upstreams is empty", "yes"},
        {"Proxy.Upstreams.DestinationName == x", "no"},
        {"Proxy.Expose.Checks == false", "yes"},
        {"TaggedAddresses.lan.Port == 8000", "yes"},
        {"TaggedAddresses.wan.Port == 8000", "no"},
        {"TaggedAddresses.wan.Port != 8000", "yes"},
        {"lan in TaggedAddresses", "yes"},
        {"Kind == \"\"", "yes"},
    };
    set_up();
    ALL(rows, &cu_filter_service, &s.service);
}
END_TEST

START_TEST(keys_of_maps_are_selected_and_may_be_missing_QRY_54_55)
{
    static const struct row rows[] = {
        {"Meta.env == prod", "yes"},
        {"Meta[\"external-node\"]==true", "yes"},
        {"Meta.nokey == y", "no"},
        {"Meta.nokey != y", "yes"},
        {"Meta.nokey == \"\"", "no"},
        {"x in Meta.nokey", "no"},
        {"x not in Meta.nokey", "yes"},
        {"Meta.nokey matches \".*\"", "no"},
        {"Meta.nokey not matches x", "yes"},
        {"env in Meta", "yes"},
        {"prod in Meta", "no"},
        {"Meta is not empty", "yes"},
        {"TaggedAddresses is empty", "yes"},
        {"TaggedAddresses.lan == x", "no"},
    };
    set_up();
    ALL(rows, &cu_filter_node, &s.node);
}
END_TEST

START_TEST(what_holds_for_one_of_a_list_holds_QRY_58)
{
    static const struct row rows[] = {
        {"Checks.Status == passing", "yes"},
        {"Checks.Status != passing", "yes"},
        {"Checks.Status == warning", "no"},
        {"not Checks.Status == passing", "no"},
        {"Checks is empty", "no"},
        {"Node.Node == n1 and Service.Port == 80", "yes"},
        {"Node.Node == n2 or Service.Port == 80", "yes"},
        {"Node.Node == n2 or Service.Port == 81 or Node.Meta.env == prod", "yes"},
        {"Node.Node == n1 and Service.Port == 81 and Node.Meta.env == prod", "no"},
        {"not (Node.Node == n2 or Service.Port == 81)", "yes"},
    };
    set_up();
    ALL(rows, &cu_filter_health_entry, &s.entry);
}
END_TEST

START_TEST(says_what_cannot_be_selected_or_compared_QRY_53_57)
{
    static const struct row rows[] = {
        {"Foo==bar", "Selector \"Foo\" is not valid"},
        {"service == web", "Selector \"service\" is not valid"},
        {"Port.x == 1", "Selector \"Port.x\" is not valid"},
        {"Weights.Passing.y.z == 1", "Selector \"Weights.Passing.y\" is not valid"},
        {"ModifyIndex == 1", "Selector \"ModifyIndex\" is not valid"},
        {"Proxy.Config is empty", "Selector \"Proxy.Config\" is not valid"},
        {"Port == abc", "Failed to coerce value \"abc\" for selector \"Port\": strconv.ParseInt: "
                        "parsing \"abc\": invalid syntax"},
        {"EnableTagOverride == maybe", "Failed to coerce value \"maybe\" for selector "
                                       "\"EnableTagOverride\": strconv.ParseBool: parsing "
                                       "\"maybe\": invalid syntax"},
        {"Meta.nokey is empty", "Invalid match operator \"Is Empty\" for selector \"Meta.nokey\""},
        {"Port matches 80", "Invalid match operator \"Matches\" for selector \"Port\""},
        {"Tags == v1", "Invalid match operator \"Equal\" for selector \"Tags\""},
        {"Weights == 1", "Invalid match operator \"Equal\" for selector \"Weights\""},
        {"TaggedAddresses.lan == 1",
         "Invalid match operator \"Equal\" for selector \"TaggedAddresses.lan\""},
        {"Service matches \"[\"", "Failed to compile regular expression \"[\": error parsing "
                                  "regexp: missing terminating ] for character class"},
        {"bogus", "1:6 (5): no match found, expected: \"!=\", \".\", \"==\", \"[\", [ \\t\\r\\n] "
                  "or [a-zA-Z0-9_]"},
    };
    set_up();
    ALL(rows, &cu_filter_service, &s.service);
}
END_TEST

START_TEST(a_text_may_be_the_same_in_all_messages)
{
    static const struct row rows[] = {
        {"SourceNS == default and SourceType == consul", "yes"},
        {"DestinationNS != default", "no"},
        {"Precedence == 9", "yes"},
    };
    Curia__V1__Intention intention = CURIA__V1__INTENTION__INIT;
    intention.precedence = 9;
    ALL(rows, &cu_filter_intention, &intention);
}
END_TEST

START_TEST(an_expression_that_takes_too_long_is_given_up)
{
    char value[64] = {0};
    bool matches;
    struct cu_filter *filter;
    struct cu_arena *arena = cu_arena_new(1024 * 1024);
    set_up();
    memset(value, 'a', sizeof value - 2);
    value[sizeof value - 2] = 'b';
    s.service.service = value;
    ck_assert_int_eq(cu_filter_new("Port == 80 and Service matches `^(a+)+$|^(a|aa)+$`",
                                   &cu_filter_service, arena, &filter, NULL),
                     CU_OK);
    ck_assert_int_eq(cu_filter_match(filter, &s.service.base, &matches), CU_E_OVERLOADED);
    cu_filter_free(filter);
    cu_filter_free(NULL);
    cu_arena_free(arena);
}
END_TEST

START_TEST(patterns_are_freed_when_a_later_part_is_wrong)
{
    set_up();
    ck_assert_str_eq(
        ask("Service matches x and (Kind matches y or Foo == 1)", &cu_filter_service, &s.service),
        "Selector \"Foo\" is not valid"); /* the sanitizer sees what is left over */
}
END_TEST

SUITE_MAIN("common/filter/filter", each_kind_is_compared_as_what_it_is,
           keys_of_maps_are_selected_and_may_be_missing_QRY_54_55,
           what_holds_for_one_of_a_list_holds_QRY_58,
           says_what_cannot_be_selected_or_compared_QRY_53_57,
           a_text_may_be_the_same_in_all_messages, an_expression_that_takes_too_long_is_given_up,
           patterns_are_freed_when_a_later_part_is_wrong)
