#include "services/catalogd/rpc/discovery.h"

#include "proto/curia/v1/catalog.pb-c.h"
#include "services/catalogd/core/index.h"

/* What a filter of its limit parses to. */
enum { FILTER_ARENA_BYTES = 4 * 1024 * 1024 };

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

/* Refuses with the reference's sentence (http-api.md 1.9). */
static bool check_filter(struct cu_rq *rq, struct catalog_filtered filtered)
{
    struct cu_arena *arena = cu_arena_new(FILTER_ARENA_BYTES);
    struct cu_filter *filter = NULL;
    struct cu_diag diag = {0};
    enum cu_err err = cu_filter_new(filtered.text, filtered.shape, arena, &filter, &diag);
    if (err)
        cu_rq_fail(rq, err, "Failed to create boolean expression evaluator: %s", diag.text);
    else
        cu_filter_free(filter);
    cu_arena_free(arena);
    return !err;
}

void catalog_discovery_serve(struct catalog_shell *shell, struct cu_rq *rq,
                             const struct catalog_query *query, struct catalog_filtered filtered)
{
    if (filtered.text[0] == '\0' || check_filter(rq, filtered))
        catalog_read_serve(shell, rq, query);
}
