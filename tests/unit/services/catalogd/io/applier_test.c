#include "services/catalogd/io/applier.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/catalog_state.h"
#include "tests/lib/suite.h"

struct fixture {
    struct cu_loop *loop;
    struct catalog_crash *crash;
    struct catalog_applier *applier;
    char path[300];
    unsigned commits;
    size_t entries, outcomes;
    enum cu_err err;
    bool is_done; /* of an exclusive job */
};

static void on_commit(void *arg, const struct catalog_commit *commit)
{
    struct fixture *f = arg;
    f->commits++;
    f->entries += commit->entry_count;
    f->outcomes += commit->outcome_count;
    f->err = commit->err;
}

static void on_fold(void *arg, enum cu_err err, const char *text)
{
    ck_assert_msg(err == CU_OK, "%s", text);
}

static void open_applier(struct fixture *f)
{
    struct cu_diag diag = {0};
    enum cu_err err = catalog_applier_open(&(struct catalog_applier_options){.loop = f->loop,
                                                                             .path = f->path,
                                                                             .crash = f->crash,
                                                                             .on_commit = on_commit,
                                                                             .on_fold = on_fold,
                                                                             .arg = f},
                                           &f->applier, &diag);
    ck_assert_msg(err == CU_OK, "%s", diag.text);
}

static void begin(struct fixture *f)
{
    *f = (struct fixture){.loop = cu_loop_new()};
    (void)snprintf(f->path, sizeof(f->path), "%s/state.db", suite_tmpdir());
    ck_assert_int_eq(catalog_crash_open(suite_tmpdir(), &f->crash, NULL), CU_OK);
    open_applier(f);
}

static void end(struct fixture *f)
{
    catalog_applier_free(f->applier);
    catalog_crash_close(f->crash);
    cu_loop_free(f->loop);
}

/* One answer of Follow: no-ops, of the level given. */
static void submit(struct fixture *f, uint64_t first, uint64_t last, uint32_t level)
{
    struct cu_arena *arena = cu_arena_new(1024 * 1024);
    Curia__Internal__V1__FollowReply *reply = cu_arena_alloc(arena, sizeof(*reply));
    curia__internal__v1__follow_reply__init(reply);
    reply->n_entries = last - first + 1;
    reply->entries = cu_arena_alloc(arena, reply->n_entries * sizeof(*reply->entries));
    for (uint64_t i = 0; i < reply->n_entries; i++) {
        Curia__Internal__V1__Entry *entry = cu_arena_alloc(arena, sizeof(*entry));
        curia__internal__v1__entry__init(entry);
        entry->index = first + i;
        entry->term = 1;
        entry->kind = 2;
        entry->level = level;
        reply->entries[i] = entry;
    }
    catalog_applier_submit(f->applier, arena, reply);
}

static void settle(struct fixture *f)
{
    while (!catalog_applier_is_idle(f->applier))
        cu_loop_turn(f->loop, true);
}

static uint64_t position(const struct fixture *f)
{
    return catalog_applier_facts(f->applier)->position.index;
}

START_TEST(what_waited_during_a_commit_is_one_transaction_contracts_6_7)
{
    struct fixture f;
    begin(&f);
    submit(&f, 1, 10, 1); /* under way at once */
    submit(&f, 11, 20, 1);
    submit(&f, 21, 30, 1);
    settle(&f);
    ck_assert_uint_eq(f.commits, 2);
    ck_assert_uint_eq(f.entries, 30);
    ck_assert_uint_eq(position(&f), 30);
    end(&f);
}
END_TEST

START_TEST(what_is_opened_again_stands_where_it_was_committed)
{
    struct fixture f;
    begin(&f);
    submit(&f, 1, 10, 1);
    settle(&f);
    struct cu_u128 hash = catalog_applier_facts(f.applier)->hash;
    catalog_applier_free(f.applier);
    open_applier(&f);
    ck_assert_uint_eq(position(&f), 10);
    ck_assert_mem_eq(&hash, &catalog_applier_facts(f.applier)->hash, sizeof(hash));
    end(&f);
}
END_TEST

START_TEST(an_entry_of_a_higher_level_stops_it_behind_all_before_contracts_6_6)
{
    struct fixture f;
    begin(&f);
    submit(&f, 1, 5, 1);
    submit(&f, 6, 8, CATALOG_LEVEL + 1);
    settle(&f);
    ck_assert_int_eq(f.err, CU_E_NOT_READY);
    ck_assert_uint_eq(position(&f), 5);
    submit(&f, 9, 9, 1); /* thrown away */
    settle(&f);
    ck_assert_uint_eq(position(&f), 5);
    end(&f);
}
END_TEST

static enum cu_err run_alone(void *arg, struct catalog_sqlite *db, struct cu_diag *diag)
{
    return cu_db_in_transaction(catalog_sqlite_db(db)) ? CU_E_CONFLICT : CU_OK;
}

static void ran_alone(void *arg, enum cu_err err, const struct cu_diag *diag)
{
    struct fixture *f = arg;
    ck_assert_int_eq(err, CU_OK);
    f->is_done = true;
}

START_TEST(an_exclusive_job_runs_between_two_commits)
{
    struct fixture f;
    begin(&f);
    submit(&f, 1, 10, 1);
    catalog_applier_exclusive(f.applier, run_alone, ran_alone, &f);
    submit(&f, 11, 20, 1);
    while (!f.is_done)
        cu_loop_turn(f.loop, true);
    settle(&f);
    ck_assert_uint_eq(position(&f), 20);
    end(&f);
}
END_TEST

START_TEST(freeing_it_waits_for_the_commit_under_way)
{
    struct fixture f;
    begin(&f);
    submit(&f, 1, 10, 1);
    submit(&f, 11, 20, 1);
    catalog_applier_free(f.applier);
    ck_assert_uint_eq(f.entries, 10); /* the rest comes again from the log */
    f.applier = NULL;
    end(&f);
}
END_TEST

START_TEST(keeps_the_hash_at_round_indexes_wherever_a_commit_ends_contracts_6_1)
{
    struct fixture f;
    struct catalog_mark list[CATALOG_MARKS_MAX], now = {0};
    begin(&f);
    submit(&f, 1, 70, 1);
    submit(&f, 71, 130, 1);
    settle(&f);
    size_t count = catalog_marks_list(catalog_applier_marks(f.applier), &now, list);
    ck_assert_uint_eq(count, 2);
    ck_assert_uint_eq(list[0].index, 128);
    ck_assert_uint_eq(list[1].index, 64);
    catalog_applier_free(f.applier);
    open_applier(&f); /* what was in its place before may have been another state */
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
