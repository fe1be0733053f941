/* connect.h - what /v1/agent/connect and /v1/connect/ca take and print beside the roots
 * (http-api.md 2.5, 2.16). */
#ifndef AGENT_CONNECT_H
#define AGENT_CONNECT_H

#include "common/base/arena.h"
#include "common/json/shape.h"
#include "curia/v1/agent.pb-c.h"
#include "curia/v1/connect.pb-c.h"
#include "services/agentd/core/fault.h"

extern const struct cu_json_shape agent_shape_issued_cert;
extern const struct cu_json_shape agent_shape_authorize_body;
extern const struct cu_json_shape agent_shape_ca_config_body;

/* Who presented a certificate to whom. */
struct agent_presented {
    const char *source, *target;
};

/* The body of POST /v1/agent/connect/authorize, in the arena. False: a 400. */
bool agent_authorize_parse(struct cu_bytes body, struct cu_arena *arena,
                           struct agent_presented *ret_presented, struct agent_fault *fault);

/* The body of PUT /v1/connect/ca/configuration, in the arena. False: a 400; the catalog finds the
 * rest. */
bool agent_ca_config_parse(struct cu_bytes body, struct cu_arena *arena,
                           Curia__V1__CaConfig *ret_config, struct agent_fault *fault);
/* As GET prints it. */
void agent_ca_config_write(struct cu_buf *out, const Curia__V1__CaConfig *config);

#endif
