/* State: the whole of it for another catalogd, in chunks (contracts 3.6). */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/hash.h"
#include "services/catalogd/io/header.h"
#include "services/catalogd/io/spool.h"
#include "services/catalogd/rpc/table.h"

/* A request that waits for the giver. */
struct giving {
    struct cu_rq *rq; /* NULL: gone */
};

static void gone(void *arg)
{
    struct giving *giving = arg;
    giving->rq = NULL;
}

static struct giving *giving_of(struct cu_rq *rq)
{
    struct giving *giving = cu_alloc(sizeof(*giving));
    giving->rq = rq;
    cu_rq_on_gone(rq, gone, giving);
    return giving;
}

static void reply_offer(struct cu_rq *rq, const struct catalog_offer *offer)
{
    Curia__Internal__V1__StateOfferReply reply = CURIA__INTERNAL__V1__STATE_OFFER_REPLY__INIT;
    uint8_t hash[16];
    for (int i = 0; i < 8; i++) {
        hash[i] = (uint8_t)(offer->state_hash.lo >> (8 * i));
        hash[8 + i] = (uint8_t)(offer->state_hash.hi >> (8 * i));
    }
    reply.header = curia__internal__v1__state_header__unpack(cu_arena_allocator(rq->arena),
                                                             offer->header.len, offer->header.data);
    reply.transfer =
        (ProtobufCBinaryData){CATALOG_ID_BYTES, (uint8_t *)(uintptr_t)offer->transfer.bytes};
    reply.size_bytes = offer->size_bytes;
    reply.chunk_bytes = CATALOG_CHUNK_BYTES;
    reply.state_hash = (ProtobufCBinaryData){sizeof(hash), hash};
    cu_rq_reply(rq, &reply.base, 0);
}

static void on_offer(void *arg, const struct catalog_offer *offer)
{
    struct giving *giving = arg;
    if (giving->rq && offer->err)
        cu_rq_fail(giving->rq, offer->err, "%s", offer->text);
    else if (giving->rq)
        reply_offer(giving->rq, offer);
    free(giving);
}

static void offer(void *daemon, struct cu_rq *rq)
{
    struct catalog_shell *shell = daemon;
    struct catalog_replica_status status;
    catalog_replica_status(shell->replica, &status);
    if (status.is_pulling || status.applied.index == 0)
        cu_rq_fail(rq, CU_E_NOT_READY, "this catalog has no state to give");
    else
        catalog_giver_offer(shell->giver, on_offer, giving_of(rq));
}

static void on_chunk(void *arg, enum cu_err err, struct cu_bytes data)
{
    struct giving *giving = arg;
    if (giving->rq && err) {
        cu_rq_fail(giving->rq, err, "no such transfer");
    } else if (giving->rq) {
        Curia__Internal__V1__StateChunkReply reply = CURIA__INTERNAL__V1__STATE_CHUNK_REPLY__INIT;
        reply.data = (ProtobufCBinaryData){data.len, (uint8_t *)(uintptr_t)data.data};
        reply.crc32c = cu_crc32c(0, data.data, data.len);
        cu_rq_reply(giving->rq, &reply.base, 0);
    }
    free(giving);
}

static void chunk(void *daemon, struct cu_rq *rq)
{
    struct catalog_shell *shell = daemon;
    const Curia__Internal__V1__StateChunkRequest *in = (const void *)rq->in;
    struct catalog_id transfer = catalog_id_of(in->transfer);
    catalog_giver_chunk(shell->giver, &transfer, in->offset, on_chunk, giving_of(rq));
}

static void done(void *daemon, struct cu_rq *rq)
{
    struct catalog_shell *shell = daemon;
    const Curia__Internal__V1__StateDoneRequest *in = (const void *)rq->in;
    struct catalog_id transfer = catalog_id_of(in->transfer);
    catalog_giver_done(shell->giver, &transfer);
    Curia__Internal__V1__StateDoneReply reply = CURIA__INTERNAL__V1__STATE_DONE_REPLY__INIT;
    cu_rq_reply(rq, &reply.base, 0);
}

/* What other replicas compare theirs with. */
struct hashes {
    struct catalog_mark marks[CATALOG_MARKS_MAX];
    uint8_t bytes[CATALOG_MARKS_MAX][CATALOG_HASH_BYTES];
    Curia__Internal__V1__HashMark wire[CATALOG_MARKS_MAX], *lines[CATALOG_MARKS_MAX];
};

static size_t list_hashes(const struct catalog_shell *shell, const struct catalog_mark *now,
                          struct hashes *ret_hashes)
{
    size_t count =
        catalog_marks_list(catalog_applier_marks(shell->applier), now, ret_hashes->marks);
    for (size_t i = 0; i < count; i++) {
        Curia__Internal__V1__HashMark *wire = ret_hashes->lines[i] = &ret_hashes->wire[i];
        curia__internal__v1__hash_mark__init(wire);
        catalog_hash_to_bytes(ret_hashes->marks[i].hash, ret_hashes->bytes[i]);
        wire->index = ret_hashes->marks[i].index;
        wire->hash = (ProtobufCBinaryData){CATALOG_HASH_BYTES, ret_hashes->bytes[i]};
    }
    return count;
}

static void hash(void *daemon, struct cu_rq *rq)
{
    struct catalog_shell *shell = daemon;
    const struct catalog_facts *facts = catalog_shell_facts(shell);
    struct catalog_id cluster = facts->position.cluster;
    struct hashes hashes;
    uint8_t now[CATALOG_HASH_BYTES];
    catalog_hash_to_bytes(facts->hash, now);
    Curia__Internal__V1__StateHashReply reply = CURIA__INTERNAL__V1__STATE_HASH_REPLY__INIT;
    reply.index = facts->position.index;
    reply.hash = (ProtobufCBinaryData){sizeof(now), now};
    reply.cluster_id = (ProtobufCBinaryData){CATALOG_ID_BYTES, cluster.bytes};
    reply.n_marks =
        list_hashes(shell, &(struct catalog_mark){facts->position.index, facts->hash}, &hashes);
    reply.marks = hashes.lines;
    cu_rq_reply(rq, &reply.base, 0);
}

// clang-format off
static const struct cu_method methods[] = {
    /*        method kind     route      caller         permission request  reply    handler */
    CU_METHOD(Offer, CU_CALL, ROUTE_ANY, CALLER_READER, NO_PERM,   1 * KIB, 64 * KIB, offer),
    CU_METHOD(Chunk, CU_CALL, ROUTE_ANY, CALLER_READER, NO_PERM,   1 * KIB, 1 * MIB,  chunk),
    CU_METHOD(Done,  CU_CALL, ROUTE_ANY, CALLER_READER, NO_PERM,   1 * KIB, 1 * KIB,  done),
    CU_METHOD(Hash,  CU_CALL, ROUTE_ANY, CALLER_READER, NO_PERM,   1 * KIB, 16 * KIB, hash),
};
/* clang-format on */

const struct cu_service catalog_state_service = {&curia__internal__v1__state__descriptor, methods,
                                                 CU_COUNT(methods)};
