/* md5.h - names of files, which the reference makes of an id this way (agent.md 10). Nothing else:
 * MD5 protects nothing. RFC 1321. */
#ifndef AGENT_MD5_H
#define AGENT_MD5_H

#include "common/base/buf.h"

enum { AGENT_MD5_TEXT_BYTES = 33 /* with the NUL */ };

/* Lower-case hex digits. Returns `text`. */
char *agent_md5_text(struct cu_bytes data, char text[AGENT_MD5_TEXT_BYTES]);

#endif
