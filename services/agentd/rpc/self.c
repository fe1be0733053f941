/* self.c - /v1/agent/self (http-api.md 2.2). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <jansson.h>

#include "common/base/num.h"
#include "common/base/assert.h"
#include "common/members/members.h"
#include "curia/v1/status.pb-c.h"
#include "services/agentd/core/shapes.h"
#include "services/agentd/io/gossip.h"
#include "services/agentd/io/node.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/routes.h"

/* What clients and orchestration tools compare with; Curia's own stands beside it. */
#define COMPATIBLE_VERSION "1.9.8"

enum { STATS_MS = 1000, NUMBER_BYTES = 24, NAME_BYTES = 96 };

static void set_text(json_t *to, const char *name, const char *text)
{
    (void)json_object_set_new(to, name, json_string(text)); /* out of memory: one name less */
}

static void set_number(json_t *to, const char *name, uint64_t number)
{
    char text[NUMBER_BYTES];
    (void)snprintf(text, sizeof text, "%" PRIu64, number);
    set_text(to, name, text);
}

static json_t *config_part(const struct cu_env *env)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s}", "Datacenter", env->datacenter,
                     "NodeName", env->node_name, "NodeID", env->node_id, "Revision", "", "Server",
                     cu_conf_bool(env->conf, "server"), "Version", COMPATIBLE_VERSION, "Curia",
                     CU_VERSION);
}

static json_t *shape_json(const struct cu_json_shape *shape, const void *message)
{
    struct cu_buf text = {0};
    cu_json_write(&text, shape, message);
    json_t *value = json_loadb((const char *)text.data, text.len, 0, NULL);
    cu_buf_deinit(&text);
    return value;
}

static json_t *meta_part(const struct agent *agent)
{
    const Curia__V1__Node *node = agent_node_local(agent->node)->node;
    return shape_json(&agent_shape_string_map, node->meta);
}

static json_t *addresses_part(const struct agent *agent)
{
    const Curia__V1__Node *node = agent_node_local(agent->node)->node;
    return shape_json(&agent_shape_string_map, node->tagged_addresses);
}

static const struct {
    const char *name, *key;
} ports[] = {
    {"DNSPort", "ports.dns"},          {"HTTPSPort", "ports.https"},
    {"GRPCPort", "ports.grpc"},        {"GRPCTLSPort", "ports.grpc_tls"},
    {"SerfPortLAN", "ports.serf_lan"}, {"SerfPortWAN", "ports.serf_wan"},
};

/* The keys that http-api.md 2.2 promises, as far as they have a meaning yet. */
static json_t *debug_part(const struct agent *agent)
{
    const struct cu_env *env = agent->env;
    const struct agent_conf *conf = &agent->conf;
    json_t *clients = json_array();
    for (size_t i = 0; i < conf->address_count; i++)
        (void)json_array_append_new(clients, json_string(conf->addresses[i]));
    json_t *part = json_pack(
        "{s:s, s:s, s:s, s:b, s:b, s:i, s:b, s:s, s:b, s:I, s:I, s:I, s:s, s:s, s:o, s:s, s:b}",
        "Datacenter", env->datacenter, "NodeName", env->node_name, "NodeID", env->node_id,
        "ServerMode", cu_conf_bool(env->conf, "server"), "Bootstrap",
        cu_conf_bool(env->conf, "bootstrap"), "BootstrapExpect",
        (int)cu_conf_int(env->conf, "bootstrap_expect"), "ACLsEnabled", conf->acl_enabled,
        "ACLDefaultPolicy", conf->default_policy, "ConnectEnabled", 0, "HTTPPort",
        conf->has_http ? (json_int_t)conf->port : (json_int_t)-1, "KVMaxValueSize",
        (json_int_t)conf->kv_max_bytes, "TxnMaxReqLen", (json_int_t)conf->txn_max_bytes,
        "AdvertiseAddrLAN", env->advertise_address, "BindAddr", env->bind_address, "ClientAddrs",
        clients, "DataDir", env->data_dir, "DevMode", cu_conf_bool(env->conf, "dev_mode"));
    (void)json_object_set_new(part, "ServerPort",
                              json_integer(cu_conf_int(env->conf, "ports.server")));
    (void)json_object_set_new(part, "RaftPort", json_integer(cu_conf_int(env->conf, "raftd.port")));
    for (size_t i = 0; i < CU_COUNT(ports); i++)
        (void)json_object_set_new(part, ports[i].name,
                                  json_integer(cu_conf_int(env->conf, ports[i].key)));
    (void)json_object_set_new(part, "ACLDownPolicy",
                              json_string(cu_conf_text(env->conf, "acl.down_policy")));
    (void)json_object_set_new(part, "NodeMeta", meta_part(agent));
    (void)json_object_set_new(part, "TaggedAddresses", addresses_part(agent));
    (void)json_object_set_new(part, "Logging",
                              json_pack("{s:s}", "LogLevel", cu_conf_text(env->conf, "log_level")));
    (void)json_object_set_new(part, "PrimaryDatacenter", json_string(env->datacenter));
    (void)json_object_set_new(part, "TranslateWANAddrs", json_boolean(conf->translate_addresses));
    (void)json_object_set_new(part, "UIConfig", json_pack("{s:b}", "Enabled", 0));
    (void)json_object_set_new(part, "Version", json_string(COMPATIBLE_VERSION));
    (void)json_object_set_new(part, "VersionPrerelease", json_string(""));
    return part;
}

/* What stands for this node while gossipd cannot be asked. */
static json_t *member_without_gossip(const struct cu_env *env)
{
    bool server = cu_conf_bool(env->conf, "server");
    json_t *tags = json_pack("{s:s, s:s, s:s, s:s}", "role", server ? "consul" : "node", "dc",
                             env->datacenter, "id", env->node_id, "build", COMPATIBLE_VERSION ":");
    return json_pack("{s:s, s:s, s:i, s:o, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "Name",
                     env->node_name, "Addr", env->advertise_address, "Port",
                     (int)cu_conf_int(env->conf, "ports.serf_lan"), "Tags", tags, "Status", 1,
                     "ProtocolMin", 1, "ProtocolMax", 5, "ProtocolCur", 2, "DelegateMin", 2,
                     "DelegateMax", 5, "DelegateCur", 4);
}

static json_t *consul_stats(const struct agent *agent, const Curia__V1__StatsReply *stats,
                            size_t known_servers)
{
    const struct cu_env *env = agent->env;
    const char *acl = agent->conf.acl_enabled ? "enabled" : "disabled";
    bool leads = stats && strcmp(stats->role, "leader") == 0;
    bool bootstrap = cu_conf_bool(env->conf, "bootstrap");
    if (!cu_conf_bool(env->conf, "server")) {
        json_t *part = json_pack("{s:s, s:s}", "acl", acl, "server", "false");
        set_number(part, "known_servers", known_servers);
        return part;
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "acl", acl, "bootstrap",
                     bootstrap ? "true" : "false", "known_datacenters", "1", "leader",
                     leads ? "true" : "false", "leader_addr", stats ? stats->leader_address : "",
                     "server", "true");
}

/* The reference's words for the same roles. */
static const char *state_name(const char *role)
{
    static const struct {
        const char *role, *name;
    } rows[] = {{"leader", "Leader"}, {"candidate", "Candidate"}, {"follower", "Follower"}};
    for (size_t i = 0; i < CU_COUNT(rows); i++)
        if (strcmp(rows[i].role, role) == 0)
            return rows[i].name;
    return role;
}

static json_t *raft_stats(const Curia__V1__StatsReply *stats)
{
    json_t *part = json_object();
    char contact[CU_DURATION_BYTES];
    set_number(part, "applied_index", stats->applied_index);
    set_number(part, "commit_index", stats->commit_index);
    set_number(part, "fsm_pending",
               stats->commit_index > stats->applied_index
                   ? stats->commit_index - stats->applied_index
                   : 0);
    set_text(part, "last_contact",
             stats->last_contact_ms < 0
                 ? "never"
                 : cu_format_duration(stats->last_contact_ms * 1000000, contact));
    set_number(part, "last_log_index", stats->last_log_index);
    set_number(part, "last_log_term", stats->last_log_term);
    set_number(part, "last_snapshot_index", stats->durable_index);
    set_number(part, "num_peers", stats->num_peers);
    set_text(part, "protocol_version", "3");
    set_text(part, "protocol_version_max", "3");
    set_text(part, "protocol_version_min", "0");
    set_text(part, "state", state_name(stats->role));
    set_number(part, "term", stats->term);
    return part;
}

static json_t *runtime_stats(void)
{
    struct utsname host = {0};
    json_t *part = json_object();
    (void)uname(&host); /* cannot fail with a good pointer */
    set_text(part, "arch", strcmp(host.machine, "x86_64") == 0 ? "amd64" : host.machine);
    set_number(part, "cpu_count", (uint64_t)sysconf(_SC_NPROCESSORS_ONLN));
    set_number(part, "goroutines", 1); /* threads of this daemon that serve */
    set_number(part, "max_procs", (uint64_t)sysconf(_SC_NPROCESSORS_ONLN));
    set_text(part, "os", "linux");
    set_text(part, "version", "c17");
    return part;
}

static json_t *agent_stats(const struct agent_node *node)
{
    const struct agent_local *local = agent_node_local(node);
    json_t *part = json_object();
    set_number(part, "check_monitors", agent_node_monitor_count(node));
    set_number(part, "check_ttls", agent_node_ttl_count(node));
    set_number(part, "checks", agent_local_check_count(local));
    set_number(part, "services", agent_local_service_count(local));
    return part;
}

/* What gossipd said. */
struct self {
    json_t *member, *serf_lan; /* NULL: not known */
    size_t servers;            /* alive */
    struct cu_call *asked;     /* NULL: none under way */
};

static json_t *stats_part(const struct agent *agent, const Curia__V1__StatsReply *stats,
                          const struct self *self)
{
    bool server = cu_conf_bool(agent->env->conf, "server");
    json_t *part = json_pack("{s:{s:s, s:s, s:s}}", "build", "prerelease", "", "revision", "",
                             "version", COMPATIBLE_VERSION);
    (void)json_object_set_new(part, "agent", agent_stats(agent->node));
    (void)json_object_set_new(part, "consul", consul_stats(agent, stats, self->servers));
    if (stats && server) /* else it is another node's */
        (void)json_object_set_new(part, "raft", raft_stats(stats));
    (void)json_object_set_new(part, "runtime", runtime_stats());
    if (self->serf_lan)
        (void)json_object_set(part, "serf_lan", self->serf_lan);
    return part;
}

/* ---- asking gossipd, then a catalogd ---- */

static void drop(struct agent_call *call)
{
    struct self *self = call->work;
    if (self->asked)
        cu_call_cancel(self->asked);
    json_decref(self->member);
    json_decref(self->serf_lan);
    free(self);
    call->work = NULL;
    call->drop_work = NULL;
}

static void answer(struct agent_call *call, const Curia__V1__StatsReply *stats)
{
    const struct cu_env *env = call->agent->env;
    struct self *self = call->work;
    json_t *whole = json_object();
    struct cu_buf json = {0};

    (void)json_object_set_new(whole, "Config", config_part(env));
    (void)json_object_set_new(whole, "DebugConfig", debug_part(call->agent));
    (void)json_object_set_new(whole, "Coord", json_null());
    (void)json_object_set_new(
        whole, "Member", self->member ? json_incref(self->member) : member_without_gossip(env));
    (void)json_object_set_new(whole, "Stats", stats_part(call->agent, stats, self));
    (void)json_object_set_new(whole, "Meta", meta_part(call->agent));
    char *text = json_dumps(whole, JSON_COMPACT);
    json_decref(whole);
    cu_buf_text(&json, text ? text : "null");
    free(text);
    drop(call);
    agent_answer_json(call, 200, &json, NULL);
}

/* An agent without a catalog still says who it is; then the raft part is missing. */
static void stats_done(void *arg, const struct cu_answer *came)
{
    answer(arg, came->err ? NULL : (const Curia__V1__StatsReply *)came->message);
}

static void ask_catalog(struct agent_call *call)
{
    static const Curia__V1__StatsRequest request = CURIA__V1__STATS_REQUEST__INIT;
    if (!cu_view_is_up(call->agent->view)) {
        answer(call, NULL);
        return;
    }
    call->upstream = (struct cu_view_call){
        .service = &curia__v1__status__descriptor,
        .method = "Stats",
        .request = &request.base,
        .timeout_ms = STATS_MS,
        .repeatable = true,
        .done = stats_done,
        .arg = call,
    };
    cu_view_call(call->agent->view, &call->upstream);
}

static void gossip_stats_done(void *arg, const struct cu_answer *came)
{
    struct agent_call *call = arg;
    struct self *self = call->work;
    self->asked = NULL;
    if (!came->err) {
        const Curia__Internal__V1__GossipStatsReply *reply =
            (const Curia__Internal__V1__GossipStatsReply *)came->message;
        self->serf_lan = json_object();
        for (size_t i = 0; i < reply->n_stats; i++)
            set_text(self->serf_lan, reply->stats[i]->key, reply->stats[i]->value);
    }
    ask_catalog(call);
}

static bool is_server(const Curia__Internal__V1__Member *member)
{
    return member->status == CURIA__INTERNAL__V1__MEMBER_STATUS__MEMBER_ALIVE &&
           cu_member_is_server(member, NULL);
}

static void members_done(void *arg, const struct cu_answer *came)
{
    static const Curia__Internal__V1__GossipStatsRequest request =
        CURIA__INTERNAL__V1__GOSSIP_STATS_REQUEST__INIT;
    struct agent_call *call = arg;
    struct self *self = call->work;
    self->asked = NULL;
    if (!came->err) {
        const Curia__Internal__V1__MembersListReply *reply =
            (const Curia__Internal__V1__MembersListReply *)came->message;
        for (size_t i = 0; i < reply->n_members; i++) {
            self->servers += is_server(reply->members[i]);
            if (!self->member && strcmp(reply->members[i]->name, reply->self) == 0)
                self->member = shape_json(&agent_shape_member, reply->members[i]);
        }
    }
    self->asked = agent_gossip_call(call->agent->gossip, "Stats", &request.base, STATS_MS,
                                    gossip_stats_done, call);
    if (!self->asked)
        ask_catalog(call);
}

void agent_self_get(struct agent_call *call)
{
    static const Curia__Internal__V1__MembersListRequest request =
        CURIA__INTERNAL__V1__MEMBERS_LIST_REQUEST__INIT;
    struct self *self = cu_alloc(sizeof *self);
    call->work = self;
    call->drop_work = drop;
    self->asked =
        agent_gossip_call(call->agent->gossip, "List", &request.base, STATS_MS, members_done, call);
    if (!self->asked)
        ask_catalog(call);
}
