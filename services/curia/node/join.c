/* `join` (cli.md 4.11). */
#include <stdio.h>

#include "services/curia/client.h"
#include "services/curia/command.h"

int cli_join(const struct cli_args *args)
{
    int joined = 0;
    if (!args->word_count)
        return cli_sorry("At least one address to join must be specified.\n\n"
                         "Try: %s join -h",
                         cli_name());
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    for (int i = 0; i < args->word_count; i++) {
        struct cu_diag diag = {0};
        if (cli_put(http, "/v1/agent/join/", args->words[i], cli_bool(args, "wan") ? "wan=1" : NULL,
                    NULL, &diag))
            (void)cli_sorry("Error joining address '%s': %s", args->words[i], diag.text);
        else
            joined++;
    }
    cli_http_free(http);
    if (!joined)
        return cli_sorry("Failed to join any nodes.");
    (void)printf("Successfully joined cluster by contacting %d nodes.\n", joined);
    return 0;
}
