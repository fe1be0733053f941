#include "common/view/kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"

enum { BODY = 1000 };

static struct view_kept *make(const char *key, size_t len)
{
    struct view_kept *kept = view_kept_new(cu_bytes_of(key));
    struct cu_view_body *body = calloc(1, sizeof *body + len);
    body->refs = 1;
    body->len = len;
    kept->bodies[0] = body;
    return kept;
}

static void put(struct view_kept_store *store, const char *key, size_t len)
{
    struct view_kept *kept = make(key, len);
    view_kept_put(store, kept);
    view_kept_unref(kept);
}

static bool has(struct view_kept_store *store, const char *key)
{
    return view_kept_find(store, cu_bytes_of(key)) != NULL;
}

START_TEST(the_least_recently_used_goes_when_the_limit_is_reached) /* contracts 7.3 */
{
    struct view_kept_store store = {.limit_bytes = 10 * BODY};
    char key[8];
    for (int i = 0; i < 7; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        put(&store, key, BODY);
        ck_assert(has(&store, "k0")); /* which is thereby in use */
        ck_assert_uint_le(store.bytes, store.limit_bytes);
    }
    for (int i = 7; i < 20; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        put(&store, key, BODY);
        ck_assert(has(&store, "k0"));
    }
    ck_assert(!has(&store, "k1"));
    ck_assert(has(&store, "k19"));
    view_kept_store_deinit(&store);
    ck_assert_uint_eq(store.bytes, 0);
}
END_TEST

START_TEST(one_that_would_take_a_quarter_of_the_room_is_not_taken)
{
    struct view_kept_store store = {.limit_bytes = 40 * BODY};
    put(&store, "small", BODY);
    put(&store, "large", 10 * BODY + 1);
    ck_assert(has(&store, "small"));
    ck_assert(!has(&store, "large"));
    view_kept_store_deinit(&store);
}
END_TEST

START_TEST(a_newer_answer_takes_the_place_of_the_older)
{
    struct view_kept_store store = {.limit_bytes = 100 * BODY};
    put(&store, "k", BODY);
    size_t once = store.bytes;
    put(&store, "k", BODY);
    ck_assert_uint_eq(store.bytes, once);
    view_kept_store_deinit(&store);
}
END_TEST

START_TEST(one_in_use_outlives_the_store)
{
    struct view_kept_store store = {.limit_bytes = 100 * BODY};
    put(&store, "k", BODY);
    struct view_kept *kept = view_kept_ref(view_kept_find(&store, cu_bytes_of("k")));
    view_kept_store_deinit(&store);
    ck_assert_uint_eq(kept->bodies[0]->len, BODY);
    view_kept_unref(kept);
}
END_TEST

SUITE_MAIN("common/view/kept", the_least_recently_used_goes_when_the_limit_is_reached,
           one_that_would_take_a_quarter_of_the_room_is_not_taken,
           a_newer_answer_takes_the_place_of_the_older, one_in_use_outlives_the_store)
