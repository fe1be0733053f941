#include <unistd.h>

#include "services/catalogd/io/memtables.h"
#include "tests/unit/services/catalogd/folding_driver.h"

enum { TURNS_MAX = 200 };

START_TEST(a_fold_that_fails_is_tried_again_and_applying_goes_on_meanwhile)
{
    struct folding f;
    folding_begin(&f);
    lock_database(&f);
    submit_no_ops(&f, 10);
    settle(&f);
    fail_a_fold(&f);
    ck_assert_uint_eq(stored(&f), 0);
    submit_no_ops(&f, 10);
    while (applied(&f) < 20)
        cu_loop_turn(f.loop, true);
    ck_assert_uint_eq(f.folds, 0);
    catalog_sqlite_rollback(f.locker);
    wait_for_a_fold(&f);
    ck_assert_uint_eq(stored(&f), 10); /* what was rotated then */
    ck_assert_uint_eq(in_database(&f), 10);
    ck_assert_uint_eq(applied(&f), 20);
    ask_for_a_fold(&f);
    settle(&f);
    ck_assert_uint_eq(stored(&f), 20);
    ck_assert_uint_eq(in_database(&f), 20);
    folding_end(&f);
}
END_TEST

START_TEST(what_was_asked_for_while_a_fold_failed_is_folded_after_it)
{
    struct folding f;
    folding_begin(&f);
    lock_database(&f);
    submit_no_ops(&f, 10);
    settle(&f);
    fail_a_fold(&f);
    submit_no_ops(&f, 10);
    while (applied(&f) < 20)
        cu_loop_turn(f.loop, true);
    ask_for_a_fold(&f);
    catalog_sqlite_rollback(f.locker);
    while (stored(&f) < 20)
        cu_loop_turn(f.loop, true);
    ck_assert_uint_eq(f.folds, 2);
    folding_end(&f);
}
END_TEST

START_TEST(a_fold_asked_for_while_one_is_under_way_with_all_of_it_comes_to_rest)
{
    struct folding f;
    folding_begin(&f);
    lock_database(&f);
    submit_no_ops(&f, 10);
    settle(&f);
    fail_a_fold(&f); /* will be tried again */
    ask_for_a_fold(&f);
    catalog_sqlite_rollback(f.locker);
    wait_for_a_fold(&f);
    ck_assert_uint_eq(stored(&f), 10);
    for (int turns = 0; !catalog_applier_is_idle(f.applier); turns++) {
        ck_assert_int_lt(turns, TURNS_MAX);
        cu_loop_turn(f.loop, true);
    }
    ck_assert_uint_eq(f.folds, 1);
    submit_no_ops(&f, 10); /* nobody asked to fold these */
    settle(&f);
    ck_assert_uint_eq(stored(&f), 10);
    folding_end(&f);
}
END_TEST

static void apply_set(struct folding *f, uint64_t seq)
{
    unsigned before = f->commits;
    submit_set(f, seq);
    while (f->commits == before)
        cu_loop_turn(f->loop, true);
}

START_TEST(nothing_more_is_applied_while_too_much_waits_to_be_folded)
{
    struct folding f;
    folding_begin(&f);
    const struct catalog_memtables *m = catalog_applier_memtables(f.applier);
    lock_database(&f);
    submit_open(&f);
    settle(&f);
    for (uint64_t seq = 1; catalog_memtables_bytes(m) < CATALOG_MEMTABLE_BYTES_MAX; seq++)
        apply_set(&f, seq); /* the first of them are rotated, but not folded */
    uint64_t reached = applied(&f);
    ck_assert_uint_ge(reached, (CATALOG_MEMTABLE_FOLD_BYTES + CATALOG_MEMTABLE_BYTES_MAX) /
                                   (FOLDING_VALUE_BYTES + FOLDING_VALUE_BYTES / 10));
    submit_no_ops(&f, 1);
    unsigned failed = f.folds_failed;
    while (f.folds_failed < failed + 2) /* nor by a fold that fails */
        cu_loop_turn(f.loop, true);
    ck_assert_uint_eq(applied(&f), reached);
    catalog_sqlite_rollback(f.locker);
    while (applied(&f) == reached)
        cu_loop_turn(f.loop, true);
    ck_assert_uint_gt(stored(&f), 0);
    folding_end(&f);
}
END_TEST

static enum cu_err run_alone(void *arg, struct catalog_sqlite *db, struct cu_diag *diag)
{
    return cu_db_in_transaction(catalog_sqlite_db(db)) ? CU_E_CONFLICT : CU_OK;
}

static void ran_alone(void *arg, enum cu_err err, const struct cu_diag *diag)
{
    ck_assert_int_eq(err, CU_OK);
    ((struct folding *)arg)->alone++;
}

START_TEST(exclusive_jobs_and_folds_take_turns)
{
    enum { ROUNDS = 30 };
    struct folding f;
    folding_begin(&f);
    for (unsigned i = 1; i <= ROUNDS; i++) {
        submit_no_ops(&f, 3);
        ask_for_a_fold(&f); /* of what was applied until now */
        catalog_applier_exclusive(f.applier, run_alone, ran_alone, &f);
        while (f.alone < i)
            cu_loop_turn(f.loop, true);
    }
    settle(&f);
    ask_for_a_fold(&f);
    settle(&f);
    ck_assert_uint_eq(applied(&f), 3 * ROUNDS);
    ck_assert_uint_eq(stored(&f), 3 * ROUNDS);
    folding_end(&f);
}
END_TEST

START_TEST(an_exclusive_job_waits_for_the_fold_under_way)
{
    struct folding f;
    folding_begin(&f);
    submit_no_ops(&f, 10);
    settle(&f);
    lock_database(&f); /* the fold takes until it gives up waiting */
    ask_for_a_fold(&f);
    catalog_applier_exclusive(f.applier, run_alone, ran_alone, &f);
    while (f.alone == 0)
        cu_loop_turn(f.loop, true);
    ck_assert_uint_eq(f.folds_failed, 1);
    catalog_sqlite_rollback(f.locker);
    wait_for_a_fold(&f);
    ck_assert_uint_eq(stored(&f), 10);
    folding_end(&f);
}
END_TEST

struct slow {
    struct folding *f;
    int pipe[2];
    bool is_due, is_done;
};

static enum cu_err run_slowly(void *arg, struct catalog_sqlite *db, struct cu_diag *diag)
{
    struct slow *slow = arg;
    char byte;
    (void)db, (void)diag;
    return read(slow->pipe[0], &byte, 1) == 1 ? CU_OK : CU_E_IO; /* until it may end */
}

static void ran_slowly(void *arg, enum cu_err err, const struct cu_diag *diag)
{
    struct slow *slow = arg;
    ck_assert_int_eq(err, CU_OK);
    ck_assert_uint_eq(slow->f->folds, 0);
    slow->is_done = true;
}

static void due(void *arg)
{
    ((struct slow *)arg)->is_due = true;
}

START_TEST(a_fold_is_not_tried_again_while_an_exclusive_job_runs)
{
    struct folding f;
    struct slow slow = {.f = &f};
    struct cu_timer timer;
    folding_begin(&f);
    ck_assert_int_eq(pipe(slow.pipe), 0);
    cu_timer_init(&timer, f.loop, due, &slow);
    lock_database(&f);
    submit_no_ops(&f, 10);
    settle(&f);
    fail_a_fold(&f);
    catalog_applier_exclusive(f.applier, run_slowly, ran_slowly, &slow);
    catalog_sqlite_rollback(f.locker);
    cu_timer_set_ms(&timer, 2 * CATALOG_FOLD_AGAIN_MS); /* when it would have been */
    while (!slow.is_due)
        cu_loop_turn(f.loop, true);
    ck_assert_uint_eq(f.folds + f.folds_failed, 1);
    ck_assert_int_eq(write(slow.pipe[1], "", 1), 1);
    while (!slow.is_done)
        cu_loop_turn(f.loop, true);
    wait_for_a_fold(&f);
    ck_assert_uint_eq(stored(&f), 10);
    cu_timer_close(&timer);
    (void)close(slow.pipe[0]);
    (void)close(slow.pipe[1]);
    folding_end(&f);
}
END_TEST

SUITE_MAIN("services/catalogd/io/applier_again",
           a_fold_that_fails_is_tried_again_and_applying_goes_on_meanwhile,
           what_was_asked_for_while_a_fold_failed_is_folded_after_it,
           a_fold_asked_for_while_one_is_under_way_with_all_of_it_comes_to_rest,
           nothing_more_is_applied_while_too_much_waits_to_be_folded,
           exclusive_jobs_and_folds_take_turns, an_exclusive_job_waits_for_the_fold_under_way,
           a_fold_is_not_tried_again_while_an_exclusive_job_runs)
