/* What is believed of members: gossip.md 8, checklist 28 to 37. */
#include "tests/lib/suite.h"

#include <stdio.h>

#include "tests/unit/services/gossipd/core/rig.h"

static bool says_alive(struct rig *rig, const char *node, uint32_t incarnation)
{
    struct rig_sent sent;
    rig_wait(rig, 200);
    for (unsigned n = 0; rig_sent(rig, GOSSIP_ALIVE, n, &sent); n++)
        if (cu_bytes_equal(sent.message.alive.node, cu_bytes_of(node)) &&
            sent.message.alive.incarnation == incarnation)
            return true;
    return false;
}

START_TEST(only_a_higher_incarnation_is_news) /* 28 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bc"});
    rig_wait(&rig, 5000);
    rig_alive_meta(&rig, "b", 1, rig_tag_meta("x", "1"));
    ck_assert_uint_eq(rig_changed(&rig, "b", GOSSIP_CHANGE_UPDATED), 0);
    ck_assert(!says_alive(&rig, "b", 1));
    rig_alive_meta(&rig, "b", 2, rig_tag_meta("x", "1"));
    ck_assert_uint_eq(rig_changed(&rig, "b", GOSSIP_CHANGE_UPDATED), 1);
    ck_assert_uint_eq(rig_incarnation(&rig, "b"), 2);
    ck_assert(says_alive(&rig, "b", 2));
    rig_close(&rig);
}
END_TEST

START_TEST(an_alive_about_us_with_other_words_is_refuted) /* 29 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bc"});
    rig_alive_meta(&rig, "a", 1, (struct cu_bytes){(const uint8_t *)"\xff\x80", 2}); /* our words */
    ck_assert_uint_eq(rig_incarnation(&rig, "a"), 1);
    rig_alive_meta(&rig, "a", 1, rig_tag_meta("role", "old"));
    ck_assert_uint_eq(rig_incarnation(&rig, "a"), 2);
    ck_assert(says_alive(&rig, "a", 2));
    rig_alive(&rig, "a", 1); /* behind us */
    ck_assert_uint_eq(rig_incarnation(&rig, "a"), 2);
    rig_alive(&rig, "a", 9); /* of an earlier life */
    ck_assert_uint_eq(rig_incarnation(&rig, "a"), 10);
    rig_close(&rig);
}
END_TEST

START_TEST(a_suspicion_of_us_is_refuted_above_it_and_hurts_our_health) /* 30 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bc"});
    rig_suspect(&rig, "a", 6, "b");
    ck_assert_uint_eq(rig_incarnation(&rig, "a"), 7);
    ck_assert_uint_eq(rig_stats(&rig).health_score, 1);
    ck_assert(rig_noted(&rig, GOSSIP_NOTE_REFUTED));
    rig_suspect(&rig, "a", 6, "c"); /* older than we are now */
    ck_assert_uint_eq(rig_incarnation(&rig, "a"), 7);
    ck_assert(says_alive(&rig, "a", 7));
    rig_close(&rig);
}
END_TEST

START_TEST(a_death_of_ours_is_refuted_unless_we_leave) /* 31 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bc"});
    rig_dead(&rig, "a", 1, "b");
    ck_assert_uint_eq(rig_incarnation(&rig, "a"), 2);
    ck_assert_int_eq(rig_status(&rig, "a"), GOSSIP_STATUS_ALIVE);
    rig_step(&rig, (struct gossip_event){.kind = GOSSIP_EV_LEAVE, .tag = 1});
    rig_dead(&rig, "a", 2, "b");
    ck_assert_uint_eq(rig_incarnation(&rig, "a"), 2);
    ck_assert_int_eq(rig_status(&rig, "a"), GOSSIP_STATUS_LEFT);
    rig_close(&rig);
}
END_TEST

START_TEST(who_says_it_of_itself_has_left_others_are_dead) /* 32 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bcd"});
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "b", 5, false);
    rig_dead(&rig, "b", 1, "b");
    ck_assert_uint_eq(rig_changed(&rig, "b", GOSSIP_CHANGE_LEFT), 1);
    rig_dead(&rig, "c", 1, "d");
    ck_assert_uint_eq(rig_changed(&rig, "c", GOSSIP_CHANGE_FAILED), 1);
    rig_dead(&rig, "c", 1, "d"); /* known */
    ck_assert_uint_eq(rig_changed(&rig, "c", GOSSIP_CHANGE_FAILED), 0);
    rig_dead(&rig, "d", 0, "b"); /* older than what we know */
    ck_assert_int_eq(rig_status(&rig, "d"), GOSSIP_STATUS_ALIVE);
    rig_close(&rig);
}
END_TEST

START_TEST(who_tells_an_accusation_answered_long_ago_is_told_the_answer)
{
    struct rig rig;
    struct rig_sent sent;
    rig_open(&rig, &(struct rig_seed){.peers = "bc"});
    rig_alive(&rig, "b", 4);
    struct gossip_message old = {
        .type = GOSSIP_DEAD,
        .dead = {.node = cu_bytes_of("b"), .incarnation = 3, .from = cu_bytes_of("q")}};
    rig_hear(&rig, &old, 'c');
    ck_assert(rig_sent(&rig, GOSSIP_ALIVE, 0, &sent));
    ck_assert(gossip_addr_equal(sent.to, rig_addr('c')));
    ck_assert_uint_eq(sent.message.alive.incarnation, 4);
    rig_hear(&rig, &old, 'z'); /* a stranger */
    ck_assert_uint_eq(rig_count(&rig, GOSSIP_ALIVE), 0);
    rig_suspect(&rig, "b", 4, "c"); /* no old story: nothing to correct */
    rig_hear(&rig, &old, 'c');
    ck_assert_uint_eq(rig_count(&rig, GOSSIP_ALIVE), 0);
    rig_close(&rig);
}
END_TEST

static struct gossip_node_state node_state(const char *node, uint32_t incarnation,
                                           enum gossip_state state)
{
    return (struct gossip_node_state){.alive = {.node = cu_bytes_of(node),
                                                .addr = rig_addr(*node),
                                                .incarnation = incarnation,
                                                .versions = GOSSIP_VERSIONS_SERF},
                                      .state = state};
}

START_TEST(a_dead_one_of_a_push_pull_is_only_suspected) /* 33 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bcd"});
    const struct gossip_node_state nodes[] = {
        node_state("b", 1, GOSSIP_STATE_DEAD), node_state("c", 1, GOSSIP_STATE_SUSPECT),
        node_state("d", 1, GOSSIP_STATE_LEFT), node_state("e", 3, GOSSIP_STATE_ALIVE)};
    rig_push_pull(&rig, nodes, 4, NULL, false);
    ck_assert(rig_is_suspect(&rig, "b"));
    ck_assert(rig_is_suspect(&rig, "c"));
    ck_assert_int_eq(rig_status(&rig, "d"), GOSSIP_STATUS_FAILED); /* no intent was heard */
    ck_assert_int_eq(rig_status(&rig, "e"), GOSSIP_STATUS_ALIVE);
    struct rig_sent sent; /* what we say is our own suspicion */
    rig_wait(&rig, 200);
    ck_assert(rig_sent(&rig, GOSSIP_SUSPECT, 0, &sent));
    ck_assert(cu_bytes_equal(sent.message.suspect.from, cu_bytes_of("a")));
    rig_close(&rig);
}
END_TEST

static void move(struct rig *rig, const char *node, uint32_t incarnation, char to)
{
    struct gossip_message message = {.type = GOSSIP_ALIVE,
                                     .alive = {.node = cu_bytes_of(node),
                                               .addr = rig_addr(to),
                                               .incarnation = incarnation,
                                               .versions = GOSSIP_VERSIONS_SERF}};
    rig_hear(rig, &message, 'z');
}

static bool is_at(const struct rig *rig, const char *node, char at)
{
    struct gossip_member_view view;
    return gossip_member_find(rig->gossip, node, &view) &&
           gossip_addr_equal(view.address, rig_addr(at));
}

START_TEST(an_address_changes_only_of_those_gone) /* 34 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bcd", .profile = GOSSIP_PROFILE_CONSUL_LAN});
    move(&rig, "b", 5, 'x');
    ck_assert(rig_noted(&rig, GOSSIP_NOTE_CONFLICT));
    ck_assert(is_at(&rig, "b", 'b'));
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "b", 5, false);
    rig_dead(&rig, "b", 1, "b");
    move(&rig, "b", 1, 'x'); /* left: at once, whatever the incarnation */
    ck_assert(is_at(&rig, "b", 'x'));
    ck_assert_int_eq(rig_status(&rig, "b"), GOSSIP_STATUS_ALIVE);

    rig_dead(&rig, "c", 1, "d");
    move(&rig, "c", 1, 'y');
    ck_assert(rig_noted(&rig, GOSSIP_NOTE_CONFLICT));
    rig_wait(&rig, 29000);
    move(&rig, "c", 1, 'y');
    ck_assert(is_at(&rig, "c", 'c'));
    rig_wait(&rig, 1500); /* 30 s to reclaim it */
    move(&rig, "c", 1, 'y');
    ck_assert(is_at(&rig, "c", 'y'));
    rig_close(&rig);
}
END_TEST

START_TEST(serf_never_takes_over_the_address_of_a_dead_one)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bcd"});
    rig_dead(&rig, "c", 1, "d");
    rig_wait(&rig, 29000); /* within the time it is gossiped to, it stays in the table */
    move(&rig, "c", 9, 'y');
    ck_assert(is_at(&rig, "c", 'c'));
    rig_close(&rig);
}
END_TEST

START_TEST(a_conflict_about_us_is_told_as_one)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "b"});
    move(&rig, "a", 3, 'q');
    ck_assert(rig_noted(&rig, GOSSIP_NOTE_CONFLICT_SELF));
    ck_assert_uint_eq(rig_incarnation(&rig, "a"), 1);
    rig_close(&rig);
}
END_TEST

START_TEST(impossible_versions_are_not_let_in) /* 35 */
{
    static const struct gossip_versions bad[] = {
        {true, 0, 5, 2, 2, 5, 4}, {true, 1, 0, 2, 2, 5, 4}, {true, 5, 4, 2, 2, 5, 4}};
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){0});
    for (size_t i = 0; i < CU_COUNT(bad); i++) {
        struct gossip_message message = {.type = GOSSIP_ALIVE,
                                         .alive = {.node = cu_bytes_of("b"),
                                                   .addr = rig_addr('b'),
                                                   .incarnation = 1,
                                                   .versions = bad[i]}};
        rig_hear(&rig, &message, 'b');
        ck_assert(rig_noted(&rig, GOSSIP_NOTE_BAD_VERSION));
        ck_assert_int_eq(rig_status(&rig, "b"), GOSSIP_STATUS_NONE);
    }
    rig_close(&rig);
}
END_TEST

START_TEST(a_pool_of_other_versions_is_not_merged) /* 36 */
{
    static const struct {
        struct gossip_versions versions;
        const char *want;
    } cases[] = {
        {{true, 1, 5, 7, 2, 5, 4}, "Node 'b' protocol version (7) is incompatible: [1, 5]"},
        {{true, 3, 5, 3, 2, 5, 4}, "Node 'a' protocol version (2) is incompatible: [3, 5]"},
        {{true, 1, 5, 2, 2, 5, 9},
         "Node 'b' delegate protocol version (9) is incompatible: [2, 5]"},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct rig rig;
        rig_open(&rig, &(struct rig_seed){0});
        struct gossip_node_state node = node_state("b", 1, GOSSIP_STATE_ALIVE);
        node.alive.versions = cases[i].versions;
        rig_push_pull(&rig, &node, 1, NULL, true);
        ck_assert(rig_noted(&rig, GOSSIP_NOTE_MERGE_REFUSED));
        ck_assert_str_eq(rig_action(&rig, GOSSIP_ACT_NOTE)->note.text, cases[i].want);
        ck_assert_int_eq(rig_status(&rig, "b"), GOSSIP_STATUS_NONE);
        ck_assert(!gossip_is_complete(rig.gossip));
        rig_close(&rig);
    }
}
END_TEST

START_TEST(port_0_means_the_same_as_ours)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){0});
    struct gossip_message message = {
        .type = GOSSIP_ALIVE,
        .alive = {.node = cu_bytes_of("b"), .addr = rig_addr('b'), .incarnation = 1}};
    message.alive.addr.port = 0;
    rig_hear(&rig, &message, 'b');
    ck_assert(is_at(&rig, "b", 'b'));
    rig_close(&rig);
}
END_TEST

START_TEST(a_full_table_takes_nobody_in_but_forgets_the_reaped_first) /* limit + 1 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.peers = "bcd", .members_max = 4});
    rig_alive(&rig, "e", 1);
    ck_assert(rig_noted(&rig, GOSSIP_NOTE_MEMBERS_FULL));
    ck_assert_int_eq(rig_status(&rig, "e"), GOSSIP_STATUS_NONE);
    rig_dead(&rig, "b", 1, "c");
    rig_wait(&rig, 60000);                       /* out of the table */
    for (const char *node = "cd"; *node; node++) /* they answered all along */
        rig_alive(&rig, (char[]){*node, 0}, 50);
    rig_intent(&rig, GOSSIP_SERF_LEAVE, "b", 9, true);
    ck_assert_uint_eq(rig_changed(&rig, "b", GOSSIP_CHANGE_REAPED), 1);
    rig_alive(&rig, "e", 1);
    ck_assert_int_eq(rig_status(&rig, "e"), GOSSIP_STATUS_ALIVE);
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("services/gossipd/core/belief", only_a_higher_incarnation_is_news,
           an_alive_about_us_with_other_words_is_refuted,
           a_suspicion_of_us_is_refuted_above_it_and_hurts_our_health,
           a_death_of_ours_is_refuted_unless_we_leave,
           who_says_it_of_itself_has_left_others_are_dead,
           who_tells_an_accusation_answered_long_ago_is_told_the_answer,
           a_dead_one_of_a_push_pull_is_only_suspected, an_address_changes_only_of_those_gone,
           serf_never_takes_over_the_address_of_a_dead_one, a_conflict_about_us_is_told_as_one,
           impossible_versions_are_not_let_in, a_pool_of_other_versions_is_not_merged,
           port_0_means_the_same_as_ours, a_full_table_takes_nobody_in_but_forgets_the_reaped_first)
