#include "services/dnsd/core/answer.h"

#include "services/dnsd/core/hosts.h"
#include "services/dnsd/core/reply.h"

size_t dns_ask_max_bytes(const struct dns_query *query, enum dns_transport transport)
{
    if (transport == DNS_OVER_TCP)
        return DNS_MESSAGE_BYTES;
    if (!query->has_edns || query->udp_bytes <= DNS_UDP_BYTES)
        return DNS_UDP_BYTES;
    return query->udp_bytes < DNS_UDP_MAX_BYTES ? query->udp_bytes : DNS_UDP_MAX_BYTES;
}

/* QR, and what is repeated of the question: opcode; RD and CD of an ordinary query. */
static unsigned base_flags(const struct dns_query *query)
{
    unsigned repeated = query->opcode == DNS_OP_QUERY ? query->flags & (DNS_RD | DNS_CD) : 0;
    return DNS_QR | query->opcode << DNS_OPCODE_SHIFT | repeated;
}

/* A message of header, question and OPT. */
static struct dns_answer bare(const struct dns_query *query, enum dns_rcode rcode, unsigned flags,
                              struct dns_writer *w, uint8_t *data)
{
    dns_writer_begin(w, data, DNS_UDP_BYTES, true);
    (void)dns_put_question(w, query);
    dns_put_opt(w, query, 0);
    dns_writer_end(w, query->id, base_flags(query) | flags | rcode);
    return (struct dns_answer){.outcome = DNS_ANSWERED, .rcode = rcode};
}

struct dns_answer dns_answer_verdict(enum dns_verdict verdict, const struct dns_query *query,
                                     struct dns_writer *w, uint8_t *data)
{
    enum dns_rcode rcode = verdict == DNS_UNKNOWN_OP ? DNS_NOTIMP : DNS_FORMERR;
    dns_writer_begin(w, data, DNS_UDP_BYTES, true);
    dns_writer_end(w, query->id, base_flags(query) | rcode);
    return (struct dns_answer){.outcome = DNS_ANSWERED, .rcode = rcode};
}

struct dns_answer dns_answer_failed(const struct dns_query *query, struct dns_writer *w,
                                    uint8_t *data)
{
    return bare(query, DNS_SERVFAIL, DNS_RA, w, data);
}

struct dns_answer dns_answer_too_large(const struct dns_query *query, struct dns_writer *w,
                                       uint8_t *data)
{
    struct dns_answer answer = bare(query, DNS_NOERROR, DNS_RA | DNS_TC, w, data);
    answer.is_cut = true;
    return answer;
}

/* ---- names of the domain ---- */

static void answer_form(struct dns_reply *r)
{
    switch (r->form.kind) {
    case DNS_FORM_NODE:
        dns_reply_node(r);
        break;
    case DNS_FORM_SERVICE:
        dns_reply_service(r, DNS_BY_SERVICE);
        break;
    case DNS_FORM_CONNECT:
        dns_reply_service(r, DNS_BY_CONNECT);
        break;
    case DNS_FORM_ADDR:
        dns_reply_addr(r);
        break;
    case DNS_FORM_NONE:
    case DNS_FORM_INGRESS: /* no gateway is bound to anything yet */
    case DNS_FORM_QUERY:   /* nor is there any prepared query */
        dns_reply_no_name(r);
        break;
    }
}

static void answer_type(struct dns_reply *r)
{
    const struct dns_query *query = r->ask->query;
    switch (query->type) {
    case DNS_AXFR:
        r->rcode = DNS_NOTIMP;
        break;
    case DNS_SOA:
    case DNS_NS:
        dns_reply_apex(r);
        break;
    default:
        dns_form_parse(&query->lower, r->front, query->type, &r->form);
        answer_form(r);
        break;
    }
}

static struct dns_reply begin(const struct dns_ask *ask, struct dns_writer *w, uint8_t *data)
{
    size_t max_bytes = dns_ask_max_bytes(ask->query, ask->transport);
    struct dns_reply r = {.ask = ask, .w = w, .max_bytes = max_bytes - dns_opt_bytes(ask->query)};
    dns_writer_begin(w, data, r.max_bytes, ask->settings->compresses);
    r.question = dns_put_question(w, ask->query);
    r.start = dns_writer_mark(w);
    return r;
}

static struct dns_answer end(struct dns_reply *r, enum dns_whose whose)
{
    const struct dns_ask *ask = r->ask;
    if (dns_chase_is_open(ask->chase))
        return (struct dns_answer){.outcome = DNS_WANTS, .whose = whose};
    if (r->w->failed) { /* not even what must be said has room: long names, no compression */
        dns_writer_rewind(r->w, &r->start);
        r->is_cut = r->sets_tc = true;
    }
    unsigned flags = base_flags(ask->query) | DNS_AA | r->rcode |
                     (ask->settings->has_recursors ? DNS_RA : 0) | (r->sets_tc ? DNS_TC : 0);
    dns_writer_set_limit(r->w, r->w->len + dns_opt_bytes(ask->query)); /* was kept free for it */
    dns_put_opt(r->w, ask->query, 0); /* every answer is good for all subnets */
    dns_writer_end(r->w, ask->query->id, flags);
    return (struct dns_answer){
        .outcome = DNS_ANSWERED, .rcode = r->rcode, .whose = whose, .is_cut = r->is_cut};
}

/* ---- all names ---- */

enum dns_whose dns_whose(const struct dns_zone *zone, const struct dns_query *query)
{
    static const struct dns_name arpa = {6, "\4arpa"};
    if (dns_zone_strip(zone, &query->lower) >= 0)
        return DNS_IN_DOMAIN;
    return dns_name_find_end(&query->lower, &arpa) >= 0 ? DNS_IN_ARPA : DNS_OUTSIDE;
}

static struct dns_answer answer_domain(const struct dns_ask *ask, struct dns_writer *w,
                                       uint8_t *data)
{
    struct dns_reply r = begin(ask, w, data);
    r.front = (size_t)dns_zone_strip(ask->zone, &ask->query->lower);
    answer_type(&r);
    return end(&r, DNS_IN_DOMAIN);
}

/* Names that nobody here has are for the recursors (dns.md 10). */
static struct dns_answer answer_reverse(const struct dns_ask *ask, struct dns_writer *w,
                                        uint8_t *data)
{
    struct dns_reply r = begin(ask, w, data);
    if (ask->view && dns_reply_reverse(&r))
        return end(&r, DNS_IN_ARPA);
    if (ask->view && ask->settings->has_recursors)
        return (struct dns_answer){.outcome = DNS_FORWARD, .whose = DNS_IN_ARPA};
    struct dns_answer answer = dns_answer_failed(ask->query, w, data);
    answer.whose = DNS_IN_ARPA;
    return answer;
}

static struct dns_answer answer_outside(const struct dns_ask *ask, struct dns_writer *w,
                                        uint8_t *data)
{
    if (ask->settings->has_recursors)
        return (struct dns_answer){.outcome = DNS_FORWARD};
    return bare(ask->query, DNS_REFUSED, 0, w, data);
}

struct dns_answer dns_answer(const struct dns_ask *ask, struct dns_writer *w, uint8_t *data)
{
    switch (dns_whose(ask->zone, ask->query)) {
    case DNS_IN_DOMAIN:
        return answer_domain(ask, w, data);
    case DNS_IN_ARPA:
        return answer_reverse(ask, w, data);
    case DNS_OUTSIDE:
        break;
    }
    return answer_outside(ask, w, data);
}
