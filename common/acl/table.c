#include "common/acl/table.h"

typedef struct cu_acl_table table_t;
typedef struct cu_acl_entry entry_t;

static enum cu_access weaker(enum cu_access a, enum cu_access b)
{
    if (a == CU_ACCESS_UNSET || b == CU_ACCESS_UNSET)
        return a == CU_ACCESS_UNSET ? b : a;
    return a < b ? a : b;
}

static enum cu_access stronger(enum cu_access a, enum cu_access b)
{
    return a > b ? a : b;
}

/* The tree's entry to begin at, going up from entry `at`. */
static uint32_t in_tree(const table_t *table, uint32_t at)
{
    const entry_t *entry = &table->entries[at];
    return entry->prefix ? at : entry->parent;
}

/* Jump pointers of skew-binary lengths (Myers, "An applicative random-access stack", 1983). */
static void link_entry(table_t *table, uint32_t at)
{
    entry_t *all = table->entries, *entry = &all[at];
    uint32_t up = in_tree(table, at - 1);
    while (up && !cu_bytes_has_prefix(entry->segment, all[up].segment))
        up = all[up].parent;
    uint32_t far = all[up].jump, farther = all[far].jump;
    bool is_level = up && all[up].depth - all[far].depth == all[far].depth - all[farther].depth;
    entry->parent = up;
    entry->depth = all[up].depth + 1;
    entry->jump = is_level ? farther : up;
}

void cu_acl_table_link(table_t *table)
{
    table->entries[0] = (entry_t){0};
    table->weakest = table->strongest = CU_ACCESS_UNSET;
    for (uint32_t at = 1; at <= table->count; at++) {
        const entry_t *entry = &table->entries[at];
        link_entry(table, at);
        table->weakest = weaker(table->weakest, weaker(entry->exact, entry->prefix));
        table->strongest = stronger(table->strongest, stronger(entry->exact, entry->prefix));
    }
}

/* The last entry that is not after the segment; 0: all are. */
static uint32_t last_not_after(const table_t *table, struct cu_bytes segment)
{
    uint32_t low = 0, high = table->count;
    while (low < high) {
        uint32_t middle = low + (high - low + 1) / 2;
        if (cu_bytes_compare(table->entries[middle].segment, segment) <= 0)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

static size_t shared_len(struct cu_bytes a, struct cu_bytes b)
{
    size_t len = 0;
    while (len < a.len && len < b.len && a.data[len] == b.data[len])
        len++;
    return len;
}

/* What is a prefix of the segment is one of the last entry not after it, too: all that lies between
 * a prefix and the segment begins with the prefix. So the rule is `at` or above it: the first that
 * is no longer than what the two share. */
static enum cu_access prefix_above(const table_t *table, uint32_t at, struct cu_bytes segment)
{
    const entry_t *all = table->entries;
    size_t len = shared_len(all[at].segment, segment);
    uint32_t up = in_tree(table, at);
    while (all[up].segment.len > len)
        up = all[all[up].jump].segment.len > len ? all[up].jump : all[up].parent;
    return all[up].prefix;
}

enum cu_access cu_acl_table_find(const table_t *table, struct cu_bytes segment)
{
    if (table->count == 0)
        return CU_ACCESS_UNSET;
    uint32_t at = last_not_after(table, segment);
    const entry_t *entry = &table->entries[at];
    if (entry->exact && cu_bytes_equal(entry->segment, segment))
        return entry->exact;
    return prefix_above(table, at, segment);
}

enum cu_access cu_acl_table_find_prefix(const table_t *table, struct cu_bytes segment)
{
    if (table->count == 0)
        return CU_ACCESS_UNSET;
    return prefix_above(table, last_not_after(table, segment), segment);
}

enum cu_access cu_acl_table_weakest_below(const table_t *table, struct cu_bytes prefix)
{
    enum cu_access weakest = CU_ACCESS_UNSET;
    uint32_t at = last_not_after(table, prefix);
    if (at == 0 || !cu_bytes_equal(table->entries[at].segment, prefix))
        at++;
    for (; at <= table->count; at++) {
        const entry_t *entry = &table->entries[at];
        if (!cu_bytes_has_prefix(entry->segment, prefix))
            break;
        weakest = weaker(weakest, weaker(entry->exact, entry->prefix));
    }
    return weakest;
}
