/* message.h - DNS messages for tests: questions as dig sends them, answers as dig prints them. */
#ifndef TESTS_DNSD_MESSAGE_H
#define TESTS_DNSD_MESSAGE_H

#include "common/base/buf.h"
#include "services/dnsd/core/name.h"
#include "services/dnsd/core/wire.h"

enum { MESSAGE_TEXT_BYTES = 64 * 1024, MESSAGE_ID = 0x1234 };

/* "web.service.consul A" with options "+noedns", "+bufsize=N", "+subnet=IP/BITS", "+opcode=notify";
 * RD set. Asserts that they make sense. */
void message_ask(struct cu_buf *out, const char *question, const char *options);

/* What an answer says. Sections are lines "OWNER TTL IN TYPE DATA\n", sorted; OPT is no line. */
struct message {
    unsigned id, rcode;
    char flags[32];                     /* "qr aa rd" */
    unsigned counts[DNS_SECTION_COUNT]; /* of the header */
    char sections[DNS_SECTION_COUNT][MESSAGE_TEXT_BYTES];
    bool has_opt;
    unsigned opt_bytes, scope_bits;
    char subnet[64];
};

/* False: malformed, or bytes are left over. */
bool message_read(struct cu_bytes bytes, struct message *ret);

unsigned message_type(const char *word);
struct dns_name message_name(const char *text);

#endif
