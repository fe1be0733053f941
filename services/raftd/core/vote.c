#include "common/base/planted.h"
#include "services/raftd/core/state.h"

/* The configuration that says who may ask; an empty server has the one that it has promised. */
static const struct raft_configuration *known(const struct raft *r)
{
    return r->latest.count ? &r->latest : &r->promise.configuration;
}

/* Within H of hearing a leader, or of its own start, a server grants nobody else anything: every
 * lease rests on that (consensus.md 8). */
static bool owes_silence(const struct raft *r, struct raft_id candidate)
{
    if (r->role == RAFT_LEADER)
        return raft_lease_is_valid(r, r->now);
    if (cu_mono_before(r->now, cu_mono_add_ms(r->born_at, r->timing.contact_ms)))
        return true;
    return r->heard_at.ns && !raft_id_equal(r->heard_from, candidate) &&
           cu_mono_before(r->now, cu_mono_add_ms(r->heard_at, r->timing.contact_ms));
}

static bool log_is_up_to_date(const struct raft *r, const struct raft_message *m)
{
    return m->log_term > r->last_term || (m->log_term == r->last_term && m->index >= r->last_index);
}

/* A transfer asks for no silence, but only of who has heard that the leader's lease is void: a
 * TimeoutNow that comes late must not depose a leader that holds one again (consensus.md 8, 14).
 *
 * What holds for both kinds of votes, before any term is adopted. */
static bool may_listen(const struct raft *r, const struct raft_message *m)
{
    return !raft_lacks_state(r) && raft_is_own_incarnation(r) && m->term >= r->term &&
           raft_server_find(known(r), m->from) &&
           ((m->transfer && r->heard_transfer) || !owes_silence(r, m->from));
}

static bool may_grant(const struct raft *r, const struct raft_message *m)
{
    const struct raft_server *candidate = raft_server_find(known(r), m->from);
    return candidate && candidate->is_voter && log_is_up_to_date(r, m);
}

static void grant(struct raft *r, const struct raft_message *m)
{
    raft_arm_election(r);
    if (raft_id_equal(r->vote, m->from))
        return;
    r->vote = m->from;
    if (!cu_planted("vote-not-persisted"))
        raft_write_vote(r);
}

void raft_on_vote(struct raft *r, const struct raft_message *m)
{
    bool granted = false;
    if (may_listen(r, m)) {
        if (m->term > r->term)
            raft_become_follower(r, m->term, (struct raft_id){{0}});
        bool is_free = raft_id_is_none(r->vote) || raft_id_equal(r->vote, m->from);
        granted = is_free && may_grant(r, m);
        if (granted)
            grant(r, m);
    }
    struct raft_message *answer = raft_answer_to(r, m);
    answer->ok = granted;
    raft_send(r, answer, cu_planted("vote-not-persisted") ? 0 : r->vote_persist);
}

/* A pre-vote changes nothing here: no term, no vote, no timer (consensus.md 5). */
void raft_on_prevote(struct raft *r, const struct raft_message *m)
{
    struct raft_message *answer = raft_answer_to(r, m);
    answer->ok = m->term > 0 && may_listen(r, m) && may_grant(r, m);
    if (answer->ok)
        answer->term = m->term;
    raft_send(r, answer, r->vote_persist);
}
