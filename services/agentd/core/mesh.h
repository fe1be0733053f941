/* mesh.h - configuration entries and intentions, to JSON and from it (http-api.md 1.3, 2.15, 2.16).
 */
#ifndef AGENT_MESH_H
#define AGENT_MESH_H

#include "common/base/arena.h"
#include "common/json/shape.h"
#include "curia/v1/config.pb-c.h"
#include "curia/v1/connect.pb-c.h"
#include "services/agentd/core/fault.h"

extern const struct cu_json_shape agent_shape_service_defaults;
extern const struct cu_json_shape agent_shape_proxy_defaults;
extern const struct cu_json_shape agent_shape_service_intentions;
extern const struct cu_json_shape agent_shape_service_intentions_body; /* as it is sent */
extern const struct cu_json_shape agent_shape_entry_head;
extern const struct cu_json_shape agent_shape_entry_tail;
extern const struct cu_json_shape agent_shape_entry_body;
extern const struct cu_json_shape agent_shape_intention_head;
extern const struct cu_json_shape agent_shape_intention_tail;
extern const struct cu_json_shape agent_shape_intention_body;
extern const struct cu_json_shape agent_shape_ca_roots;

void agent_entry_write(struct cu_buf *out, const Curia__V1__ConfigEntry *entry);
void agent_intention_write(struct cu_buf *out, const Curia__V1__Intention *intention);

/* Whether the kind is one of those that there are. */
bool agent_is_entry_kind(const char *kind);

/* The body of PUT /v1/config, in the arena. False: what cannot be decoded, a 400; the catalog finds
 * the rest. */
bool agent_entry_parse(struct cu_bytes body, struct cu_arena *arena,
                       Curia__V1__ConfigEntry *ret_entry, struct agent_fault *fault);

/* The body of an intention: a 400, or what namespaces and types that are not there are. */
bool agent_intention_parse(struct cu_bytes body, struct cu_arena *arena,
                           Curia__V1__Intention *ret_intention, struct agent_fault *fault);

/* "name" or "default/name", as `parameter` has it, in the arena; NULL: the fault. */
char *agent_intention_name(const char *parameter, struct cu_bytes text, struct cu_arena *arena,
                           struct agent_fault *fault);

#endif
