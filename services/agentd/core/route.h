/* route.h - which row of the route table a path belongs to (http-api.md 1.1, 1.2). */
#ifndef AGENT_ROUTE_H
#define AGENT_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/acl/right.h"
#include "common/base/buf.h"

struct agent_call;
typedef void agent_handler(struct agent_call *call);

enum {
    AGENT_TAKES_DC = 1, /* ?dc other than our own: "No path to datacenter" */
    AGENT_TAKES_NS = 2, /* ?ns and X-Consul-Namespace are consulted, and refused */
    AGENT_TAKES_READ_OPTIONS = 4,
    AGENT_KV_BODY = 8,     /* reads a body up to limits.kv_max_value_size */
    AGENT_TXN_BODY = 16,   /* up to limits.txn_max_req_len, or the former if that is more */
    AGENT_JSON_BODY = 32,  /* up to AGENT_JSON_BODY_BYTES */
    AGENT_NEEDS_ACLS = 64, /* a 401 where ACLs are off */
    AGENT_JSON_BODY_BYTES = 1536 * 1024, /* of an entry of the log (contracts 1.1) */
};

/* What the right is asked for; guard.h. */
enum agent_guards {
    AGENT_GUARDS_ROWS,    /* the handler asks: of each thing it shows, or of what the body names */
    AGENT_GUARDS_WHOLE,   /* a resource without names */
    AGENT_GUARDS_NODE,    /* this node */
    AGENT_GUARDS_TAIL,    /* the name behind the pattern */
    AGENT_GUARDS_SERVICE, /* the name of the service whose id stands there */
    AGENT_GUARDS_CHECK,   /* the check whose id stands there: its service's name, or this node */
};

struct agent_route {
    const char *pattern; /* ends in '/': a prefix */
    const char *methods; /* "GET,PUT,DELETE", in the order that Allow prints */
    unsigned takes;      /* AGENT_TAKES_... */
    agent_handler *handler;
    enum cu_right right; /* what is the agent's own; RIGHT_NONE: the catalog asks, or nobody does */
    enum agent_guards guards;
};

/* The longest matching row, or NULL. *ret_slash: there is none, but there would be one with a '/'
 * behind the path: the client is sent there. */
const struct agent_route *agent_route_find(const struct agent_route *routes, size_t count,
                                           struct cu_bytes path, bool *ret_slash);

bool agent_route_allows(const struct agent_route *route, const char *method);

#endif
