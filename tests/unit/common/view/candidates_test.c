/* Who may be asked, as several sources know them (contracts 7.1). */
#include "common/view/candidates.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/suite.h"

static struct view_candidates *c;

static bool offer(enum cu_view_source source, const char *a, const char *b)
{
    const char *urls[] = {a, b};
    return view_candidates_offer(c, source, urls, (a != NULL) + (b != NULL));
}

static const char *take(const char *except)
{
    const char *list[] = {NULL, except};
    const char *url = view_candidates_take(c, list, 2);
    return url ? url : "";
}

START_TEST(each_is_taken_once_before_any_is_taken_twice)
{
    c = view_candidates_new(suite_seed());
    ck_assert(offer(CU_VIEW_MEMBERS, "a", "b"));
    ck_assert(offer(CU_VIEW_SET, "c", NULL));
    char seen[3][8];
    for (int i = 0; i < 3; i++) {
        (void)snprintf(seen[i], sizeof seen[i], "%s", take(NULL));
        for (int k = 0; k < i; k++)
            ck_assert_str_ne(seen[i], seen[k]);
    }
    view_candidates_free(c);
}
END_TEST

START_TEST(what_is_connected_is_passed_over)
{
    c = view_candidates_new(1);
    ck_assert_str_eq(take(NULL), "");
    (void)offer(CU_VIEW_MEMBERS, "a", "b");
    for (int i = 0; i < 4; i++)
        ck_assert_str_eq(take("a"), "b");
    view_candidates_free(c);
}
END_TEST

START_TEST(a_source_replaces_what_it_knew_and_nothing_else)
{
    c = view_candidates_new(1);
    ck_assert(offer(CU_VIEW_MEMBERS, "a", "b"));
    ck_assert(offer(CU_VIEW_SAVED, "b", "c"));
    ck_assert_uint_eq(view_candidates_count(c), 3);
    ck_assert(!offer(CU_VIEW_MEMBERS, "b", "a"));
    ck_assert(offer(CU_VIEW_MEMBERS, NULL, NULL));
    ck_assert(!view_candidates_has(c, "a"));
    ck_assert(view_candidates_has(c, "b")); /* the saved view has it still */
    ck_assert(!offer(CU_VIEW_SET, NULL, NULL));
    view_candidates_free(c);
}
END_TEST

START_TEST(what_only_the_saved_view_knows_comes_last)
{
    for (uint64_t seed = 0; seed < 32; seed++) {
        c = view_candidates_new(seed);
        (void)offer(CU_VIEW_SAVED, "old", "both");
        (void)offer(CU_VIEW_MEMBERS, "both", NULL);
        for (int i = 0; i < 3; i++)
            ck_assert_str_eq(take(NULL), "both");
        ck_assert_str_eq(take("both"), "old");
        view_candidates_free(c);
    }
}
END_TEST

START_TEST(daemons_take_them_in_orders_of_their_own)
{
    unsigned first_is_a = 0;
    for (uint64_t seed = 0; seed < 64; seed++) {
        c = view_candidates_new(seed);
        (void)offer(CU_VIEW_MEMBERS, "a", "b");
        first_is_a += strcmp(take(NULL), "a") == 0;
        view_candidates_free(c);
    }
    ck_assert_uint_gt(first_is_a, 16);
    ck_assert_uint_lt(first_is_a, 48);
}
END_TEST

START_TEST(a_source_has_a_limit)
{
    static char names[VIEW_CANDIDATES_MAX + 1][16];
    const char *urls[VIEW_CANDIDATES_MAX + 1];
    c = view_candidates_new(1);
    for (size_t i = 0; i <= VIEW_CANDIDATES_MAX; i++) {
        (void)snprintf(names[i], sizeof names[i], "u%zu", i);
        urls[i] = names[i];
    }
    for (int source = 0; source < CU_VIEW_SOURCE_COUNT; source++)
        (void)view_candidates_offer(c, (enum cu_view_source)source, urls, VIEW_CANDIDATES_MAX + 1);
    ck_assert_uint_eq(view_candidates_count(c), VIEW_CANDIDATES_MAX);
    view_candidates_free(c);
}
END_TEST

SUITE_MAIN("common/view/candidates", each_is_taken_once_before_any_is_taken_twice,
           what_is_connected_is_passed_over, a_source_replaces_what_it_knew_and_nothing_else,
           what_only_the_saved_view_knows_comes_last, daemons_take_them_in_orders_of_their_own,
           a_source_has_a_limit)
