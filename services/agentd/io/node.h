/* node.h - this node's own services and checks: registered, run, kept in files, and written to the
 * catalog (agent.md 6 to 11, 15). */
#ifndef AGENT_NODE_H
#define AGENT_NODE_H

#include "common/log/log.h"
#include "common/metric/metric.h"
#include "common/view/view.h"

#include "services/agentd/core/definition.h"
#include "services/agentd/core/local.h"
#include "services/agentd/core/sidecar.h"
#include "services/agentd/core/tokens.h"

enum { AGENT_REAP_MS = 30 * 1000 }; /* looks for services whose check is critical for too long */

struct agent_node;

/* What the configuration says; a reload brings a new one. */
struct agent_node_settings {
    const Curia__V1__Node *node; /* name, id, address, tagged addresses, metadata */
    size_t output_limit;         /* check_output_max_size */
    uint64_t update_interval_ms; /* check_update_interval */
    bool discards_output;
    bool may_run_remote_scripts; /* those that were registered through the API */
    bool merges_central;         /* enable_central_service_config; at the start alone */
    struct agent_ports sidecar_ports;
    /* Services and checks of files, in their order. */
    const struct agent_service_def *services;
    size_t service_count;
    const struct agent_check_def *checks;
    size_t check_count;
    const char *const *check_tokens; /* one for each check */
};

struct agent_node_options {
    struct cu_loop *loop;
    struct cu_log *log;
    struct cu_metrics *metrics;
    struct cu_view *view;
    const char *data_dir;
    const struct agent_tokens *tokens; /* borrowed; NULL: none */
    size_t (*member_count)(void *arg);
    void *arg;
};

/* Loads what was registered before. CU_E_IO: the folders cannot be used. A file that is damaged is
 * said loudly and left where it is. */
CU_MUST_USE enum cu_err agent_node_open(const struct agent_node_options *options,
                                        const struct agent_node_settings *settings,
                                        struct agent_node **ret_node, struct cu_diag *diag);
void agent_node_close(struct agent_node *node); /* takes NULL */

/* The new settings hold; what stayed the same goes on undisturbed (agent.md 2). */
void agent_node_reload(struct agent_node *node, const struct agent_node_settings *settings);

/* They have: what they forbade is tried again. */
void agent_node_tokens_changed(struct agent_node *node);
/* A file of data_dir that is not of this module, behind what was submitted before. Takes the
 * content; `done` may be NULL. */
typedef void agent_file_done(void *arg, enum cu_err err, const char *text);
void agent_node_put_file(struct agent_node *node, const char *name, struct cu_buf *content,
                         agent_file_done *done, void *arg);

/* Borrowed; changed only by the functions here. */
const struct agent_local *agent_node_local(const struct agent_node *node);

/* Counts of agent/self. */
size_t agent_node_monitor_count(const struct agent_node *node); /* checks that are run */
size_t agent_node_ttl_count(const struct agent_node *node);

/* Called after each change, at the end of the turn: for those who wait on a hash. */
struct agent_node_watch {
    cu_callback *changed;
    void *arg;
    struct agent_node_watch *next, **at;
};
void agent_node_watch(struct agent_node *node, struct agent_node_watch *watch);
void agent_node_unwatch(struct agent_node_watch *watch); /* does nothing for one that is not */

/* ---- changes ---- */

/* Told once, later: when files are written and the catalog has been told, or cannot be. */
typedef void agent_task_done(void *arg, enum cu_err err, const char *text);
struct agent_task;
/* The change goes on, nobody is told. Takes NULL. */
void agent_task_forget(struct agent_task *task);

/* Those that return false have not begun: the fault says why. Everything handed in is copied. */

/* With the proxy beside it. */
bool agent_node_register(struct agent_node *node, const struct agent_service_def *def,
                         const char *token, bool replaces_checks, agent_task_done *done, void *arg,
                         struct agent_task **ret_task, struct agent_fault *fault);
/* One that is not there is as good as removed. */
struct agent_task *agent_node_deregister(struct agent_node *node, const char *service_id,
                                         agent_task_done *done, void *arg);
bool agent_node_register_check(struct agent_node *node, const struct agent_check_def *def,
                               const char *token, agent_task_done *done, void *arg,
                               struct agent_task **ret_task, struct agent_fault *fault);
struct agent_task *agent_node_deregister_check(struct agent_node *node, const char *check_id,
                                               agent_task_done *done, void *arg);
bool agent_node_update_ttl(struct agent_node *node, const char *check_id, enum agent_status status,
                           struct cu_bytes note, agent_task_done *done, void *arg,
                           struct agent_task **ret_task, struct agent_fault *fault);
/* Maintenance: on or off, and what its check says. */
struct agent_maintenance {
    bool is_on;
    const char *reason; /* "": the default */
    const char *token;  /* of the check; NULL: none */
};
struct agent_task *agent_node_maintain(struct agent_node *node,
                                       const struct agent_maintenance *maintenance,
                                       agent_task_done *done, void *arg);
bool agent_node_maintain_service(struct agent_node *node, const char *service_id,
                                 const struct agent_maintenance *maintenance, agent_task_done *done,
                                 void *arg, struct agent_task **ret_task,
                                 struct agent_fault *fault);

#endif
