#include "services/catalogd/io/pull.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/hash.h"
#include "common/base/num.h"
#include "services/catalogd/io/copy.h"
#include "services/catalogd/io/header.h"
#include "services/catalogd/io/place.h"
#include "services/catalogd/io/scrub.h"
#include "services/catalogd/io/spool.h"

enum { CHUNK_AGAIN_MS = 250, PLACE_AGAIN_MS = 20, TIMEOUT_CONNECT_MS = 2000 };

#define STATE_SERVICE &curia__internal__v1__state__descriptor

struct catalog_taker {
    struct catalog_shell *shell;
    struct cu_worker *worker;
    struct cu_timer timer;
    struct cu_turn_hook place_hook;
    bool is_running, was_diverged, is_closing, has_gate, may_have_kept;
    size_t turn; /* which peer is asked next */

    struct cu_client *client;
    struct cu_call *call;
    char *address;
    struct catalog_id transfer, replaced;
    struct catalog_position position;
    uint64_t size_bytes, offset;
    int fd;
    unsigned tries;
    char *spool_path, *new_path;

    struct cu_job job;
    struct catalog_install install; /* the worker's while it runs */
};

/* ---- the end of a pull ---- */

static void clean(struct catalog_taker *taker)
{
    cu_timer_cancel(&taker->timer);
    if (taker->call)
        cu_call_cancel(taker->call);
    taker->call = NULL;
    cu_client_free(taker->client);
    taker->client = NULL;
    if (taker->fd >= 0) {
        (void)close(taker->fd);
        (void)unlink(taker->spool_path); /* if it stays, the next start removes it */
    }
    taker->fd = -1;
    if (taker->has_gate)
        catalog_readers_ungate(taker->shell->readers);
    taker->has_gate = false;
    taker->is_running = false;
}

static void failed(struct catalog_taker *taker, enum cu_err err, const char *text)
{
    cu_warn(taker->shell->env->log, "state.pull", "from=%s error=%s text=\"%s\"",
            taker->address ? taker->address : "", cu_err_name(err), text);
    clean(taker);
    catalog_shell_pulled(taker->shell, err);
}

/* ---- putting it in place ---- */

static enum cu_err between(void *arg, struct cu_diag *diag)
{
    struct catalog_taker *taker = arg;
    const struct catalog_shell *shell = taker->shell;
    if (shell->wrong[0]) { /* what shows how it came about stays */
        enum cu_err err = catalog_place_damaged(shell->folder, diag);
        return err ? err : catalog_place(shell->folder, taker->new_path, NULL, diag);
    }
    return catalog_place(shell->folder, taker->new_path,
                         taker->was_diverged ? &taker->replaced : NULL, diag);
}

/* At the end of a turn, when nothing of the old state is in use any more. */
static void put_in_place(void *arg)
{
    struct catalog_taker *taker = arg;
    struct catalog_shell *shell = taker->shell;
    struct cu_diag diag = {0};
    bool is_quiet = catalog_scrub_quiesce(shell->scrub);
    if (!is_quiet || !catalog_applier_is_idle(shell->applier) ||
        catalog_giver_is_copying(shell->giver)) {
        cu_timer_set_ms(&taker->timer, PLACE_AGAIN_MS);
        return;
    }
    taker->replaced = catalog_shell_facts(shell)->position.cluster;
    enum cu_err err = catalog_shell_reopen(shell, between, taker, &diag);
    if (err || !shell->applier || !shell->checkpoints) {
        cu_env_fail(shell->env, "cannot take over the state that was pulled: %s", diag.text);
        return;
    }
    taker->may_have_kept = taker->was_diverged;
    cu_info(shell->env->log, "state.installed", "from=%s index=%llu bytes=%llu", taker->address,
            (unsigned long long)catalog_shell_facts(shell)->position.index,
            (unsigned long long)taker->size_bytes);
    clean(taker);
    catalog_shell_pulled(shell, CU_OK);
}

static void nobody_reads(void *arg)
{
    struct catalog_taker *taker = arg;
    cu_loop_at_turn_end(taker->shell->env->loop, &taker->place_hook);
}

static void close_readers(struct catalog_taker *taker)
{
    if (catalog_readers_is_gated(taker->shell->readers)) { /* by a checkpoint, for a moment */
        cu_timer_set_ms(&taker->timer, PLACE_AGAIN_MS);
        return;
    }
    taker->has_gate = true;
    catalog_readers_gate(taker->shell->readers, nobody_reads, taker);
}

static void run_install(void *arg)
{
    struct catalog_taker *taker = arg;
    catalog_install_run(&taker->install);
}

static void installed(void *arg)
{
    struct catalog_taker *taker = arg;
    if (taker->is_closing)
        return;
    if (taker->install.err)
        failed(taker, taker->install.err, taker->install.diag.text);
    else
        close_readers(taker);
}

/* ---- fetching ---- */

static void fetch(struct catalog_taker *taker);

/* Whether the giver heard it makes no difference to us. */
static void told(void *arg, const struct cu_answer *answer)
{
}

static void fetched_all(struct catalog_taker *taker)
{
    Curia__Internal__V1__StateDoneRequest in = CURIA__INTERNAL__V1__STATE_DONE_REQUEST__INIT;
    in.transfer = (ProtobufCBinaryData){CATALOG_ID_BYTES, taker->transfer.bytes};
    (void)cu_client_call(taker->client,
                         &(struct cu_call_spec){.service = STATE_SERVICE,
                                                .method = "Done",
                                                .in = &in.base,
                                                .timeout_ms = CATALOG_CHUNK_TIMEOUT_MS},
                         told, NULL);
    taker->install.path = taker->new_path;
    taker->install.fd = taker->fd;
    cu_worker_submit(taker->worker, &taker->job);
}

static void try_again(struct catalog_taker *taker, enum cu_err err, const char *text)
{
    bool is_passing = err == CU_E_DISCONNECTED || err == CU_E_DEADLINE || err == CU_E_OVERLOADED;
    if (!is_passing || ++taker->tries > CATALOG_CHUNK_TRIES)
        failed(taker, err, text);
    else
        cu_timer_set_ms(&taker->timer, CHUNK_AGAIN_MS);
}

static enum cu_err keep_chunk(struct catalog_taker *taker,
                              const Curia__Internal__V1__StateChunkReply *reply)
{
    uint64_t left = taker->size_bytes - taker->offset;
    if (reply->data.len == 0 || reply->data.len > left ||
        cu_crc32c(0, reply->data.data, reply->data.len) != reply->crc32c)
        return CU_E_CORRUPT;
    ssize_t n = pwrite(taker->fd, reply->data.data, reply->data.len, (off_t)taker->offset);
    if (n != (ssize_t)reply->data.len)
        return CU_E_IO;
    taker->offset += reply->data.len;
    taker->tries = 0;
    return CU_OK;
}

static void on_chunk(void *arg, const struct cu_answer *answer)
{
    struct catalog_taker *taker = arg;
    taker->call = NULL;
    if (answer->err) {
        try_again(taker, answer->err, answer->text);
        return;
    }
    enum cu_err err = keep_chunk(taker, (const void *)answer->message);
    if (err)
        failed(taker, err, "a chunk cannot be used");
    else
        fetch(taker);
}

static void fetch(struct catalog_taker *taker)
{
    if (taker->offset == taker->size_bytes) {
        fetched_all(taker);
        return;
    }
    Curia__Internal__V1__StateChunkRequest in = CURIA__INTERNAL__V1__STATE_CHUNK_REQUEST__INIT;
    in.transfer = (ProtobufCBinaryData){CATALOG_ID_BYTES, taker->transfer.bytes};
    in.offset = taker->offset;
    taker->call = cu_client_call(taker->client,
                                 &(struct cu_call_spec){.service = STATE_SERVICE,
                                                        .method = "Chunk",
                                                        .in = &in.base,
                                                        .timeout_ms = CATALOG_CHUNK_TIMEOUT_MS},
                                 on_chunk, taker);
}

/* ---- the offer ---- */

static enum cu_err make_files(struct catalog_taker *taker)
{
    char path[4096], name[CU_UUID_BYTES];
    cu_format_uuid(taker->transfer.bytes, name);
    (void)snprintf(path, sizeof(path), "%s/" CATALOG_PULL_PREFIX "%s", taker->shell->folder, name);
    free(taker->spool_path);
    taker->spool_path = cu_strdup(path);
    (void)snprintf(path, sizeof(path), "%s/" CATALOG_PULL_PREFIX "%s.db", taker->shell->folder,
                   name);
    free(taker->new_path);
    taker->new_path = cu_strdup(path);
    taker->fd = open(taker->spool_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return taker->fd < 0 ? CU_E_IO : CU_OK;
}

static bool is_of_log(const struct catalog_shell *shell, const struct catalog_id *cluster)
{
    return catalog_id_is_none(&shell->log_cluster) ||
           catalog_id_equal(cluster, &shell->log_cluster) ||
           (!catalog_id_is_none(cluster) && catalog_id_equal(cluster, &shell->log_prior));
}

static void take_offer(struct catalog_taker *taker,
                       const Curia__Internal__V1__StateOfferReply *reply)
{
    struct catalog_position local = catalog_shell_facts(taker->shell)->position;
    taker->position = catalog_position_of(reply->header ? reply->header->position : NULL);
    taker->transfer = catalog_id_of(reply->transfer);
    taker->size_bytes = reply->size_bytes;
    taker->offset = 0;
    taker->tries = 0;
    taker->install = (struct catalog_install){0};
    struct cu_reader hash =
        cu_reader_of((struct cu_bytes){reply->state_hash.data, reply->state_hash.len});
    taker->install.hash.lo = cu_read_u64le(&hash);
    taker->install.hash.hi = cu_read_u64le(&hash);
    if (!is_of_log(taker->shell, &taker->position.cluster))
        failed(taker, CU_E_CONFLICT, "the state offered is of another cluster");
    else if (!taker->was_diverged && taker->position.index <= local.index)
        failed(taker, CU_E_CONFLICT, "the state offered is not newer than the own one");
    else if (hash.failed || taker->size_bytes > CATALOG_STATE_BYTES_MAX)
        failed(taker, CU_E_INVALID, "the offer is malformed");
    else if (make_files(taker) != CU_OK)
        failed(taker, CU_E_IO, strerror(errno));
    else
        fetch(taker);
}

static void on_offer(void *arg, const struct cu_answer *answer)
{
    struct catalog_taker *taker = arg;
    taker->call = NULL;
    if (answer->err)
        failed(taker, answer->err, answer->text);
    else
        take_offer(taker, (const void *)answer->message);
}

static void ask(struct catalog_taker *taker)
{
    Curia__Internal__V1__StateOfferRequest in = CURIA__INTERNAL__V1__STATE_OFFER_REQUEST__INIT;
    cu_timer_cancel(&taker->timer);
    taker->call = cu_client_call(taker->client,
                                 &(struct cu_call_spec){.service = STATE_SERVICE,
                                                        .method = "Offer",
                                                        .in = &in.base,
                                                        .timeout_ms = CATALOG_OFFER_TIMEOUT_MS},
                                 on_offer, taker);
}

static void on_state(void *arg, struct cu_client *client, bool is_up)
{
    struct catalog_taker *taker = arg;
    if (is_up && !taker->call && taker->fd < 0)
        ask(taker);
}

/* One timer for whatever the pull waits for. */
static void on_timer(void *arg)
{
    struct catalog_taker *taker = arg;
    if (taker->has_gate)
        cu_loop_at_turn_end(taker->shell->env->loop, &taker->place_hook);
    else if (taker->fd < 0)
        failed(taker, CU_E_DISCONNECTED, "the peer cannot be reached");
    else if (taker->offset < taker->size_bytes)
        fetch(taker);
    else
        close_readers(taker);
}

/* The peers but this one, and for a reader the catalogd its raftd is attached to. */
static const char *next_peer(struct catalog_taker *taker)
{
    const struct catalog_conf *conf = &taker->shell->conf;
    char own[300];
    (void)snprintf(own, sizeof(own), "%s:%d", taker->shell->env->advertise_address, conf->port);
    size_t extra = taker->shell->attached_address ? 1 : 0;
    size_t count = conf->peer_count + extra;
    for (size_t tried = 0; tried < count; tried++) {
        size_t at = taker->turn++ % count;
        const char *address =
            at < conf->peer_count ? conf->peers[at].address : taker->shell->attached_address;
        if (strcmp(address, own) != 0)
            return address;
    }
    return NULL;
}

bool catalog_taker_has_peer(struct catalog_taker *taker)
{
    size_t turn = taker->turn;
    bool has_peer = next_peer(taker) != NULL;
    taker->turn = turn;
    return has_peer;
}

void catalog_taker_start(struct catalog_taker *taker, bool was_diverged)
{
    CU_ASSERT(!taker->is_running);
    taker->is_running = true;
    taker->was_diverged = was_diverged;
    const char *address = next_peer(taker);
    free(taker->address);
    taker->address = address ? cu_strdup(address) : NULL;
    cu_timer_set_ms(&taker->timer, TIMEOUT_CONNECT_MS); /* without a peer that is the pause */
    if (!address)
        return;
    cu_info(taker->shell->env->log, "state.pull", "from=%s diverged=%s", address,
            was_diverged ? "true" : "false");
    char url[300];
    (void)snprintf(url, sizeof(url), "tcp://%s", address);
    taker->client = cu_client_new(taker->shell->env->rpc, url, on_state, taker);
}

/* ---- life ---- */

void catalog_taker_tidy(struct catalog_taker *taker)
{
    if (!taker || !taker->may_have_kept)
        return;
    taker->may_have_kept = false;
    catalog_place_forget(taker->shell->folder);
}

struct catalog_taker *catalog_taker_new(struct catalog_shell *shell)
{
    struct catalog_taker *taker = cu_alloc(sizeof(*taker));
    taker->shell = shell;
    taker->fd = -1;
    taker->may_have_kept = true; /* by an earlier life */
    taker->job = (struct cu_job){.run = run_install, .done = installed, .arg = taker};
    taker->place_hook = (struct cu_turn_hook){.fn = put_in_place, .arg = taker};
    cu_timer_init(&taker->timer, shell->env->loop, on_timer, taker);
    taker->worker = cu_worker_new(shell->env->loop, "install");
    return taker;
}

void catalog_taker_free(struct catalog_taker *taker)
{
    if (!taker)
        return;
    taker->is_closing = true;
    cu_worker_free(taker->worker);
    cu_turn_hook_cancel(taker->shell->env->loop, &taker->place_hook);
    clean(taker);
    cu_timer_close(&taker->timer);
    free(taker->address);
    free(taker->spool_path);
    free(taker->new_path);
    free(taker);
}
