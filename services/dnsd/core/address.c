#include "services/dnsd/core/address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

enum { V4_BYTES = 4, V6_BYTES = 16, NIBBLES = 32 };

static bool take_ip(struct dns_address *address, const char *text)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (inet_pton(AF_INET, text, address->ip) == 1) {
        address->kind = DNS_IPV4;
        return true;
    }
    if (inet_pton(AF_INET6, text, address->ip) != 1)
        return false;
    address->kind = DNS_IPV6;
    if (memcmp(address->ip, mapped, sizeof mapped) == 0) {
        address->kind = DNS_IPV4;
        memmove(address->ip, address->ip + sizeof mapped, V4_BYTES);
    }
    return true;
}

void dns_address_init(struct dns_address *address, const char *text)
{
    struct dns_name name;
    *address = (struct dns_address){0};
    if (!*text || take_ip(address, text) || dns_name_of_text(cu_bytes_of(text), &name))
        return;
    address->kind = DNS_HOST_NAME;
    address->name = (struct cu_bytes){cu_memdup(name.bytes, name.len), name.len};
}

void dns_address_deinit(struct dns_address *address)
{
    free((void *)(uintptr_t)address->name.data);
    *address = (struct dns_address){0};
}

bool dns_address_is_ip(const struct dns_address *address)
{
    return address->kind == DNS_IPV4 || address->kind == DNS_IPV6;
}

struct cu_bytes dns_address_ip(const struct dns_address *address)
{
    CU_ASSERT(dns_address_is_ip(address));
    return (struct cu_bytes){address->ip, address->kind == DNS_IPV4 ? V4_BYTES : V6_BYTES};
}

bool dns_address_equal(const struct dns_address *a, const struct dns_address *b)
{
    if (a->kind != b->kind)
        return false;
    if (dns_address_is_ip(a))
        return cu_bytes_equal(dns_address_ip(a), dns_address_ip(b));
    return cu_bytes_equal(a->name, b->name);
}

bool dns_address_suits(const struct dns_address *address, unsigned type)
{
    bool any = type == DNS_SRV || type == DNS_ANY || type == DNS_NS || type == DNS_TXT;
    return (address->kind == DNS_IPV4 && (any || type == DNS_A)) ||
           (address->kind == DNS_IPV6 && (any || type == DNS_AAAA));
}

void dns_endpoint_deinit(struct dns_endpoint *endpoint)
{
    dns_address_deinit(&endpoint->plain);
    dns_address_deinit(&endpoint->ipv4);
    dns_address_deinit(&endpoint->ipv6);
}

const struct dns_address *dns_endpoint_pick(const struct dns_endpoint *endpoint, unsigned type)
{
    if (endpoint->ipv6.kind && type != DNS_A)
        return &endpoint->ipv6;
    if (endpoint->ipv4.kind && type != DNS_AAAA)
        return &endpoint->ipv4;
    return &endpoint->plain;
}

/* ---- reverse names ---- */

static bool is_label(struct cu_bytes label, const char *word)
{
    return cu_bytes_equal(label, cu_bytes_of(word));
}

/* 0 to 255 as an IP prints it: no zero in front. */
static bool read_octet(struct cu_bytes label, uint8_t *ret)
{
    unsigned value = 0;
    if (label.len == 0 || label.len > 3 || (label.data[0] == '0' && label.len > 1))
        return false;
    for (size_t i = 0; i < label.len; i++) {
        if (label.data[i] < '0' || label.data[i] > '9')
            return false;
        value = value * 10 + (label.data[i] - '0');
    }
    *ret = (uint8_t)value;
    return value <= 255;
}

static bool read_nibble(struct cu_bytes label, uint8_t *ret)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = label.len == 1 && label.data[0] ? strchr(digits, label.data[0]) : NULL;
    if (!at)
        return false;
    *ret = (uint8_t)(at - digits);
    return true;
}

static bool read_v4(const struct cu_bytes *labels, struct dns_address *ip)
{
    ip->kind = DNS_IPV4;
    for (size_t i = 0; i < V4_BYTES; i++)
        if (!read_octet(labels[i], &ip->ip[V4_BYTES - 1 - i]))
            return false;
    return true;
}

static bool read_v6(const struct cu_bytes *labels, struct dns_address *ip)
{
    ip->kind = DNS_IPV6;
    for (size_t i = 0; i < V6_BYTES; i++) {
        uint8_t low, high;
        if (!read_nibble(labels[2 * i], &low) || !read_nibble(labels[2 * i + 1], &high))
            return false;
        ip->ip[V6_BYTES - 1 - i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool dns_reverse_parse(const struct dns_name *lower, struct dns_address *ret_ip)
{
    struct cu_bytes labels[DNS_LABELS];
    size_t count = dns_name_labels(lower, lower->len, labels);
    *ret_ip = (struct dns_address){0};
    if (count < 2 || !is_label(labels[count - 1], "arpa"))
        return false;
    if (count == V4_BYTES + 2 && is_label(labels[count - 2], "in-addr"))
        return read_v4(labels, ret_ip);
    return count == NIBBLES + 2 && is_label(labels[count - 2], "ip6") && read_v6(labels, ret_ip);
}
