/* file.h - the file that remembers the members (gossip.md 20): lines are appended, now and then
 * it is written anew. One worker, "gossip-file", does all that touches the disk, first in, first
 * out; what comes while it works goes with its next job. */
#ifndef GOSSIP_IO_FILE_H
#define GOSSIP_IO_FILE_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/log/log.h"
#include "common/loop/loop.h"

enum {
    FILE_MAX_BYTES = 64 * 1024 * 1024, /* our own file: more is a mistake of somebody's */
    FILE_RETRY_MS = 30000              /* after a write that failed (gossip.md 20) */
};

struct gossip_file;

/* Opens DIR/serf/local.snapshot, creating folder and file, and gives what it holds: whole lines; a
 * last line that was torn is cut off. A rest of a compaction that was cut short is removed.
 *
 *   ret_found  appended to
 * Errors: CU_E_IO; CU_E_TOO_LARGE. */
CU_MUST_USE enum cu_err gossip_file_open(const char *data_dir, struct cu_loop *loop,
                                         struct cu_log *log, struct cu_buf *ret_found,
                                         struct gossip_file **ret_file, struct cu_diag *diag);

/* Writes what is still to be written, syncs, closes. Takes NULL. Blocks. */
void gossip_file_close(struct gossip_file *file);

/* Appends a line (without its newline), at the end of the turn; `sync`: and makes it durable. */
void gossip_file_append(struct gossip_file *file, const char *line, bool sync);

/* The file's length with all that was appended. */
uint64_t gossip_file_bytes(const struct gossip_file *file);
/* Whether writing it anew may be asked for: not while one is under way, nor soon after a failure.
 */
bool gossip_file_may_rewrite(const struct gossip_file *file);
/* Replaces the file by `whole` (taken), durably: PATH.compact, then renamed. Lines appended from
 * here on follow it. */
void gossip_file_rewrite(struct gossip_file *file, struct cu_buf *whole);

#endif
