#include "services/catalogd/rpc/write.h"

#include <stdlib.h>

#include "common/base/assert.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/vet.h"
#include "services/catalogd/io/acl.h"
#include "services/catalogd/rpc/read.h"

enum {
    MARGIN_MS = 20,
    REMAKES_MAX = 8, /* contracts 3.4 */
    RESTS_MAX = 64,  /* rows of policies and roles that one command names */
};

/* A request whose command is on its way through the log. */
struct writing {
    struct catalog_shell *shell;
    struct cu_rq *rq;
    struct catalog_write *write;
    catalog_answer *answer;
    struct cu_sample *took; /* by the reference's names */
};

static void writer_gone(void *arg)
{
    struct writing *writing = arg;
    catalog_write_let_go(writing->shell, writing->write);
    free(writing);
}

/* Of rq->user: how often a handler has begun anew, and whether a denial was one of the reasons. */
enum { REMAKES = 0xff, WAS_DENIED = 0x100 };

bool catalog_may_begin_anew(const struct catalog_shell *shell, struct cu_rq *rq)
{
    uintptr_t marks = (uintptr_t)rq->user;
    rq->user = (void *)(marks | WAS_DENIED);
    return shell->conf.acl.is_enabled && !(marks & WAS_DENIED);
}

/* With the rights as they are now (contracts 3.4). */
void catalog_begin_anew(struct catalog_shell *shell, struct cu_rq *rq)
{
    const struct cu_permission *row = &rq->method->permission;
    uintptr_t marks = (uintptr_t)rq->user + 1;
    struct cu_bytes resource = {0};
    struct cu_diag diag = {0};
    if (row->resource)
        resource = row->resource(rq->in);
    enum cu_err err = (marks & REMAKES) > REMAKES_MAX
                          ? cu_fail(&diag, CU_E_OVERLOADED, "too many changes at once, try again")
                          : cu_rq_permit(rq, row->right, resource, &diag);
    rq->user = (void *)marks;
    cu_rq_on_gone(rq, NULL, NULL);
    if (err)
        cu_rq_fail(rq, err, "%s", diag.text);
    else
        rq->method->handler(shell, rq);
}

static void on_written(void *arg, enum cu_err err, const struct catalog_outcome *outcome)
{
    struct writing *writing = arg;
    struct cu_rq *rq = writing->rq;
    if (err == CU_E_RETRY) { /* what it rested on has changed */
        catalog_begin_anew(writing->shell, rq);
    } else if (err) {
        cu_rq_fail(rq, err, "%s", catalog_error_text(writing->shell, err));
    } else {
        cu_sample_add(writing->took, (double)cu_mono_ms_between(
                                         rq->arrived, cu_loop_now(writing->shell->env->loop)));
        writing->answer(rq, outcome);
    }
    free(writing);
}

bool catalog_write_refused(struct cu_rq *rq, const struct catalog_outcome *outcome)
{
    const Curia__Internal__V1__CommandResult *result = outcome->result;
    if (result->error)
        cu_rq_fail(rq, cu_err_from_wire(result->error), "%s", result->text);
    return result->error != 0;
}

void catalog_command_init(const struct cu_rq *rq, const char *reason,
                          Curia__Internal__V1__Origin *origin,
                          Curia__Internal__V1__Command *command)
{
    curia__internal__v1__origin__init(origin);
    origin->node = (char *)(uintptr_t)rq->origin.node;
    origin->daemon = (char *)(uintptr_t)rq->origin.daemon;
    origin->address = (char *)(uintptr_t)rq->origin.address;
    curia__internal__v1__command__init(command);
    command->origin = origin;
    command->actor = (char *)(uintptr_t)(rq->actor ? rq->actor : "anonymous");
    command->cause = "api";
    command->reason = (char *)(uintptr_t)reason;
}

/* Held as long as a leader may be missing, and answered before the caller gives up by itself. */
struct cu_mono catalog_hold_deadline(const struct catalog_shell *shell, const struct cu_rq *rq)
{
    struct cu_mono hold =
        cu_mono_add_ms(cu_loop_now(shell->env->loop), (uint64_t)shell->conf.hold_ms);
    struct cu_mono given = rq->deadline;
    if (given.ns > MARGIN_MS * 1000000ull)
        given.ns -= MARGIN_MS * 1000000ull;
    return cu_mono_min(hold, given);
}

static struct cu_sample *sample_of(struct catalog_shell *shell,
                                   const Curia__Internal__V1__Command *command)
{
    if (command->register_node)
        return shell->count.catalog_register;
    return command->deregister ? shell->count.catalog_deregister : shell->count.kv_apply;
}

/* All rows that they rest on; where these are many, their tables whole. */
static enum cu_err name_rests(const struct catalog_shell *shell,
                              const struct catalog_caller *caller, struct catalog_vetted *vetted)
{
    static const struct cu_bytes whole = {NULL, 0};
    struct catalog_bookmark bookmark;
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && caller->rest_count <= RESTS_MAX && i < caller->rest_count; i++)
        err = catalog_vetted_add(vetted, caller->rests[i].table,
                                 catalog_key_of(vetted->arena, cu_bytes_of(caller->rests[i].id)),
                                 caller->rests[i].modify_index);
    if (err || caller->rest_count <= RESTS_MAX)
        return err;
    const struct catalog_backend *snapshot = catalog_readers_snapshot(shell->readers);
    if (!snapshot || catalog_bookmark_read(snapshot, vetted->arena, &bookmark))
        return CU_E_NOT_READY;
    for (int table = CATALOG_ACL_POLICIES; !err && table <= CATALOG_ACL_TOKENS; table++)
        err = catalog_vetted_add(vetted, (enum catalog_table)table, whole,
                                 bookmark.table_index[table]);
    return err;
}

/* The rights rest on rows, too: they are named behind those that the command names. False: the
 * request has been answered. */
static bool name_authority(struct catalog_shell *shell, struct cu_rq *rq,
                           Curia__Internal__V1__Command *command)
{
    struct catalog_vetted vetted = {.arena = rq->arena};
    struct catalog_caller caller;
    struct cu_diag diag = {0};
    enum cu_err err = catalog_acl_caller(shell, rq->token, &caller, &diag);
    for (size_t i = 0; !err && i < command->n_checked; i++)
        if (!catalog_list_add(&vetted.rows, rq->arena, command->checked[i]))
            err = CU_E_TOO_LARGE;
    if (!err)
        err = name_rests(shell, &caller, &vetted);
    if (err) {
        cu_rq_fail(rq, err, "%s", *diag.text ? diag.text : cu_err_words(err));
        return false;
    }
    command->checked = (Curia__Internal__V1__Checked **)vetted.rows.items;
    command->n_checked = vetted.rows.count;
    return true;
}

void catalog_write_serve(struct catalog_shell *shell, struct cu_rq *rq,
                         Curia__Internal__V1__Command *command, catalog_answer *answer)
{
    bool is_asked = shell->conf.acl.is_enabled && rq->method->permission.right != RIGHT_NONE;
    if (is_asked && !name_authority(shell, rq, command))
        return;
    struct writing *writing = cu_alloc(sizeof(*writing));
    *writing = (struct writing){
        .shell = shell, .rq = rq, .answer = answer, .took = sample_of(shell, command)};
    struct catalog_write *write = catalog_write_start(
        shell, command, catalog_hold_deadline(shell, rq), false, on_written, writing);
    if (!write) /* answered, and `writing` with it */
        return;
    writing->write = write;
    cu_rq_on_gone(rq, writer_gone, writing);
}
