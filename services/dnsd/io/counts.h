/* counts.h - what dnsd counts: its queries, and what becomes of connections, datagrams and
 * recursors. The table in counts.c has the names (Daemon.Metrics). */
#ifndef DNS_COUNTS_H
#define DNS_COUNTS_H

#include "common/base/mono.h"
#include "common/metric/metric.h"
#include "services/dnsd/core/answer.h"

enum { DNS_COUNTED_TYPES = 9 /* the last: all others */ };

struct dns_counts {
    struct cu_counter *ignored, *malformed, *udp, *tcp, *truncated, *stale, *forwarded, *chased,
        *refused, *failed;
    /* Answers that the kernel had no room for, or would not send. */
    struct cu_counter *udp_lost;
    /* Connections: taken; ended for another one, or not taken since none could be; ended for being
     * idle, for a query that is too long, for too much that is not taken. */
    struct cu_counter *tcp_accepted, *tcp_evicted, *tcp_turned_away, *tcp_timed_out, *tcp_too_long,
        *tcp_overflowed;
    /* Recursors: questions; those not put, since too many are asked; of single attempts: replies to
     * something else, no reply in time, no use. */
    struct cu_counter *upstream_asked, *upstream_refused, *upstream_foreign, *upstream_timed_out,
        *upstream_failed;
    struct cu_counter *rcodes[DNS_RCODE_COUNT], *types[DNS_COUNTED_TYPES];
    struct cu_sample *domain_ms, *reverse_ms;
};

void dns_counts_init(struct dns_counts *counts, struct cu_metrics *metrics, const char *node_name);
/* A query that was answered from the view, or refused; `since` it came. */
void dns_count_answer(struct dns_counts *counts, const struct dns_query *query,
                      const struct dns_answer *answer, struct cu_mono since);

#endif
