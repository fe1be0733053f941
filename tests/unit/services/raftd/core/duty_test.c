/* Duty and the handing over of leadership: contracts 5, consensus.md 14. */
#include "tests/lib/suite.h"

#include "common/base/err.h"
#include "tests/unit/services/raftd/core/rig.h"

static void poll(struct rig *rig, bool gossip_well, bool apply_well)
{
    rig_step(rig,
             (struct raft_event){.kind = RAFT_EV_DUTY_POLL, .duty = {gossip_well, apply_well}});
}

static struct raft_duty duty(const struct rig *rig)
{
    return raft_duty(rig->raft, rig->now);
}

static const struct rig_seed alone = {.voters = 1, .log = "1", .term = 1};

START_TEST(a_grant_begins_with_a_poll_and_names_the_noop) /* consensus 83 */
{
    struct rig rig;
    rig_open(&rig, &alone);
    ck_assert(!duty(&rig).on);
    poll(&rig, true, true);
    struct raft_duty grant = duty(&rig);
    ck_assert(grant.on);
    ck_assert_uint_eq(grant.term, rig_status(&rig).term);
    ck_assert_uint_eq(grant.noop_index, 3);
    poll(&rig, true, true);
    ck_assert(raft_id_equal(duty(&rig).ticket, grant.ticket)); /* goes on */
    rig_close(&rig);
}
END_TEST

START_TEST(a_grant_ends_after_two_seconds_without_a_poll) /* consensus 67 */
{
    struct rig rig;
    rig_open(&rig, &alone);
    poll(&rig, true, true);
    struct raft_duty grant = duty(&rig);
    rig_wait(&rig, 1999);
    ck_assert(duty(&rig).on);
    rig_wait(&rig, 1);
    ck_assert(!duty(&rig).on);
    poll(&rig, true, true);
    ck_assert(duty(&rig).on);
    ck_assert(!raft_id_equal(duty(&rig).ticket, grant.ticket));
    rig_close(&rig);
}
END_TEST

START_TEST(a_grant_ends_at_another_attach) /* consensus 67 */
{
    struct rig rig;
    rig_open(&rig, &alone);
    poll(&rig, true, true);
    rig_attach(&rig, 0, 0);
    ck_assert(!duty(&rig).on);
    poll(&rig, true, true);
    rig_step(&rig, (struct raft_event){.kind = RAFT_EV_DETACH});
    ck_assert(!duty(&rig).on);
    rig_close(&rig);
}
END_TEST

static enum cu_err propose_duty(struct rig *rig, uint64_t if_term, struct raft_id ticket)
{
    struct raft_proposal item = {
        .seq = 1, .if_term = if_term, .ticket = ticket, .kind = RAFT_COMMAND};
    rig_step(rig, (struct raft_event){.kind = RAFT_EV_PROPOSE, .tag = 1, .propose = {&item, 1}});
    const struct raft_action *done = rig_action(rig, RAFT_ACT_PROPOSED);
    return done->proposed.refusal_count ? done->proposed.refusals[0].err : CU_OK;
}

START_TEST(a_duty_appends_only_while_term_and_ticket_are_current) /* consensus 82, 21.35 */
{
    struct rig rig;
    rig_open(&rig, &alone);
    poll(&rig, true, true);
    struct raft_duty grant = duty(&rig);
    ck_assert_int_eq(propose_duty(&rig, grant.term, grant.ticket), CU_OK);
    ck_assert_uint_eq(raft_disk_at(&rig.disk, 4)->if_term, grant.term);
    ck_assert_int_eq(propose_duty(&rig, grant.term - 1, grant.ticket), CU_E_CONFLICT);
    ck_assert_int_eq(propose_duty(&rig, grant.term, rig_id(9)), CU_E_CONFLICT);
    rig.now = cu_mono_add_ms(rig.now, 2000); /* 21.72: the ticket has lapsed */
    ck_assert_int_eq(propose_duty(&rig, grant.term, grant.ticket), CU_E_CONFLICT);
    ck_assert_uint_eq(rig_status(&rig).last_index, 4);
    rig_close(&rig);
}
END_TEST

START_TEST(a_follower_refuses_what_a_duty_proposes_for_good) /* contracts 5.2 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 1});
    ck_assert_int_eq(propose_duty(&rig, 1, rig_id(9)), CU_E_CONFLICT);
    rig_close(&rig);
}
END_TEST

/* ---- transfer ---- */

/* Heartbeats are answered while time goes on; the peers are well or not. */
static void pass(struct rig *rig, unsigned ms, bool peers_well, bool polls)
{
    for (unsigned t = 0; t < ms; t += 50) {
        rig_wait(rig, 50);
        const struct raft_message *asked = rig_sent(rig, RAFT_MSG_HEARTBEAT);
        if (rig_sent(rig, RAFT_MSG_TIMEOUT_NOW) || !asked)
            return;
        struct raft_message m = rig_message(2, RAFT_MSG_HEARTBEAT_ANSWER, rig_status(rig).term);
        m.ok = true;
        m.well = peers_well;
        m.round = asked->round;
        rig_hear(rig, &m);
        if (rig_sent(rig, RAFT_MSG_TIMEOUT_NOW))
            return;
        if (polls)
            poll(rig, true, true);
    }
}

static void open_leader(struct rig *rig)
{
    rig_open(rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 1});
    rig_lead(rig);
}

START_TEST(a_leader_whose_catalogd_is_silent_hands_over_to_a_well_voter) /* consensus 84 */
{
    struct rig rig;
    open_leader(&rig);
    pass(&rig, 1000, true, true);
    ck_assert_int_eq(rig_status(&rig).role, RAFT_LEADER);
    pass(&rig, 1800, true, false);
    ck_assert_ptr_null(rig_sent(&rig, RAFT_MSG_TIMEOUT_NOW));
    pass(&rig, 500, true, false);
    const struct raft_message *now = rig_sent(&rig, RAFT_MSG_TIMEOUT_NOW);
    ck_assert_ptr_nonnull(now);
    ck_assert(raft_id_equal(now->to, rig_id(2)));
    ck_assert(!rig_status(&rig).lease_valid); /* void from before it was sent (8) */
    rig_propose(&rig, "x");                   /* consensus 62 */
    ck_assert_int_eq(rig_action(&rig, RAFT_ACT_PROPOSED)->proposed.refusals[0].err, CU_E_NOT_READY);
    rig_close(&rig);
}
END_TEST

START_TEST(it_stays_when_nobody_is_well) /* consensus 84, 21.93 */
{
    struct rig rig;
    open_leader(&rig);
    pass(&rig, 10000, false, false);
    ck_assert_ptr_null(rig_sent(&rig, RAFT_MSG_TIMEOUT_NOW));
    ck_assert_int_eq(rig_status(&rig).role, RAFT_LEADER);
    rig_close(&rig);
}
END_TEST

START_TEST(a_lost_gossipd_hands_over_at_once) /* contracts 5.4 */
{
    struct rig rig;
    open_leader(&rig);
    pass(&rig, 1000, true, true);
    poll(&rig, false, true);
    rig_wait(&rig, 1);
    ck_assert_ptr_nonnull(rig_sent(&rig, RAFT_MSG_TIMEOUT_NOW));
    rig_close(&rig);
}
END_TEST

START_TEST(a_transfer_that_fails_ends_and_writes_go_on) /* consensus 61, 21.21 */
{
    struct rig rig;
    open_leader(&rig);
    pass(&rig, 1000, true, true);
    poll(&rig, false, true);
    rig_wait(&rig, 1);
    struct raft_message no = rig_message(2, RAFT_MSG_TIMEOUT_NOW_ANSWER, rig_status(&rig).term);
    rig_hear(&rig, &no);
    pass(&rig, 400, true,
         true); /* another copy of the message may have been obeyed: it waits its time out */
    rig_propose(&rig, "x");
    ck_assert_ptr_null(rig_action(&rig, RAFT_ACT_PROPOSED));
    rig_close(&rig);
}
END_TEST

START_TEST(a_target_elects_itself_at_once_without_a_pre_vote) /* consensus 8 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 1});
    struct raft_message m = rig_message(2, RAFT_MSG_HEARTBEAT, 1);
    rig_hear(&rig, &m);
    m.kind = RAFT_MSG_TIMEOUT_NOW;
    m.from = rig_id(3); /* not the leader */
    m.incarnation = 1003;
    rig_hear(&rig, &m);
    ck_assert(!rig_sent(&rig, RAFT_MSG_TIMEOUT_NOW_ANSWER)->ok);
    m.from = rig_id(2);
    m.incarnation = 1002;
    rig_hear(&rig, &m);
    ck_assert_int_eq(rig_status(&rig).role, RAFT_CANDIDATE);
    const struct raft_message *vote = rig_sent(&rig, RAFT_MSG_VOTE);
    ck_assert(vote && vote->transfer && vote->term == 2);
    rig_close(&rig);
}
END_TEST

START_TEST(a_node_that_stops_hands_over_and_campaigns_no_more)
{
    struct rig rig;
    open_leader(&rig);
    pass(&rig, 200, false, true);
    rig_step(&rig, (struct raft_event){.kind = RAFT_EV_STOP});
    ck_assert_ptr_nonnull(rig_sent(&rig, RAFT_MSG_TIMEOUT_NOW));
    rig_wait(&rig, 5000);
    ck_assert_int_eq(rig_status(&rig).role, RAFT_FOLLOWER);
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("services/raftd/core/duty", a_grant_begins_with_a_poll_and_names_the_noop,
           a_grant_ends_after_two_seconds_without_a_poll, a_grant_ends_at_another_attach,
           a_duty_appends_only_while_term_and_ticket_are_current,
           a_follower_refuses_what_a_duty_proposes_for_good,
           a_leader_whose_catalogd_is_silent_hands_over_to_a_well_voter,
           it_stays_when_nobody_is_well, a_lost_gossipd_hands_over_at_once,
           a_transfer_that_fails_ends_and_writes_go_on,
           a_target_elects_itself_at_once_without_a_pre_vote,
           a_node_that_stops_hands_over_and_campaigns_no_more)
