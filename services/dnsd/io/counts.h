/* counts.h - what dnsd counts of its queries. */
#ifndef DNS_COUNTS_H
#define DNS_COUNTS_H

#include "common/base/mono.h"
#include "common/metric/metric.h"
#include "services/dnsd/core/answer.h"

enum { DNS_COUNTED_TYPES = 9 /* the last: all others */ };

struct dns_counts {
    struct cu_counter *ignored, *malformed, *udp, *tcp, *truncated, *stale, *forwarded, *chased,
        *refused, *failed;
    struct cu_counter *rcodes[DNS_RCODE_COUNT], *types[DNS_COUNTED_TYPES];
    struct cu_sample *domain_ms, *reverse_ms;
};

void dns_counts_init(struct dns_counts *counts, struct cu_metrics *metrics, const char *node_name);
/* A query that was answered from the view, or refused; `since` it came. */
void dns_count_answer(struct dns_counts *counts, const struct dns_query *query,
                      const struct dns_answer *answer, struct cu_mono since);

#endif
