/* agent.h - agentd itself, and one request on its way through it. */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "common/daemon/daemon.h"
#include "common/view/rights.h"
#include "common/view/view.h"
#include "services/agentd/conf.h"
#include "services/agentd/core/route.h"
#include "services/agentd/core/target.h"
#include "services/agentd/core/tokens.h"
#include "services/agentd/io/http.h"

enum {
    AGENT_KEPT_BYTES = 64 * 1024 * 1024, /* of encoded answers */
    AGENT_WRITE_MS = 30 * 1000,          /* a write that takes longer has an unknown outcome */
    AGENT_READ_MS = 10 * 1000,
    AGENT_JITTER_SHARE = 16, /* of a wait: up to that part is added at random */
};

/* How an answer is rendered; formats of the view (common/view/view.h). */
enum { AGENT_JSON = 0, AGENT_PRETTY = 1, AGENT_RAW = 2, AGENT_GZIP = 4 };
/* What an encoder returns: a status, and whether the body came out compressed. */
enum { AGENT_IS_GZIPPED = 1 << 16, AGENT_STATUS_MASK = AGENT_IS_GZIPPED - 1 };

struct agent_read_row; /* rpc/read.h */
struct agent_last;

enum agent_method { AGENT_GET, AGENT_PUT, AGENT_POST, AGENT_DELETE, AGENT_METHOD_COUNT };

struct agent {
    struct cu_env *env;
    struct agent_conf conf;
    struct agent_http *http;
    struct cu_view *view;
    struct view_servers *servers;
    struct cu_view_cache *cache; /* NULL: http_config.use_cache is off */
    struct cu_counter *requests;
    struct cu_sample *all_routes;
    struct cu_sample **samples; /* by route and method */
    struct agent_metrics *metrics;
    struct agent_gossip *gossip;
    struct agent_node *node;
    struct agent_own_token *own_token; /* NULL: ACLs are off */
    struct agent_leaves *leaves;
    struct agent_tokens tokens; /* credentials.h */
    struct cu_rights *rights;   /* what the tokens of requests may do here */
    bool may_run_remote_scripts;
    struct agent_call *leaving; /* the node ends once this request is answered */
    struct agent_last *last;    /* rpc/last.h */
};

/* One request. Begins with the server's part. */
struct agent_call {
    struct agent_rq rq;
    struct agent *agent;
    const struct agent_route *route; /* NULL: no such path */
    struct agent_target target;
    struct cu_bytes tail; /* of the path, behind the route's pattern */
    struct agent_query query;
    struct agent_options options;
    agent_handler *early;             /* decided by the head alone: this answers */
    const char *token;                /* NULL: none */
    bool has_own_token;               /* else it is the agent's default one, or none */
    struct cu_authorizer *authorizer; /* what it may do here; NULL: nobody has asked */
    struct cu_rights_ask rights;      /* while that is asked; permit.h */
    agent_handler *permitted;         /* who goes on then */
    unsigned format;                  /* JSON, pretty, and gzip if the client takes it */
    struct cu_bytes location;         /* of a redirection */
    const struct agent_read_row *row; /* of a read */
    const ProtobufCMessage *request;  /* likewise; in the arena */
    struct cu_view_read read;
    struct cu_view_call upstream;
    /* What else it waits for, and how that is let go of when the client does. */
    void *work;
    void (*drop_work)(struct agent_call *call);
    char address[AGENT_ADDRESS_BYTES];
    bool flag;                /* the handler's own */
    struct agent_fault fault; /* last: its text is not cleared between two requests */
};

CU_MUST_USE enum cu_err agent_start(struct cu_env *env, void **ret_agent, struct cu_diag *diag);
/* The node has left the pool by this request: all of it ends when it is answered (agent.md 13). */
void agent_end_node_after(struct agent *agent, struct agent_call *call);
void agent_reload(void *agent, const struct cu_conf *conf);
void agent_drain(void *agent);
void agent_stop(void *agent);
void agent_status(void *agent, cu_status_add *add, void *to);
CU_MUST_USE enum cu_err agent_check(const struct cu_conf *conf, struct cu_diag *diag);

#endif
