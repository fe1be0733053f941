#include <stdlib.h>

#include "common/base/assert.h"
#include "services/raftd/core/state.h"

void *raft_grow(void *items, uint32_t *cap, uint32_t need, size_t size)
{
    if (need <= *cap)
        return items;
    uint32_t more = *cap ? *cap * 2 : 8;
    *cap = more < need ? need : more;
    return cu_realloc(items, *cap * size);
}

void raft_emit(struct raft *r, struct raft_action action)
{
    struct raft_actions *out = r->out;
    out->items = raft_grow(out->items, &out->cap, out->count + 1, sizeof *out->items);
    out->items[out->count++] = action;
}

void raft_tell(struct raft *r, enum raft_note note, struct raft_note_args args)
{
    raft_emit(r, (struct raft_action){.kind = RAFT_ACT_NOTE,
                                      .note = {.note = note,
                                               .peer = args.peer,
                                               .cluster = args.cluster,
                                               .index = args.index,
                                               .role = r->role}});
}

/* ---- messages ---- */

struct raft_message *raft_message_to(struct raft *r, struct raft_id to, enum raft_message_kind kind)
{
    struct raft_message *message = cu_alloc(sizeof *message);
    message->kind = kind;
    message->from = r->self;
    message->to = to;
    message->incarnation = r->incarnation;
    message->cluster = raft_spoken_cluster(r);
    const struct raft_peer *peer = raft_peer_find(r, to);
    message->prior = peer && !raft_id_is_none(peer->prior) ? peer->prior : r->prior;
    message->term = r->term;
    return message;
}

struct raft_message *raft_answer_to(struct raft *r, const struct raft_message *request)
{
    struct raft_message *answer =
        raft_message_to(r, request->from, (enum raft_message_kind)(request->kind + 1));
    answer->call = request->call;
    answer->round = request->round;
    /* An empty server has no cluster id yet; it answers under that of the leader it obeys. */
    if (raft_id_is_none(answer->cluster))
        answer->cluster = request->cluster;
    return answer;
}

void raft_send(struct raft *r, struct raft_message *message, uint64_t after)
{
    raft_emit(r, (struct raft_action){
                     .kind = RAFT_ACT_SEND, .after = raft_after(r, after), .send = message});
}

static bool is_request(enum raft_message_kind kind)
{
    return kind < RAFT_MSG_IGNORED && kind % 2 == RAFT_MSG_PREVOTE % 2;
}

void raft_ignore(struct raft *r, const struct raft_message *message, enum raft_ignored why)
{
    r->ignored[why]++;
    if (!is_request(message->kind))
        return;
    struct raft_message *answer = raft_message_to(r, message->from, RAFT_MSG_IGNORED);
    answer->call = message->call;
    answer->reason = why;
    raft_send(r, answer, 0);
}

/* ---- the step's transaction ---- */

uint64_t raft_after(const struct raft *r, uint64_t persist)
{
    return persist > r->synced_persist ? persist : 0;
}

struct raft_persist *raft_write(struct raft *r)
{
    if (!r->open) {
        r->open = cu_alloc(sizeof *r->open);
        r->open->id = ++r->last_persist;
        r->open_cap = 0;
    }
    return r->open;
}

void raft_write_vote(struct raft *r)
{
    struct raft_persist *persist = raft_write(r);
    persist->has_vote = true;
    persist->term = r->term;
    persist->vote = r->vote;
    r->vote_persist = persist->id;
}

void raft_write_promise(struct raft *r)
{
    struct raft_persist *persist = raft_write(r);
    persist->has_promise = true;
    persist->promise = r->promise;
    r->promise_persist = persist->id;
}

void raft_write_recovery(struct raft *r)
{
    struct raft_persist *persist = raft_write(r);
    persist->has_recovery = true;
    persist->recovery = r->recovery;
    r->recovery_persist = persist->id;
}

void raft_flush(struct raft *r)
{
    if (!r->open)
        return;
    r->pending = raft_grow(r->pending, &r->pending_cap, r->pending_count + 1, sizeof *r->pending);
    r->pending[r->pending_count++] =
        (struct raft_pending){.persist = r->open->id, .last_index = r->last_index};
    raft_emit(r, (struct raft_action){.kind = RAFT_ACT_PERSIST, .persist = r->open});
    r->open = NULL;
}
