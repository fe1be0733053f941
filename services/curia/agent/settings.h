/* settings.h - what `curia agent` was told: files and flags merged, written out for each daemon. */
#ifndef CLI_AGENT_SETTINGS_H
#define CLI_AGENT_SETTINGS_H

#include "common/base/num.h"
#include "common/conf/address.h"
#include "common/conf/conf.h"
#include "services/curia/flag.h"

enum { CLI_PATH_BYTES = 4096 };

struct agent_settings {
    struct cu_conf *conf;
    json_t *warnings;
    char data_dir[CLI_PATH_BYTES], run_dir[CLI_PATH_BYTES];
    char node_id[CU_UUID_BYTES], advertise[CU_IP_BYTES];
    bool data_is_ours; /* a throw-away data directory of -dev */
};

/* Reads files and flags. Makes the data directory, and the run directory in it, if they are not
 * there, and finds the node's id and address. `settings` is released with agent_settings_deinit()
 * in any case. Errors: those of cu_conf_load() and CU_E_IO. */
CU_MUST_USE enum cu_err agent_settings_init(struct agent_settings *settings,
                                            const struct cli_args *args, struct cu_diag *diag);
/* Removes a throw-away data directory. */
void agent_settings_deinit(struct agent_settings *settings);

/* Only reads; for `conf render`. NULL-ended paths of -config-file and -config-dir are in the order
 * of the command line. */
CU_MUST_USE enum cu_err agent_settings_read(const struct cli_args *args, json_t *more,
                                            struct cu_conf **ret_conf, json_t **ret_warnings,
                                            struct cu_diag *diag);

/* Reads again with the same command line, keeping identity and folders. */
CU_MUST_USE enum cu_err agent_settings_reread(const struct agent_settings *old,
                                              const struct cli_args *args,
                                              struct cu_conf **ret_conf, struct cu_diag *diag);

/* Writes RUN_DIR/DAEMON.json + `suffix` (0600): the keys of that daemon ("curia": all). CU_E_IO. */
CU_MUST_USE enum cu_err agent_settings_write(const struct agent_settings *settings,
                                             const struct cu_conf *conf, const char *daemon,
                                             const char *suffix, struct cu_diag *diag);
/* The same to a path of one's own. */
CU_MUST_USE enum cu_err agent_settings_write_part(const struct cu_conf *conf, const char *daemon,
                                                  const char *path, struct cu_diag *diag);

#endif
