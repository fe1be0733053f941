#include "services/catalogd/core/may.h"

#include <string.h>

#include "common/base/assert.h"
#include "services/catalogd/core/config_entry.h"
#include "services/catalogd/core/key.h"

static bool permits(const struct cu_authorizer *who, enum cu_right right, const char *name)
{
    return cu_authorizer_permits(who, right, cu_bytes_of(name));
}

bool catalog_may_see_node(const struct cu_authorizer *who, const char *node)
{
    return permits(who, NODE_READ, node);
}

bool catalog_may_see_service(const struct cu_authorizer *who, const char *service)
{
    return !*service || permits(who, SERVICE_READ, service);
}

bool catalog_may_see_check(const struct cu_authorizer *who, const Curia__V1__Check *check)
{
    return catalog_may_see_node(who, check->node) &&
           catalog_may_see_service(who, check->service_name);
}

bool catalog_may_see_key(const struct cu_authorizer *who, struct cu_bytes key)
{
    return cu_authorizer_permits(who, KEY_READ, key);
}

bool catalog_may_see_intention(const struct cu_authorizer *who,
                               const Curia__V1__Intention *intention)
{
    return permits(who, INTENTION_READ, intention->source_name) ||
           permits(who, INTENTION_READ, intention->destination_name);
}

/* ---- entries ---- */

static const struct kind_rights {
    const char *kind;
    enum cu_right read, write;
} kinds[] = {
    {CATALOG_SERVICE_DEFAULTS, SERVICE_READ, SERVICE_WRITE},
    {CATALOG_PROXY_DEFAULTS, ANY_TOKEN, OPERATOR_WRITE},
    {CATALOG_SERVICE_INTENTIONS, INTENTION_READ, INTENTION_WRITE},
};

static const struct kind_rights *rights_of(const char *kind)
{
    static const struct kind_rights unknown = {"", OPERATOR_READ, OPERATOR_WRITE};
    for (size_t i = 0; i < CU_COUNT(kinds); i++)
        if (catalog_name_equal(kinds[i].kind, kind))
            return &kinds[i];
    return &unknown;
}

enum cu_right catalog_entry_read_right(const char *kind)
{
    return rights_of(kind)->read;
}

enum cu_right catalog_entry_write_right(const char *kind)
{
    return rights_of(kind)->write;
}

bool catalog_may_see_entry(const struct cu_authorizer *who, const Curia__V1__ConfigEntry *entry)
{
    return permits(who, catalog_entry_read_right(entry->kind), entry->name);
}

/* ---- lists ---- */

void catalog_may_keep_nodes(const struct cu_authorizer *who, struct catalog_list *nodes)
{
    size_t kept = 0;
    for (size_t i = 0; i < nodes->count; i++)
        if (catalog_may_see_node(who, ((const Curia__V1__Node *)nodes->items[i])->node))
            nodes->items[kept++] = nodes->items[i];
    nodes->count = kept;
}

void catalog_may_keep_checks(const struct cu_authorizer *who, struct catalog_list *checks)
{
    size_t kept = 0;
    for (size_t i = 0; i < checks->count; i++)
        if (catalog_may_see_check(who, checks->items[i]))
            checks->items[kept++] = checks->items[i];
    checks->count = kept;
}

/* ---- rows ---- */

/* What the key says: NODE, or NODE NUL ID; the text behind the namespace, in the arena. */
static const char *text_of_key(const struct catalog_may_row *row, struct cu_arena *arena)
{
    struct cu_bytes user;
    if (!catalog_key_user(row->key, &user))
        return NULL;
    char *text = cu_arena_alloc(arena, user.len + 2);
    if (text && user.len)
        memcpy(text, user.data, user.len);
    return text;
}

static void *unpack(const struct catalog_may_row *row, struct cu_arena *arena)
{
    struct catalog_row stored = {.key = row->key, .value = row->value};
    void *message = NULL;
    return row->value.len > 0 && !catalog_view_unpack(row->table, &stored, arena, &message)
               ? message
               : NULL;
}

typedef bool see_row(const struct cu_authorizer *who, const struct catalog_may_row *row,
                     struct cu_arena *arena);

static bool see_key(const struct cu_authorizer *who, const struct catalog_may_row *row,
                    struct cu_arena *arena)
{
    struct cu_bytes user;
    (void)arena;
    return catalog_key_user(row->key, &user) && catalog_may_see_key(who, user);
}

/* A letter for its kind is in front. */
static bool see_tombstone(const struct cu_authorizer *who, const struct catalog_may_row *row,
                          struct cu_arena *arena)
{
    struct cu_bytes user;
    (void)arena;
    return catalog_key_user(row->key, &user) && user.len > 0 &&
           catalog_may_see_key(who, (struct cu_bytes){user.data + 1, user.len - 1});
}

static bool see_node(const struct cu_authorizer *who, const struct catalog_may_row *row,
                     struct cu_arena *arena)
{
    const Curia__V1__Node *node = unpack(row, arena);
    const char *name = node ? node->node : text_of_key(row, arena);
    return name && catalog_may_see_node(who, name);
}

static bool see_service(const struct cu_authorizer *who, const struct catalog_may_row *row,
                        struct cu_arena *arena)
{
    const Curia__V1__Service *service = unpack(row, arena);
    const char *node = row->node ? row->node : text_of_key(row, arena);
    return node && service && catalog_may_see_node(who, node) &&
           catalog_may_see_service(who, service->service);
}

static bool see_check(const struct cu_authorizer *who, const struct catalog_may_row *row,
                      struct cu_arena *arena)
{
    const Curia__V1__Check *check = unpack(row, arena);
    return check && catalog_may_see_check(who, check);
}

static bool see_entry(const struct cu_authorizer *who, const struct catalog_may_row *row,
                      struct cu_arena *arena)
{
    const Curia__V1__ConfigEntry *entry = unpack(row, arena);
    const char *kind = entry ? NULL : text_of_key(row, arena);
    if (entry)
        return catalog_may_see_entry(who, entry);
    return kind && permits(who, catalog_entry_read_right(kind), kind + strlen(kind) + 1);
}

static bool see_anything(const struct cu_authorizer *who, const struct catalog_may_row *row,
                         struct cu_arena *arena)
{
    (void)who, (void)row, (void)arena;
    return true;
}

static bool see_as_operator(const struct cu_authorizer *who, const struct catalog_may_row *row,
                            struct cu_arena *arena)
{
    (void)row, (void)arena;
    return permits(who, OPERATOR_READ, "");
}

/* As the one way to read it asks (http-api.md 2.16). */
static bool see_ca_config(const struct cu_authorizer *who, const struct catalog_may_row *row,
                          struct cu_arena *arena)
{
    (void)row, (void)arena;
    return permits(who, OPERATOR_WRITE, "");
}

static bool see_acl(const struct cu_authorizer *who, const struct catalog_may_row *row,
                    struct cu_arena *arena)
{
    (void)row, (void)arena;
    return permits(who, ACL_READ, "");
}

/* No row: nobody's. */
static see_row *const tables[CATALOG_TABLE_COUNT] = {
    [CATALOG_KV] = see_key,
    [CATALOG_TOMBSTONES] = see_tombstone,
    [CATALOG_SETTINGS] = see_as_operator,
    [CATALOG_NODES] = see_node,
    [CATALOG_SERVICES] = see_service,
    [CATALOG_CHECKS] = see_check,
    [CATALOG_CONFIG_ENTRIES] = see_entry,
    [CATALOG_CONNECT_ROOTS] = see_anything,
    [CATALOG_CONNECT_CONFIG] = see_ca_config,
    [CATALOG_ACL_POLICIES] = see_acl,
    [CATALOG_ACL_ROLES] = see_acl,
    [CATALOG_ACL_TOKENS] = see_acl,
};

bool catalog_may_see_row(const struct cu_authorizer *who, const struct catalog_may_row *row,
                         struct cu_arena *arena)
{
    return tables[row->table] && tables[row->table](who, row, arena);
}
