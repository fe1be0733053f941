/* `info`: the agent's Stats, block by block (cli.md 4.9). */
#include <stdio.h>
#include <stdlib.h>

#include "services/curia/client.h"
#include "services/curia/command.h"

static void print_block(const char *title, json_t *block)
{
    size_t count;
    const char **names = cli_sorted(block, &count);
    (void)printf("%s:\n", title);
    for (size_t i = 0; i < count; i++)
        (void)printf("\t%s = %s\n", names[i], cli_member_text(block, names[i]));
    free(names);
}

int cli_info(const struct cli_args *args)
{
    struct cu_diag diag = {0};
    json_t *self = NULL;
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    enum cu_err err = cli_get(http, "/v1/agent/self", "", NULL, &self, &diag);
    cli_http_free(http);
    json_t *stats = json_object_get(self, "Stats");
    if (!err && !json_is_object(stats))
        err = cu_fail(&diag, CU_E_INVALID, "the agent's reply is not understood");
    if (!err) {
        size_t count;
        const char **names = cli_sorted(stats, &count);
        for (size_t i = 0; i < count; i++)
            print_block(names[i], json_object_get(stats, names[i]));
        free(names);
    }
    json_decref(self);
    return err ? cli_sorry("Error querying agent: %s", diag.text) : 0;
}
