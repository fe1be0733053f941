/* node_load.c - what a node has from its configuration and its files, at start and after a reload
 * (agent.md 2, 10); declared in node_state.h. */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/agentd/core/check_spec.h"
#include "services/agentd/core/copy.h"
#include "services/agentd/core/persisted.h"
#include "services/agentd/io/node_state.h"

enum { ARENA_BYTES = 16 * 1024 * 1024 };

/* One file being read. */
struct loading {
    struct agent_node *node;
    const struct agent_node_settings *settings;
    struct agent_files_job *job; /* files that go */
    struct cu_arena *arena;
    size_t services, checks, damaged;
};

/* ---- settings ---- */

static void take_settings(struct agent_node *node, const struct agent_node_settings *settings)
{
    node->output_limit = settings->output_limit;
    node->may_run_remote_scripts = settings->may_run_remote_scripts;
    node->sidecar_ports = settings->sidecar_ports;
    node->local.update_interval_ms = settings->update_interval_ms;
    node->local.discards_output = settings->discards_output;
    agent_local_set_node(&node->local, settings->node);
}

/* ---- definitions of files ---- */

/* A restart and a reload change no status: what it last said holds, or what the catalog says of it.
 */
static void put_check(struct agent_node *node, const struct agent_check_def *def, const char *token,
                      enum agent_source source)
{
    const char *id = def->check->check_id;
    struct agent_local_check *old = agent_local_check(&node->local, id);
    Curia__V1__Check check = *def->check;
    if (old && old->source == source && agent_same(old->spec, def->spec) &&
        strcmp(old->check->name, check.name) == 0 && strcmp(old->check->notes, check.notes) == 0 &&
        strcmp(old->service_id, check.service_id) == 0 && strcmp(old->token, token) == 0)
        return;
    char *status = old ? cu_strdup(old->check->status) : NULL;
    char *output = old ? cu_strdup(old->check->output) : NULL;
    if (old) {
        check.status = status;
        check.output = output;
    }
    if (agent_local_put_check(&node->local, &check, def->spec, token, source, node_now(node))) {
        agent_local_check(&node->local, id)->awaits_result =
            node->is_loading && def->spec && agent_runner_runs(agent_check_kind(def->spec));
        node_check_start(node, id, 0);
    } else {
        cu_error(node->options.log, "check.define",
                 "id=\"%s\" reason=\"ServiceID \\\"%s\\\" does not exist\"", id, check.service_id);
    }
    free(status);
    free(output);
}

static void put_service(struct agent_node *node, const struct agent_service_def *def)
{
    const struct agent_local_service *old = agent_local_service(&node->local, def->service->id);
    if (!old || old->source != AGENT_FROM_FILE ||
        !agent_same(agent_local_registered(old), def->service) ||
        strcmp(old->token, def->token) != 0) {
        agent_local_put_service(&node->local, def->service, def->token, AGENT_FROM_FILE);
        node_merge(node, def->service->id);
    }
    for (size_t i = 0; i < def->check_count; i++)
        put_check(node, &def->checks[i], def->token, AGENT_FROM_FILE);
}

static void put_services(struct agent_node *node, const struct agent_node_settings *settings)
{
    for (size_t i = 0; i < settings->service_count; i++)
        put_service(node, &settings->services[i]);
}

static bool lists_check(const struct agent_service_def *def, const char *id)
{
    for (size_t i = 0; i < def->check_count; i++)
        if (strcmp(def->checks[i].check->check_id, id) == 0)
            return true;
    return false;
}

/* Checks that the configuration gave a sidecar and does not any more. */
static void drop_other_checks(struct agent_node *node, struct agent_files_job *job,
                              const struct agent_service_def *def)
{
    for (size_t i = 0; i < node->local.checks.count; i++) {
        const struct agent_slot *slot = &node->local.checks.slots[i];
        const struct agent_local_check *check = slot->item;
        if (!check->standing.is_deleted && check->source == AGENT_FROM_FILE &&
            strcmp(check->service_id, def->service->id) == 0 && !lists_check(def, slot->id))
            node_drop_check(node, job, slot->id);
    }
}

static void put_sidecar(struct agent_node *node, struct agent_files_job *job,
                        const struct agent_service_def *parent, struct cu_arena *arena)
{
    struct agent_service_def def;
    struct agent_fault fault = {0};
    cu_arena_reset(arena);
    if (!node_define_sidecar(node, parent, false, arena, &def, &fault)) {
        cu_error(node->options.log, "sidecar.define", "id=\"%s\" reason=\"%s\"",
                 parent->service->id, fault.text);
        return;
    }
    put_service(node, &def);
    agent_local_service(&node->local, def.service->id)->is_sidecar = true;
    drop_other_checks(node, job, &def);
}

/* Behind what was registered, whose ports stay what they were. */
static void put_sidecars(struct agent_node *node, struct agent_files_job *job,
                         const struct agent_node_settings *settings)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    for (size_t i = 0; i < settings->service_count; i++)
        if (settings->services[i].sidecar)
            put_sidecar(node, job, &settings->services[i], arena);
    cu_arena_free(arena);
}

static void put_checks(struct agent_node *node, const struct agent_node_settings *settings)
{
    for (size_t i = 0; i < settings->check_count; i++)
        put_check(node, &settings->checks[i], settings->check_tokens[i], AGENT_FROM_FILE);
}

/* Whether the configuration defines it, as a service or as the proxy beside one. */
static bool has_service(const struct agent_node_settings *settings, const char *id)
{
    for (size_t i = 0; i < settings->service_count; i++) {
        const struct agent_service_def *def = &settings->services[i];
        if (strcmp(def->service->id, id) == 0 ||
            (def->sidecar && strcmp(def->sidecar->id, id) == 0))
            return true;
    }
    return false;
}

/* ---- files ---- */

static void damaged(struct loading *l, const char *name, const char *why)
{
    l->damaged++;
    cu_error(l->node->options.log, "node.file.damaged", "file=%s reason=\"%s\"", name, why);
}

static void purge(struct loading *l, const char *name, const char *why)
{
    cu_info(l->node->options.log, "node.file.purged", "file=%s reason=\"%s\"", name, why);
    agent_files_remove(l->job, name);
}

static void visit_service(void *arg, const char *name, struct cu_bytes text, const char *failure)
{
    struct loading *l = arg;
    struct agent_node *node = l->node;
    Curia__Internal__V1__PersistedService file;
    struct cu_diag diag = {0};
    enum agent_source source;

    cu_arena_reset(l->arena);
    if (failure || agent_service_file_read(text, l->arena, &file, &diag)) {
        damaged(l, name, failure ? failure : diag.text);
        return;
    }
    const struct agent_local_service *there = agent_local_service(&node->local, file.service->id);
    if ((there && there->source == AGENT_FROM_FILE) || has_service(l->settings, file.service->id)) {
        purge(l, name, "a definition of the configuration has its id");
    } else if (!agent_source_parse(file.source, &source)) {
        purge(l, name, "unknown source");
    } else {
        agent_local_put_service(&node->local, file.service, file.token, source);
        agent_local_service(&node->local, file.service->id)->is_sidecar =
            file.locally_registered_as_sidecar;
        node_merge(node, file.service->id);
        l->services++;
    }
}

/* The note and status of a TTL check hold until they would have expired. */
static uint64_t restore_state(struct loading *l, Curia__V1__Check *check)
{
    char name[AGENT_FILE_NAME_BYTES];
    Curia__Internal__V1__PersistedCheckState state;
    struct cu_diag diag = {0};
    struct cu_buf text = {0};
    uint64_t left_ms = 0;
    enum cu_err err =
        agent_files_read(l->node->files, agent_state_file(check->check_id, name), &text);
    if (!err && agent_state_file_read(cu_buf_bytes(&text), l->arena, &state, &diag))
        damaged(l, name, diag.text);
    else if (err && err != CU_E_NOT_FOUND)
        damaged(l, name, cu_err_words(err));
    else if (!err && state.expires * 1000 > (int64_t)cu_wall_ms()) {
        left_ms = (uint64_t)state.expires * 1000 - cu_wall_ms();
        check->status = state.status;
        check->output = state.output;
    } else if (!err) {
        agent_files_remove(l->job, name);
    }
    cu_buf_deinit(&text);
    return left_ms;
}

static void restore_check(struct loading *l, const char *name,
                          Curia__Internal__V1__PersistedCheck *file, enum agent_source source)
{
    struct agent_node *node = l->node;
    Curia__V1__Check *check = file->check;
    uint64_t ttl_left_ms = 0;
    bool runs = file->chk_type && agent_runner_runs(agent_check_kind(file->chk_type));
    if (file->chk_type) { /* all but maintenance */
        check->status = "critical";
        check->output = "";
    }
    if (file->chk_type && file->chk_type->ttl_ns > 0)
        ttl_left_ms = restore_state(l, check);
    if (!agent_local_put_check(&node->local, check, file->chk_type, file->token, source,
                               node_now(node))) {
        if (l->damaged) /* and may be mended */
            cu_error(node->options.log, "node.file.kept",
                     "file=%s reason=\"its service is not there\"", name);
        else
            purge(l, name, "its service is not there");
        return;
    }
    agent_local_check(&node->local, check->check_id)->awaits_result = runs;
    node_check_start(node, check->check_id, ttl_left_ms);
    l->checks++;
}

static void visit_check(void *arg, const char *name, struct cu_bytes text, const char *failure)
{
    struct loading *l = arg;
    struct agent_node *node = l->node;
    Curia__Internal__V1__PersistedCheck file;
    struct cu_diag diag = {0};
    enum agent_source source;

    cu_arena_reset(l->arena);
    if (failure || agent_check_file_read(text, l->arena, &file, &diag)) {
        damaged(l, name, failure ? failure : diag.text);
        return;
    }
    const struct agent_local_check *there = agent_local_check(&node->local, file.check->check_id);
    if (there && there->source == AGENT_FROM_FILE)
        purge(l, name, "a definition of the configuration has its id");
    else if (!agent_source_parse(file.source, &source))
        purge(l, name, "unknown source");
    else if (file.chk_type && agent_check_kind(file.chk_type) == AGENT_CHECK_SCRIPT &&
             !node->may_run_remote_scripts)
        purge(l, name, "script checks are not enabled any more");
    else
        restore_check(l, name, &file, source);
}

/* Definitions of files, then registered services, then sidecars and checks of files, then
 * registered checks. */
enum cu_err node_load(struct agent_node *node, const struct agent_node_settings *settings,
                      struct cu_diag *diag)
{
    struct loading l = {.node = node,
                        .settings = settings,
                        .job = agent_files_begin(node->files),
                        .arena = cu_arena_new(ARENA_BYTES)};
    node->is_loading = true;
    take_settings(node, settings);
    put_services(node, settings);
    enum cu_err err = agent_files_each(node->files, "services", visit_service, &l, diag);
    put_sidecars(node, l.job, settings);
    put_checks(node, settings);
    if (!err)
        err = agent_files_each(node->files, "checks", visit_check, &l, diag);
    node->is_loading = false;
    agent_files_submit(l.job, NULL, NULL);
    cu_arena_free(l.arena);
    if (!err && (l.services || l.checks || l.damaged))
        cu_info(node->options.log, "node.loaded", "services=%zu checks=%zu damaged=%zu", l.services,
                l.checks, l.damaged);
    return err;
}

/* ---- reload ---- */

static bool has_check(const struct agent_node_settings *settings, const char *id)
{
    for (size_t i = 0; i < settings->check_count; i++)
        if (strcmp(settings->checks[i].check->check_id, id) == 0)
            return true;
    for (size_t i = 0; i < settings->service_count; i++)
        for (size_t n = 0; n < settings->services[i].check_count; n++)
            if (strcmp(settings->services[i].checks[n].check->check_id, id) == 0)
                return true;
    return false;
}

/* Those of sidecars are looked at with them. */
static bool is_of_sidecar(const struct agent_node *node, const struct agent_local_check *check)
{
    const struct agent_local_service *service =
        agent_local_service(&node->local, check->service_id);
    return service && service->is_sidecar;
}

/* What a file defined and none does any more. */
static void drop_missing(struct agent_node *node, struct agent_files_job *job,
                         const struct agent_node_settings *settings)
{
    for (size_t i = 0; i < node->local.checks.count; i++) {
        const struct agent_slot *slot = &node->local.checks.slots[i];
        const struct agent_local_check *check = slot->item;
        if (!check->standing.is_deleted && check->source == AGENT_FROM_FILE &&
            !has_check(settings, slot->id) && !is_of_sidecar(node, check))
            node_drop_check(node, job, slot->id);
    }
    for (size_t i = 0; i < node->local.services.count; i++) {
        const struct agent_slot *slot = &node->local.services.slots[i];
        const struct agent_local_service *service = slot->item;
        if (!service->standing.is_deleted && service->source == AGENT_FROM_FILE &&
            !has_service(settings, slot->id))
            node_drop_service(node, job, slot->id);
    }
}

void agent_node_reload(struct agent_node *node, const struct agent_node_settings *settings)
{
    struct agent_files_job *job = agent_files_begin(node->files);
    agent_sync_pause(node->sync);
    take_settings(node, settings);
    drop_missing(node, job, settings);
    put_services(node, settings);
    put_sidecars(node, job, settings);
    put_checks(node, settings);
    agent_files_submit(job, NULL, NULL);
    agent_sync_resume(node->sync);
    node_changed(node);
}
