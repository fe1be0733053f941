#include "services/agentd/core/schedule.h"

#include "common/base/err.h"
#include "tests/lib/suite.h"

static const struct cu_mono start = {1000000000};

static uint64_t ms_to_next(const struct agent_schedule *s, struct cu_mono now)
{
    return cu_mono_ms_between(now, agent_schedule_next(s));
}

START_TEST(the_scale_grows_with_each_doubling) /* agent 51 */
{
    static const struct {
        size_t members;
        unsigned scale;
    } cases[] = {{0, 1}, {1, 1}, {128, 1}, {129, 2}, {256, 2}, {257, 3}, {512, 3}, {513, 4}};
    for (size_t i = 0; i < CU_COUNT(cases); i++)
        ck_assert_uint_eq(agent_sync_scale(cases[i].members), cases[i].scale);
}
END_TEST

/* The smallest and the largest wait over many seeds, in ms. */
static void spread(bool first_good, bool good, size_t members, uint64_t *ret_min, uint64_t *ret_max)
{
    *ret_min = UINT64_MAX;
    *ret_max = 0;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        struct agent_schedule s;
        agent_schedule_init(&s, start, seed);
        ck_assert_int_eq(agent_schedule_take(&s, start), AGENT_DUE_ALL);
        agent_schedule_full_done(&s, start, first_good, members);
        if (first_good) {
            ck_assert_int_eq(agent_schedule_take(&s, agent_schedule_next(&s)), AGENT_DUE_ALL);
            agent_schedule_full_done(&s, start, good, members);
        }
        uint64_t ms = ms_to_next(&s, start);
        *ret_min = ms < *ret_min ? ms : *ret_min;
        *ret_max = ms > *ret_max ? ms : *ret_max;
    }
}

START_TEST(waits_as_long_as_the_cluster_is_large) /* agent 51, 52 */
{
    static const struct {
        bool first_good, good;
        size_t members;
        uint64_t min, max;
    } cases[] = {
        {true, true, 3, 60000, 120000},   {true, true, 128, 60000, 120000},
        {true, true, 200, 60000, 180000}, {true, true, 512, 60000, 240000},
        {true, false, 3, 15000, 30000},   {true, false, 200, 15000, 45000},
        {false, false, 3, 1000, 2000}, /* it has never been there: soon again */
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        uint64_t min, max;
        spread(cases[i].first_good, cases[i].good, cases[i].members, &min, &max);
        uint64_t range = cases[i].max - cases[i].min;
        ck_assert_uint_ge(min, cases[i].min);
        ck_assert_uint_lt(max, cases[i].max);
        ck_assert_uint_lt(min, cases[i].min + range / 50); /* and all of the range is used */
        ck_assert_uint_gt(max, cases[i].max - range / 50);
    }
}
END_TEST

static struct agent_schedule synced(void)
{
    struct agent_schedule s;
    agent_schedule_init(&s, start, 1);
    ck_assert_int_eq(agent_schedule_take(&s, start), AGENT_DUE_ALL);
    agent_schedule_full_done(&s, start, true, 1);
    return s;
}

START_TEST(a_change_is_written_at_once)
{
    struct agent_schedule s = synced();
    ck_assert_int_eq(agent_schedule_take(&s, start), AGENT_DUE_NOTHING);
    agent_schedule_changed(&s);
    ck_assert_int_eq(agent_schedule_take(&s, start), AGENT_DUE_CHANGES);
    agent_schedule_changed(&s); /* while it runs: one more pass follows */
    ck_assert_int_eq(agent_schedule_take(&s, start), AGENT_DUE_NOTHING);
    agent_schedule_changes_done(&s, start, true, 1);
    ck_assert_int_eq(agent_schedule_take(&s, start), AGENT_DUE_CHANGES);
    agent_schedule_changes_done(&s, start, true, 1);
    ck_assert_int_eq(agent_schedule_take(&s, start), AGENT_DUE_NOTHING);
}
END_TEST

START_TEST(before_the_first_look_changes_wait_for_it)
{
    struct agent_schedule s;
    agent_schedule_init(&s, start, 1);
    ck_assert_int_eq(agent_schedule_take(&s, start), AGENT_DUE_ALL);
    agent_schedule_changed(&s);
    agent_schedule_full_done(&s, start, false, 1);
    agent_schedule_changed(&s);
    ck_assert_int_eq(agent_schedule_take(&s, start), AGENT_DUE_NOTHING);
    struct cu_mono later = cu_mono_add_ms(start, 2000);
    ck_assert_int_eq(agent_schedule_take(&s, later), AGENT_DUE_ALL);
}
END_TEST

START_TEST(a_failed_write_is_followed_by_a_full_sync) /* agent 52 */
{
    struct agent_schedule s = synced();
    agent_schedule_changed(&s);
    ck_assert_int_eq(agent_schedule_take(&s, start), AGENT_DUE_CHANGES);
    agent_schedule_changes_done(&s, start, false, 1);
    ck_assert_int_eq(agent_schedule_take(&s, start), AGENT_DUE_NOTHING); /* no hot loop */
    ck_assert_uint_ge(ms_to_next(&s, start), 15000);
    ck_assert_uint_lt(ms_to_next(&s, start), 30000);
    ck_assert_int_eq(agent_schedule_take(&s, cu_mono_add_ms(start, 30000)), AGENT_DUE_ALL);
}
END_TEST

START_TEST(nothing_is_written_while_paused) /* agent 60 */
{
    struct agent_schedule s = synced();
    agent_schedule_pause(&s);
    agent_schedule_pause(&s);
    agent_schedule_changed(&s);
    agent_schedule_resume(&s);
    ck_assert_int_eq(agent_schedule_take(&s, cu_mono_add_ms(start, 1000000)), AGENT_DUE_NOTHING);
    ck_assert_uint_eq(agent_schedule_next(&s).ns, UINT64_MAX);
    agent_schedule_resume(&s);
    ck_assert_int_eq(agent_schedule_take(&s, start), AGENT_DUE_CHANGES);
}
END_TEST

START_TEST(a_server_that_came_is_synced_with_soon)
{
    struct agent_schedule s = synced();
    agent_schedule_server_came(&s, start, 1);
    ck_assert_uint_lt(ms_to_next(&s, start), 3000);
    agent_schedule_init(&s, start, 1);
    agent_schedule_server_came(&s, start, 1); /* never later than it was */
    ck_assert_uint_eq(ms_to_next(&s, start), 0);
}
END_TEST

SUITE_MAIN("services/agentd/core/schedule", the_scale_grows_with_each_doubling,
           waits_as_long_as_the_cluster_is_large, a_change_is_written_at_once,
           before_the_first_look_changes_wait_for_it, a_failed_write_is_followed_by_a_full_sync,
           nothing_is_written_while_paused, a_server_that_came_is_synced_with_soon)
