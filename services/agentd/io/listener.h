/* listener.h - sockets that accept HTTP connections, so many a client at most (http-api.md 1.1,
 * 1.5). */
#ifndef AGENT_LISTENER_H
#define AGENT_LISTENER_H

#include <sys/socket.h>

#include "common/base/err.h"
#include "common/loop/loop.h"

enum { AGENT_ACCEPTS_A_TURN = 64, AGENT_BACKLOG = 1024 };

struct agent_listener;
struct agent_client; /* an address that has connections */

/* Takes a new connection, and later gives it back with agent_client_leave(). False: it was closed.
 */
typedef bool agent_accept(void *arg, int fd, const struct sockaddr *address, socklen_t len,
                          struct agent_client *client);

/* `max_per_client` 0: no limit. `accept` is called for each connection within the limit; one above
 * it gets the raw 429 and is closed. */
struct agent_listener *agent_listener_new(struct cu_loop *loop, unsigned max_per_client,
                                          agent_accept *accept, void *arg);
void agent_listener_free(struct agent_listener *listener); /* takes NULL; all clients have left */

/* Binds "127.0.0.1", "::1" or "unix:///path" (then the port is ignored; a stale socket is
 * replaced). CU_E_CONFLICT: somebody listens there; CU_E_INVALID; CU_E_IO. `diag` says what to do.
 */
CU_MUST_USE enum cu_err agent_listener_bind(struct agent_listener *listener, const char *address,
                                            unsigned port, struct cu_diag *diag);

/* From here on; who has more connections keeps them. */
void agent_listener_set_limit(struct agent_listener *listener, unsigned max_per_client);

/* Stops listening; connections stay. */
void agent_listener_close(struct agent_listener *listener);

void agent_client_leave(struct agent_listener *listener, struct agent_client *client);

/* Connections refused by the limit so far. */
uint64_t agent_listener_refused(const struct agent_listener *listener);

#endif
