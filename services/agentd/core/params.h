/* params.h - the parameters of catalog and health reads, put into a request (http-api.md 1.7, 2.6,
 * 2.7). */
#ifndef AGENT_PARAMS_H
#define AGENT_PARAMS_H

#include "common/base/arena.h"
#include "services/agentd/core/query.h"

/* Where the request of a read takes what: offsets of its members, 0 where it does not. */
struct agent_params {
    const ProtobufCMessageDescriptor *request;
    size_t tail;         /* what stands behind the route's pattern: a string */
    size_t near, filter; /* strings */
    size_t meta, n_meta; /* `node-meta`: a map of strings; a key given twice: the last counts */
    const ProtobufCMessageDescriptor *meta_entry;
    size_t tags, n_tags; /* `tag`: all of them, empty ones, too */
    size_t passing;      /* present or a boolean */
    size_t flag;         /* a bool that the route sets */
};

/* What is asked beside the request. */
struct agent_asked {
    struct cu_bytes tail;
    const struct agent_query *query;
    const char *node_name; /* of this agent: what `near=_agent` means */
};

/* The request in the arena; NULL: it is full. *ret_bad_passing: `passing` is no boolean. A NUL in a
 * text ends it: no name has one. */
ProtobufCMessage *agent_params_bind(const struct agent_params *params,
                                    const struct agent_asked *asked, struct cu_arena *arena,
                                    bool *ret_bad_passing);

/* The words of a boolean; false: it is none. */
bool agent_bool_parse(struct cu_bytes value, bool *ret_value);

#endif
