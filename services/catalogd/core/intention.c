#include "services/catalogd/core/intention.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/filter/shapes.h"
#include "services/catalogd/core/list.h"
#include "services/catalogd/core/may.h"
#include "services/catalogd/core/sentence.h"
#include "services/catalogd/core/sieve.h"
#include "services/catalogd/core/store_state.h"

typedef Curia__V1__ConfigEntry entry_t;
typedef Curia__V1__SourceIntention source_t;
typedef Curia__V1__Intention intention_t;

static const struct cu_bytes all = {NULL, 0};

/* ---- entries as intentions ---- */

static intention_t *intention_of(struct cu_arena *arena, const entry_t *entry,
                                 const source_t *source)
{
    intention_t *out = cu_arena_alloc(arena, sizeof *out);
    if (!out)
        return NULL;
    curia__v1__intention__init(out);
    out->id = source->legacy_id;
    out->source_name = source->name;
    out->destination_name = entry->name;
    out->action = source->action;
    out->permissions = source->permissions;
    out->n_permissions = source->n_permissions;
    out->description = source->description;
    out->meta = *source->legacy_id ? source->legacy_meta : entry->meta;
    out->precedence = source->precedence;
    out->created_at_ms = source->legacy_create_time_ms;
    out->updated_at_ms = source->legacy_update_time_ms;
    out->create_index = entry->create_index;
    out->modify_index = entry->modify_index;
    return out;
}

/* What is wanted of the entries on a walk over all of them. */
struct walk {
    struct cu_arena *arena;
    const char *source, *destination, *id; /* NULL: any */
    bool with_wildcards;                   /* those of "*" apply to the named ones, too */
    struct catalog_list found;
    enum cu_err err;
};

static bool is_meant(const struct walk *walk, const char *wanted, const char *name)
{
    return !wanted || strcmp(wanted, name) == 0 || (walk->with_wildcards && strcmp(name, "*") == 0);
}

static bool see_entry(void *arg, const struct catalog_row *row)
{
    struct walk *walk = arg;
    entry_t *entry;
    walk->err = catalog_view_unpack(CATALOG_CONFIG_ENTRIES, row, walk->arena, &entry);
    if (walk->err || !entry->service_intentions || !is_meant(walk, walk->destination, entry->name))
        return !walk->err;
    for (size_t i = 0; !walk->err && i < entry->service_intentions->n_sources; i++) {
        const source_t *source = entry->service_intentions->sources[i];
        if (!is_meant(walk, walk->source, source->name) ||
            (walk->id && strcmp(walk->id, source->legacy_id) != 0))
            continue;
        intention_t *intention = intention_of(walk->arena, entry, source);
        if (!intention || !catalog_list_add(&walk->found, walk->arena, intention))
            walk->err = CU_E_TOO_LARGE;
    }
    return !walk->err;
}

/* By precedence, then source, then destination (mesh.md 3.3). */
static int by_precedence(const void *a, const void *b)
{
    const intention_t *x = *(intention_t *const *)a, *y = *(intention_t *const *)b;
    if (x->precedence != y->precedence)
        return x->precedence < y->precedence ? 1 : -1;
    int order = strcmp(x->source_name, y->source_name);
    return order ? order : strcmp(x->destination_name, y->destination_name);
}

static enum cu_err find(const struct catalog_view *view, struct walk *walk, uint64_t *ret_index)
{
    struct cu_bytes prefix = catalog_config_key(walk->arena, CATALOG_SERVICE_INTENTIONS, NULL);
    if (!prefix.data)
        return CU_E_TOO_LARGE;
    enum cu_err err = view->backend->scan(view->backend->context, CATALOG_CONFIG_ENTRIES, prefix,
                                          all, see_entry, walk);
    if (err || walk->err)
        return err ? err : walk->err;
    if (walk->found.count)
        qsort(walk->found.items, walk->found.count, sizeof *walk->found.items, by_precedence);
    *ret_index = catalog_view_index(view, view->config_entries_index);
    return CU_OK;
}

static void keep_visible(const struct cu_authorizer *who, struct catalog_list *intentions)
{
    size_t kept = 0;
    for (size_t i = 0; i < intentions->count; i++)
        if (catalog_may_see_intention(who, intentions->items[i]))
            intentions->items[kept++] = intentions->items[i];
    intentions->count = kept;
}

enum cu_err catalog_intention_list(const struct catalog_view *view,
                                   const Curia__V1__IntentionListRequest *request,
                                   struct cu_arena *arena, Curia__V1__IntentionListReply *reply,
                                   uint64_t *ret_index)
{
    struct walk walk = {.arena = arena};
    enum cu_err err = find(view, &walk, ret_index);
    if (!err)
        keep_visible(view->authorizer, &walk.found);
    if (!err)
        err = catalog_sieve(request->filter, &cu_filter_intention, arena, &walk.found);
    reply->intentions = (intention_t **)walk.found.items;
    reply->n_intentions = err ? 0 : walk.found.count;
    return err;
}

static enum cu_err match_one(const struct catalog_view *view, bool by_source, const char *name,
                             struct walk *walk, uint64_t *ret_index)
{
    walk->with_wildcards = true;
    walk->source = by_source ? name : NULL;
    walk->destination = by_source ? NULL : name;
    return find(view, walk, ret_index);
}

/* The further names that were asked for. */
static enum cu_err match_more(const struct catalog_view *view,
                              const Curia__V1__IntentionMatchRequest *request,
                              struct cu_arena *arena, Curia__V1__IntentionListReply *reply,
                              uint64_t *ret_index)
{
    Curia__V1__IntentionMatches **list =
        cu_arena_alloc(arena, (request->n_more + 1) * sizeof(Curia__V1__IntentionMatches *));
    enum cu_err err = list ? CU_OK : CU_E_TOO_LARGE;
    for (size_t i = 0; !err && i < request->n_more; i++) {
        struct walk walk = {.arena = arena};
        list[i] = cu_arena_alloc(arena, sizeof *list[i]);
        if (!list[i])
            return CU_E_TOO_LARGE;
        curia__v1__intention_matches__init(list[i]);
        err = match_one(view, request->by_source, request->more[i], &walk, ret_index);
        list[i]->name = request->more[i];
        list[i]->intentions = (intention_t **)walk.found.items;
        list[i]->n_intentions = err ? 0 : walk.found.count;
    }
    reply->more = list;
    reply->n_more = err ? 0 : request->n_more;
    return err;
}

enum cu_err catalog_intention_match(const struct catalog_view *view,
                                    const Curia__V1__IntentionMatchRequest *request,
                                    struct cu_arena *arena, Curia__V1__IntentionListReply *reply,
                                    uint64_t *ret_index)
{
    struct walk walk = {.arena = arena};
    enum cu_err err = match_one(view, request->by_source, request->name, &walk, ret_index);
    reply->name = request->name;
    reply->intentions = (intention_t **)walk.found.items;
    reply->n_intentions = err ? 0 : walk.found.count;
    return err ? err : match_more(view, request, arena, reply, ret_index);
}

enum cu_err catalog_intention_get(const struct catalog_view *view,
                                  const Curia__V1__IntentionGetRequest *request,
                                  struct cu_arena *arena, Curia__V1__IntentionGetReply *reply,
                                  uint64_t *ret_index)
{
    struct walk walk = {.arena = arena};
    if (*request->id) {
        walk.id = request->id;
    } else {
        walk.source = request->source;
        walk.destination = request->destination;
    }
    enum cu_err err = find(view, &walk, ret_index);
    if (err || walk.found.count == 0)
        return err;
    if (!catalog_may_see_intention(view->authorizer, walk.found.items[0]))
        return CU_E_DENIED;
    reply->intention = walk.found.items[0];
    return CU_OK;
}

static char *reason_of(struct cu_arena *arena, const intention_t *intention)
{
    const char *id = intention->id;
    if (intention->n_permissions)
        return (char *)(uintptr_t)catalog_sentence(
            arena,
            "Matched L7 intention: default/%s => default/%s (%s%s%sPrecedence: %u, Permissions: "
            "%zu)",
            intention->source_name, intention->destination_name, *id ? "ID: " : "", id,
            *id ? ", " : "", intention->precedence, intention->n_permissions);
    return (char *)(uintptr_t)catalog_sentence(
        arena, "Matched L4 intention: default/%s => default/%s (%s%s%sPrecedence: %u, Action: %s)",
        intention->source_name, intention->destination_name, *id ? "ID: " : "", id, *id ? ", " : "",
        intention->precedence, strcmp(intention->action, "allow") == 0 ? "ALLOW" : "DENY");
}

enum cu_err catalog_intention_check(const struct catalog_view *view,
                                    const Curia__V1__IntentionCheckRequest *request,
                                    struct cu_arena *arena, Curia__V1__IntentionCheckReply *reply,
                                    uint64_t *ret_index)
{
    struct walk walk = {.arena = arena,
                        .with_wildcards = true,
                        .source = request->source,
                        .destination = request->destination};
    enum cu_err err = find(view, &walk, ret_index);
    if (err)
        return err;
    if (walk.found.count == 0)
        return CU_OK;
    const intention_t *first = walk.found.items[0];
    reply->matched = true;
    /* What depends on the request cannot be said here. */
    reply->allowed = !first->n_permissions && strcmp(first->action, "allow") == 0;
    reply->reason = reason_of(arena, first);
    return CU_OK;
}

/* ---- writes ---- */

static bool refuse(struct catalog_refusal *refusal, const char *sentence)
{
    *refusal = (struct catalog_refusal){CU_E_INVALID, sentence};
    return false;
}

/* The entry that has a legacy id, and where in it; NULL: none. */
struct by_id {
    struct cu_arena *arena;
    const char *id;
    entry_t *entry;
    size_t at;
    bool is_corrupt;
};

static bool see_id(void *arg, const struct catalog_row *row)
{
    struct by_id *by = arg;
    entry_t *entry = curia__v1__config_entry__unpack(cu_arena_allocator(by->arena), row->value.len,
                                                     row->value.data);
    by->is_corrupt = !entry || !entry->service_intentions;
    for (size_t i = 0; !by->is_corrupt && i < entry->service_intentions->n_sources; i++)
        if (strcmp(entry->service_intentions->sources[i]->legacy_id, by->id) == 0) {
            by->entry = entry;
            by->at = i;
        }
    return !by->is_corrupt && !by->entry;
}

static enum cu_err find_id(struct catalog_store *store, struct by_id *by)
{
    const struct catalog_backend *backend = store->backend;
    struct cu_bytes prefix = catalog_config_key(store->scratch, CATALOG_SERVICE_INTENTIONS, NULL);
    by->arena = store->scratch;
    enum cu_err err =
        backend->scan(backend->context, CATALOG_CONFIG_ENTRIES, prefix, all, see_id, by);
    return !err && by->is_corrupt ? CU_E_CORRUPT : err;
}

/* The entry of a destination, an empty one where there is none. */
static enum cu_err entry_for(struct catalog_store *store, const char *destination,
                             entry_t **ret_entry)
{
    enum cu_err err = catalog_config_get(store, CATALOG_SERVICE_INTENTIONS, destination, ret_entry);
    if (err || *ret_entry)
        return err;
    entry_t *entry = cu_arena_alloc(store->scratch, sizeof *entry);
    Curia__V1__ServiceIntentions *body = cu_arena_alloc(store->scratch, sizeof *body);
    CU_ASSERT(entry && body);
    curia__v1__config_entry__init(entry);
    curia__v1__service_intentions__init(body);
    entry->kind = (char *)(uintptr_t)CATALOG_SERVICE_INTENTIONS;
    entry->name = (char *)(uintptr_t)destination;
    entry->service_intentions = body;
    *ret_entry = entry;
    return CU_OK;
}

static size_t find_source(const entry_t *entry, const char *name)
{
    size_t at = 0;
    while (at < entry->service_intentions->n_sources &&
           strcmp(entry->service_intentions->sources[at]->name, name) != 0)
        at++;
    return at;
}

static source_t *add_source(struct catalog_store *store, entry_t *entry)
{
    Curia__V1__ServiceIntentions *body = entry->service_intentions;
    source_t **grown = cu_arena_alloc(store->scratch, (body->n_sources + 1) * sizeof(source_t *));
    source_t *source = cu_arena_alloc(store->scratch, sizeof *source);
    CU_ASSERT(grown && source);
    curia__v1__source_intention__init(source);
    if (body->n_sources)
        memcpy(grown, body->sources, body->n_sources * sizeof(source_t *));
    grown[body->n_sources++] = source;
    body->sources = grown;
    return source;
}

static void fill(source_t *source, const intention_t *in)
{
    source->name = in->source_name;
    source->action = in->action;
    source->permissions = in->permissions;
    source->n_permissions = in->n_permissions;
    source->description = in->description;
}

static enum cu_err put(struct catalog_store *store, entry_t *entry, struct catalog_refusal *refusal)
{
    enum cu_err err = catalog_config_prepare(entry, store->scratch, refusal);
    return err || refusal->text ? err : catalog_config_put(store, entry, refusal);
}

static enum cu_err remove_at(struct catalog_store *store, entry_t *entry, size_t at,
                             struct catalog_refusal *refusal)
{
    Curia__V1__ServiceIntentions *body = entry->service_intentions;
    if (at >= body->n_sources)
        return CU_OK; /* it is not there: nothing to do */
    if (body->n_sources == 1) {
        struct cu_bytes key = catalog_config_key(store->scratch, entry->kind, entry->name);
        return store_del(store, CATALOG_CONFIG_ENTRIES, key, NULL);
    }
    memmove(&body->sources[at], &body->sources[at + 1],
            (body->n_sources - at - 1) * sizeof(source_t *));
    body->n_sources--;
    return put(store, entry, refusal);
}

static enum cu_err create(struct catalog_store *store, const intention_t *in, uint64_t wall_ms,
                          struct catalog_refusal *refusal)
{
    entry_t *entry;
    enum cu_err err = entry_for(store, in->destination_name, &entry);
    if (err)
        return err;
    source_t *source = add_source(store, entry); /* one that is there twice is refused by name */
    fill(source, in);
    source->legacy_id = in->id;
    source->legacy_meta = in->meta;
    source->legacy_create_time_ms = source->legacy_update_time_ms = wall_ms;
    return put(store, entry, refusal);
}

static enum cu_err update(struct catalog_store *store, const intention_t *in, uint64_t wall_ms,
                          struct catalog_refusal *refusal)
{
    struct by_id by = {.id = in->id};
    enum cu_err err = find_id(store, &by);
    if (err)
        return err;
    if (!by.entry) {
        (void)refuse(
            refusal,
            catalog_sentence(store->scratch, "Cannot modify non-existent intention: '%s'", in->id));
        return CU_OK;
    }
    if (strcmp(by.entry->name, in->destination_name) != 0) {
        (void)refuse(refusal,
                     "Cannot modify DestinationNS or DestinationName for an intention once "
                     "it exists.");
        return CU_OK;
    }
    source_t *source = by.entry->service_intentions->sources[by.at];
    fill(source, in);
    source->legacy_meta = in->meta;
    source->legacy_update_time_ms = wall_ms;
    return put(store, by.entry, refusal);
}

static enum cu_err upsert(struct catalog_store *store, const intention_t *in,
                          struct catalog_refusal *refusal)
{
    entry_t *entry;
    enum cu_err err = entry_for(store, in->destination_name, &entry);
    if (err)
        return err;
    size_t at = find_source(entry, in->source_name);
    source_t *source = at < entry->service_intentions->n_sources
                           ? entry->service_intentions->sources[at]
                           : add_source(store, entry);
    fill(source, in);
    return put(store, entry, refusal);
}

static enum cu_err delete_one(struct catalog_store *store, const intention_t *in,
                              struct catalog_refusal *refusal)
{
    struct by_id by = {.id = in->id};
    entry_t *entry;
    if (*in->id) {
        enum cu_err err = find_id(store, &by);
        if (!err && !by.entry)
            (void)refuse(refusal,
                         catalog_sentence(store->scratch,
                                          "Cannot delete non-existent intention: '%s'", in->id));
        return err || !by.entry ? err : remove_at(store, by.entry, by.at, refusal);
    }
    enum cu_err err = entry_for(store, in->destination_name, &entry);
    return err ? err : remove_at(store, entry, find_source(entry, in->source_name), refusal);
}

enum cu_err catalog_intention_apply(struct catalog_store *store,
                                    const Curia__Internal__V1__IntentionCommand *command,
                                    uint64_t wall_ms, struct catalog_refusal *ret_refusal)
{
    const intention_t *in = command->intention;
    *ret_refusal = (struct catalog_refusal){CU_OK, NULL};
    if (!in || (!*in->id && !*in->destination_name)) {
        (void)refuse(ret_refusal, "there is no intention in it");
        return CU_OK;
    }
    if (command->verb == CURIA__V1__INTENTION_VERB__INTENTION_CREATE)
        return create(store, in, wall_ms, ret_refusal);
    if (command->verb == CURIA__V1__INTENTION_VERB__INTENTION_UPDATE)
        return update(store, in, wall_ms, ret_refusal);
    if (command->verb == CURIA__V1__INTENTION_VERB__INTENTION_UPSERT)
        return upsert(store, in, ret_refusal);
    if (command->verb == CURIA__V1__INTENTION_VERB__INTENTION_DELETE)
        return delete_one(store, in, ret_refusal);
    (void)refuse(ret_refusal, "unknown verb of an intention");
    return CU_OK;
}
