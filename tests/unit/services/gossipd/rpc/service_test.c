#include "services/gossipd/rpc/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/rpc/client.h"
#include "curia/internal/v1/members.pb-c.h"
#include "tests/lib/suite.h"

enum { GONE = 512, CALL_MS = 5000 }; /* with this node one more than a piece of the feed holds */

static struct cu_loop *loop;
static struct cu_metrics *metrics;
static struct cu_rpc *rpc;
static struct cu_client *client;
static struct gossip_shell *shell;
static struct gossip_resolver *resolver;
static struct gossip_service *service;

/* The last answer, copied. */
static struct {
    unsigned count;
    enum cu_err err;
    struct cu_buf body;
    char text[256];
} got;

static void on_member(void *context, enum gossip_change change,
                      const struct gossip_member_view *view)
{
    (void)context;
    (void)change;
    (void)view;
}

static void on_note(void *context, const struct gossip_action *action)
{
    (void)context;
    (void)action;
}

static void on_moved(void *context)
{
    (void)context;
    gossip_service_moved(service);
}

/* A snapshot of members that were gone, as the life before left it. */
static void write_snapshot(const char *dir, unsigned gone)
{
    char path[4200];
    (void)snprintf(path, sizeof path, "%s/serf", dir);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    (void)snprintf(path, sizeof path, "%s/serf/local.snapshot", dir);
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    for (unsigned i = 0; i < gone; i++)
        (void)fprintf(file, "# curia: failed %llu 3 10.0.0.1:8301 1,5,2,2,5,4 ff81a161a162 n%04u\n",
                      (unsigned long long)cu_wall_ms(), i);
    ck_assert_int_eq(fclose(file), 0);
}

static uint32_t forgets_after_ms; /* whom it has reaped, and reaps who is gone; 0: as ever */

static struct gossip_timing timing(void)
{
    struct gossip_timing timing = gossip_timing_profiles[GOSSIP_PROFILE_LOCAL];
    if (forgets_after_ms) {
        timing.reap_interval_ms = forgets_after_ms;
        timing.reconnect_timeout_ms = timing.tombstone_timeout_ms = forgets_after_ms;
    }
    return timing;
}

static void open_shell(const char *dir)
{
    unsigned pid = (unsigned)getpid();
    uint8_t ip[4] = {127, 67, (uint8_t)(pid >> 8), (uint8_t)(pid | 1)}; /* of this process alone */
    static const struct gossip_tags tags = {.count = 1,
                                            .tag = {{{(const uint8_t *)"k", 1}, {NULL, 0}}}};
    struct gossip_addr address = {gossip_ip_of((struct cu_bytes){ip, 4}), 8301};
    struct gossip_options core = {.name = "self",
                                  .address = address,
                                  .tags = &tags,
                                  .versions = GOSSIP_VERSIONS_CONSUL,
                                  .timing = timing()};
    struct cu_diag diag = {0};
    enum cu_err err = gossip_shell_open(
        &(struct gossip_shell_options){
            .loop = loop,
            .metrics = metrics,
            .data_dir = dir,
            .bind = address,
            .core = &core,
            .out = {.member = on_member, .note = on_note, .moved = on_moved}},
        &shell, &diag);
    ck_assert_msg(!err, "%s", diag.text);
}

static void turn_until_up(void)
{
    struct cu_mono end = cu_mono_add_ms(cu_mono_now(), CALL_MS);
    while (!cu_client_is_up(client) && cu_mono_before(cu_mono_now(), end))
        cu_loop_turn(loop, true);
    ck_assert(cu_client_is_up(client));
}

static void setup(unsigned gone)
{
    char url[4200];
    struct cu_diag diag = {0};
    const char *dir = suite_tmpdir();
    loop = cu_loop_new();
    metrics = cu_metrics_new();
    rpc = cu_rpc_new(&(struct cu_rpc_options){.loop = loop,
                                              .daemon = "gossipd",
                                              .node_id = "",
                                              .node_name = "self",
                                              .datacenter = "dc1",
                                              .local = CU_LOCAL_LOOP});
    write_snapshot(dir, gone);
    open_shell(dir);
    resolver = gossip_resolver_new(loop);
    service = gossip_service_new(&(struct gossip_service_options){.loop = loop,
                                                                  .rpc = rpc,
                                                                  .shell = shell,
                                                                  .resolver = resolver,
                                                                  .self = "self",
                                                                  .port = 8301});
    (void)snprintf(url, sizeof url, "ipc://%s/g.sock", dir);
    ck_assert_int_eq(cu_rpc_listen(rpc, url, &diag), CU_OK);
    client = cu_client_new(rpc, url, NULL, NULL);
    turn_until_up();
}

static void teardown(void)
{
    cu_client_free(client);
    gossip_resolver_free(resolver);
    gossip_service_free(service);
    service = NULL;
    gossip_shell_close(shell);
    cu_rpc_free(rpc);
    cu_loop_free(loop);
    cu_metrics_free(metrics);
    cu_buf_deinit(&got.body);
}

static void on_answer(void *arg, const struct cu_answer *answer)
{
    (void)arg;
    got.count++;
    got.err = answer->err;
    (void)snprintf(got.text, sizeof got.text, "%s", answer->text);
    cu_buf_clear(&got.body);
    cu_buf_append(&got.body, answer->body.data, answer->body.len);
}

static struct cu_call *ask(const char *method, const ProtobufCMessage *in)
{
    return cu_client_call(
        client,
        &(struct cu_call_spec){.service = &curia__internal__v1__members__descriptor,
                               .method = method,
                               .in = in,
                               .timeout_ms = CALL_MS,
                               .token = "",
                               .datacenter = "",
                               .origin = {"", "", ""},
                               .raw = true},
        on_answer, NULL);
}

static void wait_for_answer(unsigned count)
{
    while (got.count < count) /* the call has a deadline */
        cu_loop_turn(loop, true);
}

static enum cu_err call(const char *method, const ProtobufCMessage *in)
{
    unsigned before = got.count;
    (void)ask(method, in);
    wait_for_answer(before + 1);
    return got.err;
}

typedef Curia__Internal__V1__MembersFollowReply follow_reply;

/* Yours: free_unpacked. */
static follow_reply *follow(uint64_t after, ProtobufCBinaryData feed_id)
{
    Curia__Internal__V1__MembersFollowRequest in =
        CURIA__INTERNAL__V1__MEMBERS_FOLLOW_REQUEST__INIT;
    in.after = after;
    in.feed_id = feed_id;
    ck_assert_int_eq(call("Follow", &in.base), CU_OK);
    follow_reply *reply =
        curia__internal__v1__members_follow_reply__unpack(NULL, got.body.len, got.body.data);
    ck_assert_ptr_nonnull(reply);
    return reply;
}

static void drop(follow_reply *reply)
{
    curia__internal__v1__members_follow_reply__free_unpacked(reply, NULL);
}

START_TEST(a_long_feed_comes_in_pieces_each_where_the_last_ended)
{
    setup(GONE);
    follow_reply *first = follow(0, (ProtobufCBinaryData){0});
    ck_assert_uint_eq(first->n_records, 512);
    ck_assert_uint_eq(first->upto, first->records[511]->index);
    ck_assert_uint_gt(first->index, first->upto); /* more comes at once */
    follow_reply *second = follow(first->upto, first->feed_id);
    ck_assert_uint_eq(second->n_records, GONE + 1 - 512);
    ck_assert_uint_gt(second->records[0]->index, first->upto);
    ck_assert_uint_eq(second->index, second->upto);
    follow_reply *third = follow(second->upto, first->feed_id);
    ck_assert_int_eq(third->outcome, CURIA__INTERNAL__V1__MEMBERS_OUTCOME__MEMBERS_NOTHING);
    ck_assert_uint_eq(third->upto, second->upto);
    drop(first);
    drop(second);
    drop(third);
    teardown();
}
END_TEST

START_TEST(the_end_of_a_feed_is_reached_though_its_newest_record_is_forgotten)
{
    forgets_after_ms = 20;
    setup(1);
    follow_reply *all = NULL;
    struct cu_mono end = cu_mono_add_ms(cu_mono_now(), CALL_MS);
    do {
        ck_assert(cu_mono_before(cu_mono_now(), end));
        if (all)
            drop(all);
        all = follow(0, (ProtobufCBinaryData){0});
    } while (all->n_records != 1); /* this node alone */
    ck_assert_uint_lt(all->records[0]->index, all->index);
    ck_assert_uint_eq(all->upto, all->index);
    follow_reply *rest = follow(all->upto, all->feed_id);
    ck_assert_int_eq(rest->outcome, CURIA__INTERNAL__V1__MEMBERS_OUTCOME__MEMBERS_NOTHING);
    drop(all);
    drop(rest);
    teardown();
}
END_TEST

START_TEST(what_the_snapshot_remembers_is_told_as_records) /* gossip 88 */
{
    setup(1);
    follow_reply *all = follow(0, (ProtobufCBinaryData){0});
    ck_assert_uint_eq(all->n_records, 2);
    const Curia__Internal__V1__MemberRecord *gone =
        strcmp(all->records[0]->member->name, "self") != 0 ? all->records[0] : all->records[1];
    ck_assert_int_eq(gone->kind, CURIA__INTERNAL__V1__MEMBER_RECORD_KIND__RECORD_FAILED);
    ck_assert_str_eq(gone->member->name, "n0000");
    ck_assert_str_eq(gone->member->address, "10.0.0.1");
    ck_assert_uint_eq(gone->member->n_tags, 1);
    ck_assert_str_eq(gone->member->tags[0]->value, "b");
    ck_assert(!all->complete);
    drop(all);
    teardown();
}
END_TEST

START_TEST(another_life_of_the_feed_is_compacted)
{
    uint8_t other[16] = {1};
    setup(0);
    follow_reply *reply = follow(1, (ProtobufCBinaryData){sizeof other, other});
    ck_assert_int_eq(reply->outcome, CURIA__INTERNAL__V1__MEMBERS_OUTCOME__MEMBERS_COMPACTED);
    ck_assert_uint_eq(reply->feed_id.len, 16);
    drop(reply);
    teardown();
}
END_TEST

static struct cu_call *park_follow(uint32_t wait_ms)
{
    Curia__Internal__V1__MembersFollowRequest in =
        CURIA__INTERNAL__V1__MEMBERS_FOLLOW_REQUEST__INIT;
    follow_reply *now = follow(0, (ProtobufCBinaryData){0});
    in.after = now->upto;
    in.feed_id = now->feed_id;
    in.wait_ms = wait_ms;
    struct cu_call *parked = ask("Follow", &in.base);
    drop(now);
    return parked;
}

START_TEST(a_parked_follow_wakes_with_a_record_or_when_its_time_is_up)
{
    Curia__Internal__V1__SetTagsRequest tags = CURIA__INTERNAL__V1__SET_TAGS_REQUEST__INIT;
    Curia__Internal__V1__SetTagsRequest__SetEntry entry =
        CURIA__INTERNAL__V1__SET_TAGS_REQUEST__SET_ENTRY__INIT;
    Curia__Internal__V1__SetTagsRequest__SetEntry *set[] = {&entry};
    setup(0);
    (void)park_follow(CALL_MS);
    unsigned before = got.count;
    entry.key = "zone";
    entry.value = "z1";
    tags.n_set = 1;
    tags.set = set;
    (void)ask("SetTags", &tags.base);
    wait_for_answer(before + 2); /* of both, in whichever order */
    ck_assert_int_eq(got.err, CU_OK);
    (void)park_follow(20);
    wait_for_answer(got.count + 1);
    ck_assert_int_eq(got.err, CU_OK);
    teardown();
}
END_TEST

START_TEST(who_cancels_a_follow_leaves_nothing_behind)
{
    setup(0);
    struct cu_call *parked = park_follow(CALL_MS);
    follow_reply *other = follow(0, (ProtobufCBinaryData){0}); /* the parked one is there by now */
    drop(other);
    cu_call_cancel(parked);
    other = follow(0, (ProtobufCBinaryData){0}); /* and the end of it was told */
    drop(other);
    teardown(); /* a leak or a use after it is the sanitizer's */
}
END_TEST

START_TEST(joins_and_names_are_checked)
{
    Curia__Internal__V1__JoinRequest join = CURIA__INTERNAL__V1__JOIN_REQUEST__INIT;
    Curia__Internal__V1__ForceLeaveRequest force = CURIA__INTERNAL__V1__FORCE_LEAVE_REQUEST__INIT;
    char *addresses[GOSSIP_JOIN_MAX + 1];
    for (int i = 0; i <= GOSSIP_JOIN_MAX; i++)
        addresses[i] = "host:0";
    setup(0);
    ck_assert_int_eq(call("Join", &join.base), CU_E_INVALID);
    join.addresses = addresses;
    join.n_addresses = GOSSIP_JOIN_MAX + 1;
    ck_assert_int_eq(call("Join", &join.base), CU_E_INVALID);
    join.n_addresses = GOSSIP_JOIN_MAX;
    ck_assert_int_eq(call("Join", &join.base), CU_OK);
    Curia__Internal__V1__JoinReply *reply =
        curia__internal__v1__join_reply__unpack(NULL, got.body.len, got.body.data);
    ck_assert_uint_eq(reply->joined, 0);
    ck_assert_uint_eq(reply->n_errors, GOSSIP_JOIN_MAX);
    curia__internal__v1__join_reply__free_unpacked(reply, NULL);
    ck_assert_int_eq(call("ForceLeave", &force.base), CU_E_INVALID);
    teardown();
}
END_TEST

START_TEST(what_waits_is_told_when_it_stops)
{
    setup(0);
    (void)park_follow(CALL_MS);
    follow_reply *other = follow(0, (ProtobufCBinaryData){0});
    drop(other);
    unsigned before = got.count;
    gossip_service_free(service);
    service = NULL;
    wait_for_answer(before + 1);
    ck_assert_int_eq(got.err, CU_E_NOT_READY);
    ck_assert_str_eq(got.text, "gossipd is stopping");
    teardown();
}
END_TEST

SUITE_MAIN("services/gossipd/rpc/service", a_long_feed_comes_in_pieces_each_where_the_last_ended,
           the_end_of_a_feed_is_reached_though_its_newest_record_is_forgotten,
           what_the_snapshot_remembers_is_told_as_records, another_life_of_the_feed_is_compacted,
           a_parked_follow_wakes_with_a_record_or_when_its_time_is_up,
           who_cancels_a_follow_leaves_nothing_behind, joins_and_names_are_checked,
           what_waits_is_told_when_it_stops)
