/* discovery.h - what the reads of Catalog and Health share: their rows of struct catalog_query,
 * their topics, their filters. */
#ifndef CATALOG_RPC_DISCOVERY_H
#define CATALOG_RPC_DISCOVERY_H

#include "common/filter/shapes.h"
#include "services/catalogd/rpc/query.h"
#include "services/catalogd/rpc/read.h"

/* Messages by the names that protobuf-c gives them, in lower case. */
#define DISCOVERY_QUERY(name_, request_, reply_, evaluate_, topics_)                               \
    .name = name_, .request = &curia__v1__##request_##__descriptor,                                \
    .reply = &curia__v1__##reply_##__descriptor, .is_blocking = true,                              \
    .options = catalog_query_options, .set_options = catalog_query_set_options,                    \
    .set_meta = catalog_query_set_meta, .evaluate = evaluate_, .topics = topics_

/* The evaluate() of a row from a function of core/ with the messages' own types. */
#define DISCOVERY_EVALUATE(name_, core_, request_, reply_)                                         \
    static enum cu_err name_(const struct catalog_view *view, const ProtobufCMessage *in,          \
                             struct cu_arena *arena, ProtobufCMessage *out, uint64_t *ret_index)   \
    {                                                                                              \
        return core_(view, (const request_ *)in, arena, (reply_ *)out, ret_index);                 \
    }

/* The topics() of a row that rests on one whole table. */
#define DISCOVERY_TOPICS_OF_TABLE(name_, table_)                                                   \
    static size_t name_(const ProtobufCMessage *in, struct cu_arena *arena,                        \
                        struct catalog_topic topics[CATALOG_READ_TOPICS_MAX])                      \
    {                                                                                              \
        (void)in, (void)arena;                                                                     \
        topics[0] = catalog_topic_of_table(table_);                                                \
        return 1;                                                                                  \
    }

struct catalog_topic catalog_topic_of_table(enum catalog_table table);
/* Its key lies in the arena; data NULL: that is full. */
struct catalog_topic catalog_topic_of_index(struct cu_arena *arena, const char *head,
                                            const char *name);

/* Of a ServiceNodesRequest. */
size_t catalog_topics_of_service(const ProtobufCMessage *in, struct cu_arena *arena,
                                 struct catalog_topic topics[CATALOG_READ_TOPICS_MAX]);

/* A filter, and what it selects from. */
struct catalog_filtered {
    const char *text; /* "": none */
    const struct cu_filter_shape *shape;
};

/* Serves the read, or says what is wrong with its filter. */
void catalog_discovery_serve(struct catalog_shell *shell, struct cu_rq *rq,
                             const struct catalog_query *query, struct catalog_filtered filtered);

#endif
