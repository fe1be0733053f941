#include "common/view/cache.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/map.h"

enum { RETRY_MS = 1000, SWEEP_MS = 60 * 1000 };

struct entry {
    struct cu_view_cache *cache;
    struct entry *older, *newer; /* by use */
    struct cu_buf key;
    size_t token_at, request_at; /* in the key */
    const ProtobufCMessageDescriptor *request;
    struct cu_view_read read; /* keeps it fresh */
    struct cu_timer retry;
    struct cu_view_body *body;
    uint64_t index, last_contact_ms;
    bool known_leader, is_fresh;
    struct cu_mono fresh_at; /* last, while it is not */
    struct cu_mono used;
};

struct cu_view_cache {
    struct cu_view *view;
    struct cu_loop *loop;
    struct cu_map by_key;
    struct entry *newest, *oldest;
    size_t bytes, limit_bytes; /* of bodies */
    struct cu_buf key;         /* scratch */
    struct cu_timer sweep;
    struct cu_counter *hits, *misses;
};

/* ---- the order of use ---- */

static void link_newest(struct cu_view_cache *cache, struct entry *e)
{
    e->older = cache->newest;
    e->newer = NULL;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = e;
    cache->newest = e;
}

static void unlink_entry(struct cu_view_cache *cache, struct entry *e)
{
    *(e->newer ? &e->newer->older : &cache->newest) = e->older;
    *(e->older ? &e->older->newer : &cache->oldest) = e->newer;
}

static void drop(struct entry *e)
{
    struct cu_view_cache *cache = e->cache;
    (void)cu_map_del(&cache->by_key, cu_buf_bytes(&e->key));
    unlink_entry(cache, e);
    cu_view_cancel(&e->read);
    cu_timer_close(&e->retry);
    cache->bytes -= e->body->len;
    cu_view_body_unref(e->body);
    cu_buf_deinit(&e->key);
    free(e);
}

static void sweep(void *arg)
{
    struct cu_view_cache *cache = arg;
    struct cu_mono now = cu_loop_now(cache->loop);
    while (cache->oldest && cu_mono_ms_between(cache->oldest->used, now) >= CU_VIEW_CACHE_UNUSED_MS)
        drop(cache->oldest);
    if (cache->oldest)
        cu_timer_set_ms(&cache->sweep, SWEEP_MS);
}

/* ---- keys ---- */

static void make_key(struct cu_buf *key, const struct cu_view_read *read, size_t *ret_token_at,
                     size_t *ret_request_at)
{
    const char *token = read->token ? read->token : "";
    cu_buf_clear(key);
    cu_buf_append(key, &read->method, sizeof read->method);
    cu_buf_u8(key, (uint8_t)read->mode);
    cu_buf_u8(key, (uint8_t)read->format);
    cu_buf_append(key, &read->rights, sizeof read->rights);
    *ret_token_at = key->len;
    cu_buf_append(key, token, strlen(token) + 1);
    *ret_request_at = key->len;
    size_t size = protobuf_c_message_get_packed_size(read->request);
    (void)protobuf_c_message_pack(read->request, cu_buf_extend(key, size));
}

static struct entry *find(struct cu_view_cache *cache, const struct cu_view_read *read)
{
    size_t token_at, request_at;
    make_key(&cache->key, read, &token_at, &request_at);
    return cu_map_get(&cache->by_key, cu_buf_bytes(&cache->key));
}

/* ---- keeping one fresh ---- */

static void take(struct entry *e, const struct cu_view_answer *answer)
{
    struct cu_view_cache *cache = e->cache;
    struct cu_view_body *before = e->body;
    e->body = cu_view_body_ref(answer->body);
    cache->bytes += e->body->len - (before ? before->len : 0);
    cu_view_body_unref(before);
    while (cache->bytes > cache->limit_bytes && cache->oldest != cache->newest)
        drop(cache->oldest == e ? e->newer : cache->oldest);
    e->index = answer->index ? answer->index : 1;
    e->last_contact_ms = answer->last_contact_ms;
    e->known_leader = answer->known_leader;
    e->is_fresh = true;
}

static void refresh(void *arg);

static void refreshed(void *arg, const struct cu_view_answer *answer)
{
    struct entry *e = arg;
    if (!answer->err) {
        take(e, answer);
        refresh(e);
        return;
    }
    if (answer->err == CU_E_DENIED) { /* the token is gone, or what it could: nothing stays of it */
        drop(e);
        return;
    }
    if (e->is_fresh)
        e->fresh_at = cu_loop_now(e->cache->loop);
    e->is_fresh = false;
    cu_timer_set_ms(&e->retry, RETRY_MS);
}

/* From the index that is known; after a failure at once, so that it soon counts as fresh again. */
static void refresh(void *arg)
{
    struct entry *e = arg;
    ProtobufCMessage *request = protobuf_c_message_unpack(
        e->request, NULL, e->key.len - e->request_at, e->key.data + e->request_at);
    const char *token = (const char *)e->key.data + e->token_at;
    CU_ASSERT(request); /* we packed it */
    e->read = (struct cu_view_read){
        .method = e->read.method,
        .request = request,
        .mode = e->read.mode,
        .index = e->is_fresh ? e->index : 0,
        .wait_ms = CU_VIEW_WAIT_MS,
        .format = e->read.format,
        .token = *token ? token : NULL,
        .done = refreshed,
        .arg = e,
    };
    cu_view_read(e->cache->view, &e->read);
    protobuf_c_message_free_unpacked(request, NULL);
}

/* ---- asking ---- */

bool cu_view_cache_get(struct cu_view_cache *cache, const struct cu_view_read *read,
                       struct cu_view_answer *ret_answer, uint64_t *ret_age_ms)
{
    struct entry *e = find(cache, read);
    if (!e || e->index <= read->index) {
        cu_count(cache->misses, 1);
        return false;
    }
    struct cu_mono now = cu_loop_now(cache->loop);
    unlink_entry(cache, e);
    link_newest(cache, e);
    e->used = now;
    cu_count(cache->hits, 1);
    *ret_age_ms = e->is_fresh ? 0 : cu_mono_ms_between(e->fresh_at, now);
    *ret_answer = (struct cu_view_answer){
        .text = "",
        .body = e->body,
        .is_shared = true,
        .index = e->index,
        .last_contact_ms = e->last_contact_ms,
        .known_leader = e->known_leader,
    };
    return true;
}

void cu_view_cache_put(struct cu_view_cache *cache, const struct cu_view_read *read,
                       const struct cu_view_answer *answer)
{
    if (find(cache, read))
        return;
    if (cache->by_key.count >= CU_VIEW_CACHE_ENTRIES_MAX)
        drop(cache->oldest);
    struct entry *e = cu_alloc(sizeof *e);
    e->cache = cache;
    e->request = read->request->descriptor;
    e->read = (struct cu_view_read){
        .method = read->method,
        .mode = read->mode,
        .format = read->format,
    };
    make_key(&e->key, read, &e->token_at, &e->request_at);
    (void)cu_map_put(&cache->by_key, cu_buf_bytes(&e->key), e);
    link_newest(cache, e);
    e->used = cu_loop_now(cache->loop);
    cu_timer_init(&e->retry, cache->loop, refresh, e);
    take(e, answer);
    refresh(e);
    if (!cu_timer_is_set(&cache->sweep))
        cu_timer_set_ms(&cache->sweep, SWEEP_MS);
}

size_t cu_view_cache_count(const struct cu_view_cache *cache)
{
    return cache->by_key.count;
}

/* ---- life ---- */

static double entries_gauge(void *arg)
{
    return (double)cu_view_cache_count(arg);
}

struct cu_view_cache *cu_view_cache_new(struct cu_view *view, struct cu_loop *loop,
                                        struct cu_metrics *metrics, size_t limit_bytes)
{
    struct cu_view_cache *cache = cu_alloc(sizeof *cache);
    cache->view = view;
    cache->loop = loop;
    cache->limit_bytes = limit_bytes;
    cache->hits = cu_metrics_counter(metrics, "cache.hits");
    cache->misses = cu_metrics_counter(metrics, "cache.misses");
    if (metrics)
        cu_metrics_gauge(metrics, "cache.entries", entries_gauge, cache);
    cu_timer_init(&cache->sweep, loop, sweep, cache);
    return cache;
}

void cu_view_cache_free(struct cu_view_cache *cache)
{
    if (!cache)
        return;
    while (cache->oldest)
        drop(cache->oldest);
    cu_map_deinit(&cache->by_key);
    cu_timer_close(&cache->sweep);
    cu_buf_deinit(&cache->key);
    free(cache);
}
