/* grpc.h - a question to the standard gRPC health service, and what its answer says (agent.md 8).
 */
#ifndef AGENT_GRPC_H
#define AGENT_GRPC_H

#include <stdbool.h>

#include "common/base/buf.h"

#include "services/agentd/core/status.h"

/* `target` is host:port, or host:port/service. Appends the URL, with a NUL, and the message with
 * its prefix. */
void agent_grpc_request(const char *target, bool tls, struct cu_buf *url, struct cu_buf *body);

/* What came with HTTP `status`: the status among headers and trailers ("": none) and the body.
 * Appends the output. */
enum agent_status agent_grpc_result(const char *target, unsigned status, const char *grpc_status,
                                    struct cu_bytes body, struct cu_buf *output);

#endif
