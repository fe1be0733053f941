#include "services/gossipd/core/stream.h"

#include <stdlib.h>
#include <string.h>

#include "services/gossipd/core/codec.h"
#include "services/gossipd/core/pack.h"
#include "services/gossipd/core/wire.h"
#include "tests/golden/gossip_vectors.h"
#include "tests/lib/hex.h"
#include "tests/lib/suite.h"

static struct cu_arena *arena;
static struct cu_buf bytes, again;

static void setup(void)
{
    arena = cu_arena_new(64ul * 1024 * 1024);
}

static void teardown(void)
{
    cu_arena_free(arena);
    cu_buf_deinit(&bytes);
    cu_buf_deinit(&again);
}

static const char *const vectors[] = {GOSSIP_V21, GOSSIP_V22, GOSSIP_V23, GOSSIP_V24, GOSSIP_V30};

START_TEST(the_captured_streams_are_whole_at_their_last_byte_and_not_before)
{
    setup();
    for (size_t i = 0; i < CU_COUNT(vectors); i++) {
        struct gossip_stream stream = {0};
        cu_buf_clear(&bytes);
        hex_append(&bytes, vectors[i]);
        for (size_t have = 0; have <= bytes.len; have++) {
            bool whole = false;
            ck_assert_int_eq(
                gossip_stream_measure(&stream, (struct cu_bytes){bytes.data, have}, &whole), CU_OK);
            ck_assert_int_eq(whole, have == bytes.len);
        }
    }
    teardown();
}
END_TEST

START_TEST(the_captured_streams_decode_and_encode_to_the_same_bytes) /* gossip 1 */
{
    setup();
    for (size_t i = 0; i < CU_COUNT(vectors); i++) {
        struct gossip_message m;
        cu_buf_clear(&bytes);
        cu_buf_clear(&again);
        hex_append(&bytes, vectors[i]);
        ck_assert_int_eq(gossip_stream_decode(cu_buf_bytes(&bytes), arena, &m), CU_OK);
        struct cu_buf plain = {0};
        gossip_stream_encode(&plain, &m);
        gossip_stream_wrap(&again, cu_buf_bytes(&plain), bytes.data[0] == GOSSIP_COMPRESS);
        ck_assert(cu_bytes_equal(cu_buf_bytes(&again), cu_buf_bytes(&bytes)));
        cu_buf_deinit(&plain);
    }
    teardown();
}
END_TEST

START_TEST(v30_is_the_join_of_a_consul_client)
{
    struct gossip_message m;
    struct gossip_serf serf;
    setup();
    ck_assert_int_eq(gossip_stream_decode(hex_append(&bytes, GOSSIP_V30), arena, &m), CU_OK);
    ck_assert_int_eq(m.type, GOSSIP_PUSH_PULL);
    ck_assert(m.push_pull.is_join);
    ck_assert_uint_eq(m.push_pull.node_count, 1);
    ck_assert(cu_bytes_equal(m.push_pull.nodes[0].alive.node, cu_bytes_of("cli1")));
    ck_assert_uint_eq(m.push_pull.nodes[0].alive.addr.port, 38303);
    ck_assert_uint_eq(m.push_pull.user_state.len, 588);
    ck_assert_int_eq(gossip_serf_decode(m.push_pull.user_state, arena, &serf), CU_OK);
    ck_assert_uint_eq(serf.state.event_ltime, 1);
    ck_assert_uint_eq(serf.state.status_count, 1);
    teardown();
}
END_TEST

START_TEST(a_user_message_carries_its_length) /* gossip.md 4.1 */
{
    struct gossip_message m = {.type = GOSSIP_USER, .user.body = cu_bytes_of("hi")}, got;
    struct gossip_stream stream = {0};
    bool whole = false;
    setup();
    gossip_stream_encode(&bytes, &m);
    ck_assert(cu_bytes_equal(cu_buf_bytes(&bytes),
                             hex_append(&again, "0881aa557365724d73674c656e026869")));
    ck_assert_int_eq(gossip_stream_measure(&stream, cu_buf_bytes(&bytes), &whole), CU_OK);
    ck_assert(whole);
    ck_assert_int_eq(gossip_stream_decode(cu_buf_bytes(&bytes), arena, &got), CU_OK);
    ck_assert(cu_bytes_equal(got.user.body, cu_bytes_of("hi")));
    bytes.len--;
    ck_assert_int_eq(gossip_stream_decode(cu_buf_bytes(&bytes), arena, &got), CU_E_INVALID);
    teardown();
}
END_TEST

START_TEST(a_stream_is_compressed_also_when_that_is_longer) /* gossip 18 */
{
    setup();
    hex_append(&bytes, GOSSIP_V22);
    gossip_stream_wrap(&again, cu_buf_bytes(&bytes), true);
    ck_assert_uint_eq(again.data[0], GOSSIP_COMPRESS);
    ck_assert_uint_gt(again.len, bytes.len);
    teardown();
}
END_TEST

START_TEST(what_starts_no_stream_is_refused_at_its_first_byte)
{
    setup();
    for (int type = 0; type < 256; type++) {
        bool starts = type == GOSSIP_PING || type == GOSSIP_ACK || type == GOSSIP_PUSH_PULL ||
                      type == GOSSIP_USER || type == GOSSIP_COMPRESS || type == GOSSIP_ERR;
        struct gossip_stream stream = {0};
        bool whole = false;
        uint8_t first = (uint8_t)type;
        ck_assert_int_eq(gossip_stream_measure(&stream, (struct cu_bytes){&first, 1}, &whole),
                         starts ? CU_OK : CU_E_INVALID);
    }
    teardown();
}
END_TEST

START_TEST(malformed_streams_are_refused_as_soon_as_they_show)
{
    static const char *const bad[] = {"00c1",
                                      "0682c1",
                                      "0681a54e6f646573d0ff",
                                      "0681a54e6f646573c2",
                                      "0881aa557365724d73674c656eff",
                                      "0681a14ac1"};
    setup();
    for (size_t i = 0; i < CU_COUNT(bad); i++) {
        struct gossip_stream stream = {0};
        bool whole = false;
        cu_buf_clear(&bytes);
        hex_append(&bytes, bad[i]);
        ck_assert_msg(gossip_stream_measure(&stream, cu_buf_bytes(&bytes), &whole) == CU_E_INVALID,
                      "%s", bad[i]);
    }
    teardown();
}
END_TEST

/* A header that announces `value` in `field`. */
static enum cu_err announce(uint8_t type, const char *field, uint64_t value)
{
    struct gossip_stream stream = {0};
    bool whole = false;
    cu_buf_clear(&bytes);
    cu_buf_u8(&bytes, type);
    gossip_pack_map(&bytes, 1);
    gossip_pack_text(&bytes, field);
    gossip_pack_uint(&bytes, value);
    enum cu_err err = gossip_stream_measure(&stream, cu_buf_bytes(&bytes), &whole);
    ck_assert(!whole);
    return err;
}

START_TEST(too_much_is_refused_when_it_is_announced)
{
    setup();
    ck_assert_int_eq(announce(GOSSIP_USER, "UserMsgLen", GOSSIP_STREAM_MAX_BYTES), CU_OK);
    ck_assert_int_eq(announce(GOSSIP_USER, "UserMsgLen", GOSSIP_STREAM_MAX_BYTES + 1),
                     CU_E_TOO_LARGE);
    ck_assert_int_eq(announce(GOSSIP_PUSH_PULL, "UserStateLen", GOSSIP_STREAM_MAX_BYTES), CU_OK);
    ck_assert_int_eq(announce(GOSSIP_PUSH_PULL, "UserStateLen", GOSSIP_STREAM_MAX_BYTES + 1),
                     CU_E_TOO_LARGE);
    ck_assert_int_eq(announce(GOSSIP_PUSH_PULL, "Nodes", GOSSIP_NODES_MAX), CU_OK);
    ck_assert_int_eq(announce(GOSSIP_PUSH_PULL, "Nodes", GOSSIP_NODES_MAX + 1), CU_E_TOO_LARGE);
    teardown();
}
END_TEST

START_TEST(one_byte_over_the_limit_is_too_large)
{
    struct gossip_stream stream = {0};
    struct gossip_message m;
    bool whole = false;
    setup();
    memset(cu_buf_extend(&bytes, GOSSIP_STREAM_MAX_BYTES + 1), 0, GOSSIP_STREAM_MAX_BYTES + 1);
    hex_append(&again, "0881aa557365724d73674c656ece");
    memcpy(bytes.data, again.data, again.len);
    memcpy(bytes.data + again.len, (uint8_t[]){0x01, 0x3f, 0xff, 0x00}, 4);
    bytes.len--;
    ck_assert_int_eq(gossip_stream_measure(&stream, cu_buf_bytes(&bytes), &whole), CU_OK);
    ck_assert(whole);
    ck_assert_int_eq(gossip_stream_decode(cu_buf_bytes(&bytes), arena, &m), CU_OK);
    bytes.len++;
    ck_assert_int_eq(gossip_stream_measure(&stream, cu_buf_bytes(&bytes), &whole), CU_E_TOO_LARGE);
    ck_assert_int_eq(gossip_stream_decode(cu_buf_bytes(&bytes), arena, &m), CU_E_TOO_LARGE);
    teardown();
}
END_TEST

static enum cu_err decode_inflating(size_t len)
{
    struct gossip_message m = {.type = GOSSIP_USER}, got;
    struct cu_buf plain = {0};
    cu_buf_clear(&bytes);
    cu_arena_reset(arena);
    size_t header = 1 + 1 + 11 + 5; /* type, map, field name, u32 */
    uint8_t *filler = calloc(1, len);
    m.user.body = (struct cu_bytes){filler, len - header};
    gossip_stream_encode(&plain, &m);
    ck_assert_uint_eq(plain.len, len);
    gossip_stream_wrap(&bytes, cu_buf_bytes(&plain), true);
    cu_buf_deinit(&plain);
    free(filler);
    return gossip_stream_decode(cu_buf_bytes(&bytes), arena, &got);
}

START_TEST(a_stream_expands_to_its_limit_and_no_further)
{
    setup();
    /* What it announces has the limit of a plain stream, so the last good size is that and its
     * header. */
    ck_assert_int_eq(decode_inflating(GOSSIP_STREAM_MAX_BYTES + 18), CU_OK);
    ck_assert_int_eq(decode_inflating(GOSSIP_STREAM_MAX_BYTES + 19), CU_E_TOO_LARGE);
    ck_assert_uint_gt(cu_arena_used(arena), GOSSIP_STREAM_MAX_BYTES);
    ck_assert_int_eq(decode_inflating(GOSSIP_STREAM_MAX_INFLATED + 1), CU_E_TOO_LARGE);
    ck_assert_uint_eq(cu_arena_used(arena), 0); /* refused before it was expanded */
    teardown();
}
END_TEST

SUITE_MAIN("services/gossipd/core/stream",
           the_captured_streams_are_whole_at_their_last_byte_and_not_before,
           the_captured_streams_decode_and_encode_to_the_same_bytes,
           v30_is_the_join_of_a_consul_client, a_user_message_carries_its_length,
           a_stream_is_compressed_also_when_that_is_longer,
           what_starts_no_stream_is_refused_at_its_first_byte,
           malformed_streams_are_refused_as_soon_as_they_show,
           too_much_is_refused_when_it_is_announced, one_byte_over_the_limit_is_too_large,
           a_stream_expands_to_its_limit_and_no_further)
