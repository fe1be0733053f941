/* Who is alive by what gossip says, and whom to bootstrap with: contracts 4.1. */
#include "tests/lib/suite.h"

#include <stdio.h>
#include <string.h>

#include "services/raftd/io/roll.h"

static struct raft_id id(char letter)
{
    struct raft_id id = {{0}};
    id.bytes[0] = (uint8_t)letter;
    return id;
}

static bool put(struct raft_roll *roll, const char *name, char letter)
{
    return raft_roll_put(roll, &(struct raft_seen){.name = name, .id = id(letter), .expect = 3});
}

/* The letters of the set of those that expect 3, this server, S, among them. */
static const char *chosen(const struct raft_roll *roll)
{
    static char letters[RAFT_SERVERS_MAX + 1];
    struct raft_id ids[RAFT_SERVERS_MAX];
    bool conflict;
    uint32_t count = raft_roll_choose(roll, id('S'), 3, ids, &conflict);
    for (uint32_t i = 0; i < count; i++)
        letters[i] = (char)ids[i].bytes[0];
    letters[count] = '\0';
    return letters;
}

/* One server each: its letter, and what it expects; `!`: it claims a cluster of its own. */
START_TEST(a_set_is_chosen_once_enough_expect_the_same) /* contracts 4.1 */
{
    static const struct {
        const char *servers, *want;
        uint32_t expect;
        bool conflict;
    } cases[] = {
        {"S3", "", 3, false},
        {"S3 A3", "", 3, false},
        {"S3 B3 A3", "ABS", 3, false},
        {"S3 B3 A3 C3", "ABCS", 3, false}, /* more than awaited: all of them */
        {"A3 B3 C3", "", 3, false},        /* not without this one */
        {"S3 A3 B3 C5", "", 3, true},
        {"S3 A3 B3 C0", "ABS", 3, false}, /* a server that only joins */
        {"S3 A3 B3 C0!", "", 3, true},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct raft_roll roll = {.count = 0};
        for (const char *at = cases[i].servers; *at; at += *at == ' ') {
            char name[2] = {*at};
            ck_assert(raft_roll_put(&roll, &(struct raft_seen){.name = name,
                                                               .id = id(*at),
                                                               .expect = (uint32_t)(at[1] - '0'),
                                                               .claims_alone = at[2] == '!'}));
            at += at[2] == '!' ? 3 : 2;
        }
        struct raft_id ids[RAFT_SERVERS_MAX];
        bool conflict;
        uint32_t count = raft_roll_choose(&roll, id('S'), cases[i].expect, ids, &conflict);
        ck_assert_msg(count == strlen(cases[i].want), "case %zu: %u", i, count);
        for (uint32_t k = 0; k < count; k++)
            ck_assert_int_eq(ids[k].bytes[0], cases[i].want[k]);
        ck_assert_msg(conflict == cases[i].conflict, "case %zu", i);
        raft_roll_deinit(&roll);
    }
}
END_TEST

START_TEST(a_member_that_is_gone_does_not_count)
{
    struct raft_roll roll = {.count = 0};
    ck_assert(put(&roll, "s", 'S') && put(&roll, "a", 'A') && put(&roll, "b", 'B'));
    ck_assert_str_eq(chosen(&roll), "ABS");
    raft_roll_drop(&roll, "a");
    ck_assert_str_eq(chosen(&roll), "");
    raft_roll_drop(&roll, "nobody");
    ck_assert(put(&roll, "a", 'A'));
    ck_assert_str_eq(chosen(&roll), "ABS");
    raft_roll_deinit(&roll);
}
END_TEST

/* Nothing is ever said of the old id: with it among the set nobody would bootstrap. */
START_TEST(a_wiped_server_counts_once_with_its_new_id)
{
    struct raft_roll roll = {.count = 0};
    ck_assert(put(&roll, "s", 'S') && put(&roll, "a", 'A') && put(&roll, "a", 'X'));
    ck_assert_str_eq(chosen(&roll), "");
    ck_assert(put(&roll, "b", 'B'));
    ck_assert_str_eq(chosen(&roll), "BSX");
    raft_roll_deinit(&roll);
}
END_TEST

START_TEST(a_renamed_server_counts_once_and_outlives_its_old_name)
{
    struct raft_roll roll = {.count = 0};
    ck_assert(put(&roll, "s", 'S') && put(&roll, "a", 'A') && put(&roll, "a2", 'A'));
    ck_assert_str_eq(chosen(&roll), "");
    ck_assert(put(&roll, "b", 'B'));
    raft_roll_drop(&roll, "a");
    ck_assert_str_eq(chosen(&roll), "ABS");
    raft_roll_deinit(&roll);
}
END_TEST

START_TEST(one_server_more_than_the_roll_holds_is_passed_over_until_another_is_gone)
{
    struct raft_roll roll = {.count = 0};
    char name[16];
    for (int i = 0; i < RAFT_ROLL_MAX; i++) {
        (void)snprintf(name, sizeof name, "n%d", i);
        ck_assert(put(&roll, name, (char)(i + 1)));
    }
    ck_assert(!put(&roll, "late", (char)(RAFT_ROLL_MAX + 1)));
    ck_assert(put(&roll, "n7", 8)); /* one that is on it already */
    raft_roll_drop(&roll, "n0");
    ck_assert(put(&roll, "late", (char)(RAFT_ROLL_MAX + 1)));
    ck_assert_uint_eq(roll.count, RAFT_ROLL_MAX);
    raft_roll_deinit(&roll);
}
END_TEST

SUITE_MAIN("services/raftd/io/roll", a_set_is_chosen_once_enough_expect_the_same,
           a_member_that_is_gone_does_not_count, a_wiped_server_counts_once_with_its_new_id,
           a_renamed_server_counts_once_and_outlives_its_old_name,
           one_server_more_than_the_roll_holds_is_passed_over_until_another_is_gone)
