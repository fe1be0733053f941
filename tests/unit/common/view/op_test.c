/* Waits: who shares one, who is woken, who is answered from a look; and answers that are encoded
 * aside (contracts 7.3 to 7.5). */
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"
#include "tests/lib/suite.h"
#include "tests/unit/common/view/fixture.h"

START_TEST(waits_share_one_upstream_wait_and_end_together_contracts_7_3)
{
    struct outcome a, b;
    open_view(1);
    up();
    read_as(&a, "k", 10, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    read_as(&b, "k", 10, LONG_MS, 2);
    fake_turn(loop);
    fake_turn(loop);
    ck_assert_uint_eq(fakes[0]->gets, 1);
    ck_assert_uint_eq(cu_view_wait_count(view), 1);
    ck_assert_uint_eq(cu_view_waiter_count(view), 2);
    fake_catalog_change(fakes[0], "w");
    FAKE_WAIT(loop, a.answers && b.answers);
    ck_assert_str_eq(a.body, "0w");
    ck_assert_str_eq(b.body, "2w");
    ck_assert_uint_eq(a.index, 11);
    ck_assert_uint_eq(cu_view_wait_count(view), 0);
    ck_assert_uint_eq(cu_view_waiter_count(view), 0);
    close_view();
}
END_TEST

START_TEST(who_joins_a_wait_whose_answer_is_on_its_way_misses_no_later_write_contracts_7_3)
{
    struct outcome before, late;
    open_view(1);
    up();
    read_as(&before, "k", 10, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    fake_catalog_change(fakes[0], "w");
    fake_catalog_change(fakes[0], "x"); /* acknowledged before the second reader comes */
    ck_assert_uint_eq(before.answers, 0);
    read_as(&late, "k", 10, LONG_MS, 0);
    FAKE_WAIT(loop, before.answers && late.answers);
    ck_assert_str_eq(before.body, "0w");
    ck_assert_str_eq(late.body, "0x");
    ck_assert_uint_eq(late.index, 12);
    close_view();
}
END_TEST

START_TEST(a_waiter_with_a_lower_index_is_answered_at_once_contracts_7_3)
{
    struct outcome hanging, low;
    open_view(1);
    up();
    read_as(&hanging, "k", 10, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    read_as(&low, "k", 3, LONG_MS, 0);
    FAKE_WAIT(loop, low.answers);
    ck_assert_uint_eq(low.index, 10);
    ck_assert_uint_eq(hanging.answers, 0);
    close_view();
}
END_TEST

START_TEST(waits_that_differ_in_their_index_share_one_upstream_wait_contracts_7_3)
{
    struct outcome equal, higher;
    open_view(1);
    up();
    fakes[0]->newest = 20;
    read_as(&equal, "k", 10, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    read_as(&higher, "k", 11, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->gets == 2); /* it looked once */
    for (int i = 0; i < 10; i++)
        fake_turn(loop);
    ck_assert_uint_eq(cu_view_wait_count(view), 1);
    ck_assert_uint_eq(fakes[0]->wait_count, 1);
    fake_catalog_change(fakes[0], "w"); /* 11 */
    FAKE_WAIT(loop, equal.answers);
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    ck_assert_uint_eq(fakes[0]->wait_index, 11);
    ck_assert_uint_eq(higher.answers, 0);
    fake_catalog_change(fakes[0], "x"); /* 12 */
    FAKE_WAIT(loop, higher.answers);
    ck_assert_str_eq(higher.body, "0x");
    close_view();
}
END_TEST

START_TEST(a_lower_waiter_that_must_hang_lowers_the_upstream_wait_contracts_7_3)
{
    struct outcome high, low;
    open_view(1);
    up();
    fakes[0]->newest = 20;
    read_as(&high, "k", 15, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    read_as(&low, "k", 10, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->gone == 1 && fakes[0]->wait_count == 1);
    ck_assert_uint_eq(fakes[0]->wait_index, 10);
    fake_catalog_change(fakes[0], "w"); /* 11 */
    FAKE_WAIT(loop, low.answers);
    ck_assert_uint_eq(low.index, 11);
    ck_assert_uint_eq(high.answers, 0);
    ck_assert_uint_eq(cu_view_wait_count(view), 1);
    close_view();
}
END_TEST

START_TEST(an_index_above_all_is_answered_with_the_true_one_contracts_7_5)
{
    struct outcome hanging, ahead, alone;
    open_view(1);
    up();
    read_as(&hanging, "k", 10, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    struct cu_mono start = cu_mono_now();
    read_as(&ahead, "k", 999, LONG_MS, 0);
    FAKE_WAIT(loop, ahead.answers);
    ck_assert_uint_eq(ahead.index, 10);
    ck_assert_uint_ge(cu_mono_ms_between(start, cu_mono_now()), CU_VIEW_AHEAD_MS);
    ck_assert_uint_eq(hanging.answers, 0);
    read_as(&alone, "other", 999, LONG_MS, 0); /* the catalogd has waited for it */
    FAKE_WAIT(loop, alone.answers);
    ck_assert_uint_eq(alone.index, 10);
    close_view();
}
END_TEST

START_TEST(an_index_that_the_state_reaches_in_time_hangs_as_usual_contracts_7_5)
{
    struct outcome hanging, ahead;
    open_view(1);
    up();
    read_as(&hanging, "k", 10, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    read_as(&ahead, "k", 11, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->gets == 2);
    fakes[0]->newest = 11;                /* of another key */
    FAKE_WAIT(loop, fakes[0]->gets == 3); /* it looked again */
    for (int i = 0; i < 10; i++)
        fake_turn(loop);
    ck_assert_uint_eq(ahead.answers, 0);
    fake_catalog_change(fakes[0], "w"); /* 11 */
    FAKE_WAIT(loop, hanging.answers);
    fake_catalog_change(fakes[0], "x"); /* 12 */
    FAKE_WAIT(loop, ahead.answers);
    ck_assert_uint_eq(ahead.index, 12);
    close_view();
}
END_TEST

/* Many readers with any indexes, and changes between them: nobody sleeps over one. */
START_TEST(whoever_waits_is_woken_by_the_first_change_above_its_index)
{
    enum { READERS = 40, CHANGES = 60 };
    static struct outcome readers[READERS];
    struct cu_random random = {suite_seed()};
    open_view(1);
    up();
    fakes[0]->newest = 1000;
    for (int change = 0; change < CHANGES; change++) {
        for (int i = 0; i < READERS; i++) {
            if (readers[i].answers) {
                ck_assert_uint_gt(readers[i].index, readers[i].read.index);
                readers[i].answers = 0;
                readers[i].read.method = NULL;
            }
            if (!readers[i].read.method && cu_random_below(&random, 3) == 0)
                read_as(&readers[i], "k", fakes[0]->index - 2 + cu_random_below(&random, 5),
                        LONG_MS, 0);
        }
        if (cu_random_below(&random, 2))
            fake_turn(loop);
        fake_catalog_change(fakes[0], "w");
        if (cu_random_below(&random, 2))
            fake_turn(loop);
    }
    for (int i = 0; i < READERS; i++)
        if (readers[i].read.method && readers[i].read.index < fakes[0]->index)
            FAKE_WAIT(loop, readers[i].answers);
    ck_assert_uint_le(cu_view_wait_count(view), 1);
    close_view();
}
END_TEST

START_TEST(the_last_waiter_that_leaves_cancels_upstream_contracts_7_3)
{
    struct outcome a, b;
    open_view(1);
    up();
    read_as(&a, "k", 10, LONG_MS, 0);
    read_as(&b, "k", 10, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    cu_view_cancel(&a.read);
    fake_turn(loop);
    ck_assert_uint_eq(fakes[0]->gone, 0);
    cu_view_cancel(&b.read);
    FAKE_WAIT(loop, fakes[0]->gone == 1);
    ck_assert_uint_eq(a.answers + b.answers, 0);
    cu_view_cancel(&b.read); /* does nothing */
    close_view();
}
END_TEST

START_TEST(a_wait_that_ends_without_a_change_answers_what_is_there)
{
    struct outcome o;
    open_view(1);
    up();
    read_as(&o, "k", 10, 50, 0);
    FAKE_WAIT(loop, o.answers);
    ck_assert_int_eq(o.err, CU_OK);
    ck_assert_str_eq(o.body, "0v");
    ck_assert_uint_eq(o.index, 10);
    FAKE_WAIT(loop, fakes[0]->gone == 1);
    close_view();
}
END_TEST

static struct outcome second;

static void read_again(void *arg, const struct cu_view_answer *answer)
{
    note(arg, answer);
    cu_view_cancel(&second.read); /* of the same upstream wait: not told yet */
}

START_TEST(a_reader_that_is_told_may_cancel_another_of_the_same_wait)
{
    struct outcome first;
    open_view(1);
    up();
    read_as(&second, "k", 10, LONG_MS, 0);
    read_as(&first, "k", 10, LONG_MS, 0); /* told first: the last to come */
    first.read.done = read_again;
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    fake_catalog_change(fakes[0], "w");
    FAKE_WAIT(loop, first.answers);
    ck_assert_uint_eq(second.answers, 0);
    close_view();
}
END_TEST

/* ---- large answers ---- */

enum { LARGE_BYTES = 200 * 1000 };

static void write_large(char c)
{
    char *large = malloc(LARGE_BYTES + 1);
    ck_assert_ptr_nonnull(large);
    memset(large, c, LARGE_BYTES);
    large[LARGE_BYTES] = 0;
    fake_catalog_change(fakes[0], large);
    free(large);
}

START_TEST(a_large_answer_is_encoded_on_a_worker_and_kept)
{
    struct outcome large, again, small;
    open_view(1);
    up();
    write_large('x');
    read_key(&large, "k");
    FAKE_WAIT(loop, large.answers);
    ck_assert_uint_eq(large.len, LARGE_BYTES + 1);
    ck_assert(!pthread_equal(encoded_by, pthread_self()));
    read_key(&again, "k");
    FAKE_WAIT(loop, again.answers);
    ck_assert_uint_eq(fakes[0]->unchanged, 1);
    ck_assert_uint_eq(again.len, large.len);
    fake_catalog_change(fakes[0], "small");
    read_key(&small, "k");
    FAKE_WAIT(loop, small.answers);
    ck_assert(pthread_equal(encoded_by, pthread_self()));
    close_view();
}
END_TEST

START_TEST(a_wait_that_ends_with_a_large_answer_is_told_it_with_its_index)
{
    struct outcome wait, other;
    open_view(1);
    up();
    read_as(&wait, "k", 10, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    write_large('y');
    FAKE_WAIT(loop, fakes[0]->wait_count == 0);
    cu_loop_turn(loop, true); /* it is on its way, or being encoded */
    read_as(&other, "k", 10, LONG_MS, 2);
    FAKE_WAIT(loop, wait.answers && other.answers);
    ck_assert_int_eq(wait.body[1], 'y');
    ck_assert_uint_eq(wait.index, 11);
    ck_assert_int_eq(other.body[0], '2'); /* another format, and its own index */
    ck_assert_uint_eq(other.index, 11);
    close_view();
}
END_TEST

START_TEST(who_leaves_while_it_is_being_encoded_is_told_nothing)
{
    struct outcome o;
    open_view(1);
    up();
    write_large('z');
    for (int turns = 0; turns < 12; turns++) { /* at each moment of its way */
        read_key(&o, "k");
        for (int i = 0; i < turns && !o.answers; i++)
            cu_loop_turn(loop, false);
        cu_view_cancel(&o.read);
        unsigned before = o.answers;
        for (int i = 0; i < 5; i++)
            fake_turn(loop);
        ck_assert_uint_eq(o.answers, before);
        write_large((char)(97 + turns)); /* nothing kept holds any more */
    }
    read_key(&o, "k");
    cu_loop_turn(loop, false);
    close_view(); /* with one under way */
}
END_TEST

SUITE_MAIN("common/view/op", waits_share_one_upstream_wait_and_end_together_contracts_7_3,
           who_joins_a_wait_whose_answer_is_on_its_way_misses_no_later_write_contracts_7_3,
           a_waiter_with_a_lower_index_is_answered_at_once_contracts_7_3,
           waits_that_differ_in_their_index_share_one_upstream_wait_contracts_7_3,
           a_lower_waiter_that_must_hang_lowers_the_upstream_wait_contracts_7_3,
           an_index_above_all_is_answered_with_the_true_one_contracts_7_5,
           an_index_that_the_state_reaches_in_time_hangs_as_usual_contracts_7_5,
           whoever_waits_is_woken_by_the_first_change_above_its_index,
           the_last_waiter_that_leaves_cancels_upstream_contracts_7_3,
           a_wait_that_ends_without_a_change_answers_what_is_there,
           a_reader_that_is_told_may_cancel_another_of_the_same_wait,
           a_large_answer_is_encoded_on_a_worker_and_kept,
           a_wait_that_ends_with_a_large_answer_is_told_it_with_its_index,
           who_leaves_while_it_is_being_encoded_is_told_nothing)
