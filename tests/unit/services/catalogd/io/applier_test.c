#include "services/catalogd/io/applier.h"

#include "tests/unit/services/catalogd/folding_driver.h"

static void end(struct folding *f)
{
    folding_end(f); /* folds what is left */
    ck_assert_uint_eq(f->folds_failed, 0);
}

START_TEST(what_waited_during_a_commit_is_one_transaction_contracts_6_7)
{
    struct folding f;
    folding_begin(&f);
    submit_no_ops(&f, 10); /* under way at once */
    submit_no_ops(&f, 10);
    submit_no_ops(&f, 10);
    settle(&f);
    ck_assert_uint_eq(f.commits, 2);
    ck_assert_uint_eq(f.entries, 30);
    ck_assert_uint_eq(applied(&f), 30);
    end(&f);
}
END_TEST

START_TEST(what_is_opened_again_stands_where_it_was_committed)
{
    struct folding f;
    folding_begin(&f);
    submit_no_ops(&f, 10);
    settle(&f);
    struct cu_u128 hash = catalog_applier_facts(f.applier)->hash;
    catalog_applier_free(f.applier);
    folding_open(&f);
    ck_assert_uint_eq(applied(&f), 10);
    ck_assert_mem_eq(&hash, &catalog_applier_facts(f.applier)->hash, sizeof(hash));
    end(&f);
}
END_TEST

START_TEST(an_entry_of_a_higher_level_stops_it_behind_all_before_contracts_6_6)
{
    struct folding f;
    folding_begin(&f);
    f.may_stop = true;
    submit_no_ops(&f, 5);
    submit_of_level(&f, 3, CATALOG_LEVEL + 1);
    settle(&f);
    ck_assert_int_eq(f.commit_err, CU_E_NOT_READY);
    ck_assert_uint_eq(applied(&f), 5);
    submit_no_ops(&f, 1); /* thrown away */
    settle(&f);
    ck_assert_uint_eq(applied(&f), 5);
    end(&f);
}
END_TEST

static enum cu_err run_alone(void *arg, struct catalog_sqlite *db, struct cu_diag *diag)
{
    return cu_db_in_transaction(catalog_sqlite_db(db)) ? CU_E_CONFLICT : CU_OK;
}

static void ran_alone(void *arg, enum cu_err err, const struct cu_diag *diag)
{
    struct folding *f = arg;
    ck_assert_int_eq(err, CU_OK);
    f->alone++;
}

START_TEST(an_exclusive_job_runs_between_two_commits)
{
    struct folding f;
    folding_begin(&f);
    submit_no_ops(&f, 10);
    catalog_applier_exclusive(f.applier, run_alone, ran_alone, &f);
    submit_no_ops(&f, 10);
    while (f.alone == 0)
        cu_loop_turn(f.loop, true);
    settle(&f);
    ck_assert_uint_eq(applied(&f), 20);
    end(&f);
}
END_TEST

START_TEST(freeing_it_waits_for_the_commit_under_way)
{
    struct folding f;
    folding_begin(&f);
    submit_no_ops(&f, 10);
    submit_no_ops(&f, 10);
    catalog_applier_free(f.applier);
    ck_assert_uint_eq(f.entries, 10); /* the rest comes again from the log */
    f.applier = NULL;
    end(&f);
}
END_TEST

START_TEST(keeps_the_hash_at_round_indexes_wherever_a_commit_ends_contracts_6_1)
{
    struct folding f;
    struct catalog_mark list[CATALOG_MARKS_MAX], now = {0};
    folding_begin(&f);
    submit_no_ops(&f, 70);
    submit_no_ops(&f, 60);
    settle(&f);
    size_t count = catalog_marks_list(catalog_applier_marks(f.applier), &now, list);
    ck_assert_uint_eq(count, 2);
    ck_assert_uint_eq(list[0].index, 128);
    ck_assert_uint_eq(list[1].index, 64);
    catalog_applier_free(f.applier);
    folding_open(&f); /* what was in its place before may have been another state */
    ck_assert_uint_eq(catalog_marks_list(catalog_applier_marks(f.applier), &now, list), 0);
    end(&f);
}
END_TEST

SUITE_MAIN("services/catalogd/io/applier",
           keeps_the_hash_at_round_indexes_wherever_a_commit_ends_contracts_6_1,
           what_waited_during_a_commit_is_one_transaction_contracts_6_7,
           what_is_opened_again_stands_where_it_was_committed,
           an_entry_of_a_higher_level_stops_it_behind_all_before_contracts_6_6,
           an_exclusive_job_runs_between_two_commits, freeing_it_waits_for_the_commit_under_way)
