#include "services/raftd/core/entry.h"

#include <string.h>

#include "common/base/err.h"
#include "services/raftd/core/raft.h"
#include "tests/lib/suite.h"

START_TEST(the_checksum_covers_every_field)
{
    struct raft_body *body = raft_body_new(cu_bytes_of("abc"));
    struct raft_entry entry = {.index = 7,
                               .term = 3,
                               .kind = RAFT_COMMAND,
                               .wall_ms = 5,
                               .lease_ms = 6,
                               .proposer = {{1}},
                               .seq = 8,
                               .if_term = 9,
                               .level = 1,
                               .body = body};
    uint32_t sum = raft_entry_checksum(&entry);
    for (int field = 0; field < 10; field++) {
        struct raft_entry other = entry;
        struct raft_body *changed = raft_body_new(cu_bytes_of("abd"));
        uint64_t *numbers[] = {&other.index,    &other.term, &other.wall_ms,
                               &other.lease_ms, &other.seq,  &other.if_term};
        if (field < 6)
            *numbers[field] += 1;
        else if (field == 6)
            other.kind = RAFT_BARRIER;
        else if (field == 7)
            other.proposer.bytes[15] = 1;
        else if (field == 8)
            other.level++;
        else
            other.body = changed;
        ck_assert_msg(raft_entry_checksum(&other) != sum, "field %d", field);
        raft_body_unref(changed);
    }
    ck_assert_uint_eq(raft_entry_checksum(&entry), sum);
    raft_body_unref(body);
}
END_TEST

START_TEST(a_configuration_reads_as_it_was_written) /* consensus 35: incarnations are in it */
{
    struct raft_configuration_body body = {
        .cluster = {{1, 2, 3}}, .prior = {{4}}, .prior_last_index = 77};
    body.configuration.index = 12;
    body.configuration.count = RAFT_SERVERS_MAX;
    for (unsigned i = 0; i < RAFT_SERVERS_MAX; i++)
        body.configuration.servers[i] = (struct raft_server){
            .id = {{(uint8_t)(i + 1)}}, .incarnation = UINT64_MAX - i, .is_voter = i % 2};
    struct raft_body *packed = raft_configuration_encode(&body);
    struct raft_configuration_body back;
    ck_assert_int_eq(raft_configuration_decode((struct cu_bytes){packed->data, packed->len}, &back),
                     CU_OK);
    ck_assert_int_eq(memcmp(&back.configuration, &body.configuration, sizeof back.configuration),
                     0);
    ck_assert(raft_id_equal(back.cluster, body.cluster));
    ck_assert(raft_id_equal(back.prior, body.prior));
    ck_assert_uint_eq(back.prior_last_index, 77);
    for (uint32_t cut = 0; cut < packed->len; cut += 7) /* no prefix crashes it */
        (void)raft_configuration_decode((struct cu_bytes){packed->data, cut}, &back);
    raft_body_unref(packed);
}
END_TEST

START_TEST(a_configuration_without_servers_or_with_one_twice_is_invalid)
{
    struct raft_configuration_body body = {.cluster = {{1}}}, back;
    struct raft_body *packed = raft_configuration_encode(&body);
    ck_assert_int_eq(raft_configuration_decode((struct cu_bytes){packed->data, packed->len}, &back),
                     CU_E_INVALID);
    raft_body_unref(packed);
    body.configuration.count = 2;
    body.configuration.servers[0].id = body.configuration.servers[1].id = (struct raft_id){{5}};
    packed = raft_configuration_encode(&body);
    ck_assert_int_eq(raft_configuration_decode((struct cu_bytes){packed->data, packed->len}, &back),
                     CU_E_INVALID);
    raft_body_unref(packed);
}
END_TEST

START_TEST(one_server_more_than_the_limit_is_invalid)
{
    struct raft_configuration_body body = {.cluster = {{1}}}, back;
    body.configuration.count = RAFT_SERVERS_MAX;
    for (unsigned i = 0; i < RAFT_SERVERS_MAX; i++)
        body.configuration.servers[i].id = (struct raft_id){{(uint8_t)(i + 1)}};
    struct raft_body *packed = raft_configuration_encode(&body);
    body.configuration.count = 1;
    body.configuration.servers[0].id = (struct raft_id){{99}};
    struct raft_body *more = raft_configuration_encode(&body);
    /* Two messages on end are merged by protobuf: their lists are joined. */
    struct cu_buf joined = {0};
    cu_buf_append(&joined, packed->data, packed->len);
    cu_buf_append(&joined, more->data, more->len);
    ck_assert_int_eq(raft_configuration_decode(cu_buf_bytes(&joined), &back), CU_E_INVALID);
    cu_buf_deinit(&joined);
    raft_body_unref(packed);
    raft_body_unref(more);
}
END_TEST

/* ---- timing: consensus.md 3, 8 ---- */

START_TEST(timings_are_those_of_the_table) /* consensus 11 */
{
    struct raft_timing t = raft_timing_default;
    ck_assert_uint_eq(t.heartbeat_ms, 50);
    ck_assert_uint_eq(t.contact_ms, 300);
    ck_assert_uint_eq(t.election_ms, 300);
    ck_assert_uint_eq(t.lease_ms, 200);
    ck_assert_int_eq(raft_timing_check(&t, NULL), CU_OK);
    for (unsigned m = 1; m <= 10; m++) {
        t = raft_timing_reference(m);
        ck_assert_uint_eq(t.heartbeat_ms, 100 * m);
        ck_assert_uint_eq(t.heartbeat_spread_ms, 100 * m);
        ck_assert_uint_eq(t.contact_ms, 1000 * m);
        ck_assert_uint_eq(t.election_ms, 1000 * m);
        ck_assert_uint_eq(t.lease_ms, 500 * m);
        ck_assert_int_eq(raft_timing_check(&t, NULL), CU_OK);
    }
}
END_TEST

START_TEST(timings_that_break_a_rule_are_refused_with_a_sentence) /* consensus 22 */
{
    static const struct raft_timing wrong[] = {
        {1, 0, 4, 300, 2},      /* H below 5 ms */
        {1, 0, 300, 4, 200},    /* election below 5 ms */
        {50, 0, 300, 300, 4},   /* lease below 5 ms */
        {50, 0, 300, 299, 200}, /* election below H */
        {50, 0, 300, 300, 300}, /* lease not below H */
        {50, 0, 300, 300, 289}, /* below H, but not with 2 % of drift */
        {0, 0, 300, 300, 200},  /* never sent */
        {300, 0, 300, 300, 200},
    };
    for (size_t i = 0; i < CU_COUNT(wrong); i++) {
        struct cu_diag diag = {0};
        ck_assert_int_eq(raft_timing_check(&wrong[i], &diag), CU_E_INVALID);
        ck_assert_uint_gt(strlen(diag.text), 10);
    }
    ck_assert_int_eq(raft_timing_check(&(struct raft_timing){50, 0, 300, 300, 288}, NULL), CU_OK);
}
END_TEST

START_TEST(every_role_and_reason_has_words)
{
    for (int i = 0; i < RAFT_IGN_COUNT; i++)
        ck_assert_str_ne(raft_ignored_text((enum raft_ignored)i), "unknown");
    ck_assert_str_eq(raft_role_name(RAFT_FOLLOWER), "follower");
    ck_assert_str_eq(raft_role_name(RAFT_PRECANDIDATE), "candidate");
    ck_assert_str_eq(raft_role_name(RAFT_CANDIDATE), "candidate");
    ck_assert_str_eq(raft_role_name(RAFT_LEADER), "leader");
}
END_TEST

SUITE_MAIN("services/raftd/core/entry", the_checksum_covers_every_field,
           a_configuration_reads_as_it_was_written,
           a_configuration_without_servers_or_with_one_twice_is_invalid,
           one_server_more_than_the_limit_is_invalid, timings_are_those_of_the_table,
           timings_that_break_a_rule_are_refused_with_a_sentence, every_role_and_reason_has_words)
