/* address.h - the address that others are told, where none is configured. */
#ifndef CU_CONF_ADDRESS_H
#define CU_CONF_ADDRESS_H

#include "common/conf/conf.h"

enum { CU_IP_BYTES = 46 };

/* advertise_addr, else bind_addr, else (a wildcard) the host's only private IPv4. Asks the kernel.
 * Errors: CU_E_INVALID with the texts of agent.md 2 when there is none, or more than one. */
CU_MUST_USE enum cu_err cu_conf_advertise(const struct cu_conf *conf, char ret_ip[CU_IP_BYTES],
                                          struct cu_diag *diag);

#endif
