#include "services/catalogd/rpc/write.h"

#include <stdlib.h>

#include "common/base/assert.h"
#include "services/catalogd/rpc/read.h"

enum { MARGIN_MS = 20 };

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

static void on_written(void *arg, enum cu_err err, const struct catalog_outcome *outcome)
{
    struct writing *writing = arg;
    struct cu_rq *rq = writing->rq;
    if (err) {
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
    command->actor = "anonymous";
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

void catalog_write_serve(struct catalog_shell *shell, struct cu_rq *rq,
                         const Curia__Internal__V1__Command *command, catalog_answer *answer)
{
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
