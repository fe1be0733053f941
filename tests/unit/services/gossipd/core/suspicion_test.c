/* How long a suspicion lasts: gossip.md 10.2, checklist 43 and 44. */
#include "tests/lib/suite.h"

#include "common/base/err.h"
#include "services/gossipd/core/suspicion.h"

START_TEST(the_wait_follows_pool_and_evidence) /* 43 */
{
    static const struct {
        uint32_t members, confirmed, want_ms;
    } cases[] = {
        {3, 0, 4000},    /* n - 2 < k: nobody could confirm, the minimum at once */
        {2, 0, 4000},    /* */
        {1, 0, 4000},    /* */
        {4, 0, 24000},   /* k = 2 from here on; min 4 s, max 24 s */
        {10, 2, 4000},   /* log10(10) = 1 */
        {100, 0, 48000}, /* min 8 s, max 48 s */
        {100, 1, 22762}, /* 48 - 40 * ln 2 / ln 3 = 22.7628 s, cut to whole ms */
        {100, 2, 8000},  /* */
        {100, 9, 8000},  /* never below the minimum */
        {50, 2, 6792},   /* log10(50) cut to 1.698 */
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct gossip_suspicion_limits limits =
            gossip_suspicion_limits(4, 6, 1000, cases[i].members);
        ck_assert_msg(gossip_suspicion_ms(&limits, cases[i].confirmed) == cases[i].want_ms,
                      "n=%u c=%u: %u, want %u", cases[i].members, cases[i].confirmed,
                      gossip_suspicion_ms(&limits, cases[i].confirmed), cases[i].want_ms);
    }
}
END_TEST

START_TEST(more_evidence_never_lengthens_the_wait)
{
    struct gossip_suspicion_limits limits = gossip_suspicion_limits(6, 6, 5000, 500);
    for (uint32_t n = 0; n < 8; n++)
        ck_assert_uint_le(gossip_suspicion_ms(&limits, n + 1), gossip_suspicion_ms(&limits, n));
}
END_TEST

START_TEST(only_a_new_accuser_confirms) /* 44 */
{
    struct gossip_suspicion_limits limits = gossip_suspicion_limits(4, 6, 1000, 100);
    struct cu_mono now = {1000000};
    struct gossip_suspicion *s = gossip_suspicion_new(&limits, cu_bytes_of("a"), now);
    ck_assert(!gossip_suspicion_confirm(s, cu_bytes_of("a")));
    ck_assert_uint_eq(gossip_suspicion_deadline(s).ns, cu_mono_add_ms(now, 48000).ns);
    ck_assert(gossip_suspicion_confirm(s, cu_bytes_of("b")));
    ck_assert(!gossip_suspicion_confirm(s, cu_bytes_of("b")));
    ck_assert_uint_eq(gossip_suspicion_deadline(s).ns, cu_mono_add_ms(now, 22762).ns);
    ck_assert(gossip_suspicion_confirm(s, cu_bytes_of("c")));
    ck_assert(!gossip_suspicion_confirm(s, cu_bytes_of("d"))); /* all that were expected */
    ck_assert_uint_eq(gossip_suspicion_deadline(s).ns, cu_mono_add_ms(now, 8000).ns);
    gossip_suspicion_free(s);
}
END_TEST

START_TEST(our_own_absence_lengthens_the_wait)
{
    struct gossip_suspicion_limits limits = gossip_suspicion_limits(4, 6, 1000, 3);
    struct gossip_suspicion *s =
        gossip_suspicion_new(&limits, cu_bytes_of("a"), (struct cu_mono){5000000});
    gossip_suspicion_extend(s, 3000);
    ck_assert_uint_eq(gossip_suspicion_deadline(s).ns,
                      cu_mono_add_ms((struct cu_mono){5000000}, 7000).ns);
    gossip_suspicion_free(s);
}
END_TEST

SUITE_MAIN("services/gossipd/core/suspicion", the_wait_follows_pool_and_evidence,
           more_evidence_never_lengthens_the_wait, only_a_new_accuser_confirms,
           our_own_absence_lengthens_the_wait)
