/* The last known good view as bytes, and on the disk (contracts 7.6). */
#include "common/view/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/hash.h"
#include "tests/lib/suite.h"

static char *topics[] = {"nodes", "services"};

static struct view_file head(void)
{
    return (struct view_file){
        .position = {.cluster_id = {9, 8, 7}, .epoch = 2, .index = 77},
        .wall_ms = 1700000000000,
        .topics = topics,
        .topic_count = CU_COUNT(topics),
    };
}

static struct view_row *row(unsigned topic, const char *key, size_t row_len)
{
    uint8_t *bytes = cu_alloc(row_len + 1);
    struct cu_mirror_row from = {.topic = topic,
                                 .key = cu_bytes_of(key),
                                 .row = {bytes, row_len},
                                 .create_index = 3,
                                 .modify_index = 5};
    struct view_row *made = view_row_new(&from);
    free(bytes);
    return made;
}

static void encode(struct cu_buf *out, struct view_row *a, struct view_row *b)
{
    struct view_row *rows[] = {a, b};
    struct view_file file = head();
    view_file_encode(&file, rows, (a != NULL) + (b != NULL), out);
    view_row_unref(a);
    view_row_unref(b);
}

static unsigned visited;
static struct cu_mirror_row last;

static void visit(void *arg, const struct cu_mirror_row *found)
{
    visited++;
    last = *found;
}

static enum cu_err decode(struct cu_bytes bytes)
{
    struct view_file file = {.topics = topics, .topic_count = CU_COUNT(topics)};
    visited = 0;
    enum cu_err err = view_file_decode(bytes, &file, visit, NULL, NULL);
    if (!err) {
        struct view_file want = head();
        ck_assert_mem_eq(&file.position, &want.position, sizeof want.position);
        ck_assert_uint_eq(file.wall_ms, want.wall_ms);
    }
    return err;
}

START_TEST(reads_back_what_was_written)
{
    struct cu_buf bytes = {0};
    encode(&bytes, row(0, "n1", 10), row(1, "web", 0));
    ck_assert_int_eq(decode(cu_buf_bytes(&bytes)), CU_OK);
    ck_assert_uint_eq(visited, 2);
    ck_assert_uint_eq(last.topic, 1);
    ck_assert(cu_bytes_equal(last.key, cu_bytes_of("web")));
    ck_assert_uint_eq(last.create_index, 3);
    ck_assert_uint_eq(last.modify_index, 5);
    cu_buf_deinit(&bytes);
}
END_TEST

START_TEST(any_flipped_bit_and_any_cut_is_refused_whole)
{
    struct cu_buf bytes = {0};
    encode(&bytes, row(0, "n1", 10), NULL);
    for (size_t i = 0; i < bytes.len; i++) {
        bytes.data[i] ^= 1;
        ck_assert_int_eq(decode(cu_buf_bytes(&bytes)), CU_E_CORRUPT);
        ck_assert_uint_eq(visited, 0);
        bytes.data[i] ^= 1;
        ck_assert_int_eq(decode((struct cu_bytes){bytes.data, i}), CU_E_CORRUPT);
    }
    cu_buf_deinit(&bytes);
}
END_TEST

/* The checksum of what was changed on purpose. */
static void seal(struct cu_buf *bytes)
{
    bytes->len -= 4;
    cu_buf_u32le(bytes, cu_crc32c(0, bytes->data, bytes->len));
}

START_TEST(a_newer_version_and_other_topics_are_no_damage)
{
    struct cu_buf bytes = {0};
    encode(&bytes, NULL, NULL);
    bytes.data[8]++; /* the version */
    seal(&bytes);
    ck_assert_int_eq(decode(cu_buf_bytes(&bytes)), CU_E_CONFLICT);
    bytes.data[8]--;
    bytes.data[17]++; /* a letter of the first topic */
    seal(&bytes);
    ck_assert_int_eq(decode(cu_buf_bytes(&bytes)), CU_E_CONFLICT);
    cu_buf_deinit(&bytes);
}
END_TEST

START_TEST(a_row_at_its_limit_is_read_and_one_above_is_not)
{
    for (size_t more = 0; more < 2; more++) {
        struct cu_buf bytes = {0};
        encode(&bytes, row(0, "k", VIEW_FILE_ROW_BYTES_MAX + more), NULL);
        ck_assert_int_eq(decode(cu_buf_bytes(&bytes)), more ? CU_E_CORRUPT : CU_OK);
        cu_buf_deinit(&bytes);
    }
    char *key = cu_alloc(VIEW_FILE_KEY_BYTES_MAX + 2);
    for (size_t more = 0; more < 2; more++) {
        struct cu_buf bytes = {0};
        memset(key, 'k', VIEW_FILE_KEY_BYTES_MAX + more);
        encode(&bytes, row(0, key, 1), NULL);
        ck_assert_int_eq(decode(cu_buf_bytes(&bytes)), more ? CU_E_CORRUPT : CU_OK);
        cu_buf_deinit(&bytes);
    }
    free(key);
}
END_TEST

START_TEST(a_file_replaces_the_one_before_or_leaves_it)
{
    char path[256], folder[256];
    struct cu_buf bytes = {0};
    struct cu_diag diag = {0};
    (void)snprintf(folder, sizeof folder, "%s/made", suite_tmpdir());
    (void)snprintf(path, sizeof path, "%s/view", folder);
    ck_assert_int_eq(view_file_read(path, &bytes, &diag), CU_E_NOT_FOUND);
    ck_assert_int_eq(view_file_write(path, cu_bytes_of("one"), &diag), CU_OK);
    ck_assert_int_eq(view_file_write(path, cu_bytes_of("two!"), &diag), CU_OK);
    ck_assert_int_eq(view_file_read(path, &bytes, &diag), CU_OK);
    ck_assert(cu_bytes_equal(cu_buf_bytes(&bytes), cu_bytes_of("two!")));
    struct cu_bytes large = {bytes.data, (size_t)VIEW_FILE_BYTES_MAX + 1};
    ck_assert_int_eq(view_file_write(path, large, &diag), CU_E_TOO_LARGE);
    cu_buf_clear(&bytes);
    ck_assert_int_eq(view_file_read(path, &bytes, &diag), CU_OK);
    ck_assert(cu_bytes_equal(cu_buf_bytes(&bytes), cu_bytes_of("two!")));
    cu_buf_deinit(&bytes);
}
END_TEST

START_TEST(a_file_over_the_limit_is_not_read)
{
    char path[256];
    struct cu_buf bytes = {0};
    struct cu_diag diag = {0};
    (void)snprintf(path, sizeof path, "%s/large", suite_tmpdir());
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)VIEW_FILE_BYTES_MAX + 1), 0);
    (void)close(fd);
    ck_assert_int_eq(view_file_read(path, &bytes, &diag), CU_E_TOO_LARGE);
    cu_buf_deinit(&bytes);
}
END_TEST

SUITE_MAIN("common/view/file", reads_back_what_was_written,
           any_flipped_bit_and_any_cut_is_refused_whole,
           a_newer_version_and_other_topics_are_no_damage,
           a_row_at_its_limit_is_read_and_one_above_is_not,
           a_file_replaces_the_one_before_or_leaves_it, a_file_over_the_limit_is_not_read)
