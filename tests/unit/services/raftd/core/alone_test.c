/* A server that is its own quorum. */
#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"
#include "tests/unit/services/raftd/core/rig.h"

static const struct rig_seed alone = {.bootstrap = 1};

/* consensus 95, contracts 4.2 */
START_TEST(leads_at_once_after_the_first_attach)
{
    struct rig rig;
    rig_open(&rig, &alone);
    struct raft_status s = rig_status(&rig);
    ck_assert_int_eq(s.role, RAFT_LEADER);
    ck_assert_uint_eq(s.term, 2);
    ck_assert_uint_eq(s.commit, 2); /* entry 1 and the no-op */
    ck_assert_uint_eq(s.configuration_index, 1);
    ck_assert(!raft_id_is_none(s.cluster));
    ck_assert_uint_eq(rig.disk.syncs, 1); /* one transaction for all of it */
    rig_close(&rig);
}
END_TEST

START_TEST(does_nothing_before_a_catalogd_attached)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.bootstrap = 1, .is_unattached = true});
    rig_wait(&rig, 5000);
    ck_assert_uint_eq(rig_status(&rig).last_index, 0);
    rig_close(&rig);
}
END_TEST

/* consensus 95 */
START_TEST(bootstraps_nothing_beside_a_state)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.bootstrap = 1, .is_unattached = true});
    rig_attach(&rig, 40, 3);
    struct raft_status s = rig_status(&rig);
    ck_assert(raft_id_equal(s.cluster, rig_cluster()));
    ck_assert_uint_eq(s.floor, 40);
    ck_assert(rig_told(&rig, RAFT_NOTE_ADOPTED));
    ck_assert(!rig_told(&rig, RAFT_NOTE_BOOTSTRAPPED));
    rig_close(&rig);
}
END_TEST

/* consensus 17, 93: answered when it is synced, not before */
START_TEST(answers_a_proposal_after_its_own_fsync)
{
    struct rig rig;
    rig_open(&rig, &alone);
    rig.holds_disk = true;
    rig_propose(&rig, "x");
    ck_assert_ptr_null(rig_action(&rig, RAFT_ACT_PROPOSED));
    ck_assert_uint_eq(rig_status(&rig).commit, 2);
    rig_sync(&rig);
    const struct raft_action *done = rig_action(&rig, RAFT_ACT_PROPOSED);
    ck_assert_ptr_nonnull(done);
    ck_assert_uint_eq(done->proposed.tag, rig.tag);
    ck_assert_uint_eq(done->proposed.refusal_count + done->proposed.lost_count, 0);
    ck_assert_uint_eq(rig_status(&rig).commit, 3);
    rig_close(&rig);
}
END_TEST

START_TEST(leads_again_at_once_after_a_restart)
{
    struct rig rig;
    rig_open(&rig, &alone);
    rig_propose(&rig, "kept");
    rig.holds_disk = true;
    rig_propose(&rig, "lost");
    rig_crash(&rig, 0);
    rig.holds_disk = false;
    ck_assert_int_eq(rig_status(&rig).role, RAFT_FOLLOWER);
    rig_attach(&rig, 0, 0);
    struct raft_status s = rig_status(&rig);
    ck_assert_int_eq(s.role, RAFT_LEADER);
    ck_assert_uint_eq(s.term, 3);
    ck_assert_uint_eq(s.commit, 4); /* configuration, no-op, kept, no-op */
    rig_close(&rig);
}
END_TEST

START_TEST(answers_reads_under_its_own_lease)
{
    struct rig rig;
    rig_open(&rig, &alone);
    for (int mode = RAFT_READ_DEFAULT; mode <= RAFT_READ_CONSISTENT; mode++) {
        rig_read(&rig, (enum raft_read_mode)mode);
        const struct raft_action *read = rig_action(&rig, RAFT_ACT_READ);
        ck_assert_ptr_nonnull(read);
        ck_assert_int_eq(read->read.err, CU_OK);
        ck_assert_uint_eq(read->read.index, 2);
    }
    rig_close(&rig);
}
END_TEST

/* consensus 75, 92: entries of every kind, never beyond what is synced */
START_TEST(hands_out_entries_of_every_kind_in_order)
{
    struct rig rig;
    struct raft_follow_answer follow;
    struct raft_entry entries[8];
    uint32_t count;
    rig_open(&rig, &alone);
    rig_propose(&rig, "x");
    rig.holds_disk = true;
    rig_propose(&rig, "unsynced");
    raft_follow(rig.raft, (struct raft_position){0}, &follow);
    ck_assert_int_eq(follow.outcome, RAFT_FOLLOW_ENTRIES);
    ck_assert_uint_eq(follow.first, 1);
    ck_assert_uint_eq(follow.last, 3);
    ck_assert_int_eq(raft_read(rig.raft, 1, 3, 1 << 20, 8, entries, &count), CU_OK);
    ck_assert_uint_eq(count, 3);
    const enum raft_kind kinds[] = {RAFT_CONFIGURATION, RAFT_NOOP, RAFT_COMMAND};
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_uint_eq(entries[i].index, i + 1);
        ck_assert_int_eq(entries[i].kind, kinds[i]);
        raft_body_unref(entries[i].body);
    }
    rig_close(&rig);
}
END_TEST

/* consensus 97, contracts 3.2 */
START_TEST(writes_a_noop_every_minute_and_lease_counts_real_time)
{
    struct rig rig;
    rig_open(&rig, &alone);
    rig_wait(&rig, 59999);
    ck_assert_uint_eq(rig_status(&rig).last_index, 2);
    rig_wait(&rig, 1);
    ck_assert_uint_eq(rig_status(&rig).last_index, 3);
    ck_assert_uint_eq(raft_disk_at(&rig.disk, 3)->lease_ms, 60000);
    rig_close(&rig);
}
END_TEST

/* consensus 80: a wall clock that jumps back stands still in the log */
START_TEST(wall_never_decreases)
{
    struct rig rig;
    rig_open(&rig, &alone);
    rig_propose(&rig, "a");
    uint64_t before = raft_disk_at(&rig.disk, 3)->wall_ms;
    rig.wall_ms -= 3600000;
    rig_propose(&rig, "b");
    ck_assert_uint_eq(raft_disk_at(&rig.disk, 4)->wall_ms, before);
    rig_close(&rig);
}
END_TEST

/* consensus 65, 21.62 */
START_TEST(takes_an_entry_of_the_limit_and_refuses_one_byte_more)
{
    struct rig rig;
    rig_open(&rig, &alone);
    char *text = malloc(RAFT_ENTRY_LIMIT_BYTES + 2);
    memset(text, 'x', RAFT_ENTRY_LIMIT_BYTES + 1);
    text[RAFT_ENTRY_LIMIT_BYTES] = 0;
    rig_propose(&rig, text);
    ck_assert_uint_eq(rig_action(&rig, RAFT_ACT_PROPOSED)->proposed.refusal_count, 0);
    text[RAFT_ENTRY_LIMIT_BYTES] = 'x';
    text[RAFT_ENTRY_LIMIT_BYTES + 1] = 0;
    rig_propose(&rig, text);
    const struct raft_action *done = rig_action(&rig, RAFT_ACT_PROPOSED);
    ck_assert_uint_eq(done->proposed.refusal_count, 1);
    ck_assert_int_eq(done->proposed.refusals[0].err, CU_E_TOO_LARGE);
    ck_assert(done->proposed.is_final);
    free(text);
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("services/raftd/core/alone", leads_at_once_after_the_first_attach,
           does_nothing_before_a_catalogd_attached, bootstraps_nothing_beside_a_state,
           answers_a_proposal_after_its_own_fsync, leads_again_at_once_after_a_restart,
           answers_reads_under_its_own_lease, hands_out_entries_of_every_kind_in_order,
           writes_a_noop_every_minute_and_lease_counts_real_time, wall_never_decreases,
           takes_an_entry_of_the_limit_and_refuses_one_byte_more)
