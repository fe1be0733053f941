#include "services/agentd/settings.h"

enum { ARENA_BYTES = 1024 * 1024 }; /* of metadata and addresses */

enum cu_err agent_settings_read(const struct cu_conf *conf, const struct agent_about *about,
                                struct agent_settings *ret_settings, struct cu_diag *diag)
{
    struct agent_settings out = {.arena = cu_arena_new(ARENA_BYTES)};
    Curia__V1__Node *node = NULL;
    int64_t limit = cu_conf_int(conf, "check_output_max_size");
    enum cu_err err = agent_about_make(conf, about, out.arena, &node, diag);
    if (!err && limit <= 0)
        err = cu_fail(diag, CU_E_INVALID,
                      "check_output_max_size must be positive, to discard check output use the "
                      "discard_check_output flag");
    if (!err)
        err = agent_definitions_read(conf, about->name, &out.definitions, diag);
    if (err) {
        agent_settings_deinit(&out);
        return err;
    }
    out.node = (struct agent_node_settings){
        .node = node,
        .output_limit = (size_t)limit,
        .update_interval_ms = (uint64_t)cu_conf_ms(conf, "check_update_interval"),
        .discards_output = cu_conf_bool(conf, "discard_check_output"),
        .may_run_remote_scripts = agent_may_run_remote_scripts(conf),
        .merges_central = cu_conf_bool(conf, "enable_central_service_config"),
        .sidecar_ports = {(int)cu_conf_int(conf, "ports.sidecar_min_port"),
                          (int)cu_conf_int(conf, "ports.sidecar_max_port")},
        .services = out.definitions.services,
        .service_count = out.definitions.service_count,
        .checks = out.definitions.checks,
        .check_count = out.definitions.check_count,
        .check_tokens = out.definitions.check_tokens,
    };
    *ret_settings = out;
    return CU_OK;
}

void agent_settings_deinit(struct agent_settings *settings)
{
    agent_definitions_deinit(&settings->definitions);
    cu_arena_free(settings->arena);
    *settings = (struct agent_settings){0};
}
