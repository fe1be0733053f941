#include "services/raftd/core/entry.h"

#include <string.h>

#include "common/base/assert.h"
#include "common/base/err.h"
#include "common/base/num.h"
#include "curia/internal/v1/log.pb-c.h"

typedef Curia__Internal__V1__ConfigurationBody pb_body;
typedef Curia__Internal__V1__Configuration pb_configuration;
typedef Curia__Internal__V1__Server pb_server;

static ProtobufCBinaryData id_bytes(struct raft_id *id)
{
    bool is_none = raft_id_is_none(*id);
    return (ProtobufCBinaryData){is_none ? 0 : sizeof id->bytes, is_none ? NULL : id->bytes};
}

static struct raft_body *pack(const pb_body *message)
{
    struct cu_buf buf = {0};
    uint8_t *at =
        cu_buf_extend(&buf, curia__internal__v1__configuration_body__get_packed_size(message));
    curia__internal__v1__configuration_body__pack(message, at);
    struct raft_body *packed = raft_body_new(cu_buf_bytes(&buf));
    cu_buf_deinit(&buf);
    return packed;
}

struct raft_body *raft_configuration_encode(const struct raft_configuration_body *body)
{
    struct raft_configuration_body copy = *body; /* protobuf-c wants bytes that are not const */
    pb_server servers[RAFT_SERVERS_MAX];
    pb_server *list[RAFT_SERVERS_MAX];
    char names[RAFT_SERVERS_MAX][CU_UUID_BYTES];

    CU_ASSERT(copy.configuration.count <= RAFT_SERVERS_MAX);
    for (uint32_t i = 0; i < copy.configuration.count; i++) {
        const struct raft_server *server = &copy.configuration.servers[i];
        curia__internal__v1__server__init(&servers[i]);
        servers[i].id = cu_format_uuid(server->id.bytes, names[i]);
        servers[i].incarnation = server->incarnation;
        servers[i].voter = server->is_voter;
        list[i] = &servers[i];
    }
    pb_configuration configuration = CURIA__INTERNAL__V1__CONFIGURATION__INIT;
    configuration.servers = list;
    configuration.n_servers = copy.configuration.count;
    configuration.index = copy.configuration.index;

    pb_body message = CURIA__INTERNAL__V1__CONFIGURATION_BODY__INIT;
    message.configuration = &configuration;
    message.cluster_id = id_bytes(&copy.cluster);
    message.prior_id = id_bytes(&copy.prior);
    message.prior_last_index = copy.prior_last_index;
    return pack(&message);
}

static int read_id(ProtobufCBinaryData data, struct raft_id *ret_id)
{
    *ret_id = (struct raft_id){{0}};
    if (data.len && data.len != sizeof ret_id->bytes)
        return CU_E_INVALID;
    if (data.len)
        memcpy(ret_id->bytes, data.data, data.len);
    return CU_OK;
}

static int read_server(const pb_server *from, struct raft_configuration *into)
{
    struct raft_server server = {.incarnation = from->incarnation, .is_voter = from->voter};
    if (cu_parse_uuid(from->id, server.id.bytes))
        return CU_E_INVALID;
    for (uint32_t i = 0; i < into->count; i++) {
        if (raft_id_equal(into->servers[i].id, server.id))
            return CU_E_INVALID;
    }
    into->servers[into->count++] = server;
    return CU_OK;
}

static int read_message(const pb_body *message, struct raft_configuration_body *ret_body)
{
    struct raft_configuration_body body = {.prior_last_index = message->prior_last_index};
    const pb_configuration *from = message->configuration;
    if (!from || !from->n_servers || from->n_servers > RAFT_SERVERS_MAX)
        return CU_E_INVALID;
    int err = read_id(message->cluster_id, &body.cluster);
    if (!err)
        err = read_id(message->prior_id, &body.prior);
    body.configuration.index = from->index;
    for (size_t i = 0; !err && i < from->n_servers; i++)
        err = read_server(from->servers[i], &body.configuration);
    if (!err)
        *ret_body = body;
    return err;
}

int raft_configuration_decode(struct cu_bytes bytes, struct raft_configuration_body *ret_body)
{
    pb_body *message = curia__internal__v1__configuration_body__unpack(NULL, bytes.len, bytes.data);
    if (!message)
        return CU_E_INVALID;
    int err = read_message(message, ret_body);
    curia__internal__v1__configuration_body__free_unpacked(message, NULL);
    return err;
}
