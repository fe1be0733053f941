/* target.h - takes a request's target apart: decoded path, raw query (http-api.md 1.1). */
#ifndef AGENT_TARGET_H
#define AGENT_TARGET_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"

struct agent_target {
    struct cu_bytes path;  /* decoded once; begins with '/' */
    struct cu_bytes query; /* as sent, without '?' */
};

/* `raw` is what stood in the request line: "/v1/kv/a%20b?recurse", or with scheme and host before
 * it. The query is borrowed from it, the path is in the arena. CU_E_INVALID: no path, a bad percent
 * escape, or a control character; CU_E_TOO_LARGE: the arena is full. */
CU_MUST_USE enum cu_err agent_target_parse(struct cu_bytes raw, struct cu_arena *arena,
                                           struct agent_target *ret_target);

/* The bytes that `escaped` stands for, in `ret_bytes`, which has room for escaped.len of them;
 * plus_is_blank as in queries. CU_E_INVALID: a bad percent escape; then some are written. */
CU_MUST_USE enum cu_err agent_unescape(struct cu_bytes escaped, bool plus_is_blank,
                                       uint8_t *ret_bytes, size_t *ret_len);

/* No control, format, private or separator character but the ASCII blank. */
bool agent_path_is_printable(struct cu_bytes path);

/* True when `path` has no "//", "/./" or "/../" in it. Otherwise the path without them, which is
 * where the client is sent, is appended to `clean`. */
bool agent_path_is_clean(struct cu_bytes path, struct cu_buf *clean);

/* Appends the path escaped for a Location header. */
void agent_path_escape(struct cu_buf *out, struct cu_bytes path);

#endif
