/* registration.h - the bodies of /v1/catalog/register and deregister (http-api.md 2.6). */
#ifndef AGENT_REGISTRATION_H
#define AGENT_REGISTRATION_H

#include "common/json/shape.h"
#include "curia/v1/catalog.pb-c.h"
#include "services/agentd/core/fault.h"

extern const struct cu_json_shape agent_shape_catalog_registration;
extern const struct cu_json_shape agent_shape_catalog_deregistration;

/* Fills the request, with what it points to in the arena, or the fault: what cannot be decoded, and
 * a datacenter that is not `datacenter`. What is wrong with what it says the catalog finds. */
bool agent_registration_parse(struct cu_bytes body, const char *datacenter, struct cu_arena *arena,
                              Curia__V1__RegisterRequest *ret_request, struct agent_fault *fault);
bool agent_deregistration_parse(struct cu_bytes body, const char *datacenter,
                                struct cu_arena *arena, Curia__V1__DeregisterRequest *ret_request,
                                struct agent_fault *fault);

#endif
