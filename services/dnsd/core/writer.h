/* writer.h - a DNS message being written: sections in order, names compressed, a mark to go back
 * to.
 *
 * Writing beyond the limit fails and stays failed until a rewind: write all, ask once, and let the
 * caller decide what truncation means. */
#ifndef DNS_WRITER_H
#define DNS_WRITER_H

#include "services/dnsd/core/query.h"

enum {
    DNS_WRITER_HEADS = 256,  /* of the table of names, by hash */
    DNS_WRITER_NAMES = 4096, /* places that a name may point to; more are not remembered */
    DNS_WRITER_LATE = 256    /* names written whole that are not in the table yet; likewise */
};

struct dns_place {
    uint16_t at, next; /* next: 1 + its index, 0: none */
    uint8_t head;
};

struct dns_writer {
    uint8_t *data; /* borrowed; at least `limit` bytes */
    size_t len, limit;
    bool failed, compresses;
    enum dns_section section;
    uint16_t counts[DNS_SECTION_COUNT];

    bool has_table;
    uint16_t place_count, late_count;
    uint16_t heads[DNS_WRITER_HEADS]; /* 1 + index of a place */
    uint16_t late[DNS_WRITER_LATE];
    struct dns_place places[DNS_WRITER_NAMES];
};

struct dns_mark {
    size_t len;
    enum dns_section section;
    uint16_t counts[DNS_SECTION_COUNT];
};

/* Begins a message with room for its header. */
void dns_writer_begin(struct dns_writer *w, uint8_t *data, size_t limit, bool compresses);
/* Writes the header. The message is data[0] to data[len - 1]. */
void dns_writer_end(struct dns_writer *w, uint16_t id, unsigned flags);

struct dns_mark dns_writer_mark(const struct dns_writer *w);
void dns_writer_rewind(struct dns_writer *w, const struct dns_mark *mark); /* no longer failed */

/* Raises the limit; `data` has room for it. */
void dns_writer_set_limit(struct dns_writer *w, size_t limit);

/* An owner of records: a name, and where it lies in the message already (0: nowhere, or beyond
 * what a pointer reaches). */
struct dns_owner {
    struct cu_bytes name; /* wire form */
    size_t at;
};

/* The question, from the query itself. Returns the owner of its answers. */
struct dns_owner dns_put_question(struct dns_writer *w, const struct dns_query *query);

/* From here on records belong to `section`; never back to an earlier one. */
void dns_put_section(struct dns_writer *w, enum dns_section section);

/* Records of class IN. */
void dns_put_address(struct dns_writer *w, const struct dns_owner *owner, uint32_t ttl_s,
                     struct cu_bytes ip); /* 4 bytes: A; 16: AAAA */
/* CNAME, NS, PTR: a name, which may be compressed (RFC 1035 3.3). */
void dns_put_name(struct dns_writer *w, const struct dns_owner *owner, enum dns_type type,
                  uint32_t ttl_s, struct cu_bytes name);
/* Values over 255 bytes become several strings of one record (RFC 1035 3.3.14). */
void dns_put_txt(struct dns_writer *w, const struct dns_owner *owner, uint32_t ttl_s,
                 struct cu_bytes value);

struct dns_srv {
    uint16_t weight, port;
    struct cu_bytes target;
};
/* Priority 1. The target is not compressed (RFC 2782), but may be pointed to: returns it as the
 * owner of records to come. */
struct dns_owner dns_put_srv(struct dns_writer *w, const struct dns_owner *owner, uint32_t ttl_s,
                             const struct dns_srv *srv);

struct dns_soa {
    struct cu_bytes mname, rname;
    uint32_t serial, refresh_s, retry_s, expire_s, minimum_s;
};
void dns_put_soa(struct dns_writer *w, const struct dns_owner *owner, uint32_t ttl_s,
                 const struct dns_soa *soa);

/* The OPT record of an answer; `scope_bits` is said of the client's subnet, if it sent one. */
void dns_put_opt(struct dns_writer *w, const struct dns_query *query, unsigned scope_bits);
size_t dns_opt_bytes(const struct dns_query *query); /* what it takes; 0: the query has none */

#endif
