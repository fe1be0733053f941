#include "services/raftd/io/members.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/num.h"
#include "common/members/members.h"
#include "services/raftd/io/roll.h"

struct raft_members {
    struct raft_members_options o;
    struct cu_members *follower;
    struct raft_roll roll;
    struct raft_id told[RAFT_SERVERS_MAX]; /* the set told last */
    uint32_t told_count;
    struct cu_counter *passed_over;
    struct cu_log_limit said, said_full;
};

/* One without a raft_port is a server of the reference: seen, never a peer (gossip.md 23.2). */
static bool is_peer(const struct raft_members *members, const Curia__Internal__V1__Member *member,
                    struct raft_id *ret_id, uint16_t *ret_port)
{
    *ret_port = (uint16_t)cu_member_number(member, "raft_port", UINT16_MAX);
    return cu_member_is_server(member, members->o.env->datacenter) && *ret_port > 0 &&
           cu_parse_uuid(cu_member_tag(member, "id"), ret_id->bytes) == CU_OK;
}

/* ---- whom to bootstrap with ---- */

static void told(void *arg, bool complete)
{
    struct raft_members *members = arg;
    struct raft_id ids[RAFT_SERVERS_MAX];
    (void)complete; /* servers that answer are counted one by one: nothing rests on absence */
    if (!members->o.expect)
        return;
    bool conflict;
    uint32_t count =
        raft_roll_choose(&members->roll, members->o.self, members->o.expect, ids, &conflict);
    if (conflict)
        cu_log_limited(members->o.env->log, &members->said, CU_LOG_WARN, "raft.bootstrap",
                       "waits=true why=\"Member has a conflicting expect value. All nodes should "
                       "expect the same number.\"");
    if (!count)
        return;
    if (count == members->told_count && memcmp(ids, members->told, count * sizeof *ids) == 0)
        return;
    memcpy(members->told, ids, count * sizeof *ids);
    members->told_count = count;
    members->o.expected(members->o.context, ids, count);
}

/* ---- records ---- */

static void enter(struct raft_members *members, const struct raft_seen *server)
{
    if (raft_roll_put(&members->roll, server))
        return;
    cu_count(members->passed_over, 1);
    cu_log_limited(
        members->o.env->log, &members->said_full, CU_LOG_WARN, "raft.members",
        "name=%s text=\"more than %d servers are alive: no cluster is made of this one\"",
        server->name, RAFT_ROLL_MAX);
}

static void record(void *arg, const Curia__Internal__V1__MemberRecord *record)
{
    struct raft_members *members = arg;
    const Curia__Internal__V1__Member *member = record->member;
    struct raft_id id;
    uint16_t port;
    if (member->status != CURIA__INTERNAL__V1__MEMBER_STATUS__MEMBER_ALIVE ||
        !is_peer(members, member, &id, &port)) {
        raft_roll_drop(&members->roll, member->name);
        return;
    }
    enter(members, &(struct raft_seen){
                       .name = member->name,
                       .id = id,
                       .expect = (uint32_t)cu_member_number(member, "expect", UINT32_MAX),
                       .claims_alone = *cu_member_tag(member, "bootstrap") != '\0',
                   });
    members->o.address(members->o.context, id, member->address, port);
}

static void anew(void *arg)
{
    raft_roll_deinit(&((struct raft_members *)arg)->roll);
}

struct raft_members *raft_members_new(const struct raft_members_options *options)
{
    struct raft_members *members = cu_alloc(sizeof *members);
    char *url = cu_env_local_url(options->env, "gossipd");
    members->o = *options;
    members->passed_over = cu_metrics_counter(options->env->metrics, "raft.members.passed_over");
    members->follower = cu_members_new(&(struct cu_members_options){.rpc = options->env->rpc,
                                                                    .loop = options->env->loop,
                                                                    .log = options->env->log,
                                                                    .url = url,
                                                                    .record = record,
                                                                    .anew = anew,
                                                                    .told = told,
                                                                    .arg = members});
    free(url);
    return members;
}

void raft_members_free(struct raft_members *members)
{
    if (!members)
        return;
    cu_members_free(members->follower);
    raft_roll_deinit(&members->roll);
    free(members);
}
