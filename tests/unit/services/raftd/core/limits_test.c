/* Every size that others choose, at its limit and one more. */
#include "tests/lib/suite.h"

#include "common/base/err.h"
#include "services/raftd/core/state.h"
#include "tests/unit/services/raftd/core/rig.h"

START_TEST(one_read_more_than_may_wait_is_overloaded) /* consensus 21.69, I22 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 1});
    rig_lead(&rig);
    for (unsigned i = 0; i < RAFT_READS_MAX; i++) {
        rig_read(&rig, RAFT_READ_CONSISTENT);
        ck_assert_ptr_null(rig_action(&rig, RAFT_ACT_READ));
    }
    rig_read(&rig, RAFT_READ_CONSISTENT);
    ck_assert_int_eq(rig_action(&rig, RAFT_ACT_READ)->read.err, CU_E_OVERLOADED);
    rig_wait(&rig, 300); /* peers are gone: all that wait are answered */
    unsigned answers = 0;
    for (uint32_t i = 0; i < rig.actions.count; i++)
        answers += rig.actions.items[i].kind == RAFT_ACT_READ;
    ck_assert_uint_eq(answers, RAFT_READS_MAX);
    rig_close(&rig);
}
END_TEST

static const struct raft_action *propose(struct rig *rig, uint32_t count, size_t bytes)
{
    static struct raft_proposal items[RAFT_OPEN_ENTRIES];
    static uint8_t zeros[RAFT_ENTRY_LIMIT_BYTES];
    for (uint32_t i = 0; i < count; i++) {
        items[i] = (struct raft_proposal){.seq = i + 1, .kind = RAFT_COMMAND};
        if (bytes)
            items[i].body = raft_body_new((struct cu_bytes){zeros, bytes});
    }
    rig_step(rig, (struct raft_event){
                      .kind = RAFT_EV_PROPOSE, .tag = ++rig->tag, .propose = {items, count}});
    return rig_action(rig, RAFT_ACT_PROPOSED);
}

START_TEST(one_entry_more_than_may_be_open_is_overloaded) /* I22 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 1, .log = "1", .term = 1});
    rig.holds_disk = true;
    ck_assert_ptr_null(propose(&rig, RAFT_OPEN_ENTRIES, 0));
    const struct raft_action *done = propose(&rig, 1, 0);
    ck_assert_uint_eq(done->proposed.refusal_count, 1);
    ck_assert_int_eq(done->proposed.refusals[0].err, CU_E_OVERLOADED);
    rig_sync(&rig);
    rig.holds_disk = false;
    done = propose(&rig, 1, 0); /* committed: there is room again */
    ck_assert_uint_eq(done->proposed.refusal_count, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(bytes_that_are_open_are_bounded) /* I22 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 1, .log = "1", .term = 1});
    rig.holds_disk = true;
    unsigned taken = 0;
    const struct raft_action *done;
    while (!(done = propose(&rig, 1, RAFT_ENTRY_LIMIT_BYTES)))
        taken++;
    ck_assert_int_eq(done->proposed.refusals[0].err, CU_E_OVERLOADED);
    ck_assert_uint_eq(taken,
                      (RAFT_OPEN_BYTES + RAFT_ENTRY_LIMIT_BYTES - 1) / RAFT_ENTRY_LIMIT_BYTES);
    rig_close(&rig);
}
END_TEST

START_TEST(the_cache_is_bounded_and_older_entries_are_read_back) /* consensus 73 */
{
    struct rig rig;
    struct raft_entry entries[4];
    uint32_t count;
    rig_open(&rig, &(struct rig_seed){.voters = 1, .log = "1", .term = 1});
    for (unsigned i = 0; i < 8; i++)
        (void)propose(&rig, 1000, 10);
    ck_assert_uint_le(rig.raft->tail.count, RAFT_CACHE_ENTRIES);
    ck_assert_int_eq(raft_read(rig.raft, 2, 5, 1 << 20, 4, entries, &count), CU_OK);
    ck_assert_uint_eq(count, 4);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_uint_eq(entries[i].index, 2 + i);
        raft_body_unref(entries[i].body);
    }
    for (unsigned i = 0; i < 14; i++)
        (void)propose(&rig, 1, RAFT_ENTRY_LIMIT_BYTES);
    ck_assert_uint_le(rig.raft->tail.bytes, RAFT_CACHE_BYTES);
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("services/raftd/core/limits", one_read_more_than_may_wait_is_overloaded,
           one_entry_more_than_may_be_open_is_overloaded, bytes_that_are_open_are_bounded,
           the_cache_is_bounded_and_older_entries_are_read_back)
