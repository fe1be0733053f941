#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool cu_write_all(int fd, struct cu_bytes bytes)
{
    while (bytes.len) {
        ssize_t written = write(fd, bytes.data, bytes.len);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0)
            bytes = (struct cu_bytes){bytes.data + written, bytes.len - (size_t)written};
    }
    return true;
}

bool cu_sync_folder(int at, const char *path)
{
    int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool good = fsync(fd) == 0;
    int why = errno;
    (void)close(fd); /* only synced */
    errno = why;
    return good;
}
