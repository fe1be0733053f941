#include "tests/lib/registration.h"

#include <string.h>

#include "services/catalogd/core/index.h"
#include "services/catalogd/core/key.h"
#include "tests/lib/suite.h"

static char *text(const char *given)
{
    return (char *)(uintptr_t)(given ? given : "");
}

static void *fresh(struct cu_arena *arena, const ProtobufCMessageDescriptor *type)
{
    void *message = cu_arena_alloc(arena, type->sizeof_message);
    ck_assert_ptr_nonnull(message);
    protobuf_c_message_init(type, message);
    return message;
}

/* The parts of "a,b,c", in the arena. */
static size_t split(struct cu_arena *arena, const char *list, char ***ret_parts)
{
    char *copy = cu_arena_strdup(arena, list), *rest = copy, *part;
    char **parts = cu_arena_alloc(arena, (strlen(list) + 1) * sizeof *parts);
    size_t count = 0;
    while (list[0] && (part = strsep(&rest, ",")))
        parts[count++] = part;
    *ret_parts = parts;
    return count;
}

Curia__V1__StringMap *reg_map(struct cu_arena *arena, const char *pairs)
{
    if (!pairs)
        return NULL;
    Curia__V1__StringMap *map = fresh(arena, &curia__v1__string_map__descriptor);
    char **parts;
    map->n_entries = split(arena, pairs, &parts);
    map->entries = cu_arena_alloc(arena, (map->n_entries + 1) * sizeof *map->entries);
    for (size_t i = 0; i < map->n_entries; i++) {
        map->entries[i] = fresh(arena, &curia__v1__string_map__entries_entry__descriptor);
        map->entries[i]->value = parts[i];
        map->entries[i]->key = strsep(&map->entries[i]->value, "=");
    }
    return map;
}

static Curia__V1__Node *make_node(struct cu_arena *arena, const struct reg *reg)
{
    Curia__V1__Node *node = fresh(arena, &curia__v1__node__descriptor);
    node->node = text(reg->node);
    node->id = text(reg->id);
    node->address = text(reg->address || reg->without_address ? reg->address : "10.0.0.1");
    node->datacenter = text("dc1");
    node->meta = reg_map(arena, reg->node_meta);
    return node;
}

static Curia__V1__Service *make_service(struct cu_arena *arena, const struct reg *reg)
{
    if (!reg->service && !reg->service_id)
        return NULL;
    Curia__V1__Service *service = fresh(arena, &curia__v1__service__descriptor);
    service->service = text(reg->service);
    service->id = text(reg->service_id);
    service->kind = text(reg->kind);
    service->port = reg->port;
    service->address = text(reg->service_address);
    service->meta = reg_map(arena, reg->service_meta);
    service->n_tags = split(arena, text(reg->tags), &service->tags);
    if (reg->destination) {
        service->proxy = fresh(arena, &curia__v1__proxy__descriptor);
        service->proxy->destination_service_name = text(reg->destination);
    }
    service->connect = fresh(arena, &curia__v1__connect__descriptor);
    service->connect->native = reg->is_native;
    return service;
}

static Curia__V1__Check *make_check(struct cu_arena *arena, const struct reg *reg)
{
    Curia__V1__Check *check = fresh(arena, &curia__v1__check__descriptor);
    check->check_id = text(reg->check);
    check->node = text(reg->check_node);
    check->service_id = text(reg->check_service);
    check->status = text(reg->status);
    check->output = text(reg->output);
    return check;
}

Curia__Internal__V1__RegisterCommand *reg_command(struct cu_arena *arena, const struct reg *reg)
{
    Curia__Internal__V1__RegisterCommand *command =
        fresh(arena, &curia__internal__v1__register_command__descriptor);
    command->node = make_node(arena, reg);
    command->service = make_service(arena, reg);
    command->skip_node_update = reg->skip_node_update;
    if (reg->check) {
        command->n_checks = 1;
        command->checks = cu_arena_alloc(arena, sizeof *command->checks);
        command->checks[0] = make_check(arena, reg);
    }
    return command;
}

static const Curia__Internal__V1__CommandResult *run(struct state *state,
                                                     Curia__Internal__V1__Command *command)
{
    struct catalog_outcome outcome = state_command(state, command);
    ck_assert_int_eq(outcome.fate, CATALOG_APPLIED);
    ck_assert_ptr_nonnull(outcome.result);
    return outcome.result;
}

const Curia__Internal__V1__CommandResult *state_register(struct state *state, const struct reg *reg)
{
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    command.register_node = reg_command(state->arena, reg);
    return run(state, &command);
}

void state_registers(struct state *state, const struct reg *reg)
{
    const Curia__Internal__V1__CommandResult *result = state_register(state, reg);
    ck_assert_str_eq(result->text, "");
    ck_assert(result->applied && !result->error);
}

void state_deregister(struct state *state, const char *node, const char *service_id,
                      const char *check_id)
{
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    Curia__Internal__V1__DeregisterCommand body = CURIA__INTERNAL__V1__DEREGISTER_COMMAND__INIT;
    body.node = text(node);
    body.service_id = text(service_id);
    body.check_id = text(check_id);
    command.deregister = &body;
    ck_assert(run(state, &command)->applied);
}

uint64_t state_named_index(struct state *state, const char *head, const char *name)
{
    uint64_t index;
    ck_assert_int_eq(catalog_store_flush(state->store), CU_OK);
    ck_assert_int_eq(catalog_index_read(state->backend, state->arena, head, name, &index), CU_OK);
    return index;
}

static void put_index(ProtobufCMessage *message, const char *field, uint64_t index)
{
    const ProtobufCFieldDescriptor *to =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, field);
    ck_assert(to && to->type == PROTOBUF_C_TYPE_UINT64);
    memcpy((uint8_t *)message + to->offset, &index, sizeof index);
}

/* The row as a message that says when it was made and changed; NULL: there is none. */
static void *find(struct state *state, enum catalog_table table, const char *node, const char *id,
                  const ProtobufCMessageDescriptor *type)
{
    struct catalog_row row;
    struct cu_bytes key = catalog_key_of_node(state->arena, node, id);
    enum cu_err err = state->backend->get(state->backend->context, table, key, state->arena, &row);
    if (err == CU_E_NOT_FOUND)
        return NULL;
    ck_assert_int_eq(err, CU_OK);
    ProtobufCMessage *message = protobuf_c_message_unpack(type, cu_arena_allocator(state->arena),
                                                          row.value.len, row.value.data);
    ck_assert_ptr_nonnull(message);
    put_index(message, "create_index", row.create_index);
    put_index(message, "modify_index", row.modify_index);
    return message;
}

Curia__V1__Node *state_node(struct state *state, const char *node)
{
    return find(state, CATALOG_NODES, node, NULL, &curia__v1__node__descriptor);
}

Curia__V1__Service *state_service(struct state *state, const char *node, const char *id)
{
    return find(state, CATALOG_SERVICES, node, id, &curia__v1__service__descriptor);
}

Curia__V1__Check *state_check(struct state *state, const char *node, const char *id)
{
    return find(state, CATALOG_CHECKS, node, id, &curia__v1__check__descriptor);
}
