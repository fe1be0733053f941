#include "services/catalogd/io/shell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/assert.h"
#include "common/base/random.h"
#include "common/base/num.h"
#include "services/catalogd/io/acl.h"
#include "services/catalogd/io/acl_duty.h"
#include "services/catalogd/io/ca.h"
#include "services/catalogd/io/checkpoint.h"
#include "services/catalogd/io/comparer.h"
#include "services/catalogd/io/duties.h"
#include "services/catalogd/io/gossip.h"
#include "services/catalogd/io/header.h"
#include "services/catalogd/io/place.h"
#include "services/catalogd/io/proposals.h"
#include "services/catalogd/io/pull.h"
#include "services/catalogd/io/raftd.h"
#include "services/catalogd/io/reconcile.h"
#include "services/catalogd/io/scrub.h"
#include "services/catalogd/io/spool.h"
#include "services/catalogd/rpc/grpc.h"
#include "services/catalogd/rpc/table.h"

enum { READY_MS = 10000, COMPLAIN_AGAIN_MS = 60 * 1000 };

const struct catalog_facts *catalog_shell_facts(const struct catalog_shell *shell)
{
    return catalog_applier_facts(shell->applier);
}

/* ---- actions ---- */

struct index_read {
    catalog_on_readable *on_readable;
    void *arg;
};

static void read_done(struct catalog_shell *shell, uint64_t tag, enum cu_err err)
{
    struct index_read *read = cu_map_del_u64(&shell->index_reads, tag);
    if (!read)
        return;
    read->on_readable(read->arg, err);
    free(read);
}

static void hand_over(struct catalog_shell *shell)
{
    struct cu_arena *arena = shell->followed;
    shell->followed = NULL;
    catalog_applier_submit(shell->applier, arena, shell->followed_reply);
}

static void stop_unrelated(struct catalog_shell *shell, const struct catalog_action *act)
{
    char own[CU_UUID_BYTES], other[CU_UUID_BYTES];
    cu_format_uuid(act->cluster.bytes, own);
    cu_format_uuid(act->other_cluster.bytes, other);
    cu_env_fail(shell->env,
                "the catalog in %s is of cluster %s, but raftd stands in cluster %s: these never "
                "merge. To join the latter, move %s away and start again",
                shell->folder, own, other, shell->folder);
}

static void perform(struct catalog_shell *shell, const struct catalog_action *act)
{
    switch (act->kind) {
    case CATALOG_ACT_ATTACH:
        catalog_raftd_attach(shell);
        break;
    case CATALOG_ACT_FOLLOW:
        catalog_raftd_follow(shell, act);
        break;
    case CATALOG_ACT_APPLY:
        hand_over(shell);
        break;
    case CATALOG_ACT_PROPOSE:
    case CATALOG_ACT_OPEN:
        catalog_proposals_add(shell, act);
        break;
    case CATALOG_ACT_READ_INDEX:
        catalog_raftd_read_index(shell, act);
        break;
    case CATALOG_ACT_READ_READY:
        read_done(shell, act->tag, CU_OK);
        break;
    case CATALOG_ACT_READ_FAILED:
        read_done(shell, act->tag, act->err);
        break;
    case CATALOG_ACT_WRITE_DONE:
        catalog_write_done(shell, act);
        break;
    case CATALOG_ACT_PULL:
        catalog_taker_start(shell->taker, act->was_diverged);
        break;
    case CATALOG_ACT_DUTY:
        catalog_raftd_duty(shell, act);
        break;
    case CATALOG_ACT_DUTY_BEGIN:
        catalog_duties_on(shell, act->term, &act->ticket);
        break;
    case CATALOG_ACT_DUTY_END:
        catalog_duties_off(shell);
        break;
    case CATALOG_ACT_STOP:
        stop_unrelated(shell, act);
        break;
    case CATALOG_ACTION_COUNT:
        break;
    }
}

static void take_step(struct catalog_shell *shell, struct catalog_event *event)
{
    uint32_t from = shell->actions.count;
    event->now = cu_loop_now(shell->env->loop);
    catalog_replica_step(shell->replica, event, &shell->actions);
    for (uint32_t i = from; i < shell->actions.count; i++) {
        struct catalog_action act = shell->actions.items[i]; /* the array may move meanwhile */
        perform(shell, &act);
    }
    shell->actions.count = from;
}

/* An action may ask for a step of its own (a read answered by starting another): it is taken at
 * once, behind what is already in the list. */
void catalog_shell_step(struct catalog_shell *shell, struct catalog_event *event)
{
    if (shell->is_stopping) /* what its actions would touch is being freed */
        return;
    take_step(shell, event);
    cu_loop_at_turn_end(shell->env->loop, &shell->hook);
}

/* ---- the end of a turn, and time ---- */

static void arm(struct catalog_shell *shell)
{
    struct cu_mono at = cu_mono_min(catalog_replica_next_deadline(shell->replica),
                                    catalog_duties_next(&shell->duties));
    if (cu_timer_is_set(&shell->timer) && !cu_mono_before(at, shell->timer_at))
        return; /* it fires too early at worst, and is set anew then */
    shell->timer_at = at;
    if (at.ns == CU_MONO_NEVER.ns)
        return;
    cu_timer_set_at(&shell->timer, shell->env->loop, at);
}

static void at_turn_end(void *arg)
{
    struct catalog_shell *shell = arg;
    struct cu_mono now = cu_loop_now(shell->env->loop);
    if (!cu_mono_before(now, catalog_replica_next_deadline(shell->replica))) {
        struct catalog_event tick = {.kind = CATALOG_EV_TICK};
        take_step(shell, &tick);
    }
    catalog_duties_tick(&shell->duties, now);
    if (shell->raftd)
        catalog_proposals_flush(shell);
    arm(shell);
}

static void on_timer(void *arg)
{
    struct catalog_shell *shell = arg;
    cu_loop_at_turn_end(shell->env->loop, &shell->hook);
}

/* ---- the state moves ---- */

static void say_ready(struct catalog_shell *shell)
{
    if (shell->is_ready)
        return;
    shell->is_ready = true;
    cu_timer_cancel(&shell->ready_timer);
    cu_env_ready(shell->env);
}

static void ready_anyway(void *arg)
{
    struct catalog_shell *shell = arg;
    cu_warn(shell->env->log, "catalog.ready", "reason=\"10 s have passed\" applied=%llu",
            (unsigned long long)catalog_shell_facts(shell)->position.index);
    say_ready(shell);
}

static void look_ready(struct catalog_shell *shell)
{
    if (!shell->is_ready && shell->knows_target &&
        catalog_shell_facts(shell)->position.index >= shell->ready_index)
        say_ready(shell);
}

static void stop_applying(struct catalog_shell *shell, const char *why)
{
    (void)snprintf(shell->stopped_text, sizeof(shell->stopped_text), "%s", why);
    shell->stopped = shell->stopped_text;
    cu_error(shell->env->log, "catalog.stopped", "reason=\"%s\"", why);
    struct catalog_event event = {.kind = CATALOG_EV_STOPPED};
    catalog_shell_step(shell, &event);
}

void catalog_shell_complain(struct catalog_shell *shell, const char *event, const char *text)
{
    struct cu_mono now = cu_loop_now(shell->env->loop);
    if (shell->complained.ns && cu_mono_ms_between(shell->complained, now) < COMPLAIN_AGAIN_MS)
        return;
    shell->complained = now;
    cu_error(shell->env->log, event,
             "text=\"%s\" advice=\"make room on the disk: it goes on by itself; until then this "
             "server takes no writes\"",
             text);
}

static void note_written(struct catalog_shell *shell)
{
    if (!shell->is_unwritable)
        return;
    shell->is_unwritable = false;
    shell->complained = (struct cu_mono){0};
    cu_info(shell->env->log, "catalog.commit", "text=\"the state can be written again\"");
}

static void note_failure(struct catalog_shell *shell, const char *text)
{
    cu_count(shell->count.commit_failures, 1);
    shell->is_unwritable = true;
    catalog_shell_complain(shell, "catalog.commit", text);
}

/* Readers go on from what is in the database now, so that a checkpoint can copy all of it. */
static void on_fold(void *arg, enum cu_err err, const char *text)
{
    struct catalog_shell *shell = arg;
    if (shell->is_stopping || !shell->checkpoints) {
        if (err)
            cu_warn(shell->env->log, "catalog.fold",
                    "error=%s text=\"%s\" advice=\"the log brings again what is not in %s\"",
                    cu_err_name(err), text, shell->path);
        return;
    }
    if (err == CU_E_IO) {
        note_failure(shell, text);
    } else if (err) {
        cu_env_fail(shell->env, "cannot write the catalog in %s: %s", shell->folder, text);
    } else {
        note_written(shell);
        cu_count(shell->count.folds, 1);
        catalog_readers_rebase(shell->readers);
        catalog_checkpoints_moved(shell->checkpoints);
    }
}

static void on_commit(void *arg, const struct catalog_commit *commit)
{
    struct catalog_shell *shell = arg;
    if (shell->is_stopping) /* the log tells the next life */
        return;
    if (commit->is_tried_again) {
        note_failure(shell, commit->text);
        return;
    }
    if (commit->err && commit->err != CU_E_NOT_READY) {
        cu_env_fail(shell->env, "cannot write the catalog in %s: %s", shell->folder, commit->text);
        return;
    }
    if (catalog_applier_fold_state(shell->applier) != CATALOG_FOLD_FAILED)
        note_written(shell);
    cu_count(shell->count.commits, 1);
    cu_count(shell->count.applied, commit->entry_count);
    cu_sample_add(shell->count.batch, (double)commit->entry_count);
    catalog_readers_moved(shell->readers);
    /* before any read that waited for this state looks: by topics of before it would be told
     * "unchanged" (contracts 7.2) */
    catalog_rpc_moved(shell, commit->wakes);
    for (size_t i = 0; i < commit->outcome_count; i++) {
        struct catalog_event event = {.kind = CATALOG_EV_OUTCOME, .outcome = commit->outcomes[i]};
        catalog_shell_step(shell, &event);
    }
    struct catalog_event event = {.kind = CATALOG_EV_APPLIED,
                                  .position = catalog_shell_facts(shell)->position};
    catalog_shell_step(shell, &event);
    catalog_checkpoints_moved(shell->checkpoints);
    if (commit->err == CU_E_NOT_READY)
        stop_applying(shell, commit->text);
    look_ready(shell);
}

void catalog_shell_durable(struct catalog_shell *shell, struct catalog_position position,
                           struct cu_bytes header)
{
    cu_buf_clear(&shell->durable_header);
    cu_buf_append(&shell->durable_header, header.data, header.len);
    struct catalog_event event = {.kind = CATALOG_EV_DURABLE, .position = position};
    catalog_shell_step(shell, &event);
    catalog_taker_tidy(shell->taker); /* a replaced database is not needed any more */
}

void catalog_shell_pulled(struct catalog_shell *shell, enum cu_err err)
{
    const struct catalog_facts *facts = catalog_shell_facts(shell);
    struct catalog_event event = {
        .kind = CATALOG_EV_PULLED, .err = err, .position = facts->position};
    cu_count(err ? shell->count.pull_failures : shell->count.pulls, 1);
    if (!err) {
        cu_buf_clear(&shell->durable_header);
        cu_buf_append(&shell->durable_header, facts->header.data, facts->header.len);
        shell->wrong[0] = '\0';
        shell->is_unwritable = false; /* what could not be committed is not waited for any more */
        catalog_comparer_forget(shell->comparer);
        catalog_rpc_replaced(shell);
    }
    catalog_shell_step(shell, &event);
    look_ready(shell);
}

void catalog_shell_disown(struct catalog_shell *shell, const char *why)
{
    bool is_alone = !catalog_taker_has_peer(shell->taker);
    (void)snprintf(shell->wrong, sizeof(shell->wrong), "%s", why);
    cu_error(shell->env->log, "state.wrong", "text=\"%s\" advice=\"%s\"", why,
             is_alone ? "there is no other catalogd to take the state from: restore a snapshot, or "
                        "write again what is wrong"
                      : "the state of another server takes its place; the old one is kept as "
                        "catalog/state.db.damaged; check this server's disk and memory");
    if (is_alone)
        return;
    struct catalog_event event = {.kind = CATALOG_EV_DISOWNED};
    catalog_shell_step(shell, &event);
}

/* ---- reads ---- */

uint64_t catalog_read_start(struct catalog_shell *shell, enum catalog_read_mode mode,
                            struct cu_mono deadline, catalog_on_readable *on_readable, void *arg)
{
    struct index_read *read = cu_alloc(sizeof(*read));
    *read = (struct index_read){on_readable, arg};
    uint64_t tag = ++shell->last_tag;
    (void)cu_map_put_u64(&shell->index_reads, tag, read);
    struct catalog_event event = {
        .kind = CATALOG_EV_READ, .tag = tag, .mode = mode, .deadline = deadline};
    catalog_shell_step(shell, &event);
    return tag;
}

void catalog_read_let_go(struct catalog_shell *shell, uint64_t number)
{
    struct index_read *read = cu_map_del_u64(&shell->index_reads, number);
    if (!read)
        return;
    free(read);
    struct catalog_event event = {.kind = CATALOG_EV_READ_GONE, .tag = number};
    catalog_shell_step(shell, &event);
}

/* ---- start and stop ---- */

static enum cu_err make_folder(struct catalog_shell *shell, struct cu_diag *diag)
{
    char text[4096];
    (void)snprintf(text, sizeof(text), "%s/catalog", shell->env->data_dir);
    shell->folder = cu_strdup(text);
    (void)snprintf(text, sizeof(text), "%s/state.db", shell->folder);
    shell->path = cu_strdup(text);
    if (mkdir(shell->folder, 0700) != 0 && errno != EEXIST)
        return cu_fail(diag, CU_E_IO, "cannot make %s: %s", shell->folder, strerror(errno));
    return CU_OK;
}

static enum cu_err open_applier(struct catalog_shell *shell, struct cu_diag *diag)
{
    return catalog_applier_open(&(struct catalog_applier_options){.loop = shell->env->loop,
                                                                  .path = shell->path,
                                                                  .crash = shell->crash,
                                                                  .on_commit = on_commit,
                                                                  .on_fold = on_fold,
                                                                  .arg = shell},
                                &shell->applier, diag);
}

static void take_durable_header(struct catalog_shell *shell)
{
    const struct cu_buf *header = &catalog_shell_facts(shell)->header;
    cu_buf_clear(&shell->durable_header);
    cu_buf_append(&shell->durable_header, header->data, header->len);
}

enum cu_err catalog_shell_reopen(struct catalog_shell *shell,
                                 enum cu_err (*between)(void *arg, struct cu_diag *diag), void *arg,
                                 struct cu_diag *diag)
{
    CU_ASSERT(catalog_applier_is_idle(shell->applier));
    catalog_readers_release(shell->readers);
    catalog_checkpoints_free(shell->checkpoints);
    shell->checkpoints = NULL;
    catalog_applier_free(shell->applier); /* what is kept of the old state is all of it */
    shell->applier = NULL;
    enum cu_err err = between(arg, diag);
    enum cu_err opened = open_applier(shell, diag);
    if (!opened)
        opened = catalog_checkpoints_open(shell, &shell->checkpoints, diag);
    if (!opened)
        opened =
            catalog_readers_reopen(shell->readers, catalog_applier_memtables(shell->applier), diag);
    return opened ? opened : err;
}

static void start_replica(struct catalog_shell *shell)
{
    uint64_t seed;
    cu_random_bytes(&seed, sizeof(seed));
    const struct catalog_facts *facts = catalog_shell_facts(shell);
    shell->replica = catalog_replica_new(
        &(struct catalog_replica_options){.now = cu_loop_now(shell->env->loop),
                                          .seed = seed,
                                          .is_reader = shell->conf.follow[0] != '\0',
                                          .applied = facts->position,
                                          .durable = facts->position});
}

static void start_timers(struct catalog_shell *shell)
{
    struct cu_loop *loop = shell->env->loop;
    cu_timer_init(&shell->timer, loop, on_timer, shell);
    cu_timer_init(&shell->ready_timer, loop, ready_anyway, shell);
    cu_timer_set_ms(&shell->ready_timer, READY_MS);
    shell->hook = (struct cu_turn_hook){.fn = at_turn_end, .arg = shell};
}

/* A state that cannot be read is moved away and got anew from the log or a peer: raftd tells which
 * (contracts 3.6). */
static enum cu_err open_state(struct catalog_shell *shell, struct cu_diag *diag)
{
    enum cu_err err = open_applier(shell, diag);
    if (err != CU_E_CORRUPT)
        return err;
    cu_error(shell->env->log, "catalog.damaged", "moved_to=%s.damaged text=\"%s\"", shell->path,
             diag->text);
    err = catalog_place_damaged(shell->folder, diag);
    return err ? err : open_applier(shell, diag);
}

static enum cu_err open_all(struct catalog_shell *shell, struct cu_diag *diag)
{
    enum cu_err err = catalog_conf_read(shell->env->conf, &shell->conf, diag);
    if (!err)
        err = make_folder(shell, diag);
    if (!err)
        err = catalog_crash_open(shell->folder, &shell->crash, diag);
    if (!err)
        err = catalog_spool_reap(shell->folder, diag);
    if (!err)
        err = open_state(shell, diag);
    if (!err)
        err = catalog_checkpoints_open(shell, &shell->checkpoints, diag);
    if (!err)
        err =
            catalog_readers_open(shell->env->loop, shell->path,
                                 catalog_applier_memtables(shell->applier), &shell->readers, diag);
    return err;
}

enum cu_err catalog_shell_start(struct cu_env *env, void **ret_state, struct cu_diag *diag)
{
    struct catalog_shell *shell = cu_alloc(sizeof(*shell));
    shell->env = env;
    start_timers(shell);
    enum cu_err err = open_all(shell, diag);
    if (err) {
        catalog_shell_stop(shell);
        return err;
    }
    catalog_shell_count(shell);
    take_durable_header(shell);
    start_replica(shell);
    shell->topics = catalog_topics_new(catalog_shell_facts(shell)->shown_index, CATALOG_TOPICS_MAX);
    shell->proposals = catalog_proposals_new();
    shell->writes = catalog_writes_new();
    shell->giver = catalog_giver_new(shell);
    shell->taker = catalog_taker_new(shell);
    shell->scrub = catalog_scrub_new(shell);
    shell->comparer = catalog_comparer_new(shell);
    shell->acl = catalog_acl_new(shell);
    shell->ca = catalog_ca_new(shell);
    shell->acl_duty = catalog_acl_duty_new(shell);
    shell->reconciler = catalog_reconciler_new(shell);
    shell->gossip = catalog_gossip_new(shell, catalog_reconcile_gossip_up, shell);
    catalog_duties_start(shell);
    err = catalog_rpc_start(shell, diag);
    if (err) {
        catalog_shell_stop(shell);
        return err;
    }
    catalog_raftd_open(shell);
    cu_info(env->log, "catalog.open", "applied=%llu shown=%llu",
            (unsigned long long)catalog_shell_facts(shell)->position.index,
            (unsigned long long)catalog_shell_facts(shell)->shown_index);
    *ret_state = shell;
    return CU_OK;
}

static void forget_reads(struct catalog_shell *shell)
{
    struct cu_bytes key;
    void *read;
    for (size_t at = 0; cu_map_next(&shell->index_reads, &at, &key, &read);)
        free(read);
    cu_map_deinit(&shell->index_reads);
}

/* Half-built ones, too: everything below takes NULL. */
void catalog_shell_stop(void *state)
{
    struct catalog_shell *shell = state;
    shell->is_stopping = true;
    catalog_grpc_stop(shell); /* turns the loop: all is still there */
    catalog_raftd_close(shell);
    catalog_duties_off(shell);
    catalog_comparer_free(shell->comparer);
    catalog_scrub_free(shell->scrub);
    catalog_taker_free(shell->taker);
    catalog_giver_free(shell->giver);
    catalog_readers_free(shell->readers); /* what is under way reads the applier's memtables */
    shell->readers = NULL;
    catalog_applier_free(shell->applier); /* ends what it does for the checkpoints and for us */
    shell->applier = NULL;
    catalog_checkpoints_free(shell->checkpoints);
    shell->checkpoints = NULL;
    catalog_rpc_stop(shell);
    catalog_duties_stop(shell);
    catalog_proposals_free(shell->proposals);
    catalog_writes_free(shell->writes); /* tells whoever waits for one: before they go */
    catalog_ca_free(shell->ca);
    catalog_acl_free(shell->acl);
    catalog_acl_duty_free(shell->acl_duty);
    catalog_reconciler_free(shell->reconciler);
    catalog_gossip_free(shell->gossip);
    forget_reads(shell);
    catalog_replica_free(shell->replica);
    catalog_actions_deinit(&shell->actions);
    catalog_topics_free(shell->topics);
    catalog_crash_close(shell->crash);
    cu_turn_hook_cancel(shell->env->loop, &shell->hook);
    cu_timer_close(&shell->timer);
    cu_timer_close(&shell->ready_timer);
    cu_buf_deinit(&shell->durable_header);
    catalog_conf_deinit(&shell->conf);
    cu_client_free(shell->duty_client);
    free(shell->duty_address);
    free(shell->attached_address);
    free(shell->folder);
    free(shell->path);
    free(shell);
}
