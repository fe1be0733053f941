/* `operator raft list-peers` (cli.md 4.20). */
#include "services/curia/client.h"
#include "services/curia/command.h"
#include "services/curia/table.h"

static void print_table(json_t *servers)
{
    static const char *const titles[] = {"Node", "ID", "Address", "State", "Voter", "RaftProtocol"};
    struct cli_table table = {.columns = CU_COUNT(titles)};
    size_t i;
    json_t *server;
    cli_table_add(&table, titles);
    json_array_foreach(servers, i, server)
    {
        const char *protocol = cli_member_text(server, "ProtocolVersion");
        const char *cells[] = {cli_member_text(server, "Node"),
                               cli_member_text(server, "ID"),
                               cli_member_text(server, "Address"),
                               json_is_true(json_object_get(server, "Leader")) ? "leader"
                                                                               : "follower",
                               json_is_true(json_object_get(server, "Voter")) ? "true" : "false",
                               *protocol ? protocol : "<=1"};
        cli_table_add(&table, cells);
    }
    cli_table_print(&table);
    cli_table_deinit(&table);
}

int cli_operator_raft_list_peers(const struct cli_args *args)
{
    struct cu_diag diag = {0};
    json_t *object = NULL;
    struct cli_http *http = cli_http_new(args, &diag);
    if (!http)
        return cli_sorry("Error initializing client: %s", diag.text);
    enum cu_err err = cli_get(http, "/v1/operator/raft/configuration", "", NULL, &object, &diag);
    json_t *servers = json_object_get(object, "Servers");
    if (!err && !json_is_array(servers))
        err = cu_fail(&diag, CU_E_INVALID, "the agent's reply is not understood");
    if (!err)
        print_table(servers);
    json_decref(object);
    cli_http_free(http);
    return err ? cli_sorry("Error getting peers: Failed to retrieve raft configuration: %s",
                           diag.text)
               : 0;
}
