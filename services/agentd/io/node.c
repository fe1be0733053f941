#include "services/agentd/io/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/agentd/core/check_spec.h"
#include "services/agentd/core/copy.h"
#include "services/agentd/core/persisted.h"
#include "services/agentd/core/service_rules.h"
#include "services/agentd/io/node_state.h"

enum { REASON_BYTES = 160, SIDECAR_ARENA_BYTES = 16 * 1024 * 1024 };

struct cu_mono node_now(const struct agent_node *node)
{
    return cu_loop_now(node->options.loop);
}

/* ---- who looks at changes ---- */

static void look(void *arg)
{
    struct agent_node *node = arg;
    node_aliases_look(node);
    for (struct agent_node_watch *watch = node->watches, *next; watch; watch = next) {
        next = watch->next;
        watch->changed(watch->arg);
    }
}

void node_changed(struct agent_node *node)
{
    cu_loop_at_turn_end(node->options.loop, &node->changed);
}

void agent_node_watch(struct agent_node *node, struct agent_node_watch *watch)
{
    watch->next = node->watches;
    watch->at = &node->watches;
    if (watch->next)
        watch->next->at = &watch->next;
    node->watches = watch;
}

void agent_node_unwatch(struct agent_node_watch *watch)
{
    if (!watch->at)
        return;
    *watch->at = watch->next;
    if (watch->next)
        watch->next->at = watch->at;
    watch->at = NULL;
}

/* ---- files of a change ---- */

static void put_service_file(struct agent_node *node, struct agent_files_job *job, const char *id)
{
    char name[AGENT_FILE_NAME_BYTES];
    struct cu_buf text = {0};
    agent_service_write(agent_local_service(&node->local, id), &text);
    agent_files_put(job, agent_service_file(id, name), &text, true);
}

static void put_check_file(struct agent_node *node, struct agent_files_job *job, const char *id)
{
    char name[AGENT_FILE_NAME_BYTES];
    struct cu_buf text = {0};
    agent_check_write(agent_local_check(&node->local, id), &text);
    agent_files_put(job, agent_check_file(id, name), &text, true);
}

void node_drop_check(struct agent_node *node, struct agent_files_job *job, const char *id)
{
    char name[AGENT_FILE_NAME_BYTES];
    node_check_stop(node, id);
    if (!agent_local_remove_check(&node->local, id))
        return;
    agent_files_remove(job, agent_check_file(id, name));
    agent_files_remove(job, agent_state_file(id, name));
}

/* Of a service: those not in `kept`, or all. */
static void drop_checks(struct agent_node *node, struct agent_files_job *job,
                        const char *service_id, const struct agent_service_def *keep)
{
    for (size_t i = 0; i < node->local.checks.count; i++) {
        const struct agent_slot *slot = &node->local.checks.slots[i];
        const struct agent_local_check *check = slot->item;
        bool listed = false;
        if (check->standing.is_deleted || strcmp(check->service_id, service_id) != 0)
            continue;
        for (size_t k = 0; keep && k < keep->check_count; k++)
            listed |= strcmp(keep->checks[k].check->check_id, slot->id) == 0;
        if (!listed)
            node_drop_check(node, job, slot->id); /* a deleted one keeps its slot */
    }
}

static void drop_one_service(struct agent_node *node, struct agent_files_job *job, const char *id)
{
    char name[AGENT_FILE_NAME_BYTES];
    if (!agent_local_service(&node->local, id))
        return;
    drop_checks(node, job, id, NULL);
    agent_files_remove(job, agent_service_file(id, name));
    (void)agent_local_remove_service(&node->local, id); /* it is there */
}

void node_drop_service(struct agent_node *node, struct agent_files_job *job, const char *id)
{
    struct cu_buf text = {0};
    cu_buf_printf(&text, "%s" AGENT_SIDECAR_SUFFIX, id);
    cu_buf_u8(&text, 0);
    const char *sidecar_id = (const char *)text.data;
    const struct agent_local_service *sidecar = agent_local_service(&node->local, sidecar_id);
    drop_one_service(node, job, id);
    if (sidecar && sidecar->is_sidecar)
        drop_one_service(node, job, sidecar_id);
    cu_buf_deinit(&text);
}

/* ---- registering ---- */

/* A check that is there keeps what it last said (http-api.md 2.3). */
static void put_check(struct agent_node *node, struct agent_files_job *job,
                      const struct agent_check_def *def, const char *token,
                      enum agent_source source)
{
    const char *id = def->check->check_id;
    const struct agent_local_check *old = agent_local_check(&node->local, id);
    Curia__V1__Check check = *def->check;
    char *status = old ? cu_strdup(old->check->status) : NULL;
    char *output = old ? cu_strdup(old->check->output) : NULL;
    if (old) {
        check.status = status;
        check.output = output;
    }
    bool good =
        agent_local_put_check(&node->local, &check, def->spec, token, source, node_now(node));
    CU_ASSERT(good); /* its service was looked at */
    free(status);
    free(output);
    node_check_start(node, id, 0);
    put_check_file(node, job, id);
}

static bool is_full(const struct agent_node *node, size_t new_services, size_t new_checks,
                    struct agent_fault *fault)
{
    return !agent_local_has_room(&node->local, new_services, new_checks) &&
           !agent_refuse(fault, 429, "This agent has room for %d services and %d checks",
                         AGENT_SERVICES_MAX, AGENT_CHECKS_MAX);
}

/* `place` of the service in the task. */
static void note_new(struct agent_task *task, size_t place, const struct agent_service_def *def)
{
    struct agent_node *node = task->node;
    size_t count = task->new_check_count;
    task->new_checks =
        cu_realloc(task->new_checks, (count + def->check_count + 1) * sizeof *task->new_checks);
    for (size_t i = 0; i < def->check_count; i++)
        if (!agent_local_check(&node->local, def->checks[i].check->check_id))
            task->new_checks[task->new_check_count++] = cu_strdup(def->checks[i].check->check_id);
    if (!agent_local_service(&node->local, def->service->id))
        task->new_services[place] = cu_strdup(def->service->id);
}

/* One service of a registration, with its checks. */
static void put_service(struct agent_node *node, struct agent_files_job *job,
                        const struct agent_service_def *def, const char *token, bool is_sidecar)
{
    agent_local_put_service(&node->local, def->service, token, AGENT_FROM_API);
    agent_local_service(&node->local, def->service->id)->is_sidecar = is_sidecar;
    node_merge(node, def->service->id);
    put_service_file(node, job, def->service->id);
    for (size_t i = 0; i < def->check_count; i++)
        put_check(node, job, &def->checks[i], token, AGENT_FROM_API);
}

bool node_define_sidecar(struct agent_node *node, const struct agent_service_def *parent,
                         bool is_remote, struct cu_arena *arena, struct agent_service_def *ret_def,
                         struct agent_fault *fault)
{
    int32_t port;
    /* Its checks were looked at when it was read. */
    struct agent_definition_rules rules = {
        .node = node->local.node_name, .may_run_scripts = true, .is_remote = is_remote};
    return agent_sidecar_port(&node->local, parent->sidecar, &node->sidecar_ports, &port, fault) &&
           agent_sidecar_define(parent->sidecar, port, &rules, arena, ret_def, fault);
}

static struct agent_task *put_services(struct agent_node *node,
                                       const struct agent_service_def *const defs[2],
                                       const char *const tokens[2], bool replaces_checks,
                                       agent_task_done *done, void *arg)
{
    struct agent_task *task = node_task_begin(node, done, arg);
    struct agent_files_job *job = agent_files_begin(node->files);
    for (size_t i = 0; i < 2 && defs[i]; i++) {
        note_new(task, i, defs[i]);
        put_service(node, job, defs[i], tokens[i], i > 0);
        if (replaces_checks)
            drop_checks(node, job, defs[i]->service->id, defs[i]);
    }
    return node_task_submit(task, job);
}

bool agent_node_register(struct agent_node *node, const struct agent_service_def *def,
                         const char *token, bool replaces_checks, agent_task_done *done, void *arg,
                         struct agent_task **ret_task, struct agent_fault *fault)
{
    struct cu_arena *arena = cu_arena_new(SIDECAR_ARENA_BYTES);
    struct agent_service_def sidecar = {0};
    const struct agent_service_def *const defs[2] = {def, def->sidecar ? &sidecar : NULL};
    bool has_own_token = def->sidecar && *def->sidecar->token;
    const char *const tokens[2] = {token, has_own_token ? def->sidecar->token : token};
    bool good = !def->sidecar || node_define_sidecar(node, def, true, arena, &sidecar, fault);
    good = good && !is_full(node, defs[1] ? 2 : 1, def->check_count + sidecar.check_count, fault);
    if (good)
        *ret_task = put_services(node, defs, tokens, replaces_checks, done, arg);
    cu_arena_free(arena);
    return good;
}

bool agent_node_register_check(struct agent_node *node, const struct agent_check_def *def,
                               const char *token, agent_task_done *done, void *arg,
                               struct agent_task **ret_task, struct agent_fault *fault)
{
    const char *service = def->check->service_id;
    if (*service && !agent_local_service(&node->local, service))
        return agent_refuse(fault, 500, "ServiceID \"%s\" does not exist", service);
    if (is_full(node, 0, 1, fault))
        return false;
    struct agent_service_def one = {.checks = (struct agent_check_def *)def, .check_count = 1};
    struct agent_task *task = node_task_begin(node, done, arg);
    struct agent_files_job *job = agent_files_begin(node->files);
    task->new_checks = cu_alloc(sizeof *task->new_checks);
    if (!agent_local_check(&node->local, one.checks->check->check_id))
        task->new_checks[task->new_check_count++] = cu_strdup(one.checks->check->check_id);
    put_check(node, job, def, token, AGENT_FROM_API);
    *ret_task = node_task_submit(task, job);
    return true;
}

struct agent_task *agent_node_deregister(struct agent_node *node, const char *service_id,
                                         agent_task_done *done, void *arg)
{
    struct agent_task *task = node_task_begin(node, done, arg);
    struct agent_files_job *job = agent_files_begin(node->files);
    node_drop_service(node, job, service_id);
    return node_task_submit(task, job);
}

struct agent_task *agent_node_deregister_check(struct agent_node *node, const char *check_id,
                                               agent_task_done *done, void *arg)
{
    struct agent_task *task = node_task_begin(node, done, arg);
    struct agent_files_job *job = agent_files_begin(node->files);
    node_drop_check(node, job, check_id);
    return node_task_submit(task, job);
}

/* ---- TTL ---- */

bool agent_node_update_ttl(struct agent_node *node, const char *check_id, enum agent_status status,
                           struct cu_bytes note, agent_task_done *done, void *arg,
                           struct agent_task **ret_task, struct agent_fault *fault)
{
    char name[AGENT_FILE_NAME_BYTES];
    struct cu_buf output = {0}, text = {0};
    struct node_check *check = node_check_find(node, check_id);
    if (!check || check->kind != AGENT_CHECK_TTL)
        return agent_refuse(fault, 500, "CheckID \"%s\" does not have associated TTL", check_id);
    agent_output_note(note, check->output_limit, &output);
    cu_buf_u8(&output, 0);
    struct agent_task *task = node_task_begin(node, done, arg);
    struct agent_files_job *job = agent_files_begin(node->files);
    node_result(node, check_id, status, (const char *)output.data);
    cu_timer_set_ms(&check->ttl_timer, check->ttl_ms);
    agent_state_write(agent_local_check(&node->local, check_id)->check,
                      (int64_t)((cu_wall_ms() + check->ttl_ms) / 1000), &text);
    agent_files_put(job, agent_state_file(check_id, name), &text, false);
    cu_buf_deinit(&output);
    *ret_task = node_task_submit(task, job);
    return true;
}

/* ---- maintenance ---- */

static void maintenance_check(const char *id, const char *service_id, const char *reason,
                              Curia__V1__Check *ret_check)
{
    curia__v1__check__init(ret_check);
    ret_check->check_id = (char *)id;
    ret_check->name = *service_id ? "Service Maintenance Mode" : "Node Maintenance Mode";
    ret_check->notes = (char *)reason;
    ret_check->service_id = (char *)service_id;
    ret_check->status = "critical";
    ret_check->type = "maintenance";
}

/* Enabled twice, it keeps its first reason. */
static void enable(struct agent_node *node, struct agent_files_job *job, const char *id,
                   const char *service_id, const struct agent_maintenance *maintenance)
{
    const char *reason = maintenance->reason;
    char words[REASON_BYTES];
    Curia__V1__Check check;
    if (agent_local_check(&node->local, id))
        return;
    (void)snprintf(words, sizeof words,
                   "Maintenance mode is enabled for this %s, but no reason was provided. This is "
                   "a default message.",
                   *service_id ? "service" : "node");
    maintenance_check(id, service_id, *reason ? reason : words, &check);
    struct agent_check_def def = {&check, NULL};
    put_check(node, job, &def, maintenance->token, AGENT_FROM_AGENT);
}

struct agent_task *agent_node_maintain(struct agent_node *node,
                                       const struct agent_maintenance *maintenance,
                                       agent_task_done *done, void *arg)
{
    struct agent_task *task = node_task_begin(node, done, arg);
    struct agent_files_job *job = agent_files_begin(node->files);
    if (maintenance->is_on)
        enable(node, job, AGENT_NODE_MAINTENANCE, "", maintenance);
    else
        node_drop_check(node, job, AGENT_NODE_MAINTENANCE);
    cu_info(node->options.log, "node.maintenance", "on=%d", maintenance->is_on);
    return node_task_submit(task, job);
}

bool agent_node_maintain_service(struct agent_node *node, const char *service_id,
                                 const struct agent_maintenance *maintenance, agent_task_done *done,
                                 void *arg, struct agent_task **ret_task, struct agent_fault *fault)
{
    struct cu_buf id = {0};
    if (!agent_local_service(&node->local, service_id))
        return agent_refuse(fault, 404, "No service registered with ID \"%s\"", service_id);
    cu_buf_printf(&id, AGENT_SERVICE_MAINTENANCE "%s", service_id);
    cu_buf_u8(&id, 0);
    struct agent_task *task = node_task_begin(node, done, arg);
    struct agent_files_job *job = agent_files_begin(node->files);
    if (maintenance->is_on)
        enable(node, job, (const char *)id.data, service_id, maintenance);
    else
        node_drop_check(node, job, (const char *)id.data);
    cu_info(node->options.log, "service.maintenance", "id=\"%s\" on=%d", service_id,
            maintenance->is_on);
    cu_buf_deinit(&id);
    *ret_task = node_task_submit(task, job);
    return true;
}

/* ---- what time brings ---- */

static void deferred_due(void *arg)
{
    struct agent_node *node = arg;
    if (agent_local_release_deferred(&node->local, node_now(node)))
        agent_sync_changed(node->sync);
    node_set_deferred_timer(node);
}

static void reap(void *arg)
{
    struct agent_node *node = arg;
    for (const char *id; (id = agent_local_overdue(&node->local, node_now(node)));) {
        char *copy = cu_strdup(id);
        cu_warn(node->options.log, "service.reaped",
                "id=\"%s\" text=\"a check was critical for too long\"", copy);
        (void)agent_node_deregister(node, copy, NULL, NULL); /* nobody waits */
        free(copy);
    }
    cu_timer_set_ms(&node->reap_timer, AGENT_REAP_MS);
}

static void runner_result(void *arg, const char *check_id, enum agent_status status,
                          const char *output)
{
    node_result(arg, check_id, status, output);
}

/* ---- what others have to do with it ---- */

void agent_node_tokens_changed(struct agent_node *node)
{
    agent_sync_tokens_changed(node->sync);
    if (node->central)
        agent_central_watch_restart(node->central);
}

void agent_node_put_file(struct agent_node *node, const char *name, struct cu_buf *content,
                         agent_file_done *done, void *arg)
{
    struct agent_files_job *job = agent_files_begin(node->files);
    agent_files_put(job, name, content, true);
    agent_files_submit(job, done, arg);
}

/* ---- questions ---- */

const struct agent_local *agent_node_local(const struct agent_node *node)
{
    return &node->local;
}

static size_t count_checks(const struct agent_node *node, bool ttl)
{
    size_t count = 0;
    for (size_t i = 0; i < node->checks.count; i++) {
        const struct node_check *check = node->checks.slots[i].item;
        count += ttl ? check->kind == AGENT_CHECK_TTL : check->runner != NULL;
    }
    return count;
}

size_t agent_node_monitor_count(const struct agent_node *node)
{
    return count_checks(node, false);
}

size_t agent_node_ttl_count(const struct agent_node *node)
{
    return count_checks(node, true);
}

/* ---- its life ---- */

static uint64_t seed(void)
{
    uint64_t number;
    cu_random_bytes(&number, sizeof number);
    return number;
}

static void make(struct agent_node *node, const char *name)
{
    agent_local_init(&node->local, name, seed());
    agent_runners_init(&node->runners, node->options.loop, runner_result, node, seed());
    node->changed = (struct cu_turn_hook){.fn = look, .arg = node};
    cu_timer_init(&node->deferred_timer, node->options.loop, deferred_due, node);
    cu_timer_init(&node->reap_timer, node->options.loop, reap, node);
    node->sync = agent_sync_new(&(struct agent_sync_options){
        .loop = node->options.loop,
        .log = node->options.log,
        .metrics = node->options.metrics,
        .view = node->options.view,
        .local = &node->local,
        .tokens = node->options.tokens,
        .member_count = node->options.member_count,
        .arg = node->options.arg,
        .seed = seed(),
    });
}

enum cu_err agent_node_open(const struct agent_node_options *options,
                            const struct agent_node_settings *settings,
                            struct agent_node **ret_node, struct cu_diag *diag)
{
    struct agent_node *node = cu_alloc(sizeof *node);
    node->options = *options;
    make(node, settings->node->node);
    if (settings->merges_central)
        node->central =
            agent_central_watch_new(&(struct agent_central_options){.view = options->view,
                                                                    .loop = options->loop,
                                                                    .sync = node->sync,
                                                                    .tokens = options->tokens,
                                                                    .changed = node_merge_all,
                                                                    .arg = node});
    enum cu_err err = agent_files_open(options->loop, options->data_dir, &node->files, diag);
    if (!err)
        err = node_load(node, settings, diag);
    if (err) {
        agent_node_close(node);
        return err;
    }
    cu_timer_set_ms(&node->reap_timer, AGENT_REAP_MS);
    agent_sync_start(node->sync);
    *ret_node = node;
    return CU_OK;
}

void agent_node_close(struct agent_node *node)
{
    if (!node)
        return;
    agent_files_free(node->files); /* what was submitted is written, and told */
    while (node->tasks)
        node_task_free(node->tasks);
    agent_central_watch_free(node->central);
    agent_sync_free(node->sync);
    while (node->checks.count)
        node_check_stop(node, node->checks.slots[0].id);
    agent_by_id_deinit(&node->checks);
    agent_runners_deinit(&node->runners);
    cu_timer_close(&node->deferred_timer);
    cu_timer_close(&node->reap_timer);
    cu_turn_hook_cancel(node->options.loop, &node->changed);
    agent_local_deinit(&node->local);
    free(node);
}
