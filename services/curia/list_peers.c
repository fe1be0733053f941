/* `operator raft list-peers` (cli.md 4.20). */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "services/curia/command.h"
#include "services/curia/http.h"

enum { COLUMNS = 6 };

static const char *const titles[COLUMNS] = {"Node",  "ID",    "Address",
                                            "State", "Voter", "RaftProtocol"};

static int sorry(const char *before, const char *cause)
{
    (void)fprintf(stderr, "%s%s\n", before, cause);
    return 1;
}

static const char *text_of(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void row_of(json_t *server, const char *row[COLUMNS])
{
    const char *protocol = text_of(server, "ProtocolVersion");
    row[0] = text_of(server, "Node");
    row[1] = text_of(server, "ID");
    row[2] = text_of(server, "Address");
    row[3] = json_is_true(json_object_get(server, "Leader")) ? "leader" : "follower";
    row[4] = json_is_true(json_object_get(server, "Voter")) ? "true" : "false";
    row[5] = *protocol ? protocol : "<=1";
}

/* Columns as wide as their widest cell, two blanks between, the last one not padded (cli.md 1.6).
 */
static void print_row(const char *const row[COLUMNS], const int width[COLUMNS])
{
    for (int i = 0; i < COLUMNS - 1; i++)
        (void)printf("%-*s  ", width[i], row[i]);
    (void)puts(row[COLUMNS - 1]);
}

static void print_table(json_t *servers)
{
    int width[COLUMNS];
    const char *row[COLUMNS];
    size_t i;
    json_t *server;
    for (int k = 0; k < COLUMNS; k++)
        width[k] = (int)strlen(titles[k]);
    json_array_foreach(servers, i, server)
    {
        row_of(server, row);
        for (int k = 0; k < COLUMNS; k++)
            if ((int)strlen(row[k]) > width[k])
                width[k] = (int)strlen(row[k]);
    }
    print_row(titles, width);
    json_array_foreach(servers, i, server)
    {
        row_of(server, row);
        print_row(row, width);
    }
}

int cli_operator_raft_list_peers(const struct cli_args *args)
{
    struct cu_diag diag = {0};
    struct cli_http *http = cli_http_new(args, &diag);
    if (!http)
        return sorry("Error initializing client: ", diag.text);
    struct cli_reply reply;
    enum cu_err err = cli_http_do(http,
                                  &(struct cli_request){.method = "GET",
                                                        .path = "/v1/operator/raft/configuration",
                                                        .is_read = true},
                                  &reply, &diag);
    if (!err && reply.status != 200) {
        cli_http_unexpected(&reply, true, &diag);
        err = CU_E_IO;
    }
    json_t *object =
        err ? NULL : json_loadb((const char *)reply.body.data, reply.body.len, 0, NULL);
    json_t *servers = json_object_get(object, "Servers");
    if (!err && !json_is_array(servers))
        err = cu_fail(&diag, CU_E_INVALID, "the agent's reply is not understood");
    if (!err)
        print_table(servers);
    json_decref(object);
    cu_buf_deinit(&reply.body);
    cli_http_free(http);
    return err ? sorry("Error getting peers: Failed to retrieve raft configuration: ", diag.text)
               : 0;
}
