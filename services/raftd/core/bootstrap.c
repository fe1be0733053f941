#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/raftd/core/state.h"

enum { ANEW_LEAST_MS = 1000, ANEW_SPREAD_MS = 2000 };

/* No log, and a catalogd without a state. */
static bool holds_nothing(const struct raft *r)
{
    return raft_id_is_none(raft_own_cluster(r)) && !r->last_index && r->is_attached &&
           !r->has_state;
}

/* Nothing that could have been part of a cluster: no term, either. */
static bool is_empty(const struct raft *r)
{
    return holds_nothing(r) && !r->term;
}

static struct raft_id lowest(const struct raft_configuration *configuration)
{
    struct raft_id id = configuration->servers[0].id;
    for (uint32_t i = 1; i < configuration->count; i++) {
        if (raft_id_compare(configuration->servers[i].id, id) < 0)
            id = configuration->servers[i].id;
    }
    return id;
}

static bool is_own_round(const struct raft *r)
{
    return r->promise.round && raft_id_equal(r->promise.proposer, r->self);
}

/* The lowest id of the set proposes it. */
static bool should_propose(const struct raft *r)
{
    if (!r->bootstrap_count || r->promise.round || !is_empty(r))
        return false;
    bool is_in = false;
    for (uint32_t i = 0; i < r->bootstrap_count; i++) {
        if (raft_id_compare(r->bootstrap[i], r->self) < 0)
            return false;
        is_in = is_in || raft_id_equal(r->bootstrap[i], r->self);
    }
    return is_in;
}

struct cu_mono raft_bootstrap_deadline(const struct raft *r)
{
    if (is_own_round(r))
        return r->is_attached ? cu_mono_min(r->bootstrap_at, r->give_up_at) : r->give_up_at;
    return should_propose(r) ? r->bootstrap_at : CU_MONO_NEVER;
}

/* ---- entry 1 ---- */

static void clear_promise(struct raft *r)
{
    r->promise = (struct raft_promise){0};
    raft_write_promise(r);
}

/* Term 1 exists for this entry alone: nobody leads in it. */
static void write_first_entry(struct raft *r, const struct raft_configuration *configuration,
                              struct raft_id cluster)
{
    struct raft_configuration_body body = {.configuration = *configuration, .cluster = cluster};
    body.configuration.index = 1;
    r->term = 1;
    raft_write_vote(r);
    if (r->promise.round)
        clear_promise(r);
    raft_log_append(r, &(struct raft_entry){.index = 1,
                                            .term = 1,
                                            .kind = RAFT_CONFIGURATION,
                                            .wall_ms = r->wall_ms,
                                            .body = raft_configuration_encode(&body)});
    raft_tell(r, RAFT_NOTE_BOOTSTRAPPED, (struct raft_note_args){.cluster = cluster, .index = 1});
    raft_arm_election(r);
    raft_maybe_lead_alone(r);
}

/* ---- the proposer ---- */

static void ask(struct raft *r, const struct raft_peer *peer)
{
    struct raft_message *message = raft_message_to(r, peer->id, RAFT_MSG_PROMISE);
    if (is_own_round(r)) {
        message->index = 1;
        message->round = r->promise.round;
        message->configuration = r->promise.configuration;
        message->new_cluster = r->promise.cluster;
    }
    raft_send(r, message, r->promise_persist); /* durable on the proposer first */
}

static void ask_the_silent(struct raft *r)
{
    r->bootstrap_at = cu_mono_add_ms(r->now, RAFT_ASK_MS);
    for (uint32_t i = 0; i < r->peer_count; i++) {
        const struct raft_peer *peer = &r->peers[i];
        if (is_own_round(r) ? !peer->has_promised : !peer->told_incarnation)
            ask(r, peer);
    }
}

static int by_id(const void *a, const void *b)
{
    const struct raft_server *x = a, *y = b;
    return raft_id_compare(x->id, y->id);
}

static void open_round(struct raft *r)
{
    struct raft_promise promise = {
        .round = cu_random_u64(&r->random) | 1, .proposer = r->self, .cluster = raft_random_id(r)};
    struct raft_configuration *set = &promise.configuration;
    set->servers[set->count++] =
        (struct raft_server){.id = r->self, .incarnation = r->incarnation, .is_voter = true};
    for (uint32_t i = 0; i < r->peer_count; i++)
        set->servers[set->count++] = (struct raft_server){
            .id = r->peers[i].id, .incarnation = r->peers[i].told_incarnation, .is_voter = true};
    qsort(set->servers, set->count, sizeof *set->servers, by_id);
    r->promise = promise;
    raft_write_promise(r);
    raft_configuration_changed(r);
    for (uint32_t i = 0; i < r->peer_count; i++)
        r->peers[i].has_promised = false;
    r->give_up_at = cu_mono_add_ms(r->now, RAFT_GIVE_UP_MS);
    raft_tell(r, RAFT_NOTE_PROMISED,
              (struct raft_note_args){.peer = r->self, .cluster = promise.cluster});
    ask_the_silent(r);
}

static void send_give_up(struct raft *r, struct raft_id to, uint64_t round)
{
    struct raft_message *message = raft_message_to(r, to, RAFT_MSG_GIVE_UP);
    message->round = round;
    raft_send(r, message, r->promise_persist); /* durably given up before anyone is told */
}

static void give_up(struct raft *r)
{
    uint64_t round = r->promise.round;
    raft_tell(r, RAFT_NOTE_GAVE_UP, (struct raft_note_args){.cluster = r->promise.cluster});
    clear_promise(r);
    for (uint32_t i = 0; i < r->peer_count; i++) {
        r->peers[i].told_incarnation = 0;
        send_give_up(r, r->peers[i].id, round);
    }
    raft_configuration_changed(r);
    r->bootstrap_at =
        cu_mono_add_ms(r->now, ANEW_LEAST_MS + cu_random_below(&r->random, ANEW_SPREAD_MS));
}

void raft_bootstrap_tick(struct raft *r)
{
    if (cu_mono_before(r->now, raft_bootstrap_deadline(r)))
        return;
    if (is_own_round(r) && !cu_mono_before(r->now, r->give_up_at))
        give_up(r);
    else
        ask_the_silent(r);
}

static bool all_told(const struct raft *r)
{
    for (uint32_t i = 0; i < r->peer_count; i++) {
        if (!r->peers[i].told_incarnation)
            return false;
    }
    return true;
}

static bool all_promised(const struct raft *r)
{
    for (uint32_t i = 0; i < r->peer_count; i++) {
        if (!r->peers[i].has_promised)
            return false;
    }
    return true;
}

/* Beside a catalogd that has a state nothing is bootstrapped, and none may have attached yet. */
static void finish_round(struct raft *r)
{
    if (!all_promised(r) || !is_empty(r))
        return;
    struct raft_promise kept = r->promise;
    write_first_entry(r, &kept.configuration, kept.cluster);
}

/* A restarted proposer goes on with the same round. */
void raft_bootstrap_restarted(struct raft *r)
{
    r->give_up_at = cu_mono_add_ms(r->now, RAFT_GIVE_UP_MS);
    r->bootstrap_at = r->now;
}

void raft_bootstrap_attached(struct raft *r)
{
    if (is_own_round(r)) {
        ask_the_silent(r);
        finish_round(r);
        return;
    }
    if (!should_propose(r))
        return;
    if (r->bootstrap_count > 1) {
        ask_the_silent(r);
        return;
    }
    struct raft_configuration self = {.count = 1};
    self.servers[0] =
        (struct raft_server){.id = r->self, .incarnation = r->incarnation, .is_voter = true};
    write_first_entry(r, &self, raft_random_id(r));
}

/* Before anything is promised the set is only a wish, and the last one counts. */
void raft_on_expect(struct raft *r, const struct raft_event *event)
{
    CU_ASSERT(event->expect.count <= RAFT_SERVERS_MAX);
    if (r->promise.round || !raft_id_is_none(raft_own_cluster(r)) || r->last_index)
        return;
    r->bootstrap_count = event->expect.count;
    memcpy(r->bootstrap, event->expect.ids, event->expect.count * sizeof r->bootstrap[0]);
    raft_configuration_changed(r);
    r->bootstrap_at = r->now;
    if (r->is_attached)
        raft_bootstrap_attached(r);
}

static void on_round_answer(struct raft *r, struct raft_peer *peer, const struct raft_message *m)
{
    if (m->round != r->promise.round || m->incarnation != peer->incarnation)
        return;
    if (!m->ok) {
        give_up(r);
        return;
    }
    peer->has_promised = true;
    finish_round(r);
}

void raft_on_promise_answer(struct raft *r, const struct raft_message *m)
{
    if (raft_change_told(r, m))
        return;
    struct raft_peer *peer = raft_peer_find(r, m->from);
    if (!peer) {
        r->ignored[RAFT_IGN_NOT_MEMBER]++;
        return;
    }
    /* It stands by a round that was given up, or that never came to entry 1; only one is open. Once
     * entry 1 is written an answer from before then must not take a promise back (contracts 4.2).
     */
    uint64_t held = m->conflict_index;
    if (held && held != r->promise.round && !m->ok) {
        if (raft_id_is_none(r->cluster))
            send_give_up(r, m->from, held);
        return;
    }
    if (is_own_round(r) && m->index == 1) {
        on_round_answer(r, peer, m);
    } else if (should_propose(r) && m->index == 0 && m->ok && m->incarnation) {
        peer->told_incarnation = m->incarnation;
        if (all_told(r))
            open_round(r);
    }
}

/* ---- the asked ---- */

static bool is_expected_set(const struct raft *r, const struct raft_configuration *set)
{
    if (!r->bootstrap_count)
        return true;
    if (set->count != r->bootstrap_count)
        return false;
    for (uint32_t i = 0; i < r->bootstrap_count; i++) {
        if (!raft_server_find(set, r->bootstrap[i]))
            return false;
    }
    return true;
}

static bool is_sound(const struct raft *r, const struct raft_message *m)
{
    const struct raft_configuration *set = &m->configuration;
    const struct raft_server *self = raft_server_find(set, r->self);
    return m->round && !raft_id_is_none(m->new_cluster) && set->count > 1 &&
           set->count <= RAFT_SERVERS_MAX && self && self->incarnation == r->incarnation &&
           self->is_voter && raft_id_equal(lowest(set), m->from) && is_expected_set(r, set);
}

static bool is_held(const struct raft *r, const struct raft_message *m)
{
    return r->promise.round && r->promise.round == m->round &&
           raft_id_equal(r->promise.proposer, m->from) &&
           raft_id_equal(r->promise.cluster, m->new_cluster);
}

static bool promise(struct raft *r, const struct raft_message *m)
{
    if (is_held(r, m))
        return true;
    if (r->promise.round || !is_empty(r) || !is_sound(r, m))
        return false;
    r->promise = (struct raft_promise){.round = m->round,
                                       .proposer = m->from,
                                       .cluster = m->new_cluster,
                                       .configuration = m->configuration};
    raft_write_promise(r);
    raft_configuration_changed(r);
    raft_tell(r, RAFT_NOTE_PROMISED,
              (struct raft_note_args){.peer = m->from, .cluster = m->new_cluster});
    return true;
}

/* A leader that is to add it may ask whoever was removed and kept its log, too, and who was removed
 * before it had one. */
static bool tells_incarnation(const struct raft *r, const struct raft_message *m)
{
    struct raft_id own = raft_spoken_cluster(r);
    if (!raft_id_is_none(own))
        return raft_id_equal(own, m->cluster) && !raft_lacks_state(r);
    return raft_id_is_none(m->cluster) ? is_empty(r) : holds_nothing(r);
}

/* Before its catalogd has attached it cannot know what it is: it is asked again. */
static bool knows_itself(const struct raft *r)
{
    return r->is_attached || !raft_id_is_none(raft_spoken_cluster(r));
}

void raft_on_promise(struct raft *r, const struct raft_message *m)
{
    struct raft_id own = raft_own_cluster(r);
    bool is_of_other = !raft_id_is_none(own) && (m->index || !raft_id_equal(own, m->cluster));
    if (is_of_other || (!m->index && !knows_itself(r))) {
        raft_ignore(r, m, RAFT_IGN_CLUSTER);
        return;
    }
    struct raft_message *answer = raft_answer_to(r, m);
    answer->index = m->index;
    answer->ok = m->index ? promise(r, m) : tells_incarnation(r, m);
    if (!answer->ok && raft_id_equal(r->promise.proposer, m->from))
        answer->conflict_index = r->promise.round;
    raft_send(r, answer, r->promise_persist);
}

/* Not one's own while it is open: it ends by itself, and others may have promised it. */
void raft_on_forget_promise(struct raft *r, uint64_t tag)
{
    struct raft_action action = {.kind = RAFT_ACT_FORGOTTEN, .done = {.tag = tag}};
    action.done.cluster = r->promise.cluster;
    if (!r->promise.round) {
        action.done.err = CU_E_NOT_FOUND;
        action.done.text = "this server holds no promise";
    } else if (is_own_round(r)) {
        action.done.err = CU_E_CONFLICT;
        action.done.text = "this server proposed it: it gives up by itself within 10 s of running";
    } else if (r->term) {
        action.done.err = CU_E_CONFLICT;
        action.done.text = "its cluster exists: this server has taken part in an election there";
    } else {
        raft_tell(
            r, RAFT_NOTE_GAVE_UP,
            (struct raft_note_args){.peer = r->promise.proposer, .cluster = r->promise.cluster});
        clear_promise(r);
        raft_configuration_changed(r);
        action.after = raft_after(r, r->promise_persist);
    }
    raft_emit(r, action);
}

void raft_on_give_up(struct raft *r, const struct raft_message *m)
{
    const struct raft_server *proposer = raft_server_find(&r->promise.configuration, m->from);
    bool counts = r->promise.round && r->promise.round == m->round && proposer &&
                  raft_id_equal(r->promise.proposer, m->from) &&
                  proposer->incarnation == m->incarnation && !is_own_round(r) && !r->last_index;
    if (counts) {
        raft_tell(r, RAFT_NOTE_GAVE_UP,
                  (struct raft_note_args){.peer = m->from, .cluster = r->promise.cluster});
        clear_promise(r);
        raft_configuration_changed(r);
    }
    struct raft_message *answer = raft_answer_to(r, m);
    answer->ok = counts;
    raft_send(r, answer, r->promise_persist);
}
