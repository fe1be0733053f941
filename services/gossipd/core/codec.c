#include "services/gossipd/core/codec.h"

#include "common/base/assert.h"
#include "services/gossipd/core/fields.h"
#include "services/gossipd/core/pack.h"
#include "services/gossipd/core/wire.h"

/* clang-format off */
#define ROW(type, name, kind, member)      {name, GOSSIP_FIELD_##kind, offsetof(struct type, member), false}
#define ROW_OMIT(type, name, kind, member) {name, GOSSIP_FIELD_##kind, offsetof(struct type, member), true}

static const struct gossip_field ping[] = {
    ROW     (gossip_ping, "Node",       NAME, node),
    ROW     (gossip_ping, "SeqNo",      U32,  seq),
    ROW_OMIT(gossip_ping, "SourceAddr", IP,   source.addr.ip),
    ROW_OMIT(gossip_ping, "SourceNode", NAME, source.node),
    ROW_OMIT(gossip_ping, "SourcePort", U16,  source.addr.port),
};

static const struct gossip_field indirect_ping[] = {
    ROW     (gossip_indirect_ping, "Nack",       BOOL, wants_nack),
    ROW     (gossip_indirect_ping, "Node",       NAME, node),
    ROW     (gossip_indirect_ping, "Port",       U16,  target.port),
    ROW     (gossip_indirect_ping, "SeqNo",      U32,  seq),
    ROW_OMIT(gossip_indirect_ping, "SourceAddr", IP,   source.addr.ip),
    ROW_OMIT(gossip_indirect_ping, "SourceNode", NAME, source.node),
    ROW_OMIT(gossip_indirect_ping, "SourcePort", U16,  source.addr.port),
    ROW     (gossip_indirect_ping, "Target",     IP,   target.ip),
};

static const struct gossip_field ack[] = {
    ROW(gossip_ack, "Payload", BYTES, payload),
    ROW(gossip_ack, "SeqNo",   U32,   seq),
};

static const struct gossip_field nack[] = {
    ROW(gossip_nack, "SeqNo", U32, seq),
};

static const struct gossip_field accusation[] = {
    ROW(gossip_accusation, "From",        NAME, from),
    ROW(gossip_accusation, "Incarnation", U32,  incarnation),
    ROW(gossip_accusation, "Node",        NAME, node),
};

static const struct gossip_field alive[] = {
    ROW(gossip_alive, "Addr",        IP,       addr.ip),
    ROW(gossip_alive, "Incarnation", U32,      incarnation),
    ROW(gossip_alive, "Meta",        META,     meta),
    ROW(gossip_alive, "Node",        NAME,     node),
    ROW(gossip_alive, "Port",        U16,      addr.port),
    ROW(gossip_alive, "Vsn",         VERSIONS, versions),
};

static const struct gossip_field node_state[] = {
    ROW(gossip_node_state, "Addr",        IP,       alive.addr.ip),
    ROW(gossip_node_state, "Incarnation", U32,      alive.incarnation),
    ROW(gossip_node_state, "Meta",        META,     alive.meta),
    ROW(gossip_node_state, "Name",        NAME,     alive.node),
    ROW(gossip_node_state, "Port",        U16,      alive.addr.port),
    ROW(gossip_node_state, "State",       STATE,    state),
    ROW(gossip_node_state, "Vsn",         VERSIONS, alive.versions),
};

static const struct gossip_field remote_error[] = {
    ROW(gossip_remote_error, "Error", TEXT, text),
};

static const struct gossip_field push_pull_header[] = {
    ROW(gossip_push_pull_header, "Join",         BOOL, is_join),
    ROW(gossip_push_pull_header, "Nodes",        U32,  nodes),
    ROW(gossip_push_pull_header, "UserStateLen", U32,  user_state_len),
};

static const struct gossip_field leave_intent[] = {
    ROW(gossip_intent, "LTime", U64,  ltime),
    ROW(gossip_intent, "Node",  NAME, node),
    ROW(gossip_intent, "Prune", BOOL, prune),
};

static const struct gossip_field serf_state[] = {
    ROW(gossip_serf_state, "EventLTime",  U64,    event_ltime),
    {"Events", GOSSIP_FIELD_EVENTS, 0, false},
    ROW(gossip_serf_state, "LTime",       U64,    ltime),
    {"LeftMembers", GOSSIP_FIELD_LEFT, 0, false},
    ROW(gossip_serf_state, "QueryLTime",  U64,    query_ltime),
    {"StatusLTimes", GOSSIP_FIELD_STATUS, 0, false},
};
/* clang-format on */

/* The bodies that are one map each. PUSH_PULL and USER are not, the framing types are no messages.
 */
static const struct gossip_fields bodies[GOSSIP_TYPE_COUNT] = {
    [GOSSIP_PING] = {ping, CU_COUNT(ping)},
    [GOSSIP_INDIRECT_PING] = {indirect_ping, CU_COUNT(indirect_ping)},
    [GOSSIP_ACK] = {ack, CU_COUNT(ack)},
    [GOSSIP_NACK] = {nack, CU_COUNT(nack)},
    [GOSSIP_SUSPECT] = {accusation, CU_COUNT(accusation)},
    [GOSSIP_DEAD] = {accusation, CU_COUNT(accusation)},
    [GOSSIP_ALIVE] = {alive, CU_COUNT(alive)},
    [GOSSIP_ERR] = {remote_error, CU_COUNT(remote_error)},
};

static const struct gossip_fields node_fields = {node_state, CU_COUNT(node_state)};
static const struct gossip_fields header_fields = {push_pull_header, CU_COUNT(push_pull_header)};

/* A join has all of a leave's fields but the last. */
static const struct gossip_fields serf_bodies[GOSSIP_SERF_TYPE_COUNT] = {
    [GOSSIP_SERF_LEAVE] = {leave_intent, CU_COUNT(leave_intent)},
    [GOSSIP_SERF_JOIN] = {leave_intent, CU_COUNT(leave_intent) - 1},
    [GOSSIP_SERF_PUSH_PULL] = {serf_state, CU_COUNT(serf_state)},
};

static void encode_push_pull(struct cu_buf *out, const struct gossip_push_pull *exchange)
{
    struct gossip_push_pull_header header = {
        .is_join = exchange->is_join,
        .nodes = exchange->node_count,
        .user_state_len = (uint32_t)exchange->user_state.len,
    };
    gossip_fields_write(out, header_fields, &header);
    for (uint32_t i = 0; i < exchange->node_count; i++)
        gossip_fields_write(out, node_fields, &exchange->nodes[i]);
    cu_buf_append(out, exchange->user_state.data, exchange->user_state.len);
}

void gossip_encode(struct cu_buf *out, const struct gossip_message *message)
{
    CU_ASSERT((unsigned)message->type < GOSSIP_TYPE_COUNT);
    cu_buf_u8(out, (uint8_t)message->type);
    if (message->type == GOSSIP_USER) {
        cu_buf_append(out, message->user.body.data, message->user.body.len);
    } else if (message->type == GOSSIP_PUSH_PULL) {
        encode_push_pull(out, &message->push_pull);
    } else {
        CU_ASSERT(bodies[message->type].rows);
        gossip_fields_write(out, bodies[message->type], &message->ping); /* any: one union */
    }
}

void gossip_serf_encode(struct cu_buf *out, const struct gossip_serf *serf)
{
    CU_ASSERT((unsigned)serf->type < GOSSIP_SERF_TYPE_COUNT);
    cu_buf_u8(out, (uint8_t)serf->type);
    if (serf_bodies[serf->type].rows)
        gossip_fields_write(out, serf_bodies[serf->type], &serf->intent); /* any: one union */
    else
        cu_buf_append(out, serf->body.data, serf->body.len);
}

enum cu_err gossip_push_pull_header_read(struct gossip_unpack *in,
                                         struct gossip_push_pull_header *ret_header)
{
    struct gossip_push_pull_header header = {0};
    enum cu_err err = gossip_fields_read(in, header_fields, NULL, &header);
    if (err)
        return err;
    if (header.nodes > GOSSIP_NODES_MAX || header.user_state_len > GOSSIP_STREAM_MAX_BYTES)
        return CU_E_TOO_LARGE;
    *ret_header = header;
    return CU_OK;
}

static enum cu_err decode_nodes(struct gossip_unpack *in, struct cu_arena *arena,
                                struct gossip_push_pull *exchange)
{
    enum cu_err err = CU_OK;
    if (exchange->node_count > gossip_unpack_left(in))
        return CU_E_INVALID;
    exchange->nodes = cu_arena_alloc(arena, exchange->node_count * sizeof *exchange->nodes);
    if (!exchange->nodes)
        return CU_E_TOO_LARGE;
    for (uint32_t i = 0; !err && i < exchange->node_count; i++)
        err = gossip_fields_read(in, node_fields, arena, &exchange->nodes[i]);
    return err;
}

static enum cu_err decode_push_pull(struct gossip_unpack *in, struct cu_arena *arena,
                                    struct gossip_push_pull *exchange)
{
    struct gossip_push_pull_header header;
    enum cu_err err = gossip_push_pull_header_read(in, &header);
    if (err)
        return err;
    *exchange = (struct gossip_push_pull){.is_join = header.is_join, .node_count = header.nodes};
    if (header.nodes > 0)
        err = decode_nodes(in, arena, exchange);
    if (err)
        return err;
    if (gossip_unpack_left(in) < header.user_state_len)
        return CU_E_INVALID;
    exchange->user_state = (struct cu_bytes){in->at, header.user_state_len};
    return CU_OK;
}

enum cu_err gossip_decode(struct cu_bytes bytes, struct cu_arena *arena,
                          struct gossip_message *ret_message)
{
    if (bytes.len == 0 || bytes.data[0] >= GOSSIP_TYPE_COUNT)
        return CU_E_INVALID;
    struct gossip_message message = {.type = (enum gossip_type)bytes.data[0]};
    struct cu_bytes body = {bytes.data + 1, bytes.len - 1};
    struct gossip_unpack in = gossip_unpack_of(body);
    enum cu_err err = CU_OK;
    if (message.type == GOSSIP_USER)
        message.user.body = body;
    else if (message.type == GOSSIP_PUSH_PULL)
        err = decode_push_pull(&in, arena, &message.push_pull);
    else if (bodies[message.type].rows)
        err = gossip_fields_read(&in, bodies[message.type], arena, &message.ping);
    else
        err = CU_E_INVALID; /* a framing type */
    if (!err)
        *ret_message = message;
    return err;
}

enum cu_err gossip_serf_decode(struct cu_bytes bytes, struct cu_arena *arena,
                               struct gossip_serf *ret_serf)
{
    if (bytes.len == 0 || bytes.data[0] >= GOSSIP_SERF_TYPE_COUNT)
        return CU_E_INVALID;
    struct gossip_serf serf = {.type = (enum gossip_serf_type)bytes.data[0], .whole = bytes};
    struct cu_bytes body = {bytes.data + 1, bytes.len - 1};
    struct gossip_unpack in = gossip_unpack_of(body);
    enum cu_err err = CU_OK;
    if (serf_bodies[serf.type].rows)
        err = gossip_fields_read(&in, serf_bodies[serf.type], arena, &serf.intent);
    else
        serf.body = body;
    if (!err)
        *ret_serf = serf;
    return err;
}
