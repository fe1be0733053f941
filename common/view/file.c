#include "common/view/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/file.h"
#include "common/base/hash.h"

enum { MAGIC_BYTES = 8, CRC_BYTES = 4, PATH_BYTES = 4096 };

static const char magic[MAGIC_BYTES + 1] = "CURIAVW\n";

/* ---- writing ---- */

static void encode_row(const struct cu_mirror_row *row, struct cu_buf *out)
{
    cu_buf_u8(out, (uint8_t)row->topic);
    cu_buf_u64le(out, row->create_index);
    cu_buf_u64le(out, row->modify_index);
    cu_buf_u32le(out, (uint32_t)row->key.len);
    cu_buf_u32le(out, (uint32_t)row->row.len);
    cu_buf_append(out, row->key.data, row->key.len);
    cu_buf_append(out, row->row.data, row->row.len);
}

void view_file_encode(const struct view_file *file, struct view_row *const *rows, size_t count,
                      struct cu_buf *ret_bytes)
{
    cu_buf_append(ret_bytes, magic, MAGIC_BYTES);
    cu_buf_u32le(ret_bytes, VIEW_FILE_VERSION);
    cu_buf_u32le(ret_bytes, (uint32_t)file->topic_count);
    for (size_t i = 0; i < file->topic_count; i++) {
        CU_ASSERT(strlen(file->topics[i]) <= UINT8_MAX);
        cu_buf_u8(ret_bytes, (uint8_t)strlen(file->topics[i]));
        cu_buf_text(ret_bytes, file->topics[i]);
    }
    cu_buf_append(ret_bytes, file->position.cluster_id, CU_MIRROR_ID_BYTES);
    cu_buf_u64le(ret_bytes, file->position.epoch);
    cu_buf_u64le(ret_bytes, file->position.index);
    cu_buf_u64le(ret_bytes, file->wall_ms);
    cu_buf_u64le(ret_bytes, count);
    for (size_t i = 0; i < count; i++)
        encode_row(&rows[i]->row, ret_bytes);
    cu_buf_u32le(ret_bytes, cu_crc32c(0, ret_bytes->data, ret_bytes->len));
}

/* ---- reading ---- */

static bool is_whole(struct cu_bytes bytes)
{
    if (bytes.len < MAGIC_BYTES + CRC_BYTES || memcmp(bytes.data, magic, MAGIC_BYTES) != 0)
        return false;
    size_t body = bytes.len - CRC_BYTES;
    struct cu_reader tail = cu_reader_of((struct cu_bytes){bytes.data + body, CRC_BYTES});
    return cu_read_u32le(&tail) == cu_crc32c(0, bytes.data, body);
}

static bool are_topics(struct cu_reader *r, const struct view_file *file)
{
    uint32_t count = cu_read_u32le(r);
    if (count != file->topic_count)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct cu_bytes name = cu_read_bytes(r, cu_read_u8(r));
        if (r->failed || !cu_bytes_equal(name, cu_bytes_of(file->topics[i])))
            return false;
    }
    return true;
}

static bool decode_row(struct cu_reader *r, size_t topic_count, struct cu_mirror_row *ret_row)
{
    ret_row->topic = cu_read_u8(r);
    ret_row->create_index = cu_read_u64le(r);
    ret_row->modify_index = cu_read_u64le(r);
    uint32_t key_len = cu_read_u32le(r), row_len = cu_read_u32le(r);
    if (key_len > VIEW_FILE_KEY_BYTES_MAX || row_len > VIEW_FILE_ROW_BYTES_MAX)
        return false;
    ret_row->key = cu_read_bytes(r, key_len);
    ret_row->row = cu_read_bytes(r, row_len);
    return !r->failed && ret_row->topic < topic_count && key_len > 0;
}

/* All rows, or as many as are good; whether all were, with nothing behind them. */
static bool decode_rows(struct cu_reader r, uint64_t count, size_t topic_count,
                        void (*visit)(void *arg, const struct cu_mirror_row *row), void *arg)
{
    for (uint64_t i = 0; i < count; i++) {
        struct cu_mirror_row row;
        if (!decode_row(&r, topic_count, &row))
            return false;
        if (visit)
            visit(arg, &row);
    }
    return cu_reader_left(&r) == 0;
}

enum cu_err view_file_decode(struct cu_bytes bytes, struct view_file *file,
                             void (*visit)(void *arg, const struct cu_mirror_row *row), void *arg,
                             struct cu_diag *diag)
{
    if (!is_whole(bytes))
        return cu_fail(diag, CU_E_CORRUPT, "its checksum is wrong, or it is no view");
    struct cu_reader r = cu_reader_of((struct cu_bytes){bytes.data, bytes.len - CRC_BYTES});
    (void)cu_read_bytes(&r, MAGIC_BYTES);
    uint32_t version = cu_read_u32le(&r);
    if (version != VIEW_FILE_VERSION)
        return cu_fail(diag, CU_E_CONFLICT, "its version is %u, this build knows %u", version,
                       (unsigned)VIEW_FILE_VERSION);
    if (!are_topics(&r, file))
        return cu_fail(diag, CU_E_CONFLICT, "it holds other tables");
    struct cu_bytes cluster = cu_read_bytes(&r, CU_MIRROR_ID_BYTES);
    struct cu_mirror_position position = {.epoch = cu_read_u64le(&r)};
    position.index = cu_read_u64le(&r);
    uint64_t wall_ms = cu_read_u64le(&r), count = cu_read_u64le(&r);
    if (r.failed || !decode_rows(r, count, file->topic_count, NULL, NULL))
        return cu_fail(diag, CU_E_CORRUPT, "a row in it is damaged");
    memcpy(position.cluster_id, cluster.data, CU_MIRROR_ID_BYTES);
    file->position = position;
    file->wall_ms = wall_ms;
    (void)decode_rows(r, count, file->topic_count, visit, arg); /* good a line above */
    return CU_OK;
}

/* ---- the disk ---- */

static enum cu_err failed(struct cu_diag *diag, const char *what, const char *path)
{
    return cu_fail(diag, CU_E_IO, "cannot %s %s: %s", what, path, strerror(errno));
}

static void folder_of(const char *path, char folder[PATH_BYTES])
{
    const char *slash = strrchr(path, '/');
    (void)snprintf(folder, PATH_BYTES, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
}

enum cu_err view_file_write(const char *path, struct cu_bytes bytes, struct cu_diag *diag)
{
    char folder[PATH_BYTES], aside[PATH_BYTES];
    if (bytes.len > VIEW_FILE_BYTES_MAX)
        return cu_fail(diag, CU_E_TOO_LARGE, "%zu bytes are over the limit of %u", bytes.len,
                       (unsigned)VIEW_FILE_BYTES_MAX);
    folder_of(path, folder);
    (void)snprintf(aside, sizeof aside, "%s.new", path);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return failed(diag, "make", folder);
    int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed(diag, "make", aside);
    enum cu_err err = CU_OK;
    if (!cu_write_all(fd, bytes) || fsync(fd) != 0)
        err = failed(diag, "write", aside);
    (void)close(fd); /* synced above */
    if (!err && rename(aside, path) != 0)
        err = failed(diag, "rename", aside);
    if (err)
        (void)unlink(aside); /* the next one truncates it */
    else if (!cu_sync_folder(AT_FDCWD, folder))
        err = failed(diag, "sync", folder);
    return err;
}

static enum cu_err read_all(int fd, struct cu_buf *ret_bytes, const char *path,
                            struct cu_diag *diag)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return failed(diag, "read", path);
    if (info.st_size > VIEW_FILE_BYTES_MAX)
        return cu_fail(diag, CU_E_TOO_LARGE, "%s is over the limit of %u bytes", path,
                       (unsigned)VIEW_FILE_BYTES_MAX);
    size_t left = (size_t)info.st_size;
    while (left > 0) {
        size_t at = ret_bytes->len;
        ssize_t n = read(fd, cu_buf_extend(ret_bytes, left), left);
        ret_bytes->len = at + (n > 0 ? (size_t)n : 0);
        if (n < 0 && errno != EINTR)
            return failed(diag, "read", path);
        if (n == 0) /* it shrinks under our hands: the checksum tells */
            break;
        left -= n > 0 ? (size_t)n : 0;
    }
    return CU_OK;
}

enum cu_err view_file_read(const char *path, struct cu_buf *ret_bytes, struct cu_diag *diag)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return CU_E_NOT_FOUND;
    if (fd < 0)
        return failed(diag, "open", path);
    enum cu_err err = read_all(fd, ret_bytes, path, diag);
    (void)close(fd);
    return err;
}
