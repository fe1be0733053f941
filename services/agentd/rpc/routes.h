/* routes.h - the route table of agentd: one row a pattern (http-api.md 7). */
#ifndef AGENT_ROUTES_H
#define AGENT_ROUTES_H

#include "services/agentd/agent.h"

/* Ascending by the letter behind "/v1/". */
extern const struct agent_route agent_routes[];
extern const size_t agent_route_count;

/* As agent_route_find() in all of them: only those with the path's own letter are compared. */
const struct agent_route *agent_routes_find(struct cu_bytes path, bool *ret_slash);

/* The handlers, in the order of the table. */
agent_handler agent_acl_bootstrap_put;
agent_handler agent_acl_policies_get;
agent_handler agent_acl_policy_put;
agent_handler agent_acl_policy_handle;
agent_handler agent_acl_policy_by_name_get;
agent_handler agent_acl_replication_get;
agent_handler agent_acl_role_put;
agent_handler agent_acl_role_handle;
agent_handler agent_acl_role_by_name_get;
agent_handler agent_acl_roles_get;
agent_handler agent_acl_token_put;
agent_handler agent_acl_token_handle;
agent_handler agent_acl_token_self_get;
agent_handler agent_acl_tokens_get;
agent_handler agent_own_check_deregister;
agent_handler agent_own_check_fail;
agent_handler agent_own_check_pass;
agent_handler agent_own_check_register;
agent_handler agent_own_check_update;
agent_handler agent_own_check_warn;
agent_handler agent_own_checks_get;
agent_handler agent_authorize_post;
agent_handler agent_leaf_get;
agent_handler agent_own_roots_get;
agent_handler agent_force_leave;
agent_handler agent_own_health_by_id;
agent_handler agent_own_health_by_name;
agent_handler agent_join;
agent_handler agent_leave;
agent_handler agent_maintain;
agent_handler agent_members_get;
agent_handler agent_host_get;
agent_handler agent_monitor_get;
agent_handler agent_reload_put;
agent_handler agent_self_get;
agent_handler agent_own_service_get;
agent_handler agent_own_service_deregister;
agent_handler agent_own_service_maintain;
agent_handler agent_own_service_register;
agent_handler agent_own_services_get;
agent_handler agent_token_put;
agent_handler agent_metrics_get;
agent_handler agent_catalog_connect_get;
agent_handler agent_datacenters_get;
agent_handler agent_catalog_deregister_put;
agent_handler agent_catalog_node_get;
agent_handler agent_catalog_node_services_get;
agent_handler agent_catalog_nodes_get;
agent_handler agent_catalog_register_put;
agent_handler agent_catalog_service_get;
agent_handler agent_catalog_services_get;
agent_handler agent_config_put;
agent_handler agent_config_handle;
agent_handler agent_ca_config_handle;
agent_handler agent_ca_roots_get;
agent_handler agent_intentions_handle;
agent_handler agent_intention_handle;
agent_handler agent_intentions_check_get;
agent_handler agent_intentions_exact_handle;
agent_handler agent_intentions_match_get;
agent_handler agent_health_checks_get;
agent_handler agent_health_connect_get;
agent_handler agent_health_node_get;
agent_handler agent_health_service_get;
agent_handler agent_health_state_get;
agent_handler agent_acl_authorize_post;
agent_handler agent_kv_handle;
agent_handler agent_raft_configuration_get;
agent_handler agent_raft_peer_delete;
agent_handler agent_leader_get;
agent_handler agent_peers_get;
agent_handler agent_txn_put;

#endif
