/* Servers are added and removed one at a time, each time by one entry that takes effect as it is
 * appended (consensus.md 10; Raft dissertation 4.1). A change is written only once the
 * configuration before it is committed, and an entry of this very term: without the latter two
 * leaders' changes can have quorums that do not meet. */
#include "common/base/planted.h"
#include "services/raftd/core/state.h"

static void end(struct raft *r, enum cu_err err, const char *text)
{
    struct raft_action action = {.kind = RAFT_ACT_CHANGED};
    action.done.tag = r->change.tag;
    action.done.err = err;
    action.done.text = text;
    action.done.index = r->change.index;
    r->change = (struct raft_membership){0};
    raft_emit(r, action);
}

static void go_to(struct raft *r, enum raft_change_step step)
{
    r->change.step = step;
    r->change.until = cu_mono_add_ms(r->now, RAFT_CHANGE_MS);
}

static void begin_round(struct raft *r)
{
    r->change.goal = r->last_index;
    r->change.round_at = r->now;
    r->change.rounds++;
}

static void catch_up(struct raft *r)
{
    go_to(r, RAFT_CHANGE_CATCH_UP);
    begin_round(r);
}

static void lags(struct raft *r)
{
    end(r, CU_E_UNKNOWN,
        "it is in the configuration without a vote, but does not catch up: say the same again once "
        "it runs well, or remove it");
}

/* ---- what is written ---- */

static bool may_write(const struct raft *r)
{
    bool is_settled = r->noop_index <= r->commit || cu_planted("change-in-old-term");
    bool is_alone = r->latest.index <= r->commit;
    return !r->is_transferring && !raft_has_recovery_row(r) && is_settled && is_alone;
}

static void write(struct raft *r, const struct raft_configuration *to)
{
    struct raft_configuration_body body = {.configuration = *to};
    body.configuration.index = r->last_index + 1;
    raft_stamp_and_append(r, (struct raft_entry){.kind = RAFT_CONFIGURATION,
                                                 .body = raft_configuration_encode(&body)});
    r->change.index = r->last_index;
}

static struct raft_server *find(struct raft_configuration *to, struct raft_id id)
{
    const struct raft_server *found = raft_server_find(to, id);
    return found ? &to->servers[found - to->servers] : NULL;
}

static void enter(struct raft *r)
{
    struct raft_configuration to = r->latest;
    const struct raft_server *known = find(&to, r->change.server);
    if (known && known->incarnation != r->change.incarnation) {
        end(r, CU_E_CONFLICT, "it came back without its data: remove it first, then add it");
    } else if (known && known->is_voter) {
        end(r, CU_OK, "");
    } else if (known) {
        catch_up(r);
    } else if (to.count == RAFT_SERVERS_MAX) {
        end(r, CU_E_CONFLICT, "the cluster has as many servers as it can have");
    } else {
        to.servers[to.count++] =
            (struct raft_server){.id = r->change.server, .incarnation = r->change.incarnation};
        write(r, &to);
        catch_up(r);
    }
}

/* Under a load it never holds what was appended just now. What there was as a round began it has to
 * hold within the time of an election: then as a voter it holds up the others no longer than the
 * loss of a leader does. */
static bool has_caught_up(struct raft *r, const struct raft_peer *peer)
{
    struct raft_membership *change = &r->change;
    if (peer->match > change->match) {
        change->match = peer->match;
        change->until = cu_mono_add_ms(r->now, RAFT_CHANGE_MS);
    }
    if (peer->match < change->goal)
        return false;
    if (cu_mono_before(r->now, cu_mono_add_ms(change->round_at, r->timing.election_ms)))
        return true;
    if (change->rounds == RAFT_CHANGE_ROUNDS)
        lags(r);
    else
        begin_round(r);
    return false;
}

/* A voter that holds nothing would only count against a quorum. */
static void promote(struct raft *r)
{
    struct raft_configuration to = r->latest;
    struct raft_server *server = find(&to, r->change.server);
    const struct raft_peer *peer = raft_peer_find(r, r->change.server);
    if (!server || !peer) {
        end(r, CU_E_CONFLICT, "it was removed in the meantime");
        return;
    }
    if (!has_caught_up(r, peer))
        return;
    server->is_voter = true;
    write(r, &to);
    go_to(r, RAFT_CHANGE_COMMIT);
}

static void remove_server(struct raft *r)
{
    struct raft_configuration to = r->latest;
    struct raft_server *server = find(&to, r->change.server);
    if (!server) {
        end(r, CU_E_NOT_FOUND, "no such server in the configuration");
        return;
    }
    *server = to.servers[--to.count];
    write(r, &to);
    go_to(r, RAFT_CHANGE_COMMIT);
}

/* ---- time ---- */

static void ask(struct raft *r)
{
    if (cu_mono_before(r->now, r->change.ask_at))
        return;
    r->change.ask_at = cu_mono_add_ms(r->now, RAFT_ASK_MS);
    raft_send(r, raft_message_to(r, r->change.server, RAFT_MSG_PROMISE), r->vote_persist);
}

static void give_up(struct raft *r)
{
    switch (r->change.step) {
    case RAFT_CHANGE_ASK:
        end(r, CU_E_NOT_FOUND,
            "it does not answer, or is of another cluster: is its address known here (gossip, or "
            "raftd.peers), does it run?");
        break;
    case RAFT_CHANGE_CATCH_UP:
        lags(r);
        break;
    case RAFT_CHANGE_COMMIT:
        end(r, CU_E_UNKNOWN, "the change is written but not committed yet");
        break;
    case RAFT_CHANGE_NONE:
    case RAFT_CHANGE_ENTER:
    case RAFT_CHANGE_REMOVE:
        end(r, CU_E_NOT_READY, "the change before it is not committed yet: try again");
    }
}

static void advance(struct raft *r)
{
    switch (r->change.step) {
    case RAFT_CHANGE_NONE:
        break;
    case RAFT_CHANGE_ASK:
        ask(r);
        break;
    case RAFT_CHANGE_ENTER:
        if (may_write(r))
            enter(r);
        break;
    case RAFT_CHANGE_CATCH_UP:
        if (may_write(r))
            promote(r);
        break;
    case RAFT_CHANGE_REMOVE:
        if (may_write(r))
            remove_server(r);
        break;
    case RAFT_CHANGE_COMMIT:
        if (r->change.index <= r->commit && r->change.index <= r->synced)
            end(r, CU_OK, "");
        break;
    }
}

void raft_change_tick(struct raft *r)
{
    if (r->change.step == RAFT_CHANGE_NONE)
        return;
    advance(r);
    if (r->change.step != RAFT_CHANGE_NONE && !cu_mono_before(r->now, r->change.until))
        give_up(r);
}

struct cu_mono raft_change_deadline(const struct raft *r)
{
    if (r->change.step == RAFT_CHANGE_NONE)
        return CU_MONO_NEVER;
    return r->change.step == RAFT_CHANGE_ASK ? cu_mono_min(r->change.ask_at, r->change.until)
                                             : r->change.until;
}

/* ---- events ---- */

static struct raft_membership judge(const struct raft *r, const struct raft_event *event,
                                    enum cu_err *ret_err, const char **ret_text)
{
    struct raft_membership change = {.tag = event->tag, .server = event->change.server};
    bool is_self = raft_id_equal(event->change.server, r->self);
    *ret_err = CU_E_CONFLICT;
    if (r->role != RAFT_LEADER) {
        *ret_err = CU_E_NO_LEADER;
        *ret_text = "node is not the leader";
    } else if (raft_has_recovery_row(r)) {
        *ret_text = "the recovery of this cluster is not committed yet";
    } else if (r->change.step != RAFT_CHANGE_NONE) {
        *ret_text = "another server is being added or removed: try again";
    } else if (is_self && !event->change.is_add) {
        *ret_text = "this server leads: stop it, which hands the leadership over, and try again";
    } else {
        *ret_err = CU_OK;
    }
    return change;
}

void raft_on_change(struct raft *r, const struct raft_event *event)
{
    enum cu_err err;
    const char *text = "";
    struct raft_membership change = judge(r, event, &err, &text);
    if (err) {
        raft_emit(r, (struct raft_action){.kind = RAFT_ACT_CHANGED,
                                          .done = {.tag = event->tag, .err = err, .text = text}});
        return;
    }
    r->change = change;
    r->change.ask_at = r->now;
    r->change.incarnation = r->incarnation;
    if (!event->change.is_add)
        go_to(r, RAFT_CHANGE_REMOVE);
    else
        go_to(r, raft_id_equal(change.server, r->self) ? RAFT_CHANGE_ENTER : RAFT_CHANGE_ASK);
}

bool raft_change_told(struct raft *r, const struct raft_message *m)
{
    if (r->change.step != RAFT_CHANGE_ASK || m->index || !raft_id_equal(m->from, r->change.server))
        return false;
    if (!m->ok || !m->incarnation) {
        end(r, CU_E_CONFLICT,
            "it has promised to be part of another cluster, or holds a state "
            "without a log: give it an empty data directory");
        return true;
    }
    r->change.incarnation = m->incarnation;
    go_to(r, RAFT_CHANGE_ENTER);
    return true;
}

/* What is written may yet be committed by the next leader. */
void raft_change_end_reign(struct raft *r)
{
    if (r->change.step == RAFT_CHANGE_NONE)
        return;
    if (r->change.index)
        end(r, CU_E_UNKNOWN, "leadership was lost meanwhile: see `curia operator raft list-peers`");
    else
        end(r, CU_E_NOT_READY, "leadership was lost meanwhile: try again");
}
