#include "services/catalogd/core/entries.h"

#include <string.h>

#include "tests/lib/registration.h"
#include "tests/lib/suite.h"

static void sorted(const char *given, const char *want)
{
    struct cu_arena *arena = cu_arena_new(64 * 1024);
    Curia__V1__StringMap *map = reg_map(arena, given), *wanted = reg_map(arena, want);
    ck_assert_int_eq(catalog_entries_sort(map->entries, &map->n_entries, arena), CU_OK);
    ck_assert_uint_eq(map->n_entries, wanted->n_entries);
    for (size_t i = 0; i < map->n_entries; i++) {
        ck_assert_str_eq(map->entries[i]->key, wanted->entries[i]->key);
        ck_assert_str_eq(map->entries[i]->value, wanted->entries[i]->value);
    }
    cu_arena_free(arena);
}

START_TEST(pairs_come_in_the_order_of_their_bytes)
{
    sorted("", "");
    sorted("b=1,a=2", "a=2,b=1");
    sorted("aa=1,a=2,B=3", "B=3,a=2,aa=1");
}
END_TEST

START_TEST(of_a_key_given_twice_the_last_stays)
{
    sorted("a=1,a=2", "a=2");
    sorted("b=1,a=1,b=2,a=2,b=3", "a=2,b=3");
}
END_TEST

START_TEST(a_full_arena_is_said)
{
    struct cu_arena *arena = cu_arena_new(64 * 1024);
    Curia__V1__StringMap *map = reg_map(arena, "b=1,a=1");
    cu_arena_set_limit(arena, cu_arena_used(arena));
    ck_assert_int_eq(catalog_entries_sort(map->entries, &map->n_entries, arena), CU_E_TOO_LARGE);
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("catalogd/core/entries", pairs_come_in_the_order_of_their_bytes,
           of_a_key_given_twice_the_last_stays, a_full_arena_is_said)
