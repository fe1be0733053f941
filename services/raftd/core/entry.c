#include "services/raftd/core/entry.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/hash.h"

bool raft_id_equal(struct raft_id a, struct raft_id b)
{
    return !memcmp(a.bytes, b.bytes, sizeof a.bytes);
}

bool raft_id_is_none(struct raft_id id)
{
    return raft_id_equal(id, (struct raft_id){{0}});
}

int raft_id_compare(struct raft_id a, struct raft_id b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes);
}

struct raft_body *raft_body_new(struct cu_bytes bytes)
{
    struct raft_body *body = malloc(sizeof *body + bytes.len);
    CU_ASSERT(body && bytes.len <= UINT32_MAX);
    body->refs = 1;
    body->len = (uint32_t)bytes.len;
    if (bytes.len)
        memcpy(body->data, bytes.data, bytes.len);
    return body;
}

struct raft_body *raft_body_ref(struct raft_body *body)
{
    if (body)
        body->refs++;
    return body;
}

void raft_body_unref(struct raft_body *body)
{
    if (!body)
        return;
    CU_ASSERT(body->refs);
    if (--body->refs == 0)
        free(body);
}

struct cu_bytes raft_entry_body(const struct raft_entry *entry)
{
    return entry->body ? (struct cu_bytes){entry->body->data, entry->body->len}
                       : (struct cu_bytes){NULL, 0};
}

static uint8_t *put(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        *at++ = (uint8_t)(value >> (8 * i));
    return at;
}

uint32_t raft_entry_checksum(const struct raft_entry *entry)
{
    uint8_t head[80];
    uint8_t *at = put(head, entry->index, 8);
    at = put(at, entry->term, 8);
    at = put(at, (uint64_t)entry->kind, 4);
    at = put(at, entry->wall_ms, 8);
    at = put(at, entry->lease_ms, 8);
    memcpy(at, entry->proposer.bytes, sizeof entry->proposer.bytes);
    at = put(at + sizeof entry->proposer.bytes, entry->seq, 8);
    at = put(at, entry->if_term, 8);
    at = put(at, entry->level, 4);
    uint32_t crc = cu_crc32c(0, head, (size_t)(at - head));
    struct cu_bytes body = raft_entry_body(entry);
    return cu_crc32c(crc, body.data, body.len);
}
