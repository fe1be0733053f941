#include "common/service/meta.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/suite.h"

static struct cu_arena *arena;

static const char *check(const char *key, const char *value, const char *kind)
{
    Curia__V1__StringMap__EntriesEntry pair = CURIA__V1__STRING_MAP__ENTRIES_ENTRY__INIT;
    Curia__V1__StringMap__EntriesEntry *pairs[] = {&pair};
    Curia__V1__StringMap meta = CURIA__V1__STRING_MAP__INIT;
    const char *text = "untouched";
    pair.key = (char *)(uintptr_t)key;
    pair.value = (char *)(uintptr_t)value;
    meta.entries = pairs;
    meta.n_entries = 1;
    ck_assert_int_eq(cu_meta_check(&meta, kind, arena, &text), CU_OK);
    return text;
}

START_TEST(says_what_is_wrong_with_a_pair_as_the_reference_does)
{
    char key[CU_META_KEY_BYTES_MAX + 2], value[CU_META_VALUE_BYTES_MAX + 2], want[1024];
    arena = cu_arena_new(64 * 1024);
    memset(key, 'k', sizeof key);
    memset(value, 'v', sizeof value);
    key[CU_META_KEY_BYTES_MAX] = value[CU_META_VALUE_BYTES_MAX] = '\0';
    ck_assert_ptr_null(check(key, value, ""));
    ck_assert_ptr_null(check("Az09-_", "any thing", ""));
    ck_assert_str_eq(check("", "v", ""), "Couldn't load metadata pair ('', 'v'): "
                                         "Key cannot be blank");
    ck_assert_str_eq(check("a.b", "v", ""), "Couldn't load metadata pair ('a.b', 'v'): "
                                            "Key contains invalid characters");
    key[CU_META_KEY_BYTES_MAX] = 'k';
    key[CU_META_KEY_BYTES_MAX + 1] = '\0';
    (void)snprintf(want, sizeof want,
                   "Couldn't load metadata pair ('%s', 'v'): "
                   "Key is too long (limit: 128 characters)",
                   key);
    ck_assert_str_eq(check(key, "v", ""), want);
    value[CU_META_VALUE_BYTES_MAX] = 'v';
    value[CU_META_VALUE_BYTES_MAX + 1] = '\0';
    (void)snprintf(want, sizeof want,
                   "Couldn't load metadata pair ('k', '%s'): "
                   "Value is too long (limit: 512 characters)",
                   value);
    ck_assert_str_eq(check("k", value, ""), want);
    cu_arena_free(arena);
}
END_TEST

START_TEST(keeps_its_own_prefix_but_for_mesh_gateways)
{
    arena = cu_arena_new(64 * 1024);
    ck_assert_str_eq(check("consul-x", "1", ""),
                     "Couldn't load metadata pair ('consul-x', '1'): "
                     "Key prefix 'consul-' is reserved for internal use");
    ck_assert_ptr_nonnull(check("consul-wan-federation", "1", ""));
    ck_assert_ptr_nonnull(check("consul-x", "1", "mesh-gateway"));
    ck_assert_ptr_null(check("consul-wan-federation", "1", "mesh-gateway"));
    cu_arena_free(arena);
}
END_TEST

START_TEST(takes_64_pairs_and_no_more)
{
    enum { MANY = CU_META_PAIRS_MAX + 1 };
    Curia__V1__StringMap__EntriesEntry entries[MANY], *pairs[MANY];
    Curia__V1__StringMap meta = CURIA__V1__STRING_MAP__INIT;
    const char *text;
    arena = cu_arena_new(64 * 1024);
    for (size_t i = 0; i < MANY; i++) {
        curia__v1__string_map__entries_entry__init(&entries[i]);
        entries[i].key = (char *)"k";
        pairs[i] = &entries[i];
    }
    meta.entries = pairs;
    meta.n_entries = CU_META_PAIRS_MAX;
    ck_assert_int_eq(cu_meta_check(&meta, "", arena, &text), CU_OK);
    ck_assert_ptr_null(text);
    meta.n_entries = MANY;
    ck_assert_int_eq(cu_meta_check(&meta, "", arena, &text), CU_OK);
    ck_assert_str_eq(text, "Node metadata cannot contain more than 64 key/value pairs");
    ck_assert_int_eq(cu_meta_check(NULL, "", arena, &text), CU_OK);
    ck_assert_ptr_null(text);
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("common/service/meta", says_what_is_wrong_with_a_pair_as_the_reference_does,
           keeps_its_own_prefix_but_for_mesh_gateways, takes_64_pairs_and_no_more)
