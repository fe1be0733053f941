#include "services/dnsd/core/writer.h"

#include <stdio.h>
#include <string.h>

#include "common/base/random.h"
#include "tests/lib/suite.h"
#include "tests/unit/services/dnsd/core/message.h"

static struct dns_writer w;
static uint8_t data[DNS_MESSAGE_BYTES];
static struct message message;
static struct dns_query query;

static struct dns_owner begin(const char *name, size_t limit, bool compresses)
{
    query = (struct dns_query){.id = 7, .name = message_name(name), .type = DNS_A};
    dns_writer_begin(&w, data, limit, compresses);
    return dns_put_question(&w, &query);
}

static void end(void)
{
    ck_assert(!w.failed);
    dns_writer_end(&w, 7, DNS_QR | DNS_AA);
    ck_assert(message_read((struct cu_bytes){data, w.len}, &message));
}

START_TEST(names_come_back_as_they_were_written)
{
    struct dns_name target = message_name("n1.node.dc1.consul");
    struct dns_owner question = begin("web.service.consul", 512, true);
    dns_put_section(&w, DNS_ANSWER);
    struct dns_owner at =
        dns_put_srv(&w, &question, 9, &(struct dns_srv){1, 80, dns_name_bytes(&target)});
    dns_put_section(&w, DNS_ADDITIONAL);
    dns_put_address(&w, &at, 9, (struct cu_bytes){(const uint8_t *)"\12\0\0\1", 4});
    const struct dns_owner other = {dns_name_bytes(&target), 0};
    dns_put_txt(&w, &other, 9, cu_bytes_of("x"));
    end();
    ck_assert_str_eq(message.sections[DNS_ANSWER],
                     "web.service.consul. 9 IN SRV 1 1 80 n1.node.dc1.consul.\n");
    ck_assert_str_eq(message.sections[DNS_ADDITIONAL], "n1.node.dc1.consul. 9 IN A 10.0.0.1\n"
                                                       "n1.node.dc1.consul. 9 IN TXT \"x\"\n");
    /* header, question, SRV whose owner is a pointer and whose target is none, A and TXT */
    ck_assert_uint_eq(w.len, 12u + 20 + 4 + 2 + 10 + 6 + 20 + 2 + 10 + 4 + 2 + 10 + 2);
}
END_TEST

START_TEST(without_compression_there_is_no_pointer) /* dns 64 */
{
    struct dns_name name = message_name("service.consul");
    struct dns_owner question = begin("web.service.consul", 512, false);
    dns_put_section(&w, DNS_ANSWER);
    dns_put_name(&w, &question, DNS_CNAME, 1, dns_name_bytes(&name));
    dns_put_name(&w, &question, DNS_CNAME, 1, dns_name_bytes(&name));
    end();
    for (size_t i = DNS_HEADER_BYTES; i < w.len; i++)
        ck_assert_uint_lt(data[i], 0xc0);
    ck_assert_uint_eq(w.len, 12u + 20 + 4 + 2 * (20 + 10 + 16));
}
END_TEST

START_TEST(what_passes_the_limit_fails_until_it_is_taken_back)
{
    struct dns_owner question = begin("a.consul", 12 + 10 + 4 + 16 + 15, true);
    struct cu_bytes ip = {(const uint8_t *)"\1\2\3\4", 4};
    dns_put_section(&w, DNS_ANSWER);
    dns_put_address(&w, &question, 0, ip);
    ck_assert(!w.failed);
    struct dns_mark mark = dns_writer_mark(&w);
    dns_put_address(&w, &question, 0, ip); /* one byte too long */
    ck_assert(w.failed);
    dns_put_address(&w, &question, 0, ip);
    ck_assert(w.failed);
    dns_writer_rewind(&w, &mark);
    end();
    ck_assert_uint_eq(message.counts[DNS_ANSWER], 1);
    dns_writer_set_limit(&w, w.limit + 1);
    dns_put_address(&w, &question, 0, ip);
    end();
    ck_assert_uint_eq(message.counts[DNS_ANSWER], 2);
}
END_TEST

START_TEST(a_name_that_was_taken_back_is_not_pointed_to)
{
    struct dns_name first = message_name("x.y.example.test"),
                    second = message_name("y.example.test");
    struct dns_owner question = begin("a.consul", 512, true);
    dns_put_section(&w, DNS_ANSWER);
    struct dns_mark mark = dns_writer_mark(&w);
    dns_put_name(&w, &question, DNS_CNAME, 0, dns_name_bytes(&first));
    dns_put_name(&w, &question, DNS_CNAME, 0, dns_name_bytes(&second));
    dns_writer_rewind(&w, &mark);
    memset(data + mark.len, 0xee, 64);
    dns_put_name(&w, &question, DNS_CNAME, 0, dns_name_bytes(&second));
    dns_put_name(&w, &question, DNS_CNAME, 0, dns_name_bytes(&first));
    end();
    ck_assert_str_eq(message.sections[DNS_ANSWER], "a.consul. 0 IN CNAME x.y.example.test.\n"
                                                   "a.consul. 0 IN CNAME y.example.test.\n");
}
END_TEST

START_TEST(texts_over_255_bytes_become_several_strings)
{
    uint8_t text[256];
    memset(text, 'x', sizeof text);
    struct dns_owner question = begin("a.consul", 4096, true);
    dns_put_section(&w, DNS_ANSWER);
    dns_put_txt(&w, &question, 0, (struct cu_bytes){text, 255});
    end();
    ck_assert_ptr_null(strstr(message.sections[DNS_ANSWER], "\" \""));
    dns_put_txt(&w, &question, 0, (struct cu_bytes){text, 256});
    end();
    ck_assert_ptr_nonnull(strstr(message.sections[DNS_ANSWER], "xx\" \"x\"\n"));
    dns_put_txt(&w, &question, 0, (struct cu_bytes){text, 0});
    end();
    ck_assert_ptr_nonnull(strstr(message.sections[DNS_ANSWER], "TXT \"\"\n"));
}
END_TEST

/* Names of few labels, so that many ends are equal, far beyond what a pointer reaches. */
START_TEST(many_names_with_equal_ends_come_back)
{
    struct cu_random random = {suite_seed()};
    char want[64];
    struct dns_owner question = begin("q.consul", DNS_MESSAGE_BYTES, true);
    dns_put_section(&w, DNS_ANSWER);
    for (int i = 0; i < 3000; i++) {
        char text[64];
        struct dns_mark mark = dns_writer_mark(&w);
        (void)snprintf(
            text, sizeof text, "%c%c.%c.%c.test", (int)('a' + cu_random_below(&random, 20)),
            (int)('a' + cu_random_below(&random, 20)), (int)('a' + cu_random_below(&random, 3)),
            (int)('a' + cu_random_below(&random, 3)));
        struct dns_name name = message_name(text);
        dns_put_name(&w, &question, DNS_NS, 0, dns_name_bytes(&name));
        if (cu_random_below(&random, 10) == 0) {
            dns_writer_rewind(&w, &mark);
            continue;
        }
        (void)snprintf(want, sizeof want, "NS %s.\n", text);
    }
    end();
    ck_assert_uint_gt(w.len, DNS_POINTER_MAX);
    ck_assert_ptr_nonnull(strstr(message.sections[DNS_ANSWER], want));
}
END_TEST

START_TEST(an_opt_takes_what_is_said_of_it)
{
    struct dns_owner question = begin("a.consul", 512, true);
    (void)question;
    ck_assert_uint_eq(dns_opt_bytes(&query), 0);
    query.has_edns = true;
    query.udp_bytes = 4000;
    size_t before = w.len;
    dns_put_opt(&w, &query, 0);
    ck_assert_uint_eq(w.len - before, dns_opt_bytes(&query));
    end();
    ck_assert(message.has_opt && message.opt_bytes == 4000);
    query.has_subnet = true;
    query.subnet = (struct dns_subnet){.family = 1, .bits = 20, .len = 3, .address = {10, 1, 32}};
    (void)begin("a.consul", 512, true);
    query.has_edns = query.has_subnet = true;
    query.subnet = (struct dns_subnet){.family = 1, .bits = 20, .len = 3, .address = {10, 1, 32}};
    before = w.len;
    dns_put_opt(&w, &query, 17);
    ck_assert_uint_eq(w.len - before, dns_opt_bytes(&query));
    end();
    ck_assert_str_eq(message.subnet, "10.1.32.0/20");
    ck_assert_uint_eq(message.scope_bits, 17);
}
END_TEST

SUITE_MAIN("services/dnsd/core/writer", names_come_back_as_they_were_written,
           without_compression_there_is_no_pointer,
           what_passes_the_limit_fails_until_it_is_taken_back,
           a_name_that_was_taken_back_is_not_pointed_to,
           texts_over_255_bytes_become_several_strings, many_names_with_equal_ends_come_back,
           an_opt_takes_what_is_said_of_it)
