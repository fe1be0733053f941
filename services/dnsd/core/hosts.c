#include "services/dnsd/core/hosts.h"

#include <string.h>

#include "services/dnsd/core/form.h"

/* A host's records being gathered. */
struct gather {
    const struct dns_ask *ask;
    struct dns_record *list;
    size_t count, limit;
    struct cu_random random;
};

static void resolve(struct gather *gather, struct cu_bytes name, unsigned depth);

static void add(struct gather *gather, struct cu_bytes owner, enum dns_type type, uint32_t ttl_s,
                struct cu_bytes data)
{
    if (gather->count < gather->limit)
        gather->list[gather->count++] = (struct dns_record){owner, type, ttl_s, data};
}

static void add_address(struct gather *gather, struct cu_bytes owner, uint32_t ttl_s,
                        const struct dns_address *address, unsigned depth)
{
    if (dns_address_is_ip(address)) {
        add(gather, owner, address->kind == DNS_IPV4 ? DNS_A : DNS_AAAA, ttl_s,
            dns_address_ip(address));
    } else if (address->kind == DNS_HOST_NAME) {
        add(gather, owner, DNS_CNAME, ttl_s, address->name);
        resolve(gather, address->name, depth + 1);
    }
}

/* ---- names of the catalog's own ---- */

static void add_node(struct gather *gather, struct cu_bytes owner, struct cu_bytes key,
                     unsigned depth)
{
    const struct dns_node *node = dns_view_node(gather->ask->view, key);
    uint32_t ttl_s = gather->ask->settings->node_ttl_s;
    if (!node)
        return;
    add_address(gather, owner, ttl_s, dns_endpoint_pick(&node->at, DNS_ANY), depth);
    for (size_t i = 0; i < node->text_count; i++)
        add(gather, owner, DNS_TXT, ttl_s, node->texts[i]);
}

static const struct dns_address *address_of(const struct dns_instance *instance)
{
    const struct dns_address *own = dns_endpoint_pick(&instance->at, DNS_ANY);
    return own->kind ? own : dns_endpoint_pick(&instance->node->at, DNS_ANY);
}

/* From a random member on, so that not always the same ones are told. */
static const struct dns_instance *member(const struct gather *gather, const struct dns_group *group,
                                         uint32_t count, uint32_t i)
{
    struct cu_random random = gather->random;
    return group->members[(cu_random_below(&random, count) + i) % count].instance;
}

static void add_service(struct gather *gather, struct cu_bytes owner, enum dns_group_kind kind,
                        const struct dns_form *form, unsigned depth)
{
    const struct dns_settings *settings = gather->ask->settings;
    const struct dns_group *group = dns_view_group(gather->ask->view, kind, form->name, form->tag);
    uint32_t count = group ? dns_group_healthy(group, settings->only_passing) : 0;
    uint32_t ttl_s = dns_settings_ttl(settings, form->name);
    size_t before = gather->count;
    const struct dns_address *host = NULL;
    for (uint32_t i = 0; i < count && gather->count < gather->limit; i++) {
        const struct dns_instance *instance = member(gather, group, count, i);
        const struct dns_address *address = address_of(instance);
        if (!instance->node->has_row)
            continue;
        if (dns_address_is_ip(address))
            add_address(gather, owner, ttl_s, address, depth);
        else if (address->kind == DNS_HOST_NAME && !host)
            host = address;
    }
    if (gather->count == before && host)
        add_address(gather, owner, ttl_s, host, depth);
}

static void add_hex(struct gather *gather, struct cu_bytes owner, struct cu_bytes hex)
{
    struct dns_scratch *scratch = gather->ask->scratch;
    struct dns_address ip;
    if (scratch->ip_count == DNS_CHASE_NAMES || dns_hex_parse(hex, &ip) != DNS_HEX_GOOD)
        return;
    struct dns_address *kept = &scratch->ips[scratch->ip_count++];
    *kept = ip;
    add_address(gather, owner, gather->ask->settings->node_ttl_s, kept, 0);
}

static bool is_local(const struct dns_ask *ask, struct cu_bytes dc)
{
    return dc.len == 0 || cu_bytes_equal(dc, cu_bytes_of(ask->zone->dc));
}

static void resolve_own(struct gather *gather, struct cu_bytes owner, const struct dns_form *form,
                        unsigned depth)
{
    if (form->kind == DNS_FORM_ADDR)
        add_hex(gather, owner, form->name);
    else if (!gather->ask->view || !is_local(gather->ask, form->dc))
        return;
    else if (form->kind == DNS_FORM_NODE)
        add_node(gather, owner, form->name, depth);
    else if (form->kind == DNS_FORM_SERVICE)
        add_service(gather, owner, DNS_BY_SERVICE, form, depth);
    else if (form->kind == DNS_FORM_CONNECT)
        add_service(gather, owner, DNS_BY_CONNECT, form, depth);
}

/* ---- any name ---- */

static void resolve_other(struct gather *gather, struct cu_bytes name)
{
    const struct dns_ask *ask = gather->ask;
    const struct dns_chased *chased =
        ask->settings->has_recursors ? dns_chase_find(ask->chase, name) : NULL;
    for (size_t i = 0; chased && i < chased->count; i++)
        if (gather->count < gather->limit)
            gather->list[gather->count++] = chased->records[i];
}

static void resolve(struct gather *gather, struct cu_bytes name, unsigned depth)
{
    struct dns_name lower = {.len = (uint8_t)name.len};
    struct dns_form form;
    memcpy(lower.bytes, name.data, name.len);
    dns_name_lower(&lower);
    int front = dns_zone_strip(gather->ask->zone, &lower);
    if (front < 0) {
        resolve_other(gather, name);
    } else if (depth < DNS_CNAME_DEPTH) {
        dns_form_parse(&lower, (size_t)front, DNS_ANY, &form);
        resolve_own(gather, name, &form, depth);
    }
}

void dns_host_records(const struct dns_ask *ask, struct cu_bytes name,
                      const struct dns_record **ret_records, size_t *ret_count)
{
    struct dns_scratch *scratch = ask->scratch;
    size_t left = CU_COUNT(scratch->chain) - scratch->chain_count;
    struct gather gather = {.ask = ask,
                            .list = scratch->chain + scratch->chain_count,
                            .limit = left < DNS_CHASE_RECORDS ? left : DNS_CHASE_RECORDS,
                            .random = ask->random};
    resolve(&gather, name, 0);
    scratch->chain_count += gather.count;
    *ret_records = gather.list;
    *ret_count = gather.count;
}

/* ---- hex ---- */

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum dns_hex dns_hex_parse(struct cu_bytes text, struct dns_address *ret_ip)
{
    size_t len = text.len / 2;
    struct dns_address ip = {.kind = len == 4 ? DNS_IPV4 : DNS_IPV6};
    if (len != 4 && len != 16)
        return DNS_HEX_OF_ANOTHER_LENGTH;
    if (text.len % 2)
        return DNS_HEX_BAD;
    for (size_t i = 0; i < len; i++) {
        int high = digit(text.data[2 * i]), low = digit(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return DNS_HEX_BAD;
        ip.ip[i] = (uint8_t)(high << 4 | low);
    }
    *ret_ip = ip;
    return DNS_HEX_GOOD;
}
