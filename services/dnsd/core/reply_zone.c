/* Answers about the domain itself and about reverse names (dns.md 9, 10). */
#include <string.h>

#include "services/dnsd/core/reply.h"

enum { NAME_SERVERS = 3 };

struct servers {
    const struct dns_node *nodes[NAME_SERVERS];
    struct dns_name names[NAME_SERVERS];
    size_t count;
};

static void take_server(struct servers *servers, const struct dns_node *node)
{
    if (!node->has_row || !node->is_plain || node->name.len == 0)
        return; /* a name that no resolver would take for a host's */
    servers->names[servers->count] = node->name;
    dns_name_lower(&servers->names[servers->count]);
    servers->nodes[servers->count++] = node;
}

/* Healthy instances of the service `consul`, shuffled. */
static struct servers find_servers(const struct dns_ask *ask)
{
    struct servers servers = {.count = 0};
    struct cu_random random = ask->random;
    const struct dns_group *group =
        ask->view
            ? dns_view_group(ask->view, DNS_BY_SERVICE, cu_bytes_of("consul"), (struct cu_bytes){0})
            : NULL;
    uint32_t index;
    dns_scratch_shuffle(ask->scratch,
                        group ? dns_group_healthy(group, ask->settings->only_passing) : 0);
    while (servers.count < NAME_SERVERS && dns_scratch_draw(ask->scratch, &random, &index))
        take_server(&servers, group->members[index].instance->node);
    return servers;
}

static void put_names(struct dns_reply *r, const struct servers *servers, enum dns_section section)
{
    const struct dns_owner domain = {dns_name_bytes(&r->ask->zone->domain), 0};
    dns_put_section(r->w, section);
    for (size_t i = 0; i < servers->count; i++) {
        const struct dns_record record = {domain.name, DNS_NS, 0,
                                          dns_name_bytes(&servers->names[i])};
        (void)dns_reply_record(r, &domain, &record, r->ask->settings->node_ttl_s); /* all fit */
    }
}

/* Addresses of the name servers; what does not fit is left out (RFC 2181 section 9). */
static void put_glue(struct dns_reply *r, const struct servers *servers)
{
    dns_put_section(r->w, DNS_ADDITIONAL);
    for (size_t i = 0; i < servers->count; i++) {
        const struct dns_address *address = dns_endpoint_pick(&servers->nodes[i]->at, DNS_NS);
        const struct dns_owner owner = {dns_name_bytes(&servers->names[i]), 0};
        struct dns_record record = {owner.name, DNS_CNAME, 0, address->name};
        if (dns_address_is_ip(address)) {
            record.type = address->kind == DNS_IPV4 ? DNS_A : DNS_AAAA;
            record.data = dns_address_ip(address);
        }
        if (address->kind)
            (void)dns_reply_record(r, &owner, &record, r->ask->settings->node_ttl_s);
    }
}

void dns_reply_apex(struct dns_reply *r)
{
    struct servers servers = find_servers(r->ask);
    bool is_soa = r->ask->query->type == DNS_SOA;
    if (is_soa)
        dns_reply_soa(r, DNS_ANSWER);
    put_names(r, &servers, is_soa ? DNS_AUTHORITY : DNS_ANSWER);
    put_glue(r, &servers);
}

/* SERVICE.service.DC.DOMAIN. len 0: it makes no domain name. */
static struct dns_name service_name(const struct dns_zone *zone, const char *service)
{
    struct dns_name name;
    if (dns_name_of_text(cu_bytes_of(service), &name) || dns_name_append(&name, &zone->service_end))
        name.len = 0;
    return name;
}

bool dns_reply_reverse(struct dns_reply *r)
{
    struct dns_address ip;
    const struct dns_node *node;
    const struct dns_instance *instance;
    if (!dns_reverse_parse(&r->ask->query->lower, &ip))
        return false;
    dns_view_reverse(r->ask->view, dns_address_ip(&ip), &node, &instance);
    struct dns_name name = {.len = 0};
    if (node)
        name = node->name;
    else if (instance)
        name = service_name(r->ask->zone, instance->service);
    if (name.len == 0)
        return false;
    dns_put_section(r->w, DNS_ANSWER);
    dns_put_name(r->w, &r->question, DNS_PTR, 0, dns_name_bytes(&name));
    if (r->ask->query->type == DNS_SOA)
        dns_reply_soa(r, DNS_AUTHORITY);
    return true;
}
