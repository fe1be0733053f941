#include "services/gossipd/core/codec.h"

#include "services/gossipd/core/pack.h"
#include "tests/golden/gossip_vectors.h"
#include "tests/lib/hex.h"
#include "tests/lib/suite.h"

enum { ARENA_BYTES = 1024 * 1024 };

static struct cu_arena *arena;
static struct cu_buf bytes, again;

static void setup(void)
{
    arena = cu_arena_new(ARENA_BYTES);
}

static void teardown(void)
{
    cu_arena_free(arena);
    cu_buf_deinit(&bytes);
    cu_buf_deinit(&again);
}

static struct gossip_message decoded(const char *hex)
{
    struct gossip_message message = {0};
    cu_buf_clear(&bytes);
    ck_assert_int_eq(gossip_decode(hex_append(&bytes, hex), arena, &message), CU_OK);
    return message;
}

static void ck_encodes_to_the_same(const struct gossip_message *message)
{
    cu_buf_clear(&again);
    gossip_encode(&again, message);
    ck_assert(cu_bytes_equal(cu_buf_bytes(&again), cu_buf_bytes(&bytes)));
}

static void ck_text(struct cu_bytes got, const char *want)
{
    ck_assert_msg(cu_bytes_equal(got, cu_bytes_of(want)), "%.*s is not %s", (int)got.len,
                  (const char *)got.data, want);
}

static void ck_local(struct gossip_addr addr, unsigned port)
{
    static const uint8_t local[4] = {127, 0, 0, 1};
    ck_assert(gossip_ip_equal(addr.ip, gossip_ip_of((struct cu_bytes){local, 4})));
    ck_assert_uint_eq(addr.port, port);
}

START_TEST(v1_is_a_ping)
{
    setup();
    struct gossip_message m = decoded(GOSSIP_V1);
    ck_assert_int_eq(m.type, GOSSIP_PING);
    ck_text(m.ping.node, "n3");
    ck_assert_uint_eq(m.ping.seq, 1);
    ck_text(m.ping.source.node, "n2");
    ck_local(m.ping.source.addr, 38702);
    ck_encodes_to_the_same(&m);
    teardown();
}
END_TEST

START_TEST(v2_and_v3_are_acks_with_coordinates)
{
    setup();
    struct gossip_message m = decoded(GOSSIP_V2);
    ck_assert_int_eq(m.type, GOSSIP_ACK);
    ck_assert_uint_eq(m.ack.payload.len, 130);
    ck_assert_uint_eq(m.ack.payload.data[0], 1);
    ck_assert_uint_eq(m.ack.seq, 1);
    ck_encodes_to_the_same(&m);
    m = decoded(GOSSIP_V3);
    ck_assert_uint_eq(m.ack.seq, 6);
    ck_encodes_to_the_same(&m);
    teardown();
}
END_TEST

START_TEST(v4_is_an_indirect_ping_that_wants_a_nack)
{
    setup();
    struct gossip_message m = decoded(GOSSIP_V4);
    ck_assert_int_eq(m.type, GOSSIP_INDIRECT_PING);
    ck_assert(m.indirect_ping.wants_nack);
    ck_text(m.indirect_ping.node, "n2");
    ck_local(m.indirect_ping.target, 38702);
    ck_assert_uint_eq(m.indirect_ping.seq, 14);
    ck_text(m.indirect_ping.source.node, "n1");
    ck_local(m.indirect_ping.source.addr, 38701);
    ck_encodes_to_the_same(&m);
    teardown();
}
END_TEST

START_TEST(v5_is_a_nack)
{
    setup();
    struct gossip_message m = decoded(GOSSIP_V5);
    ck_assert_int_eq(m.type, GOSSIP_NACK);
    ck_assert_uint_eq(m.nack.seq, 14);
    ck_encodes_to_the_same(&m);
    teardown();
}
END_TEST

START_TEST(v21_and_v22_are_the_pings_of_streams)
{
    setup();
    struct gossip_message m = decoded(GOSSIP_V21);
    ck_assert_int_eq(m.type, GOSSIP_PING);
    ck_assert_uint_eq(m.ping.seq, 14);
    ck_encodes_to_the_same(&m);
    m = decoded(GOSSIP_V22);
    ck_assert_int_eq(m.type, GOSSIP_ACK);
    ck_assert_ptr_null(m.ack.payload.data);
    ck_assert_uint_eq(m.ack.seq, 14);
    ck_encodes_to_the_same(&m);
    teardown();
}
END_TEST

/* The user state must encode to the same, too. */
static void ck_state(struct cu_bytes user_state, uint32_t status_count)
{
    struct gossip_serf serf;
    struct cu_buf out = {0};
    ck_assert_int_eq(gossip_serf_decode(user_state, arena, &serf), CU_OK);
    ck_assert_int_eq(serf.type, GOSSIP_SERF_PUSH_PULL);
    ck_assert_uint_eq(serf.state.ltime, 1);
    ck_assert_uint_eq(serf.state.event_ltime, 1);
    ck_assert_uint_eq(serf.state.query_ltime, 1);
    ck_assert_uint_eq(serf.state.left_count, 0);
    ck_assert_uint_eq(serf.state.status_count, status_count);
    ck_text(serf.state.status[status_count - 1].node, "n2");
    ck_assert_uint_eq(serf.state.events.len, 3 + GOSSIP_EVENT_SLOTS);
    serf.state.events = (struct cu_bytes){0};
    gossip_serf_encode(&out, &serf);
    ck_assert(cu_bytes_equal(cu_buf_bytes(&out), user_state));
    cu_buf_deinit(&out);
}

START_TEST(v23_and_v24_are_push_pulls)
{
    setup();
    struct gossip_message m = decoded(GOSSIP_V23);
    ck_assert_int_eq(m.type, GOSSIP_PUSH_PULL);
    ck_assert(m.push_pull.is_join);
    ck_assert_uint_eq(m.push_pull.node_count, 1);
    ck_text(m.push_pull.nodes[0].alive.node, "n2");
    ck_local(m.push_pull.nodes[0].alive.addr, 38702);
    ck_assert_uint_eq(m.push_pull.nodes[0].alive.incarnation, 1);
    ck_assert_int_eq(m.push_pull.nodes[0].state, GOSSIP_STATE_ALIVE);
    ck_assert(gossip_versions_equal(m.push_pull.nodes[0].alive.versions,
                                    (struct gossip_versions)GOSSIP_VERSIONS_SERF));
    ck_state(m.push_pull.user_state, 1);
    ck_encodes_to_the_same(&m);
    m = decoded(GOSSIP_V24);
    ck_assert_uint_eq(m.push_pull.node_count, 2);
    ck_text(m.push_pull.nodes[1].alive.node, "n1");
    ck_state(m.push_pull.user_state, 2);
    ck_encodes_to_the_same(&m);
    teardown();
}
END_TEST

START_TEST(intents_round_trip_and_a_missing_prune_is_false) /* V13, and serf 0.8.3 and older */
{
    static const char leave[] = "0083a54c54696d6502a44e6f6465a26e33a55072756e65c2";
    static const char old[] = "0082a54c54696d6502a44e6f6465a26e33";
    static const char join[] = "0182a54c54696d6501a44e6f6465a26e32";
    struct gossip_serf serf;
    setup();
    ck_assert_int_eq(gossip_serf_decode(hex_append(&bytes, leave), arena, &serf), CU_OK);
    ck_assert_int_eq(serf.type, GOSSIP_SERF_LEAVE);
    ck_assert_uint_eq(serf.intent.ltime, 2);
    ck_text(serf.intent.node, "n3");
    gossip_serf_encode(&again, &serf);
    ck_assert(cu_bytes_equal(cu_buf_bytes(&again), cu_buf_bytes(&bytes)));
    cu_buf_clear(&bytes);
    ck_assert_int_eq(gossip_serf_decode(hex_append(&bytes, old), arena, &serf), CU_OK);
    ck_assert(!serf.intent.prune);
    cu_buf_clear(&bytes);
    cu_buf_clear(&again);
    ck_assert_int_eq(gossip_serf_decode(hex_append(&bytes, join), arena, &serf), CU_OK);
    gossip_serf_encode(&again, &serf);
    ck_assert(cu_bytes_equal(cu_buf_bytes(&again), cu_buf_bytes(&bytes)));
    teardown();
}
END_TEST

START_TEST(what_later_issues_read_is_kept_whole)
{
    struct gossip_serf serf;
    setup();
    for (int type = GOSSIP_SERF_USER_EVENT; type < GOSSIP_SERF_TYPE_COUNT; type++) {
        uint8_t raw[] = {(uint8_t)type, 0x81, 0xff};
        struct cu_bytes whole = {raw, sizeof raw};
        ck_assert_int_eq(gossip_serf_decode(whole, arena, &serf), CU_OK);
        ck_assert_int_eq((int)serf.type, type);
        ck_assert(cu_bytes_equal(serf.whole, whole));
        cu_buf_clear(&again);
        gossip_serf_encode(&again, &serf);
        ck_assert(cu_bytes_equal(cu_buf_bytes(&again), whole));
    }
    teardown();
}
END_TEST

START_TEST(any_order_unknown_missing_and_nil_fields_are_read) /* gossip 4 */
{
    /* suspect {X: [1, {}], Node: "b" as str8, Incarnation: nil, From: "a" as bin8} */
    setup();
    struct gossip_message m = decoded("0384 a158920180 a44e6f6465d90162 ab496e6361726e6174696f6ec0"
                                      "a446726f6dc40161");
    ck_text(m.suspect.node, "b");
    ck_text(m.suspect.from, "a");
    ck_assert_uint_eq(m.suspect.incarnation, 0);
    m = decoded("0380");
    ck_assert_uint_eq(m.suspect.node.len, 0);
    teardown();
}
END_TEST

START_TEST(odd_values_do_no_harm) /* gossip.md 25 */
{
    setup();
    struct gossip_message m = decoded("0481a356736ea20105"); /* Vsn of two bytes */
    ck_assert(!m.alive.versions.known);
    m = decoded("0682a54e6f64657301ac5573657253746174654c656e00 81a5537461746563");
    ck_assert_int_eq(m.push_pull.nodes[0].state, GOSSIP_STATE_DEAD); /* 99 */
    m = decoded("0481a441646472b000000000000000000000ffff7f000001");
    ck_assert_uint_eq(m.alive.addr.ip.len, 4);
    teardown();
}
END_TEST

START_TEST(what_is_no_message_is_refused)
{
    static const char *const bad[] = {
        "",
        "00",
        "0091",
        "03",
        "07",
        "0980",
        "0a",
        "0c",
        "0e80",
        "ff80",
        "008100",
        "00ffffff",
        "0381a44e6f64",
        "0481a4416464",
        "0481a441646472a3010203",
        "03de0001",
        "0082a55365714e6fd0ff",
        "0281a55365714e6fcf0000000100000000",
        "0681a54e6f64657301",
        "0681ac5573657253746174654c656e01",
        "0681a54e6f646573ff",
    };
    struct gossip_message m;
    setup();
    for (size_t i = 0; i < CU_COUNT(bad); i++) {
        cu_buf_clear(&bytes);
        ck_assert_msg(gossip_decode(hex_append(&bytes, bad[i]), arena, &m) == CU_E_INVALID, "%s",
                      bad[i]);
    }
    ck_assert_int_eq(gossip_decode((struct cu_bytes){0}, arena, &m), CU_E_INVALID);
    teardown();
}
END_TEST

/* suspect {Node: `len` bytes}, or alive {Meta: ...} */
static enum cu_err decode_sized(uint8_t type, const char *field, size_t len)
{
    struct gossip_message m;
    static const uint8_t filler[600];
    cu_buf_clear(&bytes);
    cu_buf_u8(&bytes, type);
    gossip_pack_map(&bytes, 1);
    gossip_pack_text(&bytes, field);
    gossip_pack_raw(&bytes, (struct cu_bytes){filler, len});
    return gossip_decode(cu_buf_bytes(&bytes), arena, &m);
}

START_TEST(names_and_meta_have_limits) /* gossip.md 25 */
{
    setup();
    ck_assert_int_eq(decode_sized(GOSSIP_SUSPECT, "Node", GOSSIP_NAME_MAX_BYTES), CU_OK);
    ck_assert_int_eq(decode_sized(GOSSIP_SUSPECT, "Node", GOSSIP_NAME_MAX_BYTES + 1),
                     CU_E_TOO_LARGE);
    ck_assert_int_eq(decode_sized(GOSSIP_ALIVE, "Meta", GOSSIP_META_MAX_BYTES), CU_OK);
    ck_assert_int_eq(decode_sized(GOSSIP_ALIVE, "Meta", GOSSIP_META_MAX_BYTES + 1), CU_E_TOO_LARGE);
    teardown();
}
END_TEST

static enum cu_err decode_exchange(uint32_t nodes, uint32_t user_state_len)
{
    struct gossip_message m;
    cu_buf_clear(&bytes);
    cu_buf_u8(&bytes, GOSSIP_PUSH_PULL);
    gossip_pack_map(&bytes, 2);
    gossip_pack_text(&bytes, "Nodes");
    gossip_pack_uint(&bytes, nodes);
    gossip_pack_text(&bytes, "UserStateLen");
    gossip_pack_uint(&bytes, user_state_len);
    for (uint32_t i = 0; i < nodes; i++)
        cu_buf_u8(&bytes, 0x80);
    return gossip_decode(cu_buf_bytes(&bytes), arena, &m);
}

START_TEST(an_exchange_has_limits_that_cost_nothing_to_check)
{
    setup();
    cu_arena_set_limit(arena, GOSSIP_NODES_MAX * sizeof(struct gossip_node_state) + 4096);
    ck_assert_int_eq(decode_exchange(GOSSIP_NODES_MAX, 0), CU_OK);
    cu_arena_reset(arena);
    ck_assert_int_eq(decode_exchange(GOSSIP_NODES_MAX + 1, 0), CU_E_TOO_LARGE);
    ck_assert_int_eq(decode_exchange(0, GOSSIP_STREAM_MAX_BYTES + 1), CU_E_TOO_LARGE);
    ck_assert_int_eq(decode_exchange(0, GOSSIP_STREAM_MAX_BYTES), CU_E_INVALID); /* is not there */
    ck_assert_uint_eq(cu_arena_used(arena), 0);
    teardown();
}
END_TEST

static enum cu_err decode_names(const char *field, uint32_t count, bool is_map)
{
    struct gossip_serf serf;
    cu_buf_clear(&bytes);
    cu_buf_u8(&bytes, GOSSIP_SERF_PUSH_PULL);
    gossip_pack_map(&bytes, 1);
    gossip_pack_text(&bytes, field);
    (is_map ? gossip_pack_map : gossip_pack_list)(&bytes, count);
    for (uint32_t i = 0; i < count; i++)
        hex_append(&bytes, is_map ? "a000" : "a0");
    return gossip_serf_decode(cu_buf_bytes(&bytes), arena, &serf);
}

START_TEST(lists_of_names_have_a_limit)
{
    setup();
    cu_arena_set_limit(arena, 2 * GOSSIP_NAMES_MAX * sizeof(struct gossip_status_ltime));
    ck_assert_int_eq(decode_names("LeftMembers", GOSSIP_NAMES_MAX, false), CU_OK);
    ck_assert_int_eq(decode_names("LeftMembers", GOSSIP_NAMES_MAX + 1, false), CU_E_TOO_LARGE);
    cu_arena_reset(arena);
    ck_assert_int_eq(decode_names("StatusLTimes", GOSSIP_NAMES_MAX, true), CU_OK);
    ck_assert_int_eq(decode_names("StatusLTimes", GOSSIP_NAMES_MAX + 1, true), CU_E_TOO_LARGE);
    teardown();
}
END_TEST

START_TEST(a_list_longer_than_its_bytes_is_refused_before_it_is_allocated)
{
    struct gossip_serf serf;
    setup();
    /* 65535 left members, and 65535 times: nothing follows */
    static const char *const bad[] = {"0281ab4c6566744d656d62657273dcffff",
                                      "0281ac5374617475734c54696d6573deffff00",
                                      "0281a64576656e7473dcffffc0", "0281a64576656e747301"};
    for (size_t i = 0; i < CU_COUNT(bad); i++) {
        cu_buf_clear(&bytes);
        ck_assert_int_eq(gossip_serf_decode(hex_append(&bytes, bad[i]), arena, &serf),
                         CU_E_INVALID);
    }
    ck_assert_uint_eq(cu_arena_used(arena), 0);
    teardown();
}
END_TEST

SUITE_MAIN("services/gossipd/core/codec", v1_is_a_ping, v2_and_v3_are_acks_with_coordinates,
           v4_is_an_indirect_ping_that_wants_a_nack, v5_is_a_nack,
           v21_and_v22_are_the_pings_of_streams, v23_and_v24_are_push_pulls,
           intents_round_trip_and_a_missing_prune_is_false, what_later_issues_read_is_kept_whole,
           any_order_unknown_missing_and_nil_fields_are_read, odd_values_do_no_harm,
           what_is_no_message_is_refused, names_and_meta_have_limits,
           an_exchange_has_limits_that_cost_nothing_to_check, lists_of_names_have_a_limit,
           a_list_longer_than_its_bytes_is_refused_before_it_is_allocated)
