#include "common/view/rows.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

struct view_row *view_row_new(const struct cu_mirror_row *from)
{
    struct view_row *row = cu_alloc(sizeof *row + from->key.len + from->row.len);
    row->refs = 1;
    row->row = *from;
    row->row.key.data = row->bytes;
    row->row.row.data = row->bytes + from->key.len;
    if (from->key.len)
        memcpy(row->bytes, from->key.data, from->key.len);
    if (from->row.len)
        memcpy(row->bytes + from->key.len, from->row.data, from->row.len);
    return row;
}

struct view_row *view_row_ref(struct view_row *row)
{
    row->refs++;
    return row;
}

void view_row_unref(struct view_row *row)
{
    if (row && --row->refs == 0)
        free(row);
}

bool view_row_equal(const struct view_row *a, const struct view_row *b)
{
    return a->row.modify_index == b->row.modify_index &&
           a->row.create_index == b->row.create_index && cu_bytes_equal(a->row.row, b->row.row);
}

void view_rows_deinit(struct view_rows *rows)
{
    struct view_rows_at at = {0};
    for (struct view_row *row; (row = view_rows_next(rows, &at));)
        view_row_unref(row);
    for (size_t i = 0; i < CU_MIRROR_TOPICS_MAX; i++)
        cu_map_deinit(&rows->by_topic[i]);
    *rows = (struct view_rows){.count = 0};
}

struct view_row *view_rows_get(const struct view_rows *rows, unsigned topic, struct cu_bytes key)
{
    CU_ASSERT(topic < CU_MIRROR_TOPICS_MAX);
    return cu_map_get(&rows->by_topic[topic], key);
}

struct view_row *view_rows_put(struct view_rows *rows, struct view_row *row)
{
    CU_ASSERT(row->row.topic < CU_MIRROR_TOPICS_MAX);
    struct view_row *before = cu_map_put(&rows->by_topic[row->row.topic], row->row.key, row);
    rows->count += before == NULL;
    return before;
}

struct view_row *view_rows_del(struct view_rows *rows, unsigned topic, struct cu_bytes key)
{
    CU_ASSERT(topic < CU_MIRROR_TOPICS_MAX);
    struct view_row *before = cu_map_del(&rows->by_topic[topic], key);
    rows->count -= before != NULL;
    return before;
}

struct view_row *view_rows_next(const struct view_rows *rows, struct view_rows_at *at)
{
    struct cu_bytes key;
    void *row;
    for (; at->topic < CU_MIRROR_TOPICS_MAX; at->topic++, at->at = 0)
        if (cu_map_next(&rows->by_topic[at->topic], &at->at, &key, &row))
            return row;
    return NULL;
}
