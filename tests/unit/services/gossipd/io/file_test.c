#include "services/gossipd/io/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/suite.h"

static const char *dir;
static struct cu_loop *loop;
static struct gossip_file *file;
static struct cu_buf found;

static enum cu_err try_open(void)
{
    struct cu_diag diag = {0};
    cu_buf_clear(&found);
    if (!dir)
        dir = suite_tmpdir();
    if (!loop)
        loop = cu_loop_new();
    enum cu_err err = gossip_file_open(dir, loop, NULL, &found, &file, &diag);
    ck_assert_int_eq(*diag.text != 0, err != CU_OK);
    return err;
}

static void close_file(void)
{
    gossip_file_close(file);
    file = NULL;
}

static void done(void)
{
    close_file();
    cu_loop_free(loop);
    loop = NULL;
    cu_buf_deinit(&found);
}

static char *path(const char *name)
{
    static char text[4200];
    (void)snprintf(text, sizeof text, "%s/serf%s", dir, name);
    return text;
}

static void wait_for_bytes(off_t bytes)
{
    struct stat info = {0};
    for (int i = 0; i < 5000 && info.st_size != bytes; i++) {
        cu_loop_turn(loop, false);
        ck_assert_int_eq(stat(path("/local.snapshot"), &info), 0);
        (void)usleep(1000); /* the worker's turn; the condition ends the wait */
    }
    ck_assert_int_eq(info.st_size, bytes);
}

static void put(const char *name, const char *bytes)
{
    FILE *out = fopen(path(name), "we");
    ck_assert_ptr_nonnull(out);
    ck_assert_int_ge(fputs(bytes, out), 0);
    ck_assert_int_eq(fclose(out), 0);
}

static void ck_found(const char *want)
{
    ck_assert_msg(cu_bytes_equal(cu_buf_bytes(&found), cu_bytes_of(want)), "%.*s is not %s",
                  (int)found.len, (const char *)found.data, want);
}

START_TEST(what_is_appended_is_found_again)
{
    ck_assert_int_eq(try_open(), CU_OK);
    ck_found("");
    gossip_file_append(file, "alive: n1 127.0.0.1:1", false);
    gossip_file_append(file, "clock: 1", true);
    ck_assert_uint_eq(gossip_file_bytes(file), 22 + 9);
    close_file();
    ck_assert_int_eq(try_open(), CU_OK);
    ck_found("alive: n1 127.0.0.1:1\nclock: 1\n");
    ck_assert_uint_eq(gossip_file_bytes(file), 22 + 9);
    done();
}
END_TEST

START_TEST(lines_reach_the_file_while_it_runs)
{
    ck_assert_int_eq(try_open(), CU_OK);
    gossip_file_append(file, "clock: 1", false);
    wait_for_bytes(9);
    done();
}
END_TEST

START_TEST(a_torn_last_line_is_cut_off_so_that_the_next_begins_a_line) /* gossip.md 20 */
{
    ck_assert_int_eq(try_open(), CU_OK);
    close_file();
    put("/local.snapshot", "clock: 1\nalive: n");
    ck_assert_int_eq(try_open(), CU_OK);
    ck_found("clock: 1\n");
    gossip_file_append(file, "clock: 2", false);
    close_file();
    ck_assert_int_eq(try_open(), CU_OK);
    ck_found("clock: 1\nclock: 2\n");
    done();
}
END_TEST

START_TEST(writing_it_anew_replaces_the_lines_and_later_ones_follow) /* gossip 71 */
{
    struct cu_buf whole = {0};
    ck_assert_int_eq(try_open(), CU_OK);
    gossip_file_append(file, "clock: 1", false);
    cu_buf_text(&whole, "clock: 9\n");
    ck_assert(gossip_file_may_rewrite(file));
    gossip_file_rewrite(file, &whole);
    ck_assert_ptr_null(whole.data);
    ck_assert(!gossip_file_may_rewrite(file)); /* one at a time */
    gossip_file_append(file, "clock: 10", false);
    ck_assert_uint_eq(gossip_file_bytes(file), 19);
    close_file();
    ck_assert_int_eq(try_open(), CU_OK);
    ck_found("clock: 9\nclock: 10\n");
    ck_assert_int_ne(access(path("/local.snapshot.compact"), F_OK), 0);
    done();
}
END_TEST

START_TEST(a_compaction_that_was_cut_short_changes_nothing)
{
    ck_assert_int_eq(try_open(), CU_OK);
    gossip_file_append(file, "clock: 1", false);
    close_file();
    put("/local.snapshot.compact", "clo");
    ck_assert_int_eq(try_open(), CU_OK);
    ck_found("clock: 1\n");
    ck_assert_int_ne(access(path("/local.snapshot.compact"), F_OK), 0);
    done();
}
END_TEST

START_TEST(a_rewriting_that_fails_keeps_the_old_file_and_waits)
{
    struct cu_buf whole = {0};
    ck_assert_int_eq(try_open(), CU_OK);
    gossip_file_append(file, "clock: 1", false);
    ck_assert_int_eq(mkdir(path("/local.snapshot.compact"), 0700), 0); /* no file can be made */
    cu_buf_text(&whole, "clock: 9\n");
    gossip_file_rewrite(file, &whole);
    wait_for_bytes(9);
    gossip_file_append(file, "clock: 10", false);
    wait_for_bytes(19); /* of a job that goes only when the end of the first is known */
    ck_assert(!gossip_file_may_rewrite(file)); /* not soon after a failure */
    ck_assert_int_eq(rmdir(path("/local.snapshot.compact")), 0);
    close_file();
    ck_assert_int_eq(try_open(), CU_OK);
    ck_found("clock: 1\nclock: 10\n");
    done();
}
END_TEST

START_TEST(a_file_that_is_too_large_is_refused)
{
    ck_assert_int_eq(try_open(), CU_OK);
    close_file();
    ck_assert_int_eq(truncate(path("/local.snapshot"), FILE_MAX_BYTES + 1), 0);
    ck_assert_int_eq(try_open(), CU_E_TOO_LARGE);
    ck_assert_int_eq(truncate(path("/local.snapshot"), FILE_MAX_BYTES), 0);
    ck_assert_int_eq(try_open(), CU_OK);
    ck_assert_uint_eq(found.len, 0); /* of one torn line */
    done();
}
END_TEST

SUITE_MAIN("services/gossipd/io/file", what_is_appended_is_found_again,
           lines_reach_the_file_while_it_runs,
           a_torn_last_line_is_cut_off_so_that_the_next_begins_a_line,
           writing_it_anew_replaces_the_lines_and_later_ones_follow,
           a_compaction_that_was_cut_short_changes_nothing,
           a_rewriting_that_fails_keeps_the_old_file_and_waits, a_file_that_is_too_large_is_refused)
