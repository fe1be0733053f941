/* Flags of `acl ...` (cli.md 3). */
#include "services/curia/command.h"

/* clang-format off */
/* What several commands take, with the same words. */
#define DESCRIPTION        {"description", CLI_TEXT, "What it is for.", NULL}
#define FORMAT             {"format", CLI_TEXT, "pretty or json.", NULL}
#define META               {"meta", CLI_BOOL, "Print hash and indexes, too.", NULL}
#define NO_MERGE           {"no-merge", CLI_BOOL, "Replace all of it, also what is not given.", NULL}
#define NODE_IDENTITY      {"node-identity", CLI_LIST, "`NODE:DATACENTER` whose rights it has; may be given several times.", NULL}
#define POLICY_ID          {"policy-id", CLI_LIST, "Id of a policy to link, or its beginning; may be given several times.", NULL}
#define POLICY_NAME        {"policy-name", CLI_LIST, "Name of a policy to link; may be given several times.", NULL}
#define ROLE_ID            {"role-id", CLI_LIST, "Id of a role to link, or its beginning; may be given several times.", NULL}
#define ROLE_NAME          {"role-name", CLI_LIST, "Name of a role to link; may be given several times.", NULL}
#define RULES              {"rules", CLI_TEXT, "The rules; @FILE and - are read.", NULL}
#define SERVICE_IDENTITY   {"service-identity", CLI_LIST, "`NAME` or `NAME:DC1,DC2` of a service whose rights it has; may be given several times.", NULL}
#define VALID_DATACENTER   {"valid-datacenter", CLI_LIST, "A datacenter where it counts; default: all; may be given several times.", NULL}
#define ID(kind)           {"id", CLI_TEXT, "Id of the " kind ", or the beginning of it.", NULL}
#define NAME(kind)         {"name", CLI_TEXT, "Name of the " kind ".", NULL}

const struct cli_flag cli_acl_format_flags[] = {
    FORMAT,
    {0},
};
const struct cli_flag cli_acl_list_flags[] = {
    FORMAT,
    META,
    {0},
};
const struct cli_flag cli_acl_policy_create_flags[] = {
    DESCRIPTION,
    FORMAT,
    {"from-token", CLI_TEXT, "Of legacy tokens, which there are not.", NULL},
    META,
    NAME("policy"),
    RULES,
    {"token-secret", CLI_BOOL, "With -from-token.", NULL},
    VALID_DATACENTER,
    {0},
};
const struct cli_flag cli_acl_policy_one_flags[] = {
    ID("policy"),
    NAME("policy"),
    {0},
};
const struct cli_flag cli_acl_policy_read_flags[] = {
    FORMAT,
    ID("policy"),
    META,
    NAME("policy"),
    {0},
};
const struct cli_flag cli_acl_policy_update_flags[] = {
    DESCRIPTION,
    FORMAT,
    ID("policy"),
    META,
    {"name", CLI_TEXT, "Name of the policy; with -id the new one.", NULL},
    NO_MERGE,
    RULES,
    VALID_DATACENTER,
    {0},
};
const struct cli_flag cli_acl_role_create_flags[] = {
    DESCRIPTION,
    FORMAT,
    META,
    NAME("role"),
    NODE_IDENTITY,
    POLICY_ID,
    POLICY_NAME,
    SERVICE_IDENTITY,
    {0},
};
const struct cli_flag cli_acl_role_one_flags[] = {
    ID("role"),
    NAME("role"),
    {0},
};
const struct cli_flag cli_acl_role_read_flags[] = {
    FORMAT,
    ID("role"),
    META,
    NAME("role"),
    {0},
};
const struct cli_flag cli_acl_role_update_flags[] = {
    DESCRIPTION,
    FORMAT,
    ID("role"),
    META,
    {"name", CLI_TEXT, "The new name.", NULL},
    NO_MERGE,
    NODE_IDENTITY,
    POLICY_ID,
    POLICY_NAME,
    SERVICE_IDENTITY,
    {0},
};
const struct cli_flag cli_acl_token_clone_flags[] = {
    DESCRIPTION,
    FORMAT,
    ID("token"),
    {0},
};
const struct cli_flag cli_acl_token_create_flags[] = {
    {"accessor", CLI_TEXT, "The id to give it; default: a random one.", NULL},
    DESCRIPTION,
    {"expires-ttl", CLI_DURATION, "How long it counts.", NULL},
    FORMAT,
    {"local", CLI_BOOL, "Only of this datacenter.", NULL},
    META,
    NODE_IDENTITY,
    POLICY_ID,
    POLICY_NAME,
    ROLE_ID,
    ROLE_NAME,
    {"secret", CLI_TEXT, "The secret to give it; default: a random one.", NULL},
    SERVICE_IDENTITY,
    {0},
};
const struct cli_flag cli_acl_token_delete_flags[] = {
    ID("token"),
    {0},
};
const struct cli_flag cli_acl_token_read_flags[] = {
    FORMAT,
    ID("token"),
    META,
    {"self", CLI_BOOL, "The token of the request.", NULL},
    {0},
};
const struct cli_flag cli_acl_token_update_flags[] = {
    DESCRIPTION,
    FORMAT,
    ID("token"),
    {"merge-node-identities", CLI_BOOL, "Keep the node identities that it has.", NULL},
    {"merge-policies", CLI_BOOL, "Keep the policies that it has.", NULL},
    {"merge-roles", CLI_BOOL, "Keep the roles that it has.", NULL},
    {"merge-service-identities", CLI_BOOL, "Keep the service identities that it has.", NULL},
    META,
    NODE_IDENTITY,
    POLICY_ID,
    POLICY_NAME,
    ROLE_ID,
    ROLE_NAME,
    SERVICE_IDENTITY,
    {"upgrade-legacy", CLI_BOOL, "Of legacy tokens, which there are not.", NULL},
    {0},
};
/* clang-format on */
