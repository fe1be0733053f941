/* address.h - socket addresses of listeners, made and bound. */
#ifndef DNS_IO_ADDRESS_H
#define DNS_IO_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "common/base/err.h"

/* A socket of `type` (SOCK_DGRAM, SOCK_STREAM), non-blocking, bound to an IP as text; of IPv6 for
 * IPv6 alone. CU_E_CONFLICT: somebody has it; CU_E_INVALID: no IP; CU_E_IO. `diag` says what to do.
 */
CU_MUST_USE enum cu_err dns_bind(const char *ip, unsigned port, int type, int *ret_fd,
                                 bool *ret_is_wildcard, struct cu_diag *diag);

#endif
