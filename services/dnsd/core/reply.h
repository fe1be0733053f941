/* reply.h - one answer in the making; what the files behind answer.h share. */
#ifndef DNS_REPLY_H
#define DNS_REPLY_H

#include "services/dnsd/core/answer.h"
#include "services/dnsd/core/form.h"

struct dns_reply {
    const struct dns_ask *ask;
    struct dns_writer *w;
    struct dns_owner question; /* the owner of what answers it */
    struct dns_mark start;     /* behind the question */
    struct dns_form form;
    size_t front;     /* bytes of the question in front of the domain */
    size_t max_bytes; /* of the message without its OPT */
    enum dns_rcode rcode;
    bool is_cut;  /* something was left out */
    bool sets_tc; /* and the client is told so */
};

/* ---- reply.c ---- */

/* The SOA of the domain, in this section. */
void dns_reply_soa(struct dns_reply *r, enum dns_section section);
/* NXDOMAIN with the SOA. */
void dns_reply_no_name(struct dns_reply *r);
/* NOERROR without answers, with the SOA. */
void dns_reply_no_data(struct dns_reply *r);
/* A record in the current section. */
void dns_reply_put(struct dns_reply *r, const struct dns_owner *owner,
                   const struct dns_record *record, uint32_t ttl_s);
/* Likewise; false: there was no room, and nothing is written. */
bool dns_reply_record(struct dns_reply *r, const struct dns_owner *owner,
                      const struct dns_record *record, uint32_t ttl_s);
bool dns_reply_is_local(const struct dns_reply *r); /* the form names this datacenter */

/* ---- one file each ---- */
void dns_reply_node(struct dns_reply *r);
void dns_reply_addr(struct dns_reply *r);
void dns_reply_service(struct dns_reply *r, enum dns_group_kind kind);
void dns_reply_apex(struct dns_reply *r);    /* SOA, NS */
bool dns_reply_reverse(struct dns_reply *r); /* false: nobody has that address */

#endif
