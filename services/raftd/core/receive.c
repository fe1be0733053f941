#include <stdlib.h>

#include "common/base/planted.h"
#include "services/raftd/core/state.h"

/* ---- who may say what ---- */

static bool is_bootstrap(enum raft_message_kind kind)
{
    return kind >= RAFT_MSG_PROMISE && kind <= RAFT_MSG_GIVE_UP_ANSWER;
}

static bool is_of_leader(enum raft_message_kind kind)
{
    return kind == RAFT_MSG_HEARTBEAT || kind == RAFT_MSG_APPEND || kind == RAFT_MSG_NEED_STATE;
}

/* Entries and heartbeats are judged by cluster id and term alone: the leader's configuration may be
 * newer than mine (consensus.md 4). */
static bool needs_incarnation(enum raft_message_kind kind)
{
    return !is_of_leader(kind) && !is_bootstrap(kind) && kind != RAFT_MSG_TIMEOUT_NOW &&
           kind != RAFT_MSG_IGNORED;
}

static void tell_refused(struct raft *r)
{
    if (r->told_refused)
        return;
    r->told_refused = true;
    raft_tell(r, RAFT_NOTE_REFUSED, (struct raft_note_args){.cluster = r->cluster});
}

static bool has_known_incarnation(struct raft *r, const struct raft_message *m)
{
    struct raft_peer *peer = raft_peer_find(r, m->from);
    if (!peer || !peer->incarnation || peer->incarnation == m->incarnation)
        return true;
    if (!peer->told_refused) {
        peer->told_refused = true;
        raft_tell(r, RAFT_NOTE_REFUSES, (struct raft_note_args){.peer = m->from});
    }
    return false;
}

/* An empty server obeys only a leader whose configuration holds this very incarnation; it is told
 * so when that holds another one, for it was wiped (consensus.md 10). */
static enum raft_ignored judge_when_empty(struct raft *r, const struct raft_message *m)
{
    if (!is_of_leader(m->kind) || raft_id_is_none(m->cluster))
        return RAFT_IGN_CLUSTER;
    if (m->conflict_index == r->incarnation) {
        r->is_told_off = false;
        return RAFT_HEARD;
    }
    r->is_told_off = true;
    tell_refused(r);
    return RAFT_IGN_INCARNATION;
}

static bool is_earlier(const struct raft *r, struct raft_id cluster)
{
    struct raft_lineage lineage[RAFT_LINEAGE_MAX];
    uint32_t count = raft_lineage(r, lineage);
    for (uint32_t i = 0; i < count; i++) {
        if (raft_id_equal(lineage[i].cluster, cluster))
            return true;
    }
    return false;
}

/* Who stands under an earlier id of this cluster is told of it in what it is sent next. */
static void tell_other_cluster(struct raft *r, const struct raft_message *m)
{
    struct raft_peer *peer = raft_peer_find(r, m->from);
    if (!peer || raft_id_is_none(m->cluster) || raft_id_equal(m->prior, raft_own_cluster(r)))
        return;
    if (is_earlier(r, m->cluster)) {
        peer->prior = m->cluster;
        return;
    }
    if (peer->told_other_cluster)
        return;
    peer->told_other_cluster = true;
    raft_tell(r, RAFT_NOTE_OTHER_CLUSTER,
              (struct raft_note_args){.peer = m->from, .cluster = m->cluster});
}

/* A wiped server has no cluster to name, so its refusal to listen is all that tells its leader that
 * it came back without its data (consensus.md 10). */
static void hear_wiped(struct raft *r, const struct raft_message *m)
{
    if (m->kind == RAFT_MSG_IGNORED && m->reason == RAFT_IGN_INCARNATION &&
        raft_id_is_none(m->cluster))
        (void)has_known_incarnation(r, m);
}

/* A leader of the cluster that this one was recovered into: it sends only to whom its configuration
 * names. A request for votes tells nothing (consensus.md 17). */
static bool is_successor(const struct raft *r, const struct raft_message *m)
{
    return is_of_leader(m->kind) && !raft_id_is_none(m->cluster) && !raft_id_is_none(m->prior) &&
           raft_id_equal(m->prior, raft_spoken_cluster(r)) && !cu_planted("prior-id-ignored");
}

static enum raft_ignored judge_successor(struct raft *r, const struct raft_message *m)
{
    if (m->conflict_index && m->conflict_index != r->incarnation) {
        tell_refused(r);
        return RAFT_IGN_INCARNATION;
    }
    raft_set_aside(r, m);
    return RAFT_HEARD;
}

static enum raft_ignored judge(struct raft *r, const struct raft_message *m)
{
    if (raft_id_equal(m->from, r->self) || raft_id_is_none(m->from))
        return RAFT_IGN_MALFORMED;
    if (is_bootstrap(m->kind))
        return RAFT_HEARD;
    if (needs_incarnation(m->kind) && !has_known_incarnation(r, m))
        return RAFT_IGN_INCARNATION;
    struct raft_id own = raft_spoken_cluster(r);
    if (raft_id_is_none(own))
        return judge_when_empty(r, m);
    if (!raft_id_equal(own, m->cluster) && is_successor(r, m))
        return judge_successor(r, m);
    if (!raft_id_equal(own, m->cluster)) {
        hear_wiped(r, m);
        tell_other_cluster(r, m);
        return RAFT_IGN_CLUSTER;
    }
    return RAFT_HEARD;
}

/* The other side says why it did not listen. */
static void on_ignored(struct raft *r, const struct raft_message *m)
{
    if (m->reason == RAFT_IGN_CLUSTER)
        tell_other_cluster(r, m);
    bool is_of_cluster = !raft_id_is_none(r->cluster) && raft_id_equal(m->cluster, r->cluster);
    if (m->reason == RAFT_IGN_INCARNATION && is_of_cluster && !raft_is_own_incarnation(r))
        tell_refused(r);
}

/* ---- dispatch ---- */

static void dispatch(struct raft *r, const struct raft_message *m)
{
    switch (m->kind) {
    case RAFT_MSG_PREVOTE:
        raft_on_prevote(r, m);
        break;
    case RAFT_MSG_PREVOTE_ANSWER:
        raft_on_prevote_answer(r, m);
        break;
    case RAFT_MSG_VOTE:
        raft_on_vote(r, m);
        break;
    case RAFT_MSG_VOTE_ANSWER:
        raft_on_vote_answer(r, m);
        break;
    case RAFT_MSG_HEARTBEAT:
        raft_on_heartbeat(r, m);
        break;
    case RAFT_MSG_HEARTBEAT_ANSWER:
        raft_on_heartbeat_answer(r, m);
        break;
    case RAFT_MSG_APPEND:
        raft_on_append(r, m);
        break;
    case RAFT_MSG_APPEND_ANSWER:
        raft_on_append_answer(r, m);
        break;
    case RAFT_MSG_TIMEOUT_NOW:
        raft_on_timeout_now(r, m);
        break;
    case RAFT_MSG_TIMEOUT_NOW_ANSWER:
        raft_on_timeout_now_answer(r, m);
        break;
    case RAFT_MSG_NEED_STATE:
        raft_on_need_state(r, m);
        break;
    case RAFT_MSG_NEED_STATE_ANSWER:
        raft_on_need_state_answer(r, m);
        break;
    case RAFT_MSG_PROMISE:
        raft_on_promise(r, m);
        break;
    case RAFT_MSG_PROMISE_ANSWER:
        raft_on_promise_answer(r, m);
        break;
    case RAFT_MSG_GIVE_UP:
        raft_on_give_up(r, m);
        break;
    case RAFT_MSG_GIVE_UP_ANSWER:
        break; /* a give-up that is lost is said again when its round is met */
    case RAFT_MSG_IGNORED:
        on_ignored(r, m);
        break;
    case RAFT_MSG_KIND_COUNT:
        break;
    }
}

void raft_on_message(struct raft *r, struct raft_message *m)
{
    enum raft_ignored why = judge(r, m);
    if (why)
        raft_ignore(r, m, why);
    else
        dispatch(r, m);
    raft_message_deinit(m);
    free(m);
}
