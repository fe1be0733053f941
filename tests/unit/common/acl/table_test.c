#include "common/acl/table.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/lib/suite.h"

/* Prefix rules of 0, 1, ... letters, each below the one before. */
static struct cu_acl_table chain_of(uint32_t depth, const uint8_t *letters)
{
    struct cu_acl_table table = {.entries = cu_alloc((depth + 1) * sizeof *table.entries),
                                 .count = depth};
    for (uint32_t i = 0; i < depth; i++)
        table.entries[i + 1] =
            (struct cu_acl_entry){.segment = {letters, i}, .prefix = CU_ACCESS_READ};
    cu_acl_table_link(&table);
    return table;
}

/* As table.c climbs. */
static unsigned steps_up(const struct cu_acl_entry *all, uint32_t at, size_t len)
{
    unsigned steps = 0;
    for (; all[at].segment.len > len; steps++)
        at = all[all[at].jump].segment.len > len ? all[at].jump : all[at].parent;
    return steps;
}

START_TEST(climbing_takes_steps_as_the_logarithm_of_the_depth)
{
    enum { DEPTH = 4096, LOG2 = 12 };
    uint8_t *letters = cu_alloc(DEPTH);
    struct cu_acl_table table = chain_of(DEPTH, letters);
    for (size_t len = 0; len < DEPTH; len++)
        ck_assert_uint_le(steps_up(table.entries, DEPTH, len), 3 * LOG2);
    ck_assert_uint_gt(steps_up(table.entries, DEPTH, 1), 1);
    free(table.entries);
    free(letters);
}
END_TEST

START_TEST(a_zeroed_table_has_no_rules)
{
    struct cu_acl_table table = {0};
    struct cu_bytes x = cu_bytes_of("x");
    ck_assert_int_eq(cu_acl_table_find(&table, x), CU_ACCESS_UNSET);
    ck_assert_int_eq(cu_acl_table_find_prefix(&table, x), CU_ACCESS_UNSET);
    ck_assert_int_eq(cu_acl_table_weakest_below(&table, x), CU_ACCESS_UNSET);
}
END_TEST

START_TEST(exact_rules_are_no_prefixes)
{
    struct cu_acl_entry entries[] = {
        {.prefix = CU_ACCESS_UNSET},
        {.segment = cu_bytes_of("a"), .prefix = CU_ACCESS_LIST},
        {.segment = cu_bytes_of("ab"), .exact = CU_ACCESS_DENY},
        {.segment = cu_bytes_of("abc"), .exact = CU_ACCESS_READ, .prefix = CU_ACCESS_WRITE},
        {.segment = cu_bytes_of("b"), .exact = CU_ACCESS_WRITE},
    };
    static const struct {
        const char *segment;
        enum cu_access want, want_by_prefix, want_below;
    } cases[] = {
        {"", CU_ACCESS_UNSET, CU_ACCESS_UNSET, CU_ACCESS_DENY},
        {"a", CU_ACCESS_LIST, CU_ACCESS_LIST, CU_ACCESS_DENY},
        {"ab", CU_ACCESS_DENY, CU_ACCESS_LIST, CU_ACCESS_DENY},
        {"abb", CU_ACCESS_LIST, CU_ACCESS_LIST, CU_ACCESS_UNSET},
        {"abc", CU_ACCESS_READ, CU_ACCESS_WRITE, CU_ACCESS_READ},
        {"abcd", CU_ACCESS_WRITE, CU_ACCESS_WRITE, CU_ACCESS_UNSET},
        {"ac", CU_ACCESS_LIST, CU_ACCESS_LIST, CU_ACCESS_UNSET},
        {"b", CU_ACCESS_WRITE, CU_ACCESS_UNSET, CU_ACCESS_WRITE},
        {"ba", CU_ACCESS_UNSET, CU_ACCESS_UNSET, CU_ACCESS_UNSET},
    };
    struct cu_acl_table table = {.entries = entries, .count = CU_COUNT(entries) - 1};
    cu_acl_table_link(&table);
    ck_assert_int_eq(table.weakest, CU_ACCESS_DENY);
    ck_assert_int_eq(table.strongest, CU_ACCESS_WRITE);
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct cu_bytes s = cu_bytes_of(cases[i].segment);
        ck_assert_int_eq(cu_acl_table_find(&table, s), cases[i].want);
        ck_assert_int_eq(cu_acl_table_find_prefix(&table, s), cases[i].want_by_prefix);
        ck_assert_int_eq(cu_acl_table_weakest_below(&table, s), cases[i].want_below);
    }
}
END_TEST

SUITE_MAIN("common/acl/table", climbing_takes_steps_as_the_logarithm_of_the_depth,
           a_zeroed_table_has_no_rules, exact_rules_are_no_prefixes)
