#include "services/raftd/io/recovery.h"

#include <stdio.h>

#include "common/base/num.h"
#include "services/raftd/io/peers_file.h"

enum { PATH_BYTES = 4096 };

static void path_of(const char *folder, char path[PATH_BYTES])
{
    (void)snprintf(path, PATH_BYTES, "%s/peers.json",
                   folder); /* raft/log.db was opened beside it */
}

/* The earlier ids, oldest first, and the own one. */
static uint32_t ids_of(const struct raft *raft, struct raft_id ids[RAFT_LINEAGE_MAX + 1])
{
    struct raft_lineage lineage[RAFT_LINEAGE_MAX];
    struct raft_status status;
    uint32_t count = raft_lineage(raft, lineage);
    for (uint32_t i = 0; i < count; i++)
        ids[i] = lineage[i].cluster;
    raft_status(raft, (struct cu_mono){0}, &status);
    ids[count] = status.cluster;
    return count + 1;
}

/* Whether one of the ids came from an earlier one by this very file. */
static bool was_taken(const struct raft_id *ids, uint32_t count, struct cu_bytes text)
{
    for (uint32_t i = 0; i + 1 < count; i++) {
        struct raft_id made = raft_recovery_id(ids[i], text);
        for (uint32_t k = i + 1; k < count; k++)
            if (raft_id_equal(made, ids[k]))
                return true;
    }
    return false;
}

static enum cu_err drop(const char *path, const char *why, struct cu_log *log, struct cu_diag *diag)
{
    cu_warn(log, "raft.recovery", "file=%s removed=\"%s\"", path, why);
    return raft_peers_file_remove(path, diag);
}

static enum cu_err give(struct raft_shell *shell, struct raft_id cluster, struct cu_bytes text,
                        const char *path, struct cu_diag *diag)
{
    struct raft_event event = {.kind = RAFT_EV_RECOVER, .tag = RAFT_RECOVERY_TAG};
    struct cu_diag why = {{0}};
    const char *refusal = "";
    event.recover.cluster = cluster;
    if (raft_peers_file_parse(text, &event.recover.configuration, &why))
        return cu_fail(diag, CU_E_INVALID, "recovery failed to parse peers.json: %.200s", why.text);
    enum cu_err err =
        raft_may_recover(raft_shell_core(shell), &event.recover.configuration, &refusal);
    if (err)
        return cu_fail(diag, err, "%.200s cannot be followed: %s", path, refusal);
    raft_shell_step(shell, &event);
    return CU_OK;
}

enum cu_err raft_recovery_take(const char *folder, struct raft_shell *shell, struct cu_log *log,
                               struct cu_diag *diag)
{
    struct raft_id ids[RAFT_LINEAGE_MAX + 1];
    char path[PATH_BYTES];
    struct cu_buf text = {0};
    struct cu_diag why = {{0}};
    path_of(folder, path);
    uint32_t count = ids_of(raft_shell_core(shell), ids);
    struct raft_id own = ids[count - 1];
    enum cu_err err = raft_peers_file_read(path, &text, &why);
    if (err == CU_E_NOT_FOUND)
        err = CU_OK;
    else if (err)
        err = cu_fail(diag, err, "recovery failed to parse peers.json: %.200s", why.text);
    else if (raft_id_is_none(own))
        err = drop(path, "there is no log here to recover", log, diag);
    else if (was_taken(ids, count, cu_buf_bytes(&text)))
        err =
            drop(path, "it was taken before: to recover once more, change a byte of it", log, diag);
    else
        err = give(shell, raft_recovery_id(own, cu_buf_bytes(&text)), cu_buf_bytes(&text), path,
                   diag);
    cu_buf_deinit(&text);
    return err;
}

enum cu_err raft_recovery_done(const char *folder, const struct raft_action *action,
                               struct cu_log *log, struct cu_diag *diag)
{
    char path[PATH_BYTES], cluster[CU_UUID_BYTES];
    path_of(folder, path);
    if (action->done.err) /* it was asked before: only a failed disk comes between */
        return cu_fail(diag, action->done.err, "%.200s: %s", path, action->done.text);
    cu_info(log, "raft.recovery", "file=%s cluster=%s", path,
            cu_format_uuid(action->done.cluster.bytes, cluster));
    return raft_peers_file_remove(path, diag);
}
