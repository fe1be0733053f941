#include "services/raftd/io/shell.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/assert.h"
#include "common/loop/worker.h"

/* A floor alone is nobody's acknowledgement: it goes with the next write, at the latest after this.
 */
enum { LAZY_MS = 200 };

struct persist_list {
    struct raft_persist **items;
    size_t count, cap;
};

struct hints {
    struct {
        struct raft_id id;
        char address[RAFT_HINT_BYTES];
    } items[RAFT_SHELL_HINTS];
    size_t count;
};

struct raft_shell {
    struct cu_loop *loop;
    struct raft_log *log;
    struct raft *core;
    struct raft_shell_out out;
    struct cu_turn_hook hook;
    struct cu_timer timer;
    struct cu_mono timer_at; /* NEVER: not set */
    struct raft_actions made, doing;
    struct raft_actions held; /* in order, each waits for `after` */
    uint64_t synced;          /* the newest persist id on disk */
    struct persist_list waiting, writing;
    struct hints hints, writing_hints;
    bool is_writing, has_failed, is_closing;
    struct cu_timer lazy; /* set while only floors wait */
    bool lazy_is_over;
    struct cu_worker *worker; /* NULL: write on the loop */
    struct cu_job job;
    enum cu_err write_err;
    struct cu_diag write_diag;
    uint64_t commit_watched; /* index whose way to commit is being timed; 0: none */
    struct cu_mono commit_since;
    struct cu_counter *applies, *syncs;
    struct cu_sample *commit_ms, *entries_per_append;
};

/* ---- lists ---- */

static void persist_push(struct persist_list *list, struct raft_persist *persist)
{
    if (list->count == list->cap) {
        list->cap = list->cap ? 2 * list->cap : 16;
        list->items = cu_realloc(list->items, list->cap * sizeof *list->items);
    }
    list->items[list->count++] = persist;
}

static void persist_clear(struct persist_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        raft_persist_free(list->items[i]);
    list->count = 0;
}

static void hold(struct raft_actions *held, const struct raft_action *action)
{
    if (held->count == held->cap) {
        held->cap = held->cap ? 2 * held->cap : 16;
        held->items = cu_realloc(held->items, held->cap * sizeof *held->items);
    }
    held->items[held->count++] = *action;
}

/* ---- performing ---- */

static void perform(struct raft_shell *shell, struct raft_action *action)
{
    const struct raft_shell_out *out = &shell->out;
    switch (action->kind) {
    case RAFT_ACT_SEND:
        out->send(out->context, action->send);
        break;
    case RAFT_ACT_PERSIST:
        persist_push(&shell->waiting, action->persist);
        break;
    case RAFT_ACT_PROPOSED:
        out->proposed(out->context, action);
        free(action->proposed.refusals);
        free(action->proposed.lost);
        break;
    case RAFT_ACT_READ:
        out->read(out->context, action);
        break;
    case RAFT_ACT_ATTACHED:
        out->attached(out->context, action);
        break;
    case RAFT_ACT_RECOVERED:
    case RAFT_ACT_FORGOTTEN:
    case RAFT_ACT_CHANGED:
        out->done(out->context, action);
        break;
    case RAFT_ACT_NOTE:
        out->note(out->context, action);
        break;
    case RAFT_ACTION_COUNT:
        CU_ASSERT(action->kind != RAFT_ACTION_COUNT);
    }
}

/* What the core made since; performing may make more, so the lists change places. */
static void perform_made(struct raft_shell *shell)
{
    while (shell->made.count) {
        struct raft_actions doing = shell->made;
        shell->made = shell->doing;
        shell->doing = doing;
        for (uint32_t i = 0; i < doing.count; i++) {
            struct raft_action *action = &doing.items[i];
            if (action->kind != RAFT_ACT_PERSIST && action->after > shell->synced)
                hold(&shell->held, action);
            else
                perform(shell, action);
        }
        shell->doing.count = 0; /* all of it was taken */
    }
}

static void release_held(struct raft_shell *shell)
{
    struct raft_actions held = shell->held;
    shell->held = (struct raft_actions){0};
    for (uint32_t i = 0; i < held.count; i++) {
        if (held.items[i].after > shell->synced)
            hold(&shell->held, &held.items[i]);
        else
            perform(shell, &held.items[i]);
    }
    free(held.items);
}

/* ---- writing ---- */

static void fail(struct raft_shell *shell, const char *sentence)
{
    if (shell->has_failed)
        return;
    shell->has_failed = true;
    shell->out.failed(shell->out.context, sentence);
}

static void run_write(void *arg)
{
    struct raft_shell *shell = arg;
    struct hints *hints = &shell->writing_hints;
    shell->write_err = CU_OK;
    for (size_t i = 0; !shell->write_err && i < hints->count; i++)
        shell->write_err = raft_log_book_put(shell->log, hints->items[i].id,
                                             hints->items[i].address, &shell->write_diag);
    if (!shell->write_err)
        shell->write_err = raft_log_write(shell->log, shell->writing.items, shell->writing.count,
                                          &shell->write_diag);
}

void raft_shell_hint(struct raft_shell *shell, struct raft_id id, const char *address)
{
    struct hints *hints = &shell->hints;
    size_t at = 0;
    while (at < hints->count && !raft_id_equal(hints->items[at].id, id))
        at++;
    if (at == RAFT_SHELL_HINTS)
        at--;
    hints->items[at].id = id;
    (void)snprintf(hints->items[at].address, RAFT_HINT_BYTES, "%s", address);
    if (at == hints->count)
        hints->count++;
}

static void finish_write(struct raft_shell *shell)
{
    uint64_t id = shell->writing.items[shell->writing.count - 1]->id;
    enum cu_err err = shell->write_err;
    shell->is_writing = false;
    persist_clear(&shell->writing);
    cu_count(shell->syncs, 1);
    if (shell->is_closing) /* nobody is left to hear of it; the next life reads it from the log */
        return;
    struct raft_event event = {.kind = err ? RAFT_EV_PERSIST_FAILED : RAFT_EV_PERSISTED,
                               .persist_id = id};
    if (!err)
        shell->synced = id;
    raft_shell_step(shell, &event);
    if (err)
        fail(shell, shell->write_diag.text);
    else
        release_held(shell);
}

static void write_done(void *arg)
{
    finish_write(arg);
}

static void count_entries(struct raft_shell *shell)
{
    uint32_t entries = 0;
    for (size_t i = 0; i < shell->writing.count; i++)
        entries += shell->writing.items[i]->entry_count;
    if (entries)
        cu_sample_add(shell->entries_per_append, entries);
}

/* Servers may have joined since the start; nothing is being written when this is asked. */
static void choose_thread(struct raft_shell *shell)
{
    if (!shell->worker && raft_configuration_latest(shell->core)->count > 1)
        shell->worker = cu_worker_new(shell->loop, "raft-log");
}

static bool is_floor_alone(const struct raft_persist *p)
{
    return p->has_floor && !p->has_vote && !p->has_start && !p->truncate_from && !p->entry_count &&
           !p->has_promise && !p->has_recovery;
}

/* Deleting what is no longer needed would cost each small compaction a sync of its own. */
static bool may_wait(struct raft_shell *shell)
{
    for (size_t i = 0; i < shell->waiting.count; i++)
        if (!is_floor_alone(shell->waiting.items[i]))
            return false;
    return !shell->held.count && !shell->lazy_is_over;
}

/* Returns whether a write was finished here. */
static bool start_write(struct raft_shell *shell)
{
    if (shell->is_writing || shell->has_failed || !shell->waiting.count)
        return false;
    if (may_wait(shell)) {
        if (!cu_timer_is_set(&shell->lazy))
            cu_timer_set_ms(&shell->lazy, LAZY_MS);
        return false;
    }
    cu_timer_cancel(&shell->lazy);
    shell->lazy_is_over = false;
    struct persist_list writing = shell->waiting;
    shell->waiting = shell->writing;
    shell->writing = writing;
    shell->writing_hints = shell->hints;
    shell->hints.count = 0;
    shell->is_writing = true;
    count_entries(shell);
    choose_thread(shell);
    if (shell->worker) {
        cu_worker_submit(shell->worker, &shell->job);
        return false;
    }
    run_write(shell);
    finish_write(shell);
    return true;
}

/* ---- the turn ---- */

static void time_commit(struct raft_shell *shell)
{
    struct raft_status status;
    raft_status(shell->core, cu_loop_now(shell->loop), &status);
    if (shell->commit_watched && status.commit >= shell->commit_watched) {
        uint64_t ns = cu_mono_now().ns - shell->commit_since.ns;
        cu_sample_add(shell->commit_ms, (double)ns / 1e6);
        shell->commit_watched = 0;
    }
    if (!shell->commit_watched && status.role == RAFT_LEADER && status.last_index > status.commit) {
        shell->commit_watched = status.last_index;
        shell->commit_since = cu_mono_now();
    }
}

/* A timer that fires early costs one idle tick; re-arming it each turn costs more. */
static void arm(struct raft_shell *shell)
{
    struct cu_mono at = raft_next_deadline(shell->core);
    if (!cu_mono_before(at, shell->timer_at))
        return;
    shell->timer_at = at;
    cu_timer_set_at(&shell->timer, shell->loop, at);
}

static void end_turn(void *arg)
{
    struct raft_shell *shell = arg;
    do {
        perform_made(shell);
        time_commit(shell);
    } while (start_write(shell) || shell->made.count);
    if (shell->has_failed)
        return;
    arm(shell);
    shell->out.moved(shell->out.context);
}

static void on_lazy(void *arg)
{
    struct raft_shell *shell = arg;
    shell->lazy_is_over = true;
    cu_loop_at_turn_end(shell->loop, &shell->hook);
}

static void on_timer(void *arg)
{
    struct raft_shell *shell = arg;
    shell->timer_at = CU_MONO_NEVER;
    raft_shell_step(shell, &(struct raft_event){.kind = RAFT_EV_TICK});
}

void raft_shell_step(struct raft_shell *shell, struct raft_event *event)
{
    event->now = cu_mono_now();
    event->wall_ms = cu_wall_ms();
    if (event->kind == RAFT_EV_PROPOSE)
        cu_count(shell->applies, event->propose.count);
    raft_step(shell->core, event, &shell->made);
    cu_loop_at_turn_end(shell->loop, &shell->hook);
}

const struct raft *raft_shell_core(const struct raft_shell *shell)
{
    return shell->core;
}

/* ---- life ---- */

static void add_metrics(struct raft_shell *shell, struct cu_metrics *metrics)
{
    shell->applies = cu_metrics_counter(metrics, "raft.apply");
    shell->syncs = cu_metrics_counter(metrics, "raft.fsyncs");
    shell->commit_ms = cu_metrics_sample(metrics, "raft.commitTime");
    shell->entries_per_append = cu_metrics_sample(metrics, "raft.entries_per_append");
}

struct raft_shell *raft_shell_new(const struct raft_shell_options *options)
{
    struct raft_shell *shell = cu_alloc(sizeof *shell);
    struct raft_options core = *options->core;
    core.store = (struct raft_store){options->log, raft_log_read};
    core.now = cu_mono_now();
    shell->loop = options->loop;
    shell->log = options->log;
    shell->out = options->out;
    shell->hook = (struct cu_turn_hook){.fn = end_turn, .arg = shell};
    shell->job = (struct cu_job){.run = run_write, .done = write_done, .arg = shell};
    shell->timer_at = CU_MONO_NEVER;
    cu_timer_init(&shell->timer, shell->loop, on_timer, shell);
    cu_timer_init(&shell->lazy, shell->loop, on_lazy, shell);
    add_metrics(shell, options->metrics);
    if (options->has_peers)
        shell->worker = cu_worker_new(shell->loop, "raft-log");
    shell->core = raft_new(&core, options->boot);
    cu_loop_at_turn_end(shell->loop, &shell->hook);
    return shell;
}

void raft_shell_free(struct raft_shell *shell)
{
    if (!shell)
        return;
    shell->is_closing = true;
    cu_worker_free(shell->worker); /* a write under way is finished */
    cu_turn_hook_cancel(shell->loop, &shell->hook);
    cu_timer_close(&shell->timer);
    cu_timer_close(&shell->lazy);
    raft_actions_deinit(&shell->made);
    raft_actions_deinit(&shell->doing);
    raft_actions_deinit(&shell->held);
    persist_clear(&shell->waiting);
    persist_clear(&shell->writing);
    free(shell->waiting.items);
    free(shell->writing.items);
    raft_free(shell->core);
    free(shell);
}
