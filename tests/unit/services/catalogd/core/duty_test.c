#include "services/catalogd/core/duty.h"

#include "common/base/err.h"
#include "tests/lib/suite.h"

struct seen {
    unsigned started, ran, stopped;
};

static void start(void *context)
{
    ((struct seen *)context)->started++;
}

static void run(void *context)
{
    ((struct seen *)context)->ran++;
}

static void stop(void *context)
{
    ((struct seen *)context)->stopped++;
}

static const struct catalog_duty rows[] = {{"one", 3000, start, run, stop}};

static struct cu_mono at(uint64_t ms)
{
    return (struct cu_mono){(1000 + ms) * 1000000u};
}

START_TEST(runs_each_row_at_its_period_between_begin_and_end)
{
    struct seen seen = {0};
    struct catalog_duties duties;
    catalog_duties_init(&duties, rows, CU_COUNT(rows), &seen);
    catalog_duties_tick(&duties, at(0));
    ck_assert_uint_eq(catalog_duties_next(&duties).ns, CU_MONO_NEVER.ns);
    catalog_duties_begin(&duties, at(0));
    for (uint64_t ms = 500; ms <= 6000; ms += 500)
        catalog_duties_tick(&duties, at(ms));
    ck_assert_uint_eq(seen.ran, 2);
    catalog_duties_end(&duties);
    catalog_duties_end(&duties);
    catalog_duties_tick(&duties, at(9000));
    ck_assert(seen.started == 1 && seen.ran == 2 && seen.stopped == 1);
}
END_TEST

START_TEST(a_gap_of_more_than_a_second_re_arms_every_timer_with_its_full_time_contracts_5_3)
{
    struct seen seen = {0};
    struct catalog_duties duties;
    catalog_duties_init(&duties, rows, CU_COUNT(rows), &seen);
    catalog_duties_begin(&duties, at(0));
    for (uint64_t ms = 500; ms <= 2500; ms += 500)
        catalog_duties_tick(&duties, at(ms));
    catalog_duties_tick(&duties, at(3501)); /* stood still for 1,001 ms */
    ck_assert_uint_eq(seen.ran, 0);
    for (uint64_t ms = 4000; ms <= 6500; ms += 500)
        catalog_duties_tick(&duties, at(ms));
    ck_assert_uint_eq(seen.ran, 0);
    catalog_duties_tick(&duties, at(6501));
    ck_assert_uint_eq(seen.ran, 1);
}
END_TEST

START_TEST(asks_to_be_ticked_often_enough_to_tell_quiet_from_stopped)
{
    struct seen seen = {0};
    struct catalog_duties duties;
    catalog_duties_init(&duties, rows, CU_COUNT(rows), &seen);
    catalog_duties_begin(&duties, at(0));
    ck_assert_uint_lt(cu_mono_ms_between(at(0), catalog_duties_next(&duties)), CATALOG_DUTY_GAP_MS);
}
END_TEST

SUITE_MAIN("services/catalogd/core/duty", runs_each_row_at_its_period_between_begin_and_end,
           a_gap_of_more_than_a_second_re_arms_every_timer_with_its_full_time_contracts_5_3,
           asks_to_be_ticked_often_enough_to_tell_quiet_from_stopped)
