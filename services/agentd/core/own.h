/* own.h - how the agent shows its own services and checks over HTTP (http-api.md 2.1, 2.3). */
#ifndef AGENT_OWN_H
#define AGENT_OWN_H

#include "common/base/buf.h"

#include "services/agentd/core/local.h"

enum { AGENT_CONTENT_HASH_BYTES = 17 };

/* Appends the AgentService. `hash` "": without a ContentHash. */
void agent_own_service(const Curia__V1__Service *service, const char *datacenter, const char *hash,
                       struct cu_buf *out);
/* Hex digits of a hash of it. Returns `text`. */
char *agent_own_hash(const Curia__V1__Service *service, const char *datacenter,
                     char text[AGENT_CONTENT_HASH_BYTES]);

/* Which of them are shown; NULL: all. */
typedef bool agent_own_keep(void *arg, const ProtobufCMessage *message);

/* {"id": AgentService, ...} and {"id": HealthCheck, ...}. */
void agent_own_services(const struct agent_local *local, const char *datacenter,
                        agent_own_keep *keep, void *arg, struct cu_buf *out);
void agent_own_checks(const struct agent_local *local, agent_own_keep *keep, void *arg,
                      struct cu_buf *out);

/* {AggregatedStatus, Service, Checks} of one service that is there; returns the status: over its
 * own checks and those of the node. */
enum agent_status agent_own_health(const struct agent_local *local, const char *id,
                                   const char *datacenter, struct cu_buf *out);

#endif
