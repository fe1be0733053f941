/* socket.h - where the daemons of this host, and `curia agent` itself, are reached: a socket each
 * in the run directory (contracts 1.1). */
#ifndef CLI_SOCKET_H
#define CLI_SOCKET_H

#include "services/curia/agent/settings.h"

enum { CLI_URL_BYTES = CLI_PATH_BYTES + 64 };

/* "ipc://RUN_DIR/DAEMON.sock". */
void cli_socket_url(const char *run_dir, const char *daemon, char ret_url[CLI_URL_BYTES]);

/* The same in the run directory that a command was told: -run-dir, $CURIA_RUN_DIR, /run/curia. */
void cli_socket_find(const struct cli_args *args, const char *daemon, char ret_url[CLI_URL_BYTES]);

#endif
