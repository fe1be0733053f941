/* `leave`, `force-leave` and `reload`: one word to the agent (cli.md 4.8, 4.11). */
#include <stdio.h>

#include "services/curia/client.h"
#include "services/curia/command.h"

static int tell(const struct cli_args *args, const char *path, const char *key, const char *query,
                const char *sorry)
{
    struct cu_diag diag = {0};
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    enum cu_err err = cli_put(http, path, key, query, NULL, &diag);
    cli_http_free(http);
    return err ? cli_sorry("%s: %s", sorry, diag.text) : 0;
}

int cli_leave(const struct cli_args *args)
{
    if (args->word_count) { /* Q16: all of it on stderr */
        struct cu_buf words = {0};
        for (int i = 0; i < args->word_count; i++)
            cu_buf_printf(&words, "%s%s", i ? " " : "", args->words[i]);
        cu_buf_u8(&words, 0);
        (void)cli_sorry("Error found unexpected args: [%s]\n\nTry: %s leave -h",
                        (const char *)words.data, cli_name());
        cu_buf_deinit(&words);
        return 1;
    }
    int code = tell(args, "/v1/agent/leave", "", NULL, "Error leaving");
    if (!code)
        (void)puts("Graceful leave complete");
    return code;
}

int cli_force_leave(const struct cli_args *args)
{
    if (args->word_count != 1)
        return cli_sorry("A single node name must be specified to force leave.\n\n"
                         "Try: %s force-leave -h",
                         cli_name());
    return tell(args, "/v1/agent/force-leave/", args->words[0],
                cli_bool(args, "prune") ? "prune=1" : NULL, "Error force leaving");
}

int cli_reload(const struct cli_args *args)
{
    int code = tell(args, "/v1/agent/reload", "", NULL, "Error reloading");
    if (!code)
        (void)puts("Configuration reload triggered");
    return code;
}
