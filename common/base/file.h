/* file.h - puts bytes into a file whole, and makes the names in a folder last. */
#ifndef CU_BASE_FILE_H
#define CU_BASE_FILE_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/err.h"

/* Writes all of `bytes` at the descriptor's place, past interruptions and short writes; blocks.
 * False: errno says why, and a part may have been written. */
CU_MUST_USE bool cu_write_all(int fd, struct cu_bytes bytes);

/* Makes durable what was created, renamed or removed in the folder `path`, relative to the folder
 * `at` (a descriptor, or AT_FDCWD). False: errno says why. Blocks. */
CU_MUST_USE bool cu_sync_folder(int at, const char *path);

#endif
