#include "services/curia/socket.h"

#include <stdio.h>
#include <stdlib.h>

void cli_socket_url(const char *run_dir, const char *daemon, char ret_url[CLI_URL_BYTES])
{
    (void)snprintf(ret_url, CLI_URL_BYTES, "ipc://%s/%s.sock", run_dir, daemon);
}

void cli_socket_find(const struct cli_args *args, const char *daemon, char ret_url[CLI_URL_BYTES])
{
    const char *given = cli_text(args, "run-dir"), *variable = getenv("CURIA_RUN_DIR");
    const char *run_dir = given ? given : variable && *variable ? variable : "/run/curia";
    char *whole = realpath(run_dir, NULL); /* the bus wants whole paths */
    cli_socket_url(whole ? whole : run_dir, daemon, ret_url);
    free(whole);
}
