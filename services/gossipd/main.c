/* gossipd - keeps the list of live members by probing and gossip. See README.md. */
#include "services/gossipd/gossipd.h"

int main(int argc, char **argv)
{
    static const struct cu_daemon gossipd = {
        .name = "gossipd",
        .about = "keeps the list of live members by probing and gossip",
        .check = gossip_check_conf,
        .start = gossip_start, /* binds, then joins whom the configuration names */
        .stop = gossip_stop,   /* says nothing to the others: leaving is a method */
        .status = gossip_add_status,
    };
    return cu_daemon_main(&gossipd, argc, argv);
}
