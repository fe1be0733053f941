#include "services/dnsd/core/row.h"

#include <string.h>

#include "curia/v1/catalog.pb-c.h"

#include "tests/lib/suite.h"

static struct dns_zone zone;
static struct dns_view *view;
static struct cu_arena *arena;

static void open_view(void)
{
    struct cu_diag diag = {0};
    ck_assert_int_eq(dns_zone_init(&zone, "consul", "", "dc1", &diag), CU_OK);
    view = dns_view_new(&zone);
    arena = cu_arena_new(DNS_ROW_ARENA_BYTES);
}

static void close_view(void)
{
    dns_view_free(view);
    cu_arena_free(arena);
}

#define KEY(text)                                                                                  \
    ((struct cu_bytes){(const uint8_t *)"default\0default\0" text,                                 \
                       sizeof("default\0default\0" text) - 1})

static enum cu_err put(enum dns_topic topic, struct cu_bytes key, const ProtobufCMessage *message)
{
    uint8_t packed[4096];
    ck_assert_uint_le(protobuf_c_message_get_packed_size(message), sizeof packed);
    size_t len = protobuf_c_message_pack(message, packed);
    return dns_row_put(view, topic, key, (struct cu_bytes){packed, len}, arena);
}

static enum cu_err put_node(const char *address)
{
    Curia__V1__Node node = CURIA__V1__NODE__INIT;
    Curia__V1__StringMap meta = CURIA__V1__STRING_MAP__INIT, tagged = meta;
    Curia__V1__StringMap__EntriesEntry rack = CURIA__V1__STRING_MAP__ENTRIES_ENTRY__INIT, v6 = rack;
    Curia__V1__StringMap__EntriesEntry *meta_entries[] = {&rack}, *tagged_entries[] = {&v6};
    rack.key = (char *)"rack";
    rack.value = (char *)"r1";
    v6.key = (char *)"lan_ipv6";
    v6.value = (char *)"2001:db8::1";
    meta.n_entries = tagged.n_entries = 1;
    meta.entries = meta_entries;
    tagged.entries = tagged_entries;
    node.node = (char *)"Node-1";
    node.address = (char *)(uintptr_t)address;
    node.meta = &meta;
    node.tagged_addresses = &tagged;
    return put(DNS_NODES, KEY("node-1"), &node.base);
}

static enum cu_err put_service(struct cu_bytes key, const char *kind, const char *destination)
{
    Curia__V1__Service service = CURIA__V1__SERVICE__INIT;
    Curia__V1__Proxy proxy = CURIA__V1__PROXY__INIT;
    Curia__V1__Weights weights = CURIA__V1__WEIGHTS__INIT;
    char *tags[] = {(char *)"v1", (char *)""};
    proxy.destination_service_name = (char *)(uintptr_t)destination;
    weights.passing = 7;
    weights.warning = 70000;
    service.kind = (char *)(uintptr_t)kind;
    service.service = (char *)"web";
    service.address = (char *)"10.0.0.9";
    service.port = 80;
    service.tags = tags;
    service.n_tags = 2;
    service.proxy = &proxy;
    service.weights = &weights;
    return put(DNS_SERVICES, key, &service.base);
}

static enum cu_err put_check(const char *status)
{
    Curia__V1__Check check = CURIA__V1__CHECK__INIT;
    check.status = (char *)(uintptr_t)status;
    check.service_id = (char *)"Web1";
    return put(DNS_CHECKS, KEY("node-1\0c1"), &check.base);
}

static const struct dns_instance *web(enum dns_group_kind kind)
{
    const struct dns_group *group = dns_view_group(
        view, kind, cu_bytes_of(kind == DNS_BY_CONNECT ? "db" : "web"), (struct cu_bytes){0});
    return group && dns_group_healthy(group, true) ? group->members[0].instance : NULL;
}

START_TEST(a_node_keeps_its_spelling_its_addresses_and_its_texts)
{
    open_view();
    ck_assert_int_eq(put_node("10.0.0.1"), CU_OK);
    const struct dns_node *node = dns_view_node(view, cu_bytes_of("node-1"));
    ck_assert_ptr_nonnull(node);
    ck_assert_int_eq(memcmp(node->name.bytes, "\6Node-1\4node\3dc1\6consul", node->name.len), 0);
    ck_assert(node->at.plain.kind == DNS_IPV4 && node->at.ipv6.kind == DNS_IPV6);
    ck_assert_uint_eq(node->text_count, 1);
    ck_assert(cu_bytes_equal(node->texts[0], cu_bytes_of("rack=r1")));
    dns_row_del(view, DNS_NODES, KEY("node-1"));
    ck_assert_ptr_null(dns_view_node(view, cu_bytes_of("node-1")));
    close_view();
}
END_TEST

START_TEST(a_service_keeps_its_port_weights_and_what_it_connects_to)
{
    open_view();
    ck_assert_int_eq(put_node("10.0.0.1"), CU_OK);
    ck_assert_int_eq(put_service(KEY("node-1\0web1"), "", "db"), CU_OK);
    ck_assert_ptr_null(web(DNS_BY_CONNECT)); /* no proxy */
    const struct dns_instance *instance = web(DNS_BY_SERVICE);
    ck_assert_uint_eq(instance->port, 80);
    ck_assert_uint_eq(instance->weights[DNS_PASSING], 7);
    ck_assert_uint_eq(instance->weights[DNS_WARNING], 65535);
    ck_assert_uint_eq(instance->weights[DNS_OTHER], 1);
    ck_assert_uint_eq(instance->seat_count, 2); /* an empty tag is none */
    ck_assert_int_eq(put_service(KEY("node-1\0web1"), "connect-proxy", "db"), CU_OK);
    ck_assert_ptr_nonnull(web(DNS_BY_CONNECT));
    dns_row_del(view, DNS_SERVICES, KEY("node-1\0web1"));
    ck_assert_ptr_null(web(DNS_BY_SERVICE));
    close_view();
}
END_TEST

START_TEST(a_check_finds_its_service_in_any_case)
{
    open_view();
    ck_assert_int_eq(put_node("10.0.0.1"), CU_OK);
    ck_assert_int_eq(put_service(KEY("node-1\0web1"), "", ""), CU_OK);
    static const struct {
        const char *status;
        bool passes;
    } rows[] = {{"critical", false}, {"passing", true}, {"warning", false}, {"odd", false}};
    for (size_t i = 0; i < CU_COUNT(rows); i++) {
        ck_assert_int_eq(put_check(rows[i].status), CU_OK);
        ck_assert_msg(!!web(DNS_BY_SERVICE) == rows[i].passes, "%s", rows[i].status);
    }
    dns_row_del(view, DNS_CHECKS, KEY("node-1\0c1"));
    ck_assert_ptr_nonnull(web(DNS_BY_SERVICE));
    close_view();
}
END_TEST

START_TEST(a_row_that_does_not_parse_is_not_there)
{
    static const uint8_t bad[] = {0x0a, 0xff};
    open_view();
    ck_assert_int_eq(put_node("10.0.0.1"), CU_OK);
    ck_assert_int_eq(
        dns_row_put(view, DNS_NODES, KEY("node-1"), (struct cu_bytes){bad, sizeof bad}, arena),
        CU_E_INVALID);
    ck_assert_ptr_null(dns_view_node(view, cu_bytes_of("node-1")));
    ck_assert_int_eq(put_service(KEY("node-1"), "", ""), CU_E_INVALID); /* no id in the key */
    ck_assert_int_eq(put_service(cu_bytes_of("x"), "", ""), CU_E_INVALID);
    ck_assert_int_eq(put_service((struct cu_bytes){0}, "", ""), CU_E_INVALID);
    dns_row_del(view, DNS_NODES, cu_bytes_of("x"));
    close_view();
}
END_TEST

START_TEST(texts_are_those_of_rfc_1464) /* dns 17 */
{
    static const struct {
        const char *key, *value, *text;
    } rows[] = {{"rack", "r1", "rack=r1"},     {"rfc1035-x", "plain", "plain"},
                {"RFC1035-x", "a=b", "a=b"},   {"k=2", "v 2", "k`=2=v 2"},
                {" a b ", "", "` a b` ="},     {"  ", "x", "` ` =x"},
                {"b`q", "v`=w", "b``q=v``=w"}, {"", "", "="}};
    arena = cu_arena_new(DNS_ROW_ARENA_BYTES);
    for (size_t i = 0; i < CU_COUNT(rows); i++)
        ck_assert_msg(cu_bytes_equal(dns_row_text(arena, rows[i].key, rows[i].value),
                                     cu_bytes_of(rows[i].text)),
                      "%s", rows[i].text);
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("services/dnsd/core/row", a_node_keeps_its_spelling_its_addresses_and_its_texts,
           a_service_keeps_its_port_weights_and_what_it_connects_to,
           a_check_finds_its_service_in_any_case, a_row_that_does_not_parse_is_not_there,
           texts_are_those_of_rfc_1464)
