/* run.h - one running daemon: what daemon.c starts and the service Daemon asks and tells. */
#ifndef CU_DAEMON_RUN_H
#define CU_DAEMON_RUN_H

#include "common/daemon/daemon.h"

enum { CU_RUN_PATHS = 64 /* -config-file and -config-dir together */ };

struct cu_run {
    struct cu_env env; /* first: cu_env_*() are given its address */
    const struct cu_daemon *daemon;
    void *state; /* the daemon's, NULL before start and after stop */
    const char *paths[CU_RUN_PATHS + 1];
    const char *run_dir_flag; /* -run-dir, or NULL */
    struct cu_conf **kept; /* every configuration so far, the last in use: strings were lent out */
    size_t kept_count;
    struct cu_mono started;
    uint64_t generation;
    bool is_supervised; /* -supervised */
    bool is_listening, is_ready, is_draining, has_failed, gave_up, has_left;
    int lock_fd;
    char *data_dir, *run_dir, *node_id, *advertise_address, *client_address;
};

/* Reads the configuration files of this daemon, or the one file `path` when not NULL. */
CU_MUST_USE enum cu_err cu_run_load(struct cu_run *run, const char *path, struct cu_conf **ret_conf,
                                    struct cu_diag *diag);
/* Reads, checks, and hands the new configuration to the daemon; nothing changes on failure. */
CU_MUST_USE enum cu_err cu_run_reload(struct cu_run *run, struct cu_diag *diag);
void cu_run_drain(struct cu_run *run);

extern const struct cu_service cu_daemon_service; /* context: struct cu_run */

/* CPU, memory, descriptors and the loop, for every daemon alike. */
void cu_run_add_metrics(struct cu_run *run);

#endif
