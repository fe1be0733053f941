/* Broadcasts and how often they are told: gossip.md 11, checklist 6, 46 to 48. */
#include "tests/lib/suite.h"

#include <stdio.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/random.h"
#include "services/gossipd/core/queue.h"

static void put(struct gossip_queue *q, const char *name, const char *message, uint64_t ticket)
{
    gossip_queue_put(q, cu_bytes_of(name), cu_bytes_of(message), ticket);
}

/* The parts of one packet, with commas between. */
static const char *fill(struct gossip_queue *q, uint32_t budget, int prefix, uint32_t limit)
{
    static struct gossip_parts parts;
    static char text[4096];
    gossip_parts_begin(&parts, budget);
    gossip_queue_fill(q, &parts, prefix, limit);
    size_t at = 0;
    uint32_t start = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < parts.count; i++) {
        int len = (int)(parts.ends[i] - start);
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%.*s", i ? "," : "", len,
                               (const char *)parts.bytes.data + start);
        start = parts.ends[i];
    }
    cu_buf_deinit(&parts.bytes);
    return text;
}

START_TEST(a_message_is_told_as_often_as_the_pool_needs) /* 46 */
{
    static const struct {
        uint32_t members, want;
    } cases[] = {{1, 4}, {2, 4}, {9, 4}, {10, 8}, {99, 8}, {100, 12}, {999, 12}, {1000, 16}};
    for (size_t i = 0; i < CU_COUNT(cases); i++)
        ck_assert_uint_eq(gossip_retransmit_limit(4, cases[i].members), cases[i].want);

    struct gossip_queue q = {0};
    put(&q, "", "m", 7);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_uint_eq(gossip_queue_take_done(&q), 0);
        ck_assert_str_eq(fill(&q, 1400, -1, 4), "m");
    }
    ck_assert_str_eq(fill(&q, 1400, -1, 4), "");
    ck_assert_uint_eq(gossip_queue_take_done(&q), 7);
    ck_assert_uint_eq(gossip_queue_take_done(&q), 0);
    gossip_queue_deinit(&q);
}
END_TEST

START_TEST(the_least_told_goes_first_then_the_longest_then_the_newest) /* 47 */
{
    struct gossip_queue q = {0};
    put(&q, "", "told", 0);
    (void)fill(&q, 1400, -1, 9);
    put(&q, "", "a1", 0);
    put(&q, "", "a2", 0);
    put(&q, "", "longer", 0);
    ck_assert_str_eq(fill(&q, 1400, -1, 9), "longer,a2,a1,told");
    gossip_queue_deinit(&q);
}
END_TEST

START_TEST(a_message_replaces_the_one_of_its_name) /* 47 */
{
    struct gossip_queue q = {0};
    put(&q, "n1", "suspect", 5);
    put(&q, "n2", "other", 0);
    put(&q, "", "serf", 0);
    put(&q, "", "serf", 0);
    put(&q, "n1", "alive!!", 6);
    ck_assert_uint_eq(gossip_queue_take_done(&q), 5);
    ck_assert_str_eq(fill(&q, 1400, -1, 9), "alive!!,other,serf,serf");
    ck_assert_uint_eq(q.count, 4);
    gossip_queue_deinit(&q);
}
END_TEST

START_TEST(one_packet_tells_a_message_once)
{
    struct gossip_queue q = {0};
    put(&q, "", "x", 0);
    ck_assert_str_eq(fill(&q, 1400, -1, 100), "x");
    ck_assert_uint_eq(q.count, 1);
    gossip_queue_deinit(&q);
}
END_TEST

START_TEST(what_does_not_fit_waits_for_a_smaller_one) /* 48 */
{
    struct gossip_queue q = {0};
    put(&q, "", "12345678", 0);
    put(&q, "", "123456", 0);
    put(&q, "", "12", 0);
    ck_assert_str_eq(fill(&q, 16, -1, 9), "12345678,12"); /* 2 + 2 + 8 + 2 + 2, to the byte */
    ck_assert_str_eq(fill(&q, 11, -1, 9), "123456");      /* the 8 would need one byte more */
    ck_assert_str_eq(fill(&q, 3, -1, 9), "");
    gossip_queue_deinit(&q);
}
END_TEST

START_TEST(a_prefix_costs_its_byte)
{
    struct gossip_queue q = {0};
    put(&q, "", "abc", 0);
    ck_assert_str_eq(fill(&q, 7, '#', 9), "");
    ck_assert_str_eq(fill(&q, 8, '#', 9), "#abc");
    gossip_queue_deinit(&q);
}
END_TEST

START_TEST(a_packet_holds_127_parts_at_most) /* 6 */
{
    struct gossip_queue q = {0};
    struct gossip_parts parts = {0};
    for (unsigned i = 0; i < 128; i++)
        put(&q, "", "m", 0);
    gossip_parts_begin(&parts, 1400);
    gossip_queue_fill(&q, &parts, -1, 1);
    ck_assert_uint_eq(parts.count, 127);
    gossip_parts_begin(&parts, 1400);
    gossip_queue_fill(&q, &parts, -1, 1);
    ck_assert_uint_eq(parts.count, 1);
    ck_assert_uint_eq(q.count, 0);
    cu_buf_deinit(&parts.bytes);
    gossip_queue_deinit(&q);
}
END_TEST

START_TEST(pruning_drops_the_most_told_the_shortest_the_oldest)
{
    struct gossip_queue q = {0};
    put(&q, "", "told-often", 1);
    (void)fill(&q, 1400, -1, 9);
    put(&q, "", "aa", 2);
    put(&q, "", "bb", 3);
    put(&q, "", "long", 4);
    ck_assert_uint_eq(gossip_queue_prune(&q, 4), 0);
    ck_assert_uint_eq(gossip_queue_prune(&q, 2), 2);
    ck_assert_uint_eq(gossip_queue_take_done(&q), 2);
    ck_assert_uint_eq(gossip_queue_take_done(&q), 1);
    ck_assert_str_eq(fill(&q, 1400, -1, 9), "long,bb");
    gossip_queue_deinit(&q);
}
END_TEST

START_TEST(many_puts_and_fills_keep_the_budget_and_lose_nothing)
{
    struct gossip_queue q = {0};
    struct gossip_parts parts = {0};
    struct cu_random random = {suite_seed()};
    char message[200], name[16];
    memset(message, 'x', sizeof message);
    uint32_t told = 0, put_count = 0;
    for (unsigned i = 0; i < 3000; i++) {
        if (cu_random_below(&random, 3)) {
            size_t len = 1 + cu_random_below(&random, sizeof message);
            int n = snprintf(name, sizeof name, "%u", i);
            gossip_queue_put(&q, (struct cu_bytes){(uint8_t *)name, (size_t)n},
                             (struct cu_bytes){(uint8_t *)message, len}, 0);
            put_count++;
        }
        gossip_parts_begin(&parts, 600);
        gossip_queue_fill(&q, &parts, -1, 3);
        ck_assert_uint_le(parts.used, 600);
        ck_assert_uint_eq(parts.used, 2 + 2 * parts.count + parts.bytes.len);
        told += parts.count;
    }
    while (q.count) {
        gossip_parts_begin(&parts, 600);
        gossip_queue_fill(&q, &parts, -1, 3);
        told += parts.count;
    }
    ck_assert_uint_eq(told, put_count * 3);
    ck_assert_uint_eq(q.named.count, 0);
    cu_buf_deinit(&parts.bytes);
    gossip_queue_deinit(&q);
}
END_TEST

SUITE_MAIN("services/gossipd/core/queue", a_message_is_told_as_often_as_the_pool_needs,
           the_least_told_goes_first_then_the_longest_then_the_newest,
           a_message_replaces_the_one_of_its_name, one_packet_tells_a_message_once,
           what_does_not_fit_waits_for_a_smaller_one, a_prefix_costs_its_byte,
           a_packet_holds_127_parts_at_most, pruning_drops_the_most_told_the_shortest_the_oldest,
           many_puts_and_fills_keep_the_budget_and_lose_nothing)
