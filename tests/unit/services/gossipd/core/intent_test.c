/* Intents, leaving and reaping: gossip.md 13, 15, 16, checklist 31, 51 to 58. */
#include "tests/lib/suite.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/services/gossipd/core/rig.h"

/* True when the core passes such an intent on in the next packets. */
static bool passes_on(struct rig *rig, enum gossip_serf_type type, const char *node, uint64_t ltime)
{
    struct gossip_serf serf;
    rig_wait(rig, 200);
    for (unsigned n = 0; rig_sent_serf(rig, type, n, &serf); n++)
        if (cu_bytes_equal(serf.intent.node, cu_bytes_of(node)) && serf.intent.ltime == ltime)
            return true;
    return false;
}

/* ---- clocks ---- */

START_TEST(the_clock_starts_at_1_and_witnesses_beyond_what_it_saw) /* 51 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "b"});
    ck_assert_uint_eq(rig_stats(&rig).member_time, 1);
    rig_intent(&rig, GOSSIP_SERF_JOIN, "b", 7, false);
    ck_assert_uint_eq(rig_stats(&rig).member_time, 8);
    rig_intent(&rig, GOSSIP_SERF_JOIN, "b", 3, false);
    ck_assert_uint_eq(rig_stats(&rig).member_time, 8);
    rig_intent(&rig, GOSSIP_SERF_JOIN, "b", UINT64_MAX, false); /* would wrap */
    ck_assert_uint_eq(rig_stats(&rig).member_time, 8);
    rig_close(&rig);
}
END_TEST

START_TEST(a_message_carries_the_time_before_it_is_raised) /* 51 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "b"});
    rig_step(&rig, (struct gossip_event){
                       .kind = GOSSIP_EV_FORCE_LEAVE, .tag = 1, .force_leave = {.name = "b"}});
    ck_assert_uint_eq(rig_stats(&rig).member_time, 2);
    ck_assert(passes_on(&rig, GOSSIP_SERF_LEAVE, "b", 1));
    rig_close(&rig);
}
END_TEST

/* ---- what intents do ---- */

START_TEST(a_leave_intent_makes_the_difference_between_left_and_failed) /* 52 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bc"});
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "b", 2, false);
    ck_assert_int_eq(rig_status(&rig, "b"), GOSSIP_STATUS_LEAVING);
    ck_assert(passes_on(&rig, GOSSIP_SERF_LEAVE, "b", 2));
    rig_dead(&rig, "b", 1, "b");
    ck_assert_int_eq(rig_status(&rig, "b"), GOSSIP_STATUS_LEFT);
    rig_dead(&rig, "c", 1, "b");
    ck_assert_int_eq(rig_status(&rig, "c"), GOSSIP_STATUS_FAILED);
    rig_close(&rig);
}
END_TEST

START_TEST(an_intent_that_comes_before_its_member_is_kept) /* 53 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "c"});
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "b", 4, false);
    ck_assert(passes_on(&rig, GOSSIP_SERF_LEAVE, "b", 4));
    rig_wait(&rig, 2000);
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "b", 4, false); /* no news */
    ck_assert(!passes_on(&rig, GOSSIP_SERF_LEAVE, "b", 4));
    rig_alive(&rig, "b", 1);
    ck_assert_int_eq(rig_status(&rig, "b"), GOSSIP_STATUS_LEAVING);
    rig_intent(&rig, GOSSIP_SERF_JOIN, "d", 6, false);
    rig_alive(&rig, "d", 1);
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "d", 6, false); /* as old as its join */
    ck_assert_int_eq(rig_status(&rig, "d"), GOSSIP_STATUS_ALIVE);
    rig_close(&rig);
}
END_TEST

START_TEST(early_intents_are_limited_and_forgotten_in_time) /* GOSSIP_INTENTS_MAX + 1 */
{
    struct rig rig;
    char name[16];
    rig_open(&rig, &(struct rig_seed){0});
    for (unsigned i = 0; i < GOSSIP_INTENTS_MAX; i++) {
        (void)snprintf(name, sizeof name, "n%u", i);
        rig_intent(&rig, GOSSIP_SERF_JOIN, name, 9, false);
    }
    ck_assert_uint_eq(rig_stats(&rig).dropped, 0);
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "b", 9, false);
    ck_assert_uint_eq(rig_stats(&rig).dropped, 1);
    rig_wait(&rig, 6 * 60 * 1000);
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "b", 9, false);
    ck_assert_uint_eq(rig_stats(&rig).dropped, 1);
    rig_close(&rig);
}
END_TEST

START_TEST(an_old_leave_intent_about_us_is_refuted_with_a_newer_time) /* 54 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "b"});
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "a", 9, false);
    ck_assert_int_eq(rig_status(&rig, "a"), GOSSIP_STATUS_ALIVE);
    ck_assert(rig_noted(&rig, GOSSIP_NOTE_REFUTED_INTENT));
    ck_assert(passes_on(&rig, GOSSIP_SERF_JOIN, "a", 10));
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "a", 9, false);
    ck_assert(!passes_on(&rig, GOSSIP_SERF_LEAVE, "a", 9));
    rig_close(&rig);
}
END_TEST

START_TEST(two_leave_intents_about_one_member_do_not_loop) /* 55 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bc"});
    rig_wait(&rig, 3000);
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "b", 4, false);
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "b", 5, false);
    ck_assert(passes_on(&rig, GOSSIP_SERF_LEAVE, "b", 5));
    rig_wait(&rig, 3000);
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "b", 5, false);
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "b", 4, false);
    rig_wait(&rig, 400);
    struct gossip_serf serf;
    ck_assert(!rig_sent_serf(&rig, GOSSIP_SERF_LEAVE, 0, &serf));
    rig_close(&rig);
}
END_TEST

START_TEST(a_join_intent_calls_a_leaving_member_back)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "b"});
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "b", 4, false);
    rig_intent(&rig, GOSSIP_SERF_JOIN, "b", 4, false);
    ck_assert_int_eq(rig_status(&rig, "b"), GOSSIP_STATUS_LEAVING);
    rig_intent(&rig, GOSSIP_SERF_JOIN, "b", 5, false);
    ck_assert_int_eq(rig_status(&rig, "b"), GOSSIP_STATUS_ALIVE);
    rig_close(&rig);
}
END_TEST

START_TEST(who_has_been_leaving_for_too_long_is_asked)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "b"});
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "b", 4, false);
    struct gossip_serf serf;
    bool asked = false;
    for (unsigned ms = 0; ms < 31000 && !asked; ms += 50) {
        rig_wait(&rig, 50);
        rig_alive(&rig, "b", 2 + ms); /* it lives on */
        rig_wait(&rig, 0);
        for (unsigned n = 0; rig_sent_serf(&rig, GOSSIP_SERF_LEAVE, n, &serf); n++)
            asked |= serf.intent.ltime > 4;
        rig_wait(&rig, 50);
        for (unsigned n = 0; rig_sent_serf(&rig, GOSSIP_SERF_LEAVE, n, &serf); n++)
            asked |= serf.intent.ltime > 4;
    }
    ck_assert(asked);
    rig_close(&rig);
}
END_TEST

/* ---- push/pull ---- */

static struct gossip_serf_state merge_state(struct gossip_status_ltime *status, uint32_t count,
                                            struct cu_bytes *left, uint32_t left_count)
{
    return (struct gossip_serf_state){.ltime = 40,
                                      .event_ltime = 30,
                                      .query_ltime = 20,
                                      .status = status,
                                      .status_count = count,
                                      .left = left,
                                      .left_count = left_count};
}

START_TEST(a_push_pull_brings_clocks_and_who_has_left) /* 51, gossip.md 16.1 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bc"});
    rig_dead(&rig, "b", 1, "c");
    struct gossip_status_ltime status[] = {{cu_bytes_of("b"), 5}, {cu_bytes_of("c"), 6}};
    struct cu_bytes left[] = {cu_bytes_of("b")};
    struct gossip_serf_state state = merge_state(status, 2, left, 1);
    rig_push_pull(&rig, NULL, 0, &state, false);
    ck_assert_int_eq(rig_status(&rig, "b"), GOSSIP_STATUS_LEFT);
    ck_assert_uint_eq(rig_stats(&rig).member_time, 40);
    ck_assert_uint_eq(rig_stats(&rig).event_time, 30);
    ck_assert_uint_eq(rig_stats(&rig).query_time, 20);
    ck_assert(gossip_is_complete(rig.gossip));
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "c", 6, false); /* its join is as new */
    ck_assert_int_eq(rig_status(&rig, "c"), GOSSIP_STATUS_ALIVE);
    rig_close(&rig);
}
END_TEST

static uint64_t told_time_of(struct rig *rig, const char *node)
{
    struct gossip_message message;
    struct gossip_serf serf;
    const struct gossip_action *answer = rig_action(rig, GOSSIP_ACT_ANSWER);
    ck_assert_int_eq(gossip_decode(cu_buf_bytes(answer->answer.bytes), rig->arena, &message),
                     CU_OK);
    ck_assert_int_eq(gossip_serf_decode(message.push_pull.user_state, rig->arena, &serf), CU_OK);
    for (uint32_t i = 0; i < serf.state.status_count; i++)
        if (cu_bytes_equal(serf.state.status[i].node, cu_bytes_of(node)))
            return serf.state.status[i].ltime;
    ck_abort_msg("%s is not told of", node);
    return 0;
}

START_TEST(the_time_of_those_who_left_does_not_creep_up)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bc"});
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "b", 5, false);
    rig_dead(&rig, "b", 1, "b");
    struct gossip_status_ltime status[] = {{cu_bytes_of("b"), 5}};
    struct cu_bytes left[] = {cu_bytes_of("b")};
    struct gossip_serf_state state = merge_state(status, 1, left, 1);
    for (unsigned i = 0; i < 5; i++)
        rig_push_pull(&rig, NULL, 0, &state, false);
    ck_assert_uint_eq(told_time_of(&rig, "b"), 5);
    rig_close(&rig);
}
END_TEST

/* ---- force-leave ---- */

static void force_leave(struct rig *rig, const char *name, bool prune)
{
    rig_step(rig, (struct gossip_event){.kind = GOSSIP_EV_FORCE_LEAVE,
                                        .tag = 3,
                                        .force_leave = {.name = name, .prune = prune}});
}

START_TEST(force_leave_moves_a_failed_member_to_left) /* 56 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bc"});
    rig_dead(&rig, "b", 1, "c");
    force_leave(&rig, "b", false);
    ck_assert_uint_eq(rig_changed(&rig, "b", GOSSIP_CHANGE_LEFT), 1);
    ck_assert_ptr_null(rig_action(&rig, GOSSIP_ACT_DONE));
    rig_wait(&rig, 2000); /* told as often as it must be */
    ck_assert_ptr_nonnull(rig_action(&rig, GOSSIP_ACT_DONE));
    ck_assert_int_eq(rig_action(&rig, GOSSIP_ACT_DONE)->done.err, CU_OK);
    rig_close(&rig);
}
END_TEST

START_TEST(force_leave_with_prune_erases_it) /* 56 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bc"});
    rig_dead(&rig, "b", 1, "c");
    force_leave(&rig, "b", true);
    ck_assert_uint_eq(rig_changed(&rig, "b", GOSSIP_CHANGE_LEFT), 1);
    ck_assert_uint_eq(rig_changed(&rig, "b", GOSSIP_CHANGE_REAPED), 1);
    ck_assert_int_eq(rig_status(&rig, "b"), GOSSIP_STATUS_NONE);
    rig_alive(&rig, "b", 9); /* and it may come again */
    ck_assert_int_eq(rig_status(&rig, "b"), GOSSIP_STATUS_ALIVE);
    rig_close(&rig);
}
END_TEST

START_TEST(prune_gives_one_that_is_leaving_its_time)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bc"});
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "b", 4, true);
    ck_assert_int_eq(rig_status(&rig, "b"), GOSSIP_STATUS_LEAVING);
    rig_dead(&rig, "b", 1, "b");
    rig_wait(&rig, 5900); /* 5 s for the broadcast, 1 s to propagate */
    ck_assert_int_eq(rig_status(&rig, "b"), GOSSIP_STATUS_LEFT);
    rig_wait(&rig, 200);
    ck_assert_uint_eq(rig_changed(&rig, "b", GOSSIP_CHANGE_REAPED), 1);
    rig_close(&rig);
}
END_TEST

START_TEST(force_leave_alone_or_of_nobody_is_done_at_once)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){0});
    force_leave(&rig, "b", false);
    ck_assert_int_eq(rig_action(&rig, GOSSIP_ACT_DONE)->done.err, CU_OK);
    rig_close(&rig);
}
END_TEST

/* ---- leaving ourselves ---- */

START_TEST(leaving_tells_the_intent_then_the_end_then_lingers) /* V14, then V11 */
{
    struct rig rig;
    struct rig_sent sent;
    struct gossip_serf serf;
    rig_open(&rig, &(struct rig_seed){.peers = "bc"});
    rig_wait(&rig, 3000);
    rig_step(&rig, (struct gossip_event){.kind = GOSSIP_EV_LEAVE, .tag = 8});
    rig_wait(&rig, 100);
    bool intent_first = false;
    uint64_t gone_ms = 0, done_ms = 0;
    for (unsigned ms = 0; ms < 12000 && !done_ms; ms += 10) {
        rig_wait(&rig, 10);
        if (rig_sent_serf(&rig, GOSSIP_SERF_LEAVE, 0, &serf))
            intent_first |= !gone_ms;
        if (!gone_ms && rig_sent(&rig, GOSSIP_DEAD, 0, &sent)) {
            gone_ms = ms;
            ck_assert(cu_bytes_equal(sent.message.dead.node, cu_bytes_of("a")));
            ck_assert(cu_bytes_equal(sent.message.dead.from, cu_bytes_of("a")));
        }
        if (rig_action(&rig, GOSSIP_ACT_DONE))
            done_ms = ms;
    }
    ck_assert(intent_first);
    ck_assert_uint_gt(gone_ms, 0);
    ck_assert_uint_ge(done_ms, gone_ms + 1000);
    ck_assert(rig_stats(&rig).has_left);
    ck_assert_int_eq(rig_status(&rig, "a"), GOSSIP_STATUS_LEFT);
    rig_close(&rig);
}
END_TEST

START_TEST(a_leave_goes_on_when_nobody_can_be_told)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "b"});
    rig_step(&rig, (struct gossip_event){.kind = GOSSIP_EV_LEAVE, .tag = 8});
    rig_dead(&rig, "b", 1, "q");
    rig_wait(&rig, 31000); /* b hears no gossip after this */
    ck_assert(rig_stats(&rig).has_left);
    rig_close(&rig);

    rig_open(&rig, &(struct rig_seed){0}); /* alone: no broadcast to wait for */
    rig_step(&rig, (struct gossip_event){.kind = GOSSIP_EV_LEAVE, .tag = 8});
    rig_wait(&rig, 1001);
    ck_assert_ptr_nonnull(rig_action(&rig, GOSSIP_ACT_DONE));
    rig_close(&rig);
}
END_TEST

START_TEST(who_leaves_joins_no_more_and_leaves_once)
{
    struct rig rig;
    struct gossip_join_target target = {.address = rig_addr('b')};
    rig_open(&rig, &(struct rig_seed){.peers = "b"});
    rig_step(&rig, (struct gossip_event){.kind = GOSSIP_EV_LEAVE, .tag = 8});
    rig_step(&rig, (struct gossip_event){.kind = GOSSIP_EV_LEAVE, .tag = 9});
    ck_assert_int_eq(rig_action(&rig, GOSSIP_ACT_DONE)->done.err, CU_E_CONFLICT);
    rig_step(&rig, (struct gossip_event){.kind = GOSSIP_EV_JOIN,
                                         .tag = 10,
                                         .join = {.targets = &target, .count = 1}});
    ck_assert_int_eq(rig_action(&rig, GOSSIP_ACT_DONE)->done.err, CU_E_CONFLICT);
    rig_close(&rig);
}
END_TEST

/* ---- reaping and reconnecting ---- */

enum { HOUR_MS = 60 * 60 * 1000 };

START_TEST(failed_and_left_members_are_reaped_in_their_time) /* 57 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.profile = GOSSIP_PROFILE_CONSUL_LAN});
    rig_alive(&rig, "b", 1);
    rig_alive(&rig, "c", 1);
    rig_alive_meta(&rig, "d", 1, rig_tag_meta("rc_tm", "2h"));
    rig_dead(&rig, "b", 1, "q");
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "c", 5, false);
    rig_dead(&rig, "c", 1, "c");
    rig_dead(&rig, "d", 1, "q");
    rig_wait(&rig, 2 * HOUR_MS - 30000);
    ck_assert_int_eq(rig_status(&rig, "d"), GOSSIP_STATUS_FAILED);
    rig_wait(&rig, 60000);
    ck_assert_uint_eq(rig_changed(&rig, "d", GOSSIP_CHANGE_REAPED), 1); /* its own tag */
    rig_wait(&rig, 21 * (uint64_t)HOUR_MS);
    ck_assert_int_eq(rig_status(&rig, "c"), GOSSIP_STATUS_LEFT);
    rig_wait(&rig, HOUR_MS + 60000);
    ck_assert_uint_eq(rig_changed(&rig, "c", GOSSIP_CHANGE_REAPED), 1); /* 24 h */
    rig_wait(&rig, 47 * (uint64_t)HOUR_MS);
    ck_assert_int_eq(rig_status(&rig, "b"), GOSSIP_STATUS_FAILED);
    rig_wait(&rig, HOUR_MS + 60000);
    ck_assert_uint_eq(rig_changed(&rig, "b", GOSSIP_CHANGE_REAPED), 1); /* 72 h */
    rig_close(&rig);
}
END_TEST

START_TEST(a_failed_member_is_tried_and_comes_back) /* 58 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "b"});
    rig_dead(&rig, "b", 1, "q");
    rig_wait(&rig, 30100); /* one failed, one alive: each time */
    ck_assert(rig_noted(&rig, GOSSIP_NOTE_RECONNECT));
    const struct gossip_action *dial = rig_action(&rig, GOSSIP_ACT_DIAL);
    ck_assert(gossip_addr_equal(dial->dial.to, rig_addr('b')));
    struct gossip_node_state back = {.alive = {.node = cu_bytes_of("b"),
                                               .addr = rig_addr('b'),
                                               .incarnation = 2,
                                               .versions = GOSSIP_VERSIONS_SERF}};
    rig_reply(&rig, dial->dial.exchange, &back, 1);
    ck_assert_int_eq(rig_status(&rig, "b"), GOSSIP_STATUS_ALIVE);
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("services/gossipd/core/intent", the_clock_starts_at_1_and_witnesses_beyond_what_it_saw,
           a_message_carries_the_time_before_it_is_raised,
           a_leave_intent_makes_the_difference_between_left_and_failed,
           an_intent_that_comes_before_its_member_is_kept,
           early_intents_are_limited_and_forgotten_in_time,
           an_old_leave_intent_about_us_is_refuted_with_a_newer_time,
           two_leave_intents_about_one_member_do_not_loop,
           a_join_intent_calls_a_leaving_member_back, who_has_been_leaving_for_too_long_is_asked,
           a_push_pull_brings_clocks_and_who_has_left, the_time_of_those_who_left_does_not_creep_up,
           force_leave_moves_a_failed_member_to_left, force_leave_with_prune_erases_it,
           prune_gives_one_that_is_leaving_its_time, force_leave_alone_or_of_nobody_is_done_at_once,
           leaving_tells_the_intent_then_the_end_then_lingers,
           a_leave_goes_on_when_nobody_can_be_told, who_leaves_joins_no_more_and_leaves_once,
           failed_and_left_members_are_reaped_in_their_time,
           a_failed_member_is_tried_and_comes_back)
