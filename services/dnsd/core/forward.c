#include "services/dnsd/core/forward.h"

#include <string.h>

/* Question and what is before it, but for flags and counts of the other sections. */
static bool read_question(struct cu_bytes message, uint16_t *ret_id, uint16_t *ret_flags,
                          struct cu_bytes *ret_question)
{
    struct cu_reader r = cu_reader_of(message);
    struct dns_name name;
    *ret_id = cu_read_u16be(&r);
    *ret_flags = cu_read_u16be(&r);
    bool has_one = cu_read_u16be(&r) == 1;
    (void)cu_read_bytes(&r, DNS_HEADER_BYTES - 6);
    const uint8_t *start = r.at;
    if (r.failed || !has_one || !dns_name_read(&r, message, false, &name))
        return false;
    (void)cu_read_u32be(&r); /* type and class */
    *ret_question = (struct cu_bytes){start, (size_t)(r.at - start)};
    return !r.failed;
}

enum dns_reply_kind dns_reply_check(struct cu_bytes sent, struct cu_bytes reply)
{
    uint16_t id, flags, sent_id, sent_flags;
    struct cu_bytes question, asked;
    if (!read_question(sent, &sent_id, &sent_flags, &asked) ||
        !read_question(reply, &id, &flags, &question))
        return DNS_REPLY_FOREIGN;
    unsigned ops = DNS_OPCODE_MASK << DNS_OPCODE_SHIFT;
    if (id != sent_id || !(flags & DNS_QR) || (flags & ops) != (sent_flags & ops) ||
        !cu_bytes_equal(asked, question))
        return DNS_REPLY_FOREIGN;
    unsigned rcode = flags & DNS_RCODE_MASK;
    return rcode == DNS_NOERROR || rcode == DNS_NXDOMAIN ? DNS_REPLY_GOOD : DNS_REPLY_FAILED;
}
