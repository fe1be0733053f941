#include "services/gossipd/core/fields.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/gossipd/core/pack.h"

/* A field being read. */
struct reading {
    struct gossip_unpack *in;
    struct cu_arena *arena;
};

static struct cu_bytes bytes_at(const void *at)
{
    return *(const struct cu_bytes *)at;
}

/* ---- bytes ---- */

static bool bytes_empty(const void *at)
{
    return bytes_at(at).len == 0;
}

static void write_text(struct cu_buf *out, const void *at)
{
    gossip_pack_raw(out, bytes_at(at));
}

static void write_bytes(struct cu_buf *out, const void *at)
{
    if (bytes_at(at).data)
        gossip_pack_raw(out, bytes_at(at));
    else
        gossip_pack_nil(out);
}

static enum cu_err read_bytes(struct reading *r, void *at)
{
    *(struct cu_bytes *)at = gossip_unpack_raw(r->in);
    return CU_OK;
}

static enum cu_err read_at_most(struct reading *r, void *at, size_t limit)
{
    struct cu_bytes bytes = gossip_unpack_raw(r->in);
    if (bytes.len > limit)
        return CU_E_TOO_LARGE;
    *(struct cu_bytes *)at = bytes;
    return CU_OK;
}

static enum cu_err read_name(struct reading *r, void *at)
{
    return read_at_most(r, at, GOSSIP_NAME_MAX_BYTES);
}

static enum cu_err read_meta(struct reading *r, void *at)
{
    return read_at_most(r, at, GOSSIP_META_MAX_BYTES);
}

/* ---- numbers ---- */

static bool bool_empty(const void *at)
{
    return !*(const bool *)at;
}

static void write_bool(struct cu_buf *out, const void *at)
{
    gossip_pack_bool(out, *(const bool *)at);
}

static enum cu_err read_bool(struct reading *r, void *at)
{
    *(bool *)at = gossip_unpack_bool(r->in);
    return CU_OK;
}

#define NUMBER(name, type, max)                                                                    \
    static bool name##_empty(const void *at)                                                       \
    {                                                                                              \
        return *(const type *)at == 0;                                                             \
    }                                                                                              \
    static void write_##name(struct cu_buf *out, const void *at)                                   \
    {                                                                                              \
        gossip_pack_uint(out, *(const type *)at);                                                  \
    }                                                                                              \
    static enum cu_err read_##name(struct reading *r, void *at)                                    \
    {                                                                                              \
        *(type *)at = (type)gossip_unpack_uint(r->in, max);                                        \
        return CU_OK;                                                                              \
    }

NUMBER(u8, uint8_t, UINT8_MAX)
NUMBER(u16, uint16_t, UINT16_MAX)
NUMBER(u32, uint32_t, UINT32_MAX)
NUMBER(u64, uint64_t, UINT64_MAX)

/* ---- addresses, versions, states ---- */

static bool ip_empty(const void *at)
{
    return ((const struct gossip_ip *)at)->len == 0;
}

static void write_ip(struct cu_buf *out, const void *at)
{
    const struct gossip_ip *ip = at;
    write_bytes(out, &(struct cu_bytes){ip->len ? ip->bytes : NULL, ip->len});
}

static enum cu_err read_ip(struct reading *r, void *at)
{
    struct cu_bytes bytes = gossip_unpack_raw(r->in);
    *(struct gossip_ip *)at = gossip_ip_of(bytes);
    return bytes.len && ip_empty(at) ? CU_E_INVALID : CU_OK;
}

static bool versions_empty(const void *at)
{
    return !((const struct gossip_versions *)at)->known;
}

static void write_versions(struct cu_buf *out, const void *at)
{
    const struct gossip_versions *v = at;
    uint8_t six[6] = {v->pmin, v->pmax, v->pcur, v->dmin, v->dmax, v->dcur};
    write_bytes(out, &(struct cu_bytes){v->known ? six : NULL, v->known ? sizeof six : 0});
}

static enum cu_err read_versions(struct reading *r, void *at)
{
    struct cu_bytes six = gossip_unpack_raw(r->in);
    const uint8_t *v = six.data;
    if (six.len >= 6)
        *(struct gossip_versions *)at =
            (struct gossip_versions){true, v[0], v[1], v[2], v[3], v[4], v[5]};
    return CU_OK;
}

static bool state_empty(const void *at)
{
    return *(const enum gossip_state *)at == GOSSIP_STATE_ALIVE;
}

static void write_state(struct cu_buf *out, const void *at)
{
    gossip_pack_uint(out, *(const enum gossip_state *)at);
}

static enum cu_err read_state(struct reading *r, void *at)
{
    int64_t number = gossip_unpack_int(r->in);
    bool known = number >= 0 && number <= GOSSIP_STATE_LEFT;
    *(enum gossip_state *)at = known ? (enum gossip_state)number : GOSSIP_STATE_DEAD;
    return CU_OK;
}

/* ---- serf's lists ---- */

static bool never_empty(const void *at)
{
    (void)at; /* these fields are always written */
    return false;
}

/* A list of `count` items that take at least `item_wire` bytes each on the wire. */
static enum cu_err new_list(struct reading *r, uint32_t count, size_t item_wire, size_t item_size,
                            void **ret_list)
{
    if (count > GOSSIP_NAMES_MAX)
        return CU_E_TOO_LARGE;
    if (count > gossip_unpack_left(r->in) / item_wire)
        return CU_E_INVALID;
    *ret_list = cu_arena_alloc(r->arena, count * item_size);
    return *ret_list ? CU_OK : CU_E_TOO_LARGE;
}

static void write_left(struct cu_buf *out, const void *at)
{
    const struct gossip_serf_state *state = at;
    gossip_pack_list(out, state->left_count);
    for (uint32_t i = 0; i < state->left_count; i++)
        gossip_pack_raw(out, state->left[i]);
}

static enum cu_err read_left(struct reading *r, void *at)
{
    struct gossip_serf_state *state = at;
    uint32_t count = gossip_unpack_list(r->in);
    void *list = NULL;
    enum cu_err err = count ? new_list(r, count, 1, sizeof *state->left, &list) : CU_OK;
    if (err)
        return err;
    state->left = list;
    state->left_count = count;
    for (uint32_t i = 0; !err && i < count; i++)
        err = read_name(r, &state->left[i]);
    return err;
}

static int by_name(const void *a, const void *b)
{
    const struct gossip_status_ltime *const *x = a, *const *y = b;
    return cu_bytes_compare((*x)->node, (*y)->node);
}

static void write_status(struct cu_buf *out, const void *at)
{
    const struct gossip_serf_state *state = at;
    const struct gossip_status_ltime **sorted =
        cu_alloc((state->status_count + 1ul) * sizeof *sorted);
    for (uint32_t i = 0; i < state->status_count; i++)
        sorted[i] = &state->status[i];
    qsort(sorted, state->status_count, sizeof *sorted, by_name);
    gossip_pack_map(out, state->status_count);
    for (uint32_t i = 0; i < state->status_count; i++) {
        gossip_pack_raw(out, sorted[i]->node);
        gossip_pack_uint(out, sorted[i]->ltime);
    }
    free(sorted);
}

static enum cu_err read_status(struct reading *r, void *at)
{
    struct gossip_serf_state *state = at;
    uint32_t count = gossip_unpack_map(r->in);
    void *list = NULL;
    enum cu_err err = count ? new_list(r, count, 2, sizeof *state->status, &list) : CU_OK;
    if (err)
        return err;
    state->status = list;
    state->status_count = count;
    for (uint32_t i = 0; !err && i < count; i++) {
        err = read_name(r, &state->status[i].node);
        state->status[i].ltime = gossip_unpack_uint(r->in, UINT64_MAX);
    }
    return err;
}

static void write_events(struct cu_buf *out, const void *at)
{
    const struct gossip_serf_state *state = at;
    if (state->events.data) {
        cu_buf_append(out, state->events.data, state->events.len);
        return;
    }
    gossip_pack_list(out, GOSSIP_EVENT_SLOTS);
    for (int i = 0; i < GOSSIP_EVENT_SLOTS; i++)
        gossip_pack_nil(out);
}

static enum cu_err read_events(struct reading *r, void *at)
{
    struct gossip_serf_state *state = at;
    struct gossip_unpack shape = *r->in;
    (void)gossip_unpack_list(&shape); /* only that it is one */
    state->events = gossip_unpack_whole(r->in);
    return shape.state == GOSSIP_UNPACK_BAD ? CU_E_INVALID : CU_OK;
}

/* ---- the table ---- */

static const struct {
    bool (*is_empty)(const void *at);
    void (*write)(struct cu_buf *out, const void *at);
    enum cu_err (*read)(struct reading *r, void *at);
} kinds[GOSSIP_FIELD_KIND_COUNT] = {
    [GOSSIP_FIELD_TEXT] = {bytes_empty, write_text, read_bytes},
    [GOSSIP_FIELD_NAME] = {bytes_empty, write_text, read_name},
    [GOSSIP_FIELD_META] = {bytes_empty, write_bytes, read_meta},
    [GOSSIP_FIELD_BYTES] = {bytes_empty, write_bytes, read_bytes},
    [GOSSIP_FIELD_BOOL] = {bool_empty, write_bool, read_bool},
    [GOSSIP_FIELD_U8] = {u8_empty, write_u8, read_u8},
    [GOSSIP_FIELD_U16] = {u16_empty, write_u16, read_u16},
    [GOSSIP_FIELD_U32] = {u32_empty, write_u32, read_u32},
    [GOSSIP_FIELD_U64] = {u64_empty, write_u64, read_u64},
    [GOSSIP_FIELD_IP] = {ip_empty, write_ip, read_ip},
    [GOSSIP_FIELD_VERSIONS] = {versions_empty, write_versions, read_versions},
    [GOSSIP_FIELD_STATE] = {state_empty, write_state, read_state},
    [GOSSIP_FIELD_LEFT] = {never_empty, write_left, read_left},
    [GOSSIP_FIELD_STATUS] = {never_empty, write_status, read_status},
    [GOSSIP_FIELD_EVENTS] = {never_empty, write_events, read_events},
};

static const void *place_in(const void *from, const struct gossip_field *field)
{
    return (const char *)from + field->offset;
}

static bool is_written(const void *from, const struct gossip_field *field)
{
    return !field->omit_empty || !kinds[field->kind].is_empty(place_in(from, field));
}

void gossip_fields_write(struct cu_buf *out, struct gossip_fields fields, const void *from)
{
    size_t count = 0;
    for (size_t i = 0; i < fields.count; i++)
        count += is_written(from, &fields.rows[i]);
    gossip_pack_map(out, count);
    for (size_t i = 0; i < fields.count; i++) {
        const struct gossip_field *field = &fields.rows[i];
        if (!is_written(from, field))
            continue;
        gossip_pack_text(out, field->name);
        kinds[field->kind].write(out, place_in(from, field));
    }
}

static const struct gossip_field *find(struct gossip_fields fields, struct cu_bytes name)
{
    for (size_t i = 0; i < fields.count; i++)
        if (cu_bytes_equal(cu_bytes_of(fields.rows[i].name), name))
            return &fields.rows[i];
    return NULL;
}

enum cu_err gossip_fields_read(struct gossip_unpack *in, struct gossip_fields fields,
                               struct cu_arena *arena, void *ret)
{
    struct reading reading = {in, arena};
    enum cu_err err = CU_OK;
    for (uint32_t pairs = gossip_unpack_map(in); !err && !in->state && pairs > 0; pairs--) {
        const struct gossip_field *field = find(fields, gossip_unpack_raw(in));
        if (field)
            err = kinds[field->kind].read(&reading, (char *)ret + field->offset);
        else
            gossip_unpack_skip(in);
    }
    if (!err && in->state)
        err = CU_E_INVALID;
    return err;
}
