/* local.h - what this node has: its services and checks, and which of it the catalog knows
 * (agent.md 11).
 *
 * The agent has the say over them: what differs in the catalog is written there anew, what is there
 * and not here is removed. Pure: time and randomness are handed in. */
#ifndef AGENT_LOCAL_H
#define AGENT_LOCAL_H

#include <stdbool.h>

#include "common/base/mono.h"
#include "common/base/random.h"
#include "curia/v1/agent.pb-c.h"

#include "services/agentd/core/by_id.h"
#include "services/agentd/core/status.h"

enum { AGENT_SERVICES_MAX = 65536, AGENT_CHECKS_MAX = 65536 }; /* of one node */

enum agent_source {
    AGENT_FROM_FILE,  /* of the configuration */
    AGENT_FROM_API,   /* persisted as "remote" */
    AGENT_FROM_AGENT, /* maintenance: persisted as "local" */
};

/* Where a thing stands with the catalog. */
struct agent_standing {
    bool in_sync;
    bool is_deleted;  /* gone here; stays until the catalog has confirmed */
    uint64_t version; /* raised by each change, so that an answer to an older write confirms nothing
                       */
};

struct agent_local_service {
    struct agent_standing standing;
    Curia__V1__Service *service; /* as it counts; NULL when deleted */
    Curia__V1__Service *own; /* as it was registered, where something was put over it; or NULL */
    char *token;             /* "" or NULL: none; outlives the service */
    enum agent_source source;
    bool is_sidecar; /* registered as the proxy beside another: it goes with that */
};

struct agent_local_check {
    struct agent_standing standing;
    Curia__V1__Check *check;    /* NULL when deleted */
    Curia__V1__CheckSpec *spec; /* NULL: maintenance */
    char *token, *service_id;   /* both outlive the check; token "" or NULL: none */
    enum agent_source source;
    struct cu_mono critical_since; /* meaningful while it is */
    /* It was restored and has not run since: until it does, what the catalog says of it holds, so
     * that a restart is no change. */
    bool awaits_result;
    struct cu_mono deferred_until; /* an output that waits to be written; CU_MONO_NEVER: none */
};

struct agent_local {
    char *node_name;
    uint64_t update_interval_ms; /* check_update_interval; 0: every change is written at once */
    bool discards_output;
    struct cu_random random;
    Curia__V1__Node *node; /* name, id, address, tagged addresses, metadata */
    struct agent_standing node_standing;
    struct agent_by_id services, checks; /* of the structs above; deleted ones are in it, too */
};

void agent_local_init(struct agent_local *local, const char *node_name, uint64_t seed);
void agent_local_deinit(struct agent_local *local);

/* What the catalog is to know of the node itself; copied. */
void agent_local_set_node(struct agent_local *local, const Curia__V1__Node *node);

/* ---- services; a deleted one is none ---- */

struct agent_local_service *agent_local_service(const struct agent_local *local, const char *id);
/* Adds or replaces; copied. It is no sidecar until the caller says so. */
void agent_local_put_service(struct agent_local *local, const Curia__V1__Service *service,
                             const char *token, enum agent_source source);
/* What counts instead of what was registered (central.h); copied. False: it counts already. */
bool agent_local_overlay(struct agent_local *local, const char *id,
                         const Curia__V1__Service *merged);
/* As it was registered. */
const Curia__V1__Service *agent_local_registered(const struct agent_local_service *service);
/* With its checks. False: no such service. */
bool agent_local_remove_service(struct agent_local *local, const char *id);
/* One that was removed, once the catalog has confirmed it; it must be there. */
void agent_local_forget_service(struct agent_local *local, const char *id);

/* ---- checks ---- */

struct agent_local_check *agent_local_check(const struct agent_local *local, const char *id);
/* Adds or replaces; copied, `spec` may be NULL. Name and tags of its service are filled in. False:
 * it has no such service. */
bool agent_local_put_check(struct agent_local *local, const Curia__V1__Check *check,
                           const Curia__V1__CheckSpec *spec, const char *token,
                           enum agent_source source, struct cu_mono now);
bool agent_local_remove_check(struct agent_local *local, const char *id);
/* One that was removed, once the catalog has confirmed it; it must be there. */
void agent_local_forget_check(struct agent_local *local, const char *id);

enum agent_change {
    AGENT_UNCHANGED,
    AGENT_DEFERRED, /* only the output: it is written with the next change, or when its time comes
                     */
    AGENT_CHANGED   /* to be written now */
};
/* A new status and output; a check that is not there is unchanged. */
enum agent_change agent_local_update_check(struct agent_local *local, const char *id,
                                           enum agent_status status, const char *output,
                                           struct cu_mono now);

/* Outputs whose time has come are out of sync from here on; true if there was one. */
bool agent_local_release_deferred(struct agent_local *local, struct cu_mono now);
struct cu_mono agent_local_next_deferred(const struct agent_local *local);

/* ---- questions ---- */

/* Whether so many more fit under the limits; those count, too, whose removal is not confirmed. */
bool agent_local_has_room(const struct agent_local *local, size_t services, size_t checks);

/* The first service with a check that has been critical for longer than its definition allows, or
 * NULL (agent.md 9). */
const char *agent_local_overdue(const struct agent_local *local, struct cu_mono now);

size_t agent_local_service_count(const struct agent_local *local);
size_t agent_local_check_count(const struct agent_local *local);

/* All is written. */
bool agent_local_is_in_sync(const struct agent_local *local);

#endif
