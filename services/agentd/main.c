/* agentd - answers HTTP on this node, by looking at the catalog. See README.md. */
#include "common/daemon/daemon.h"
#include "services/agentd/agent.h"

int main(int argc, char **argv)
{
    static const struct cu_daemon agentd = {
        .name = "agentd",
        .about = "answers the HTTP API of this node",
        .check = agent_check,
        .start = agent_start,
        .reload = agent_reload,
        .drain = agent_drain,
        .stop = agent_stop, /* never leaves the pool: leaving is a method */
        .status = agent_status,
    };
    return cu_daemon_main(&agentd, argc, argv);
}
