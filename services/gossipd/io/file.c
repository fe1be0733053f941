#include "services/gossipd/io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/file.h"
#include "common/loop/worker.h"

/* What one job does, in this order: the lines from before it was to be written anew, which count
 * only when that fails; the file anew; the lines since; the sync. */
struct work {
    struct cu_buf before, whole, lines;
    bool has_whole, sync;
};

struct gossip_file {
    char *path, *aside, *folder;
    struct cu_loop *loop;
    struct cu_log *log;
    struct cu_worker *worker;
    struct cu_turn_hook hook;
    struct cu_job job;
    struct work waiting, doing; /* `doing` is the worker's while the job is out */
    bool is_out, is_closing;
    int fd;      /* the worker's */
    int failure; /* errno of the job; 0: none */
    uint64_t bytes;
    struct cu_mono not_before; /* of the next rewriting */
    struct cu_log_limit limit;
};

/* ---- the worker's side ---- */

/* The old file stays whole until the new one is. */
static bool replace(struct gossip_file *s)
{
    int fd = open(s->aside, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0)
        return false;
    if (!cu_write_all(fd, cu_buf_bytes(&s->doing.whole)) || fsync(fd) ||
        rename(s->aside, s->path)) {
        int failure = errno;
        (void)close(fd);
        (void)unlink(s->aside);
        errno = failure;
        return false;
    }
    (void)close(s->fd);
    s->fd = fd;
    return cu_sync_folder(AT_FDCWD, s->folder);
}

static void run_job(void *arg)
{
    struct gossip_file *s = arg;
    bool good = cu_write_all(s->fd, cu_buf_bytes(&s->doing.before));
    if (s->doing.has_whole && !replace(s))
        good = false;
    if (!cu_write_all(s->fd, cu_buf_bytes(&s->doing.lines))) /* also to the old file */
        good = false;
    if (good && s->doing.sync && fsync(s->fd))
        good = false;
    s->failure = good ? 0 : errno;
}

/* ---- the loop's side ---- */

static void submit(struct gossip_file *s)
{
    struct work free_buffers = s->doing;
    s->doing = s->waiting;
    s->waiting = free_buffers;
    cu_buf_clear(&s->waiting.before);
    cu_buf_clear(&s->waiting.whole);
    cu_buf_clear(&s->waiting.lines);
    s->waiting.has_whole = s->waiting.sync = false;
    s->is_out = true;
    cu_worker_submit(s->worker, &s->job);
}

static void end_turn(void *arg)
{
    struct gossip_file *s = arg;
    if (!s->is_out && (s->waiting.lines.len || s->waiting.has_whole || s->waiting.sync))
        submit(s);
}

/* A member list that is not kept costs a slower start, not correctness: say so and go on. */
static void job_done(void *arg)
{
    struct gossip_file *s = arg;
    s->is_out = false;
    if (s->failure) {
        cu_log_limited(s->log, &s->limit, CU_LOG_ERROR, "snapshot.write", "file=%s error=\"%s\"",
                       s->path, strerror(s->failure));
        s->not_before = cu_mono_add_ms(cu_mono_now(), FILE_RETRY_MS);
    }
    if (!s->is_closing)
        end_turn(s);
}

void gossip_file_append(struct gossip_file *s, const char *line, bool sync)
{
    cu_buf_text(&s->waiting.lines, line);
    cu_buf_u8(&s->waiting.lines, '\n');
    s->waiting.sync |= sync;
    s->bytes += strlen(line) + 1;
    cu_loop_at_turn_end(s->loop, &s->hook);
}

uint64_t gossip_file_bytes(const struct gossip_file *s)
{
    return s->bytes;
}

bool gossip_file_may_rewrite(const struct gossip_file *s)
{
    return !s->waiting.has_whole && !(s->is_out && s->doing.has_whole) &&
           !cu_mono_before(cu_mono_now(), s->not_before);
}

void gossip_file_rewrite(struct gossip_file *s, struct cu_buf *whole)
{
    cu_buf_append(&s->waiting.before, s->waiting.lines.data, s->waiting.lines.len);
    cu_buf_clear(&s->waiting.lines);
    cu_buf_deinit(&s->waiting.whole);
    s->waiting.whole = *whole;
    s->waiting.has_whole = true;
    s->bytes = whole->len;
    *whole = (struct cu_buf){0};
    cu_loop_at_turn_end(s->loop, &s->hook);
}

/* ---- opening ---- */

static char *path_of(const char *data_dir, const char *name)
{
    struct cu_buf path = {0};
    cu_buf_printf(&path, "%s/serf%s", data_dir, name);
    cu_buf_u8(&path, 0);
    return (char *)path.data;
}

static bool read_all(int fd, size_t size, struct cu_buf *ret_found)
{
    size_t start = ret_found->len;
    cu_buf_reserve(ret_found, size + 1);
    while (ret_found->len - start < size) {
        ssize_t got = read(fd, ret_found->data + ret_found->len, size - (ret_found->len - start));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0;
        ret_found->len += (size_t)got;
    }
    return true;
}

/* Whole lines only: what a crash tore off is gone, so that the next line begins a line. */
static bool cut_torn_line(int fd, struct cu_buf *found)
{
    size_t whole = found->len;
    while (whole > 0 && found->data[whole - 1] != '\n')
        whole--;
    bool is_torn = whole < found->len;
    found->len = whole;
    return !is_torn || !ftruncate(fd, (off_t)whole);
}

static enum cu_err open_file(struct gossip_file *s, struct cu_buf *found, struct cu_diag *diag)
{
    struct stat info;
    (void)unlink(s->aside); /* the rest of a compaction, or nothing */
    if (mkdir(s->folder, 0755) && errno != EEXIST)
        return cu_fail(diag, CU_E_IO, "cannot create %s: %s", s->folder, strerror(errno));
    s->fd = open(s->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (s->fd < 0 || fstat(s->fd, &info))
        return cu_fail(diag, CU_E_IO, "cannot open %s: %s", s->path, strerror(errno));
    if (info.st_size > FILE_MAX_BYTES)
        return cu_fail(diag, CU_E_TOO_LARGE,
                       "%s is of %lld bytes, more than any snapshot is: move it away", s->path,
                       (long long)info.st_size);
    struct cu_buf read_here = {0};
    bool good =
        read_all(s->fd, (size_t)info.st_size, &read_here) && cut_torn_line(s->fd, &read_here);
    s->bytes = read_here.len;
    cu_buf_append(found, read_here.data, read_here.len);
    cu_buf_deinit(&read_here);
    return good ? CU_OK : cu_fail(diag, CU_E_IO, "cannot read %s: %s", s->path, strerror(errno));
}

static void work_deinit(struct work *work)
{
    cu_buf_deinit(&work->before);
    cu_buf_deinit(&work->whole);
    cu_buf_deinit(&work->lines);
}

static void release(struct gossip_file *s)
{
    if (s->fd >= 0)
        (void)close(s->fd);
    work_deinit(&s->waiting);
    work_deinit(&s->doing);
    free(s->path);
    free(s->aside);
    free(s->folder);
    free(s);
}

enum cu_err gossip_file_open(const char *data_dir, struct cu_loop *loop, struct cu_log *log,
                             struct cu_buf *ret_found, struct gossip_file **ret_file,
                             struct cu_diag *diag)
{
    struct gossip_file *s = cu_alloc(sizeof *s);
    s->fd = -1;
    s->loop = loop;
    s->log = log;
    s->folder = path_of(data_dir, "");
    s->path = path_of(data_dir, "/local.snapshot");
    s->aside = path_of(data_dir, "/local.snapshot.compact");
    s->hook = (struct cu_turn_hook){.fn = end_turn, .arg = s};
    s->job = (struct cu_job){.run = run_job, .done = job_done, .arg = s};
    enum cu_err err = open_file(s, ret_found, diag);
    if (err) {
        release(s);
        return err;
    }
    s->worker = cu_worker_new(loop, "gossip-file");
    *ret_file = s;
    return CU_OK;
}

void gossip_file_close(struct gossip_file *s)
{
    if (!s)
        return;
    s->is_closing = true;
    cu_turn_hook_cancel(s->loop, &s->hook);
    cu_worker_free(s->worker); /* a job under way is finished */
    struct work last = s->doing;
    s->doing = s->waiting;
    s->waiting = last;
    s->doing.sync = true;
    s->failure = 0;
    run_job(s);
    if (s->failure)
        cu_error(s->log, "snapshot.write", "file=%s error=\"%s\"", s->path, strerror(s->failure));
    release(s);
}
