#include "common/base/arena.h"

#include <string.h>

#include "tests/lib/suite.h"

START_TEST(gives_zeroed_memory_aligned_for_any_type)
{
    struct cu_arena *arena = cu_arena_new(64 * 1024);

    for (size_t size = 1; size < 9000; size += 777) {
        unsigned char *memory = cu_arena_alloc(arena, size);
        ck_assert_ptr_nonnull(memory);
        ck_assert_uint_eq((uintptr_t)memory % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            ck_assert_uint_eq(memory[i], 0);
        memset(memory, 0xff, size);
    }
    cu_arena_free(arena);
}
END_TEST

START_TEST(refuses_the_byte_over_its_limit_and_gives_it_after_a_reset)
{
    struct cu_arena *arena = cu_arena_new(4096);

    ck_assert_ptr_nonnull(cu_arena_alloc(arena, 4096));
    ck_assert_ptr_null(cu_arena_alloc(arena, 1));
    cu_arena_reset(arena);
    ck_assert_uint_eq(cu_arena_used(arena), 0);
    ck_assert_ptr_nonnull(cu_arena_alloc(arena, 1));
    ck_assert_ptr_null(cu_arena_alloc(arena, 4096));
    cu_arena_set_limit(arena, 16384);
    ck_assert_ptr_nonnull(cu_arena_alloc(arena, 4096));
    ck_assert_ptr_null(cu_arena_alloc(arena, SIZE_MAX));
    cu_arena_free(arena);
}
END_TEST

START_TEST(copies_and_prints_into_itself)
{
    struct cu_arena *arena = cu_arena_new(1024);

    ck_assert_str_eq(cu_arena_printf(arena, "%s=%d", "term", 7), "term=7");
    ck_assert_str_eq(cu_arena_strdup(arena, "leader"), "leader");
    ck_assert_int_eq(memcmp(cu_arena_memdup(arena, "a\0b", 3), "a\0b", 3), 0);
    ck_assert_ptr_null(cu_arena_printf(arena, "%2000d", 1));
    cu_arena_free(arena);
    cu_arena_free(NULL);
}
END_TEST

SUITE_MAIN("common/base/arena", gives_zeroed_memory_aligned_for_any_type,
           refuses_the_byte_over_its_limit_and_gives_it_after_a_reset,
           copies_and_prints_into_itself)
