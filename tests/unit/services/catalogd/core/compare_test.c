#include "services/catalogd/core/compare.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "tests/lib/suite.h"

enum { REPLICAS_MAX = 5, MARKS_MAX = 4 };

/* A claim in a word: an index and a letter for the hash there, "9a 8a"; the highest index first. */
static struct catalog_claim claim_of(const char *text, struct catalog_mark marks[MARKS_MAX])
{
    struct catalog_claim claim = {.marks = marks};
    for (const char *at = text; *at; at += *at == ' ') {
        char *end;
        marks[claim.count].index = strtoull(at, &end, 10);
        marks[claim.count++].hash = (struct cu_u128){(uint64_t)*end, 0};
        at = end + 1;
    }
    return claim;
}

/* clang-format off */
static const struct {
    const char *rule, *own, *others[REPLICAS_MAX];
    size_t quorum;
    enum catalog_agreement agreement;
    uint64_t index;
    char other;
    size_t votes;
} cases[] = {
    {"nobody to ask",                           "9a",       {NULL},                       1, CATALOG_UNCOMPARED, 0, 0, 0},
    {"no index in common",                      "9a",       {"8a", "7a"},                 2, CATALOG_UNCOMPARED, 0, 0, 0},
    {"the own state is empty",                  "",         {"8a", "7a"},                 2, CATALOG_UNCOMPARED, 0, 0, 0},
    {"all agree, each where it can",            "9a 8a",    {"8a", "9a"},                 2, CATALOG_AGREED,     9, 0, 0},
    {"one is silent, one agrees",               "9a",       {"", "9a"},                   2, CATALOG_AGREED,     9, 0, 0},
    {"two of three agree on another",           "9a",       {"9b", "9b"},                 2, CATALOG_OUTVOTED,   9, 'b', 2},
    {"the others differ among themselves",      "9a",       {"9b", "9c"},                 2, CATALOG_DISAGREED,  9, 'b', 1},
    {"the other one of three is wrong",         "9a",       {"9b", "9a"},                 2, CATALOG_DISAGREED,  9, 'b', 1},
    {"only one of two others answers",          "9a",       {"9b", ""},                   2, CATALOG_DISAGREED,  9, 'b', 1},
    {"two servers: nobody is outvoted",         "9a",       {"9b"},                       2, CATALOG_DISAGREED,  9, 'b', 1},
    {"two of five are no quorum",               "9a",       {"9b", "9b", "9a", "9a"},     3, CATALOG_DISAGREED,  9, 'b', 1},
    {"three of five are",                       "9a",       {"9b", "9a", "9b", "9b"},     3, CATALOG_OUTVOTED,   9, 'b', 3},
    {"a reader takes the attached one's word",  "9a",       {"9b"},                       1, CATALOG_OUTVOTED,   9, 'b', 1},
    {"they meet us at different indexes",       "9a 8a",    {"9b 8b", "8b"},              2, CATALOG_OUTVOTED,   8, 'b', 2},
    {"what differed has been written over",     "9a 8a",    {"9a 8b", "9a 8b"},           2, CATALOG_AGREED,     9, 0, 0},
    {"one that agrees again has no vote",       "9a 8a",    {"9a 8b", "8b"},              2, CATALOG_DISAGREED,  8, 'b', 1},
    {"without a quorum to have nobody decides", "9a",       {"9b", "9b"},                 0, CATALOG_DISAGREED,  9, 'b', 1},
};
/* clang-format on */

static struct catalog_verdict judge(size_t number)
{
    struct catalog_mark marks[REPLICAS_MAX + 1][MARKS_MAX];
    struct catalog_claim own = claim_of(cases[number].own, marks[REPLICAS_MAX]);
    struct catalog_claim others[REPLICAS_MAX];
    size_t count = 0;
    for (; count < REPLICAS_MAX && cases[number].others[count]; count++)
        others[count] = claim_of(cases[number].others[count], marks[count]);
    return catalog_compare(&own, others, count, cases[number].quorum);
}

START_TEST(a_replica_is_wrong_when_a_quorum_agrees_on_another_state_contracts_3_6)
{
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct catalog_verdict v = judge(i);
        ck_assert_msg(v.agreement == cases[i].agreement, "%s: %d", cases[i].rule, v.agreement);
        ck_assert_msg(v.index == cases[i].index, "%s: at %llu", cases[i].rule,
                      (unsigned long long)v.index);
        if (v.agreement < CATALOG_DISAGREED)
            continue;
        ck_assert_msg(v.other.lo == (uint64_t)cases[i].other && v.own.lo == 'a', "%s",
                      cases[i].rule);
        ck_assert_msg(v.votes == cases[i].votes, "%s: %zu votes", cases[i].rule, v.votes);
    }
}
END_TEST

SUITE_MAIN("services/catalogd/core/compare",
           a_replica_is_wrong_when_a_quorum_agrees_on_another_state_contracts_3_6)
