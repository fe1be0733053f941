/* callers.h - what kind of caller a peer is (contracts 2.3): a local user by uid; without TLS a
 * remote one by its address. */
#ifndef CATALOG_CALLERS_H
#define CATALOG_CALLERS_H

#include "common/rpc/rpc.h"
#include "proto/curia/internal/v1/log.pb-c.h"
#include "services/catalogd/io/shell.h"

/* The other servers as raftd knows them now, from its status. */
void catalog_callers_note(struct catalog_shell *shell,
                          const Curia__Internal__V1__LogStatusReply *status);

/* Without ACLs every remote peer counts as a server: whoever reaches the port may read all there is
 * then, by Feed as well. `context` is the shell. */
enum cu_caller catalog_classify(void *context, const struct cu_peer *peer);

#endif
