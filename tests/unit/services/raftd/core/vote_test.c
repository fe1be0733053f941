/* Votes and pre-votes: consensus.md 4 and 5. */
#include "tests/lib/suite.h"

#include "common/base/err.h"
#include "tests/unit/services/raftd/core/rig.h"

/* The server under test is 1 of 3, its log "1 2" (last 3, term 2), its term 4. */
struct vote_case {
    const char *claim;
    uint64_t term, index, log_term;
    unsigned from;
    unsigned voted; /* in term 4 */
    bool hears_leader, is_fresh, is_transfer;
    bool granted;
    uint64_t want_term; /* after a vote; a pre-vote never moves it */
    bool pre_granted;
};

/* clang-format off */
static const struct vote_case cases[] = {
    {"an equal log is enough",                   5, 3, 2, 2, 0, false, false, false, true,  5, true},
    {"a longer one of the same term too",        5, 9, 2, 2, 0, false, false, false, true,  5, true},
    {"a later last term beats length (4)",       5, 1, 3, 2, 0, false, false, false, true,  5, true},
    {"an older last term loses to length (4)",   5, 9, 1, 2, 0, false, false, false, false, 5, false},
    {"a shorter log of the same term loses (4)", 5, 2, 2, 2, 0, false, false, false, false, 5, false},
    {"an older term is refused",                 3, 9, 3, 2, 0, false, false, false, false, 4, false},
    {"one vote a term",                          4, 9, 3, 2, 3, false, false, false, false, 4, true},
    {"the same vote again",                      4, 9, 3, 2, 2, false, false, false, true,  4, true},
    {"a stranger raises no term (5)",            9, 9, 3, 8, 0, false, false, false, false, 4, false},
    {"a live leader: no term is adopted (6)",    9, 9, 3, 2, 0, true,  false, false, false, 4, false},
    {"but for a transfer (6)",                   9, 9, 3, 2, 0, true,  false, true,  true,  9, true},
    {"nothing within H of the own start (22)",   9, 9, 3, 2, 0, false, true,  false, false, 4, false},
};
/* clang-format on */

static void open_case(struct rig *rig, const struct vote_case *c)
{
    rig_open(rig, &(struct rig_seed){.voters = 3,
                                     .log = "1 2",
                                     .term = 4,
                                     .vote = c->voted,
                                     .is_fresh = c->is_fresh,
                                     .is_unattached = true});
    if (!c->hears_leader)
        return;
    struct raft_message m = rig_message(3, RAFT_MSG_HEARTBEAT, 4);
    m.round = 1;
    m.transfer = c->is_transfer; /* its lease is void */
    rig_hear(rig, &m);
}

static struct raft_message request(const struct vote_case *c, enum raft_message_kind kind)
{
    struct raft_message m = rig_message(c->from, kind, c->term);
    m.index = c->index;
    m.log_term = c->log_term;
    m.round = 5;
    m.transfer = c->is_transfer;
    return m;
}

START_TEST(votes_are_decided_in_the_order_of_the_rules) /* consensus 4 to 6, 22 */
{
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        const struct vote_case *c = &cases[i];
        struct rig rig;
        open_case(&rig, c);
        struct raft_message m = request(c, RAFT_MSG_VOTE);
        rig_hear(&rig, &m);
        const struct raft_message *answer = rig_sent(&rig, RAFT_MSG_VOTE_ANSWER);
        ck_assert_msg(answer && answer->round == 5, "%s: answered", c->claim);
        ck_assert_msg(answer->ok == c->granted, "%s", c->claim);
        ck_assert_msg(rig_status(&rig).term == c->want_term, "%s: term", c->claim);
        ck_assert_msg(answer->term == c->want_term, "%s: its term is told", c->claim);
        if (c->granted)
            ck_assert_msg(rig.disk.term == c->want_term &&
                              raft_id_equal(rig.disk.vote, rig_id(c->from)),
                          "%s: on disk", c->claim);
        rig_close(&rig);
    }
}
END_TEST

START_TEST(a_pre_vote_changes_nothing) /* consensus 7, 21.31 */
{
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        const struct vote_case *c = &cases[i];
        struct rig rig;
        open_case(&rig, c);
        struct cu_mono deadline = raft_next_deadline(rig.raft);
        uint64_t syncs = rig.disk.syncs;
        struct raft_message m = request(c, RAFT_MSG_PREVOTE);
        rig_hear(&rig, &m);
        const struct raft_message *answer = rig_sent(&rig, RAFT_MSG_PREVOTE_ANSWER);
        ck_assert_msg(answer && answer->ok == c->pre_granted, "%s", c->claim);
        ck_assert_msg(rig_status(&rig).term == 4 && rig.disk.syncs == syncs &&
                          raft_next_deadline(rig.raft).ns == deadline.ns,
                      "%s: state", c->claim);
        rig_close(&rig);
    }
}
END_TEST

START_TEST(a_transfer_that_comes_late_deposes_no_leader_with_a_lease) /* consensus 6, I30 */
{
    static const struct {
        const char *claim;
        uint64_t round;
        bool says_void, granted;
    } last[] = {
        {"while its lease is void", 2, true, true},
        {"when it has one again", 3, false, false},
        {"a heartbeat that was overtaken changes nothing", 2, true, false},
    };
    struct raft_message m;
    for (size_t i = 0; i < CU_COUNT(last); i++) {
        struct rig rig;
        rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1 2", .term = 4});
        for (size_t k = i == 0 ? 0 : 1; k <= i; k++) {
            m = rig_message(3, RAFT_MSG_HEARTBEAT, 4);
            m.round = last[k].round;
            m.transfer = last[k].says_void;
            rig_hear(&rig, &m);
        }
        m = rig_message(2, RAFT_MSG_VOTE, 5);
        m.index = 9;
        m.log_term = 3;
        m.transfer = true;
        rig_hear(&rig, &m);
        ck_assert_msg(rig_sent(&rig, RAFT_MSG_VOTE_ANSWER)->ok == last[i].granted, "%s",
                      last[i].claim);
        rig_close(&rig);
    }
}
END_TEST

START_TEST(a_vote_leaves_after_its_write) /* consensus 3 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 1});
    rig.holds_disk = true;
    struct raft_message m = rig_message(2, RAFT_MSG_VOTE, 5);
    m.index = 9;
    m.log_term = 4;
    rig_hear(&rig, &m);
    const struct raft_action *send = rig_action(&rig, RAFT_ACT_SEND);
    ck_assert(send->send->ok);
    ck_assert_uint_eq(send->after, rig.last_persist);
    rig_close(&rig);
}
END_TEST

START_TEST(a_vote_survives_a_crash) /* consensus 3, I6 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 1});
    struct raft_message m = rig_message(2, RAFT_MSG_VOTE, 5);
    m.index = 9;
    m.log_term = 4;
    rig_hear(&rig, &m);
    rig_crash(&rig, 0);
    rig.now = cu_mono_add_ms(rig.now, 10000);
    m.from = rig_id(3);
    m.incarnation = 1003;
    rig_hear(&rig, &m);
    ck_assert(!rig_sent(&rig, RAFT_MSG_VOTE_ANSWER)->ok);
    rig_close(&rig);
}
END_TEST

START_TEST(another_incarnation_gets_no_vote) /* consensus 47, 88, I29 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 1});
    struct raft_message m = rig_message(2, RAFT_MSG_VOTE, 5);
    m.index = 9;
    m.log_term = 4;
    m.incarnation = 4711;
    rig_hear(&rig, &m);
    ck_assert_int_eq(rig_sent(&rig, RAFT_MSG_IGNORED)->reason, RAFT_IGN_INCARNATION);
    ck_assert_uint_eq(rig_status(&rig).term, 1);
    ck_assert(rig_told(&rig, RAFT_NOTE_REFUSES));
    rig_close(&rig);
}
END_TEST

START_TEST(a_server_that_was_wiped_is_told_of) /* consensus 47: in the leader's log, too */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 1});
    struct raft_message m = rig_message(2, RAFT_MSG_IGNORED, 0);
    m.cluster = (struct raft_id){{0}};
    m.reason = RAFT_IGN_INCARNATION;
    rig_hear(&rig, &m);
    ck_assert(!rig_told(&rig, RAFT_NOTE_REFUSES)); /* its incarnation is the one that we know */
    m.incarnation = 4711;
    rig_hear(&rig, &m);
    ck_assert(rig_told(&rig, RAFT_NOTE_REFUSES));
    rig_close(&rig);
}
END_TEST

START_TEST(votes_of_another_incarnation_do_not_count) /* I29 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 1});
    while (!rig_sent(&rig, RAFT_MSG_PREVOTE))
        rig_wait(&rig, 10);
    struct raft_message m = rig_message(2, RAFT_MSG_PREVOTE_ANSWER, 2);
    m.ok = true;
    m.round = rig_sent(&rig, RAFT_MSG_PREVOTE)->round;
    m.incarnation = 4711;
    rig_hear(&rig, &m);
    ck_assert_int_eq(rig_status(&rig).role, RAFT_PRECANDIDATE);
    rig_close(&rig);
}
END_TEST

START_TEST(does_not_campaign_before_a_catalogd_attached) /* contracts 3.6 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 1, .is_unattached = true});
    rig_wait(&rig, 5000);
    ck_assert_int_eq(rig_status(&rig).role, RAFT_FOLLOWER);
    ck_assert_uint_eq(rig_count(&rig, RAFT_MSG_PREVOTE), 0);
    rig_attach(&rig, 0, 0);
    rig_wait(&rig, 700);
    ck_assert_uint_ge(rig_count(&rig, RAFT_MSG_PREVOTE), 2);
    ck_assert_uint_eq(rig_status(&rig).term, 1); /* only asked */
    rig_close(&rig);
}
END_TEST

START_TEST(a_wiped_server_does_not_campaign_under_its_old_id) /* consensus 24, 47 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 1});
    rig.disk.incarnation = 4711;
    rig_crash(&rig, 0);
    rig_attach(&rig, 0, 0);
    rig_wait(&rig, 5000);
    ck_assert_int_eq(rig_status(&rig).role, RAFT_FOLLOWER);
    ck_assert(rig_status(&rig).is_refused);
    rig_close(&rig);
}
END_TEST

START_TEST(an_empty_one_is_told_that_it_was_wiped) /* consensus 47 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){0});
    struct raft_message m = rig_message(2, RAFT_MSG_HEARTBEAT, 5);
    m.conflict_index = 4711; /* the incarnation of its former life */
    rig_hear(&rig, &m);
    ck_assert_int_eq(rig_sent(&rig, RAFT_MSG_IGNORED)->reason, RAFT_IGN_INCARNATION);
    ck_assert(rig_told(&rig, RAFT_NOTE_REFUSED));
    ck_assert(rig_status(&rig).is_refused);
    ck_assert_uint_eq(rig_status(&rig).term, 0);
    m.conflict_index = 1001; /* added anew: the leader's configuration holds the present one */
    rig_hear(&rig, &m);
    ck_assert(rig_sent(&rig, RAFT_MSG_HEARTBEAT_ANSWER)->ok);
    ck_assert(!rig_status(&rig).is_refused);
    rig_close(&rig);
}
END_TEST

START_TEST(timeouts_are_spread_over_the_whole_range) /* consensus 10 */
{
    unsigned low = 0, high = 0;
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 1});
    for (int i = 0; i < 400; i++) {
        struct raft_message m = rig_message(2, RAFT_MSG_HEARTBEAT, 1);
        rig_hear(&rig, &m);
        uint64_t ms = cu_mono_ms_between(rig.now, raft_next_deadline(rig.raft));
        ck_assert_uint_ge(ms, 300);
        ck_assert_uint_lt(ms, 600);
        low += ms < 350;
        high += ms >= 550;
    }
    ck_assert_uint_gt(low, 30);
    ck_assert_uint_gt(high, 30);
    rig_close(&rig);
}
END_TEST

START_TEST(an_id_that_its_log_does_not_know_says_so_once)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .self = 4, .log = "1 2 2", .term = 3});
    struct raft_message m = rig_message(2, RAFT_MSG_HEARTBEAT, 3);
    m.round = 1;
    rig_hear(&rig, &m); /* a leader that just adds it */
    ck_assert(!rig_told(&rig, RAFT_NOTE_OUTSIDER));
    rig_wait(&rig, 10000);
    ck_assert(rig_told(&rig, RAFT_NOTE_OUTSIDER));
    ck_assert_int_eq(rig_status(&rig).role, RAFT_FOLLOWER);
    rig_wait(&rig, 10000);
    ck_assert(!rig_told(&rig, RAFT_NOTE_OUTSIDER));
    rig_close(&rig);
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1 2 2", .term = 3});
    rig_wait(&rig, 10000);
    ck_assert(!rig_told(&rig, RAFT_NOTE_OUTSIDER)); /* it is one of them, and asks for votes */
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("services/raftd/core/vote", an_id_that_its_log_does_not_know_says_so_once,
           votes_are_decided_in_the_order_of_the_rules, a_pre_vote_changes_nothing,
           a_transfer_that_comes_late_deposes_no_leader_with_a_lease, a_vote_leaves_after_its_write,
           a_vote_survives_a_crash, another_incarnation_gets_no_vote,
           a_server_that_was_wiped_is_told_of, votes_of_another_incarnation_do_not_count,
           does_not_campaign_before_a_catalogd_attached,
           a_wiped_server_does_not_campaign_under_its_old_id,
           an_empty_one_is_told_that_it_was_wiped, timeouts_are_spread_over_the_whole_range)
