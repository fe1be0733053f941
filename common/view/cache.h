/* cache.h - answers that are kept fresh by a wait of their own, for readers who take what is there
 * (http-api.md 1.8: the agent's cache). */
#ifndef CU_VIEW_CACHE_H
#define CU_VIEW_CACHE_H

#include "common/metric/metric.h"
#include "common/view/view.h"

struct cu_view_cache;

enum {
    CU_VIEW_CACHE_ENTRIES_MAX = 1024, /* of the least recently used the oldest go */
    CU_VIEW_CACHE_UNUSED_MS = 3 * 24 * 60 * 60 * 1000, /* an entry nobody asked for is let go */
};

/* `limit_bytes`: of the answers; of the least recently used the oldest go. */
struct cu_view_cache *cu_view_cache_new(struct cu_view *view, struct cu_loop *loop,
                                        struct cu_metrics *metrics, size_t limit_bytes);
void cu_view_cache_free(struct cu_view_cache *cache); /* before its view; takes NULL */

/* An answer to the question of `read` (method, request, token, rights, format, mode) whose index is
 * above the read's, if one is kept. *ret_age_ms: how long ago it was known to be the newest, 0
 * while it is being kept fresh. The answer is borrowed until the loop goes on. */
bool cu_view_cache_get(struct cu_view_cache *cache, const struct cu_view_read *read,
                       struct cu_view_answer *ret_answer, uint64_t *ret_age_ms);

/* Keeps the answer that the read got, and keeps it fresh. Nothing when there is one already. */
void cu_view_cache_put(struct cu_view_cache *cache, const struct cu_view_read *read,
                       const struct cu_view_answer *answer);

size_t cu_view_cache_count(const struct cu_view_cache *cache);

#endif
