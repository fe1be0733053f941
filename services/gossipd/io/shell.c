#include "services/gossipd/io/shell.h"

#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/assert.h"
#include "common/base/map.h"
#include "common/base/random.h"
#include "services/gossipd/core/packet.h"
#include "services/gossipd/io/file.h"
#include "services/gossipd/io/streams.h"
#include "services/gossipd/io/udp.h"

/* The lists of a whole packet, doubled on their way, and what it expands to. */
enum { SHELL_ARENA_BYTES = 512 * 1024 };

struct command {
    gossip_on_done *on_done;
    void *arg;
};

struct gossip_shell {
    struct gossip_shell_options options;
    struct gossip *core;
    struct gossip_udp *udp;
    struct gossip_streams *streams;
    struct gossip_file *file;
    struct cu_turn_hook hook;
    struct cu_timer timer;
    struct cu_mono timer_at; /* NEVER: not set */
    struct gossip_actions made, doing;
    struct cu_arena *arena; /* of the packet being read */
    struct cu_buf inside, packet;
    struct cu_map commands; /* tag -> struct command */
    uint64_t last_tag;
    struct cu_counter *bad_packets, *truncated, *malformed;
    struct cu_log_limit limit;
};

/* ---- events ---- */

/* What a record shows of its member is good until the next step, and several steps make a turn. */
static void tell_records(struct gossip_shell *shell, uint32_t from)
{
    const struct gossip_shell_out *out = &shell->options.out;
    for (uint32_t i = from; i < shell->made.count; i++) {
        const struct gossip_action *action = &shell->made.items[i];
        if (action->kind == GOSSIP_ACT_MEMBER)
            out->member(out->context, action->member.change, &action->member.view);
    }
}

static void step(struct gossip_shell *shell, struct gossip_event *event)
{
    uint32_t before = shell->made.count;
    event->now = cu_mono_now();
    event->wall_ms = cu_wall_ms();
    gossip_step(shell->core, event, &shell->made);
    tell_records(shell, before);
    cu_loop_at_turn_end(shell->options.loop, &shell->hook);
}

static void on_packet(void *context, struct gossip_addr from, struct cu_bytes datagram)
{
    struct gossip_shell *shell = context;
    struct gossip_packet packet;
    cu_arena_reset(shell->arena);
    if (gossip_packet_decode(datagram, shell->arena, &packet)) {
        cu_count(shell->bad_packets, 1);
        return;
    }
    cu_count(shell->truncated, packet.truncated);
    cu_count(shell->malformed, packet.malformed);
    if (packet.count)
        step(shell, &(struct gossip_event){.kind = GOSSIP_EV_PACKET,
                                           .from = from,
                                           .packet = {packet.messages, packet.count}});
}

static void on_asked(void *context, uint64_t call, struct gossip_addr from,
                     const struct gossip_message *message)
{
    step(context,
         &(struct gossip_event){
             .kind = GOSSIP_EV_STREAM_REQUEST, .from = from, .tag = call, .stream = message});
}

static void on_replied(void *context, uint64_t exchange, const struct gossip_message *message)
{
    step(context, &(struct gossip_event){
                      .kind = GOSSIP_EV_STREAM_REPLY, .tag = exchange, .stream = message});
}

static void on_failed(void *context, uint64_t exchange, const char *why)
{
    step(context,
         &(struct gossip_event){.kind = GOSSIP_EV_STREAM_FAILED, .tag = exchange, .failure = why});
}

static void on_timer(void *arg)
{
    struct gossip_shell *shell = arg;
    shell->timer_at = CU_MONO_NEVER;
    step(shell, &(struct gossip_event){.kind = GOSSIP_EV_TICK});
}

uint64_t gossip_shell_command(struct gossip_shell *shell, struct gossip_event *event,
                              gossip_on_done *on_done, void *arg)
{
    struct command *command = cu_alloc(sizeof *command);
    *command = (struct command){on_done, arg};
    event->tag = ++shell->last_tag;
    void *old = cu_map_put_u64(&shell->commands, event->tag, command);
    CU_ASSERT(!old); /* tags are new */
    step(shell, event);
    return event->tag;
}

void gossip_shell_forget(struct gossip_shell *shell, uint64_t tag)
{
    free(cu_map_del_u64(&shell->commands, tag));
}

/* ---- actions ---- */

static void send_packet(struct gossip_shell *shell, const struct gossip_outgoing *outgoing)
{
    struct gossip_wrap wrap = {outgoing->with_crc, shell->options.compress};
    cu_buf_clear(&shell->inside);
    cu_buf_clear(&shell->packet);
    gossip_packet_join(&shell->inside, outgoing->parts, outgoing->part_count);
    gossip_packet_wrap(&shell->packet, cu_buf_bytes(&shell->inside), wrap);
    if (gossip_udp_send(shell->udp, outgoing->to, cu_buf_bytes(&shell->packet)) == CU_E_IO)
        step(shell, &(struct gossip_event){.kind = GOSSIP_EV_SEND_FAILED, .from = outgoing->to});
}

static struct cu_bytes bytes_of(const struct cu_buf *buf)
{
    return buf ? cu_buf_bytes(buf) : (struct cu_bytes){0};
}

static void finish_command(struct gossip_shell *shell, const struct gossip_action *action)
{
    struct command *command = cu_map_del_u64(&shell->commands, action->done.tag);
    if (command)
        command->on_done(command->arg, action->done.err, action->done.count, action->done.text);
    free(command);
}

static void perform(struct gossip_shell *shell, const struct gossip_action *action)
{
    const struct gossip_shell_out *out = &shell->options.out;
    switch (action->kind) {
    case GOSSIP_ACT_PACKET:
        send_packet(shell, action->packet);
        break;
    case GOSSIP_ACT_DIAL:
        gossip_streams_dial(shell->streams, action->dial.exchange, action->dial.to,
                            action->dial.timeout_ms, bytes_of(action->dial.bytes));
        break;
    case GOSSIP_ACT_ANSWER:
        gossip_streams_answer(shell->streams, action->answer.call, bytes_of(action->answer.bytes));
        break;
    case GOSSIP_ACT_MEMBER: /* told already */
        break;
    case GOSSIP_ACT_SNAPSHOT:
        gossip_file_append(shell->file, action->snapshot.line, action->snapshot.sync);
        break;
    case GOSSIP_ACT_DONE:
        finish_command(shell, action);
        break;
    case GOSSIP_ACT_NOTE:
        out->note(out->context, action);
        break;
    case GOSSIP_ACTION_COUNT:
        CU_ASSERT(action->kind != GOSSIP_ACTION_COUNT);
    }
}

/* Performing may make more, so the lists change places. */
static void perform_made(struct gossip_shell *shell)
{
    while (shell->made.count) {
        struct gossip_actions doing = shell->made;
        shell->made = shell->doing;
        shell->doing = doing;
        for (uint32_t i = 0; i < doing.count; i++)
            perform(shell, &doing.items[i]);
        gossip_actions_clear(&shell->doing);
    }
}

static void compact_if_long(struct gossip_shell *shell)
{
    if (gossip_file_bytes(shell->file) <= gossip_snapshot_limit(shell->core) ||
        !gossip_file_may_rewrite(shell->file))
        return;
    struct cu_buf whole = {0};
    gossip_snapshot_write(shell->core, &whole);
    gossip_file_rewrite(shell->file, &whole);
}

/* A timer that fires early costs one idle tick; re-arming it each turn costs more. */
static void arm(struct gossip_shell *shell)
{
    struct cu_mono at = gossip_next_deadline(shell->core);
    if (!cu_mono_before(at, shell->timer_at))
        return;
    shell->timer_at = at;
    cu_timer_set_at(&shell->timer, shell->options.loop, at);
}

static void end_turn(void *arg)
{
    struct gossip_shell *shell = arg;
    perform_made(shell);
    compact_if_long(shell);
    arm(shell);
    shell->options.out.moved(shell->options.out.context);
}

const struct gossip *gossip_shell_core(const struct gossip_shell *shell)
{
    return shell->core;
}

/* ---- life ---- */

static enum cu_err open_sockets(struct gossip_shell *shell, struct cu_diag *diag)
{
    const struct gossip_shell_options *options = &shell->options;
    enum cu_err err = gossip_udp_open(&(struct gossip_udp_options){.loop = options->loop,
                                                                   .metrics = options->metrics,
                                                                   .bind = options->bind,
                                                                   .context = shell,
                                                                   .received = on_packet},
                                      &shell->udp, diag);
    if (err)
        return err;
    return gossip_streams_open(
        &(struct gossip_streams_options){.loop = options->loop,
                                         .log = options->log,
                                         .metrics = options->metrics,
                                         .bind = options->bind,
                                         .compress = options->compress,
                                         .timeout_ms = options->core->timing.tcp_timeout_ms,
                                         .context = shell,
                                         .asked = on_asked,
                                         .replied = on_replied,
                                         .failed = on_failed},
        &shell->streams, diag);
}

static enum cu_err start_core(struct gossip_shell *shell, struct cu_bytes snapshot,
                              struct cu_diag *diag)
{
    struct gossip_options core = *shell->options.core;
    cu_random_bytes(&core.seed, sizeof core.seed);
    core.now = cu_mono_now();
    core.wall_ms = cu_wall_ms();
    core.snapshot = snapshot;
    enum cu_err err = gossip_new(&core, &shell->core, diag);
    shell->options.core = NULL; /* was borrowed for this call */
    if (!err)
        step(shell, &(struct gossip_event){.kind = GOSSIP_EV_TICK});
    return err;
}

enum cu_err gossip_shell_open(const struct gossip_shell_options *options,
                              struct gossip_shell **ret_shell, struct cu_diag *diag)
{
    struct gossip_shell *shell = cu_alloc(sizeof *shell);
    struct cu_buf found = {0};
    shell->options = *options;
    shell->arena = cu_arena_new(SHELL_ARENA_BYTES);
    shell->hook = (struct cu_turn_hook){.fn = end_turn, .arg = shell};
    shell->timer_at = CU_MONO_NEVER;
    cu_timer_init(&shell->timer, options->loop, on_timer, shell);
    shell->bad_packets = cu_metrics_counter(options->metrics, "memberlist.udp.bad");
    shell->truncated = cu_metrics_counter(options->metrics, "memberlist.udp.truncated_parts");
    shell->malformed = cu_metrics_counter(options->metrics, "memberlist.udp.malformed_parts");
    enum cu_err err = gossip_file_open(options->data_dir, options->loop, options->log, &found,
                                       &shell->file, diag);
    if (!err)
        err = open_sockets(shell, diag);
    if (!err)
        err = start_core(shell, cu_buf_bytes(&found), diag);
    cu_buf_deinit(&found);
    if (err)
        gossip_shell_close(shell);
    else
        *ret_shell = shell;
    return err;
}

/* Lines of the snapshot that the last step made are not lost with the rest of it. */
static void keep_last_lines(struct gossip_shell *shell)
{
    for (uint32_t i = 0; i < shell->made.count; i++)
        if (shell->made.items[i].kind == GOSSIP_ACT_SNAPSHOT)
            gossip_file_append(shell->file, shell->made.items[i].snapshot.line, false);
}

void gossip_shell_close(struct gossip_shell *shell)
{
    if (!shell)
        return;
    size_t at = 0;
    struct cu_bytes key;
    void *command;
    keep_last_lines(shell);
    cu_turn_hook_cancel(shell->options.loop, &shell->hook);
    cu_timer_close(&shell->timer);
    gossip_streams_close(shell->streams);
    gossip_udp_close(shell->udp);
    gossip_file_close(shell->file);
    gossip_actions_deinit(&shell->made);
    gossip_actions_deinit(&shell->doing);
    while (cu_map_next(&shell->commands, &at, &key, &command))
        free(command);
    cu_map_deinit(&shell->commands);
    gossip_free(shell->core);
    cu_arena_free(shell->arena);
    cu_buf_deinit(&shell->inside);
    cu_buf_deinit(&shell->packet);
    free(shell);
}
