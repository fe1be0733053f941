#include "services/raftd/io/peers_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/num.h"

/* ---- the list ---- */

static enum cu_err read_server(const json_t *json, struct raft_configuration *to,
                               struct cu_diag *diag)
{
    const char *id = json_string_value(json_object_get(json, "id"));
    const json_t *address = json_object_get(json, "address");
    const json_t *non_voter = json_object_get(json, "non_voter");
    struct raft_server server = {.is_voter = !json_is_true(non_voter)};
    if (!id || cu_parse_uuid(id, server.id.bytes) || raft_id_is_none(server.id))
        return cu_fail(diag, CU_E_INVALID, "every server needs an id that is a UUID");
    if ((address && !json_is_string(address)) || (non_voter && !json_is_boolean(non_voter)))
        return cu_fail(diag, CU_E_INVALID, "address of %s must be a text, non_voter true or false",
                       id);
    for (uint32_t i = 0; i < to->count; i++)
        if (raft_id_equal(to->servers[i].id, server.id))
            return cu_fail(diag, CU_E_INVALID, "%s is there twice", id);
    to->servers[to->count++] = server;
    return CU_OK;
}

static enum cu_err read_list(const json_t *list, struct raft_configuration *to,
                             struct cu_diag *diag)
{
    if (!json_is_array(list) || !json_array_size(list))
        return cu_fail(diag, CU_E_INVALID, "it must be a list of at least one server");
    if (json_array_size(list) > RAFT_SERVERS_MAX)
        return cu_fail(diag, CU_E_INVALID, "at most %d servers", RAFT_SERVERS_MAX);
    enum cu_err err = CU_OK;
    uint32_t voters = 0;
    for (size_t i = 0; !err && i < json_array_size(list); i++)
        err = read_server(json_array_get(list, i), to, diag);
    for (uint32_t i = 0; i < to->count; i++)
        voters += to->servers[i].is_voter;
    if (!err && !voters)
        err = cu_fail(diag, CU_E_INVALID, "no server in it is a voter");
    return err;
}

enum cu_err raft_peers_file_parse(struct cu_bytes text,
                                  struct raft_configuration *ret_configuration,
                                  struct cu_diag *diag)
{
    json_error_t error;
    struct raft_configuration to = {0};
    if (text.len > RAFT_PEERS_FILE_BYTES)
        return cu_fail(diag, CU_E_INVALID, "it has more than %d bytes", RAFT_PEERS_FILE_BYTES);
    json_t *list = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    enum cu_err err = list ? read_list(list, &to, diag)
                           : cu_fail(diag, CU_E_INVALID, "line %d: %.150s", error.line, error.text);
    json_decref(list);
    if (!err)
        *ret_configuration = to;
    return err;
}

/* ---- the file ---- */

enum cu_err raft_peers_file_read(const char *path, struct cu_buf *ret_text, struct cu_diag *diag)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return CU_E_NOT_FOUND;
    if (fd < 0)
        return cu_fail(diag, CU_E_IO, "%s", strerror(errno));
    size_t mark = ret_text->len;
    ssize_t n = 0;
    do {
        char piece[4096];
        n = read(fd, piece, sizeof piece);
        if (n > 0)
            cu_buf_append(ret_text, piece, (size_t)n);
    } while (n > 0 && ret_text->len - mark <= RAFT_PEERS_FILE_BYTES);
    enum cu_err err = n < 0 ? cu_fail(diag, CU_E_IO, "%s", strerror(errno)) : CU_OK;
    (void)close(fd);
    if (!err && ret_text->len - mark > RAFT_PEERS_FILE_BYTES)
        err = cu_fail(diag, CU_E_INVALID, "it has more than %d bytes", RAFT_PEERS_FILE_BYTES);
    return err;
}

enum cu_err raft_peers_file_remove(const char *path, struct cu_diag *diag)
{
    char folder[4096];
    if (unlink(path) != 0)
        return cu_fail(diag, CU_E_IO, "cannot remove %s: %s", path, strerror(errno));
    (void)snprintf(folder, sizeof folder, "%s", path); /* it was opened under this name */
    return cu_sync_folder(AT_FDCWD, dirname(folder))
               ? CU_OK
               : cu_fail(diag, CU_E_IO, "fsync: %s", strerror(errno));
}

/* ---- the id ---- */

struct raft_id raft_recovery_id(struct raft_id prior, struct cu_bytes text)
{
    struct cu_bytes parts[] = {{prior.bytes, sizeof prior.bytes}, text};
    struct cu_u128 hash = cu_blake2b_128(parts, CU_COUNT(parts));
    struct raft_id id;
    for (int i = 0; i < 8; i++) {
        id.bytes[i] = (uint8_t)(hash.lo >> (8 * i));
        id.bytes[8 + i] = (uint8_t)(hash.hi >> (8 * i));
    }
    return id;
}
