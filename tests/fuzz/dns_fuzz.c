/* dns_fuzz.c - DNS queries: what parses is answered, over UDP and TCP, by a message that parses, is
 * no longer than the client takes, and says what was asked (dns 72); what does not parse gets a
 * header or silence. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/services/dnsd/core/sample.h"

static struct sample *sample;

/* The catalog of dns.md 14 with recursors: hosts are chased, so that all ways are gone. */
static struct sample *the_sample(void)
{
    if (!sample)
        sample = sample_new_tuned();
    return sample;
}

static void check_message(struct sample *s, const struct dns_query *query, size_t most)
{
    struct cu_bytes bytes = {s->data, s->writer.len};
    if (bytes.len > most || !message_read(bytes, &s->message) || s->message.id != query->id ||
        s->message.rcode != s->answer.rcode || s->message.has_opt != query->has_edns ||
        s->message.counts[DNS_QUESTION] != 1)
        abort();
    if (memcmp(s->data + DNS_HEADER_BYTES, query->name.bytes, query->name.len) != 0)
        abort();
}

static void answer(struct sample *s, const struct dns_query *query, enum dns_transport transport)
{
    sample_answer(s, query, transport);
    if (s->answer.outcome == DNS_FORWARD) {
        s->answer = dns_answer_failed(query, &s->writer, s->data);
        check_message(s, query, DNS_UDP_BYTES);
        return;
    }
    check_message(s, query, dns_ask_max_bytes(query, transport));
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    struct sample *s = the_sample();
    struct dns_query query;
    enum dns_verdict verdict = dns_query_parse((struct cu_bytes){data, len}, &query);
    if (verdict == DNS_IGNORE)
        return false;
    if (verdict != DNS_GOOD) {
        (void)dns_answer_verdict(verdict, &query, &s->writer, s->data);
        if (s->writer.len != DNS_HEADER_BYTES)
            abort();
        return false;
    }
    s->settings.compresses = query.id % 2;
    answer(s, &query, DNS_OVER_UDP);
    answer(s, &query, DNS_OVER_TCP);
    return true;
}
