#include "services/gossipd/io/joiner.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

enum stage { STARTING, RETRYING, JOINED };

struct gossip_joiner {
    struct gossip_joiner_options options;
    enum stage stage;
    int64_t attempts;
    struct cu_timer timer;
    uint64_t tag; /* of the join under way; 0: none */
    struct cu_buf failures;
};

static void attempt(struct gossip_joiner *joiner);

static void add_failures(struct gossip_joiner *joiner, const char *text)
{
    if (!text || !*text)
        return;
    cu_buf_text(&joiner->failures, joiner->failures.len ? "; " : "");
    for (; *text; text++) /* one sentence a line */
        if (*text != '\n' || text[1])
            cu_buf_text(&joiner->failures, *text == '\n' ? "; " : (char[]){*text, '\0'});
}

static const char *failures(struct gossip_joiner *joiner)
{
    cu_buf_u8(&joiner->failures, 0);
    return (const char *)joiner->failures.data;
}

static void joined(struct gossip_joiner *joiner, uint32_t count)
{
    const struct gossip_conf *conf = joiner->options.conf;
    cu_info(joiner->options.log, "join.done",
            "joined=%u text=\"Join cluster completed. Synced with initial agents\"", count);
    joiner->stage = joiner->stage == STARTING && conf->retry_count ? RETRYING : JOINED;
    if (joiner->stage == RETRYING)
        attempt(joiner);
}

static void start_failed(struct gossip_joiner *joiner)
{
    struct cu_diag diag = {0};
    (void)cu_fail(&diag, CU_E_IO, "start_join: nobody could be joined: %s", failures(joiner));
    joiner->options.gave_up(joiner->options.context, diag.text);
}

static void retry_failed(struct gossip_joiner *joiner)
{
    const struct gossip_conf *conf = joiner->options.conf;
    joiner->attempts++;
    if (conf->retry_max && joiner->attempts >= conf->retry_max) {
        joiner->options.gave_up(joiner->options.context,
                                "agent: max join LAN retry exhausted, exiting");
        return;
    }
    cu_warn(joiner->options.log, "join.retry",
            "attempts=%" PRId64 " retry_in_ms=%" PRIu64 " error=\"%s\" "
            "text=\"Join cluster failed, will retry\"",
            joiner->attempts, conf->retry_interval_ms, failures(joiner));
    cu_timer_set_ms(&joiner->timer, conf->retry_interval_ms);
}

static void finish(struct gossip_joiner *joiner, uint32_t count, const char *text)
{
    add_failures(joiner, text);
    if (count > 0)
        joined(joiner, count);
    else if (joiner->stage == STARTING)
        start_failed(joiner);
    else
        retry_failed(joiner);
}

static void on_done(void *arg, enum cu_err err, uint32_t count, const char *text)
{
    struct gossip_joiner *joiner = arg;
    joiner->tag = 0;
    finish(joiner, err ? 0 : count, text);
}

/* A list may name this node, too: that it reaches itself tells nothing. */
static uint32_t leave_out_self(const struct gossip_joiner *joiner,
                               const struct gossip_resolved *resolved,
                               struct gossip_join_target targets[GOSSIP_JOIN_MAX])
{
    const struct gossip_conf *conf = joiner->options.conf;
    uint32_t count = 0;
    for (uint32_t i = 0; i < resolved->count; i++)
        if (!gossip_addr_equal(resolved->targets[i].address, conf->advertise) &&
            !gossip_addr_equal(resolved->targets[i].address, conf->bind))
            targets[count++] = resolved->targets[i];
    return count;
}

static void on_resolved(void *arg, const struct gossip_resolved *resolved)
{
    struct gossip_joiner *joiner = arg;
    struct gossip_join_target targets[GOSSIP_JOIN_MAX];
    uint32_t count = leave_out_self(joiner, resolved, targets);
    for (uint32_t i = 0; i < resolved->failed_count; i++)
        add_failures(joiner, resolved->failures[i]);
    if (!count) { /* nobody but this node is named, or no name was found */
        finish(joiner, resolved->failed_count ? 0 : resolved->count, NULL);
        return;
    }
    joiner->tag = gossip_shell_command(
        joiner->options.shell,
        &(struct gossip_event){.kind = GOSSIP_EV_JOIN, .join = {targets, count, true}}, on_done,
        joiner);
}

static void attempt(struct gossip_joiner *joiner)
{
    const struct gossip_conf *conf = joiner->options.conf;
    bool starting = joiner->stage == STARTING;
    cu_info(joiner->options.log, "join.begin", "text=\"Joining cluster...\"");
    cu_buf_clear(&joiner->failures);
    gossip_resolve(joiner->options.resolver, starting ? conf->start_join : conf->retry_join,
                   starting ? conf->start_count : conf->retry_count, conf->advertise.port,
                   on_resolved, joiner);
}

static void on_timer(void *arg)
{
    attempt(arg);
}

struct gossip_joiner *gossip_joiner_new(const struct gossip_joiner_options *options)
{
    struct gossip_joiner *joiner = cu_alloc(sizeof *joiner);
    joiner->options = *options;
    joiner->stage = options->conf->start_count   ? STARTING
                    : options->conf->retry_count ? RETRYING
                                                 : JOINED;
    cu_timer_init(&joiner->timer, options->loop, on_timer, joiner);
    if (joiner->stage != JOINED)
        attempt(joiner);
    return joiner;
}

void gossip_joiner_free(struct gossip_joiner *joiner)
{
    if (!joiner)
        return;
    if (joiner->tag)
        gossip_shell_forget(joiner->options.shell, joiner->tag);
    cu_timer_close(&joiner->timer);
    cu_buf_deinit(&joiner->failures);
    free(joiner);
}
