#include "services/gossipd/core/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/base/num.h"

char *gossip_addr_format(struct gossip_addr addr, char text[GOSSIP_ADDR_TEXT_BYTES])
{
    char ip[INET6_ADDRSTRLEN] = "";
    bool is_v6 = addr.ip.len == 16;
    if (addr.ip.len)
        (void)inet_ntop(is_v6 ? AF_INET6 : AF_INET, addr.ip.bytes, ip, sizeof ip);
    (void)snprintf(text, GOSSIP_ADDR_TEXT_BYTES, is_v6 ? "[%s]:%u" : "%s:%u", ip, addr.port);
    return text;
}

static bool parse_ip(const char *text, bool is_v6, struct gossip_ip *ret_ip)
{
    uint8_t bytes[16];
    if (inet_pton(is_v6 ? AF_INET6 : AF_INET, text, bytes) != 1)
        return false;
    *ret_ip = gossip_ip_of((struct cu_bytes){bytes, is_v6 ? 16 : 4});
    return true;
}

bool gossip_addr_parse(struct cu_bytes bytes, struct gossip_addr *ret_addr)
{
    char text[GOSSIP_ADDR_TEXT_BYTES] = "";
    if (!bytes.len || bytes.len >= sizeof text || memchr(bytes.data, 0, bytes.len))
        return false;
    memcpy(text, bytes.data, bytes.len);
    char *ip = text, *colon = strrchr(text, ':');
    if (!colon)
        return false;
    *colon = 0;
    bool is_v6 = *ip == '[';
    if (is_v6) {
        if (colon[-1] != ']')
            return false;
        colon[-1] = 0;
        ip++;
    }
    uint64_t port = 0;
    struct gossip_addr addr = {0};
    if (cu_parse_u64(colon + 1, strlen(colon + 1), &port) || port > UINT16_MAX ||
        !parse_ip(ip, is_v6, &addr.ip))
        return false;
    addr.port = (uint16_t)port;
    *ret_addr = addr;
    return true;
}
