#include "services/catalogd/io/proposals.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/catalogd/io/header.h"
#include "services/catalogd/io/pull.h"

enum { PROPOSE_TIMEOUT_MS = 10000 };

struct catalog_write {
    uint64_t tag;
    struct cu_buf body; /* packed Command */
    bool is_duty;
    uint64_t if_term;
    struct catalog_id ticket;
    catalog_on_written *on_written;
    void *arg;
};

struct catalog_writes {
    struct cu_map by_tag;
};

/* One proposal of the turn: the write's tag, or an Open when tag is 0. */
struct proposal {
    uint64_t tag, seq, applied_index;
    struct catalog_id proposer;
};

struct catalog_proposals {
    struct proposal *items;
    size_t count, cap;
};

/* A call under way and what it carries. */
struct propose {
    struct catalog_shell *shell;
    uint32_t count;
    uint64_t seqs[];
};

struct catalog_proposals *catalog_proposals_new(void)
{
    return cu_alloc(sizeof(struct catalog_proposals));
}

void catalog_proposals_free(struct catalog_proposals *proposals)
{
    if (!proposals)
        return;
    free(proposals->items);
    free(proposals);
}

void catalog_proposals_add(struct catalog_shell *shell, const struct catalog_action *act)
{
    struct catalog_proposals *all = shell->proposals;
    if (all->count == all->cap) {
        all->cap = all->cap ? all->cap * 2 : 64;
        all->items = cu_realloc(all->items, all->cap * sizeof(*all->items));
    }
    all->items[all->count++] = (struct proposal){act->kind == CATALOG_ACT_OPEN ? 0 : act->tag,
                                                 act->seq, act->applied_index, act->proposer};
    cu_loop_at_turn_end(shell->env->loop, &shell->hook);
}

/* ---- the answer ---- */

static void all_failed(struct propose *propose, enum cu_err err, struct catalog_event *event,
                       enum cu_err *errs)
{
    for (uint32_t i = 0; i < propose->count; i++)
        errs[i] = err;
    event->proposed.refused = propose->seqs;
    event->proposed.refused_err = errs;
    event->proposed.refused_count = propose->count;
}

static void some_refused(struct propose *propose, const Curia__Internal__V1__ProposeReply *reply,
                         struct catalog_event *event, uint64_t *seqs, enum cu_err *errs)
{
    uint32_t count = 0;
    for (size_t i = 0; i < reply->n_refusals && count < propose->count; i++) {
        seqs[count] = reply->refusals[i]->seq;
        errs[count++] = cu_err_from_wire(reply->refusals[i]->error);
    }
    event->proposed.refused = seqs;
    event->proposed.refused_err = errs;
    event->proposed.refused_count = count;
    event->proposed.lost = reply->lost;
    event->proposed.lost_count = (uint32_t)reply->n_lost;
}

static void on_proposed(void *arg, const struct cu_answer *answer)
{
    struct propose *propose = arg;
    struct catalog_shell *shell = propose->shell;
    const Curia__Internal__V1__ProposeReply *reply = (const void *)answer->message;
    struct catalog_event event = {.kind = CATALOG_EV_PROPOSED, .err = answer->err};
    uint64_t *seqs = cu_alloc((propose->count + 1) * sizeof(*seqs));
    enum cu_err *errs = cu_alloc((propose->count + 1) * sizeof(*errs));
    if (reply)
        some_refused(propose, reply, &event, seqs, errs);
    else /* what never left this host is in nobody's log */
        all_failed(propose,
                   answer->err == CU_E_DISCONNECTED && !answer->sent ? CU_E_NO_LEADER : answer->err,
                   &event, errs);
    cu_count(shell->count.refused, event.proposed.refused_count);
    catalog_shell_step(shell, &event);
    free(seqs);
    free(errs);
    free(propose);
}

/* ---- sending ---- */

static void open_body(const struct proposal *p, struct cu_buf *ret_body)
{
    Curia__Internal__V1__OpenProposer open = CURIA__INTERNAL__V1__OPEN_PROPOSER__INIT;
    open.proposer =
        (ProtobufCBinaryData){CATALOG_ID_BYTES, (uint8_t *)(uintptr_t)p->proposer.bytes};
    open.applied_index = p->applied_index;
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    command.open = &open;
    size_t len = curia__internal__v1__command__get_packed_size(&command);
    (void)curia__internal__v1__command__pack(&command, cu_buf_extend(ret_body, len));
}

struct turn {
    Curia__Internal__V1__Proposal wire[CATALOG_PROPOSE_COUNT], *lines[CATALOG_PROPOSE_COUNT];
    struct cu_buf open;
    size_t count, bytes;
    bool is_duty; /* of all in a call: one with a duty's in it is never forwarded (contracts 5.2) */
    struct propose *propose;
};

static void add_to_turn(struct turn *turn, const struct proposal *p, struct cu_bytes body,
                        const struct catalog_write *write)
{
    Curia__Internal__V1__Proposal *wire = &turn->wire[turn->count];
    curia__internal__v1__proposal__init(wire);
    wire->proposer =
        (ProtobufCBinaryData){CATALOG_ID_BYTES, (uint8_t *)(uintptr_t)p->proposer.bytes};
    wire->seq = p->seq;
    wire->level = CATALOG_LEVEL;
    wire->body = (ProtobufCBinaryData){body.len, (uint8_t *)(uintptr_t)body.data};
    if (write && write->is_duty) {
        wire->if_term = write->if_term;
        wire->ticket =
            (ProtobufCBinaryData){CATALOG_ID_BYTES, (uint8_t *)(uintptr_t)write->ticket.bytes};
    }
    turn->propose->seqs[turn->count] = p->seq;
    turn->lines[turn->count++] = wire;
    turn->bytes += body.len;
}

/* From `at`, as many as fit into one call; returns where the next call begins. */
static size_t send_some(struct catalog_shell *shell, struct turn *turn, size_t at)
{
    struct catalog_proposals *all = shell->proposals;
    turn->count = turn->bytes = 0;
    turn->is_duty = false;
    cu_buf_clear(&turn->open);
    turn->propose =
        cu_alloc(sizeof(*turn->propose) + CATALOG_PROPOSE_COUNT * sizeof(turn->propose->seqs[0]));
    for (; at < all->count && turn->count < CATALOG_PROPOSE_COUNT &&
           turn->bytes < CATALOG_PROPOSE_BYTES;
         at++) {
        const struct proposal *p = &all->items[at];
        if (p->tag == 0) {
            open_body(p, &turn->open);
            add_to_turn(turn, p, cu_buf_bytes(&turn->open), NULL);
            continue;
        }
        struct catalog_write *write = cu_map_get_u64(&shell->writes->by_tag, p->tag);
        if (!write)
            continue;
        if (turn->count > 0 && write->is_duty != turn->is_duty)
            break;
        turn->is_duty = write->is_duty;
        add_to_turn(turn, p, cu_buf_bytes(&write->body), write);
    }
    if (turn->count == 0) {
        free(turn->propose);
        return at;
    }
    turn->propose->shell = shell;
    turn->propose->count = (uint32_t)turn->count;
    Curia__Internal__V1__ProposeRequest in = CURIA__INTERNAL__V1__PROPOSE_REQUEST__INIT;
    in.proposals = turn->lines;
    in.n_proposals = turn->count;
    cu_count(shell->count.proposals, turn->count);
    cu_count(shell->count.proposed, 1);
    (void)cu_client_call(shell->raftd,
                         &(struct cu_call_spec){.service = &curia__internal__v1__log__descriptor,
                                                .method = "Propose",
                                                .in = &in.base,
                                                .timeout_ms = PROPOSE_TIMEOUT_MS},
                         on_proposed, turn->propose);
    return at;
}

void catalog_proposals_flush(struct catalog_shell *shell)
{
    struct catalog_proposals *all = shell->proposals;
    if (all->count == 0)
        return;
    struct turn *turn = cu_alloc(sizeof(*turn));
    for (size_t at = 0; at < all->count;)
        at = send_some(shell, turn, at);
    all->count = 0;
    cu_buf_deinit(&turn->open);
    free(turn);
}

/* ---- writes ---- */

struct catalog_writes *catalog_writes_new(void)
{
    return cu_alloc(sizeof(struct catalog_writes));
}

static void free_write(struct catalog_write *write)
{
    cu_buf_deinit(&write->body);
    free(write);
}

void catalog_writes_free(struct catalog_writes *writes)
{
    if (!writes)
        return;
    struct cu_bytes key;
    void *write;
    for (size_t at = 0; cu_map_next(&writes->by_tag, &at, &key, &write);) {
        struct catalog_write *open = write;
        open->on_written(open->arg, CU_E_UNKNOWN, NULL);
        free_write(open);
    }
    cu_map_deinit(&writes->by_tag);
    free(writes);
}

static enum cu_err check(const struct catalog_shell *shell, const struct catalog_write *write)
{
    if (write->body.len > CATALOG_ENTRY_BYTES_MAX)
        return CU_E_TOO_LARGE;
    if (shell->stopped || shell->is_stopping)
        return CU_E_NOT_READY;
    if (shell->is_unwritable) /* what it proposed now it could not answer */
        return catalog_taker_has_peer(shell->taker) ? CU_E_NOT_READY : CU_E_INTERNAL;
    return write->is_duty && !shell->duties.is_on ? CU_E_CONFLICT : CU_OK;
}

struct catalog_write *catalog_write_start(struct catalog_shell *shell,
                                          const Curia__Internal__V1__Command *command,
                                          struct cu_mono deadline, bool is_duty,
                                          catalog_on_written *on_written, void *arg)
{
    struct catalog_write *write = cu_alloc(sizeof(*write));
    *write = (struct catalog_write){.tag = ++shell->last_tag,
                                    .is_duty = is_duty,
                                    .if_term = shell->duty_term,
                                    .ticket = shell->duty_ticket,
                                    .on_written = on_written,
                                    .arg = arg};
    size_t len = curia__internal__v1__command__get_packed_size(command);
    (void)curia__internal__v1__command__pack(command, cu_buf_extend(&write->body, len));
    enum cu_err err = check(shell, write);
    if (err) {
        free_write(write);
        on_written(arg, err, NULL);
        return NULL;
    }
    uint64_t tag = write->tag;
    (void)cu_map_put_u64(&shell->writes->by_tag, tag, write);
    struct catalog_event event = {.kind = CATALOG_EV_WRITE,
                                  .tag = tag,
                                  .deadline = deadline,
                                  .ends_on_retry = command->n_checked > 0 && !is_duty};
    catalog_shell_step(shell, &event);
    return cu_map_get_u64(&shell->writes->by_tag, tag);
}

static void nobody(void *arg, enum cu_err err, const struct catalog_outcome *outcome)
{
}

/* The body is kept until WRITE_DONE: the machine may want to send it again. */
void catalog_write_let_go(struct catalog_shell *shell, struct catalog_write *write)
{
    write->on_written = nobody;
    write->arg = NULL;
    struct catalog_event event = {.kind = CATALOG_EV_WRITE_GONE, .tag = write->tag};
    catalog_shell_step(shell, &event);
}

void catalog_write_done(struct catalog_shell *shell, const struct catalog_action *act)
{
    struct catalog_write *write = cu_map_del_u64(&shell->writes->by_tag, act->tag);
    if (!write)
        return;
    write->on_written(write->arg, act->err, act->err == CU_OK ? &act->outcome : NULL);
    free_write(write);
}
