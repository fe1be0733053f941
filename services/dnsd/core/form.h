/* form.h - what a name under the domain asks for (dns.md 3, 4). */
#ifndef DNS_FORM_H
#define DNS_FORM_H

#include "services/dnsd/core/name.h"

enum dns_form_kind {
    DNS_FORM_NONE, /* no such name */
    DNS_FORM_NODE,
    DNS_FORM_SERVICE,
    DNS_FORM_CONNECT,
    DNS_FORM_INGRESS,
    DNS_FORM_QUERY,
    DNS_FORM_ADDR
};

struct dns_form {
    enum dns_form_kind kind;
    /* Borrowed from `text` or from the question. */
    struct cu_bytes name; /* of the node, service, query; the hex of addr */
    struct cu_bytes tag;  /* empty: all */
    struct cu_bytes dc;   /* empty: the local one */
    uint8_t text[2 * DNS_NAME_BYTES];
};

/* `lower` is the question lower-cased, of which the first `len` bytes are in front of the domain.
 */
void dns_form_parse(const struct dns_name *lower, size_t len, unsigned type,
                    struct dns_form *ret_form);

#endif
