#include "common/bus/sender.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/hash.h"

enum {
    /* Frames cut ahead of what the transport has taken: enough to fill a socket's buffer, little
     * enough that a small message is not long behind a large one. */
    PUMP_MARK_BYTES = 256 * 1024,
    UNFINISHED_MAX = 64, /* long calls of different methods in one round */
};

struct cu_pending {
    struct cu_pending *next;
    enum cu_frame_kind kind;
    uint64_t id;
    uint64_t method; /* hash, of a call */
    struct cu_buf bytes;
    size_t at; /* cut so far */
};

static void free_pending(struct cu_pending *p)
{
    cu_buf_deinit(&p->bytes);
    free(p);
}

void cu_sender_deinit(struct cu_sender *sender)
{
    while (sender->queue) {
        struct cu_pending *p = sender->queue;
        sender->queue = p->next;
        free_pending(p);
    }
    cu_buf_deinit(&sender->out.buf);
}

static size_t head_max(const struct cu_message *m)
{
    return m->call ? cu_envelope_head_max(m->call) : cu_reply_head_max(m->reply);
}

/* Head and body at `at`; returns the end. */
static uint8_t *write_message(uint8_t *at, const struct cu_message *m)
{
    at = m->call ? cu_envelope_write_head(at, m->call) : cu_reply_write_head(at, m->reply);
    if (m->body->message)
        return at + protobuf_c_message_pack(m->body->message, at);
    if (m->body_len)
        memcpy(at, m->body->packed.data, m->body_len);
    return at + m->body_len;
}

static uint64_t put_at_once(struct cu_sender *sender, const struct cu_message *m, size_t len_max)
{
    struct cu_buf *buf = &sender->out.buf;
    uint64_t mark = sender->out.handed + cu_out_waiting(&sender->out);
    cu_buf_reserve(buf, CU_FRAME_HEAD_BYTES + len_max);
    uint8_t *head = buf->data + buf->len, *payload = head + CU_FRAME_HEAD_BYTES;
    size_t len = (size_t)(write_message(payload, m) - payload);
    CU_ASSERT(len <= len_max);
    cu_frame_write_head(head, m->kind, false, m->id, len);
    buf->len += CU_FRAME_HEAD_BYTES + len;
    sender->credit -= len;
    sender->frames++;
    return mark;
}

static void put_in_queue(struct cu_sender *sender, const struct cu_message *m, size_t len_max)
{
    struct cu_pending *p = cu_alloc(sizeof *p);
    *p = (struct cu_pending){.kind = m->kind, .id = m->id};
    if (m->call)
        p->method = cu_table_hash(m->call->method.data, m->call->method.len);
    cu_buf_reserve(&p->bytes, len_max);
    p->bytes.len = (size_t)(write_message(p->bytes.data, m) - p->bytes.data);
    CU_ASSERT(p->bytes.len <= len_max);
    if (!sender->queue)
        sender->queue_tail = &sender->queue;
    *sender->queue_tail = p;
    sender->queue_tail = &p->next;
    sender->waiting_bytes += p->bytes.len;
}

uint64_t cu_sender_put(struct cu_sender *sender, const struct cu_message *m)
{
    size_t len_max = head_max(m) + m->body_len;
    if (!sender->queue && len_max <= CU_FRAME_PAYLOAD_MAX_BYTES && len_max <= sender->credit)
        return put_at_once(sender, m, len_max);
    put_in_queue(sender, m, len_max);
    return CU_MARK_QUEUED;
}

/* One frame of it; false: the credit does not reach. */
static bool cut(struct cu_sender *sender, struct cu_pending *p)
{
    size_t left = p->bytes.len - p->at;
    size_t len = left < CU_FRAME_PAYLOAD_MAX_BYTES ? left : CU_FRAME_PAYLOAD_MAX_BYTES;
    if (len > sender->credit)
        return false;
    cu_frame_append(&sender->out.buf, &(struct cu_frame){
                                          .kind = p->kind,
                                          .more = len < left,
                                          .id = p->id,
                                          .payload = {p->bytes.data + p->at, len},
                                      });
    p->at += len;
    sender->credit -= len;
    sender->waiting_bytes -= len;
    sender->frames++;
    return true;
}

static void unlink_at(struct cu_sender *sender, struct cu_pending **at)
{
    struct cu_pending *p = *at;
    *at = p->next;
    if (sender->queue_tail == &p->next)
        sender->queue_tail = at;
    free_pending(p);
}

static bool contains(const uint64_t *methods, size_t count, uint64_t method)
{
    for (size_t i = 0; i < count; i++)
        if (methods[i] == method)
            return true;
    return false;
}

/* One frame of each message that may go; whether anything went. */
static bool pump_round(struct cu_sender *sender)
{
    uint64_t unfinished[UNFINISHED_MAX];
    size_t count = 0;
    bool any = false;
    struct cu_pending **at = &sender->queue;
    while (*at && count < UNFINISHED_MAX && cu_out_waiting(&sender->out) < PUMP_MARK_BYTES) {
        struct cu_pending *p = *at;
        if (p->kind == CU_FRAME_CALL && contains(unfinished, count, p->method)) {
            at = &p->next;
            continue;
        }
        if (!cut(sender, p))
            return false;
        any = true;
        if (p->at == p->bytes.len) {
            unlink_at(sender, at);
            continue;
        }
        if (p->kind == CU_FRAME_CALL)
            unfinished[count++] = p->method;
        at = &p->next;
    }
    return any;
}

void cu_sender_pump(struct cu_sender *sender)
{
    while (pump_round(sender))
        ;
}

bool cu_sender_take_back(struct cu_sender *sender, uint64_t id, bool *ret_begun)
{
    for (struct cu_pending **at = &sender->queue; *at; at = &(*at)->next) {
        struct cu_pending *p = *at;
        if (p->id != id)
            continue;
        *ret_begun = p->at > 0;
        if (p->kind == CU_FRAME_CALL || !*ret_begun) {
            sender->waiting_bytes -= p->bytes.len - p->at;
            unlink_at(sender, at);
        }
        return true;
    }
    return false;
}

bool cu_sender_was_handed(const struct cu_sender *sender, uint64_t id, uint64_t mark)
{
    if (mark != CU_MARK_QUEUED)
        return mark < sender->out.handed;
    for (const struct cu_pending *p = sender->queue; p; p = p->next)
        if (p->id == id)
            return p->at > 0; /* cut, perhaps not handed over yet: rather yes */
    return true;
}
