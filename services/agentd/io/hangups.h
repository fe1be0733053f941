/* hangups.h - tells when a client that waits for a late answer hangs up.
 *
 * A descriptor stays registered for as long as it is open and is armed anew for each wait, so that
 * the end of a wait costs no system call: thousands of them end at once. */
#ifndef AGENT_HANGUPS_H
#define AGENT_HANGUPS_H

#include "common/base/err.h"
#include "common/loop/loop.h"

struct agent_hangups;

typedef void agent_on_hangup(void *arg, void *waiter);

/* Errors: CU_E_IO. */
CU_MUST_USE enum cu_err agent_hangups_open(struct cu_loop *loop, agent_on_hangup *fn, void *arg,
                                           struct agent_hangups **ret_hangups,
                                           struct cu_diag *diag);
void agent_hangups_close(struct agent_hangups *hangups); /* takes NULL */

/* fn(arg, waiter) runs once when the peer of `fd` has closed, or has done so already; not from
 * inside. `waiter` is not NULL. */
void agent_hangups_watch(struct agent_hangups *hangups, int fd, void *waiter);
void agent_hangups_forget(struct agent_hangups *hangups, int fd);

#endif
