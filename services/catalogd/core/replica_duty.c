/* The grant of duty: polled from raftd, begun when its no-op is applied, ended by silence
 * (contracts 5.1). */
#include <string.h>

#include "services/catalogd/core/replica_state.h"

/* A poll is parked by raftd until something changes; should it not be, it does not spin. */
enum { POLL_AGAIN_MS = 200, POLL_PACE_MS = 20 };

static bool ids_equal(const struct catalog_id *a, const struct catalog_id *b)
{
    return memcmp(a->bytes, b->bytes, CATALOG_ID_BYTES) == 0;
}

static void withdraw(struct catalog_replica *r, struct catalog_actions *out)
{
    if (r->is_on_duty)
        replica_act(out, CATALOG_ACT_DUTY_END)->ticket = r->ticket;
    r->is_on_duty = r->is_granted = false;
    r->ticket = (struct catalog_id){0};
}

void replica_duty_end(struct catalog_replica *r, struct catalog_actions *out)
{
    r->is_polling = false;
    withdraw(r, out);
}

/* The grant is good for as long after the poll was sent as raftd counts from its arrival. */
void replica_duty_answered(struct catalog_replica *r, const struct catalog_event *ev,
                           struct catalog_actions *out)
{
    if (!r->is_polling)
        return;
    r->is_polling = false;
    if (ev->err != CU_OK) {
        r->poll_at = cu_mono_add_ms(ev->now, POLL_AGAIN_MS);
        return;
    }
    r->poll_at = cu_mono_add_ms(r->poll_sent, POLL_PACE_MS);
    if (!ev->duty.on) {
        withdraw(r, out);
        return;
    }
    if (r->is_granted &&
        (!ids_equal(&r->ticket, &ev->duty.ticket) || r->duty_term != ev->duty.term))
        withdraw(r, out);
    r->is_granted = true;
    r->duty_term = ev->duty.term;
    r->duty_noop = ev->duty.noop_index;
    r->ticket = ev->duty.ticket;
    r->duty_until = cu_mono_add_ms(r->poll_sent, REPLICA_DUTY_LIFE_MS);
}

void replica_duty_advance(struct catalog_replica *r, struct catalog_actions *out)
{
    if (r->is_reader)
        return;
    if (r->is_granted && !cu_mono_before(r->last, r->duty_until))
        withdraw(r, out);
    if (r->is_granted && !r->is_on_duty && !r->is_stopped && r->applied.index >= r->duty_noop &&
        r->applied.term >= r->duty_term) {
        r->is_on_duty = true;
        struct catalog_action *act = replica_act(out, CATALOG_ACT_DUTY_BEGIN);
        act->term = r->duty_term;
        act->ticket = r->ticket;
    }
    if (r->is_attached && !r->is_polling && !cu_mono_before(r->last, r->poll_at)) {
        r->is_polling = true;
        r->poll_sent = r->last;
        replica_act(out, CATALOG_ACT_DUTY)->ticket = r->ticket;
    }
}
