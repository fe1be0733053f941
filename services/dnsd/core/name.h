/* name.h - a domain name in wire form: labels, each behind its length, up to the root's 0
 * (RFC 1035 3.1). */
#ifndef DNS_NAME_H
#define DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"

enum { DNS_NAME_BYTES = 255, DNS_LABEL_BYTES = 63, DNS_LABELS = 127 };

struct dns_name {
    uint8_t len; /* with the root's byte; 0: no name */
    uint8_t bytes[DNS_NAME_BYTES];
};

/* Reads a name that lies at r->at in `message` and moves behind it. A compressed one (RFC 1035
 * 4.1.4) only where `may_point`, each pointer to an earlier place than the one before. False, and
 * the reader failed: malformed or over 255 bytes. */
bool dns_name_read(struct cu_reader *r, struct cu_bytes message, bool may_point,
                   struct dns_name *ret_name);

/* "a.b" or "a.b."; "." is the root. Bytes are taken as they are. CU_E_INVALID: an empty label, one
 * over 63 bytes, or over 255 in all; *ret_name untouched. */
CU_MUST_USE enum cu_err dns_name_of_text(struct cu_bytes text, struct dns_name *ret_name);

/* `name` in front of the absolute name `end`. CU_E_INVALID: over 255 bytes; untouched then. */
CU_MUST_USE enum cu_err dns_name_append(struct dns_name *name, const struct dns_name *end);

void dns_name_lower(struct dns_name *name); /* ASCII only (RFC 4343) */

/* Where `end` begins in `name`, at a label; -1: it is not its end. Byte by byte. */
int dns_name_find_end(const struct dns_name *name, const struct dns_name *end);

struct cu_bytes dns_name_bytes(const struct dns_name *name);

/* The labels of the first `len` bytes, without lengths; returns how many. */
size_t dns_name_labels(const struct dns_name *name, size_t len, struct cu_bytes labels[DNS_LABELS]);

#endif
