#include "common/view/image.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

/* A fill: rows that serve nobody yet. */
struct fill {
    bool is_on, has_all; /* has_all: the last page is in, changes are being taken */
    struct view_rows rows;
    struct cu_mirror_position from; /* lowest of the pages' */
    uint64_t to;                    /* highest */
    char *after_topic;              /* where the last page ended; NULL: from the start */
    struct cu_buf after_key;
};

struct view_image {
    struct view_image_options options;
    char *topics[CU_MIRROR_TOPICS_MAX];
    bool is_filled, is_current;
    struct view_rows rows;
    struct cu_mirror_position position;
    struct fill fill;
    uint64_t fills;
    Curia__V1__FeedPosition after; /* of the question */
};

struct view_image *view_image_new(const struct view_image_options *options)
{
    CU_ASSERT(options->topic_count > 0 && options->topic_count <= CU_MIRROR_TOPICS_MAX);
    struct view_image *image = cu_alloc(sizeof *image);
    image->options = *options;
    for (size_t i = 0; i < options->topic_count; i++)
        image->topics[i] = cu_strdup(options->topics[i]);
    image->fill.is_on = true;
    return image;
}

static void end_fill(struct view_image *image)
{
    view_rows_deinit(&image->fill.rows);
    free(image->fill.after_topic);
    cu_buf_deinit(&image->fill.after_key);
    image->fill = (struct fill){.is_on = false};
}

void view_image_free(struct view_image *image)
{
    if (!image)
        return;
    end_fill(image);
    view_rows_deinit(&image->rows);
    for (size_t i = 0; i < CU_MIRROR_TOPICS_MAX; i++)
        free(image->topics[i]);
    free(image);
}

void view_image_doubt(struct view_image *image)
{
    image->is_current = false;
}

void view_image_refill(struct view_image *image)
{
    end_fill(image);
    image->fill.is_on = true;
    image->is_current = false;
    image->fills++;
}

enum view_image_wants view_image_wants(const struct view_image *image)
{
    return image->fill.is_on && !image->fill.has_all ? VIEW_WANTS_PAGE : VIEW_WANTS_CHANGES;
}

/* ---- asking ---- */

void view_image_ask_page(struct view_image *image, Curia__V1__FeedRowsRequest *ret_request)
{
    struct fill *fill = &image->fill;
    curia__v1__feed_rows_request__init(ret_request);
    ret_request->topics = image->topics;
    ret_request->n_topics = image->options.topic_count;
    ret_request->max_bytes = CU_MIRROR_PAGE_BYTES;
    if (!fill->after_topic)
        return;
    ret_request->after_topic = fill->after_topic;
    ret_request->after_key = (ProtobufCBinaryData){fill->after_key.len, fill->after_key.data};
}

static struct cu_mirror_position *cursor(struct view_image *image)
{
    return image->fill.is_on ? &image->fill.from : &image->position;
}

/* Of a catalogd that has applied nothing yet. */
static bool is_nowhere(const struct cu_mirror_position *at)
{
    static const uint8_t none[CU_MIRROR_ID_BYTES];
    return memcmp(at->cluster_id, none, sizeof none) == 0;
}

void view_image_ask_changes(struct view_image *image, Curia__V1__FeedFollowRequest *ret_request)
{
    struct cu_mirror_position *at = cursor(image);
    curia__v1__feed_position__init(&image->after);
    if (!is_nowhere(at))
        image->after.cluster_id = (ProtobufCBinaryData){CU_MIRROR_ID_BYTES, at->cluster_id};
    image->after.epoch = at->epoch;
    image->after.index = at->index;
    image->after.rights = at->rights;
    curia__v1__feed_follow_request__init(ret_request);
    ret_request->topics = image->topics;
    ret_request->n_topics = image->options.topic_count;
    ret_request->after = &image->after;
    ret_request->with_rows = true;
    ret_request->brief = true;
}

/* ---- reading answers ---- */

static bool find_topic(const struct view_image *image, const char *name, unsigned *ret_topic)
{
    for (unsigned i = 0; i < image->options.topic_count; i++)
        if (strcmp(image->topics[i], name) == 0) {
            *ret_topic = i;
            return true;
        }
    return false;
}

static bool read_position(const Curia__V1__FeedPosition *from, struct cu_mirror_position *ret_to)
{
    if (!from || (from->cluster_id.len != 0 && from->cluster_id.len != CU_MIRROR_ID_BYTES))
        return false;
    *ret_to = (struct cu_mirror_position){
        .epoch = from->epoch, .index = from->index, .rights = from->rights};
    if (from->cluster_id.len)
        memcpy(ret_to->cluster_id, from->cluster_id.data, CU_MIRROR_ID_BYTES);
    return true;
}

/* Also as the same eyes see it. */
static bool is_same_history(const struct cu_mirror_position *a, const struct cu_mirror_position *b)
{
    return a->epoch == b->epoch && a->rights == b->rights &&
           memcmp(a->cluster_id, b->cluster_id, CU_MIRROR_ID_BYTES) == 0;
}

static struct view_row *row_of(const Curia__V1__FeedRow *from, unsigned topic)
{
    struct cu_mirror_row row = {
        .topic = topic,
        .key = {from->key.data, from->key.len},
        .row = {from->row.data, from->row.len},
        .create_index = from->create_index,
        .modify_index = from->modify_index,
    };
    return view_row_new(&row);
}

/* ---- what serves ---- */

static void put(struct view_image *image, struct view_row *row)
{
    struct view_row *before = view_rows_put(&image->rows, row);
    image->options.put(image->options.arg, &row->row, before ? &before->row : NULL);
    view_row_unref(before);
}

static void del(struct view_image *image, unsigned topic, struct cu_bytes key)
{
    struct view_row *before = view_rows_del(&image->rows, topic, key);
    if (!before)
        return;
    image->options.del(image->options.arg, &before->row);
    view_row_unref(before);
}

/* ---- a fill ---- */

/* Rows that are the same stay where they are: somebody may hold them. */
static void keep_equal(struct view_rows *old, struct view_rows *new)
{
    struct view_rows_at at = {0};
    for (struct view_row *row; (row = view_rows_next(old, &at));) {
        struct view_row *twin = view_rows_get(new, row->row.topic, row->row.key);
        if (twin && view_row_equal(row, twin))
            view_row_unref(view_rows_put(new, view_row_ref(row)));
    }
}

static void tell_differences(struct view_image *image, const struct view_rows *old)
{
    struct view_rows_at at = {0};
    for (struct view_row *row; (row = view_rows_next(old, &at));)
        if (!view_rows_get(&image->rows, row->row.topic, row->row.key))
            image->options.del(image->options.arg, &row->row);
    at = (struct view_rows_at){0};
    for (struct view_row *row; (row = view_rows_next(&image->rows, &at));) {
        struct view_row *before = view_rows_get(old, row->row.topic, row->row.key);
        if (before != row)
            image->options.put(image->options.arg, &row->row, before ? &before->row : NULL);
    }
}

/* The new rows serve from here on. */
static void swap(struct view_image *image)
{
    struct view_rows old = image->rows;
    keep_equal(&old, &image->fill.rows);
    image->rows = image->fill.rows;
    image->fill.rows = (struct view_rows){.count = 0};
    image->position = image->fill.from;
    end_fill(image);
    image->is_filled = true;
    tell_differences(image, &old);
    view_rows_deinit(&old);
}

static bool is_good_page(const struct view_image *image, const Curia__V1__FeedRowsReply *reply)
{
    unsigned topic;
    for (size_t i = 0; i < reply->n_rows; i++)
        if (!find_topic(image, reply->rows[i]->topic, &topic) || reply->rows[i]->key.len == 0)
            return false;
    return reply->n_rows > 0 || !reply->more;
}

static void note_end(struct fill *fill, const Curia__V1__FeedRow *last)
{
    free(fill->after_topic);
    fill->after_topic = cu_strdup(last->topic);
    cu_buf_clear(&fill->after_key);
    cu_buf_append(&fill->after_key, last->key.data, last->key.len);
}

/* Of another catalogd's history than the pages before: false. */
static bool note_position(struct fill *fill, const struct cu_mirror_position *at)
{
    if (!fill->after_topic) {
        fill->from = *at;
        fill->to = at->index;
        return true;
    }
    if (!is_same_history(&fill->from, at))
        return false;
    if (at->index < fill->from.index)
        fill->from.index = at->index;
    if (at->index > fill->to)
        fill->to = at->index;
    return true;
}

enum cu_err view_image_take_page(struct view_image *image, const Curia__V1__FeedRowsReply *reply)
{
    struct fill *fill = &image->fill;
    struct cu_mirror_position at;
    CU_ASSERT(fill->is_on && !fill->has_all);
    if (!read_position(reply->at, &at) || !is_good_page(image, reply))
        return CU_E_INVALID;
    if (!note_position(fill, &at)) {
        view_image_refill(image);
        return CU_OK;
    }
    for (size_t i = 0; i < reply->n_rows; i++) {
        unsigned topic = 0;
        (void)find_topic(image, reply->rows[i]->topic, &topic); /* is_good_page() */
        view_row_unref(view_rows_put(&fill->rows, row_of(reply->rows[i], topic)));
    }
    if (reply->n_rows > 0)
        note_end(fill, reply->rows[reply->n_rows - 1]);
    fill->has_all = !reply->more;
    if (fill->has_all && fill->from.index >= fill->to)
        swap(image);
    return CU_OK;
}

/* ---- changes ---- */

static bool is_good_change(const struct view_image *image, const Curia__V1__Change *change)
{
    unsigned topic;
    const Curia__V1__FeedRow *row = change->row;
    if (!find_topic(image, change->topic, &topic) || change->key.len == 0)
        return false;
    return !row || (strcmp(row->topic, change->topic) == 0 &&
                    cu_bytes_equal((struct cu_bytes){row->key.data, row->key.len},
                                   (struct cu_bytes){change->key.data, change->key.len}));
}

static bool are_good_changes(const struct view_image *image,
                             const Curia__V1__FeedFollowReply *reply)
{
    for (size_t i = 0; i < reply->n_changes; i++)
        if (!is_good_change(image, reply->changes[i]))
            return false;
    return true;
}

static void take_filling(struct fill *fill, const Curia__V1__Change *change, unsigned topic)
{
    struct cu_bytes key = {change->key.data, change->key.len};
    if (change->row)
        view_row_unref(view_rows_put(&fill->rows, row_of(change->row, topic)));
    else
        view_row_unref(view_rows_del(&fill->rows, topic, key));
}

/* One that changed twice in an answer comes twice with the same row. */
static void take_serving(struct view_image *image, const Curia__V1__Change *change, unsigned topic)
{
    struct cu_bytes key = {change->key.data, change->key.len};
    if (!change->row) {
        del(image, topic, key);
        return;
    }
    struct view_row *row = row_of(change->row, topic);
    const struct view_row *before = view_rows_get(&image->rows, topic, key);
    if (before && view_row_equal(before, row))
        view_row_unref(row);
    else
        put(image, row);
}

static void take_each(struct view_image *image, const Curia__V1__FeedFollowReply *reply)
{
    for (size_t i = 0; i < reply->n_changes; i++) {
        unsigned topic = 0;
        (void)find_topic(image, reply->changes[i]->topic, &topic); /* are_good_changes() */
        if (image->fill.is_on)
            take_filling(&image->fill, reply->changes[i], topic);
        else
            take_serving(image, reply->changes[i], topic);
    }
}

enum cu_err view_image_take_changes(struct view_image *image,
                                    const Curia__V1__FeedFollowReply *reply)
{
    struct cu_mirror_position upto;
    CU_ASSERT(view_image_wants(image) == VIEW_WANTS_CHANGES);
    if (reply->outcome == CURIA__V1__FEED_OUTCOME__FEED_COMPACTED ||
        reply->outcome == CURIA__V1__FEED_OUTCOME__FEED_DIVERGED) {
        view_image_refill(image);
        return CU_OK;
    }
    struct cu_mirror_position *at = cursor(image);
    bool is_known = reply->outcome == CURIA__V1__FEED_OUTCOME__FEED_NOTHING ||
                    reply->outcome == CURIA__V1__FEED_OUTCOME__FEED_CHANGES;
    if (!is_known || !read_position(reply->upto, &upto) || !are_good_changes(image, reply))
        return CU_E_INVALID;
    if (is_nowhere(at)) { /* the feed was asked for from its beginning */
        *at = upto;
        at->index = 0;
    }
    if (!at->rights) /* from a file */
        at->rights = upto.rights;
    if (!is_same_history(at, &upto)) { /* the state was restored while the question was under way */
        view_image_refill(image);
        return CU_OK;
    }
    take_each(image, reply);
    if (upto.index > at->index) /* a catalogd that is behind has nothing to take back */
        at->index = upto.index;
    bool told_all = reply->rows_at <= upto.index;
    if (image->fill.is_on && at->index >= image->fill.to)
        swap(image);
    image->is_current = told_all && !image->fill.is_on;
    return CU_OK;
}

/* ---- what it is ---- */

bool view_image_is_filled(const struct view_image *image)
{
    return image->is_filled;
}

bool view_image_is_filling(const struct view_image *image)
{
    return image->fill.is_on;
}

bool view_image_is_current(const struct view_image *image)
{
    return image->is_current;
}

const struct cu_mirror_position *view_image_position(const struct view_image *image)
{
    return &image->position;
}

const struct view_rows *view_image_rows(const struct view_image *image)
{
    return &image->rows;
}

uint64_t view_image_fills(const struct view_image *image)
{
    return image->fills;
}

void view_image_restore_row(struct view_image *image, const struct cu_mirror_row *row)
{
    put(image, view_row_new(row));
}

void view_image_restored(struct view_image *image, const struct cu_mirror_position *position)
{
    end_fill(image);
    image->is_filled = true;
    image->position = *position;
}
