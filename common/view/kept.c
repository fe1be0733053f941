#include "common/view/kept.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

struct cu_view_body *cu_view_body_ref(struct cu_view_body *body)
{
    body->refs++;
    return body;
}

void cu_view_body_unref(struct cu_view_body *body)
{
    if (body && --body->refs == 0)
        free(body);
}

struct view_kept *view_kept_new(struct cu_bytes key)
{
    struct view_kept *kept = cu_alloc(sizeof *kept);
    kept->refs = 1;
    cu_buf_append(&kept->key, key.data, key.len);
    return kept;
}

void view_kept_take_have(struct view_kept *kept, const Curia__V1__Have *have)
{
    cu_buf_clear(&kept->have);
    if (!have)
        return;
    size_t size = curia__v1__have__get_packed_size(have);
    (void)curia__v1__have__pack(have, cu_buf_extend(&kept->have, size));
}

/* A catalogd that says nothing of its position is never behind. */
static uint64_t read_at(const Curia__V1__ReadMeta *meta)
{
    return meta->have ? meta->have->read_at : UINT64_MAX;
}

void view_kept_take_index(struct view_kept *kept, const Curia__V1__ReadMeta *meta)
{
    kept->index = meta->index;
    kept->read_at = read_at(meta);
}

void view_kept_take_meta(struct view_kept *kept, const Curia__V1__ReadMeta *meta)
{
    view_kept_take_index(kept, meta);
    kept->last_contact_ms = meta->last_contact_ms;
    kept->known_leader = meta->known_leader;
}

void view_kept_confirm(struct view_kept *kept, const Curia__V1__ReadMeta *meta, bool is_stale)
{
    kept->read_at = read_at(meta);
    kept->last_contact_ms = meta->last_contact_ms;
    if (is_stale)
        kept->known_leader = meta->known_leader;
    if (meta->have)
        view_kept_take_have(kept, meta->have);
}

struct view_kept *view_kept_ref(struct view_kept *kept)
{
    kept->refs++;
    return kept;
}

void view_kept_unref(struct view_kept *kept)
{
    if (!kept || --kept->refs > 0)
        return;
    for (size_t i = 0; i < CU_VIEW_FORMATS; i++)
        cu_view_body_unref(kept->bodies[i]);
    cu_buf_deinit(&kept->key);
    cu_buf_deinit(&kept->have);
    free(kept);
}

static void link_newest(struct view_kept_store *store, struct view_kept *kept)
{
    kept->older = store->newest;
    kept->newer = NULL;
    *(store->newest ? &store->newest->newer : &store->oldest) = kept;
    store->newest = kept;
}

static void unlink_kept(struct view_kept_store *store, struct view_kept *kept)
{
    *(kept->newer ? &kept->newer->older : &store->newest) = kept->older;
    *(kept->older ? &kept->older->newer : &store->oldest) = kept->newer;
}

static void drop(struct view_kept_store *store, struct view_kept *kept)
{
    (void)cu_map_del(&store->by_key, cu_buf_bytes(&kept->key));
    unlink_kept(store, kept);
    store->bytes -= kept->bytes;
    kept->listed = false;
    view_kept_unref(kept);
}

void view_kept_store_deinit(struct view_kept_store *store)
{
    while (store->oldest)
        drop(store, store->oldest);
    cu_map_deinit(&store->by_key);
}

struct view_kept *view_kept_find(struct view_kept_store *store, struct cu_bytes key)
{
    struct view_kept *kept = store->newest ? cu_map_get(&store->by_key, key) : NULL;
    if (kept && kept != store->newest) {
        unlink_kept(store, kept);
        link_newest(store, kept);
    }
    return kept;
}

static size_t cost(const struct view_kept *kept)
{
    size_t bytes = sizeof *kept + 2 * kept->key.len + kept->have.len;
    for (size_t i = 0; i < CU_VIEW_FORMATS; i++)
        bytes += kept->bodies[i] ? sizeof *kept->bodies[i] + kept->bodies[i]->len : 0;
    return bytes;
}

void view_kept_put(struct view_kept_store *store, struct view_kept *kept)
{
    CU_ASSERT(!kept->listed);
    struct view_kept *old = view_kept_find(store, cu_buf_bytes(&kept->key));
    if (old)
        drop(store, old);
    kept->bytes = cost(kept);
    if (kept->bytes > store->limit_bytes / 4)
        return;
    while (store->oldest && store->bytes + kept->bytes > store->limit_bytes)
        drop(store, store->oldest);
    (void)cu_map_put(&store->by_key, cu_buf_bytes(&kept->key), view_kept_ref(kept));
    link_newest(store, kept);
    store->bytes += kept->bytes;
    kept->listed = true;
}
