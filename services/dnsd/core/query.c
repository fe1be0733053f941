#include "services/dnsd/core/query.h"

#include <string.h>

enum { ANSWERS_MAX = 1, AUTHORITIES_MAX = 1, ADDITIONALS_MAX = 2 };

struct counts {
    uint16_t question, answer, authority, additional;
};

static bool are_acceptable(const struct counts *counts)
{
    return counts->question == 1 && counts->answer <= ANSWERS_MAX &&
           counts->authority <= AUTHORITIES_MAX && counts->additional <= ADDITIONALS_MAX;
}

/* RFC 7871 section 6: family, SOURCE PREFIX-LENGTH, SCOPE PREFIX-LENGTH, as many bytes of the
 * address as the source prefix takes. */
static bool read_subnet(struct cu_reader *r, struct dns_query *query)
{
    struct dns_subnet subnet = {.family = cu_read_u16be(r)};
    subnet.bits = cu_read_u8(r);
    (void)cu_read_u8(r); /* the scope is the server's to say */
    unsigned width = subnet.family == 1 ? 32 : subnet.family == 2 ? 128 : 0;
    size_t len = (subnet.bits + 7u) / 8;
    struct cu_bytes address = cu_read_bytes(r, len);
    if (r->failed || subnet.bits > width || cu_reader_left(r) > 0)
        return false;
    if (len)
        memcpy(subnet.address, address.data, len);
    if (subnet.bits % 8)
        subnet.address[len - 1] &= (uint8_t)(0xff << (8 - subnet.bits % 8));
    subnet.len = (uint8_t)len;
    query->subnet = subnet;
    query->has_subnet = true;
    return true;
}

static bool read_options(struct cu_reader *r, struct dns_query *query)
{
    while (cu_reader_left(r) > 0) {
        uint16_t code = cu_read_u16be(r);
        struct cu_bytes value = cu_read_bytes(r, cu_read_u16be(r));
        struct cu_reader inner = cu_reader_of(value);
        if (r->failed || (code == DNS_OPTION_SUBNET && !read_subnet(&inner, query)))
            return false;
    }
    return true;
}

/* RFC 6891 6.1.1: one OPT at most, owned by the root. */
static bool read_opt(const struct dns_name *owner, uint16_t class, struct cu_bytes options,
                     struct dns_query *query)
{
    struct cu_reader r = cu_reader_of(options);
    if (query->has_edns || owner->len != 1)
        return false;
    query->has_edns = true;
    query->udp_bytes = class;
    return read_options(&r, query);
}

static bool read_record(struct cu_reader *r, struct cu_bytes message, bool may_be_opt,
                        struct dns_query *query)
{
    struct dns_name owner;
    if (!dns_name_read(r, message, true, &owner))
        return false;
    uint16_t type = cu_read_u16be(r), class = cu_read_u16be(r);
    (void)cu_read_u32be(r); /* TTL; of OPT: extended RCODE, version, flags */
    struct cu_bytes data = cu_read_bytes(r, cu_read_u16be(r));
    if (r->failed)
        return false;
    return type != DNS_OPT || (may_be_opt && read_opt(&owner, class, data, query));
}

static bool read_body(struct cu_reader *r, struct cu_bytes message, const struct counts *counts,
                      struct dns_query *query)
{
    if (!dns_name_read(r, message, false, &query->name)) /* nothing is there to point to */
        return false;
    query->type = cu_read_u16be(r);
    query->class = cu_read_u16be(r);
    bool good = !r->failed;
    for (unsigned i = 0; good && i < counts->answer + (unsigned)counts->authority; i++)
        good = read_record(r, message, false, query);
    for (unsigned i = 0; good && i < counts->additional; i++)
        good = read_record(r, message, true, query);
    return good && cu_reader_left(r) == 0;
}

enum dns_verdict dns_query_parse(struct cu_bytes message, struct dns_query *query)
{
    struct cu_reader r = cu_reader_of(message);
    query->id = cu_read_u16be(&r);
    query->flags = cu_read_u16be(&r);
    struct counts counts = {.question = cu_read_u16be(&r)};
    counts.answer = cu_read_u16be(&r);
    counts.authority = cu_read_u16be(&r);
    counts.additional = cu_read_u16be(&r);
    if (r.failed || query->flags & DNS_QR)
        return DNS_IGNORE;
    query->opcode = query->flags >> DNS_OPCODE_SHIFT & DNS_OPCODE_MASK;
    query->has_edns = query->has_subnet = false;
    if (query->opcode != DNS_OP_QUERY && query->opcode != DNS_OP_NOTIFY)
        return DNS_UNKNOWN_OP;
    if (message.len > DNS_QUERY_MAX_BYTES || !are_acceptable(&counts) ||
        !read_body(&r, message, &counts, query))
        return DNS_MALFORMED;
    query->lower = query->name;
    dns_name_lower(&query->lower);
    return DNS_GOOD;
}
