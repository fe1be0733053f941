/* Denials that may be for want of news: a token made through another server a moment ago is not
 * known here yet. They are said when this server has applied what was acknowledged before. */
#include <stdlib.h>

#include "common/base/assert.h"
#include "services/catalogd/rpc/table.h"
#include "services/catalogd/rpc/write.h"

struct doubt {
    struct doubt *next, **at; /* of the shell */
    struct catalog_shell *shell;
    struct cu_rq *rq;
    void (*go_on)(struct catalog_shell *shell, struct cu_rq *rq);
    uint64_t number; /* of the question for an index */
};

static void forget(struct doubt *doubt)
{
    *doubt->at = doubt->next;
    if (doubt->next)
        doubt->next->at = doubt->at;
    free(doubt);
}

static void gone(void *arg)
{
    struct doubt *doubt = arg;
    catalog_read_let_go(doubt->shell, doubt->number);
    forget(doubt);
}

/* Where no index can be had, what is known here has to do. */
static void sure(void *arg, enum cu_err err)
{
    struct doubt *doubt = arg;
    struct doubt was = *doubt;
    (void)err;
    forget(doubt);
    was.go_on(was.shell, was.rq);
}

static bool hold(struct catalog_shell *shell, struct cu_rq *rq,
                 void (*go_on)(struct catalog_shell *shell, struct cu_rq *rq))
{
    if (!shell->log_status.known_leader || shell->stopped || shell->is_stopping)
        return false;
    struct doubt *doubt = cu_alloc(sizeof *doubt);
    *doubt = (struct doubt){
        .shell = shell, .rq = rq, .go_on = go_on, .next = shell->doubts, .at = &shell->doubts};
    if (doubt->next)
        doubt->next->at = &doubt->next;
    shell->doubts = doubt;
    cu_rq_on_gone(rq, gone, doubt);
    doubt->number = catalog_read_start(shell, CATALOG_READ_DEFAULT,
                                       catalog_hold_deadline(shell, rq), sure, doubt);
    return true;
}

static void resume(struct catalog_shell *shell, struct cu_rq *rq)
{
    (void)shell;
    cu_rq_resume(rq);
}

bool catalog_doubt(void *context, struct cu_rq *rq)
{
    return hold(context, rq, resume);
}

bool catalog_refuse_later(struct catalog_shell *shell, struct cu_rq *rq)
{
    return catalog_may_begin_anew(shell, rq) && hold(shell, rq, catalog_begin_anew);
}

void catalog_refuse(struct catalog_shell *shell, struct cu_rq *rq, enum cu_err err,
                    const char *text)
{
    if (err != CU_E_DENIED || !catalog_refuse_later(shell, rq))
        cu_rq_fail(rq, err, "%s", text);
}

void catalog_doubts_end(struct catalog_shell *shell)
{
    while (shell->doubts) {
        struct cu_rq *rq = shell->doubts->rq;
        cu_rq_on_gone(rq, NULL, NULL);
        forget(shell->doubts);
        cu_rq_fail(rq, CU_E_NOT_READY, "the catalog is being stopped");
    }
}
