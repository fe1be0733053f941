/* answer.h - a question and the view in, a message out (dns.md 3 to 12). */
#ifndef DNS_ANSWER_H
#define DNS_ANSWER_H

#include "common/base/random.h"
#include "services/dnsd/core/chase.h"
#include "services/dnsd/core/query.h"
#include "services/dnsd/core/scratch.h"
#include "services/dnsd/core/settings.h"
#include "services/dnsd/core/view.h"
#include "services/dnsd/core/writer.h"

enum dns_transport { DNS_OVER_UDP, DNS_OVER_TCP };

struct dns_ask {
    const struct dns_zone *zone;
    const struct dns_settings *settings;
    const struct dns_view *view; /* NULL: nothing is known, or not well enough to be told */
    const struct dns_query *query;
    enum dns_transport transport;
    uint32_t now_s;          /* since 1970: the serial of the SOA */
    struct cu_random random; /* equal, and so is the order */
    struct dns_chase *chase; /* what recursors told so far; with an outcome WANTS: is to tell */
    struct dns_scratch *scratch;
};

enum dns_outcome {
    DNS_ANSWERED, /* the message is written */
    DNS_FORWARD,  /* the recursors are to be asked; nothing is written */
    DNS_WANTS     /* the open names of `chase` are to be asked for, then this question again */
};

/* Whose name was asked. */
enum dns_whose { DNS_OUTSIDE, DNS_IN_DOMAIN, DNS_IN_ARPA };

/* By the domain and `arpa`. What is outside both does not depend on the view. */
enum dns_whose dns_whose(const struct dns_zone *zone, const struct dns_query *query);

struct dns_answer {
    enum dns_outcome outcome;
    enum dns_rcode rcode;
    enum dns_whose whose;
    bool is_cut; /* there is more than what is in the message */
};

/* How many bytes a message may have for the one who asks. */
size_t dns_ask_max_bytes(const struct dns_query *query, enum dns_transport transport);

enum { DNS_ROOM_BYTES = 1024 }; /* `data` has room for at least so many, or for those above */

/* For a query that parsed. Never writes more than dns_ask_max_bytes(), but for a single SRV record
 * that is longer by itself. */
struct dns_answer dns_answer(const struct dns_ask *ask, struct dns_writer *w, uint8_t *data);

/* The answer to what did not parse (dns_query_parse's verdict MALFORMED or UNKNOWN_OP): a header.
 */
struct dns_answer dns_answer_verdict(enum dns_verdict verdict, const struct dns_query *query,
                                     struct dns_writer *w, uint8_t *data);

/* No recursor answered: SERVFAIL (dns.md 8). */
struct dns_answer dns_answer_failed(const struct dns_query *query, struct dns_writer *w,
                                    uint8_t *data);

/* The answer of a recursor is larger than the client takes: the question alone, and TC. */
struct dns_answer dns_answer_too_large(const struct dns_query *query, struct dns_writer *w,
                                       uint8_t *data);

#endif
