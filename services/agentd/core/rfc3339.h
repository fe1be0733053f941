/* rfc3339.h - a point in time as clients write it (RFC 3339 section 5.6). */
#ifndef AGENT_RFC3339_H
#define AGENT_RFC3339_H

#include <stdbool.h>
#include <stdint.h>

/* "2026-11-20T10:38:10.370035905Z", or with "+01:00": ms since 1970, rounded down. The zero time of
 * Go, "0001-01-01T00:00:00Z", is 0; whatever else lies before 1970 is 1. False: it is no time. */
bool agent_time_parse(const char *text, uint64_t *ret_ms);

#endif
