/* notes.h - what the core remarks, as log lines and counters for an operator. */
#ifndef RAFT_NOTES_H
#define RAFT_NOTES_H

#include "common/log/log.h"
#include "common/metric/metric.h"
#include "services/raftd/core/raft.h"

/* Zero-initialise, then raft_notes_init(). */
struct raft_notes {
    struct cu_log *log;
    const char *node_id; /* of this server, as text; borrowed */
    struct cu_counter *roles[RAFT_ROLE_COUNT];
    struct cu_counter *transfers, *leases_lost, *refused;
    struct cu_log_limit limits[RAFT_NOTE_COUNT];
};

void raft_notes_init(struct raft_notes *notes, struct cu_log *log, struct cu_metrics *metrics,
                     const char *node_id);

/* `address` of the peer that the note names, "" when not known. STORE_FAILED is the caller's to
 * end. */
void raft_notes_write(struct raft_notes *notes, const struct raft_action *action,
                      const char *address);

#endif
