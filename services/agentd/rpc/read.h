/* read.h - a read of the catalog over HTTP: a row says what is asked and how it is shown, the rest
 * is the same for all (http-api.md 1.5, 1.8). */
#ifndef AGENT_READ_H
#define AGENT_READ_H

#include "services/agentd/agent.h"
#include "services/agentd/core/params.h"

enum {
    AGENT_SAYS_CONSISTENCY = 1, /* X-Consul-Effective-Consistency */
    AGENT_META_ON_ERROR = 2,    /* index 1 and no leader, also where the catalog refuses */
    AGENT_TAKES_CACHED = 4,     /* ?cached is honoured */
    AGENT_MAY_BE_STALE = 8,     /* discovery_max_stale counts, where no mode is named */
    AGENT_SAYS_NO_STATE = 16,   /* no X-Consul-Index and the like */
    AGENT_IS_CACHED = 32,       /* as with ?cached, always */
    AGENT_BARE_404 = 64,        /* a 404 has no X-Consul-Index and the like */
};

struct agent_read_row {
    struct cu_view_method method;
    unsigned flags;
    const char *missing;        /* a 400 where nothing stands behind the pattern; NULL: it may */
    struct agent_params params; /* of agent_read_bound() */
    const char *raw_type;       /* of AGENT_RAW; NULL: text/plain */
    agent_handler *absent;      /* fills the fault where the encoder says 404; NULL: no body */
};

/* Asks for what path and query name. */
void agent_read_bound(struct agent_call *call, const struct agent_read_row *row);
/* Asks with a request that lies in the call's arena. */
void agent_read_start(struct agent_call *call, const struct agent_read_row *row,
                      const ProtobufCMessage *request);

/* A little more than asked, so that a herd does not come back together (http-api.md 1.8). */
uint64_t agent_with_jitter(uint64_t wait_ms);

/* The end of every encoder: indents and compresses what was appended since `start`, as the format
 * says, and returns what the encoder returns. */
unsigned agent_read_finish(unsigned status, unsigned format, size_t start, struct cu_buf *out);

#endif
