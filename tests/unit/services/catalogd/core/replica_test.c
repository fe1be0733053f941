#include "services/catalogd/core/replica.h"

#include "tests/lib/suite.h"
#include "tests/unit/services/catalogd/replica_driver.h"

START_TEST(begins_every_connection_with_attach_and_then_follows_contracts_3_6)
{
    struct driver d = driver_new(false, 5);
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_CONNECTED});
    ck_assert_uint_eq(driver_only(&d, CATALOG_ACT_ATTACH)->durable.index, 5);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_FOLLOW), 0);
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_ATTACHED});
    ck_assert_uint_eq(driver_only(&d, CATALOG_ACT_FOLLOW)->after.index, 5);
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_DISCONNECTED});
    ck_assert_uint_eq(d.out.count, 0);
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_CONNECTED});
    (void)driver_only(&d, CATALOG_ACT_ATTACH);
    driver_free(&d);
}
END_TEST

START_TEST(attaches_again_after_a_refusal)
{
    struct driver d = driver_new(false, 0);
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_CONNECTED});
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_ATTACHED, .err = CU_E_NOT_READY});
    ck_assert_uint_eq(d.out.count, 0);
    ck_assert(cu_mono_before(driver_deadline(&d, 0), catalog_replica_next_deadline(d.replica)));
    driver_tick_after(&d, 200);
    (void)driver_only(&d, CATALOG_ACT_ATTACH);
    driver_free(&d);
}
END_TEST

START_TEST(the_cursor_moves_with_what_is_handed_over_not_with_what_is_applied)
{
    struct driver d = driver_new(false, 0);
    driver_connect(&d);
    driver_follow(&d, 3, 1);
    ck_assert_uint_eq(driver_only(&d, CATALOG_ACT_APPLY)->after.index, 3);
    ck_assert_uint_eq(driver_only(&d, CATALOG_ACT_FOLLOW)->after.index, 3);
    driver_follow(&d, 7, 1);
    ck_assert_uint_eq(driver_only(&d, CATALOG_ACT_FOLLOW)->after.index, 7);
    struct catalog_replica_status status;
    catalog_replica_status(d.replica, &status);
    ck_assert_uint_eq(status.applied.index, 0);
    ck_assert_uint_eq(status.known_commit, 7);
    driver_free(&d);
}
END_TEST

START_TEST(no_more_than_four_batches_wait_for_the_worker)
{
    struct driver d = driver_new(false, 0);
    driver_connect(&d);
    for (uint64_t last = 1; last <= 3; last++) {
        driver_follow(&d, last, 1);
        ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_FOLLOW), 1);
    }
    driver_follow(&d, 4, 1);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_FOLLOW), 0);
    driver_apply(&d, 2, 1); /* one commit for two batches */
    ck_assert_uint_eq(driver_only(&d, CATALOG_ACT_FOLLOW)->after.index, 4);
    driver_free(&d);
}
END_TEST

START_TEST(reports_only_what_a_checkpoint_made_durable_contracts_3_5)
{
    struct driver d = driver_new(false, 0);
    driver_connect(&d);
    driver_follow(&d, 9, 1);
    driver_apply(&d, 9, 1);
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_FOLLOWED});
    ck_assert_uint_eq(driver_only(&d, CATALOG_ACT_FOLLOW)->durable.index, 0);
    driver_step(
        &d, (struct catalog_event){.kind = CATALOG_EV_DURABLE, .position = driver_at(&d, 6, 1)});
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_FOLLOWED});
    ck_assert_uint_eq(driver_only(&d, CATALOG_ACT_FOLLOW)->durable.index, 6);
    driver_free(&d);
}
END_TEST

/* What a Follow that is no plain progress leads to (contracts 3.1). */
static const struct {
    const char *claim;
    enum catalog_follow outcome;
    bool is_own_lineage;
    enum catalog_action_kind leads_to;
    bool was_diverged;
} answers[] = {
    {"compacted: pull", CATALOG_COMPACTED, false, CATALOG_ACT_PULL, false},
    {"diverged in the own lineage: pull over", CATALOG_DIVERGED, true, CATALOG_ACT_PULL, true},
    {"an unrelated cluster: stop", CATALOG_DIVERGED, false, CATALOG_ACT_STOP, false},
};

START_TEST(compacted_and_diverged_pull_and_an_unrelated_cluster_stops_contracts_3_1)
{
    for (size_t i = 0; i < CU_COUNT(answers); i++) {
        struct driver d = driver_new(false, 5);
        struct catalog_id other = {{9}};
        driver_connect(&d);
        driver_step(&d,
                    (struct catalog_event){.kind = CATALOG_EV_FOLLOWED,
                                           .followed = {.outcome = answers[i].outcome,
                                                        .is_own_lineage = answers[i].is_own_lineage,
                                                        .cluster = other}});
        const struct catalog_action *act = driver_only(&d, answers[i].leads_to);
        ck_assert_msg(act->was_diverged == answers[i].was_diverged, "%s", answers[i].claim);
        if (act->kind == CATALOG_ACT_STOP) {
            ck_assert_mem_eq(&act->cluster, &d.cluster, sizeof(d.cluster));
            ck_assert_mem_eq(&act->other_cluster, &other, sizeof(other));
        }
        ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_FOLLOW), 0);
        driver_free(&d);
    }
}
END_TEST

START_TEST(attaches_anew_with_the_pulled_state_and_follows_behind_it_contracts_3_6)
{
    struct driver d = driver_new(false, 0);
    driver_connect(&d);
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_FOLLOWED,
                                           .followed.outcome = CATALOG_COMPACTED});
    driver_step(
        &d, (struct catalog_event){.kind = CATALOG_EV_PULLED, .position = driver_at(&d, 50, 3)});
    ck_assert_uint_eq(driver_only(&d, CATALOG_ACT_ATTACH)->durable.index, 50);
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_ATTACHED});
    const struct catalog_action *follow = driver_only(&d, CATALOG_ACT_FOLLOW);
    ck_assert_uint_eq(follow->after.index, 50);
    ck_assert_uint_eq(follow->durable.index, 50);
    driver_free(&d);
}
END_TEST

START_TEST(a_pull_that_failed_is_tried_again_as_raftd_then_says)
{
    struct driver d = driver_new(false, 0);
    driver_connect(&d);
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_FOLLOWED,
                                           .followed.outcome = CATALOG_COMPACTED});
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_PULLED, .err = CU_E_DISCONNECTED});
    ck_assert_uint_eq(d.out.count, 0);
    driver_tick_after(&d, 1000); /* its log may have been set aside meanwhile (3.10) */
    ck_assert_uint_eq(driver_only(&d, CATALOG_ACT_FOLLOW)->after.index, 0);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_PULL), 0);
    driver_step(&d, (struct catalog_event){
                        .kind = CATALOG_EV_FOLLOWED,
                        .followed = {.outcome = CATALOG_DIVERGED, .is_own_lineage = true}});
    ck_assert(driver_only(&d, CATALOG_ACT_PULL)->was_diverged);
    driver_free(&d);
}
END_TEST

START_TEST(an_answer_that_comes_after_the_connection_was_lost_means_nothing)
{
    struct driver d = driver_new(false, 0);
    driver_connect(&d);
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_DISCONNECTED});
    driver_follow(&d, 3, 1);
    ck_assert_uint_eq(d.out.count, 0);
    driver_free(&d);
}
END_TEST

START_TEST(a_stopped_replica_follows_no_more_and_refuses_contracts_6_6)
{
    struct driver d = driver_new(false, 0);
    driver_open(&d);
    driver_write(&d, 1, 5000);
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_STOPPED});
    ck_assert_int_eq(driver_only(&d, CATALOG_ACT_WRITE_DONE)->err, CU_E_UNKNOWN);
    driver_write(&d, 2, 5000);
    ck_assert_int_eq(driver_only(&d, CATALOG_ACT_WRITE_DONE)->err, CU_E_NOT_READY);
    driver_read(&d, 3, CATALOG_READ_DEFAULT, 5000);
    ck_assert_int_eq(driver_only(&d, CATALOG_ACT_READ_FAILED)->err, CU_E_NOT_READY);
    driver_follow(&d, 3, 1);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_APPLY), 0);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_FOLLOW), 0);
    driver_free(&d);
}
END_TEST

START_TEST(a_reader_attaches_and_follows_but_neither_proposes_nor_polls_for_duty_contracts_3_8)
{
    struct driver d = driver_new(true, 0);
    driver_connect(&d);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_FOLLOW), 1);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_OPEN), 0);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_DUTY), 0);
    driver_free(&d);
}
END_TEST

START_TEST(a_disowned_state_is_pulled_over_once_the_follow_under_way_has_ended_contracts_3_6)
{
    struct driver d = driver_new(false, 5);
    driver_connect(&d);
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_DISOWNED});
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_PULL), 0); /* its answer is for the old state */
    driver_follow(&d, 8, 1);
    ck_assert(driver_only(&d, CATALOG_ACT_PULL)->was_diverged); /* an older one does as well */
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_FOLLOW), 0);
    driver_apply(&d, 8, 1);
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_PULLED, .err = CU_E_DISCONNECTED});
    driver_tick_after(&d, 600);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_FOLLOW), 1); /* raftd may know better by now */
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_FOLLOWED});
    ck_assert(driver_only(&d, CATALOG_ACT_PULL)->was_diverged);
    driver_step(&d,
                (struct catalog_event){.kind = CATALOG_EV_PULLED, .position = driver_at(&d, 7, 1)});
    ck_assert_uint_eq(driver_only(&d, CATALOG_ACT_ATTACH)->durable.index, 7);
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_ATTACHED});
    ck_assert_uint_eq(driver_only(&d, CATALOG_ACT_FOLLOW)->after.index, 7);
    driver_free(&d);
}
END_TEST

SUITE_MAIN("services/catalogd/core/replica",
           a_disowned_state_is_pulled_over_once_the_follow_under_way_has_ended_contracts_3_6,
           begins_every_connection_with_attach_and_then_follows_contracts_3_6,
           attaches_again_after_a_refusal,
           the_cursor_moves_with_what_is_handed_over_not_with_what_is_applied,
           no_more_than_four_batches_wait_for_the_worker,
           reports_only_what_a_checkpoint_made_durable_contracts_3_5,
           compacted_and_diverged_pull_and_an_unrelated_cluster_stops_contracts_3_1,
           attaches_anew_with_the_pulled_state_and_follows_behind_it_contracts_3_6,
           a_pull_that_failed_is_tried_again_as_raftd_then_says,
           an_answer_that_comes_after_the_connection_was_lost_means_nothing,
           a_stopped_replica_follows_no_more_and_refuses_contracts_6_6,
           a_reader_attaches_and_follows_but_neither_proposes_nor_polls_for_duty_contracts_3_8)
