#include "services/catalogd/core/replica.h"

#include "services/catalogd/core/replica_state.h"
#include "tests/lib/suite.h"
#include "tests/unit/services/catalogd/replica_driver.h"

static void answer(struct driver *d, uint64_t round, enum cu_err err, uint64_t index)
{
    driver_step(d,
                (struct catalog_event){
                    .kind = CATALOG_EV_READ_INDEX, .tag = round, .err = err, .read = {index, 0}});
}

START_TEST(reads_of_one_turn_share_a_round_and_later_ones_wait_for_the_next_contracts_3_7)
{
    struct driver d = driver_new(false, 10);
    driver_connect(&d);
    driver_read(&d, 1, CATALOG_READ_DEFAULT, 1000);
    driver_read(&d, 2, CATALOG_READ_DEFAULT, 1000);
    ck_assert_uint_eq(d.out.count, 0);
    ck_assert(!cu_mono_before(driver_deadline(&d, 0), catalog_replica_next_deadline(d.replica)));
    driver_tick_after(&d, 0);
    uint64_t round = driver_only(&d, CATALOG_ACT_READ_INDEX)->tag;
    driver_read(&d, 3, CATALOG_READ_DEFAULT, 1000);
    driver_tick_after(&d, 0);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_READ_INDEX), 0);
    answer(&d, round, CU_OK, 10);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_READ_READY), 2);
    ck_assert_uint_ne(driver_only(&d, CATALOG_ACT_READ_INDEX)->tag, round);
    driver_free(&d);
}
END_TEST

/* The state may be of entries that a recovered cluster has lost, and longer than its log. */
START_TEST(a_state_of_older_terms_answers_no_read_contracts_3_10)
{
    struct driver d = driver_new(false, 10);
    driver_connect(&d);
    driver_read(&d, 1, CATALOG_READ_DEFAULT, 1000);
    driver_tick_after(&d, 0);
    uint64_t round = driver_only(&d, CATALOG_ACT_READ_INDEX)->tag;
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_READ_INDEX,
                                           .tag = round,
                                           .read = {.index = 8, .term = 2}});
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_READ_READY), 0);
    driver_apply(&d, 11, 1);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_READ_READY), 0);
    driver_apply(&d, 12, 2);
    ck_assert_uint_eq(driver_only(&d, CATALOG_ACT_READ_READY)->tag, 1);
    driver_free(&d);
}
END_TEST

START_TEST(modes_have_rounds_of_their_own)
{
    struct driver d = driver_new(false, 10);
    driver_connect(&d);
    driver_read(&d, 1, CATALOG_READ_DEFAULT, 1000);
    driver_read(&d, 2, CATALOG_READ_CONSISTENT, 1000);
    driver_tick_after(&d, 0);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_READ_INDEX), 2);
    driver_free(&d);
}
END_TEST

START_TEST(waits_until_the_index_is_applied_consensus_9)
{
    struct driver d = driver_new(false, 10);
    driver_connect(&d);
    driver_read(&d, 1, CATALOG_READ_DEFAULT, 1000);
    driver_tick_after(&d, 0);
    answer(&d, driver_only(&d, CATALOG_ACT_READ_INDEX)->tag, CU_OK, 12);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_READ_READY), 0);
    driver_apply(&d, 11, 1);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_READ_READY), 0);
    driver_apply(&d, 12, 1);
    ck_assert_uint_eq(driver_only(&d, CATALOG_ACT_READ_READY)->tag, 1);
    driver_free(&d);
}
END_TEST

START_TEST(a_missing_leader_is_asked_again_until_the_deadline)
{
    struct driver d = driver_new(false, 10);
    driver_connect(&d);
    driver_read(&d, 1, CATALOG_READ_DEFAULT, 1000);
    driver_tick_after(&d, 0);
    answer(&d, driver_only(&d, CATALOG_ACT_READ_INDEX)->tag, CU_E_NO_LEADER, 0);
    ck_assert_uint_eq(d.out.count, 0);
    driver_tick_after(&d, 400);
    uint64_t round = driver_only(&d, CATALOG_ACT_READ_INDEX)->tag;
    answer(&d, round, CU_E_NO_LEADER, 0);
    driver_tick_after(&d, 600);
    ck_assert_int_eq(driver_only(&d, CATALOG_ACT_READ_FAILED)->err, CU_E_NO_LEADER);
    driver_free(&d);
}
END_TEST

START_TEST(a_server_that_lags_past_the_deadline_is_not_ready)
{
    struct driver d = driver_new(false, 10);
    driver_connect(&d);
    driver_read(&d, 1, CATALOG_READ_DEFAULT, 1000);
    driver_tick_after(&d, 0);
    answer(&d, driver_only(&d, CATALOG_ACT_READ_INDEX)->tag, CU_OK, 12);
    driver_tick_after(&d, 1000);
    ck_assert_int_eq(driver_only(&d, CATALOG_ACT_READ_FAILED)->err, CU_E_NOT_READY);
    driver_free(&d);
}
END_TEST

START_TEST(a_lost_connection_asks_again_and_the_old_answer_is_not_taken)
{
    struct driver d = driver_new(false, 10);
    driver_connect(&d);
    driver_read(&d, 1, CATALOG_READ_DEFAULT, 5000);
    driver_tick_after(&d, 0);
    uint64_t old = driver_only(&d, CATALOG_ACT_READ_INDEX)->tag;
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_DISCONNECTED});
    answer(&d, old, CU_OK, 10);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_READ_READY), 0);
    driver_connect(&d);
    driver_tick_after(&d, 400);
    answer(&d, driver_only(&d, CATALOG_ACT_READ_INDEX)->tag, CU_OK, 10);
    (void)driver_only(&d, CATALOG_ACT_READ_READY);
    driver_free(&d);
}
END_TEST

START_TEST(a_new_term_asks_again_though_the_old_leader_never_answered)
{
    struct driver d = driver_new(false, 10);
    driver_connect(&d);
    driver_read(&d, 1, CATALOG_READ_DEFAULT, 5000);
    driver_tick_after(&d, 0);
    uint64_t old = driver_only(&d, CATALOG_ACT_READ_INDEX)->tag;
    driver_follow(&d, 11, 2);
    driver_tick_after(&d, 50);
    uint64_t round = driver_only(&d, CATALOG_ACT_READ_INDEX)->tag;
    ck_assert_uint_ne(round, old);
    answer(&d, old, CU_OK, 10);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_READ_READY), 0);
    answer(&d, round, CU_OK, 11);
    driver_apply(&d, 11, 2);
    ck_assert_uint_eq(driver_only(&d, CATALOG_ACT_READ_READY)->tag, 1);
    driver_free(&d);
}
END_TEST

START_TEST(a_read_whose_caller_left_is_forgotten)
{
    struct driver d = driver_new(false, 10);
    driver_connect(&d);
    driver_read(&d, 1, CATALOG_READ_DEFAULT, 1000);
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_READ_GONE, .tag = 1});
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_READ_INDEX), 0);
    struct catalog_replica_status status;
    catalog_replica_status(d.replica, &status);
    ck_assert_uint_eq(status.waiting_reads, 0);
    driver_free(&d);
}
END_TEST

START_TEST(one_read_more_than_can_wait_is_overloaded)
{
    struct driver d = driver_new(false, 10);
    for (uint64_t tag = 1; tag <= REPLICA_READS_MAX; tag++)
        driver_read(&d, tag, CATALOG_READ_DEFAULT, 5000);
    ck_assert_uint_eq(d.out.count, 0);
    driver_read(&d, REPLICA_READS_MAX + 1, CATALOG_READ_DEFAULT, 5000);
    ck_assert_int_eq(driver_only(&d, CATALOG_ACT_READ_FAILED)->err, CU_E_OVERLOADED);
    driver_free(&d);
}
END_TEST

SUITE_MAIN("services/catalogd/core/replica_read",
           reads_of_one_turn_share_a_round_and_later_ones_wait_for_the_next_contracts_3_7,
           a_state_of_older_terms_answers_no_read_contracts_3_10, modes_have_rounds_of_their_own,
           waits_until_the_index_is_applied_consensus_9,
           a_missing_leader_is_asked_again_until_the_deadline,
           a_server_that_lags_past_the_deadline_is_not_ready,
           a_lost_connection_asks_again_and_the_old_answer_is_not_taken,
           a_new_term_asks_again_though_the_old_leader_never_answered,
           a_read_whose_caller_left_is_forgotten, one_read_more_than_can_wait_is_overloaded)
