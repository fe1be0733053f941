#include "services/dnsd/core/settings.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

static struct dns_ttl row_of(const char *pattern, uint32_t ttl_s)
{
    size_t len = strlen(pattern);
    bool is_prefix = len && pattern[len - 1] == '*';
    uint8_t *name = cu_memdup(pattern, len);
    for (size_t i = 0; i < len; i++)
        if (name[i] >= 'A' && name[i] <= 'Z')
            name[i] = (uint8_t)(name[i] + 'a' - 'A');
    return (struct dns_ttl){{name, len - is_prefix}, is_prefix, ttl_s};
}

/* Whole names before prefixes, longer prefixes before shorter ones. */
static bool goes_before(const struct dns_ttl *a, const struct dns_ttl *b)
{
    if (a->is_prefix != b->is_prefix)
        return b->is_prefix;
    return a->name.len > b->name.len;
}

void dns_settings_add_ttl(struct dns_settings *settings, const char *pattern, uint32_t ttl_s)
{
    struct dns_ttl row = row_of(pattern, ttl_s);
    size_t at = settings->ttl_count++;
    settings->ttls = cu_realloc(settings->ttls, settings->ttl_count * sizeof *settings->ttls);
    for (; at > 0 && goes_before(&row, &settings->ttls[at - 1]); at--)
        settings->ttls[at] = settings->ttls[at - 1];
    settings->ttls[at] = row;
}

void dns_settings_deinit(struct dns_settings *settings)
{
    for (size_t i = 0; i < settings->ttl_count; i++)
        free((void *)(uintptr_t)settings->ttls[i].name.data);
    free(settings->ttls);
    *settings = (struct dns_settings){0};
}

uint32_t dns_settings_ttl(const struct dns_settings *settings, struct cu_bytes service)
{
    for (size_t i = 0; i < settings->ttl_count; i++) {
        const struct dns_ttl *row = &settings->ttls[i];
        if (row->is_prefix ? cu_bytes_has_prefix(service, row->name)
                           : cu_bytes_equal(service, row->name))
            return row->ttl_s;
    }
    return 0;
}
