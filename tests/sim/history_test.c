#include "tests/sim/history.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"

/* One operation a word: kind (w write, c cas, r read), value, optional "<expected", '+' or '-' (cas
 * applied or not),
 * '?' unknown outcome, then @start-end. All on key 0. */
static struct history parse(const char *text)
{
    struct history history = {0};
    char copy[512], *save = NULL;
    ck_assert_uint_lt(strlen(text), sizeof copy);
    strcpy(copy, text);
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        struct history_operation op = {.is_known = !strchr(word, '?'),
                                       .applied = !strchr(word, '!')};
        const char *expected = strchr(word, '<'), *at = strchr(word, '@');
        op.kind = *word == 'w' ? HISTORY_WRITE : *word == 'c' ? HISTORY_CAS : HISTORY_READ;
        op.value = strtoull(word + 1, NULL, 10);
        op.expected = expected ? strtoull(expected + 1, NULL, 10) : 0;
        op.start = strtoull(at + 1, NULL, 10);
        op.end = op.is_known ? strtoull(strchr(at, '-') + 1, NULL, 10) : UINT64_MAX;
        (void)history_begin(&history, &op);
    }
    return history;
}

static const struct {
    const char *about, *history;
    bool want;
} cases[] = {
    {"nothing happened", "", true},
    {"one after the other", "w1@1-2 r1@3-4 w2@5-6 r2@7-8", true},
    {"an old value after the new was acknowledged", "w1@1-2 w2@3-4 r1@5-6", false},
    {"a read beside a write sees either", "w1@1-2 w2@3-9 r1@4-5 r2@6-7", true},
    {"but not the new one, then the old one", "w1@1-2 w2@3-9 r2@4-5 r1@6-7", false},
    {"an acknowledged write is lost", "w1@1-2 r0@3-4", false},
    {"an unknown write takes effect late", "w1@1-2 w2?@3-0 r1@4-5 r2@6-7", true},
    {"or never", "w1@1-2 w2?@3-0 r1@4-5 r1@6-7", true},
    {"but not before it began", "w1@1-2 r2@2-3 w2?@4-0", false},
    {"nor twice", "w1@1-2 w2?@3-0 r2@4-5 w3@6-7 r2@8-9", false},
    {"a cas on what is there", "w1@1-2 c2<1@3-4 r2@5-6", true},
    {"a cas that could not have failed", "w1@1-2 c2<1!@3-4 r1@5-6", false},
    {"a cas that could not have applied", "w1@1-2 w2@3-4 c3<1@5-6", false},
    {"two cas on the same value, both applied", "w1@1-2 c2<1@3-9 c3<1@3-9", false},
    {"a value from nowhere", "w1@1-2 r7@3-4", false},
};

START_TEST(tells_histories_of_a_register_from_others)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct history history = parse(cases[i].history);
        bool gave_up = true;
        bool got = history_is_linearizable(&history, 0, 0, &gave_up);
        ck_assert_msg(got == cases[i].want && !gave_up, "%s", cases[i].about);
        history_deinit(&history);
    }
}
END_TEST

START_TEST(keys_are_judged_apart)
{
    struct history history = parse("w1@1-2 r0@3-4");
    bool gave_up;
    history.items[1].key = 1;
    ck_assert(history_is_linearizable(&history, 0, 0, &gave_up));
    ck_assert(history_is_linearizable(&history, 1, 0, &gave_up));
    history_deinit(&history);
}
END_TEST

SUITE_MAIN("sim/history", tells_histories_of_a_register_from_others, keys_are_judged_apart)
