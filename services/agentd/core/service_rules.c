#include "services/agentd/core/service_rules.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/base/err.h"

bool agent_kind_is_proxy(const char *kind)
{
    static const char *const kinds[] = {"connect-proxy", "mesh-gateway", "terminating-gateway",
                                        "ingress-gateway"};
    for (size_t i = 0; i < CU_COUNT(kinds); i++)
        if (strcmp(kind, kinds[i]) == 0)
            return true;
    return false;
}

int agent_ip_family(const char *address)
{
    uint8_t ip[16];
    if (inet_pton(AF_INET, address, ip) == 1)
        return 4;
    return inet_pton(AF_INET6, address, ip) == 1 ? 6 : 0;
}

bool agent_tagged_addresses_validate(const Curia__V1__ServiceAddresses *addresses,
                                     struct cu_buf *out)
{
    static const struct {
        const char *tag;
        int family;
    } rules[] = {{"lan_ipv4", 4}, {"lan_ipv6", 6}, {"wan_ipv4", 4}, {"wan_ipv6", 6}};
    for (size_t i = 0; addresses && i < addresses->n_entries; i++)
        for (size_t r = 0; r < CU_COUNT(rules); r++)
            if (strcmp(addresses->entries[i]->key, rules[r].tag) == 0 &&
                agent_ip_family(addresses->entries[i]->value->address) != rules[r].family) {
                cu_buf_printf(out, "Service tagged address \"%s\" must be a valid ipv%d address",
                              rules[r].tag, rules[r].family);
                return false;
            }
    return true;
}
