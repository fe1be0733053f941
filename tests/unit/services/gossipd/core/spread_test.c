/* Spreading, joining, tags, push/pull and its timing: gossip.md 11 to 14, 17, 18, 22. Checklist 9,
 * 46 to 50, 55, 60, 61, 74. */
#include "tests/lib/suite.h"

#include <stdio.h>
#include <string.h>

#include "services/gossipd/core/pack.h"
#include "services/gossipd/core/state.h"
#include "tests/unit/services/gossipd/core/rig.h"

START_TEST(gossip_carries_a_crc_for_those_who_know_it) /* 9 */
{
    struct rig rig;
    struct rig_sent sent;
    rig_open(&rig, &(struct rig_seed){0});
    struct gossip_message old = {.type = GOSSIP_ALIVE,
                                 .alive = {.node = cu_bytes_of("b"),
                                           .addr = rig_addr('b'),
                                           .incarnation = 1,
                                           .versions = {true, 1, 4, 2, 2, 5, 4}}};
    rig_hear(&rig, &old, 'b');
    rig_wait(&rig, 200);
    ck_assert(rig_sent(&rig, GOSSIP_ALIVE, 0, &sent));
    ck_assert(!sent.with_crc);
    rig_close(&rig);
    rig_open(&rig, &(struct rig_seed){.peers = "b"});
    rig_wait(&rig, 200);
    ck_assert(rig_sent(&rig, GOSSIP_ALIVE, 0, &sent));
    ck_assert(sent.with_crc);
    rig_close(&rig);
}
END_TEST

START_TEST(in_a_pool_of_two_a_message_is_told_four_times) /* 46 */
{
    struct rig rig;
    struct rig_sent sent;
    rig_open(&rig, &(struct rig_seed){.peers = "b"});
    rig_wait(&rig, 3000);
    rig_alive(&rig, "b", 7);
    rig_wait(&rig, 3000);
    unsigned told = 0;
    for (unsigned n = 0; rig_sent(&rig, GOSSIP_ALIVE, n, &sent); n++)
        told += sent.message.alive.incarnation == 7;
    ck_assert_uint_eq(told, 4);
    rig_close(&rig);
}
END_TEST

START_TEST(no_packet_passes_1400_bytes_however_much_there_is_to_tell) /* 48 */
{
    struct rig rig;
    char name[64];
    uint8_t meta[512];
    memset(meta, 'x', sizeof meta);
    rig_open(&rig, &(struct rig_seed){0});
    for (unsigned i = 0; i < 200; i++) {
        (void)snprintf(name, sizeof name, "%c%u", 'b' + (int)(i % 20), i);
        rig_alive_meta(&rig, name, 1, (struct cu_bytes){meta, i * 5 % 512});
    }
    rig_wait(&rig, 3000);
    unsigned packets = 0;
    for (uint32_t i = 0; i < rig.actions.count; i++) {
        if (rig.actions.items[i].kind != GOSSIP_ACT_PACKET)
            continue;
        const struct gossip_outgoing *packet = rig.actions.items[i].packet;
        size_t bytes = packet->part_count > 1 ? 2 : 0;
        for (uint32_t p = 0; p < packet->part_count; p++)
            bytes += packet->parts[p].len + (packet->part_count > 1 ? 2 : 0);
        ck_assert_uint_le(bytes, 1400);
        packets++;
    }
    ck_assert_uint_gt(packets, 30);
    rig_close(&rig);
}
END_TEST

START_TEST(members_that_left_hear_no_gossip) /* 49 */
{
    struct rig rig;
    struct rig_sent sent;
    rig_open(&rig, &(struct rig_seed){.peers = "b"});
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "b", 2, false);
    rig_dead(&rig, "b", 1, "b");
    rig_alive(&rig, "c", 1);
    rig_wait(&rig, 900);
    for (unsigned n = 0; rig_sent(&rig, GOSSIP_DEAD, n, &sent); n++)
        ck_assert(gossip_addr_equal(sent.to, rig_addr('c')));
    rig_close(&rig);
}
END_TEST

START_TEST(exchanges_get_rarer_as_the_pool_doubles) /* 50 */
{
    static const struct {
        uint32_t members;
        uint64_t want_ms;
    } cases[] = {{1, 30000},  {32, 30000},  {33, 60000},   {64, 60000},
                 {65, 90000}, {128, 90000}, {129, 120000}, {1000, 180000}};
    for (size_t i = 0; i < CU_COUNT(cases); i++)
        ck_assert_uint_eq(gossip_push_pull_ms(30000, cases[i].members), cases[i].want_ms);
}
END_TEST

START_TEST(a_push_pull_is_answered_with_what_was_known_before_it)
{
    struct rig rig;
    struct gossip_message message;
    rig_open(&rig, &(struct rig_seed){.peers = "b"});
    struct gossip_node_state node = {.alive = {.node = cu_bytes_of("c"),
                                               .addr = rig_addr('c'),
                                               .incarnation = 1,
                                               .versions = GOSSIP_VERSIONS_SERF}};
    rig_push_pull(&rig, &node, 1, NULL, true);
    const struct gossip_action *answer = rig_action(&rig, GOSSIP_ACT_ANSWER);
    ck_assert_uint_eq(answer->answer.call, 77);
    ck_assert_int_eq(gossip_decode(cu_buf_bytes(answer->answer.bytes), rig.arena, &message), CU_OK);
    ck_assert(message.push_pull.is_join);
    ck_assert_uint_eq(message.push_pull.node_count, 2);
    ck_assert_int_eq(rig_status(&rig, "c"), GOSSIP_STATUS_ALIVE);
    rig_close(&rig);
}
END_TEST

START_TEST(a_tcp_ping_is_answered_without_a_payload_and_only_by_its_node) /* 25 */
{
    struct rig rig;
    struct gossip_message ping = {.type = GOSSIP_PING,
                                  .ping = {.node = cu_bytes_of("a"), .seq = 9}},
                          ack;
    struct gossip_event event = {.kind = GOSSIP_EV_STREAM_REQUEST, .tag = 4, .stream = &ping};
    rig_open(&rig, &(struct rig_seed){0});
    rig_step(&rig, event);
    const struct gossip_action *answer = rig_action(&rig, GOSSIP_ACT_ANSWER);
    ck_assert_int_eq(gossip_decode(cu_buf_bytes(answer->answer.bytes), rig.arena, &ack), CU_OK);
    ck_assert_uint_eq(ack.ack.seq, 9);
    ck_assert_ptr_null(ack.ack.payload.data);
    ping.ping.node = cu_bytes_of("b");
    rig_step(&rig, event);
    ck_assert_ptr_null(rig_action(&rig, GOSSIP_ACT_ANSWER)->answer.bytes);
    rig_close(&rig);
}
END_TEST

/* ---- join ---- */

static void join(struct rig *rig, const char *nodes, uint64_t tag)
{
    struct gossip_join_target targets[8];
    uint32_t count = 0;
    for (; *nodes; nodes++)
        targets[count++] = (struct gossip_join_target){.address = rig_addr(*nodes)};
    rig_step(rig, (struct gossip_event){.kind = GOSSIP_EV_JOIN,
                                        .tag = tag,
                                        .join = {.targets = targets, .count = count}});
}

START_TEST(a_join_counts_who_answered_and_tells_why_others_did_not)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){0});
    join(&rig, "bc", 5);
    uint64_t last = rig_action(&rig, GOSSIP_ACT_DIAL)->dial.exchange;
    struct gossip_node_state node = {.alive = {.node = cu_bytes_of("b"),
                                               .addr = rig_addr('b'),
                                               .incarnation = 1,
                                               .versions = GOSSIP_VERSIONS_SERF}};
    rig_reply(&rig, last - 1, &node, 1);
    ck_assert_ptr_null(rig_action(&rig, GOSSIP_ACT_DONE));
    rig_reply(&rig, last, NULL, 0);
    const struct gossip_action *done = rig_action(&rig, GOSSIP_ACT_DONE);
    ck_assert_uint_eq(done->done.tag, 5);
    ck_assert_int_eq(done->done.err, CU_OK);
    ck_assert_uint_eq(done->done.count, 1);
    ck_assert_str_eq(done->done.text, "Failed to join 10.0.0.3:8301: connection refused");
    struct gossip_serf serf; /* and the pool is told of the join, V12 */
    rig_wait(&rig, 200);
    ck_assert(rig_sent_serf(&rig, GOSSIP_SERF_JOIN, 0, &serf));
    ck_assert(cu_bytes_equal(serf.intent.node, cu_bytes_of("a")));
    rig_close(&rig);
}
END_TEST

START_TEST(a_join_that_reaches_nobody_fails)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){0});
    join(&rig, "b", 5);
    struct gossip_message refusal = {.type = GOSSIP_ERR, .err = {.text = cu_bytes_of("no")}};
    rig_step(&rig, (struct gossip_event){.kind = GOSSIP_EV_STREAM_REPLY,
                                         .tag = rig_action(&rig, GOSSIP_ACT_DIAL)->dial.exchange,
                                         .stream = &refusal});
    const struct gossip_action *done = rig_action(&rig, GOSSIP_ACT_DONE);
    ck_assert_int_eq(done->done.err, CU_E_DISCONNECTED);
    ck_assert_str_eq(done->done.text, "Failed to join 10.0.0.2:8301: remote error: no");
    ck_assert(!gossip_is_complete(rig.gossip));
    rig_close(&rig);
}
END_TEST

START_TEST(exchanges_are_limited) /* GOSSIP_EXCHANGES_MAX + 1 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){0});
    for (uint32_t i = 0; i < GOSSIP_EXCHANGES_MAX; i++)
        join(&rig, "b", i + 1);
    ck_assert_ptr_null(rig_action(&rig, GOSSIP_ACT_DONE));
    join(&rig, "b", 5000);
    ck_assert_ptr_null(rig_action(&rig, GOSSIP_ACT_DIAL));
    ck_assert_int_eq(rig_action(&rig, GOSSIP_ACT_DONE)->done.err, CU_E_DISCONNECTED);
    rig_close(&rig);
}
END_TEST

/* ---- tags ---- */

static struct gossip_tags *tags_of(size_t value_len)
{
    static struct gossip_tags tags;
    static char value[600];
    memset(value, 'v', sizeof value);
    tags.count = 1;
    tags.tag[0] = (struct gossip_tag){cu_bytes_of("k"), {(const uint8_t *)value, value_len}};
    return &tags;
}

START_TEST(new_tags_are_announced_under_a_new_incarnation) /* V9, 74 */
{
    enum { LARGEST = 512 - 1 - 1 - 2 - 3 }; /* ff, the map, the key, the value's length */
    struct rig rig;
    struct rig_sent sent;
    rig_open(&rig, &(struct rig_seed){.peers = "b"});
    rig_wait(&rig, 3000);
    rig_step(&rig, (struct gossip_event){
                       .kind = GOSSIP_EV_SET_TAGS, .tag = 6, .set_tags = tags_of(LARGEST)});
    ck_assert_uint_eq(rig_changed(&rig, "a", GOSSIP_CHANGE_UPDATED), 1);
    rig_wait(&rig, 3000);
    ck_assert(rig_sent(&rig, GOSSIP_ALIVE, 0, &sent));
    ck_assert_uint_eq(sent.message.alive.incarnation, 2);
    ck_assert_uint_eq(sent.message.alive.meta.len, 512);
    ck_assert_int_eq(rig_action(&rig, GOSSIP_ACT_DONE)->done.err, CU_OK);
    rig_step(&rig, (struct gossip_event){
                       .kind = GOSSIP_EV_SET_TAGS, .tag = 7, .set_tags = tags_of(LARGEST + 1)});
    ck_assert_int_eq(rig_action(&rig, GOSSIP_ACT_DONE)->done.err, CU_E_TOO_LARGE);
    ck_assert_str_eq(rig_action(&rig, GOSSIP_ACT_DONE)->done.text,
                     "Encoded length of tags exceeds limit of 512 bytes");
    ck_assert_uint_eq(rig_incarnation(&rig, "a"), 2);
    rig_close(&rig);
}
END_TEST

/* ---- user events and queries ---- */

static void hear_event(struct rig *rig, uint64_t ltime, const char *name)
{
    struct cu_buf body = {0};
    cu_buf_u8(&body, GOSSIP_SERF_USER_EVENT);
    gossip_pack_map(&body, 4);
    gossip_pack_text(&body, "CC");
    gossip_pack_bool(&body, false);
    gossip_pack_text(&body, "LTime");
    gossip_pack_uint(&body, ltime);
    gossip_pack_text(&body, "Name");
    gossip_pack_text(&body, name);
    gossip_pack_text(&body, "Payload");
    gossip_pack_nil(&body);
    rig_hear(rig,
             &(struct gossip_message){.type = GOSSIP_USER, .user = {.body = cu_buf_bytes(&body)}},
             'z');
    cu_buf_deinit(&body);
}

START_TEST(a_user_event_is_passed_on_once_within_its_window) /* 60, 61 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "b"});
    static const struct {
        uint64_t ltime;
        const char *name;
        uint32_t queued; /* after it, nothing being sent meanwhile */
    } cases[] = {
        {5, "deploy", 1},  {5, "deploy", 1}, {5, "restart", 2},      /* another of that time */
        {6, "deploy", 3},  {600, "new", 4},  {88, "at the edge", 4}, /* clock 601: below 89 */
        {89, "within", 5}, {5, "deploy", 5}, {600, "new", 5},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        hear_event(&rig, cases[i].ltime, cases[i].name);
        ck_assert_msg(rig_stats(&rig).event_queue == cases[i].queued, "case %zu: %u", i,
                      rig_stats(&rig).event_queue);
    }
    ck_assert_uint_eq(rig_stats(&rig).event_time, 601);
    rig_close(&rig);
}
END_TEST

static void hear_query(struct rig *rig, uint64_t ltime, uint32_t id, uint32_t flags)
{
    struct cu_buf body = {0};
    cu_buf_u8(&body, GOSSIP_SERF_QUERY);
    gossip_pack_map(&body, 3);
    gossip_pack_text(&body, "Flags");
    gossip_pack_uint(&body, flags);
    gossip_pack_text(&body, "ID");
    gossip_pack_uint(&body, id);
    gossip_pack_text(&body, "LTime");
    gossip_pack_uint(&body, ltime);
    rig_hear(rig,
             &(struct gossip_message){.type = GOSSIP_USER, .user = {.body = cu_buf_bytes(&body)}},
             'z');
    cu_buf_deinit(&body);
}

START_TEST(a_query_is_passed_on_once_unless_it_says_not_to) /* 63 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "b"});
    hear_query(&rig, 3, 77, 1);
    hear_query(&rig, 3, 77, 1);
    ck_assert_uint_eq(rig_stats(&rig).query_queue, 1);
    hear_query(&rig, 3, 78, 2);
    ck_assert_uint_eq(rig_stats(&rig).query_queue, 1);
    ck_assert_uint_eq(rig_stats(&rig).query_time, 4);
    rig_close(&rig);
}
END_TEST

START_TEST(a_queue_keeps_4096_messages_at_most) /* GOSSIP_QUEUE_MAX + 1 */
{
    struct rig rig;
    char name[16];
    rig_open(&rig, &(struct rig_seed){.peers = "b"});
    for (unsigned i = 0; i <= GOSSIP_QUEUE_MAX; i++) {
        (void)snprintf(name, sizeof name, "e%05u", i);
        hear_event(&rig, 1 + i / 32, name);
    }
    ck_assert(rig_noted(&rig, GOSSIP_NOTE_QUEUE_FULL));
    ck_assert_uint_eq(rig_stats(&rig).event_queue, GOSSIP_QUEUE_MAX);
    rig_close(&rig);
}
END_TEST

START_TEST(garbage_in_a_user_message_is_counted_and_dropped)
{
    static const char *const bodies[] = {"\x03", "\x03\x81", "\x04\xff", "\x00\x81", "\x2a", ""};
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "b"});
    for (size_t i = 0; i < CU_COUNT(bodies); i++) {
        uint64_t before = rig_stats(&rig).dropped;
        rig_hear(
            &rig,
            &(struct gossip_message){.type = GOSSIP_USER, .user = {.body = cu_bytes_of(bodies[i])}},
            'z');
        ck_assert_uint_eq(rig_stats(&rig).dropped, before + 1);
    }
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("services/gossipd/core/spread", gossip_carries_a_crc_for_those_who_know_it,
           in_a_pool_of_two_a_message_is_told_four_times,
           no_packet_passes_1400_bytes_however_much_there_is_to_tell,
           members_that_left_hear_no_gossip, exchanges_get_rarer_as_the_pool_doubles,
           a_push_pull_is_answered_with_what_was_known_before_it,
           a_tcp_ping_is_answered_without_a_payload_and_only_by_its_node,
           a_join_counts_who_answered_and_tells_why_others_did_not,
           a_join_that_reaches_nobody_fails, exchanges_are_limited,
           new_tags_are_announced_under_a_new_incarnation,
           a_user_event_is_passed_on_once_within_its_window,
           a_query_is_passed_on_once_unless_it_says_not_to, a_queue_keeps_4096_messages_at_most,
           garbage_in_a_user_message_is_counted_and_dropped)
