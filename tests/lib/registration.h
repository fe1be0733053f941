/* registration.h - nodes, services and checks in a test's words, registered in a state. */
#ifndef TESTS_LIB_REGISTRATION_H
#define TESTS_LIB_REGISTRATION_H

#include "proto/curia/internal/v1/state.pb-c.h"
#include "tests/lib/catalog_state.h"

/* What is 0 is not given; of a node with a name the address is 10.0.0.1 then. */
struct reg {
    const char *node, *id, *address, *node_meta; /* maps: "k=v,k2=v2"; "": an empty one */
    bool skip_node_update, without_address;
    const char *service, *service_id, *tags, *kind, *destination, *service_address, *service_meta;
    int port;
    bool is_native;
    const char *check, *check_node, *check_service, *status, *output; /* check: its id */
};

/* The command, in the arena. */
Curia__Internal__V1__RegisterCommand *reg_command(struct cu_arena *arena, const struct reg *reg);
Curia__V1__StringMap *reg_map(struct cu_arena *arena, const char *pairs);

const Curia__Internal__V1__CommandResult *state_register(struct state *state,
                                                         const struct reg *reg);
/* One that must succeed. */
void state_registers(struct state *state, const struct reg *reg);
void state_deregister(struct state *state, const char *node, const char *service_id,
                      const char *check_id);

/* The shown index "HEADNAME" as a reader finds it; 0: none. */
uint64_t state_named_index(struct state *state, const char *head, const char *name);

/* Rows; NULL: there is none. The modify index is filled in, as reads do. */
Curia__V1__Node *state_node(struct state *state, const char *node);
Curia__V1__Service *state_service(struct state *state, const char *node, const char *id);
Curia__V1__Check *state_check(struct state *state, const char *node, const char *id);

#endif
