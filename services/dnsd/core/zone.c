#include "services/dnsd/core/zone.h"

#include <stdio.h>
#include <string.h>

static enum cu_err read_domain(const char *key, const char *text, struct dns_name *name,
                               struct cu_diag *diag)
{
    if (dns_name_of_text(cu_bytes_of(text), name))
        return cu_fail(diag, CU_E_INVALID, "%s: not a domain name: \"%.100s\"", key, text);
    dns_name_lower(name);
    return CU_OK;
}

static enum cu_err make_end(const char *front, const struct dns_name *domain, struct dns_name *name)
{
    enum cu_err err = dns_name_of_text(cu_bytes_of(front), name);
    return err ? err : dns_name_append(name, domain);
}

enum cu_err dns_zone_init(struct dns_zone *zone, const char *domain, const char *alt_domain,
                          const char *dc, struct cu_diag *diag)
{
    const struct {
        const char *word;
        bool has_dc;
        struct dns_name *name;
    } ends[] = {{"ns", false, &zone->mname},
                {"hostmaster", false, &zone->rname},
                {"node", true, &zone->node_end},
                {"addr", true, &zone->addr_end},
                {"service", true, &zone->service_end}};
    *zone = (struct dns_zone){0};
    if (strlen(dc) >= sizeof zone->dc)
        return cu_fail(diag, CU_E_INVALID, "datacenter: over %d characters: \"%.100s\"",
                       DNS_DC_BYTES - 1, dc);
    (void)snprintf(zone->dc, sizeof zone->dc, "%s", dc);
    enum cu_err err = read_domain("domain", domain, &zone->domain, diag);
    if (!err && *alt_domain)
        err = read_domain("alt_domain", alt_domain, &zone->alt_domain, diag);
    for (size_t i = 0; !err && i < CU_COUNT(ends); i++) {
        char front[DNS_DC_BYTES + 16];
        (void)snprintf(front, sizeof front, "%s%s%s", ends[i].word, ends[i].has_dc ? "." : "",
                       ends[i].has_dc ? dc : "");
        if (make_end(front, &zone->domain, ends[i].name))
            err = cu_fail(diag, CU_E_INVALID, "domain: too long: \"%.100s\"", domain);
    }
    return err;
}

int dns_zone_strip(const struct dns_zone *zone, const struct dns_name *lower)
{
    bool alt_is_longer = zone->alt_domain.len > zone->domain.len;
    const struct dns_name *first = alt_is_longer ? &zone->alt_domain : &zone->domain;
    const struct dns_name *second = alt_is_longer ? &zone->domain : &zone->alt_domain;
    int at = dns_name_find_end(lower, first);
    return at < 0 && second->len ? dns_name_find_end(lower, second) : at;
}
