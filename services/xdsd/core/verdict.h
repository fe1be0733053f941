/* verdict.h - whether a stream may be told of a proxy, from what its token may do (mesh.md 6.2).
 * Pure. */
#ifndef XDS_VERDICT_H
#define XDS_VERDICT_H

#include <stdint.h>

#include "common/acl/authorizer.h"
#include "common/base/err.h"

enum {
    XDS_RECHECK_MIN_MS = 500,       /* between two looks at the token of an open stream */
    XDS_RECHECK_MAX_MS = 300 * 1000 /* as often as the reference does */
};

enum xds_verdict {
    XDS_MAY,
    XDS_UNKNOWN_TOKEN, /* ended with Unauthenticated */
    XDS_LACKS_RIGHT,   /* with PermissionDenied */
    XDS_NO_VERDICT,    /* with Internal: the token cannot be one */
};

/* `err` and `authorizer` as cu_rights tells them: the authorizer is NULL with an error. The proxy
 * stands for `service`. */
enum xds_verdict xds_verdict(enum cu_err err, const struct cu_authorizer *authorizer,
                             const char *service);

/* When to look again, where what is known of the token is good for `fresh_ms`: just after that. */
uint64_t xds_recheck_ms(uint64_t fresh_ms);

#endif
