#include "services/catalogd/io/copy.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/catalog_state.h"
#include "tests/lib/suite.h"

enum { LARGE_BYTES = 100000 };

/* A state with rows, a tombstone, a change log and an old value kept by hash. */
static struct state *full_state(void)
{
    struct state *state = state_new(STATE_SQLITE);
    static char large[LARGE_BYTES + 1];
    memset(large, 'x', LARGE_BYTES);
    for (int i = 0; i < 200; i++) {
        char key[32];
        (void)snprintf(key, sizeof(key), "key/%d", i);
        state_set(state, key, "value");
    }
    state_set(state, "large", large);
    state_set(state, "large", "small");
    (void)state_kv(state, &(struct kv){.verb = CATALOG_KV_DELETE, .key = "key/7"});
    state_reopen(state);
    return state;
}

static int scratch(void)
{
    static int number;
    char path[300];
    (void)snprintf(path, sizeof(path), "%s/spool-%d", suite_tmpdir(), number++);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static struct catalog_copy copy_of(const char *path)
{
    struct catalog_copy copy = {.path = path, .fd = scratch(), .wal_max_bytes = UINT64_MAX};
    catalog_copy_run(&copy);
    ck_assert_msg(copy.err == CU_OK, "%s", copy.diag.text);
    return copy;
}

static void end(struct catalog_copy *copy)
{
    (void)close(copy->fd);
    cu_buf_deinit(&copy->header);
}

static uint8_t *bytes_of(const struct catalog_copy *copy)
{
    uint8_t *bytes = malloc(copy->size_bytes + 1);
    ck_assert_int_eq(pread(copy->fd, bytes, copy->size_bytes + 1, 0), (ssize_t)copy->size_bytes);
    return bytes;
}

static const char *new_path(void)
{
    static char path[300];
    (void)snprintf(path, sizeof(path), "%s/installed.db", suite_tmpdir());
    return path;
}

START_TEST(an_installed_copy_is_the_same_state_byte_for_byte_contracts_3_6)
{
    struct state *state = full_state();
    struct catalog_copy first = copy_of(state->path);
    struct catalog_install install = {.path = new_path(), .fd = first.fd, .hash = first.hash};
    catalog_install_run(&install);
    ck_assert_msg(install.err == CU_OK, "%s", install.diag.text);
    struct catalog_copy again = copy_of(install.path);
    ck_assert_uint_eq(first.size_bytes, again.size_bytes);
    ck_assert_uint_eq(first.position.index, state_index(state));
    ck_assert_uint_eq(again.position.index, first.position.index);
    ck_assert(cu_bytes_equal(cu_buf_bytes(&first.header), cu_buf_bytes(&again.header)));
    uint8_t *a = bytes_of(&first), *b = bytes_of(&again);
    ck_assert_mem_eq(a, b, first.size_bytes);
    free(a);
    free(b);
    end(&first);
    end(&again);
    state_free(state);
}
END_TEST

/* Damages the copy, and what must come of it. */
static void expect_refused(struct catalog_copy *copy, struct cu_u128 hash)
{
    struct catalog_install install = {.path = new_path(), .fd = copy->fd, .hash = hash};
    catalog_install_run(&install);
    ck_assert_int_eq(install.err, CU_E_CORRUPT);
    ck_assert_int_ne(access(install.path, F_OK), 0);
}

START_TEST(a_copy_with_a_flipped_byte_is_refused_and_leaves_no_database)
{
    struct state *state = full_state();
    struct catalog_copy copy = copy_of(state->path);
    for (uint64_t at = 5; at < copy.size_bytes; at += copy.size_bytes / 20) {
        uint8_t byte, wrong;
        ck_assert_int_eq(pread(copy.fd, &byte, 1, (off_t)at), 1);
        wrong = byte ^ 0x10;
        ck_assert_int_eq(pwrite(copy.fd, &wrong, 1, (off_t)at), 1);
        expect_refused(&copy, copy.hash);
        ck_assert_int_eq(pwrite(copy.fd, &byte, 1, (off_t)at), 1);
    }
    end(&copy);
    state_free(state);
}
END_TEST

START_TEST(a_copy_cut_short_or_of_another_state_is_refused)
{
    struct state *state = full_state();
    struct catalog_copy copy = copy_of(state->path);
    expect_refused(&copy, (struct cu_u128){1, 2});
    ck_assert_int_eq(ftruncate(copy.fd, (off_t)copy.size_bytes - 1), 0);
    expect_refused(&copy, copy.hash);
    end(&copy);
    state_free(state);
}
END_TEST

START_TEST(a_copy_is_given_up_when_too_much_is_written_meanwhile_contracts_6_7)
{
    struct state *state = state_new(STATE_SQLITE);
    for (int i = 0; i < 2000; i++) {
        char key[32];
        (void)snprintf(key, sizeof(key), "key/%d", i);
        state_set(state, key, "value");
    }
    state_reopen(state);
    struct catalog_copy first = copy_of(state->path);
    struct catalog_install install = {.path = new_path(), .fd = first.fd, .hash = first.hash};
    catalog_install_run(&install);
    ck_assert_int_eq(install.err, CU_OK);
    struct catalog_sqlite *writer = NULL; /* open, so that its log stays */
    ck_assert_int_eq(catalog_sqlite_open_writer(install.path, &writer, NULL), CU_OK);
    const struct catalog_backend *backend = catalog_sqlite_backend(writer);
    ck_assert_int_eq(catalog_sqlite_begin(writer, NULL), CU_OK);
    ck_assert_int_eq(backend->meta_put(backend->context, "more", cu_bytes_of("x")), CU_OK);
    ck_assert_int_eq(catalog_sqlite_commit(writer, NULL), CU_OK);
    struct catalog_copy copy = {.path = install.path, .fd = scratch(), .wal_max_bytes = 0};
    catalog_copy_run(&copy);
    ck_assert_int_eq(copy.err, CU_E_OVERLOADED);
    catalog_sqlite_close(writer);
    end(&first);
    end(&copy);
    state_free(state);
}
END_TEST

START_TEST(a_cancelled_copy_ends_soon)
{
    struct state *state = full_state();
    struct catalog_copy copy = {
        .path = state->path, .fd = scratch(), .wal_max_bytes = UINT64_MAX, .is_cancelled = true};
    catalog_copy_run(&copy);
    ck_assert_int_eq(copy.err, CU_E_NOT_READY);
    end(&copy);
    state_free(state);
}
END_TEST

SUITE_MAIN("services/catalogd/io/copy",
           an_installed_copy_is_the_same_state_byte_for_byte_contracts_3_6,
           a_copy_with_a_flipped_byte_is_refused_and_leaves_no_database,
           a_copy_cut_short_or_of_another_state_is_refused,
           a_copy_is_given_up_when_too_much_is_written_meanwhile_contracts_6_7,
           a_cancelled_copy_ends_soon)
