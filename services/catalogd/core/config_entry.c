#include "services/catalogd/core/config_entry.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/assert.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/list.h"
#include "services/catalogd/core/permission.h"
#include "services/catalogd/core/sentence.h"
#include "services/catalogd/core/store_state.h"

typedef Curia__V1__ConfigEntry entry_t;
typedef Curia__V1__SourceIntention source_t;

/* ---- keys ---- */

struct cu_bytes catalog_config_key(struct cu_arena *arena, const char *kind, const char *name)
{
    size_t kind_len = strlen(kind), name_len = name ? strlen(name) : 0;
    uint8_t *user = cu_arena_alloc(arena, kind_len + 1 + name_len);
    if (!user)
        return (struct cu_bytes){NULL, 0};
    catalog_name_fold(user, kind, kind_len);
    user[kind_len] = '\0';
    catalog_name_fold(user + kind_len + 1, name ? name : "", name_len);
    return catalog_key_of(arena, (struct cu_bytes){user, kind_len + 1 + name_len});
}

/* ---- what an entry must hold ---- */

static bool refuse(struct catalog_refusal *refusal, const char *sentence)
{
    *refusal = (struct catalog_refusal){CU_E_INVALID, sentence};
    return false;
}

static char *lower(struct cu_arena *arena, const char *text)
{
    char *copy = cu_arena_strdup(arena, text);
    for (char *at = copy; at && *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return copy;
}

static bool check_meta(const Curia__V1__StringMap *meta, struct catalog_refusal *refusal)
{
    if (!meta)
        return true;
    if (meta->n_entries > CATALOG_META_PAIRS_MAX)
        return refuse(refusal, "Meta exceeds maximum element count 64");
    for (size_t i = 0; i < meta->n_entries; i++) {
        if (strlen(meta->entries[i]->key) > CATALOG_META_KEY_BYTES_MAX)
            return refuse(refusal, "Meta key exceeds maximum length 128");
        if (strlen(meta->entries[i]->value) > CATALOG_META_VALUE_BYTES_MAX)
            return refuse(refusal, "Meta value exceeds maximum length 512");
    }
    return true;
}

/* ---- intentions (mesh.md 3.2) ---- */

static bool has_partial_wildcard(const char *name)
{
    return strchr(name, '*') && strcmp(name, "*") != 0;
}

static bool check_source(struct cu_arena *arena, const entry_t *entry, size_t i,
                         struct catalog_refusal *refusal)
{
    source_t *const *sources = entry->service_intentions->sources;
    source_t *source = sources[i];
    if (!*source->name)
        return refuse(refusal, catalog_sentence(arena, "Sources[%zu].Name is required", i));
    if (has_partial_wildcard(source->name))
        return refuse(refusal, catalog_sentence(arena,
                                                "Sources[%zu].Name: wildcard character '*' cannot "
                                                "be used with partial values",
                                                i));
    if (strlen(source->description) > CATALOG_DESCRIPTION_BYTES_MAX)
        return refuse(
            refusal,
            catalog_sentence(arena, "Sources[%zu].Description exceeds maximum length 512", i));
    if (*source->type && strcmp(source->type, "consul") != 0)
        return refuse(refusal,
                      catalog_sentence(arena, "Sources[%zu].Type must be set to 'consul'", i));
    for (size_t k = 0; k < i; k++)
        if (strcmp(sources[k]->name, source->name) == 0)
            return refuse(refusal,
                          catalog_sentence(arena, "Sources[%zu] defines \"%s\" more than once", i,
                                           source->name));
    if (source->n_permissions) {
        const char *sentence = catalog_permissions_refusal(arena, entry->name, i, source);
        return !sentence || refuse(refusal, sentence);
    }
    if (!catalog_is_action(source->action))
        return refuse(
            refusal,
            catalog_sentence(arena, "Sources[%zu].Action must be set to 'allow' or 'deny'", i));
    return true;
}

static uint32_t precedence_of(const char *source, const char *destination)
{
    bool any_source = strcmp(source, "*") == 0, any_destination = strcmp(destination, "*") == 0;
    if (any_destination)
        return any_source ? 5 : 6;
    return any_source ? 8 : 9;
}

/* By precedence, the others as they came (mesh.md 3.2). */
static void sort_sources(Curia__V1__ServiceIntentions *intentions)
{
    for (size_t i = 1; i < intentions->n_sources; i++) {
        source_t *moving = intentions->sources[i];
        size_t at = i;
        for (; at > 0 && intentions->sources[at - 1]->precedence < moving->precedence; at--)
            intentions->sources[at] = intentions->sources[at - 1];
        intentions->sources[at] = moving;
    }
}

static bool prepare_intentions(struct cu_arena *arena, entry_t *entry,
                               struct catalog_refusal *refusal)
{
    static char consul[] = "consul";
    Curia__V1__ServiceIntentions *intentions = entry->service_intentions;
    if (has_partial_wildcard(entry->name))
        return refuse(refusal, "Name: wildcard character '*' cannot be used with partial values");
    if (intentions->n_sources == 0)
        return refuse(refusal, "At least one source is required");
    if (intentions->n_sources > CATALOG_SOURCES_MAX)
        return refuse(refusal, "too many sources of one destination");
    for (size_t i = 0; i < intentions->n_sources; i++) {
        if (!check_source(arena, entry, i, refusal))
            return false;
        intentions->sources[i]->type = consul;
        intentions->sources[i]->precedence =
            precedence_of(intentions->sources[i]->name, entry->name);
    }
    sort_sources(intentions);
    return true;
}

/* ---- the kinds ---- */

static bool prepare_service(struct cu_arena *arena, entry_t *entry, struct catalog_refusal *refusal)
{
    (void)refusal;
    entry->service_defaults->protocol = lower(arena, entry->service_defaults->protocol);
    return true;
}

static bool prepare_proxy(struct cu_arena *arena, entry_t *entry, struct catalog_refusal *refusal)
{
    static char global[] = "global";
    (void)refusal;
    entry->name = global;
    entry->proxy_defaults->protocol = lower(arena, entry->proxy_defaults->protocol);
    return true;
}

/* clang-format off */
static const struct kind {
    const char *name;
    size_t body; /* offset of the member */
    bool (*prepare)(struct cu_arena *arena, entry_t *entry, struct catalog_refusal *refusal);
} kinds[] = {
    {CATALOG_SERVICE_DEFAULTS,   offsetof(entry_t, service_defaults),   prepare_service},
    {CATALOG_PROXY_DEFAULTS,     offsetof(entry_t, proxy_defaults),     prepare_proxy},
    {CATALOG_SERVICE_INTENTIONS, offsetof(entry_t, service_intentions), prepare_intentions},
};
/* clang-format on */

static const void *body_of(const entry_t *entry, const struct kind *kind)
{
    return *(void *const *)(const void *)((const uint8_t *)entry + kind->body);
}

static const struct kind *kind_of(const entry_t *entry)
{
    for (size_t i = 0; i < CU_COUNT(kinds); i++)
        if (strcasecmp(kinds[i].name, entry->kind) == 0)
            return &kinds[i];
    return NULL;
}

enum cu_err catalog_config_prepare(entry_t *entry, struct cu_arena *arena,
                                   struct catalog_refusal *ret_refusal)
{
    const struct kind *kind = kind_of(entry);
    *ret_refusal = (struct catalog_refusal){CU_OK, NULL};
    if (!kind) {
        (void)refuse(ret_refusal,
                     catalog_sentence(arena, "invalid config entry kind: %.64s", entry->kind));
        return CU_OK;
    }
    int bodies = !!entry->service_defaults + !!entry->proxy_defaults + !!entry->service_intentions;
    entry->kind = (char *)(uintptr_t)kind->name;
    if (bodies != 1 || !body_of(entry, kind)) {
        (void)refuse(ret_refusal, "the entry is not of its kind");
    } else if (!*entry->name && kind->body != offsetof(entry_t, proxy_defaults)) {
        (void)refuse(ret_refusal, "Name is required");
    } else if (strlen(entry->name) > CATALOG_NAME_BYTES_MAX) {
        (void)refuse(ret_refusal, "Name is too long");
    } else if (check_meta(entry->meta, ret_refusal)) {
        entry->create_index = entry->modify_index = 0;
        (void)kind->prepare(arena, entry, ret_refusal);
    }
    return CU_OK;
}

/* ---- against the others (mesh.md 4.11) ---- */

enum cu_err catalog_config_get(struct catalog_store *store, const char *kind, const char *name,
                               entry_t **ret_entry)
{
    struct catalog_row row;
    struct cu_bytes key = catalog_config_key(store->scratch, kind, name);
    CU_ASSERT(key.data);
    enum cu_err err = catalog_store_get(store, CATALOG_CONFIG_ENTRIES, key, &row);
    *ret_entry = NULL;
    if (err)
        return err == CU_E_NOT_FOUND ? CU_OK : err;
    *ret_entry = curia__v1__config_entry__unpack(cu_arena_allocator(store->scratch), row.value.len,
                                                 row.value.data);
    if (!*ret_entry)
        return CU_E_CORRUPT;
    (*ret_entry)->create_index = row.create_index;
    (*ret_entry)->modify_index = row.modify_index;
    return CU_OK;
}

/* The entries as they would be: `proposed` in place of its own, or gone. */
struct world {
    struct catalog_store *store;
    const entry_t *proposed;
    bool is_delete;
    struct catalog_refusal *refusal;
    enum cu_err err;
};

static enum cu_err look(struct world *world, const char *kind, const char *name,
                        const entry_t **ret_entry)
{
    const entry_t *own = world->proposed;
    if (strcmp(own->kind, kind) == 0 && catalog_name_equal(own->name, name)) {
        *ret_entry = world->is_delete ? NULL : own;
        return CU_OK;
    }
    entry_t *found;
    enum cu_err err = catalog_config_get(world->store, kind, name, &found);
    *ret_entry = found;
    return err;
}

static enum cu_err protocol_of(struct world *world, const char *service, const char **ret_protocol)
{
    const entry_t *defaults, *global;
    enum cu_err err = look(world, CATALOG_SERVICE_DEFAULTS, service, &defaults);
    if (!err)
        err = look(world, CATALOG_PROXY_DEFAULTS, "global", &global);
    if (err)
        return err;
    *ret_protocol = "tcp";
    if (global && *global->proxy_defaults->protocol)
        *ret_protocol = global->proxy_defaults->protocol;
    if (defaults && *defaults->service_defaults->protocol)
        *ret_protocol = defaults->service_defaults->protocol;
    return CU_OK;
}

static bool has_permissions(const entry_t *entry)
{
    const Curia__V1__ServiceIntentions *intentions = entry->service_intentions;
    for (size_t i = 0; intentions && i < intentions->n_sources; i++)
        if (intentions->sources[i]->n_permissions)
            return true;
    return false;
}

static bool knows_requests(const char *protocol)
{
    return strcmp(protocol, "http") == 0 || strcmp(protocol, "http2") == 0 ||
           strcmp(protocol, "grpc") == 0;
}

static enum cu_err check_intentions(struct world *world, const entry_t *entry)
{
    const char *protocol;
    if (!has_permissions(entry))
        return CU_OK;
    enum cu_err err = protocol_of(world, entry->name, &protocol);
    if (!err && !knows_requests(protocol))
        (void)refuse(world->refusal,
                     catalog_sentence(world->store->scratch,
                                      "service \"%s\" has protocol \"%s\", which is incompatible "
                                      "with L7 intentions permissions",
                                      entry->name, protocol));
    return err;
}

/* Keys first: looking at one entry looks at others, and a walk scans no table. */
struct gathered {
    struct cu_arena *arena;
    struct catalog_list entries;
    bool is_corrupt;
};

static bool gather(void *arg, const struct catalog_row *row)
{
    struct gathered *gathered = arg;
    entry_t *entry = curia__v1__config_entry__unpack(cu_arena_allocator(gathered->arena),
                                                     row->value.len, row->value.data);
    gathered->is_corrupt = !entry;
    return entry && catalog_list_add(&gathered->entries, gathered->arena, entry);
}

static enum cu_err check_all_intentions(struct world *world)
{
    const struct catalog_backend *backend = world->store->backend;
    struct gathered gathered = {.arena = world->store->scratch};
    struct cu_bytes prefix =
        catalog_config_key(world->store->scratch, CATALOG_SERVICE_INTENTIONS, NULL);
    enum cu_err err = backend->scan(backend->context, CATALOG_CONFIG_ENTRIES, prefix,
                                    (struct cu_bytes){NULL, 0}, gather, &gathered);
    if (!err && gathered.is_corrupt)
        err = CU_E_CORRUPT;
    for (size_t i = 0; !err && !world->refusal->text && i < gathered.entries.count; i++)
        err = check_intentions(world, gathered.entries.items[i]);
    return err;
}

static enum cu_err check_others(struct world *world)
{
    const entry_t *entry = world->proposed, *intentions;
    if (strcmp(entry->kind, CATALOG_SERVICE_INTENTIONS) == 0)
        return world->is_delete ? CU_OK : check_intentions(world, entry);
    if (strcmp(entry->kind, CATALOG_PROXY_DEFAULTS) == 0)
        return check_all_intentions(world);
    enum cu_err err = look(world, CATALOG_SERVICE_INTENTIONS, entry->name, &intentions);
    return err || !intentions ? err : check_intentions(world, intentions);
}

/* ---- apply ---- */

enum cu_err catalog_config_put(struct catalog_store *store, entry_t *entry,
                               struct catalog_refusal *ret_refusal)
{
    struct world world = {.store = store, .proposed = entry, .refusal = ret_refusal};
    enum cu_err err = check_others(&world);
    if (err || ret_refusal->text)
        return err;
    size_t len = curia__v1__config_entry__get_packed_size(entry);
    if (len > CATALOG_ROW_BYTES_MAX) {
        *ret_refusal = (struct catalog_refusal){CU_E_TOO_LARGE, "the config entry is too large"};
        return CU_OK;
    }
    uint8_t *packed = cu_arena_alloc(store->scratch, len + 1);
    struct cu_bytes key = catalog_config_key(store->scratch, entry->kind, entry->name);
    CU_ASSERT(packed && key.data);
    struct cu_bytes value = {packed, curia__v1__config_entry__pack(entry, packed)};
    return store_put(store, CATALOG_CONFIG_ENTRIES, key, value, NULL);
}

static enum cu_err delete_entry(struct catalog_store *store, entry_t *entry,
                                struct catalog_refusal *ret_refusal)
{
    const struct kind *kind = kind_of(entry);
    if (!kind) {
        (void)refuse(ret_refusal, "invalid config entry kind");
        return CU_OK;
    }
    entry->kind = (char *)(uintptr_t)kind->name;
    struct world world = {
        .store = store, .proposed = entry, .is_delete = true, .refusal = ret_refusal};
    enum cu_err err = check_others(&world);
    if (err || ret_refusal->text)
        return err;
    struct cu_bytes key = catalog_config_key(store->scratch, entry->kind, entry->name);
    CU_ASSERT(key.data);
    return store_del(store, CATALOG_CONFIG_ENTRIES, key, NULL);
}

enum cu_err catalog_config_apply(struct catalog_store *store,
                                 Curia__Internal__V1__ConfigCommand *command, bool *ret_applied,
                                 struct catalog_refusal *ret_refusal)
{
    entry_t *entry = command->entry, *now;
    *ret_applied = true;
    *ret_refusal = (struct catalog_refusal){CU_OK, NULL};
    if (!entry) {
        (void)refuse(ret_refusal, "there is no config entry in it");
        return CU_OK;
    }
    if (command->is_delete)
        return delete_entry(store, entry, ret_refusal);
    enum cu_err err = catalog_config_prepare(entry, store->scratch, ret_refusal);
    if (!err && !ret_refusal->text)
        err = catalog_config_get(store, entry->kind, entry->name, &now);
    if (err || ret_refusal->text)
        return err;
    *ret_applied = !command->has_cas || command->cas == (now ? now->modify_index : 0);
    return *ret_applied ? catalog_config_put(store, entry, ret_refusal) : CU_OK;
}
