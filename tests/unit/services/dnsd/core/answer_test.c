/* What answers say beyond those that are on record: limits, truncation, order, odd names. */
#include "services/dnsd/core/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"
#include "tests/unit/services/dnsd/core/sample.h"

static struct sample *s;

static unsigned count(enum dns_section section)
{
    return s->message.counts[section];
}

static const char *answer(void)
{
    return s->message.sections[DNS_ANSWER];
}

static unsigned rcode(const char *question)
{
    sample_ask(s, question, "");
    return s->message.rcode;
}

static void add(const char *node, const char *service, const char *address, int port)
{
    sample_instance(s, &(struct sample_instance){
                           .node = node, .service = service, .address = address, .port = port});
}

/* ---- which instances ---- */

START_TEST(duplicates_are_told_once) /* dns 32 */
{
    s = sample_new();
    s->settings.udp_answer_limit = 8;
    sample_node(s, "d1", "10.1.0.1");
    sample_node(s, "d2", "10.1.0.1");
    static const struct sample_instance copies[] = {
        {.node = "d1", .id = "a", .service = "dup", .port = 80},
        {.node = "d1", .id = "b", .service = "dup", .port = 80},
        {.node = "d1", .id = "c", .service = "dup", .port = 81},
        {.node = "d2", .id = "a", .service = "dup", .port = 80}};
    for (size_t i = 0; i < CU_COUNT(copies); i++)
        sample_instance(s, &copies[i]);
    sample_ask(s, "dup.service.consul A", "");
    ck_assert_uint_eq(count(DNS_ANSWER), 1);
    sample_ask(s, "dup.service.consul SRV", "");
    ck_assert_uint_eq(count(DNS_ANSWER), 3);
    ck_assert_uint_eq(count(DNS_ADDITIONAL), 2); /* one a target: dns 26 */
    sample_free(s);
}
END_TEST

START_TEST(a_service_called_by_its_own_name_has_its_nodes_address) /* dns 55 */
{
    s = sample_new();
    add("ext1", "circle", "circle.service.consul", 80);
    sample_ask(s, "circle.service.consul A", "");
    ck_assert_str_eq(answer(), "circle.service.consul. 0 IN A 10.9.9.1\n");
    sample_free(s);
}
END_TEST

START_TEST(addresses_come_before_hosts) /* dns 56 */
{
    s = sample_new_tuned();
    add("ext1", "mixed", "www.example.test", 80);
    add("ext2", "mixed", NULL, 80);
    for (int i = 0; i < 20; i++) {
        sample_ask(s, "mixed.service.consul A", "");
        ck_assert_str_eq(answer(), "mixed.service.consul. 7 IN A 10.9.9.2\n");
    }
    sample_free(s);
}
END_TEST

START_TEST(a_name_of_the_catalogs_own_is_resolved_three_levels_deep) /* dns 54 */
{
    s = sample_new();
    sample_node(s, "h1", "h2.node.consul");
    sample_node(s, "h2", "h3.node.dc1.consul");
    sample_node(s, "h3", "many.service.consul");
    sample_ask(s, "h2.node.consul A", "");
    ck_assert_uint_eq(count(DNS_ANSWER), 2 + 12);
    ck_assert_ptr_nonnull(
        strstr(answer(), "h3.node.dc1.consul. 0 IN CNAME many.service.consul.\n"));
    ck_assert_ptr_nonnull(strstr(answer(), "many.service.consul. 0 IN A 10.8.0.7\n"));
    sample_node(s, "h0", "h1.node.consul");
    sample_ask(s, "h0.node.consul A", "");
    ck_assert_uint_eq(count(DNS_ANSWER), 4); /* four CNAMEs, and no address: one level too deep */
    sample_node(s, "h3", "h1.node.consul");
    sample_ask(s, "h1.node.consul A", "");
    ck_assert_uint_eq(count(DNS_ANSWER), 4);
    sample_free(s);
}
END_TEST

START_TEST(instances_of_a_node_that_is_not_there_are_not_told)
{
    s = sample_new();
    add("ghost", "haunted", NULL, 80);
    sample_ask(s, "haunted.service.consul A", "");
    ck_assert_uint_eq(count(DNS_ANSWER), 0);
    sample_free(s);
}
END_TEST

START_TEST(all_instances_come_first_equally_often) /* dns 63 */
{
    enum { QUERIES = 12000, INSTANCES = 12 };
    unsigned seen[INSTANCES + 1] = {0};
    double chi = 0, want = (double)QUERIES / INSTANCES;
    s = sample_new();
    s->random.state = suite_seed();
    s->settings.udp_answer_limit = 1;
    for (int i = 0; i < QUERIES; i++) {
        sample_ask(s, "many.service.consul A", "");
        ck_assert_uint_eq(count(DNS_ANSWER), 1);
        seen[strtoul(strstr(answer(), "10.8.0.") + 7, NULL, 10)]++;
    }
    for (int i = 1; i <= INSTANCES; i++)
        chi += (seen[i] - want) * (seen[i] - want) / want;
    ck_assert_msg(chi < 31.3, "chi square %.1f, of 11 degrees", chi); /* p > 0.001 */
    sample_free(s);
}
END_TEST

/* ---- how many ---- */

START_TEST(small_answers_keep_to_the_limit_and_never_pass_eight) /* dns 57 */
{
    static const struct {
        uint32_t limit;
        unsigned want;
    } rows[] = {{1, 1}, {3, 3}, {8, 8}, {9, 8}, {100, 8}, {0, 8}};
    s = sample_new();
    for (size_t i = 0; i < CU_COUNT(rows); i++) {
        s->settings.udp_answer_limit = rows[i].limit;
        sample_ask(s, "many.service.consul A", "");
        ck_assert_uint_eq(count(DNS_ANSWER), rows[i].want);
        sample_ask(s, "many.service.consul A", "+bufsize=512"); /* no more than without EDNS */
        ck_assert_uint_eq(count(DNS_ANSWER), rows[i].want);
    }
    sample_free(s);
}
END_TEST

START_TEST(tc_is_set_only_with_enable_truncate) /* dns 59 */
{
    s = sample_new();
    for (int truncates = 0; truncates < 2; truncates++) {
        s->settings.truncates = truncates;
        sample_ask(s, "many.service.consul SRV", "");
        ck_assert(s->answer.is_cut);
        ck_assert(!!strstr(s->message.flags, "tc") == truncates);
        sample_ask(s, "web.service.consul SRV", "");
        ck_assert(!s->answer.is_cut && !strstr(s->message.flags, "tc"));
        sample_ask(s, "many.service.consul SRV", "+tcp");
        ck_assert(!s->answer.is_cut && count(DNS_ANSWER) == 12);
    }
    sample_free(s);
}
END_TEST

START_TEST(a_record_limit_is_for_addresses_alone) /* dns 62 */
{
    s = sample_new();
    s->settings.a_record_limit = 2;
    static const char *const addresses[] = {"A", "ANY"}, *const options[] = {"", "+tcp",
                                                                             "+bufsize=4096"};
    for (size_t o = 0; o < CU_COUNT(options); o++) {
        for (size_t i = 0; i < CU_COUNT(addresses); i++) {
            char question[64];
            (void)snprintf(question, sizeof question, "many.service.consul %s", addresses[i]);
            sample_ask(s, question, options[o]);
            ck_assert_uint_eq(count(DNS_ANSWER), 2);
        }
        sample_ask(s, "many.service.consul SRV", options[o]);
        ck_assert_uint_gt(count(DNS_ANSWER), 2);
    }
    sample_free(s);
}
END_TEST

/* Every target of the answers has its address, and there is no other. */
static void check_additional(void)
{
    const char *at = answer();
    unsigned targets = 0;
    for (; (at = strstr(at, " SRV ")); at++) {
        char target[300], line[320];
        ck_assert_int_eq(sscanf(at, " SRV %*u %*u %*u %299s", target), 1);
        (void)snprintf(line, sizeof line, "%s 0 IN A ", target);
        ck_assert_msg(strstr(s->message.sections[DNS_ADDITIONAL], line), "%s", line);
        targets++;
    }
    ck_assert_uint_eq(targets, count(DNS_ANSWER));
    ck_assert_uint_eq(targets + s->message.has_opt, count(DNS_ADDITIONAL));
}

START_TEST(answers_of_every_size_fit_and_belong_together) /* dns 60, 61 */
{
    s = sample_new();
    s->settings.udp_answer_limit = 8;
    for (unsigned size = 512; size < 6500; size += 13) {
        char options[32];
        (void)snprintf(options, sizeof options, "+bufsize=%u", size);
        sample_ask(s, "big.service.consul SRV", options);
        ck_assert_uint_le(s->writer.len, size);
        check_additional();
        ck_assert(s->answer.is_cut == (count(DNS_ANSWER) < 60));
        /* one more would not have fitted: the longest takes 79 + 16, and 7 + 11 are kept free */
        if (s->answer.is_cut && size > 512)
            ck_assert_uint_gt(s->writer.len + 79 + 16 + 7, size);
    }
    sample_free(s);
}
END_TEST

START_TEST(metadata_of_a_node_comes_along_unless_told_not_to) /* dns 16, 14 */
{
    s = sample_new_tuned();
    sample_ask(s, "ext1.node.consul A", "+noedns");
    ck_assert_uint_eq(count(DNS_ADDITIONAL), 3);
    s->settings.adds_node_meta = false;
    sample_ask(s, "ext1.node.consul A", "+noedns");
    ck_assert_uint_eq(count(DNS_ANSWER), 1);
    ck_assert_uint_eq(count(DNS_ADDITIONAL), 0);
    sample_ask(s, "ext1.node.consul TXT", "+noedns"); /* who asks for it gets it */
    ck_assert_uint_eq(count(DNS_ANSWER), 3);
    sample_free(s);
}
END_TEST

START_TEST(without_compression_fewer_fit)
{
    s = sample_new();
    s->settings.compresses = false;
    s->settings.udp_answer_limit = 8;
    for (unsigned size = 512; size < 4096; size += 51) {
        char options[32];
        (void)snprintf(options, sizeof options, "+bufsize=%u", size);
        sample_ask(s, "big.service.consul SRV", options);
        ck_assert_uint_le(s->writer.len, size);
        check_additional();
    }
    sample_free(s);
}
END_TEST

START_TEST(tcp_tells_4096_addresses_or_1024_targets_and_no_more) /* dns.md 7 */
{
    s = sample_new();
    sample_row(s, &(struct sample_row){"x", "", "10.6", 1024, 100});
    sample_ask(s, "x.service.consul SRV", "+tcp");
    ck_assert_uint_eq(count(DNS_ANSWER), 1024);
    ck_assert(!s->answer.is_cut);
    sample_row(s, &(struct sample_row){"x", "", "10.6", 1025, 100});
    sample_ask(s, "x.service.consul SRV", "+tcp");
    ck_assert_uint_eq(count(DNS_ANSWER), 1024);
    ck_assert(s->answer.is_cut);
    ck_assert_uint_eq(count(DNS_ADDITIONAL), 1024);
    sample_row(s, &(struct sample_row){"x", "", "10.6", 4100, 100});
    sample_ask(s, "x.service.consul A", "+tcp");
    ck_assert_uint_le(s->writer.len, 65523);
    ck_assert_uint_gt(count(DNS_ANSWER), 4000);
    sample_ask(s, "x.service.consul A", "+bufsize=65535");
    ck_assert_uint_le(s->writer.len, 65507);
    ck_assert_uint_gt(count(DNS_ANSWER), 4000);
    sample_free(s);
}
END_TEST

static void long_label(char *to, size_t len)
{
    memset(to, 'x', len);
    to[len] = '\0';
}

START_TEST(one_answer_is_told_however_long_it_is) /* dns 60 */
{
    char label[64], tag[256], host[256], question[300];
    s = sample_new();
    long_label(label, 60);
    (void)snprintf(tag, sizeof tag, "%s.%s.%s.%.30s", label, label, label, label);
    (void)snprintf(host, sizeof host, "%s.%s.%s.%.59s.a", label, label, label, label);
    (void)snprintf(question, sizeof question, "%s.long.service.consul SRV", tag);
    sample_instance(s, &(struct sample_instance){
                           .node = "ext1", .service = "long", .address = host, .tags = {tag}});
    host[strlen(host) - 1] = 'b';
    sample_instance(s, &(struct sample_instance){
                           .node = "ext2", .service = "long", .address = host, .tags = {tag}});
    sample_ask(s, question, "");
    ck_assert_uint_gt(s->writer.len, DNS_UDP_BYTES);
    ck_assert_uint_eq(count(DNS_ANSWER), 1);
    ck_assert(s->answer.is_cut);
    sample_free(s);
}
END_TEST

START_TEST(node_texts_that_do_not_fit_are_left_out_and_tc_says_so) /* dns 72 */
{
    enum { TEXTS = 64 };
    static char text[200];
    struct cu_bytes texts[TEXTS];
    memset(text, 'y', sizeof text);
    for (size_t i = 0; i < TEXTS; i++)
        texts[i] = (struct cu_bytes){(const uint8_t *)text + i, sizeof text - i};
    s = sample_new();
    struct cu_bytes key = sample_key("wordy", "");
    key.len--;
    dns_view_put_node(
        s->view, key,
        &(struct dns_node_facts){
            .name = "wordy", .address = "10.1.1.1", .texts = texts, .text_count = TEXTS});
    sample_ask(s, "wordy.node.consul TXT", "");
    ck_assert_uint_le(s->writer.len, 512);
    ck_assert_ptr_nonnull(strstr(s->message.flags, "tc"));
    sample_ask(s, "wordy.node.consul A", "");
    ck_assert_uint_le(s->writer.len, 512);
    ck_assert_ptr_null(strstr(s->message.flags, "tc"));
    ck_assert_uint_eq(count(DNS_ANSWER), 1);
    sample_ask(s, "wordy.node.consul TXT", "+tcp");
    ck_assert_uint_eq(count(DNS_ANSWER), TEXTS);
    add("wordy", "chatty", NULL, 80);
    add("ext1", "chatty", NULL, 80);
    sample_ask(s, "chatty.service.consul SRV", "");
    ck_assert_uint_le(s->writer.len, 512);
    ck_assert_uint_ge(count(DNS_ANSWER), 1);
    sample_free(s);
}
END_TEST

/* ---- odd names ---- */

START_TEST(names_without_compression_that_are_too_long_end_in_tc)
{
    char question[600], label[64];
    struct cu_diag diag = {0};
    s = sample_new();
    long_label(label, 60);
    (void)snprintf(question, sizeof question, "%s.%s", label, label);
    ck_assert_int_eq(dns_zone_init(&s->zone, question, "", "dc1", &diag), CU_OK);
    s->settings.compresses = false;
    (void)snprintf(question, sizeof question, "%s.%s.%s.%s A", label, label, label, label);
    sample_ask(s, question, "");
    ck_assert_uint_le(s->writer.len, 512);
    ck_assert_ptr_nonnull(strstr(s->message.flags, "tc"));
    sample_free(s);
}
END_TEST

START_TEST(other_datacenters_are_unknown) /* dns 10 */
{
    s = sample_new();
    ck_assert_uint_eq(rcode("web.service.dc1.consul A"), DNS_NOERROR);
    ck_assert_uint_eq(rcode("web.service.dc9.consul A"), DNS_NXDOMAIN);
    ck_assert_uint_eq(rcode("web.connect.dc9.consul A"), DNS_NXDOMAIN);
    ck_assert_uint_eq(rcode("ext1.node.dc9.consul A"), DNS_NXDOMAIN);
    ck_assert_uint_eq(rcode("ext1.node.DC1.consul A"), DNS_NOERROR);
    sample_free(s);
}
END_TEST

START_TEST(unsupported_types_of_nodes_are_empty_whoever_is_asked_for) /* dns 13 */
{
    s = sample_new();
    ck_assert_uint_eq(rcode("nobody.node.consul MX"), DNS_NOERROR);
    ck_assert(count(DNS_ANSWER) == 0 && count(DNS_AUTHORITY) == 0);
    sample_free(s);
}
END_TEST

START_TEST(without_a_view_what_needs_one_fails)
{
    s = sample_new();
    struct dns_view *view = s->view;
    s->view = NULL;
    ck_assert_uint_eq(rcode("web.service.consul A"), DNS_SERVFAIL);
    ck_assert_str_eq(s->message.flags, "qr aa rd");
    ck_assert_uint_eq(count(DNS_AUTHORITY), 0);
    ck_assert_uint_eq(rcode("ext1.node.consul A"), DNS_SERVFAIL);
    ck_assert_uint_eq(rcode("1.9.9.10.in-addr.arpa PTR"), DNS_SERVFAIL);
    ck_assert_uint_eq(rcode("0a09090b.addr.consul A"), DNS_NOERROR);
    ck_assert_uint_eq(rcode("consul SOA"), DNS_NOERROR);
    ck_assert_uint_eq(rcode("foo.consul A"), DNS_NXDOMAIN);
    ck_assert_uint_eq(rcode("web.service.dc9.consul A"), DNS_NXDOMAIN);
    s->view = view;
    sample_free(s);
}
END_TEST

START_TEST(name_servers_are_three_with_names_of_hosts) /* dns 43 */
{
    s = sample_new();
    add("under_score", "consul", NULL, 8300);
    for (int i = 1; i <= 4; i++) {
        char name[32], address[32];
        (void)snprintf(name, sizeof name, "Srv-%d", i);
        (void)snprintf(address, sizeof address, "10.5.0.%d", i);
        sample_node(s, name, address);
        add(name, "consul", NULL, 8300);
    }
    for (int i = 0; i < 50; i++) {
        sample_ask(s, "consul NS", "");
        ck_assert_uint_eq(count(DNS_ANSWER), 3);
        ck_assert_uint_eq(count(DNS_ADDITIONAL), 3);
        ck_assert_ptr_null(strstr(answer(), "under_score"));
        ck_assert_ptr_null(strstr(answer(), "Srv"));
    }
    sample_free(s);
}
END_TEST

START_TEST(addr_names_answer_under_the_domain) /* dns 40, 41, 66 */
{
    s = sample_new_tuned();
    sample_ask(s, "0A09090B.ADDR.alt A", "");
    ck_assert_str_eq(answer(), "0a09090b.addr.consul. 5 IN A 10.9.9.11\n");
    ck_assert_uint_eq(rcode("0a09090g.addr.consul A"), DNS_NXDOMAIN);
    ck_assert_uint_eq(rcode("0a09090b0.addr.consul A"), DNS_NXDOMAIN);
    ck_assert_uint_eq(rcode("0a0909.addr.consul A"), DNS_NOERROR);
    ck_assert(count(DNS_ANSWER) == 0 && count(DNS_AUTHORITY) == 0);
    sample_free(s);
}
END_TEST

START_TEST(weights_follow_the_state) /* dns 27 */
{
    s = sample_new();
    sample_check(s, "ext1", "c", "web1", DNS_WARNING);
    sample_ask(s, "v1.web.service.consul SRV", "");
    ck_assert_ptr_nonnull(strstr(answer(), "SRV 1 2 8080 "));
    sample_check(s, "ext1", "c", "web1", DNS_OTHER);
    sample_ask(s, "v1.web.service.consul SRV", "");
    ck_assert_ptr_nonnull(strstr(answer(), "SRV 1 1 8080 "));
    sample_check(s, "ext1", "c", "web1", DNS_CRITICAL);
    ck_assert_uint_eq(rcode("v1.web.service.consul SRV"), DNS_NXDOMAIN); /* dns 22 */
    sample_free(s);
}
END_TEST

START_TEST(tagged_addresses_of_services_answer_their_family) /* dns 74 */
{
    s = sample_new();
    sample_instance(s, &(struct sample_instance){.node = "ext1",
                                                 .service = "dual",
                                                 .address = "10.9.9.50",
                                                 .port = 80,
                                                 .lan_ipv4 = "10.9.9.51",
                                                 .lan_ipv6 = "2001:db8::51"});
    sample_ask(s, "dual.service.consul A", "");
    ck_assert_str_eq(answer(), "dual.service.consul. 0 IN A 10.9.9.51\n");
    sample_ask(s, "dual.service.consul AAAA", "");
    ck_assert_str_eq(answer(), "dual.service.consul. 0 IN AAAA 2001:db8::51\n");
    sample_ask(s, "dual.service.consul SRV", "");
    ck_assert_ptr_nonnull(strstr(answer(), "20010db8000000000000000000000051.addr.dc1.consul."));
    sample_free(s);
}
END_TEST

START_TEST(what_did_not_parse_is_answered_by_a_header)
{
    s = sample_new();
    struct dns_query query = {.id = 9, .flags = DNS_RD | 5 << DNS_OPCODE_SHIFT, .opcode = 5};
    (void)dns_answer_verdict(DNS_UNKNOWN_OP, &query, &s->writer, s->data);
    ck_assert_uint_eq(s->writer.len, DNS_HEADER_BYTES);
    ck_assert(message_read((struct cu_bytes){s->data, s->writer.len}, &s->message));
    ck_assert_uint_eq(s->message.rcode, DNS_NOTIMP);
    ck_assert_uint_eq(s->data[2] >> 3 & 0xf, 5);
    query = (struct dns_query){.id = 9, .flags = DNS_RD};
    (void)dns_answer_verdict(DNS_MALFORMED, &query, &s->writer, s->data);
    ck_assert(message_read((struct cu_bytes){s->data, s->writer.len}, &s->message));
    ck_assert_uint_eq(s->message.rcode, DNS_FORMERR);
    ck_assert_str_eq(s->message.flags, "qr rd");
    sample_free(s);
}
END_TEST

SUITE_MAIN(
    "services/dnsd/core/answer", duplicates_are_told_once,
    a_service_called_by_its_own_name_has_its_nodes_address, addresses_come_before_hosts,
    a_name_of_the_catalogs_own_is_resolved_three_levels_deep,
    instances_of_a_node_that_is_not_there_are_not_told, all_instances_come_first_equally_often,
    small_answers_keep_to_the_limit_and_never_pass_eight, tc_is_set_only_with_enable_truncate,
    a_record_limit_is_for_addresses_alone, answers_of_every_size_fit_and_belong_together,
    without_compression_fewer_fit, metadata_of_a_node_comes_along_unless_told_not_to,
    tcp_tells_4096_addresses_or_1024_targets_and_no_more, one_answer_is_told_however_long_it_is,
    node_texts_that_do_not_fit_are_left_out_and_tc_says_so,
    names_without_compression_that_are_too_long_end_in_tc, other_datacenters_are_unknown,
    unsupported_types_of_nodes_are_empty_whoever_is_asked_for, without_a_view_what_needs_one_fails,
    name_servers_are_three_with_names_of_hosts, addr_names_answer_under_the_domain,
    weights_follow_the_state, tagged_addresses_of_services_answer_their_family,
    what_did_not_parse_is_answered_by_a_header)
