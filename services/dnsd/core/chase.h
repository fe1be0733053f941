/* chase.h - addresses of hosts outside the domain, as recursors told them, for one query
 * (dns.md 12.2). */
#ifndef DNS_CHASE_H
#define DNS_CHASE_H

#include "common/base/arena.h"
#include "services/dnsd/core/name.h"
#include "services/dnsd/core/wire.h"

enum {
    DNS_CHASE_NAMES = 16,   /* hosts of one query; of further ones only the name is told */
    DNS_CHASE_RECORDS = 64, /* of one host; further ones are cut off */
};

struct dns_record {
    struct cu_bytes owner; /* wire form */
    enum dns_type type;    /* A, AAAA, CNAME, TXT */
    uint32_t ttl_s;
    struct cu_bytes data; /* the IP, the name in wire form, the text */
};

struct dns_chased {
    struct dns_name name; /* as it is registered */
    bool is_done;         /* told, or given up */
    struct dns_record *records;
    size_t count;
};

/* Zero `count` to begin. */
struct dns_chase {
    size_t count;
    struct dns_chased names[DNS_CHASE_NAMES];
};

/* What is known of the host. NULL: nothing yet; then it is wanted from here on, if there is room.
 */
const struct dns_chased *dns_chase_find(struct dns_chase *chase, struct cu_bytes name);
/* Whether some name is wanted that is not done. */
bool dns_chase_is_open(const struct dns_chase *chase);

/* The question for a wanted name: type A, recursion desired. Returns its length. */
enum { DNS_CHASE_QUERY_BYTES = DNS_HEADER_BYTES + DNS_NAME_BYTES + DNS_QUESTION_BYTES };
size_t dns_chase_question(const struct dns_chased *chased, uint16_t id,
                          uint8_t query[DNS_CHASE_QUERY_BYTES]);

/* Takes the answer section of a reply, whatever its rcode; records (A, AAAA, CNAME) live in the
 * arena. Done afterwards in any case; CU_E_INVALID: malformed, what came before is kept. */
CU_MUST_USE enum cu_err dns_chase_take(struct dns_chased *chased, struct cu_bytes reply,
                                       struct cu_arena *arena);

#endif
