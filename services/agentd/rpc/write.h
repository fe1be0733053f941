/* write.h - a write to the catalog over HTTP: asked once, answered by the handler's own end. */
#ifndef AGENT_WRITE_H
#define AGENT_WRITE_H

#include "services/agentd/agent.h"

/* Room for a request, in the arena, since a write that waits for a catalogd is packed later; the
 * arena gets room for what a body decodes to. NULL: the call is answered. */
void *agent_new_request(struct agent_call *call, size_t size);

void agent_write_start(struct agent_call *call, const ProtobufCServiceDescriptor *service,
                       const char *method, const ProtobufCMessage *request,
                       void (*done)(void *call, const struct cu_answer *answer));

/* An end: "true", or the fault, of which CU_E_INVALID is a 500. */
void agent_write_true(void *call, const struct cu_answer *answer);

#endif
