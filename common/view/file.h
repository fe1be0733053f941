/* file.h - the last known good view as a file (contracts 7.6): rows, and where they stood.
 *
 *     "CURIAVW\n" | u32 version | u32 topics, each u8 length and name
 *     | 16 bytes cluster id | u64 epoch | u64 index | u64 wall_ms | u64 rows
 *     | rows: u8 topic | u64 create | u64 modify | u32 key length | u32 row length | key | row
 *     | u32 CRC-32C of all before
 *
 * Integers are little-endian. */
#ifndef CU_VIEW_FILE_H
#define CU_VIEW_FILE_H

#include "common/base/err.h"
#include "common/view/rows.h"

enum {
    VIEW_FILE_VERSION = 1,
    VIEW_FILE_KEY_BYTES_MAX = 64 * 1024,
    VIEW_FILE_ROW_BYTES_MAX = 2 * 1024 * 1024, /* more than an entry of the log can hold */
    VIEW_FILE_BYTES_MAX = 512 * 1024 * 1024,   /* a larger one is neither written nor read */
};

struct view_file {
    struct cu_mirror_position position;
    uint64_t wall_ms; /* when it was known to be the newest */
    char *const *topics;
    size_t topic_count;
};

/* `rows` are `count` rows of those topics. */
void view_file_encode(const struct view_file *file, struct view_row *const *rows, size_t count,
                      struct cu_buf *ret_bytes);

/* Reads what was written for the topics in `file`, then fills in the rest of it. `visit` is called
 * for each row once all of it was found good; the row's bytes are borrowed from `bytes`. Errors:
 * CORRUPT; CONFLICT a newer version or other topics; nothing was visited then. Pure. */
CU_MUST_USE enum cu_err view_file_decode(struct cu_bytes bytes, struct view_file *file,
                                         void (*visit)(void *arg, const struct cu_mirror_row *row),
                                         void *arg, struct cu_diag *diag);

/* Writes the bytes beside `path`, syncs, renames, and syncs the folder, which is made when missing
 * (its parent is not). Blocks. Errors: TOO_LARGE, IO. */
CU_MUST_USE enum cu_err view_file_write(const char *path, struct cu_bytes bytes,
                                        struct cu_diag *diag);
/* Errors: NOT_FOUND, TOO_LARGE, IO. Blocks. */
CU_MUST_USE enum cu_err view_file_read(const char *path, struct cu_buf *ret_bytes,
                                       struct cu_diag *diag);

#endif
