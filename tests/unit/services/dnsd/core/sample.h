/* sample.h - the catalog of dns.md 14, and one asker over it. */
#ifndef TESTS_DNSD_SAMPLE_H
#define TESTS_DNSD_SAMPLE_H

#include "services/dnsd/core/answer.h"
#include "tests/unit/services/dnsd/core/message.h"

struct sample {
    struct dns_zone zone;
    struct dns_settings settings;
    struct dns_view *view;
    struct dns_scratch *scratch;
    struct dns_chase chase;
    struct cu_arena *arena; /* of what is chased */
    struct dns_writer writer;
    uint8_t data[DNS_MESSAGE_BYTES];
    struct cu_random random;
    uint32_t now_s;

    /* of the last question */
    struct dns_query query;
    struct dns_answer answer;
    struct message message;
};

/* 14.1: defaults, no recursors. */
struct sample *sample_new(void);
/* 14.2: what its heading says. */
struct sample *sample_new_tuned(void);
void sample_free(struct sample *sample);

/* Asks ("web.service.consul A", options of message_ask() and "+tcp"). Hosts that are wanted are
 * told by a recursor that knows 7 addresses of whatever is under example.test, until an answer is
 * there.
 */
void sample_ask(struct sample *sample, const char *question, const char *options);

/* The same for a query that is parsed already, except that an answer is not read. */
void sample_answer(struct sample *sample, const struct dns_query *query,
                   enum dns_transport transport);

/* More of the catalog; `key` is NODE, or NODE and ID. */
void sample_node(struct sample *sample, const char *name, const char *address);
struct sample_instance {
    const char *node, *id, *service, *address;
    int port;
    const char *tags[4];
    const char *connects_to;
    int passing, warning; /* weights; 0 0: 1 1 */
    const char *lan_ipv4, *lan_ipv6;
};
void sample_instance(struct sample *sample, const struct sample_instance *instance);
/* Nodes SERVICE1BEHIND, SERVICE2BEHIND ... with addresses NET.0.1 ..., an instance on each. */
struct sample_row {
    const char *service, *behind, *net;
    int count, port;
};
void sample_row(struct sample *sample, const struct sample_row *row);
/* `service_id` "": of the node. */
void sample_check(struct sample *sample, const char *node, const char *id, const char *service_id,
                  enum dns_health health);
/* NODE NUL ID as a key, in a buffer that the next call uses again. */
struct cu_bytes sample_key(const char *node, const char *id);

/* A recursor's reply to `query`: "A", an address a record, all of the question's name. */
void sample_reply(struct cu_buf *out, struct cu_bytes query, enum dns_rcode rcode,
                  const char *const *ips, size_t count);

#endif
