/* Several rafts under faults: what must hold after every step, and what must be reached after the
 * faults have stopped (consensus.md 19). */
#include "tests/lib/suite.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/services/raftd/core/cluster.h"

static void expect_sound(const struct cluster *c)
{
    ck_assert_msg(!*c->failure, "seed %llu: %s", (unsigned long long)c->seed, c->failure);
}

/* consensus 1, 86; contracts 4.2 */
START_TEST(three_empty_servers_become_one_cluster_and_elect)
{
    struct cluster c;
    cluster_open(&c, 3, suite_seed());
    cluster_run(&c, 3000);
    expect_sound(&c);
    unsigned leader = cluster_leader(&c);
    ck_assert_uint_lt(leader, 3);
    for (unsigned i = 0; i < 3; i++) {
        struct raft_status s = cluster_status(&c, i);
        ck_assert(raft_id_equal(s.cluster, cluster_status(&c, leader).cluster));
        ck_assert_uint_eq(s.commit, 2);
        ck_assert_uint_eq(s.promise.round, 0);
    }
    cluster_close(&c);
}
END_TEST

/* consensus 22 to 25, 27 */
START_TEST(a_cut_off_leader_steps_down_within_its_lease)
{
    struct cluster c;
    cluster_open(&c, 3, suite_seed());
    cluster_run(&c, 3000);
    unsigned old = cluster_leader(&c);
    cluster_cut(&c, old, true);
    cluster_run(&c, 220 + 5);
    ck_assert_int_ne(cluster_status(&c, old).role, RAFT_LEADER);
    cluster_run(&c, 1500);
    unsigned leader = cluster_leader(&c);
    ck_assert_uint_lt(leader, 3);
    ck_assert_uint_ne(leader, old);
    expect_sound(&c);
    cluster_close(&c);
}
END_TEST

/* consensus 7, I21 */
START_TEST(a_returning_server_disturbs_nobody)
{
    struct cluster c;
    cluster_open(&c, 3, suite_seed());
    cluster_run(&c, 3000);
    unsigned leader = cluster_leader(&c);
    uint64_t term = cluster_status(&c, leader).term;
    cluster_cut(&c, (leader + 1) % 3, true);
    cluster_run(&c, 20000);
    cluster_cut(&c, (leader + 1) % 3, false);
    cluster_run(&c, 5000);
    ck_assert_uint_eq(cluster_leader(&c), leader);
    ck_assert_uint_eq(cluster_status(&c, leader).term, term);
    expect_sound(&c);
    cluster_close(&c);
}
END_TEST

/* Three that keep hardly any log, and lead. */
static unsigned open_short_logs(struct cluster *c)
{
    cluster_open(c, 3, suite_seed());
    c->trailing = 5;
    cluster_run(c, 3000);
    for (unsigned i = 0; i < 3; i++)
        cluster_crash(c, i, false);
    for (unsigned i = 0; i < 3; i++)
        cluster_start(c, i); /* with that trailing */
    cluster_run(c, 3000);
    unsigned leader = cluster_leader(c);
    ck_assert_uint_lt(leader, 3);
    return leader;
}

/* consensus 19, 78: its entries are compacted, its state is gone, it pulls */
START_TEST(a_server_that_fell_behind_the_floor_pulls_a_state)
{
    struct cluster c;
    unsigned leader = open_short_logs(&c);
    unsigned behind = (leader + 1) % 3;
    cluster_crash(&c, behind, true);
    for (unsigned i = 0; i < 200; i++) {
        cluster_propose(&c, leader);
        cluster_run(&c, 10);
    }
    ck_assert_uint_gt(cluster_status(&c, leader).floor, 100);
    cluster_start(&c, behind);
    cluster_run(&c, 3000);
    struct raft_status s = cluster_status(&c, behind);
    ck_assert_uint_eq(s.commit, cluster_status(&c, leader).commit);
    ck_assert_uint_gt(s.floor, 100);
    expect_sound(&c);
    cluster_close(&c);
}
END_TEST

START_TEST(consensus_52_there_is_no_election_however_long_a_transfer_of_state_takes)
{
    struct cluster c;
    unsigned leader = open_short_logs(&c), behind = (leader + 1) % 3;
    uint64_t term = cluster_status(&c, leader).term;
    c.holds_pulls = true;
    cluster_cut(&c, behind, true);
    for (unsigned i = 0; i < 200; i++) {
        cluster_propose(&c, leader);
        cluster_run(&c, 10);
    }
    ck_assert_uint_gt(cluster_status(&c, leader).floor, cluster_status(&c, behind).last_index);
    cluster_cut(&c, behind, false);
    cluster_run(&c, 1000);
    for (unsigned i = 0; i < 300; i++) { /* 30 s: fifty election timeouts at least */
        cluster_propose(&c, leader);
        cluster_run(&c, 100);
        ck_assert_int_eq(cluster_status(&c, behind).role, RAFT_FOLLOWER);
        ck_assert_uint_eq(cluster_status(&c, behind).term, term);
        ck_assert_int_lt(cluster_status(&c, behind).last_contact_ms, 150); /* heartbeats go on */
        ck_assert_int_eq(cluster_status(&c, leader).role, RAFT_LEADER);
        ck_assert_uint_eq(cluster_status(&c, leader).term, term);
    }
    ck_assert_uint_lt(cluster_status(&c, behind).last_index, cluster_status(&c, leader).floor);
    c.holds_pulls = false;
    cluster_run(&c, 3000);
    ck_assert_uint_eq(cluster_status(&c, behind).commit, cluster_status(&c, leader).commit);
    ck_assert_uint_eq(cluster_status(&c, leader).term, term);
    expect_sound(&c);
    cluster_close(&c);
}
END_TEST

/* ---- random faults ---- */

static void disturb(struct cluster *c)
{
    unsigned node = (unsigned)cu_random_below(&c->random, c->count);
    unsigned other = (unsigned)cu_random_below(&c->random, c->count);
    switch (cu_random_below(&c->random, 12)) {
    case 0:
        cluster_crash(c, node, node == 0 && c->count > 1 && cu_random_below(&c->random, 8) == 0);
        break;
    case 1:
    case 2:
    case 3:
        if (!c->nodes[node].raft)
            cluster_start(c, node);
        break;
    case 4:
        cluster_cut(c, node, true);
        break;
    case 5:
    case 6:
        cluster_cut(c, node, false);
        break;
    case 7:
        c->is_cut[node][other] = node != other; /* one way */
        break;
    case 8:
        c->drop_permille = (unsigned)cu_random_below(&c->random, 200);
        c->double_permille = (unsigned)cu_random_below(&c->random, 200);
        break;
    case 9:
        c->delay_max_us = 500 + cu_random_below(&c->random, 100000);
        break;
    case 10:
        c->sync_max_us = 500 + cu_random_below(&c->random, 50000);
        break;
    default:
        break;
    }
}

static void run_seed(uint64_t seed)
{
    struct cluster c;
    cluster_open(&c, 1 + 2 * (unsigned)(seed % 3), seed);
    c.trailing = cu_random_below(&c.random, 30);
    for (unsigned i = 0; i < 300 && !*c.failure; i++) {
        if (cu_random_below(&c.random, 4) == 0)
            disturb(&c);
        for (unsigned node = 0; node < c.count; node++) {
            cluster_propose(&c, node);
            cluster_read(&c, node, (enum raft_read_mode)(i % 2));
        }
        cluster_run(&c, cu_random_below(&c.random, 60));
    }
    expect_sound(&c);
    cluster_heal(&c);
    cluster_run(&c, 15000);
    expect_sound(&c);
    unsigned leader = cluster_leader(&c);
    ck_assert_msg(leader < c.count, "seed %llu: no leader after the faults (I20)",
                  (unsigned long long)seed);
    uint64_t term = cluster_status(&c, leader).term;
    cluster_run(&c, 10000);
    expect_sound(&c);
    for (unsigned i = 0; i < c.count; i++) {
        struct raft_status s = cluster_status(&c, i);
        ck_assert_msg(s.term == term && s.commit == s.last_index &&
                          s.last_index == cluster_status(&c, leader).last_index &&
                          c.nodes[i].state.position.index == s.commit,
                      "seed %llu: node %u has not caught up (I20)", (unsigned long long)seed, i);
    }
    if (getenv("VERBOSE"))
        printf("seed %llu: %llu steps, %llu committed, %llu answered, %llu reads, term %llu\n",
               (unsigned long long)seed, (unsigned long long)c.steps,
               (unsigned long long)c.committed_count, (unsigned long long)c.acknowledged,
               (unsigned long long)c.reads, (unsigned long long)term);
    cluster_close(&c);
}

START_TEST(stays_sound_under_faults_and_recovers_after_them)
{
    uint64_t seeds = getenv("SEEDS") ? strtoull(getenv("SEEDS"), NULL, 10) : 40;
    for (uint64_t i = 0; i < seeds; i++)
        run_seed(suite_seed() + i);
}
END_TEST

SUITE_MAIN("services/raftd/core/cluster", three_empty_servers_become_one_cluster_and_elect,
           a_cut_off_leader_steps_down_within_its_lease, a_returning_server_disturbs_nobody,
           a_server_that_fell_behind_the_floor_pulls_a_state,
           consensus_52_there_is_no_election_however_long_a_transfer_of_state_takes,
           stays_sound_under_faults_and_recovers_after_them)
