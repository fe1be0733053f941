#include "common/store/gather.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "common/base/assert.h"

/* sqlite.org/fileformat2.html, section 4.1: a frame's head is six big-endian u32; the second is the
 * size of the database in pages in frames that commit, else 0. */
enum { FRAME_HEAD_BYTES = 24, COMMIT_AT = 4, NAME_BYTES = 64 };

/* SQLite asks for one block of szOsFile bytes: ours, then the real file's. */
struct file {
    sqlite3_file base;
    sqlite3_file *real;
    uint8_t *bytes; /* CU_GATHER_BYTES_MAX, from the first frame on */
    size_t len;
    sqlite3_int64 at; /* of bytes[0] */
    enum { HEAD, PAGE, LAST_PAGE } next;
};

static struct file *of(sqlite3_file *f)
{
    return (struct file *)f;
}

/* After a failure the frames are gone: SQLite rolls back what it was writing. */
static int flush(struct file *f)
{
    size_t len = f->len;
    f->len = 0;
    f->next = HEAD;
    return len ? f->real->pMethods->xWrite(f->real, f->bytes, (int)len, f->at) : SQLITE_OK;
}

static bool is_commit(const uint8_t *head)
{
    static const uint8_t none[4];
    return memcmp(head + COMMIT_AT, none, sizeof none) != 0;
}

static bool continues(const struct file *f, int len, sqlite3_int64 at)
{
    return f->len > 0 && at == f->at + (sqlite3_int64)f->len &&
           f->len + (size_t)len <= CU_GATHER_BYTES_MAX;
}

static void append(struct file *f, const void *from, int len, sqlite3_int64 at)
{
    if (!f->bytes)
        f->bytes = cu_alloc(CU_GATHER_BYTES_MAX);
    if (f->len == 0)
        f->at = at;
    memcpy(f->bytes + f->len, from, (size_t)len);
    f->len += (size_t)len;
}

static int pass_through(struct file *f, const void *from, int len, sqlite3_int64 at)
{
    int code = flush(f);
    return code ? code : f->real->pMethods->xWrite(f->real, from, len, at);
}

static int write_head(struct file *f, const void *from, sqlite3_int64 at)
{
    int code = continues(f, FRAME_HEAD_BYTES, at) ? SQLITE_OK : flush(f);
    if (code)
        return code;
    append(f, from, FRAME_HEAD_BYTES, at);
    f->next = is_commit(from) ? LAST_PAGE : PAGE;
    return SQLITE_OK;
}

/* A page is only ever gathered behind its own head; anything that is neither is a write that this
 * layer does not know. */
static int x_write(sqlite3_file *file, const void *from, int len, sqlite3_int64 at)
{
    struct file *f = of(file);
    if (f->next == HEAD && len == FRAME_HEAD_BYTES)
        return write_head(f, from, at);
    if (f->next == HEAD || !continues(f, len, at))
        return pass_through(f, from, len, at);
    append(f, from, len, at);
    bool is_last = f->next == LAST_PAGE;
    f->next = HEAD;
    return is_last ? flush(f) : SQLITE_OK;
}

static int x_close(sqlite3_file *file)
{
    struct file *f = of(file);
    (void)flush(f); /* frames without a commit, which nobody will read */
    free(f->bytes);
    return f->real->pMethods->xClose(f->real);
}

static int x_read(sqlite3_file *file, void *to, int len, sqlite3_int64 at)
{
    int code = flush(of(file));
    return code ? code : of(file)->real->pMethods->xRead(of(file)->real, to, len, at);
}

static int x_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int code = flush(of(file));
    return code ? code : of(file)->real->pMethods->xTruncate(of(file)->real, size);
}

static int x_sync(sqlite3_file *file, int flags)
{
    int code = flush(of(file));
    return code ? code : of(file)->real->pMethods->xSync(of(file)->real, flags);
}

static int x_size(sqlite3_file *file, sqlite3_int64 *size)
{
    int code = flush(of(file));
    return code ? code : of(file)->real->pMethods->xFileSize(of(file)->real, size);
}

static int x_lock(sqlite3_file *f, int level)
{
    return of(f)->real->pMethods->xLock(of(f)->real, level);
}

static int x_unlock(sqlite3_file *f, int level)
{
    return of(f)->real->pMethods->xUnlock(of(f)->real, level);
}

static int x_check(sqlite3_file *f, int *out)
{
    return of(f)->real->pMethods->xCheckReservedLock(of(f)->real, out);
}

static int x_control(sqlite3_file *f, int op, void *arg)
{
    return of(f)->real->pMethods->xFileControl(of(f)->real, op, arg);
}

static int x_sector(sqlite3_file *f)
{
    return of(f)->real->pMethods->xSectorSize(of(f)->real);
}

static int x_traits(sqlite3_file *f)
{
    return of(f)->real->pMethods->xDeviceCharacteristics(of(f)->real);
}

/* A write-ahead log is neither mapped nor locked: the database's file is. */
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = x_close,
    .xRead = x_read,
    .xWrite = x_write,
    .xTruncate = x_truncate,
    .xSync = x_sync,
    .xFileSize = x_size,
    .xLock = x_lock,
    .xUnlock = x_unlock,
    .xCheckReservedLock = x_check,
    .xFileControl = x_control,
    .xSectorSize = x_sector,
    .xDeviceCharacteristics = x_traits,
};

static int x_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    sqlite3_vfs *real = vfs->pAppData;
    if (!(flags & SQLITE_OPEN_WAL))
        return real->xOpen(real, name, file, flags, out);
    struct file *f = of(file);
    *f = (struct file){.real = (sqlite3_file *)(f + 1)};
    int code = real->xOpen(real, name, f->real, flags, out);
    if (code == SQLITE_OK) /* else it is not to be closed */
        f->base.pMethods = &methods;
    return code;
}

static const char *add(sqlite3_vfs *real, const char *name)
{
    struct layer {
        sqlite3_vfs vfs;
        char name[NAME_BYTES];
    } *layer = cu_alloc(sizeof *layer);
    (void)snprintf(layer->name, sizeof layer->name, "%s", name);
    layer->vfs = *real;
    layer->vfs.pNext = NULL;
    layer->vfs.zName = layer->name;
    layer->vfs.pAppData = real;
    layer->vfs.szOsFile = (int)sizeof(struct file) + real->szOsFile;
    layer->vfs.xOpen = x_open;
    int code = sqlite3_vfs_register(&layer->vfs, 0);
    CU_ASSERT(code == SQLITE_OK); /* fails only without memory */
    return layer->name;
}

const char *cu_gather_vfs(const char *base)
{
    char name[NAME_BYTES];
    sqlite3_vfs *real = sqlite3_vfs_find(base);
    if (!real)
        return NULL;
    (void)snprintf(name, sizeof name, "gather-%s", real->zName);
    /* two threads may open their first database at once */
    sqlite3_mutex *lock = sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_APP1);
    sqlite3_mutex_enter(lock);
    sqlite3_vfs *layer = sqlite3_vfs_find(name);
    const char *kept = layer ? layer->zName : add(real, name);
    sqlite3_mutex_leave(lock);
    return kept;
}
