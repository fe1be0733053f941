/* `intention check` and `intention match` (cli.md 4.10). */
#include <stdio.h>

#include "services/curia/command.h"
#include "services/curia/intention/intention.h"

enum { DENIED = 1, CANNOT_SAY = 2 };

int cli_intention_check(const struct cli_args *args)
{
    struct cu_buf query = {0};
    struct cu_diag diag = {0};
    json_t *said = NULL;
    if (args->word_count != 2) {
        (void)cli_sorry("Error: command requires exactly two arguments: src and dst");
        return CANNOT_SAY;
    }
    struct cli_http *http = cli_connect(args);
    if (!http)
        return CANNOT_SAY;
    enum cu_err err =
        cli_get(http, INTENTIONS_PATH "/check", "",
                intention_pair_query(&query, args->words[0], args->words[1]), &said, &diag);
    bool allowed = !err && json_is_true(json_object_get(said, "Allowed"));
    if (err)
        (void)cli_sorry("Error checking the connection: %s", diag.text);
    else
        (void)puts(allowed ? "Allowed" : "Denied");
    json_decref(said);
    cu_buf_deinit(&query);
    cli_http_free(http);
    return err ? CANNOT_SAY : allowed ? 0 : DENIED;
}

int cli_intention_match(const struct cli_args *args)
{
    bool by_source = cli_bool(args, "source");
    struct cu_buf query = {0};
    struct cu_diag diag = {0};
    json_t *said = NULL, *intention;
    size_t i;
    if (args->word_count != 1)
        return cli_sorry("Error: command requires exactly one argument: src or dst");
    if (by_source && cli_bool(args, "destination"))
        return cli_sorry("Error: only one of -source or -destination may be specified");
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    cli_query_add(&query, "by", by_source ? "source" : "destination");
    cli_query_add(&query, "name", args->words[0]);
    enum cu_err err =
        cli_get(http, INTENTIONS_PATH "/match", "", cli_query_text(&query), &said, &diag);
    json_array_foreach(json_object_get(said, args->words[0]), i, intention)
    {
        struct cu_buf text = {0};
        (void)puts(intention_text(&text, intention));
        cu_buf_deinit(&text);
    }
    json_decref(said);
    cu_buf_deinit(&query);
    cli_http_free(http);
    return err ? cli_sorry("Error matching the connection: %s", diag.text) : 0;
}
