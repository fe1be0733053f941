/* rows.h - rows of some topics by topic and key: what a mirror holds. Pure. */
#ifndef CU_VIEW_ROWS_H
#define CU_VIEW_ROWS_H

#include "common/base/map.h"
#include "common/view/mirror.h"

/* A row that several tables may share: the one that serves, the one being filled, one that is being
 * written to a file. It never changes. */
struct view_row {
    unsigned refs; /* loop's thread only */
    struct cu_mirror_row row;
    uint8_t bytes[];
};

struct view_row *view_row_new(const struct cu_mirror_row *from); /* copied; one reference, yours */
struct view_row *view_row_ref(struct view_row *row);
void view_row_unref(struct view_row *row); /* takes NULL */
bool view_row_equal(const struct view_row *a, const struct view_row *b);

/* Zero-initialise. */
struct view_rows {
    struct cu_map by_topic[CU_MIRROR_TOPICS_MAX];
    size_t count;
};

void view_rows_deinit(struct view_rows *rows);
struct view_row *view_rows_get(const struct view_rows *rows, unsigned topic, struct cu_bytes key);
/* Takes over your reference; returns the one it replaced, now yours, or NULL. */
struct view_row *view_rows_put(struct view_rows *rows, struct view_row *row);
struct view_row *view_rows_del(struct view_rows *rows, unsigned topic, struct cu_bytes key);
/* Walks all of them, in no order: start with zeroes, ends with NULL. No new key may be put
 * meanwhile; the current row may be replaced or deleted. */
struct view_rows_at {
    unsigned topic;
    size_t at;
};
struct view_row *view_rows_next(const struct view_rows *rows, struct view_rows_at *at);

#endif
