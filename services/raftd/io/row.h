/* row.h - one entry as bytes on disk: the value of its index in log.db.
 *
 *     0   u8   format, 1
 *     1   u8   kind
 *     2   u16  zero
 *     4   u32  raft_entry_checksum() of the entry, its index included
 *     8   u64  term
 *    16   u64  wall_ms
 *    24   u64  lease_ms
 *    32   16   proposer
 *    48   u64  seq
 *    56   u64  if_term
 *    64   u32  level
 *    68   ..   body
 *
 * All numbers little-endian. A row moved to another index fails its checksum. */
#ifndef RAFT_ROW_H
#define RAFT_ROW_H

#include "common/base/err.h"
#include "services/raftd/core/entry.h"

enum { RAFT_ROW_FORMAT = 1, RAFT_ROW_HEAD_BYTES = 68 };

/* Appends the row of `entry`. */
void raft_row_write(struct cu_buf *buf, const struct raft_entry *entry);

/* The entry that `row` holds for `index`; its body is a reference of yours. Errors: CU_E_CORRUPT:
 * not what raft_row_write() made for this index, diag says what differs. */
CU_MUST_USE enum cu_err raft_row_read(struct cu_bytes row, uint64_t index,
                                      struct raft_entry *ret_entry, struct cu_diag *diag);

#endif
