/* Bootstrap by unanimous promise: contracts 4.2, consensus.md 11. */
#include "tests/lib/suite.h"

#include <string.h>

#include "common/base/err.h"
#include "tests/unit/services/raftd/core/cluster.h"
#include "tests/unit/services/raftd/core/rig.h"

static const struct rig_seed three = {.bootstrap = 3};

static struct raft_message answer_to(unsigned from, const struct raft_message *asked)
{
    struct raft_message m =
        rig_message(from, (enum raft_message_kind)(asked->kind + 1), asked->term);
    m.cluster = (struct raft_id){{0}};
    m.index = asked->index;
    m.round = asked->round;
    m.ok = true;
    return m;
}

/* Both others say that they are empty; the round is open then. */
static struct raft_message open_round(struct rig *rig)
{
    rig_open(rig, &three);
    const struct raft_message asked = *rig_sent(rig, RAFT_MSG_PROMISE);
    ck_assert_uint_eq(asked.index, 0);
    struct raft_message m = answer_to(2, &asked);
    rig_hear(rig, &m);
    ck_assert_uint_eq(rig_status(rig).promise.round, 0); /* one is not all */
    m = answer_to(3, &asked);
    rig_hear(rig, &m);
    return *rig_sent(rig, RAFT_MSG_PROMISE);
}

START_TEST(entry_one_waits_for_every_promise) /* consensus 86, 94 */
{
    struct rig rig;
    struct raft_message round = open_round(&rig);
    ck_assert_uint_eq(round.index, 1);
    ck_assert_uint_eq(round.configuration.count, 3);
    ck_assert_uint_eq(round.configuration.servers[2].incarnation, 1003);
    struct raft_message m = answer_to(2, &round);
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig_status(&rig).last_index, 0);
    m = answer_to(2, &round); /* the same one twice is still one */
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig_status(&rig).last_index, 0);
    m = answer_to(3, &round);
    rig_hear(&rig, &m);
    struct raft_status s = rig_status(&rig);
    ck_assert_uint_eq(s.last_index, 1);
    ck_assert_uint_eq(s.last_term, 1);
    ck_assert(raft_id_equal(s.cluster, round.new_cluster));
    ck_assert_uint_eq(s.promise.round, 0);
    ck_assert_uint_eq(rig.disk.promise.round, 0); /* in one transaction */
    rig_close(&rig);
}
END_TEST

static void expect(struct rig *rig, unsigned servers)
{
    struct raft_id ids[RIG_PEERS_MAX];
    for (unsigned i = 0; i < servers; i++)
        ids[i] = rig_id(i + 1);
    rig_step(rig,
             (struct raft_event){.kind = RAFT_EV_EXPECT, .expect = {.ids = ids, .count = servers}});
}

START_TEST(a_set_found_by_gossip_is_asked_until_one_is_promised) /* contracts 4.1, 4.2 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){0});
    ck_assert_ptr_null(rig_sent(&rig, RAFT_MSG_PROMISE));
    expect(&rig, 2);
    ck_assert_uint_eq(rig_count(&rig, RAFT_MSG_PROMISE), 1);
    expect(&rig, 3); /* a third one came: all of them, or none */
    ck_assert_uint_eq(rig_count(&rig, RAFT_MSG_PROMISE), 2);
    const struct raft_message asked = *rig_sent(&rig, RAFT_MSG_PROMISE);
    struct raft_message m = answer_to(2, &asked);
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig_status(&rig).promise.round, 0);
    m = answer_to(3, &asked);
    rig_hear(&rig, &m);
    uint64_t round = rig_status(&rig).promise.round;
    ck_assert_uint_ne(round, 0);
    expect(&rig, 5); /* too late */
    ck_assert_uint_eq(rig_status(&rig).promise.round, round);
    ck_assert_uint_eq(rig_status(&rig).promise.configuration.count, 3);
    rig_close(&rig);
}
END_TEST

START_TEST(who_is_in_a_cluster_expects_nothing_more) /* contracts 4.2 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .term = 1});
    expect(&rig, 2);
    ck_assert_ptr_null(rig_sent(&rig, RAFT_MSG_PROMISE));
    rig_wait(&rig, 1);
    ck_assert_ptr_null(rig_sent(&rig, RAFT_MSG_PROMISE));
    rig_close(&rig);
}
END_TEST

START_TEST(the_proposers_promise_is_durable_first) /* consensus 94 */
{
    struct rig rig;
    rig_open(&rig, &three);
    rig.holds_disk = true;
    const struct raft_message asked = *rig_sent(&rig, RAFT_MSG_PROMISE);
    for (unsigned i = 2; i <= 3; i++) {
        struct raft_message m = answer_to(i, &asked);
        rig_hear(&rig, &m);
    }
    const struct raft_action *send = rig_action(&rig, RAFT_ACT_SEND);
    ck_assert_uint_eq(send->send->index, 1);
    ck_assert_uint_eq(send->after, rig.last_persist);
    uint64_t round = rig_status(&rig).promise.round;
    rig_crash(&rig, 1);
    ck_assert_uint_eq(rig_status(&rig).promise.round, round); /* it goes on with that one */
    rig_attach(&rig, 0, 0);
    ck_assert_uint_eq(rig_sent(&rig, RAFT_MSG_PROMISE)->round, round);
    rig_close(&rig);
}
END_TEST

START_TEST(a_promise_of_another_incarnation_does_not_count) /* 21.91, I29 */
{
    struct rig rig;
    struct raft_message round = open_round(&rig);
    struct raft_message m = answer_to(2, &round);
    rig_hear(&rig, &m);
    m = answer_to(3, &round);
    m.incarnation = 4711;
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig_status(&rig).last_index, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(silence_gives_the_round_up_and_the_next_is_another) /* contracts 4.2 */
{
    struct rig rig;
    struct raft_message round = open_round(&rig);
    struct raft_message m = answer_to(2, &round);
    rig_hear(&rig, &m);
    rig_wait(&rig, 9990);
    ck_assert_uint_eq(rig_status(&rig).promise.round, round.round);
    rig_wait(&rig, 20);
    ck_assert_uint_eq(rig_status(&rig).promise.round, 0);
    const struct raft_message *give_up = rig_sent(&rig, RAFT_MSG_GIVE_UP);
    ck_assert_uint_eq(give_up->round, round.round);
    ck_assert(rig_told(&rig, RAFT_NOTE_GAVE_UP));

    m = answer_to(3, &round); /* too late: the round is over */
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig_status(&rig).last_index, 0);

    rig_wait(&rig, 3100);
    const struct raft_message again = *rig_sent(&rig, RAFT_MSG_PROMISE);
    ck_assert_uint_eq(again.index, 0);
    for (unsigned i = 2; i <= 3; i++) {
        m = answer_to(i, &again);
        rig_hear(&rig, &m);
    }
    const struct raft_message *next = rig_sent(&rig, RAFT_MSG_PROMISE);
    ck_assert_uint_ne(next->round, round.round);
    ck_assert(!raft_id_equal(next->new_cluster, round.new_cluster));
    rig_close(&rig);
}
END_TEST

START_TEST(a_refusal_gives_the_round_up)
{
    struct rig rig;
    struct raft_message round = open_round(&rig);
    struct raft_message m = answer_to(2, &round);
    m.ok = false;
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig_status(&rig).promise.round, 0);
    ck_assert_uint_eq(rig_count(&rig, RAFT_MSG_GIVE_UP), 2);
    rig_close(&rig);
}
END_TEST

START_TEST(a_round_that_was_given_up_is_told_so_again)
{
    struct rig rig;
    rig_open(&rig, &three);
    const struct raft_message asked = *rig_sent(&rig, RAFT_MSG_PROMISE);
    struct raft_message m = answer_to(2, &asked);
    m.ok = false;
    m.conflict_index = 55; /* it never heard the give-up of that round */
    rig_hear(&rig, &m);
    const struct raft_message *give_up = rig_sent(&rig, RAFT_MSG_GIVE_UP);
    ck_assert_uint_eq(give_up->round, 55);
    rig_close(&rig);
}
END_TEST

/* ---- the asked: server 2 of {1, 2, 3} ---- */

static struct raft_message proposal(uint64_t round)
{
    struct raft_message m = rig_message(1, RAFT_MSG_PROMISE, 0);
    m.cluster = (struct raft_id){{0}};
    m.index = 1;
    m.round = round;
    m.new_cluster = (struct raft_id){{(uint8_t)round}};
    m.configuration.count = 3;
    for (unsigned i = 0; i < 3; i++)
        m.configuration.servers[i] =
            (struct raft_server){.id = rig_id(i + 1), .incarnation = 1001 + i, .is_voter = true};
    return m;
}

static bool is_promised(struct rig *rig, struct raft_message m)
{
    rig_hear(rig, &m);
    return rig_sent(rig, RAFT_MSG_PROMISE_ANSWER)->ok;
}

START_TEST(promises_one_round_at_a_time_across_restarts) /* consensus 42, I6 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.bootstrap = 3, .self = 2});
    ck_assert(is_promised(&rig, proposal(1)));
    ck_assert(is_promised(&rig, proposal(1))); /* asked again */
    ck_assert(!is_promised(&rig, proposal(2)));
    rig_crash(&rig, 0);
    rig_attach(&rig, 0, 0);
    ck_assert(!is_promised(&rig, proposal(2)));
    ck_assert_uint_eq(rig_sent(&rig, RAFT_MSG_PROMISE_ANSWER)->conflict_index, 1);
    rig_close(&rig);
}
END_TEST

START_TEST(a_give_up_counts_only_for_its_round_and_proposer) /* consensus 94, 21.59 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.bootstrap = 3, .self = 2});
    ck_assert(is_promised(&rig, proposal(2)));
    struct raft_message m = rig_message(1, RAFT_MSG_GIVE_UP, 0);
    m.round = 1; /* late */
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig_status(&rig).promise.round, 2);
    m.round = 2;
    m.from = rig_id(3);
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig_status(&rig).promise.round, 2);
    m.from = rig_id(1);
    m.incarnation = 4711; /* wiped meanwhile: it does not know whether entry 1 was written */
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig_status(&rig).promise.round, 2);
    m.incarnation = 1001;
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig_status(&rig).promise.round, 0);
    ck_assert_uint_eq(rig.disk.promise.round, 0);
    rig_close(&rig);
}
END_TEST

static enum cu_err forget(struct rig *rig)
{
    rig_step(rig, (struct raft_event){.kind = RAFT_EV_FORGET_PROMISE, .tag = 8});
    return rig_action(rig, RAFT_ACT_FORGOTTEN)->done.err;
}

START_TEST(a_promise_is_forgotten_when_an_operator_says_so) /* contracts 4.2, 21.90, consensus 42 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.bootstrap = 3, .self = 2});
    ck_assert_uint_eq(forget(&rig), CU_E_NOT_FOUND);
    ck_assert(is_promised(&rig, proposal(1)));
    rig.holds_disk = true;
    ck_assert_uint_eq(forget(&rig), CU_OK);
    ck_assert_uint_eq(rig_action(&rig, RAFT_ACT_FORGOTTEN)->after, rig.last_persist);
    rig_sync(&rig);
    rig.holds_disk = false;
    ck_assert_uint_eq(rig.disk.promise.round, 0);
    ck_assert(is_promised(&rig, proposal(2)));
    /* The proposer is back: it does not count for two. */
    struct raft_message m = rig_message(1, RAFT_MSG_VOTE, 2);
    m.cluster = (struct raft_id){{1}};
    m.index = m.log_term = 1;
    rig_hear(&rig, &m);
    ck_assert_int_eq(rig_sent(&rig, RAFT_MSG_IGNORED)->reason, RAFT_IGN_CLUSTER);
    rig_close(&rig);
}
END_TEST

START_TEST(a_promise_that_was_voted_under_or_is_ones_own_is_not_forgotten) /* contracts 4.2 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.bootstrap = 3, .self = 2});
    ck_assert(is_promised(&rig, proposal(1)));
    struct raft_message m = rig_message(1, RAFT_MSG_VOTE, 2);
    m.cluster = (struct raft_id){{1}};
    m.index = m.log_term = 1; /* entry 1 is written */
    rig_hear(&rig, &m);
    ck_assert(rig_sent(&rig, RAFT_MSG_VOTE_ANSWER)->ok);
    ck_assert_uint_eq(forget(&rig), CU_E_CONFLICT);
    ck_assert_uint_eq(rig_status(&rig).promise.round, 1);
    rig_close(&rig);
    (void)open_round(&rig);
    ck_assert_uint_eq(forget(&rig), CU_E_CONFLICT);
    rig_close(&rig);
}
END_TEST

START_TEST(promises_only_what_is_sound)
{
    for (int wrong = 0; wrong < 8; wrong++) {
        struct rig rig;
        rig_open(&rig, &(struct rig_seed){.bootstrap = wrong == 7 ? 2 : 3,
                                          .self = 2,
                                          .is_unattached = wrong == 0});
        struct raft_message m = proposal(1);
        if (wrong == 1)
            m.configuration.servers[1].incarnation = 4711; /* of a former life */
        if (wrong == 2)
            m.configuration.servers[1].id = rig_id(5); /* does not hold this server */
        if (wrong == 3)
            m.from = rig_id(3); /* the lowest proposes */
        if (wrong == 4)
            m.new_cluster = (struct raft_id){{0}};
        if (wrong == 5)
            m.round = 0;
        if (wrong == 6)
            m.configuration.servers[1].is_voter = false;
        ck_assert_msg(!is_promised(&rig, m), "case %d", wrong);
        ck_assert_uint_eq(rig_status(&rig).promise.round, 0);
        rig_close(&rig);
    }
}
END_TEST

START_TEST(a_server_with_a_log_promises_nothing) /* consensus 40 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 1, .self = 2});
    struct raft_message m = proposal(1);
    rig_hear(&rig, &m);
    ck_assert_int_eq(rig_sent(&rig, RAFT_MSG_IGNORED)->reason, RAFT_IGN_CLUSTER);
    rig_close(&rig);
}
END_TEST

START_TEST(a_promised_server_hears_only_that_cluster) /* consensus 42, 88 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.bootstrap = 3, .self = 2});
    ck_assert(is_promised(&rig, proposal(1)));
    struct raft_message m = rig_message(1, RAFT_MSG_HEARTBEAT, 2);
    m.conflict_index = 1002;
    rig_hear(&rig, &m); /* of rig_cluster() */
    ck_assert_int_eq(rig_sent(&rig, RAFT_MSG_IGNORED)->reason, RAFT_IGN_CLUSTER);
    ck_assert_uint_eq(rig_status(&rig).term, 0);
    m.cluster = (struct raft_id){{1}};
    rig_hear(&rig, &m);
    ck_assert(rig_sent(&rig, RAFT_MSG_HEARTBEAT_ANSWER)->ok);
    rig_wait(&rig, 5000); /* but campaigns not while its promise is open (4) */
    ck_assert_uint_eq(rig_status(&rig).term, 2);
    rig_close(&rig);
}
END_TEST

/* ---- whole clusters, with losses, crashes and restarts in every order ---- */

START_TEST(becomes_one_cluster_or_none_for_every_interleaving) /* consensus 39, 86, 21.59 */
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct cluster c;
        cluster_open(&c, 3, suite_seed() + seed);
        c.drop_permille = (unsigned)(seed * 13 % 400);
        c.double_permille = 200;
        c.delay_max_us = 1000 + seed * 3000;
        for (unsigned i = 0; i < 40; i++) {
            unsigned node = (unsigned)cu_random_below(&c.random, 3);
            cluster_run(&c, cu_random_below(&c.random, 400));
            cluster_crash(&c, node, false);
            cluster_run(&c, cu_random_below(&c.random, 200));
            cluster_start(&c, node);
        }
        cluster_heal(&c);
        cluster_run(&c, 15000);
        ck_assert_msg(!*c.failure, "seed %llu: %s", (unsigned long long)seed, c.failure);
        for (unsigned i = 0; i < 3; i++) {
            ck_assert(raft_id_equal(cluster_status(&c, i).cluster, cluster_status(&c, 0).cluster));
            ck_assert_msg(cluster_status(&c, i).commit > 1, "seed %llu: node %u has no cluster",
                          (unsigned long long)seed, i);
        }
        cluster_close(&c);
    }
}
END_TEST

SUITE_MAIN("services/raftd/core/bootstrap", entry_one_waits_for_every_promise,
           a_set_found_by_gossip_is_asked_until_one_is_promised,
           who_is_in_a_cluster_expects_nothing_more, the_proposers_promise_is_durable_first,
           a_promise_of_another_incarnation_does_not_count,
           silence_gives_the_round_up_and_the_next_is_another, a_refusal_gives_the_round_up,
           a_round_that_was_given_up_is_told_so_again, promises_one_round_at_a_time_across_restarts,
           a_give_up_counts_only_for_its_round_and_proposer,
           a_promise_is_forgotten_when_an_operator_says_so,
           a_promise_that_was_voted_under_or_is_ones_own_is_not_forgotten,
           promises_only_what_is_sound, a_server_with_a_log_promises_nothing,
           a_promised_server_hears_only_that_cluster,
           becomes_one_cluster_or_none_for_every_interleaving)
