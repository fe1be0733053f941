/* log.h - what a daemon says on stdout, a line an event: `TIMESTAMP [LEVEL]  DAEMON: event:
 * key=value` (agent.md 25). */
#ifndef CU_LOG_LOG_H
#define CU_LOG_LOG_H

#include <stdbool.h>

#include "common/base/err.h"

enum cu_log_level {
    CU_LOG_TRACE,
    CU_LOG_DEBUG,
    CU_LOG_INFO,
    CU_LOG_WARN,
    CU_LOG_ERROR,
    CU_LOG_LEVEL_COUNT
};

struct cu_log;

/* `daemon` is borrowed. Writes to `fd` (1 in daemons), whole lines. */
struct cu_log *cu_log_new(const char *daemon, int fd, enum cu_log_level level, bool as_json);
void cu_log_free(struct cu_log *log);
void cu_log_set_level(struct cu_log *log, enum cu_log_level level);
bool cu_log_is_on(const struct cu_log *log, enum cu_log_level level);

/* "trace", "debug", "info", "warn", "err", "error", in any case. CU_E_INVALID otherwise. */
CU_MUST_USE enum cu_err cu_log_level_parse(const char *name, enum cu_log_level *ret_level);

/* event "member.state", then `key=value` pairs made by fmt; values with blanks are to be quoted by
 * the caller with
 * \"%s\". Any thread. NULL log: nothing. Control characters in the line are replaced by '?'. */
void cu_log_write(struct cu_log *log, enum cu_log_level level, const char *event, const char *fmt,
                  ...) CU_PRINTF(4, 5);

/* For what a remote peer can cause: at most `per_second` lines a second for this site; what was
 * held back is said with the next line (`suppressed=N`). Zero-initialise the limit. Loop's thread.
 */
struct cu_log_limit {
    unsigned per_second; /* 0: 1 */
    unsigned long long second, said, suppressed;
};
void cu_log_limited(struct cu_log *log, struct cu_log_limit *limit, enum cu_log_level level,
                    const char *event, const char *fmt, ...) CU_PRINTF(5, 6);

#define cu_debug(log, event, ...)                                                                  \
    (cu_log_is_on(log, CU_LOG_DEBUG) ? cu_log_write(log, CU_LOG_DEBUG, event, __VA_ARGS__)         \
                                     : (void)0)
#define cu_info(log, event, ...)  cu_log_write(log, CU_LOG_INFO, event, __VA_ARGS__)
#define cu_warn(log, event, ...)  cu_log_write(log, CU_LOG_WARN, event, __VA_ARGS__)
#define cu_error(log, event, ...) cu_log_write(log, CU_LOG_ERROR, event, __VA_ARGS__)

#endif
