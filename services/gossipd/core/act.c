#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/gossipd/core/state.h"

/* ---- the list of actions ---- */

static void free_buf(struct cu_buf *buf)
{
    if (!buf)
        return;
    cu_buf_deinit(buf);
    free(buf);
}

static void action_free(struct gossip_action *action)
{
    switch (action->kind) {
    case GOSSIP_ACT_PACKET:
        free(action->packet);
        break;
    case GOSSIP_ACT_DIAL:
        free_buf(action->dial.bytes);
        break;
    case GOSSIP_ACT_ANSWER:
        free_buf(action->answer.bytes);
        break;
    case GOSSIP_ACT_SNAPSHOT:
        free(action->snapshot.line);
        break;
    case GOSSIP_ACT_DONE:
        free(action->done.text);
        break;
    case GOSSIP_ACT_NOTE:
        free(action->note.name);
        free(action->note.text);
        break;
    case GOSSIP_ACT_MEMBER:
    case GOSSIP_ACTION_COUNT:
        break;
    }
}

void gossip_actions_clear(struct gossip_actions *actions)
{
    for (uint32_t i = 0; i < actions->count; i++)
        action_free(&actions->items[i]);
    actions->count = 0;
}

void gossip_actions_deinit(struct gossip_actions *actions)
{
    gossip_actions_clear(actions);
    free(actions->items);
    *actions = (struct gossip_actions){0};
}

struct gossip_action *gossip_act(struct gossip *g, enum gossip_action_kind kind)
{
    struct gossip_actions *out = g->out;
    if (out->count == out->cap) {
        out->cap = out->cap ? out->cap * 2 : 16;
        out->items = cu_realloc(out->items, out->cap * sizeof *out->items);
    }
    struct gossip_action *action = &out->items[out->count++];
    *action = (struct gossip_action){.kind = kind};
    return action;
}

/* ---- words ---- */

static char *text_of(struct cu_bytes bytes)
{
    if (!bytes.len)
        return NULL;
    char *text = cu_alloc(bytes.len + 1);
    memcpy(text, bytes.data, bytes.len);
    return text;
}

void gossip_tell(struct gossip *g, enum gossip_note note, struct cu_bytes name,
                 const struct gossip_addr *addr, const char *text)
{
    struct gossip_action *action = gossip_act(g, GOSSIP_ACT_NOTE);
    action->note.note = note;
    action->note.name = text_of(name);
    action->note.text = text ? cu_strdup(text) : NULL;
    if (addr)
        action->note.address = *addr;
}

void gossip_line(struct gossip *g, const char *fmt, ...)
{
    if (g->snapshot_closed)
        return;
    va_list args;
    va_start(args, fmt);
    char *line = NULL;
    CU_ASSERT(vasprintf(&line, fmt, args) >= 0);
    va_end(args);
    gossip_act(g, GOSSIP_ACT_SNAPSHOT)->snapshot.line = line;
}

void gossip_done(struct gossip *g, uint64_t tag, enum cu_err err, uint32_t count, const char *text)
{
    struct gossip_action *action = gossip_act(g, GOSSIP_ACT_DONE);
    action->done.tag = tag;
    action->done.err = err;
    action->done.count = count;
    action->done.text = text && *text ? cu_strdup(text) : NULL;
}

const char *gossip_note_name(enum gossip_note note)
{
    static const char *const names[GOSSIP_NOTE_COUNT] = {
        [GOSSIP_NOTE_SUSPECT] = "suspect",
        [GOSSIP_NOTE_REFUTED] = "refuted",
        [GOSSIP_NOTE_TCP_ONLY] = "tcp-only",
        [GOSSIP_NOTE_CONFLICT] = "conflict",
        [GOSSIP_NOTE_CONFLICT_SELF] = "conflict-self",
        [GOSSIP_NOTE_REFUSED] = "refused",
        [GOSSIP_NOTE_MERGE_REFUSED] = "merge-refused",
        [GOSSIP_NOTE_WRONG_NODE] = "wrong-node",
        [GOSSIP_NOTE_BAD_VERSION] = "bad-version",
        [GOSSIP_NOTE_EXCHANGE_FAILED] = "exchange-failed",
        [GOSSIP_NOTE_RECONNECT] = "reconnect",
        [GOSSIP_NOTE_REFUTED_INTENT] = "refuted-intent",
        [GOSSIP_NOTE_LEAVE_TIMEOUT] = "leave-timeout",
        [GOSSIP_NOTE_MEMBERS_FULL] = "members-full",
        [GOSSIP_NOTE_QUEUE_FULL] = "queue-full",
        [GOSSIP_NOTE_BAD_SNAPSHOT_LINE] = "bad-snapshot-line",
        [GOSSIP_NOTE_PAUSED] = "paused",
    };
    return names[note];
}

/* ---- packets ---- */

void gossip_send_parts(struct gossip *g, struct gossip_addr to, bool with_crc)
{
    const struct gossip_parts *parts = &g->parts;
    if (!parts->count)
        return;
    size_t head = sizeof(struct gossip_outgoing) + parts->count * sizeof(struct cu_bytes);
    struct gossip_outgoing *packet = cu_alloc(head + parts->bytes.len);
    uint8_t *bytes = (uint8_t *)packet + head;
    memcpy(bytes, parts->bytes.data, parts->bytes.len);
    packet->to = to;
    packet->with_crc = with_crc;
    packet->part_count = parts->count;
    uint32_t start = 0;
    for (uint32_t i = 0; i < parts->count; i++) {
        packet->parts[i] = (struct cu_bytes){bytes + start, parts->ends[i] - start};
        start = parts->ends[i];
    }
    gossip_act(g, GOSSIP_ACT_PACKET)->packet = packet;
}

void gossip_send(struct gossip *g, struct gossip_addr to, const struct gossip_message *message)
{
    gossip_parts_begin(&g->parts, g->packet_budget);
    gossip_encode(&g->parts.bytes, message);
    gossip_parts_end_one(&g->parts);
    gossip_fill(g);
    gossip_send_parts(g, to, false);
}

/* ---- streams ---- */

uint64_t gossip_dial(struct gossip *g, const struct gossip_exchange *exchange, struct cu_buf *bytes,
                     uint32_t timeout_ms)
{
    if (g->exchange_count == GOSSIP_EXCHANGES_MAX) {
        free_buf(bytes);
        return 0;
    }
    g->exchanges = cu_realloc(g->exchanges, (g->exchange_count + 1) * sizeof *g->exchanges);
    struct gossip_exchange *mine = &g->exchanges[g->exchange_count++];
    *mine = *exchange;
    mine->id = ++g->last_exchange;
    mine->name = (struct cu_bytes){(const uint8_t *)text_of(exchange->name), exchange->name.len};
    struct gossip_action *action = gossip_act(g, GOSSIP_ACT_DIAL);
    action->dial.exchange = mine->id;
    action->dial.to = exchange->to;
    action->dial.timeout_ms = timeout_ms;
    action->dial.bytes = bytes;
    return mine->id;
}

bool gossip_exchange_take(struct gossip *g, uint64_t id, struct gossip_exchange *ret_exchange)
{
    for (uint32_t i = 0; i < g->exchange_count; i++) {
        if (g->exchanges[i].id != id)
            continue;
        *ret_exchange = g->exchanges[i];
        g->exchanges[i] = g->exchanges[--g->exchange_count];
        return true;
    }
    return false;
}
