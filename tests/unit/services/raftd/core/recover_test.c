/* Unsafe recovery: contracts 3.10, 3.1, consensus.md 17. */
#include "tests/lib/suite.h"

#include <string.h>

#include "common/base/assert.h"
#include "common/base/err.h"
#include "tests/unit/services/raftd/core/rig.h"

#define SPAN ((uint64_t)1 << 32) /* what a recovery adds to the term */

static const struct raft_id next = {{0xc2}};

static struct raft_configuration named(unsigned voters, unsigned others)
{
    struct raft_configuration set = {.count = voters + others};
    for (unsigned i = 0; i < set.count; i++)
        set.servers[i] = (struct raft_server){.id = rig_id(i + 1), .is_voter = i < voters};
    return set;
}

static void recover(struct rig *rig, struct raft_id cluster, struct raft_configuration servers)
{
    struct raft_event event = {.kind = RAFT_EV_RECOVER, .tag = 5};
    event.recover.cluster = cluster;
    event.recover.configuration = servers;
    rig_step(rig, event);
}

static enum cu_err answered(const struct rig *rig, enum raft_action_kind kind)
{
    return rig_action(rig, kind)->done.err;
}

/* A message of server 2 in the recovered cluster. */
static struct raft_message of_next(enum raft_message_kind kind, uint64_t term)
{
    struct raft_message m = rig_message(2, kind, term);
    m.cluster = next;
    m.prior = rig_cluster();
    m.conflict_index = 1001; /* the incarnation that its configuration holds for this server */
    return m;
}

static enum raft_follow_outcome follow(const struct rig *rig, struct raft_id cluster,
                                       uint64_t index, uint64_t term)
{
    struct raft_follow_answer answer;
    raft_follow(rig->raft, (struct raft_position){cluster, index, term}, &answer);
    return answer.outcome;
}

static void attach(struct rig *rig, struct raft_id cluster, uint64_t index, uint64_t term)
{
    struct raft_header header = {.position = {cluster, index, term}};
    header.configuration = named(3, 0);
    header.lineage[header.lineage_count++] = (struct raft_lineage){rig_cluster(), 3};
    rig_step(rig, (struct raft_event){.kind = RAFT_EV_ATTACH, .tag = 6, .attach = &header});
}

/* ---- a survivor ---- */

START_TEST(a_lone_survivor_leads_at_once_under_a_new_id) /* consensus 87, I31 */
{
    struct rig rig;
    struct raft_configuration_body body;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1 2", .term = 4});
    recover(&rig, (struct raft_id){{0}}, (struct raft_configuration){0});
    ck_assert_uint_eq(answered(&rig, RAFT_ACT_RECOVERED), CU_OK);
    struct raft_status s = rig_status(&rig);
    ck_assert_int_eq(s.role, RAFT_LEADER);
    ck_assert(!raft_id_equal(s.cluster, rig_cluster()) && !raft_id_is_none(s.cluster));
    const struct raft_entry *entry = raft_disk_at(&rig.disk, 4);
    ck_assert_int_eq(entry->kind, RAFT_CONFIGURATION);
    ck_assert_uint_ge(entry->term, SPAN);
    ck_assert_uint_eq(raft_configuration_decode(raft_entry_body(entry), &body), CU_OK);
    ck_assert(raft_id_equal(body.cluster, s.cluster) && raft_id_equal(body.prior, rig_cluster()));
    ck_assert_uint_eq(body.prior_last_index, 3);
    ck_assert_uint_eq(body.configuration.count, 1);
    ck_assert_uint_eq(body.configuration.servers[0].incarnation, 1001);
    ck_assert_uint_eq(s.commit, 5); /* and the no-op of the term */
    ck_assert(!s.is_recovering && raft_id_is_none(rig.disk.recovery.cluster)); /* it is done */
    rig_close(&rig);
}
END_TEST

START_TEST(a_recovery_appends_nothing_until_one_leads) /* consensus 58, 87 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1 2", .term = 4});
    rig.holds_disk = true;
    recover(&rig, next, named(2, 1));
    ck_assert_uint_eq(rig_action(&rig, RAFT_ACT_RECOVERED)->after, rig.last_persist);
    rig_sync(&rig);
    rig.holds_disk = false;
    ck_assert_uint_eq(raft_disk_last(&rig.disk), 3);
    ck_assert(raft_id_equal(rig.disk.recovery.cluster, next));
    ck_assert_uint_eq(rig.disk.term, SPAN);
    rig_crash(&rig, 0);
    ck_assert(rig_status(&rig).is_recovering && raft_id_equal(rig_status(&rig).cluster, next));
    rig_attach(&rig, 2, 1); /* "judged as before" */
    ck_assert_uint_eq(rig_action(&rig, RAFT_ACT_ATTACHED)->attached.err, CU_OK);
    rig_wait(&rig, 1000);
    const struct raft_message *asked = rig_sent(&rig, RAFT_MSG_PREVOTE);
    ck_assert(raft_id_equal(asked->cluster, next) && raft_id_equal(asked->prior, rig_cluster()));
    struct raft_message m = of_next(RAFT_MSG_PREVOTE_ANSWER, asked->term);
    m.ok = true;
    m.round = asked->round;
    rig_hear(&rig, &m);
    m = of_next(RAFT_MSG_VOTE_ANSWER, rig_status(&rig).term);
    m.ok = true;
    m.round = rig_sent(&rig, RAFT_MSG_VOTE)->round;
    rig_hear(&rig, &m);
    ck_assert_int_eq(rig_status(&rig).role, RAFT_LEADER);
    ck_assert_uint_eq(raft_disk_last(&rig.disk), 5);
    ck_assert_uint_eq(rig_status(&rig).commit, 2);
    ck_assert(rig_status(&rig).is_recovering);
    /* Still under the earlier id: nothing of the next one is known to be committed. */
    ck_assert_int_eq(follow(&rig, rig_cluster(), 2, 1), RAFT_FOLLOW_NOTHING);
    ck_assert_int_eq(follow(&rig, rig_cluster(), 9, 3), RAFT_FOLLOW_NOTHING);
    m = of_next(RAFT_MSG_APPEND_ANSWER, rig_status(&rig).term);
    m.ok = true;
    m.index = 5;
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig_status(&rig).commit, 5);
    ck_assert(!rig_status(&rig).is_recovering && rig_told(&rig, RAFT_NOTE_RECOVERED));
    ck_assert(raft_id_is_none(rig.disk.recovery.cluster));
    ck_assert_int_eq(follow(&rig, rig_cluster(), 2, 1), RAFT_FOLLOW_ENTRIES);
    ck_assert_int_eq(follow(&rig, rig_cluster(), 3, 2), RAFT_FOLLOW_ENTRIES);
    ck_assert_int_eq(follow(&rig, rig_cluster(), 3, 1), RAFT_FOLLOW_DIVERGED);
    ck_assert_int_eq(follow(&rig, rig_cluster(), 4, 2), RAFT_FOLLOW_DIVERGED);
    ck_assert_int_eq(follow(&rig, next, 5, SPAN + 1), RAFT_FOLLOW_NOTHING);
    rig_close(&rig);
}
END_TEST

START_TEST(entries_are_handed_out_under_the_id_they_stand_under) /* contracts 3.1 */
{
    struct rig rig;
    struct raft_follow_answer answer;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1 1", .term = 1, .trailing = 9});
    rig_attach(&rig, 2, 1);
    recover(&rig, next, named(2, 0)); /* a leader is not elected yet */
    raft_follow(rig.raft, (struct raft_position){rig_cluster(), 1, 1}, &answer);
    ck_assert_int_eq(answer.outcome, RAFT_FOLLOW_ENTRIES);
    ck_assert(raft_id_equal(answer.cluster, rig_cluster()));
    rig_close(&rig);
}
END_TEST

START_TEST(a_second_recovery_judges_states_of_the_first_by_it)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1 1", .term = 1, .is_unattached = true});
    recover(&rig, next, named(1, 1));
    rig_attach(&rig, 2, 1); /* leads: the entry of the recovery is 4 */
    rig_crash(&rig, 0);     /* and not known to be committed any more */
    recover(&rig, (struct raft_id){{0xc3}}, named(2, 0));
    ck_assert_uint_eq(answered(&rig, RAFT_ACT_RECOVERED), CU_OK);
    attach(&rig, next, 5, SPAN + 1);
    ck_assert_uint_eq(rig_action(&rig, RAFT_ACT_ATTACHED)->attached.err, CU_OK);
    ck_assert_uint_eq(rig_status(&rig).commit, 5);
    rig_close(&rig);
}
END_TEST

START_TEST(refuses_what_is_no_recovery) /* consensus 58 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 1});
    recover(&rig, next, (struct raft_configuration){.count = 1, .servers = {{.id = rig_id(2)}}});
    ck_assert_uint_eq(answered(&rig, RAFT_ACT_RECOVERED), CU_E_INVALID); /* not this server */
    recover(&rig, next, named(0, 2));
    ck_assert_uint_eq(answered(&rig, RAFT_ACT_RECOVERED), CU_E_INVALID); /* no voter */
    recover(&rig, next, named(4, 0));
    ck_assert_uint_eq(answered(&rig, RAFT_ACT_RECOVERED), CU_E_INVALID); /* server 4 is not known */
    struct raft_message m = rig_message(2, RAFT_MSG_HEARTBEAT, 2);
    rig_hear(&rig, &m);
    recover(&rig, next, named(1, 0));
    ck_assert_uint_eq(answered(&rig, RAFT_ACT_RECOVERED), CU_E_CONFLICT); /* there is a leader */
    ck_assert(raft_id_equal(rig_status(&rig).cluster, rig_cluster()));
    ck_assert(raft_id_is_none(rig.disk.recovery.cluster));
    rig_close(&rig);

    rig_open(&rig, &(struct rig_seed){.voters = 0});
    recover(&rig, next, named(1, 0));
    ck_assert_uint_eq(answered(&rig, RAFT_ACT_RECOVERED), CU_E_NOT_FOUND);
    rig_close(&rig);
}
END_TEST

/* ---- one that was left out ---- */

START_TEST(a_request_for_votes_of_the_next_cluster_tells_nothing) /* consensus 17, 88 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1 2", .term = 4});
    struct raft_message m = of_next(RAFT_MSG_VOTE, SPAN + 1);
    rig_hear(&rig, &m);
    ck_assert_int_eq(rig_sent(&rig, RAFT_MSG_IGNORED)->reason, RAFT_IGN_CLUSTER);
    ck_assert(!rig_status(&rig).is_aside);
    ck_assert_uint_eq(rig_status(&rig).term, 4);
    rig_close(&rig);
}
END_TEST

START_TEST(a_leader_of_the_next_cluster_sets_a_named_log_aside) /* consensus 87, 21.61 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1 2", .term = 4, .is_unattached = true});
    attach(&rig, rig_cluster(), 2, 1);
    rig.holds_disk = true;
    struct raft_message m = of_next(RAFT_MSG_HEARTBEAT, SPAN + 1);
    rig_hear(&rig, &m);
    ck_assert(rig_told(&rig, RAFT_NOTE_SET_ASIDE) && rig_status(&rig).is_aside);
    ck_assert(!rig_sent(&rig, RAFT_MSG_HEARTBEAT_ANSWER)->ok); /* acknowledges nothing */
    ck_assert_int_eq(follow(&rig, rig_cluster(), 2, 1), RAFT_FOLLOW_NOTHING); /* not on disk yet */
    rig_sync(&rig);
    rig.holds_disk = false;
    ck_assert_int_eq(follow(&rig, rig_cluster(), 2, 1), RAFT_FOLLOW_DIVERGED);
    ck_assert_int_eq(follow(&rig, (struct raft_id){{0}}, 0, 0), RAFT_FOLLOW_COMPACTED);
    rig_crash(&rig, 0);
    ck_assert(rig_status(&rig).is_aside); /* the row says so */
    attach(&rig, rig_cluster(), 3, 2);    /* nothing of the prior id is adopted again */
    ck_assert_uint_eq(rig_action(&rig, RAFT_ACT_ATTACHED)->attached.err, CU_E_CONFLICT);
    m = of_next(RAFT_MSG_APPEND, SPAN + 1);
    rig_hear(&rig, &m);
    ck_assert(!rig_sent(&rig, RAFT_MSG_APPEND_ANSWER)->ok);
    rig_wait(&rig, 2000);
    m = of_next(RAFT_MSG_PREVOTE, SPAN + 2);
    m.index = 99;
    m.log_term = SPAN + 1;
    rig_hear(&rig, &m);
    ck_assert(!rig_sent(&rig, RAFT_MSG_PREVOTE_ANSWER)->ok); /* nor votes */
    recover(&rig, (struct raft_id){{9}}, named(1, 0));
    ck_assert_uint_eq(answered(&rig, RAFT_ACT_RECOVERED), CU_E_CONFLICT);

    attach(&rig, next, 7, SPAN + 1); /* the state that was pulled */
    ck_assert(rig_action(&rig, RAFT_ACT_ATTACHED)->attached.adopted);
    struct raft_status s = rig_status(&rig);
    ck_assert(!s.is_aside && raft_id_equal(s.cluster, next));
    ck_assert_uint_eq(s.floor, 7);
    ck_assert(raft_id_is_none(rig.disk.recovery.cluster));
    m = of_next(RAFT_MSG_APPEND, SPAN + 2);
    m.index = 7;
    m.log_term = SPAN + 1;
    rig_hear(&rig, &m);
    ck_assert(rig_sent(&rig, RAFT_MSG_APPEND_ANSWER)->ok);
    rig_close(&rig);
}
END_TEST

START_TEST(a_crash_before_the_row_is_durable_leaves_it_where_it_was)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1 2", .term = 4});
    rig.holds_disk = true;
    struct raft_message m = of_next(RAFT_MSG_APPEND, SPAN + 1);
    rig_hear(&rig, &m);
    rig_crash(&rig, 0);
    ck_assert(!rig_status(&rig).is_aside);
    ck_assert(raft_id_equal(rig_status(&rig).cluster, rig_cluster()));
    rig_close(&rig);
}
END_TEST

START_TEST(only_its_own_prior_id_and_incarnation_set_a_log_aside) /* consensus 21.88, 21.89 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1 2", .term = 4});
    struct raft_message m = of_next(RAFT_MSG_HEARTBEAT, SPAN + 1);
    m.prior = (struct raft_id){{0x77}};
    rig_hear(&rig, &m);
    ck_assert_int_eq(rig_sent(&rig, RAFT_MSG_IGNORED)->reason, RAFT_IGN_CLUSTER);
    m.prior = rig_cluster();
    m.conflict_index = 4711;
    rig_hear(&rig, &m);
    ck_assert_int_eq(rig_sent(&rig, RAFT_MSG_IGNORED)->reason, RAFT_IGN_INCARNATION);
    ck_assert(!rig_status(&rig).is_aside);
    rig_close(&rig);

    /* Two that were recovered to different ids name each other. */
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1 2", .term = 4});
    recover(&rig, (struct raft_id){{0xc3}}, named(3, 0));
    m = of_next(RAFT_MSG_HEARTBEAT, SPAN + 1);
    rig_hear(&rig, &m);
    ck_assert(!rig_status(&rig).is_aside && rig_told(&rig, RAFT_NOTE_OTHER_CLUSTER));
    rig_close(&rig);
}
END_TEST

START_TEST(a_promise_of_the_lost_cluster_gives_way_too)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.self = 2});
    struct raft_message m = rig_message(1, RAFT_MSG_PROMISE, 0);
    m.cluster = (struct raft_id){{0}};
    m.index = m.round = 1;
    m.new_cluster = rig_cluster();
    m.configuration = named(3, 0);
    for (unsigned i = 0; i < 3; i++)
        m.configuration.servers[i].incarnation = 1001 + i;
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig_status(&rig).promise.round, 1);
    m = of_next(RAFT_MSG_HEARTBEAT, SPAN + 1);
    m.from = rig_id(1);
    m.conflict_index = 1002;
    rig_hear(&rig, &m);
    ck_assert(rig_status(&rig).is_aside);
    ck_assert_uint_eq(rig.disk.promise.round, 0);
    ck_assert_int_eq(follow(&rig, (struct raft_id){{0}}, 0, 0), RAFT_FOLLOW_COMPACTED);
    attach(&rig, next, 7, SPAN + 1);
    ck_assert(rig_action(&rig, RAFT_ACT_ATTACHED)->attached.adopted);
    rig_close(&rig);
}
END_TEST

START_TEST(who_stands_under_an_older_id_is_told_of_that_one)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 1, .is_unattached = true});
    recover(&rig, next, named(1, 2));
    rig_attach(&rig, 1, 1); /* leads alone */
    recover(&rig, (struct raft_id){{0xc3}}, named(1, 2));
    ck_assert_uint_eq(answered(&rig, RAFT_ACT_RECOVERED), CU_E_CONFLICT);
    rig_crash(&rig, 0);
    recover(&rig, (struct raft_id){{0xc3}}, named(1, 2));
    ck_assert_uint_eq(answered(&rig, RAFT_ACT_RECOVERED), CU_OK);
    rig_attach(&rig, 1, 1);
    ck_assert_int_eq(rig_status(&rig).role, RAFT_LEADER);
    ck_assert(raft_id_equal(rig_sent(&rig, RAFT_MSG_HEARTBEAT)->prior, next));
    struct raft_message m = rig_message(3, RAFT_MSG_IGNORED, 1);
    m.reason = RAFT_IGN_CLUSTER;
    rig_hear(&rig, &m); /* under the first id */
    ck_assert(!rig_told(&rig, RAFT_NOTE_OTHER_CLUSTER));
    rig_wait(&rig, 100);
    unsigned told = 0;
    for (uint32_t i = 0; i < rig.actions.count; i++) {
        const struct raft_action *action = &rig.actions.items[i];
        if (action->kind == RAFT_ACT_SEND && raft_id_equal(action->send->to, rig_id(3)))
            told += raft_id_equal(action->send->prior, rig_cluster());
    }
    ck_assert_uint_gt(told, 0);
    rig_close(&rig);
}
END_TEST

/* ---- survivors whose logs differ ---- */

static void open_survivor(struct rig *rig, uint64_t commit)
{
    rig_open(rig,
             &(struct rig_seed){.voters = 3, .log = "1 2 2 3 3", .term = 3, .is_unattached = true});
    const struct raft_entry *at = raft_disk_at(&rig->disk, commit);
    rig_attach(rig, commit, at->term);
    ck_assert_uint_eq(rig_status(rig).commit, commit);
    recover(rig, next, named(2, 0));
}

static struct raft_message entries_of_next(uint64_t prev, uint64_t prev_term)
{
    struct raft_message m = of_next(RAFT_MSG_APPEND, SPAN + 1);
    struct raft_configuration_body body = {.configuration = named(2, 0),
                                           .cluster = next,
                                           .prior = rig_cluster(),
                                           .prior_last_index = prev};
    m.index = prev;
    m.log_term = prev_term;
    m.entry_count = 1;
    m.entries = cu_alloc(sizeof *m.entries);
    m.entries[0] = (struct raft_entry){.index = prev + 1,
                                       .term = SPAN + 1,
                                       .kind = RAFT_CONFIGURATION,
                                       .body = raft_configuration_encode(&body)};
    return m;
}

START_TEST(what_was_not_committed_gives_way_to_the_leaders)
{
    struct rig rig;
    open_survivor(&rig, 4);
    struct raft_message m = entries_of_next(5, 3);
    m.commit = 5; /* below the entry that tells the lineage: not handed out yet */
    rig_hear(&rig, &m);
    ck_assert(rig_sent(&rig, RAFT_MSG_APPEND_ANSWER)->ok);
    struct raft_status s = rig_status(&rig);
    ck_assert(!s.is_aside && s.is_recovering);
    ck_assert_uint_eq(s.last_index, 6);
    ck_assert_uint_eq(s.commit, 4);
    m = of_next(RAFT_MSG_APPEND, SPAN + 1);
    m.index = m.commit = 6;
    m.log_term = SPAN + 1;
    rig_hear(&rig, &m);
    ck_assert(!rig_status(&rig).is_recovering);
    ck_assert_uint_eq(rig_status(&rig).commit, 6);
    rig_close(&rig);
}
END_TEST

START_TEST(committed_entries_that_the_leader_lacks_set_the_log_aside) /* consensus 21.77 */
{
    struct rig rig;
    open_survivor(&rig, 5);
    struct raft_message m = entries_of_next(4, 2); /* 5 was committed here */
    rig_hear(&rig, &m);
    ck_assert(rig_status(&rig).is_aside);
    ck_assert(!rig_sent(&rig, RAFT_MSG_APPEND_ANSWER)->ok);
    ck_assert_int_eq(follow(&rig, rig_cluster(), 5, 3), RAFT_FOLLOW_DIVERGED);
    rig_close(&rig);
}
END_TEST

START_TEST(entries_below_the_floor_that_differ_set_it_aside_too)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1 2 2", .term = 3});
    rig_attach(&rig, 9, 3); /* adopted: the log begins after 9 */
    ck_assert_uint_eq(rig_status(&rig).floor, 9);
    recover(&rig, next, named(2, 0));
    struct raft_message m = entries_of_next(7, 3);
    rig_hear(&rig, &m);
    ck_assert(rig_status(&rig).is_aside);
    rig_close(&rig);
}
END_TEST

START_TEST(a_survivor_that_is_far_behind_pulls) /* consensus 19, 87 */
{
    struct rig rig;
    struct raft_follow_answer answer;
    /* Deleted before the recovery: a state of the earlier id does, there may be no other. */
    open_survivor(&rig, 4);
    struct raft_message m = of_next(RAFT_MSG_NEED_STATE, SPAN + 1);
    m.index = 20;
    m.log_term = 3;
    rig_hear(&rig, &m);
    raft_follow(rig.raft, (struct raft_position){rig_cluster(), 4, 2}, &answer);
    ck_assert_int_eq(answer.outcome, RAFT_FOLLOW_COMPACTED);
    ck_assert(raft_id_equal(answer.cluster, next) && raft_id_equal(answer.prior, rig_cluster()));
    attach(&rig, rig_cluster(), 21, 3);
    ck_assert(rig_action(&rig, RAFT_ACT_ATTACHED)->attached.adopted);
    ck_assert(rig_status(&rig).is_recovering);
    rig_close(&rig);
    /* So does one where an entry that was never committed stands in the way. */
    open_survivor(&rig, 4);
    m.index = 6;
    m.log_term = 2;
    rig_hear(&rig, &m);
    ck_assert(!rig_status(&rig).is_aside);
    ck_assert_int_eq(follow(&rig, rig_cluster(), 4, 2), RAFT_FOLLOW_COMPACTED);
    rig_close(&rig);
    /* Since: this log may differ anywhere. */
    open_survivor(&rig, 4);
    m.log_term = SPAN + 1;
    rig_hear(&rig, &m);
    ck_assert(rig_status(&rig).is_aside);
    rig_close(&rig);
}
END_TEST

START_TEST(a_state_of_the_earlier_id_takes_nothing_back) /* I8: what was acknowledged since stays */
{
    struct rig rig;
    open_survivor(&rig, 4);
    struct raft_message m = entries_of_next(5, 3);
    rig_hear(&rig, &m);
    rig_crash(&rig, 0);
    attach(&rig, rig_cluster(), 6, 3); /* differs from entry 6, and beyond the end at 9 */
    ck_assert(!rig_action(&rig, RAFT_ACT_ATTACHED)->attached.adopted);
    attach(&rig, rig_cluster(), 9, 3);
    ck_assert(!rig_action(&rig, RAFT_ACT_ATTACHED)->attached.adopted);
    ck_assert_uint_eq(rig_status(&rig).last_index, 6);
    rig_close(&rig);
}
END_TEST

/* ---- servers that wait for each other ---- */

START_TEST(below_its_floor_without_a_leader_it_says_what_to_do)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1 2 2", .term = 3});
    rig_attach(&rig, 9, 3);
    rig_crash(&rig, 0);
    rig_attach(&rig, 0, 0); /* its database was deleted */
    ck_assert(rig_status(&rig).below_floor);
    rig_wait(&rig, 9000);
    ck_assert(!rig_told(&rig, RAFT_NOTE_BELOW_FLOOR));
    rig_wait(&rig, 2000);
    ck_assert(rig_told(&rig, RAFT_NOTE_BELOW_FLOOR));
    rig_wait(&rig, 2000);
    ck_assert(!rig_told(&rig, RAFT_NOTE_BELOW_FLOOR)); /* once */
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("services/raftd/core/recover", a_lone_survivor_leads_at_once_under_a_new_id,
           a_recovery_appends_nothing_until_one_leads,
           entries_are_handed_out_under_the_id_they_stand_under,
           a_second_recovery_judges_states_of_the_first_by_it, refuses_what_is_no_recovery,
           a_request_for_votes_of_the_next_cluster_tells_nothing,
           a_leader_of_the_next_cluster_sets_a_named_log_aside,
           a_crash_before_the_row_is_durable_leaves_it_where_it_was,
           only_its_own_prior_id_and_incarnation_set_a_log_aside,
           a_promise_of_the_lost_cluster_gives_way_too,
           who_stands_under_an_older_id_is_told_of_that_one,
           what_was_not_committed_gives_way_to_the_leaders,
           committed_entries_that_the_leader_lacks_set_the_log_aside,
           entries_below_the_floor_that_differ_set_it_aside_too,
           a_survivor_that_is_far_behind_pulls, a_state_of_the_earlier_id_takes_nothing_back,
           below_its_floor_without_a_leader_it_says_what_to_do)
