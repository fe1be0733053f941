#include "services/raftd/raftd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/endpoint.h"
#include "common/base/num.h"
#include "common/base/random.h"
#include "services/raftd/conf.h"
#include "services/raftd/io/log.h"
#include "services/raftd/io/members.h"
#include "services/raftd/io/notes.h"
#include "services/raftd/io/peers.h"
#include "services/raftd/io/recovery.h"
#include "services/raftd/io/shell.h"
#include "services/raftd/rpc/service.h"

struct raftd {
    struct cu_env *env;
    struct raft_conf conf;
    struct raft_id self;
    char own_address[CU_ENDPOINT_BYTES];
    char *folder; /* DATA_DIR/raft */
    struct raft_log *log;
    struct raft_boot boot;
    struct raft_notes notes;
    struct raft_service *service;
    struct raft_peers *peers;
    struct raft_members *members;
    struct raft_shell *shell;
    bool has_failed; /* and said why */
};

/* ---- what the shell hands out ---- */

static void on_send(void *context, struct raft_message *message)
{
    struct raftd *raftd = context;
    if (message->call)
        raft_service_answer(raftd->service, message);
    else
        raft_peers_send(raftd->peers, message);
}

static void on_proposed(void *context, const struct raft_action *action)
{
    raft_service_proposed(((struct raftd *)context)->service, action);
}

static void on_read(void *context, const struct raft_action *action)
{
    raft_service_read(((struct raftd *)context)->service, action);
}

static void on_attached(void *context, const struct raft_action *action)
{
    raft_service_attached(((struct raftd *)context)->service, action);
}

/* Nothing that was acknowledged is lost: it was synced before. Going on after a failed sync would
 * trust pages that the kernel may have dropped (consensus 56). */
static void on_failed(void *context, const char *sentence)
{
    struct raftd *raftd = context;
    if (raftd->has_failed) /* the core, too, hears of what the shell could not write */
        return;
    raftd->has_failed = true;
    cu_env_fail(raftd->env,
                "raft log: %s: this server stops rather than acknowledge what may not be on disk; "
                "nothing acknowledged is lost. Free space or mend the disk, then it starts again",
                sentence ? sentence : raft_log_said(raftd->log));
}

static void on_done(void *context, const struct raft_action *action)
{
    struct raftd *raftd = context;
    struct cu_diag diag = {{0}};
    if (action->done.tag != RAFT_RECOVERY_TAG)
        raft_service_done(raftd->service, action);
    else if (raft_recovery_done(raftd->folder, action, raftd->env->log, &diag))
        cu_env_fail(raftd->env, "%s", diag.text);
}

static void on_note(void *context, const struct raft_action *action)
{
    struct raftd *raftd = context;
    const char *address = raft_id_equal(action->note.peer, raftd->self)
                              ? raftd->own_address
                              : raft_peers_address(raftd->peers, action->note.peer);
    raft_notes_write(&raftd->notes, action, address);
    if (action->note.note == RAFT_NOTE_STORE_FAILED)
        on_failed(raftd, NULL);
}

static void on_moved(void *context)
{
    raft_service_moved(((struct raftd *)context)->service);
}

static void on_answered(void *context, struct raft_message *message)
{
    struct raftd *raftd = context;
    raft_shell_step(raftd->shell,
                    &(struct raft_event){.kind = RAFT_EV_MESSAGE, .message = message});
}

/* ---- metrics ---- */

static struct raft_status status_of(const struct raftd *raftd)
{
    struct raft_status status;
    raft_status(raft_shell_core(raftd->shell), cu_loop_now(raftd->env->loop), &status);
    return status;
}

static double read_last_index(void *arg)
{
    return (double)status_of(arg).last_index;
}

static double read_commit_index(void *arg)
{
    return (double)status_of(arg).commit;
}

static double read_last_contact(void *arg)
{
    return (double)status_of(arg).last_contact_ms;
}

static double read_peers(void *arg)
{
    const struct raftd *raftd = arg;
    return raft_configuration_latest(raft_shell_core(raftd->shell))->count;
}

static void add_gauges(struct raftd *raftd)
{
    static const struct {
        const char *name;
        cu_gauge *read;
    } rows[] = {
        {"raft.last_index", read_last_index},
        {"raft.commit_index", read_commit_index},
        {"raft.leader.lastContact", read_last_contact},
        {"raft.peers", read_peers},
    };
    for (size_t i = 0; i < CU_COUNT(rows); i++)
        cu_metrics_gauge(raftd->env->metrics, rows[i].name, rows[i].read, raftd);
}

/* ---- start ---- */

static enum cu_err read_self(const char *node_id, struct raft_id *ret_self, struct cu_diag *diag)
{
    if (cu_parse_uuid(node_id, ret_self->bytes))
        return cu_fail(diag, CU_E_INVALID, "node_id \"%.64s\" is no UUID", node_id);
    return CU_OK;
}

static enum cu_err open_log(struct raftd *raftd, struct cu_diag *diag)
{
    struct cu_buf dir = {0};
    size_t len;
    cu_buf_printf(&dir, "%s/raft", raftd->env->data_dir);
    cu_buf_u8(&dir, 0);
    raftd->folder = (char *)cu_buf_take(&dir, &len);
    enum cu_err err =
        raft_log_open(&(struct raft_log_options){raftd->folder, raftd->env->node_id, NULL},
                      &raftd->log, &raftd->boot, diag);
    raftd->boot.trailing = raftd->conf.trailing;
    return err;
}

static void make_service(struct raftd *raftd)
{
    struct cu_env *env = raftd->env;
    raftd->service = raft_service_new(&(struct raft_service_options){
        .loop = env->loop,
        .rpc = env->rpc,
        .log = env->log,
        .metrics = env->metrics,
        .self = raftd->self,
        .node_id = env->node_id,
        .own_address = raftd->own_address,
        .readers = raftd->conf.readers,
        .reader_count = raftd->conf.reader_count,
        .catalogd_uid = raftd->conf.catalogd_uid,
        .context = raftd,
        .failed = on_failed,
    });
}

static void put_book(void *arg, struct raft_id id, const char *address)
{
    struct raftd *raftd = arg;
    char ip[CU_HOST_BYTES];
    unsigned port;
    if (cu_endpoint_split(address, ip, &port) && port) /* a hint that cannot be read is no hint */
        raft_peers_put(raftd->peers, id, ip, (uint16_t)port);
}

/* The book fills in what the configuration does not name; the configuration wins. */
static enum cu_err make_peers(struct raftd *raftd, struct cu_diag *diag)
{
    struct cu_env *env = raftd->env;
    raftd->peers = raft_peers_new(&(struct raft_peers_options){.rpc = env->rpc,
                                                               .log = env->log,
                                                               .metrics = env->metrics,
                                                               .self = raftd->self,
                                                               .context = raftd,
                                                               .answered = on_answered});
    enum cu_err err = raft_log_book(raftd->log, put_book, raftd, diag);
    for (uint32_t i = 0; !err && i < raftd->conf.peer_count; i++) {
        const struct raft_peer_address *peer = &raftd->conf.peers[i];
        raft_peers_put(raftd->peers, peer->id, peer->ip, peer->port);
        const char *address = raft_peers_address(raftd->peers, peer->id);
        if (*address)
            err = raft_log_book_put(raftd->log, peer->id, address, diag);
    }
    return err;
}

/* ---- what gossip says ---- */

/* A configured address wins: it is written by hand. */
static void on_address(void *context, struct raft_id id, const char *ip, uint16_t port)
{
    struct raftd *raftd = context;
    for (uint32_t i = 0; i < raftd->conf.peer_count; i++)
        if (raft_id_equal(raftd->conf.peers[i].id, id))
            return;
    char before[RAFT_ADDRESS_BYTES + 16];
    (void)snprintf(before, sizeof before, "%s", raft_peers_address(raftd->peers, id));
    raft_peers_put(raftd->peers, id, ip, port);
    const char *address = raft_peers_address(raftd->peers, id);
    if (!*address || strcmp(address, before) == 0)
        return;
    cu_info(raftd->env->log, "raft.address", "address=%s was=\"%s\"", address, before);
    raft_shell_hint(raftd->shell, id, address);
}

static void on_expected(void *context, const struct raft_id *ids, uint32_t count)
{
    struct raftd *raftd = context;
    cu_info(raftd->env->log, "raft.expected", "servers=%u", count);
    raft_shell_step(raftd->shell, &(struct raft_event){.kind = RAFT_EV_EXPECT,
                                                       .expect = {.ids = ids, .count = count}});
}

static void follow_members(struct raftd *raftd)
{
    raftd->members = raft_members_new(&(struct raft_members_options){.env = raftd->env,
                                                                     .self = raftd->self,
                                                                     .expect = raftd->conf.expect,
                                                                     .context = raftd,
                                                                     .address = on_address,
                                                                     .expected = on_expected});
}

static void make_shell(struct raftd *raftd)
{
    struct raft_options core = {.self = raftd->self,
                                .timing = raftd->conf.timing,
                                .bootstrap_count = raftd->conf.bootstrap_count};
    memcpy(core.bootstrap, raftd->conf.bootstrap, sizeof core.bootstrap);
    cu_random_bytes(&core.seed, sizeof core.seed);
    raftd->shell = raft_shell_new(&(struct raft_shell_options){
        .loop = raftd->env->loop,
        .metrics = raftd->env->metrics,
        .log = raftd->log,
        .core = &core,
        .boot = &raftd->boot,
        /* Those that gossip names come later: who is not alone by its own word expects some. */
        .has_peers = raft_peers_count(raftd->peers) > 0 || !raftd->conf.is_alone,
        .out = {.context = raftd,
                .send = on_send,
                .proposed = on_proposed,
                .read = on_read,
                .attached = on_attached,
                .done = on_done,
                .note = on_note,
                .moved = on_moved,
                .failed = on_failed},
    });
}

static enum cu_err listen_to_peers(struct raftd *raftd, struct cu_diag *diag)
{
    char url[CU_ENDPOINT_BYTES];
    return cu_rpc_listen(raftd->env->rpc,
                         cu_endpoint_url(raftd->env->bind_address, raftd->conf.port, url), diag);
}

static void say_start(const struct raftd *raftd)
{
    const struct raft_boot *boot = &raftd->boot;
    cu_info(raftd->env->log, "raft.log",
            "term=%" PRIu64 " first=%" PRIu64 " last=%" PRIu64 " peers=%zu port=%u", boot->term,
            boot->start.position.index + 1, boot->last_index, raft_peers_count(raftd->peers),
            raftd->conf.port);
    if (raftd->conf.warning[0])
        cu_warn(raftd->env->log, "raft.conf", "warning=\"%s\"", raftd->conf.warning);
}

enum cu_err raft_check_conf(const struct cu_conf *conf, struct cu_diag *diag)
{
    struct raft_conf read;
    struct raft_id self = {{0}};
    const char *node_id = cu_conf_text(conf, "node_id");
    enum cu_err err = *node_id ? read_self(node_id, &self, diag) : CU_OK;
    return err ? err : raft_conf_read(conf, self, &read, diag);
}

enum cu_err raft_start(struct cu_env *env, void **ret_state, struct cu_diag *diag)
{
    struct raftd *raftd = cu_alloc(sizeof *raftd);
    raftd->env = env;
    enum cu_err err = read_self(env->node_id, &raftd->self, diag);
    if (!err)
        err = raft_conf_read(env->conf, raftd->self, &raftd->conf, diag);
    if (!err)
        err = open_log(raftd, diag);
    if (!err) {
        (void)cu_endpoint_text(env->advertise_address, raftd->conf.port, raftd->own_address);
        raft_notes_init(&raftd->notes, env->log, env->metrics, env->node_id);
        cu_rpc_set_source_address(env->rpc, env->bind_address);
        make_service(raftd);
        err = make_peers(raftd, diag);
    }
    if (!err) {
        make_shell(raftd);
        raft_service_bind(raftd->service, raftd->shell, raftd->peers);
        err = raft_recovery_take(raftd->folder, raftd->shell, env->log, diag);
    }
    if (!err) {
        err = listen_to_peers(raftd, diag);
    }
    if (err) {
        raft_stop(raftd);
        return err;
    }
    add_gauges(raftd);
    follow_members(raftd);
    say_start(raftd);
    cu_env_ready(env);
    *ret_state = raftd;
    return CU_OK;
}

/* ---- stop ---- */

void raft_drain(void *state)
{
    struct raftd *raftd = state;
    raft_shell_step(raftd->shell, &(struct raft_event){.kind = RAFT_EV_STOP});
}

void raft_stop(void *state)
{
    struct raftd *raftd = state;
    raft_members_free(raftd->members);
    raft_service_free(raftd->service);
    raft_peers_free(raftd->peers);
    raft_shell_free(raftd->shell);
    raft_log_close(raftd->log);
    free(raftd->folder);
    free(raftd);
}

void raft_add_status(void *state, cu_status_add *add, void *to)
{
    const struct raftd *raftd = state;
    struct raft_status status = status_of(raftd);
    add(to, "role", "%s", raft_role_name(status.role));
    add(to, "term", "%" PRIu64, status.term);
    add(to, "last_index", "%" PRIu64, status.last_index);
    add(to, "commit_index", "%" PRIu64, status.commit);
    add(to, "floor", "%" PRIu64, status.floor);
    add(to, "attached", "%s", status.is_attached ? "true" : "false");
    add(to, "refused", "%s", status.is_refused ? "true" : "false");
}
