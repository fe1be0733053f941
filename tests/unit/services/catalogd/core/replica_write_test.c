#include "services/catalogd/core/replica.h"

#include "services/catalogd/core/replica_state.h"
#include "tests/lib/suite.h"
#include "tests/unit/services/catalogd/replica_driver.h"

START_TEST(proposes_nothing_before_its_open_was_seen_applied_contracts_3_3)
{
    struct driver d = driver_new(false, 8);
    driver_connect(&d);
    ck_assert_uint_eq(driver_only(&d, CATALOG_ACT_OPEN)->applied_index, 8);
    driver_write(&d, 1, 5000);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_PROPOSE), 0);
    driver_outcome(&d, CATALOG_OPENED, 0);
    const struct catalog_action *propose = driver_only(&d, CATALOG_ACT_PROPOSE);
    ck_assert_uint_eq(propose->tag, 1);
    ck_assert_uint_eq(propose->seq, 1);
    driver_free(&d);
}
END_TEST

START_TEST(a_refused_open_is_made_anew_under_another_id_contracts_3_3)
{
    struct driver d = driver_new(false, 8);
    driver_connect(&d);
    struct catalog_id first = d.proposer;
    driver_outcome(&d, CATALOG_OPEN_REFUSED, 0);
    (void)driver_only(&d, CATALOG_ACT_OPEN);
    ck_assert_mem_ne(&first, &d.proposer, sizeof(first));
    driver_free(&d);
}
END_TEST

START_TEST(answers_from_the_first_copy_on_the_own_feed_contracts_3_3)
{
    struct driver d = driver_new(false, 0);
    driver_open(&d);
    driver_write(&d, 77, 5000);
    driver_outcome(&d, CATALOG_APPLIED, 1);
    const struct catalog_action *done = driver_only(&d, CATALOG_ACT_WRITE_DONE);
    ck_assert_uint_eq(done->tag, 77);
    ck_assert_int_eq(done->err, CU_OK);
    ck_assert_ptr_nonnull(done->outcome.result);
    driver_outcome(&d, CATALOG_SEEN, 1); /* its second copy */
    ck_assert_uint_eq(d.out.count, 0);
    driver_free(&d);
}
END_TEST

START_TEST(at_most_2048_seqs_are_open_and_the_next_one_waits_contracts_3_3)
{
    struct driver d = driver_new(false, 0);
    driver_open(&d);
    for (uint64_t tag = 1; tag <= CATALOG_OPEN_SEQS_MAX; tag++) {
        driver_write(&d, tag, 5000);
        ck_assert_uint_eq(driver_only(&d, CATALOG_ACT_PROPOSE)->seq, tag);
    }
    driver_write(&d, CATALOG_OPEN_SEQS_MAX + 1, 5000);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_PROPOSE), 0);
    driver_outcome(&d, CATALOG_APPLIED, 2); /* not the oldest */
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_PROPOSE), 0);
    driver_outcome(&d, CATALOG_APPLIED, 1);
    ck_assert_uint_eq(driver_only(&d, CATALOG_ACT_PROPOSE)->seq, CATALOG_OPEN_SEQS_MAX + 1);
    driver_free(&d);
}
END_TEST

START_TEST(one_write_more_than_can_wait_is_overloaded)
{
    struct driver d = driver_new(false, 0);
    for (uint64_t tag = 1; tag <= REPLICA_WRITES_MAX; tag++) {
        driver_write(&d, tag, 5000);
        ck_assert_uint_eq(d.out.count, 0);
    }
    driver_write(&d, REPLICA_WRITES_MAX + 1, 5000);
    ck_assert_int_eq(driver_only(&d, CATALOG_ACT_WRITE_DONE)->err, CU_E_OVERLOADED);
    driver_free(&d);
}
END_TEST

/* What leads to the same name once more (consensus 15). */
enum again { LOST, NO_LEADER, DISCONNECTED, NEWER_TERM, RECONNECTED, AGAIN_COUNT };

static void go_wrong(struct driver *d, enum again how)
{
    switch (how) {
    case LOST:
        driver_lose(d, 1);
        break;
    case NO_LEADER:
        driver_refuse(d, 1, CU_E_NO_LEADER);
        break;
    case DISCONNECTED:
        driver_refuse(d, 1, CU_E_DISCONNECTED);
        break;
    case NEWER_TERM:
        driver_follow(d, 3, 9);
        break;
    case RECONNECTED:
        driver_step(d, (struct catalog_event){.kind = CATALOG_EV_DISCONNECTED});
        driver_connect(d);
        break;
    case AGAIN_COUNT:
        break;
    }
}

START_TEST(repeats_under_the_same_name_consensus_15)
{
    for (int how = 0; how < AGAIN_COUNT; how++) {
        struct driver d = driver_new(false, 0);
        driver_open(&d);
        struct catalog_id name = d.proposer;
        driver_write(&d, 5, 5000);
        go_wrong(&d, (enum again)how);
        if (driver_count(&d, CATALOG_ACT_PROPOSE) == 0)
            driver_tick_after(&d, 300); /* after a pause */
        const struct catalog_action *propose = driver_only(&d, CATALOG_ACT_PROPOSE);
        ck_assert_uint_eq(propose->seq, 1);
        ck_assert_mem_eq(&propose->proposer, &name, sizeof(name));
        driver_free(&d);
    }
}
END_TEST

/* How a write ends at its deadline, by what became of its copies (consensus 14, 15). */
START_TEST(ends_unknown_only_where_a_copy_may_lie_in_a_log)
{
    static const enum cu_err ends[AGAIN_COUNT] = {
        [LOST] = CU_E_UNKNOWN,         [NO_LEADER] = CU_E_UNKNOWN, /* the second copy, on its way */
        [DISCONNECTED] = CU_E_UNKNOWN, [NEWER_TERM] = CU_E_UNKNOWN, [RECONNECTED] = CU_E_UNKNOWN,
    };
    for (int how = 0; how < AGAIN_COUNT; how++) {
        struct driver d = driver_new(false, 0);
        driver_open(&d);
        driver_write(&d, 5, 1000);
        go_wrong(&d, (enum again)how);
        driver_tick_after(&d, 500);
        driver_tick_after(&d, 500);
        ck_assert_int_eq(driver_only(&d, CATALOG_ACT_WRITE_DONE)->err, ends[how]);
        driver_free(&d);
    }
}
END_TEST

START_TEST(a_write_that_never_left_ends_without_a_leader)
{
    struct driver d = driver_new(false, 0);
    driver_write(&d, 5, 1000);
    driver_tick_after(&d, 1000);
    ck_assert_int_eq(driver_only(&d, CATALOG_ACT_WRITE_DONE)->err, CU_E_NO_LEADER);
    driver_free(&d);
}
END_TEST

START_TEST(every_copy_refused_for_want_of_a_leader_is_no_leader_not_unknown)
{
    struct driver d = driver_new(false, 0);
    driver_open(&d);
    driver_write(&d, 5, 1000);
    for (int i = 0; i < 3; i++) {
        driver_refuse(&d, 1, CU_E_NO_LEADER);
        driver_tick_after(&d, 320);
        ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_PROPOSE), 1);
    }
    driver_refuse(&d, 1, CU_E_NO_LEADER);
    d.now_ms += 1000;
    driver_tick_after(&d, 0);
    ck_assert_int_eq(driver_only(&d, CATALOG_ACT_WRITE_DONE)->err, CU_E_NO_LEADER);
    driver_free(&d);
}
END_TEST

START_TEST(a_refusal_that_a_new_try_cannot_help_is_the_answer)
{
    static const enum cu_err final[] = {CU_E_TOO_LARGE, CU_E_CONFLICT, CU_E_OVERLOADED,
                                        CU_E_INVALID};
    for (size_t i = 0; i < CU_COUNT(final); i++) {
        struct driver d = driver_new(false, 0);
        driver_open(&d);
        driver_write(&d, 5, 1000);
        driver_refuse(&d, 1, final[i]);
        ck_assert_int_eq(driver_only(&d, CATALOG_ACT_WRITE_DONE)->err, final[i]);
        driver_free(&d);
    }
}
END_TEST

START_TEST(retry_takes_a_new_seq_eight_times_and_is_then_overloaded_contracts_3_4)
{
    struct driver d = driver_new(false, 0);
    driver_open(&d);
    driver_write(&d, 5, 5000);
    for (uint64_t seq = 1; seq <= REPLICA_RETRIES_MAX; seq++) {
        driver_outcome(&d, CATALOG_RETRY, seq);
        ck_assert_uint_eq(driver_only(&d, CATALOG_ACT_PROPOSE)->seq, seq + 1);
    }
    driver_outcome(&d, CATALOG_RETRY, REPLICA_RETRIES_MAX + 1);
    ck_assert_int_eq(driver_only(&d, CATALOG_ACT_WRITE_DONE)->err, CU_E_OVERLOADED);
    driver_free(&d);
}
END_TEST

START_TEST(what_the_edge_makes_anew_ends_with_the_first_retry_contracts_3_4)
{
    struct driver d = driver_new(false, 0);
    driver_open(&d);
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_WRITE,
                                           .tag = 5,
                                           .deadline = driver_deadline(&d, 5000),
                                           .ends_on_retry = true});
    driver_outcome(&d, CATALOG_RETRY, 1);
    ck_assert_int_eq(driver_only(&d, CATALOG_ACT_WRITE_DONE)->err, CU_E_RETRY);
    driver_free(&d);
}
END_TEST

START_TEST(a_dropped_proposer_proposes_all_that_is_open_under_a_new_one)
{
    struct driver d = driver_new(false, 0);
    driver_open(&d);
    struct catalog_id old = d.proposer;
    driver_write(&d, 1, 5000);
    driver_write(&d, 2, 5000);
    driver_outcome(&d, CATALOG_DROPPED, 1);
    (void)driver_only(&d, CATALOG_ACT_OPEN);
    ck_assert_mem_ne(&old, &d.proposer, sizeof(old));
    driver_outcome(&d, CATALOG_OPENED, 0);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_PROPOSE), 2);
    ck_assert_uint_eq(d.out.items[0].seq, 1);
    ck_assert_uint_eq(d.out.items[0].tag, 1);
    driver_free(&d);
}
END_TEST

START_TEST(a_pull_that_may_have_skipped_a_result_makes_it_unknown_contracts_3_3)
{
    struct driver d = driver_new(false, 0);
    driver_open(&d);
    driver_write(&d, 1, 5000);
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_FOLLOWED,
                                           .followed.outcome = CATALOG_COMPACTED});
    driver_write(&d, 2, 5000); /* waits: nothing is proposed during a pull */
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_PROPOSE), 0);
    driver_step(
        &d, (struct catalog_event){.kind = CATALOG_EV_PULLED, .position = driver_at(&d, 50, 3)});
    const struct catalog_action *done = driver_only(&d, CATALOG_ACT_WRITE_DONE);
    ck_assert_uint_eq(done->tag, 1);
    ck_assert_int_eq(done->err, CU_E_UNKNOWN);
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_ATTACHED});
    (void)driver_only(&d, CATALOG_ACT_OPEN);
    driver_outcome(&d, CATALOG_OPENED, 0);
    ck_assert_uint_eq(driver_only(&d, CATALOG_ACT_PROPOSE)->tag, 2);
    driver_free(&d);
}
END_TEST

START_TEST(a_write_whose_caller_left_is_not_proposed_but_one_under_way_is_seen_through)
{
    struct driver d = driver_new(false, 0);
    driver_write(&d, 1, 5000);
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_WRITE_GONE, .tag = 1});
    (void)driver_only(&d, CATALOG_ACT_WRITE_DONE);
    driver_open(&d);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_PROPOSE), 0);
    driver_write(&d, 2, 5000);
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_WRITE_GONE, .tag = 2});
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_WRITE_DONE), 0);
    driver_outcome(&d, CATALOG_APPLIED, 1);
    ck_assert_uint_eq(driver_only(&d, CATALOG_ACT_WRITE_DONE)->tag, 2);
    driver_free(&d);
}
END_TEST

START_TEST(outcomes_of_another_proposer_are_not_ours)
{
    struct driver d = driver_new(false, 0);
    driver_open(&d);
    driver_write(&d, 1, 5000);
    d.proposer.bytes[0] ^= 1;
    driver_outcome(&d, CATALOG_APPLIED, 1);
    ck_assert_uint_eq(d.out.count, 0);
    driver_free(&d);
}
END_TEST

SUITE_MAIN("services/catalogd/core/replica_write",
           proposes_nothing_before_its_open_was_seen_applied_contracts_3_3,
           a_refused_open_is_made_anew_under_another_id_contracts_3_3,
           answers_from_the_first_copy_on_the_own_feed_contracts_3_3,
           at_most_2048_seqs_are_open_and_the_next_one_waits_contracts_3_3,
           one_write_more_than_can_wait_is_overloaded, repeats_under_the_same_name_consensus_15,
           ends_unknown_only_where_a_copy_may_lie_in_a_log,
           a_write_that_never_left_ends_without_a_leader,
           every_copy_refused_for_want_of_a_leader_is_no_leader_not_unknown,
           a_refusal_that_a_new_try_cannot_help_is_the_answer,
           retry_takes_a_new_seq_eight_times_and_is_then_overloaded_contracts_3_4,
           what_the_edge_makes_anew_ends_with_the_first_retry_contracts_3_4,
           a_dropped_proposer_proposes_all_that_is_open_under_a_new_one,
           a_pull_that_may_have_skipped_a_result_makes_it_unknown_contracts_3_3,
           a_write_whose_caller_left_is_not_proposed_but_one_under_way_is_seen_through,
           outcomes_of_another_proposer_are_not_ours)
