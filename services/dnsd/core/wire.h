/* wire.h - the numbers of a DNS message (RFC 1035 4.1, 3.2; RFC 6891; RFC 7871).
 *
 *      0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
 *    +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
 *    |                      ID                       |
 *    |QR|   Opcode  |AA|TC|RD|RA| Z|AD|CD|   RCODE   |
 *    |                    QDCOUNT                    |
 *    |                    ANCOUNT                    |
 *    |                    NSCOUNT                    |
 *    |                    ARCOUNT                    |
 *    +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+ */
#ifndef DNS_WIRE_H
#define DNS_WIRE_H

enum {
    DNS_HEADER_BYTES = 12,
    DNS_QUESTION_BYTES = 4,     /* behind its name: type, class */
    DNS_RR_BYTES = 10,          /* behind its owner: type, class, TTL, length */
    DNS_MESSAGE_BYTES = 65535,  /* behind a length of 16 bits */
    DNS_UDP_BYTES = 512,        /* without EDNS0 (RFC 1035 4.2.1) */
    DNS_UDP_MAX_BYTES = 65507,  /* what fits into a datagram over IPv4 */
    DNS_POINTER_MAX = 0x3fff,   /* the farthest that a compressed name may point to */
    DNS_QUERY_MAX_BYTES = 4096, /* a longer query is malformed: it has one question */
};

enum dns_flag {
    DNS_QR = 0x8000,
    DNS_AA = 0x0400,
    DNS_TC = 0x0200,
    DNS_RD = 0x0100,
    DNS_RA = 0x0080,
    DNS_CD = 0x0010,
};
enum { DNS_OPCODE_SHIFT = 11, DNS_OPCODE_MASK = 0xf, DNS_RCODE_MASK = 0xf };

enum dns_opcode { DNS_OP_QUERY = 0, DNS_OP_NOTIFY = 4 };

enum dns_rcode {
    DNS_NOERROR = 0,
    DNS_FORMERR = 1,
    DNS_SERVFAIL = 2,
    DNS_NXDOMAIN = 3,
    DNS_NOTIMP = 4,
    DNS_REFUSED = 5,
    DNS_RCODE_COUNT
};

enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_SRV = 33,
    DNS_OPT = 41,
    DNS_AXFR = 252,
    DNS_ANY = 255,
};

enum { DNS_IN = 1 };

enum dns_section { DNS_QUESTION, DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL, DNS_SECTION_COUNT };

enum { DNS_OPTION_SUBNET = 8 };

#endif
