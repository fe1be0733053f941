#include "services/raftd/core/state.h"

static bool is_alive(const struct raft *r, struct cu_mono now)
{
    return r->is_attached && r->has_polled &&
           cu_mono_before(now, cu_mono_add_ms(r->polled_at, RAFT_LIFE_MS));
}

static bool has_grant(const struct raft *r, struct cu_mono now)
{
    return r->role == RAFT_LEADER && r->ticket_term == r->term && is_alive(r, now);
}

void raft_duty_begin(struct raft *r)
{
    if (r->role != RAFT_LEADER || !is_alive(r, r->now))
        return;
    r->ticket = raft_random_id(r);
    r->ticket_term = r->term;
}

void raft_on_duty_poll(struct raft *r, bool gossip_well, bool apply_well)
{
    if (!r->is_attached)
        return;
    bool goes_on = has_grant(r, r->now);
    r->has_polled = true;
    r->polled_at = r->now;
    r->gossip_well = gossip_well;
    r->apply_well = apply_well;
    if (!goes_on)
        raft_duty_begin(r);
}

bool raft_is_well(const struct raft *r)
{
    return is_alive(r, r->now) && r->gossip_well && r->apply_well;
}

bool raft_ticket_is_current(const struct raft *r, struct raft_id ticket)
{
    return has_grant(r, r->now) && raft_id_equal(ticket, r->ticket);
}

struct raft_duty raft_duty(const struct raft *r, struct cu_mono now)
{
    if (!has_grant(r, now))
        return (struct raft_duty){.on = false, .term = r->term};
    return (struct raft_duty){
        .on = true, .term = r->term, .noop_index = r->noop_index, .ticket = r->ticket};
}
