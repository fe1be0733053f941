#include "services/catalogd/core/acl_token.h"

#include <string.h>

#include "common/base/assert.h"
#include "common/base/num.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/sentence.h"
#include "services/catalogd/core/store_state.h"

typedef Curia__V1__AclToken token_t;
typedef Curia__Internal__V1__AclTokenCommand command_t;

static char nothing[] = "";

static bool refuse(struct catalog_refusal *refusal, const char *sentence)
{
    return catalog_acl_refuse(refusal, CU_E_INVALID, sentence);
}

bool catalog_acl_token_is_expired(const token_t *token, uint64_t wall_ms)
{
    return token->expiration_time_ms && token->expiration_time_ms <= wall_ms;
}

/* ---- secrets ---- */

static struct cu_bytes secret_key(struct cu_arena *arena, enum catalog_acl_way way, const char *id)
{
    size_t len = strlen(id);
    uint8_t *user = cu_arena_alloc(arena, 2 + len);
    if (!user)
        return (struct cu_bytes){NULL, 0};
    user[0] = (uint8_t)way;
    memcpy(user + 2, id, len);
    return catalog_key_of(arena, (struct cu_bytes){user, 2 + len});
}

enum cu_err catalog_acl_secret_get(const struct catalog_backend *backend, enum catalog_acl_way way,
                                   const char *id, struct cu_arena *arena, char **ret_text)
{
    struct catalog_row row;
    struct cu_bytes key = secret_key(arena, way, id);
    *ret_text = NULL;
    if (!key.data)
        return CU_E_TOO_LARGE;
    enum cu_err err = backend->get(backend->context, CATALOG_ACL_SECRETS, key, arena, &row);
    if (err)
        return err == CU_E_NOT_FOUND ? CU_OK : err;
    Curia__Internal__V1__AclSecret *secret = curia__internal__v1__acl_secret__unpack(
        cu_arena_allocator(arena), row.value.len, row.value.data);
    if (!secret)
        return CU_E_TOO_LARGE;
    *ret_text = secret->text;
    return CU_OK;
}

static enum cu_err secret_put(struct catalog_store *store, enum catalog_acl_way way, const char *id,
                              const char *to)
{
    Curia__Internal__V1__AclSecret secret = CURIA__INTERNAL__V1__ACL_SECRET__INIT;
    secret.text = (char *)(uintptr_t)to;
    struct cu_bytes key = secret_key(store->scratch, way, id);
    uint8_t *packed = cu_arena_alloc(store->scratch,
                                     curia__internal__v1__acl_secret__get_packed_size(&secret) + 1);
    CU_ASSERT(key.data && packed);
    struct cu_bytes value = {packed, curia__internal__v1__acl_secret__pack(&secret, packed)};
    return store_put(store, CATALOG_ACL_SECRETS, key, value, NULL);
}

static enum cu_err secret_del(struct catalog_store *store, enum catalog_acl_way way, const char *id)
{
    struct cu_bytes key = secret_key(store->scratch, way, id);
    CU_ASSERT(key.data);
    return store_del(store, CATALOG_ACL_SECRETS, key, NULL);
}

/* An id is no other token's, neither as its secret nor as its accessor id. */
static enum cu_err is_used(struct catalog_store *store, const char *id, bool *ret_used)
{
    char *found;
    enum cu_err err =
        catalog_acl_secret_get(store->backend, CATALOG_ACL_BY_SECRET, id, store->scratch, &found);
    if (!err && !found)
        err = catalog_acl_secret_get(store->backend, CATALOG_ACL_BY_ACCESSOR, id, store->scratch,
                                     &found);
    *ret_used = found;
    return err;
}

/* ---- rows ---- */

static struct cu_bytes key_of(struct catalog_store *store, const char *accessor_id)
{
    struct cu_bytes key = catalog_key_of(store->scratch, cu_bytes_of(accessor_id));
    CU_ASSERT(key.data);
    return key;
}

/* With its secret; NULL: there is none. */
static enum cu_err get(struct catalog_store *store, const char *accessor_id, token_t **ret_token)
{
    struct catalog_row row;
    char *secret;
    enum cu_err err =
        catalog_store_get(store, CATALOG_ACL_TOKENS, key_of(store, accessor_id), &row);
    *ret_token = NULL;
    if (err)
        return err == CU_E_NOT_FOUND ? CU_OK : err;
    token_t *token = curia__v1__acl_token__unpack(cu_arena_allocator(store->scratch), row.value.len,
                                                  row.value.data);
    if (!token)
        return CU_E_CORRUPT;
    err = catalog_acl_secret_get(store->backend, CATALOG_ACL_BY_ACCESSOR, accessor_id,
                                 store->scratch, &secret);
    if (err)
        return err;
    token->secret_id = secret ? secret : nothing;
    token->create_index = row.create_index;
    token->modify_index = row.modify_index;
    *ret_token = token;
    return CU_OK;
}

static bool hash(struct catalog_store *store, token_t *token)
{
    token_t content = *token;
    content.accessor_id = content.secret_id = nothing;
    content.create_time_ms = content.expiration_time_ms = 0;
    content.hash = (ProtobufCBinaryData){0};
    content.create_index = content.modify_index = 0;
    return catalog_acl_hash(&content, store->scratch, &token->hash);
}

static enum cu_err put(struct catalog_store *store, const token_t *token,
                       struct catalog_refusal *refusal)
{
    token_t row = *token;
    row.secret_id = nothing;
    row.create_index = row.modify_index = 0;
    bool hashed = hash(store, &row);
    size_t len = curia__v1__acl_token__get_packed_size(&row);
    if (len > CATALOG_ROW_BYTES_MAX) {
        (void)catalog_acl_refuse(refusal, CU_E_TOO_LARGE, "the token is too large");
        return CU_OK;
    }
    uint8_t *packed = cu_arena_alloc(store->scratch, len);
    CU_ASSERT(hashed && packed);
    struct cu_bytes value = {packed, curia__v1__acl_token__pack(&row, packed)};
    enum cu_err err =
        store_put(store, CATALOG_ACL_TOKENS, key_of(store, row.accessor_id), value, NULL);
    if (!err)
        err = secret_put(store, CATALOG_ACL_BY_SECRET, token->secret_id, token->accessor_id);
    return err ? err
               : secret_put(store, CATALOG_ACL_BY_ACCESSOR, token->accessor_id, token->secret_id);
}

static enum cu_err del(struct catalog_store *store, const token_t *token)
{
    enum cu_err err = secret_del(store, CATALOG_ACL_BY_SECRET, token->secret_id);
    if (!err)
        err = secret_del(store, CATALOG_ACL_BY_ACCESSOR, token->accessor_id);
    return err ? err
               : store_del(store, CATALOG_ACL_TOKENS, key_of(store, token->accessor_id), NULL);
}

/* ---- links ---- */

static struct catalog_acl_links policies_of(token_t *token)
{
    return (struct catalog_acl_links){CATALOG_ACL_POLICIES, token->policies, &token->n_policies};
}

static struct catalog_acl_links roles_of(token_t *token)
{
    return (struct catalog_acl_links){CATALOG_ACL_ROLES, token->roles, &token->n_roles};
}

enum cu_err catalog_acl_token_name(struct catalog_acl_names *names, token_t *token)
{
    struct catalog_acl_links policies = policies_of(token), roles = roles_of(token);
    enum cu_err err = catalog_acl_name_links(names, &policies);
    return err ? err : catalog_acl_name_links(names, &roles);
}

static enum cu_err resolve(struct catalog_store *store, token_t *token,
                           struct catalog_refusal *refusal)
{
    struct catalog_acl_links policies = policies_of(token), roles = roles_of(token);
    enum cu_err err = catalog_acl_resolve_links(store, &policies, refusal);
    return err || refusal->text ? err : catalog_acl_resolve_links(store, &roles, refusal);
}

/* As it is now, for the answer. */
static enum cu_err show(struct catalog_store *store, const char *accessor_id, token_t **ret_token)
{
    struct catalog_acl_names names = {.backend = store->backend, .arena = store->scratch};
    enum cu_err err = get(store, accessor_id, ret_token);
    if (!err)
        err = catalog_acl_token_name(&names, *ret_token);
    catalog_acl_names_deinit(&names);
    return err;
}

/* ---- what one must hold ---- */

static bool check_content(token_t *token, struct cu_arena *arena, struct catalog_refusal *refusal)
{
    struct catalog_acl_identities identities = {.whose = "token",
                                                .is_local = token->local,
                                                .services = token->service_identities,
                                                .service_count = &token->n_service_identities,
                                                .nodes = token->node_identities,
                                                .node_count = &token->n_node_identities};
    return catalog_acl_check_description(token->description, refusal) &&
           catalog_acl_prepare_identities(&identities, arena, refusal);
}

/* Of a new token, and of one that is to be changed. */
static bool check_accessor(const command_t *command, struct cu_arena *arena,
                           struct catalog_refusal *refusal)
{
    token_t *token = command->token;
    if (strlen(token->accessor_id) != CU_UUID_BYTES - 1)
        return refuse(refusal, "Failed acl token lookup by accessor: failed acl token lookup: "
                               "index error: UUID must be 36 characters");
    char *id = catalog_acl_id(arena, token->accessor_id);
    if (!id)
        return refuse(refusal, command->is_create ? "Invalid Token: AccessorID is not a valid UUID"
                                                  : "AccessorID is not a valid UUID");
    token->accessor_id = id;
    return true;
}

static bool check_secret(const command_t *command, struct catalog_refusal *refusal)
{
    return !command->is_create || cu_is_uuid(command->token->secret_id) ||
           refuse(refusal, "Invalid Token: SecretID is not a valid UUID");
}

static bool prepare_delete(token_t *token, struct cu_arena *arena, struct catalog_refusal *refusal)
{
    char *id = catalog_acl_id(arena, token->accessor_id);
    if (!id)
        return refuse(refusal, "Accessor ID is missing or an invalid UUID");
    token->accessor_id = id;
    return true;
}

bool catalog_acl_token_prepare(command_t *command, struct cu_arena *arena,
                               struct catalog_refusal *refusal)
{
    token_t *token = command->token;
    if (!token)
        return refuse(refusal, "there is no token in it");
    if (command->is_delete)
        return prepare_delete(token, arena, refusal);
    return check_accessor(command, arena, refusal) && check_secret(command, refusal) &&
           check_content(token, arena, refusal);
}

/* ---- expiration ---- */

static const char *duration(struct catalog_store *store, int64_t ms)
{
    char text[CU_DURATION_BYTES];
    bool fits = ms < INT64_MAX / 1000000 && ms > INT64_MIN / 1000000;
    int64_t ns = fits ? ms * 1000000 : ms > 0 ? INT64_MAX : -INT64_MAX;
    return catalog_sentence(store->scratch, "%s", cu_format_duration(ns, text));
}

static bool check_expiration(struct catalog_store *store, const token_t *token,
                             struct catalog_refusal *refusal)
{
    if (token->expiration_time_ms < token->create_time_ms)
        return refuse(refusal, "ExpirationTime cannot be before CreateTime");
    uint64_t after = token->expiration_time_ms - token->create_time_ms;
    int64_t in_ms = after > INT64_MAX ? INT64_MAX : (int64_t)after;
    if (in_ms > CATALOG_ACL_TTL_MAX_MS)
        return refuse(refusal,
                      catalog_sentence(store->scratch,
                                       "ExpirationTime cannot be more than %s in the future (was "
                                       "%s)",
                                       duration(store, CATALOG_ACL_TTL_MAX_MS),
                                       duration(store, in_ms)));
    return in_ms >= CATALOG_ACL_TTL_MIN_MS ||
           refuse(refusal, catalog_sentence(
                               store->scratch,
                               "ExpirationTime cannot be less than %s in the future (was %s)",
                               duration(store, CATALOG_ACL_TTL_MIN_MS), duration(store, in_ms)));
}

/* A time to live counts from the entry's own time. */
static bool set_expiration(struct catalog_store *store, const command_t *command,
                           struct catalog_refusal *refusal)
{
    token_t *token = command->token;
    int64_t ttl_ms = command->has_expiration_ttl ? command->expiration_ttl_ms : 0;
    if (ttl_ms < 0)
        return refuse(refusal,
                      catalog_sentence(store->scratch, "Token Expiration TTL '%s' should be > 0",
                                       duration(store, ttl_ms)));
    if (ttl_ms && token->expiration_time_ms)
        return refuse(refusal, "Token Expiration TTL and Expiration Time cannot both be set");
    if (ttl_ms)
        token->expiration_time_ms = token->create_time_ms + (uint64_t)ttl_ms;
    return !token->expiration_time_ms || check_expiration(store, token, refusal);
}

/* ---- new ones ---- */

static enum cu_err check_new_id(struct catalog_store *store, const char *id, const char *what,
                                struct catalog_refusal *refusal)
{
    bool used;
    enum cu_err err = is_used(store, id, &used);
    if (!err && used)
        (void)refuse(refusal,
                     catalog_sentence(store->scratch, "Invalid Token: %s is already in use", what));
    else if (!err && catalog_acl_id_is_reserved(id))
        (void)refuse(refusal, "Invalid Token: UUIDs with the prefix \"" CATALOG_ACL_RESERVED
                              "\" are reserved");
    return err;
}

static enum cu_err check_new_ids(struct catalog_store *store, const token_t *token,
                                 struct catalog_refusal *refusal)
{
    enum cu_err err = check_new_id(store, token->accessor_id, "AccessorID", refusal);
    if (err || refusal->text)
        return err;
    if (strcmp(token->accessor_id, token->secret_id) == 0)
        (void)refuse(refusal, "Invalid Token: SecretID is already in use");
    return refusal->text ? CU_OK : check_new_id(store, token->secret_id, "SecretID", refusal);
}

/* Everything but ids and the time of its making; the description may be another one. */
static enum cu_err copy(struct catalog_store *store, const command_t *command,
                        struct catalog_refusal *refusal)
{
    token_t *token = command->token, *from = NULL, made;
    char *id = catalog_acl_id(store->scratch, command->clone_of);
    enum cu_err err = id ? get(store, id, &from) : CU_OK;
    if (err)
        return err;
    if (!from || catalog_acl_token_is_expired(from, store->bookmark.wall_ms)) {
        (void)catalog_acl_refuse(refusal, CU_E_DENIED, CATALOG_ACL_NOT_FOUND);
        return CU_OK;
    }
    made = *from;
    made.accessor_id = token->accessor_id;
    made.secret_id = token->secret_id;
    if (*token->description)
        made.description = token->description;
    struct catalog_acl_names names = {.backend = store->backend, .arena = store->scratch};
    err = catalog_acl_token_name(&names, &made); /* those that are gone are no reason to refuse */
    catalog_acl_names_deinit(&names);
    *token = made;
    return err;
}

static enum cu_err create(struct catalog_store *store, const command_t *command,
                          struct catalog_refusal *refusal)
{
    token_t *token = command->token;
    enum cu_err err = check_new_ids(store, token, refusal);
    if (!err && !refusal->text && *command->clone_of)
        err = copy(store, command, refusal);
    token->create_time_ms = store->bookmark.wall_ms;
    if (err || refusal->text || !set_expiration(store, command, refusal))
        return err;
    return resolve(store, token, refusal);
}

/* ---- changed ones ---- */

static bool keeps(struct catalog_store *store, const command_t *command, const token_t *now,
                  struct catalog_refusal *refusal)
{
    const token_t *token = command->token;
    bool has_ttl = command->has_expiration_ttl && command->expiration_ttl_ms;
    if (*token->secret_id && strcmp(token->secret_id, now->secret_id) != 0)
        return refuse(refusal, "Changing a tokens SecretID is not permitted");
    if (token->local != now->local)
        return refuse(refusal, catalog_sentence(store->scratch, "cannot toggle local mode of %s",
                                                token->accessor_id));
    if (has_ttl ||
        (token->expiration_time_ms && token->expiration_time_ms != now->expiration_time_ms))
        return refuse(refusal,
                      catalog_sentence(store->scratch, "Cannot change expiration time of %s",
                                       token->accessor_id));
    return true;
}

static enum cu_err update(struct catalog_store *store, const command_t *command,
                          struct catalog_refusal *refusal)
{
    token_t *token = command->token, *now;
    enum cu_err err = get(store, token->accessor_id, &now);
    if (err)
        return err;
    if (!now || catalog_acl_token_is_expired(now, store->bookmark.wall_ms)) {
        (void)refuse(refusal, catalog_sentence(store->scratch, "Cannot find token \"%s\"",
                                               token->accessor_id));
        return CU_OK;
    }
    if (!keeps(store, command, now, refusal))
        return CU_OK;
    token->secret_id = now->secret_id;
    token->expiration_time_ms = now->expiration_time_ms;
    token->create_time_ms = now->create_time_ms;
    return resolve(store, token, refusal);
}

/* ---- apply ---- */

static enum cu_err delete_token(struct catalog_store *store, const char *accessor_id,
                                struct catalog_refusal *refusal)
{
    token_t *token;
    const char *actor = store->cause.actor;
    if (strcmp(accessor_id, CATALOG_ACL_ANONYMOUS_ID) == 0) {
        (void)refuse(refusal, "Delete operation not permitted on the anonymous token");
        return CU_OK;
    }
    enum cu_err err = get(store, accessor_id, &token);
    if (err || !token)
        return err;
    if (actor && strcmp(actor, accessor_id) == 0) {
        (void)refuse(refusal, "Deletion of the request's authorization token is not permitted");
        return CU_OK;
    }
    return del(store, token);
}

enum cu_err catalog_acl_token_apply(struct catalog_store *store, command_t *command,
                                    struct catalog_acl_done *ret_done)
{
    struct catalog_refusal *refusal = &ret_done->refusal;
    token_t *now;
    *ret_done = (struct catalog_acl_done){0};
    if (!catalog_acl_token_prepare(command, store->scratch, refusal))
        return CU_OK;
    if (command->is_delete)
        return delete_token(store, command->token->accessor_id, refusal);
    enum cu_err err = (command->is_create ? create : update)(store, command, refusal);
    if (!err && !refusal->text)
        err = put(store, command->token, refusal);
    if (err || refusal->text)
        return err;
    err = show(store, command->token->accessor_id, &now);
    ret_done->made = err ? NULL : &now->base;
    return err;
}

enum cu_err catalog_acl_token_reap(struct catalog_store *store,
                                   const Curia__Internal__V1__AclReapCommand *command)
{
    enum cu_err err = CU_OK;
    size_t count = command->n_accessor_ids;
    for (size_t i = 0; !err && i < count && i < CATALOG_ACL_REAP_MAX; i++) {
        token_t *token;
        err = get(store, command->accessor_ids[i], &token);
        if (!err && token && catalog_acl_token_is_expired(token, store->bookmark.wall_ms))
            err = del(store, token);
    }
    return err;
}

enum cu_err catalog_acl_token_make(struct catalog_store *store, const token_t *token,
                                   token_t **ret_token)
{
    struct catalog_refusal refusal = {CU_OK, NULL};
    token_t made = *token;
    bool used;
    enum cu_err err = is_used(store, token->accessor_id, &used);
    *ret_token = NULL;
    if (!err && !used)
        err = is_used(store, token->secret_id, &used);
    if (err || used)
        return err;
    made.create_time_ms = store->bookmark.wall_ms;
    err = put(store, &made, &refusal);
    CU_ASSERT(!refusal.text); /* it has one link */
    return err ? err : show(store, made.accessor_id, ret_token);
}
