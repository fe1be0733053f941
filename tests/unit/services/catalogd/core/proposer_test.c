#include "services/catalogd/core/proposer.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/random.h"
#include "tests/lib/suite.h"

static struct catalog_id id_of(uint64_t number)
{
    struct catalog_id id = {{1}};
    memcpy(id.bytes + 8, &number, sizeof number);
    return id;
}

static struct catalog_proposers *with(uint64_t count)
{
    struct catalog_proposers *p = cu_alloc(sizeof *p);
    for (uint64_t n = 1; n <= count; n++) {
        struct catalog_id id = id_of(n);
        ck_assert_int_eq(catalog_proposers_open(p, &id, n - 1, n), CATALOG_OPENED);
    }
    return p;
}

static enum catalog_fate mark(struct catalog_proposers *p, uint64_t n, uint64_t seq, uint64_t index)
{
    struct catalog_id id = id_of(n);
    return catalog_proposers_mark(p, &id, seq, index);
}

START_TEST(a_seq_takes_effect_once_in_any_order_with_gaps)
{
    struct catalog_proposers *p = with(1);
    static const uint64_t seqs[] = {1, 3, 2, 100, 50, 99};
    for (size_t i = 0; i < sizeof seqs / sizeof *seqs; i++)
        ck_assert_int_eq(mark(p, 1, seqs[i], 10 + i), CATALOG_APPLIED);
    for (size_t i = 0; i < sizeof seqs / sizeof *seqs; i++)
        ck_assert_int_eq(mark(p, 1, seqs[i], 20 + i), CATALOG_SEEN);
    ck_assert_int_eq(mark(p, 1, 4, 30), CATALOG_APPLIED);
    free(p);
}
END_TEST

START_TEST(the_window_is_4096_seqs_and_the_next_is_too_old)
{
    struct catalog_proposers *p = with(1);
    ck_assert_int_eq(mark(p, 1, 5000, 2), CATALOG_APPLIED);
    ck_assert_int_eq(mark(p, 1, 5000 - CATALOG_WINDOW_SEQS + 1, 3), CATALOG_APPLIED);
    ck_assert_int_eq(mark(p, 1, 5000 - CATALOG_WINDOW_SEQS, 4), CATALOG_TOO_OLD);
    ck_assert_int_eq(mark(p, 1, 1, 5), CATALOG_TOO_OLD);
    free(p);
}
END_TEST

START_TEST(does_what_a_set_of_all_seqs_would_within_the_window)
{
    enum { SEQS = 20000, STEPS = 60000 };
    struct catalog_proposers *p = with(1);
    struct cu_random random = {suite_seed()};
    bool *seen = cu_alloc(SEQS);
    uint64_t top = 0;
    for (uint64_t step = 0; step < STEPS; step++) {
        uint64_t low = top > CATALOG_WINDOW_SEQS + 50 ? top - CATALOG_WINDOW_SEQS - 50 : 1;
        uint64_t seq = low + cu_random_below(&random, top + 20 - low + 1);
        if (seq >= SEQS)
            break;
        enum catalog_fate want = top >= CATALOG_WINDOW_SEQS && seq <= top - CATALOG_WINDOW_SEQS
                                     ? CATALOG_TOO_OLD
                                 : seen[seq] ? CATALOG_SEEN
                                             : CATALOG_APPLIED;
        ck_assert_int_eq(mark(p, 1, seq, step + 2), want);
        seen[seq] = true;
        top = seq > top ? seq : top;
    }
    free(seen);
    free(p);
}
END_TEST

START_TEST(an_unknown_proposer_and_seq_0_are_dropped)
{
    struct catalog_proposers *p = with(1);
    ck_assert_int_eq(mark(p, 2, 1, 5), CATALOG_DROPPED);
    ck_assert_int_eq(mark(p, 1, 0, 6), CATALOG_DROPPED);
    free(p);
}
END_TEST

START_TEST(the_65th_drops_the_one_longest_silent)
{
    struct catalog_proposers *p = with(CATALOG_PROPOSERS_MAX);
    ck_assert_int_eq(mark(p, 1, 1, 100), CATALOG_APPLIED); /* so 2 is the longest silent */
    struct catalog_id next = id_of(1000);
    ck_assert_int_eq(catalog_proposers_open(p, &next, 100, 101), CATALOG_OPENED);
    ck_assert_int_eq(mark(p, 2, 1, 102), CATALOG_DROPPED);
    ck_assert_int_eq(mark(p, 1, 2, 103), CATALOG_APPLIED);
    ck_assert_int_eq(mark(p, 3, 1, 104), CATALOG_APPLIED);
    ck_assert_uint_eq(p->dropped_index, 101);
    free(p);
}
END_TEST

START_TEST(an_open_made_before_a_drop_is_refused)
{
    struct catalog_proposers *p = with(CATALOG_PROPOSERS_MAX + 1); /* 1 was dropped at 65 */
    struct catalog_id first = id_of(1), other = id_of(77);
    ck_assert_int_eq(catalog_proposers_open(p, &first, 0, 70), CATALOG_OPEN_REFUSED);
    ck_assert_int_eq(catalog_proposers_open(p, &other, 64, 71), CATALOG_OPEN_REFUSED);
    ck_assert_int_eq(catalog_proposers_open(p, &other, 65, 72), CATALOG_OPENED);
    free(p);
}
END_TEST

START_TEST(a_second_copy_of_an_open_keeps_the_window)
{
    struct catalog_proposers *p = with(1);
    struct catalog_id id = id_of(1);
    ck_assert_int_eq(mark(p, 1, 1, 5), CATALOG_APPLIED);
    ck_assert_int_eq(catalog_proposers_open(p, &id, 0, 6), CATALOG_OPENED);
    ck_assert_int_eq(mark(p, 1, 1, 7), CATALOG_SEEN);
    free(p);
}
END_TEST

START_TEST(a_window_reads_back_as_written_and_refuses_other_lengths)
{
    struct catalog_proposers *p = with(1);
    (void)mark(p, 1, 4711, 9); /* only its mark is wanted */
    struct cu_buf bytes = {0};
    struct catalog_window window = {.last_index = 1};
    catalog_window_encode(&p->windows[0], &bytes);
    ck_assert_int_eq(catalog_window_decode(cu_buf_bytes(&bytes), &window), CU_OK);
    ck_assert_int_eq(memcmp(window.seen, p->windows[0].seen, sizeof window.seen), 0);
    ck_assert(window.highest == 4711 && window.last_index == 9 && !window.is_dirty);
    for (size_t len = 0; len < bytes.len; len += 7)
        ck_assert_int_eq(catalog_window_decode((struct cu_bytes){bytes.data, len}, &window),
                         CU_E_CORRUPT);
    cu_buf_u8(&bytes, 0);
    ck_assert_int_eq(catalog_window_decode(cu_buf_bytes(&bytes), &window), CU_E_CORRUPT);
    cu_buf_deinit(&bytes);
    free(p);
}
END_TEST

SUITE_MAIN("catalogd/core/proposer", a_seq_takes_effect_once_in_any_order_with_gaps,
           the_window_is_4096_seqs_and_the_next_is_too_old,
           does_what_a_set_of_all_seqs_would_within_the_window,
           an_unknown_proposer_and_seq_0_are_dropped, the_65th_drops_the_one_longest_silent,
           an_open_made_before_a_drop_is_refused, a_second_copy_of_an_open_keeps_the_window,
           a_window_reads_back_as_written_and_refuses_other_lengths)
