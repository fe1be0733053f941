/* table.h - the merged rules of one resource, sorted, for one question: which rule speaks for this
 * segment? Of this folder only. */
#ifndef CU_ACL_TABLE_H
#define CU_ACL_TABLE_H

#include <stdint.h>

#include "common/acl/rules.h"

/* What is said of one segment. UNSET: there is no such rule. */
struct cu_acl_entry {
    struct cu_bytes segment; /* borrowed */
    enum cu_access exact, prefix;
    /* Filled by cu_acl_table_link(). Entries with a prefix rule form a tree, each below the longest
     * one that is a prefix of it; `jump` leads further up, so that walking up takes log(depth). */
    uint32_t parent, jump, depth;
};

/* entries[0] stands for "no rule" and is above all; from 1 on they ascend by segment, each once.
 * Zeroed it is a table without rules. */
struct cu_acl_table {
    struct cu_acl_entry *entries;
    uint32_t count;                    /* without the first */
    enum cu_access weakest, strongest; /* of all rules; UNSET: there is none */
};

/* Makes a table whose entries' segments and rules are there ready to be asked. */
void cu_acl_table_link(struct cu_acl_table *table);

/* The access of the exact rule, else of the longest prefix's; UNSET: no rule speaks for it.
 * Takes O(log count) comparisons. */
enum cu_access cu_acl_table_find(const struct cu_acl_table *table, struct cu_bytes segment);
/* Prefix rules alone. */
enum cu_access cu_acl_table_find_prefix(const struct cu_acl_table *table, struct cu_bytes segment);
/* The weakest rule, exact or prefix, whose segment begins with `prefix`; UNSET: there is none. */
enum cu_access cu_acl_table_weakest_below(const struct cu_acl_table *table, struct cu_bytes prefix);

#endif
