/* control.h - what `curia agent` answers on the node's socket curia.sock: the service NodeAgent. */
#ifndef CLI_AGENT_CONTROL_H
#define CLI_AGENT_CONTROL_H

#include "common/log/log.h"
#include "common/loop/loop.h"

enum {
    CONTROL_REQUESTS = 64,             /* that wait at a time; one more is Overloaded */
    CONTROL_REPLY_BYTES = 1024 * 1024, /* of lines in one answer */
};

struct control;

struct control_options {
    struct cu_loop *loop;
    struct cu_log *log;
    const char *run_dir, *node_name;
    /* Begins a reload, which ends with control_reloaded(); false: not now, for that reason. */
    bool (*reload)(void *arg, const char **ret_reason);
    void *arg;
};

/* CU_E_INVALID, CU_E_CONFLICT, CU_E_IO: as of cu_rpc_listen(). */
CU_MUST_USE enum cu_err control_new(const struct control_options *options,
                                    struct control **ret_control, struct cu_diag *diag);
void control_free(struct control *control); /* takes NULL */

/* A reload has ended; NULL: well. */
void control_reloaded(struct control *control, const char *failure);
/* A daemon printed this; with its line's end. */
void control_line(struct control *control, const char *text, size_t len);

#endif
