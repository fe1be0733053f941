#include "tests/lib/fault_vfs.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

/* SQLite asks for one block of szOsFile bytes: ours, then the real file's. */
struct file {
    sqlite3_file base;
    sqlite3_file *real;
};

static sqlite3_vfs layer;
static struct fault *armed;
static int armed_code;

static int fails(void)
{
    return fault_now(armed) ? armed_code : SQLITE_OK;
}

static sqlite3_file *real_of(sqlite3_file *f)
{
    return ((struct file *)f)->real;
}

static int x_close(sqlite3_file *f)
{
    return real_of(f)->pMethods->xClose(real_of(f));
}

static int x_read(sqlite3_file *f, void *to, int len, sqlite3_int64 at)
{
    return real_of(f)->pMethods->xRead(real_of(f), to, len, at);
}

static int x_write(sqlite3_file *f, const void *from, int len, sqlite3_int64 at)
{
    int code = fails();
    return code ? code : real_of(f)->pMethods->xWrite(real_of(f), from, len, at);
}

static int x_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int code = fails();
    return code ? code : real_of(f)->pMethods->xTruncate(real_of(f), size);
}

static int x_sync(sqlite3_file *f, int flags)
{
    int code = fails();
    return code ? code : real_of(f)->pMethods->xSync(real_of(f), flags);
}

static int x_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), size);
}

static int x_lock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xLock(real_of(f), level);
}

static int x_unlock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), level);
}

static int x_check(sqlite3_file *f, int *out)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}

static int x_control(sqlite3_file *f, int op, void *arg)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int x_sector(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int x_traits(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static int x_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}

static int x_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags);
}

static void x_shm_barrier(sqlite3_file *f)
{
    real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int x_shm_unmap(sqlite3_file *f, int remove)
{
    return real_of(f)->pMethods->xShmUnmap(real_of(f), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
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
    .xShmMap = x_shm_map,
    .xShmLock = x_shm_lock,
    .xShmBarrier = x_shm_barrier,
    .xShmUnmap = x_shm_unmap,
};

static int x_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
    struct file *file = (struct file *)f;
    sqlite3_vfs *real = vfs->pAppData;
    file->real = (sqlite3_file *)(file + 1);
    file->base.pMethods = NULL; /* not to be closed when the open fails */
    int code = real->xOpen(real, name, file->real, flags, out);
    if (code == SQLITE_OK)
        file->base.pMethods = &methods;
    return code;
}

const char *fault_vfs(void)
{
    if (layer.zName)
        return layer.zName;
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);
    layer = *real;
    layer.pNext = NULL;
    layer.zName = "fault";
    layer.pAppData = real;
    layer.szOsFile = (int)sizeof(struct file) + real->szOsFile;
    layer.xOpen = x_open;
    (void)sqlite3_vfs_register(&layer, 0); /* fails only without memory */
    return layer.zName;
}

void fault_vfs_arm(struct fault *fault, int code)
{
    armed = fault;
    armed_code = code;
}
