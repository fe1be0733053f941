/* fault_vfs.h - SQLite's file layer with a fault: the Nth write, sync or truncation fails.
 *
 * What was written before stays, as on a disk that fills up or breaks. One fault at a time. */
#ifndef TESTS_LIB_FAULT_VFS_H
#define TESTS_LIB_FAULT_VFS_H

#include "tests/lib/fault.h"

/* Registers the layer once and gives its name for struct cu_db_options. */
const char *fault_vfs(void);

/* Counts from here on; NULL: nothing fails. Borrowed. `code` is SQLite's, as SQLITE_FULL. */
void fault_vfs_arm(struct fault *fault, int code);

#endif
