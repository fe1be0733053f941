#include "services/dnsd/io/counts.h"

#include <stdio.h>

#include "common/base/err.h"

static const struct {
    const char *word;
    unsigned type;
} types[DNS_COUNTED_TYPES] = {{"A", DNS_A},     {"AAAA", DNS_AAAA}, {"SRV", DNS_SRV},
                              {"TXT", DNS_TXT}, {"PTR", DNS_PTR},   {"SOA", DNS_SOA},
                              {"NS", DNS_NS},   {"ANY", DNS_ANY},   {"other", 0}};
static const char *const rcodes[DNS_RCODE_COUNT] = {"NOERROR",  "FORMERR", "SERVFAIL",
                                                    "NXDOMAIN", "NOTIMP",  "REFUSED"};

static struct cu_counter *counter(struct cu_metrics *metrics, const char *front, const char *word)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%s%s", front, word);
    return cu_metrics_counter(metrics, name);
}

static struct cu_sample *sample(struct cu_metrics *metrics, const char *front, const char *node)
{
    char name[320];
    (void)snprintf(name, sizeof name, "%s%s", front, node);
    return cu_metrics_sample(metrics, name);
}

void dns_counts_init(struct dns_counts *counts, struct cu_metrics *metrics, const char *node_name)
{
    const struct {
        const char *word;
        struct cu_counter **to;
    } rows[] = {{"ignored", &counts->ignored},
                {"malformed", &counts->malformed},
                {"udp", &counts->udp},
                {"tcp", &counts->tcp},
                {"truncated", &counts->truncated},
                {"stale_queries", &counts->stale},
                {"forwarded", &counts->forwarded},
                {"chased", &counts->chased},
                {"refused", &counts->refused},
                {"failed", &counts->failed},
                {"udp_lost", &counts->udp_lost},
                {"tcp.accepted", &counts->tcp_accepted},
                {"tcp.evicted", &counts->tcp_evicted},
                {"tcp.turned_away", &counts->tcp_turned_away},
                {"tcp.timed_out", &counts->tcp_timed_out},
                {"tcp.too_long", &counts->tcp_too_long},
                {"tcp.overflowed", &counts->tcp_overflowed},
                {"upstream.asked", &counts->upstream_asked},
                {"upstream.refused", &counts->upstream_refused},
                {"upstream.foreign", &counts->upstream_foreign},
                {"upstream.timed_out", &counts->upstream_timed_out},
                {"upstream.failed", &counts->upstream_failed}};
    for (size_t i = 0; i < CU_COUNT(rows); i++)
        *rows[i].to = counter(metrics, "dns.", rows[i].word);
    for (size_t i = 0; i < DNS_RCODE_COUNT; i++)
        counts->rcodes[i] = counter(metrics, "dns.rcode.", rcodes[i]);
    for (size_t i = 0; i < DNS_COUNTED_TYPES; i++)
        counts->types[i] = counter(metrics, "dns.type.", types[i].word);
    counts->domain_ms = sample(metrics, "dns.domain_query.", node_name);
    counts->reverse_ms = sample(metrics, "dns.ptr_query.", node_name);
}

static size_t place_of(unsigned type)
{
    size_t i = 0;
    while (i < DNS_COUNTED_TYPES - 1 && types[i].type != type)
        i++;
    return i;
}

void dns_count_answer(struct dns_counts *counts, const struct dns_query *query,
                      const struct dns_answer *answer, struct cu_mono since)
{
    cu_count(counts->rcodes[answer->rcode], 1);
    cu_count(counts->types[place_of(query->type)], 1);
    if (answer->is_cut)
        cu_count(counts->truncated, 1);
    if (answer->whose == DNS_OUTSIDE)
        return;
    double ms = (double)(cu_mono_now().ns - since.ns) / 1e6;
    cu_sample_add(answer->whose == DNS_IN_ARPA ? counts->reverse_ms : counts->domain_ms, ms);
}
