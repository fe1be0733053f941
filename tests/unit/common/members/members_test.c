/* The follower of gossipd's records: contracts 4.3. */
#include "tests/lib/suite.h"

#include <stdio.h>
#include <string.h>

#include "common/base/num.h"
#include "common/members/members.h"
#include "common/rpc/rpc.h"

static struct {
    struct cu_rpc *rpc;
    struct cu_rq *poll;
    char feed_id[16]; /* of the last question */
    uint64_t after;
    unsigned polls;
} gossip;

static struct {
    unsigned records, told, anew, ups, downs;
    bool complete;
    char name[32], id[64];
    uint64_t port, wrong;
} seen;

static void poll_gone(void *arg)
{
    (void)arg;
    gossip.poll = NULL;
}

static void on_follow(void *context, struct cu_rq *rq)
{
    const Curia__Internal__V1__MembersFollowRequest *in = (const void *)rq->in;
    (void)context;
    ck_assert_uint_lt(in->feed_id.len, sizeof gossip.feed_id);
    if (in->feed_id.len)
        memcpy(gossip.feed_id, in->feed_id.data, in->feed_id.len);
    gossip.feed_id[in->feed_id.len] = '\0';
    gossip.after = in->after;
    gossip.polls++;
    gossip.poll = rq;
    cu_rq_on_gone(rq, poll_gone, NULL);
}

static void unused(void *context, struct cu_rq *rq)
{
    (void)context;
    cu_rq_fail(rq, CU_E_INTERNAL, "not asked for");
}

/* clang-format off */
static const struct cu_method methods[] = {
    CU_METHOD(List,       CU_CALL,   ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, unused),
    CU_METHOD(Follow,     CU_FOLLOW, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, on_follow),
    CU_METHOD(Join,       CU_CALL,   ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, unused),
    CU_METHOD(Leave,      CU_CALL,   ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, unused),
    CU_METHOD(ForceLeave, CU_CALL,   ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, unused),
    CU_METHOD(SetTags,    CU_CALL,   ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, unused),
    CU_METHOD(Stats,      CU_CALL,   ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, unused),
};
/* clang-format on */
static const struct cu_service service = {&curia__internal__v1__members__descriptor, methods,
                                          CU_COUNT(methods)};

/* Of a feed that has come to `index`. */
static void reply_of(const char *feed_id, uint64_t upto, bool has_record, uint64_t index)
{
    Curia__Internal__V1__MembersFollowReply out = CURIA__INTERNAL__V1__MEMBERS_FOLLOW_REPLY__INIT;
    Curia__Internal__V1__MemberRecord record = CURIA__INTERNAL__V1__MEMBER_RECORD__INIT,
                                      *records[] = {&record};
    Curia__Internal__V1__Member member = CURIA__INTERNAL__V1__MEMBER__INIT;
    Curia__Internal__V1__Member__TagsEntry id, port, *tags[] = {&id, &port};
    curia__internal__v1__member__tags_entry__init(&id);
    curia__internal__v1__member__tags_entry__init(&port);
    id.key = "id", id.value = "abc";
    port.key = "port", port.value = "8300";
    member.name = "n2";
    member.tags = tags;
    member.n_tags = CU_COUNT(tags);
    record.member = &member;
    record.index = upto;
    out.outcome = CURIA__INTERNAL__V1__MEMBERS_OUTCOME__MEMBERS_RECORDS;
    out.feed_id = (ProtobufCBinaryData){strlen(feed_id), (uint8_t *)feed_id};
    out.upto = upto;
    out.index = index;
    out.complete = has_record;
    out.records = records;
    out.n_records = has_record;
    struct cu_rq *rq = gossip.poll;
    gossip.poll = NULL;
    cu_rq_on_gone(rq, NULL, NULL);
    cu_rq_reply(rq, &out.base, 0);
}

static void reply(const char *feed_id, uint64_t upto, bool has_record)
{
    reply_of(feed_id, upto, has_record, upto);
}

static void compact(void)
{
    Curia__Internal__V1__MembersFollowReply out = CURIA__INTERNAL__V1__MEMBERS_FOLLOW_REPLY__INIT;
    out.outcome = CURIA__INTERNAL__V1__MEMBERS_OUTCOME__MEMBERS_COMPACTED;
    struct cu_rq *rq = gossip.poll;
    gossip.poll = NULL;
    cu_rq_on_gone(rq, NULL, NULL);
    cu_rq_reply(rq, &out.base, 0);
}

static void record(void *arg, const Curia__Internal__V1__MemberRecord *record)
{
    (void)arg;
    seen.records++;
    (void)snprintf(seen.name, sizeof seen.name, "%s", record->member->name);
    (void)snprintf(seen.id, sizeof seen.id, "%s", cu_member_tag(record->member, "id"));
    ck_assert_str_eq(cu_member_tag(record->member, "none"), "");
    seen.port = cu_member_number(record->member, "port", UINT16_MAX);
    seen.wrong = cu_member_number(record->member, "id", UINT16_MAX) +
                 cu_member_number(record->member, "none", UINT16_MAX) +
                 cu_member_number(record->member, "port", 8299);
}

static void told(void *arg, bool complete)
{
    (void)arg;
    seen.told++;
    seen.complete = complete;
}

static void anew(void *arg)
{
    (void)arg;
    seen.anew++;
}

static void well(void *arg, bool is_well)
{
    (void)arg;
    *(is_well ? &seen.ups : &seen.downs) += 1;
}

static struct cu_loop *loop;

#define WAIT(condition)                                                                            \
    do {                                                                                           \
        struct cu_mono until = cu_mono_add_ms(cu_mono_now(), 40000);                               \
        while (!(condition)) {                                                                     \
            ck_assert_msg(cu_mono_before(cu_mono_now(), until), "in vain: %s", #condition);        \
            cu_loop_turn(loop, 5);                                                                 \
        }                                                                                          \
    } while (0)

static void listen_at(const char *url)
{
    struct cu_diag diag = {0};
    gossip.rpc = cu_rpc_new(&(struct cu_rpc_options){
        .loop = loop, .daemon = "gossipd", .node_id = "", .node_name = "n1", .datacenter = "dc1"});
    cu_rpc_add_service(gossip.rpc, &service, NULL);
    ck_assert_msg(cu_rpc_listen(gossip.rpc, url, &diag) == CU_OK, "%s", diag.text);
}

START_TEST(records_are_told_once_and_all_again_by_another_feed) /* contracts 4.3 */
{
    char url[128];
    (void)snprintf(url, sizeof url, "ipc://%s/gossipd.sock", suite_tmpdir());
    loop = cu_loop_new();
    listen_at(url);
    struct cu_rpc *rpc = cu_rpc_new(&(struct cu_rpc_options){
        .loop = loop, .daemon = "raftd", .node_id = "", .node_name = "n1", .datacenter = "dc1"});
    struct cu_members *members = cu_members_new(&(struct cu_members_options){.rpc = rpc,
                                                                             .loop = loop,
                                                                             .url = url,
                                                                             .record = record,
                                                                             .anew = anew,
                                                                             .told = told,
                                                                             .well = well});
    WAIT(gossip.polls == 1 && gossip.poll);
    ck_assert_str_eq(gossip.feed_id, "");
    ck_assert_uint_eq(seen.ups, 1);

    reply("f1", 7, true);
    WAIT(gossip.polls == 2 && gossip.poll);
    ck_assert_str_eq(gossip.feed_id, "f1");
    ck_assert_uint_eq(gossip.after, 7);
    ck_assert_str_eq(seen.name, "n2");
    ck_assert_str_eq(seen.id, "abc");
    ck_assert_uint_eq(seen.port, 8300);
    ck_assert_uint_eq(seen.wrong, 0);
    ck_assert(seen.complete && seen.told == 1 && seen.records == 1);

    compact();
    WAIT(gossip.polls == 3 && gossip.poll);
    ck_assert_str_eq(gossip.feed_id, "");
    ck_assert_uint_eq(gossip.after, 0);
    ck_assert_uint_eq(seen.told, 1); /* nothing is known of the new feed yet */
    ck_assert_uint_eq(seen.anew, 1);

    cu_rpc_free(gossip.rpc);
    WAIT(seen.downs == 1);
    listen_at(url);
    WAIT(gossip.polls == 4 && gossip.poll);
    reply("f2", 3, true);
    WAIT(seen.records == 2);
    ck_assert_uint_eq(seen.ups, 2);
    cu_members_free(members);
    cu_rpc_free(rpc);
    cu_rpc_free(gossip.rpc);
    cu_loop_free(loop);
}
END_TEST

START_TEST(all_is_told_once_the_last_piece_of_a_long_feed_has_come)
{
    char url[128];
    (void)snprintf(url, sizeof url, "ipc://%s/gossipd.sock", suite_tmpdir());
    loop = cu_loop_new();
    listen_at(url);
    struct cu_rpc *rpc = cu_rpc_new(&(struct cu_rpc_options){
        .loop = loop, .daemon = "raftd", .node_id = "", .node_name = "n1", .datacenter = "dc1"});
    struct cu_members *members = cu_members_new(&(struct cu_members_options){
        .rpc = rpc, .loop = loop, .url = url, .record = record, .told = told});
    WAIT(gossip.polls == 1 && gossip.poll);
    reply_of("f1", 512, true, 513);
    WAIT(gossip.polls == 2 && gossip.poll);
    ck_assert_uint_eq(seen.records, 1);
    ck_assert_uint_eq(seen.told, 0);
    ck_assert_uint_eq(gossip.after, 512);
    reply_of("f1", 513, true, 513);
    WAIT(gossip.polls == 3 && gossip.poll);
    ck_assert_uint_eq(seen.records, 2);
    ck_assert_uint_eq(seen.told, 1);
    cu_members_free(members);
    cu_rpc_free(rpc);
    cu_rpc_free(gossip.rpc);
    cu_loop_free(loop);
}
END_TEST

/* The tags of a server that has them all, but for the one of `key`. */
static bool is_server_with(const char *key, const char *value, const char *datacenter)
{
    static const char *const tags[][2] = {
        {"role", "consul"},
        {"dc", "dc1"},
        {"id", "abc"},
        {"vsn", "2"},
        {"port", "8300"},
        {"expect", "3"},
        {"raft_vsn", "3"},
        {"wan_join_port", "8302"},
        {"ft_fs", "1"},
        {"ft_si", "1"},
        {"build", "1.9.8:1a2b3c4d"},
        {"sl_a", "[::1]:8303"},
        {"raft_port", "8310"},
    };
    Curia__Internal__V1__Member member = CURIA__INTERNAL__V1__MEMBER__INIT;
    Curia__Internal__V1__Member__TagsEntry entries[CU_COUNT(tags)], *list[CU_COUNT(tags)];
    for (size_t i = 0; i < CU_COUNT(tags); i++) {
        const char *own = strcmp(tags[i][0], key) ? tags[i][1] : value;
        if (!own)
            continue; /* it has no such tag */
        list[member.n_tags] = &entries[i];
        curia__internal__v1__member__tags_entry__init(&entries[i]);
        entries[i].key = (char *)(uintptr_t)tags[i][0];
        entries[i].value = (char *)(uintptr_t)own;
        member.n_tags++;
    }
    member.tags = list;
    return cu_member_is_server(&member, datacenter);
}

START_TEST(gossip_75_a_server_has_its_tags_and_all_that_are_numbers_are)
{
    static const struct {
        const char *key, *value; /* NULL: it is not there */
        bool is_server;
    } cases[] = {
        {"-", NULL, true},
        {"role", "node", false},
        {"role", NULL, false},
        {"port", NULL, false},
        {"port", "", false},
        {"port", "0", false},
        {"port", "x", false},
        {"port", "8300x", false},
        {"port", "65536", false},
        {"build", NULL, false},
        {"build", "", false},
        {"build", "x", false},
        {"build", "1.9", false},
        {"build", "1..8", false},
        {"build", "1.9.8", true},
        {"build", "1.9.8:", true},
        {"build", "1.10.12beta1:1a2b", true},
        {"vsn", NULL, false},
        {"vsn", "two", false},
        {"expect", NULL, true},
        {"expect", "three", false},
        {"expect", "-1", false},
        {"wan_join_port", NULL, true},
        {"wan_join_port", "x", false},
        {"raft_vsn", NULL, true},
        {"raft_vsn", "x", false},
        {"ft_fs", NULL, true},
        {"ft_fs", "yes", false},
        {"ft_si", "", false},
        {"sl_a", NULL, true},
        {"sl_a", "8303", false},
        {"sl_a", "10.0.0.1:x", false},
        {"raft_port", NULL, true}, /* one of the reference */
        {"id", NULL, true},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++)
        ck_assert_msg(is_server_with(cases[i].key, cases[i].value, "dc1") == cases[i].is_server,
                      "%s=%s", cases[i].key, cases[i].value ? cases[i].value : "(none)");
    ck_assert(!is_server_with("-", NULL, "dc2"));
    ck_assert(is_server_with("-", NULL, NULL));
}
END_TEST

SUITE_MAIN("common/members/members", gossip_75_a_server_has_its_tags_and_all_that_are_numbers_are,
           records_are_told_once_and_all_again_by_another_feed,
           all_is_told_once_the_last_piece_of_a_long_feed_has_come)
