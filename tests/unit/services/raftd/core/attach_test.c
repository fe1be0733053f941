/* The seam with catalogd: attach, follow, compaction, floor (contracts 3.1, 3.5, 3.6). */
#include "tests/lib/suite.h"

#include <stdlib.h>

#include "common/base/err.h"
#include "tests/unit/services/raftd/core/rig.h"

static void open_follower(struct rig *rig, const char *log, uint64_t commit)
{
    rig_open(rig, &(struct rig_seed){.voters = 3, .log = log, .term = 5});
    const struct raft_entry *at = raft_disk_at(&rig->disk, commit);
    struct raft_message m = rig_message(2, RAFT_MSG_APPEND, 5);
    m.index = commit;
    m.log_term = at->term;
    m.commit = commit;
    rig_hear(rig, &m);
    ck_assert_uint_eq(rig_status(rig).commit, commit);
}

/* ---- attach ---- */

struct attach_case {
    const char *claim;
    uint64_t commit, index, term;
    uint64_t want_floor, want_last, want_commit;
    bool adopted;
};

/* The log is "1 2 2 3 3": indexes 2 to 6 beside the configuration. */
/* clang-format off */
static const struct attach_case attach_cases[] = {
    {"an empty state changes nothing",                   3, 0, 0,  0, 6, 3, false},
    {"a position of the log keeps the suffix (51, 45)",  1, 4, 2,  0, 6, 4, false},
    {"and what is durable was committed",                1, 6, 3,  0, 6, 6, false},
    {"one beyond the end starts the log there (74)",     3, 9, 4,  9, 9, 9, true},
    {"one that differs does too (46)",                   3, 5, 4,  5, 5, 5, true},
    {"but not where it is committed here",               5, 4, 3,  0, 6, 5, false},
};
/* clang-format on */

START_TEST(adopts_only_what_lies_beyond_or_differs) /* consensus 51, 79 */
{
    for (size_t i = 0; i < CU_COUNT(attach_cases); i++) {
        const struct attach_case *c = &attach_cases[i];
        struct rig rig;
        open_follower(&rig, "1 2 2 3 3", c->commit);
        for (int again = 0; again < 2; again++) { /* idempotent */
            rig_attach(&rig, c->index, c->term);
            const struct raft_action *done = rig_action(&rig, RAFT_ACT_ATTACHED);
            struct raft_status s = rig_status(&rig);
            ck_assert_msg(done->attached.err == CU_OK, "%s", c->claim);
            ck_assert_msg(done->attached.adopted == (c->adopted && !again), "%s: adopted",
                          c->claim);
            ck_assert_msg(s.floor == c->want_floor && s.last_index == c->want_last &&
                              s.commit == c->want_commit,
                          "%s: floor %llu last %llu commit %llu", c->claim,
                          (unsigned long long)s.floor, (unsigned long long)s.last_index,
                          (unsigned long long)s.commit);
            ck_assert_msg(!s.below_floor, "%s: below the floor", c->claim);
        }
        ck_assert_uint_eq(raft_disk_last(&rig.disk), c->want_last); /* on disk too (30) */
        ck_assert_uint_eq(rig.disk.start.position.index, c->want_floor);
        rig_close(&rig);
    }
}
END_TEST

START_TEST(an_adopt_is_answered_when_it_is_durable)
{
    struct rig rig;
    open_follower(&rig, "1", 1);
    rig.holds_disk = true;
    rig_attach(&rig, 50, 5);
    ck_assert_uint_eq(rig_action(&rig, RAFT_ACT_ATTACHED)->after, rig.last_persist);
    rig_crash(&rig, 0);
    ck_assert_uint_eq(rig_status(&rig).floor, 0);
    rig_attach(&rig, 50, 5); /* a crash in between mends itself */
    rig_crash(&rig, 1);
    ck_assert_uint_eq(rig_status(&rig).floor, 50);
    ck_assert_uint_eq(rig_status(&rig).last_index, 50);
    ck_assert_uint_eq(rig_status(&rig).last_term, 5);
    rig_close(&rig);
}
END_TEST

START_TEST(a_leader_never_adopts) /* consensus 51 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 1});
    rig_lead(&rig);
    uint64_t last = rig_status(&rig).last_index;
    rig_attach(&rig, 900, 1);
    ck_assert(!rig_action(&rig, RAFT_ACT_ATTACHED)->attached.adopted);
    ck_assert_uint_eq(rig_status(&rig).last_index, last);
    ck_assert_int_eq(rig_status(&rig).role, RAFT_LEADER);
    rig_close(&rig);
}
END_TEST

START_TEST(a_state_of_another_cluster_is_not_attached) /* consensus 96, 21.78 */
{
    struct rig rig;
    open_follower(&rig, "1", 1);
    struct raft_header header = {.position = {.cluster = {{9}}, .index = 50, .term = 5}};
    rig_step(&rig, (struct raft_event){.kind = RAFT_EV_DETACH});
    rig_step(&rig, (struct raft_event){.kind = RAFT_EV_ATTACH, .tag = 5, .attach = &header});
    ck_assert_int_eq(rig_action(&rig, RAFT_ACT_ATTACHED)->attached.err, CU_E_CONFLICT);
    ck_assert(!rig_status(&rig).is_attached);
    ck_assert_uint_eq(rig_status(&rig).floor, 0);
    rig_close(&rig);
}
END_TEST

/* ---- below the floor ---- */

START_TEST(below_its_floor_it_neither_votes_nor_acknowledges_nor_campaigns) /* consensus 79, I27 */
{
    struct rig rig;
    open_follower(&rig, "1", 1);
    rig_attach(&rig, 50, 5);
    rig_attach(&rig, 0, 0); /* the catalogd's database is deleted (21.75) */
    ck_assert(rig_status(&rig).below_floor);
    rig.now = cu_mono_add_ms(rig.now, 1000);

    struct raft_message vote = rig_message(2, RAFT_MSG_VOTE, 9);
    vote.index = 99;
    vote.log_term = 8;
    rig_hear(&rig, &vote);
    ck_assert(!rig_sent(&rig, RAFT_MSG_VOTE_ANSWER)->ok);
    ck_assert_uint_eq(rig_status(&rig).term, 5);

    struct raft_message append = rig_message(2, RAFT_MSG_APPEND, 5);
    append.index = 50;
    append.log_term = 5;
    rig_hear(&rig, &append);
    ck_assert(!rig_sent(&rig, RAFT_MSG_APPEND_ANSWER)->ok);
    struct raft_message heartbeat = rig_message(2, RAFT_MSG_HEARTBEAT, 5);
    rig_hear(&rig, &heartbeat);
    ck_assert(!rig_sent(&rig, RAFT_MSG_HEARTBEAT_ANSWER)->ok);
    rig_wait(&rig, 5000);
    ck_assert_int_eq(rig_status(&rig).role, RAFT_FOLLOWER);

    rig_attach(&rig, 50, 5); /* pulled */
    append.round = 3;
    rig_hear(&rig, &append);
    ck_assert(rig_sent(&rig, RAFT_MSG_APPEND_ANSWER)->ok);
    rig_close(&rig);
}
END_TEST

START_TEST(a_floor_waits_for_the_first_attach_of_a_life) /* consensus.md 13 */
{
    struct rig rig;
    open_follower(&rig, "1", 1);
    rig_attach(&rig, 50, 5);
    rig_crash(&rig, 0);
    ck_assert(rig_status(&rig).below_floor);
    rig_attach(&rig, 60, 5);
    ck_assert(!rig_status(&rig).below_floor);
    rig_close(&rig);
}
END_TEST

START_TEST(a_leader_below_its_floor_does_not_count_itself) /* I27 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1 1 1", .term = 1, .trailing = 1});
    rig_lead(&rig);
    rig_attach(&rig, 4, 1);
    rig_step(&rig, (struct raft_event){.kind = RAFT_EV_DURABLE,
                                       .durable = {rig_cluster(), 5, rig_status(&rig).term}});
    ck_assert_uint_eq(rig_status(&rig).floor, 4);
    rig_attach(&rig, 0, 0);
    uint64_t before = rig_status(&rig).commit;
    rig_propose(&rig, "x");
    rig_ack(&rig, 2, rig_status(&rig).last_index);
    ck_assert_uint_eq(rig_status(&rig).commit, before);
    rig_ack(&rig, 3, rig_status(&rig).last_index);
    ck_assert_uint_eq(rig_status(&rig).commit, before + 1);
    rig_close(&rig);
}
END_TEST

/* ---- follow ---- */

struct follow_case {
    const char *claim;
    struct raft_position after;
    enum raft_follow_outcome want;
};

#define OWN                                                                                        \
    {                                                                                              \
        {                                                                                          \
            0xc1                                                                                   \
        }                                                                                          \
    }

START_TEST(follow_has_four_answers_tested_in_order) /* consensus 75, 76 */
{
    /* floor 3, commit 5, last 7; terms of 3.. are 2 2 3 | 3 4 */
    static const struct follow_case cases[] = {
        {"below the floor", {OWN, 2, 1}, RAFT_FOLLOW_COMPACTED},
        {"the start too", {{{0}}, 0, 0}, RAFT_FOLLOW_COMPACTED},
        {"below the floor, of another term", {OWN, 2, 9}, RAFT_FOLLOW_COMPACTED},
        {"below the floor, of another cluster", {{{7}}, 2, 1}, RAFT_FOLLOW_COMPACTED},
        {"at the floor", {OWN, 3, 2}, RAFT_FOLLOW_ENTRIES},
        {"of another term", {OWN, 4, 1}, RAFT_FOLLOW_DIVERGED},
        {"of another cluster", {{{7}}, 4, 2}, RAFT_FOLLOW_DIVERGED},
        {"of another cluster, ahead", {{{7}}, 40, 2}, RAFT_FOLLOW_DIVERGED},
        {"at the end of what is committed", {OWN, 5, 3}, RAFT_FOLLOW_NOTHING},
        {"ahead, whatever its term", {OWN, 6, 99}, RAFT_FOLLOW_NOTHING},
        {"ahead of the log", {OWN, 99, 1}, RAFT_FOLLOW_NOTHING},
    };
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1 2 2 3 3 4", .term = 5});
    struct raft_message m = rig_message(2, RAFT_MSG_APPEND, 5);
    m.index = m.commit = 5;
    m.log_term = 3;
    rig_hear(&rig, &m);
    rig_attach(&rig, 4, 2);
    rig_step(&rig, (struct raft_event){.kind = RAFT_EV_HOLD, .hold = {3, 100000}});
    rig_step(&rig, (struct raft_event){.kind = RAFT_EV_DURABLE, .durable = {OWN, 5, 3}});
    ck_assert_uint_eq(rig_status(&rig).floor, 3);
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct raft_follow_answer answer;
        raft_follow(rig.raft, cases[i].after, &answer);
        ck_assert_msg(answer.outcome == cases[i].want, "%s: %d", cases[i].claim, answer.outcome);
        ck_assert_uint_eq(answer.upto, 5);
        ck_assert_uint_eq(answer.floor, 3);
    }
    rig_close(&rig);
}
END_TEST

START_TEST(what_is_committed_but_not_synced_is_not_handed_out) /* consensus 92, 21.92 */
{
    struct rig rig;
    struct raft_follow_answer answer;
    open_follower(&rig, "1", 2);
    rig.holds_disk = true;
    struct raft_message m = rig_message(2, RAFT_MSG_APPEND, 5);
    m.index = 2;
    m.log_term = 1;
    m.commit = 3;
    m.entries = calloc(1, sizeof *m.entries);
    m.entries[m.entry_count++] = (struct raft_entry){.index = 3, .term = 5, .kind = RAFT_NOOP};
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig_status(&rig).commit, 3);
    raft_follow(rig.raft, (struct raft_position){rig_cluster(), 2, 1}, &answer);
    ck_assert_int_eq(answer.outcome, RAFT_FOLLOW_NOTHING);
    rig_sync(&rig);
    raft_follow(rig.raft, (struct raft_position){rig_cluster(), 2, 1}, &answer);
    ck_assert_int_eq(answer.outcome, RAFT_FOLLOW_ENTRIES);
    rig_close(&rig);
}
END_TEST

START_TEST(a_leader_that_needs_a_state_here_makes_follow_say_compacted) /* consensus 19 */
{
    struct rig rig;
    struct raft_follow_answer answer;
    open_follower(&rig, "1", 2);
    struct raft_message m = rig_message(2, RAFT_MSG_NEED_STATE, 5);
    m.index = 40;
    rig_hear(&rig, &m);
    ck_assert(!rig_sent(&rig, RAFT_MSG_NEED_STATE_ANSWER)->ok);
    raft_follow(rig.raft, (struct raft_position){rig_cluster(), 2, 1}, &answer);
    ck_assert_int_eq(answer.outcome, RAFT_FOLLOW_COMPACTED);
    ck_assert_uint_eq(answer.floor, 40);
    rig_attach(&rig, 45, 4);
    rig_hear(&rig, &m);
    ck_assert(rig_sent(&rig, RAFT_MSG_NEED_STATE_ANSWER)->ok);
    ck_assert_uint_eq(rig_sent(&rig, RAFT_MSG_NEED_STATE_ANSWER)->index, 45);
    rig_close(&rig);
}
END_TEST

/* ---- compaction ---- */

static void tell_durable(struct rig *rig, uint64_t index)
{
    const struct raft_entry *entry = raft_disk_at(&rig->disk, index);
    rig_step(rig, (struct raft_event){.kind = RAFT_EV_DURABLE,
                                      .durable = {rig_cluster(), index, entry->term}});
}

START_TEST(compacts_to_the_durable_index_less_the_trailing_ones) /* consensus 48, 77 */
{
    struct rig rig;
    rig_open(&rig,
             &(struct rig_seed){.voters = 3, .log = "1 1 1 1 1 1 1", .term = 5, .trailing = 3});
    struct raft_message m = rig_message(2, RAFT_MSG_APPEND, 5);
    m.index = m.commit = 8;
    m.log_term = 1;
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig_status(&rig).floor, 0); /* committed and applied license nothing */
    tell_durable(&rig, 2);
    ck_assert_uint_eq(rig_status(&rig).floor, 0); /* fewer than trail (21.23) */
    tell_durable(&rig, 7);
    ck_assert_uint_eq(rig_status(&rig).floor, 4);
    ck_assert_uint_eq(rig.disk.start.position.index, 4);
    ck_assert_uint_eq(rig.disk.start.configuration.count, 3); /* kept, though its entry is gone */
    rig_crash(&rig, 0);
    ck_assert_uint_eq(raft_configuration_latest(rig.raft)->count, 3);
    ck_assert(raft_id_equal(rig_status(&rig).cluster, rig_cluster()));
    rig_close(&rig);
}
END_TEST

START_TEST(a_hold_keeps_entries_until_it_ends) /* consensus 77, 21.28 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 1, .log = "1 1 1 1 1 1 1", .term = 5});
    rig_step(&rig, (struct raft_event){.kind = RAFT_EV_HOLD, .hold = {3, 500}});
    tell_durable(&rig, 8);
    ck_assert_uint_eq(rig_status(&rig).floor, 3);
    rig_wait(&rig, 499);
    ck_assert_uint_eq(rig_status(&rig).floor, 3);
    rig_wait(&rig, 1);
    ck_assert_uint_eq(rig_status(&rig).floor, 8);
    rig_step(&rig, (struct raft_event){.kind = RAFT_EV_HOLD, .hold = {8, 5000}});
    rig_propose(&rig, "x");
    rig_propose(&rig, "y");
    tell_durable(&rig, 10);
    ck_assert_uint_eq(rig_status(&rig).floor, 8);
    rig_step(&rig, (struct raft_event){.kind = RAFT_EV_HOLD, .hold = {8, 0}}); /* let go */
    ck_assert_uint_eq(rig_status(&rig).floor, 10);
    rig_close(&rig);
}
END_TEST

START_TEST(holds_are_bounded)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 1, .log = "1 1 1 1 1 1 1", .term = 5});
    for (unsigned i = 0; i < 40; i++)
        rig_step(&rig, (struct raft_event){.kind = RAFT_EV_HOLD, .hold = {i, 100 + i}});
    tell_durable(&rig, 8);
    ck_assert_uint_eq(rig_status(&rig).floor, 8); /* the low ones gave way: 24 to 39 are left */
    rig_close(&rig);
}
END_TEST

START_TEST(nothing_is_deleted_without_an_attached_catalogd) /* consensus 77 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 1, .log = "1 1 1 1 1 1 1", .term = 5});
    rig_step(&rig, (struct raft_event){.kind = RAFT_EV_DETACH});
    tell_durable(&rig, 8);
    ck_assert_uint_eq(rig_status(&rig).floor, 0);
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("services/raftd/core/attach", adopts_only_what_lies_beyond_or_differs,
           an_adopt_is_answered_when_it_is_durable, a_leader_never_adopts,
           a_state_of_another_cluster_is_not_attached,
           below_its_floor_it_neither_votes_nor_acknowledges_nor_campaigns,
           a_floor_waits_for_the_first_attach_of_a_life,
           a_leader_below_its_floor_does_not_count_itself, follow_has_four_answers_tested_in_order,
           what_is_committed_but_not_synced_is_not_handed_out,
           a_leader_that_needs_a_state_here_makes_follow_say_compacted,
           compacts_to_the_durable_index_less_the_trailing_ones, a_hold_keeps_entries_until_it_ends,
           holds_are_bounded, nothing_is_deleted_without_an_attached_catalogd)
