/* node_state.h - the inside of node.h, for node*.c only. */
#ifndef AGENT_NODE_STATE_H
#define AGENT_NODE_STATE_H

#include "services/agentd/io/alias_watch.h"
#include "services/agentd/io/central_watch.h"
#include "services/agentd/io/files.h"
#include "services/agentd/io/node.h"
#include "services/agentd/io/runner.h"
#include "services/agentd/io/sync.h"

/* A check at work. One of the parts is in use. */
struct node_check {
    struct agent_node *node;
    char *id;
    enum agent_check_kind kind;
    struct agent_runner *runner;
    struct cu_timer ttl_timer; /* until it expires */
    uint64_t ttl_ms;
    size_t output_limit;
    struct agent_alias_watch *watch; /* an alias on another node; NULL: on this one */
};

/* A change on its way: files first, then the catalog. */
struct agent_task {
    struct agent_node *node;
    agent_task_done *done; /* NULL: forgotten */
    void *arg;
    struct agent_flush flush;
    /* To be undone if the files cannot be written: what was not there before. */
    char *new_services[2]; /* a service, and the proxy beside it */
    char **new_checks;
    size_t new_check_count;
    struct agent_task *next, **at;
};

struct agent_node {
    struct agent_node_options options;
    struct agent_local local;
    struct agent_files *files;
    struct agent_sync *sync;
    struct agent_central_watch *central; /* NULL: proxies are what they were registered as */
    struct agent_runners runners;
    struct agent_by_id checks; /* struct node_check */
    struct agent_task *tasks;
    struct agent_node_watch *watches;
    struct cu_timer deferred_timer, reap_timer;
    struct cu_turn_hook changed; /* aliases and watchers look */
    size_t output_limit;
    bool may_run_remote_scripts;
    struct agent_ports sidecar_ports;
    bool is_loading; /* nothing is written to files */
};

/* ---- node_checks.c ---- */

/* Starts what the check in `local` needs, ending what it had; and ends it. */
void node_check_start(struct agent_node *node, const char *check_id, uint64_t ttl_left_ms);
void node_check_stop(struct agent_node *node, const char *check_id);
struct node_check *node_check_find(const struct agent_node *node, const char *check_id);
void node_result(struct agent_node *node, const char *check_id, enum agent_status status,
                 const char *output);
/* For the next output that waits to be written, if there is one. */
void node_set_deferred_timer(struct agent_node *node);
void node_aliases_look(struct agent_node *node);

/* Something changed: at the end of the turn aliases and watchers look. */
void node_changed(struct agent_node *node);

/* ---- node_task.c ---- */

/* The sync stands still until the files are written. `done` may be NULL. */
struct agent_task *node_task_begin(struct agent_node *node, agent_task_done *done, void *arg);
/* Takes the job; returns the task, which ends by itself. */
struct agent_task *node_task_submit(struct agent_task *task, struct agent_files_job *job);
void node_task_free(struct agent_task *task); /* nobody is told */

/* ---- node_central.c ---- */

/* A service was put there: what the catalog's entries say of it is put over it, as soon as they are
 * known. */
void node_merge(struct agent_node *node, const char *service_id);
void node_merge_all(void *node); /* the entries have changed */

/* ---- node_load.c ---- */

CU_MUST_USE enum cu_err node_load(struct agent_node *node,
                                  const struct agent_node_settings *settings, struct cu_diag *diag);

/* ---- node.c ---- */

/* The proxy beside `parent`, which asks for one, with its port; in the arena. */
bool node_define_sidecar(struct agent_node *node, const struct agent_service_def *parent,
                         bool is_remote, struct cu_arena *arena, struct agent_service_def *ret_def,
                         struct agent_fault *fault);

struct cu_mono node_now(const struct agent_node *node);
/* The service with its checks and its sidecar, out of memory, files and the catalog. */
void node_drop_service(struct agent_node *node, struct agent_files_job *job, const char *id);
void node_drop_check(struct agent_node *node, struct agent_files_job *job, const char *id);

#endif
