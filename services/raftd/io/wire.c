#include "services/raftd/io/wire.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/num.h"

static void *take(struct cu_arena *arena, size_t size)
{
    void *memory = cu_arena_alloc(arena, size);
    CU_ASSERT(memory); /* sizes are bounded by RAFT_SERVERS_MAX and RAFT_LINEAGE_MAX */
    return memory;
}

/* ---- ids and positions ---- */

ProtobufCBinaryData raft_wire_id(const struct raft_id *id)
{
    ProtobufCBinaryData none = {0, NULL};
    return raft_id_is_none(*id) ? none
                                : (ProtobufCBinaryData){sizeof id->bytes, (uint8_t *)id->bytes};
}

enum cu_err raft_wire_read_id(ProtobufCBinaryData data, struct raft_id *ret_id)
{
    if (data.len && data.len != sizeof ret_id->bytes)
        return CU_E_INVALID;
    struct raft_id id = {{0}};
    if (data.len)
        memcpy(id.bytes, data.data, data.len);
    *ret_id = id;
    return CU_OK;
}

static char *node_text(struct cu_arena *arena, struct raft_id id)
{
    char *text = take(arena, CU_UUID_BYTES);
    return raft_id_is_none(id) ? text : cu_format_uuid(id.bytes, text);
}

static enum cu_err read_node(const char *text, struct raft_id *ret_id, struct cu_diag *diag)
{
    struct raft_id id = {{0}};
    if (*text && cu_parse_uuid(text, id.bytes))
        return cu_fail(diag, CU_E_INVALID, "a node id is no UUID");
    *ret_id = id;
    return CU_OK;
}

void raft_wire_position(const struct raft_position *position, raft_pb_position *ret_position)
{
    curia__internal__v1__position__init(ret_position);
    ret_position->cluster_id = raft_wire_id(&position->cluster);
    ret_position->index = position->index;
    ret_position->term = position->term;
}

enum cu_err raft_wire_read_position(const raft_pb_position *from,
                                    struct raft_position *ret_position, struct cu_diag *diag)
{
    struct raft_position position = {.index = from ? from->index : 0,
                                     .term = from ? from->term : 0};
    if (from && raft_wire_read_id(from->cluster_id, &position.cluster))
        return cu_fail(diag, CU_E_INVALID, "a position's cluster id has not 16 bytes");
    *ret_position = position;
    return CU_OK;
}

/* ---- entries ---- */

void raft_wire_entry(const struct raft_entry *entry, raft_pb_entry *ret_entry)
{
    struct cu_bytes body = raft_entry_body(entry);
    curia__internal__v1__entry__init(ret_entry);
    ret_entry->index = entry->index;
    ret_entry->term = entry->term;
    ret_entry->kind = (uint32_t)entry->kind;
    ret_entry->wall_ms = entry->wall_ms;
    ret_entry->lease_ms = entry->lease_ms;
    ret_entry->proposer = raft_wire_id(&entry->proposer);
    ret_entry->seq = entry->seq;
    ret_entry->if_term = entry->if_term;
    ret_entry->level = entry->level;
    ret_entry->body = (ProtobufCBinaryData){body.len, (uint8_t *)body.data};
    ret_entry->checksum = raft_entry_checksum(entry);
}

enum cu_err raft_wire_read_entry(const raft_pb_entry *from, struct raft_entry *ret_entry,
                                 struct cu_diag *diag)
{
    struct raft_entry entry = {
        .index = from->index,
        .term = from->term,
        .kind = (enum raft_kind)from->kind,
        .wall_ms = from->wall_ms,
        .lease_ms = from->lease_ms,
        .seq = from->seq,
        .if_term = from->if_term,
        .level = from->level,
    };
    if (from->kind < RAFT_COMMAND || from->kind > RAFT_BARRIER)
        return cu_fail(diag, CU_E_INVALID, "entry %" PRIu64 " has unknown kind %u", from->index,
                       from->kind);
    if (from->body.len > RAFT_ENTRY_LIMIT_BYTES)
        return cu_fail(diag, CU_E_INVALID, "entry %" PRIu64 " is over the limit in bytes",
                       from->index);
    if (raft_wire_read_id(from->proposer, &entry.proposer))
        return cu_fail(diag, CU_E_INVALID, "entry %" PRIu64 ": a proposer has not 16 bytes",
                       from->index);
    if (from->body.len)
        entry.body = raft_body_new((struct cu_bytes){from->body.data, from->body.len});
    if (raft_entry_checksum(&entry) != from->checksum) {
        raft_body_unref(entry.body);
        return cu_fail(diag, CU_E_INVALID, "entry %" PRIu64 " fails its checksum", from->index);
    }
    *ret_entry = entry;
    return CU_OK;
}

/* ---- configurations and headers ---- */

raft_pb_configuration *raft_wire_configuration(struct cu_arena *arena,
                                               const struct raft_configuration *configuration)
{
    raft_pb_configuration *to = take(arena, sizeof *to);
    curia__internal__v1__configuration__init(to);
    to->index = configuration->index;
    to->n_servers = configuration->count;
    to->servers = take(arena, (configuration->count + 1) * sizeof(void *));
    for (uint32_t i = 0; i < configuration->count; i++) {
        Curia__Internal__V1__Server *server = take(arena, sizeof *server);
        curia__internal__v1__server__init(server);
        server->id = node_text(arena, configuration->servers[i].id);
        server->incarnation = configuration->servers[i].incarnation;
        server->voter = configuration->servers[i].is_voter;
        to->servers[i] = server;
    }
    return to;
}

enum cu_err raft_wire_read_configuration(const raft_pb_configuration *from,
                                         struct raft_configuration *ret_configuration,
                                         struct cu_diag *diag)
{
    struct raft_configuration configuration = {0};
    if (from && from->n_servers > RAFT_SERVERS_MAX)
        return cu_fail(diag, CU_E_INVALID, "a configuration names more than %d servers",
                       RAFT_SERVERS_MAX);
    configuration.index = from ? from->index : 0;
    configuration.count = from ? (uint32_t)from->n_servers : 0;
    for (uint32_t i = 0; i < configuration.count; i++) {
        struct raft_server *server = &configuration.servers[i];
        enum cu_err err = read_node(from->servers[i]->id, &server->id, diag);
        if (err)
            return err;
        server->incarnation = from->servers[i]->incarnation;
        server->is_voter = from->servers[i]->voter;
    }
    *ret_configuration = configuration;
    return CU_OK;
}

raft_pb_lineage **raft_wire_lineage(struct cu_arena *arena, const struct raft_lineage *lineage,
                                    uint32_t count)
{
    raft_pb_lineage **to = take(arena, (count + 1) * sizeof *to);
    for (uint32_t i = 0; i < count; i++) {
        to[i] = take(arena, sizeof **to);
        curia__internal__v1__lineage__init(to[i]);
        to[i]->cluster_id = raft_wire_id(&lineage[i].cluster);
        to[i]->last_index = lineage[i].last_index;
    }
    return to;
}

raft_pb_header *raft_wire_header(struct cu_arena *arena, const struct raft_header *header)
{
    raft_pb_header *to = take(arena, sizeof *to);
    curia__internal__v1__state_header__init(to);
    to->position = take(arena, sizeof *to->position);
    raft_wire_position(&header->position, to->position);
    to->configuration = raft_wire_configuration(arena, &header->configuration);
    to->wall_ms = header->wall_ms;
    to->lease_ms = header->lease_ms;
    to->n_lineage = header->lineage_count;
    to->lineage = raft_wire_lineage(arena, header->lineage, header->lineage_count);
    return to;
}

static enum cu_err read_lineage(const raft_pb_header *from, struct raft_header *header,
                                struct cu_diag *diag)
{
    if (from->n_lineage > RAFT_LINEAGE_MAX)
        return cu_fail(diag, CU_E_INVALID, "a header names more than %d earlier clusters",
                       RAFT_LINEAGE_MAX);
    header->lineage_count = (uint32_t)from->n_lineage;
    for (uint32_t i = 0; i < header->lineage_count; i++) {
        header->lineage[i].last_index = from->lineage[i]->last_index;
        if (raft_wire_read_id(from->lineage[i]->cluster_id, &header->lineage[i].cluster))
            return cu_fail(diag, CU_E_INVALID, "an earlier cluster id has not 16 bytes");
    }
    return CU_OK;
}

enum cu_err raft_wire_read_header(const raft_pb_header *from, struct raft_header *ret_header,
                                  struct cu_diag *diag)
{
    struct raft_header header = {.wall_ms = from ? from->wall_ms : 0,
                                 .lease_ms = from ? from->lease_ms : 0};
    enum cu_err err = CU_OK;
    if (from)
        err = raft_wire_read_position(from->position, &header.position, diag);
    if (!err && from)
        err = raft_wire_read_configuration(from->configuration, &header.configuration, diag);
    if (!err && from)
        err = read_lineage(from, &header, diag);
    if (!err)
        *ret_header = header;
    return err;
}

/* ---- messages ---- */

static void write_entries(struct cu_arena *arena, const struct raft_message *message,
                          raft_pb_message *to)
{
    raft_pb_entry *entries = take(arena, (message->entry_count + 1) * sizeof *entries);
    to->n_entries = message->entry_count;
    to->entries = take(arena, (message->entry_count + 1) * sizeof *to->entries);
    for (uint32_t i = 0; i < message->entry_count; i++) {
        raft_wire_entry(&message->entries[i], &entries[i]);
        to->entries[i] = &entries[i];
    }
}

raft_pb_message *raft_wire_message(struct cu_arena *arena, const struct raft_message *message)
{
    raft_pb_message *to = take(arena, sizeof *to);
    curia__internal__v1__raft_message__init(to);
    to->kind = (uint32_t)message->kind;
    to->from = node_text(arena, message->from);
    to->to = node_text(arena, message->to);
    to->incarnation = message->incarnation;
    to->cluster_id = raft_wire_id(&message->cluster);
    to->prior_id = raft_wire_id(&message->prior);
    to->term = message->term;
    to->index = message->index;
    to->log_term = message->log_term;
    to->commit = message->commit;
    to->ok = message->ok;
    to->transfer = message->transfer;
    to->well = message->well;
    to->round = message->round;
    to->conflict_term = message->conflict_term;
    to->conflict_index = message->conflict_index;
    if (message->reason != RAFT_HEARD)
        to->reason = (char *)raft_ignored_text(message->reason);
    if (message->configuration.count)
        to->configuration = raft_wire_configuration(arena, &message->configuration);
    to->new_cluster_id = raft_wire_id(&message->new_cluster);
    if (message->entry_count)
        write_entries(arena, message, to);
    return to;
}

/* A newer server may give a reason that this build has no word for. */
static enum raft_ignored read_reason(const char *text)
{
    if (!*text)
        return RAFT_HEARD;
    for (int why = RAFT_HEARD + 1; why < RAFT_IGN_COUNT; why++)
        if (!strcmp(text, raft_ignored_text((enum raft_ignored)why)))
            return (enum raft_ignored)why;
    return RAFT_IGN_MALFORMED;
}

static enum cu_err read_ids(const raft_pb_message *from, struct raft_message *to,
                            struct cu_diag *diag)
{
    enum cu_err err = read_node(from->from, &to->from, diag);
    if (!err)
        err = read_node(from->to, &to->to, diag);
    if (!err && (raft_wire_read_id(from->cluster_id, &to->cluster) ||
                 raft_wire_read_id(from->prior_id, &to->prior) ||
                 raft_wire_read_id(from->new_cluster_id, &to->new_cluster)))
        err = cu_fail(diag, CU_E_INVALID, "a cluster id has not 16 bytes");
    if (!err)
        err = raft_wire_read_configuration(from->configuration, &to->configuration, diag);
    return err;
}

static enum cu_err read_entries(const raft_pb_message *from, struct raft_message *to,
                                struct cu_diag *diag)
{
    if (from->n_entries > RAFT_ENTRY_BATCH)
        return cu_fail(diag, CU_E_INVALID, "a message carries more than %d entries",
                       RAFT_ENTRY_BATCH);
    if (!from->n_entries)
        return CU_OK;
    to->entries = cu_alloc(from->n_entries * sizeof *to->entries);
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && i < from->n_entries; i++) {
        err = raft_wire_read_entry(from->entries[i], &to->entries[i], diag);
        if (!err)
            to->entry_count++;
    }
    return err;
}

enum cu_err raft_wire_read_message(const raft_pb_message *from, struct raft_message **ret_message,
                                   struct cu_diag *diag)
{
    if (from->kind < RAFT_MSG_PREVOTE || from->kind >= RAFT_MSG_KIND_COUNT)
        return cu_fail(diag, CU_E_INVALID, "unknown message kind %u", from->kind);
    struct raft_message *to = cu_alloc(sizeof *to);
    to->kind = (enum raft_message_kind)from->kind;
    to->incarnation = from->incarnation;
    to->term = from->term;
    to->index = from->index;
    to->log_term = from->log_term;
    to->commit = from->commit;
    to->ok = from->ok;
    to->transfer = from->transfer;
    to->well = from->well;
    to->round = from->round;
    to->conflict_term = from->conflict_term;
    to->conflict_index = from->conflict_index;
    to->reason = read_reason(from->reason);
    enum cu_err err = read_ids(from, to, diag);
    if (!err)
        err = read_entries(from, to, diag);
    if (err) {
        raft_message_deinit(to);
        free(to);
        return err;
    }
    *ret_message = to;
    return CU_OK;
}
