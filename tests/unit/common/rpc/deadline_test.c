#include "common/rpc/deadline.h"

#include <stdlib.h>

#include "common/base/random.h"
#include "tests/lib/suite.h"

struct fixture {
    struct cu_loop *loop;
    struct cu_deadlines all;
    unsigned fired;
    struct cu_mono last;
};

struct item {
    struct cu_deadline deadline;
    struct fixture *fixture;
    unsigned fired;
};

static void fire(void *arg)
{
    struct item *item = arg;
    item->fired++;
    item->fixture->fired++;
    ck_assert(!cu_mono_before(cu_mono_now(), item->deadline.at));       /* never early */
    ck_assert(!cu_mono_before(item->deadline.at, item->fixture->last)); /* in order */
    item->fixture->last = item->deadline.at;
}

static void set(struct item *item, struct fixture *f, struct cu_mono at)
{
    item->fixture = f;
    item->deadline = (struct cu_deadline){.at = at, .fn = fire, .arg = item};
    cu_deadline_set(&f->all, &item->deadline);
}

START_TEST(fires_in_order_never_early_and_not_when_cleared)
{
    enum { COUNT = 1000 };
    struct fixture f = {.loop = cu_loop_new()};
    struct cu_random random = {suite_seed()};
    struct item *items = calloc(COUNT, sizeof *items);
    struct cu_mono now = cu_mono_now();
    unsigned cleared = 0;
    cu_deadlines_init(&f.all, f.loop);
    for (size_t i = 0; i < COUNT; i++)
        set(&items[i], &f, cu_mono_add_ms(now, 50 + cu_random_below(&random, 50)));
    for (size_t i = 0; i < COUNT; i += 3, cleared++)
        cu_deadline_clear(&f.all, &items[i].deadline);
    while (f.fired < COUNT - cleared)
        cu_loop_turn(f.loop, true);
    for (size_t i = 0; i < COUNT; i++)
        ck_assert_uint_eq(items[i].fired, i % 3 != 0);
    ck_assert_uint_eq(f.all.count, 0);
    cu_deadlines_deinit(&f.all);
    cu_loop_free(f.loop);
    free(items);
}
END_TEST

START_TEST(an_earlier_one_set_later_fires_first)
{
    struct fixture f = {.loop = cu_loop_new()};
    struct item late = {0}, early = {0};
    struct cu_mono now = cu_mono_now();
    cu_deadlines_init(&f.all, f.loop);
    set(&late, &f, cu_mono_add_ms(now, 10000));
    set(&early, &f, cu_mono_add_ms(now, 10));
    while (!early.fired)
        cu_loop_turn(f.loop, true);
    ck_assert_uint_eq(late.fired, 0);
    ck_assert_uint_lt(cu_mono_ms_between(now, cu_mono_now()), 5000);
    cu_deadlines_deinit(&f.all);
    cu_loop_free(f.loop);
}
END_TEST

SUITE_MAIN("common/rpc/deadline", fires_in_order_never_early_and_not_when_cleared,
           an_earlier_one_set_later_fires_first)
