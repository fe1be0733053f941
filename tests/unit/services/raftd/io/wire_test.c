#include "services/raftd/io/wire.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/lib/suite.h"

static struct raft_entry an_entry(uint64_t index)
{
    return (struct raft_entry){.index = index,
                               .term = 2,
                               .kind = RAFT_COMMAND,
                               .wall_ms = 1,
                               .lease_ms = 2,
                               .proposer = {{6}},
                               .seq = index,
                               .body = raft_body_new(cu_bytes_of("body"))};
}

/* Packs, unpacks and reads it: what a peer sees. */
static enum cu_err travel(const struct raft_message *message, struct raft_message **ret_got,
                          struct cu_diag *diag)
{
    struct cu_arena *arena = cu_arena_new(RAFT_WIRE_ARENA_BYTES);
    raft_pb_message *out = raft_wire_message(arena, message);
    size_t len = curia__internal__v1__raft_message__get_packed_size(out);
    uint8_t *bytes = malloc(len);
    curia__internal__v1__raft_message__pack(out, bytes);
    raft_pb_message *in = curia__internal__v1__raft_message__unpack(NULL, len, bytes);
    enum cu_err err = raft_wire_read_message(in, ret_got, diag);
    curia__internal__v1__raft_message__free_unpacked(in, NULL);
    free(bytes);
    cu_arena_free(arena);
    return err;
}

START_TEST(a_message_arrives_as_it_left)
{
    struct raft_message *got = NULL;
    struct raft_message message = {.kind = RAFT_MSG_APPEND,
                                   .from = {{1}},
                                   .to = {{2}},
                                   .incarnation = 3,
                                   .cluster = {{4}},
                                   .prior = {{5}},
                                   .term = 6,
                                   .index = 7,
                                   .log_term = 8,
                                   .commit = 9,
                                   .ok = true,
                                   .transfer = true,
                                   .well = true,
                                   .round = 10,
                                   .conflict_term = 11,
                                   .conflict_index = 12,
                                   .reason = RAFT_IGN_NOT_MEMBER,
                                   .configuration = {0, 1, {{{{1}}, 13, true}}},
                                   .new_cluster = {{14}},
                                   .entry_count = RAFT_ENTRY_BATCH};
    message.entries = cu_alloc(RAFT_ENTRY_BATCH * sizeof *message.entries);
    for (uint32_t i = 0; i < RAFT_ENTRY_BATCH; i++)
        message.entries[i] = an_entry(8 + i);
    ck_assert_uint_eq(travel(&message, &got, NULL), CU_OK);
    ck_assert_uint_eq(got->kind, RAFT_MSG_APPEND);
    ck_assert(raft_id_equal(got->from, message.from) && raft_id_equal(got->to, message.to));
    ck_assert(raft_id_equal(got->cluster, message.cluster));
    ck_assert(raft_id_equal(got->prior, message.prior));
    ck_assert(raft_id_equal(got->new_cluster, message.new_cluster));
    ck_assert_uint_eq(got->incarnation, 3);
    ck_assert_uint_eq(got->term, 6);
    ck_assert_uint_eq(got->index, 7);
    ck_assert_uint_eq(got->log_term, 8);
    ck_assert_uint_eq(got->commit, 9);
    ck_assert(got->ok && got->transfer && got->well);
    ck_assert_uint_eq(got->round, 10);
    ck_assert_uint_eq(got->conflict_term, 11);
    ck_assert_uint_eq(got->conflict_index, 12);
    ck_assert_uint_eq(got->reason, RAFT_IGN_NOT_MEMBER);
    ck_assert_uint_eq(got->configuration.servers[0].incarnation, 13);
    ck_assert_uint_eq(got->call, 0);
    ck_assert_uint_eq(got->entry_count, RAFT_ENTRY_BATCH);
    ck_assert_uint_eq(raft_entry_checksum(&got->entries[63]),
                      raft_entry_checksum(&message.entries[63]));
    raft_message_deinit(got);
    free(got);
    raft_message_deinit(&message);
}
END_TEST

START_TEST(one_entry_too_many_is_refused)
{
    struct raft_message *got = NULL;
    struct cu_diag diag = {{0}};
    struct raft_message message = {.kind = RAFT_MSG_APPEND, .entry_count = RAFT_ENTRY_BATCH + 1};
    message.entries = cu_alloc(message.entry_count * sizeof *message.entries);
    for (uint32_t i = 0; i < message.entry_count; i++)
        message.entries[i] = an_entry(8 + i);
    ck_assert_uint_eq(travel(&message, &got, &diag), CU_E_INVALID);
    ck_assert_str_eq(diag.text, "a message carries more than 64 entries");
    raft_message_deinit(&message);
}
END_TEST

START_TEST(every_reason_has_words_that_come_back)
{
    for (int why = RAFT_HEARD; why < RAFT_IGN_COUNT; why++) {
        struct raft_message *got = NULL;
        struct raft_message message = {.kind = RAFT_MSG_IGNORED, .reason = (enum raft_ignored)why};
        ck_assert_uint_eq(travel(&message, &got, NULL), CU_OK);
        ck_assert_uint_eq(got->reason, why);
        free(got);
    }
}
END_TEST

static void spoil_checksum(raft_pb_message *m)
{
    m->entries[0]->checksum ^= 1;
}

static void spoil_kind(raft_pb_message *m)
{
    m->kind = RAFT_MSG_KIND_COUNT;
}

static void spoil_entry_kind(raft_pb_message *m)
{
    m->entries[0]->kind = 5;
}

static void spoil_from(raft_pb_message *m)
{
    m->from = "not a uuid";
}

static void spoil_cluster(raft_pb_message *m)
{
    m->cluster_id.len = 15;
}

static void spoil_proposer(raft_pb_message *m)
{
    m->entries[0]->proposer.len = 1;
}

static void spoil_body(raft_pb_message *m)
{
    m->entries[0]->body.len = RAFT_ENTRY_LIMIT_BYTES + 1; /* refused before it is read */
}

START_TEST(what_a_peer_could_send_wrong_is_refused_with_words)
{
    /* clang-format off */
    static const struct { void (*spoil)(raft_pb_message *); const char *want; } cases[] = {
        {spoil_checksum,   "entry 8 fails its checksum"},
        {spoil_kind,       "unknown message kind 18"},
        {spoil_entry_kind, "entry 8 has unknown kind 5"},
        {spoil_from,       "a node id is no UUID"},
        {spoil_cluster,    "a cluster id has not 16 bytes"},
        {spoil_proposer,   "entry 8: a proposer has not 16 bytes"},
        {spoil_body,       "entry 8 is over the limit in bytes"},
    };
    /* clang-format on */
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct cu_arena *arena = cu_arena_new(RAFT_WIRE_ARENA_BYTES);
        struct raft_entry entry = an_entry(8);
        struct raft_message message = {.kind = RAFT_MSG_APPEND,
                                       .from = {{1}},
                                       .cluster = {{4}},
                                       .entry_count = 1,
                                       .entries = &entry};
        struct raft_message *got = NULL;
        struct cu_diag diag = {{0}};
        raft_pb_message *out = raft_wire_message(arena, &message);
        cases[i].spoil(out);
        ck_assert_uint_eq(raft_wire_read_message(out, &got, &diag), CU_E_INVALID);
        ck_assert_str_eq(diag.text, cases[i].want);
        ck_assert_ptr_null(got);
        raft_body_unref(entry.body);
        cu_arena_free(arena);
    }
}
END_TEST

START_TEST(nothing_reads_as_the_position_before_everything)
{
    struct raft_position position = {.index = 9};
    struct raft_header header = {.lineage_count = 9};
    ck_assert_uint_eq(raft_wire_read_position(NULL, &position, NULL), CU_OK);
    ck_assert_uint_eq(position.index, 0);
    ck_assert_uint_eq(raft_wire_read_header(NULL, &header, NULL), CU_OK);
    ck_assert_uint_eq(header.lineage_count, 0);
    ck_assert_uint_eq(header.configuration.count, 0);
}
END_TEST

START_TEST(a_header_of_one_server_or_lineage_too_many_is_refused)
{
    struct cu_arena *arena = cu_arena_new(RAFT_WIRE_ARENA_BYTES);
    struct raft_header header = {.configuration.count = RAFT_SERVERS_MAX,
                                 .lineage_count = RAFT_LINEAGE_MAX},
                       got;
    for (uint32_t i = 0; i < RAFT_SERVERS_MAX; i++)
        header.configuration.servers[i].id.bytes[0] = (uint8_t)(i + 1);
    raft_pb_header *out = raft_wire_header(arena, &header);
    ck_assert_uint_eq(raft_wire_read_header(out, &got, NULL), CU_OK);
    out->n_lineage++;
    ck_assert_uint_eq(raft_wire_read_header(out, &got, NULL), CU_E_INVALID);
    out->n_lineage--;
    out->configuration->n_servers++;
    ck_assert_uint_eq(raft_wire_read_header(out, &got, NULL), CU_E_INVALID);
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("services/raftd/io/wire", a_message_arrives_as_it_left, one_entry_too_many_is_refused,
           every_reason_has_words_that_come_back,
           what_a_peer_could_send_wrong_is_refused_with_words,
           nothing_reads_as_the_position_before_everything,
           a_header_of_one_server_or_lineage_too_many_is_refused)
