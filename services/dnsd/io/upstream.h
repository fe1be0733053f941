/* upstream.h - asking the recursors, one after the other (dns.md 12.1).
 *
 * Each attempt has a socket and an id of its own, both at random, and takes only what comes from
 * whom it asked and repeats the question: a forger has to guess 32 bits. */
#ifndef DNS_UPSTREAM_H
#define DNS_UPSTREAM_H

#include "common/loop/loop.h"
#include "services/dnsd/conf.h"
#include "services/dnsd/core/answer.h"
#include "services/dnsd/io/counts.h"

enum { DNS_UPSTREAM_MAX = 1024 /* asked at a time; then nobody is asked */ };

struct dns_upstream;
struct dns_upstream_call;

/* All borrowed. */
struct dns_upstream *dns_upstream_new(struct cu_loop *loop, const struct dns_counts *counts);
void dns_upstream_free(struct dns_upstream *upstream); /* nothing is asked any more; takes NULL */

struct dns_upstream_question {
    struct cu_bytes query; /* copied; its id is replaced on the way */
    enum dns_transport transport;
    bool takes_any_rcode;                 /* the first reply is good, whatever it says */
    const struct dns_recursor *recursors; /* copied */
    size_t recursor_count;
    uint32_t timeout_ms; /* of each */
};

/* `reply` has the id of the query; len 0: none came. Never called from inside dns_upstream_ask().
 */
typedef void dns_upstream_done(void *arg, struct cu_bytes reply);

/* NULL: too many are asked. */
struct dns_upstream_call *dns_upstream_ask(struct dns_upstream *upstream,
                                           const struct dns_upstream_question *question,
                                           dns_upstream_done *done, void *arg);
/* Not from within its own `done`. Takes NULL. */
void dns_upstream_cancel(struct dns_upstream_call *call);

size_t dns_upstream_open(const struct dns_upstream *upstream); /* questions under way */

#endif
