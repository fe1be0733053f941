#include "common/conf/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>

/* RFC 1918 and RFC 6598, as the reference counts private addresses. */
static bool is_private(uint32_t ip)
{
    return ip >> 24 == 10 || ip >> 20 == 0xac1 || ip >> 16 == 0xc0a8 || ip >> 22 == 0x191;
}

static enum cu_err only_private(char ret_ip[CU_IP_BYTES], struct cu_diag *diag)
{
    struct ifaddrs *all;
    if (getifaddrs(&all))
        return cu_fail(diag, CU_E_IO, "cannot list the addresses of this host");
    uint32_t found = 0;
    unsigned count = 0;
    for (struct ifaddrs *at = all; at; at = at->ifa_next) {
        if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET)
            continue;
        struct sockaddr_in in;
        memcpy(&in, at->ifa_addr, sizeof in);
        uint32_t ip = ntohl(in.sin_addr.s_addr);
        if (!is_private(ip) || ip == found)
            continue;
        found = ip;
        count++;
    }
    freeifaddrs(all);
    if (count > 1)
        return cu_fail(diag, CU_E_INVALID,
                       "Multiple private IPv4 addresses found. Please configure one with 'bind' "
                       "and/or 'advertise'.");
    if (!count)
        return cu_fail(diag, CU_E_INVALID, "No private IPv4 address found");
    struct in_addr address = {.s_addr = htonl(found)};
    (void)inet_ntop(AF_INET, &address, ret_ip, CU_IP_BYTES);
    return CU_OK;
}

enum cu_err cu_conf_advertise(const struct cu_conf *conf, char ret_ip[CU_IP_BYTES],
                              struct cu_diag *diag)
{
    const char *ip = cu_conf_text(conf, "advertise_addr");
    if (!*ip)
        ip = cu_conf_text(conf, "bind_addr");
    if (!strcmp(ip, "0.0.0.0") || !strcmp(ip, "::"))
        return only_private(ret_ip, diag);
    (void)snprintf(ret_ip, CU_IP_BYTES, "%s", ip);
    return CU_OK;
}
