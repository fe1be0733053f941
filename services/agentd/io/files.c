#include "services/agentd/io/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/file.h"
#include "common/loop/worker.h"
#include "services/agentd/core/persisted.h"

enum { NAME_BYTES = 300, READ_BYTES = 64 * 1024 };

struct agent_files {
    struct cu_worker *worker;
    int root; /* data_dir */
};

struct change {
    char name[AGENT_FILE_NAME_BYTES];
    struct cu_buf content; /* empty: removed */
    bool is_durable;
    struct change *next;
};

struct agent_files_job {
    struct agent_files *files;
    struct change *changes, **end;
    agent_files_done *done;
    void *arg;
    struct cu_job job;
    enum cu_err err;
    struct cu_diag diag;
};

/* ---- its life ---- */

static enum cu_err make_folder(int root, const char *name, struct cu_diag *diag)
{
    if (mkdirat(root, name, 0700) && errno != EEXIST)
        return cu_fail(diag, CU_E_IO, "%s: %s", name, strerror(errno));
    return CU_OK;
}

enum cu_err agent_files_open(struct cu_loop *loop, const char *data_dir,
                             struct agent_files **ret_files, struct cu_diag *diag)
{
    static const char *const folders[] = {"services", "checks", "checks/state"};
    int root = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return cu_fail(diag, CU_E_IO, "%s: %s", data_dir, strerror(errno));
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && i < CU_COUNT(folders); i++)
        err = make_folder(root, folders[i], diag);
    if (err) {
        (void)close(root);
        return err;
    }
    struct agent_files *files = cu_alloc(sizeof *files);
    files->root = root;
    files->worker = cu_worker_new(loop, "agent-files");
    *ret_files = files;
    return CU_OK;
}

void agent_files_free(struct agent_files *files)
{
    if (!files)
        return;
    cu_worker_free(files->worker);
    (void)close(files->root);
    free(files);
}

/* ---- writing, on the worker ---- */

static enum cu_err failed(struct agent_files_job *job, const char *name)
{
    return cu_fail(&job->diag, CU_E_IO, "%s: %s", name, strerror(errno));
}

static bool sync_folder(int root, const char *name)
{
    char folder[NAME_BYTES];
    const char *slash = strrchr(name, '/');
    if (!slash)
        return cu_sync_folder(root, ".");
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - name), name);
    return cu_sync_folder(root, folder);
}

static enum cu_err put_file(struct agent_files_job *job, const struct change *change)
{
    char aside[NAME_BYTES];
    int root = job->files->root;
    (void)snprintf(aside, sizeof aside, "%s.tmp", change->name);
    int fd = openat(root, aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed(job, change->name);
    bool good =
        cu_write_all(fd, cu_buf_bytes(&change->content)) && (!change->is_durable || fsync(fd) == 0);
    enum cu_err err = good ? CU_OK : failed(job, change->name);
    if (close(fd) && !err)
        err = failed(job, change->name);
    if (!err && renameat(root, aside, root, change->name))
        err = failed(job, change->name);
    if (!err && change->is_durable && !sync_folder(root, change->name))
        err = failed(job, change->name);
    if (err)
        (void)unlinkat(root, aside, 0); /* it may not be there */
    return err;
}

static enum cu_err remove_file(struct agent_files_job *job, const struct change *change)
{
    int root = job->files->root;
    if (unlinkat(root, change->name, 0) && errno != ENOENT)
        return failed(job, change->name);
    return !change->is_durable || sync_folder(root, change->name) ? CU_OK
                                                                  : failed(job, change->name);
}

static void run(void *arg)
{
    struct agent_files_job *job = arg;
    for (const struct change *change = job->changes; change && !job->err; change = change->next)
        job->err = change->content.data ? put_file(job, change) : remove_file(job, change);
}

/* ---- jobs, on the loop ---- */

struct agent_files_job *agent_files_begin(struct agent_files *files)
{
    struct agent_files_job *job = cu_alloc(sizeof *job);
    job->files = files;
    job->end = &job->changes;
    return job;
}

static struct change *add(struct agent_files_job *job, const char *name)
{
    struct change *change = cu_alloc(sizeof *change);
    (void)snprintf(change->name, sizeof change->name, "%s", name);
    *job->end = change;
    job->end = &change->next;
    return change;
}

void agent_files_put(struct agent_files_job *job, const char *name, struct cu_buf *content,
                     bool is_durable)
{
    struct change *change = add(job, name);
    CU_ASSERT(content->data);
    change->content = *content;
    change->is_durable = is_durable;
    *content = (struct cu_buf){0};
}

void agent_files_remove(struct agent_files_job *job, const char *name)
{
    add(job, name)->is_durable = true;
}

static void done(void *arg)
{
    struct agent_files_job *job = arg;
    if (job->done)
        job->done(job->arg, job->err, job->diag.text);
    while (job->changes) {
        struct change *change = job->changes;
        job->changes = change->next;
        cu_buf_deinit(&change->content);
        free(change);
    }
    free(job);
}

void agent_files_submit(struct agent_files_job *job, agent_files_done *then, void *arg)
{
    job->done = then;
    job->arg = arg;
    job->job = (struct cu_job){.run = run, .done = done, .arg = job};
    cu_worker_submit(job->files->worker, &job->job);
}

/* ---- reading ---- */

static enum cu_err read_fd(int fd, struct cu_buf *out)
{
    size_t start = out->len;
    for (;;) {
        uint8_t bytes[READ_BYTES];
        ssize_t got = read(fd, bytes, sizeof bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got ? CU_E_IO : CU_OK;
        cu_buf_append(out, bytes, (size_t)got);
        if (out->len - start > AGENT_FILE_BYTES)
            return CU_E_TOO_LARGE;
    }
}

enum cu_err agent_files_read(struct agent_files *files, const char *name, struct cu_buf *out)
{
    int fd = openat(files->root, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? CU_E_NOT_FOUND : CU_E_IO;
    enum cu_err err = read_fd(fd, out);
    (void)close(fd);
    return err;
}

static bool is_left_over(const char *name)
{
    size_t len = strlen(name);
    return len >= 3 && strcmp(name + len - 3, "tmp") == 0;
}

static void visit_file(struct agent_files *files, const char *name, agent_files_visit *visit,
                       void *arg)
{
    struct cu_buf text = {0};
    enum cu_err err = agent_files_read(files, name, &text);
    visit(arg, name, cu_buf_bytes(&text), err ? cu_err_words(err) : NULL);
    cu_buf_deinit(&text);
}

static bool is_regular(const struct agent_files *files, const char *name)
{
    struct stat status;
    return fstatat(files->root, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode);
}

enum cu_err agent_files_each(struct agent_files *files, const char *folder,
                             agent_files_visit *visit, void *arg, struct cu_diag *diag)
{
    char path[NAME_BYTES];
    struct dirent **entries;
    /* Through /proc, since scandirat() is not everywhere. */
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d/%s", files->root, folder);
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0)
        return cu_fail(diag, CU_E_IO, "%s: %s", folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        char name[NAME_BYTES];
        int len = snprintf(name, sizeof name, "%s/%s", folder, entries[i]->d_name);
        free(entries[i]);
        if (len < 0 || (size_t)len >= sizeof name || !is_regular(files, name))
            continue;
        if (is_left_over(name))
            (void)unlinkat(files->root, name, 0); /* a write that was cut short */
        else
            visit_file(files, name, visit, arg);
    }
    free(entries);
    return CU_OK;
}
