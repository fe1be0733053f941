/* fake_node.h - what a catalog holds of one node: rows kept as they were registered. */
#ifndef TESTS_LIB_FAKE_NODE_H
#define TESTS_LIB_FAKE_NODE_H

#include "common/rpc/rpc.h"
#include "curia/v1/health.pb-c.h"

enum { FAKE_NODE_ROWS = 256 };

#define FAKE_NODE "edge1" /* the only one that is kept */

struct fake_node {
    Curia__V1__Node *node; /* NULL: not registered */
    Curia__V1__Service *services[FAKE_NODE_ROWS];
    Curia__V1__Check *checks[FAKE_NODE_ROWS];
    size_t service_count, check_count;
    unsigned registered, deregistered, read; /* calls so far */
    enum cu_err fail_with;                   /* of writes */
    char token[64], read_token[64];          /* of the last write, and of the last read */
};

void fake_node_deinit(struct fake_node *fake);

void fake_node_register(struct fake_node *fake, struct cu_rq *rq);
void fake_node_deregister(struct fake_node *fake, struct cu_rq *rq);
void fake_node_services(struct fake_node *fake, struct cu_rq *rq);
void fake_node_checks(struct fake_node *fake, struct cu_rq *rq);

Curia__V1__Service *fake_node_service(const struct fake_node *fake, const char *id);
Curia__V1__Check *fake_node_check(const struct fake_node *fake, const char *id);
/* Behind the agent's back. */
void fake_node_drop_service(struct fake_node *fake, const char *id);

#endif
