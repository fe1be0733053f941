#include "services/catalogd/io/raftd.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/endpoint.h"
#include "services/catalogd/io/gossip.h"
#include "services/catalogd/io/callers.h"
#include "services/catalogd/io/header.h"
#include "services/catalogd/io/proposals.h"

enum {
    CALL_TIMEOUT_MS = 10000,
    FOLLOW_SLACK_MS = 5000,
    READ_INDEX_TIMEOUT_MS = 7000,
    DUTY_WAIT_MS = 500,
    DUTY_TIMEOUT_MS = 2000,
    FOLLOW_ARENA_BYTES = 16 * 1024 * 1024, /* an answer, unpacked: its entries may be tiny */
};

#define LOG_SERVICE &curia__internal__v1__log__descriptor

static void call(struct catalog_shell *shell, const char *method, const ProtobufCMessage *in,
                 uint32_t timeout_ms, bool raw, cu_on_answer *on_answer)
{
    (void)cu_client_call(shell->raftd,
                         &(struct cu_call_spec){.service = LOG_SERVICE,
                                                .method = method,
                                                .in = in,
                                                .timeout_ms = timeout_ms,
                                                .raw = raw},
                         on_answer, shell);
}

/* ---- Attach ---- */

/* Dialled at once, so that the first write finds the connection up. */
static void keep_attached_address(struct catalog_shell *shell, const char *address)
{
    if (shell->conf.follow[0] == '\0' || !address || address[0] == '\0')
        return;
    if (shell->attached_address && strcmp(shell->attached_address, address) == 0)
        return;
    free(shell->attached_address);
    shell->attached_address = cu_strdup(address);
    cu_client_free(shell->attached);
    char url[300];
    (void)snprintf(url, sizeof(url), "tcp://%s", address);
    shell->attached = cu_client_new(shell->env->rpc, url, NULL, NULL);
}

static void on_attached(void *arg, const struct cu_answer *answer)
{
    struct catalog_shell *shell = arg;
    const Curia__Internal__V1__AttachReply *reply = (const void *)answer->message;
    struct catalog_event event = {.kind = CATALOG_EV_ATTACHED, .err = answer->err};
    if (reply) {
        event.attached.adopted = reply->adopted;
        event.attached.cluster = catalog_id_of(reply->cluster_id);
        keep_attached_address(shell, reply->attached_address);
        if (reply->adopted)
            cu_info(shell->env->log, "state.adopted", "floor=%llu",
                    (unsigned long long)reply->floor);
    } else if (answer->err != CU_E_DISCONNECTED) {
        cu_log_limited(shell->env->log, &shell->attach_limit, CU_LOG_WARN, "raftd.attach",
                       "error=%s text=\"%s\"", cu_err_name(answer->err), answer->text);
    }
    catalog_shell_step(shell, &event);
}

void catalog_raftd_attach(struct catalog_shell *shell)
{
    Curia__Internal__V1__AttachRequest in = CURIA__INTERNAL__V1__ATTACH_REQUEST__INIT;
    struct cu_bytes packed = cu_buf_bytes(&shell->durable_header);
    in.durable = curia__internal__v1__state_header__unpack(NULL, packed.len, packed.data);
    char address[CU_ENDPOINT_BYTES];
    (void)cu_endpoint_text(shell->env->advertise_address, (unsigned)shell->conf.port, address);
    in.bus_address = address;
    in.feature_level = CU_FEATURE_LEVEL;
    in.reader = shell->conf.follow[0] != '\0';
    call(shell, "Attach", &in.base, CALL_TIMEOUT_MS, false, on_attached);
    curia__internal__v1__state_header__free_unpacked(in.durable, NULL);
}

/* ---- Follow ---- */

static bool is_in_lineage(const Curia__Internal__V1__FollowReply *reply,
                          const struct catalog_id *cluster)
{
    struct catalog_id own = catalog_id_of(reply->cluster_id);
    if (catalog_id_equal(&own, cluster))
        return true;
    for (size_t i = 0; i < reply->n_lineage; i++) {
        struct catalog_id earlier = catalog_id_of(reply->lineage[i]->cluster_id);
        if (catalog_id_equal(&earlier, cluster))
            return true;
    }
    return false;
}

/* The wire's number as ours; one that this build does not know is nothing to act on. */
static enum catalog_follow outcome_of(unsigned wire, size_t entries)
{
    static const enum catalog_follow outcomes[] = {CATALOG_NOTHING, CATALOG_ENTRIES,
                                                   CATALOG_COMPACTED, CATALOG_DIVERGED};
    enum catalog_follow outcome = wire < CU_COUNT(outcomes) ? outcomes[wire] : CATALOG_NOTHING;
    return outcome == CATALOG_ENTRIES && entries == 0 ? CATALOG_NOTHING : outcome;
}

static struct catalog_position last_of(const Curia__Internal__V1__FollowReply *reply)
{
    const Curia__Internal__V1__Entry *last = reply->entries[reply->n_entries - 1];
    return (struct catalog_position){catalog_id_of(reply->cluster_id), last->index, last->term};
}

/* Entries follow each other and the cursor; anything else is not to be applied. */
static bool is_in_order(const struct catalog_shell *shell,
                        const Curia__Internal__V1__FollowReply *reply)
{
    uint64_t at = shell->replica_cursor;
    for (size_t i = 0; i < reply->n_entries; i++)
        if (reply->entries[i]->index != ++at)
            return false;
    return true;
}

static void note_target(struct catalog_shell *shell, uint64_t upto)
{
    if (shell->knows_target)
        return;
    shell->knows_target = true;
    shell->ready_index = upto;
}

static void take_reply(struct catalog_shell *shell, const Curia__Internal__V1__FollowReply *reply,
                       struct catalog_event *event)
{
    event->followed.outcome = outcome_of(reply->outcome, reply->n_entries);
    event->followed.upto = reply->upto;
    event->followed.cluster = shell->log_cluster = catalog_id_of(reply->cluster_id);
    shell->log_prior = event->followed.outcome == CATALOG_COMPACTED && reply->n_lineage
                           ? catalog_id_of(reply->lineage[0]->cluster_id)
                           : (struct catalog_id){{0}};
    note_target(shell, reply->upto);
    keep_attached_address(shell, reply->attached_address);
    if (!catalog_id_is_none(&event->followed.cluster))
        cu_rpc_set_cluster_id(shell->env->rpc, event->followed.cluster.bytes, false);
    if (event->followed.outcome == CATALOG_DIVERGED)
        event->followed.is_own_lineage = is_in_lineage(reply, &shell->replica_cluster);
    if (event->followed.outcome != CATALOG_ENTRIES)
        return;
    if (!is_in_order(shell, reply)) {
        event->err = CU_E_INTERNAL;
        cu_error(shell->env->log, "raftd.follow",
                 "error=\"entries out of order\" after=%llu first=%llu",
                 (unsigned long long)shell->replica_cursor,
                 (unsigned long long)reply->entries[0]->index);
        return;
    }
    event->followed.last = last_of(reply);
}

static void on_followed(void *arg, const struct cu_answer *answer)
{
    struct catalog_shell *shell = arg;
    struct catalog_event event = {.kind = CATALOG_EV_FOLLOWED, .err = answer->err};
    struct cu_arena *arena = NULL;
    const Curia__Internal__V1__FollowReply *reply = NULL;
    if (answer->err == CU_OK) {
        arena = cu_arena_new(FOLLOW_ARENA_BYTES);
        reply = curia__internal__v1__follow_reply__unpack(cu_arena_allocator(arena),
                                                          answer->body.len, answer->body.data);
        if (reply)
            take_reply(shell, reply, &event);
        else
            event.err = CU_E_INTERNAL;
    }
    shell->followed = arena;
    shell->followed_reply = reply;
    catalog_shell_step(shell, &event); /* APPLY takes the arena */
    cu_arena_free(shell->followed);
    shell->followed = NULL;
}

void catalog_raftd_follow(struct catalog_shell *shell, const struct catalog_action *act)
{
    Curia__Internal__V1__FollowRequest in = CURIA__INTERNAL__V1__FOLLOW_REQUEST__INIT;
    Curia__Internal__V1__Position after, durable;
    catalog_position_to_wire(&act->after, &after);
    catalog_position_to_wire(&act->durable, &durable);
    in.after = &after;
    in.durable = &durable;
    in.wait_ms = act->wait_ms;
    in.max_bytes = CATALOG_FOLLOW_BYTES;
    shell->replica_cursor = act->after.index;
    shell->replica_cluster = act->after.cluster;
    call(shell, "Follow", &in.base, act->wait_ms + FOLLOW_SLACK_MS, true, on_followed);
}

/* ---- ReadIndex ---- */

struct round {
    struct catalog_shell *shell;
    uint64_t number;
};

static void on_read_index(void *arg, const struct cu_answer *answer)
{
    struct round *round = arg;
    struct catalog_shell *shell = round->shell;
    const Curia__Internal__V1__ReadIndexReply *reply = (const void *)answer->message;
    struct catalog_event event = {
        .kind = CATALOG_EV_READ_INDEX, .tag = round->number, .err = answer->err};
    if (reply) {
        event.read.index = reply->index;
        event.read.term = reply->term;
    }
    free(round);
    catalog_shell_step(shell, &event);
}

void catalog_raftd_read_index(struct catalog_shell *shell, const struct catalog_action *act)
{
    Curia__Internal__V1__ReadIndexRequest in = CURIA__INTERNAL__V1__READ_INDEX_REQUEST__INIT;
    in.mode = act->mode == CATALOG_READ_CONSISTENT ? CURIA__INTERNAL__V1__READ_MODE__READ_CONSISTENT
                                                   : CURIA__INTERNAL__V1__READ_MODE__READ_DEFAULT;
    struct round *round = cu_alloc(sizeof(*round));
    *round = (struct round){shell, act->tag};
    cu_count(shell->count.rounds, 1);
    (void)cu_client_call(shell->raftd,
                         &(struct cu_call_spec){.service = LOG_SERVICE,
                                                .method = "ReadIndex",
                                                .in = &in.base,
                                                .timeout_ms = READ_INDEX_TIMEOUT_MS},
                         on_read_index, round);
}

/* ---- Duty, Hold ---- */

static void on_duty(void *arg, const struct cu_answer *answer)
{
    struct catalog_shell *shell = arg;
    const Curia__Internal__V1__DutyReply *reply = (const void *)answer->message;
    struct catalog_event event = {.kind = CATALOG_EV_DUTY, .err = answer->err};
    if (reply) {
        event.duty.on = reply->on;
        event.duty.term = reply->term;
        event.duty.noop_index = reply->noop_index;
        event.duty.ticket = catalog_id_of(reply->ticket);
    }
    catalog_shell_step(shell, &event);
}

void catalog_raftd_duty(struct catalog_shell *shell, const struct catalog_action *act)
{
    Curia__Internal__V1__DutyRequest in = CURIA__INTERNAL__V1__DUTY_REQUEST__INIT;
    if (!catalog_id_is_none(&act->ticket))
        in.ticket =
            (ProtobufCBinaryData){CATALOG_ID_BYTES, (uint8_t *)(uintptr_t)act->ticket.bytes};
    in.wait_ms = DUTY_WAIT_MS;
    in.gossip_well = catalog_gossip_is_well(shell->gossip);
    in.apply_well = !shell->stopped;
    call(shell, "Duty", &in.base, DUTY_TIMEOUT_MS, false, on_duty);
}

static void on_held(void *arg, const struct cu_answer *answer)
{
    struct catalog_shell *shell = arg;
    if (answer->err != CU_OK)
        cu_warn(shell->env->log, "raftd.hold", "error=%s", cu_err_name(answer->err));
}

void catalog_raftd_hold(struct catalog_shell *shell, uint64_t index, uint32_t ttl_ms)
{
    Curia__Internal__V1__HoldRequest in = CURIA__INTERNAL__V1__HOLD_REQUEST__INIT;
    in.index = index;
    in.ttl_ms = ttl_ms;
    call(shell, "Hold", &in.base, CALL_TIMEOUT_MS, false, on_held);
}

/* ---- Status: how old stale reads are ---- */

static void on_status(void *arg, const struct cu_answer *answer)
{
    struct catalog_shell *shell = arg;
    const Curia__Internal__V1__LogStatusReply *reply = (const void *)answer->message;
    if (reply) {
        shell->log_status = (struct catalog_log_status){
            .at = cu_loop_now(shell->env->loop),
            .known_leader = reply->leader_id[0] != '\0',
            .is_leader = strcmp(reply->role, "leader") == 0,
            .last_contact_ms = reply->last_contact_ms,
        };
        /* Longer ones are none of ours. */
        (void)snprintf(shell->log_status.leader_id, sizeof shell->log_status.leader_id, "%s",
                       reply->leader_id);
        (void)snprintf(shell->log_status.leader_address, sizeof shell->log_status.leader_address,
                       "%s", reply->leader_address);
        catalog_callers_note(shell, reply);
    } else {
        shell->log_status.known_leader = false;
    }
    cu_timer_set_ms(&shell->status_timer,
                    shell->log_status.known_leader ? CATALOG_STATUS_MS : CATALOG_STATUS_SOON_MS);
}

static void ask_status(void *arg)
{
    struct catalog_shell *shell = arg;
    Curia__Internal__V1__LogStatusRequest in = CURIA__INTERNAL__V1__LOG_STATUS_REQUEST__INIT;
    call(shell, "Status", &in.base, CALL_TIMEOUT_MS, false, on_status);
}

uint64_t catalog_raftd_contact_ms(const struct catalog_shell *shell, bool *ret_known)
{
    const struct catalog_log_status *status = &shell->log_status;
    *ret_known = status->known_leader;
    uint64_t since_ms = cu_mono_ms_between(status->at, cu_loop_now(shell->env->loop));
    if (status->is_leader && since_ms <= 2 * CATALOG_STATUS_MS)
        return 0;
    uint64_t contact_ms = status->last_contact_ms > 0 ? (uint64_t)status->last_contact_ms : 0;
    return contact_ms + since_ms;
}

/* ---- the connection ---- */

static void on_state(void *arg, struct cu_client *client, bool is_up)
{
    struct catalog_shell *shell = arg;
    cu_info(shell->env->log, is_up ? "raftd.connected" : "raftd.lost", "url=%s",
            cu_client_url(client));
    struct catalog_event event = {.kind = is_up ? CATALOG_EV_CONNECTED : CATALOG_EV_DISCONNECTED};
    catalog_shell_step(shell, &event);
}

static char *url_of(const struct catalog_shell *shell)
{
    if (shell->conf.follow[0] == '\0')
        return cu_env_local_url(shell->env, "raftd");
    char url[300];
    (void)snprintf(url, sizeof(url), "tcp://%s", shell->conf.follow);
    return cu_strdup(url);
}

void catalog_raftd_open(struct catalog_shell *shell)
{
    char *url = url_of(shell);
    /* a raftd elsewhere knows its readers by their addresses (contracts 2.3, 3.8) */
    cu_rpc_set_source_address(shell->env->rpc, shell->env->bind_address);
    shell->raftd = cu_client_new(shell->env->rpc, url, on_state, shell);
    free(url);
    cu_timer_init(&shell->status_timer, shell->env->loop, ask_status, shell);
    cu_timer_set_ms(&shell->status_timer, 1);
}

void catalog_raftd_close(struct catalog_shell *shell)
{
    if (!shell->raftd)
        return;
    struct cu_client *raftd = shell->raftd;
    shell->raftd = NULL;
    cu_client_free(raftd); /* answers what is open, and such an answer sets the timer */
    cu_client_free(shell->attached);
    shell->attached = NULL;
    cu_timer_close(&shell->status_timer);
}
