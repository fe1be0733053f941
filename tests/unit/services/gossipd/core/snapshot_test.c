/* The snapshot file and coming back from it: gossip.md 20, checklist 70 to 72, 88. */
#include "tests/lib/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/services/gossipd/core/rig.h"

static const char *lines(struct rig *rig)
{
    cu_buf_u8(&rig->snapshot, 0);
    rig->snapshot.len--;
    return (const char *)rig->snapshot.data;
}

static char *compacted(struct rig *rig)
{
    struct cu_buf out = {0};
    gossip_snapshot_write(rig->gossip, &out);
    cu_buf_u8(&out, 0);
    size_t len;
    return (char *)cu_buf_take(&out, &len);
}

START_TEST(a_life_is_written_as_serf_writes_it) /* 70, V40 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bc"});
    rig_intent(&rig, GOSSIP_SERF_JOIN, "b", 1, false);
    rig_wait(&rig, 600);
    rig_dead(&rig, "c", 1, "b");
    rig_step(&rig, (struct gossip_event){.kind = GOSSIP_EV_LEAVE, .tag = 1});
    ck_assert(rig_action(&rig, GOSSIP_ACT_SNAPSHOT)->snapshot.sync);
    ck_assert_str_eq(lines(&rig), "alive: a 10.0.0.1:8301\n"
                                  "alive: b 10.0.0.2:8301\n"
                                  "alive: c 10.0.0.3:8301\n"
                                  "clock: 1\n"
                                  "not-alive: c\n"
                                  "# curia: failed 1700000000600 1 10.0.0.3:8301 1,5,2,2,5,5 - c\n"
                                  "leave\n");
    rig_close(&rig);
}
END_TEST

START_TEST(a_serf_agents_file_is_read) /* 70, 72: V40 without the leave */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.snapshot = "alive: a 10.0.0.1:8301\n"
                                                  "alive: n 2 10.0.0.2:8301\n"
                                                  "alive: n3 10.0.0.3:8301\n"
                                                  "alive: n6 [fe80::1]:7946\n"
                                                  "clock: 1\n"
                                                  "event-clock: 1\n"
                                                  "event-clock: 2\n"
                                                  "query-clock: 3\n"
                                                  "not-alive: n3\n"
                                                  "coordinate: {}\n"
                                                  "# a comment\n"
                                                  "clock: 4\n"
                                                  "alive: torn 10.0"});
    ck_assert(!rig_noted(&rig, GOSSIP_NOTE_BAD_SNAPSHOT_LINE));
    ck_assert_uint_eq(rig_stats(&rig).member_time, 5);
    ck_assert_uint_eq(rig_stats(&rig).event_time, 3);
    ck_assert_uint_eq(rig_stats(&rig).query_time, 4);
    const struct gossip_action *dial = rig_action(&rig, GOSSIP_ACT_DIAL); /* without any command */
    ck_assert_ptr_nonnull(dial);
    char *text = compacted(&rig); /* nothing is lost before anybody has answered */
    ck_assert_ptr_nonnull(strstr(text, "alive: n 2 10.0.0.2:8301\n"));
    ck_assert_ptr_nonnull(strstr(text, "alive: n6 [fe80::1]:7946\n"));
    ck_assert_ptr_null(strstr(text, "n3"));
    free(text);
    rig_close(&rig);
}
END_TEST

START_TEST(a_line_that_is_none_is_told) /* gossip.md 20 */
{
    static const char *const bad[] = {"nonsense\n",
                                      "alive: x\n",
                                      "alive: x 10.0.0.1\n",
                                      "alive: x 10.0.0.1:99999\n",
                                      "clock: x\n",
                                      "clock: 18446744073709551615\n",
                                      "# curia: failed\n",
                                      "# curia: gone 1 1 10.0.0.3:8301 - - c\n",
                                      "# curia: failed 1 1 10.0.0.3:8301 1,2,3 - c\n",
                                      "# curia: failed 1 1 10.0.0.3:8301 - 0g c\n",
                                      "# curia: failed 1 4294967296 10.0.0.3:8301 - - c\n",
                                      "# curia: failed 1 1 10.0.0.3:8301 - - \n"};
    for (size_t i = 0; i < CU_COUNT(bad); i++) {
        struct rig rig;
        rig_open(&rig, &(struct rig_seed){.snapshot = bad[i]});
        ck_assert_msg(rig_noted(&rig, GOSSIP_NOTE_BAD_SNAPSHOT_LINE), "%s", bad[i]);
        rig_close(&rig);
    }
}
END_TEST

START_TEST(a_leave_forgets_unless_told_otherwise) /* 70 */
{
    static const char file[] = "alive: b 10.0.0.2:8301\nclock: 7\n"
                               "# curia: failed 1700000000000 1 10.0.0.3:8301 - - c\nleave\n";
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.snapshot = file});
    ck_assert_uint_eq(rig_stats(&rig).member_time, 1);
    ck_assert_int_eq(rig_status(&rig, "c"), GOSSIP_STATUS_NONE);
    ck_assert_ptr_null(rig_action(&rig, GOSSIP_ACT_DIAL));
    rig_close(&rig);
    rig_open(&rig, &(struct rig_seed){.snapshot = file, .rejoin_after_leave = true});
    ck_assert_uint_eq(rig_stats(&rig).member_time, 8);
    ck_assert_int_eq(rig_status(&rig, "c"), GOSSIP_STATUS_FAILED);
    ck_assert_ptr_nonnull(rig_action(&rig, GOSSIP_ACT_DIAL));
    rig_close(&rig);
}
END_TEST

/* Opens again from the file the first life has written. */
static void live_again(struct rig *rig, struct rig *ret_second, const char *file)
{
    struct rig_seed seed = {.snapshot = file, .profile = GOSSIP_PROFILE_CONSUL_LAN};
    rig_open(ret_second, &seed);
    (void)rig;
}

START_TEST(the_feed_still_says_who_is_failed_left_and_reaped) /* 88 */
{
    struct rig first, second;
    rig_open(&first, &(struct rig_seed){.peers = "bcde", .profile = GOSSIP_PROFILE_CONSUL_LAN});
    rig_alive_meta(&first, "b", 2, rig_tag_meta("id", "1234"));
    rig_dead(&first, "b", 2, "e");
    rig_intent(&first, GOSSIP_SERF_LEAVE, "c", 5, false);
    rig_dead(&first, "c", 1, "c");
    rig_dead(&first, "d", 1, "e");
    rig_intent(&first, GOSSIP_SERF_LEAVE, "d", 6, true);
    for (unsigned compact = 0; compact < 2; compact++) {
        char *file = compact ? compacted(&first) : strdup(lines(&first));
        live_again(&first, &second, file);
        free(file);
        static const struct {
            const char *name;
            enum gossip_change change;
        } want[] = {{"b", GOSSIP_CHANGE_FAILED},
                    {"c", GOSSIP_CHANGE_LEFT},
                    {"d", GOSSIP_CHANGE_REAPED},
                    {"a", GOSSIP_CHANGE_ALIVE}};
        unsigned found = 0;
        struct gossip_member_view view;
        enum gossip_change change;
        for (uint64_t after = 0; gossip_feed_next(second.gossip, after, &view, &change);
             after = view.index)
            for (size_t i = 0; i < CU_COUNT(want); i++)
                found += !strcmp(view.name, want[i].name) && change == want[i].change;
        ck_assert_uint_eq(found, 4);
        ck_assert(!gossip_is_complete(second.gossip));
        ck_assert(gossip_member_find(second.gossip, "b", &view));
        ck_assert_uint_eq(view.incarnation, 2);
        ck_assert(cu_bytes_equal(view.meta, rig_tag_meta("id", "1234")));
        ck_assert_uint_eq(view.since_wall_ms, 1700000000000u);
        rig_push_pull(&second, NULL, 0, NULL, false);
        ck_assert(gossip_is_complete(second.gossip));
        rig_close(&second);
    }
    rig_close(&first);
}
END_TEST

START_TEST(the_time_to_be_reaped_goes_on_over_a_restart) /* 57, 88 */
{
    struct rig rig; /* failed 71 h before this life began; 72 h are its time */
    rig_open(&rig,
             &(struct rig_seed){.snapshot = "# curia: failed 1699744400000 1 10.0.0.3:8301 - - c\n",
                                .is_unborn = true,
                                .profile = GOSSIP_PROFILE_CONSUL_LAN});
    rig_wait(&rig, 55 * 60 * 1000);
    ck_assert_int_eq(rig_status(&rig, "c"), GOSSIP_STATUS_FAILED);
    rig_close(&rig);
}
END_TEST

START_TEST(a_name_with_a_line_break_writes_no_line)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){0});
    rig_alive(&rig, "b\nleave", 1);
    ck_assert_ptr_null(strstr(lines(&rig), "leave"));
    rig_close(&rig);
}
END_TEST

/* ---- coming back ---- */

static uint64_t dial_to(const struct rig *rig, char node)
{
    for (uint32_t i = 0; i < rig->actions.count; i++)
        if (rig->actions.items[i].kind == GOSSIP_ACT_DIAL &&
            gossip_addr_equal(rig->actions.items[i].dial.to, rig_addr(node)))
            return rig->actions.items[i].dial.exchange;
    return 0;
}

START_TEST(those_alive_before_are_tried_one_after_the_other_until_one_answers) /* 72 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.snapshot = "alive: b 10.0.0.2:8301\n"
                                                  "alive: c 10.0.0.3:8301\n"});
    char first = dial_to(&rig, 'b') ? 'b' : 'c', second = first == 'b' ? 'c' : 'b';
    ck_assert_uint_ne(dial_to(&rig, first), 0);
    ck_assert_uint_eq(dial_to(&rig, second), 0);
    rig_reply(&rig, dial_to(&rig, first), NULL, 0);
    uint64_t exchange = dial_to(&rig, second);
    ck_assert_uint_ne(exchange, 0);
    struct gossip_node_state node = {.alive = {.node = {(const uint8_t *)&second, 1},
                                               .addr = rig_addr(second),
                                               .incarnation = 1,
                                               .versions = GOSSIP_VERSIONS_SERF}};
    rig_reply(&rig, exchange, &node, 1);
    ck_assert_int_eq(rig_status(&rig, (char[]){second, 0}), GOSSIP_STATUS_ALIVE);
    ck_assert(gossip_is_complete(rig.gossip));
    rig_close(&rig);
}
END_TEST

START_TEST(who_answers_no_more_and_is_unknown_to_the_pool_has_failed) /* contracts 5.5 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.snapshot = "alive: b 10.0.0.2:8301\n"});
    rig_reply(&rig, dial_to(&rig, 'b'), NULL, 0);
    rig_wait(&rig, 60000); /* as long as we know nothing of the pool, we say nothing */
    ck_assert_int_eq(rig_status(&rig, "b"), GOSSIP_STATUS_NONE);
    rig_push_pull(&rig, NULL, 0, NULL, true);
    for (unsigned i = 0; i < 200 && rig_status(&rig, "b") == GOSSIP_STATUS_NONE; i++) {
        rig_wait(&rig, 100);
        if (dial_to(&rig, 'b'))
            rig_reply(&rig, dial_to(&rig, 'b'), NULL, 0);
    }
    ck_assert_int_eq(rig_status(&rig, "b"), GOSSIP_STATUS_FAILED);
    rig_close(&rig);
}
END_TEST

START_TEST(a_name_of_the_limit_is_read_one_longer_is_not)
{
    char file[GOSSIP_NAME_MAX_BYTES + 64];
    for (int more = 0; more < 2; more++) {
        struct rig rig;
        (void)snprintf(file, sizeof file, "alive: %0*d 10.0.0.2:8301\n",
                       GOSSIP_NAME_MAX_BYTES + more, 0);
        rig_open(&rig, &(struct rig_seed){.snapshot = file});
        ck_assert(rig_noted(&rig, GOSSIP_NOTE_BAD_SNAPSHOT_LINE) == (more == 1));
        rig_close(&rig);
    }
}
END_TEST

SUITE_MAIN("services/gossipd/core/snapshot", a_life_is_written_as_serf_writes_it,
           a_serf_agents_file_is_read, a_line_that_is_none_is_told,
           a_leave_forgets_unless_told_otherwise, the_feed_still_says_who_is_failed_left_and_reaped,
           the_time_to_be_reaped_goes_on_over_a_restart, a_name_with_a_line_break_writes_no_line,
           those_alive_before_are_tried_one_after_the_other_until_one_answers,
           who_answers_no_more_and_is_unknown_to_the_pool_has_failed,
           a_name_of_the_limit_is_read_one_longer_is_not)
