/* command.h - one row a command: its words, its flags, what it does. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "services/curia/flag.h"

/* The version of the reference that Curia is compatible with, as the banner and `version` print it.
 */
#define CLI_CONSUL_VERSION "1.9.8"

enum { CLI_GROUP_CLIENT = 1, CLI_GROUP_SERVER = 2, CLI_GROUP_NAMESPACE = 4 }; /* cli.md 2.1 */
enum { CLI_MISTAKE_IS_2 = 8 }; /* among the groups: the exit code where flags are no good */

struct cli_command {
    const char *path;     /* "kv get" */
    const char *synopsis; /* for lists of commands */
    const char *words;    /* after the flags in the usage line; NULL: a parent of other commands */
    const char *text;     /* help, whole lines indented by two */
    unsigned groups;
    const struct cli_flag *flags;            /* ended by a row without a name; NULL: none */
    int (*run)(const struct cli_args *args); /* the exit code */
    bool is_own;                             /* Curia's own: listed only when invoked as `curia` */
};

extern const struct cli_command cli_commands[]; /* sorted by path */
extern const size_t cli_command_count;

/* Finds, parses, runs; prints help where cli.md 1.1 says so. Returns the exit code. */
int cli_main(int argc, char **argv);

/* "curia" or "consul": the name it was invoked as. */
const char *cli_name(void);

int cli_acl_bootstrap(const struct cli_args *args);
int cli_acl_policy_create(const struct cli_args *args);
int cli_acl_policy_delete(const struct cli_args *args);
int cli_acl_policy_list(const struct cli_args *args);
int cli_acl_policy_read(const struct cli_args *args);
int cli_acl_policy_update(const struct cli_args *args);
int cli_acl_role_create(const struct cli_args *args);
int cli_acl_role_delete(const struct cli_args *args);
int cli_acl_role_list(const struct cli_args *args);
int cli_acl_role_read(const struct cli_args *args);
int cli_acl_role_update(const struct cli_args *args);
int cli_acl_set_agent_token(const struct cli_args *args);
int cli_acl_token_clone(const struct cli_args *args);
int cli_acl_token_create(const struct cli_args *args);
int cli_acl_token_delete(const struct cli_args *args);
int cli_acl_token_list(const struct cli_args *args);
int cli_acl_token_read(const struct cli_args *args);
int cli_acl_token_update(const struct cli_args *args);
int cli_agent(const struct cli_args *args);
int cli_call(const struct cli_args *args);
int cli_catalog_datacenters(const struct cli_args *args);
int cli_catalog_nodes(const struct cli_args *args);
int cli_catalog_services(const struct cli_args *args);
int cli_connect_envoy(const struct cli_args *args);
int cli_conf_render(const struct cli_args *args);
int cli_force_leave(const struct cli_args *args);
int cli_info(const struct cli_args *args);
int cli_intention_check(const struct cli_args *args);
int cli_intention_create(const struct cli_args *args);
int cli_intention_delete(const struct cli_args *args);
int cli_intention_get(const struct cli_args *args);
int cli_intention_list(const struct cli_args *args);
int cli_intention_match(const struct cli_args *args);
int cli_join(const struct cli_args *args);
int cli_kv_delete(const struct cli_args *args);
int cli_kv_export(const struct cli_args *args);
int cli_kv_get(const struct cli_args *args);
int cli_kv_import(const struct cli_args *args);
int cli_kv_put(const struct cli_args *args);
int cli_leave(const struct cli_args *args);
int cli_maint(const struct cli_args *args);
int cli_members(const struct cli_args *args);
int cli_monitor(const struct cli_args *args);
int cli_operator_raft_add_peer(const struct cli_args *args);
int cli_operator_raft_forget_promise(const struct cli_args *args);
int cli_operator_raft_list_peers(const struct cli_args *args);
int cli_operator_raft_recover(const struct cli_args *args);
int cli_operator_raft_remove_peer(const struct cli_args *args);
int cli_reload(const struct cli_args *args);
int cli_services_deregister(const struct cli_args *args);
int cli_services_register(const struct cli_args *args);
int cli_validate(const struct cli_args *args);
int cli_version(const struct cli_args *args);

extern const struct cli_flag cli_acl_format_flags[], cli_acl_list_flags[],
    cli_acl_policy_create_flags[], cli_acl_policy_one_flags[], cli_acl_policy_read_flags[],
    cli_acl_policy_update_flags[], cli_acl_role_create_flags[], cli_acl_role_one_flags[],
    cli_acl_role_read_flags[], cli_acl_role_update_flags[], cli_acl_token_clone_flags[],
    cli_acl_token_create_flags[], cli_acl_token_delete_flags[], cli_acl_token_read_flags[],
    cli_acl_token_update_flags[];
extern const struct cli_flag cli_agent_flags[];
extern const struct cli_flag cli_client_flags[], cli_server_flags[], cli_namespace_flags[];

#endif
