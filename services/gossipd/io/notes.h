/* notes.h - what the core tells an operator, as log lines and counters. */
#ifndef GOSSIP_IO_NOTES_H
#define GOSSIP_IO_NOTES_H

#include "common/log/log.h"
#include "common/metric/metric.h"
#include "services/gossipd/core/gossip.h"

enum { GOSSIP_TOTALS = 4 }; /* numbers of the core that only rise */

struct gossip_notes {
    struct cu_log *log;
    struct cu_log_limit limits[GOSSIP_NOTE_COUNT], member_limit;
    struct cu_counter *counters[GOSSIP_NOTE_COUNT], *changes[GOSSIP_CHANGE_COUNT];
    struct cu_counter *totals[GOSSIP_TOTALS];
    struct gossip_stats seen; /* what is in the totals already */
};

void gossip_notes_init(struct gossip_notes *notes, struct cu_log *log, struct cu_metrics *metrics);
/* A line for a note; what others can cause is limited to one a second of each kind. */
void gossip_notes_write(struct gossip_notes *notes, const struct gossip_action *action);
/* A line for a record of the feed. */
void gossip_notes_member(struct gossip_notes *notes, enum gossip_change change,
                         const struct gossip_member_view *view);

/* Brings the counters up to what the core has counted by itself; at the end of a turn. */
void gossip_notes_stats(struct gossip_notes *notes, const struct gossip_stats *stats);

#endif
