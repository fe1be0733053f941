#include "services/agentd/io/gate.h"

#include <stddef.h>

#include "common/base/assert.h"

void agent_gate_init(struct agent_gate *gate, unsigned limit)
{
    *gate = (struct agent_gate){.limit = limit};
    gate->end = &gate->first;
}

static void let_in(struct agent_gate *gate, struct agent_ticket *ticket)
{
    gate->inside++;
    ticket->place = AGENT_INSIDE;
    ticket->go(ticket->arg);
}

void agent_gate_enter(struct agent_gate *gate, struct agent_ticket *ticket)
{
    CU_ASSERT(ticket->place == AGENT_OUTSIDE);
    if (gate->inside < gate->limit) {
        let_in(gate, ticket);
        return;
    }
    ticket->place = AGENT_WAITING;
    ticket->next = NULL;
    *gate->end = ticket;
    gate->end = &ticket->next;
}

static void leave_queue(struct agent_gate *gate, struct agent_ticket *ticket)
{
    struct agent_ticket **at = &gate->first;
    while (*at != ticket)
        at = &(*at)->next;
    *at = ticket->next;
    if (gate->end == &ticket->next)
        gate->end = at;
}

void agent_gate_leave(struct agent_gate *gate, struct agent_ticket *ticket)
{
    if (ticket->place == AGENT_WAITING)
        leave_queue(gate, ticket);
    if (ticket->place == AGENT_INSIDE)
        gate->inside--;
    ticket->place = AGENT_OUTSIDE;
    while (gate->first && gate->inside < gate->limit) {
        struct agent_ticket *next = gate->first;
        leave_queue(gate, next);
        let_in(gate, next);
    }
}
