#include "common/daemon/node_id.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/random.h"

enum { PATH_BYTES = 4096 };

static enum cu_err read_id(const char *path, char ret_id[CU_UUID_BYTES], struct cu_diag *diag)
{
    char text[CU_UUID_BYTES + 1] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT
                   ? CU_E_NOT_FOUND
                   : cu_fail(diag, CU_E_IO, "cannot read %s: %s", path, strerror(errno));
    ssize_t got = read(fd, text, sizeof text - 1);
    (void)close(fd); /* only read */
    if (got < 0)
        return cu_fail(diag, CU_E_IO, "cannot read %s: %s", path, strerror(errno));
    text[strcspn(text, "\r\n")] = '\0'; /* a person may have written it with an editor */
    if (!cu_is_uuid(text))
        return cu_fail(diag, CU_E_CORRUPT,
                       "%s holds no UUID: put this node's id back into it, or remove the file to "
                       "become a new node",
                       path);
    for (size_t i = 0; i < CU_UUID_BYTES; i++)
        ret_id[i] = (char)tolower((unsigned char)text[i]);
    return CU_OK;
}

static enum cu_err write_whole(const char *path, const char *id, struct cu_diag *diag)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = fd >= 0 && cu_write_all(fd, cu_bytes_of(id)) && !fsync(fd);
    int why = errno;
    if (fd >= 0)
        (void)close(fd); /* synced, or given up */
    return good ? CU_OK : cu_fail(diag, CU_E_IO, "cannot write %s: %s", path, strerror(why));
}

static enum cu_err make_id(const char *data_dir, const char *path, struct cu_diag *diag)
{
    uint8_t bytes[16];
    char id[CU_UUID_BYTES], aside[PATH_BYTES];
    cu_uuid_random(bytes);
    (void)cu_format_uuid(bytes, id);
    int len = snprintf(aside, sizeof aside, "%s/node-id.%s", data_dir, id);
    if (len >= PATH_BYTES)
        return cu_fail(diag, CU_E_INVALID, "data_dir is longer than %d bytes", PATH_BYTES);
    enum cu_err err = write_whole(aside, id, diag);
    if (!err && link(aside, path) && errno != EEXIST) /* EEXIST: another one won, its id counts */
        err = cu_fail(diag, CU_E_IO, "cannot create %s: %s", path, strerror(errno));
    (void)unlink(aside); /* a leftover is harmless: its name is random */
    return err;
}

enum cu_err cu_node_id(const char *data_dir, char ret_id[CU_UUID_BYTES], struct cu_diag *diag)
{
    char path[PATH_BYTES];
    int len = snprintf(path, sizeof path, "%s/node-id", data_dir);
    if (len >= PATH_BYTES)
        return cu_fail(diag, CU_E_INVALID, "data_dir is longer than %d bytes", PATH_BYTES);
    enum cu_err err = read_id(path, ret_id, diag);
    if (err != CU_E_NOT_FOUND)
        return err;
    err = make_id(data_dir, path, diag);
    if (err)
        return err;
    bool is_durable = cu_sync_folder(AT_FDCWD, data_dir);
    (void)is_durable; /* some file systems cannot; then the id is as durable as they are */
    return read_id(path, ret_id, diag);
}
