/* host.h - what a process asks of its host before it works: folders, lock, limits, a word to
 * systemd. */
#ifndef CU_DAEMON_HOST_H
#define CU_DAEMON_HOST_H

#include <stddef.h>
#include <sys/types.h>

#include "common/base/err.h"

/* Makes the folder and its parents (mode of the last one). CU_E_IO. */
CU_MUST_USE enum cu_err cu_host_make_dir(const char *path, mode_t mode, struct cu_diag *diag);

/* Opens `path`, locks it (flock) and writes our pid into it. The lock lasts while *ret_fd is open
 * and survives no process. Errors: CU_E_CONFLICT another process holds it (diag has its pid);
 * CU_E_IO. */
CU_MUST_USE enum cu_err cu_host_lock_pid_file(const char *path, int *ret_fd, struct cu_diag *diag);

/* Writes `len` bytes beside `path`, synced, and renames over it (mode 0600). CU_E_IO. */
CU_MUST_USE enum cu_err cu_host_write_private(const char *path, const void *data, size_t len,
                                              struct cu_diag *diag);

/* RLIMIT_NOFILE up to its hard limit, SIGPIPE ignored, and a line on stderr when we crash. */
void cu_host_prepare(const char *name);

/* Sends `READY=1` to the datagram socket of $NOTIFY_SOCKET, if there is one (sd_notify(3)). */
void cu_host_notify_ready(void);

#endif
