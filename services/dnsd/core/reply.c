#include "services/dnsd/core/reply.h"

void dns_reply_soa(struct dns_reply *r, enum dns_section section)
{
    const struct dns_zone *zone = r->ask->zone;
    const struct dns_settings *settings = r->ask->settings;
    const struct dns_owner owner = {dns_name_bytes(&zone->domain), 0};
    dns_put_section(r->w, section);
    dns_put_soa(r->w, &owner, settings->soa_min_ttl_s,
                &(struct dns_soa){.mname = dns_name_bytes(&zone->mname),
                                  .rname = dns_name_bytes(&zone->rname),
                                  .serial = r->ask->now_s,
                                  .refresh_s = settings->soa_refresh_s,
                                  .retry_s = settings->soa_retry_s,
                                  .expire_s = settings->soa_expire_s,
                                  .minimum_s = settings->soa_min_ttl_s});
}

void dns_reply_no_name(struct dns_reply *r)
{
    r->rcode = DNS_NXDOMAIN;
    dns_reply_soa(r, DNS_AUTHORITY);
}

void dns_reply_no_data(struct dns_reply *r)
{
    dns_reply_soa(r, DNS_AUTHORITY);
}

void dns_reply_put(struct dns_reply *r, const struct dns_owner *owner,
                   const struct dns_record *record, uint32_t ttl_s)
{
    if (record->type == DNS_A || record->type == DNS_AAAA)
        dns_put_address(r->w, owner, ttl_s, record->data);
    else if (record->type == DNS_TXT)
        dns_put_txt(r->w, owner, ttl_s, record->data);
    else
        dns_put_name(r->w, owner, record->type, ttl_s, record->data);
}

bool dns_reply_record(struct dns_reply *r, const struct dns_owner *owner,
                      const struct dns_record *record, uint32_t ttl_s)
{
    if (r->w->failed)
        return false;
    struct dns_mark mark = dns_writer_mark(r->w);
    dns_reply_put(r, owner, record, ttl_s);
    if (!r->w->failed)
        return true;
    dns_writer_rewind(r->w, &mark);
    return false;
}

bool dns_reply_is_local(const struct dns_reply *r)
{
    return r->form.dc.len == 0 || cu_bytes_equal(r->form.dc, cu_bytes_of(r->ask->zone->dc));
}
