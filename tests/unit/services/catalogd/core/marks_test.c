#include "services/catalogd/core/marks.h"

#include "tests/lib/suite.h"

static struct cu_u128 hash_at(uint64_t index)
{
    return (struct cu_u128){index * 7, index};
}

/* As the apply worker does with every entry up to `last`. */
static void apply_to(struct catalog_marks *marks, uint64_t last)
{
    for (uint64_t index = 1; index <= last; index++)
        if (catalog_marks_wants(index))
            catalog_marks_put(marks, &(struct catalog_mark){index, hash_at(index)});
}

START_TEST(lists_where_the_state_stands_first_and_each_index_once)
{
    struct catalog_marks marks = {0};
    struct catalog_mark list[CATALOG_MARKS_MAX], now = {4096 * 3, hash_at(4096 * 3)};
    ck_assert_uint_eq(catalog_marks_list(&marks, &now, list), 1);
    ck_assert_uint_eq(list[0].index, now.index);
    apply_to(&marks, now.index);
    size_t count = catalog_marks_list(&marks, &now, list);
    ck_assert_uint_eq(count, CATALOG_MARKS_EACH + 2); /* two of the coarse ones lie further back */
    for (size_t i = 1; i < count; i++)
        ck_assert_uint_lt(list[i].index, list[i - 1].index);
    for (size_t i = 0; i < count; i++)
        ck_assert_uint_eq(list[i].hash.hi, list[i].index);
    ck_assert_uint_eq(list[count - 1].index, 4096);
}
END_TEST

START_TEST(an_empty_state_has_nothing_to_compare)
{
    struct catalog_marks marks = {0};
    struct catalog_mark list[CATALOG_MARKS_MAX], now = {0};
    ck_assert_uint_eq(catalog_marks_list(&marks, &now, list), 0);
}
END_TEST

START_TEST(replicas_far_apart_still_have_indexes_in_common)
{
    struct catalog_marks ahead = {0}, behind = {0};
    struct catalog_mark a[CATALOG_MARKS_MAX], b[CATALOG_MARKS_MAX];
    apply_to(&ahead, 300 * 1000);
    apply_to(&behind, 100 * 1000);
    size_t in_ahead = catalog_marks_list(&ahead, &(struct catalog_mark){300000, {0, 0}}, a);
    size_t in_behind = catalog_marks_list(&behind, &(struct catalog_mark){100000, {0, 0}}, b);
    ck_assert_uint_le(in_ahead, CATALOG_MARKS_MAX);
    bool meet = false;
    for (size_t i = 0; i < in_ahead; i++)
        for (size_t k = 0; k < in_behind; k++)
            meet = meet || a[i].index == b[k].index;
    ck_assert(meet);
}
END_TEST

SUITE_MAIN("services/catalogd/core/marks", lists_where_the_state_stands_first_and_each_index_once,
           an_empty_state_has_nothing_to_compare, replicas_far_apart_still_have_indexes_in_common)
