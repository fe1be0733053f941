#include "services/dnsd/core/reverse.h"

#include <stdlib.h>

#include "common/base/assert.h"

struct holders {
    const void **list;
    size_t count, capacity;
};

void dns_reverse_deinit(struct dns_reverse *reverse)
{
    for (size_t kind = 0; kind < DNS_REVERSE_KINDS; kind++) {
        CU_ASSERT(reverse->holders[kind].count == 0);
        cu_map_deinit(&reverse->holders[kind]);
    }
}

void dns_reverse_add(struct dns_reverse *reverse, const struct dns_address *address,
                     enum dns_reverse_kind kind, const void *holder)
{
    if (!dns_address_is_ip(address))
        return;
    struct cu_bytes ip = dns_address_ip(address);
    struct holders *holders = cu_map_get(&reverse->holders[kind], ip);
    if (!holders) {
        holders = cu_alloc(sizeof *holders);
        (void)cu_map_put(&reverse->holders[kind], ip, holders);
    }
    if (holders->count == holders->capacity) {
        holders->capacity = holders->capacity * 2 + 1;
        holders->list = cu_realloc(holders->list, holders->capacity * sizeof *holders->list);
    }
    holders->list[holders->count++] = holder;
}

void dns_reverse_del(struct dns_reverse *reverse, const struct dns_address *address,
                     enum dns_reverse_kind kind, const void *holder)
{
    if (!dns_address_is_ip(address))
        return;
    struct cu_bytes ip = dns_address_ip(address);
    struct holders *holders = cu_map_get(&reverse->holders[kind], ip);
    CU_ASSERT(holders);
    size_t at = 0;
    while (holders->list[at] != holder)
        CU_ASSERT(++at < holders->count);
    holders->list[at] = holders->list[--holders->count];
    if (holders->count > 0)
        return;
    (void)cu_map_del(&reverse->holders[kind], ip);
    free(holders->list);
    free(holders);
}

static const struct dns_node *first_node(const struct holders *holders)
{
    const struct dns_node *first = NULL;
    for (size_t i = 0; holders && i < holders->count; i++) {
        const struct dns_node *node = holders->list[i];
        if (!first || cu_bytes_compare(node->key, first->key) < 0)
            first = node;
    }
    return first;
}

static const struct dns_instance *first_instance(const struct holders *holders)
{
    const struct dns_instance *first = NULL;
    for (size_t i = 0; holders && i < holders->count; i++) {
        const struct dns_instance *instance = holders->list[i];
        if (instance->node->has_row && (!first || cu_bytes_compare(instance->key, first->key) < 0))
            first = instance;
    }
    return first;
}

void dns_reverse_find(const struct dns_reverse *reverse, struct cu_bytes ip,
                      const struct dns_node **ret_node, const struct dns_instance **ret_instance)
{
    *ret_node = first_node(cu_map_get(&reverse->holders[DNS_REVERSE_NODE], ip));
    *ret_instance = first_instance(cu_map_get(&reverse->holders[DNS_REVERSE_INSTANCE], ip));
}
