/* Which catalogd is asked, and when it is left for another; and servers found among members
 * (contracts 7.1). */
#include "common/view/catalogs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/metric/metric.h"
#include "common/view/servers.h"
#include "curia/v1/catalog.pb-c.h"
#include "curia/internal/v1/members.pb-c.h"
#include "tests/lib/fake_catalog.h"
#include "tests/lib/suite.h"

enum { FAKES = 4, LONG_MS = 100000, SETTLE_TURNS = 60 };

static struct cu_loop *loop;
static struct cu_rpc *rpc;
static struct cu_metrics *metrics;
static struct fake_catalog *fakes[FAKES];
static char urls[FAKES][128];
static struct cu_view *view;

static void open_catalogs(size_t count)
{
    loop = cu_loop_new();
    metrics = cu_metrics_new();
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(urls[i], sizeof urls[i], "ipc://%s/c%zu.sock", suite_tmpdir(), i);
        fakes[i] = fake_catalog_new(loop, urls[i]);
    }
    rpc = cu_rpc_new(&(struct cu_rpc_options){.loop = loop,
                                              .daemon = "agentd",
                                              .node_id = "22222222-2222-2222-2222-222222222222",
                                              .node_name = "n2",
                                              .datacenter = "dc1"});
}

static void open_view(size_t home_count, uint64_t rebalance_ms)
{
    const char *home[] = {urls[0]};
    view = cu_view_new(&(struct cu_view_options){
        .rpc = rpc,
        .loop = loop,
        .metrics = metrics,
        .catalogs = home,
        .catalog_count = home_count,
        .rebalance_ms = rebalance_ms,
        .hold_ms = 1000,
        .kept_limit_bytes = 1024,
    });
}

static void offer(size_t first, size_t count)
{
    const char *list[FAKES];
    for (size_t i = 0; i < count; i++)
        list[i] = urls[first + i];
    cu_view_offer(view, CU_VIEW_MEMBERS, list, count);
}

static void close_all(void)
{
    cu_view_free(view);
    cu_rpc_free(rpc);
    for (size_t i = 0; i < FAKES; i++)
        if (fakes[i])
            fake_catalog_free(fakes[i]);
    cu_metrics_free(metrics);
    cu_loop_free(loop);
}

static void settle(void)
{
    for (int i = 0; i < SETTLE_TURNS; i++)
        fake_turn(loop);
}

static void look(void *arg, const struct cu_metric_value *value)
{
    struct cu_metric_value *wanted = arg;
    if (strcmp(value->name, wanted->name) == 0)
        wanted->value = value->value;
}

static double metric(const char *name)
{
    struct cu_metric_value wanted = {.name = name, .value = -1};
    cu_metrics_each(metrics, look, &wanted);
    return wanted.value;
}

/* ---- who is asked ---- */

struct asked {
    struct cu_view_call call;
    bool is_done;
    enum cu_err err;
};

static void done(void *arg, const struct cu_answer *answer)
{
    struct asked *asked = arg;
    asked->is_done = true;
    asked->err = answer->err;
}

/* The number of the fake that answers a question now. */
static size_t who(void)
{
    static const Curia__V1__ListNodesRequest request = CURIA__V1__LIST_NODES_REQUEST__INIT;
    struct asked asked = {.call = {.service = &curia__v1__catalog__descriptor,
                                   .method = "ListNodes",
                                   .request = &request.base,
                                   .timeout_ms = LONG_MS,
                                   .repeatable = true,
                                   .done = done,
                                   .arg = &asked}};
    for (size_t i = 0; i < FAKES; i++)
        if (fakes[i])
            fakes[i]->asked[0] = 0;
    cu_view_call(view, &asked.call);
    FAKE_WAIT(loop, asked.is_done);
    ck_assert_int_eq(asked.err, CU_OK);
    for (size_t i = 0; i < FAKES; i++)
        if (fakes[i] && fakes[i]->asked[0])
            return i;
    return FAKES;
}

START_TEST(without_a_home_members_are_asked_and_a_second_is_connected)
{
    open_catalogs(4);
    open_view(0, 0);
    ck_assert(!cu_view_is_up(view));
    offer(0, 4);
    FAKE_WAIT(loop, cu_view_is_up(view));
    settle();
    ck_assert_double_eq(metric("view.catalogs"), 4);
    ck_assert_double_eq(metric("view.catalogs_connected"), 2);
    size_t first = who();
    fake_catalog_stop(fakes[first]);
    FAKE_WAIT(loop, cu_view_is_up(view));
    ck_assert_uint_ne(who(), first);
    ck_assert_double_eq(metric("view.moves"), 1);
    FAKE_WAIT(loop, metric("view.catalogs_connected") == 2); /* another second */
    close_all();
}
END_TEST

START_TEST(the_home_is_asked_whenever_it_answers)
{
    open_catalogs(3);
    open_view(1, 0);
    offer(1, 2);
    FAKE_WAIT(loop, cu_view_is_up(view));
    settle();
    ck_assert_uint_eq(who(), 0);
    ck_assert_double_eq(metric("view.catalogs_connected"), 2); /* and one more */
    fake_catalog_stop(fakes[0]);
    FAKE_WAIT(loop, metric("view.moves") == 1);
    ck_assert_uint_ne(who(), 0);
    fake_catalog_start(fakes[0]);
    FAKE_WAIT(loop, metric("view.moves") == 2); /* a little later, by itself */
    ck_assert_uint_eq(who(), 0);
    close_all();
}
END_TEST

START_TEST(one_that_never_answers_is_passed_over)
{
    open_catalogs(3);
    fake_catalog_stop(fakes[1]);
    open_view(0, 0);
    offer(0, 3);
    FAKE_WAIT(loop, metric("view.catalogs_connected") == 2);
    size_t first = who();
    fake_catalog_stop(fakes[first]);
    FAKE_WAIT(loop, cu_view_is_up(view));
    ck_assert_uint_eq(who(), first == 0 ? 2 : 0);
    close_all();
}
END_TEST

START_TEST(away_from_home_another_server_is_taken_now_and_then)
{
    open_catalogs(3);
    open_view(0, 20);
    offer(0, 3);
    FAKE_WAIT(loop, cu_view_is_up(view));
    FAKE_WAIT(loop, metric("view.moves") >= 2);
    ck_assert(cu_view_is_up(view));
    ck_assert_uint_lt(who(), FAKES);
    close_all();
}
END_TEST

START_TEST(a_move_that_can_wait_is_put_off_in_a_large_cluster)
{
    open_catalogs(2);
    open_view(1, 0);
    offer(1, 1);
    cu_view_set_cluster_size(view, 100000000);
    FAKE_WAIT(loop, cu_view_is_up(view));
    settle();
    fake_catalog_stop(fakes[0]);
    FAKE_WAIT(loop, metric("view.moves") == 1); /* this one cannot */
    fake_catalog_start(fakes[0]);
    FAKE_WAIT(loop, metric("view.catalogs_connected") == 2);
    settle();
    ck_assert_double_eq(metric("view.moves"), 1);
    close_all();
}
END_TEST

START_TEST(who_is_offered_no_more_is_dialled_no_more_but_not_left)
{
    open_catalogs(2);
    open_view(0, 0);
    offer(0, 2);
    FAKE_WAIT(loop, metric("view.catalogs_connected") == 2);
    size_t first = who();
    offer(1 - first, 1);
    settle();
    ck_assert_uint_eq(who(), first);
    fake_catalog_stop(fakes[first]); /* as one does that leaves */
    FAKE_WAIT(loop, metric("view.moves") == 1);
    ck_assert_uint_eq(who(), 1 - first);
    close_all();
}
END_TEST

START_TEST(one_left_for_home_is_let_rest_first)
{
    open_catalogs(2);
    open_view(1, 0);
    offer(1, 1);
    FAKE_WAIT(loop, metric("view.catalogs_connected") == 2);
    fake_catalog_stop(fakes[0]);
    FAKE_WAIT(loop, metric("view.moves") == 1);
    ck_assert_uint_eq(who(), 1);
    fake_catalog_start(fakes[0]);
    FAKE_WAIT(loop, metric("view.moves") == 2);
    settle();
    ck_assert_double_eq(metric("view.catalogs_connected"), 2); /* it is let rest first */
    close_all();
}
END_TEST

/* ---- members ---- */

static struct {
    struct cu_rpc *rpc;
    uint64_t index;
    char statuses[FAKES]; /* 'a'live, 'f'ailed, 0: none */
    char role[16], dc[16];
    unsigned beginnings; /* follows from nowhere */
    bool compacts;
    struct cu_rq *poll;
} gossip;

enum { TAGS = 5 };

static void fill_member(size_t i, Curia__Internal__V1__Member *member,
                        Curia__Internal__V1__Member__TagsEntry tags[TAGS],
                        Curia__Internal__V1__Member__TagsEntry *list[TAGS], char text[2][32])
{
    static const char *const keys[TAGS] = {"build", "dc", "port", "role", "vsn"};
    const char *values[TAGS] = {"1.9.8:", gossip.dc, text[1], gossip.role, "2"};
    (void)snprintf(text[0], 32, "s%zu", i);
    (void)snprintf(text[1], 32, "%zu", 8300 + i);
    curia__internal__v1__member__init(member);
    for (size_t k = 0; k < TAGS; k++) {
        curia__internal__v1__member__tags_entry__init(&tags[k]);
        tags[k].key = (char *)(uintptr_t)keys[k];
        tags[k].value = (char *)(uintptr_t)values[k];
        list[k] = &tags[k];
    }
    member->name = text[0];
    member->address = "127.0.0.9";
    member->tags = list;
    member->n_tags = TAGS;
    member->status = gossip.statuses[i] == 'a' ? CURIA__INTERNAL__V1__MEMBER_STATUS__MEMBER_ALIVE
                                               : CURIA__INTERNAL__V1__MEMBER_STATUS__MEMBER_FAILED;
}

struct wire_members {
    Curia__Internal__V1__Member members[FAKES];
    Curia__Internal__V1__MemberRecord records[FAKES], *list[FAKES];
    Curia__Internal__V1__Member__TagsEntry tags[FAKES][TAGS], *lists[FAKES][TAGS];
    char texts[FAKES][2][32];
};

static void add_record(struct wire_members *wire, size_t i,
                       Curia__Internal__V1__MembersFollowReply *reply)
{
    Curia__Internal__V1__MemberRecord *record = &wire->records[reply->n_records];
    fill_member(i, &wire->members[i], wire->tags[i], wire->lists[i], wire->texts[i]);
    curia__internal__v1__member_record__init(record);
    record->index = gossip.index;
    record->kind = gossip.statuses[i] ? CURIA__INTERNAL__V1__MEMBER_RECORD_KIND__RECORD_UPDATED
                                      : CURIA__INTERNAL__V1__MEMBER_RECORD_KIND__RECORD_REAPED;
    record->member = &wire->members[i];
    wire->list[reply->n_records++] = record;
}

static void send_records(struct cu_rq *rq, struct wire_members *wire,
                         Curia__Internal__V1__MembersFollowReply *reply)
{
    reply->outcome = CURIA__INTERNAL__V1__MEMBERS_OUTCOME__MEMBERS_RECORDS;
    reply->records = wire->list;
    reply->feed_id = (ProtobufCBinaryData){1, (uint8_t *)"f"};
    reply->upto = reply->index = gossip.index;
    cu_rq_reply(rq, &reply->base, 0);
}

static void tell_all(struct cu_rq *rq)
{
    Curia__Internal__V1__MembersFollowReply reply = CURIA__INTERNAL__V1__MEMBERS_FOLLOW_REPLY__INIT;
    struct wire_members wire;
    gossip.beginnings++;
    for (size_t i = 0; i < FAKES; i++)
        if (gossip.statuses[i])
            add_record(&wire, i, &reply);
    send_records(rq, &wire, &reply);
}

static void poll_gone(void *arg)
{
    (void)arg;
    gossip.poll = NULL;
}

static void members_follow(void *context, struct cu_rq *rq)
{
    const Curia__Internal__V1__MembersFollowRequest *in = (const void *)rq->in;
    Curia__Internal__V1__MembersFollowReply reply = CURIA__INTERNAL__V1__MEMBERS_FOLLOW_REPLY__INIT;
    (void)context;
    ck_assert_uint_le(in->after, gossip.index);
    if (gossip.compacts) {
        gossip.compacts = false;
        reply.outcome = CURIA__INTERNAL__V1__MEMBERS_OUTCOME__MEMBERS_COMPACTED;
        cu_rq_reply(rq, &reply.base, 0);
        return;
    }
    if (!in->feed_id.len) {
        tell_all(rq);
        return;
    }
    gossip.poll = rq;
    cu_rq_on_gone(rq, poll_gone, NULL);
}

/* One record: the member is now so. */
static void becomes(size_t i, char status)
{
    Curia__Internal__V1__MembersFollowReply reply = CURIA__INTERNAL__V1__MEMBERS_FOLLOW_REPLY__INIT;
    struct wire_members wire;
    gossip.statuses[i] = status;
    gossip.index++;
    add_record(&wire, i, &reply);
    FAKE_WAIT(loop, gossip.poll);
    struct cu_rq *rq = gossip.poll;
    gossip.poll = NULL;
    cu_rq_on_gone(rq, NULL, NULL);
    send_records(rq, &wire, &reply);
}

static void unused(void *context, struct cu_rq *rq)
{
    (void)context;
    cu_rq_fail(rq, CU_E_INTERNAL, "not asked for");
}

/* clang-format off */
static const struct cu_method gossip_methods[] = {
    CU_METHOD(List,       CU_CALL,   ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, unused),
    CU_METHOD(Follow,     CU_FOLLOW, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, members_follow),
    CU_METHOD(Join,       CU_CALL,   ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, unused),
    CU_METHOD(Leave,      CU_CALL,   ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, unused),
    CU_METHOD(ForceLeave, CU_CALL,   ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, unused),
    CU_METHOD(SetTags,    CU_CALL,   ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, unused),
    CU_METHOD(Stats,      CU_CALL,   ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, unused),
};
/* clang-format on */
static const struct cu_service gossip_service = {&curia__internal__v1__members__descriptor,
                                                 gossip_methods, CU_COUNT(gossip_methods)};

static struct view_servers *open_members(void)
{
    char url[128];
    struct cu_diag diag = {0};
    (void)snprintf(url, sizeof url, "ipc://%s/gossipd.sock", suite_tmpdir());
    (void)snprintf(gossip.role, sizeof gossip.role, "consul");
    (void)snprintf(gossip.dc, sizeof gossip.dc, "dc1");
    gossip.rpc = cu_rpc_new(&(struct cu_rpc_options){
        .loop = loop, .daemon = "gossipd", .node_id = "", .node_name = "n2", .datacenter = "dc1"});
    cu_rpc_add_service(gossip.rpc, &gossip_service, NULL);
    ck_assert_int_eq(cu_rpc_listen(gossip.rpc, url, &diag), CU_OK);
    return view_servers_new(&(struct view_servers_options){.view = view,
                                                           .rpc = rpc,
                                                           .loop = loop,
                                                           .url = url,
                                                           .datacenter = "dc1",
                                                           .node_name = "s3"});
}

static bool knows(double count)
{
    return metric("view.catalogs") == count;
}

START_TEST(servers_are_alive_members_of_the_datacenter_with_their_tags)
{
    open_catalogs(0);
    open_view(0, 0);
    gossip.statuses[0] = gossip.statuses[1] = gossip.statuses[3] = 'a'; /* s3 is this node */
    struct view_servers *servers = open_members();
    FAKE_WAIT(loop, knows(2));
    ck_assert_uint_eq(gossip.beginnings, 1);
    becomes(2, 'a');
    FAKE_WAIT(loop, knows(3));
    becomes(0, 'f');
    FAKE_WAIT(loop, knows(2));
    becomes(1, 0); /* reaped */
    FAKE_WAIT(loop, knows(1));
    (void)snprintf(gossip.role, sizeof gossip.role, "node");
    becomes(2, 'a'); /* no server any more */
    FAKE_WAIT(loop, knows(0));
    (void)snprintf(gossip.role, sizeof gossip.role, "consul");
    (void)snprintf(gossip.dc, sizeof gossip.dc, "dc2");
    becomes(0, 'a');
    settle();
    ck_assert(knows(0));
    ck_assert_uint_eq(gossip.beginnings, 1); /* followed all the time */
    view_servers_free(servers);
    cu_rpc_free(gossip.rpc);
    close_all();
}
END_TEST

START_TEST(without_a_gossipd_what_was_known_stays_known)
{
    open_catalogs(0);
    open_view(0, 0);
    gossip.statuses[0] = 'a';
    struct view_servers *servers = open_members();
    FAKE_WAIT(loop, knows(1));
    FAKE_WAIT(loop, gossip.poll);
    cu_rpc_free(gossip.rpc);
    gossip.poll = NULL;
    settle();
    ck_assert(knows(1));
    view_servers_free(servers);
    close_all();
}
END_TEST

START_TEST(a_feed_that_was_compacted_is_followed_anew)
{
    open_catalogs(0);
    open_view(0, 0);
    gossip.statuses[0] = 'a';
    struct view_servers *servers = open_members();
    FAKE_WAIT(loop, knows(1));
    FAKE_WAIT(loop, gossip.poll);
    gossip.compacts = true;
    becomes(1, 'a');        /* after it the poll that finds it compacted */
    gossip.statuses[0] = 0; /* the next life does not know it any more */
    FAKE_WAIT(loop, gossip.beginnings == 2);
    FAKE_WAIT(loop, knows(1));
    becomes(2, 'a');
    FAKE_WAIT(loop, knows(2));
    view_servers_free(servers);
    cu_rpc_free(gossip.rpc);
    close_all();
}
END_TEST

SUITE_MAIN("common/view/catalogs", without_a_home_members_are_asked_and_a_second_is_connected,
           the_home_is_asked_whenever_it_answers, one_that_never_answers_is_passed_over,
           away_from_home_another_server_is_taken_now_and_then,
           a_move_that_can_wait_is_put_off_in_a_large_cluster,
           who_is_offered_no_more_is_dialled_no_more_but_not_left,
           one_left_for_home_is_let_rest_first,
           servers_are_alive_members_of_the_datacenter_with_their_tags,
           without_a_gossipd_what_was_known_stays_known, a_feed_that_was_compacted_is_followed_anew)
