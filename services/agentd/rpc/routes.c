#include "services/agentd/rpc/routes.h"

/* A route that is not built yet has no row: 404. A row without a right (RIGHT_NONE): the catalog
 * asks for it, or nobody does. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
// clang-format off
#define READ (AGENT_TAKES_READ_OPTIONS | AGENT_TAKES_DC)
#define ACL  (AGENT_NEEDS_ACLS | AGENT_TAKES_NS)
#define WHOLE   AGENT_GUARDS_WHOLE
#define NODE    AGENT_GUARDS_NODE
#define TAIL    AGENT_GUARDS_TAIL
#define SERVICE AGENT_GUARDS_SERVICE
#define CHECK   AGENT_GUARDS_CHECK
const struct agent_route agent_routes[] = {
    {"/v1/acl/bootstrap",               "PUT",            AGENT_NEEDS_ACLS, agent_acl_bootstrap_put},
    {"/v1/acl/policies",                "GET",            ACL | READ, agent_acl_policies_get},
    {"/v1/acl/policy",                  "PUT",            ACL | AGENT_JSON_BODY, agent_acl_policy_put},
    {"/v1/acl/policy/",                 "GET,PUT,DELETE", ACL | READ | AGENT_JSON_BODY, agent_acl_policy_handle},
    {"/v1/acl/policy/name/",            "GET",            ACL | READ, agent_acl_policy_by_name_get},
    {"/v1/acl/replication",             "GET",            AGENT_NEEDS_ACLS | READ, agent_acl_replication_get},
    {"/v1/acl/role",                    "PUT",            ACL | AGENT_JSON_BODY, agent_acl_role_put},
    {"/v1/acl/role/",                   "GET,PUT,DELETE", ACL | READ | AGENT_JSON_BODY, agent_acl_role_handle},
    {"/v1/acl/role/name/",              "GET",            ACL | READ, agent_acl_role_by_name_get},
    {"/v1/acl/roles",                   "GET",            ACL | READ, agent_acl_roles_get},
    {"/v1/acl/token",                   "PUT",            ACL | AGENT_JSON_BODY, agent_acl_token_put},
    {"/v1/acl/token/",                  "GET,PUT,DELETE", ACL | READ | AGENT_JSON_BODY, agent_acl_token_handle},
    {"/v1/acl/token/self",              "GET",            AGENT_NEEDS_ACLS | READ, agent_acl_token_self_get},
    {"/v1/acl/tokens",                  "GET",            ACL | READ, agent_acl_tokens_get},
    {"/v1/agent/check/deregister/",     "PUT",            0,                        agent_own_check_deregister,   SERVICE_WRITE, CHECK},
    {"/v1/agent/check/fail/",           "PUT",            0,                        agent_own_check_fail,         SERVICE_WRITE, CHECK},
    {"/v1/agent/check/pass/",           "PUT",            0,                        agent_own_check_pass,         SERVICE_WRITE, CHECK},
    {"/v1/agent/check/register",        "PUT",            AGENT_JSON_BODY,          agent_own_check_register,     ANY_TOKEN},
    {"/v1/agent/check/update/",         "PUT",            AGENT_JSON_BODY,          agent_own_check_update,       SERVICE_WRITE, CHECK},
    {"/v1/agent/check/warn/",           "PUT",            0,                        agent_own_check_warn,         SERVICE_WRITE, CHECK},
    {"/v1/agent/checks",                "GET",            0,                        agent_own_checks_get,         ANY_TOKEN},
    {"/v1/agent/connect/authorize",     "POST",           AGENT_JSON_BODY,          agent_authorize_post,         ANY_TOKEN},
    {"/v1/agent/connect/ca/leaf/",      "GET",            AGENT_TAKES_READ_OPTIONS, agent_leaf_get,               SERVICE_WRITE, TAIL},
    {"/v1/agent/connect/ca/roots",      "GET",            AGENT_TAKES_READ_OPTIONS, agent_own_roots_get},
    {"/v1/agent/force-leave/",          "PUT",            0,                        agent_force_leave,            OPERATOR_WRITE, WHOLE},
    {"/v1/agent/health/service/id/",    "GET",            0,                        agent_own_health_by_id,       SERVICE_READ, SERVICE},
    {"/v1/agent/health/service/name/",  "GET",            0,                        agent_own_health_by_name,     SERVICE_READ, TAIL},
    {"/v1/agent/host",                  "GET",            0,                        agent_host_get,               OPERATOR_READ, WHOLE},
    {"/v1/agent/join/",                 "PUT",            0,                        agent_join,                   AGENT_WRITE, NODE},
    {"/v1/agent/leave",                 "PUT",            0,                        agent_leave,                  AGENT_WRITE, NODE},
    {"/v1/agent/maintenance",           "PUT",            0,                        agent_maintain,               NODE_WRITE, NODE},
    {"/v1/agent/members",               "GET",            0,                        agent_members_get,            ANY_TOKEN},
    {"/v1/agent/metrics",               "GET",            0,                        agent_metrics_get,            AGENT_READ, NODE},
    {"/v1/agent/monitor",               "GET",            0,                        agent_monitor_get,            AGENT_READ, NODE},
    {"/v1/agent/reload",                "PUT",            0,                        agent_reload_put,             AGENT_WRITE, NODE},
    {"/v1/agent/self",                  "GET",            0,                        agent_self_get,               AGENT_READ, NODE},
    {"/v1/agent/service/",              "GET",            AGENT_TAKES_READ_OPTIONS, agent_own_service_get,        SERVICE_READ, SERVICE},
    {"/v1/agent/service/deregister/",   "PUT",            0,                        agent_own_service_deregister, SERVICE_WRITE, SERVICE},
    {"/v1/agent/service/maintenance/",  "PUT",            0,                        agent_own_service_maintain,   SERVICE_WRITE, SERVICE},
    {"/v1/agent/service/register",      "PUT",            AGENT_JSON_BODY,          agent_own_service_register,   ANY_TOKEN},
    {"/v1/agent/services",              "GET",            0,                        agent_own_services_get,       ANY_TOKEN},
    {"/v1/agent/token/",                "PUT",            AGENT_NEEDS_ACLS | AGENT_JSON_BODY, agent_token_put,              AGENT_WRITE, NODE},
    {"/v1/catalog/connect/",            "GET",            READ | AGENT_TAKES_NS, agent_catalog_connect_get},
    {"/v1/catalog/datacenters",         "GET",            AGENT_TAKES_READ_OPTIONS, agent_datacenters_get},
    {"/v1/catalog/deregister",          "PUT",            AGENT_TAKES_NS | AGENT_JSON_BODY, agent_catalog_deregister_put},
    {"/v1/catalog/node/",               "GET",            READ | AGENT_TAKES_NS, agent_catalog_node_get},
    {"/v1/catalog/node-services/",      "GET",            READ | AGENT_TAKES_NS, agent_catalog_node_services_get},
    {"/v1/catalog/nodes",               "GET",            READ, agent_catalog_nodes_get},
    {"/v1/catalog/register",            "PUT",            AGENT_TAKES_NS | AGENT_JSON_BODY, agent_catalog_register_put},
    {"/v1/catalog/service/",            "GET",            READ | AGENT_TAKES_NS, agent_catalog_service_get},
    {"/v1/catalog/services",            "GET",            READ | AGENT_TAKES_NS, agent_catalog_services_get},
    {"/v1/config",                      "PUT",            AGENT_TAKES_DC | AGENT_JSON_BODY, agent_config_put},
    {"/v1/config/",                     "GET,DELETE",     READ, agent_config_handle},
    {"/v1/connect/ca/configuration",    "GET,PUT",        READ | AGENT_JSON_BODY, agent_ca_config_handle},
    {"/v1/connect/ca/roots",            "GET",            READ, agent_ca_roots_get},
    {"/v1/connect/intentions",          "GET,POST",       READ | AGENT_JSON_BODY, agent_intentions_handle},
    {"/v1/connect/intentions/",         "GET,PUT,DELETE", READ | AGENT_JSON_BODY, agent_intention_handle},
    {"/v1/connect/intentions/check",    "GET",            READ, agent_intentions_check_get},
    {"/v1/connect/intentions/exact",    "GET,PUT,DELETE", READ | AGENT_JSON_BODY, agent_intentions_exact_handle},
    {"/v1/connect/intentions/match",    "GET",            READ, agent_intentions_match_get},
    {"/v1/health/checks/",              "GET",            READ | AGENT_TAKES_NS, agent_health_checks_get},
    {"/v1/health/connect/",             "GET",            READ | AGENT_TAKES_NS, agent_health_connect_get},
    {"/v1/health/node/",                "GET",            READ | AGENT_TAKES_NS, agent_health_node_get},
    {"/v1/health/service/",             "GET",            READ | AGENT_TAKES_NS, agent_health_service_get},
    {"/v1/health/state/",               "GET",            READ | AGENT_TAKES_NS, agent_health_state_get},
    {"/v1/internal/acl/authorize",      "POST",           AGENT_NEEDS_ACLS | AGENT_TAKES_DC | AGENT_JSON_BODY,
                                                          agent_acl_authorize_post},
    {"/v1/kv/",                         "GET,PUT,DELETE", AGENT_TAKES_READ_OPTIONS | AGENT_TAKES_DC |
                                                          AGENT_TAKES_NS | AGENT_KV_BODY, agent_kv_handle},
    {"/v1/operator/raft/configuration", "GET",            AGENT_TAKES_READ_OPTIONS | AGENT_TAKES_DC,
                                                          agent_raft_configuration_get},
    {"/v1/operator/raft/peer",          "DELETE",         AGENT_TAKES_DC, agent_raft_peer_delete},
    {"/v1/status/leader",               "GET",            AGENT_TAKES_DC, agent_leader_get},
    {"/v1/status/peers",                "GET",            AGENT_TAKES_DC, agent_peers_get},
    {"/v1/txn",                         "PUT",            AGENT_TAKES_READ_OPTIONS | AGENT_TAKES_DC |
                                                          AGENT_TXN_BODY, agent_txn_put},
};
/* clang-format on */
#pragma GCC diagnostic pop
const size_t agent_route_count = CU_COUNT(agent_routes);

enum { LETTER_AT = sizeof "/v1/" - 1 };

/* The first row whose letter is not below the given one. */
static size_t seek(unsigned letter)
{
    size_t low = 0, high = agent_route_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((unsigned char)agent_routes[middle].pattern[LETTER_AT] < letter)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct agent_route *agent_routes_find(struct cu_bytes path, bool *ret_slash)
{
    unsigned letter = path.len > LETTER_AT ? path.data[LETTER_AT] : 0;
    size_t from = seek(letter);
    return agent_route_find(&agent_routes[from], seek(letter + 1) - from, path, ret_slash);
}
