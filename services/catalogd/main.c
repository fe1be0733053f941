/* catalogd - applies the committed log to the replicated state and serves it. See README.md. */
#include "services/catalogd/io/shell.h"
#include "services/catalogd/rpc/grpc.h"

/* Who watches the health service goes elsewhere before the end. */
static void drain(void *state)
{
    catalog_grpc_drain(state);
}

int main(int argc, char **argv)
{
    static const struct cu_daemon catalogd = {
        .name = "catalogd",
        .about = "the replicated state: applies the log, answers reads, proposes writes",
        .check = catalog_conf_check,
        .start = catalog_shell_start,
        .drain = drain,
        .stop = catalog_shell_stop,
        .status = catalog_shell_status,
    };
    return cu_daemon_main(&catalogd, argc, argv);
}
