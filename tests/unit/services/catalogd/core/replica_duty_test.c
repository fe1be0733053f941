#include "services/catalogd/core/replica.h"

#include "tests/lib/suite.h"
#include "tests/unit/services/catalogd/replica_driver.h"

static const struct catalog_id ticket = {{1, 2, 3}}, other = {{4, 5, 6}};

static void grant(struct driver *d, bool on, uint64_t noop, struct catalog_id by)
{
    driver_step(
        d, (struct catalog_event){.kind = CATALOG_EV_DUTY,
                                  .duty = {.on = on, .term = 1, .noop_index = noop, .ticket = by}});
}

START_TEST(duty_begins_when_the_noop_of_the_term_is_applied_contracts_5_1)
{
    struct driver d = driver_new(false, 10);
    driver_connect(&d);
    (void)driver_only(&d, CATALOG_ACT_DUTY);
    grant(&d, true, 11, ticket);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_DUTY_BEGIN), 0);
    driver_apply(&d, 11, 1);
    const struct catalog_action *begin = driver_only(&d, CATALOG_ACT_DUTY_BEGIN);
    ck_assert_uint_eq(begin->term, 1);
    ck_assert_mem_eq(&begin->ticket, &ticket, sizeof(ticket));
    driver_free(&d);
}
END_TEST

/* A state that a recovered cluster has lost may be longer than the log that goes on. */
START_TEST(a_state_of_older_terms_begins_no_duty_contracts_3_10)
{
    struct driver d = driver_new(false, 10);
    driver_connect(&d);
    driver_step(&d, (struct catalog_event){
                        .kind = CATALOG_EV_DUTY,
                        .duty = {.on = true, .term = 2, .noop_index = 5, .ticket = ticket}});
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_DUTY_BEGIN), 0);
    driver_free(&d);
}
END_TEST

START_TEST(duty_ends_two_seconds_after_the_last_answered_poll_was_sent_contracts_5_1)
{
    struct driver d = driver_new(false, 10);
    driver_connect(&d);
    d.now_ms += 400; /* the poll was parked so long */
    grant(&d, true, 10, ticket);
    (void)driver_only(&d, CATALOG_ACT_DUTY_BEGIN);
    driver_tick_after(&d, 1599);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_DUTY_END), 0);
    driver_tick_after(&d, 1);
    (void)driver_only(&d, CATALOG_ACT_DUTY_END);
    driver_free(&d);
}
END_TEST

START_TEST(duty_ends_when_it_is_withdrawn_and_when_the_connection_is_lost)
{
    struct driver d = driver_new(false, 10);
    driver_connect(&d);
    grant(&d, true, 10, ticket);
    driver_tick_after(&d, 100);
    grant(&d, false, 0, other);
    (void)driver_only(&d, CATALOG_ACT_DUTY_END);
    driver_tick_after(&d, 100);
    grant(&d, true, 10, ticket);
    (void)driver_only(&d, CATALOG_ACT_DUTY_BEGIN);
    driver_step(&d, (struct catalog_event){.kind = CATALOG_EV_DISCONNECTED});
    (void)driver_only(&d, CATALOG_ACT_DUTY_END);
    driver_free(&d);
}
END_TEST

START_TEST(another_ticket_is_another_duty)
{
    struct driver d = driver_new(false, 10);
    driver_connect(&d);
    grant(&d, true, 10, ticket);
    driver_tick_after(&d, 100);
    grant(&d, true, 10, other);
    (void)driver_only(&d, CATALOG_ACT_DUTY_END);
    ck_assert_mem_eq(&driver_only(&d, CATALOG_ACT_DUTY_BEGIN)->ticket, &other, sizeof(other));
    driver_free(&d);
}
END_TEST

START_TEST(a_raftd_that_parks_no_poll_is_not_asked_in_a_loop)
{
    struct driver d = driver_new(false, 10);
    driver_connect(&d);
    grant(&d, false, 0, other);
    ck_assert_uint_eq(driver_count(&d, CATALOG_ACT_DUTY), 0);
    driver_tick_after(&d, 50);
    (void)driver_only(&d, CATALOG_ACT_DUTY);
    driver_free(&d);
}
END_TEST

SUITE_MAIN("services/catalogd/core/replica_duty",
           duty_begins_when_the_noop_of_the_term_is_applied_contracts_5_1,
           a_state_of_older_terms_begins_no_duty_contracts_3_10,
           duty_ends_two_seconds_after_the_last_answered_poll_was_sent_contracts_5_1,
           duty_ends_when_it_is_withdrawn_and_when_the_connection_is_lost,
           another_ticket_is_another_duty, a_raftd_that_parks_no_poll_is_not_asked_in_a_loop)
