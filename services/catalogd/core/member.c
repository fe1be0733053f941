#include "services/catalogd/core/member.h"

#include <string.h>
#include <strings.h>

#include "common/base/num.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/register.h"

typedef Curia__V1__Node node_t;
typedef Curia__V1__Check check_t;
typedef Curia__V1__Service service_t;
typedef Curia__Internal__V1__RegisterCommand command_t;

const char *catalog_member_tag(const catalog_member *member, const char *key)
{
    for (size_t i = 0; i < member->n_tags; i++)
        if (strcmp(member->tags[i]->key, key) == 0)
            return member->tags[i]->value;
    return "";
}

static bool is_number(const char *text, uint64_t most, uint64_t *ret_number)
{
    uint64_t number;
    if (cu_parse_u64(text, strlen(text), &number) || number > most)
        return false;
    *ret_number = number;
    return true;
}

static bool is_of_datacenter(const struct catalog_member_self *self, const catalog_member *member)
{
    return strcasecmp(catalog_member_tag(member, "dc"), self->datacenter) == 0;
}

bool catalog_member_is_server(const struct catalog_member_self *self, const catalog_member *member)
{
    uint64_t port, version;
    return strcmp(catalog_member_tag(member, "role"), "consul") == 0 &&
           is_of_datacenter(self, member) && catalog_member_tag(member, "build")[0] &&
           is_number(catalog_member_tag(member, "port"), UINT16_MAX, &port) && port > 0 &&
           is_number(catalog_member_tag(member, "vsn"), INT32_MAX, &version);
}

static bool is_ours(const struct catalog_member_self *self, const catalog_member *member)
{
    bool is_client = strcmp(catalog_member_tag(member, "role"), "node") == 0;
    return catalog_member_is_server(self, member) || (is_client && is_of_datacenter(self, member));
}

/* ---- what it shall be ---- */

static void *fresh(struct cu_arena *arena, const ProtobufCMessageDescriptor *type)
{
    void *message = cu_arena_alloc(arena, type->sizeof_message);
    if (message)
        protobuf_c_message_init(type, message);
    return message;
}

static const char *yes_or_no(const char *tag)
{
    return strcmp(tag, "1") == 0 ? "true" : "false";
}

/* "1.9.8:1a2b3c4d" is version 1.9.8. */
static const char *version_of(struct cu_arena *arena, const char *build)
{
    return cu_arena_printf(arena, "%.*s", (int)strcspn(build, ":"), build);
}

/* In the order of their keys (text.proto). */
static Curia__V1__StringMap *server_meta(const catalog_member *member, struct cu_arena *arena)
{
    enum { PAIRS = 7 };
    const char *raft = catalog_member_tag(member, "raft_vsn");
    const char *const pairs[PAIRS][2] = {
        {"non_voter", yes_or_no(catalog_member_tag(member, "nonvoter"))},
        {"raft_version", raft[0] ? raft : "0"},
        {"read_replica", yes_or_no(catalog_member_tag(member, "read_replica"))},
        {"serf_protocol_current", cu_arena_printf(arena, "%u", member->protocol_cur)},
        {"serf_protocol_max", cu_arena_printf(arena, "%u", member->protocol_max)},
        {"serf_protocol_min", cu_arena_printf(arena, "%u", member->protocol_min)},
        {"version", version_of(arena, catalog_member_tag(member, "build"))},
    };
    Curia__V1__StringMap *meta = fresh(arena, &curia__v1__string_map__descriptor);
    Curia__V1__StringMap__EntriesEntry *entries = cu_arena_alloc(arena, PAIRS * sizeof *entries);
    if (meta)
        meta->entries = cu_arena_alloc(arena, PAIRS * sizeof *meta->entries);
    if (!meta || !entries || !meta->entries)
        return NULL;
    for (size_t i = 0; i < PAIRS; i++) {
        curia__v1__string_map__entries_entry__init(&entries[i]);
        entries[i].key = (char *)(uintptr_t)pairs[i][0];
        entries[i].value = (char *)(uintptr_t)pairs[i][1];
        if (!entries[i].value)
            return NULL;
        meta->entries[meta->n_entries++] = &entries[i];
    }
    return meta;
}

static service_t *server_service(const catalog_member *member, struct cu_arena *arena)
{
    uint64_t port = 0;
    service_t *service = fresh(arena, &curia__v1__service__descriptor);
    if (!service)
        return NULL;
    service->id = service->service = (char *)(uintptr_t)CATALOG_SERVER_SERVICE;
    if (is_number(catalog_member_tag(member, "port"), UINT16_MAX, &port))
        service->port = (int32_t)port;
    service->weights = fresh(arena, &curia__v1__weights__descriptor);
    service->meta = server_meta(member, arena);
    if (!service->weights || !service->meta)
        return NULL;
    service->weights->passing = service->weights->warning = 1;
    return service;
}

static check_t *serf_check(const catalog_member *member, bool is_alive, struct cu_arena *arena)
{
    check_t *check = fresh(arena, &curia__v1__check__descriptor);
    if (!check)
        return NULL;
    check->node = member->name;
    check->check_id = (char *)(uintptr_t)CATALOG_SERF_CHECK;
    check->name = (char *)(uintptr_t) "Serf Health Status";
    check->status = (char *)(uintptr_t)(is_alive ? "passing" : "critical");
    check->output = (char *)(uintptr_t)(is_alive ? "Agent alive and reachable"
                                                 : "Agent not live or unreachable");
    return check;
}

/* Tagged addresses and metadata are the agent's own: what is there stays. */
static node_t *node_of(const struct catalog_member_self *self, const catalog_member *member,
                       const struct catalog_member_seen *seen, struct cu_arena *arena)
{
    node_t *node = fresh(arena, &curia__v1__node__descriptor);
    if (!node)
        return NULL;
    node->node = member->name;
    node->id = (char *)(uintptr_t)catalog_member_tag(member, "id");
    node->address = member->address;
    node->datacenter = (char *)(uintptr_t)self->datacenter;
    if (seen->node) {
        node->tagged_addresses = seen->node->tagged_addresses;
        node->meta = seen->node->meta;
    }
    return node;
}

static enum cu_err make(const struct catalog_member_self *self, const catalog_member *member,
                        const struct catalog_member_seen *seen, service_t *server,
                        struct cu_arena *arena, command_t **ret_command)
{
    bool is_alive = member->status == CURIA__INTERNAL__V1__MEMBER_STATUS__MEMBER_ALIVE;
    command_t *command = fresh(arena, &curia__internal__v1__register_command__descriptor);
    if (!command)
        return CU_E_TOO_LARGE;
    command->node = node_of(self, member, seen, arena);
    command->service = server;
    command->n_checks = 1;
    command->checks = cu_arena_alloc(arena, sizeof *command->checks);
    command->skip_node_update = !is_alive;
    check_t *check = serf_check(member, is_alive, arena);
    if (!command->node || !command->checks || !check)
        return CU_E_TOO_LARGE;
    command->checks[0] = check;
    *ret_command = command;
    return CU_OK;
}

/* ---- what it is ---- */

static bool is_same_map(const Curia__V1__StringMap *a, const Curia__V1__StringMap *b)
{
    if (!a || !b || a->n_entries != b->n_entries)
        return false;
    for (size_t i = 0; i < a->n_entries; i++)
        if (strcmp(a->entries[i]->key, b->entries[i]->key) != 0 ||
            strcmp(a->entries[i]->value, b->entries[i]->value) != 0)
            return false;
    return true;
}

static bool has_status(const struct catalog_member_seen *seen, const char *status)
{
    return seen->serf && strcmp(seen->serf->status, status) == 0;
}

static bool is_as_it_shall(const catalog_member *member, const struct catalog_member_seen *seen,
                           const service_t *server)
{
    return seen->node && strcmp(seen->node->address, member->address) == 0 &&
           strcasecmp(seen->node->id, catalog_member_tag(member, "id")) == 0 &&
           has_status(seen, "passing") &&
           (!server || (seen->server && seen->server->port == server->port &&
                        is_same_map(seen->server->meta, server->meta)));
}

/* ---- the deeds ---- */

static enum cu_err alive(const struct catalog_member_self *self, const catalog_member *member,
                         const struct catalog_member_seen *seen, struct cu_arena *arena,
                         enum catalog_member_deed *ret_deed, command_t **ret_command)
{
    service_t *server = NULL;
    if (catalog_member_is_server(self, member)) {
        server = server_service(member, arena);
        if (!server)
            return CU_E_TOO_LARGE;
    }
    if (is_as_it_shall(member, seen, server))
        return CU_OK;
    *ret_deed = CATALOG_MEMBER_REGISTER;
    return make(self, member, seen, server, arena, ret_command);
}

/* The node is left as it is: what is known of it is all there is. */
static enum cu_err failed(const struct catalog_member_self *self, const catalog_member *member,
                          const struct catalog_member_seen *seen, struct cu_arena *arena,
                          enum catalog_member_deed *ret_deed, command_t **ret_command)
{
    if (!seen->node || has_status(seen, "critical"))
        return CU_OK;
    *ret_deed = CATALOG_MEMBER_REGISTER;
    return make(self, member, seen, NULL, arena, ret_command);
}

/* Who has left is gone, but never by its own hand: a follower takes over and does it. */
static enum cu_err gone(const struct catalog_member_self *self, const catalog_member *member,
                        const struct catalog_member_seen *seen, struct cu_arena *arena,
                        enum catalog_member_deed *ret_deed, command_t **ret_command)
{
    (void)arena;
    (void)ret_command;
    if (seen->node && !catalog_name_equal(member->name, self->name))
        *ret_deed = CATALOG_MEMBER_DEREGISTER;
    return CU_OK;
}

typedef enum cu_err decide(const struct catalog_member_self *self, const catalog_member *member,
                           const struct catalog_member_seen *seen, struct cu_arena *arena,
                           enum catalog_member_deed *ret_deed, command_t **ret_command);

/* clang-format off */
static const struct {
    Curia__Internal__V1__MemberStatus status;
    decide *decide;
} deeds[] = {
    {CURIA__INTERNAL__V1__MEMBER_STATUS__MEMBER_ALIVE,  alive},
    {CURIA__INTERNAL__V1__MEMBER_STATUS__MEMBER_FAILED, failed},
    {CURIA__INTERNAL__V1__MEMBER_STATUS__MEMBER_LEFT,   gone},
    {CURIA__INTERNAL__V1__MEMBER_STATUS__MEMBER_REAPED, gone},
};
/* clang-format on */

enum cu_err catalog_member_decide(const struct catalog_member_self *self,
                                  const catalog_member *member,
                                  const struct catalog_member_seen *seen, struct cu_arena *arena,
                                  enum catalog_member_deed *ret_deed, command_t **ret_command)
{
    *ret_deed = CATALOG_MEMBER_KEEP;
    if (!is_ours(self, member))
        return CU_OK;
    for (size_t i = 0; i < CU_COUNT(deeds); i++)
        if (deeds[i].status == member->status)
            return deeds[i].decide(self, member, seen, arena, ret_deed, ret_command);
    return CU_OK; /* on its way out, or unknown: wait for what becomes of it */
}

enum cu_err catalog_member_look(const struct catalog_view *view, const char *name,
                                struct cu_arena *arena, struct catalog_member_seen *ret_seen)
{
    void *node = NULL, *serf = NULL, *server = NULL;
    enum cu_err err =
        catalog_view_get(view, CATALOG_NODES, catalog_key_of_node(arena, name, NULL), arena, &node);
    if (!err)
        err = catalog_view_get(view, CATALOG_CHECKS,
                               catalog_key_of_node(arena, name, CATALOG_SERF_CHECK), arena, &serf);
    if (!err)
        err = catalog_view_get(view, CATALOG_SERVICES,
                               catalog_key_of_node(arena, name, CATALOG_SERVER_SERVICE), arena,
                               &server);
    *ret_seen = (struct catalog_member_seen){node, serf, server};
    return err;
}
