#include "services/catalogd/core/roster.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/members.h"
#include "tests/lib/suite.h"

static struct cu_arena *arena;
static const struct catalog_member_self self = {"n2", "dc1"};

#define STATUS(status) CURIA__INTERNAL__V1__MEMBER_STATUS__MEMBER_##status

static void take_list(struct catalog_roster *roster, const struct member *members, size_t count)
{
    Curia__Internal__V1__MembersListReply reply = CURIA__INTERNAL__V1__MEMBERS_LIST_REPLY__INIT;
    reply.members = cu_arena_alloc(arena, (count + 1) * sizeof *reply.members);
    for (size_t i = 0; i < count; i++)
        reply.members[i] = member_of(arena, &members[i]);
    reply.n_members = count;
    reply.index = 7;
    reply.complete = true;
    reply.feed_id = (ProtobufCBinaryData){4, (uint8_t *)"feed"};
    catalog_roster_take_list(roster, &reply);
}

static void take_record(struct catalog_roster *roster, const struct member *member, uint64_t upto)
{
    Curia__Internal__V1__MembersFollowReply reply = CURIA__INTERNAL__V1__MEMBERS_FOLLOW_REPLY__INIT;
    Curia__Internal__V1__MemberRecord record = CURIA__INTERNAL__V1__MEMBER_RECORD__INIT;
    Curia__Internal__V1__MemberRecord *records[] = {&record};
    record.member = member_of(arena, member);
    reply.outcome = CURIA__INTERNAL__V1__MEMBERS_OUTCOME__MEMBERS_RECORDS;
    reply.records = records;
    reply.n_records = 1;
    reply.upto = upto;
    reply.complete = true;
    catalog_roster_take_records(roster, &reply);
}

/* The names that wait, in their order, taken. */
static const char *waiting(struct catalog_roster *roster)
{
    const char *text = "";
    const catalog_member *member;
    while ((member = catalog_roster_next(roster)))
        text = cu_arena_printf(arena, "%s%s ", text, member->name);
    return text;
}

static void set_up(void)
{
    arena = cu_arena_new(16 * 1024 * 1024);
}

static void tear_down(struct catalog_roster *roster)
{
    catalog_roster_deinit(roster);
    cu_arena_free(arena);
}

START_TEST(all_of_a_list_wait_then_only_those_with_records)
{
    struct catalog_roster roster = {0};
    set_up();
    take_list(&roster, (const struct member[]){{.name = "a"}, {.name = "b"}}, 2);
    ck_assert(roster.has_list && roster.is_complete);
    ck_assert_uint_eq(roster.after, 7);
    ck_assert(cu_bytes_equal(cu_buf_bytes(&roster.feed_id), cu_bytes_of("feed")));
    ck_assert_str_eq(waiting(&roster), "a b ");
    take_record(&roster, &(struct member){.name = "b", .status = STATUS(FAILED)}, 8);
    take_record(&roster, &(struct member){.name = "c"}, 9);
    take_record(&roster, &(struct member){.name = "b"}, 10); /* waits once, for its latest */
    ck_assert_uint_eq(roster.after, 10);
    ck_assert_str_eq(waiting(&roster), "b c ");
    catalog_roster_wait_all(&roster);
    ck_assert_uint_eq(roster.waiting, 3);
    tear_down(&roster);
}
END_TEST

START_TEST(a_compacted_feed_asks_for_a_list_and_keeps_its_members)
{
    struct catalog_roster roster = {0};
    Curia__Internal__V1__MembersFollowReply reply = CURIA__INTERNAL__V1__MEMBERS_FOLLOW_REPLY__INIT;
    set_up();
    take_list(&roster, (const struct member[]){{.name = "a"}}, 1);
    reply.outcome = CURIA__INTERNAL__V1__MEMBERS_OUTCOME__MEMBERS_COMPACTED;
    catalog_roster_take_records(&roster, &reply);
    ck_assert(!roster.has_list && catalog_roster_knows(&roster, "A"));
    take_list(&roster, (const struct member[]){{.name = "b"}}, 1);
    ck_assert(!catalog_roster_knows(&roster, "a")); /* forgotten, which removes nothing */
    ck_assert_str_eq(waiting(&roster), "b ");
    tear_down(&roster);
}
END_TEST

START_TEST(a_reaped_member_is_forgotten_once_it_is_settled)
{
    struct catalog_roster roster = {0};
    set_up();
    take_record(&roster, &(struct member){.name = "a", .status = STATUS(REAPED)}, 1);
    take_record(&roster, &(struct member){.name = "b"}, 2);
    catalog_roster_settled(&roster, "a"); /* it waits: there is news */
    ck_assert_str_eq(waiting(&roster), "a b ");
    catalog_roster_settled(&roster, "a");
    catalog_roster_settled(&roster, "b");
    catalog_roster_settled(&roster, "nobody");
    ck_assert(!catalog_roster_knows(&roster, "a") && catalog_roster_knows(&roster, "b"));
    catalog_roster_wait(&roster, "a");
    catalog_roster_wait(&roster, "B");
    ck_assert_str_eq(waiting(&roster), "b ");
    tear_down(&roster);
}
END_TEST

START_TEST(members_are_bounded)
{
    struct catalog_roster roster = {0};
    char name[16];
    set_up();
    for (int i = 0; i <= CATALOG_ROSTER_MAX; i++) {
        (void)snprintf(name, sizeof name, "m%d", i);
        take_record(&roster, &(struct member){.name = name}, 1);
        cu_arena_reset(arena);
    }
    ck_assert_uint_eq(roster.members.count, CATALOG_ROSTER_MAX);
    ck_assert(!catalog_roster_knows(&roster, name));
    take_record(&roster, &(struct member){.name = "m0", .status = STATUS(FAILED)}, 2);
    ck_assert_uint_eq(roster.members.count, CATALOG_ROSTER_MAX); /* those that are known go on */
    tear_down(&roster);
}
END_TEST

/* ---- two that begin ---- */

#define BOOTSTRAP SERVER_TAGS ",bootstrap=1"

static const char *rival(struct catalog_roster *roster, const char *name, const char *tags)
{
    const char *other = catalog_roster_rival(
        roster, &self, member_of(arena, &(struct member){.name = name, .tags = tags}));
    return other ? other : "none";
}

START_TEST(of_two_servers_in_bootstrap_mode_one_is_refused)
{
    struct catalog_roster roster = {0};
    set_up();
    take_list(&roster,
              (const struct member[]){{.name = "n1", .tags = BOOTSTRAP},
                                      {.name = "n3", .tags = BOOTSTRAP},
                                      {.name = "n4", .tags = SERVER_TAGS}},
              3);
    ck_assert_str_eq(rival(&roster, "n1", BOOTSTRAP), "none"); /* the first by name */
    ck_assert_str_eq(rival(&roster, "n3", BOOTSTRAP), "n1");
    ck_assert_str_eq(rival(&roster, "n4", SERVER_TAGS), "none"); /* it claims nothing */
    take_record(&roster, &(struct member){.name = "n2", .tags = BOOTSTRAP}, 1);
    ck_assert_str_eq(rival(&roster, "n1", BOOTSTRAP), "n2"); /* this node is right */
    ck_assert_str_eq(rival(&roster, "n2", BOOTSTRAP), "none");
    take_record(&roster,
                &(struct member){.name = "n2", .tags = BOOTSTRAP, .status = STATUS(FAILED)}, 2);
    ck_assert_str_eq(rival(&roster, "n1", BOOTSTRAP), "none"); /* the dead claim nothing */
    tear_down(&roster);
}
END_TEST

/* ---- those that are not shown ---- */

START_TEST(a_node_is_missed_since_the_first_round_without_it_contracts_5_5)
{
    struct catalog_roster roster = {0};
    set_up();
    ck_assert_uint_eq(catalog_roster_missed(&roster, "a", 1000), 1000);
    ck_assert_uint_eq(catalog_roster_missed(&roster, "b", 1000), 1000);
    catalog_roster_end_round(&roster, 1000);
    ck_assert_uint_eq(catalog_roster_missed(&roster, "A", 2000), 1000);
    catalog_roster_end_round(&roster, 2000); /* b was there: nobody missed it */
    ck_assert_uint_eq(catalog_roster_missed(&roster, "a", 3000), 1000);
    ck_assert_uint_eq(catalog_roster_missed(&roster, "b", 3000), 3000);
    tear_down(&roster);
}
END_TEST

SUITE_MAIN("catalogd/core/roster", all_of_a_list_wait_then_only_those_with_records,
           a_compacted_feed_asks_for_a_list_and_keeps_its_members,
           a_reaped_member_is_forgotten_once_it_is_settled, members_are_bounded,
           of_two_servers_in_bootstrap_mode_one_is_refused,
           a_node_is_missed_since_the_first_round_without_it_contracts_5_5)
