/* Whom to bootstrap with, by what gossip says: contracts 4.1. */
#include "tests/lib/suite.h"

#include <string.h>

#include "services/raftd/io/members.h"

static struct raft_id id(char letter)
{
    struct raft_id id = {{0}};
    id.bytes[0] = (uint8_t)letter;
    return id;
}

/* One server each: its letter, upper case when it is alive, and what it expects; `!`: it claims a
 * cluster of its own. This server is S. */
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
        {"S3 B3 a3", "", 3, false},        /* one that failed is not there */
        {"A3 B3 C3", "", 3, false},        /* not without this one */
        {"S3 A3 B3 C5", "", 3, true},
        {"S3 A3 B3 c5", "ABS", 3, false}, /* what is gone does not count */
        {"S3 A3 B3 C0", "ABS", 3, false}, /* a server that only joins */
        {"S3 A3 B3 C0!", "", 3, true},
        {"S3 A3 B3 c0!", "ABS", 3, false},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct raft_seen servers[8];
        uint32_t count = 0;
        for (const char *at = cases[i].servers; *at; at += *at == ' ') {
            struct raft_seen *server = &servers[count++];
            *server = (struct raft_seen){.id = id((char)(*at & ~0x20)),
                                         .is_alive = !(*at & 0x20),
                                         .expect = (uint32_t)(at[1] - '0')};
            at += 2;
            server->claims_alone = *at == '!';
            at += *at == '!';
        }
        struct raft_id ids[RAFT_SERVERS_MAX];
        bool conflict;
        uint32_t chosen = raft_choose_set(servers, count, id('S'), cases[i].expect, ids, &conflict);
        ck_assert_msg(chosen == strlen(cases[i].want), "case %zu: %u", i, chosen);
        for (uint32_t k = 0; k < chosen; k++)
            ck_assert_int_eq(ids[k].bytes[0], cases[i].want[k]);
        ck_assert_msg(conflict == cases[i].conflict, "case %zu", i);
    }
}
END_TEST

SUITE_MAIN("services/raftd/io/members", a_set_is_chosen_once_enough_expect_the_same)
