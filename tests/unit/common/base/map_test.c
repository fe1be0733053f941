#include "common/base/map.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/random.h"
#include "tests/lib/suite.h"

enum { KEYS = 300, STEPS = 20000 };

static struct cu_bytes key_of(unsigned n, char text[64])
{
    /* Short ones lie in the slot, long ones beside it. */
    int len = snprintf(text, 64, n % 2 ? "%u" : "a-key-that-does-not-fit-a-slot/%u", n);
    return (struct cu_bytes){(const uint8_t *)text, (size_t)len};
}

START_TEST(does_what_a_plain_array_does_over_random_steps)
{
    struct cu_map map = {0};
    struct cu_random random = {suite_seed()};
    static unsigned char values[KEYS];
    void *want[KEYS] = {NULL};
    size_t count = 0;
    char text[64];

    for (int step = 0; step < STEPS; step++) {
        unsigned n = (unsigned)cu_random_below(&random, KEYS);
        struct cu_bytes key = key_of(n, text);
        ck_assert_ptr_eq(cu_map_get(&map, key), want[n]);
        if (cu_random_below(&random, 2)) {
            void *value = &values[cu_random_below(&random, KEYS)];
            ck_assert_ptr_eq(cu_map_put(&map, key, value), want[n]);
            count += want[n] == NULL;
            want[n] = value;
        } else {
            ck_assert_ptr_eq(cu_map_del(&map, key), want[n]);
            count -= want[n] != NULL;
            want[n] = NULL;
        }
        ck_assert_uint_eq(map.count, count);
    }
    cu_map_deinit(&map);
}
END_TEST

START_TEST(walks_every_pair_once_and_lets_the_current_one_go)
{
    struct cu_map map = {0};
    static unsigned char seen[KEYS];
    for (unsigned n = 0; n < KEYS; n++)
        ck_assert_ptr_null(cu_map_put_u64(&map, n, &seen[n]));

    size_t at = 0;
    struct cu_bytes key;
    void *value;
    while (cu_map_next(&map, &at, &key, &value)) {
        (*(unsigned char *)value)++;
        ck_assert_ptr_eq(cu_map_del(&map, key), value);
    }
    for (unsigned n = 0; n < KEYS; n++)
        ck_assert_uint_eq(seen[n], 1);
    ck_assert_uint_eq(map.count, 0);
    ck_assert_ptr_null(cu_map_get_u64(&map, 7));
    ck_assert_ptr_null(cu_map_del_u64(&map, 7));
    cu_map_deinit(&map);
}
END_TEST

START_TEST(an_empty_key_is_a_key)
{
    struct cu_map map = {0};
    int value;
    ck_assert_ptr_null(cu_map_put(&map, (struct cu_bytes){NULL, 0}, &value));
    ck_assert_ptr_eq(cu_map_get(&map, cu_bytes_of("")), &value);
    cu_map_deinit(&map);
}
END_TEST

SUITE_MAIN("common/base/map", does_what_a_plain_array_does_over_random_steps,
           walks_every_pair_once_and_lets_the_current_one_go, an_empty_key_is_a_key)
