#include "services/gossipd/core/packet.h"

#include <string.h>
#include <zlib.h>

#include "common/base/assert.h"
#include "services/gossipd/core/codec.h"
#include "services/gossipd/core/wire.h"

/* ---- writing ---- */

static void put_be(struct cu_buf *out, uint32_t value, int bytes)
{
    while (bytes-- > 0)
        cu_buf_u8(out, (uint8_t)(value >> (8 * bytes)));
}

void gossip_packet_join(struct cu_buf *out, const struct cu_bytes *parts, uint32_t count)
{
    CU_ASSERT(count > 0 && count <= GOSSIP_COMPOUND_MAX_PARTS);
    if (count > 1) {
        cu_buf_u8(out, GOSSIP_COMPOUND);
        cu_buf_u8(out, (uint8_t)count);
        for (uint32_t i = 0; i < count; i++) {
            CU_ASSERT(parts[i].len > 0 && parts[i].len <= UINT16_MAX);
            put_be(out, (uint32_t)parts[i].len, GOSSIP_COMPOUND_PART_BYTES);
        }
    }
    for (uint32_t i = 0; i < count; i++)
        cu_buf_append(out, parts[i].data, parts[i].len);
}

static uint32_t crc_of(const uint8_t *data, size_t len)
{
    return (uint32_t)crc32_z(0, data, len);
}

/* Appends `inside`, compressed when that is wanted and shorter. */
static void append_inside(struct cu_buf *out, struct cu_bytes inside, bool compress)
{
    size_t start = out->len;
    if (compress)
        gossip_compress_write(out, inside);
    if (compress && out->len - start < inside.len)
        return;
    out->len = start;
    cu_buf_append(out, inside.data, inside.len);
}

void gossip_packet_wrap(struct cu_buf *out, struct cu_bytes inside, struct gossip_wrap wrap)
{
    size_t start = out->len;
    if (wrap.crc)
        memset(cu_buf_extend(out, GOSSIP_CRC_BYTES), 0, GOSSIP_CRC_BYTES);
    append_inside(out, inside, wrap.compress);
    if (!wrap.crc)
        return;
    uint8_t *head = out->data + start;
    uint32_t crc = crc_of(head + GOSSIP_CRC_BYTES, out->len - start - GOSSIP_CRC_BYTES);
    head[0] = GOSSIP_HAS_CRC;
    for (int i = 0; i < 4; i++)
        head[1 + i] = (uint8_t)(crc >> (24 - 8 * i));
}

/* ---- reading ---- */

/* One datagram on its way through its wrappings. */
struct opening {
    struct cu_arena *arena;
    struct gossip_packet packet;
    uint32_t cap;       /* messages there is room for */
    size_t may_inflate; /* bytes, over all that is compressed in it */
};

static enum cu_err open_layer(struct opening *o, struct cu_bytes bytes, unsigned depth);

static enum cu_err make_room(struct opening *o)
{
    struct gossip_packet *packet = &o->packet;
    if (packet->count < o->cap)
        return CU_OK;
    if (packet->count >= GOSSIP_PACKET_MAX_MESSAGES)
        return CU_E_TOO_LARGE;
    uint32_t cap = o->cap ? o->cap * 4 : 4;
    struct gossip_message *wider = cu_arena_alloc(o->arena, cap * sizeof *wider);
    if (!wider)
        return CU_E_TOO_LARGE;
    if (packet->count)
        memcpy(wider, packet->messages, packet->count * sizeof *wider);
    packet->messages = wider;
    o->cap = cap;
    return CU_OK;
}

static enum cu_err open_message(struct opening *o, struct cu_bytes bytes)
{
    enum cu_err err = make_room(o);
    if (!err)
        err = gossip_decode(bytes, o->arena, &o->packet.messages[o->packet.count]);
    if (!err)
        o->packet.count++;
    return err;
}

static enum cu_err open_compressed(struct opening *o, struct cu_bytes body, unsigned depth)
{
    struct cu_bytes plain;
    enum cu_err err = gossip_compress_expand(body, o->may_inflate, o->arena, &plain);
    if (err)
        return err;
    o->may_inflate -= plain.len;
    return open_layer(o, plain, depth);
}

/* One part of a compound. Only what would cost too much ends the packet. */
static enum cu_err open_part(struct opening *o, struct cu_bytes part, unsigned depth)
{
    if (part.len == 0)
        return CU_OK; /* gossip.md 3.2, trap 2: ignored */
    enum cu_err err = open_layer(o, part, depth);
    if (err != CU_E_INVALID)
        return err;
    o->packet.malformed++;
    return CU_OK;
}

/* Packet layout (gossip.md 3.2): count, count x u16 BE length, the parts. */
static enum cu_err open_compound(struct opening *o, struct cu_bytes body, unsigned depth)
{
    size_t count = body.len ? body.data[0] : 0;
    size_t at = 1 + count * GOSSIP_COMPOUND_PART_BYTES;
    enum cu_err err = CU_OK;
    if (body.len < at || body.len == 0)
        return CU_E_INVALID;
    for (size_t i = 0; !err && i < count; i++) {
        const uint8_t *number = body.data + 1 + i * GOSSIP_COMPOUND_PART_BYTES;
        size_t len = (size_t)number[0] << 8 | number[1];
        if (len > body.len - at) {
            o->packet.truncated += (uint32_t)(count - i);
            break;
        }
        err = open_part(o, (struct cu_bytes){body.data + at, len}, depth);
        at += len;
    }
    return err;
}

static bool crc_fits(struct cu_bytes bytes)
{
    uint32_t crc = 0;
    for (int i = 1; i < GOSSIP_CRC_BYTES; i++)
        crc = crc << 8 | bytes.data[i];
    return crc == crc_of(bytes.data + GOSSIP_CRC_BYTES, bytes.len - GOSSIP_CRC_BYTES);
}

static enum cu_err open_crc(struct opening *o, struct cu_bytes bytes, unsigned depth)
{
    if (bytes.len < GOSSIP_CRC_BYTES || !crc_fits(bytes))
        return CU_E_INVALID;
    return open_layer(
        o, (struct cu_bytes){bytes.data + GOSSIP_CRC_BYTES, bytes.len - GOSSIP_CRC_BYTES}, depth);
}

static enum cu_err open_layer(struct opening *o, struct cu_bytes bytes, unsigned depth)
{
    if (bytes.len == 0)
        return CU_E_INVALID;
    struct cu_bytes body = {bytes.data + 1, bytes.len - 1};
    uint8_t type = bytes.data[0];
    if (type != GOSSIP_HAS_CRC && type != GOSSIP_COMPOUND && type != GOSSIP_COMPRESS) {
        bool on_packets = type != GOSSIP_PUSH_PULL && type != GOSSIP_ERR;
        return on_packets ? open_message(o, bytes) : CU_E_INVALID;
    }
    if (depth == GOSSIP_PACKET_MAX_DEPTH)
        return CU_E_TOO_LARGE;
    if (type == GOSSIP_HAS_CRC)
        return open_crc(o, bytes, depth + 1);
    return type == GOSSIP_COMPOUND ? open_compound(o, body, depth + 1)
                                   : open_compressed(o, body, depth + 1);
}

enum cu_err gossip_packet_decode(struct cu_bytes datagram, struct cu_arena *arena,
                                 struct gossip_packet *ret_packet)
{
    struct opening opening = {.arena = arena, .may_inflate = GOSSIP_PACKET_MAX_INFLATED};
    enum cu_err err = open_layer(&opening, datagram, 0);
    if (!err)
        *ret_packet = opening.packet;
    return err;
}
