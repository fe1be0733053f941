/* Unsafe recovery (contracts 3.10, consensus.md 17).
 *
 * A survivor goes on under a new cluster id with servers that it is told: a row beside the log, and
 * a term out of the lost servers' reach; nothing is appended until one of them leads. The row
 * stands until the entry that says the same is known to be committed. A server that stands under
 * the earlier id, or whose log holds committed entries that the others have lost, sets its log
 * aside: the row then names the cluster whose state takes its place. */
#include "common/base/planted.h"
#include "services/raftd/core/state.h"

bool raft_has_recovery_row(const struct raft *r)
{
    return !raft_id_is_none(r->recovery.cluster) && !r->recovery.is_aside;
}

bool raft_lacks_recovery_entry(const struct raft *r)
{
    return raft_has_recovery_row(r) && !raft_id_equal(r->cluster, r->recovery.cluster);
}

/* ---- a survivor is told ---- */

/* Whom the log does not know it cannot tell from a wiped server: such a one is added later. */
static bool fill_in(const struct raft *r, struct raft_configuration *configuration)
{
    struct raft_header now = raft_header_at(r, UINT64_MAX, 0);
    for (uint32_t i = 0; i < configuration->count; i++) {
        struct raft_server *server = &configuration->servers[i];
        const struct raft_server *known = raft_server_find(&now.configuration, server->id);
        if (!known)
            return false;
        server->incarnation = known->incarnation;
    }
    return true;
}

static bool has_voter(const struct raft_configuration *configuration)
{
    for (uint32_t i = 0; i < configuration->count; i++) {
        if (configuration->servers[i].is_voter)
            return true;
    }
    return false;
}

struct refusal {
    enum cu_err err; /* CU_OK: none */
    const char *text;
};

static struct refusal judge_self(const struct raft *r)
{
    struct raft_header now = raft_header_at(r, UINT64_MAX, 0);
    const struct raft_server *self = raft_server_find(&now.configuration, r->self);
    if (raft_id_is_none(r->cluster))
        return (struct refusal){CU_E_NOT_FOUND, "this server has no log to go on from"};
    if (r->recovery.is_aside)
        return (struct refusal){CU_E_CONFLICT, "this server's log was set aside: its cluster goes "
                                               "on elsewhere, and it follows there"};
    if (r->role == RAFT_LEADER || !raft_id_is_none(r->leader))
        return (struct refusal){CU_E_CONFLICT,
                                "the cluster has a leader: there is nothing to recover from"};
    if (self && self->incarnation && self->incarnation != r->incarnation)
        return (struct refusal){CU_E_CONFLICT,
                                "this server lost its data: recover from another one"};
    return (struct refusal){CU_OK, ""};
}

static struct refusal judge_servers(const struct raft *r, struct raft_configuration *to)
{
    if (!raft_server_find(to, r->self))
        return (struct refusal){CU_E_INVALID, "it does not name this server"};
    if (!has_voter(to))
        return (struct refusal){CU_E_INVALID, "it names no voter"};
    if (!fill_in(r, to))
        return (struct refusal){CU_E_INVALID, "it names a server that this log's configuration "
                                              "does not know: leave it out and add it afterwards"};
    return (struct refusal){CU_OK, ""};
}

enum cu_err raft_may_recover(const struct raft *r, struct raft_configuration *configuration,
                             const char **ret_text)
{
    struct refusal refusal = judge_self(r);
    if (!refusal.err)
        refusal = judge_servers(r, configuration);
    *ret_text = refusal.text;
    return refusal.err;
}

static void begin(struct raft *r, const struct raft_recovery *recovery)
{
    uint64_t span = cu_planted("recovery-in-old-terms") ? 1 : RAFT_TERM_SPAN;
    raft_become_follower(r, (r->term | (span - 1)) + 1, (struct raft_id){{0}});
    r->recovery = *recovery;
    r->need_state = 0;
    raft_write_recovery(r);
    raft_configuration_changed(r);
    raft_arm_election(r);
    raft_tell(r, RAFT_NOTE_RECOVERY,
              (struct raft_note_args){.cluster = recovery->cluster, .index = r->last_index});
}

void raft_on_recover(struct raft *r, const struct raft_event *event)
{
    struct raft_recovery recovery = {.cluster = event->recover.cluster,
                                     .configuration = event->recover.configuration};
    if (raft_id_is_none(recovery.cluster)) {
        recovery.cluster = raft_random_id(r);
        recovery.configuration = (struct raft_configuration){.count = 1};
        recovery.configuration.servers[0] = (struct raft_server){.id = r->self, .is_voter = true};
    }
    struct raft_action action = {.kind = RAFT_ACT_RECOVERED,
                                 .done = {.tag = event->tag, .cluster = recovery.cluster}};
    enum cu_err err = raft_may_recover(r, &recovery.configuration, &action.done.text);
    action.done.err = err;
    if (!err) {
        begin(r, &recovery);
        action.after = raft_after(r, r->recovery_persist);
    }
    raft_emit(r, action);
    if (!err)
        raft_maybe_lead_alone(r);
}

/* ---- the first leader ---- */

/* What is in the log and was not committed before is so by this entry, as in any new term. */
void raft_append_recovery(struct raft *r)
{
    struct raft_configuration_body body = {.configuration = r->recovery.configuration,
                                           .cluster = r->recovery.cluster,
                                           .prior = r->cluster,
                                           .prior_last_index = r->last_index};
    body.configuration.index = r->last_index + 1;
    raft_stamp_and_append(r, (struct raft_entry){.kind = RAFT_CONFIGURATION,
                                                 .body = raft_configuration_encode(&body)});
}

void raft_recovery_end(struct raft *r)
{
    raft_tell(r, RAFT_NOTE_RECOVERED,
              (struct raft_note_args){.cluster = r->recovery.cluster, .index = r->commit});
    r->recovery = (struct raft_recovery){0};
    raft_write_recovery(r);
    raft_configuration_changed(r);
}

/* ---- who is overtaken ---- */

void raft_set_aside(struct raft *r, const struct raft_message *m)
{
    raft_become_follower(r, r->term, (struct raft_id){{0}});
    raft_calls_replaced(r, r->commit + 1);
    if (r->promise.round) { /* its cluster never came to entry 1 here */
        r->promise = (struct raft_promise){0};
        raft_write_promise(r);
    }
    r->recovery = (struct raft_recovery){.cluster = m->cluster, .is_aside = true};
    r->need_state = 0;
    raft_write_recovery(r);
    raft_configuration_changed(r);
    raft_tell(
        r, RAFT_NOTE_SET_ASIDE,
        (struct raft_note_args){.peer = m->from, .cluster = m->cluster, .index = r->last_index});
}

/* Whether the leader's entry at an index, of that term, is known to be another than this log's.
 * Below the floor only a higher term tells: terms never fall along a log. */
static bool differs(struct raft *r, uint64_t index, uint64_t term)
{
    uint64_t own;
    if (index < r->start.position.index)
        return term > r->start.position.term;
    if (index > r->last_index)
        return false;
    if (raft_term_at(r, index, &own)) {
        raft_store_failed(r);
        return false;
    }
    return own != term;
}

/* An append that contradicts what was committed here under the earlier id. The entry of the
 * recovery, if there is one in this log, comes after it and so was never committed: nothing that
 * was acknowledged since is lost with the log. */
bool raft_is_overturned(struct raft *r, const struct raft_message *m)
{
    if (!raft_has_recovery_row(r) || cu_planted("survivor-keeps-what-is-lost"))
        return false;
    if (m->index <= r->commit && differs(r, m->index, m->log_term))
        return true;
    for (uint32_t i = 0; i < m->entry_count && m->entries[i].index <= r->commit; i++) {
        if (differs(r, m->entries[i].index, m->entries[i].term))
            return true;
    }
    return false;
}

/* Of the entry of the recovery; where this log has none: the first that was not committed. */
static uint64_t recovery_index(const struct raft *r)
{
    for (uint32_t i = 0; i < r->change_count; i++) {
        if (raft_id_equal(r->changes[i].cluster, r->recovery.cluster))
            return r->changes[i].configuration.index;
    }
    return r->commit + 1;
}

/* The leader has deleted what this log needs. When it has done so since the recovery this log
 * cannot tell whether what it holds is in the leader's: nothing in it was acknowledged since then,
 * so the whole state is pulled. Before, what is deleted is old and committed, and a state under the
 * prior id does: there may be no other, for the recovery may wait for this very server. */
bool raft_is_outrun(struct raft *r, const struct raft_message *m)
{
    if (!raft_has_recovery_row(r) || cu_planted("survivor-keeps-what-is-lost"))
        return false;
    bool is_since = m->log_term / RAFT_TERM_SPAN == m->term / RAFT_TERM_SPAN;
    return (raft_lacks_recovery_entry(r) && is_since) ||
           (m->index < recovery_index(r) && differs(r, m->index, m->log_term));
}

/* Not before the row is on disk, or a crash would leave this raftd under the earlier id beside a
 * state of the next one. */
void raft_follow_aside(const struct raft *r, const struct raft_position *after,
                       struct raft_follow_answer *ret_answer)
{
    ret_answer->upto = ret_answer->floor = 0;
    if (r->recovery_persist > r->synced_persist ||
        raft_id_equal(after->cluster, r->recovery.cluster))
        return;
    ret_answer->floor = !after->index;
    ret_answer->outcome = after->index ? RAFT_FOLLOW_DIVERGED : RAFT_FOLLOW_COMPACTED;
}

/* ---- servers that wait for each other ---- */

/* With the states of a majority lost at once nobody may vote: an operator has to choose. */
void raft_recovery_tick(struct raft *r)
{
    struct cu_mono since = cu_mono_before(r->born_at, r->heard_at) ? r->heard_at : r->born_at;
    if (!r->has_attached || !raft_is_below_floor(r) || r->told_below_floor ||
        cu_mono_before(r->now, cu_mono_add_ms(since, RAFT_GIVE_UP_MS)))
        return;
    r->told_below_floor = true;
    raft_tell(r, RAFT_NOTE_BELOW_FLOOR,
              (struct raft_note_args){.cluster = r->cluster, .index = r->start.position.index});
}
