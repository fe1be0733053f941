/* raftd - keeps the replicated log: leadership, entries, their commit. See README.md. */
#include "services/raftd/raftd.h"

int main(int argc, char **argv)
{
    static const struct cu_daemon raftd = {
        .name = "raftd",
        .about = "keeps the replicated log of a server",
        .check = raft_check_conf,
        .start = raft_start, /* opens the log, then listens for the other servers */
        .drain = raft_drain,
        .stop = raft_stop,
        .status = raft_add_status,
    };
    return cu_daemon_main(&raftd, argc, argv);
}
