/* gossip.h - this host's gossipd as catalogd sees it: whether it is well, which raftd is told at
 * each poll of duty (contracts 5.4), and calls to it. On the loop's thread. */
#ifndef CATALOG_IO_GOSSIP_H
#define CATALOG_IO_GOSSIP_H

#include "services/catalogd/io/shell.h"

struct catalog_gossip;

enum {
    CATALOG_GOSSIP_ASK_MS = 1000,  /* how often it is asked for a sign of life */
    CATALOG_GOSSIP_LIFE_MS = 4000, /* without one for longer it is not well: a restart is shorter,
                                      a pause of 3 s is not the end (issue 4) */
};

/* `up` is called when the connection begins, never from inside a function of this header. */
struct catalog_gossip *catalog_gossip_new(struct catalog_shell *shell, cu_callback *up, void *arg);
void catalog_gossip_free(struct catalog_gossip *gossip); /* takes NULL */

/* Also before it could have answered for the first time. */
bool catalog_gossip_is_well(const struct catalog_gossip *gossip);

/* A call of the service Members, as cu_client_call(). */
struct cu_call *catalog_gossip_call(struct catalog_gossip *gossip, const char *method,
                                    const ProtobufCMessage *in, uint32_t timeout_ms,
                                    cu_on_answer *on_answer, void *arg);

#endif
