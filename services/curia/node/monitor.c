/* `monitor`: the agent's log as it is written, until a signal (cli.md 4.19). */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "services/curia/client.h"
#include "services/curia/command.h"

static volatile sig_atomic_t is_told_to_end;

static void on_signal(int number)
{
    (void)number;
    is_told_to_end = 1;
}

static void catch_signals(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    (void)sigaction(SIGINT, &action, NULL); /* cannot fail with these numbers */
    (void)sigaction(SIGTERM, &action, NULL);
}

static bool print(void *arg, struct cu_bytes bytes)
{
    (void)arg;
    return fwrite(bytes.data, 1, bytes.len, stdout) == bytes.len && fflush(stdout) == 0;
}

static bool goes_on(void *arg)
{
    (void)arg;
    return !is_told_to_end;
}

int cli_monitor(const struct cli_args *args)
{
    const char *level = cli_text(args, "log-level");
    struct cu_diag diag = {0};
    struct cu_buf query = {0};
    if (!cli_takes_no_words(args))
        return 1;
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    cli_query_add(&query, "loglevel", level ? level : "INFO");
    if (cli_bool(args, "log-json"))
        cli_query_add(&query, "logjson", "true");
    catch_signals();
    enum cu_err err = cli_http_stream(http,
                                      &(struct cli_request){.method = "GET",
                                                            .path = "/v1/agent/monitor",
                                                            .query = cli_query_text(&query)},
                                      &(struct cli_stream){print, goes_on, NULL}, &diag);
    cu_buf_deinit(&query);
    cli_http_free(http);
    if (is_told_to_end)
        return 0;
    if (err)
        return cli_sorry("Error starting monitor: %s", diag.text);
    return cli_sorry("\nRemote side ended the monitor! This usually means that the\n"
                     "remote side has exited or crashed.");
}
