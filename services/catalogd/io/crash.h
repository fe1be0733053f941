/* crash.h - remembers at which entry this program crashed, so that an entry that kills it does not
 * kill it for ever (contracts 6.6).
 *
 * A crash is an assertion or a fault signal; SIGKILL does not count. The note is the file
 * `crash`: index and count, 16 bytes, little-endian. */
#ifndef CATALOG_CRASH_H
#define CATALOG_CRASH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"

struct catalog_crash;

enum { CATALOG_CRASHES_MAX = 2 };

/* Opens the note in `folder` and catches the fault signals. One a process. Errors: CU_E_IO. */
CU_MUST_USE enum cu_err catalog_crash_open(const char *folder, struct catalog_crash **ret_crash,
                                           struct cu_diag *diag);
void catalog_crash_close(struct catalog_crash *crash); /* takes NULL; gives the signals back */

/* Whether applying this entry has crashed as often as is allowed. Any thread. */
bool catalog_crash_is_fatal(const struct catalog_crash *crash, uint64_t index);

/* From here on a crash is at `index`; 0: in no entry. Any thread, one at a time. */
void catalog_crash_at(struct catalog_crash *crash, uint64_t index);

#endif
