#include "services/raftd/io/meta.h"

#include "tests/lib/suite.h"

static const struct raft_header a_start = {
    .position = {{{5}}, 40, 6},
    .wall_ms = 1700,
    .lease_ms = 90,
    .configuration = {7, 2, {{{{1}}, 11, true}, {{{2}}, 0, false}}},
    .lineage_count = 1,
    .lineage = {{{{4}}, 30}}};

static const struct raft_promise a_promise = {
    .round = 3, .proposer = {{1}}, .cluster = {{9}}, .configuration = {0, 1, {{{{1}}, 11, true}}}};

START_TEST(records_read_back_as_they_were_written)
{
    struct cu_buf buf = {0};
    struct raft_term_record term = {8, {{2}}, 77}, got_term;
    struct raft_header start;
    struct raft_promise promise;

    raft_meta_write_term(&buf, &term);
    ck_assert_uint_eq(raft_meta_read_term(cu_buf_bytes(&buf), &got_term, NULL), CU_OK);
    ck_assert_uint_eq(got_term.term, 8);
    ck_assert_uint_eq(got_term.vote.bytes[0], 2);
    ck_assert_uint_eq(got_term.incarnation, 77);

    cu_buf_clear(&buf);
    raft_meta_write_start(&buf, &a_start);
    ck_assert_uint_eq(raft_meta_read_start(cu_buf_bytes(&buf), &start, NULL), CU_OK);
    ck_assert_uint_eq(start.position.index, 40);
    ck_assert_uint_eq(start.wall_ms, 1700);
    ck_assert_uint_eq(start.lease_ms, 90);
    ck_assert_uint_eq(start.configuration.count, 2);
    ck_assert_uint_eq(start.configuration.servers[0].incarnation, 11);
    ck_assert(!start.configuration.servers[1].is_voter);
    ck_assert_uint_eq(start.lineage[0].last_index, 30);

    cu_buf_clear(&buf);
    raft_meta_write_promise(&buf, &a_promise);
    ck_assert_uint_eq(raft_meta_read_promise(cu_buf_bytes(&buf), &promise, NULL), CU_OK);
    ck_assert_uint_eq(promise.round, 3);
    ck_assert_uint_eq(promise.cluster.bytes[0], 9);
    ck_assert_uint_eq(promise.configuration.servers[0].incarnation, 11);
    cu_buf_deinit(&buf);
}
END_TEST

START_TEST(a_recovery_reads_back_in_both_forms) /* consensus.md 17 */
{
    for (int aside = 0; aside <= 1; aside++) {
        struct cu_buf buf = {0};
        struct raft_recovery got, made = {.cluster = {{7}}, .is_aside = aside};
        if (!aside)
            made.configuration = a_promise.configuration;
        raft_meta_write_recovery(&buf, &made);
        ck_assert_uint_eq(raft_meta_read_recovery(cu_buf_bytes(&buf), &got, NULL), CU_OK);
        ck_assert(raft_id_equal(got.cluster, made.cluster) && got.is_aside == made.is_aside);
        ck_assert_uint_eq(got.configuration.count, made.configuration.count);
        for (size_t len = 0; len < buf.len; len++)
            ck_assert_uint_eq(raft_meta_read_recovery((struct cu_bytes){buf.data, len}, &got, NULL),
                              CU_E_CORRUPT);
        cu_buf_deinit(&buf);
    }
}
END_TEST

START_TEST(a_flipped_bit_or_a_cut_is_found) /* consensus.md 21.53 */
{
    struct cu_buf buf = {0};
    struct raft_header start;
    raft_meta_write_start(&buf, &a_start);
    for (size_t bit = 0; bit < 8 * buf.len; bit++) {
        buf.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        ck_assert_uint_eq(raft_meta_read_start(cu_buf_bytes(&buf), &start, NULL), CU_E_CORRUPT);
        buf.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    for (size_t len = 0; len < buf.len; len++)
        ck_assert_uint_eq(raft_meta_read_start((struct cu_bytes){buf.data, len}, &start, NULL),
                          CU_E_CORRUPT);
    cu_buf_deinit(&buf);
}
END_TEST

START_TEST(one_record_is_not_taken_for_another)
{
    struct cu_buf buf = {0};
    struct cu_diag diag = {{0}};
    struct raft_header start;
    raft_meta_write_term(&buf, &(struct raft_term_record){8, {{2}}, 77});
    ck_assert_uint_eq(raft_meta_read_start(cu_buf_bytes(&buf), &start, &diag), CU_E_CORRUPT);
    ck_assert_str_eq(diag.text, "record \"start\": its checksum does not match");
    cu_buf_deinit(&buf);
}
END_TEST

SUITE_MAIN("services/raftd/io/meta", records_read_back_as_they_were_written,
           a_recovery_reads_back_in_both_forms, a_flipped_bit_or_a_cut_is_found,
           one_record_is_not_taken_for_another)
