/* The table of commands: one row each, sorted. */
#include "common/base/err.h"
#include "services/curia/command.h"

/* clang-format off */
static const struct cli_flag call_flags[] = {
    {"addr", CLI_TEXT, "`ipc://PATH` or `tcp://HOST:PORT`; default: the daemon's socket in the run directory.", NULL},
    {"n", CLI_UINT, "Lines after which a follow ends; default: none.", NULL},
    {"run-dir", CLI_TEXT, "Where the sockets are; default: $CURIA_RUN_DIR, else /run/curia.", NULL},
    {"token", CLI_TEXT, "ACL token. Also CONSUL_HTTP_TOKEN.", NULL},
    {"token-file", CLI_TEXT, "File with the ACL token. Also CONSUL_HTTP_TOKEN_FILE.", NULL},
    {0},
};
static const struct cli_flag nodes_flags[] = {
    {"detailed", CLI_BOOL, "Print whole ids, tagged addresses and metadata, too.", NULL},
    {"filter", CLI_TEXT, "A filter expression; @FILE and - are read.", NULL},
    {"near", CLI_TEXT, "Sort by round trip time from this node; _agent: the agent asked.", NULL},
    {"node-meta", CLI_LIST, "`key=value` that a node must have; may be given several times.", NULL},
    {"service", CLI_TEXT, "Only nodes with this service.", NULL},
    {0},
};
static const struct cli_flag services_flags[] = {
    {"node", CLI_TEXT, "Only services of this node (name or id).", NULL},
    {"node-meta", CLI_LIST, "`key=value` that a node must have; may be given several times.", NULL},
    {"tags", CLI_BOOL, "Print the tags of each service, too.", NULL},
    {0},
};
static const struct cli_flag connect_envoy_flags[] = {
    {"admin-access-log-path", CLI_TEXT, "Where Envoy's admin requests are logged; default /dev/null.", NULL},
    {"admin-bind", CLI_TEXT, "`ADDRESS:PORT` of Envoy's admin page; default localhost:19000.", NULL},
    {"bootstrap", CLI_BOOL, "Print the bootstrap and start nothing.", NULL},
    {"envoy-binary", CLI_TEXT, "Path of Envoy; default: envoy of $PATH.", NULL},
    {"envoy-version", CLI_TEXT, "Taken and not needed: one bootstrap serves all versions.", NULL},
    {"gateway", CLI_TEXT, "mesh, terminating or ingress: not built yet.", NULL},
    {"grpc-addr", CLI_TEXT, "`ADDRESS:PORT` of xdsd, or several apart by commas; default: localhost and the agent's port.", NULL},
    {"grpc-ca-file", CLI_TEXT, "PEM of the CA of xdsd's certificate, for https://.", NULL},
    {"mesh-gateway", CLI_BOOL, "Not built yet.", NULL},
    {"no-central-config", CLI_BOOL, "Ignore the proxy's configuration.", NULL},
    {"node-name", CLI_TEXT, "Look the proxy up in the catalog, on this node.", NULL},
    {"omit-deprecated-tags", CLI_BOOL, "Leave the old names of statistics out.", NULL},
    {"proxy-id", CLI_TEXT, "Id of the proxy's registration.", NULL},
    {"register", CLI_BOOL, "Not built yet.", NULL},
    {"sidecar-for", CLI_TEXT, "Id of the service whose only sidecar is meant.", NULL},
    {"xds-api", CLI_TEXT, "delta (default) or sotw.", NULL},
    {0},
};
static const struct cli_flag force_leave_flags[] = {
    {"prune", CLI_BOOL, "Take the member out of the list at once, too.", NULL},
    {0},
};
static const struct cli_flag intention_create_flags[] = {
    {"allow", CLI_BOOL, "Allow the connection; the default.", NULL},
    {"deny", CLI_BOOL, "Deny the connection.", NULL},
    {"file", CLI_BOOL, "The arguments are files, each with an intention as JSON.", NULL},
    {"meta", CLI_LIST, "`key=value` to keep with it; may be given several times.", NULL},
    {"replace", CLI_BOOL, "Replace the one of the pair, if there is one.", NULL},
    {0},
};
static const struct cli_flag intention_match_flags[] = {
    {"destination", CLI_BOOL, "The argument is a destination; the default.", NULL},
    {"source", CLI_BOOL, "The argument is a source.", NULL},
    {0},
};
static const struct cli_flag join_flags[] = {
    {"wan", CLI_BOOL, "Join the WAN pool.", NULL},
    {0},
};
static const struct cli_flag maint_flags[] = {
    {"disable", CLI_BOOL, "Turn maintenance mode off.", NULL},
    {"enable", CLI_BOOL, "Turn maintenance mode on.", NULL},
    {"reason", CLI_TEXT, "With -enable: why, for those who look.", NULL},
    {"service", CLI_TEXT, "The id of one service; default: the whole node.", NULL},
    {0},
};
static const struct cli_flag members_flags[] = {
    {"detailed", CLI_BOOL, "Print all tags.", NULL},
    {"segment", CLI_TEXT, "Only members of this segment.", NULL},
    {"status", CLI_TEXT, "A regular expression that the status must match; default \".*\".", NULL},
    {"wan", CLI_BOOL, "List the WAN pool.", NULL},
    {0},
};
static const struct cli_flag monitor_flags[] = {
    {"log-json", CLI_BOOL, "One JSON object a line.", NULL},
    {"log-level", CLI_TEXT, "trace, debug, info, warn or err; default info.", NULL},
    {0},
};
static const struct cli_flag deregister_flags[] = {
    {"id", CLI_TEXT, "The id of the service.", NULL},
    {0},
};
static const struct cli_flag register_flags[] = {
    {"address", CLI_TEXT, "Address; default: the node's.", NULL},
    {"id", CLI_TEXT, "Id, unique on the node; default: the name.", NULL},
    {"kind", CLI_TEXT, "connect-proxy, mesh-gateway and the like.", NULL},
    {"meta", CLI_LIST, "`key=value`; may be given several times.", NULL},
    {"name", CLI_TEXT, "Name of the service.", NULL},
    {"port", CLI_UINT, "Port.", NULL},
    {"tag", CLI_LIST, "A tag; may be given several times.", NULL},
    {"tagged-address", CLI_LIST, "`key=ADDRESS:PORT`; may be given several times.", NULL},
    {0},
};
static const struct cli_flag validate_flags[] = {
    {"config-format", CLI_TEXT, "hcl or json, whatever the names of the files.", NULL},
    {"quiet", CLI_BOOL, "Print nothing when all is good.", NULL},
    {0},
};
static const struct cli_flag render_flags[] = {
    {"config-dir", CLI_LIST, "A folder of configuration files.", NULL},
    {"config-file", CLI_LIST, "A configuration file.", NULL},
    {"config-format", CLI_TEXT, "hcl or json, whatever the names of the files.", NULL},
    {"hcl", CLI_LIST, "A fragment of configuration, in HCL.", NULL},
    {"identify", CLI_BOOL, "Also write what `agent` would find out: the node's id, made if there is none, and address.", NULL},
    {"out", CLI_TEXT, "Where to write; default RUN_DIR/DAEMON.json.", NULL},
    {"owner", CLI_TEXT, "The user to whom the file is given.", NULL},
    {0},
};
static const struct cli_flag delete_flags[] = {
    {"cas", CLI_BOOL, "Delete only if -modify-index is still the key's.", NULL},
    {"modify-index", CLI_UINT, "The index that the key must still have.", NULL},
    {"recurse", CLI_BOOL, "Delete all keys with the prefix.", NULL},
    {0},
};
static const struct cli_flag get_flags[] = {
    {"base64", CLI_BOOL, "Print the value in base64.", NULL},
    {"detailed", CLI_BOOL, "Print what is known of the key, too.", NULL},
    {"keys", CLI_BOOL, "Print the names of keys with the prefix.", NULL},
    {"recurse", CLI_BOOL, "Print all keys with the prefix.", NULL},
    {"separator", CLI_TEXT, "With -keys: cut names after the first one of these; default \"/\".", NULL},
    {0},
};
static const struct cli_flag put_flags[] = {
    {"acquire", CLI_BOOL, "Take the lock of the key; needs -session.", NULL},
    {"base64", CLI_BOOL, "The data is given in base64.", NULL},
    {"cas", CLI_BOOL, "Write only if -modify-index is still the key's; 0: only if there is no key.", NULL},
    {"flags", CLI_UINT, "A number of 64 bits kept with the value.", NULL},
    {"modify-index", CLI_UINT, "The index that the key must still have.", NULL},
    {"release", CLI_BOOL, "Give the lock of the key back; needs -session.", NULL},
    {"session", CLI_TEXT, "The session that locks.", NULL},
    {0},
};
static const struct cli_flag local_flags[] = {
    {"run-dir", CLI_TEXT, "Where the sockets are; default: $CURIA_RUN_DIR, else /run/curia.", NULL},
    {0},
};
static const struct cli_flag add_peer_flags[] = {
    {"id", CLI_TEXT, "The node id of the server.", NULL},
    {"run-dir", CLI_TEXT, "Where the sockets are; default: $CURIA_RUN_DIR, else /run/curia.", NULL},
    {0},
};
static const struct cli_flag remove_peer_flags[] = {
    {"address", CLI_TEXT, "The address of the server, as list-peers shows it.", NULL},
    {"id", CLI_TEXT, "The node id of the server.", NULL},
    {0},
};
static const struct cli_flag version_flags[] = {
    {"format", CLI_TEXT, "pretty or json.", NULL},
    {0},
};

#define CSN (CLI_GROUP_CLIENT | CLI_GROUP_SERVER | CLI_GROUP_NAMESPACE)
#define CS  (CLI_GROUP_CLIENT | CLI_GROUP_SERVER)

const struct cli_command cli_commands[] = {
    {"acl", "Interact with Consul's ACLs", NULL,
     "  Makes and shows tokens, and the policies and roles that say what they may.\n", 0, NULL, NULL, false},
    {"acl bootstrap", "Bootstrap Consul's ACL system", " [options]",
     "  Makes the first token, which may do everything. That can be done once.\n", CS, cli_acl_format_flags, cli_acl_bootstrap, false},
    {"acl policy", "Manage Consul's ACL policies", NULL,
     "  A policy is a named set of rules.\n", 0, NULL, NULL, false},
    {"acl policy create", "Create an ACL policy", " [options]",
     "  Makes a policy of the rules given.\n", CSN, cli_acl_policy_create_flags, cli_acl_policy_create, false},
    {"acl policy delete", "Delete an ACL policy", " [options]",
     "  Deletes a policy; tokens and roles lose it.\n", CSN, cli_acl_policy_one_flags, cli_acl_policy_delete, false},
    {"acl policy list", "Lists ACL policies", " [options]",
     "  Prints all policies.\n", CSN, cli_acl_list_flags, cli_acl_policy_list, false},
    {"acl policy read", "Read an ACL policy", " [options]",
     "  Prints one policy with its rules.\n", CSN, cli_acl_policy_read_flags, cli_acl_policy_read, false},
    {"acl policy update", "Update an ACL policy", " [options]",
     "  Changes what is given and keeps the rest.\n", CSN, cli_acl_policy_update_flags, cli_acl_policy_update, false},
    {"acl role", "Manage Consul's ACL roles", NULL,
     "  A role is a named set of policies and identities.\n", 0, NULL, NULL, false},
    {"acl role create", "Create an ACL role", " [options]",
     "  Makes a role of what is linked.\n", CSN, cli_acl_role_create_flags, cli_acl_role_create, false},
    {"acl role delete", "Delete an ACL role", " [options]",
     "  Deletes a role; tokens lose it.\n", CSN, cli_acl_role_one_flags, cli_acl_role_delete, false},
    {"acl role list", "Lists ACL roles", " [options]",
     "  Prints all roles.\n", CSN, cli_acl_list_flags, cli_acl_role_list, false},
    {"acl role read", "Read an ACL role", " [options]",
     "  Prints one role.\n", CSN, cli_acl_role_read_flags, cli_acl_role_read, false},
    {"acl role update", "Update an ACL role", " [options]",
     "  Changes what is given and adds what is linked.\n", CSN, cli_acl_role_update_flags, cli_acl_role_update, false},
    {"acl set-agent-token", "Assign tokens for the Consul Agent's usage", " [options] TYPE TOKEN",
     "  Gives the agent a token for what it does itself. TYPE is default, agent, master or\n"
     "  replication; an empty TOKEN takes it away.\n", CS, NULL, cli_acl_set_agent_token, false},
    {"acl token", "Manage Consul's ACL tokens", NULL,
     "  A token says who asks; its policies and roles say what it may.\n", 0, NULL, NULL, false},
    {"acl token clone", "Clone an ACL token", " [options]",
     "  Makes a token with the rights of another.\n", CSN, cli_acl_token_clone_flags, cli_acl_token_clone, false},
    {"acl token create", "Create an ACL token", " [options]",
     "  Makes a token with the rights of what is linked.\n", CSN, cli_acl_token_create_flags, cli_acl_token_create, false},
    {"acl token delete", "Delete an ACL token", " [options]",
     "  Deletes a token.\n", CSN, cli_acl_token_delete_flags, cli_acl_token_delete, false},
    {"acl token list", "List ACL tokens", " [options]",
     "  Prints all tokens, without their secrets.\n", CSN, cli_acl_list_flags, cli_acl_token_list, false},
    {"acl token read", "Read an ACL token", " [options]",
     "  Prints one token, or with -self the one that asks.\n", CSN, cli_acl_token_read_flags, cli_acl_token_read, false},
    {"acl token update", "Update an ACL token", " [options]",
     "  Changes a token. Links that are not given again are lost, but for those that a -merge\n"
     "  flag keeps.\n", CSN, cli_acl_token_update_flags, cli_acl_token_update, false},
    {"agent", "Runs a Consul agent", " [options]",
     "  Starts the daemons of this node, keeps them running and passes their log on until\n"
     "  it is told to stop.\n", 0, cli_agent_flags, cli_agent, false},
    {"call", "Calls a method of a daemon over the bus", " [options] DAEMON [SERVICE.METHOD [JSON | -]]",
     "  Without a method lists the methods of the daemon. A reply is printed as one JSON\n"
     "  object; a follow prints one line a change.\n", 0, call_flags, cli_call, true},
    {"catalog", "Interact with the catalog", NULL,
     "  Lists datacenters, nodes and services of the catalog.\n", 0, NULL, NULL, false},
    {"catalog datacenters", "Lists all known datacenters", " [options]",
     "  Prints the name of each datacenter.\n", CS, NULL, cli_catalog_datacenters, false},
    {"catalog nodes", "Lists all nodes in the given datacenter", " [options]",
     "  Prints a line for each node, or for each instance of one service.\n",
     CS, nodes_flags, cli_catalog_nodes, false},
    {"catalog services", "Lists all registered services in a datacenter", " [options]",
     "  Prints the name of each service.\n", CSN, services_flags, cli_catalog_services, false},
    {"conf", "Works with the configuration of the suite", NULL, "  Works with the configuration of the suite.\n",
     0, NULL, NULL, true},
    {"conf render", "Writes the keys that a daemon owns", " DAEMON [options]",
     "  Reads the configuration as `agent` does and writes the keys that the daemon owns.\n",
     0, render_flags, cli_conf_render, true},
    {"connect", "Interact with Consul Connect", NULL,
     "  Starts proxies of the service mesh.\n", 0, NULL, NULL, false},
    {"connect envoy", "Runs or Configures Envoy as a Connect proxy", " [options] [-- ENVOY OPTIONS]",
     "  Becomes Envoy as a sidecar that is registered with the agent, or with -bootstrap\n"
     "  prints what Envoy is to be started with.\n",
     CLI_GROUP_CLIENT | CLI_GROUP_NAMESPACE, connect_envoy_flags, cli_connect_envoy, false},
    {"force-leave", "Forces a member of the cluster to enter the \"left\" state", " [options] NAME",
     "  Makes a member that has failed one that has left. A member that is alive comes back.\n",
     CLI_GROUP_CLIENT, force_leave_flags, cli_force_leave, false},
    {"info", "Provides debugging information for operators", " [options]",
     "  Prints what the agent says of itself, block by block.\n", CLI_GROUP_CLIENT, NULL, cli_info, false},
    {"intention", "Interact with Connect service intentions", NULL,
     "  Says which services may connect to which others.\n", 0, NULL, NULL, false},
    {"intention check", "Check whether a connection between two services is allowed.", " [options] SRC DST",
     "  Prints Allowed or Denied; the exit code is 0 or 1, and 2 where it cannot be said.\n",
     CSN | CLI_MISTAKE_IS_2, NULL, cli_intention_check, false},
    {"intention create", "Create intentions for service connections.", " [options] SRC DST",
     "  Allows or denies connections from one service to another; * stands for all.\n",
     CSN, intention_create_flags, cli_intention_create, false},
    {"intention delete", "Delete an intention.", " [options] SRC DST | ID",
     "  Deletes the intention of a pair, or one by its id.\n", CSN, NULL, cli_intention_delete, false},
    {"intention get", "Show information about an intention.", " [options] SRC DST | ID",
     "  Prints the intention of a pair, or one by its id.\n", CSN, NULL, cli_intention_get, false},
    {"intention list", "List intentions.", " [options]",
     "  Prints a line for each intention; exit code 2 when there is none.\n", CSN, NULL, cli_intention_list, false},
    {"intention match", "Show intentions that match a source or destination.", " [options] SRC|DST",
     "  Prints what applies to a service, the first that would decide first.\n",
     CSN | CLI_MISTAKE_IS_2, intention_match_flags, cli_intention_match, false},
    {"join", "Tell Consul agent to join cluster", " [options] ADDRESS...",
     "  Tells the agent to join the cluster of each address.\n", CLI_GROUP_CLIENT, join_flags, cli_join, false},
    {"kv", "Interact with the key-value store", NULL,
     "  Reads, writes and deletes keys, and copies them out and in as JSON.\n", 0, NULL, NULL, false},
    {"kv delete", "Removes data from the KV store", " [options] KEY_OR_PREFIX",
     "  Deletes a key, or with -recurse all keys with a prefix.\n", CSN, delete_flags, cli_kv_delete, false},
    {"kv export", "Exports a tree from the KV store as JSON", " [KEY_OR_PREFIX]",
     "  Prints all keys with the prefix as a JSON list that `kv import` reads.\n", CSN, NULL, cli_kv_export, false},
    {"kv get", "Retrieves or lists data from the KV store", " [options] [KEY_OR_PREFIX]",
     "  Prints the value of a key, or with -recurse or -keys what is below a prefix.\n",
     CSN, get_flags, cli_kv_get, false},
    {"kv import", "Imports a tree stored as JSON to the KV store", " [DATA]",
     "  Writes the keys of a list made by `kv export`, one by one. DATA is JSON, @FILE, or -\n"
     "  for stdin.\n", CSN, NULL, cli_kv_import, false},
    {"kv put", "Sets or updates data in the KV store", " [options] KEY [DATA]",
     "  Writes a value. DATA is the text itself, @FILE, or - for stdin.\n", CSN, put_flags, cli_kv_put, false},
    {"leave", "Gracefully leaves the Consul cluster and shuts down", " [options]",
     "  Tells the node to leave the cluster and to end.\n", CLI_GROUP_CLIENT, NULL, cli_leave, false},
    {"maint", "Controls node or service maintenance mode", " [options]",
     "  Without -enable or -disable lists what is in maintenance mode on this node.\n",
     CLI_GROUP_CLIENT, maint_flags, cli_maint, false},
    {"members", "Lists the members of a Consul cluster", " [options]",
     "  Prints a line for each member that gossip knows; exit code 2 when there is none to show.\n",
     CLI_GROUP_CLIENT, members_flags, cli_members, false},
    {"monitor", "Stream logs from a Consul agent", " [options]",
     "  Prints the agent's log as it is written, until a signal ends it.\n",
     CLI_GROUP_CLIENT, monitor_flags, cli_monitor, false},
    {"operator", "Provides cluster-level tools for Consul operators", NULL,
     "  Tools for those who run the cluster.\n", 0, NULL, NULL, false},
    {"operator raft", "Provides cluster-level tools for Consul operators", NULL,
     "  Shows the Raft configuration of the cluster, and mends what only an operator can.\n", 0, NULL, NULL, false},
    {"operator raft add-peer", "Add a server to the Raft configuration", " [options]",
     "  The server with -id must run, be reachable under the address that gossip or\n"
     "  raftd.peers gives it, and have an empty data directory or one of this cluster. It\n"
     "  votes once it has caught up; then the command returns. One that came back without its\n"
     "  data under its old id is removed first (remove-peer). Which id it has says `members\n"
     "  -detailed` (id=). The raftd of this host, a server of the cluster, is asked, over its\n"
     "  socket; under `agent` it is in DATA_DIR/run.\n", 0, add_peer_flags, cli_operator_raft_add_peer, true},
    {"operator raft forget-promise", "Drops this server's promise to bootstrap", " [options]",
     "  On a host whose server has promised to bootstrap a cluster with others, and whose\n"
     "  proposer is gone for good: it may promise itself to another one then. Should the\n"
     "  proposer come back it gets no second promise. The raftd of this host is asked, over\n"
     "  its socket.\n", 0, local_flags, cli_operator_raft_forget_promise, true},
    {"operator raft list-peers", "Display the current Raft peer configuration", " [options]",
     "  Prints a line for each server in the Raft configuration.\n", CS, NULL, cli_operator_raft_list_peers, false},
    {"operator raft recover", "Goes on with this server alone after a majority is lost", " [options]",
     "  Only when most servers are lost for good, and on one server: the one with the newest\n"
     "  log (last_term, then last_index of `call raftd Log.Status` on each). It goes on under\n"
     "  a new cluster id; what only the lost servers had acknowledged is lost. It is refused\n"
     "  while there is a leader. The raftd of this host is asked, over its socket.\n\n"
     "  To go on with several servers, or to have the lost ones back when they return, stop\n"
     "  the survivors, put the same list as DATA_DIR/raft/peers.json on each of them, and\n"
     "  start them:\n\n"
     "    [{\"id\": \"UUID\", \"address\": \"IP:PORT\", \"non_voter\": false}]\n\n"
     "  More than half of its voters must be survivors. A server that is named and comes back\n"
     "  later without the file sets its log aside, fetches the state and follows.\n",
     0, local_flags, cli_operator_raft_recover, true},
    {"operator raft remove-peer", "Remove a Consul server from the Raft configuration", " [options]",
     "  Takes the server with -id, or with -address, out of the cluster, so that it counts for\n"
     "  no majority any more: one that is gone for good, or that came back without its data and\n"
     "  is to be added anew (add-peer). The leader hands its leadership over when it is stopped\n"
     "  and can be removed then.\n", CS, remove_peer_flags, cli_operator_raft_remove_peer, false},
    {"reload", "Triggers the agent to reload configuration files", " [options]",
     "  Makes all daemons of the node read their configuration again.\n",
     CLI_GROUP_CLIENT, NULL, cli_reload, false},
    {"services", "Interact with services", NULL,
     "  Registers services at this node's agent, and takes them away.\n", 0, NULL, NULL, false},
    {"services deregister", "Deregister services with the local agent", " [options] [FILE...]",
     "  Deregisters the service with -id, or all services of the files.\n",
     CSN, deregister_flags, cli_services_deregister, false},
    {"services register", "Register services with the local agent", " [options] [FILE...]",
     "  Registers all services of the files, or one made of the flags.\n",
     CSN, register_flags, cli_services_register, false},
    {"validate", "Validate config files/directories", " [options] PATH...",
     "  Reads configuration as the agent would and says what is wrong with it.\n",
     0, validate_flags, cli_validate, false},
    {"version", "Prints the Consul version", " [options]",
     "  Prints the version of Curia and of the Consul it is compatible with.\n",
     0, version_flags, cli_version, false},
};
/* clang-format on */
const size_t cli_command_count = CU_COUNT(cli_commands);
