#include "services/catalogd/core/ca.h"

#include <string.h>

#include "common/base/assert.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/list.h"
#include "services/catalogd/core/store_state.h"

static const struct cu_bytes all = {NULL, 0};

#define CONFIG_KEY "config"

/* ---- writes ---- */

static struct cu_bytes key_of(struct catalog_store *store, const char *id)
{
    struct cu_bytes key = catalog_key_of(store->scratch, cu_bytes_of(id));
    CU_ASSERT(key.data);
    return key;
}

static enum cu_err put(struct catalog_store *store, enum catalog_table table, const char *id,
                       const void *message)
{
    uint8_t *packed =
        cu_arena_alloc(store->scratch, protobuf_c_message_get_packed_size(message) + 1);
    CU_ASSERT(packed);
    struct cu_bytes value = {packed, protobuf_c_message_pack(message, packed)};
    return store_put(store, table, key_of(store, id), value, NULL);
}

struct keys {
    struct cu_arena *arena;
    struct catalog_list found; /* of struct cu_bytes */
};

static bool take_key(void *arg, const struct catalog_row *row)
{
    struct keys *keys = arg;
    struct cu_bytes *key = cu_arena_alloc(keys->arena, sizeof *key);
    uint8_t *copy = cu_arena_memdup(keys->arena, row->key.data, row->key.len);
    CU_ASSERT(key && copy);
    *key = (struct cu_bytes){copy, row->key.len};
    return catalog_list_add(&keys->found, keys->arena, key);
}

static bool is_among(struct catalog_store *store, const Curia__Internal__V1__CaSetCommand *command,
                     struct cu_bytes key)
{
    for (size_t i = 0; i < command->n_roots; i++)
        if (cu_bytes_equal(key, key_of(store, command->roots[i]->id)))
            return true;
    return false;
}

/* Rows of roots that are in no list any more go, and the keys of all but the active one. */
static enum cu_err drop_others(struct catalog_store *store, enum catalog_table table,
                               const Curia__Internal__V1__CaSetCommand *command)
{
    struct keys keys = {.arena = store->scratch};
    enum cu_err err =
        store->backend->scan(store->backend->context, table, all, all, take_key, &keys);
    for (size_t i = 0; !err && i < keys.found.count; i++) {
        const struct cu_bytes *key = keys.found.items[i];
        if (table == CATALOG_CONNECT_SECRETS || !is_among(store, command, *key))
            err = store_del(store, table, *key, NULL);
    }
    return err;
}

static const char *active_of(const Curia__Internal__V1__CaSetCommand *command)
{
    const char *active = NULL;
    for (size_t i = 0; i < command->n_roots; i++)
        if (command->roots[i]->active) {
            if (active)
                return NULL;
            active = command->roots[i]->id;
        }
    return active;
}

static const char *why_not(const Curia__Internal__V1__CaSetCommand *command)
{
    if (!command->config)
        return "there is no CA configuration in it";
    if (command->n_roots > CATALOG_ROOTS_MAX)
        return "too many roots";
    if (command->n_roots && !active_of(command))
        return "exactly one root must be active";
    if (command->signing_key.len > CATALOG_PEM_BYTES_MAX)
        return "the key is too large";
    for (size_t i = 0; i < command->n_roots; i++)
        if (!*command->roots[i]->id || strlen(command->roots[i]->id) > CATALOG_NAME_BYTES_MAX ||
            strlen(command->roots[i]->root_cert) > CATALOG_PEM_BYTES_MAX)
            return "a root is malformed";
    return NULL;
}

static enum cu_err put_roots(struct catalog_store *store,
                             const Curia__Internal__V1__CaSetCommand *command)
{
    struct cu_bytes secret = {command->signing_key.data, command->signing_key.len};
    enum cu_err err = drop_others(store, CATALOG_CONNECT_ROOTS, command);
    for (size_t i = 0; !err && i < command->n_roots; i++) {
        command->roots[i]->create_index = command->roots[i]->modify_index = 0;
        err = put(store, CATALOG_CONNECT_ROOTS, command->roots[i]->id, command->roots[i]);
    }
    if (!err)
        err = drop_others(store, CATALOG_CONNECT_SECRETS, command);
    if (!err && secret.len)
        err = store_put(store, CATALOG_CONNECT_SECRETS, key_of(store, active_of(command)), secret,
                        NULL);
    return err;
}

enum cu_err catalog_ca_set(struct catalog_store *store,
                           const Curia__Internal__V1__CaSetCommand *command, bool *ret_applied,
                           struct catalog_refusal *ret_refusal)
{
    const char *sentence = why_not(command);
    *ret_applied = true;
    *ret_refusal = (struct catalog_refusal){CU_OK, NULL};
    if (sentence) {
        *ret_refusal = (struct catalog_refusal){CU_E_INVALID, sentence};
        return CU_OK;
    }
    *ret_applied = catalog_store_table_index(store, CATALOG_CONNECT_ROOTS) == command->roots_index;
    if (!*ret_applied)
        return CU_OK;
    command->config->create_index = command->config->modify_index = 0;
    enum cu_err err = put(store, CATALOG_CONNECT_CONFIG, CONFIG_KEY, command->config);
    return err || !command->n_roots ? err : put_roots(store, command);
}

/* ---- reads ---- */

enum cu_err catalog_ca_config(const struct catalog_view *view, struct cu_arena *arena,
                              Curia__V1__CaConfig **ret_config, uint64_t *ret_index)
{
    *ret_index = catalog_view_index(view, view->connect_config_index);
    return catalog_view_get(view, CATALOG_CONNECT_CONFIG,
                            catalog_key_of(arena, cu_bytes_of(CONFIG_KEY)), arena, ret_config);
}

enum cu_err catalog_ca_roots(const struct catalog_view *view, struct cu_arena *arena,
                             Curia__V1__CaRootsReply *reply, uint64_t *ret_index)
{
    static const char suffix[] = ".consul";
    struct catalog_list roots = {0};
    Curia__V1__CaConfig *config;
    enum cu_err err = catalog_view_list(view, CATALOG_CONNECT_ROOTS, all, arena, &roots);
    if (!err)
        err = catalog_ca_config(view, arena, &config, ret_index);
    if (err)
        return err;
    *ret_index = catalog_view_index(view, view->roots_index);
    reply->roots = (Curia__V1__CaRoot **)roots.items;
    reply->n_roots = roots.count;
    for (size_t i = 0; i < reply->n_roots; i++)
        if (reply->roots[i]->active)
            reply->active_root_id = reply->roots[i]->id;
    if (!config)
        return CU_OK;
    size_t len = strlen(config->cluster_id);
    reply->trust_domain = cu_arena_alloc(arena, len + sizeof suffix);
    if (!reply->trust_domain)
        return CU_E_TOO_LARGE;
    memcpy(reply->trust_domain, config->cluster_id, len);
    memcpy(reply->trust_domain + len, suffix, sizeof suffix);
    return CU_OK;
}

enum cu_err catalog_ca_key(const struct catalog_view *view, const char *root_id,
                           struct cu_arena *arena, const char **ret_pem)
{
    struct catalog_row row;
    struct cu_bytes key = catalog_key_of(arena, cu_bytes_of(root_id));
    *ret_pem = NULL;
    if (!key.data)
        return CU_E_TOO_LARGE;
    enum cu_err err =
        view->backend->get(view->backend->context, CATALOG_CONNECT_SECRETS, key, arena, &row);
    if (err)
        return err == CU_E_NOT_FOUND ? CU_OK : err;
    char *pem = cu_arena_alloc(arena, row.value.len + 1);
    if (!pem)
        return CU_E_TOO_LARGE;
    memcpy(pem, row.value.data, row.value.len);
    pem[row.value.len] = '\0';
    *ret_pem = pem;
    return CU_OK;
}
