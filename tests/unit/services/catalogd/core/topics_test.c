#include "services/catalogd/core/topics.h"

#include <stdio.h>

#include "tests/lib/suite.h"

static struct catalog_topic key(const char *text)
{
    return (struct catalog_topic){CATALOG_KV, false, cu_bytes_of(text)};
}

static struct catalog_topic prefix(const char *text)
{
    return (struct catalog_topic){CATALOG_KV, true, cu_bytes_of(text)};
}

static struct catalog_wake wake(const char *text, bool is_prefix, uint64_t index)
{
    return (struct catalog_wake){CATALOG_KV, is_prefix, cu_bytes_of(text), index};
}

static unsigned fired(struct catalog_topics *topics, struct catalog_wake wake)
{
    unsigned count = 0;
    for (struct catalog_watch *w = catalog_topics_move(topics, &wake); w; w = w->next)
        count++;
    return count;
}

/* Which watches a wake reaches. */
static const struct {
    const char *watched;
    bool is_prefix;
    const char *moved;
    bool is_tree; /* all rows under `moved` */
    unsigned fires;
} reaches[] = {
    {"a/b", false, "a/b", false, 1}, {"a/b", false, "a/bc", false, 0},
    {"a/b", false, "a", false, 0},   {"a/", true, "a/b", false, 1},
    {"a/", true, "a/", false, 1},    {"a/", true, "a", false, 0},
    {"", true, "zzz", false, 1},     {"a/b", false, "a/", true, 1},
    {"a/b", false, "b/", true, 0},   {"a/", true, "a/b/", true, 1},
    {"a/b/", true, "a/", true, 1},   {"b/", true, "a/", true, 0},
};

START_TEST(a_move_fires_what_watches_it_and_nothing_else_contracts_7_4)
{
    for (size_t i = 0; i < CU_COUNT(reaches); i++) {
        struct catalog_topics *topics = catalog_topics_new(1, 16);
        struct catalog_watch watch = {0};
        struct catalog_topic topic =
            reaches[i].is_prefix ? prefix(reaches[i].watched) : key(reaches[i].watched);
        ck_assert(catalog_topics_watch(topics, &watch, &topic, 5));
        ck_assert_msg(fired(topics, wake(reaches[i].moved, reaches[i].is_tree, 6)) ==
                          reaches[i].fires,
                      "row %zu", i);
        ck_assert_uint_eq(catalog_topics_watches(topics), 1 - reaches[i].fires);
        catalog_topics_unwatch(topics, &watch);
        catalog_topics_free(topics);
    }
}
END_TEST

START_TEST(a_watch_on_what_moved_since_the_read_is_refused_contracts_7_4)
{
    struct catalog_topics *topics = catalog_topics_new(1, 16);
    struct catalog_watch watch = {0};
    struct catalog_topic topic = key("a");
    catalog_topics_follow(topics, &topic, 5);
    (void)fired(topics, wake("a", false, 7));
    ck_assert(!catalog_topics_watch(topics, &watch, &topic, 6));
    ck_assert(catalog_topics_watch(topics, &watch, &topic, 7));
    catalog_topics_unwatch(topics, &watch);
    catalog_topics_free(topics);
}
END_TEST

START_TEST(ten_thousand_writes_to_other_keys_wake_nobody)
{
    struct catalog_topics *topics = catalog_topics_new(1, 16);
    struct catalog_watch watch = {0};
    struct catalog_topic topic = key("watched");
    ck_assert(catalog_topics_watch(topics, &watch, &topic, 5));
    for (uint64_t i = 0; i < 10000; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "other/%llu", (unsigned long long)i);
        ck_assert_uint_eq(fired(topics, wake(name, false, 6 + i)), 0);
    }
    ck_assert_uint_eq(catalog_topics_moved(topics, &topic), 5);
    ck_assert_uint_eq(catalog_topics_count(topics), 1);
    catalog_topics_unwatch(topics, &watch);
    catalog_topics_free(topics);
}
END_TEST

START_TEST(a_topic_without_an_entry_counts_as_moved_at_the_floor_contracts_7_2)
{
    struct catalog_topics *topics = catalog_topics_new(3, 16);
    struct catalog_topic topic = key("a");
    ck_assert_uint_eq(catalog_topics_moved(topics, &topic), 3);
    (void)fired(topics, wake("b", false, 9));
    ck_assert_uint_eq(catalog_topics_moved(topics, &topic), 9);
    catalog_topics_free(topics);
}
END_TEST

START_TEST(one_entry_more_than_fit_takes_the_place_of_the_least_lately_used)
{
    struct catalog_topics *topics = catalog_topics_new(1, 4);
    static const char *const names[] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < CU_COUNT(names); i++) {
        struct catalog_topic topic = key(names[i]);
        catalog_topics_follow(topics, &topic, 5);
    }
    struct catalog_topic a = key("a"), b = key("b"), more = key("e");
    (void)catalog_topics_moved(topics, &a); /* used */
    catalog_topics_follow(topics, &more, 6);
    ck_assert_uint_eq(catalog_topics_count(topics), 4);
    (void)fired(topics, wake("x", false, 9));
    ck_assert_uint_eq(catalog_topics_moved(topics, &a), 5);
    ck_assert_uint_eq(catalog_topics_moved(topics, &b), 9); /* dropped: the floor */
    catalog_topics_free(topics);
}
END_TEST

START_TEST(watched_entries_are_never_dropped_and_one_watch_more_is_refused)
{
    struct catalog_topics *topics = catalog_topics_new(1, 2);
    struct catalog_watch watches[3] = {0};
    struct catalog_topic a = key("a"), b = key("b"), c = key("c");
    ck_assert(catalog_topics_watch(topics, &watches[0], &a, 5));
    ck_assert(catalog_topics_watch(topics, &watches[1], &b, 5));
    ck_assert(!catalog_topics_watch(topics, &watches[2], &c, 5));
    catalog_topics_unwatch(topics, &watches[0]);
    ck_assert(catalog_topics_watch(topics, &watches[2], &c, 5));
    catalog_topics_unwatch(topics, &watches[1]);
    catalog_topics_unwatch(topics, &watches[2]);
    catalog_topics_free(topics);
}
END_TEST

START_TEST(a_replaced_state_fires_everything)
{
    struct catalog_topics *topics = catalog_topics_new(1, 16);
    struct catalog_watch watches[2] = {0};
    struct catalog_topic a = key("a"), b = prefix("b/");
    ck_assert(catalog_topics_watch(topics, &watches[0], &a, 5));
    ck_assert(catalog_topics_watch(topics, &watches[1], &b, 5));
    struct catalog_watch *list = catalog_topics_reset(topics, 40);
    ck_assert(list && list->next && !list->next->next);
    ck_assert_uint_eq(catalog_topics_moved(topics, &a), 40);
    catalog_topics_free(topics);
}
END_TEST

START_TEST(a_key_one_byte_too_long_has_no_entry)
{
    static uint8_t bytes[CATALOG_TOPIC_KEY_BYTES_MAX + 1];
    struct catalog_topics *topics = catalog_topics_new(1, 16);
    struct catalog_topic longest = {CATALOG_KV, true, {bytes, CATALOG_TOPIC_KEY_BYTES_MAX}};
    struct catalog_topic longer = {CATALOG_KV, true, {bytes, sizeof(bytes)}};
    catalog_topics_follow(topics, &longest, 5);
    catalog_topics_follow(topics, &longer, 5);
    ck_assert_uint_eq(catalog_topics_count(topics), 1);
    struct catalog_wake moved = {CATALOG_KV, false, {bytes, sizeof(bytes)}, 9};
    (void)catalog_topics_move(topics, &moved);
    ck_assert_uint_eq(catalog_topics_moved(topics, &longest), 9);
    ck_assert_uint_eq(catalog_topics_moved(topics, &longer), 9);
    catalog_topics_free(topics);
}
END_TEST

SUITE_MAIN("services/catalogd/core/topics",
           a_move_fires_what_watches_it_and_nothing_else_contracts_7_4,
           a_watch_on_what_moved_since_the_read_is_refused_contracts_7_4,
           ten_thousand_writes_to_other_keys_wake_nobody,
           a_topic_without_an_entry_counts_as_moved_at_the_floor_contracts_7_2,
           one_entry_more_than_fit_takes_the_place_of_the_least_lately_used,
           watched_entries_are_never_dropped_and_one_watch_more_is_refused,
           a_replaced_state_fires_everything, a_key_one_byte_too_long_has_no_entry)
