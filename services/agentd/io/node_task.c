/* A change on its way: its files are written, then the catalog is told; what could not be kept is
 * undone. */
#include <stdlib.h>

#include "common/base/assert.h"
#include "services/agentd/io/node_state.h"

void node_task_free(struct agent_task *task)
{
    agent_sync_forget(&task->flush);
    *task->at = task->next;
    if (task->next)
        task->next->at = task->at;
    for (size_t i = 0; i < task->new_check_count; i++)
        free(task->new_checks[i]);
    free(task->new_checks);
    for (size_t i = 0; i < CU_COUNT(task->new_services); i++)
        free(task->new_services[i]);
    free(task);
}

static void finish(struct agent_task *task, enum cu_err err, const char *text)
{
    agent_task_done *done = task->done;
    void *arg = task->arg;
    node_task_free(task);
    if (done)
        done(arg, err, text);
}

static void flushed(void *arg)
{
    finish(arg, CU_OK, "");
}

/* What could not be kept must not be there: a restart would lose it. */
static void undo(struct agent_task *task)
{
    struct agent_node *node = task->node;
    struct agent_files_job *job = agent_files_begin(node->files);
    for (size_t i = 0; i < task->new_check_count; i++)
        node_drop_check(node, job, task->new_checks[i]);
    for (size_t i = 0; i < CU_COUNT(task->new_services); i++)
        if (task->new_services[i])
            node_drop_service(node, job, task->new_services[i]);
    agent_files_submit(job, NULL, NULL);
}

static void kept(void *arg, enum cu_err err, const char *text)
{
    struct agent_task *task = arg;
    struct agent_node *node = task->node;
    if (err) {
        cu_error(node->options.log, "node.files", "text=\"not written\" reason=\"%s\"", text);
        undo(task);
    }
    agent_sync_resume(node->sync);
    if (err)
        finish(task, err, text);
    else
        agent_sync_flush(node->sync, &task->flush);
}

/* The sync waits until the files of a change are written: what the catalog knows outlives us. */
struct agent_task *node_task_begin(struct agent_node *node, agent_task_done *done, void *arg)
{
    struct agent_task *task = cu_alloc(sizeof *task);
    task->node = node;
    task->done = done;
    task->arg = arg;
    task->flush.done = flushed;
    task->flush.arg = task;
    task->next = node->tasks;
    task->at = &node->tasks;
    if (task->next)
        task->next->at = &task->next;
    node->tasks = task;
    agent_sync_pause(node->sync);
    return task;
}

struct agent_task *node_task_submit(struct agent_task *task, struct agent_files_job *job)
{
    node_changed(task->node);
    agent_files_submit(job, kept, task);
    return task;
}

void agent_task_forget(struct agent_task *task)
{
    if (task)
        task->done = NULL;
}
