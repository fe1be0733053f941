/* network.h - a range of addresses, as configuration writes it: "10.0.0.0/8", "fd00::/8", or one
 * address alone. */
#ifndef CU_CONF_NETWORK_H
#define CU_CONF_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"

struct cu_network {
    int family;     /* AF_INET, AF_INET6 */
    uint8_t ip[16]; /* network order; IPv4: the first four */
    unsigned bits;  /* of ip that count */
};

/* An address alone is the network of itself. CU_E_INVALID. */
CU_MUST_USE enum cu_err cu_network_parse(const char *text, struct cu_network *ret_network);

/* `ip` has 4 or 16 bytes, as the family says. */
bool cu_network_has(const struct cu_network *network, int family, const uint8_t *ip);
/* "10.1.2.3"; what is no address is in no network. */
bool cu_network_has_text(const struct cu_network *network, const char *ip);

#endif
