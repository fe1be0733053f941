#include "common/conf/network.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/base/num.h"

static unsigned bits_of(int family)
{
    return family == AF_INET ? 32 : 128;
}

/* The family, or 0: no address. */
static int parse_ip(const char *text, uint8_t ip[16])
{
    int family = strchr(text, ':') ? AF_INET6 : AF_INET;
    return inet_pton(family, text, ip) == 1 ? family : 0;
}

enum cu_err cu_network_parse(const char *text, struct cu_network *ret_network)
{
    struct cu_network network = {0};
    char ip[INET6_ADDRSTRLEN] = "";
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    uint64_t bits = 0;
    if (len >= sizeof ip || (slash && cu_parse_u64(slash + 1, strlen(slash + 1), &bits)))
        return CU_E_INVALID;
    memcpy(ip, text, len);
    network.family = parse_ip(ip, network.ip);
    if (!network.family || bits > bits_of(network.family))
        return CU_E_INVALID;
    network.bits = slash ? (unsigned)bits : bits_of(network.family);
    *ret_network = network;
    return CU_OK;
}

bool cu_network_has(const struct cu_network *network, int family, const uint8_t *ip)
{
    if (network->family != family)
        return false;
    for (unsigned bit = 0; bit < network->bits; bit++)
        if ((network->ip[bit / 8] ^ ip[bit / 8]) & (0x80 >> bit % 8))
            return false;
    return true;
}

bool cu_network_has_text(const struct cu_network *network, const char *ip)
{
    uint8_t bytes[16];
    int family = parse_ip(ip, bytes);
    return family && cu_network_has(network, family, bytes);
}
