#include "common/view/mirror.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/log/log.h"
#include "common/loop/worker.h"
#include "common/metric/metric.h"
#include "common/view/file.h"
#include "common/view/image.h"
#include "common/view/internal.h"

enum {
    PAGE_TIMEOUT_MS = 30 * 1000,
    POLL_SLACK_MS = 10 * 1000,
    CATCH_UP_MS = 100, /* the end of a fill at a catalogd that is behind its pages */
    RETRY_MS = 500,
};

/* A file being written: rows of one moment. The worker reads them, the loop lets go of them. */
struct save {
    struct cu_job job;
    bool is_on;
    struct view_file file;
    struct view_row **rows;
    size_t count;
    const char *path;
    enum cu_err err;
    struct cu_diag diag;
};

struct cu_mirror {
    struct cu_mirror_options options;
    struct view_image *image;
    char *topics[CU_MIRROR_TOPICS_MAX];
    char *path, *token;

    struct cu_view_call call;
    Curia__V1__FeedRowsRequest page;
    Curia__V1__FeedFollowRequest follow;
    struct cu_timer retry;
    struct cu_log_limit said;
    struct view_listener listener;
    uint64_t uses; /* of the view's catalogds, so far */
    bool was_filled, was_live, is_denied;
    struct cu_mono live_at;    /* last; while not live */
    uint64_t live_wall_ms;     /* the same, or what the file said; 0: never */
    uint64_t told, moved_told; /* differences, and how many of them moved() spoke of */

    struct cu_worker *worker; /* NULL: no file */
    struct cu_timer save_timer;
    struct save save;
    uint64_t saved_told;
    struct cu_mirror_position saved;

    struct cu_counter *changes, *fills, *refused, *failed;
};

/* ---- telling ---- */

static void on_put(void *arg, const struct cu_mirror_row *row, const struct cu_mirror_row *before)
{
    struct cu_mirror *mirror = arg;
    mirror->told++;
    mirror->options.put(mirror->options.arg, row, before);
}

static void on_del(void *arg, const struct cu_mirror_row *row)
{
    struct cu_mirror *mirror = arg;
    mirror->told++;
    mirror->options.del(mirror->options.arg, row);
}

bool cu_mirror_is_live(const struct cu_mirror *mirror)
{
    return view_image_is_current(mirror->image) && cu_view_is_up(mirror->options.view);
}

static void save_soon(struct cu_mirror *mirror)
{
    if (mirror->worker && mirror->told != mirror->saved_told &&
        !cu_timer_is_set(&mirror->save_timer))
        cu_timer_set_ms(&mirror->save_timer, mirror->options.save_ms);
}

/* After everything that may have moved rows, or made it live or not. */
static void settle(struct cu_mirror *mirror)
{
    bool is_live = cu_mirror_is_live(mirror);
    bool is_news = is_live != mirror->was_live || mirror->told != mirror->moved_told;
    if (mirror->was_live && !is_live) {
        mirror->live_at = cu_loop_now(mirror->options.loop);
        mirror->live_wall_ms = cu_wall_ms();
    }
    cu_count(mirror->changes, mirror->told - mirror->moved_told);
    mirror->was_live = is_live;
    mirror->moved_told = mirror->told;
    save_soon(mirror);
    if (is_news && mirror->options.moved)
        mirror->options.moved(mirror->options.arg);
}

/* ---- asking ---- */

static void answered(void *arg, const struct cu_answer *answer);

/* Where it does not know yet whether it has all, an answer that says so is better than a wait. */
static uint32_t wait_ms(const struct cu_mirror *mirror)
{
    if (view_image_is_current(mirror->image))
        return CU_MIRROR_POLL_MS;
    return view_image_is_filling(mirror->image) ? CATCH_UP_MS : 0;
}

static void ask(struct cu_mirror *mirror)
{
    bool is_page = view_image_wants(mirror->image) == VIEW_WANTS_PAGE;
    if (is_page) {
        view_image_ask_page(mirror->image, &mirror->page);
    } else {
        view_image_ask_changes(mirror->image, &mirror->follow);
        mirror->follow.wait_ms = wait_ms(mirror);
    }
    mirror->call = (struct cu_view_call){
        .service = &curia__v1__feed__descriptor,
        .method = is_page ? "Rows" : "Follow",
        .request = is_page ? &mirror->page.base : &mirror->follow.base,
        .timeout_ms = is_page ? PAGE_TIMEOUT_MS : CU_MIRROR_POLL_MS + POLL_SLACK_MS,
        .repeatable = true,
        .token = mirror->token,
        .done = answered,
        .arg = mirror,
    };
    cu_view_call(mirror->options.view, &mirror->call);
}

static void ask_again(void *arg)
{
    ask(arg);
}

/* A poll that hangs would not tell whether the catalogd that is used now knows more. */
static void view_moved(void *arg)
{
    struct cu_mirror *mirror = arg;
    uint64_t uses = view_catalogs_uses(mirror->options.view->catalogs);
    bool is_polling = view_image_wants(mirror->image) == VIEW_WANTS_CHANGES;
    if (uses != mirror->uses)
        view_image_doubt(mirror->image);
    if (uses != mirror->uses && is_polling) {
        cu_view_call_cancel(&mirror->call);
        cu_timer_cancel(&mirror->retry);
        ask(mirror);
    }
    mirror->uses = uses;
    settle(mirror);
}

static void refill(struct cu_mirror *mirror, const char *why)
{
    view_image_refill(mirror->image);
    cu_log_limited(mirror->options.log, &mirror->said, CU_LOG_WARN, "mirror.refill",
                   "reason=\"%s\"", why);
}

static enum cu_err take(struct cu_mirror *mirror, const struct cu_answer *answer)
{
    uint64_t fills = view_image_fills(mirror->image);
    enum cu_err err =
        view_image_wants(mirror->image) == VIEW_WANTS_PAGE
            ? view_image_take_page(mirror->image, (const Curia__V1__FeedRowsReply *)answer->message)
            : view_image_take_changes(mirror->image,
                                      (const Curia__V1__FeedFollowReply *)answer->message);
    if (view_image_fills(mirror->image) != fills) {
        cu_info(mirror->options.log, "mirror.refill", "index=%llu",
                (unsigned long long)view_image_position(mirror->image)->index);
        cu_count(mirror->fills, 1);
    }
    return err;
}

static void say_filled(struct cu_mirror *mirror)
{
    bool is_filled = !view_image_is_filling(mirror->image);
    if (is_filled && !mirror->was_filled)
        cu_info(mirror->options.log, "mirror.filled", "rows=%zu index=%llu",
                cu_mirror_count(mirror),
                (unsigned long long)view_image_position(mirror->image)->index);
    mirror->was_filled = is_filled;
}

/* Whoever cannot answer now may later; an answer that no longer fits into one message means that
 * the feed leads nowhere from here. */
static void answered(void *arg, const struct cu_answer *answer)
{
    struct cu_mirror *mirror = arg;
    enum cu_err err = answer->err;
    if (!err || err == CU_E_DENIED)
        mirror->is_denied = err == CU_E_DENIED;
    if (mirror->is_denied)
        view_image_doubt(mirror->image);
    if (!err && take(mirror, answer) != CU_OK) {
        err = CU_E_INTERNAL;
        refill(mirror, "an answer that makes no sense");
    } else if (err == CU_E_TOO_LARGE && view_image_wants(mirror->image) == VIEW_WANTS_CHANGES) {
        refill(mirror, answer->text);
    } else if (err && err != CU_E_DISCONNECTED && err != CU_E_DEADLINE) {
        cu_log_limited(mirror->options.log, &mirror->said, CU_LOG_WARN, "mirror.refused",
                       "error=%s text=\"%s\"", cu_err_name(err), answer->text);
    }
    say_filled(mirror);
    settle(mirror);
    if (err)
        cu_timer_set_ms(&mirror->retry, RETRY_MS);
    else
        ask(mirror);
}

/* ---- the file ---- */

static void write_file(void *arg)
{
    struct save *save = arg;
    struct cu_buf bytes = {0};
    view_file_encode(&save->file, save->rows, save->count, &bytes);
    save->err = view_file_write(save->path, cu_buf_bytes(&bytes), &save->diag);
    cu_buf_deinit(&bytes);
}

static void written(void *arg)
{
    struct cu_mirror *mirror = (struct cu_mirror *)((char *)arg - offsetof(struct cu_mirror, save));
    struct save *save = &mirror->save;
    for (size_t i = 0; i < save->count; i++)
        view_row_unref(save->rows[i]);
    free(save->rows);
    save->rows = NULL;
    save->is_on = false;
    if (!save->err)
        return;
    mirror->saved_told = mirror->told - 1; /* once more, later */
    save_soon(mirror);
    cu_count(mirror->failed, 1);
    cu_log_limited(mirror->options.log, &mirror->said, CU_LOG_WARN, "mirror.file", "text=\"%s\"",
                   save->diag.text);
}

static void collect(const struct view_rows *rows, struct save *save)
{
    struct view_rows_at at = {0};
    save->count = 0;
    save->rows = cu_alloc(rows->count * sizeof(struct view_row *) + 1);
    for (struct view_row *row; (row = view_rows_next(rows, &at));)
        save->rows[save->count++] = view_row_ref(row);
}

static void save_now(struct cu_mirror *mirror)
{
    struct save *save = &mirror->save;
    bool is_live = cu_mirror_is_live(mirror);
    save->is_on = true;
    save->diag.text[0] = '\0';
    save->file = (struct view_file){
        .position = *view_image_position(mirror->image),
        .wall_ms = is_live ? cu_wall_ms() : mirror->live_wall_ms,
        .topics = mirror->topics,
        .topic_count = mirror->options.topic_count,
    };
    collect(view_image_rows(mirror->image), save);
    mirror->saved_told = mirror->told;
    mirror->saved = save->file.position;
    cu_worker_submit(mirror->worker, &save->job);
}

static void save_is_due(void *arg)
{
    struct cu_mirror *mirror = arg;
    if (mirror->save.is_on || !view_image_is_filled(mirror->image))
        cu_timer_set_ms(&mirror->save_timer, mirror->options.save_ms);
    else if (mirror->told != mirror->saved_told)
        save_now(mirror);
}

static void restore_row(void *arg, const struct cu_mirror_row *row)
{
    struct cu_mirror *mirror = arg;
    view_image_restore_row(mirror->image, row);
}

static void restore(struct cu_mirror *mirror)
{
    struct cu_buf bytes = {0};
    struct cu_diag diag = {0};
    struct view_file file = {.topics = mirror->topics, .topic_count = mirror->options.topic_count};
    enum cu_err err = view_file_read(mirror->path, &bytes, &diag);
    if (!err)
        err = view_file_decode(cu_buf_bytes(&bytes), &file, restore_row, mirror, &diag);
    cu_buf_deinit(&bytes);
    if (err == CU_E_NOT_FOUND)
        return;
    if (err) {
        cu_count(mirror->refused, 1);
        cu_warn(mirror->options.log, "mirror.file_refused", "path=%s text=\"%s\"", mirror->path,
                diag.text);
        return;
    }
    view_image_restored(mirror->image, &file.position);
    mirror->live_wall_ms = file.wall_ms;
    mirror->saved = file.position;
    mirror->was_filled = true;
    cu_info(mirror->options.log, "mirror.restored", "path=%s rows=%zu index=%llu age_ms=%llu",
            mirror->path, cu_mirror_count(mirror), (unsigned long long)file.position.index,
            (unsigned long long)cu_mirror_age_ms(mirror));
    mirror->saved_told = mirror->told;
}

/* ---- life ---- */

static double rows_gauge(void *arg)
{
    return (double)cu_mirror_count(arg);
}

static double age_gauge(void *arg)
{
    uint64_t age_ms = cu_mirror_age_ms(arg);
    return age_ms == UINT64_MAX ? -1 : (double)age_ms;
}

static double live_gauge(void *arg)
{
    return cu_mirror_is_live(arg);
}

static double index_gauge(void *arg)
{
    return (double)cu_mirror_position(arg).index;
}

static void name_metrics(struct cu_mirror *mirror, struct cu_metrics *metrics)
{
    mirror->changes = cu_metrics_counter(metrics, "mirror.changes");
    mirror->fills = cu_metrics_counter(metrics, "mirror.fills");
    mirror->refused = cu_metrics_counter(metrics, "mirror.file_refused");
    mirror->failed = cu_metrics_counter(metrics, "mirror.file_failed");
    if (!metrics)
        return;
    cu_metrics_gauge(metrics, "mirror.rows", rows_gauge, mirror);
    cu_metrics_gauge(metrics, "mirror.age_ms", age_gauge, mirror);
    cu_metrics_gauge(metrics, "mirror.live", live_gauge, mirror);
    cu_metrics_gauge(metrics, "mirror.index", index_gauge, mirror);
}

static void make_image(struct cu_mirror *mirror)
{
    struct cu_mirror_options *options = &mirror->options;
    for (size_t i = 0; i < options->topic_count; i++)
        mirror->topics[i] = cu_strdup(options->topics[i]);
    options->topics = (const char *const *)mirror->topics;
    mirror->image = view_image_new(&(struct view_image_options){
        .topics = options->topics,
        .topic_count = options->topic_count,
        .put = on_put,
        .del = on_del,
        .arg = mirror,
    });
}

struct cu_mirror *cu_mirror_new(const struct cu_mirror_options *options)
{
    CU_ASSERT(options->topic_count > 0 && options->topic_count <= CU_MIRROR_TOPICS_MAX);
    struct cu_mirror *mirror = cu_alloc(sizeof *mirror);
    mirror->options = *options;
    mirror->token = options->token ? cu_strdup(options->token) : NULL;
    mirror->path = options->path ? cu_strdup(options->path) : NULL;
    mirror->save.path = mirror->path;
    mirror->save.job = (struct cu_job){.run = write_file, .done = written, .arg = &mirror->save};
    make_image(mirror);
    name_metrics(mirror, options->metrics);
    cu_timer_init(&mirror->retry, options->loop, ask_again, mirror);
    cu_timer_init(&mirror->save_timer, options->loop, save_is_due, mirror);
    mirror->listener = (struct view_listener){.fn = view_moved, .arg = mirror};
    view_listen(options->view, &mirror->listener);
    mirror->uses = view_catalogs_uses(options->view->catalogs);
    if (mirror->path) {
        restore(mirror);
        mirror->worker = cu_worker_new(options->loop, "mirror");
    }
    mirror->moved_told = mirror->told; /* the file's rows are no changes */
    if (options->is_filtered && view_image_is_filled(mirror->image))
        view_image_refill(mirror->image);
    ask(mirror);
    return mirror;
}

void cu_mirror_set_token(struct cu_mirror *mirror, const char *token)
{
    char *old = mirror->token;
    mirror->token = token ? cu_strdup(token) : NULL;
    free(old);
    cu_view_call_cancel(&mirror->call);
    cu_timer_cancel(&mirror->retry);
    view_image_refill(mirror->image);
    ask(mirror);
    settle(mirror);
}

static bool is_unsaved(const struct cu_mirror *mirror)
{
    const struct cu_mirror_position *at = view_image_position(mirror->image);
    return mirror->worker && !mirror->save.is_on && view_image_is_filled(mirror->image) &&
           (mirror->told != mirror->saved_told || at->index != mirror->saved.index ||
            at->epoch != mirror->saved.epoch);
}

void cu_mirror_free(struct cu_mirror *mirror)
{
    if (!mirror)
        return;
    cu_view_call_cancel(&mirror->call);
    view_unlisten(&mirror->listener);
    cu_timer_close(&mirror->retry);
    if (is_unsaved(mirror))
        save_now(mirror);
    cu_worker_free(mirror->worker);
    cu_timer_close(&mirror->save_timer);
    view_image_free(mirror->image);
    for (size_t i = 0; i < CU_MIRROR_TOPICS_MAX; i++)
        free(mirror->topics[i]);
    free(mirror->token);
    free(mirror->path);
    free(mirror);
}

/* ---- looking ---- */

const struct cu_mirror_row *cu_mirror_get(const struct cu_mirror *mirror, unsigned topic,
                                          struct cu_bytes key)
{
    const struct view_row *row = view_rows_get(view_image_rows(mirror->image), topic, key);
    return row ? &row->row : NULL;
}

size_t cu_mirror_count(const struct cu_mirror *mirror)
{
    return view_image_rows(mirror->image)->count;
}

bool cu_mirror_is_filled(const struct cu_mirror *mirror)
{
    return view_image_is_filled(mirror->image);
}

bool cu_mirror_is_denied(const struct cu_mirror *mirror)
{
    return mirror->is_denied;
}

uint64_t cu_mirror_age_ms(const struct cu_mirror *mirror)
{
    if (!view_image_is_filled(mirror->image))
        return UINT64_MAX;
    if (cu_mirror_is_live(mirror))
        return 0;
    if (mirror->live_at.ns > 0)
        return cu_mono_ms_between(mirror->live_at, cu_loop_now(mirror->options.loop));
    uint64_t now = cu_wall_ms();
    return now > mirror->live_wall_ms ? now - mirror->live_wall_ms : 0;
}

struct cu_mirror_position cu_mirror_position(const struct cu_mirror *mirror)
{
    return *view_image_position(mirror->image);
}
