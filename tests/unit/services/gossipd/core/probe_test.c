/* Probing and Lifeguard: gossip.md 7.1, 9, 10, checklist 23 to 27, 37 to 45. */
#include "tests/lib/suite.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/services/gossipd/core/rig.h"

/* ---- being pinged ---- */

static struct gossip_message ping(const char *node, uint32_t seq)
{
    return (struct gossip_message){.type = GOSSIP_PING,
                                   .ping = {.node = cu_bytes_of(node), .seq = seq}};
}

START_TEST(a_ping_for_somebody_else_is_not_answered) /* 23 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){0});
    struct gossip_message message = ping("b", 5);
    rig_hear(&rig, &message, 'c');
    ck_assert_uint_eq(rig_count(&rig, GOSSIP_ACK), 0);
    ck_assert(rig_noted(&rig, GOSSIP_NOTE_WRONG_NODE));
    message = ping("", 5); /* whoever listens */
    rig_hear(&rig, &message, 'c');
    ck_assert_uint_eq(rig_count(&rig, GOSSIP_ACK), 1);
    rig_close(&rig);
}
END_TEST

START_TEST(a_ping_is_answered_where_it_says) /* 24 */
{
    struct rig rig;
    struct rig_sent sent;
    rig_open(&rig, &(struct rig_seed){0});
    struct gossip_message message = ping("a", 6);
    rig_hear(&rig, &message, 'c');
    ck_assert(rig_sent(&rig, GOSSIP_ACK, 0, &sent));
    ck_assert(gossip_addr_equal(sent.to, rig_addr('c')));
    ck_assert_uint_eq(sent.message.ack.seq, 6);
    ck_assert(!sent.with_crc);
    message.ping.source.addr = rig_addr('d');
    rig_hear(&rig, &message, 'c');
    ck_assert(rig_sent(&rig, GOSSIP_ACK, 0, &sent));
    ck_assert(gossip_addr_equal(sent.to, rig_addr('d')));
    message.ping.source.addr.port = 0; /* half an address is none */
    rig_hear(&rig, &message, 'c');
    ck_assert(rig_sent(&rig, GOSSIP_ACK, 0, &sent));
    ck_assert(gossip_addr_equal(sent.to, rig_addr('c')));
    rig_close(&rig);
}
END_TEST

/* ---- pinging for others ---- */

static void ask_for(struct rig *rig, uint32_t seq, bool wants_nack)
{
    struct gossip_message message = {.type = GOSSIP_INDIRECT_PING,
                                     .indirect_ping = {.node = cu_bytes_of("x"),
                                                       .target = rig_addr('x'),
                                                       .seq = seq,
                                                       .wants_nack = wants_nack,
                                                       .source = {.addr = rig_addr('b')}}};
    rig_hear(rig, &message, 'b');
}

START_TEST(an_indirect_ping_relays_the_ack_under_the_askers_number) /* 26 */
{
    struct rig rig;
    struct rig_sent sent;
    rig_open(&rig, &(struct rig_seed){0});
    ask_for(&rig, 40, true);
    ck_assert(rig_sent(&rig, GOSSIP_PING, 0, &sent));
    ck_assert(gossip_addr_equal(sent.to, rig_addr('x')));
    ck_assert(cu_bytes_equal(sent.message.ping.node, cu_bytes_of("x")));
    ck_assert(gossip_addr_equal(sent.message.ping.source.addr, rig_addr('a')));
    uint32_t ours = sent.message.ping.seq;
    rig_ack(&rig, ours);
    ck_assert(rig_sent(&rig, GOSSIP_ACK, 0, &sent));
    ck_assert_uint_eq(sent.message.ack.seq, 40);
    ck_assert(gossip_addr_equal(sent.to, rig_addr('b')));
    rig_wait(&rig, 2000);
    ck_assert_uint_eq(rig_count(&rig, GOSSIP_NACK), 0);
    rig_ack(&rig, ours); /* a second one is nobody's */
    ck_assert_uint_eq(rig_count(&rig, GOSSIP_ACK), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(a_silent_target_gives_one_nack_if_it_was_asked_for) /* 26, 27 */
{
    struct rig rig;
    struct rig_sent sent;
    rig_open(&rig, &(struct rig_seed){0});
    ask_for(&rig, 40, true);
    ck_assert(rig_sent(&rig, GOSSIP_PING, 0, &sent));
    uint32_t ours = sent.message.ping.seq;
    ask_for(&rig, 41, false);
    rig_wait(&rig, 499);
    ck_assert_uint_eq(rig_count(&rig, GOSSIP_NACK), 0);
    rig_wait(&rig, 2000);
    ck_assert_uint_eq(rig_count(&rig, GOSSIP_NACK), 1);
    ck_assert(rig_sent(&rig, GOSSIP_NACK, 0, &sent));
    ck_assert_uint_eq(sent.message.nack.seq, 40);
    rig_ack(&rig, ours); /* too late */
    ck_assert_uint_eq(rig_count(&rig, GOSSIP_ACK), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(relays_are_limited) /* GOSSIP_RELAYS_MAX + 1 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){0});
    for (uint32_t i = 0; i < GOSSIP_RELAYS_MAX; i++)
        ask_for(&rig, i + 1, false);
    ck_assert_uint_eq(rig_count(&rig, GOSSIP_PING), 1);
    ask_for(&rig, 9999, false);
    ck_assert_uint_eq(rig_count(&rig, GOSSIP_PING), 0);
    rig_wait(&rig, 600);
    ask_for(&rig, 9999, false);
    ck_assert_uint_eq(rig_count(&rig, GOSSIP_PING), 1);
    rig_close(&rig);
}
END_TEST

/* ---- probing ---- */

/* Waits, a ms at a time, until a ping leaves; the probe's. */
static struct rig_sent next_ping(struct rig *rig)
{
    struct rig_sent sent;
    for (unsigned ms = 0; ms < 20000; ms++) {
        rig_wait(rig, 1);
        if (rig_sent(rig, GOSSIP_PING, 0, &sent))
            return sent;
    }
    ck_abort_msg("no probe within 20 s");
    return sent;
}

START_TEST(each_live_member_is_probed_once_a_round) /* 38 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bcdefg"});
    rig_dead(&rig, "g", 1, "b");
    while (rig_stats(&rig).probes < 5) /* what is left of the first round */
        rig_ack(&rig, next_ping(&rig).message.ping.seq);
    for (unsigned round = 0; round < 3; round++) {
        char seen[8] = "";
        for (unsigned i = 0; i < 5; i++) {
            struct rig_sent sent = next_ping(&rig);
            char node = (char)sent.message.ping.node.data[0];
            ck_assert_msg(!strchr(seen, node), "%c twice in a round", node);
            ck_assert(node != 'a' && node != 'g');
            seen[i] = node;
            seen[i + 1] = 0;
            rig_ack(&rig, sent.message.ping.seq);
        }
    }
    rig_close(&rig);
}
END_TEST

START_TEST(one_probe_runs_at_a_time_and_says_where_to_answer)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bc"});
    struct rig_sent sent = next_ping(&rig);
    ck_assert(gossip_addr_equal(sent.message.ping.source.addr, rig_addr('a')));
    ck_assert(cu_bytes_equal(sent.message.ping.source.node, cu_bytes_of("a")));
    ck_assert(gossip_addr_equal(sent.to, rig_addr((char)sent.message.ping.node.data[0])));
    rig_wait(&rig, 990);
    ck_assert_uint_eq(rig_count(&rig, GOSSIP_PING), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(no_ack_asks_others_and_tcp_under_the_same_number) /* 39 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bcdefg"});
    struct rig_sent sent = next_ping(&rig);
    uint32_t seq = sent.message.ping.seq;
    char target = (char)sent.message.ping.node.data[0];
    rig_wait(&rig, 499);
    ck_assert_uint_eq(rig_count(&rig, GOSSIP_INDIRECT_PING), 0);
    rig_wait(&rig, 2);
    ck_assert_uint_eq(rig_count(&rig, GOSSIP_INDIRECT_PING), 3);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert(rig_sent(&rig, GOSSIP_INDIRECT_PING, i, &sent));
        ck_assert_uint_eq(sent.message.indirect_ping.seq, seq);
        ck_assert(sent.message.indirect_ping.wants_nack);
        ck_assert(gossip_addr_equal(sent.message.indirect_ping.target, rig_addr(target)));
        ck_assert(!gossip_addr_equal(sent.to, rig_addr(target)));
    }
    const struct gossip_action *dial = rig_action(&rig, GOSSIP_ACT_DIAL);
    ck_assert_ptr_nonnull(dial);
    ck_assert(gossip_addr_equal(dial->dial.to, rig_addr(target)));
    struct gossip_message message;
    ck_assert_int_eq(gossip_decode(cu_buf_bytes(dial->dial.bytes), rig.arena, &message), CU_OK);
    ck_assert_int_eq(message.type, GOSSIP_PING);
    ck_assert_uint_eq(message.ping.seq, seq);
    ck_assert_uint_le(dial->dial.timeout_ms, 500); /* the rest of the probe */
    rig_close(&rig);
}
END_TEST

START_TEST(peers_too_old_are_asked_for_no_nack_and_no_tcp)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){0});
    for (const char *node = "bc"; *node; node++) {
        struct gossip_message message = {.type = GOSSIP_ALIVE,
                                         .alive = {.node = {(const uint8_t *)node, 1},
                                                   .addr = rig_addr(*node),
                                                   .incarnation = 1,
                                                   .versions = {true, 1, 2, 2, 2, 5, 4}}};
        rig_hear(&rig, &message, *node);
    }
    struct rig_sent sent = next_ping(&rig);
    rig_wait(&rig, 501);
    ck_assert(rig_sent(&rig, GOSSIP_INDIRECT_PING, 0, &sent));
    ck_assert(!sent.message.indirect_ping.wants_nack);
    ck_assert_ptr_null(rig_action(&rig, GOSSIP_ACT_DIAL));
    rig_close(&rig);
}
END_TEST

START_TEST(an_ack_over_others_ends_the_probe_well)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bcd"});
    uint32_t seq = next_ping(&rig).message.ping.seq;
    rig_wait(&rig, 700);
    rig_ack(&rig, seq);
    rig_wait(&rig, 400);
    ck_assert(!rig_noted(&rig, GOSSIP_NOTE_SUSPECT));
    ck_assert_uint_eq(rig_stats(&rig).probes_failed, 0);
    rig_close(&rig);
}
END_TEST

static uint64_t dialled(struct rig *rig, struct gossip_message *ret_ping)
{
    const struct gossip_action *dial = rig_action(rig, GOSSIP_ACT_DIAL);
    ck_assert_ptr_nonnull(dial);
    ck_assert_int_eq(gossip_decode(cu_buf_bytes(dial->dial.bytes), rig->arena, ret_ping), CU_OK);
    return dial->dial.exchange;
}

START_TEST(tcp_alone_is_enough_but_warns) /* 40 */
{
    struct rig rig;
    struct gossip_message message;
    rig_open(&rig, &(struct rig_seed){.peers = "bcd"});
    (void)next_ping(&rig);
    rig_wait(&rig, 501);
    uint64_t exchange = dialled(&rig, &message);
    struct gossip_message ack = {.type = GOSSIP_ACK, .ack = {.seq = message.ping.seq}};
    rig_step(&rig, (struct gossip_event){
                       .kind = GOSSIP_EV_STREAM_REPLY, .tag = exchange, .stream = &ack});
    rig_wait(&rig, 600);
    ck_assert(rig_noted(&rig, GOSSIP_NOTE_TCP_ONLY));
    ck_assert(!rig_noted(&rig, GOSSIP_NOTE_SUSPECT));
    ck_assert_uint_eq(rig_stats(&rig).health_score, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(a_tcp_ack_of_another_ping_is_none)
{
    struct rig rig;
    struct gossip_message message;
    rig_open(&rig, &(struct rig_seed){.peers = "bcd"});
    (void)next_ping(&rig);
    rig_wait(&rig, 501);
    uint64_t exchange = dialled(&rig, &message);
    struct gossip_message ack = {.type = GOSSIP_ACK, .ack = {.seq = message.ping.seq + 1}};
    rig_step(&rig, (struct gossip_event){
                       .kind = GOSSIP_EV_STREAM_REPLY, .tag = exchange, .stream = &ack});
    rig_wait(&rig, 600);
    ck_assert(rig_noted(&rig, GOSSIP_NOTE_SUSPECT));
    rig_close(&rig);
}
END_TEST

START_TEST(a_suspect_hears_of_it_with_the_ping) /* 41 */
{
    struct rig rig;
    struct rig_sent sent;
    rig_open(&rig, &(struct rig_seed){.peers = "b"});
    rig_wait(&rig, 2000); /* what is to be told is told */
    rig_suspect(&rig, "b", 1, "q");
    struct rig_sent probe = next_ping(&rig);
    while (probe.parts == 1) /* the probe that was on its way already */
        probe = next_ping(&rig);
    ck_assert_uint_eq(probe.parts, 2);
    ck_assert(probe.with_crc);
    ck_assert(rig_sent(&rig, GOSSIP_SUSPECT, 0, &sent));
    ck_assert(cu_bytes_equal(sent.message.suspect.from, cu_bytes_of("a")));
    ck_assert(cu_bytes_equal(sent.message.suspect.node, cu_bytes_of("b")));
    rig_close(&rig);
}
END_TEST

START_TEST(a_killed_member_of_three_is_dead_4_to_7_s_after_its_first_failed_probe) /* 42 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bc"});
    uint64_t suspected = 0, dead = 0;
    for (unsigned ms = 0; ms < 20000 && !dead; ms++) {
        struct rig_sent sent;
        rig_wait(&rig, 1);
        if (rig_changed(&rig, "b", GOSSIP_CHANGE_FAILED))
            dead = rig.now.ns / 1000000;
        if (!suspected && rig_is_suspect(&rig, "b"))
            suspected = rig.now.ns / 1000000;
        if (rig_sent(&rig, GOSSIP_PING, 0, &sent) && sent.message.ping.node.data[0] == 'c')
            rig_ack(&rig, sent.message.ping.seq);
        ck_assert_int_eq(rig_status(&rig, "c"), GOSSIP_STATUS_ALIVE);
    }
    ck_assert_uint_gt(suspected, 0);
    ck_assert_uint_ge(dead - suspected, 4000);
    ck_assert_uint_le(dead - suspected, 7000);
    rig_close(&rig);
}
END_TEST

START_TEST(nacks_tell_whose_fault_it_is) /* 45 */
{
    for (uint32_t nacks = 0; nacks <= 3; nacks++) {
        struct rig rig;
        rig_open(&rig, &(struct rig_seed){.peers = "bcdef"});
        uint32_t seq = next_ping(&rig).message.ping.seq;
        rig_wait(&rig, 501);
        struct gossip_message nack = {.type = GOSSIP_NACK, .nack = {.seq = seq}};
        for (uint32_t i = 0; i < nacks; i++)
            rig_hear(&rig, &nack, 'c');
        rig_wait(&rig, 500);
        ck_assert(rig_noted(&rig, GOSSIP_NOTE_SUSPECT));
        ck_assert_uint_eq(rig_stats(&rig).health_score, 3 - nacks);
        rig_close(&rig);
    }
}
END_TEST

START_TEST(health_stays_in_its_range_and_stretches_the_probe_alone) /* 45 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bcdef"});
    for (uint32_t i = 0; i < 12; i++)
        rig_suspect(&rig, "a", 100 + i, "b");
    ck_assert_uint_eq(rig_stats(&rig).health_score, 7);
    (void)next_ping(&rig);
    rig_wait(&rig, 501); /* the direct part is as long as ever */
    ck_assert_uint_eq(rig_count(&rig, GOSSIP_INDIRECT_PING), 3);
    rig_wait(&rig, 7000);
    ck_assert(!rig_noted(&rig, GOSSIP_NOTE_SUSPECT));
    rig_wait(&rig, 600); /* 8 s in all */
    ck_assert(rig_noted(&rig, GOSSIP_NOTE_SUSPECT));
    for (unsigned i = 0; i < 10; i++)
        rig_ack(&rig, next_ping(&rig).message.ping.seq);
    ck_assert_uint_eq(rig_stats(&rig).health_score, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(confirmations_shorten_the_wait_and_are_passed_on) /* 43, 44 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bcdefghij"}); /* 10 members: 4 to 24 s */
    rig_wait(&rig, 300);
    rig_suspect(&rig, "b", 1, "c");
    rig_suspect(&rig, "b", 1, "c"); /* no news */
    struct cu_mono begun = rig.now;
    rig_suspect(&rig, "b", 1, "d");
    rig_suspect(&rig, "b", 1, "e");
    while (!rig_changed(&rig, "b", GOSSIP_CHANGE_FAILED))
        rig_wait(&rig, 1);
    ck_assert_uint_eq(cu_mono_ms_between(begun, rig.now), 4000);
    rig_close(&rig);
}
END_TEST

START_TEST(an_alive_with_a_higher_incarnation_ends_a_suspicion)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bc"});
    rig_suspect(&rig, "b", 1, "c");
    rig_alive(&rig, "b", 1);
    ck_assert(rig_is_suspect(&rig, "b"));
    rig_alive(&rig, "b", 2);
    ck_assert(!rig_is_suspect(&rig, "b"));
    ck_assert_uint_eq(rig_changed(&rig, "b", GOSSIP_CHANGE_ALIVE), 0); /* it never went */
    rig_close(&rig);
}
END_TEST

START_TEST(after_a_pause_of_ours_nobody_is_blamed_at_once)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bc"});
    rig_suspect(&rig, "b", 1, "c");
    rig.now = cu_mono_add_ms(rig.now, 60000);
    rig_step(&rig, (struct gossip_event){.kind = GOSSIP_EV_TICK});
    ck_assert(rig_noted(&rig, GOSSIP_NOTE_PAUSED));
    ck_assert(rig_is_suspect(&rig, "b"));
    rig_alive(&rig, "b", 2); /* what waited in our socket */
    ck_assert_uint_eq(rig_stats(&rig).failed, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(the_long_dead_leave_the_table_and_hear_no_more) /* 37, 49 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bcd"});
    rig_dead(&rig, "b", 1, "c");
    bool heard_soon = false, heard_late = false;
    struct cu_mono died = rig.now;
    for (unsigned ms = 0; ms < 60000; ms += 100) {
        struct rig_sent sent;
        rig_wait(&rig, 100);
        for (unsigned n = 0; rig_sent(&rig, GOSSIP_ALIVE, n, &sent); n++) {
            bool to_b = gossip_addr_equal(sent.to, rig_addr('b'));
            *(cu_mono_ms_between(died, rig.now) <= 30000 ? &heard_soon : &heard_late) |= to_b;
        }
        rig_alive(&rig, "c", 2 + ms); /* alive, and something to tell */
        rig_alive(&rig, "d", 2 + ms);
    }
    ck_assert(heard_soon);
    ck_assert(!heard_late);
    ck_assert_int_eq(rig_status(&rig, "b"), GOSSIP_STATUS_FAILED); /* serf remembers */
    rig_push_pull(&rig, NULL, 0, NULL, false);
    struct gossip_message message;
    ck_assert_int_eq(gossip_decode(cu_buf_bytes(rig_action(&rig, GOSSIP_ACT_ANSWER)->answer.bytes),
                                   rig.arena, &message),
                     CU_OK);
    ck_assert_uint_eq(message.push_pull.node_count, 3); /* a, c, d */
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("services/gossipd/core/probe", a_ping_for_somebody_else_is_not_answered,
           a_ping_is_answered_where_it_says,
           an_indirect_ping_relays_the_ack_under_the_askers_number,
           a_silent_target_gives_one_nack_if_it_was_asked_for, relays_are_limited,
           each_live_member_is_probed_once_a_round,
           one_probe_runs_at_a_time_and_says_where_to_answer,
           no_ack_asks_others_and_tcp_under_the_same_number,
           peers_too_old_are_asked_for_no_nack_and_no_tcp, an_ack_over_others_ends_the_probe_well,
           tcp_alone_is_enough_but_warns, a_tcp_ack_of_another_ping_is_none,
           a_suspect_hears_of_it_with_the_ping,
           a_killed_member_of_three_is_dead_4_to_7_s_after_its_first_failed_probe,
           nacks_tell_whose_fault_it_is, health_stays_in_its_range_and_stretches_the_probe_alone,
           confirmations_shorten_the_wait_and_are_passed_on,
           an_alive_with_a_higher_incarnation_ends_a_suspicion,
           after_a_pause_of_ours_nobody_is_blamed_at_once,
           the_long_dead_leave_the_table_and_hear_no_more)
