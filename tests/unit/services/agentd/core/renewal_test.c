#include "services/agentd/core/renewal.h"

#include <stdbool.h>

#include "tests/lib/suite.h"

enum { HOUR_S = 3600, FROM_S = 1800000000, LIFE_S = 72 * HOUR_S };

static struct cu_random dice = {7};

static int64_t renewal_at_s(int64_t life_s, int64_t now_s)
{
    uint64_t after_ms = agent_renewal_after_ms(&dice, FROM_S, FROM_S + life_s, now_s * 1000);
    return now_s + (int64_t)(after_ms / 1000);
}

START_TEST(it_is_renewed_between_60_and_90_percent_of_its_life) /* mesh 1.11 */
{
    bool early = false, late = false;
    for (int i = 0; i < 1000; i++) {
        int64_t life_part = renewal_at_s(LIFE_S, FROM_S + 60) - FROM_S;
        ck_assert_int_ge(life_part * 10, LIFE_S * 6 - 10);
        ck_assert_int_le(life_part * 10, LIFE_S * 9);
        early |= life_part * 10 < LIFE_S * 65 / 10;
        late |= life_part * 10 > LIFE_S * 85 / 10;
    }
    ck_assert(early && late);
}
END_TEST

START_TEST(a_short_life_is_no_other)
{
    for (int i = 0; i < 100; i++) {
        int64_t life_part = renewal_at_s(60, FROM_S) - FROM_S;
        ck_assert(life_part >= 35 && life_part <= 54);
    }
}
END_TEST

START_TEST(one_that_is_due_is_renewed_soon_but_not_at_once)
{
    for (int i = 0; i < 100; i++) { /* 80 % are over */
        int64_t at_s = renewal_at_s(LIFE_S, FROM_S + LIFE_S * 8 / 10);
        ck_assert(at_s > FROM_S + LIFE_S * 8 / 10 && at_s <= FROM_S + LIFE_S * 9 / 10);
    }
    ck_assert_uint_eq(agent_renewal_after_ms(&dice, FROM_S, FROM_S + 100, (FROM_S + 95) * 1000LL),
                      AGENT_RENEWAL_MIN_MS);
    ck_assert_uint_eq(agent_renewal_after_ms(&dice, FROM_S, FROM_S + 100, (FROM_S + 900) * 1000LL),
                      AGENT_RENEWAL_MIN_MS);
    ck_assert_uint_eq(agent_renewal_after_ms(&dice, FROM_S, FROM_S, FROM_S * 1000LL),
                      AGENT_RENEWAL_MIN_MS);
    ck_assert_uint_eq(agent_renewal_after_ms(&dice, FROM_S, FROM_S + 1, FROM_S * 1000LL),
                      AGENT_RENEWAL_MIN_MS);
}
END_TEST

START_TEST(failures_are_apart_more_and_more_up_to_a_limit)
{
    uint64_t sum[3] = {0};
    static const unsigned failures[] = {1, 5, 100000};
    for (int i = 0; i < 1000; i++)
        for (size_t k = 0; k < 3; k++) {
            uint64_t ms = agent_renewal_retry_ms(&dice, failures[k]);
            ck_assert(ms >= AGENT_RENEWAL_MIN_MS && ms <= AGENT_RENEWAL_RETRY_MAX_MS);
            sum[k] += ms;
        }
    ck_assert(3 * sum[0] < sum[1] && sum[1] < sum[2]);
    for (int i = 0; i < 1000; i++)
        ck_assert_uint_lt(agent_renewal_spread_ms(&dice), AGENT_RENEWAL_SPREAD_MS);
}
END_TEST

SUITE_MAIN("services/agentd/core/renewal", it_is_renewed_between_60_and_90_percent_of_its_life,
           a_short_life_is_no_other, one_that_is_due_is_renewed_soon_but_not_at_once,
           failures_are_apart_more_and_more_up_to_a_limit)
