#include "common/bus/envelope.h"

#include <string.h>

/* Field numbers of bus.proto. */
enum {
    ENVELOPE_METHOD = 1,
    ENVELOPE_TIMEOUT = 2,
    ENVELOPE_TOKEN = 3,
    ENVELOPE_DATACENTER = 4,
    ENVELOPE_HOPS = 5,
    ENVELOPE_TRACE_ID = 6,
    ENVELOPE_REQUEST_ID = 7,
    ENVELOPE_ORIGIN = 8,
    ORIGIN_NODE = 1,
    ORIGIN_DAEMON = 2,
    ORIGIN_ADDRESS = 3,
    REPLY_ERROR = 1,
    REPLY_TEXT = 2,
    REPLY_INDEX = 3,
    BODY = 15,
};

/* Wire types (protobuf encoding guide). */
enum { VARINT = 0, FIXED64 = 1, LENGTH = 2, FIXED32 = 5 };

enum { VARINT_MAX_BYTES = 10 };

/* ---- reading ---- */

struct field {
    uint32_t number, type;
    uint64_t value;       /* of a varint */
    struct cu_bytes text; /* of a length-delimited one: what of it is there */
    uint64_t text_len;    /* its declared length */
};

static bool read_varint(struct cu_bytes *in, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < VARINT_MAX_BYTES && i < in->len; i++) {
        value |= (uint64_t)(in->data[i] & 0x7f) << (7 * i);
        if (in->data[i] & 0x80)
            continue;
        in->data += i + 1;
        in->len -= i + 1;
        *ret_value = value;
        return true;
    }
    return false;
}

static bool skip(struct cu_bytes *in, size_t n)
{
    if (in->len < n)
        return false;
    in->data += n;
    in->len -= n;
    return true;
}

/* One field. A text may go beyond the input only where `first_part` allows it: the caller looks. */
static bool read_field(struct cu_bytes *in, struct field *ret_field)
{
    uint64_t tag;
    if (!read_varint(in, &tag) || tag >> 3 == 0 || tag >> 3 > (1u << 29) - 1)
        return false;
    *ret_field = (struct field){.number = (uint32_t)(tag >> 3), .type = tag & 7};
    switch (ret_field->type) {
    case VARINT:
        return read_varint(in, &ret_field->value);
    case FIXED64:
        return skip(in, 8);
    case FIXED32:
        return skip(in, 4);
    case LENGTH:
        if (!read_varint(in, &ret_field->text_len))
            return false;
        ret_field->text = (struct cu_bytes){
            in->data, ret_field->text_len < in->len ? (size_t)ret_field->text_len : in->len};
        return skip(in, ret_field->text.len);
    default: /* groups, and numbers that are no wire type */
        return false;
    }
}

static bool is_whole(const struct field *field)
{
    return field->text.len == field->text_len;
}

static bool parse_origin(struct cu_bytes in, struct cu_envelope *m)
{
    while (in.len) {
        struct field field;
        if (!read_field(&in, &field) || !is_whole(&field))
            return false;
        if (field.type != LENGTH)
            continue;
        if (field.number == ORIGIN_NODE)
            m->origin_node = field.text;
        else if (field.number == ORIGIN_DAEMON)
            m->origin_daemon = field.text;
        else if (field.number == ORIGIN_ADDRESS)
            m->origin_address = field.text;
    }
    return true;
}

static struct cu_bytes *envelope_text(struct cu_envelope *m, uint32_t number)
{
    switch (number) {
    case ENVELOPE_METHOD:
        return &m->method;
    case ENVELOPE_TOKEN:
        return &m->token;
    case ENVELOPE_DATACENTER:
        return &m->datacenter;
    case ENVELOPE_TRACE_ID:
        return &m->trace_id;
    case ENVELOPE_REQUEST_ID:
        return &m->request_id;
    default:
        return NULL;
    }
}

static bool set_envelope(struct cu_envelope *m, const struct field *field)
{
    if (field->type == LENGTH) {
        struct cu_bytes *text = envelope_text(m, field->number);
        if (text)
            *text = field->text;
        return field->number != ENVELOPE_ORIGIN || parse_origin(field->text, m);
    }
    if (field->type == VARINT && field->number == ENVELOPE_TIMEOUT)
        m->timeout_ms = (uint32_t)field->value;
    else if (field->type == VARINT && field->number == ENVELOPE_HOPS)
        m->hops = (uint32_t)field->value;
    return true;
}

static bool set_reply(struct cu_reply *m, const struct field *field)
{
    if (field->type == LENGTH && field->number == REPLY_TEXT)
        m->text = field->text;
    else if (field->type == VARINT && field->number == REPLY_ERROR)
        m->error = (uint32_t)field->value;
    else if (field->type == VARINT && field->number == REPLY_INDEX)
        m->index = field->value;
    return true;
}

/* The body's first bytes and whole length; a body that goes on must be the last field. */
static bool take_body(const struct field *field, bool first_part, struct cu_bytes rest,
                      struct cu_bytes *ret_body, size_t *ret_len)
{
    if (!is_whole(field) && !first_part)
        return false;
    if (first_part && rest.len)
        return false;
    if (field->text_len > SIZE_MAX / 2)
        return false;
    *ret_body = field->text;
    *ret_len = (size_t)field->text_len;
    return true;
}

bool cu_envelope_parse(struct cu_bytes in, bool first_part, struct cu_envelope *ret_message)
{
    size_t in_len = in.len;
    struct field field;
    *ret_message = (struct cu_envelope){0};
    while (in.len) {
        if (!read_field(&in, &field))
            return false;
        if (field.number == BODY && field.type == LENGTH) {
            if (!take_body(&field, first_part, in, &ret_message->body, &ret_message->body_len))
                return false;
        } else if (!is_whole(&field) || !set_envelope(ret_message, &field)) {
            return false;
        }
    }
    ret_message->whole_len = in_len + (ret_message->body_len - ret_message->body.len);
    return true;
}

bool cu_reply_parse(struct cu_bytes in, bool first_part, struct cu_reply *ret_message)
{
    size_t in_len = in.len;
    struct field field;
    *ret_message = (struct cu_reply){0};
    while (in.len) {
        if (!read_field(&in, &field))
            return false;
        if (field.number == BODY && field.type == LENGTH) {
            if (!take_body(&field, first_part, in, &ret_message->body, &ret_message->body_len))
                return false;
        } else if (!is_whole(&field) || !set_reply(ret_message, &field)) {
            return false;
        }
    }
    ret_message->whole_len = in_len + (ret_message->body_len - ret_message->body.len);
    return true;
}

/* ---- writing ---- */

static uint8_t *write_varint(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

static uint8_t *write_tag_length(uint8_t *at, unsigned number, size_t len)
{
    *at++ = (uint8_t)(number << 3 | LENGTH); /* all our numbers are below 16: one byte */
    return write_varint(at, len);
}

static uint8_t *write_text(uint8_t *at, unsigned number, struct cu_bytes text)
{
    if (!text.len)
        return at;
    at = write_tag_length(at, number, text.len);
    memcpy(at, text.data, text.len);
    return at + text.len;
}

static uint8_t *write_number(uint8_t *at, unsigned number, uint64_t value)
{
    if (!value)
        return at;
    *at++ = (uint8_t)(number << 3 | VARINT);
    return write_varint(at, value);
}

static size_t varint_len(uint64_t value)
{
    size_t len = 1;
    for (; value >= 0x80; value >>= 7)
        len++;
    return len;
}

static size_t text_len(struct cu_bytes text)
{
    return text.len ? 1 + varint_len(text.len) + text.len : 0;
}

size_t cu_envelope_head_max(const struct cu_envelope *m)
{
    enum { TEXTS = 9, NUMBERS = 3 };
    return m->method.len + m->token.len + m->datacenter.len + m->trace_id.len + m->request_id.len +
           m->origin_node.len + m->origin_daemon.len + m->origin_address.len +
           (TEXTS + NUMBERS) * (1 + VARINT_MAX_BYTES);
}

size_t cu_reply_head_max(const struct cu_reply *m)
{
    enum { FIELDS = 4 };
    return m->text.len + FIELDS * (1 + VARINT_MAX_BYTES);
}

static uint8_t *write_body_tag(uint8_t *at, size_t body_len)
{
    return body_len ? write_tag_length(at, BODY, body_len) : at;
}

uint8_t *cu_envelope_write_head(uint8_t *at, const struct cu_envelope *m)
{
    at = write_text(at, ENVELOPE_METHOD, m->method);
    at = write_number(at, ENVELOPE_TIMEOUT, m->timeout_ms);
    at = write_text(at, ENVELOPE_TOKEN, m->token);
    at = write_text(at, ENVELOPE_DATACENTER, m->datacenter);
    at = write_number(at, ENVELOPE_HOPS, m->hops);
    at = write_text(at, ENVELOPE_TRACE_ID, m->trace_id);
    at = write_text(at, ENVELOPE_REQUEST_ID, m->request_id);
    size_t origin =
        text_len(m->origin_node) + text_len(m->origin_daemon) + text_len(m->origin_address);
    if (origin) {
        at = write_tag_length(at, ENVELOPE_ORIGIN, origin);
        at = write_text(at, ORIGIN_NODE, m->origin_node);
        at = write_text(at, ORIGIN_DAEMON, m->origin_daemon);
        at = write_text(at, ORIGIN_ADDRESS, m->origin_address);
    }
    return write_body_tag(at, m->body_len);
}

uint8_t *cu_reply_write_head(uint8_t *at, const struct cu_reply *m)
{
    at = write_number(at, REPLY_ERROR, m->error);
    at = write_text(at, REPLY_TEXT, m->text);
    at = write_number(at, REPLY_INDEX, m->index);
    return write_body_tag(at, m->body_len);
}
