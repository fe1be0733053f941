/* meta.h - the four records that log.db keeps beside its entries, as bytes.
 *
 * Each is u32 CRC-32C (of the record's name and what follows), u8 format 1, then its fields,
 * little-endian; headers and configurations as protobuf. A record that fails its check is
 * CU_E_CORRUPT: old or new, never garbage (consensus.md 21.53). */
#ifndef RAFT_META_H
#define RAFT_META_H

#include "common/base/err.h"
#include "services/raftd/core/raft.h"

/* One row: the three are only true together. */
struct raft_term_record {
    uint64_t term;
    struct raft_id vote;
    uint64_t incarnation;
};

/* Writers append. Readers leave ret_x untouched on failure. */
void raft_meta_write_term(struct cu_buf *buf, const struct raft_term_record *record);
void raft_meta_write_start(struct cu_buf *buf, const struct raft_header *start);
void raft_meta_write_promise(struct cu_buf *buf, const struct raft_promise *promise);
void raft_meta_write_recovery(struct cu_buf *buf, const struct raft_recovery *recovery);

CU_MUST_USE enum cu_err raft_meta_read_term(struct cu_bytes bytes,
                                            struct raft_term_record *ret_record,
                                            struct cu_diag *diag);
CU_MUST_USE enum cu_err raft_meta_read_start(struct cu_bytes bytes, struct raft_header *ret_start,
                                             struct cu_diag *diag);
CU_MUST_USE enum cu_err raft_meta_read_promise(struct cu_bytes bytes,
                                               struct raft_promise *ret_promise,
                                               struct cu_diag *diag);
CU_MUST_USE enum cu_err raft_meta_read_recovery(struct cu_bytes bytes,
                                                struct raft_recovery *ret_recovery,
                                                struct cu_diag *diag);

#endif
