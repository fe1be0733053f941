/* Answers about one node, and addresses written as hex (dns.md 4.1, 4). */
#include "services/dnsd/core/hosts.h"
#include "services/dnsd/core/reply.h"

/* What does not fit is left out. Of the answer itself the client is told: there is no other way to
 * the rest (RFC 2181 section 9). */
static void put(struct dns_reply *r, const struct dns_record *record)
{
    const struct dns_owner owner = {
        record->owner, record->owner.data == r->question.name.data ? r->question.at : 0};
    if (r->is_cut || dns_reply_record(r, &owner, record, record->ttl_s))
        return;
    r->is_cut = true;
    r->sets_tc = r->w->section == DNS_ANSWER;
}

static void put_address(struct dns_reply *r, const struct dns_node *node)
{
    const struct dns_ask *ask = r->ask;
    const struct dns_address *address = dns_endpoint_pick(&node->at, ask->query->type);
    struct dns_record record = {.owner = r->question.name, .ttl_s = ask->settings->node_ttl_s};
    if (dns_address_suits(address, ask->query->type)) {
        record.type = address->kind == DNS_IPV4 ? DNS_A : DNS_AAAA;
        record.data = dns_address_ip(address);
        put(r, &record);
    } else if (address->kind == DNS_HOST_NAME) {
        const struct dns_record *chain;
        size_t count;
        record.type = DNS_CNAME;
        record.data = address->name;
        put(r, &record);
        dns_host_records(ask, address->name, &chain, &count);
        for (size_t i = 0; i < count; i++)
            put(r, &chain[i]);
    }
}

static void put_texts(struct dns_reply *r, const struct dns_node *node)
{
    struct dns_record record = {
        .owner = r->question.name, .type = DNS_TXT, .ttl_s = r->ask->settings->node_ttl_s};
    for (size_t i = 0; i < node->text_count; i++) {
        record.data = node->texts[i];
        put(r, &record);
    }
}

void dns_reply_node(struct dns_reply *r)
{
    const struct dns_ask *ask = r->ask;
    unsigned type = ask->query->type;
    bool has_texts = type == DNS_TXT || type == DNS_ANY;
    if (type != DNS_A && type != DNS_AAAA && !has_texts)
        return; /* empty, whoever is asked for */
    if (dns_reply_is_local(r) && !ask->view) {
        r->rcode = DNS_SERVFAIL;
        return;
    }
    const struct dns_node *node =
        dns_reply_is_local(r) ? dns_view_node(ask->view, r->form.name) : NULL;
    if (!node) {
        dns_reply_no_name(r);
        return;
    }
    dns_put_section(r->w, DNS_ANSWER);
    if (type != DNS_TXT)
        put_address(r, node);
    if (!has_texts)
        dns_put_section(r->w, DNS_ADDITIONAL);
    if (has_texts || ask->settings->adds_node_meta)
        put_texts(r, node);
}

/* The owner is the question's part in front of the domain, lower-cased, under the domain: also
 * where alt_domain was asked (dns.md 2). */
void dns_reply_addr(struct dns_reply *r)
{
    const struct dns_ask *ask = r->ask;
    struct dns_address ip;
    struct dns_name owner = {.len = 0};
    switch (dns_hex_parse(r->form.name, &ip)) {
    case DNS_HEX_OF_ANOTHER_LENGTH:
        return;
    case DNS_HEX_BAD:
        dns_reply_no_name(r);
        return;
    case DNS_HEX_GOOD:
        break;
    }
    for (size_t i = 0; i < r->front; i++)
        owner.bytes[i] = ask->query->lower.bytes[i];
    owner.len = (uint8_t)(r->front + 1);
    if (dns_name_append(&owner, &ask->zone->domain)) {
        dns_reply_no_name(r); /* alt_domain is the shorter one, and so the name too long */
        return;
    }
    dns_put_section(r->w, DNS_ANSWER);
    const struct dns_owner at = {dns_name_bytes(&owner), 0};
    dns_put_address(r->w, &at, ask->settings->node_ttl_s, dns_address_ip(&ip));
}
