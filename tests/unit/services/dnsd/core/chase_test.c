#include "services/dnsd/core/chase.h"

#include <stdio.h>

#include "services/dnsd/core/query.h"
#include "tests/lib/suite.h"
#include "tests/unit/services/dnsd/core/message.h"
#include "tests/unit/services/dnsd/core/sample.h"

enum { ARENA_BYTES = 64 * 1024 };

static struct dns_chase chase;

static const struct dns_chased *find(const char *text)
{
    struct dns_name name = message_name(text);
    return dns_chase_find(&chase, dns_name_bytes(&name));
}

START_TEST(a_name_is_wanted_once_and_known_when_it_is_told)
{
    static const char *const ips[] = {"192.0.2.1", "192.0.2.2"};
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    struct cu_buf reply = {0};
    uint8_t query[DNS_CHASE_QUERY_BYTES];
    struct dns_query parsed;
    chase.count = 0;
    ck_assert(!dns_chase_is_open(&chase));
    ck_assert_ptr_null(find("www.example.test"));
    ck_assert_ptr_null(find("www.example.test"));
    ck_assert_uint_eq(chase.count, 1);
    ck_assert(dns_chase_is_open(&chase));
    struct cu_bytes sent = {query, dns_chase_question(&chase.names[0], 0x0102, query)};
    ck_assert_int_eq(dns_query_parse(sent, &parsed), DNS_GOOD);
    ck_assert(parsed.id == 0x0102 && parsed.type == DNS_A && parsed.flags == DNS_RD);
    sample_reply(&reply, sent, DNS_NOERROR, ips, 2);
    ck_assert_int_eq(dns_chase_take(&chase.names[0], cu_buf_bytes(&reply), arena), CU_OK);
    ck_assert(!dns_chase_is_open(&chase));
    const struct dns_chased *told = find("www.example.test");
    ck_assert_uint_eq(told->count, 2);
    ck_assert_uint_eq(told->records[1].data.data[3], 2);
    ck_assert_uint_eq(told->records[0].ttl_s, 300);
    cu_buf_deinit(&reply);
    cu_arena_free(arena);
}
END_TEST

START_TEST(sixteen_names_are_wanted_and_no_more)
{
    chase.count = 0;
    for (int i = 0; i < DNS_CHASE_NAMES + 1; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "h%d.example.test", i);
        ck_assert_ptr_null(find(name));
    }
    ck_assert_uint_eq(chase.count, DNS_CHASE_NAMES);
}
END_TEST

static unsigned records_of(unsigned count)
{
    static const char *ips[DNS_CHASE_RECORDS + 1];
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    struct cu_buf reply = {0};
    uint8_t query[DNS_CHASE_QUERY_BYTES];
    for (unsigned i = 0; i < count; i++)
        ips[i] = "192.0.2.1";
    chase.count = 0;
    (void)find("www.example.test");
    size_t len = dns_chase_question(&chase.names[0], 1, query);
    sample_reply(&reply, (struct cu_bytes){query, len}, DNS_NOERROR, ips, count);
    ck_assert_int_eq(dns_chase_take(&chase.names[0], cu_buf_bytes(&reply), arena), CU_OK);
    unsigned kept = (unsigned)chase.names[0].count;
    cu_buf_deinit(&reply);
    cu_arena_free(arena);
    return kept;
}

START_TEST(sixty_four_records_are_kept_and_no_more)
{
    ck_assert_uint_eq(records_of(DNS_CHASE_RECORDS), DNS_CHASE_RECORDS);
    ck_assert_uint_eq(records_of(DNS_CHASE_RECORDS + 1), DNS_CHASE_RECORDS);
}
END_TEST

START_TEST(a_malformed_reply_ends_the_wait_and_keeps_what_came_before)
{
    static const char *const ips[] = {"192.0.2.1", "192.0.2.2"};
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    struct cu_buf reply = {0};
    uint8_t query[DNS_CHASE_QUERY_BYTES];
    chase.count = 0;
    (void)find("www.example.test");
    size_t len = dns_chase_question(&chase.names[0], 1, query);
    sample_reply(&reply, (struct cu_bytes){query, len}, DNS_NOERROR, ips, 2);
    reply.len--;
    ck_assert_int_eq(dns_chase_take(&chase.names[0], cu_buf_bytes(&reply), arena), CU_E_INVALID);
    ck_assert(chase.names[0].is_done);
    ck_assert_uint_eq(chase.names[0].count, 1);
    cu_buf_deinit(&reply);
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("services/dnsd/core/chase", a_name_is_wanted_once_and_known_when_it_is_told,
           sixteen_names_are_wanted_and_no_more, sixty_four_records_are_kept_and_no_more,
           a_malformed_reply_ends_the_wait_and_keeps_what_came_before)
