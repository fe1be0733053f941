/* work.h - evaluations that run on reader workers, one for all equal reads that wait (contracts
 * 6.7, 7.3). */
#ifndef CATALOG_RPC_WORK_H
#define CATALOG_RPC_WORK_H

#include "common/acl/authorizer.h"
#include "services/catalogd/rpc/read.h"

struct catalog_works;
struct catalog_work;

struct catalog_work_result {
    enum cu_err err;
    struct cu_bytes rows; /* the packed reply but for its meta */
    uint64_t index, read_at;
};

/* Somebody who waits for a result; lives in its owner. */
struct catalog_work_caller {
    void (*fn)(void *arg, const struct catalog_work_result *result);
    void *arg;
    struct catalog_work *work; /* NULL: waits for none */
    struct catalog_work_caller *prev, *next;
};

struct catalog_works *catalog_works_new(struct catalog_shell *shell);
void catalog_works_free(struct catalog_works *works);

/* What is to be evaluated, and for whom: equal only where the rights are. */
struct catalog_work_question {
    const struct catalog_query *query;
    const ProtobufCMessage *in;
    struct cu_authorizer *authorizer;
};

/* Joins an equal evaluation that has not begun, or begins one. `in` is copied, and a reference to
 * the authorizer taken. */
void catalog_work_join(struct catalog_works *works, const struct catalog_work_question *question,
                       struct catalog_work_caller *caller);
/* Waits no longer. Nothing when it does not wait. */
void catalog_work_leave(struct catalog_work_caller *caller);

/* What the loop's snapshot is worth; read once for each. */
CU_MUST_USE enum cu_err catalog_works_bookmark(struct catalog_works *works,
                                               const struct catalog_backend *snapshot,
                                               const struct catalog_bookmark **ret_bookmark);

#endif
