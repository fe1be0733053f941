#include "services/gossipd/core/packet.h"

#include <string.h>

#include "services/gossipd/core/codec.h"
#include "services/gossipd/core/wire.h"
#include "tests/golden/gossip_vectors.h"
#include "tests/lib/hex.h"
#include "tests/lib/suite.h"

static struct cu_arena *arena;
static struct cu_buf bytes, inside, again;

static void setup(void)
{
    arena = cu_arena_new(1024 * 1024);
}

static void teardown(void)
{
    cu_arena_free(arena);
    cu_buf_deinit(&bytes);
    cu_buf_deinit(&inside);
    cu_buf_deinit(&again);
}

static enum cu_err try_open(struct gossip_packet *ret_packet)
{
    cu_arena_reset(arena);
    return gossip_packet_decode(cu_buf_bytes(&bytes), arena, ret_packet);
}

static struct gossip_packet opened(const char *hex)
{
    struct gossip_packet packet = {0};
    cu_buf_clear(&bytes);
    hex_append(&bytes, hex);
    ck_assert_int_eq(try_open(&packet), CU_OK);
    ck_assert_uint_eq(packet.truncated + packet.malformed, 0);
    return packet;
}

/* What was opened, encoded and wrapped again. */
static void rewrap(const struct gossip_packet *packet, struct gossip_wrap wrap)
{
    struct cu_buf encoded[8] = {0};
    struct cu_bytes parts[8];
    for (uint32_t i = 0; i < packet->count; i++) {
        gossip_encode(&encoded[i], &packet->messages[i]);
        parts[i] = cu_buf_bytes(&encoded[i]);
    }
    cu_buf_clear(&inside);
    cu_buf_clear(&again);
    gossip_packet_join(&inside, parts, packet->count);
    gossip_packet_wrap(&again, cu_buf_bytes(&inside), wrap);
    for (uint32_t i = 0; i < packet->count; i++)
        cu_buf_deinit(&encoded[i]);
}

static const struct vector {
    const char *name, *hex;
    struct gossip_wrap wrap;
    uint32_t count;
    enum gossip_type types[3];
} vectors[] = {
    {"V1", GOSSIP_V1, {0}, 1, {GOSSIP_PING}},
    {"V2", GOSSIP_V2, {0}, 1, {GOSSIP_ACK}},
    {"V3", GOSSIP_V3, {0}, 1, {GOSSIP_ACK}},
    {"V4", GOSSIP_V4, {0}, 1, {GOSSIP_INDIRECT_PING}},
    {"V5", GOSSIP_V5, {0}, 1, {GOSSIP_NACK}},
    {"V6", GOSSIP_V6, {.crc = true}, 2, {GOSSIP_PING, GOSSIP_SUSPECT}},
    {"V7", GOSSIP_V7, {.crc = true}, 1, {GOSSIP_SUSPECT}},
    {"V8", GOSSIP_V8, {0}, 2, {GOSSIP_ACK, GOSSIP_ALIVE}},
    {"V9", GOSSIP_V9, {.crc = true}, 1, {GOSSIP_ALIVE}},
    {"V10", GOSSIP_V10, {.crc = true}, 1, {GOSSIP_DEAD}},
    {"V11", GOSSIP_V11, {.crc = true}, 1, {GOSSIP_DEAD}},
    {"V12", GOSSIP_V12, {.crc = true}, 3, {GOSSIP_ALIVE, GOSSIP_ALIVE, GOSSIP_USER}},
    {"V13", GOSSIP_V13, {.crc = true}, 1, {GOSSIP_USER}},
    {"V14", GOSSIP_V14, {.crc = true}, 1, {GOSSIP_USER}},
    {"V15", GOSSIP_V15, {.crc = true}, 2, {GOSSIP_USER, GOSSIP_USER}},
    {"V16", GOSSIP_V16, {.crc = true}, 1, {GOSSIP_USER}},
    {"V17", GOSSIP_V17, {.crc = true}, 1, {GOSSIP_USER}},
    {"V18", GOSSIP_V18, {0}, 1, {GOSSIP_USER}},
    {"V19", GOSSIP_V19, {0}, 1, {GOSSIP_USER}},
    {"V20", GOSSIP_V20, {.crc = true}, 1, {GOSSIP_USER}},
    {"V25", GOSSIP_V25, {.crc = true}, 1, {GOSSIP_USER}},
    {"V26", GOSSIP_V26, {.crc = true}, 1, {GOSSIP_USER}},
    {"V27", GOSSIP_V27, {.crc = true}, 1, {GOSSIP_USER}},
    {"V28", GOSSIP_V28, {.crc = true, .compress = true}, 2, {GOSSIP_ALIVE, GOSSIP_ALIVE}},
    {"V29", GOSSIP_V29, {.compress = true}, 1, {GOSSIP_ACK}},
};

START_TEST(the_captured_packets_open_and_wrap_to_the_same_bytes) /* gossip 1 */
{
    setup();
    for (size_t i = 0; i < CU_COUNT(vectors); i++) {
        const struct vector *v = &vectors[i];
        struct gossip_packet packet = opened(v->hex);
        ck_assert_uint_eq(packet.count, v->count);
        for (uint32_t m = 0; m < packet.count; m++)
            ck_assert_int_eq(packet.messages[m].type, v->types[m]);
        rewrap(&packet, v->wrap);
        ck_assert_msg(cu_bytes_equal(cu_buf_bytes(&again), cu_buf_bytes(&bytes)), "%s", v->name);
    }
    teardown();
}
END_TEST

static void ck_text(struct cu_bytes got, const char *want)
{
    ck_assert_msg(cu_bytes_equal(got, cu_bytes_of(want)), "%.*s is not %s", (int)got.len,
                  (const char *)got.data, want);
}

START_TEST(v6_to_v12_say_what_was_captured)
{
    setup();
    struct gossip_packet p = opened(GOSSIP_V6);
    ck_text(p.messages[0].ping.node, "n2");
    ck_assert_uint_eq(p.messages[0].ping.seq, 15);
    ck_text(p.messages[1].suspect.from, "n1");
    ck_assert_uint_eq(p.messages[1].suspect.incarnation, 2);
    p = opened(GOSSIP_V8);
    ck_assert_uint_eq(p.messages[0].ack.payload.len, 130);
    ck_assert_uint_eq(p.messages[1].alive.incarnation, 3);
    ck_assert_uint_eq(p.messages[1].alive.addr.port, 38702);
    ck_assert_uint_eq(p.messages[1].alive.meta.len, 18);
    p = opened(GOSSIP_V10);
    ck_text(p.messages[0].dead.from, "n1");
    ck_text(p.messages[0].dead.node, "n3");
    p = opened(GOSSIP_V11);
    ck_text(p.messages[0].dead.from, "n2");
    ck_text(p.messages[0].dead.node, "n2");
    p = opened(GOSSIP_V12);
    struct gossip_serf serf;
    ck_assert_int_eq(gossip_serf_decode(p.messages[2].user.body, arena, &serf), CU_OK);
    ck_assert_int_eq(serf.type, GOSSIP_SERF_JOIN);
    ck_assert_uint_eq(serf.intent.ltime, 1);
    ck_text(serf.intent.node, "n2");
    teardown();
}
END_TEST

static void ck_tag(struct cu_bytes meta, uint32_t count, const char *name, const char *value)
{
    struct gossip_tags tags;
    ck_assert_int_eq(gossip_tags_decode(meta, &tags), CU_OK);
    ck_assert_uint_eq(tags.count, count);
    ck_text(gossip_tags_get(&tags, name), value);
}

START_TEST(v28_holds_a_consul_server_and_a_client)
{
    setup();
    struct gossip_packet p = opened(GOSSIP_V28);
    ck_text(p.messages[0].alive.node, "srv1");
    ck_tag(p.messages[0].alive.meta, 15, "wan_join_port", "38302");
    ck_tag(p.messages[0].alive.meta, 15, "role", "consul");
    ck_text(p.messages[1].alive.node, "cli1");
    ck_tag(p.messages[1].alive.meta, 9, "role", "node");
    ck_assert(gossip_versions_equal(p.messages[1].alive.versions,
                                    (struct gossip_versions)GOSSIP_VERSIONS_CONSUL));
    teardown();
}
END_TEST

/* A compound of `count` nacks in `bytes`. */
static void compound_of_nacks(unsigned count)
{
    cu_buf_clear(&bytes);
    cu_buf_u8(&bytes, GOSSIP_COMPOUND);
    cu_buf_u8(&bytes, (uint8_t)count);
    for (unsigned i = 0; i < count; i++)
        hex_append(&bytes, "0009");
    for (unsigned i = 0; i < count; i++)
        hex_append(&bytes, GOSSIP_V5);
}

START_TEST(a_compound_of_127_parts_is_made_and_one_of_255_is_read) /* gossip 6 */
{
    struct gossip_packet p;
    struct cu_bytes parts[GOSSIP_COMPOUND_MAX_PARTS];
    struct cu_buf nack = {0};
    setup();
    for (int i = 0; i < GOSSIP_COMPOUND_MAX_PARTS; i++)
        parts[i] = (struct cu_bytes){0};
    parts[0] = hex_append(&nack, GOSSIP_V5);
    for (int i = 1; i < GOSSIP_COMPOUND_MAX_PARTS; i++)
        parts[i] = parts[0];
    gossip_packet_join(&inside, parts, GOSSIP_COMPOUND_MAX_PARTS);
    compound_of_nacks(GOSSIP_COMPOUND_MAX_PARTS);
    ck_assert(cu_bytes_equal(cu_buf_bytes(&inside), cu_buf_bytes(&bytes)));
    ck_assert_int_eq(try_open(&p), CU_OK);
    ck_assert_uint_eq(p.count, 127);
    compound_of_nacks(255);
    ck_assert_int_eq(try_open(&p), CU_OK);
    ck_assert_uint_eq(p.count, 255);
    cu_buf_deinit(&nack);
    teardown();
}
END_TEST

START_TEST(parts_before_a_cut_are_delivered_and_the_rest_is_counted) /* gossip 7 */
{
    struct gossip_packet p;
    setup();
    compound_of_nacks(5);
    bytes.len -= 10; /* the last, and one byte of the fourth */
    ck_assert_int_eq(try_open(&p), CU_OK);
    ck_assert_uint_eq(p.count, 3);
    ck_assert_uint_eq(p.truncated, 2);
    teardown();
}
END_TEST

START_TEST(an_empty_part_is_passed_over_and_a_malformed_one_is_counted) /* gossip.md 3.2, trap 2 */
{
    struct gossip_packet p;
    setup();
    hex_append(&bytes, "0703 0000 0002 0009 00ff " GOSSIP_V5);
    ck_assert_int_eq(try_open(&p), CU_OK);
    ck_assert_uint_eq(p.count, 1);
    ck_assert_uint_eq(p.malformed, 1);
    ck_assert_uint_eq(p.truncated, 0);
    teardown();
}
END_TEST

START_TEST(a_crc_that_does_not_fit_drops_the_packet) /* gossip 8 */
{
    setup();
    (void)opened(GOSSIP_V7);
    for (size_t at = 1; at < bytes.len; at++) {
        struct gossip_packet p = {.count = 7};
        bytes.data[at] ^= 0x10;
        ck_assert_int_eq(try_open(&p), CU_E_INVALID);
        ck_assert_uint_eq(p.count, 7);
        bytes.data[at] ^= 0x10;
    }
    teardown();
}
END_TEST

START_TEST(malformed_packets_are_refused) /* gossip.md 25, gossip 8 */
{
    static const char *const bad[] = {
        "",
        "00",
        "07",
        "0701",
        "070100",
        "0c",
        "0c000000",
        "0c00000000",
        "09",
        "0980",
        "0991",
        "0f80",
        "f48000",
        "0a00000001",
        "0d80",
        "0982a4416c676f01a3427566a400030280",             /* another algorithm */
        "0982a4416c676f00a3427566a3000302",               /* expands to nothing */
        "0982a4416c676f00a3427566a2ffff",                 /* no such codes */
        "0682a54e6f64657300ac5573657253746174654c656e00", /* belongs to streams */
    };
    setup();
    for (size_t i = 0; i < CU_COUNT(bad); i++) {
        struct gossip_packet p;
        cu_buf_clear(&bytes);
        hex_append(&bytes, bad[i]);
        ck_assert_msg(try_open(&p) == CU_E_INVALID, "%s", bad[i]);
    }
    teardown();
}
END_TEST

START_TEST(wrappings_may_be_four_deep) /* gossip.md 25 */
{
    struct gossip_packet p;
    setup();
    hex_append(&bytes, GOSSIP_V5);
    for (int depth = 1; depth <= GOSSIP_PACKET_MAX_DEPTH + 1; depth++) {
        cu_buf_clear(&again);
        gossip_packet_wrap(&again, cu_buf_bytes(&bytes), (struct gossip_wrap){.crc = true});
        cu_buf_clear(&bytes);
        cu_buf_append(&bytes, again.data, again.len);
        ck_assert_int_eq(try_open(&p), depth <= GOSSIP_PACKET_MAX_DEPTH ? CU_OK : CU_E_TOO_LARGE);
    }
    teardown();
}
END_TEST

/* A user message of `len` bytes, compressed. */
static enum cu_err open_inflating(size_t len)
{
    struct gossip_packet p;
    cu_buf_clear(&inside);
    memset(cu_buf_extend(&inside, len), GOSSIP_USER, len);
    cu_buf_clear(&bytes);
    gossip_packet_wrap(&bytes, cu_buf_bytes(&inside), (struct gossip_wrap){.compress = true});
    ck_assert_uint_lt(bytes.len, len / 8);
    return try_open(&p);
}

START_TEST(a_packet_expands_to_its_limit_and_no_further)
{
    setup();
    ck_assert_int_eq(open_inflating(GOSSIP_PACKET_MAX_INFLATED), CU_OK);
    ck_assert_int_eq(open_inflating(GOSSIP_PACKET_MAX_INFLATED + 1), CU_E_TOO_LARGE);
    teardown();
}
END_TEST

START_TEST(the_parts_of_a_packet_share_its_limit)
{
    struct gossip_packet p;
    struct cu_bytes parts[2];
    setup();
    ck_assert_int_eq(open_inflating(GOSSIP_PACKET_MAX_INFLATED / 2 + 1), CU_OK);
    parts[0] = parts[1] = cu_buf_bytes(&bytes);
    cu_buf_clear(&again);
    gossip_packet_join(&again, parts, 2);
    cu_buf_clear(&bytes);
    cu_buf_append(&bytes, again.data, again.len);
    ck_assert_int_eq(try_open(&p), CU_E_TOO_LARGE);
    teardown();
}
END_TEST

/* A compound of compounds, `count` nacks in all. */
static enum cu_err open_many(unsigned count)
{
    struct gossip_packet p;
    struct cu_buf outer = {0};
    unsigned whole = count / 128, rest = count % 128, parts = whole + (rest > 0);
    cu_buf_u8(&outer, GOSSIP_COMPOUND);
    cu_buf_u8(&outer, (uint8_t)parts);
    for (unsigned i = 0; i < parts; i++) {
        size_t len = 2 + 11ul * (i < whole ? 128 : rest);
        cu_buf_u8(&outer, (uint8_t)(len >> 8));
        cu_buf_u8(&outer, (uint8_t)len);
    }
    for (unsigned i = 0; i < parts; i++) {
        compound_of_nacks(i < whole ? 128 : rest);
        cu_buf_append(&outer, bytes.data, bytes.len);
    }
    cu_buf_clear(&bytes);
    cu_buf_append(&bytes, outer.data, outer.len);
    cu_buf_deinit(&outer);
    return try_open(&p);
}

START_TEST(a_packet_holds_so_many_messages_and_no_more)
{
    setup();
    ck_assert_int_eq(open_many(GOSSIP_PACKET_MAX_MESSAGES), CU_OK);
    ck_assert_int_eq(open_many(GOSSIP_PACKET_MAX_MESSAGES + 1), CU_E_TOO_LARGE);
    teardown();
}
END_TEST

START_TEST(compression_is_used_only_when_it_is_shorter) /* gossip 18 */
{
    struct gossip_wrap compress = {.compress = true};
    setup();
    (void)opened(GOSSIP_V5);
    gossip_packet_wrap(&again, cu_buf_bytes(&bytes), compress);
    ck_assert(cu_bytes_equal(cu_buf_bytes(&again), cu_buf_bytes(&bytes)));
    cu_buf_clear(&again);
    (void)opened(GOSSIP_V2);
    gossip_packet_wrap(&again, cu_buf_bytes(&bytes), compress);
    ck_assert_uint_eq(again.data[0], GOSSIP_COMPRESS);
    ck_assert_uint_lt(again.len, bytes.len);
    teardown();
}
END_TEST

START_TEST(too_little_memory_is_an_error)
{
    struct gossip_packet p;
    setup();
    hex_append(&bytes, GOSSIP_V28);
    for (size_t limit = 0; limit < 200; limit += 8) {
        struct cu_arena *little = cu_arena_new(limit);
        ck_assert_int_eq(gossip_packet_decode(cu_buf_bytes(&bytes), little, &p), CU_E_TOO_LARGE);
        cu_arena_free(little);
    }
    teardown();
}
END_TEST

SUITE_MAIN("services/gossipd/core/packet", the_captured_packets_open_and_wrap_to_the_same_bytes,
           v6_to_v12_say_what_was_captured, v28_holds_a_consul_server_and_a_client,
           a_compound_of_127_parts_is_made_and_one_of_255_is_read,
           parts_before_a_cut_are_delivered_and_the_rest_is_counted,
           an_empty_part_is_passed_over_and_a_malformed_one_is_counted,
           a_crc_that_does_not_fit_drops_the_packet, malformed_packets_are_refused,
           wrappings_may_be_four_deep, a_packet_expands_to_its_limit_and_no_further,
           the_parts_of_a_packet_share_its_limit, a_packet_holds_so_many_messages_and_no_more,
           compression_is_used_only_when_it_is_shorter, too_little_memory_is_an_error)
