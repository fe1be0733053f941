/* Flags of `acl ...` (cli.md 3). */
#include "services/curia/command.h"

/* clang-format off */
const struct cli_flag cli_acl_format_flags[] = {
    {"format", CLI_TEXT, "pretty or json.", NULL},
    {0},
};
const struct cli_flag cli_acl_list_flags[] = {
    {"format", CLI_TEXT, "pretty or json.", NULL},
    {"meta", CLI_BOOL, "Print hash and indexes, too.", NULL},
    {0},
};
const struct cli_flag cli_acl_policy_create_flags[] = {
    {"description", CLI_TEXT, "What it is for.", NULL},
    {"format", CLI_TEXT, "pretty or json.", NULL},
    {"from-token", CLI_TEXT, "Of legacy tokens, which there are not.", NULL},
    {"meta", CLI_BOOL, "Print hash and indexes, too.", NULL},
    {"name", CLI_TEXT, "Name of the policy.", NULL},
    {"rules", CLI_TEXT, "The rules; @FILE and - are read.", NULL},
    {"token-secret", CLI_BOOL, "With -from-token.", NULL},
    {"valid-datacenter", CLI_LIST, "A datacenter where it counts; default: all; may be given several times.", NULL},
    {0},
};
const struct cli_flag cli_acl_policy_one_flags[] = {
    {"id", CLI_TEXT, "Id of the policy, or the beginning of it.", NULL},
    {"name", CLI_TEXT, "Name of the policy.", NULL},
    {0},
};
const struct cli_flag cli_acl_policy_read_flags[] = {
    {"format", CLI_TEXT, "pretty or json.", NULL},
    {"id", CLI_TEXT, "Id of the policy, or the beginning of it.", NULL},
    {"meta", CLI_BOOL, "Print hash and indexes, too.", NULL},
    {"name", CLI_TEXT, "Name of the policy.", NULL},
    {0},
};
const struct cli_flag cli_acl_policy_update_flags[] = {
    {"description", CLI_TEXT, "What it is for.", NULL},
    {"format", CLI_TEXT, "pretty or json.", NULL},
    {"id", CLI_TEXT, "Id of the policy, or the beginning of it.", NULL},
    {"meta", CLI_BOOL, "Print hash and indexes, too.", NULL},
    {"name", CLI_TEXT, "Name of the policy; with -id the new one.", NULL},
    {"no-merge", CLI_BOOL, "Replace all of it, also what is not given.", NULL},
    {"rules", CLI_TEXT, "The rules; @FILE and - are read.", NULL},
    {"valid-datacenter", CLI_LIST, "A datacenter where it counts; default: all; may be given several times.", NULL},
    {0},
};
const struct cli_flag cli_acl_role_create_flags[] = {
    {"description", CLI_TEXT, "What it is for.", NULL},
    {"format", CLI_TEXT, "pretty or json.", NULL},
    {"meta", CLI_BOOL, "Print hash and indexes, too.", NULL},
    {"name", CLI_TEXT, "Name of the role.", NULL},
    {"node-identity", CLI_LIST, "`NODE:DATACENTER` whose rights it has; may be given several times.", NULL},
    {"policy-id", CLI_LIST, "Id of a policy to link, or its beginning; may be given several times.", NULL},
    {"policy-name", CLI_LIST, "Name of a policy to link; may be given several times.", NULL},
    {"service-identity", CLI_LIST, "`NAME` or `NAME:DC1,DC2` of a service whose rights it has; may be given several times.", NULL},
    {0},
};
const struct cli_flag cli_acl_role_one_flags[] = {
    {"id", CLI_TEXT, "Id of the role, or the beginning of it.", NULL},
    {"name", CLI_TEXT, "Name of the role.", NULL},
    {0},
};
const struct cli_flag cli_acl_role_read_flags[] = {
    {"format", CLI_TEXT, "pretty or json.", NULL},
    {"id", CLI_TEXT, "Id of the role, or the beginning of it.", NULL},
    {"meta", CLI_BOOL, "Print hash and indexes, too.", NULL},
    {"name", CLI_TEXT, "Name of the role.", NULL},
    {0},
};
const struct cli_flag cli_acl_role_update_flags[] = {
    {"description", CLI_TEXT, "What it is for.", NULL},
    {"format", CLI_TEXT, "pretty or json.", NULL},
    {"id", CLI_TEXT, "Id of the role, or the beginning of it.", NULL},
    {"meta", CLI_BOOL, "Print hash and indexes, too.", NULL},
    {"name", CLI_TEXT, "The new name.", NULL},
    {"no-merge", CLI_BOOL, "Replace all of it, also what is not given.", NULL},
    {"node-identity", CLI_LIST, "`NODE:DATACENTER` whose rights it has; may be given several times.", NULL},
    {"policy-id", CLI_LIST, "Id of a policy to link, or its beginning; may be given several times.", NULL},
    {"policy-name", CLI_LIST, "Name of a policy to link; may be given several times.", NULL},
    {"service-identity", CLI_LIST, "`NAME` or `NAME:DC1,DC2` of a service whose rights it has; may be given several times.", NULL},
    {0},
};
const struct cli_flag cli_acl_token_clone_flags[] = {
    {"description", CLI_TEXT, "What it is for.", NULL},
    {"format", CLI_TEXT, "pretty or json.", NULL},
    {"id", CLI_TEXT, "Id of the token, or the beginning of it.", NULL},
    {0},
};
const struct cli_flag cli_acl_token_create_flags[] = {
    {"accessor", CLI_TEXT, "The id to give it; default: a random one.", NULL},
    {"description", CLI_TEXT, "What it is for.", NULL},
    {"expires-ttl", CLI_DURATION, "How long it counts.", NULL},
    {"format", CLI_TEXT, "pretty or json.", NULL},
    {"local", CLI_BOOL, "Only of this datacenter.", NULL},
    {"meta", CLI_BOOL, "Print hash and indexes, too.", NULL},
    {"node-identity", CLI_LIST, "`NODE:DATACENTER` whose rights it has; may be given several times.", NULL},
    {"policy-id", CLI_LIST, "Id of a policy to link, or its beginning; may be given several times.", NULL},
    {"policy-name", CLI_LIST, "Name of a policy to link; may be given several times.", NULL},
    {"role-id", CLI_LIST, "Id of a role to link, or its beginning; may be given several times.", NULL},
    {"role-name", CLI_LIST, "Name of a role to link; may be given several times.", NULL},
    {"secret", CLI_TEXT, "The secret to give it; default: a random one.", NULL},
    {"service-identity", CLI_LIST, "`NAME` or `NAME:DC1,DC2` of a service whose rights it has; may be given several times.", NULL},
    {0},
};
const struct cli_flag cli_acl_token_delete_flags[] = {
    {"id", CLI_TEXT, "Id of the token, or the beginning of it.", NULL},
    {0},
};
const struct cli_flag cli_acl_token_read_flags[] = {
    {"format", CLI_TEXT, "pretty or json.", NULL},
    {"id", CLI_TEXT, "Id of the token, or the beginning of it.", NULL},
    {"meta", CLI_BOOL, "Print hash and indexes, too.", NULL},
    {"self", CLI_BOOL, "The token of the request.", NULL},
    {0},
};
const struct cli_flag cli_acl_token_update_flags[] = {
    {"description", CLI_TEXT, "What it is for.", NULL},
    {"format", CLI_TEXT, "pretty or json.", NULL},
    {"id", CLI_TEXT, "Id of the token, or the beginning of it.", NULL},
    {"merge-node-identities", CLI_BOOL, "Keep the node identities that it has.", NULL},
    {"merge-policies", CLI_BOOL, "Keep the policies that it has.", NULL},
    {"merge-roles", CLI_BOOL, "Keep the roles that it has.", NULL},
    {"merge-service-identities", CLI_BOOL, "Keep the service identities that it has.", NULL},
    {"meta", CLI_BOOL, "Print hash and indexes, too.", NULL},
    {"node-identity", CLI_LIST, "`NODE:DATACENTER` whose rights it has; may be given several times.", NULL},
    {"policy-id", CLI_LIST, "Id of a policy to link, or its beginning; may be given several times.", NULL},
    {"policy-name", CLI_LIST, "Name of a policy to link; may be given several times.", NULL},
    {"role-id", CLI_LIST, "Id of a role to link, or its beginning; may be given several times.", NULL},
    {"role-name", CLI_LIST, "Name of a role to link; may be given several times.", NULL},
    {"service-identity", CLI_LIST, "`NAME` or `NAME:DC1,DC2` of a service whose rights it has; may be given several times.", NULL},
    {"upgrade-legacy", CLI_BOOL, "Of legacy tokens, which there are not.", NULL},
    {0},
};
/* clang-format on */
