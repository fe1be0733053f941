/* endpoint.h - an address with a port, as text: an IPv6 address stands in brackets then (RFC 3986
 * section 3.2.2), or the last part of it would be the port. */
#ifndef CU_BASE_ENDPOINT_H
#define CU_BASE_ENDPOINT_H

#include <stdbool.h>

enum {
    CU_HOST_BYTES = 256,                    /* a DNS name of 255 bytes, or an IP address */
    CU_ENDPOINT_BYTES = CU_HOST_BYTES + 16, /* "tcp://[" host "]:65535" */
};

/* "127.0.0.1:8300", "[::1]:8300"; the host may have brackets already. Returns `text`. */
const char *cu_endpoint_text(const char *host, unsigned port, char text[CU_ENDPOINT_BYTES]);
/* "tcp://" before it. */
const char *cu_endpoint_url(const char *host, unsigned port, char url[CU_ENDPOINT_BYTES]);

/* The reverse. Takes "host", "host:port", "::1", "[::1]", "[::1]:port"; the host comes without
 * brackets, *ret_port is 0 where there is none. False: a port that is none, brackets that do not
 * match, a host that is empty or has 256 bytes. */
bool cu_endpoint_split(const char *text, char host[CU_HOST_BYTES], unsigned *ret_port);

#endif
