/* What must hold after every step (consensus.md 19). */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/base/assert.h"
#include "tests/unit/services/raftd/core/cluster.h"

void cluster_fail(struct cluster *c, const char *fmt, ...)
{
    va_list args;
    if (*c->failure)
        return;
    va_start(args, fmt);
    vsnprintf(c->failure, sizeof c->failure, fmt, args);
    va_end(args);
}

static bool same(const struct raft_entry *a, const struct raft_entry *b)
{
    return raft_entry_checksum(a) == raft_entry_checksum(b);
}

/* I3 to I5: whoever hands out an entry hands out what everybody handed out. */
void cluster_check_committed(struct cluster *c, unsigned node, const struct raft_entry *entry)
{
    if (entry->index <= c->committed_count) {
        if (!same(&c->committed[entry->index - 1], entry))
            cluster_fail(c, "node %u hands out another entry at %" PRIu64 " (I5)", node,
                         entry->index);
        return;
    }
    CU_ASSERT(entry->index == c->committed_count + 1);
    if (c->committed_count == c->committed_cap) {
        c->committed_cap = c->committed_cap ? c->committed_cap * 2 : 256;
        c->committed = cu_realloc(c->committed, c->committed_cap * sizeof *c->committed);
    }
    c->committed[c->committed_count++] = *entry;
    raft_body_ref(entry->body);
}

/* I4: a leader's log holds all that was handed out under older terms. */
void cluster_check_leader(struct cluster *c, unsigned node)
{
    struct raft_status s = cluster_status(c, node);
    struct raft_entry entry;
    uint32_t count;
    if (s.role != RAFT_LEADER)
        return;
    CU_ASSERT(s.term < CU_COUNT(c->leader_of));
    struct raft_id *known = &c->leader_of[s.term];
    if (!raft_id_is_none(*known)) {
        if (!raft_id_equal(*known, cluster_id(node)))
            cluster_fail(c, "two leaders in term %" PRIu64 " (I1)", s.term);
        return;
    }
    *known = cluster_id(node);
    if (s.last_index < c->committed_count) {
        cluster_fail(c, "leader %u of term %" PRIu64 " lacks committed entries (I4)", node, s.term);
        return;
    }
    for (uint64_t i = s.floor + 1; i <= c->committed_count; i++) {
        if (raft_read(c->nodes[node].raft, i, i, 1, 1, &entry, &count) || count != 1)
            continue;
        if (!same(&entry, &c->committed[i - 1]))
            cluster_fail(c, "leader %u holds another entry at %" PRIu64 " (I4)", node, i);
        raft_body_unref(entry.body);
    }
}
