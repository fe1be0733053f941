#include "services/catalogd/io/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/num.h"

enum { PATH_BYTES = 4096 };

static const char state_name[] = "state.db";

static enum cu_err failed(struct cu_diag *diag, const char *what, const char *path)
{
    return cu_fail(diag, CU_E_IO, "cannot %s %s: %s", what, path, strerror(errno));
}

static enum cu_err sync_folder(const char *folder, struct cu_diag *diag)
{
    return cu_sync_folder(AT_FDCWD, folder) ? CU_OK : failed(diag, "sync", folder);
}

/* A closed database leaves neither; what is there belongs to nobody, and would be read as part of
 * whatever state.db is put beside it. */
static enum cu_err remove_side_files(const char *folder, struct cu_diag *diag)
{
    static const char *const tails[] = {"-wal", "-shm"};
    for (size_t i = 0; i < CU_COUNT(tails); i++) {
        char path[PATH_BYTES];
        (void)snprintf(path, sizeof(path), "%s/%s%s", folder, state_name, tails[i]);
        if (unlink(path) != 0 && errno != ENOENT)
            return failed(diag, "remove", path);
    }
    return CU_OK;
}

static enum cu_err keep_as(const char *folder, const char *tail, struct cu_diag *diag)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    (void)snprintf(from, sizeof(from), "%s/%s", folder, state_name);
    (void)snprintf(to, sizeof(to), "%s/%s.%s", folder, state_name, tail);
    return rename(from, to) == 0 ? CU_OK : failed(diag, "rename", from);
}

enum cu_err catalog_place(const char *folder, const char *new_path,
                          const struct catalog_id *replaced, struct cu_diag *diag)
{
    char to[PATH_BYTES], name[CU_UUID_BYTES];
    (void)snprintf(to, sizeof(to), "%s/%s", folder, state_name);
    enum cu_err err = CU_OK;
    if (replaced)
        err = keep_as(folder, cu_format_uuid(replaced->bytes, name), diag);
    if (!err)
        err = remove_side_files(folder, diag);
    if (!err && rename(new_path, to) != 0)
        err = failed(diag, "rename", new_path);
    return err ? err : sync_folder(folder, diag);
}

enum cu_err catalog_place_damaged(const char *folder, struct cu_diag *diag)
{
    enum cu_err err = keep_as(folder, "damaged", diag);
    if (!err)
        err = remove_side_files(folder, diag);
    return err ? err : sync_folder(folder, diag);
}

/* "state.db." and the 36 characters of a cluster id. */
static bool is_kept(const char *name)
{
    size_t head = strlen(state_name);
    return strncmp(name, state_name, head) == 0 && name[head] == '.' &&
           strlen(name) == head + CU_UUID_BYTES && cu_is_uuid(name + head + 1);
}

void catalog_place_forget(const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (is_kept(entry->d_name))
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    (void)closedir(dir);
}
