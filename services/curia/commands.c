/* The table of commands: one row each, sorted. */
#include "common/base/err.h"
#include "services/curia/command.h"

/* clang-format off */
static const struct cli_flag call_flags[] = {
    {"addr", CLI_TEXT, "`ipc://PATH` or `tcp://HOST:PORT`; default: the daemon's socket in the run directory.", NULL},
    {"n", CLI_UINT, "Lines after which a follow ends; default: none.", NULL},
    {"run-dir", CLI_TEXT, "Where the sockets are; default: $CURIA_RUN_DIR, else /run/curia.", NULL},
    {0},
};
static const struct cli_flag render_flags[] = {
    {"config-dir", CLI_LIST, "A folder of configuration files.", NULL},
    {"config-file", CLI_LIST, "A configuration file.", NULL},
    {"out", CLI_TEXT, "Where to write; default RUN_DIR/DAEMON.json.", NULL},
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
static const struct cli_flag version_flags[] = {
    {"format", CLI_TEXT, "pretty or json.", NULL},
    {0},
};

#define CSN (CLI_GROUP_CLIENT | CLI_GROUP_SERVER | CLI_GROUP_NAMESPACE)
#define CS  (CLI_GROUP_CLIENT | CLI_GROUP_SERVER)

const struct cli_command cli_commands[] = {
    {"agent", "Runs a Consul agent", " [options]",
     "  Starts the daemons of this node, keeps them running and passes their log on until\n"
     "  it is told to stop.\n", 0, cli_agent_flags, cli_agent, false},
    {"call", "Calls a method of a daemon over the bus", " [options] DAEMON [SERVICE.METHOD [JSON | -]]",
     "  Without a method lists the methods of the daemon. A reply is printed as one JSON\n"
     "  object; a follow prints one line a change.\n", 0, call_flags, cli_call, true},
    {"conf", "Works with the configuration of the suite", NULL, "  Works with the configuration of the suite.\n",
     0, NULL, NULL, true},
    {"conf render", "Writes the keys that a daemon owns", " DAEMON [options]",
     "  Reads the configuration as `agent` does and writes the keys that the daemon owns.\n",
     0, render_flags, cli_conf_render, true},
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
    {"operator", "Provides cluster-level tools for Consul operators", NULL,
     "  Tools for those who run the cluster.\n", 0, NULL, NULL, false},
    {"operator raft", "Provides cluster-level tools for Consul operators", NULL,
     "  Shows the Raft configuration of the cluster.\n", 0, NULL, NULL, false},
    {"operator raft list-peers", "Display the current Raft peer configuration", " [options]",
     "  Prints a line for each server in the Raft configuration.\n", CS, NULL, cli_operator_raft_list_peers, false},
    {"version", "Prints the Consul version", " [options]",
     "  Prints the version of Curia and of the Consul it is compatible with.\n",
     0, version_flags, cli_version, false},
};
/* clang-format on */
const size_t cli_command_count = CU_COUNT(cli_commands);
