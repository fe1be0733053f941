#include "common/daemon/trim.h"

#include "common/base/err.h"
#include "tests/lib/suite.h"

enum { MIB = 1024 * 1024 };

static const struct {
    const char *rule;
    uint64_t held, used, busy_ms;
    bool is_due;
} cases[] = {
    {"what a burst left behind goes back", 100 * MIB, 10 * MIB, 5, true},
    {"what is in use stays", 100 * MIB, 99 * MIB, 5, false},
    {"little is kept, to be used again", 18 * MIB, 10 * MIB, 5, false},
    {"a byte more is not", 18 * MIB + 1, 10 * MIB, 5, true},
    {"a busy daemon is left alone", 100 * MIB, 10 * MIB, 2000, false},
    {"one not quite as busy is not", 100 * MIB, 10 * MIB, 1999, true},
    {"nothing is known of what it holds", 0, 10 * MIB, 5, false},
};

START_TEST(gives_back_much_that_is_unused_when_little_is_done)
{
    for (size_t i = 0; i < CU_COUNT(cases); i++)
        ck_assert_msg(cu_trim_is_due(cases[i].held, cases[i].used, cases[i].busy_ms) ==
                          cases[i].is_due,
                      "%s", cases[i].rule);
}
END_TEST

SUITE_MAIN("common/daemon/trim", gives_back_much_that_is_unused_when_little_is_done)
