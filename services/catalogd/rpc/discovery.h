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
