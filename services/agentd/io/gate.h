/* gate.h - so many at once; the others wait in the order in which they came. */
#ifndef AGENT_GATE_H
#define AGENT_GATE_H

#include <stdbool.h>

#include "common/loop/loop.h"

/* Lives in its owner. Zero-initialise, then set `go` and `arg`. */
struct agent_ticket {
    cu_callback *go; /* it may begin; called from agent_gate_enter() or _leave() */
    void *arg;
    struct agent_ticket *next;
    enum { AGENT_OUTSIDE, AGENT_WAITING, AGENT_INSIDE } place;
};

struct agent_gate {
    unsigned limit, inside;
    struct agent_ticket *first, **end; /* who waits */
};

void agent_gate_init(struct agent_gate *gate, unsigned limit);
void agent_gate_enter(struct agent_gate *gate, struct agent_ticket *ticket);
/* From inside, or out of the queue; does nothing for one outside. */
void agent_gate_leave(struct agent_gate *gate, struct agent_ticket *ticket);

#endif
