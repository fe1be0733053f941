#include "services/catalogd/rpc/discovery.h"

#include "proto/curia/v1/catalog.pb-c.h"
#include "services/catalogd/core/index.h"

struct catalog_topic catalog_topic_of_table(enum catalog_table table)
{
    return (struct catalog_topic){table, true, {NULL, 0}};
}

struct catalog_topic catalog_topic_of_index(struct cu_arena *arena, const char *head,
                                            const char *name)
{
    return (struct catalog_topic){CATALOG_INDEXES, false, catalog_index_key(arena, head, name)};
}

size_t catalog_topics_of_service(const ProtobufCMessage *in, struct cu_arena *arena,
                                 struct catalog_topic topics[CATALOG_READ_TOPICS_MAX])
{
    const Curia__V1__ServiceNodesRequest *request = (const Curia__V1__ServiceNodesRequest *)in;
    topics[0] = catalog_topic_of_index(
        arena, request->connect ? CATALOG_INDEX_CONNECT : CATALOG_INDEX_SERVICE, request->service);
    return topics[0].key.data ? 1 : 0;
}

void catalog_discovery_serve(struct catalog_shell *shell, struct cu_rq *rq,
                             const struct catalog_query *query, const char *filter)
{
    if (filter[0])
        cu_rq_fail(rq, CU_E_INVALID, "filter expressions are not supported yet");
    else
        catalog_read_serve(shell, rq, query);
}
