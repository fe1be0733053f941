#include "services/raftd/io/members.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/num.h"
#include "common/members/members.h"

struct raft_members {
    struct raft_members_options o;
    struct cu_members *follower;
    struct raft_seen servers[RAFT_CONF_PEERS_MAX];
    uint32_t count;
    struct raft_id told[RAFT_SERVERS_MAX]; /* the set told last */
    uint32_t told_count;
    struct cu_log_limit said;
};

static struct raft_seen *find(struct raft_members *members, struct raft_id id)
{
    for (uint32_t i = 0; i < members->count; i++)
        if (raft_id_equal(members->servers[i].id, id))
            return &members->servers[i];
    if (members->count == RAFT_CONF_PEERS_MAX)
        return NULL;
    struct raft_seen *server = &members->servers[members->count++];
    *server = (struct raft_seen){.id = id};
    return server;
}

static bool is_server(const struct raft_members *members, const Curia__Internal__V1__Member *member,
                      struct raft_id *ret_id)
{
    return strcmp(cu_member_tag(member, "role"), "consul") == 0 &&
           strcmp(cu_member_tag(member, "dc"), members->o.env->datacenter) == 0 &&
           cu_parse_uuid(cu_member_tag(member, "id"), ret_id->bytes) == CU_OK;
}

/* ---- whom to bootstrap with ---- */

static int by_id(const void *a, const void *b)
{
    return raft_id_compare(*(const struct raft_id *)a, *(const struct raft_id *)b);
}

uint32_t raft_choose_set(const struct raft_seen *servers, uint32_t count, struct raft_id self,
                         uint32_t expect, struct raft_id ret_ids[RAFT_SERVERS_MAX],
                         bool *ret_conflict)
{
    uint32_t chosen = 0;
    bool has_self = false;
    *ret_conflict = false;
    for (uint32_t i = 0; i < count; i++) {
        const struct raft_seen *server = &servers[i];
        if (!server->is_alive)
            continue;
        if (server->claims_alone || (server->expect && server->expect != expect)) {
            *ret_conflict = true;
            return 0;
        }
        if (!server->expect || chosen == RAFT_SERVERS_MAX)
            continue;
        has_self = has_self || raft_id_equal(server->id, self);
        ret_ids[chosen++] = server->id;
    }
    qsort(ret_ids, chosen, sizeof *ret_ids, by_id);
    return has_self && chosen >= expect ? chosen : 0;
}

static void told(void *arg, bool complete)
{
    struct raft_members *members = arg;
    struct raft_id ids[RAFT_SERVERS_MAX];
    (void)complete; /* servers that answer are counted one by one: nothing rests on absence */
    if (!members->o.expect)
        return;
    bool conflict;
    uint32_t count = raft_choose_set(members->servers, members->count, members->o.self,
                                     members->o.expect, ids, &conflict);
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

static void record(void *arg, const Curia__Internal__V1__MemberRecord *record)
{
    struct raft_members *members = arg;
    const Curia__Internal__V1__Member *member = record->member;
    struct raft_id id;
    if (!is_server(members, member, &id))
        return;
    struct raft_seen *server = find(members, id);
    if (!server)
        return;
    server->is_alive = member->status == CURIA__INTERNAL__V1__MEMBER_STATUS__MEMBER_ALIVE;
    server->expect = (uint32_t)cu_member_number(member, "expect", UINT32_MAX);
    server->claims_alone = *cu_member_tag(member, "bootstrap") != '\0';
    uint64_t port = cu_member_number(member, "raft_port", UINT16_MAX);
    if (server->is_alive && port)
        members->o.address(members->o.context, id, member->address, (uint16_t)port);
}

struct raft_members *raft_members_new(const struct raft_members_options *options)
{
    struct raft_members *members = cu_alloc(sizeof *members);
    char *url = cu_env_local_url(options->env, "gossipd");
    members->o = *options;
    members->follower = cu_members_new(&(struct cu_members_options){.rpc = options->env->rpc,
                                                                    .loop = options->env->loop,
                                                                    .log = options->env->log,
                                                                    .url = url,
                                                                    .record = record,
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
    free(members);
}
