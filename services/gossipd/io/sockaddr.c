#include "services/gossipd/io/sockaddr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

socklen_t gossip_sockaddr_of(struct gossip_addr addr, int family, union gossip_sockaddr *ret)
{
    memset(ret, 0, sizeof *ret);
    if (family == AF_INET && addr.ip.len == 4) {
        ret->v4.sin_family = AF_INET;
        ret->v4.sin_port = htons(addr.port);
        memcpy(&ret->v4.sin_addr, addr.ip.bytes, 4);
        return sizeof ret->v4;
    }
    if (family != AF_INET6 || !addr.ip.len)
        return 0;
    ret->v6.sin6_family = AF_INET6;
    ret->v6.sin6_port = htons(addr.port);
    if (addr.ip.len == 16) {
        memcpy(&ret->v6.sin6_addr, addr.ip.bytes, 16);
    } else { /* RFC 4291, 2.5.5.2 */
        memset(&ret->v6.sin6_addr.s6_addr[10], 0xff, 2);
        memcpy(&ret->v6.sin6_addr.s6_addr[12], addr.ip.bytes, 4);
    }
    return sizeof ret->v6;
}

struct gossip_addr gossip_addr_of(const union gossip_sockaddr *from)
{
    struct gossip_addr addr = {0};
    if (from->any.sa_family == AF_INET) {
        addr.ip = gossip_ip_of((struct cu_bytes){(const uint8_t *)&from->v4.sin_addr, 4});
        addr.port = ntohs(from->v4.sin_port);
    } else if (from->any.sa_family == AF_INET6) {
        addr.ip = gossip_ip_of((struct cu_bytes){from->v6.sin6_addr.s6_addr, 16});
        addr.port = ntohs(from->v6.sin6_port);
    }
    return addr;
}

char *gossip_ip_text(struct gossip_ip ip, char text[GOSSIP_IP_TEXT_BYTES])
{
    if (!ip.len ||
        !inet_ntop(ip.len == 4 ? AF_INET : AF_INET6, ip.bytes, text, GOSSIP_IP_TEXT_BYTES))
        text[0] = '\0';
    return text;
}

bool gossip_ip_parse(const char *text, struct gossip_ip *ret_ip)
{
    uint8_t bytes[16];
    size_t len = inet_pton(AF_INET, text, bytes) == 1    ? 4
                 : inet_pton(AF_INET6, text, bytes) == 1 ? 16
                                                         : 0;
    if (len)
        *ret_ip = gossip_ip_of((struct cu_bytes){bytes, len});
    return len > 0;
}

const char *gossip_bind_failure(int error)
{
    switch (error) {
    case EADDRINUSE:
        return "Address already in use: another process listens on it";
    case EADDRNOTAVAIL:
        return "no address of this host: see bind_addr and serf_lan";
    default:
        return strerror(error);
    }
}
