/* `operator raft remove-peer` (cli.md 4.20). */
#include <stdio.h>

#include "services/curia/client.h"
#include "services/curia/command.h"

static enum cu_err ask(const struct cli_args *args, const char *id, const char *address,
                       struct cu_diag *diag)
{
    struct cu_buf query = {0};
    struct cli_http *http = cli_http_new(args, diag);
    if (!http)
        return CU_E_INVALID;
    cli_query_add(&query, "id", id);
    cli_query_add(&query, "address", address);
    enum cu_err err = cli_delete(http, "/v1/operator/raft/peer", cli_query_text(&query), diag);
    cu_buf_deinit(&query);
    cli_http_free(http);
    return err;
}

int cli_operator_raft_remove_peer(const struct cli_args *args)
{
    const char *id = cli_text(args, "id"), *address = cli_text(args, "address");
    struct cu_diag diag = {0};
    if (!cli_takes_no_words(args))
        return 1;
    if (!id && !address)
        return cli_sorry(
            "Error removing peer: an address or id is required for the peer to remove");
    if (id && address)
        return cli_sorry("Error removing peer: cannot give both an address and id");
    if (ask(args, id, address, &diag))
        return cli_sorry("Error removing peer: %s", diag.text);
    return printf("Removed peer with %s \"%s\"\n", id ? "id" : "address", id ? id : address) < 0;
}
