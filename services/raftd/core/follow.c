#include "common/base/assert.h"
#include "common/base/planted.h"
#include "services/raftd/core/state.h"

static uint64_t greater(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t handed_out(const struct raft *r)
{
    if (cu_planted("answer-before-commit"))
        return r->synced;
    return r->commit < r->synced ? r->commit : r->synced;
}

static bool has_diverged(const struct raft *r, const struct raft_position *after)
{
    uint64_t term;
    if (!after->index || raft_id_is_none(r->cluster))
        return false; /* a raftd without a cluster knows of no other log */
    if (!raft_in_lineage(r, after->cluster, after->index))
        return true;
    if (after->index > r->commit)
        return false;
    /* What cannot be read tells nothing; the next step finds the disk at fault. */
    return !raft_term_at(r, after->index, &term) && term != after->term;
}

static bool holds_only_noops(const struct raft *r, uint64_t first, uint64_t last)
{
    for (uint64_t i = first; i <= last; i++) {
        const struct raft_entry *entry = raft_tail_at(r, i);
        if (!entry || entry->kind != RAFT_NOOP)
            return false;
    }
    return true;
}

void raft_follow(const struct raft *r, struct raft_position after,
                 struct raft_follow_answer *ret_answer)
{
    uint64_t floor = greater(r->start.position.index, r->need_state);
    *ret_answer = (struct raft_follow_answer){.outcome = RAFT_FOLLOW_NOTHING,
                                              .upto = handed_out(r),
                                              .floor = floor,
                                              .cluster = raft_own_cluster(r)};
    if (r->recovery.is_aside) {
        raft_follow_aside(r, &after, ret_answer);
    } else if (after.index < floor) {
        ret_answer->outcome = RAFT_FOLLOW_COMPACTED;
        ret_answer->prior = raft_lacks_recovery_entry(r) ? r->cluster : (struct raft_id){{0}};
    } else if (has_diverged(r, &after)) {
        ret_answer->outcome = RAFT_FOLLOW_DIVERGED;
    } else if (after.index < ret_answer->upto) {
        if (cu_planted("feed-without-noops") &&
            holds_only_noops(r, after.index + 1, ret_answer->upto))
            return;
        ret_answer->outcome = RAFT_FOLLOW_ENTRIES;
        ret_answer->first = after.index + 1;
        ret_answer->last = ret_answer->upto;
        ret_answer->cluster = raft_cluster_at(r, ret_answer->last);
    }
}

enum cu_err raft_read(const struct raft *r, uint64_t first, uint64_t last, size_t max_bytes,
                      uint32_t max_count, struct raft_entry *ret_entries, uint32_t *ret_count)
{
    CU_ASSERT(first > r->start.position.index && last <= r->last_index && first <= last);
    uint64_t wanted = last - first + 1;
    uint32_t count = 0, most = wanted < max_count ? (uint32_t)wanted : max_count;
    if (!raft_tail_at(r, first)) {
        uint64_t before = r->tail.count ? r->tail.first - first : most;
        if (before < most)
            most = (uint32_t)before;
        return r->store.read(r->store.context, first, most, max_bytes, ret_entries, ret_count);
    }
    size_t bytes = 0;
    while (count < most) {
        const struct raft_entry *entry = raft_tail_at(r, first + count);
        bytes += raft_entry_body(entry).len;
        if (count && bytes > max_bytes)
            break;
        ret_entries[count] = *entry;
        raft_body_ref(ret_entries[count++].body);
    }
    *ret_count = count;
    return CU_OK;
}

static uint64_t committed_configuration(const struct raft *r)
{
    uint64_t index = r->start.configuration.index;
    for (uint32_t i = 0; i < r->change_count; i++) {
        if (r->changes[i].configuration.index <= r->commit)
            index = r->changes[i].configuration.index;
    }
    return index;
}

void raft_status(const struct raft *r, struct cu_mono now, struct raft_status *ret_status)
{
    struct raft_status s = {.role = r->role,
                            .term = r->term,
                            .last_index = r->last_index,
                            .last_term = r->last_term,
                            .commit = r->commit,
                            .synced = r->synced,
                            .floor = r->start.position.index,
                            .durable = r->durable,
                            .leader = r->leader,
                            .last_contact_ms = -1,
                            .cluster = raft_own_cluster(r),
                            .incarnation = r->incarnation,
                            .lease_valid = raft_lease_is_valid(r, now),
                            .is_attached = r->is_attached,
                            .is_refused = r->is_told_off || !raft_is_own_incarnation(r),
                            .below_floor = raft_is_below_floor(r),
                            .is_recovering = raft_has_recovery_row(r),
                            .is_aside = r->recovery.is_aside,
                            .configuration_index = r->latest.index,
                            .committed_configuration_index = committed_configuration(r),
                            .promise = r->promise};
    if (r->role == RAFT_LEADER)
        s.last_contact_ms = 0;
    else if (r->heard_at.ns)
        s.last_contact_ms = (int64_t)cu_mono_ms_between(r->heard_at, now);
    for (unsigned i = 0; i < RAFT_IGN_COUNT; i++)
        s.ignored[i] = r->ignored[i];
    *ret_status = s;
}

const struct raft_configuration *raft_configuration_latest(const struct raft *r)
{
    return &r->latest;
}

uint32_t raft_lineage(const struct raft *r, struct raft_lineage ret_lineage[RAFT_LINEAGE_MAX])
{
    struct raft_header now = raft_header_at(r, UINT64_MAX, 0);
    uint32_t count = 0;
    bool has_own = !raft_id_is_none(r->cluster) && !raft_id_equal(raft_own_cluster(r), r->cluster);
    uint32_t first = has_own && now.lineage_count == RAFT_LINEAGE_MAX; /* the oldest gives way */
    for (uint32_t i = first; i < now.lineage_count; i++)
        ret_lineage[count++] = now.lineage[i];
    if (has_own)
        ret_lineage[count++] = (struct raft_lineage){r->cluster, r->last_index};
    return count;
}
