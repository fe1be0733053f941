#include "services/gossipd/io/notes.h"

#include <stddef.h>
#include <stdio.h>

#include "services/gossipd/core/address.h"

enum { MEMBER_LINES_A_SECOND = 50, METRIC_NAME_BYTES = 64 };

/* How loud each is, and what to make of it. */
static const struct {
    enum cu_log_level level;
    const char *advice;
} rows[GOSSIP_NOTE_COUNT] = {
    [GOSSIP_NOTE_SUSPECT] = {CU_LOG_INFO, "no acks received"},
    [GOSSIP_NOTE_REFUTED] = {CU_LOG_WARN, "this member was taken for dead, and said it lives"},
    [GOSSIP_NOTE_TCP_ONLY] = {CU_LOG_WARN, "UDP does not get through to it, TCP does: look at the "
                                           "network between"},
    [GOSSIP_NOTE_CONFLICT] = {CU_LOG_WARN, "two members use this name, or its address changed"},
    [GOSSIP_NOTE_CONFLICT_SELF] = {CU_LOG_ERROR, "another member uses this node's name: one of "
                                                 "the two needs a node_name of its own"},
    [GOSSIP_NOTE_REFUSED] = {CU_LOG_WARN, "the member was not let in"},
    [GOSSIP_NOTE_MERGE_REFUSED] = {CU_LOG_WARN, "the exchange was refused"},
    [GOSSIP_NOTE_WRONG_NODE] = {CU_LOG_WARN, "it asks for a member that is not here: an address "
                                             "was taken over"},
    [GOSSIP_NOTE_BAD_VERSION] = {CU_LOG_WARN, "it names impossible protocol versions"},
    [GOSSIP_NOTE_EXCHANGE_FAILED] = {CU_LOG_WARN, "nothing was exchanged"},
    [GOSSIP_NOTE_RECONNECT] = {CU_LOG_INFO, "trying to reach a failed member again"},
    [GOSSIP_NOTE_REFUTED_INTENT] = {CU_LOG_INFO, "an old word of this member's leaving"},
    [GOSSIP_NOTE_LEAVE_TIMEOUT] = {CU_LOG_WARN, "not all were told in time; it goes on"},
    [GOSSIP_NOTE_MEMBERS_FULL] = {CU_LOG_ERROR, "the limit of members is reached"},
    [GOSSIP_NOTE_QUEUE_FULL] = {CU_LOG_WARN, "more news than the queue holds: the oldest go"},
    [GOSSIP_NOTE_BAD_SNAPSHOT_LINE] = {CU_LOG_WARN, "Unrecognized snapshot line"},
    [GOSSIP_NOTE_PAUSED] = {CU_LOG_WARN, "this process was held up"},
};

/* What became of probes, how often this node had to say that it lives, and messages that were not
 * followed: of a kind that is not known or not for datagrams, malformed within, or more than the
 * tables for them hold. */
static const struct {
    const char *name;
    size_t at;
} totals[GOSSIP_TOTALS] = {
    {"gossip.probes", offsetof(struct gossip_stats, probes)},
    {"gossip.probes_failed", offsetof(struct gossip_stats, probes_failed)},
    {"gossip.refuted", offsetof(struct gossip_stats, refuted)},
    {"gossip.dropped", offsetof(struct gossip_stats, dropped)},
};

void gossip_notes_init(struct gossip_notes *notes, struct cu_log *log, struct cu_metrics *metrics)
{
    char name[METRIC_NAME_BYTES];
    *notes = (struct gossip_notes){.log = log};
    notes->member_limit.per_second = MEMBER_LINES_A_SECOND;
    for (int i = 0; i < GOSSIP_NOTE_COUNT; i++) {
        (void)snprintf(name, sizeof name, "gossip.note.%s", gossip_note_name((enum gossip_note)i));
        notes->counters[i] = cu_metrics_counter(metrics, name);
    }
    static const char *const changes[GOSSIP_CHANGE_COUNT] = {
        "serf.member.none", "serf.member.join",   "serf.member.failed",
        "serf.member.left", "serf.member.reaped", "serf.member.update"};
    for (int i = 0; i < GOSSIP_CHANGE_COUNT; i++)
        notes->changes[i] = cu_metrics_counter(metrics, changes[i]);
    for (int i = 0; i < GOSSIP_TOTALS; i++)
        notes->totals[i] = cu_metrics_counter(metrics, totals[i].name);
}

void gossip_notes_write(struct gossip_notes *notes, const struct gossip_action *action)
{
    enum gossip_note note = action->note.note;
    char address[GOSSIP_ADDR_TEXT_BYTES] = "", event[METRIC_NAME_BYTES];
    if (action->note.address.ip.len)
        (void)gossip_addr_format(action->note.address, address);
    cu_count(notes->counters[note], 1);
    (void)snprintf(event, sizeof event, "gossip.%s", gossip_note_name(note));
    cu_log_limited(notes->log, &notes->limits[note], rows[note].level, event,
                   "name=\"%s\" address=%s why=\"%s\" text=\"%s\"",
                   action->note.name ? action->note.name : "", address,
                   action->note.text ? action->note.text : "", rows[note].advice);
}

void gossip_notes_member(struct gossip_notes *notes, enum gossip_change change,
                         const struct gossip_member_view *view)
{
    char address[GOSSIP_ADDR_TEXT_BYTES];
    cu_count(notes->changes[change], 1);
    cu_log_limited(notes->log, &notes->member_limit, CU_LOG_INFO, "member.state",
                   "name=\"%s\" address=%s change=%s status=%s incarnation=%u", view->name,
                   gossip_addr_format(view->address, address), gossip_change_name(change),
                   gossip_status_name(view->status), view->incarnation);
}

static uint64_t total(const struct gossip_stats *stats, int i)
{
    return *(const uint64_t *)((const char *)stats + totals[i].at);
}

void gossip_notes_stats(struct gossip_notes *notes, const struct gossip_stats *stats)
{
    for (int i = 0; i < GOSSIP_TOTALS; i++)
        cu_count(notes->totals[i], total(stats, i) - total(&notes->seen, i));
    notes->seen = *stats;
}
