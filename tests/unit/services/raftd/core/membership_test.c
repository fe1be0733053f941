/* Servers are added and removed, one at a time (consensus.md 10). */
#include "tests/lib/suite.h"

#include "tests/unit/services/raftd/core/rig.h"

enum { NEWCOMER = 9 };

static void open_leader(struct rig *rig)
{
    rig_open(rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 1});
    rig_lead(rig);
}

static void change(struct rig *rig, unsigned server, bool is_add)
{
    rig_step(rig, (struct raft_event){.kind = RAFT_EV_CHANGE,
                                      .tag = ++rig->tag,
                                      .change = {rig_id(server), is_add}});
}

static enum cu_err answer(const struct rig *rig)
{
    const struct raft_action *action = rig_action(rig, RAFT_ACT_CHANGED);
    ck_assert_ptr_nonnull(action);
    ck_assert_uint_eq(action->done.tag, rig->tag);
    return action->done.err;
}

static const struct raft_server *server_of(const struct rig *rig, unsigned server)
{
    const struct raft_configuration *now = raft_configuration_latest(rig->raft);
    for (uint32_t i = 0; i < now->count; i++)
        if (raft_id_equal(now->servers[i].id, rig_id(server)))
            return &now->servers[i];
    return NULL;
}

/* The newcomer says what it is. */
static void tell(struct rig *rig, unsigned server, bool ok)
{
    struct raft_message m = rig_message(server, RAFT_MSG_PROMISE_ANSWER, 0);
    m.ok = ok;
    rig_hear(rig, &m);
}

static void acknowledge(struct rig *rig, unsigned server)
{
    rig_ack(rig, server, rig_status(rig).last_index);
}

/* As a leader that is heard, for so long. */
static void wait_leading(struct rig *rig, uint64_t ms)
{
    for (uint64_t at = 0; at < ms; at += 50) {
        rig_wait(rig, 50);
        if (rig_action(rig, RAFT_ACT_CHANGED))
            return;
        rig_ack_round(rig, 2);
        rig_ack_round(rig, 3);
    }
}

START_TEST(a_removed_server_is_out_once_the_entry_is_appended)
{
    struct rig rig;
    open_leader(&rig);
    change(&rig, 3, false);
    ck_assert_ptr_null(server_of(&rig, 3));
    ck_assert_ptr_null(rig_action(&rig, RAFT_ACT_CHANGED));
    ck_assert_uint_gt(rig_status(&rig).configuration_index,
                      rig_status(&rig).committed_configuration_index);
    uint64_t commit = rig_status(&rig).commit;
    rig_ack(&rig, 3, rig_status(&rig).last_index); /* counts no more */
    ck_assert_uint_eq(rig_status(&rig).commit, commit);
    acknowledge(&rig, 2);
    ck_assert_int_eq(answer(&rig), CU_OK);
    ck_assert_uint_eq(rig_action(&rig, RAFT_ACT_CHANGED)->done.index,
                      rig_status(&rig).committed_configuration_index);
    rig_wait(&rig, 100);
    ck_assert_uint_gt(rig_count(&rig, RAFT_MSG_HEARTBEAT), 0);
    ck_assert(raft_id_equal(rig_sent(&rig, RAFT_MSG_HEARTBEAT)->to, rig_id(2)));
    rig_close(&rig);
}
END_TEST

START_TEST(an_added_server_votes_once_it_has_caught_up)
{
    struct rig rig;
    open_leader(&rig);
    change(&rig, NEWCOMER, true);
    ck_assert(raft_id_equal(rig_sent(&rig, RAFT_MSG_PROMISE)->to, rig_id(NEWCOMER)));
    ck_assert_ptr_null(server_of(&rig, NEWCOMER));
    tell(&rig, NEWCOMER, true);
    ck_assert(!server_of(&rig, NEWCOMER)->is_voter);
    const struct raft_message *append = rig_sent(&rig, RAFT_MSG_APPEND);
    ck_assert_uint_eq(append->conflict_index, server_of(&rig, NEWCOMER)->incarnation);
    acknowledge(&rig, 2);
    ck_assert(!server_of(&rig, NEWCOMER)->is_voter);
    acknowledge(&rig, NEWCOMER);
    ck_assert(server_of(&rig, NEWCOMER)->is_voter);
    acknowledge(&rig, 2);
    ck_assert_ptr_null(rig_action(&rig, RAFT_ACT_CHANGED)); /* two of four */
    acknowledge(&rig, NEWCOMER);
    ck_assert_int_eq(answer(&rig), CU_OK);
    change(&rig, NEWCOMER, true); /* said again: nothing to do */
    tell(&rig, NEWCOMER, true);
    ck_assert_int_eq(answer(&rig), CU_OK);
    rig_close(&rig);
}
END_TEST

/* What is appended all the time it never holds at once. */
START_TEST(an_added_server_that_is_close_behind_under_a_load_votes)
{
    struct rig rig;
    open_leader(&rig);
    change(&rig, NEWCOMER, true);
    tell(&rig, NEWCOMER, true);
    uint64_t behind = rig_status(&rig).last_index;
    acknowledge(&rig, 2);
    rig_propose(&rig, "a");
    acknowledge(&rig, 2);
    ck_assert_uint_gt(rig_status(&rig).commit, behind);
    rig_ack(&rig, NEWCOMER, behind);
    ck_assert(server_of(&rig, NEWCOMER)->is_voter);
    rig_close(&rig);
}
END_TEST

/* It holds ever more, but each time it takes longer than an election may. */
START_TEST(an_added_server_that_falls_behind_under_a_load_does_not_vote)
{
    struct rig rig;
    open_leader(&rig);
    change(&rig, NEWCOMER, true);
    tell(&rig, NEWCOMER, true);
    unsigned rounds = 0;
    while (!rig_action(&rig, RAFT_ACT_CHANGED)) {
        uint64_t behind = rig_status(&rig).last_index;
        wait_leading(&rig, 3000);
        rig_propose(&rig, "a");
        acknowledge(&rig, 2);
        rig_ack(&rig, NEWCOMER, behind);
        ck_assert(!server_of(&rig, NEWCOMER)->is_voter);
        ck_assert_uint_le(++rounds, 10);
    }
    ck_assert_int_eq(rig_action(&rig, RAFT_ACT_CHANGED)->done.err, CU_E_UNKNOWN);
    ck_assert_uint_eq(rounds, 10);
    rig_close(&rig);
}
END_TEST

START_TEST(nothing_is_changed_before_an_entry_of_the_own_term_is_committed) /* 21.9 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1 2", .term = 3});
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
    uint64_t last = rig_status(&rig).last_index;
    change(&rig, 3, false);
    ck_assert_uint_eq(rig_status(&rig).last_index, last);
    rig_ack(&rig, 2, last - 1);
    ck_assert_uint_eq(rig_status(&rig).last_index, last);
    rig_ack(&rig, 2, last);
    ck_assert_uint_eq(rig_status(&rig).last_index, last + 1);
    ck_assert_ptr_null(server_of(&rig, 3));
    rig_close(&rig);
}
END_TEST

START_TEST(a_wiped_server_is_removed_before_it_is_added) /* 21.24 */
{
    struct rig rig;
    open_leader(&rig);
    change(&rig, 3, true);
    struct raft_message m = rig_message(3, RAFT_MSG_PROMISE_ANSWER, 0);
    m.ok = true;
    m.incarnation = 4242;
    m.cluster = (struct raft_id){{0}};
    rig_hear(&rig, &m);
    ck_assert_int_eq(answer(&rig), CU_E_CONFLICT);
    change(&rig, 3, false);
    acknowledge(&rig, 2);
    ck_assert_int_eq(answer(&rig), CU_OK);
    change(&rig, 3, true);
    rig_hear(&rig, &m);
    ck_assert_uint_eq(server_of(&rig, 3)->incarnation, 4242);
    rig_close(&rig);
}
END_TEST

START_TEST(one_change_at_a_time_and_a_lost_leadership_is_told)
{
    struct rig rig;
    open_leader(&rig);
    uint64_t first = rig.tag + 1;
    change(&rig, 3, false);
    change(&rig, NEWCOMER, true);
    ck_assert_int_eq(answer(&rig), CU_E_CONFLICT);
    struct raft_message m = rig_message(2, RAFT_MSG_APPEND_ANSWER, rig_status(&rig).term + 1);
    rig_hear(&rig, &m);
    ck_assert_int_eq(rig_status(&rig).role, RAFT_FOLLOWER);
    ck_assert_uint_eq(rig_action(&rig, RAFT_ACT_CHANGED)->done.tag, first);
    ck_assert_int_eq(rig_action(&rig, RAFT_ACT_CHANGED)->done.err, CU_E_UNKNOWN);
    change(&rig, 3, false);
    ck_assert_int_eq(answer(&rig), CU_E_NO_LEADER);
    rig_close(&rig);
}
END_TEST

START_TEST(what_cannot_be_done_is_refused)
{
    struct rig rig;
    open_leader(&rig);
    change(&rig, NEWCOMER, false);
    ck_assert_int_eq(answer(&rig), CU_E_NOT_FOUND);
    change(&rig, 1, false);
    ck_assert_int_eq(answer(&rig), CU_E_CONFLICT);
    change(&rig, NEWCOMER, true);
    tell(&rig, NEWCOMER, false);
    ck_assert_int_eq(answer(&rig), CU_E_CONFLICT);
    change(&rig, NEWCOMER, true);
    wait_leading(&rig, 11000);
    ck_assert_int_eq(answer(&rig), CU_E_NOT_FOUND); /* it never answers */
    uint64_t last = rig_status(&rig).last_index;
    change(&rig, NEWCOMER, true);
    tell(&rig, NEWCOMER, true);
    acknowledge(&rig, 2);
    wait_leading(&rig, 11000);
    ck_assert_int_eq(answer(&rig), CU_E_UNKNOWN); /* it never catches up */
    ck_assert_uint_gt(rig_status(&rig).last_index, last);
    ck_assert(!server_of(&rig, NEWCOMER)->is_voter);
    rig_close(&rig);
}
END_TEST

START_TEST(a_configuration_has_a_limit)
{
    struct rig rig;
    open_leader(&rig);
    for (unsigned n = 4; n <= RAFT_SERVERS_MAX; n++) {
        change(&rig, n, true);
        tell(&rig, n, true);
        for (unsigned i = 0; i < 3 && !rig_action(&rig, RAFT_ACT_CHANGED); i++)
            for (unsigned k = 2; k <= n && !rig_action(&rig, RAFT_ACT_CHANGED); k++)
                acknowledge(&rig, k);
        ck_assert_int_eq(answer(&rig), CU_OK);
    }
    change(&rig, RAFT_SERVERS_MAX + 1, true);
    tell(&rig, RAFT_SERVERS_MAX + 1, true);
    ck_assert_int_eq(answer(&rig), CU_E_CONFLICT);
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("services/raftd/core/membership", a_removed_server_is_out_once_the_entry_is_appended,
           an_added_server_votes_once_it_has_caught_up,
           an_added_server_that_is_close_behind_under_a_load_votes,
           an_added_server_that_falls_behind_under_a_load_does_not_vote,
           nothing_is_changed_before_an_entry_of_the_own_term_is_committed,
           a_wiped_server_is_removed_before_it_is_added,
           one_change_at_a_time_and_a_lost_leadership_is_told, what_cannot_be_done_is_refused,
           a_configuration_has_a_limit)
