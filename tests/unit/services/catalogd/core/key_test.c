#include "services/catalogd/core/key.h"

#include <string.h>

#include "tests/lib/suite.h"

START_TEST(a_key_begins_with_partition_and_namespace_contracts_2_6)
{
    struct cu_arena *arena = cu_arena_new(4096);
    struct cu_bytes key = catalog_key_of(arena, cu_bytes_of("a/b")), user;

    ck_assert_uint_eq(key.len, 19);
    ck_assert_int_eq(memcmp(key.data, "default\0default\0a/b", 19), 0);
    ck_assert(catalog_key_user(key, &user));
    ck_assert(cu_bytes_equal(user, cu_bytes_of("a/b")));
    ck_assert(!catalog_key_user(cu_bytes_of("other\0default\0x"), &user));
    ck_assert_uint_eq(catalog_key_of(arena, cu_bytes_of("")).len, 16);
    cu_arena_free(arena);
}
END_TEST

START_TEST(tombstones_of_a_key_and_of_a_prefix_lie_apart)
{
    struct cu_arena *arena = cu_arena_new(4096);
    struct cu_bytes key = catalog_key_of_tombstone(arena, CATALOG_TOMBSTONE_KEY, cu_bytes_of("a"));
    struct cu_bytes prefix =
        catalog_key_of_tombstone(arena, CATALOG_TOMBSTONE_PREFIX, cu_bytes_of("a"));

    ck_assert(!cu_bytes_equal(key, prefix));
    ck_assert_int_eq(memcmp(key.data + 16, "ka", 2), 0);
    ck_assert_int_eq(memcmp(prefix.data + 16, "pa", 2), 0);
    cu_arena_free(arena);
}
END_TEST

START_TEST(a_full_arena_gives_no_key)
{
    struct cu_arena *arena = cu_arena_new(8);
    ck_assert_ptr_null(catalog_key_of(arena, cu_bytes_of("a")).data);
    ck_assert_ptr_null(
        catalog_key_of_tombstone(arena, CATALOG_TOMBSTONE_KEY, cu_bytes_of("a")).data);
    ck_assert_ptr_null(catalog_key_of_node(arena, "n", NULL).data);
    cu_arena_free(arena);
}
END_TEST

START_TEST(names_in_keys_are_lower_cased_and_apart_CAT_136)
{
    struct cu_arena *arena = cu_arena_new(4096);
    struct cu_bytes key = catalog_key_of_node(arena, "Web-1", "Db");

    ck_assert_uint_eq(key.len, 16 + 5 + 1 + 2);
    ck_assert_int_eq(memcmp(key.data + 16, "web-1\0db", 8), 0);
    ck_assert(cu_bytes_has_prefix(key, catalog_key_of_node(arena, "WEB-1", "")));
    ck_assert(!cu_bytes_has_prefix(key, catalog_key_of_node(arena, "web", "")));
    ck_assert_uint_eq(catalog_key_of_node(arena, "n", NULL).len, 17);
    ck_assert(catalog_name_equal("aZ", "Az") && !catalog_name_equal("a", "ab"));
    ck_assert(!catalog_name_equal("\xc3\x89", "\xc3\xa9")); /* only letters of ASCII have case */
    cu_arena_free(arena);
}
END_TEST

START_TEST(the_part_of_a_node_begins_all_keys_on_it_and_no_others)
{
    struct cu_arena *arena = cu_arena_new(4096);
    struct cu_bytes key = catalog_key_of_node(arena, "Web", "db");
    struct cu_bytes part = catalog_key_node_part(key);

    ck_assert(cu_bytes_equal(part, catalog_key_of_node(arena, "web", "")));
    ck_assert(cu_bytes_equal(catalog_key_node_part(part), part));
    ck_assert_ptr_null(catalog_key_node_part(catalog_key_of_node(arena, "web", NULL)).data);
    ck_assert_ptr_null(catalog_key_node_part(cu_bytes_of("web")).data);
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("catalogd/core/key", a_key_begins_with_partition_and_namespace_contracts_2_6,
           tombstones_of_a_key_and_of_a_prefix_lie_apart, a_full_arena_gives_no_key,
           names_in_keys_are_lower_cased_and_apart_CAT_136,
           the_part_of_a_node_begins_all_keys_on_it_and_no_others)
