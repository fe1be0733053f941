#include "services/raftd/io/row.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"

static struct raft_entry an_entry(const char *body)
{
    struct raft_entry entry = {.index = 7,
                               .term = 3,
                               .kind = RAFT_COMMAND,
                               .wall_ms = 1700000000000,
                               .lease_ms = 12345,
                               .proposer = {{1, 2, 3}},
                               .seq = 9,
                               .if_term = 3,
                               .level = 1};
    if (*body)
        entry.body = raft_body_new(cu_bytes_of(body));
    return entry;
}

static struct cu_buf row_of(struct raft_entry *entry)
{
    struct cu_buf buf = {0};
    raft_row_write(&buf, entry);
    raft_body_unref(entry->body);
    entry->body = NULL;
    return buf;
}

START_TEST(reads_back_what_it_wrote)
{
    const char *const bodies[] = {"", "x", "a longer body"};
    for (size_t i = 0; i < CU_COUNT(bodies); i++) {
        struct raft_entry entry = an_entry(bodies[i]), got;
        struct cu_buf row = row_of(&entry);
        ck_assert_uint_eq(raft_row_read(cu_buf_bytes(&row), 7, &got, NULL), CU_OK);
        ck_assert_uint_eq(got.term, 3);
        ck_assert_uint_eq(got.wall_ms, 1700000000000);
        ck_assert_uint_eq(got.lease_ms, 12345);
        ck_assert(raft_id_equal(got.proposer, entry.proposer));
        ck_assert_uint_eq(got.seq, 9);
        ck_assert_uint_eq(got.if_term, 3);
        ck_assert_uint_eq(got.level, 1);
        ck_assert(cu_bytes_equal(raft_entry_body(&got), cu_bytes_of(bodies[i])));
        raft_body_unref(got.body);
        cu_buf_deinit(&row);
    }
}
END_TEST

START_TEST(finds_every_flipped_bit) /* consensus 55 */
{
    struct raft_entry entry = an_entry("body"), got;
    struct cu_buf row = row_of(&entry);
    for (size_t bit = 0; bit < 8 * row.len; bit++) {
        row.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        ck_assert_uint_eq(raft_row_read(cu_buf_bytes(&row), 7, &got, NULL), CU_E_CORRUPT);
        row.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    cu_buf_deinit(&row);
}
END_TEST

START_TEST(finds_a_row_that_was_cut_or_moved)
{
    struct raft_entry entry = an_entry("body"), got;
    struct cu_diag diag = {{0}};
    struct cu_buf row = row_of(&entry);
    for (size_t len = 0; len < row.len; len++) {
        struct cu_bytes part = {row.data, len};
        ck_assert_uint_eq(raft_row_read(part, 7, &got, NULL), CU_E_CORRUPT);
    }
    ck_assert_uint_eq(raft_row_read(cu_buf_bytes(&row), 8, &got, &diag), CU_E_CORRUPT);
    ck_assert_str_eq(diag.text, "entry 8: its checksum does not match");
    cu_buf_deinit(&row);
}
END_TEST

START_TEST(takes_the_largest_entry_and_refuses_one_byte_more) /* consensus 65 */
{
    for (size_t over = 0; over < 2; over++) {
        struct cu_buf body = {0};
        memset(cu_buf_extend(&body, RAFT_ENTRY_LIMIT_BYTES + over), 'x',
               RAFT_ENTRY_LIMIT_BYTES + over);
        struct raft_entry entry = an_entry(""), got = {0};
        entry.body = raft_body_new(cu_buf_bytes(&body));
        struct cu_buf row = row_of(&entry);
        ck_assert_uint_eq(raft_row_read(cu_buf_bytes(&row), 7, &got, NULL),
                          over ? CU_E_CORRUPT : CU_OK);
        raft_body_unref(got.body);
        cu_buf_deinit(&row);
        cu_buf_deinit(&body);
    }
}
END_TEST

SUITE_MAIN("services/raftd/io/row", reads_back_what_it_wrote, finds_every_flipped_bit,
           finds_a_row_that_was_cut_or_moved, takes_the_largest_entry_and_refuses_one_byte_more)
