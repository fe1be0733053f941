/* entry.h - one entry of the replicated log, and where a log stands. */
#ifndef RAFT_ENTRY_H
#define RAFT_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

enum {
    RAFT_ENTRY_LIMIT_BYTES =
        1536 * 1024,       /* of the body (contracts 1.1); one more is TooLarge everywhere */
    RAFT_ENTRY_BATCH = 64, /* MaxAppendEntries (consensus.md 3) */
};

/* A node id, cluster id, proposer or ticket. All zero: none. */
struct raft_id {
    uint8_t bytes[16];
};

bool raft_id_equal(struct raft_id a, struct raft_id b);
bool raft_id_is_none(struct raft_id id);
int raft_id_compare(struct raft_id a, struct raft_id b);

enum raft_kind { RAFT_COMMAND = 1, RAFT_NOOP, RAFT_CONFIGURATION, RAFT_BARRIER };

/* Bytes that several holders share: the only reference count of raftd, since an entry is in the
 * log's tail, in a batch being written and in messages to peers at once. One thread, or handed over
 * whole. */
struct raft_body {
    uint32_t refs;
    uint32_t len;
    uint8_t data[];
};

struct raft_body *raft_body_new(struct cu_bytes bytes);  /* refs 1 */
struct raft_body *raft_body_ref(struct raft_body *body); /* takes NULL */
void raft_body_unref(struct raft_body *body);            /* takes NULL */

struct raft_entry {
    uint64_t index, term;
    enum raft_kind kind;
    uint64_t wall_ms, lease_ms;
    struct raft_id proposer; /* none: raftd itself */
    uint64_t seq, if_term;
    uint32_t level;
    struct raft_body *body; /* NULL: empty */
};

struct cu_bytes raft_entry_body(const struct raft_entry *entry);

/* CRC-32C over every field, little-endian, in the order of the struct, then the body. */
uint32_t raft_entry_checksum(const struct raft_entry *entry);

/* A position (contracts 3.1). index 0: before the first entry. */
struct raft_position {
    struct raft_id cluster;
    uint64_t index, term;
};

enum { RAFT_SERVERS_MAX = 32, RAFT_LINEAGE_MAX = 16 };

struct raft_server {
    struct raft_id id;
    uint64_t incarnation; /* 0: not known yet */
    bool is_voter;
};

struct raft_configuration {
    uint64_t index; /* of the entry that brought it; 0: none */
    uint32_t count;
    struct raft_server servers[RAFT_SERVERS_MAX];
};

struct raft_lineage {
    struct raft_id cluster;
    uint64_t last_index;
};

/* The start of a log, or the header of a state: what stands at one position (contracts 3.6). */
struct raft_header {
    struct raft_position position;
    uint64_t wall_ms, lease_ms; /* stamps of the entry there, so that they never decrease (3.2) */
    struct raft_configuration configuration;
    uint32_t lineage_count; /* earlier cluster ids; the present one is the position's */
    struct raft_lineage lineage[RAFT_LINEAGE_MAX];
};

/* The body of a configuration entry. Decoding checks every limit; CU_E_INVALID otherwise. */
struct raft_configuration_body {
    struct raft_configuration configuration;
    struct raft_id cluster, prior; /* cluster: set in entry 1 and after a recovery */
    uint64_t prior_last_index;
};

struct raft_body *raft_configuration_encode(const struct raft_configuration_body *body);
int raft_configuration_decode(struct cu_bytes bytes,
                              struct raft_configuration_body *ret_body); /* enum cu_err */

#endif
