#include "services/gossipd/core/message.h"

#include <string.h>

bool gossip_name_is_fit(struct cu_bytes name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] < ' ' || name.data[i] == 0x7f)
            return false;
    return name.len && name.len <= GOSSIP_NAME_MAX_BYTES;
}

bool gossip_ip_equal(struct gossip_ip a, struct gossip_ip b)
{
    return a.len == b.len && memcmp(a.bytes, b.bytes, a.len) == 0;
}

bool gossip_addr_equal(struct gossip_addr a, struct gossip_addr b)
{
    return a.port == b.port && gossip_ip_equal(a.ip, b.ip);
}

struct gossip_ip gossip_ip_of(struct cu_bytes bytes)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; /* RFC 4291, 2.5.5.2 */
    struct gossip_ip ip = {0};
    if (bytes.len != 4 && bytes.len != 16)
        return ip;
    size_t skip =
        bytes.len == 16 && memcmp(bytes.data, mapped, sizeof mapped) == 0 ? sizeof mapped : 0;
    ip.len = (uint8_t)(bytes.len - skip);
    memcpy(ip.bytes, bytes.data + skip, ip.len);
    return ip;
}

bool gossip_versions_equal(struct gossip_versions a, struct gossip_versions b)
{
    if (!a.known || !b.known)
        return a.known == b.known;
    return a.pmin == b.pmin && a.pmax == b.pmax && a.pcur == b.pcur && a.dmin == b.dmin &&
           a.dmax == b.dmax && a.dcur == b.dcur;
}
