/* gzip.h - compresses an answer (RFC 1952). */
#ifndef AGENT_GZIP_H
#define AGENT_GZIP_H

#include "common/base/buf.h"

enum { AGENT_GZIP_MIN_BYTES = 1400 }; /* a shorter body is sent as it is (http-api.md 1.5) */

/* Replaces what stands in `body` from `start` on by its compressed form. */
void agent_gzip(struct cu_buf *body, size_t start);

/* Whether an Accept-Encoding header (NULL: none) takes gzip. */
int agent_accepts_gzip(const char *accept_encoding);

#endif
