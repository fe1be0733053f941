#include "services/dnsd/core/form.h"

#include <stdio.h>
#include <string.h>

#include "services/dnsd/core/zone.h"
#include "tests/lib/suite.h"
#include "tests/unit/services/dnsd/core/message.h"

static struct dns_form form;

static const char *text(struct cu_bytes bytes)
{
    static char texts[4][300];
    static int next;
    char *to = texts[next++ % 4];
    (void)snprintf(to, sizeof texts[0], "%.*s", (int)bytes.len, (const char *)bytes.data);
    return to;
}

static void parse(const char *front, unsigned type)
{
    static struct dns_name name; /* the form borrows from it */
    name = message_name(front);
    dns_form_parse(&name, name.len - 1u, type, &form);
}

static const struct {
    const char *front;
    unsigned type;
    enum dns_form_kind kind;
    const char *name, *tag, *dc;
} rows[] = {
    // clang-format off
    {"n1.node",                DNS_A,   DNS_FORM_NODE,    "n1",      "",        ""},
    {"a.b.c.node",             DNS_A,   DNS_FORM_NODE,    "a.b.c",   "",        ""},      /* dns 9 */
    {"n1.node.dc2",            DNS_A,   DNS_FORM_NODE,    "n1",      "",        "dc2"},
    {"n1.node.dc2.more",       DNS_A,   DNS_FORM_NONE,    NULL,      NULL,      NULL},
    {"web.service",            DNS_A,   DNS_FORM_SERVICE, "web",     "",        ""},
    {"v1.web.service.dc1",     DNS_SRV, DNS_FORM_SERVICE, "web",     "v1",      "dc1"},
    {"a.b.web.service",        DNS_A,   DNS_FORM_SERVICE, "web",     "a.b",     ""},      /* dns 30 */
    {"_web._tcp.service",      DNS_A,   DNS_FORM_SERVICE, "web",     "",        ""},      /* dns 28 */
    {"_web._udp.service",      DNS_SRV, DNS_FORM_SERVICE, "web",     "udp",     ""},      /* dns 29 */
    {"_web._v1.service",       DNS_A,   DNS_FORM_SERVICE, "web",     "v1",      ""},
    {"_a._b._c.service",       DNS_A,   DNS_FORM_SERVICE, "_c",      "_a._b",   ""},
    {"_web._tcp",              DNS_SRV, DNS_FORM_SERVICE, "web",     "",        ""},
    {"_web._tcp.dc1",          DNS_SRV, DNS_FORM_SERVICE, "web",     "",        "dc1"},
    {"_web._tcp",              DNS_A,   DNS_FORM_NONE,    NULL,      NULL,      NULL},    /* dns 31 */
    {"_web._tcp.dc1.x",        DNS_SRV, DNS_FORM_NONE,    NULL,      NULL,      NULL},
    {"web.connect",            DNS_A,   DNS_FORM_CONNECT, "web",     "",        ""},
    {"x.web.connect",          DNS_A,   DNS_FORM_CONNECT, "web",     "",        ""},
    {"web.ingress",            DNS_A,   DNS_FORM_INGRESS, "web",     "",        ""},
    {"a.b.query",              DNS_A,   DNS_FORM_QUERY,   "a.b",     "",        ""},
    {"0a000001.addr",          DNS_A,   DNS_FORM_ADDR,    "0a000001", "",       ""},
    {"x.0a000001.addr",        DNS_A,   DNS_FORM_NONE,    NULL,      NULL,      NULL},
    {"service.node",           DNS_A,   DNS_FORM_NODE,    "service", "",        ""},      /* the right one marks */
    {"node.service",           DNS_A,   DNS_FORM_SERVICE, "node",    "",        ""},
    {"service",                DNS_A,   DNS_FORM_NONE,    NULL,      NULL,      NULL},
    {"node",                   DNS_A,   DNS_FORM_NONE,    NULL,      NULL,      NULL},
    {"service.dc1",            DNS_A,   DNS_FORM_NONE,    NULL,      NULL,      NULL},
    {"web.virtual",            DNS_A,   DNS_FORM_NONE,    NULL,      NULL,      NULL},
    {"web",                    DNS_A,   DNS_FORM_NONE,    NULL,      NULL,      NULL},
    {".",                      DNS_A,   DNS_FORM_NONE,    NULL,      NULL,      NULL},
    // clang-format on
};

START_TEST(each_form_names_what_it_asks_for)
{
    for (size_t i = 0; i < CU_COUNT(rows); i++) {
        parse(rows[i].front, rows[i].type);
        ck_assert_msg(form.kind == rows[i].kind, "%s: kind %d", rows[i].front, (int)form.kind);
        if (rows[i].kind == DNS_FORM_NONE)
            continue;
        ck_assert_msg(!strcmp(text(form.name), rows[i].name), "%s: %s", rows[i].front,
                      text(form.name));
        ck_assert_msg(!strcmp(text(form.tag), rows[i].tag), "%s: %s", rows[i].front,
                      text(form.tag));
        ck_assert_msg(!strcmp(text(form.dc), rows[i].dc), "%s: %s", rows[i].front, text(form.dc));
    }
}
END_TEST

START_TEST(a_dot_within_a_label_is_not_one_between_labels)
{
    static const struct dns_name odd = {10, "\3a.b\4node"};
    dns_form_parse(&odd, odd.len - 1u, DNS_A, &form);
    ck_assert_int_eq(form.kind, DNS_FORM_NODE);
    ck_assert_str_eq(text(form.name), "a\\.b");
}
END_TEST

START_TEST(a_name_of_nothing_but_dots_has_room)
{
    struct dns_name odd = {0};
    while (odd.len + 64 < 250) {
        odd.bytes[odd.len++] = 63;
        memset(odd.bytes + odd.len, '.', 63);
        odd.len = (uint8_t)(odd.len + 63);
    }
    memcpy(odd.bytes + odd.len, "\4node", 6);
    odd.len = (uint8_t)(odd.len + 6);
    dns_form_parse(&odd, odd.len - 1u, DNS_A, &form);
    ck_assert_int_eq(form.kind, DNS_FORM_NODE);
    ck_assert_uint_eq(form.name.len, 3 * 2 * 63 + 2);
}
END_TEST

START_TEST(the_longer_domain_is_stripped_first) /* dns.md 2 */
{
    struct dns_zone zone;
    struct cu_diag diag = {0};
    struct dns_name name = message_name("web.service.sub.consul");
    ck_assert_int_eq(dns_zone_init(&zone, "consul", "Sub.Consul.", "dc1", &diag), CU_OK);
    ck_assert_int_eq(dns_zone_strip(&zone, &name), 12);
    name = message_name("web.consul");
    ck_assert_int_eq(dns_zone_strip(&zone, &name), 4);
    name = message_name("web.other");
    ck_assert_int_eq(dns_zone_strip(&zone, &name), -1);
    ck_assert_int_eq(dns_zone_init(&zone, "a..b", "", "dc1", &diag), CU_E_INVALID);
    ck_assert_ptr_nonnull(strstr(diag.text, "domain"));
    ck_assert_int_eq(dns_zone_init(&zone, "a", ".b", "dc1", &diag), CU_E_INVALID);
    ck_assert_ptr_nonnull(strstr(diag.text, "alt_domain"));
}
END_TEST

SUITE_MAIN("services/dnsd/core/form", each_form_names_what_it_asks_for,
           a_dot_within_a_label_is_not_one_between_labels, a_name_of_nothing_but_dots_has_room,
           the_longer_domain_is_stripped_first)
