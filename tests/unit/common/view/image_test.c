/* The rules of a mirror against a model: several catalogds, each with a history that it has applied
 * up to somewhere, cut answers, short pages, trimmed logs and restores (contracts 6.3). */
#include "common/view/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/assert.h"
#include "common/base/random.h"
#include "tests/lib/suite.h"

enum {
    TOPICS = 2,
    KEYS = 12,
    CATALOGS = 3,
    HISTORY_MAX = 400,
    ROUNDS = 3000,
    STEPS = 120,
    ARENA_BYTES = 1024 * 1024,
    DELETED = 0,
};

static const char *const topics[TOPICS] = {"nodes", "services"};

/* ---- a history, and catalogds that know it up to some index ---- */

struct write {
    unsigned topic, key, value; /* value DELETED: the row went */
    bool is_restore;            /* everything else went, too; a new epoch */
};

struct model {
    struct cu_random random;
    struct write writes[HISTORY_MAX]; /* at index i + 1 */
    uint64_t head;
    struct {
        uint64_t applied, trimmed;
    } catalogs[CATALOGS];
    struct cu_arena *arena; /* of one answer */
};

static struct model model;

static uint64_t below(uint64_t bound)
{
    return cu_random_below(&model.random, bound);
}

static uint64_t epoch_at(uint64_t index)
{
    uint64_t epoch = 1;
    for (uint64_t i = 0; i < index; i++)
        epoch += model.writes[i].is_restore;
    return epoch;
}

/* The value of a row at an index, and when it was written last. */
static unsigned value_at(unsigned topic, unsigned key, uint64_t index, uint64_t *ret_modified)
{
    for (uint64_t i = index; i > 0; i--) {
        const struct write *w = &model.writes[i - 1];
        bool hits = w->topic == topic && w->key == key;
        if (!hits && !w->is_restore)
            continue;
        *ret_modified = i;
        return hits ? w->value : DELETED;
    }
    return DELETED;
}

static void write_something(void)
{
    if (model.head == HISTORY_MAX)
        return;
    model.writes[model.head++] = (struct write){
        .topic = (unsigned)below(TOPICS),
        .key = (unsigned)below(KEYS),
        .value = below(3) ? (unsigned)(1 + below(1000)) : DELETED,
        .is_restore = below(60) == 0,
    };
}

static Curia__V1__FeedPosition *position_at(uint64_t index)
{
    static uint8_t cluster[CU_MIRROR_ID_BYTES] = {7};
    Curia__V1__FeedPosition *at = cu_arena_alloc(model.arena, sizeof *at);
    curia__v1__feed_position__init(at);
    if (index == 0)
        return at;
    at->cluster_id = (ProtobufCBinaryData){sizeof cluster, cluster};
    at->epoch = epoch_at(index);
    at->index = index;
    return at;
}

static ProtobufCBinaryData key_of(unsigned key)
{
    char *text = cu_arena_printf(model.arena, "k%02u", key);
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
}

static Curia__V1__FeedRow *row_at(unsigned topic, unsigned key, uint64_t index)
{
    uint64_t modified = 0;
    unsigned value = value_at(topic, key, index, &modified);
    if (value == DELETED)
        return NULL;
    Curia__V1__FeedRow *row = cu_arena_alloc(model.arena, sizeof *row);
    char *text = cu_arena_printf(model.arena, "%u", value);
    curia__v1__feed_row__init(row);
    row->topic = (char *)(uintptr_t)topics[topic];
    row->key = key_of(key);
    row->row = (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
    row->create_index = row->modify_index = modified;
    return row;
}

/* ---- answers ---- */

/* Rows in order behind (topic, key), some of them. */
static Curia__V1__FeedRowsReply *page(const Curia__V1__FeedRowsRequest *request, uint64_t index)
{
    Curia__V1__FeedRowsReply *reply = cu_arena_alloc(model.arena, sizeof *reply);
    curia__v1__feed_rows_reply__init(reply);
    reply->rows = cu_arena_alloc(model.arena, TOPICS * KEYS * sizeof(void *));
    reply->at = position_at(index);
    size_t max = 1 + below(8);
    unsigned first = 0;
    if (request->after_topic[0])
        first = (strcmp(request->after_topic, topics[1]) == 0 ? KEYS : 0) + 1 +
                (unsigned)(request->after_key.data[1] - '0') * 10 + request->after_key.data[2] -
                '0';
    for (unsigned i = first; i < TOPICS * KEYS; i++) {
        Curia__V1__FeedRow *row = row_at(i / KEYS, i % KEYS, index);
        if (row && reply->n_rows == max)
            reply->more = true;
        else if (row)
            reply->rows[reply->n_rows++] = row;
    }
    return reply;
}

static void add_change(Curia__V1__FeedFollowReply *reply, uint64_t index, uint64_t rows_at)
{
    const struct write *w = &model.writes[index - 1];
    Curia__V1__Change *change = cu_arena_alloc(model.arena, sizeof *change);
    curia__v1__change__init(change);
    change->index = index;
    change->topic = (char *)(uintptr_t)topics[w->topic];
    change->key = key_of(w->key);
    change->row = row_at(w->topic, w->key, rows_at);
    reply->changes[reply->n_changes++] = change;
}

static Curia__V1__FeedFollowReply *changes(const Curia__V1__FeedFollowRequest *request,
                                           unsigned catalog)
{
    uint64_t applied = model.catalogs[catalog].applied, after = request->after->index;
    Curia__V1__FeedFollowReply *reply = cu_arena_alloc(model.arena, sizeof *reply);
    bool is_first = request->after->cluster_id.len == 0;
    curia__v1__feed_follow_reply__init(reply);
    reply->changes = cu_arena_alloc(model.arena, HISTORY_MAX * sizeof(void *));
    reply->upto = position_at(applied);
    if (!is_first && applied == 0) {
        reply->outcome = CURIA__V1__FEED_OUTCOME__FEED_DIVERGED;
        return reply;
    }
    if ((!is_first && request->after->epoch != epoch_at(applied)) ||
        after < model.catalogs[catalog].trimmed || (is_first && epoch_at(applied) > 1)) {
        reply->outcome = CURIA__V1__FEED_OUTCOME__FEED_COMPACTED;
        return reply;
    }
    uint64_t upto = after > applied ? after : applied;
    if (applied > after && below(2))
        upto = after + 1 + below(applied - after); /* cut */
    for (uint64_t i = after + 1; i <= upto; i++)
        add_change(reply, i, applied);
    reply->outcome = reply->n_changes ? CURIA__V1__FEED_OUTCOME__FEED_CHANGES
                                      : CURIA__V1__FEED_OUTCOME__FEED_NOTHING;
    reply->upto->index = upto;
    reply->rows_at = upto > applied ? upto : applied;
    return reply;
}

/* ---- the image and its owner ---- */

static struct view_image *image;
static unsigned owned[TOPICS][KEYS]; /* what put() and del() told */
static unsigned told;

static unsigned number(struct cu_bytes bytes)
{
    char text[16] = "";
    ck_assert_uint_lt(bytes.len, sizeof text);
    memcpy(text, bytes.data, bytes.len);
    return (unsigned)strtoul(text, NULL, 10);
}

static unsigned key_number(struct cu_bytes key)
{
    ck_assert_uint_eq(key.len, 3);
    return number((struct cu_bytes){key.data + 1, 2});
}

static void on_put(void *arg, const struct cu_mirror_row *row, const struct cu_mirror_row *before)
{
    unsigned *value = &owned[row->topic][key_number(row->key)];
    ck_assert_uint_eq(*value, before ? number(before->row) : DELETED);
    *value = number(row->row);
    told++;
}

static void on_del(void *arg, const struct cu_mirror_row *row)
{
    unsigned *value = &owned[row->topic][key_number(row->key)];
    ck_assert_uint_eq(*value, number(row->row));
    *value = DELETED;
    told++;
}

static void begin(uint64_t seed)
{
    struct view_image_options options = {
        .topics = topics, .topic_count = TOPICS, .put = on_put, .del = on_del};
    model = (struct model){.random = {seed}, .arena = cu_arena_new(ARENA_BYTES)};
    memset(owned, 0, sizeof owned);
    told = 0;
    image = view_image_new(&options);
}

static void end(void)
{
    view_image_free(image);
    cu_arena_free(model.arena);
}

/* One question, answered by one of them. */
static void ask(unsigned catalog)
{
    cu_arena_reset(model.arena);
    if (view_image_wants(image) == VIEW_WANTS_PAGE) {
        Curia__V1__FeedRowsRequest request;
        view_image_ask_page(image, &request);
        ck_assert_int_eq(
            view_image_take_page(image, page(&request, model.catalogs[catalog].applied)), CU_OK);
    } else {
        Curia__V1__FeedFollowRequest request;
        view_image_ask_changes(image, &request);
        ck_assert_int_eq(view_image_take_changes(image, changes(&request, catalog)), CU_OK);
    }
}

static void check_owned(uint64_t index)
{
    for (unsigned t = 0; t < TOPICS; t++)
        for (unsigned k = 0; k < KEYS; k++) {
            uint64_t modified = 0;
            char key[8];
            (void)snprintf(key, sizeof key, "k%02u", k);
            unsigned want = value_at(t, k, index, &modified);
            const struct view_row *row = view_rows_get(view_image_rows(image), t, cu_bytes_of(key));
            ck_assert_uint_eq(owned[t][k], want);
            ck_assert_uint_eq(row ? number(row->row.row) : DELETED, want);
            if (row)
                ck_assert_uint_eq(row->row.modify_index, modified);
        }
}

static void something_happens(void)
{
    unsigned catalog = (unsigned)below(CATALOGS);
    uint64_t *applied = &model.catalogs[catalog].applied;
    uint64_t *trimmed = &model.catalogs[catalog].trimmed;
    switch (below(8)) {
    case 0:
    case 1:
        write_something();
        break;
    case 2:
    case 3:
        *applied += below(model.head - *applied + 1);
        break;
    case 4:
        if (below(6) == 0 && *applied > *trimmed)
            *trimmed += below(*applied - *trimmed);
        break;
    default:
        ask(catalog);
    }
}

static void all_apply(void)
{
    for (unsigned i = 0; i < CATALOGS; i++)
        model.catalogs[i].applied = model.head;
}

static void become_current(void)
{
    all_apply();
    bool is_there = false;
    for (int i = 0; i < 2 * STEPS && !is_there; i++) {
        ask((unsigned)below(CATALOGS));
        is_there = view_image_is_current(image) && view_image_position(image)->index == model.head;
    }
    ck_assert(is_there);
}

START_TEST(whatever_happens_meanwhile_it_ends_exactly_in_the_state)
{
    uint64_t fills = 0, wholes = 0;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        begin(suite_seed() + round);
        for (int i = 0; i < STEPS; i++)
            something_happens();
        become_current();
        check_owned(model.head);
        fills += view_image_fills(image);
        wholes += view_image_fills(image) == 0;
        end();
    }
    ck_assert_uint_gt(fills, ROUNDS / 10);  /* the weather was bad enough, */
    ck_assert_uint_gt(wholes, ROUNDS / 10); /* and not always */
}
END_TEST

/* ---- one rule at a time ---- */

static void write_value(unsigned key, unsigned value)
{
    model.writes[model.head++] = (struct write){.key = key, .value = value};
}

START_TEST(old_rows_serve_until_a_new_fill_is_complete)
{
    begin(1);
    for (unsigned i = 0; i < KEYS; i++)
        write_value(i, 100 + i);
    become_current();
    write_value(3, 500);
    write_value(4, DELETED);
    all_apply();
    model.catalogs[0].trimmed = model.head;
    ask(0);
    ck_assert(view_image_is_filling(image));
    ck_assert(!view_image_is_current(image));
    ck_assert(view_image_is_filled(image));
    told = 0;
    while (view_image_is_filling(image)) {
        check_owned(KEYS); /* as it was */
        ck_assert_uint_eq(told, 0);
        ask(0);
    }
    check_owned(model.head);
    ck_assert_uint_eq(told, 2); /* only the differences */
    ck_assert_uint_eq(view_image_fills(image), 1);
    end();
}
END_TEST

START_TEST(a_row_that_is_the_same_after_a_new_fill_stays_where_it_is)
{
    begin(1);
    write_value(0, 1);
    write_value(1, 2);
    become_current();
    const struct view_row *row = view_rows_get(view_image_rows(image), 0, cu_bytes_of("k00"));
    view_image_refill(image);
    become_current();
    ck_assert_ptr_eq(row, view_rows_get(view_image_rows(image), 0, cu_bytes_of("k00")));
    end();
}
END_TEST

START_TEST(changes_while_the_pages_come_are_not_lost)
{
    begin(1);
    for (unsigned i = 0; i < KEYS; i++)
        write_value(i, 100 + i);
    all_apply();
    while (!view_image_is_filled(image)) {
        ask(0);
        write_value((unsigned)below(KEYS), (unsigned)(1000 + model.head));
        all_apply();
    }
    become_current();
    check_owned(model.head);
    end();
}
END_TEST

START_TEST(a_catalogd_that_is_behind_takes_nothing_back)
{
    begin(1);
    write_value(0, 1);
    write_value(1, 2);
    become_current();
    model.catalogs[1].applied = 1;
    ask(1);
    ck_assert_uint_eq(view_image_position(image)->index, 2);
    check_owned(2);
    end();
}
END_TEST

START_TEST(it_goes_on_from_where_a_file_said)
{
    struct cu_mirror_position at = {.cluster_id = {7}, .epoch = 1, .index = 1};
    struct cu_mirror_row row = {.key = cu_bytes_of("k00"), .row = cu_bytes_of("1")};
    begin(1);
    row.create_index = row.modify_index = 1;
    view_image_restore_row(image, &row);
    view_image_restored(image, &at);
    ck_assert(view_image_is_filled(image));
    ck_assert(!view_image_is_current(image));
    write_value(0, 1);
    write_value(1, 2);
    become_current();
    check_owned(2);
    ck_assert_uint_eq(view_image_fills(image), 0);
    end();
}
END_TEST

START_TEST(an_answer_that_no_catalogd_gives_is_refused_whole)
{
    Curia__V1__FeedRowsRequest ask_page;
    Curia__V1__FeedFollowRequest ask_changes;
    begin(1);
    write_value(0, 1);
    all_apply();
    view_image_ask_page(image, &ask_page);
    Curia__V1__FeedRowsReply *reply = page(&ask_page, 1);
    reply->rows[0]->topic = "coordinates";
    ck_assert_int_eq(view_image_take_page(image, reply), CU_E_INVALID);
    reply = page(&ask_page, 1);
    reply->at = NULL;
    ck_assert_int_eq(view_image_take_page(image, reply), CU_E_INVALID);
    reply = page(&ask_page, 1);
    reply->n_rows = 0;
    reply->more = true; /* for ever */
    ck_assert_int_eq(view_image_take_page(image, reply), CU_E_INVALID);
    become_current();
    write_value(0, 2);
    all_apply();
    view_image_ask_changes(image, &ask_changes);
    Curia__V1__FeedFollowReply *more = changes(&ask_changes, 0);
    more->changes[0]->row->key = key_of(5);
    ck_assert_int_eq(view_image_take_changes(image, more), CU_E_INVALID);
    more = changes(&ask_changes, 0);
    more->outcome = 99;
    ck_assert_int_eq(view_image_take_changes(image, more), CU_E_INVALID);
    check_owned(1);
    end();
}
END_TEST

SUITE_MAIN("common/view/image", whatever_happens_meanwhile_it_ends_exactly_in_the_state,
           old_rows_serve_until_a_new_fill_is_complete,
           a_row_that_is_the_same_after_a_new_fill_stays_where_it_is,
           changes_while_the_pages_come_are_not_lost, a_catalogd_that_is_behind_takes_nothing_back,
           it_goes_on_from_where_a_file_said, an_answer_that_no_catalogd_gives_is_refused_whole)
