/* A leader: its lease, its reads, what it commits and how it sends. */
#include "tests/lib/suite.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/services/raftd/core/rig.h"

static void open_leader(struct rig *rig)
{
    rig_open(rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 1});
    rig_lead(rig);
}

/* ---- commit (consensus.md 7) ---- */

START_TEST(commits_what_a_majority_holds_and_counts_itself_after_its_fsync) /* consensus 17 */
{
    struct rig rig;
    open_leader(&rig);
    rig.holds_disk = true;
    rig_propose(&rig, "x");
    uint64_t index = rig_status(&rig).last_index;
    rig_sync(&rig);
    ck_assert_uint_eq(rig_status(&rig).commit, index - 1);
    rig_ack(&rig, 2, index);
    ck_assert_uint_eq(rig_status(&rig).commit, index);
    rig_propose(&rig, "y"); /* both followers, before the own disk */
    rig_ack(&rig, 2, index + 1);
    ck_assert_uint_eq(rig_status(&rig).commit, index);
    rig_ack(&rig, 3, index + 1);
    ck_assert_uint_eq(rig_status(&rig).commit, index + 1);
    ck_assert_uint_eq(rig_status(&rig).synced, index);
    rig_close(&rig);
}
END_TEST

START_TEST(commits_nothing_of_an_older_term_by_counting) /* consensus 15, 21.10 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1 2 2", .term = 3});
    rig_wait(&rig, 700);
    while (rig_status(&rig).role != RAFT_PRECANDIDATE)
        rig_wait(&rig, 10);
    struct raft_message m = rig_message(2, RAFT_MSG_PREVOTE_ANSWER, 4);
    m.ok = true;
    for (m.round = 1; rig_status(&rig).role != RAFT_CANDIDATE; m.round++)
        rig_hear(&rig, &m);
    m.kind = RAFT_MSG_VOTE_ANSWER;
    for (; rig_status(&rig).role != RAFT_LEADER; m.round++)
        rig_hear(&rig, &m);
    rig_ack(&rig, 2, 4); /* everything but the no-op */
    rig_ack(&rig, 3, 4);
    ck_assert_uint_eq(rig_status(&rig).commit, 0);
    rig_ack(&rig, 2, 5);
    ck_assert_uint_eq(rig_status(&rig).commit, 5);
    rig_close(&rig);
}
END_TEST

/* ---- lease (consensus.md 8) ---- */

START_TEST(the_lease_counts_from_the_send_time) /* consensus 22 */
{
    struct rig rig;
    open_leader(&rig);
    rig_wait(&rig, 50); /* a round leaves at some point in here */
    uint64_t late = 150;
    rig.now = cu_mono_add_ms(rig.now, late);
    rig_ack_round(&rig, 2); /* answered 150 ms after it was sent, or later */
    ck_assert(rig_status(&rig).lease_valid);
    rig.now = cu_mono_add_ms(rig.now, 200 - late);
    ck_assert(!rig_status(&rig).lease_valid);
    rig_close(&rig);
}
END_TEST

START_TEST(a_leader_that_hears_nothing_steps_down) /* consensus 23 */
{
    struct rig rig;
    open_leader(&rig);
    rig_wait(&rig, 220);
    ck_assert_int_ne(rig_status(&rig).role, RAFT_LEADER);
    ck_assert(rig_told(&rig, RAFT_NOTE_LEASE_LOST));
    rig_close(&rig);
}
END_TEST

START_TEST(a_paused_leader_answers_no_read_when_it_wakes) /* consensus 25, 21.57 */
{
    struct rig rig;
    open_leader(&rig);
    rig.now = cu_mono_add_ms(rig.now, 5000);
    rig_read(&rig, RAFT_READ_DEFAULT);
    ck_assert_ptr_null(rig_action(&rig, RAFT_ACT_READ)); /* it asks a quorum first */
    rig_wait(&rig, 1);
    ck_assert_int_eq(rig_action(&rig, RAFT_ACT_READ)->read.err, CU_E_NO_LEADER);
    rig_close(&rig);
}
END_TEST

/* Not run for so long; ticks come afterwards. */
static void pause_for(struct rig *rig, uint64_t ms)
{
    rig->now = cu_mono_add_ms(rig->now, ms);
    rig_wait(rig, 1);
}

/* With two of three up and no load a pause of 150 ms cost an election. */
START_TEST(a_leader_that_wakes_from_a_short_pause_leads_on_if_it_is_answered) /* consensus 25 */
{
    struct rig rig;
    open_leader(&rig);
    rig.now = cu_mono_add_ms(rig.now, 280);
    rig_read(&rig, RAFT_READ_DEFAULT);
    ck_assert_ptr_null(rig_action(&rig, RAFT_ACT_READ)); /* the lease is void all the same */
    rig_wait(&rig, 1);
    ck_assert_int_eq(rig_status(&rig).role, RAFT_LEADER);
    ck_assert(!rig_status(&rig).lease_valid);
    rig_ack_round(&rig, 2);
    ck_assert(rig_status(&rig).lease_valid);
    rig_close(&rig);
}
END_TEST

START_TEST(a_leader_that_wakes_and_is_not_answered_steps_down) /* consensus 23, 21.14 */
{
    struct rig rig;
    open_leader(&rig);
    pause_for(&rig, 280);
    rig_wait(&rig, 190);
    ck_assert_int_eq(rig_status(&rig).role, RAFT_LEADER);
    rig_wait(&rig, 20);
    ck_assert_int_ne(rig_status(&rig).role, RAFT_LEADER);
    rig_close(&rig);
}
END_TEST

START_TEST(a_leader_that_was_paused_for_longer_than_elections_take_steps_down_at_once)
{
    struct rig rig;
    open_leader(&rig);
    pause_for(&rig, 2 * raft_timing_default.election_ms);
    ck_assert_int_ne(rig_status(&rig).role, RAFT_LEADER);
    rig_close(&rig);
}
END_TEST

/* Late for each heartbeat it sends, and never answered: no pause begins its patience anew. */
START_TEST(a_slow_leader_that_is_cut_off_steps_down_all_the_same) /* consensus 23, 21.14 */
{
    struct rig rig;
    open_leader(&rig);
    struct cu_mono last = cu_mono_add_ms(rig.now, 2 * raft_timing_default.election_ms +
                                                      raft_timing_default.lease_ms + 120);
    while (rig_status(&rig).role == RAFT_LEADER && cu_mono_before(rig.now, last))
        pause_for(&rig, 119);
    ck_assert_int_ne(rig_status(&rig).role, RAFT_LEADER);
    rig_close(&rig);
}
END_TEST

/* A pre-vote that lay unread meanwhile: a void lease refuses nobody. */
START_TEST(a_leader_whose_lease_a_pause_has_voided_stands_in_nobodys_way) /* consensus 5 */
{
    struct rig rig;
    open_leader(&rig);
    rig.now = cu_mono_add_ms(rig.now, 280);
    struct raft_message m = rig_message(2, RAFT_MSG_PREVOTE, rig_status(&rig).term + 1);
    m.index = rig_status(&rig).last_index;
    m.log_term = rig_status(&rig).term;
    rig_hear(&rig, &m);
    ck_assert(rig_sent(&rig, RAFT_MSG_PREVOTE_ANSWER)->ok);
    m.kind = RAFT_MSG_VOTE;
    rig_hear(&rig, &m);
    ck_assert_int_eq(rig_status(&rig).role, RAFT_FOLLOWER);
    ck_assert(rig_sent(&rig, RAFT_MSG_VOTE_ANSWER)->ok);
    rig_close(&rig);
}
END_TEST

START_TEST(one_of_three_is_no_quorum_and_non_voters_are_none) /* consensus 24, 21.18 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 5, .log = "1", .term = 1});
    rig_lead(&rig);
    for (int i = 0; i < 5; i++) {
        rig_wait(&rig, 50);
        if (rig_status(&rig).role == RAFT_LEADER)
            rig_ack_round(&rig, 2); /* two of five */
    }
    ck_assert_int_ne(rig_status(&rig).role, RAFT_LEADER);
    rig_close(&rig);
}
END_TEST

/* ---- reads (consensus.md 9) ---- */

START_TEST(a_consistent_read_waits_for_a_round_sent_after_it) /* consensus 26 */
{
    struct rig rig;
    open_leader(&rig);
    rig_read(&rig, RAFT_READ_CONSISTENT);
    uint64_t first = rig.tag;
    ck_assert_uint_eq(rig_count(&rig, RAFT_MSG_HEARTBEAT), 2);
    uint64_t round = rig_sent(&rig, RAFT_MSG_HEARTBEAT)->round;
    rig_read(&rig, RAFT_READ_CONSISTENT); /* joins the next, not the one already sent */
    ck_assert_uint_eq(rig_count(&rig, RAFT_MSG_HEARTBEAT), 0);
    rig_read(&rig, RAFT_READ_CONSISTENT); /* and shares it */
    struct raft_message m = rig_message(2, RAFT_MSG_HEARTBEAT_ANSWER, rig_status(&rig).term);
    m.ok = true;
    m.round = round - 1;
    rig_hear(&rig, &m); /* an older round proves nothing */
    ck_assert_ptr_null(rig_action(&rig, RAFT_ACT_READ));
    m.round = round;
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig_action(&rig, RAFT_ACT_READ)->read.tag, first);
    ck_assert_uint_eq(rig_count(&rig, RAFT_MSG_HEARTBEAT), 2);
    m.round = round + 1;
    rig_hear(&rig, &m);
    unsigned answers = 0;
    for (uint32_t i = 0; i < rig.actions.count; i++)
        answers += rig.actions.items[i].kind == RAFT_ACT_READ;
    ck_assert_uint_eq(answers, 2);
    rig_close(&rig);
}
END_TEST

START_TEST(a_new_leader_answers_once_its_noop_is_committed) /* consensus 30, 21.4 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 1});
    rig.holds_disk = true;
    while (rig_status(&rig).role != RAFT_PRECANDIDATE)
        rig_wait(&rig, 10);
    struct raft_message m = rig_message(2, RAFT_MSG_PREVOTE_ANSWER, 2);
    m.ok = true;
    for (m.round = 1; rig_status(&rig).role != RAFT_CANDIDATE; m.round++)
        rig_hear(&rig, &m);
    m.kind = RAFT_MSG_VOTE_ANSWER;
    for (; rig_status(&rig).role != RAFT_LEADER; m.round++)
        rig_hear(&rig, &m);
    rig_ack_round(&rig, 2);
    rig_read(&rig, RAFT_READ_DEFAULT);
    ck_assert_ptr_null(rig_action(&rig, RAFT_ACT_READ));
    rig_ack(&rig, 2, 3);
    rig_ack(&rig, 3, 3);
    const struct raft_action *read = rig_action(&rig, RAFT_ACT_READ);
    ck_assert_ptr_nonnull(read);
    ck_assert_uint_eq(read->read.index, 3);
    rig_close(&rig);
}
END_TEST

START_TEST(a_follower_refuses_reads_and_proposals)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 1});
    rig_read(&rig, RAFT_READ_DEFAULT);
    ck_assert_int_eq(rig_action(&rig, RAFT_ACT_READ)->read.err, CU_E_NO_LEADER);
    rig_propose(&rig, "x");
    const struct raft_action *done = rig_action(&rig, RAFT_ACT_PROPOSED);
    ck_assert_int_eq(done->proposed.refusals[0].err, CU_E_NO_LEADER);
    ck_assert(done->proposed.is_final);
    rig_close(&rig);
}
END_TEST

/* ---- proposals ---- */

START_TEST(tells_at_once_when_another_term_took_the_place) /* consensus 15, 64 */
{
    struct rig rig;
    open_leader(&rig);
    rig_propose(&rig, "x");
    uint64_t tag = rig.tag, index = rig_status(&rig).last_index;
    struct raft_message m = rig_message(3, RAFT_MSG_APPEND, rig_status(&rig).term + 1);
    m.index = index - 1;
    m.log_term = rig_status(&rig).term;
    m.entries = calloc(1, sizeof *m.entries);
    m.entries[m.entry_count++] = (struct raft_entry){.index = index,
                                                     .term = m.term,
                                                     .kind = RAFT_NOOP,
                                                     .wall_ms = rig.wall_ms,
                                                     .lease_ms = 9000};
    rig_hear(&rig, &m);
    const struct raft_action *lost = rig_action(&rig, RAFT_ACT_PROPOSED);
    ck_assert_ptr_nonnull(lost);
    ck_assert_uint_eq(lost->proposed.tag, tag);
    ck_assert_uint_eq(lost->proposed.lost_count, 1);
    ck_assert_uint_eq(lost->proposed.lost[0], tag); /* the rig's seq */
    rig_close(&rig);
}
END_TEST

START_TEST(a_mixed_call_is_answered_at_once_and_once) /* consensus 93 */
{
    struct rig rig;
    open_leader(&rig);
    char *text = malloc(RAFT_ENTRY_LIMIT_BYTES + 1);
    memset(text, 'x', RAFT_ENTRY_LIMIT_BYTES + 1);
    struct raft_proposal items[3] = {
        {.seq = 1, .kind = RAFT_COMMAND, .body = raft_body_new(cu_bytes_of("a"))},
        {.seq = 2,
         .kind = RAFT_COMMAND,
         .body = raft_body_new((struct cu_bytes){(uint8_t *)text, RAFT_ENTRY_LIMIT_BYTES + 1})},
        {.seq = 3, .kind = RAFT_COMMAND, .body = raft_body_new(cu_bytes_of("c"))},
    };
    uint64_t before = rig_status(&rig).last_index;
    rig_step(&rig, (struct raft_event){.kind = RAFT_EV_PROPOSE, .tag = 99, .propose = {items, 3}});
    const struct raft_action *done = rig_action(&rig, RAFT_ACT_PROPOSED);
    ck_assert_uint_eq(done->proposed.refusal_count, 1);
    ck_assert_uint_eq(done->proposed.refusals[0].seq, 2);
    ck_assert(!done->proposed.is_final);
    ck_assert_uint_eq(rig_status(&rig).last_index, before + 2);
    ck_assert_uint_eq(rig_count(&rig, RAFT_MSG_APPEND), 2); /* one message a peer for the turn */
    rig_ack(&rig, 2, before + 2);
    ck_assert_ptr_null(rig_action(&rig, RAFT_ACT_PROPOSED));
    free(text);
    rig_close(&rig);
}
END_TEST

START_TEST(a_thousand_proposals_of_a_turn_are_one_transaction) /* consensus 21, 93 */
{
    struct rig rig;
    open_leader(&rig);
    struct raft_proposal items[1000];
    for (unsigned i = 0; i < 1000; i++)
        items[i] = (struct raft_proposal){.seq = i + 1, .kind = RAFT_COMMAND};
    uint64_t before = rig.disk.syncs;
    rig_step(&rig,
             (struct raft_event){.kind = RAFT_EV_PROPOSE, .tag = 99, .propose = {items, 1000}});
    ck_assert_uint_eq(rig.disk.syncs, before + 1);
    for (uint32_t i = 0; i < rig.actions.count; i++) {
        if (rig.actions.items[i].kind == RAFT_ACT_SEND)
            ck_assert_uint_le(rig.actions.items[i].send->entry_count, RAFT_ENTRY_BATCH);
    }
    ck_assert_uint_eq(rig_count(&rig, RAFT_MSG_APPEND), 8); /* four on their way to each */
    rig_close(&rig);
}
END_TEST

/* ---- sending ---- */

START_TEST(keeps_four_messages_on_their_way_and_no_more) /* consensus 20 */
{
    struct rig rig;
    open_leader(&rig);
    uint64_t last = rig_status(&rig).last_index;
    for (int i = 0; i < 6; i++) {
        rig_propose(&rig, "x");
        unsigned want = i < 4 ? 2 : 0; /* two peers */
        ck_assert_uint_eq(rig_count(&rig, RAFT_MSG_APPEND), want);
    }
    rig_ack(&rig, 2, last + 1);
    ck_assert_uint_eq(rig_count(&rig, RAFT_MSG_APPEND), 1);
    ck_assert_uint_eq(rig_sent(&rig, RAFT_MSG_APPEND)->entry_count, 2);
    rig_close(&rig);
}
END_TEST

START_TEST(a_refusal_aborts_the_pipeline_and_asks_anew) /* consensus 20 */
{
    struct rig rig;
    open_leader(&rig);
    rig_propose(&rig, "x");
    const struct raft_message *sent = rig_sent(&rig, RAFT_MSG_APPEND);
    struct raft_message m = rig_message(3, RAFT_MSG_APPEND_ANSWER, rig_status(&rig).term);
    ck_assert(raft_id_equal(sent->to, rig_id(3)));
    m.round = sent->round;
    m.conflict_index = sent->index; /* "the same again, later": it is below its floor */
    m.conflict_term = sent->log_term;
    rig_propose(&rig, "y");
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig_count(&rig, RAFT_MSG_APPEND), 0); /* no busy loop */
    rig_ack_round(&rig, 2);
    rig_wait(&rig, 50);
    const struct raft_message *again = rig_sent(&rig, RAFT_MSG_APPEND);
    ck_assert_uint_eq(rig_count(&rig, RAFT_MSG_APPEND), 1);
    ck_assert_uint_eq(again->entry_count, 2);
    ck_assert_uint_eq(again->index, m.conflict_index);
    rig_close(&rig);
}
END_TEST

/* 21.62: at least one entry, however long */
START_TEST(messages_are_bounded_in_bytes_but_hold_an_entry)
{
    struct rig rig;
    open_leader(&rig);
    static uint8_t big[1400 * 1024];
    struct raft_proposal items[4];
    for (unsigned i = 0; i < 4; i++)
        items[i] = (struct raft_proposal){
            .seq = i + 1,
            .kind = RAFT_COMMAND,
            .body = raft_body_new((struct cu_bytes){big, i < 2 ? sizeof big : 400 * 1024})};
    rig_step(&rig, (struct raft_event){.kind = RAFT_EV_PROPOSE, .tag = 99, .propose = {items, 4}});
    unsigned seen = 0;
    for (uint32_t i = 0; i < rig.actions.count; i++) {
        const struct raft_action *a = &rig.actions.items[i];
        if (a->kind != RAFT_ACT_SEND || a->send->kind != RAFT_MSG_APPEND)
            continue;
        ck_assert_uint_ge(a->send->entry_count, 1);
        ck_assert_uint_le(a->send->entry_count, 2);
        seen += a->send->entry_count;
    }
    ck_assert_uint_eq(seen, 8);
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("services/raftd/core/leader",
           commits_what_a_majority_holds_and_counts_itself_after_its_fsync,
           commits_nothing_of_an_older_term_by_counting, the_lease_counts_from_the_send_time,
           a_leader_that_hears_nothing_steps_down, a_paused_leader_answers_no_read_when_it_wakes,
           a_leader_that_wakes_from_a_short_pause_leads_on_if_it_is_answered,
           a_leader_that_wakes_and_is_not_answered_steps_down,
           a_leader_that_was_paused_for_longer_than_elections_take_steps_down_at_once,
           a_slow_leader_that_is_cut_off_steps_down_all_the_same,
           a_leader_whose_lease_a_pause_has_voided_stands_in_nobodys_way,
           one_of_three_is_no_quorum_and_non_voters_are_none,
           a_consistent_read_waits_for_a_round_sent_after_it,
           a_new_leader_answers_once_its_noop_is_committed, a_follower_refuses_reads_and_proposals,
           tells_at_once_when_another_term_took_the_place,
           a_mixed_call_is_answered_at_once_and_once,
           a_thousand_proposals_of_a_turn_are_one_transaction,
           keeps_four_messages_on_their_way_and_no_more,
           a_refusal_aborts_the_pipeline_and_asks_anew,
           messages_are_bounded_in_bytes_but_hold_an_entry)
