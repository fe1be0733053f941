#include "services/catalogd/io/place.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/catalogd/io/spool.h"
#include "tests/lib/suite.h"

static const struct catalog_id id = {{0xab, 0xcd}};
static const char kept_name[] = "state.db.abcd0000-0000-0000-0000-000000000000";

static const char *path_of(const char *name)
{
    static char path[400];
    (void)snprintf(path, sizeof(path), "%s/%s", suite_tmpdir(), name);
    return path;
}

static void make(const char *name)
{
    FILE *file = fopen(path_of(name), "w");
    ck_assert_ptr_nonnull(file);
    (void)fputs(name, file);
    (void)fclose(file);
}

static bool is_there(const char *name)
{
    return access(path_of(name), F_OK) == 0;
}

static void expect_content(const char *name, const char *want)
{
    char got[100] = "";
    FILE *file = fopen(path_of(name), "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(got, sizeof(got), file));
    (void)fclose(file);
    ck_assert_str_eq(got, want);
}

static void place(const struct catalog_id *replaced)
{
    char from[400];
    (void)snprintf(from, sizeof(from), "%s", path_of("pull-1.db"));
    make("state.db");
    make("state.db-wal");
    make("pull-1.db");
    ck_assert_int_eq(catalog_place(suite_tmpdir(), from, replaced, NULL), CU_OK);
    expect_content("state.db", "pull-1.db");
    ck_assert(!is_there("state.db-wal") && !is_there("pull-1.db"));
}

START_TEST(the_new_state_takes_the_place_of_the_old_one)
{
    place(NULL);
    ck_assert(!is_there(kept_name));
}
END_TEST

START_TEST(a_replaced_state_is_kept_until_the_next_checkpoint_contracts_3_1)
{
    place(&id);
    expect_content(kept_name, "state.db");
    make("state.db.notes");
    catalog_place_forget(suite_tmpdir());
    ck_assert(!is_there(kept_name) && is_there("state.db") && is_there("state.db.notes"));
}
END_TEST

START_TEST(a_damaged_state_is_moved_away_with_its_log)
{
    make("state.db");
    make("state.db-wal");
    ck_assert_int_eq(catalog_place_damaged(suite_tmpdir(), NULL), CU_OK);
    ck_assert(!is_there("state.db") && !is_there("state.db-wal") && is_there("state.db.damaged"));
}
END_TEST

START_TEST(a_start_removes_what_transfers_left_behind_and_nothing_else)
{
    make("spool-1");
    make("pull-2");
    make("pull-2.db-wal");
    make("state.db");
    make("crash");
    ck_assert_int_eq(catalog_spool_reap(suite_tmpdir(), NULL), CU_OK);
    ck_assert(!is_there("spool-1") && !is_there("pull-2") && !is_there("pull-2.db-wal"));
    ck_assert(is_there("state.db") && is_there("crash"));
}
END_TEST

SUITE_MAIN("services/catalogd/io/place", the_new_state_takes_the_place_of_the_old_one,
           a_replaced_state_is_kept_until_the_next_checkpoint_contracts_3_1,
           a_damaged_state_is_moved_away_with_its_log,
           a_start_removes_what_transfers_left_behind_and_nothing_else)
