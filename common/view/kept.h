/* kept.h - the last encoded answers, least recently used first out, bounded by bytes (contracts
 * 7.2, 7.3). */
#ifndef CU_VIEW_KEPT_H
#define CU_VIEW_KEPT_H

#include "common/base/map.h"
#include "common/view/view.h"
#include "curia/v1/read.pb-c.h"

/* One answer. Shared by the store and by reads that were sent as conditional on it. */
struct view_kept {
    unsigned refs;
    struct view_kept *older, *newer;
    struct cu_buf key;
    struct cu_buf have; /* packed curia.v1.Have, to be sent with the next conditional read */
    struct cu_view_body *bodies[CU_VIEW_FORMATS]; /* NULL: not rendered in that format */
    uint64_t index, last_contact_ms;
    uint64_t read_at; /* newest index of the state it was read from */
    bool known_leader, listed;
    size_t bytes;
};

struct view_kept_store {
    struct cu_map by_key;
    struct view_kept *newest, *oldest;
    size_t bytes, limit_bytes;
};

void view_kept_store_deinit(struct view_kept_store *store);

/* The kept answer for `key`, now the most recently used one, or NULL. Borrowed. */
struct view_kept *view_kept_find(struct view_kept_store *store, struct cu_bytes key);

/* An entry with one reference, yours; not yet in any store. */
struct view_kept *view_kept_new(struct cu_bytes key);
/* What an answer says of itself: where it stands; all of it; and what is to be sent with the next
 * conditional read. */
void view_kept_take_index(struct view_kept *kept, const Curia__V1__ReadMeta *meta);
void view_kept_take_meta(struct view_kept *kept, const Curia__V1__ReadMeta *meta);
void view_kept_take_have(struct view_kept *kept, const Curia__V1__Have *have); /* takes NULL */
/* "Unchanged" was said of it. */
void view_kept_confirm(struct view_kept *kept, const Curia__V1__ReadMeta *meta, bool is_stale);
struct view_kept *view_kept_ref(struct view_kept *kept);
void view_kept_unref(struct view_kept *kept); /* takes NULL */

/* Puts it in, in place of the one with its key; the oldest go until the limit is kept. One that is
 * larger than a quarter of the limit is not taken. */
void view_kept_put(struct view_kept_store *store, struct view_kept *kept);

#endif
